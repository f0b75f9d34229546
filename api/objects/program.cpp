#include "api/objects/program.h"

#include <algorithm>

namespace sluice::api {

Program::Build* Program::build(const Device* device) noexcept {
  const auto it = std::find(devices_.begin(), devices_.end(), device);
  return it == devices_.end() ? nullptr : &builds_[static_cast<std::size_t>(it - devices_.begin())];
}

const Program::Build* Program::executable() const noexcept {
  const auto it = std::find_if(builds_.begin(), builds_.end(), [](const Build& b) { return b.executable(); });
  return it == builds_.end() ? nullptr : &*it;
}

}  // namespace sluice::api

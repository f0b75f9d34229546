// Which engine this is: objects of another one are not used.
#pragma once

#include <string_view>

namespace sluice::exec {

[[nodiscard]] std::string_view engine_version() noexcept;

}  // namespace sluice::exec

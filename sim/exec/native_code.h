// A program image brought into this process.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sim/exec/program_image.h"

namespace sluice::exec {

// A program-scope variable.
struct Variable {
  std::uint64_t address = 0;
  std::uint64_t bytes = 0;
};

class NativeCode {
 public:
  // nullptr: `log` says why. `image.object` is copied.
  [[nodiscard]] static std::unique_ptr<NativeCode> load(const ProgramImage& image, std::string& log);
  ~NativeCode();
  NativeCode(const NativeCode&) = delete;
  NativeCode& operator=(const NativeCode&) = delete;

  [[nodiscard]] const std::vector<void*>& entries() const noexcept { return entries_; }  // by kernel
  [[nodiscard]] const std::vector<Variable>& variables() const noexcept { return variables_; }

 private:
  NativeCode() = default;
  struct Linked;
  std::unique_ptr<Linked> linked_;
  std::vector<void*> entries_;
  std::vector<Variable> variables_;
};

}  // namespace sluice::exec

// The C library's mathematics, by the names under which the device library and generated code call them.
#pragma once

#include <span>

namespace sluice::exec {

struct NamedFunction {
  const char* name;
  void* address;
};

[[nodiscard]] std::span<const NamedFunction> math_functions();

}  // namespace sluice::exec

// The C library's mathematics, by the names under which the device library and generated code call them.
#pragma once

#include <cstdint>
#include <span>

namespace sluice::exec {

struct NamedFunction {
  const char* name;
  void* address;
};

[[nodiscard]] std::span<const NamedFunction> math_functions();

// A half's bits.
[[nodiscard]] std::uint16_t float_to_half(float number);
[[nodiscard]] float half_to_float(std::uint16_t half);

}  // namespace sluice::exec

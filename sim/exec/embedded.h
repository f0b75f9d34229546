// Bitcode that is part of this library.
#pragma once

#include <array>
#include <span>
#include <string_view>

namespace sluice::exec {

// Ours, library/*.cl, in parts, and libclc's behind them.
inline constexpr std::size_t device_library_parts = 5;
[[nodiscard]] std::array<std::span<const char>, device_library_parts + 1> library_bitcode();
// Of all of them: lines "name number signature", by name (library_index.cpp).
[[nodiscard]] std::string_view library_index();

}  // namespace sluice::exec

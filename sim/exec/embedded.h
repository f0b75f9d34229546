// Bitcode that is part of this library.
#pragma once

#include <span>

namespace sluice::exec {

[[nodiscard]] std::span<const char> device_library_bitcode();   // ours: library/*.cl
[[nodiscard]] std::span<const char> builtin_library_bitcode();  // libclc's

}  // namespace sluice::exec

// Program binaries (CL_PROGRAM_BINARIES): LLVM bitcode behind a header that says what it is, of which format, and
// whether it is whole.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "api/compiler/compiler.h"

namespace sluice::compiler {

[[nodiscard]] std::vector<std::byte> encode(const Image& image);

// nullopt: not one of our binaries, of another format, cut off or corrupted.
[[nodiscard]] std::optional<Image> decode(std::span<const std::byte> binary);

}  // namespace sluice::compiler

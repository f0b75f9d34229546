// Program binaries (CL_PROGRAM_BINARIES): LLVM bitcode behind a header that says what it is, of which format, and
// whether it is whole.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/compiler/compiler.h"

namespace sluice::compiler {

[[nodiscard]] std::vector<std::byte> encode(const Image& image);

// nullopt: not one of our binaries, of another format, cut off or corrupted.
[[nodiscard]] std::optional<Image> decode(std::span<const std::byte> binary);

// A whole result, for another process or a later time. (Not a binary in OpenCL's sense.)
[[nodiscard]] std::string encode(const Result& result);
[[nodiscard]] std::optional<Result> decode_result(std::string_view text);

}  // namespace sluice::compiler

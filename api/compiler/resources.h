// clang's opencl-c-base.h, which declares OpenCL C's types: part of the plug-in, as it was when that was built, so that
// it is there and of the right version.
#pragma once

#include <string_view>

namespace sluice::compiler {

[[nodiscard]] std::string_view opencl_header();  // with a zero behind it

}  // namespace sluice::compiler

// Where clang's own headers are: opencl-c-base.h, which declares OpenCL C's types.
#pragma once

#include <string>

namespace sluice::compiler {

// The folder for clang's -resource-dir. Looked for beside the libclang-cpp that is loaded, then where it was when the
// driver was built. Empty: not there, and `error` says what was looked for.
[[nodiscard]] std::string find_resource_folder(std::string& error);

}  // namespace sluice::compiler

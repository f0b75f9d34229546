#include "api/compiler/resources.h"

#include <clang/Basic/Version.h>
#include <clang/Frontend/CompilerInvocation.h>
#include <dlfcn.h>

#include <filesystem>
#include <vector>

namespace sluice::compiler {

namespace {

// The folder of the file that holds clang's code in this process.
std::filesystem::path clang_folder() {
  Dl_info info{};
  const auto* code = reinterpret_cast<const void*>(&clang::getClangFullVersion);
  if (::dladdr(code, &info) == 0 || info.dli_fname == nullptr) return {};
  std::error_code ignored;
  const std::filesystem::path file = std::filesystem::canonical(info.dli_fname, ignored);
  return file.parent_path();
}

}  // namespace

std::string find_resource_folder(std::string& error) {
  const std::filesystem::path folder = clang_folder();
  std::vector<std::filesystem::path> candidates;
  if (!folder.empty()) {
    candidates.push_back(folder / "clang" / CLANG_VERSION_STRING);
    candidates.push_back(folder / "clang" / std::to_string(CLANG_VERSION_MAJOR));
  }
  candidates.emplace_back(SLUICE_CLANG_RESOURCE_DIR);
  for (const std::filesystem::path& candidate : candidates) {
    std::error_code ignored;
    if (std::filesystem::exists(candidate / "include" / "opencl-c-base.h", ignored)) return candidate;
  }
  error = "clang's headers for OpenCL C are missing: no include/opencl-c-base.h in";
  for (const std::filesystem::path& candidate : candidates) error += " " + candidate.string();
  error += " (Debian: libclang-common-15-dev)";
  return {};
}

}  // namespace sluice::compiler

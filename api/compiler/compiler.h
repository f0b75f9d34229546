// OpenCL C, SPIR-V and compiled objects -> LLVM bitcode of triple spir64 whose built-in functions are not resolved:
// what KernelEngine::load takes. clang and LLVM are behind this header, in a shared object that the first of these
// functions loads (plugin.h), and nothing of the driver is.
//
// Calls may come from any thread, one at a time (the driver holds its lock). Neither hostile input nor a defect of LLVM
// ends the process: see worker.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "api/compiler/options.h"

namespace sluice::compiler {

enum class ImageKind : std::uint8_t { object, library, executable };

// What a program holds for a device. Immutable once made.
struct Image {
  ImageKind kind = ImageKind::object;
  bool optimise = true;
  std::vector<std::byte> bitcode;
  std::vector<std::string> kernels;         // in the order of their definitions
  std::uint64_t global_variable_bytes = 0;  // CL_PROGRAM_BUILD_GLOBAL_VARIABLE_TOTAL_SIZE
};

// What a result depends on beside the text and the options: a file or folder that was there, or was looked for in vain.
struct Dependence {
  std::string path;
  bool exists = false;
  std::string hash = {};  // of a file's contents
};

struct Result {
  std::shared_ptr<const Image> image = nullptr;  // nullptr: failed, and the log says why
  std::string log = {};
  std::vector<Dependence> read = {};
  bool changes = false;  // the program asks for the time: what it is differs from one time to the next
};

struct Header {
  std::string name;  // as an #include names it
  std::string text;
};

struct Source {
  std::string text;
  std::vector<Header> headers;  // of equal names the first counts
  CompileOptions options;
  std::string extensions;       // clang_extensions()
  std::string prologue;         // clang_prologue()
};

// kind: object or executable. Recursion, which OpenCL C forbids, is an error.
// `cache_folder`: where results are kept (cache.h); empty: nowhere.
[[nodiscard]] Result compile_source(Source source, ImageKind kind, const std::string& cache_folder);

// SPIR-V, checked by spirv.h before. `constants`: values of specialisation constants by their SpecId.
[[nodiscard]] Result compile_il(std::span<const std::uint32_t> words,
                                const std::map<std::uint32_t, std::uint64_t>& constants,
                                const CompileOptions& options, ImageKind kind, const std::string& cache_folder);

// kind: library or executable. A name that two inputs define is an error; what none defines is left to the engine.
[[nodiscard]] Result link(std::span<const std::shared_ptr<const Image>> inputs, ImageKind kind);

// Whether the compiler is there, by its file: without loading it.
[[nodiscard]] bool is_installed();
// Loads the compiler. Empty, or a line for the build log that says why it cannot be loaded.
[[nodiscard]] std::string why_unavailable();

}  // namespace sluice::compiler

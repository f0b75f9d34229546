// Bitcode to native code. The only door to LLVM's optimiser; free of LLVM's types.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "sim/exec/program_image.h"

namespace sluice::exec {

// What a program consists of, and whether all of it can be compiled. False: `log` says why.
[[nodiscard]] bool examine(std::span<const std::byte> bitcode, ProgramImage& image, std::string& log);

// One kernel of it. False: `log` says why.
[[nodiscard]] bool compile(std::span<const std::byte> bitcode, const LoadOptions& options, std::uint32_t kernel,
                           KernelImage& image, std::string& log);

// What images depend on, as a file name: the bitcode, the options, this engine and the processor.
[[nodiscard]] std::string image_key(std::span<const std::byte> bitcode, const LoadOptions& options);

}  // namespace sluice::exec

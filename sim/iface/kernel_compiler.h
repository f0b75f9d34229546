// The part of the kernel engine that needs LLVM.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "sim/iface/kernel_engine.h"

namespace sluice {

namespace exec {
struct ProgramImage;
struct KernelImage;
}  // namespace exec

// LLVM takes longer to load than all else that a first launch needs, so this is only asked for when something is not found
// in the cache. What images are is the engine's own business.
struct KernelCompiler {
  // What a program consists of, and whether all of it can be compiled. False: `log` says why.
  bool (*examine)(std::span<const std::byte> bitcode, exec::ProgramImage& image, std::string& log);
  // One kernel of it, quiet if image.quiet. False: `log` says why.
  bool (*compile)(std::span<const std::byte> bitcode, const LoadOptions& options, std::uint32_t kernel,
                  exec::KernelImage& image, std::string& log);
};
extern const KernelCompiler kernel_compiler;

// nullptr: there is none, and `log` says why.
using FindKernelCompiler = const KernelCompiler* (*)(std::string& log);

// The engine of sim/exec.
[[nodiscard]] std::unique_ptr<KernelEngine> make_kernel_engine(FindKernelCompiler find);

}  // namespace sluice

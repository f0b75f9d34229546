// What needs LLVM - the compiler and that of sim/exec - is a shared object of its own, libsluice_kernels.so, which
// the driver loads when a program is first built: most of LLVM's time and memory is spent while it is loaded. This is
// what the two agree on. The plug-in has one exported symbol, a KernelsPlugin.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>

#include "api/compiler/compiler.h"
#include "sim/iface/kernel_compiler.h"

namespace sluice::compiler {

struct KernelsPlugin {
  // First, so that it can be read whatever follows: of the headers that both were built with (SLUICE_PLUGIN_KEY).
  char key[96];
  // The functions of compiler.h, called on a large stack.
  Result (*compile_source)(const Source& source, ImageKind kind);
  Result (*compile_il)(std::span<const std::uint32_t> words, const std::map<std::uint32_t, std::uint64_t>& constants,
                       const CompileOptions& options, ImageKind kind);
  Result (*link)(std::span<const std::shared_ptr<const Image>> inputs, ImageKind kind);
  const KernelCompiler* kernel_compiler;
};

inline constexpr const char* kPluginSymbol = "sluice_kernels_plugin";

// The plug-in, loaded by the first call and never unloaded. nullptr: it cannot be loaded, and `error` says why in words
// for a build log.
[[nodiscard]] const KernelsPlugin* load_plugin(std::string& error);

}  // namespace sluice::compiler

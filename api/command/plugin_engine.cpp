// The driver's engine: what its compiler needs is in the plug-in, which comes into the process when it is first asked for.
#include "api/compiler/plugin.h"
#include "sim/iface/kernel_compiler.h"

namespace sluice {

std::unique_ptr<KernelEngine> make_kernel_engine() {
  return make_kernel_engine([](std::string& log) -> const KernelCompiler* {
    const compiler::KernelsPlugin* const plugin = compiler::load_plugin(log);
    return plugin == nullptr ? nullptr : plugin->kernel_compiler;
  });
}

}  // namespace sluice

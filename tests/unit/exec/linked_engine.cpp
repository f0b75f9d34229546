// These tests have the engine's compiler in their own file.
#include "sim/iface/kernel_compiler.h"

namespace sluice {

std::unique_ptr<KernelEngine> make_kernel_engine() {
  return make_kernel_engine([](std::string&) { return &kernel_compiler; });
}

}  // namespace sluice

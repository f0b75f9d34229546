// For a build without sim/exec: programs compile and link, and no kernel can be run.
#include "sim/iface/kernel_engine.h"

namespace sluice {

std::unique_ptr<KernelEngine> make_kernel_engine() { return nullptr; }

}  // namespace sluice

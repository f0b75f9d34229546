#include "sim/exec/embedded.h"

// The files' paths come from CMake.
#define SLUICE_EMBED(symbol, path)                                                                                    \
  __asm__(".pushsection .rodata\n.balign 16\n.hidden " #symbol "\n.hidden " #symbol "_end\n.global " #symbol          \
          "\n.global " #symbol "_end\n" #symbol ":\n.incbin \"" path "\"\n" #symbol "_end:\n.byte 0\n.popsection\n"); \
  extern "C" const char symbol[];                                                                                     \
  extern "C" const char symbol##_end[];

SLUICE_EMBED(sluice_exec_device_library, SLUICE_DEVICE_LIBRARY)
SLUICE_EMBED(sluice_exec_builtin_library, SLUICE_BUILTIN_LIBRARY)

namespace sluice::exec {

std::span<const char> device_library_bitcode() {
  return {sluice_exec_device_library, sluice_exec_device_library_end};
}
std::span<const char> builtin_library_bitcode() {
  return {sluice_exec_builtin_library, sluice_exec_builtin_library_end};
}

}  // namespace sluice::exec

#include "sim/exec/embedded.h"

// The files' paths come from CMake.
#define SLUICE_EMBED(symbol, path)                                                                                    \
  __asm__(".pushsection .rodata\n.balign 16\n.hidden " #symbol "\n.hidden " #symbol "_end\n.global " #symbol          \
          "\n.global " #symbol "_end\n" #symbol ":\n.incbin \"" path "\"\n" #symbol "_end:\n.byte 0\n.popsection\n"); \
  extern "C" const char symbol[];                                                                                     \
  extern "C" const char symbol##_end[];

SLUICE_EMBED(sluice_exec_device_library_1, SLUICE_DEVICE_LIBRARY_1)
SLUICE_EMBED(sluice_exec_device_library_2, SLUICE_DEVICE_LIBRARY_2)
SLUICE_EMBED(sluice_exec_device_library_3, SLUICE_DEVICE_LIBRARY_3)
SLUICE_EMBED(sluice_exec_device_library_4, SLUICE_DEVICE_LIBRARY_4)
SLUICE_EMBED(sluice_exec_device_library_5, SLUICE_DEVICE_LIBRARY_5)
SLUICE_EMBED(sluice_exec_library_index, SLUICE_LIBRARY_INDEX)
SLUICE_EMBED(sluice_exec_builtin_library, SLUICE_BUILTIN_LIBRARY)

namespace sluice::exec {

std::array<std::span<const char>, device_library_parts + 1> library_bitcode() {
  return {std::span(sluice_exec_device_library_1, sluice_exec_device_library_1_end),
          std::span(sluice_exec_device_library_2, sluice_exec_device_library_2_end),
          std::span(sluice_exec_device_library_3, sluice_exec_device_library_3_end),
          std::span(sluice_exec_device_library_4, sluice_exec_device_library_4_end),
          std::span(sluice_exec_device_library_5, sluice_exec_device_library_5_end),
          std::span(sluice_exec_builtin_library, sluice_exec_builtin_library_end)};
}
std::string_view library_index() {
  return {sluice_exec_library_index,
          static_cast<std::size_t>(sluice_exec_library_index_end - sluice_exec_library_index)};
}

}  // namespace sluice::exec

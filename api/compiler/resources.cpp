#include "api/compiler/resources.h"

// The file's path comes from CMake.
__asm__(
    ".pushsection .rodata\n.hidden sluice_opencl_header\n.hidden sluice_opencl_header_end\n"
    ".global sluice_opencl_header\n.global sluice_opencl_header_end\n"
    "sluice_opencl_header:\n.incbin \"" SLUICE_OPENCL_HEADER "\"\nsluice_opencl_header_end:\n.byte 0\n.popsection\n");
extern "C" const char sluice_opencl_header[];
extern "C" const char sluice_opencl_header_end[];

namespace sluice::compiler {

std::string_view opencl_header() { return {sluice_opencl_header, sluice_opencl_header_end}; }

}  // namespace sluice::compiler

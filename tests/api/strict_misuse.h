// What the misuses of strict_misuse.cpp are committed on.
#pragma once

#include <CL/cl.h>

#include <cstddef>

namespace misuse {

constexpr std::size_t bytes = 65536;  // of the buffer

struct World {
  cl_context context = nullptr;
  cl_command_queue queue = nullptr;
  cl_mem buffer = nullptr;
  cl_kernel store = nullptr;  // writes 1 to each element
  cl_kernel one = nullptr;    // writes element 75, bytes 300 to 303
  cl_kernel load = nullptr;   // reads each element of the first into the second
};

[[nodiscard]] volatile unsigned char* map(const World& w, cl_map_flags flags, cl_bool blocking = CL_TRUE);
// And waits for it.
void unmap(const World& w, volatile void* p);

// Of strict_system_calls.cpp.
void system_calls_correct(World& w);
void read_into_read_map(World& w);
void readlink_into_read_map(World& w);
void written_by_the_system_after_unmap(World& w);
void sent_before_complete(World& w);

}  // namespace misuse

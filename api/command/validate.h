// Rules for cl_mem_flags and cl_map_flags that buffers and images share (OpenCL 3.0, tables of memory flags and of
// memory map flags).
#pragma once

#include <CL/cl.h>

#include "sim/iface/machine.h"

namespace sluice::api {

inline constexpr cl_mem_flags access_flags = CL_MEM_READ_WRITE | CL_MEM_WRITE_ONLY | CL_MEM_READ_ONLY;
inline constexpr cl_mem_flags host_access_flags =
    CL_MEM_HOST_WRITE_ONLY | CL_MEM_HOST_READ_ONLY | CL_MEM_HOST_NO_ACCESS;
inline constexpr cl_mem_flags host_ptr_flags = CL_MEM_USE_HOST_PTR | CL_MEM_ALLOC_HOST_PTR | CL_MEM_COPY_HOST_PTR;

// CL_INVALID_VALUE: unknown bits, or flags that exclude each other.
[[nodiscard]] inline cl_int check_memory_flags(cl_mem_flags flags) noexcept {
  const auto at_most_one = [](cl_mem_flags f) { return (f & (f - 1)) == 0; };
  if ((flags & ~(access_flags | host_access_flags | host_ptr_flags)) != 0) return CL_INVALID_VALUE;
  if (!at_most_one(flags & access_flags) || !at_most_one(flags & host_access_flags)) return CL_INVALID_VALUE;
  if ((flags & CL_MEM_USE_HOST_PTR) != 0 && (flags & (CL_MEM_ALLOC_HOST_PTR | CL_MEM_COPY_HOST_PTR)) != 0) {
    return CL_INVALID_VALUE;
  }
  return CL_SUCCESS;
}

// A sub-buffer, or an image on a buffer, may restrict the access that `theirs` gives and never widen it; it has no
// host_ptr of its own. On success what is not said in `flags` is inherited. CL_INVALID_VALUE otherwise.
[[nodiscard]] inline cl_int inherit_memory_flags(cl_mem_flags theirs, cl_mem_flags& flags) noexcept {
  if (check_memory_flags(flags) != CL_SUCCESS || (flags & host_ptr_flags) != 0) return CL_INVALID_VALUE;
  const auto widens = [&](cl_mem_flags restricted, cl_mem_flags asked) {
    return (theirs & restricted) != 0 && (flags & asked) != 0;
  };
  if (widens(CL_MEM_WRITE_ONLY, CL_MEM_READ_WRITE | CL_MEM_READ_ONLY) ||
      widens(CL_MEM_READ_ONLY, CL_MEM_READ_WRITE | CL_MEM_WRITE_ONLY) ||
      widens(CL_MEM_HOST_WRITE_ONLY, CL_MEM_HOST_READ_ONLY) || widens(CL_MEM_HOST_READ_ONLY, CL_MEM_HOST_WRITE_ONLY) ||
      widens(CL_MEM_HOST_NO_ACCESS, CL_MEM_HOST_READ_ONLY | CL_MEM_HOST_WRITE_ONLY)) {
    return CL_INVALID_VALUE;
  }
  if ((flags & access_flags) == 0) flags |= theirs & access_flags;
  if ((flags & host_access_flags) == 0) flags |= theirs & host_access_flags;
  flags |= theirs & host_ptr_flags;
  return CL_SUCCESS;
}

// CL_INVALID_HOST_PTR unless a pointer is given exactly where the flags ask for one.
[[nodiscard]] inline cl_int check_host_ptr(cl_mem_flags flags, const void* host_ptr) noexcept {
  const bool needed = (flags & (CL_MEM_USE_HOST_PTR | CL_MEM_COPY_HOST_PTR)) != 0;
  return needed == (host_ptr != nullptr) ? CL_SUCCESS : CL_INVALID_HOST_PTR;
}

[[nodiscard]] inline BufferPolicy policy_of(const DriverPolicy& policy, cl_mem_flags flags) noexcept {
  if ((flags & CL_MEM_USE_HOST_PTR) != 0) return policy.use_host_ptr;
  if ((flags & CL_MEM_ALLOC_HOST_PTR) != 0) return policy.alloc_host_ptr;
  return policy.default_buffer;
}

[[nodiscard]] inline bool host_may_read(cl_mem_flags flags) noexcept {
  return (flags & (CL_MEM_HOST_WRITE_ONLY | CL_MEM_HOST_NO_ACCESS)) == 0;
}
[[nodiscard]] inline bool host_may_write(cl_mem_flags flags) noexcept {
  return (flags & (CL_MEM_HOST_READ_ONLY | CL_MEM_HOST_NO_ACCESS)) == 0;
}

[[nodiscard]] constexpr bool maps_for_writing(cl_map_flags flags) noexcept {
  return (flags & (CL_MAP_WRITE | CL_MAP_WRITE_INVALIDATE_REGION)) != 0;
}

// CL_INVALID_VALUE: unknown bits, none at all, or CL_MAP_WRITE_INVALIDATE_REGION together with another.
[[nodiscard]] inline cl_int check_map_flags(cl_map_flags flags) noexcept {
  constexpr cl_map_flags all = CL_MAP_READ | CL_MAP_WRITE | CL_MAP_WRITE_INVALIDATE_REGION;
  if (flags == 0 || (flags & ~all) != 0) return CL_INVALID_VALUE;
  if ((flags & CL_MAP_WRITE_INVALIDATE_REGION) != 0 && flags != CL_MAP_WRITE_INVALIDATE_REGION) return CL_INVALID_VALUE;
  return CL_SUCCESS;
}

// CL_INVALID_OPERATION if the host may not do with the object what the map asks for.
[[nodiscard]] inline cl_int check_map_access(cl_mem_flags memory, cl_map_flags flags) noexcept {
  if ((flags & CL_MAP_READ) != 0 && !host_may_read(memory)) return CL_INVALID_OPERATION;
  if (maps_for_writing(flags) && !host_may_write(memory)) return CL_INVALID_OPERATION;
  return CL_SUCCESS;
}

}  // namespace sluice::api

// What makes a memory object a pipe: a ring of packets in device memory that kernels alone read and write
// (sim/exec/library/pipes.cl).
#pragma once

#include <CL/cl.h>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace sluice::api {

// The least that OpenCL 3.0 allows to a device with pipes, but for reservations, of which each entry can be one.
struct PipeLimits {
  static constexpr cl_uint arguments = 16;  // of a kernel
  static constexpr cl_uint packet_bytes = 1024;
  static constexpr cl_uint reservations = 1024;
};

struct Pipe {
  cl_uint packet_bytes = 0;
  cl_uint packets = 0;

  // Of the store; nullopt: more than there are addresses.
  [[nodiscard]] std::optional<std::size_t> bytes() const noexcept;
  // Makes it an empty pipe. `store`: zeros, as many as bytes() says.
  void set_up(std::byte* store) const noexcept;
};

}  // namespace sluice::api

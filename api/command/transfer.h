// Argument rules that the transfer, map and SVM entry points share, and the building of their commands.
#pragma once

#include <CL/cl.h>

#include <array>

#include "api/command/enqueue.h"
#include "api/objects/memory.h"

namespace sluice::api {

using Triple = std::array<std::size_t, 3>;

// A box in a linear memory: byte origin, pitches with defaults applied, and the bytes from the first to past the last.
struct Box {
  std::size_t origin = 0;  // of the first byte
  std::size_t row_pitch = 0;
  std::size_t slice_pitch = 0;
  std::size_t span = 0;
};

// Applies the rect rules of clEnqueueReadBufferRect: zero pitches become tight ones; CL_INVALID_VALUE for a region with
// a zero, or pitches below the region. `limit`: size of the memory, or SIZE_MAX.
[[nodiscard]] cl_int make_box(const std::size_t* origin, const std::size_t* region, std::size_t row_pitch,
                              std::size_t slice_pitch, std::size_t limit, Box& box);

// True if the two boxes of one memory share a byte (the specification's check_copy_overlap, appendix D).
[[nodiscard]] bool boxes_overlap(const Triple& source, const Triple& target, const Triple& region, std::size_t row_pitch,
                                 std::size_t slice_pitch);

// Queue, buffer and context as every buffer command checks them. On success *queue and *memory are set.
[[nodiscard]] cl_int check_target(cl_command_queue queue_handle, cl_mem handle, Queue*& queue, Memory*& memory);

// CL_MISALIGNED_SUB_BUFFER_OFFSET for the queue's device.
[[nodiscard]] cl_int check_alignment(const Queue& queue, const Memory& memory);

// Fills the direction for a transfer between the two ends.
void set_direction(Command& command);

}  // namespace sluice::api

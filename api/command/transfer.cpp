#include "api/command/transfer.h"

#include <cstdint>

#include "api/objects/registry.h"

namespace sluice::api {

namespace {

bool multiply(std::size_t a, std::size_t b, std::size_t& out) { return !__builtin_mul_overflow(a, b, &out); }
bool add(std::size_t a, std::size_t b, std::size_t& out) { return !__builtin_add_overflow(a, b, &out); }

}  // namespace

cl_int make_box(const std::size_t* origin, const std::size_t* region, std::size_t row_pitch, std::size_t slice_pitch,
                std::size_t limit, Box& box) {
  if (origin == nullptr || region == nullptr) return CL_INVALID_VALUE;
  if (region[0] == 0 || region[1] == 0 || region[2] == 0) return CL_INVALID_VALUE;
  if (row_pitch == 0) row_pitch = region[0];
  if (row_pitch < region[0]) return CL_INVALID_VALUE;
  std::size_t tight = 0;
  if (!multiply(region[1], row_pitch, tight)) return CL_INVALID_VALUE;
  if (slice_pitch == 0) slice_pitch = tight;
  if (slice_pitch < tight || slice_pitch % row_pitch != 0) return CL_INVALID_VALUE;
  std::size_t slices = 0;
  std::size_t rows = 0;
  std::size_t begin = 0;
  if (!multiply(origin[2], slice_pitch, slices) || !multiply(origin[1], row_pitch, rows) || !add(slices, rows, begin) ||
      !add(begin, origin[0], begin)) {
    return CL_INVALID_VALUE;
  }
  std::size_t span = 0;
  if (!multiply(region[2] - 1, slice_pitch, slices) || !multiply(region[1] - 1, row_pitch, rows) ||
      !add(slices, rows, span) || !add(span, region[0], span)) {
    return CL_INVALID_VALUE;
  }
  if (begin > limit || span > limit - begin) return CL_INVALID_VALUE;
  box = {begin, row_pitch, slice_pitch, span};
  return CL_SUCCESS;
}

bool boxes_overlap(const Triple& source, const Triple& target, const Triple& region, std::size_t row_pitch,
                   std::size_t slice_pitch) {
  const auto first = [&](const Triple& o) { return o[2] * slice_pitch + o[1] * row_pitch + o[0]; };
  const std::size_t slice_size = (region[1] - 1) * row_pitch + region[0];
  const std::size_t block_size = (region[2] - 1) * slice_pitch + slice_size;
  const std::size_t s = first(source);
  const std::size_t d = first(target);
  // Disjoint as whole blocks?
  if (d >= s + block_size || s >= d + block_size) return false;
  // Disjoint in x: the columns never meet, whatever the row.
  const std::size_t apart = d > s ? d - s : s - d;
  const std::size_t column = apart % row_pitch;
  if (column >= region[0] && row_pitch - column >= region[0]) return false;
  // Disjoint in y within every slice.
  const std::size_t plane = apart % slice_pitch;
  if (plane >= slice_size && slice_pitch - plane >= slice_size) return false;
  return true;
}

cl_int check_target(cl_command_queue queue_handle, cl_mem handle, Queue*& queue, Memory*& memory) {
  queue = find<Queue>(queue_handle);
  if (queue == nullptr) return CL_INVALID_COMMAND_QUEUE;
  memory = find<Memory>(handle);
  if (memory == nullptr || !memory->is_buffer()) return CL_INVALID_MEM_OBJECT;
  if (&queue->context() != &memory->context()) return CL_INVALID_CONTEXT;
  return CL_SUCCESS;
}

cl_int check_alignment(const Queue& queue, const Memory& memory) {
  if (memory.parent() == nullptr) return CL_SUCCESS;
  const std::size_t bytes = queue.device().info().base_address_align_bits / 8;
  return memory.offset() % bytes == 0 ? CL_SUCCESS : CL_MISALIGNED_SUB_BUFFER_OFFSET;
}

void set_direction(Command& command) {
  const bool from_device = command.source.placement == Placement::device;
  const bool to_device = command.target.placement == Placement::device;
  if (!command.fill.empty()) {
    command.direction = to_device ? Direction::device_to_device : Direction::host_to_host;
  } else if (from_device) {
    command.direction = to_device ? Direction::device_to_device : Direction::device_to_host;
  } else {
    command.direction = to_device ? Direction::host_to_device : Direction::host_to_host;
  }
}

}  // namespace sluice::api

// What the driver asks of the simulated machine: one Command per API command, free of OpenCL types.
// The driver fills it in api/command after it has validated the call; the simulator decides what it costs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "sim/iface/image_tiling.h"
#include "sim/iface/time.h"

namespace sluice {

using CommandId = std::uint64_t;  // 1, 2, 3 ... in the order in which commands were created; 0 is no command
using QueueId = std::uint32_t;    // 1, 2, 3 ... in the order in which queues were created
using DeviceIndex = std::uint32_t;

enum class Operation : std::uint8_t {
  marker, barrier,
  read_buffer, write_buffer, copy_buffer, fill_buffer,
  read_buffer_rect, write_buffer_rect, copy_buffer_rect,
  map_buffer, map_image, unmap, migrate,
  read_image, write_image, copy_image, fill_image, copy_image_to_buffer, copy_buffer_to_image,
  svm_map, svm_unmap, svm_memcpy, svm_memfill, svm_free, svm_migrate,
  kernel,
  count_,
};

// Stable names, used in traces and reports ("read_buffer" ...).
[[nodiscard]] std::string_view to_string(Operation op) noexcept;

// Where the bytes of one end of a transfer lie, as the copy engine sees it.
enum class Placement : std::uint8_t {
  none,
  device,         // device memory
  host_pinned,    // host memory that the device reaches by itself (ALLOC_HOST_PTR mirrors, SVM, registered pages)
  host_pageable,  // host memory of the program; the driver stages it unless the link is coherent
};
[[nodiscard]] std::string_view to_string(Placement p) noexcept;

enum class Direction : std::uint8_t { none, host_to_device, device_to_host, device_to_device, host_to_host };
[[nodiscard]] std::string_view to_string(Direction d) noexcept;

struct KernelLaunch;  // sim/iface/kernel_engine.h

inline constexpr DeviceIndex device_of_command = ~DeviceIndex{0};

struct Endpoint {
  Placement placement = Placement::none;
  DeviceIndex device = device_of_command;  // whose memory it is, where another device than the command's has the bytes
  std::byte* data = nullptr;        // functional backing of the first byte; nullptr where no byte moves
  std::uint64_t address = 0;        // simulated address of the first byte, never an address of this process
  std::uint64_t row_pitch_bytes = 0;
  std::uint64_t slice_pitch_bytes = 0;
  ImageTiling tiling = {};          // of an image that the device tiles
  std::uint64_t image_offset = 0;   // of the first byte, in the image's linear store
};

// A box of bytes; a linear transfer has rows == slices == 1.
struct Shape {
  std::uint64_t row_bytes = 0;
  std::uint64_t rows = 1;
  std::uint64_t slices = 1;
  [[nodiscard]] constexpr std::uint64_t bytes() const noexcept { return row_bytes * rows * slices; }
};

// What a fill repeats. Empty: not a fill.
class Pattern {
 public:
  void assign(const void* bytes, std::size_t size) {
    const auto* first = static_cast<const std::byte*>(bytes);
    bytes_.assign(first, first + size);
  }
  [[nodiscard]] const std::byte* data() const noexcept { return bytes_.data(); }
  [[nodiscard]] std::size_t size_bytes() const noexcept { return bytes_.size(); }
  [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }

 private:
  std::vector<std::byte> bytes_;  // up to 128; on the heap, since few commands have any
};

// Where the driver's CPU makes the texels of an image that it fills itself.
inline constexpr std::uint64_t host_fill_address = 3ULL << 46;

struct Command {
  CommandId id = 0;
  Operation op = Operation::marker;
  DeviceIndex device = 0;
  QueueId queue = 0;
  bool in_order = true;   // waits for the previous command of its queue
  bool blocking = false;  // the calling thread waits for it, and copies for it
  bool stamped = false;   // its event shall tell the stamps: the driver has more to do

  // Timed traffic. Direction::none means that nothing crosses: the command is a marker to the device
  // (an unmap after a read map, say) or, with `host_only`, never reaches the device at all (a write-invalidate map).
  bool host_only = false;
  Direction direction = Direction::none;
  Endpoint source;
  Endpoint target;
  Shape shape;
  Pattern fill;
  // False where the bytes are already where they belong because a mapped pointer points into the backing store.
  bool moves_data = true;

  // Shared virtual memory that the command wants on one side, where its pages move (Simulator::manage): what a map shows
  // the host, what a migration moves. Simulated host addresses.
  struct Pages {
    std::uint64_t address = 0;
    std::uint64_t bytes = 0;
  };
  std::vector<Pages> pages;
  bool pages_to_device = false;
  bool pages_by_faults = false;    // a core's, as it touches them after the command; else the driver moves them
  bool pages_have_contents = true; // false: they need not cross the link

  // Device memory that the program itself reads (a map) or has written (an unmap) through its cores' caches, where the
  // host addresses it.
  std::vector<Pages> host_touches;
  bool host_writes = false;

  // Bytes of a mirror that the driver creates and pins with this command: the first map of a buffer. Else 0.
  std::uint64_t pins_bytes = 0;

  // Operation::kernel: what to run; else nullptr.
  std::shared_ptr<const KernelLaunch> kernel;
  // Of a command that Simulator::hold() has seen: when its call began, and CL_PROFILING_COMMAND_QUEUED. Else 0.
  TimePs called = 0;
  TimePs queued = 0;

  [[nodiscard]] constexpr DeviceIndex device_of(const Endpoint& end) const noexcept {
    return end.device == device_of_command ? device : end.device;
  }
  // A copy from one device's memory to another's.
  [[nodiscard]] bool is_between_devices() const noexcept {
    return direction == Direction::device_to_device && fill.empty() && device_of(source) != device_of(target);
  }

  // Commands of the same simulator that must complete first. Never a user event: the driver holds a command
  // back until its user events are complete.
  std::vector<CommandId> waits;
};

// What a command became. Stamps are those of CL_PROFILING_COMMAND_*, in order.
// queued <= submitted <= started <= ended <= completed <= visible
struct Completion {
  CommandId id = 0;
  TimePs queued = 0;
  TimePs submitted = 0;
  TimePs started = 0;
  TimePs ended = 0;
  TimePs completed = 0;  // everything done, staging copies to pageable memory included
  TimePs visible = 0;    // a thread blocked on the command runs again
  std::int32_t status = 0;  // 0, or KernelLaunch::failure_status of a kernel that could not go on
};

}  // namespace sluice

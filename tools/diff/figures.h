// A command of a trace as numbers that can be compared one by one: where its time went, and what was counted.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "tools/text/grid.h"
#include "traces/reader.h"

namespace sluice::diff {

inline constexpr std::size_t stamp_count = 6;    // queued ... visible, from the call on
inline constexpr std::size_t kernel_count = 17;  // whole numbers of a kernel's record
inline constexpr std::size_t first_stage = stamp_count;
inline constexpr std::size_t first_count = first_stage + stage_count;  // times before, counts from here
inline constexpr std::size_t first_kernel = first_count + 3;
inline constexpr std::size_t first_instruction = first_kernel + kernel_count;
inline constexpr std::size_t figure_count = first_instruction + instruction_classes;
inline constexpr std::size_t visible_figure = stamp_count - 1;  // the command's time, which its stages add up to

using Figures = std::array<std::uint64_t, figure_count>;

// "visible", "link", "wire_bytes_up", "l1_hit_sectors", "float32" ...
[[nodiscard]] std::string_view figure_name(std::size_t figure) noexcept;
[[nodiscard]] constexpr bool is_time(std::size_t figure) noexcept { return figure < first_count; }
[[nodiscard]] constexpr bool is_stage(std::size_t figure) noexcept {
  return figure >= first_stage && figure < first_count;
}

// What is compared for being the same, without a measure for how much it changed.
struct Attributes {
  Direction direction = Direction::none;
  Placement source = Placement::none;
  Placement target = Placement::none;
  bool blocking = false;
  std::int32_t status = 0;
  std::string_view occupancy_limit;  // static storage
  std::string_view limiter;
  bool operator==(const Attributes&) const = default;
};

struct Entry {
  CommandId id = 0;
  QueueId queue = 0;
  DeviceIndex device = 0;
  Operation op = Operation::marker;
  std::uint64_t bytes = 0;
  std::uint64_t rows = 0;
  std::string kernel;  // its name
  TimePs called = 0;
  Attributes attributes;
  Figures figures{};

  [[nodiscard]] TimePs time_ps() const { return figures[visible_figure]; }
  [[nodiscard]] TimePs visible() const { return called + figures[visible_figure]; }
  [[nodiscard]] bool is_same_kind(const Entry& other) const { return op == other.op && kernel == other.kernel; }
  [[nodiscard]] bool is_same_shape(const Entry& other) const {
    return is_same_kind(other) && bytes == other.bytes && rows == other.rows;
  }
};

void fill(Entry& entry, const trace::CommandLine& line);

// "kernel saxpy" or "write_buffer", printable whatever the trace says.
[[nodiscard]] std::string kind_name(const Entry& entry);
using text::printable;

// Entries that wait for others are kept in fewer bytes: most figures are 0.
class Packed {
 public:
  explicit Packed(const Entry& entry);
  [[nodiscard]] Entry unpack() const;

 private:
  std::string bytes_;
};

}  // namespace sluice::diff

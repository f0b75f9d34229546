// What a launch did when: sums over equal spans of time, for the trace's counters. Memory does not grow with the
// launch: when it lasts longer than the spans reach, two become one. Free of SystemC.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "sim/iface/time.h"

namespace sluice::compute {

class Timeline {
 public:
  enum Sum : std::uint8_t { wave_time, instructions, device_bytes, link_bytes, sums };
  using Sums = std::array<std::uint64_t, sums>;
  static constexpr std::size_t most_spans = 64;

  void begin(TimePs at);
  // Spreads `amounts` evenly over the time from `from` to `to`; wave_time, in picoseconds, too.
  void add(TimePs from, TimePs to, const Sums& amounts);

  // The same from `at` on.
  void move(TimePs at) noexcept { origin_ = at; }
  [[nodiscard]] TimePs origin() const noexcept { return origin_; }
  [[nodiscard]] TimePs span() const noexcept { return span_; }
  [[nodiscard]] const std::vector<Sums>& spans() const noexcept { return spans_; }

 private:
  TimePs origin_ = 0;
  TimePs span_ = 0;
  std::vector<Sums> spans_;
};

}  // namespace sluice::compute

// Which part limits a transfer: each part's time for all of its packets, were there no other part.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "sim/models/traffic.h"

namespace sluice::sim {

enum class Part : std::uint8_t {
  wire_up,
  wire_down,
  bridge_up,      // what several devices' links meet at
  bridge_down,
  peer_wire_down, // of the device that is written to
  host_memory,    // home agent at its memory's rate
  snoop,          // lines that cores' caches hold
  iommu,          // walkers
  device_memory,
  rows,           // the copy engine's work on the rows of a rectangle
  window,         // what may be outstanding: tags, completion buffer, credits, lines (`Flow::window_part`)
  latency,        // one packet's way: of transfers too short for a rate
  host_copy,      // the CPU's copies between staging buffers and the program's memory
  contention,     // other transfers
  count_,
};

class Limits {
 public:
  // A flow of the transfer, alone. `rows_ps`: the engine's work on its rows.
  void add(const Flow& flow, TimePs rows_ps);
  void add(Part part, TimePs time) { times_[static_cast<std::size_t>(part)] += time; }
  // The part that takes longest; "" if nothing was added.
  [[nodiscard]] std::string_view limiter() const;

 private:
  [[nodiscard]] TimePs& time(Part part) { return times_[static_cast<std::size_t>(part)]; }

  std::array<TimePs, static_cast<std::size_t>(Part::count_)> times_{};
  std::string_view window_part_;
  std::string_view walk_part_;
};

}  // namespace sluice::sim

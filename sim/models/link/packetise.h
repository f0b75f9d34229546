// Cuts rows of host memory into packets of one size and state; used by every kind of link.
#pragma once

#include <algorithm>
#include <vector>

#include "sim/models/link/link.h"

namespace sluice::sim {

// Calls emit(packets, bytes, state, offset) for runs of equal packets in address order. Packets are aligned to their
// size, so a row that begins off such a boundary begins with a short packet (`offset`: how far off; else 0). A row never
// shares a packet with the next one unless the rows are contiguous (the caller then passes one long row). A packet over
// lines of several states counts with the costliest.
template <class Emit>
void packetise(const LinkTransfer& t, const std::vector<cache::LineRun>& runs, std::uint32_t packet_bytes,
               std::uint32_t line_bytes, Emit emit) {
  std::size_t run = 0;
  std::uint64_t used = 0;  // lines of runs[run] already consumed
  const auto state_of = [&](std::size_t r) { return r < runs.size() ? runs[r].state : cache::LineState::memory; };
  for (std::uint64_t row = 0; row < t.rows; ++row) {
    std::uint64_t left = t.row_bytes;
    const std::uint64_t pitch = t.host_row_pitch_bytes != 0 ? t.host_row_pitch_bytes : t.row_bytes;
    std::uint32_t offset = static_cast<std::uint32_t>((t.host_address + row * pitch) % packet_bytes);
    while (left > 0) {
      const std::uint64_t lines_per_packet = std::max<std::uint64_t>(1, packet_bytes / line_bytes);
      const std::uint64_t whole = left / packet_bytes;
      const std::uint64_t run_lines = run < runs.size() ? runs[run].lines - used : left / line_bytes + 1;
      const std::uint64_t in_run = offset != 0 ? 0 : std::min(whole, run_lines / lines_per_packet);
      if (in_run > 0) {
        emit(in_run, packet_bytes, state_of(run), 0U);
        left -= in_run * packet_bytes;
        used += in_run * lines_per_packet;
      } else {
        // One packet at an end of a row or across a border between states.
        const std::uint32_t bytes = static_cast<std::uint32_t>(std::min<std::uint64_t>(left, packet_bytes - offset));
        std::uint64_t lines = (offset % line_bytes + bytes + line_bytes - 1) / line_bytes;
        cache::LineState worst = state_of(run);
        while (lines > 0 && run < runs.size()) {
          worst = std::max(worst, runs[run].state);
          const std::uint64_t take = std::min(lines, runs[run].lines - used);
          used += take;
          lines -= take;
          if (used == runs[run].lines) {
            ++run;
            used = 0;
          }
        }
        emit(1, bytes, worst, offset);
        left -= bytes;
        offset = 0;
      }
      if (run < runs.size() && used >= runs[run].lines) {
        ++run;
        used = 0;
      }
    }
  }
}

}  // namespace sluice::sim

// Launches most of whose groups do the same but for where in memory. A KernelRun that can prove it is an AlikeRun, too.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "sim/iface/kernel_engine.h"

namespace sluice {

// What they do.
struct AlikeGroups {
  GroupTrace first;                    // of the group at `at`
  std::array<std::uint64_t, 3> at{};
  // How far each of first.sectors moves from one group to the next, in bytes, by dimension. What moves by less than a
  // sector lies `offset` bytes behind the first sector's begin.
  struct Step {
    std::array<std::int64_t, 3> bytes{};
    std::uint32_t offset = 0;
  };
  std::vector<Step> steps;
  // All groups have been executed and are alike; else run_group() executes each and says whether it is.
  bool whole = false;
  // Where first.sectors lie for group `group`.
  void place(const std::array<std::uint64_t, 3>& group, std::vector<std::uint64_t>& sectors) const {
    sectors.resize(first.sectors.size());
    for (std::size_t i = 0; i < sectors.size(); ++i) {
      std::uint64_t address = first.sectors[i] * sector_bytes + steps[i].offset;
      for (std::size_t d = 0; d < 3; ++d) address += static_cast<std::uint64_t>(steps[i].bytes[d]) * (group[d] - at[d]);
      sectors[i] = address / sector_bytes;
    }
  }
};

class AlikeRun {
 public:
  virtual ~AlikeRun() = default;
  // Before the first group: executes what tells how they are alike. nullptr: that cannot be proven, and the groups are to
  // be run as ever. Valid as long as the run.
  [[nodiscard]] virtual const AlikeGroups* run_alike() = 0;
};

}  // namespace sluice

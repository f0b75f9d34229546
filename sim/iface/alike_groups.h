// Launches whose groups all do the same but for where they write. A KernelRun that can prove it is an AlikeRun, too.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "sim/iface/kernel_engine.h"

namespace sluice {

// What every group of a launch does.
struct AlikeGroups {
  GroupTrace first;  // of group 0, 0, 0
  // How far each of first.sectors moves from one group to the next, by dimension.
  std::vector<std::array<std::int64_t, 3>> steps;
};

class AlikeRun {
 public:
  virtual ~AlikeRun() = default;
  // Runs the whole launch, to the same bytes as run_group() for each of its groups. nullptr: that cannot be proven
  // beforehand, and the groups are to be run as ever. Valid as long as the run.
  [[nodiscard]] virtual const AlikeGroups* run_alike() = 0;
};

}  // namespace sluice

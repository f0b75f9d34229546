// The least time that bursts of one channel take, by counting: data on the bus, columns of a group, activations of the
// channel, and rows of each bank one after another. What `train` detail says of streams with holes.
#pragma once

#include <vector>

#include "sim/models/memory/dram_address.h"
#include "sim/models/memory/dram_rules.h"

namespace sluice::memory {

class DramBound {
 public:
  explicit DramBound(const profile::Dram& memory);
  void add(const DramPlace& place);
  [[nodiscard]] double ps() const;

 private:
  struct Bank {
    bool open = false;
    std::uint64_t row = 0;
    std::uint64_t activations = 0;
  };

  [[nodiscard]] double columns_ps() const;

  DramRules rules_;
  std::uint64_t window_;  // bursts that the controller puts in order
  std::vector<Bank> banks_;
  std::vector<std::uint64_t> groups_;  // bursts of each in this window
  std::uint64_t in_window_ = 0;
  double done_ps_ = 0;                 // column commands of the windows before
  std::uint64_t activations_ = 0;
};

}  // namespace sluice::memory

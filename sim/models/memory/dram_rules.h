// The times between the commands of one channel of DRAM, with what the profile leaves out filled in. All in ps.
#pragma once

#include <cstdint>

#include "sim/profile/profile.h"

namespace sluice::memory {

struct DramRules {
  explicit DramRules(const profile::Dram& memory);

  // Share of time that refresh leaves to a stream. One of a single bank is made where no burst waits.
  [[nodiscard]] double refreshed() const noexcept;

  std::uint32_t banks = 0;
  std::uint32_t banks_per_group = 0;
  std::uint32_t burst_bytes = 0;
  TimePs burst = 0;         // a burst's data on the bus
  TimePs tck = 0;           // between commands on the same pins
  TimePs trcd = 0;          // activate to read ...
  TimePs trcd_write = 0;    // ... and to write
  TimePs trp = 0;
  TimePs tras = 0;
  TimePs trc = 0;
  TimePs trrd = 0;          // activations, of different groups ...
  TimePs trrd_l = 0;        // ... and of one
  TimePs tfaw = 0;
  TimePs column = 0;        // reads, or writes, of different groups: tCCD_S, or a burst where that is longer
  TimePs column_l = 0;      // reads of one group
  TimePs column_l_write = 0;
  TimePs tcl = 0;
  TimePs tcwl = 0;
  TimePs trtw = 0;          // read command to write command
  TimePs write_to_read = 0;    // write command to read command: tCWL, the data, tWTR_S
  TimePs write_to_read_l = 0;
  TimePs trtp = 0;
  TimePs write_to_precharge = 0;  // write command to precharge: tCWL, the data, tWR
  TimePs trefi = 0;         // between refreshes: of all banks, or of one bank and the next
  TimePs trfc = 0;          // refresh of all, or of one bank
  bool per_bank = false;
};

}  // namespace sluice::memory

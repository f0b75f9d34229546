// One channel of DRAM burst by burst: banks with open rows, first come first served, commands as early as the timings
// allow. The yardstick of DramMemory's closed form; too slow to carry transfers. All times in ps.
//
// Simplifications: the command bus is never the limit; write data follow their command by tCL, as read data do
// (profiles have no CWL); tWTR runs from the end of write data to the read command, tRTW from read to write command;
// refresh is
// of all banks, every tREFI: rows are closed (tRP), tRFC passes, rows are opened anew.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "sim/models/memory/dram_memory.h"
#include "sim/profile/profile.h"

namespace sluice::memory {

enum class DramCommand : std::uint8_t { activate, precharge, read, write };

// Bytes of one burst: 32, or 64 where tCCD asks for it (DDR4, DDR5): the standards choose tCCD_S as a burst's time.
[[nodiscard]] std::uint32_t burst_bytes(const profile::DeviceMemory& memory) noexcept;
// Time of one burst's data on the bus, and between column commands: tCCD where that is longer.
[[nodiscard]] TimePs burst_ps(const profile::DeviceMemory& memory) noexcept;
[[nodiscard]] TimePs column_ps(const profile::DeviceMemory& memory) noexcept;

class DramChannel {
 public:
  explicit DramChannel(const profile::DeviceMemory& memory);

  // One burst at `address` of the channel's own bytes; rows follow each other over the banks. Returns when its data
  // have passed the bus.
  TimePs access(Access access, std::uint64_t address, TimePs arrival_ps = 0);

  // Earliest time at which a command may be given to a bank, refresh included; it must suit the bank's state.
  [[nodiscard]] TimePs ready_at(DramCommand command, std::uint32_t bank) const;
  [[nodiscard]] bool ready(DramCommand command, std::uint32_t bank, TimePs at) const {
    return at >= ready_at(command, bank);
  }
  // Gives a command; `at` must not be before ready_at().
  void issue(DramCommand command, std::uint32_t bank, std::uint64_t row, TimePs at);
  [[nodiscard]] std::uint64_t activations() const noexcept { return activations_; }

 private:
  struct Bank {
    bool open = false;
    std::uint64_t row = 0;
    TimePs activated = 0;
    TimePs precharge_ready = 0;
    TimePs activate_ready = 0;
  };

  [[nodiscard]] std::uint64_t epoch(TimePs at) const;
  [[nodiscard]] TimePs after_refresh(TimePs at) const;
  [[nodiscard]] TimePs column_ready(DramCommand command) const;

  profile::DeviceMemory memory_;
  TimePs burst_;
  TimePs column_;
  std::vector<Bank> banks_;
  std::array<TimePs, 4> activates_{};  // times of the last four, for tFAW
  std::uint64_t activations_ = 0;
  bool any_column_ = false;
  bool last_write_ = false;
  TimePs last_column_ = 0;
};

}  // namespace sluice::memory

// The banks of one channel of DRAM, with the data bus that they share: which command may be given when. Commands are
// given as early as the rules allow, at any ps: the rules of real parts are whole clocks.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "sim/models/memory/dram_rules.h"

namespace sluice::memory {

// precharge_all and refresh_all are of the whole channel, and refresh_bank of one bank.
enum class DramCommand : std::uint8_t { activate, precharge, read, write, precharge_all, refresh_all, refresh_bank };

// What a command has to wait for.
enum class DramLimit : std::uint8_t {
  nothing,       // there is no work
  bus,           // the data of other bursts
  bank_group,    // tCCD_L, tRRD_L
  turnaround,    // between reads and writes
  bank,          // a row of the same bank is opened or closed
  activation,    // tRRD, tFAW
  refresh,
  command_bus,
  count_,
};
inline constexpr std::size_t dram_limits = static_cast<std::size_t>(DramLimit::count_);
[[nodiscard]] std::string_view to_string(DramLimit limit) noexcept;

struct DramReady {
  TimePs at = 0;
  DramLimit limit = DramLimit::nothing;
  void after(TimePs time, DramLimit why) noexcept {
    if (time > at) *this = {time, why};
  }
};

class DramBanks {
 public:
  explicit DramBanks(const DramRules& rules);

  // Earliest time at which a command may be given; it must suit the state of its bank.
  [[nodiscard]] DramReady ready(DramCommand command, std::uint32_t bank = 0) const;
  // Gives a command, not before it is ready. `held_up`: what it waited for.
  void issue(DramCommand command, std::uint32_t bank, std::uint64_t row, TimePs at,
             DramLimit held_up = DramLimit::nothing);

  [[nodiscard]] bool open(std::uint32_t bank) const { return banks_[bank].open; }
  [[nodiscard]] std::uint64_t row(std::uint32_t bank) const { return banks_[bank].row; }
  [[nodiscard]] std::uint32_t open_banks() const noexcept { return open_banks_; }

 private:
  struct Bank {
    bool open = false;
    std::uint64_t row = 0;
    TimePs read = 0;  // from when on a command may come, as far as the bank is concerned
    TimePs write = 0;
    TimePs precharge = 0;
    TimePs activate = 0;
    DramLimit opened = DramLimit::bank;  // what held up the row's activation ...
    DramLimit closed = DramLimit::bank;  // ... and what the next one waits for
  };
  struct Group {
    TimePs read = 0, write = 0, activate = 0, read_after_write = 0;
  };

  void close(Bank& bank, TimePs at);

  DramRules rules_;
  std::vector<Bank> banks_;
  std::vector<Group> groups_;
  std::uint32_t open_banks_ = 0;
  TimePs read_ = 0, write_ = 0;  // the data bus
  TimePs read_after_write_ = 0, write_after_read_ = 0;
  TimePs activate_ = 0;          // tRRD
  std::array<TimePs, 4> activations_{};  // from when on the window lets another one through
  std::size_t activation_ = 0;
};

}  // namespace sluice::memory

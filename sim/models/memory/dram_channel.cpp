#include "sim/models/memory/dram_channel.h"

#include <algorithm>
#include <cmath>

namespace sluice::memory {

namespace {

double bytes_ps(const profile::DeviceMemory& memory, std::uint32_t bytes) {
  return bytes * 1000.0 / (memory.bus_bits / 8.0 * memory.gigatransfers_per_s);
}

}  // namespace

std::uint32_t burst_bytes(const profile::DeviceMemory& memory) noexcept {
  constexpr std::uint32_t sector = 32;
  return static_cast<double>(memory.timings.tccd_ps) > 1.5 * bytes_ps(memory, sector) ? 2 * sector : sector;
}

TimePs burst_ps(const profile::DeviceMemory& memory) noexcept {
  return static_cast<TimePs>(std::llround(bytes_ps(memory, burst_bytes(memory))));
}

TimePs column_ps(const profile::DeviceMemory& memory) noexcept {
  return std::max(burst_ps(memory), memory.timings.tccd_ps);
}

DramChannel::DramChannel(const profile::DeviceMemory& memory)
    : memory_(memory), burst_(burst_ps(memory)), column_(column_ps(memory)), banks_(std::max(1U, memory.banks)) {}

std::uint64_t DramChannel::epoch(TimePs at) const {
  return memory_.timings.trefi_ps == 0 ? 0 : at / memory_.timings.trefi_ps;
}

TimePs DramChannel::after_refresh(TimePs at) const {
  const std::uint64_t k = epoch(at);
  if (k == 0) return at;
  return std::max(at, k * memory_.timings.trefi_ps + memory_.timings.trp_ps + memory_.timings.trfc_ps);
}

TimePs DramChannel::column_ready(DramCommand command) const {
  if (!any_column_) return 0;
  const profile::DramTimings& t = memory_.timings;
  const TimePs next = last_column_ + column_;
  if (command == DramCommand::read && last_write_) {
    return std::max(next, last_column_ + t.tcl_ps + burst_ + t.twtr_ps);
  }
  if (command == DramCommand::write && !last_write_) return std::max(next, last_column_ + t.trtw_ps);
  return next;
}

TimePs DramChannel::ready_at(DramCommand command, std::uint32_t bank) const {
  const profile::DramTimings& t = memory_.timings;
  const Bank& b = banks_[bank];
  TimePs at = 0;
  switch (command) {
    case DramCommand::activate:
      at = b.activate_ready;
      if (activations_ > 0) at = std::max(at, activates_[(activations_ - 1) % 4] + t.trrd_ps);
      if (activations_ >= 4) at = std::max(at, activates_[activations_ % 4] + t.tfaw_ps);
      break;
    case DramCommand::precharge: at = b.precharge_ready; break;
    case DramCommand::read:
    case DramCommand::write: at = std::max(column_ready(command), b.activated + t.trcd_ps); break;
  }
  return after_refresh(at);
}

void DramChannel::issue(DramCommand command, std::uint32_t bank, std::uint64_t row, TimePs at) {
  const profile::DramTimings& t = memory_.timings;
  Bank& b = banks_[bank];
  switch (command) {
    case DramCommand::activate:
      b.open = true;
      b.row = row;
      b.activated = at;
      b.precharge_ready = at + t.tras_ps;
      activates_[activations_++ % 4] = at;
      break;
    case DramCommand::precharge:
      b.open = false;
      b.activate_ready = at + t.trp_ps;
      break;
    case DramCommand::read:
    case DramCommand::write:
      any_column_ = true;
      last_write_ = command == DramCommand::write;
      last_column_ = at;
      b.precharge_ready = std::max(b.precharge_ready, at + burst_ + (last_write_ ? t.tcl_ps : 0));
      break;
  }
}

TimePs DramChannel::access(Access access, std::uint64_t address, TimePs arrival_ps) {
  const std::uint64_t index = address / memory_.row_bytes;
  const std::uint32_t bank = static_cast<std::uint32_t>(index % banks_.size());
  const std::uint64_t row = index / banks_.size();
  const DramCommand command = access == Access::read ? DramCommand::read : DramCommand::write;
  Bank& b = banks_[bank];
  const auto open_row = [&](TimePs from) {
    if (b.open) {
      const TimePs at = std::max(ready_at(DramCommand::precharge, bank), from);
      issue(DramCommand::precharge, bank, row, after_refresh(at));
    }
    issue(DramCommand::activate, bank, row,
          after_refresh(std::max(ready_at(DramCommand::activate, bank), from)));
  };
  if (!b.open || b.row != row) open_row(arrival_ps);
  TimePs at = after_refresh(std::max(ready_at(command, bank), arrival_ps));
  while (epoch(at) != epoch(b.activated)) {
    // A refresh has closed the row in between, and its precharge is part of the refresh.
    b.open = false;
    b.activate_ready = at;
    open_row(epoch(at) * memory_.timings.trefi_ps);
    at = after_refresh(std::max(ready_at(command, bank), arrival_ps));
  }
  issue(command, bank, row, at);
  return at + memory_.timings.tcl_ps + burst_;
}

}  // namespace sluice::memory

#include "sim/models/memory/dram_banks.h"

#include <algorithm>

namespace sluice::memory {

std::string_view to_string(DramLimit limit) noexcept {
  switch (limit) {
    case DramLimit::nothing: return "nothing";
    case DramLimit::bus: return "bus";
    case DramLimit::bank_group: return "bank_group";
    case DramLimit::turnaround: return "turnaround";
    case DramLimit::bank: return "bank";
    case DramLimit::activation: return "activation";
    case DramLimit::refresh: return "refresh";
    case DramLimit::command_bus: return "command_bus";
    case DramLimit::count_: break;
  }
  return "?";
}

DramBanks::DramBanks(const DramRules& rules)
    : rules_(rules), banks_(rules.banks), groups_((rules.banks + rules.banks_per_group - 1) / rules.banks_per_group) {}

DramReady DramBanks::ready(DramCommand command, std::uint32_t bank) const {
  const Bank& b = banks_[bank];
  const Group& g = groups_[bank / rules_.banks_per_group];
  DramReady r;
  switch (command) {
    case DramCommand::activate:
      r = {b.activate, b.closed};
      r.after(g.activate, DramLimit::bank_group);
      r.after(activate_, DramLimit::activation);
      r.after(activations_[activation_], DramLimit::activation);
      break;
    case DramCommand::precharge: r = {b.precharge, DramLimit::bank}; break;
    case DramCommand::read:
      r = {b.read, b.opened};
      r.after(g.read, DramLimit::bank_group);
      r.after(read_, DramLimit::bus);
      r.after(g.read_after_write, DramLimit::turnaround);
      r.after(read_after_write_, DramLimit::turnaround);
      break;
    case DramCommand::write:
      r = {b.write, b.opened};
      r.after(g.write, DramLimit::bank_group);
      r.after(write_, DramLimit::bus);
      r.after(write_after_read_, DramLimit::turnaround);
      break;
    case DramCommand::precharge_all:
      // Of closed ones, too: they may be about to close themselves.
      for (const Bank& each : banks_) r.after(each.precharge, DramLimit::bank);
      break;
    case DramCommand::refresh_all:
      for (const Bank& each : banks_) r.after(each.activate, each.closed);
      break;
    case DramCommand::refresh_bank: r = {b.activate, b.closed}; break;
  }
  return r;
}

void DramBanks::close(Bank& bank, TimePs at) {
  if (!bank.open) return;
  bank.open = false;
  bank.activate = std::max(bank.activate, at + rules_.trp);
  bank.closed = DramLimit::bank;
  --open_banks_;
}

void DramBanks::issue(DramCommand command, std::uint32_t bank, std::uint64_t row, TimePs at, DramLimit held_up) {
  const DramRules& t = rules_;
  Bank& b = banks_[bank];
  Group& g = groups_[bank / t.banks_per_group];
  switch (command) {
    case DramCommand::activate:
      b = {true, row, at + t.trcd, at + t.trcd_write, at + t.tras, at + t.trc, DramLimit::bank, DramLimit::bank};
      if (held_up != DramLimit::nothing) b.opened = held_up;
      ++open_banks_;
      activate_ = at + t.trrd;
      g.activate = at + t.trrd_l;
      activations_[activation_] = at + t.tfaw;
      activation_ = (activation_ + 1) % activations_.size();
      break;
    case DramCommand::precharge: close(b, at); break;
    case DramCommand::read:
      read_ = at + t.column;
      g.read = at + t.column_l;
      write_after_read_ = at + t.trtw;
      b.precharge = std::max(b.precharge, at + t.trtp);
      b.opened = DramLimit::bank;
      break;
    case DramCommand::write:
      write_ = at + t.column;
      g.write = at + t.column_l_write;
      read_after_write_ = at + t.write_to_read;
      g.read_after_write = at + t.write_to_read_l;
      b.precharge = std::max(b.precharge, at + t.write_to_precharge);
      b.opened = DramLimit::bank;
      break;
    case DramCommand::precharge_all:
      for (Bank& each : banks_) close(each, at);
      break;
    case DramCommand::refresh_all:
      for (Bank& each : banks_) {
        each.activate = at + t.trfc;
        each.closed = DramLimit::refresh;
      }
      break;
    case DramCommand::refresh_bank:
      b.activate = at + t.trfc;
      b.closed = DramLimit::refresh;
      break;
  }
}

}  // namespace sluice::memory

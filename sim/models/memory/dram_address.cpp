#include "sim/models/memory/dram_address.h"

#include <algorithm>

namespace sluice::memory {

DramAddress::DramAddress(const profile::Dram& m)
    : channels_(std::max(1U, m.channels)),
      interleave_(m.interleave_bytes),
      burst_(m.burst_bytes()),
      groups_(std::max(1U, m.bank_groups)),
      banks_per_group_(std::max(1U, m.banks / groups_)),
      hash_(m.bank_hash) {
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    Part& p = parts_[parts_.size() - 1 - i];
    p.field = m.address_order[i];
    switch (p.field) {
      case profile::DramField::row: p.size = m.rows; break;
      case profile::DramField::bank: p.size = banks_per_group_; break;
      case profile::DramField::bank_group: p.size = groups_; break;
      case profile::DramField::column: p.size = std::max(1U, m.row_bytes / burst_); break;
    }
  }
}

DramPlace DramAddress::place(std::uint64_t address) const {
  const std::uint64_t piece = address / interleave_;
  DramPlace p = place_in_channel((piece / channels_ * interleave_ + address % interleave_) / burst_);
  p.channel = static_cast<std::uint32_t>(piece % channels_);
  return p;
}

DramPlace DramAddress::place_in_channel(std::uint64_t burst) const {
  DramPlace p;
  std::uint64_t group = 0;
  std::uint64_t bank = 0;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    // Rows that come last never end; the memory's size is not known here. Banks do, and begin again.
    const bool endless = i + 1 == parts_.size() && parts_[i].field == profile::DramField::row;
    const std::uint64_t part = endless ? burst : burst % parts_[i].size;
    burst /= parts_[i].size;
    switch (parts_[i].field) {
      case profile::DramField::row: p.row = part; break;
      case profile::DramField::bank: bank = part; break;
      case profile::DramField::bank_group: group = part; break;
      case profile::DramField::column: p.column = static_cast<std::uint32_t>(part); break;
    }
  }
  if (hash_) {
    bank ^= p.row % banks_per_group_;
    group ^= p.row / banks_per_group_ % groups_;
  }
  p.bank = static_cast<std::uint32_t>(group * banks_per_group_ + bank);
  return p;
}

DramWalk::DramWalk(const profile::Dram& m, const std::vector<DramPart>& parts)
    : parts_(parts), row_(std::uint64_t{m.channels} * m.burst_bytes()) {
  std::uint64_t bytes = 0;
  for (const DramPart& p : parts) bytes += p.bytes;
  bursts_ = share(bytes);
}

std::uint64_t DramWalk::next() {
  while (in_part_ >= parts_[part_].bytes && part_ + 1 < parts_.size()) in_part_ -= parts_[part_++].bytes;
  const DramPart& p = parts_[part_];
  const std::uint64_t span = p.end - p.begin;
  const auto hole = static_cast<double>(span) / static_cast<double>(std::max<std::uint64_t>(1, p.bytes));
  const std::uint64_t in = span == p.bytes ? in_part_ : static_cast<std::uint64_t>(static_cast<double>(in_part_) * hole);
  in_part_ += row_;
  return (p.begin + in) / row_;
}

}  // namespace sluice::memory

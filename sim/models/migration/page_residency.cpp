#include "sim/models/migration/page_residency.h"

#include <algorithm>
#include <bit>

namespace sluice::migration {

namespace {

constexpr std::uint64_t bits(std::uint32_t first, std::uint32_t count) {
  return (count >= 64 ? ~0ULL : (1ULL << count) - 1) << first;
}

}  // namespace

PageResidency::PageResidency(const profile::Migration& profile, std::uint64_t capacity_bytes)
    : profile_(profile),
      capacity_bytes_(capacity_bytes),
      block_leaves_(static_cast<std::uint32_t>(profile.block_bytes / profile.leaf_bytes)) {}

void PageResidency::add(std::uint64_t address, std::uint64_t bytes) {
  remove(address);
  Allocation& a = allocations_[address];
  a.bytes = bytes;
  a.blocks.resize((bytes + profile_.block_bytes - 1) / profile_.block_bytes);
}

void PageResidency::remove(std::uint64_t address) {
  const auto it = allocations_.find(address);
  if (it == allocations_.end()) return;
  for (std::size_t i = 0; i < it->second.blocks.size(); ++i) {
    const Block& b = it->second.blocks[i];
    by_age_.erase(b.age);
    resident_bytes_ -= bytes_of(it->second, i, b.on_device);
  }
  allocations_.erase(it);
}

PageResidency::Allocations::const_iterator PageResidency::find(std::uint64_t address) const {
  auto it = allocations_.upper_bound(address);
  if (it == allocations_.begin()) return allocations_.end();
  --it;
  return address - it->first < it->second.bytes ? it : allocations_.end();
}

bool PageResidency::covers(std::uint64_t address) const { return find(address) != allocations_.end(); }

PageResidency::Place PageResidency::place_of(std::uint64_t address) {
  const auto found = find(address);
  if (found == allocations_.end()) return {};
  const std::uint64_t offset = address - found->first;
  return {&*allocations_.find(found->first), offset / profile_.block_bytes,
          static_cast<std::uint32_t>(offset % profile_.block_bytes / profile_.leaf_bytes)};
}

PageResidency::Leaves PageResidency::leaves_of(const Allocation& a, std::size_t block) const {
  const std::uint64_t left = a.bytes - block * profile_.block_bytes;
  const std::uint64_t leaves = (std::min(left, profile_.block_bytes) + profile_.leaf_bytes - 1) / profile_.leaf_bytes;
  return bits(0, static_cast<std::uint32_t>(leaves));
}

std::uint64_t PageResidency::bytes_of(const Allocation& a, std::size_t block, Leaves leaves) const {
  std::uint64_t bytes = static_cast<std::uint64_t>(std::popcount(leaves)) * profile_.leaf_bytes;
  // The allocation's last leaf has whole pages, as many as there are.
  const std::uint64_t end = (a.bytes + profile_.page_bytes - 1) / profile_.page_bytes * profile_.page_bytes;
  const std::uint64_t over = end % profile_.leaf_bytes;
  const std::uint64_t last = (a.bytes - 1) / profile_.leaf_bytes;
  if (over != 0 && last / block_leaves_ == block && (leaves >> (last % block_leaves_) & 1U) != 0) {
    bytes -= profile_.leaf_bytes - over;
  }
  return bytes;
}

PageResidency::Leaves PageResidency::with_prefetch(Leaves there, Leaves touched, Leaves all) const {
  const Leaves dense = there | touched;
  Leaves wanted = touched;
  for (std::uint32_t size = 2; size <= block_leaves_; size *= 2) {
    for (std::uint32_t first = 0; first < block_leaves_; first += size) {
      const Leaves node = bits(first, size) & all;
      if ((node & touched) == 0) continue;
      const auto has = static_cast<std::uint64_t>(std::popcount(dense & node));
      if (has * 100 > static_cast<std::uint64_t>(std::popcount(node)) * profile_.prefetch_percent) wanted |= node;
    }
  }
  return wanted & ~there;
}

std::uint64_t PageResidency::bring(const BlockKey& key, Leaves leaves, bool contents, sim::PageMoves& moves) {
  Allocation& a = allocations_.find(key.first)->second;
  Block& b = a.blocks[key.second];
  leaves &= ~b.on_device;
  if (leaves == 0) return 0;
  by_age_.erase(b.age);
  b.age = ++now_;
  by_age_[b.age] = key;
  b.on_device |= leaves;
  const std::uint64_t bytes = bytes_of(a, key.second, leaves);
  resident_bytes_ += bytes;
  make_room(key, moves);
  if (!contents) return 0;
  if (moves.to_device_bytes == 0) {
    moves.first_to_device = key.first + key.second * profile_.block_bytes +
                            static_cast<std::uint64_t>(std::countr_zero(leaves)) * profile_.leaf_bytes;
  }
  moves.to_device_bytes += bytes;
  totals_.to_device_bytes += bytes;
  return bytes;
}

std::uint64_t PageResidency::send_back(const BlockKey& key, Leaves leaves, bool contents, sim::PageMoves& moves) {
  Allocation& a = allocations_.find(key.first)->second;
  Block& b = a.blocks[key.second];
  leaves &= b.on_device;
  if (leaves == 0) return 0;
  const std::uint64_t bytes = bytes_of(a, key.second, leaves);
  b.on_device &= ~leaves;
  resident_bytes_ -= bytes;
  if (b.on_device == 0) {
    by_age_.erase(b.age);
    b.age = 0;
  }
  if (!contents) return 0;
  if (moves.to_host_bytes == 0) {
    moves.first_to_host = key.first + key.second * profile_.block_bytes +
                          static_cast<std::uint64_t>(std::countr_zero(leaves)) * profile_.leaf_bytes;
  }
  moves.to_host_bytes += bytes;
  totals_.to_host_bytes += bytes;
  return bytes;
}

void PageResidency::make_room(const BlockKey& keep, sim::PageMoves& moves) {
  while (resident_bytes_ > capacity_bytes_) {
    auto oldest = by_age_.begin();
    if (oldest != by_age_.end() && oldest->second == keep) ++oldest;
    if (oldest == by_age_.end()) return;  // one block is more than there is room for
    totals_.evicted_bytes += send_back(BlockKey(oldest->second), ~0ULL, true, moves);
  }
}

// One batch: the pages' leaves, and what is dense around them, come to the device block by block.
void PageResidency::serve(const std::vector<std::uint64_t>& faults, sim::PageMoves& moves) {
  sim::FaultBatch batch;
  batch.faults = faults.size();
  const std::uint64_t back = moves.to_host_bytes;
  std::vector<std::pair<BlockKey, Leaves>> touched;  // in order of their first faults
  for (const std::uint64_t page : faults) {
    const Place p = place_of(page);
    if (p.allocation == nullptr) {
      if (moves.to_device_bytes == 0) moves.first_to_device = page;
      ++batch.blocks;
      batch.bytes += profile_.page_bytes;
      moves.to_device_bytes += profile_.page_bytes;
      totals_.to_device_bytes += profile_.page_bytes;
      continue;
    }
    const BlockKey key{p.allocation->first, p.block};
    auto at = std::find_if(touched.rbegin(), touched.rend(), [&](const auto& t) { return t.first == key; });
    if (at == touched.rend()) {
      touched.emplace_back(key, 0);
      at = touched.rbegin();
    }
    at->second |= 1ULL << p.leaf;
  }
  for (const auto& [key, leaves] : touched) {
    const Allocation& a = allocations_.find(key.first)->second;
    const Leaves wanted = with_prefetch(a.blocks[key.second].on_device, leaves, leaves_of(a, key.second));
    batch.bytes += bring(key, wanted, true, moves);
  }
  batch.blocks += touched.size();
  batch.evicted_bytes = moves.to_host_bytes - back;
  // Batches that come while the driver is at work are served before it looks for the next interrupt.
  const bool first = moves.batches.size() % profile_.batches_per_service == 0;
  batch.handling_ps = (first ? profile_.fault_ps : 0) + profile_.batch_ps + batch.blocks * profile_.block_ps;
  moves.faults += batch.faults;
  moves.handling_ps += batch.handling_ps;
  totals_.faults += batch.faults;
  ++totals_.batches;
  moves.batches.push_back(batch);
}

sim::PageMoves PageResidency::device_faults(std::span<const std::uint64_t> pages) {
  sim::PageMoves moves;
  std::vector<std::uint64_t> faults;
  faults.reserve(profile_.batch_faults);
  for (const std::uint64_t page : pages) {
    const Place p = place_of(page);
    if (p.allocation != nullptr && (p.allocation->second.blocks[p.block].on_device >> p.leaf & 1U) != 0) continue;
    faults.push_back(page);
    if (faults.size() < profile_.batch_faults) continue;
    serve(faults, moves);
    faults.clear();
  }
  if (!faults.empty()) serve(faults, moves);
  return moves;
}

// Calls each(block's key, the allocation, leaves of it that the range touches).
template <class Each>
void PageResidency::for_leaves(std::uint64_t address, std::uint64_t bytes, Each each) {
  const Place p = place_of(address);
  if (p.allocation == nullptr || bytes == 0) return;
  auto& [base, a] = *p.allocation;
  const std::uint64_t first = (address - base) / profile_.leaf_bytes;
  const std::uint64_t last = (std::min(address - base + bytes, a.bytes) - 1) / profile_.leaf_bytes;
  for (std::uint64_t leaf = first; leaf <= last;) {
    const std::uint64_t block = leaf / block_leaves_;
    const std::uint64_t end = std::min(last + 1, (block + 1) * block_leaves_);
    each(BlockKey(base, block), a,
         bits(static_cast<std::uint32_t>(leaf % block_leaves_), static_cast<std::uint32_t>(end - leaf)));
    leaf = end;
  }
}

sim::PageMoves PageResidency::host_faults(std::uint64_t address, std::uint64_t bytes) {
  sim::PageMoves moves;
  for_leaves(address, bytes, [&](const BlockKey& key, Allocation& a, Leaves touched) {
    const Leaves all = leaves_of(a, key.second);
    while ((touched & a.blocks[key.second].on_device) != 0) {
      const Leaves next = touched & a.blocks[key.second].on_device;
      const Leaves one = next & ~(next - 1);
      ++moves.faults;
      send_back(key, with_prefetch(all & ~a.blocks[key.second].on_device, one, all), true, moves);
    }
  });
  moves.handling_ps = moves.faults * profile_.host_fault_ps;
  totals_.host_faults += moves.faults;
  return moves;
}

sim::PageMoves PageResidency::move(std::uint64_t address, std::uint64_t bytes, bool to_device, bool contents) {
  sim::PageMoves moves;
  for_leaves(address, bytes, [&](const BlockKey& key, Allocation&, Leaves touched) {
    if (to_device) {
      bring(key, touched, contents, moves);
    } else {
      send_back(key, touched, contents, moves);
    }
  });
  return moves;
}

}  // namespace sluice::migration

#include "sim/exec/wave_merge.h"

namespace sluice::exec {
namespace {

constexpr std::uint32_t none = ~std::uint32_t{0};

AccessKind kind_of(SiteKind kind) {
  switch (kind) {
    case SiteKind::store:
      return AccessKind::store;
    case SiteKind::atomic:
      return AccessKind::atomic;
    case SiteKind::barrier:
      return AccessKind::barrier;
    default:
      return AccessKind::load;
  }
}

MemorySpace space_of(SiteSpace space) {
  switch (space) {
    case SiteSpace::constant:
      return MemorySpace::constant;
    case SiteSpace::local:
      return MemorySpace::local;
    case SiteSpace::image:
      return MemorySpace::image;
    default:
      return MemorySpace::global;
  }
}

}  // namespace

std::uint64_t WaveMerge::run(std::span<const std::span<const LogEntry>> lanes, const std::vector<Site>& sites,
                             const GroupMemory& memory, std::vector<WaveAccess>& accesses,
                             std::vector<std::uint64_t>& sectors) {
  const std::size_t n = lanes.size();
  for (std::size_t i = 0; i < n; ++i) {
    at_[i] = lanes[i].data();
    next_[i] = lanes[i].empty() ? none : at_[i]->site;
    issued_[i] = 0;
  }
  std::uint64_t total = 0;
  pending_ = 0;
  for (;;) {
    std::uint32_t site = none;
    for (std::size_t i = 0; i < n; ++i) site = std::min(site, next_[i]);
    if (site == none) return total;

    lanes_.count = 0;
    std::uint32_t most = 0;
    for (std::size_t i = 0; i < n; ++i) {
      if (next_[i] != site) continue;
      const LogEntry& entry = *at_[i]++;
      lanes_.addresses[lanes_.count++] = entry.address;
      most = std::max(most, entry.issued - issued_[i]);
      issued_[i] = entry.issued;
      next_[i] = at_[i] == lanes[i].data() + lanes[i].size() ? none : at_[i]->site;
    }
    total += most;
    pending_ += most;
    const Site& what = sites[site];
    if (what.kind == SiteKind::marker || what.kind == SiteKind::wait || what.kind == SiteKind::finish) continue;
    if (what.space == SiteSpace::generic && what.kind != SiteKind::barrier) {
      split(site, what, memory, accesses, sectors);
    } else {
      record(site, what, space_of(what.space), lanes_, accesses, sectors);
    }
  }
}

// Lanes of one instruction may hold generic pointers to different memories. Private memory is not traced.
void WaveMerge::split(std::uint32_t number, const Site& site, const GroupMemory& memory,
                      std::vector<WaveAccess>& accesses, std::vector<std::uint64_t>& sectors) {
  global_.count = local_.count = 0;
  for (std::size_t i = 0; i < lanes_.count; ++i) {
    const std::uint64_t address = lanes_.addresses[i];
    if (memory.private_memory.holds(address)) continue;
    Batch& batch = memory.local.holds(address) ? local_ : global_;
    batch.addresses[batch.count++] = address;
  }
  if (global_.count != 0) record(number, site, MemorySpace::global, global_, accesses, sectors);
  if (local_.count != 0) record(number, site, MemorySpace::local, local_, accesses, sectors);
}

void WaveMerge::record(std::uint32_t number, const Site& site, MemorySpace space, const Batch& batch,
                       std::vector<WaveAccess>& accesses, std::vector<std::uint64_t>& sectors) {
  WaveAccess access;
  access.site = number;
  access.kind = kind_of(site.kind);
  access.space = space;
  access.lanes = static_cast<std::uint16_t>(batch.count);
  access.bytes = site.bytes;
  access.issued = pending_;
  pending_ = 0;
  const std::span<const std::uint64_t> addresses(batch.addresses.data(), batch.count);
  if (site.kind == SiteKind::barrier) {
    access.space = MemorySpace::local;
  } else if (space == MemorySpace::local) {
    access.sectors = bank_conflicts(addresses, site.bytes, site.kind == SiteKind::atomic, *seen_);
  } else {
    access.first_sector = static_cast<std::uint32_t>(sectors.size());
    access.sectors = coalesce(addresses, site.bytes, *seen_, sectors);
  }
  accesses.push_back(access);
}

}  // namespace sluice::exec

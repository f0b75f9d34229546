#include "sim/models/compute/memory_side.h"

#include <algorithm>
#include <bit>

namespace sluice::compute {

namespace {

// Of more the last-level cache is searched.
constexpr std::size_t most_host_lines = 4096;
constexpr std::uint64_t page_sectors = 4096 / sector_bytes;
// Simulated place of what is in no range (program-scope variables, say): above all that is handed out.
constexpr std::uint64_t strays = (1ULL << 46) / sector_bytes;

// Calls run(sectors) for each run of neighbours in `mask`.
template <class Run>
void for_runs(std::uint32_t mask, Run run) {
  while (mask != 0) {
    mask >>= std::countr_zero(mask);
    const auto n = static_cast<std::uint32_t>(std::countr_one(mask));
    run(n);
    mask = n >= 32 ? 0 : mask >> n;
  }
}

}  // namespace

void Traffic::add(const Traffic& o) {
  level = std::max(level, o.level);
  lines += o.lines;
  sectors += o.sectors;
  l1_hits += o.l1_hits;
  l2_hits += o.l2_hits;
  l2_sectors += o.l2_sectors;
  atomic_sectors += o.atomic_sectors;
  device_read += o.device_read;
  device_written += o.device_written;
  if (o.level != Level::host) return;
  for (std::size_t i = 0; i < host_reads.size(); ++i)
    host_reads[i] += o.host_reads[i], host_writes[i] += o.host_writes[i];
  host_partial_writes += o.host_partial_writes;
  for (std::size_t i = 0; i < host_atomics.size(); ++i) host_atomics[i] += o.host_atomics[i];
}

void Traffic::reset() {
  if (level == Level::host) {
    *this = {};
    return;
  }
  level = Level::none;
  lines = sectors = l1_hits = l2_hits = l2_sectors = atomic_sectors = device_read = device_written = 0;
}

bool Traffic::crosses_link() const {
  std::uint64_t n = host_partial_writes;
  for (std::size_t i = 0; i < host_reads.size(); ++i) n += host_reads[i] + host_writes[i];
  for (const std::uint64_t atomics : host_atomics) n += atomics;
  return n != 0;
}

MemorySide::MemorySide(const profile::Profile& profile, const Rates& rates)
    : profile_(profile),
      line_sectors_(rates.line_sectors),
      line_shift_(static_cast<unsigned>(std::countr_zero(rates.line_sectors))),
      routes_atomics_(rates.routes_atomics),
      tags_(SectorCache::tag_bytes(profile.device_cache.capacity_bytes, profile.device_cache.line_bytes) +
            SectorCache::tag_bytes(profile.compute.l1_bytes, profile.device_cache.line_bytes) *
                profile.machine.device.compute_units),
      l2_(profile.device_cache.capacity_bytes, profile.device_cache.line_bytes, tags_) {
  for (std::uint64_t i = 0; i < profile.machine.device.compute_units; ++i)
    l1_.emplace_back(profile.compute.l1_bytes, profile.device_cache.line_bytes, tags_);
}

void MemorySide::begin(const MemoryMap* map, std::uint64_t local_bytes, const sim::Migration* migration,
                       bool system_memory) {
  catch_up();
  known_ = false;
  if (host_lines_.size() == most_host_lines) {
    l2_.forget_all(static_cast<unsigned>(std::countr_zero(host_bit)));
  } else {
    for (const std::uint64_t key : host_lines_) l2_.forget(key);
  }
  host_lines_.clear();
  page_sets_.clear();
  moving_pages_.clear();
  strays_move_ = migration != nullptr && system_memory;
  moving_page_sectors_ = migration != nullptr ? migration->page_bytes() / sector_bytes : 0;
  ++launch_;
  ranges_.clear();
  last_range_ = 0;
  touched_strays_ = false;
  if (map != nullptr) {
    for (const auto& [data, range] : map->ranges()) {
      const auto at = reinterpret_cast<std::uintptr_t>(data);
      Range r;
      r.begin = at / sector_bytes;
      r.end = (at + range.size_bytes + sector_bytes - 1) / sector_bytes;
      r.simulated = range.address / sector_bytes;
      r.host = range.placement == Placement::host_pinned || range.placement == Placement::host_pageable;
      r.memory = &range;
      if (r.host && migration != nullptr && migration->covers(range.address)) {
        r.host = false;
        r.simulated += sim::moved_pages_address / sector_bytes;
        const std::uint64_t pages = (range.size_bytes + sector_bytes) / migration->page_bytes() + 2;
        page_sets_.push_back(std::make_unique<std::vector<bool>>(pages));
        r.pages = page_sets_.back().get();
      }
      ranges_.push_back(r);
    }
  }
  const profile::Compute& c = profile_.compute;
  std::uint64_t ways = SectorCache::ways;
  if (c.l1_holds_local) ways = ways * (c.l1_bytes - std::min<std::uint64_t>(c.l1_bytes, local_bytes)) / c.l1_bytes;
  for (SectorCache& l1 : l1_) l1.clear(static_cast<std::uint32_t>(ways));
}

MemorySide::Range& MemorySide::find_range(std::uint64_t sector) {
  const auto after = std::upper_bound(ranges_.begin(), ranges_.end(), sector,
                                      [](std::uint64_t s, const Range& r) { return s < r.begin; });
  if (after != ranges_.begin() && sector < std::prev(after)->end) {
    last_range_ = static_cast<std::size_t>(std::prev(after) - ranges_.begin());
    return ranges_[last_range_];
  }
  const std::uint64_t page = sector / page_sectors;
  const auto [entry, fresh] = pages_.try_emplace(page, pages_.size());
  const std::uint64_t number = entry->second;
  if (fresh && strays_move_) moving_pages_.push_back((strays + number * page_sectors) * sector_bytes);
  page_ = Range{};
  page_.begin = page * page_sectors;
  page_.end = page_.begin + page_sectors;
  page_.simulated = strays + number * page_sectors;
  return page_;
}

std::vector<MemorySide::TouchedRange> MemorySide::touched() const {
  std::vector<TouchedRange> all;
  for (const Range& r : ranges_) {
    const bool read = r.read.first <= r.read.last;
    const bool written = r.written.first <= r.written.last;
    if (!read && !written) continue;
    all.push_back({*r.memory, read, written});
  }
  return all;
}

HostSpan MemorySide::span_of(Extent Range::*extent) const noexcept {
  HostSpan span;
  std::uint64_t end = 0;
  for (const Range& r : ranges_) {
    const Extent& e = r.*extent;
    if (!r.host || e.first > e.last) continue;
    const std::uint64_t first = e.first * sector_bytes;
    if (span.bytes == 0 || first < span.address) span.address = first;
    end = std::max(end, (e.last + 1) * sector_bytes);
    span.bytes = end - span.address;
  }
  return span;
}

std::vector<HostSpan> MemorySide::device_spans() const {
  std::vector<HostSpan> all;
  for (const Range& r : ranges_) {
    const std::uint64_t first = std::min(r.read.first, r.written.first);
    if (r.host || r.pages != nullptr || first == Extent{}.first) continue;
    const std::uint64_t last = std::max(r.read.last, r.written.last);
    all.push_back({first * sector_bytes, (last + 1 - first) * sector_bytes});
  }
  return all;
}

// A line lies in one page; `sector` is of the simulated device.
void MemorySide::touch_page(Range& range, std::uint64_t sector) {
  const std::uint64_t page = sector / moving_page_sectors_;
  std::vector<bool>& touched = *range.pages;
  const std::uint64_t index = page - range.simulated / moving_page_sectors_;
  if (touched[index]) return;
  touched[index] = true;
  // The first page may begin before the range does.
  const std::uint64_t at = std::max(page * moving_page_sectors_, range.simulated) * sector_bytes;
  moving_pages_.push_back(at - sim::moved_pages_address);
}

void MemorySide::expect(std::size_t unit, const WaveAccess& access, const GroupTrace& trace) const {
  if (access.sectors == 0 || last_range_ >= ranges_.size()) return;
  const std::uint64_t sector = trace.sectors[access.first_sector];
  const Range* range = &ranges_[last_range_];
  if (sector - range->begin >= range->end - range->begin) {
    const auto after = std::upper_bound(ranges_.begin(), ranges_.end(), sector,
                                        [](std::uint64_t s, const Range& r) { return s < r.begin; });
    if (after == ranges_.begin()) return;
    range = &*std::prev(after);
  }
  const std::uint64_t line = (sector + (range->simulated - range->begin)) >> line_shift_;
  const std::uint64_t key = range->host ? line | host_bit | launch_ << 44 : line;
  const bool loads = access.kind == AccessKind::load;
  if (loads) l1_[unit].expect(key, false);
  l2_.expect(key, !loads);
}

// Of what is longer than the cache the end is left, and its beginning is taken to have been elsewhere.
memory::KernelCache::Touched MemorySide::touch(memory::Access access, std::uint64_t begin, std::uint64_t end,
                                               bool allocates) {
  catch_up();
  known_ = false;
  const bool writes = access == memory::Access::write;
  const std::uint64_t line_bytes = profile_.device_cache.line_bytes;
  const std::uint32_t all = (1U << line_sectors_) - 1;
  Touched touched;
  if (allocates && end - begin > profile_.device_cache.capacity_bytes) {
    const std::uint64_t skipped = end - begin - profile_.device_cache.capacity_bytes / line_bytes * line_bytes;
    if (writes) touched.driven_out_bytes += skipped;
    begin += skipped;
  }
  for (std::uint64_t line = begin / line_bytes; line < end / line_bytes; ++line) {
    const std::uint32_t there = l2_.present(line, all);
    touched.hit_bytes += static_cast<std::uint64_t>(std::popcount(there)) * sector_bytes;
    if (!allocates && there == 0) continue;
    const SectorCache::Result result = l2_.access(line, allocates ? all : there, writes);
    touched.driven_out_bytes += static_cast<std::uint64_t>(result.written_back) * sector_bytes;
  }
  return touched;
}

std::uint64_t MemorySide::fingerprint() {
  if (!pending_.empty()) return pending_.back()->print;
  if (!known_) print_ = l2_.fingerprint();
  known_ = true;
  return print_;
}

std::shared_ptr<const MemorySide::CacheStep> MemorySide::last_step() {
  const auto step = std::make_shared<CacheStep>();
  step->print = print_ = l2_.fingerprint(&step->changes);
  known_ = true;
  return step;
}

// Back where it has been, the cache need not go there.
void MemorySide::step(std::shared_ptr<const CacheStep> step) {
  if (step->print == print_) {
    pending_.clear();
    return;
  }
  const auto been =
      std::find_if(pending_.begin(), pending_.end(), [&](const auto& p) { return p->print == step->print; });
  if (been == pending_.end()) {
    pending_.push_back(std::move(step));
  } else {
    pending_.erase(been + 1, pending_.end());
  }
}

void MemorySide::catch_up() {
  for (const auto& step : pending_) l2_.apply(step->changes);
  if (!pending_.empty()) print_ = pending_.back()->print;
  pending_.clear();
}

void MemorySide::access(std::size_t unit, const WaveAccess& access, const GroupTrace& trace, Traffic& traffic) {
  traffic.sectors += access.sectors;
  const bool whole = writes_whole(access);
  const std::uint64_t* sector = trace.sectors.data() + access.first_sector;
  const std::uint64_t* const end = sector + access.sectors;
  std::uint64_t host_atomics = 0;  // sectors
  const bool loads = access.kind == AccessKind::load;
  SectorCache& l1 = l1_[unit];
  while (sector != end) {
    // The host's processor looks for several lines at once, in one cache after the other.
    std::size_t count = 0;
    while (sector != end && count < pieces_.size()) {
      Piece& piece = pieces_[count];
      next_piece(access, sector, end, piece);
      if (++count == 1 && sector == end) break;
      if (loads) {
        l1.expect(piece.key, false);
      } else {
        l2_.expect(piece.key, true);
      }
    }
    traffic.lines += count;
    if (loads) count = pass_l1(l1, count, traffic);
    for (std::size_t i = 0; i < count; ++i) {
      const Piece& piece = pieces_[i];
      switch (access.kind) {
        case AccessKind::load:
          load(piece, traffic);
          break;
        case AccessKind::store:
          store(piece, whole, traffic);
          break;
        case AccessKind::atomic:
          if (is_host(piece.key) && routes_atomics_) {
            host_atomics += count_sectors(piece.mask);
          } else {
            atomic(piece, traffic);
          }
          break;
        case AccessKind::barrier:
          break;
      }
    }
  }
  if (host_atomics != 0) atomic_at_host(access, host_atomics, traffic);
}

// Looks the first `count` pieces up in the first-level cache and keeps what they miss there; returns how many do.
std::size_t MemorySide::pass_l1(SectorCache& l1, std::size_t count, Traffic& traffic) {
  std::size_t kept = 0;
  std::uint64_t hits = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto [key, mask] = pieces_[i];
    const std::uint32_t near = l1.access(key, mask, false).hits;
    hits += count_sectors(near);
    if (near == mask) continue;
    if (count != 1) l2_.expect(key, false);
    pieces_[kept++] = {key, mask & ~near};
  }
  traffic.l1_hits += hits;
  traffic.level = std::max(traffic.level, Level::l1);
  return kept;
}

// A request for each lane; those of the access are taken to be spread evenly over its sectors. Atomic loads and stores are
// reads and writes like any, and what no AtomicOp does is a read, and a compare-and-swap that succeeds.
void MemorySide::atomic_at_host(const WaveAccess& access, std::uint64_t sectors, Traffic& traffic) const {
  traffic.level = Level::host;
  traffic.l2_sectors += sectors;
  if (access.atomic == AtomicKind::load || access.atomic == AtomicKind::other) traffic.host_reads[1] += sectors;
  if (access.atomic == AtomicKind::load) return;
  if (access.atomic == AtomicKind::store) {
    traffic.host_partial_writes += sectors;
    return;
  }
  const AtomicOp op = access.atomic == AtomicKind::add    ? AtomicOp::fetch_add
                      : access.atomic == AtomicKind::swap ? AtomicOp::swap
                                                          : AtomicOp::compare_swap;
  const std::uint64_t lanes = access.lanes * sectors / std::max(1U, access.sectors);
  traffic.host_atomics[static_cast<std::size_t>(op) * atomic_sizes + (access.bytes > 4 ? 1 : 0)] +=
      std::max(lanes, sectors);
}

// Brings `missing` from behind the last-level cache, in units of what a miss fetches.
inline void MemorySide::fetch(const SectorCache::Result& line, std::uint32_t missing, const Piece& piece,
                              Traffic& traffic) {
  const bool host = is_host(piece.key);
  const std::uint32_t unit = (host ? profile_.compute.host_fetch_bytes : profile_.compute.fetch_bytes) / sector_bytes;
  std::uint32_t wanted = 0;
  for (std::uint32_t i = 0; i < line_sectors_; i += unit) {
    const std::uint32_t part = ((1U << unit) - 1) << i;
    if ((missing & part) != 0) wanted |= part;
  }
  if (line.valid != nullptr) {
    wanted &= ~(*line.valid & ~missing);
    *line.valid = static_cast<std::uint8_t>(*line.valid | wanted);
  }
  if (host) {
    if (line.valid != nullptr && line.hits == 0 && host_lines_.size() < most_host_lines)
      host_lines_.push_back(piece.key);
    traffic.level = Level::host;
    for_runs(wanted, [&](std::uint32_t n) { ++traffic.host_reads[n]; });
  } else {
    traffic.level = std::max(traffic.level, Level::memory);
    traffic.device_read += std::uint64_t{count_sectors(wanted)} * sector_bytes;
    if (!keeps_misses_) return;
    for (std::uint32_t mask = wanted, at = 0; mask != 0;) {
      const auto skipped = static_cast<std::uint32_t>(std::countr_zero(mask));
      const auto n = static_cast<std::uint32_t>(std::countr_one(mask >> skipped));
      at += skipped;
      misses_.push_back({memory::Access::read, (piece.key * line_sectors_ + at) * sector_bytes, std::uint64_t{n} * sector_bytes});
      at += n;
      mask = skipped + n >= 32 ? 0 : mask >> (skipped + n);
    }
  }
}

inline void MemorySide::write_back(const SectorCache::Result& line, const Piece& piece, Traffic& traffic) {
  const std::uint64_t bytes = static_cast<std::uint64_t>(line.written_back) * sector_bytes;
  traffic.device_written += bytes;
  if (!keeps_misses_ || bytes == 0) return;
  const std::uint64_t line_bytes = profile_.device_cache.line_bytes;
  const std::uint64_t below = profile_.device_cache.capacity_bytes / line_bytes;
  const std::uint64_t number = is_host(piece.key) ? 0 : piece.key;
  misses_.push_back({memory::Access::write, (number - std::min(number, below)) * line_bytes, bytes});
}

void MemorySide::load(const Piece& piece, Traffic& traffic) {
  const SectorCache::Result far = l2_.access(piece.key, piece.mask, false);
  traffic.level = std::max(traffic.level, Level::l2);
  traffic.l2_sectors += count_sectors(piece.mask);
  traffic.l2_hits += count_sectors(far.hits);
  write_back(far, piece, traffic);
  if (const std::uint32_t absent = piece.mask & ~far.hits; absent != 0) fetch(far, absent, piece, traffic);
}

void MemorySide::store(const Piece& piece, bool whole, Traffic& traffic) {
  const auto& [key, mask] = piece;
  traffic.l2_sectors += std::uint64_t{count_sectors(mask)};
  traffic.level = std::max(traffic.level, Level::l2);
  if (!is_host(key)) {
    write_back(l2_.access(key, mask, true), piece, traffic);
    return;
  }
  traffic.level = Level::host;
  if (whole) {
    for_runs(mask, [&](std::uint32_t n) { ++traffic.host_writes[n]; });
  } else {
    traffic.host_partial_writes += std::uint64_t{count_sectors(mask)};
  }
}

inline void MemorySide::atomic(const Piece& piece, Traffic& traffic) {
  const auto& [key, mask] = piece;
  const auto sectors = std::uint64_t{count_sectors(mask)};
  traffic.l2_sectors += sectors;
  traffic.atomic_sectors += sectors;
  traffic.level = std::max(traffic.level, Level::l2);
  if (is_host(key)) {  // done by the host: a request with its answer, and the data
    traffic.level = Level::host;
    traffic.host_reads[1] += sectors;
    traffic.host_partial_writes += sectors;
    return;
  }
  const SectorCache::Result far = l2_.access(key, mask, true);
  traffic.l2_hits += count_sectors(far.hits);
  write_back(far, piece, traffic);
  if (const std::uint32_t absent = mask & ~far.hits; absent != 0) fetch(far, absent, piece, traffic);
}

}  // namespace sluice::compute

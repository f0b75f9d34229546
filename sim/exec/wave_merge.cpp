#include "sim/exec/wave_merge.h"

#include <emmintrin.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <limits>
#include <utility>

namespace sluice::exec {
namespace {

constexpr std::int32_t none = std::numeric_limits<std::int32_t>::max();  // a lane's log is at its end

__m128i four(const std::int32_t* values) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(values));
}

// Of `count` values, a multiple of 4 and not 0.
std::int32_t smallest(const std::int32_t* values, std::size_t count) {
  __m128i least = four(values);
  for (std::size_t i = 4; i < count; i += 4) {
    const __m128i more = four(values + i), greater = _mm_cmpgt_epi32(least, more);
    least = _mm_or_si128(_mm_and_si128(greater, more), _mm_andnot_si128(greater, least));
  }
  std::array<std::int32_t, 4> each;
  _mm_storeu_si128(reinterpret_cast<__m128i*>(each.data()), least);
  return *std::min_element(each.begin(), each.end());
}

// Which of up to 64 values are `value`.
std::uint64_t equal(const std::int32_t* values, std::size_t count, std::int32_t value) {
  const __m128i wanted = _mm_set1_epi32(value);
  std::uint64_t found = 0;
  for (std::size_t i = 0; i < count; i += 4) {
    const int four_bits = _mm_movemask_ps(_mm_castsi128_ps(_mm_cmpeq_epi32(four(values + i), wanted)));
    found |= static_cast<std::uint64_t>(four_bits) << i;
  }
  return found;
}

// Has no record.
bool is_silent(SiteKind kind) {
  return kind == SiteKind::marker || kind >= SiteKind::wait;
}

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
  sites_ = &sites;
  memory_ = &memory;
  accesses_ = &accesses;
  sectors_ = &sectors;
  pending_ = std::exchange(begin_with_, 0);
  if (lanes.empty()) return 0;
  const std::size_t together = in_step(lanes);
  return run_in_step(lanes, together) + run_apart(lanes, together);
}

// How many entries all lanes begin with that are the same but for addresses.
std::size_t WaveMerge::in_step(std::span<const std::span<const LogEntry>> lanes) {
  const std::span<const LogEntry> first = lanes.front();
  static_assert(offsetof(LogEntry, site) == 8 && sizeof(LogEntry) == sizeof(__m128i));
  const auto load = [](const LogEntry& entry) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(&entry)); };
  const auto differ = [](__m128i entries) { return _mm_cvtsi128_si64(_mm_unpackhi_epi64(entries, entries)) != 0; };
  std::size_t same = first.size();
  for (const std::span<const LogEntry> lane : lanes.subspan(1)) {
    same = std::min(same, lane.size());
    __m128i any = _mm_setzero_si128();
    for (std::size_t i = 0; i < same; ++i) any = _mm_or_si128(any, _mm_xor_si128(load(first[i]), load(lane[i])));
    if (!differ(any)) continue;
    std::size_t i = 0;
    while (!differ(_mm_xor_si128(load(first[i]), load(lane[i])))) ++i;
    same = i;
  }
  return same;
}

// What run_apart() would do with the first `entries` of each lane: every one holds the smallest site each time.
std::uint64_t WaveMerge::run_in_step(std::span<const std::span<const LogEntry>> lanes, std::size_t entries) {
  const std::span<const LogEntry> first = lanes.front();
  std::uint32_t issued = 0;
  std::uint64_t total = 0;
  lanes_.count = lanes.size();
  for (std::size_t i = 0; i < lanes.size(); ++i) at_[i] = lanes[i].data();
  for (std::size_t at = 0; at < entries; ++at) {
    const std::uint32_t more = first[at].issued - issued;
    issued = first[at].issued;
    total += more;
    pending_ += more;
    const std::uint32_t site = first[at].site;
    const SiteKind kind = (*sites_)[site].kind;
    if (is_silent(kind)) continue;
    for (std::size_t i = 0; i < lanes_.count; ++i) lanes_.addresses[i] = at_[i][at].address;
    come_to(site);
  }
  return total;
}

// Without the first `done` entries of each lane.
std::uint64_t WaveMerge::run_apart(std::span<const std::span<const LogEntry>> lanes, std::size_t done) {
  const std::size_t n = lanes.size(), padded = (n + 3) / 4 * 4;
  bool over = true;
  for (std::size_t i = 0; i < n; ++i) {
    at_[i] = lanes[i].data() + done;
    const bool ended = lanes[i].size() == done;
    over &= ended;
    next_[i] = ended ? none : static_cast<std::int32_t>(at_[i]->site);
    issued_[i] = done == 0 ? 0 : at_[i][-1].issued;
  }
  if (over) return 0;
  std::fill(next_.begin() + static_cast<std::ptrdiff_t>(n), next_.begin() + static_cast<std::ptrdiff_t>(padded), none);
  std::uint64_t total = 0;
  for (;;) {
    const std::int32_t site = smallest(next_.data(), padded);
    if (site == none) return total;
    lanes_.count = 0;
    std::uint32_t most = 0;
    for (std::size_t word = 0; word < padded; word += 64) {
      for (std::uint64_t here = equal(next_.data() + word, std::min<std::size_t>(64, padded - word), site); here != 0;
           here &= here - 1) {
        const std::size_t i = word + static_cast<std::size_t>(std::countr_zero(here));
        const LogEntry& entry = *at_[i]++;
        lanes_.addresses[lanes_.count++] = entry.address;
        most = std::max(most, entry.issued - issued_[i]);
        issued_[i] = entry.issued;
        next_[i] = at_[i] == lanes[i].data() + lanes[i].size() ? none : static_cast<std::int32_t>(at_[i]->site);
      }
    }
    total += most;
    pending_ += most;
    come_to(static_cast<std::uint32_t>(site));
  }
}

// The lanes in lanes_ execute the instruction together.
void WaveMerge::come_to(std::uint32_t number) {
  const Site& site = (*sites_)[number];
  if (is_silent(site.kind)) return;
  if (site.space == SiteSpace::generic && site.kind != SiteKind::barrier) {
    split(number, site);
  } else {
    if (site.space == SiteSpace::image && !memory_->tiled_images.empty()) place_texels(*memory_, lanes_);
    record(number, site, space_of(site.space), lanes_);
  }
}

// From where texels lie in the functional store to where the device has them.
void WaveMerge::place_texels(const GroupMemory& memory, Batch& batch) {
  const TiledRange* image = nullptr;
  for (std::size_t i = 0; i < batch.count; ++i) {
    std::uint64_t& address = batch.addresses[i];
    if (image == nullptr || !image->store.holds(address)) {
      const auto it = std::find_if(memory.tiled_images.begin(), memory.tiled_images.end(),
                                   [&](const TiledRange& t) { return t.store.holds(address); });
      if (it == memory.tiled_images.end()) continue;
      image = &*it;
    }
    address = image->store.first + image->places.of(address - image->store.first);
  }
}

// Lanes of one instruction may hold generic pointers to different memories. Private memory is not traced.
void WaveMerge::split(std::uint32_t number, const Site& site) {
  global_.count = local_.count = 0;
  for (std::size_t i = 0; i < lanes_.count; ++i) {
    const std::uint64_t address = lanes_.addresses[i];
    if (memory_->private_memory.holds(address)) continue;
    Batch& batch = memory_->local.holds(address) ? local_ : global_;
    batch.addresses[batch.count++] = address;
  }
  if (global_.count != 0) record(number, site, MemorySpace::global, global_);
  if (local_.count != 0) record(number, site, MemorySpace::local, local_);
}

void WaveMerge::record(std::uint32_t number, const Site& site, MemorySpace space, const Batch& batch) {
  WaveAccess access;
  access.site = number;
  access.kind = kind_of(site.kind);
  access.space = space;
  access.atomic = site.atomic;
  access.lanes = static_cast<std::uint16_t>(batch.count);
  access.bytes = site.bytes;
  access.issued = pending_;
  pending_ = 0;
  if (site.kind == SiteKind::barrier) {
    access.space = MemorySpace::local;
  } else if (space == MemorySpace::local) {
    access.sectors = conflicts(number, site, batch);
  } else {
    access.first_sector = static_cast<std::uint32_t>(sectors_->size());
    access.sectors = sectors(number, site, batch);
  }
  accesses_->push_back(access);
}

// What was found out about lanes that lay to each other as those in `batch` do, `unit` bytes from where these do or a
// multiple of it; else an entry for this one, with known == false.
WaveMerge::Pattern& WaveMerge::pattern_of(std::uint32_t number, const Batch& batch, std::uint64_t unit) {
  const std::uint64_t first = batch.addresses[0];
  Pattern& p = (*patterns_)[number % patterns_->size()];
  // Where lanes lie anyhow, most of the time nothing is compared.
  constexpr std::uint8_t most_missed = 8;
  if (p.missed >= most_missed && ++p.missed != 0) {
    none_.known = false;
    return none_;
  }
  if (p.known && p.sites == sites_ && p.site == number && p.unit == unit && p.count == batch.count &&
      p.phase == first % unit) {
    std::uint64_t differ = 0;
    for (std::size_t i = 0; i < batch.count; ++i) differ |= (batch.addresses[i] - first) ^ p.offsets[i];
    if (differ == 0) {
      p.missed = 0;
      return p;
    }
  }
  ++p.missed;
  p.known = false;
  p.sites = sites_;
  p.site = number;
  p.unit = unit;
  p.count = batch.count;
  p.phase = first % unit;
  for (std::size_t i = 0; i < batch.count; ++i) p.offsets[i] = batch.addresses[i] - first;
  return p;
}

// Moving all lanes by whole banks moves each to another bank and changes nothing else.
std::uint32_t WaveMerge::conflicts(std::uint32_t number, const Site& site, const Batch& batch) {
  Pattern& p = pattern_of(number, batch, bank_bytes);
  if (!p.known) {
    const std::span<const std::uint64_t> addresses(batch.addresses.data(), batch.count);
    p.conflicts = bank_conflicts(addresses, site.bytes, site.kind == SiteKind::atomic, *seen_);
    p.known = true;
  }
  return p.conflicts;
}

// Appends them. Moving all lanes by whole sectors moves the sectors.
std::uint32_t WaveMerge::sectors(std::uint32_t number, const Site& site, const Batch& batch) {
  Pattern& p = pattern_of(number, batch, sector_bytes);
  const std::uint64_t first = batch.addresses[0] / sector_bytes;
  if (p.known) {
    for (std::uint32_t i = 0; i < p.touched; ++i) sectors_->push_back(first + p.sectors[i]);
    return p.touched;
  }
  const std::size_t before = sectors_->size();
  const std::span<const std::uint64_t> addresses(batch.addresses.data(), batch.count);
  const std::uint32_t touched = coalesce(addresses, site.bytes, *seen_, *sectors_);
  if (touched <= p.sectors.size()) {
    for (std::uint32_t i = 0; i < touched; ++i) p.sectors[i] = (*sectors_)[before + i] - first;
    p.touched = touched;
    p.known = true;
  }
  return touched;
}

}  // namespace sluice::exec

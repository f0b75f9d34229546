#include "sim/exec/wave_merge.h"

#include <emmintrin.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <limits>
#include <utility>

namespace sluice::exec {
namespace {

// Eight sites each; all but kernels of tens of thousands of sites have numbers this short.
template <class Number>
constexpr Number none = std::numeric_limits<Number>::max();  // a lane's log is at its end

template <class Number>
__m128i load(const Number* values) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(values));
}

__m128i smaller(__m128i a, __m128i b, std::int16_t) {
  return _mm_min_epi16(a, b);
}
__m128i smaller(__m128i a, __m128i b, std::int32_t) {
  const __m128i greater = _mm_cmpgt_epi32(a, b);
  return _mm_or_si128(_mm_and_si128(greater, b), _mm_andnot_si128(greater, a));
}

// Of `count` values, a multiple of 16 and not 0.
template <class Number>
Number smallest(const Number* values, std::size_t count) {
  constexpr std::size_t step = sizeof(__m128i) / sizeof(Number);
  __m128i least = load(values);
  for (std::size_t i = step; i < count; i += step) least = smaller(least, load(values + i), Number{});
  least = smaller(least, _mm_shuffle_epi32(least, 0b01001110), Number{});
  least = smaller(least, _mm_shuffle_epi32(least, 0b10110001), Number{});
  const auto two = static_cast<std::uint32_t>(_mm_cvtsi128_si32(least));
  if constexpr (sizeof(Number) == sizeof two) return static_cast<Number>(two);
  return std::min(static_cast<Number>(two), static_cast<Number>(two >> 16));
}

__m128i sixteen_equal(const std::int16_t* values, std::int16_t value) {
  const __m128i wanted = _mm_set1_epi16(value);
  return _mm_packs_epi16(_mm_cmpeq_epi16(load(values), wanted), _mm_cmpeq_epi16(load(values + 8), wanted));
}
__m128i sixteen_equal(const std::int32_t* values, std::int32_t value) {
  const __m128i wanted = _mm_set1_epi32(value);
  const auto eight = [&](const std::int32_t* from) {
    return _mm_packs_epi32(_mm_cmpeq_epi32(load(from), wanted), _mm_cmpeq_epi32(load(from + 4), wanted));
  };
  return _mm_packs_epi16(eight(values), eight(values + 8));
}

// Which of up to 64 values, a multiple of 16, are `value`.
template <class Number>
std::uint64_t equal(const Number* values, std::size_t count, Number value) {
  std::uint64_t found = 0;
  for (std::size_t i = 0; i < count; i += 16)
    found |= static_cast<std::uint64_t>(_mm_movemask_epi8(sixteen_equal(values + i, value))) << i;
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
  std::uint64_t total = 0;
  const std::size_t together = run_in_step(lanes, total);
  const bool are_short = sites.size() <= static_cast<std::size_t>(none<std::int16_t>);
  return total + (are_short ? run_apart(lanes, together, short_next_) : run_apart(lanes, together, next_));
}

// Which lanes a row says were at its site; returns the most instructions of them since they were at one before.
std::uint32_t WaveMerge::come_in_row(const std::uint32_t* row, std::size_t lanes, LaneBits& here) {
  std::uint32_t most = 0;
  std::size_t i = 0;
  const __m128i zero = _mm_setzero_si128();
  __m128i largest = zero;
  for (; i + 4 <= lanes; i += 4) {
    const __m128i now = load(row + i), before = load(issued_.data() + i);
    const __m128i absent = _mm_cmpeq_epi32(now, zero);
    const __m128i more = _mm_andnot_si128(absent, _mm_sub_epi32(now, before));
    const __m128i greater = _mm_cmpgt_epi32(more, largest);
    largest = _mm_or_si128(_mm_and_si128(greater, more), _mm_andnot_si128(greater, largest));
    const __m128i after = _mm_or_si128(_mm_andnot_si128(absent, now), _mm_and_si128(absent, before));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(issued_.data() + i), after);
    here[i / 64] |= static_cast<std::uint64_t>(~_mm_movemask_ps(_mm_castsi128_ps(absent)) & 0xf) << i % 64;
  }
  std::array<std::uint32_t, 4> four;
  _mm_storeu_si128(reinterpret_cast<__m128i*>(four.data()), largest);
  for (const std::uint32_t value : four) most = std::max(most, value);
  for (; i < lanes; ++i) {
    if (row[i] == 0) continue;
    most = std::max(most, row[i] - issued_[i]);
    issued_[i] = row[i];
    here[i / 64] |= std::uint64_t{1} << i % 64;
  }
  return most;
}

std::uint64_t WaveMerge::run_rows(const RowLog& rows, const std::vector<Site>& sites, const GroupMemory& memory,
                                  std::vector<WaveAccess>& accesses, std::vector<std::uint64_t>& sectors) {
  sites_ = &sites;
  memory_ = &memory;
  accesses_ = &accesses;
  sectors_ = &sectors;
  pending_ = std::exchange(begin_with_, 0);
  std::uint64_t total = 0;
  same_issued_ = 1;
  for (const auto& [number, issued] : rows.sites) {
    LaneBits here{};
    std::uint32_t most = 0;
    const bool all = issued != 0 && same_issued_ != 0;
    if (all) {
      most = issued - std::exchange(same_issued_, issued);
    } else {
      if (same_issued_ != 0) std::fill_n(issued_.begin(), rows.lanes, std::exchange(same_issued_, 0));
      if (issued != 0) {
        std::fill_n(one_for_all_.begin(), rows.lanes, issued);
        most = come_in_row(one_for_all_.data(), rows.lanes, here);
      } else {
        most = come_in_row(rows.issued + number * rows.stride, rows.lanes, here);
        if (here == LaneBits{}) continue;
      }
    }
    total += most;
    pending_ += most;
    if (is_silent(sites[number].kind)) continue;
    const std::uint64_t* const addresses = rows.addresses + number * rows.stride;
    lanes_.count = 0;
    if (issued != 0) {
      std::copy_n(addresses, rows.lanes, lanes_.addresses.begin());
      lanes_.count = rows.lanes;
    }
    for (std::size_t word = 0; word < here.size() && issued == 0; ++word) {
      const std::uint64_t* const from = addresses + 64 * word;
      const auto run = static_cast<std::size_t>(std::countr_one(here[word]));
      std::copy_n(from, run, lanes_.addresses.begin() + static_cast<std::ptrdiff_t>(lanes_.count));
      lanes_.count += run;
      for (std::uint64_t rest = run == 64 ? 0 : here[word] >> run << run; rest != 0; rest &= rest - 1)
        lanes_.addresses[lanes_.count++] = from[std::countr_zero(rest)];
    }
    come_to(number);
  }
  return total;
}

// What run_apart() would do with the entries that all lanes begin with and that are the same but for addresses: every
// one holds the smallest site each time. Returns how many they are.
std::size_t WaveMerge::run_in_step(std::span<const std::span<const LogEntry>> lanes, std::uint64_t& total) {
  static_assert(offsetof(LogEntry, address) == 0 && offsetof(LogEntry, site) == 8);
  static_assert(sizeof(LogEntry) == sizeof(__m128i));
  const auto load = [](const LogEntry& entry) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(&entry)); };
  const std::size_t count = lanes.size();
  std::size_t shortest = lanes.front().size();
  for (std::size_t i = 0; i < count; ++i) {
    at_[i] = lanes[i].data();
    shortest = std::min(shortest, lanes[i].size());
  }
  std::uint32_t issued = 0;
  lanes_.count = count;
  for (std::size_t at = 0; at < shortest; ++at) {
    const LogEntry& first = at_[0][at];
    const __m128i wanted = load(first);
    __m128i differ = _mm_setzero_si128();
    for (std::size_t i = 0; i < count; ++i) {
      const __m128i entry = load(at_[i][at]);
      differ = _mm_or_si128(differ, _mm_xor_si128(entry, wanted));
      _mm_storel_epi64(reinterpret_cast<__m128i*>(&lanes_.addresses[i]), entry);
    }
    if (_mm_cvtsi128_si64(_mm_unpackhi_epi64(differ, differ)) != 0) return at;
    const std::uint32_t more = first.issued - issued;
    issued = first.issued;
    total += more;
    pending_ += more;
    come_to(first.site);
  }
  return shortest;
}

// Without the first `done` entries of each lane. `next`: room for their sites.
template <class Number>
std::uint64_t WaveMerge::run_apart(std::span<const std::span<const LogEntry>> lanes, std::size_t done,
                                   std::array<Number, most_lanes>& next) {
  const std::size_t n = lanes.size(), padded = (n + 15) / 16 * 16;
  bool over = true;
  for (std::size_t i = 0; i < n; ++i) {
    at_[i] = lanes[i].data() + done;
    ends_[i] = lanes[i].data() + lanes[i].size();
    const bool ended = lanes[i].size() == done;
    over &= ended;
    next[i] = ended ? none<Number> : static_cast<Number>(at_[i]->site);
    issued_[i] = done == 0 ? 0 : at_[i][-1].issued;
  }
  if (over) return 0;
  std::fill(next.begin() + static_cast<std::ptrdiff_t>(n), next.begin() + static_cast<std::ptrdiff_t>(padded),
            none<Number>);
  std::uint64_t total = 0;
  for (;;) {
    const Number site = smallest(next.data(), padded);
    if (site == none<Number>) return total;
    std::size_t count = 0;
    std::uint32_t most = 0;
    for (std::size_t word = 0; word < padded; word += 64) {
      for (std::uint64_t here = equal(next.data() + word, std::min<std::size_t>(64, padded - word), site); here != 0;
           here &= here - 1) {
        const std::size_t i = word + static_cast<std::size_t>(std::countr_zero(here));
        const LogEntry* entry = at_[i];
        lanes_.addresses[count++] = entry->address;
        const std::uint32_t issued = entry->issued;
        most = std::max(most, issued - issued_[i]);
        issued_[i] = issued;
        at_[i] = ++entry;
        next[i] = entry == ends_[i] ? none<Number> : static_cast<Number>(entry->site);
      }
    }
    lanes_.count = count;
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

// From where texels lie in the functional store to where the device has them. Most lanes lie in the row of the one
// before.
void WaveMerge::place_texels(const GroupMemory& memory, Batch& batch) {
  const TiledRange* image = nullptr;
  TexelPlaces::Row row;
  std::uint64_t first = 0;  // of the image
  for (std::size_t i = 0; i < batch.count; ++i) {
    std::uint64_t& address = batch.addresses[i];
    if (!row.holds(address - first)) {
      if (image == nullptr || !image->store.holds(address)) {
        const auto it = std::find_if(memory.tiled_images.begin(), memory.tiled_images.end(),
                                     [&](const TiledRange& t) { return t.store.holds(address); });
        if (it == memory.tiled_images.end()) continue;
        image = &*it;
        first = image->store.first;
      }
      row = image->places.row_of(address - first);
      row.bytes = std::min(row.bytes, image->store.bytes - row.begin);
    }
    address = first + image->places.in(row, address - first);
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
  // In place: what is put together elsewhere, byte by byte, and then copied is waited for.
  WaveAccess& access = accesses_->emplace_back();
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

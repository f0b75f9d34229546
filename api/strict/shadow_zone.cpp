#include "api/strict/shadow_zone.h"

#include <sys/mman.h>

#include <algorithm>

#include "api/objects/arena.h"
#include "sim/iface/fixed_addresses.h"

namespace sluice::api::strict {

namespace {

// Unmapped views that are kept: each is a region of the process, of which it has some 65,000.
constexpr std::size_t most_gone = 1024;
// Of one range of a store. A range that is mapped again and again gets its old views in turn, whose pages are in the
// page table already.
constexpr std::size_t many_of_a_range = 4;

// Ranges of more pages are opened one by one: what that costs is small beside their bytes.
constexpr std::size_t most_ring_bytes = 16 * page_bytes;
constexpr std::size_t most_rings = 64;
constexpr std::uint64_t idle_uses = 16 * most_rings;

// What a view shows.
std::pair<const std::byte*, std::size_t> range_of(const std::byte* store, const Region& r) {
  return {store + (r.first.load() - r.begin.load()), r.last.load() - r.first.load()};
}

void* pages(std::uintptr_t at) {
  return reinterpret_cast<void*>(at);
}

std::size_t length_of(const std::byte* first, std::size_t bytes) {
  const auto at = reinterpret_cast<std::uintptr_t>(first);
  return page_ceiling(at + bytes) - page_floor(at);
}

void show_nothing(std::uintptr_t begin, std::uintptr_t end) {
  ::mmap(pages(begin), end - begin, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
}

}  // namespace

bool ShadowZone::reserve() {
  const std::size_t largest = may_choose_addresses ? std::size_t{1} << 44 : std::size_t{1} << 36;
  for (std::size_t bytes = largest; bytes >= std::size_t{1} << 30; bytes /= 4) {
    void* const p = ::mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) continue;
    begin_ = next_ = reinterpret_cast<std::uintptr_t>(p);
    end_ = begin_ + bytes;
    ring_places_.resize(guard::all_slots());
    return true;
  }
  return false;
}

void ShadowZone::use_rings() {
  nothing_ = ::memfd_create("sluice-nothing", MFD_CLOEXEC);
}

const std::byte* ShadowZone::store_of(const Region& region, const void* p) const noexcept {
  const auto block = blocks_.find(region.begin.load());
  if (block == blocks_.end()) return nullptr;
  return block->second.store + (reinterpret_cast<std::uintptr_t>(p) - block->first);
}

const Region* ShadowZone::beside(std::uintptr_t at) const noexcept {
  const auto above = blocks_.upper_bound(at);
  if (above != blocks_.begin()) {
    const auto& [begin, block] = *std::prev(above);
    if (at - block.end < page_bytes) return block.region;
  }
  return above != blocks_.end() && above->first - at <= page_bytes ? above->second.region : nullptr;
}

void ShadowZone::drop(Blocks::iterator block) {
  show_nothing(block->first, block->second.end);
  guard::free_slot(*block->second.region);
  if (block->second.gone) forget_gone(block->first, block->second);
  blocks_.erase(block);
}

void ShadowZone::forget_gone(std::uintptr_t begin, const Block& block) {
  std::erase(gone_, begin);
  const auto same = gone_of_.find(range_of(block.store, *block.region));
  if (same == gone_of_.end()) return;
  std::erase(same->second, begin);
  if (same->second.empty()) gone_of_.erase(same);
}

std::uintptr_t ShadowZone::find_room(std::size_t bytes) {
  // A page on either side stays free.
  const std::size_t room = bytes + 2 * page_bytes;
  for (int lap = 0; lap < 2; ++lap) {
    while (next_ + room <= end_) {
      auto block = blocks_.upper_bound(next_);
      if (block != blocks_.begin() && std::prev(block)->second.end > next_) --block;
      if (block == blocks_.end() || block->first >= next_ + room) {
        const std::uintptr_t at = next_ + page_bytes;
        next_ += room;
        return at;
      }
      if (block->second.gone) {
        drop(block);
      } else {
        next_ = block->second.end;
      }
    }
    next_ = begin_;
  }
  return 0;
}

Region* ShadowZone::reuse(const std::byte* first, std::size_t bytes) {
  const auto same = gone_of_.find({first, bytes});
  if (same == gone_of_.end() || same->second.size() < many_of_a_range) return nullptr;
  const std::uintptr_t at = same->second.front();
  Block& block = blocks_.at(at);
  forget_gone(at, block);
  block.gone = false;
  guard::close(*block.region);  // a misuse may have opened it
  return block.region;
}

Region* ShadowZone::place(std::uintptr_t begin, const std::byte* first, std::size_t bytes) {
  Region* const region = guard::take_slot();
  if (region == nullptr) return nullptr;
  const std::size_t length = length_of(first, bytes);
  const std::uintptr_t offset = reinterpret_cast<std::uintptr_t>(first) % page_bytes;
  Arena& arena = Arena::instance();
  const std::uint64_t file_offset = arena.file_offset(first - offset);
  void* const p = ::mmap(pages(begin), length, PROT_NONE, MAP_SHARED | MAP_NORESERVE | MAP_FIXED, arena.descriptor(),
                         static_cast<off_t>(file_offset));
  if (p == MAP_FAILED) {
    guard::free_slot(*region);
    return nullptr;
  }
  blocks_[begin] = {begin + length, region, first - offset, false};
  set(region->begin, begin);
  set(region->end, begin + length);
  set(region->touchable, false);
  region->ready = false;
  set(region->id, 0);
  set(region->first, begin + offset);
  set(region->last, begin + offset + bytes);
  set(region->file_offset, file_offset);
  return region;
}

Region* ShadowZone::make(const std::byte* first, std::size_t bytes, int protection) {
  if (Ring* const ring = ring_of(first, bytes, protection)) {
    if (Region* const next = next_of(*ring, protection)) return next;
  }
  if (Region* const old = reuse(first, bytes)) return old;
  const std::uintptr_t begin = find_room(length_of(first, bytes));
  return begin == 0 ? nullptr : place(begin, first, bytes);
}

void ShadowZone::retire(Region& region) {
  set(region.state, State::gone);
  set(region.faults, 0);
  guard::close(region);
  if (const RingPlace& place = place_in_ring(region); place.ring != nullptr) {
    place.ring->busy.reset(place.index);
    return;
  }
  const auto it = blocks_.find(region.begin.load());
  if (it == blocks_.end() || it->second.gone) return;
  Block& block = it->second;
  block.gone = true;
  gone_.push_back(it->first);
  gone_of_[range_of(block.store, region)].push_back(it->first);
  trim_gone();
}

void ShadowZone::trim_gone() {
  while (gone_.size() > most_gone) drop(blocks_.find(gone_.front()));
}

void ShadowZone::forget_store(const std::byte* store, std::size_t bytes) {
  for (auto it = rings_.begin(); it != rings_.end();) {
    const std::byte* const first = std::get<0>(it->first);
    if (first < store || first >= store + bytes) {
      ++it;
      continue;
    }
    clear(*it->second);
    it = rings_.erase(it);
  }
  for (auto& [begin, block] : blocks_) {
    if (block.store < store || block.store >= store + bytes) continue;
    if (block.gone) forget_gone(begin, block);
    show_nothing(begin, block.end);
    block.region->state = State::gone;
    gone_.push_back(begin);
    block.gone = true;
    block.store = nullptr;
  }
  trim_gone();
}

// ---- rings --------------------------------------------------------------------------------------------------------

ShadowZone::RingPlace& ShadowZone::place_in_ring(const Region& region) {
  return ring_places_[static_cast<std::size_t>(&region - guard::slots())];
}

ShadowZone::Ring* ShadowZone::ring_of(const std::byte* first, std::size_t bytes, int protection) {
  if (nothing_ < 0 || bytes > most_ring_bytes) return nullptr;
  const RingKey key{first, bytes, protection};
  const auto it = rings_.find(key);
  Ring* const ring = it == rings_.end() ? make_ring(key) : it->second.get();
  if (ring != nullptr) ring->used_at = ++rings_used_;
  return ring;
}

// Once a range has been mapped often enough.
ShadowZone::Ring* ShadowZone::make_ring(const RingKey& key) {
  const auto& [first, bytes, protection] = key;
  const auto same = gone_of_.find({first, bytes});
  if (same == gone_of_.end() || same->second.size() < many_of_a_range) return nullptr;
  if (rings_.size() == most_rings) drop_idle_ring();
  if (rings_.size() == most_rings) return nullptr;
  const std::size_t length = length_of(first, bytes);
  auto ring = std::make_unique<Ring>();
  const std::size_t count = ring->views.size();
  const std::uintptr_t begin = find_room(count * (length + page_bytes) - page_bytes);
  if (begin == 0) return nullptr;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uintptr_t at = begin + i * (length + page_bytes);
    Region* const view = place(at, first, bytes);
    // What lies between has the access of the views, so that one call opens a batch; but there is nothing to access.
    const bool good = view != nullptr && (i + 1 == count || ::mmap(pages(at + length), page_bytes, protection,
                                                                   MAP_SHARED | MAP_FIXED, nothing_, 0) != MAP_FAILED);
    if (view != nullptr) {
      ring->views[i] = view;
      place_in_ring(*view) = {ring.get(), i};
      set(view->state, State::gone);
      view->kind = Kind::shadow;
    }
    if (!good) {
      clear(*ring);
      trim_gone();
      return nullptr;
    }
  }
  return (rings_[key] = std::move(ring)).get();
}

Region* ShadowZone::next_of(Ring& ring, int protection) {
  if (ring.next % batch == 0) {
    for (std::size_t i = ring.next; i < ring.next + batch; ++i) {
      if (ring.busy.test(i)) return nullptr;
    }
    Region& last = *ring.views[ring.next + batch - 1];
    for (std::size_t i = ring.next; i < ring.next + batch; ++i) ring.views[i]->touchable = ring.views[i]->ready = true;
    if (!guard::protect(ring.views[ring.next]->begin, last.end, protection)) return nullptr;
  }
  Region* const view = ring.views[ring.next];
  ring.busy.set(ring.next);
  ring.next = (ring.next + 1) % ring.views.size();
  return view;
}

// Its views become ones that show nothing, and are gone.
void ShadowZone::clear(Ring& ring) {
  for (Region* const view : ring.views) {
    if (view == nullptr) continue;
    const std::uintptr_t begin = view->begin;
    Block& block = blocks_.at(begin);
    show_nothing(begin, view->end + page_bytes);
    set(view->state, State::gone);
    place_in_ring(*view) = {};
    block.store = nullptr;
    block.gone = true;
    gone_.push_back(begin);
  }
}

// One that was not asked for in a long time: what many ranges take in turn is not to be made anew at each map.
void ShadowZone::drop_idle_ring() {
  const auto idle = std::find_if(rings_.begin(), rings_.end(), [&](const auto& entry) {
    return entry.second->busy.none() && rings_used_ - entry.second->used_at > idle_uses;
  });
  if (idle == rings_.end()) return;
  clear(*idle->second);
  rings_.erase(idle);
  trim_gone();
}

}  // namespace sluice::api::strict

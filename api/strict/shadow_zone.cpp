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
constexpr std::size_t most_of_a_range = 4;

// What a view shows.
std::pair<const std::byte*, std::size_t> range_of(const std::byte* store, const Region& r) {
  return {store + (r.first.load() - r.begin.load()), r.last.load() - r.first.load()};
}

void* pages(std::uintptr_t at) {
  return reinterpret_cast<void*>(at);
}

}  // namespace

bool ShadowZone::reserve() {
  const std::size_t largest = may_choose_addresses ? std::size_t{1} << 44 : std::size_t{1} << 36;
  for (std::size_t bytes = largest; bytes >= std::size_t{1} << 30; bytes /= 4) {
    void* const p = ::mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) continue;
    begin_ = next_ = reinterpret_cast<std::uintptr_t>(p);
    end_ = begin_ + bytes;
    return true;
  }
  return false;
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
  ::mmap(pages(block->first), block->second.end - block->first, PROT_NONE,
         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
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
  if (same == gone_of_.end() || same->second.size() < most_of_a_range) return nullptr;
  const std::uintptr_t at = same->second.front();
  Block& block = blocks_.at(at);
  forget_gone(at, block);
  block.gone = false;
  guard::close(*block.region);  // a misuse may have opened it
  return block.region;
}

Region* ShadowZone::make(const std::byte* first, std::size_t bytes) {
  if (Region* const old = reuse(first, bytes)) return old;
  const auto at = reinterpret_cast<std::uintptr_t>(first);
  const std::uintptr_t offset = at % page_bytes;
  const std::size_t length = page_ceiling(at + bytes) - page_floor(at);
  Region* const region = guard::take_slot();
  const std::uintptr_t begin = region == nullptr ? 0 : find_room(length);
  if (begin == 0) return nullptr;
  Arena& arena = Arena::instance();
  const std::uint64_t file_offset = arena.file_offset(first - offset);
  blocks_[begin] = {begin + length, region, first - offset, false};
  void* const p = ::mmap(pages(begin), length, PROT_NONE, MAP_SHARED | MAP_NORESERVE | MAP_FIXED, arena.descriptor(),
                         static_cast<off_t>(file_offset));
  if (p == MAP_FAILED) {
    blocks_.erase(begin);
    return nullptr;
  }
  region->begin = begin;
  region->end = begin + length;
  region->touchable = false;
  region->id = 0;
  region->first = begin + offset;
  region->last = begin + offset + bytes;
  region->file_offset = file_offset;
  return region;
}

void ShadowZone::retire(Region& region) {
  const auto block = blocks_.find(region.begin.load());
  if (block == blocks_.end() || block->second.gone) return;
  region.state = State::gone;
  region.faults = 0;
  guard::close(region);
  block->second.gone = true;
  gone_.push_back(block->first);
  gone_of_[range_of(block->second.store, region)].push_back(block->first);
  if (gone_.size() > most_gone) drop(blocks_.find(gone_.front()));
}

void ShadowZone::forget_store(const std::byte* store, std::size_t bytes) {
  for (auto& [begin, block] : blocks_) {
    if (block.store < store || block.store >= store + bytes) continue;
    if (block.gone) forget_gone(begin, block);
    ::mmap(pages(begin), block.end - begin, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    block.region->state = State::gone;
    gone_.push_back(begin);
    block.gone = true;
    block.store = nullptr;
  }
}

}  // namespace sluice::api::strict

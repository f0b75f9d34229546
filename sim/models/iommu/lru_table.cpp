#include "sim/models/iommu/lru_table.h"

#include <algorithm>

namespace sluice::iommu {

LruTable::LruTable(std::uint32_t entries, std::uint32_t ways, std::uint32_t others)
    : sets_(ways == 0 ? 1 : std::max(1U, entries / ways)), slots_(entries - others) {
  next_.resize(slots_ + sets_);
  previous_.resize(slots_ + sets_);
  keys_.resize(slots_);
  where_.reserve(slots_);
  for (std::uint32_t set = 0; set < sets_; ++set) {
    const std::uint32_t head = slots_ + set;
    next_[head] = previous_[head] = head;
    for (std::uint32_t slot = set; slot < slots_; slot += sets_) link_behind(slot, head);
  }
}

void LruTable::unlink(std::uint32_t node) noexcept {
  next_[previous_[node]] = next_[node];
  previous_[next_[node]] = previous_[node];
}

void LruTable::link_behind(std::uint32_t node, std::uint32_t place) noexcept {
  next_[node] = next_[place];
  previous_[node] = place;
  previous_[next_[place]] = node;
  next_[place] = node;
}

LruTable::Found LruTable::touch(std::uint64_t key) {
  const std::uint32_t head = slots_ + static_cast<std::uint32_t>(key % sets_);
  const auto at = where_.find(key);
  const bool hit = at != where_.end();
  const std::uint32_t slot = hit ? at->second : previous_[head];
  if (!hit) {
    const auto old = where_.find(keys_[slot]);
    if (old != where_.end() && old->second == slot) where_.erase(old);  // not so if it is empty
    keys_[slot] = key;
    where_.emplace(key, slot);
  }
  unlink(slot);
  link_behind(slot, head);
  return {hit, slot};
}

std::uint64_t LruTable::touch_run(std::uint64_t first, std::uint64_t count) {
  // Keys of one run are touched once each, so only what was there before can be hit. Every touch of a set uses one such
  // key up: by a hit, or because it is the least recently used. After as many keys as there are slots and more (others'
  // entries may leave the sets uneven) all others miss, and the last so many are what stays.
  const std::uint64_t enough = (slots_ + sets_ - 1) / sets_ * std::uint64_t{sets_};
  std::uint64_t misses = 0;
  const std::uint64_t head = std::min(count, enough);
  for (std::uint64_t i = 0; i < head; ++i) misses += touch(first + i).hit ? 0 : 1;
  const std::uint64_t tail = std::min(count - head, enough);
  for (std::uint64_t i = count - tail; i < count; ++i) touch(first + i);
  return misses + (count - head);
}

bool LruTable::erase(std::uint64_t key) {
  const auto at = where_.find(key);
  if (at == where_.end()) return false;
  const std::uint32_t slot = at->second;
  where_.erase(at);
  unlink(slot);
  link_behind(slot, previous_[slots_ + static_cast<std::uint32_t>(key % sets_)]);  // taken first
  return true;
}

std::uint64_t LruTable::erase_run(std::uint64_t first, std::uint64_t count) {
  std::uint64_t erased = 0;
  if (count <= slots_) {
    for (std::uint64_t i = 0; i < count; ++i) erased += erase(first + i) ? 1 : 0;
    return erased;
  }
  for (const std::uint64_t key : keys_) {
    if (key >= first && key - first < count) erased += erase(key) ? 1 : 0;
  }
  return erased;
}

}  // namespace sluice::iommu

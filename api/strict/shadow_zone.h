// Where the program's views of mapped stores lie: for each map a range of pages of its own, over the same memory. What
// was unmapped keeps its addresses for a while, so that an access through an old pointer is known for what it is.
//
// A short range that is mapped again and again has a ring of views, which lie in a row and are opened eight by one
// system call, before they are needed. Its pointers come back after sixteen maps; of the last eight the pages are
// closed.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "api/strict/guard.h"

namespace sluice::api::strict {

class ShadowZone {
 public:
  // False: the process has no addresses for it (ulimit -v).
  [[nodiscard]] bool reserve();
  // From now on, if the handler also has SIGBUS.
  void use_rings();
  [[nodiscard]] std::uintptr_t begin() const noexcept { return begin_; }
  [[nodiscard]] std::uintptr_t end() const noexcept { return end_; }

  // A view of [first, first + bytes) of a store, for a map that gives `protection`: without access, or `ready` with
  // that one. Its region is filled in but for kind, state and protection; its id is that of the map which had it
  // before, or 0. nullptr: neither addresses nor a slot are to be had.
  [[nodiscard]] Region* make(const std::byte* first, std::size_t bytes, int protection);
  // Of what make() gave: accesses are caught from now on. Its addresses are used again last of all.
  void retire(Region& region);
  // Views of the store are gone with it: their pages show nothing of what comes to lie there.
  void forget_store(const std::byte* store, std::size_t bytes);
  // The store's byte behind a view's, or nullptr.
  [[nodiscard]] const std::byte* store_of(const Region& region, const void* p) const noexcept;
  // The view that ends or begins a page from `at`, or nullptr.
  [[nodiscard]] const Region* beside(std::uintptr_t at) const noexcept;
  [[nodiscard]] bool holds(const void* p) const noexcept {
    const auto at = reinterpret_cast<std::uintptr_t>(p);
    return at >= begin_ && at < end_;
  }

 private:
  static constexpr std::size_t batch = 8;
  struct Ring {
    std::array<Region*, 2 * batch> views{};
    std::size_t next = 0;
    std::bitset<2 * batch> busy;  // from next_of() to retire()
    std::uint64_t used_at = 0;
  };
  struct RingPlace {
    Ring* ring = nullptr;
    std::size_t index = 0;
  };
  struct Block {
    std::uintptr_t end = 0;
    Region* region = nullptr;
    const std::byte* store = nullptr;  // of the first page
    bool gone = false;
  };
  using Blocks = std::map<std::uintptr_t, Block>;
  using Range = std::pair<const std::byte*, std::size_t>;  // of a store
  using RingKey = std::tuple<const std::byte*, std::size_t, int>;
  using Rings = std::map<RingKey, std::unique_ptr<Ring>>;

  [[nodiscard]] std::uintptr_t find_room(std::size_t bytes);
  [[nodiscard]] Region* reuse(const std::byte* first, std::size_t bytes);
  [[nodiscard]] Region* place(std::uintptr_t begin, const std::byte* first, std::size_t bytes);
  void drop(Blocks::iterator block);
  void forget_gone(std::uintptr_t begin, const Block& block);
  void trim_gone();
  [[nodiscard]] Ring* ring_of(const std::byte* first, std::size_t bytes, int protection);
  [[nodiscard]] Ring* make_ring(const RingKey& key);
  [[nodiscard]] Region* next_of(Ring& ring, int protection);
  [[nodiscard]] RingPlace& place_in_ring(const Region& region);
  void clear(Ring& ring);
  void drop_idle_ring();

  std::uintptr_t begin_ = 0, end_ = 0, next_ = 0;
  int nothing_ = -1;  // an empty file: what is mapped of it has no pages
  std::uint64_t rings_used_ = 0;
  Rings rings_;
  std::vector<RingPlace> ring_places_;  // by the region's slot
  Blocks blocks_;
  std::deque<std::uintptr_t> gone_;                      // oldest first
  std::map<Range, std::deque<std::uintptr_t>> gone_of_;  // the same by what they show
};

}  // namespace sluice::api::strict

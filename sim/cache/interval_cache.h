// A least-recently-used cache over address intervals: what a cache of `capacity` bytes holds, kept per run of lines
// instead of per line, so that a 256 MiB stream costs a handful of steps. Addresses are line-aligned by the caller.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <vector>

namespace sluice::cache {

class IntervalCache {
 public:
  struct Run {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    bool dirty = false;
  };

  explicit IntervalCache(std::uint64_t capacity_bytes) : capacity_(capacity_bytes) {}

  // Accesses [begin, end) line by line in address order: equal, line for line, to a line-granular LRU cache. A dirty
  // run stays dirty when only read. What is evicted on the way, the head of a run longer than the capacity included, is
  // appended to `victims`, oldest first, where it is not null.
  void touch(std::uint64_t begin, std::uint64_t end, bool dirty, std::vector<Run>* victims = nullptr);
  void remove(std::uint64_t begin, std::uint64_t end);
  void clean(std::uint64_t begin, std::uint64_t end);

  // Appends the resident parts of [begin, end) in address order.
  void resident(std::uint64_t begin, std::uint64_t end, std::vector<Run>& out) const;
  [[nodiscard]] std::uint64_t resident_bytes(std::uint64_t begin, std::uint64_t end) const;
  // Runs kept, for tests of cost.
  [[nodiscard]] std::size_t entries() const noexcept { return entries_.size(); }
  [[nodiscard]] std::uint64_t used_bytes() const noexcept { return used_; }

 private:
  struct Entry {
    std::uint64_t end = 0;
    bool dirty = false;
    std::list<std::uint64_t>::iterator age;  // begin addresses, oldest first
  };
  using Map = std::map<std::uint64_t, Entry>;

  // Adds lines that are not resident as the youngest, to the youngest entry where they continue it.
  void append(std::uint64_t begin, std::uint64_t end, bool dirty);
  void erase(Map::iterator it);
  void make_room(std::uint64_t bytes, std::vector<Run>* victims);
  static void report(const Run& run, std::vector<Run>* victims);
  // Cuts entries so that `at` is a border.
  void split(std::uint64_t at);

  std::uint64_t capacity_;
  std::uint64_t used_ = 0;
  Map entries_;
  std::list<std::uint64_t> ages_;
};

}  // namespace sluice::cache

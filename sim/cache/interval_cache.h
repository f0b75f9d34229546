// A least-recently-used cache over address intervals: what a cache of `capacity` bytes holds, kept per run of lines
// instead of per line, so that a 256 MiB stream costs a handful of steps. Addresses are line-aligned by the caller.
#pragma once

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

  // Makes [begin, end) the most recent contents. A dirty run stays dirty when only read. Evicted runs, oldest first,
  // are appended to `victims` where it is not null. A run longer than the capacity leaves its tail.
  void touch(std::uint64_t begin, std::uint64_t end, bool dirty, std::vector<Run>* victims = nullptr);
  void remove(std::uint64_t begin, std::uint64_t end);
  void clean(std::uint64_t begin, std::uint64_t end);

  // Appends the resident parts of [begin, end) in address order.
  void resident(std::uint64_t begin, std::uint64_t end, std::vector<Run>& out) const;
  [[nodiscard]] std::uint64_t resident_bytes(std::uint64_t begin, std::uint64_t end) const;
  [[nodiscard]] std::uint64_t used_bytes() const noexcept { return used_; }

 private:
  struct Entry {
    std::uint64_t end = 0;
    bool dirty = false;
    std::list<std::uint64_t>::iterator age;  // begin addresses, oldest first
  };
  using Map = std::map<std::uint64_t, Entry>;

  void insert(std::uint64_t begin, std::uint64_t end, bool dirty);
  // Cuts entries so that `at` is a border.
  void split(std::uint64_t at);

  std::uint64_t capacity_;
  std::uint64_t used_ = 0;
  Map entries_;
  std::list<std::uint64_t> ages_;
};

}  // namespace sluice::cache

// Which pages of a region the program has written, as the kernel knows it: userfaultfd's write protection, resolved by
// the kernel itself (Linux 6.7). No signal is involved, so the program's handlers are its own, and system calls that
// write the region work. docs/touch-tracking.md says what was measured beside it. Used under the driver's lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sluice::api {

class TouchTracker {
 public:
  // nullptr: `missing` says what the kernel lacks.
  [[nodiscard]] static std::unique_ptr<TouchTracker> open(std::string& missing);
  ~TouchTracker();
  TouchTracker(const TouchTracker&) = delete;
  TouchTracker& operator=(const TouchTracker&) = delete;

  // Writes to [p, p + bytes) are noticed from now on. Regions may share pages. False: the kernel cannot watch this
  // memory.
  [[nodiscard]] bool begin(const void* owner, std::uint64_t serial, const std::byte* p, std::size_t bytes);
  struct Run {
    const std::byte* begin = nullptr;
    std::size_t bytes = 0;
    [[nodiscard]] bool operator==(const Run&) const = default;
  };
  // What lies in pages that were written since; in address order. nullopt: not begun.
  [[nodiscard]] std::optional<std::vector<Run>> end(const void* owner, std::uint64_t serial);
  // `owner` is gone.
  void forget(const void* owner);

 private:
  using Key = std::pair<const void*, std::uint64_t>;
  using Pages = std::pair<std::uintptr_t, std::uintptr_t>;  // from, to; addresses
  struct Watch {
    Pages bytes;
    Pages pages;                 // that the region lies in
    std::vector<Pages> written;  // seen before the pages were protected anew, for another region
  };

  TouchTracker(int faults, int page_map) : faults_(faults), page_map_(page_map) {}
  void scan(const Pages& pages, std::vector<Pages>& written) const;
  void leave(std::map<Key, Watch>::iterator watch);

  int faults_;
  int page_map_;
  std::map<Key, Watch> watches_;
};

}  // namespace sluice::api

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

#include <boost/icl/interval_set.hpp>

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
  // `stores`: fresh() tells of them.
  [[nodiscard]] bool begin(const void* owner, std::uint64_t serial, const std::byte* p, std::size_t bytes,
                           bool stores = false);
  struct Run {
    const std::byte* begin = nullptr;
    std::size_t bytes = 0;
    [[nodiscard]] bool operator==(const Run&) const = default;
  };
  // What lies in pages that were written since; in address order. nullopt: not begun.
  [[nodiscard]] std::optional<std::vector<Run>> end(const void* owner, std::uint64_t serial);
  // Pages of regions whose stores are asked for that the program has written since the last call, each once however many
  // regions it lies in: what lies in them, and in which region. end() tells of them, too. Not those that a command may have
  // written meanwhile.
  struct Fresh {
    Run region;
    Run written;
  };
  [[nodiscard]] std::vector<Fresh> fresh();
  // The command of that number may write there from now on, until ...
  void command_writes(std::uint64_t command, const std::byte* p, std::size_t bytes);
  // ... it is over.
  void command_over(std::uint64_t command);
  // `owner` is gone.
  void forget(const void* owner);

 private:
  using Key = std::pair<const void*, std::uint64_t>;
  using Pages = std::pair<std::uintptr_t, std::uintptr_t>;  // from, to; addresses
  using PageSet = boost::icl::interval_set<std::uintptr_t, std::less, boost::icl::right_open_interval<std::uintptr_t>>;
  struct Watch {
    Pages bytes;
    Pages pages;      // that the region lies in
    PageSet written;  // seen before the pages were protected anew
    bool stores = false;
  };

  TouchTracker(int faults, int page_map) : faults_(faults), page_map_(page_map) {}
  // `again`: they are protected anew, each as it is seen.
  void scan(const Pages& pages, PageSet& written, bool again = false) const;
  void leave(std::map<Key, Watch>::iterator watch);

  int faults_;
  int page_map_;
  std::map<Key, Watch> watches_;
  std::map<std::uint64_t, Pages> command_writes_;  // of commands that are not over
  PageSet command_wrote_;                          // of those that are, since fresh() was last asked
};

}  // namespace sluice::api

// Sorts changes by time, as many as there are, in bounded memory: sorted runs go to a file without a name beside the
// trace, and are merged when all is there. Changes of the same time stay in the order in which they came.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/iface/time.h"

namespace sluice::trace {

// What happens to a signal at a time; `what` and `value` are the owner's.
struct Change {
  TimePs at = 0;
  std::uint64_t value = 0;
  std::uint32_t signal = 0;
  std::uint32_t what = 0;
};

class ChangeSorter {
 public:
  // Changes that are kept in memory: 6 MiB of them. Runs that are merged at once.
  static constexpr std::size_t changes_of_a_run = 256 * 1024;
  static constexpr std::size_t most_runs = 512;

  // `beside`: the trace file; the file for runs is made only when there is a second run.
  explicit ChangeSorter(const std::string& beside, std::size_t run = changes_of_a_run, std::size_t runs = most_runs);
  ~ChangeSorter();
  ChangeSorter(const ChangeSorter&) = delete;
  ChangeSorter& operator=(const ChangeSorter&) = delete;

  // Once for all changes, in the end. Both: 0, or an errno; after one nothing more is taken.
  [[nodiscard]] int add(const Change& change);
  [[nodiscard]] int sorted(const std::function<void(const Change&)>& take);

 private:
  struct Run {
    std::uint64_t begin = 0;  // in changes
    std::uint64_t count = 0;
  };

  [[nodiscard]] int open_file(int& descriptor) const;
  [[nodiscard]] int spill();
  [[nodiscard]] int merge(const std::function<int(const Change&)>& take);
  [[nodiscard]] int merge_runs();

  std::string folder_;
  std::size_t run_;
  std::size_t most_runs_;
  std::vector<Change> changes_;
  std::vector<Run> runs_;
  std::uint64_t spilled_ = 0;  // changes in the file
  int descriptor_ = -1;
  int error_ = 0;
};

}  // namespace sluice::trace

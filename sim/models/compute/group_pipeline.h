// Executes a launch's groups in a thread of its own, in the order in which they are dispatched and some ahead of who times
// them. Results and their order are those of executing each when it is asked for. Free of SystemC.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>

#include "sim/models/compute/launch.h"

namespace sluice::compute {

class GroupPipeline {
 public:
  using Run = std::function<bool(const std::array<std::uint64_t, 3>&, GroupTrace&)>;

  // Whether that pays on this host for the rest of a launch whose first `groups` groups made so many records; or that is
  // known of its range alone, with 0.
  [[nodiscard]] static bool pays(const NdRange& range, std::uint64_t groups, std::uint64_t records);
  // Of a group, as a measure of the work that it is. `alike`: it was executed without being looked at.
  [[nodiscard]] static std::uint64_t records_of(const GroupTrace& trace, bool alike) noexcept {
    return alike ? trace.accesses.size() / 8 : trace.accesses.size() + trace.sectors.size() / 8;
  }
  static constexpr std::uint64_t first_groups = 8;  // to look at
  // From `first` on. Throws std::system_error where there can be no thread. `run` does not throw.
  GroupPipeline(const GroupOrder& first, Run run);
  // The group under way is waited for.
  ~GroupPipeline();
  GroupPipeline(const GroupPipeline&) = delete;
  GroupPipeline& operator=(const GroupPipeline&) = delete;
  // The next group's; what run() returned.
  [[nodiscard]] bool next(GroupTrace& trace);

 private:
  static constexpr std::size_t slots = 256;
  static constexpr std::size_t batch = 32;                               // handed over at once, either way
  static constexpr std::size_t room = slots / 2;                         // that who waits for room waits for
  static constexpr std::uint64_t most_records = std::uint64_t{1} << 20;  // executed ahead
  struct Slot {
    GroupTrace trace;
    bool good = false;
    std::uint64_t records = 0;
  };
  void execute();
  [[nodiscard]] bool make_room(std::uint64_t filled, std::uint64_t& handed);
  void hand_over(std::uint64_t filled);

  const GroupOrder first_;
  const Run run_;
  std::array<Slot, slots> ring_;
  std::uint64_t taken_ = 0, known_ = 0;  // slots, by who takes them
  // Slots that were filled and emptied, each written by one thread; a line of the host's cache each.
  alignas(64) std::atomic<std::uint64_t> filled_{0};
  alignas(64) std::atomic<std::uint64_t> emptied_{0};
  alignas(64) std::atomic<std::uint64_t> records_{0};  // in filled slots
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace sluice::compute

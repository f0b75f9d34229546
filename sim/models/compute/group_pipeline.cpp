#include "sim/models/compute/group_pipeline.h"

#include <utility>

namespace sluice::compute {

namespace {

// Until `value` is not `old`.
std::uint64_t wait_while(const std::atomic<std::uint64_t>& value, std::uint64_t old) {
  value.wait(old, std::memory_order_acquire);
  return value.load(std::memory_order_acquire);
}

}  // namespace

bool GroupPipeline::pays(const NdRange& range, std::uint64_t groups, std::uint64_t records) {
  // A millisecond or so each; a thread takes a tenth of it to begin.
  constexpr std::uint64_t least_items = std::uint64_t{1} << 17, least_records = std::uint64_t{1} << 13;
  static const bool has_processors = std::thread::hardware_concurrency() > 1;
  const auto n = range.groups();
  const std::uint64_t all = n[0] * n[1] * n[2];
  if (!has_processors || all < groups + 2 * batch) return false;
  return range.global[0] * range.global[1] * range.global[2] >= least_items ||
         (groups != 0 && records * (all - groups) / groups >= least_records);
}

GroupPipeline::GroupPipeline(const GroupOrder& first, Run run)
    : first_(first), run_(std::move(run)), thread_([this] { execute(); }) {}

GroupPipeline::~GroupPipeline() {
  stop_.store(true, std::memory_order_relaxed);
  emptied_.fetch_add(slots, std::memory_order_release);  // whatever it waits for
  emptied_.notify_one();
  thread_.join();
}

void GroupPipeline::hand_over(std::uint64_t filled) {
  filled_.store(filled, std::memory_order_release);
  filled_.notify_one();
}

// False: nobody wants the rest. Once there is none it waits for much of it, so that threads change seldom.
bool GroupPipeline::make_room(std::uint64_t filled, std::uint64_t& handed) {
  std::uint64_t emptied = emptied_.load(std::memory_order_acquire);
  std::uint64_t most = slots;
  const auto is_full = [&] {
    return filled - emptied >= most || (filled != emptied && records_.load(std::memory_order_relaxed) > most_records);
  };
  while (is_full() && !stop_.load(std::memory_order_relaxed)) {
    most = slots - room;
    if (handed != filled) hand_over(handed = filled);
    emptied = wait_while(emptied_, emptied);
  }
  return !stop_.load(std::memory_order_relaxed);
}

void GroupPipeline::execute() {
  std::uint64_t filled = 0, handed = 0;
  std::size_t accesses = 0, sectors = 0;  // of the group before: slots that are new need not grow step by step
  bool good = true;
  for (GroupOrder order = first_; good && !order.done() && make_room(filled, handed); order.next()) {
    Slot& slot = ring_[filled % slots];
    slot.trace.clear();
    slot.trace.accesses.reserve(accesses + accesses / 8);
    slot.trace.sectors.reserve(sectors + sectors / 8);
    good = slot.good = run_(order.at(), slot.trace);
    accesses = slot.trace.accesses.size(), sectors = slot.trace.sectors.size();
    slot.records = slot.trace.accesses.size() + slot.trace.sectors.size();
    records_.fetch_add(slot.records, std::memory_order_relaxed);
    if (++filled - handed == batch) hand_over(handed = filled);
  }
  if (handed != filled) hand_over(filled);
}

bool GroupPipeline::next(GroupTrace& trace) {
  if (taken_ == known_) {
    // What waits for room is told of all that there is.
    emptied_.store(taken_, std::memory_order_release);
    emptied_.notify_one();
    known_ = wait_while(filled_, known_);
  }
  Slot& slot = ring_[taken_++ % slots];
  std::swap(trace, slot.trace);
  const bool good = slot.good;
  records_.fetch_sub(slot.records, std::memory_order_relaxed);
  if (taken_ % batch == 0) {
    emptied_.store(taken_, std::memory_order_release);
    emptied_.notify_one();
  }
  return good;
}

}  // namespace sluice::compute

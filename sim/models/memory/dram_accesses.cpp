#include "sim/models/memory/dram_accesses.h"

#include <algorithm>

namespace sluice::memory {

DramAccesses::DramAccesses(const profile::Dram& memory) : address_(memory), burst_(memory.burst_bytes()) {
  const DramController one(memory);
  shared_ = one.channels();
  controllers_.assign((std::max(1U, memory.channels) + shared_ - 1) / shared_, one);
  added_.resize(controllers_.size());
}

void DramAccesses::begin(TimePs at) {
  TimePs last = 0;
  for (const DramController& c : controllers_) last = std::max(last, c.now());
  // Launches that overlap go on by the clock of the first.
  skipped_ = std::max(skipped_, at - std::min(at, last));
}

TimePs DramAccesses::serve(TimePs at, std::span<const KernelAccess> accesses) {
  const TimePs now = at - std::min(at, skipped_);
  touched_.clear();
  for (const KernelAccess& a : accesses) {
    for (std::uint64_t burst = a.begin / burst_; burst <= (a.begin + a.bytes - 1) / burst_; ++burst) {
      const DramPlace place = address_.place(burst * burst_);
      const std::size_t number = place.channel / shared_;
      DramController& c = controllers_[number];
      if (touched_.empty() || std::find(touched_.begin(), touched_.end(), number) == touched_.end()) {
        touched_.push_back(number);
        c.run_until(now);
      }
      c.add(a.access, place.channel % shared_, place.bank, place.row, now);
      ++added_[number];
    }
  }
  TimePs done = now;
  for (const std::size_t number : touched_) {
    DramController& c = controllers_[number];
    c.run_until_taken();
    const std::uint64_t waiting = added_[number] - c.counts().reads - c.counts().writes;
    done = std::max(done, std::max(now, c.data_end()) + waiting * c.rules().column / shared_);
  }
  const DramRules& t = controllers_.front().rules();
  const TimePs lone = t.trcd + t.tcl + t.burst;  // which is part of what a miss takes anyway
  return std::max(at, done + skipped_ - std::min(done, lone));
}

DramCounts DramAccesses::counts() const {
  DramCounts sum;
  for (const DramController& c : controllers_) {
    const DramCounts& n = c.counts();
    sum.row_hits += n.row_hits;
    sum.row_misses += n.row_misses;
    sum.row_conflicts += n.row_conflicts;
    sum.activations += n.activations;
    sum.refreshes += n.refreshes;
    sum.refresh_ps += n.refresh_ps;
    sum.reads += n.reads;
    sum.writes += n.writes;
    sum.busy_ps += n.busy_ps;
  }
  return sum;
}

std::uint64_t DramAccesses::open_rows() const {
  std::uint64_t n = 0;
  for (const DramController& c : controllers_) n += c.open_rows();
  return n;
}

}  // namespace sluice::memory

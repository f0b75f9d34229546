#include "sim/models/memory/dram_stream.h"

#include <algorithm>

namespace sluice::memory {

namespace {

constexpr TimePs intervals = 8;                // of refresh, that a stream is simulated for
constexpr TimePs without_refresh = 31'000'000;  // the same where there is none
constexpr std::uint64_t at_once = 16;          // bursts that are fed between two looks at the clock

TimePs simulated_time(const profile::Dram& m) {
  return m.timings.trefi_ps == 0 ? without_refresh : intervals * m.timings.trefi_ps;
}

void scale(std::uint64_t& count, double by) { count = static_cast<std::uint64_t>(static_cast<double>(count) * by + 0.5); }

DramCounts between(const DramCounts& before, const DramCounts& after, double by) {
  DramCounts d = after;
  const auto take = [by](std::uint64_t& to, std::uint64_t from) {
    to -= from;
    scale(to, by);
  };
  take(d.reads, before.reads);
  take(d.writes, before.writes);
  take(d.row_hits, before.row_hits);
  take(d.row_misses, before.row_misses);
  take(d.row_conflicts, before.row_conflicts);
  take(d.activations, before.activations);
  take(d.precharges, before.precharges);
  take(d.refreshes, before.refreshes);
  take(d.commands, before.commands);
  take(d.refresh_ps, before.refresh_ps);
  take(d.busy_ps, before.busy_ps);
  for (std::size_t i = 0; i < dram_limits; ++i) take(d.idle_ps[i], before.idle_ps[i]);
  return d;
}

// The data bus, unless it stood idle for longer, for one reason.
DramLimit limit_of(const DramCounts& c) {
  const auto worst = std::max_element(c.idle_ps.begin(), c.idle_ps.end());
  return *worst > c.busy_ps ? static_cast<DramLimit>(worst - c.idle_ps.begin()) : DramLimit::bus;
}

}  // namespace

DramStreams::DramStreams(const profile::Dram& memory) : memory_(memory), address_(memory_), controller_(memory_) {
  // Half an interval after a refresh, so that whole intervals have whole refreshes.
  controller_.add(Access::read, 0, 0, 0, memory_.timings.trefi_ps / 2);
  controller_.run();
}

DramUse DramStreams::Result::use() const {
  return {counts.row_hits,   counts.row_misses,          counts.row_conflicts, counts.activations, counts.refreshes,
          counts.refresh_ps, open_rows, static_cast<TimePs>(ps + 0.5), to_string(limit)};
}

std::uint64_t DramStreams::feed(DramController& controller, const Next& next, TimePs until) const {
  std::uint64_t fed = 0;
  Access access = Access::read;
  std::uint64_t burst = 0;
  for (bool more = true; more && controller.now() < until;) {
    for (std::uint64_t i = 0; i < at_once && (more = next(access, burst)); ++i, ++fed) {
      const DramPlace p = address_.place_in_channel(burst);
      for (std::uint32_t c = 0; c < controller.channels(); ++c) controller.add(access, c, p.bank, p.row);
    }
    controller.run_until_taken();
  }
  return fed;
}

DramStreams::Result DramStreams::stream(Access access, const std::vector<DramPart>& parts, std::uint64_t also) {
  DramWalk walk(memory_, parts);
  const std::uint64_t own = walk.bursts();
  const std::uint64_t other = walk.share(also);
  const std::uint64_t all = own + other;
  if (all == 0) return {};
  const std::uint64_t row = std::max(1U, memory_.row_bytes / controller_.rules().burst_bytes);
  const Access opposite = access == Access::read ? Access::write : Access::read;
  // Rows of both kinds in turn, as evenly as whole rows can be; the others lie half the banks away.
  const std::uint64_t elsewhere = DramWalk(memory_, parts).next() + row * memory_.banks / 2;
  std::uint64_t done = 0, others = 0;
  const Next next = [&](Access& a, std::uint64_t& burst) {
    if (done == all) return false;
    const bool turn = others < other && (done - others >= own || done / row * other / all > others / row ||
                                         others % row != 0);
    ++done;
    a = turn ? opposite : access;
    burst = turn ? elsewhere + others++ : walk.next();
    return true;
  };
  const DramCounts before = controller_.counts();
  const TimePs start = controller_.now();
  const TimePs end_before = controller_.data_end();
  Result r;
  // The first burst alone shows when the data begin. What is more than the latency of a closed row is part of the stream.
  const auto one = [&](Access& a, std::uint64_t& burst) { return done == 0 && next(a, burst); };
  std::uint64_t fed = feed(controller_, one, time_never);
  controller_.run();
  const DramRules& t = controller_.rules();
  const TimePs begin = std::max(end_before, std::min(controller_.data_end() - t.burst, start + t.trcd + t.tcl));
  fed += feed(controller_, next, start + simulated_time(memory_));
  const TimePs stopped = controller_.now();
  const auto served = [&](const DramCounts& c) { return c.reads + c.writes - before.reads - before.writes; };
  const double in_time = static_cast<double>(served(controller_.counts())) / controller_.channels();
  controller_.run();
  const double more = static_cast<double>(all) / static_cast<double>(fed);
  // What was cut off goes on as whole intervals went, not as the queues ran empty.
  r.ps = fed < all ? static_cast<double>(stopped - start) * static_cast<double>(all) / in_time
                   : static_cast<double>(controller_.data_end() - begin);
  r.open_rows = std::uint64_t{controller_.open_rows()} * memory_.channels / controller_.channels();
  r.limit = limit_of(between(before, controller_.counts(), 1.0));
  r.counts = between(before, controller_.counts(), more * memory_.channels / controller_.channels());
  return r;
}

double DramStreams::sustained_bytes_per_s(std::uint32_t write_permille) {
  const std::uint32_t permille = std::min(write_permille, 1000U);
  const auto known = sustained_.find(permille);
  if (known != sustained_.end()) return known->second;
  DramController controller(memory_);
  const std::uint64_t row = std::max<std::uint64_t>(1, memory_.row_bytes / controller.rules().burst_bytes);
  std::uint64_t done = 0, reads = 0, writes = 0;
  const Next next = [&](Access& a, std::uint64_t& burst) {
    const std::uint64_t rows = done++ / row;
    const bool write = (rows + 1) * permille / 1000 > rows * permille / 1000;
    a = write ? Access::write : Access::read;
    burst = write ? row * memory_.banks / 2 + writes++ : reads++;
    return true;
  };
  // Whole intervals: each has its refresh.
  const auto served = [&] { return controller.counts().reads + controller.counts().writes; };
  feed(controller, next, memory_.timings.trefi_ps == 0 ? ps_per_us : memory_.timings.trefi_ps);
  const TimePs begin = controller.now();
  const std::uint64_t before = served();
  feed(controller, next, begin + simulated_time(memory_));
  const double bursts = static_cast<double>(served() - before) / controller.channels() * memory_.channels;
  const double rate = bursts * controller.rules().burst_bytes * 1e12 / static_cast<double>(controller.now() - begin);
  sustained_.emplace(permille, rate);
  return rate;
}

}  // namespace sluice::memory

#include "sim/models/memory/dram_memory.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "sim/cache/interval_cache.h"
#include "sim/models/memory/dram_accesses.h"
#include "sim/models/memory/dram_bound.h"
#include "sim/models/memory/dram_stream.h"

namespace sluice::memory {

namespace {

constexpr double ps_per_s = 1e12;

}  // namespace

struct DramMemory::Impl {
  Impl(const profile::Dram& m, const profile::DeviceCache& c)
      : memory(m), rules(m), cache_profile(c), cache(c.capacity_bytes) {
    if (m.detail != profile::DramDetail::commands) return;
    commands.emplace(m);
    accesses.emplace(m);
  }

  // Of one channel: what refresh, column commands, row activations and turnarounds leave of the pins' rate for a
  // sequential stream.
  [[nodiscard]] double efficiency(std::uint32_t write_permille) const {
    const DramRules& t = rules;
    const bool groups_in_turn =
        t.banks == t.banks_per_group || memory.address_order.back() == profile::DramField::bank_group;
    const double column = static_cast<double>(groups_in_turn ? t.column : t.column_l);
    // A row's bursts must cover the time between activations: tRC spread over the banks, tRRD, and four per tFAW.
    const double row_ps = static_cast<double>(memory.row_bytes) / t.burst_bytes * column;
    const double activation_ps = std::max({static_cast<double>(t.trc) / t.banks, static_cast<double>(t.trrd),
                                           static_cast<double>(t.tfaw) / 4.0});
    const double paced_row_ps = std::max(row_ps, activation_ps);
    double e = t.refreshed();
    e *= static_cast<double>(t.burst) / column;
    e *= row_ps / paced_row_ps;
    // A mixed stream turns the bus around once each way for every batch of rows of the rarer kind.
    const std::uint32_t rarer = std::min(write_permille, 1000U - std::min(write_permille, 1000U));
    if (rarer > 0) {
      const double rows_ps = 1000.0 / rarer * paced_row_ps * memory.write_drain_rows;
      const double to_write = std::max(0.0, static_cast<double>(t.trtw) - column);
      const double to_read = std::max(0.0, static_cast<double>(t.write_to_read) - column);
      e *= rows_ps / (rows_ps + to_write + to_read);
    }
    return e;
  }
  // Cuts `parts` to so many bytes: a write that the cache takes drives out less than it brings.
  void keep(std::uint64_t bytes) {
    for (DramPart& p : parts) {
      const std::uint64_t kept = std::min(p.bytes, bytes);
      if (kept < p.bytes) {
        p.end = p.begin + static_cast<std::uint64_t>(static_cast<double>(p.end - p.begin) * static_cast<double>(kept) /
                                                     static_cast<double>(p.bytes));
        p.bytes = kept;
      }
      bytes -= kept;
    }
  }
  // At most, where `parts` leave holes: banks and groups may be too few. Small ones come nowhere near a steady state.
  [[nodiscard]] double scattered_bytes_per_s() const {
    constexpr std::uint64_t enough = 1024;
    DramWalk walk(memory, parts);
    if (walk.bursts() < 4ULL * rules.banks) return channel_rate() * memory.channels;
    const DramAddress address(memory);
    DramBound bound(memory);
    const std::uint64_t bursts = std::min(enough, walk.bursts());
    for (std::uint64_t i = 0; i < bursts; ++i) bound.add(address.place_in_channel(walk.next()));
    return static_cast<double>(bursts) * rules.burst_bytes * memory.channels * ps_per_s / bound.ps();
  }
  [[nodiscard]] double channel_rate() const { return memory.bus_bits / 8.0 * memory.gigatransfers_per_s * 1e9; }

  const profile::Dram& memory;
  DramRules rules;
  const profile::DeviceCache& cache_profile;
  cache::IntervalCache cache;
  std::vector<cache::IntervalCache::Run> victims;
  std::optional<DramStreams> commands;  // of that detail
  std::optional<DramAccesses> accesses;
  DramCounts told;  // of the accesses
  std::vector<DramPart> parts;
  KernelCache* shared = nullptr;

  KernelCache::Touched touch(Access access, std::uint64_t begin, std::uint64_t end) {
    const bool allocates = cache_profile.copies_allocate;
    if (shared != nullptr) return shared->touch(access, begin, end, allocates);
    KernelCache::Touched touched;
    touched.hit_bytes = cache.resident_bytes(begin, end);
    if (!allocates) return touched;  // nothing ever is there
    victims.clear();
    cache.touch(begin, end, access == Access::write, &victims);
    for (const cache::IntervalCache::Run& v : victims) touched.driven_out_bytes += v.dirty ? v.end - v.begin : 0;
    return touched;
  }
};

DramMemory::DramMemory(const profile::Dram& memory, const profile::DeviceCache& cache)
    : impl_(std::make_unique<Impl>(memory, cache)) {}
DramMemory::~DramMemory() = default;

std::uint64_t DramMemory::sustained_bytes_per_s(std::uint32_t write_permille) const noexcept {
  if (impl_->commands) return static_cast<std::uint64_t>(impl_->commands->sustained_bytes_per_s(write_permille));
  return static_cast<std::uint64_t>(impl_->channel_rate() * impl_->memory.channels * impl_->efficiency(write_permille));
}

void DramMemory::share(KernelCache& cache) {
  std::vector<cache::IntervalCache::Run> runs;
  impl_->cache.resident(0, ~0ULL, runs);
  for (const cache::IntervalCache::Run& r : runs)
    (void)cache.touch(r.dirty ? Access::write : Access::read, r.begin, r.end, true);
  impl_->shared = &cache;
}

TimePs DramMemory::miss_latency_ps() const noexcept {
  const profile::DramTimings& t = impl_->memory.timings;
  return t.trcd_ps + t.tcl_ps + impl_->rules.burst;
}

bool DramMemory::takes_accesses() const noexcept { return impl_->accesses.has_value(); }

void DramMemory::begin_launch(TimePs at) {
  if (impl_->accesses) impl_->accesses->begin(at);
}

TimePs DramMemory::serve(TimePs at, std::span<const KernelAccess> accesses) {
  return impl_->accesses ? impl_->accesses->serve(at, accesses) : at;
}

DramUse DramMemory::kernel_use() {
  DramUse use;
  if (!impl_->accesses) return use;
  const DramCounts n = impl_->accesses->counts();
  DramCounts& told = impl_->told;
  use.row_hits = n.row_hits - told.row_hits;
  use.row_misses = n.row_misses - told.row_misses;
  use.row_conflicts = n.row_conflicts - told.row_conflicts;
  use.activations = n.activations - told.activations;
  use.refreshes = n.refreshes - told.refreshes;
  use.refresh_ps = n.refresh_ps - told.refresh_ps;
  use.open_rows = impl_->accesses->open_rows();
  told = n;
  return use;
}

StreamCost DramMemory::stream(Access access, std::uint64_t address, std::uint64_t bytes, std::uint32_t packet_bytes) {
  const AddressRun run{address, address + bytes, bytes};
  return stream(access, {&run, 1}, bytes, packet_bytes);
}

StreamCost DramMemory::stream(Access access, std::span<const AddressRun> runs, std::uint64_t payload,
                              std::uint32_t packet_bytes) {
  StreamCost cost;
  if (payload == 0) return cost;
  const std::uint64_t line = impl_->cache_profile.line_bytes;
  const profile::DeviceCache& l2 = impl_->cache_profile;
  std::uint64_t moved = 0;    // by the stream
  std::uint64_t touched = 0;  // the same in whole lines, where runs are touched as a whole
  std::uint64_t spanned = 0;  // and with what lies between
  std::uint64_t missing = 0;
  std::uint64_t written = 0;
  impl_->parts.clear();
  for (const AddressRun& run : runs) {
    const std::uint64_t begin = run.begin / line * line;
    const std::uint64_t end = (run.end + line - 1) / line * line;
    const std::uint64_t span = end - begin;
    const std::uint64_t part = run.bytes == run.end - run.begin ? span : std::min(run.bytes, span);
    moved += run.bytes;
    touched += part;
    spanned += span;
    const KernelCache::Touched there = impl_->touch(access, begin, end);
    const std::uint64_t absent = span - there.hit_bytes;
    written += there.driven_out_bytes;
    const std::uint64_t fetched =
        part == span ? absent
                     : static_cast<std::uint64_t>(static_cast<double>(absent) * static_cast<double>(part) /
                                                  static_cast<double>(span));
    missing += fetched;
    if (fetched > 0 || l2.capacity_bytes == 0) impl_->parts.push_back({begin, end, l2.capacity_bytes == 0 ? part : fetched});
  }
  // A write is absorbed by the cache, but pays for the dirty lines it drives out: older ones or its own.
  std::uint64_t read = access == Access::read ? missing : 0;
  if (access == Access::write && !l2.copies_allocate) written += missing;
  if (l2.capacity_bytes == 0) {
    read = access == Access::read ? moved : 0;
    written = moved - read;
  }
  const std::uint64_t traffic = read + written;
  double ps_per_byte = l2.capacity_bytes > 0 && l2.bytes_per_s > 0 ? ps_per_s / static_cast<double>(l2.bytes_per_s) : 0;
  cost.first_ps = l2.latency_ps;
  cost.cached = traffic == 0;
  cost.missing = l2.capacity_bytes == 0 ? 1 : static_cast<double>(missing) / static_cast<double>(touched);
  if (traffic > 0) {
    const std::uint32_t permille = static_cast<std::uint32_t>(static_cast<double>(written) * 1000.0 /
                                                              static_cast<double>(traffic));
    if (impl_->commands) {
      const std::uint64_t own = access == Access::read ? read : written;
      if (impl_->parts.empty()) impl_->parts.push_back({runs.front().begin, runs.front().end, own});
      impl_->keep(own);
      const auto took = impl_->commands->stream(access, impl_->parts, traffic - own);
      ps_per_byte = std::max(ps_per_byte, took.ps / static_cast<double>(touched));
      cost.dram = took.use();
    } else {
      const double share = static_cast<double>(traffic) / static_cast<double>(touched);
      double rate = static_cast<double>(sustained_bytes_per_s(permille));
      if (spanned > touched && !impl_->parts.empty()) rate = std::min(rate, impl_->scattered_bytes_per_s());
      ps_per_byte = std::max(ps_per_byte, std::max(share, l2.capacity_bytes == 0 ? 1.0 : 0.0) * ps_per_s / rate);
    }
    if (read > 0 || l2.capacity_bytes == 0) cost.first_ps +=
        impl_->memory.timings.trcd_ps + impl_->memory.timings.tcl_ps;
    cost.row_activations = impl_->commands ? cost.dram.activations
                                           : (traffic + impl_->memory.row_bytes - 1) / impl_->memory.row_bytes;
  }
  const double spent = static_cast<double>(moved) / static_cast<double>(payload);
  cost.interval_ps = static_cast<TimePs>(packet_bytes * ps_per_byte * spent + 0.5);
  return cost;
}

}  // namespace sluice::memory

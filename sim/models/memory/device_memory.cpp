#include "sim/models/memory/device_memory.h"

#include <algorithm>
#include <vector>

#include "sim/cache/interval_cache.h"

namespace sluice::memory {

namespace {

constexpr double ps_per_s = 1e12;

}  // namespace

struct DeviceMemory::Impl {
  Impl(const profile::DeviceMemory& m, const profile::DeviceCache& c)
      : memory(m), cache_profile(c), cache(c.capacity_bytes) {}

  // Of one channel: what refresh and row activations leave of the pins' rate for a sequential stream.
  [[nodiscard]] double efficiency(std::uint32_t write_permille) const {
    const profile::DramTimings& t = memory.timings;
    double e = 1.0;
    if (t.trefi_ps > 0) e *= 1.0 - static_cast<double>(t.trfc_ps) / static_cast<double>(t.trefi_ps);
    // A row's bursts must cover the time between activations: tRC spread over the banks, tRRD, and four per tFAW.
    const double row_ps = static_cast<double>(memory.row_bytes) * ps_per_s / channel_rate();
    const double activation_ps = std::max({static_cast<double>(t.tras_ps + t.trp_ps) / memory.banks,
                                           static_cast<double>(t.trrd_ps), static_cast<double>(t.tfaw_ps) / 4.0});
    if (activation_ps > row_ps) e *= row_ps / activation_ps;
    // A mixed stream turns the bus around once a row each way.
    if (write_permille > 0 && write_permille < 1000) {
      e *= 2 * row_ps / (2 * row_ps + static_cast<double>(t.twtr_ps + t.trtw_ps));
    }
    return e;
  }
  [[nodiscard]] double channel_rate() const { return memory.bus_bits / 8.0 * memory.gigatransfers_per_s * 1e9; }

  const profile::DeviceMemory& memory;
  const profile::DeviceCache& cache_profile;
  cache::IntervalCache cache;
};

DeviceMemory::DeviceMemory(const profile::DeviceMemory& memory, const profile::DeviceCache& cache)
    : impl_(std::make_unique<Impl>(memory, cache)) {}
DeviceMemory::~DeviceMemory() = default;

std::uint64_t DeviceMemory::sustained_bytes_per_s(std::uint32_t write_permille) const noexcept {
  return static_cast<std::uint64_t>(impl_->channel_rate() * impl_->memory.channels * impl_->efficiency(write_permille));
}

StreamCost DeviceMemory::stream(Access access, std::uint64_t address, std::uint64_t bytes, std::uint32_t packet_bytes) {
  StreamCost cost;
  if (bytes == 0) return cost;
  const std::uint64_t line = impl_->cache_profile.line_bytes;
  const std::uint64_t begin = address / line * line;
  const std::uint64_t end = (address + bytes + line - 1) / line * line;
  const bool fits = impl_->cache_profile.capacity_bytes > 0 && impl_->cache.resident_bytes(begin, end) == end - begin;
  const profile::DramTimings& t = impl_->memory.timings;
  std::uint64_t rate = sustained_bytes_per_s(access == Access::write ? 1000 : 0);
  cost.first_ps = impl_->cache_profile.latency_ps + t.trcd_ps + t.tcl_ps;
  if (fits || (access == Access::write && bytes <= impl_->cache_profile.capacity_bytes)) {
    rate = impl_->cache_profile.bytes_per_s;
    cost.first_ps = impl_->cache_profile.latency_ps;
    cost.cached = true;
  } else {
    cost.row_activations = (bytes + impl_->memory.row_bytes - 1) / impl_->memory.row_bytes;
  }
  impl_->cache.touch(begin, end, access == Access::write);
  cost.interval_ps = static_cast<TimePs>(static_cast<double>(packet_bytes) * ps_per_s / static_cast<double>(rate) + 0.5);
  return cost;
}

}  // namespace sluice::memory

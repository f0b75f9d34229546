// The compute units as places for work-groups, and the serial parts that their waves share. Lives as long as the
// device: a launch finds what earlier ones have left running.
#pragma once

#include <algorithm>
#include <array>
#include <queue>
#include <span>
#include <vector>

#include "sim/models/compute/memory_side.h"
#include "sim/models/compute/rates.h"

namespace sluice::compute {

// What a work-group occupies of a compute unit.
struct Footprint {
  std::uint32_t waves = 1;
  std::uint64_t registers = 0;
  std::uint64_t local_bytes = 0;
};

struct Occupancy {
  Footprint group;
  std::uint32_t groups_per_unit = 0;  // 0: not even one fits
  std::uint32_t permille = 0;         // of the wave slots, with as many groups as fit or as there are
  std::string_view limit;
};

// `registers` a work-item; 0: not known.
[[nodiscard]] Occupancy occupancy_of(const profile::Profile& profile, const NdRange& range, std::uint32_t registers,
                                     std::uint64_t local_bytes);

// Device memory behind its cache: the rate follows the share of writes that the launch has shown so far.
class DramServer {
 public:
  explicit DramServer(const Rates& rates) : rates_(rates) {}
  void begin() { read_ = written_ = 0; }
  // From now on `memory` is told each access.
  void attach(memory::DeviceMemory& memory) { memory_ = &memory; }
  TimePs serve(TimePs at, std::uint64_t read, std::uint64_t written, std::span<const memory::KernelAccess> accesses) {
    if (memory_ != nullptr) return server_.serve_until(at, memory_->serve(at, accesses));
    read_ += read;
    written_ += written;
    const std::uint64_t total = read_ + written_;
    const std::size_t share = total == 0 ? 0 : static_cast<std::size_t>(written_ * dram_steps / total);
    return server_.serve(at, (read + written) * rates_.dram_byte[share]);
  }
  [[nodiscard]] Server& server() noexcept { return server_; }
  [[nodiscard]] const Server& server() const noexcept { return server_; }

 private:
  const Rates& rates_;
  memory::DeviceMemory* memory_ = nullptr;
  Server server_;
  std::uint64_t read_ = 0;
  std::uint64_t written_ = 0;
};

// Atomics on one sector wait for each other. Remembers the sectors that were busy last; direct-mapped.
class HotSectors {
 public:
  TimePs serve(std::uint64_t sector, TimePs at, Cost cost) {
    Entry& e = table_[sector % table_.size()];
    if (e.sector != sector) e = {sector, Server{}};
    return e.server.serve(at, cost);
  }
  [[nodiscard]] bool is_idle(TimePs at) const {
    return std::all_of(table_.begin(), table_.end(), [at](const Entry& e) { return e.server.free_at() <= at; });
  }
  void delay(TimePs later) {
    for (Entry& e : table_) e.server.delay(later);
  }

 private:
  struct Entry {
    std::uint64_t sector = ~0ULL;
    Server server;
  };
  std::vector<Entry> table_ = std::vector<Entry>(1024);
};

struct Unit {
  struct Resident {
    TimePs end = 0;
    Footprint group;
  };
  std::array<Server, pipes> pipe;
  Server launch;
  std::vector<Resident> residents;
};

class Grid {
 public:
  Grid(const profile::Profile& profile, const Rates& rates);

  // The first time from `at` on at which `unit` has room for `group`; forgets what has ended by `at`.
  [[nodiscard]] TimePs room(std::size_t unit, const Footprint& group, TimePs at);
  void occupy(std::size_t unit, const Footprint& group, TimePs end) { units[unit].residents.push_back({end, group}); }
  // A new launch: counts of busy time begin anew.
  void begin();
  // Whether nothing runs or is under way at `at`, nor will.
  [[nodiscard]] bool is_idle(TimePs at) const;

  // Everything that is under way.
  struct State;
  [[nodiscard]] State state() const;
  // The same `later`.
  void restore(const State& state, TimePs later);

  std::vector<Unit> units;
  Server dispatcher;
  Server l2;
  Server atomics;
  DramServer dram;
  HotSectors hot_sectors;
  Server host_read;
  Server host_write;

 private:
  const profile::Compute& profile_;
};

struct Grid::State {
  std::vector<Unit> units;
  Server dispatcher, l2, atomics, dram, host_read, host_write;
  HotSectors hot_sectors;
};

}  // namespace sluice::compute

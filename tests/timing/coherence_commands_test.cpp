// Commands on machines whose host and device share memory: what caches cost them, and which stage and part say so.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "sim/iface/simulator.h"
#include "sim/models/link/link.h"
#include "sim/profile/load.h"

namespace sluice {
namespace {

struct Sink final : TraceSink {
  TraceLevel level() const noexcept override { return TraceLevel::stage; }
  void command(const CommandRecord& r) override {
    EXPECT_EQ(std::accumulate(r.stages.begin(), r.stages.end(), TimePs{0}), r.times.visible - r.called);
    last = r;
  }
  void stage(const StageRecord& r) override {
    parts[std::string(r.part) + " " + std::string(r.action)] += r.end - r.begin;
  }
  [[nodiscard]] TimePs of(Stage s) const { return last.stages[static_cast<std::size_t>(s)]; }
  CommandRecord last;
  std::map<std::string, TimePs> parts;
};

// One in each test: a process has one SystemC kernel.
class Machine {
 public:
  explicit Machine(const std::string& profile) {
    SimulatorOptions options;
    options.profile = profile;
    options.trace = &sink;
    std::vector<std::string> errors;
    sim = open_simulator(options, errors);
    if (sim == nullptr) ADD_FAILURE() << (errors.empty() ? "" : errors.front());
  }
  void run(Operation op, Direction direction, std::uint64_t bytes) {
    Command c;
    c.id = ++id;
    c.queue = 1;
    c.op = op;
    c.direction = direction;
    c.moves_data = false;
    c.shape.row_bytes = bytes;
    Endpoint& host = direction == Direction::device_to_host ? c.target : c.source;
    host.placement = Placement::host_pinned;
    host.address = host_address;
    if (direction != Direction::none) {
      Endpoint& device = direction == Direction::device_to_host ? c.source : c.target;
      device.placement = Placement::device;
      device.address = 1ULL << 31;
    }
    sink.parts.clear();
    sim->enqueue(c, sim->now());
    while (sim->run_until_next_completion()) {
    }
  }

  static constexpr std::uint64_t host_address = 1ULL << 20;
  Sink sink;
  std::unique_ptr<Simulator> sim;
  CommandId id = 0;
};

// 2500 ns a call and 3 ns for each line that is present: 1024 of 64 KiB.
TEST(NonCoherentSoc, MapsAndUnmapsCostTheLinesThatArePresent) {
  Machine m("soc-noncoherent");
  constexpr std::uint64_t bytes = 64 << 10;
  m.sim->host_wrote(Machine::host_address, bytes);
  m.run(Operation::unmap, Direction::none, bytes);
  EXPECT_EQ(m.sink.of(Stage::coherence), 2'500'000U + 1024 * 3'000);
  EXPECT_EQ(m.sink.parts["host.caches clean"], m.sink.of(Stage::coherence));
  // Cleaned lines stay; before the host reads what the device writes, they go.
  m.run(Operation::map_buffer, Direction::none, bytes);
  EXPECT_EQ(m.sink.of(Stage::coherence), 2'500'000U + 1024 * 3'000);
  EXPECT_EQ(m.sink.parts["host.caches invalidate"], m.sink.of(Stage::coherence));
  m.run(Operation::map_buffer, Direction::none, bytes);
  EXPECT_EQ(m.sink.of(Stage::coherence), 2'500'000U);
  // A line more than a page.
  m.sim->host_wrote(Machine::host_address, 4096 + 1);
  m.run(Operation::unmap, Direction::none, bytes);
  EXPECT_EQ(m.sink.of(Stage::coherence), 2'500'000U + 65 * 3'000);
}

// Nothing of a device's writes reaches the caches of a host that is not coherent.
TEST(NonCoherentSoc, DeviceWritesLeaveTheHostsCachesAlone) {
  Machine m("soc-noncoherent");
  m.run(Operation::read_buffer, Direction::device_to_host, 64 << 10);
  m.run(Operation::map_buffer, Direction::none, 64 << 10);
  EXPECT_EQ(m.sink.of(Stage::coherence), 2'500'000U);
}

// Ownership is paid for where the lines are touched, once; a map or unmap moves nothing.
TEST(Superchip, LinesChangeHandsWhenTheyAreTouched) {
  Machine m("superchip-c2c");
  constexpr std::uint64_t bytes = 64 << 10;
  m.sim->host_wrote(Machine::host_address, bytes);
  m.run(Operation::unmap, Direction::none, bytes);
  EXPECT_EQ(m.sink.of(Stage::coherence), 0U);
  const TimePs small = m.sink.last.times.visible - m.sink.last.called;
  m.run(Operation::unmap, Direction::none, 1 << 30);
  EXPECT_EQ(m.sink.last.times.visible - m.sink.last.called, small);
  // 1024 lines, 80 ns each and 64 at once: 1280 ns, of which the wire hides what it takes itself (68 bytes a line in
  // flits of 32 with 28, at 450 GB/s: 177 ns); and the first snoop is waited for.
  m.run(Operation::write_buffer, Direction::host_to_device, bytes);
  EXPECT_NEAR(static_cast<double>(m.sink.of(Stage::snoop)), 1'280'000 + 80'000 - 177'000, 15'000);
  EXPECT_EQ(m.sink.parts["host.home_agent snoop"], m.sink.of(Stage::snoop));
  EXPECT_EQ(m.sink.of(Stage::coherence), 0U);
  m.run(Operation::read_buffer, Direction::device_to_host, bytes);
  EXPECT_EQ(m.sink.of(Stage::coherence), 400'000U);
  EXPECT_EQ(m.sink.parts["host.home_agent ownership"], 400'000U);
  // The lines are in the last-level cache now: no core is asked.
  m.run(Operation::read_buffer, Direction::device_to_host, bytes);
  EXPECT_EQ(m.sink.of(Stage::snoop), 0U);
}

// nvbandwidth on a GH200 (microsoft/superbenchmark, tests/data/nvbandwidth_results.log): 369.36 GB/s to the device,
// 295.15 from it. Nothing was fitted to it: writes carry their requests on the wire that their data take.
TEST(Superchip, WritesAreSlowerThanReadsByTheirRequests) {
  const profile::Loaded loaded = profile::load_profile("superchip-c2c");
  ASSERT_TRUE(loaded.profile.has_value());
  const auto link = sim::make_link(*loaded.profile);
  const auto rate = [&](Direction direction) {
    sim::LinkTransfer t;
    t.direction = direction;
    t.row_bytes = 1ULL << 30;
    sim::Flow flow;
    link->plan(t, {}, flow);
    return static_cast<double>(t.row_bytes) * 1e3 / static_cast<double>(sim::time_alone(flow));
  };
  EXPECT_NEAR(rate(Direction::host_to_device), 369.36, 0.02 * 369.36);
  EXPECT_NEAR(rate(Direction::device_to_host), 295.15, 0.02 * 295.15);
}

}  // namespace
}  // namespace sluice

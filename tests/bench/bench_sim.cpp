// The simulator without the driver: how fast packets, and commands of DRAM, are simulated.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "sim/iface/simulator.h"
#include "sim/models/memory/dram_address.h"
#include "sim/models/memory/dram_controller.h"
#include "sim/profile/load.h"

namespace {

using sluice::Command;
using sluice::CommandRecord;
using sluice::Simulator;
using sluice::TimePs;

// Counts what the link carried; the command level costs the models nothing per packet.
class PacketCount final : public sluice::TraceSink {
 public:
  [[nodiscard]] sluice::TraceLevel level() const noexcept override { return sluice::TraceLevel::command; }
  void command(const CommandRecord& record) override {
    tlps_ += record.tlps;
    simulated_ps_ = record.times.visible;
  }
  [[nodiscard]] std::uint64_t tlps() const noexcept { return tlps_; }
  [[nodiscard]] TimePs simulated_ps() const noexcept { return simulated_ps_; }

 private:
  std::uint64_t tlps_ = 0;
  TimePs simulated_ps_ = 0;
};

// One process has one simulator: everything below shares it, in packet detail.
struct Machine {
  PacketCount count;
  std::unique_ptr<Simulator> simulator;
  std::uint64_t device_address = 0;
  std::uint64_t host_address = 0;
  std::vector<std::byte> host;
  sluice::CommandId next_id = 1;

  static constexpr std::uint64_t bytes = std::uint64_t{16} << 20;

  Machine() : host(bytes) {
    std::vector<std::string> errors;
    simulator = sluice::open_simulator({.profile = "h200-pcie5", .detail = "packet", .trace = &count}, errors);
    for (const std::string& line : errors) std::fprintf(stderr, "%s\n", line.c_str());
    if (simulator == nullptr) std::exit(1);
    device_address = simulator->reserve_device(0, bytes).value();
    host_address = simulator->host_address(host.data(), bytes);
    simulator->on_completion([](const sluice::Completion&) {});
  }
};

Machine& machine() {
  static Machine instance;
  return instance;
}

// Only the timing: the bytes would cost a memcpy that has nothing to do with packets.
Command transfer(Machine& m, bool to_device) {
  Command c;
  c.id = m.next_id++;
  c.op = to_device ? sluice::Operation::write_buffer : sluice::Operation::read_buffer;
  c.queue = to_device ? 1 : 2;
  c.direction = to_device ? sluice::Direction::host_to_device : sluice::Direction::device_to_host;
  sluice::Endpoint host;
  host.placement = sluice::Placement::host_pinned;
  host.address = m.host_address;
  sluice::Endpoint device;
  device.placement = sluice::Placement::device;
  device.address = m.device_address;
  c.source = to_device ? host : device;
  c.target = to_device ? device : host;
  c.shape.row_bytes = Machine::bytes;
  c.moves_data = false;
  return c;
}

// Claim: at least 5 million TLPs a second of real time. `duplex` runs both directions at once.
void packet_detail(benchmark::State& state) {
  Machine& m = machine();
  const bool up = state.range(0) != 0;
  const bool down = state.range(1) != 0;
  const std::uint64_t tlps_before = m.count.tlps();
  const TimePs ps_before = m.simulator->now();
  for (auto _ : state) {
    std::vector<sluice::CommandId> ids;
    TimePs host_now = m.simulator->now();
    for (const bool to_device : {true, false}) {
      if (to_device ? !down : !up) continue;
      const Command c = transfer(m, to_device);
      ids.push_back(c.id);
      host_now = m.simulator->enqueue(c, host_now).returned;
      m.simulator->run_until(host_now);
    }
    for (const sluice::CommandId id : ids) (void)m.simulator->run_until_complete(id);
  }
  const auto tlps = static_cast<double>(m.count.tlps() - tlps_before);
  state.counters["TLP/s"] = benchmark::Counter(tlps, benchmark::Counter::kIsRate);
  state.counters["TLP/16MiB"] = benchmark::Counter(tlps, benchmark::Counter::kAvgIterations);
  state.counters["simulated_us"] =
      benchmark::Counter(static_cast<double>(m.simulator->now() - ps_before) / 1e6, benchmark::Counter::kAvgIterations);
}
BENCHMARK(packet_detail)
    ->ArgNames({"up", "down"})
    ->Args({0, 1})
    ->Args({1, 0})
    ->Args({1, 1})
    ->Unit(benchmark::kMillisecond);

// Commands that a controller of two pseudo-channels gives in a second of real time: consecutive bursts, random ones, and
// random ones of which a third are written.
void dram_commands(benchmark::State& state) {
  sluice::profile::Dram m = sluice::profile::load_profile("h200-pcie5").profile->device_memory;
  m.pseudo_channels = m.command_buses = 2;
  const sluice::memory::DramAddress address(m);
  const bool random = state.range(0) != 0;
  const bool writes = state.range(1) != 0;
  std::uint64_t commands = 0;
  std::uint64_t lcg = 1;
  for (auto _ : state) {
    sluice::memory::DramController controller(m);
    for (std::uint64_t i = 0; i < 1 << 15; ++i) {
      lcg = lcg * 6364136223846793005ULL + 1442695040888963407ULL;
      const auto place = address.place_in_channel(random ? lcg >> 34 : i);
      const auto access = writes && (lcg >> 20) % 3 == 0 ? sluice::memory::Access::write : sluice::memory::Access::read;
      for (std::uint32_t c = 0; c < controller.channels(); ++c) controller.add(access, c, place.bank, place.row);
      if (i % 64 == 0) controller.run_until_taken();
    }
    controller.run();
    commands += controller.counts().commands;
  }
  state.counters["commands/s"] = benchmark::Counter(static_cast<double>(commands), benchmark::Counter::kIsRate);
}
BENCHMARK(dram_commands)->ArgNames({"random", "writes"})->Args({0, 0})->Args({1, 0})->Args({1, 1})->Unit(benchmark::kMillisecond);

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

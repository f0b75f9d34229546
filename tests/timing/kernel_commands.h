// Launches as commands of a simulator, and what its trace says of them. Addresses are made up (synthetic_kernels.h).
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "sim/iface/simulator.h"
#include "tests/timing/synthetic_kernels.h"

namespace sluice {

inline constexpr std::uint64_t device_base = 0x200000000000;
inline constexpr std::uint64_t host_base = 0x210000000000;
inline constexpr std::uint64_t mib = 1 << 20;

struct Sink final : TraceSink {
  TraceLevel level() const noexcept override { return wanted; }
  void command(const CommandRecord& r) override {
    const TimePs sum = std::accumulate(r.stages.begin(), r.stages.end(), TimePs{0});
    EXPECT_EQ(sum, r.times.visible - r.called) << "command " << r.times.id;
    stages[r.times.id] = r.stages;
    wire_down[r.times.id] = r.wire_bytes_down;
    if (r.kernel == nullptr) return;
    kernels[r.times.id] = *r.kernel;
    // The name is the module's, which need not outlive the command.
    kernels[r.times.id].name = *names.emplace(r.kernel->name).first;
  }
  void stage(const StageRecord& r) override {
    actions[r.command][std::string(r.part) + ' ' + std::string(r.action)] += r.end - r.begin;
  }
  void counter(const CounterRecord& r) override {
    if (r.part == "compute") counters[std::string(r.name)] += r.value;
    if (r.part == "compute.device_memory") dram[std::string(r.name)] += r.value;
  }
  void packet(const PacketRecord& r) override {
    if (r.kind == "CplD" && r.part == "link.down") packets[r.command] += r.bytes;
  }
  TraceLevel wanted = TraceLevel::stage;
  std::map<CommandId, std::array<TimePs, stage_count>> stages;
  std::map<CommandId, std::uint64_t> wire_down, packets;
  std::map<CommandId, KernelRecord> kernels;
  std::map<CommandId, std::map<std::string, TimePs>> actions;
  std::set<std::string> names;
  std::map<std::string, std::uint64_t> counters;  // sums
  std::map<std::string, std::uint64_t> dram;      // of kernels
};

class Commands : public ::testing::Test {
 protected:
  void open(const char* profile, const char* detail = "train") {
    SimulatorOptions options;
    options.profile = profile;
    options.detail = detail;
    options.trace = &sink;
    options.kernels = &engine;
    std::vector<std::string> errors;
    sim = open_simulator(options, errors);
    ASSERT_NE(sim, nullptr) << (errors.empty() ? "" : errors.front());
    sim->on_completion([this](const Completion& c) { done[c.id] = c; });
    map.add({reinterpret_cast<std::byte*>(device_base), 1ULL << 30, Placement::device, 1 << 20});
    map.add({reinterpret_cast<std::byte*>(host_base), 1ULL << 30, Placement::host_pinned, 1ULL << 32});
  }
  CommandId launch(std::shared_ptr<const KernelModule> module, const NdRange& range, QueueId queue = 1,
                   std::vector<LaunchArgument> arguments = {}) {
    auto l = std::make_shared<KernelLaunch>();
    l->module = std::move(module);
    l->range = range;
    l->arguments = std::move(arguments);
    l->memory = &map;
    l->failure_status = -5;
    Command c;
    c.id = ++id;
    c.queue = queue;
    c.op = Operation::kernel;
    c.kernel = std::move(l);
    sim->enqueue(c, sim->now());
    return id;
  }
  CommandId copy(std::uint64_t bytes, QueueId queue) {
    Command c;
    c.id = ++id;
    c.queue = queue;
    c.op = Operation::write_buffer;
    c.direction = Direction::host_to_device;
    c.source.placement = Placement::host_pinned;
    c.source.address = 1ULL << 36;
    c.target.placement = Placement::device;
    c.target.address = 1ULL << 31;
    c.shape.row_bytes = bytes;
    c.moves_data = false;
    sim->enqueue(c, sim->now());
    return id;
  }
  void drain() {
    while (sim->run_until_next_completion()) {
    }
  }
  // START to END.
  TimePs took(CommandId c) { return done[c].ended - done[c].started; }

  std::shared_ptr<const KernelModule> zero_copy_read(std::uint64_t bytes) {
    return synthetic::grid_stride("zc", AccessKind::load, host_base, bytes / 16, 16, 16, 132 * 2048);
  }
  std::shared_ptr<const KernelModule> work(std::uint64_t instructions) {
    return synthetic::module(
        "work", [=](synthetic::WaveWriter& w, std::uint64_t) { w.issue(InstructionClass::float32, instructions); });
  }

  synthetic::Engine engine;
  Sink sink;
  MemoryMap map;
  std::unique_ptr<Simulator> sim;
  CommandId id = 0;
  std::map<CommandId, Completion> done;
};

}  // namespace sluice

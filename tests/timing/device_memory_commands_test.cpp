// Commands on a machine whose host addresses the device's memory over a coherent link: what the device pays to take lines
// back, and which stage and part say so. A snoop's way is 2 * 100 + 50 ns, four are under way at once: rounds of four. A flit of 68
// bytes carries 64 of messages, at 63 GB/s: 0.27 ns for a snoop, 1.214 for an answer with a changed line, of which those of a round
// come one behind the other.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <numeric>
#include <string>

#include "tests/timing/command_machine.h"
#include "tests/timing/kernel_commands.h"

namespace sluice {
namespace {

struct LineSink final : TraceSink {
  TraceLevel level() const noexcept override { return TraceLevel::stage; }
  void command(const CommandRecord& r) override {
    EXPECT_EQ(std::accumulate(r.stages.begin(), r.stages.end(), TimePs{0}), r.times.visible - r.called);
    coherence = r.stages[static_cast<std::size_t>(Stage::coherence)];
  }
  void stage(const StageRecord& r) override {
    if (r.part == "device.directory") recorded[std::string(r.action)] += r.end - r.begin;
  }
  TimePs coherence = 0;  // of the last command
  std::map<std::string, TimePs> recorded;
};

std::string machine(const std::string& more) {
  return R"(, "policy": {"alloc_host_ptr": "device_shared"}, "host": {"home_agent": {"snoop_latency_ns": 50}},
    "link": {"propagation_ns": 100, "filter_snoops": 4, )" + more + "}";
}

constexpr TimePs answer_ps = 1'214;
// Of changed lines, to a thousandth.
void expect_recalls(TimePs took, std::uint64_t lines) {
  const TimePs expected = (lines + 3) / 4 * (250'000 + 270 + answer_ps) + (lines - 1) % 4 * answer_ps;
  EXPECT_NEAR(static_cast<double>(took), static_cast<double>(expected), 1e-3 * static_cast<double>(expected));
}

constexpr std::uint64_t at = 1ULL << 31;  // where CommandMachine copies to

class DeviceMemory : public ::testing::TestWithParam<const char*> {
 protected:
  // The program has written `bytes` of the device's memory: an unmap, whose own time is that of a marker.
  static TimePs unmap(CommandMachine<LineSink>& m, std::uint64_t bytes) {
    Command c;
    c.id = ++m.id;
    c.queue = 1;
    c.op = Operation::unmap;
    c.moves_data = false;
    c.host_touches.edit().push_back({at, bytes});
    c.host_writes = true;
    m.sim->enqueue(c, m.sim->now());
    while (m.sim->run_until_next_completion()) {
    }
    return m.sink.coherence;
  }
  static TimePs copy(CommandMachine<LineSink>& m) {
    m.copy(Direction::host_to_device, 0, 1024);
    return m.sink.coherence;
  }
};

TEST_P(DeviceMemory, LinesAreTakenBackOnce) {
  CommandMachine<LineSink> m(machine(R"("device_memory": "back_invalidation")"), GetParam(), "cxl-accelerator");
  EXPECT_EQ(copy(m), 0U);
  EXPECT_EQ(unmap(m, 1024), 0U);
  expect_recalls(copy(m), 16);
  expect_recalls(m.sink.recorded["back_invalidate"], 16);
  EXPECT_EQ(copy(m), 0U);
  unmap(m, 4096);
  m.copy(Direction::device_to_device, 0, 64);  // from 0 to the first line
  expect_recalls(m.sink.coherence, 1);
  expect_recalls(copy(m), 15);  // the others of the first 1024 bytes
}

// A filter of 8 lines lists no more than that, and takes the others back as the host touches them.
TEST_P(DeviceMemory, AFilterThatOverflowsIsPaidForAtTheUnmap) {
  CommandMachine<LineSink> m(machine(R"("device_memory": "back_invalidation", "filter_lines": 8)"), GetParam(),
                             "cxl-accelerator");
  expect_recalls(unmap(m, 1024), 8);
  expect_recalls(copy(m), 8);
}

TEST_P(DeviceMemory, BiasFlipsPagesEitherWay) {
  CommandMachine<LineSink> m(machine(R"("device_memory": "bias", "bias_flip_ns": 900)"), GetParam(), "cxl-accelerator");
  EXPECT_EQ(unmap(m, 3 * 4096), 3 * 900'000U);
  // One page comes back, with its 64 lines: 68 bytes each, in flits, at 63 GB/s, and the flight of the last.
  EXPECT_NEAR(static_cast<double>(copy(m)), 900'000 + 100'000 + 64 * 68 * 1.0625 / 63 * 1000, 1000);
  EXPECT_EQ(copy(m), 0U);
  EXPECT_EQ(unmap(m, 3 * 4096), 900'000U);
  EXPECT_GT(m.sink.recorded["bias_flip"], 5 * 900'000U);
}

INSTANTIATE_TEST_SUITE_P(Details, DeviceMemory, ::testing::Values("train", "packet"),
                         [](const auto& p) { return std::string(p.param); });

class KernelsOverDeviceMemory : public Commands, public ::testing::WithParamInterface<const char*> {};

// 64 lines, of a launch that would be known but for them.
TEST_P(KernelsOverDeviceMemory, TakeLinesBackFirst) {
  const std::string file = testing::TempDir() + "device-memory-" + GetParam() + ".json";
  std::ofstream(file) << R"({"include": ")" << PROFILES << R"(/cxl-accelerator.json", "name": "k")"
                      << machine(R"("device_memory": "back_invalidation")") << "}";
  open(file.c_str(), GetParam());
  const auto read = synthetic::grid_stride("read", AccessKind::load, device_base, 65536, 16, 16, 4096);
  const auto run = [&] {
    const CommandId c = launch(read, synthetic::linear(4096, 256));
    drain();
    return c;
  };
  for (int i = 0; i < 4; ++i) run();
  Command c;
  c.id = ++id;
  c.queue = 1;
  c.op = Operation::unmap;
  c.host_touches.edit().push_back({1 << 20, 4096});  // where the fixture has device_base
  c.host_writes = true;
  sim->enqueue(c, sim->now());
  drain();
  const CommandId waits = run();
  const CommandId after = run();
  const TimePs lines_ps = sink.stages[waits][static_cast<std::size_t>(Stage::coherence)];
  expect_recalls(lines_ps, 64);
  EXPECT_EQ(sink.actions[waits].at("device.directory back_invalidate"), lines_ps);
  EXPECT_EQ(sink.stages[after][static_cast<std::size_t>(Stage::coherence)], 0U);
  EXPECT_EQ(took(waits), took(after) + lines_ps);
}

// The host has changed 1 MiB, 16384 lines, whose answers are 72 bytes each, in flits: 19.9 us of the wire down, which a copy beside
// the launch has to do without.
TEST_P(KernelsOverDeviceMemory, WhatIsTakenBackTakesTheWireFromOthers) {
  const std::string file = testing::TempDir() + "device-memory-shared-" + GetParam() + ".json";
  std::ofstream(file) << R"({"include": ")" << PROFILES << R"(/cxl-accelerator.json", "name": "k")"
                      << R"(, "policy": {"alloc_host_ptr": "device_shared"}, "link": {"filter_snoops": 65536, )"
                      << R"("device_memory": "back_invalidation"}})";
  open(file.c_str(), GetParam());
  const auto read = synthetic::grid_stride("read", AccessKind::load, device_base, 65536, 16, 16, 4096);
  const auto touch = [&] {
    Command c;
    c.id = ++id;
    c.queue = 1;
    c.op = Operation::unmap;
    c.host_touches.edit().push_back({1 << 20, mib});
    c.host_writes = true;
    sim->enqueue(c, sim->now());
    drain();
  };
  copy(16 * mib, 2);
  drain();
  const CommandId copy_alone = copy(16 * mib, 2);
  drain();
  touch();
  const CommandId alone = launch(read, synthetic::linear(4096, 256));
  drain();
  touch();
  const CommandId beside = copy(16 * mib, 2);
  const CommandId waits = launch(read, synthetic::linear(4096, 256));
  drain();
  const double wire_ps = 16384 * 72 * 68.0 / 64 / 63.015 * 1000;
  EXPECT_NEAR(static_cast<double>(took(beside) - took(copy_alone)), wire_ps, 0.05 * wire_ps);
  const auto stage = [&](CommandId c, Stage s) { return sink.stages[c][static_cast<std::size_t>(s)]; };
  EXPECT_EQ(stage(alone, Stage::contention), 0U);
  // All snoops go at once, so their answers are in front of most of the copy's lines, of which 512 are under way.
  EXPECT_GT(stage(waits, Stage::contention), 0U);
  EXPECT_EQ(stage(waits, Stage::coherence), stage(alone, Stage::coherence));
}

INSTANTIATE_TEST_SUITE_P(Details, KernelsOverDeviceMemory, ::testing::Values("train", "packet"),
                         [](const auto& p) { return std::string(p.param); });

}  // namespace
}  // namespace sluice

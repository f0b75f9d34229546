// Commands on a machine with an IOMMU: what its walks add to them and which stage says so.
#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "tests/timing/command_machine.h"

namespace sluice {
namespace {

constexpr std::uint64_t page = 4096;
constexpr TimePs walk_ps = 267'000;

struct Sink final : TraceSink {
  TraceLevel level() const noexcept override { return TraceLevel::stage; }
  void command(const CommandRecord& r) override {
    EXPECT_EQ(std::accumulate(r.stages.begin(), r.stages.end(), TimePs{0}), r.times.visible - r.called);
    walks[r.times.id] = r.stages[static_cast<std::size_t>(Stage::iommu)];
    up[r.times.id] = r.wire_bytes_up;
  }
  void stage(const StageRecord& r) override {
    if (r.action == "limits") limiter[r.command] = r.part;
    if ((r.part != "host.iommu" && r.part != "device.atc") || r.action == "limits") return;
    EXPECT_EQ(r.action, r.part == "host.iommu" ? "walk" : "translate");
    recorded[r.command] += r.end - r.begin;
  }
  std::map<CommandId, TimePs> walks;     // by the stage ...
  std::map<CommandId, TimePs> recorded;  // ... and by the part's records
  std::map<CommandId, std::string> limiter;
  std::map<CommandId, std::uint64_t> up;  // bytes on the wire
};

using Machine = CommandMachine<Sink>;

constexpr Direction to_device = Direction::host_to_device;
constexpr Direction to_host = Direction::device_to_host;

class IommuCommands : public ::testing::TestWithParam<const char*> {};  // a detail

TEST_P(IommuCommands, PagesAreWalkedForOnceAndKept) {
  Machine m(R"(, "iommu": {"entries": 65536, "walkers": 1, "llc_read_ns": 267})", GetParam());
  m.copy(to_device, 0, 16384 * page);  // what the device's cache makes of it is the same from here on
  for (const auto& [direction, address] : {std::pair{to_device, 1ULL << 36}, std::pair{to_host, 1ULL << 37}}) {
    for (const std::uint64_t pages : {16, 8192}) {
      const std::uint64_t at = address + (pages << 20);
      m.copy(direction, 0, pages * page);
      const TimePs walked = m.copy(direction, at, pages * page);
      EXPECT_EQ(m.sink.recorded[m.id], m.sink.walks[m.id]);
      const TimePs added = m.sink.walks[m.id];
      const TimePs known = m.copy(direction, at, pages * page);
      EXPECT_EQ(m.sink.walks[m.id], 0U);
      EXPECT_EQ(m.sink.recorded.count(m.id), 0U);
      EXPECT_EQ(walked, known + added);
      // Writes are posted: the root port holds those of 16 pages, and END does not wait for it.
      if (direction == to_host && pages == 16) {
        EXPECT_EQ(added, 0U);
      } else {
        EXPECT_GE(added, walk_ps);
      }
      // One walk after another takes longer than the wire.
      if (pages == 8192) {
        EXPECT_NEAR(static_cast<double>(walked), static_cast<double>(pages * walk_ps), 0.03 * pages * walk_ps);
      }
    }
  }
}

TEST_P(IommuCommands, WhatTheIoTlbCannotHoldIsWalkedForAgain) {
  Machine m(R"(, "iommu": {"entries": 128, "shared_entries": 9, "walkers": 1, "llc_read_ns": 267})", GetParam());
  m.copy(to_device, 0, 119 * page);
  m.copy(to_device, 0, 119 * page);
  EXPECT_EQ(m.sink.walks[2], 0U);
  m.copy(to_device, 0, 120 * page);
  // Least recently used is the worst that runs in order can meet: each page goes before it is wanted again.
  EXPECT_GE(m.copy(to_device, 0, 120 * page), 120 * walk_ps);
  EXPECT_GT(m.sink.walks[4], 0U);
}

TEST_P(IommuCommands, MemoryThatTheHostTakesBackIsForgotten) {
  Machine m(R"(, "iommu": {"entries": 128, "llc_read_ns": 267})", GetParam());
  std::vector<char> memory(16 * page);
  const std::uint64_t at = m.sim->host_address(memory.data(), memory.size());
  m.copy(to_device, at, memory.size());
  m.copy(to_device, at, memory.size());
  EXPECT_EQ(m.sink.walks[2], 0U);
  m.sim->forget_host(memory.data(), memory.size(), m.sim->now());
  m.copy(to_device, at, memory.size());
  EXPECT_EQ(m.sink.walks[3], m.sink.walks[1]);
}

// Propagation 400 ns, and 200 ns at the agent: one request at a time, a page each second microsecond.
constexpr const char* ats = R"(, "link": {"propagation_ns": 400}, "iommu": {"entries": 4096, "walkers": 16, "llc_read_ns": 0},
  "ats": {"entries": 1024, "requests": 1, "agent_ns": 200, "invalidate_ns": 5000})";

TEST_P(IommuCommands, ADeviceAsksForTranslationsAndKeepsThem) {
  Machine m(ats, GetParam());
  constexpr TimePs request_ps = 2 * 400'000 + 200'000;
  for (int i = 0; i < 2; ++i) m.copy(to_device, 0, 1024 * page);  // the device's cache is the same from here on
  const TimePs asked = m.copy(to_device, 1ULL << 36, 1024 * page);
  const TimePs added = m.sink.walks[m.id];
  EXPECT_EQ(m.sink.limiter[m.id], "device.atc");
  EXPECT_EQ(m.sink.recorded[m.id], added);
  EXPECT_NEAR(static_cast<double>(asked), static_cast<double>(1024 * request_ps), 0.01 * 1024 * request_ps);
  EXPECT_EQ(asked, m.copy(to_device, 1ULL << 36, 1024 * page) + added);
  EXPECT_EQ(m.sink.walks[m.id], 0U);
  // Four pages: the requests of a tag or credit have their translations; the first waits for one.
  m.copy(to_device, 1ULL << 37, 4 * page);
  EXPECT_GE(m.sink.walks[m.id], request_ps);
}

// 31.43 bytes a nanosecond: 32 with the request, 24 with the completion, and DLLPs as the link's data have them.
constexpr TimePs request_wire_ps = 1'032;
constexpr TimePs completion_wire_ps = 781;

TEST_P(IommuCommands, MemoryThatIsTakenBackIsInvalidatedInTheDevice) {
  Machine m(ats, GetParam());
  std::vector<char> memory(16 * page);
  const std::uint64_t at = m.sim->host_address(memory.data(), memory.size());
  m.copy(to_device, at, memory.size());
  const auto forget = [&] { return m.sim->forget_host(memory.data(), memory.size(), m.sim->now()); };
  EXPECT_EQ(forget(), 2 * 400'000U + 5'000'000 + request_wire_ps + completion_wire_ps);
  EXPECT_EQ(forget(), 0U);
  const std::uint64_t again = m.sim->host_address(memory.data(), memory.size());
  EXPECT_EQ(forget(), 0U) << again;  // no device has touched it
}

// Memory of the program that the driver unpins keeps its place, in the caches, too; it is translated anew.
TEST_P(IommuCommands, MemoryThatIsUnpinnedIsInvalidated) {
  Machine m(ats, GetParam());
  std::vector<char> memory(64 * page);
  const std::uint64_t at = m.sim->host_address(memory.data(), memory.size());
  m.copy(to_device, at, memory.size());
  m.copy(to_device, at, memory.size());
  EXPECT_EQ(m.sink.walks[m.id], 0U);
  const auto unmap = [&](std::uint64_t from, std::uint64_t bytes) {
    return m.sim->unmap_host(memory.data() + from, bytes, m.sim->now());
  };
  constexpr TimePs wait = 2 * 400'000U + 5'000'000 + request_wire_ps + completion_wire_ps;
  EXPECT_EQ(unmap(32 * page, 1), wait);
  EXPECT_EQ(unmap(0, memory.size()), wait);
  EXPECT_EQ(unmap(0, memory.size()), 0U);
  EXPECT_EQ(m.sim->host_address(memory.data(), memory.size()), at);
  m.copy(to_device, at, memory.size());
  EXPECT_EQ(m.sink.walks[m.id], m.sink.walks[1]);
}

// The device's answer takes the wire from the writes of a read that is under way.
TEST_P(IommuCommands, InvalidationsAreTraffic) {
  Machine m(ats, GetParam());
  std::vector<char> memory(16 * page);
  constexpr std::uint64_t bytes = 256 * page;
  const auto read_while = [&](auto act) {
    Command c;
    c.id = ++m.id;
    c.queue = 1;
    c.op = Operation::read_buffer;
    c.direction = to_host;
    c.source.placement = Placement::device;
    c.source.address = 1ULL << 31;
    c.target.placement = Placement::host_pinned;
    c.target.address = 1ULL << 36;
    c.shape.row_bytes = bytes;
    return m.run(c, act);
  };
  const auto nothing = [] {};
  for (int i = 0; i < 3; ++i) read_while(nothing);
  const TimePs alone = read_while(nothing);
  m.copy(to_device, m.sim->host_address(memory.data(), memory.size()), memory.size());
  // It takes 33 us; the answer comes within 6.
  const TimePs beside = read_while([&] {
    m.sim->run_until(m.sim->now() + 15'000'000);
    EXPECT_NE(m.sim->forget_host(memory.data(), memory.size(), m.sim->now()), 0U);
  });
  EXPECT_EQ(beside, alone + completion_wire_ps);
}

constexpr const char* two_devices = R"(, "devices": 2)";

// Two staging buffers of 1 MiB: each device asks for their pages, over its own link, and keeps them.
TEST_P(IommuCommands, StagedCopiesBetweenDevicesAskTheDevices) {
  Machine m(std::string(ats) + two_devices, GetParam());
  for (int i = 0; i < 2; ++i) m.copy_to_other(1ULL << 31, 1 << 20);  // the devices' caches are the same from here on
  const CommandId known = m.id;
  EXPECT_EQ(m.sink.walks[known], 0U);
  m.copy_to_other(1ULL << 31, 2 << 20);
  EXPECT_EQ(m.sink.recorded[m.id], m.sink.walks[m.id]);
  const TimePs added = m.sink.walks[m.id];
  // Out of one device and into the other, 256 pages each; the second wait is beside the first chunk's.
  EXPECT_GT(added, 256 * 1'000'000U);
  m.copy_to_other(1ULL << 31, 2 << 20);
  EXPECT_EQ(m.sink.walks[m.id], 0U);
  EXPECT_EQ(m.sink.up[m.id - 1], m.sink.up[m.id] + 2 * 256 * 24);  // TransReq
  m.copy_to_other(1ULL << 31, 2 << 20, true);
  EXPECT_EQ(m.sink.walks[m.id], 0U);
}

// Where devices write to each other, the source translates the target's addresses.
TEST_P(IommuCommands, CopiesFromPeerToPeerAreTranslated) {
  Machine m(std::string(ats) + two_devices + R"(, "bridge": {"kind": "switch", "gigatransfers_per_s": 16, "lanes": 16,
    "latency_ns": 100, "propagation_ns": 50, "credit_return_ns": 300, "peer_to_peer": true})", GetParam());
  constexpr std::uint64_t bytes = 256 * page;
  m.copy_to_other(1ULL << 31, bytes);
  const TimePs asked = m.copy_to_other(1ULL << 32, bytes);
  const TimePs added = m.sink.walks[m.id];
  EXPECT_EQ(m.sink.recorded[m.id], added);
  EXPECT_EQ(m.sink.limiter[m.id], "device.atc");
  const TimePs known = m.copy_to_other(1ULL << 32, bytes);
  EXPECT_EQ(m.sink.walks[m.id], 0U);
  EXPECT_NEAR(static_cast<double>(asked), static_cast<double>(known + added), 1'000);  // its own requests are on its wire
  EXPECT_GE(asked, 256 * (2 * 550'000U + 200'000));  // through the switch, and 200 ns at the agent
  // The other device has not asked.
  m.copy_to_other(1ULL << 32, bytes, true);
  EXPECT_GT(m.sink.walks[m.id], 0U);
}

TEST_P(IommuCommands, ACoherentDeviceTranslatesToo) {
  Machine m(R"(, "iommu": {"entries": 65536, "llc_read_ns": 500}, "ats": {"entries": 1024, "requests": 1, "invalidate_ns": 3000})",
            GetParam(), "cxl-accelerator");
  const TimePs asked = m.copy(to_device, 1ULL << 36, 64 * page);
  EXPECT_GE(asked, 64 * 500'000U);
  EXPECT_EQ(m.sink.limiter[m.id], "device.atc");
  m.copy(to_device, 1ULL << 36, 64 * page);
  EXPECT_EQ(m.sink.walks[m.id], 0U);
  std::vector<char> memory(64 * page);
  m.copy(to_device, m.sim->host_address(memory.data(), memory.size()), memory.size());
  EXPECT_GE(m.sim->forget_host(memory.data(), memory.size(), m.sim->now()), 3'000'000U);
}

INSTANTIATE_TEST_SUITE_P(Details, IommuCommands, ::testing::Values("train", "packet"),
                         [](const auto& p) { return std::string(p.param); });

}  // namespace
}  // namespace sluice

// Commands on machines whose memory is simulated command by command: what limits them, and what the trace tells.
#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <string>

#include "tests/timing/command_machine.h"

namespace sluice {
namespace {

constexpr std::uint64_t mib = 1 << 20;

struct Sink final : TraceSink {
  TraceLevel level() const noexcept override { return TraceLevel::stage; }
  void command(const CommandRecord& r) override {
    EXPECT_EQ(std::accumulate(r.stages.begin(), r.stages.end(), TimePs{0}), r.times.visible - r.called);
  }
  void stage(const StageRecord& r) override {
    if (r.part == "device_memory" || r.part == "host_memory") limits[std::string(r.part)] = r.action;
  }
  void counter(const CounterRecord& r) override {
    if (r.part == "device_memory" || r.part == "host_memory") counters[std::string(r.part) + "." + std::string(r.name)] = r.value;
  }
  std::map<std::string, std::string> limits;
  std::map<std::string, std::uint64_t> counters;
};

using Machine = CommandMachine<Sink>;

// A memory of one channel, 4 bytes at 2 GT/s: 8 GB/s; bursts of 32 bytes take 4 ns.
std::string slow(const std::string& section, const std::string& changes, const std::string& timings = "") {
  return R"(, ")" + section + R"(": {"include": ")" PROFILES R"(/../parts/dram-hbm3-6400.json", "channels": 1, "pseudo_channels": 1,
    "gigatransfers_per_s": 2, "refresh": "all_bank", "timings": {"tccd_ns": 4, "tccd_l_ns": 4)" + timings + "}, " + changes + "}";
}

// The copy engine of the device is out of the way.
std::string slow_device(const std::string& changes, const std::string& timings = "") {
  return R"(, "device_cache": {"capacity_bytes": 0})" + slow("device_memory", changes, timings);
}

// 4 MiB read and written at 8 GB/s less refresh, which takes 16.25 + 450 + 19.375 of 3900 ns: 1.198 ms.
TEST(DramCommands, CopyOnTheDeviceTakesTheBusAndRefresh) {
  Machine m(slow_device(R"("write_drain_rows": 2)"), "train");
  const double took = static_cast<double>(m.copy(Direction::device_to_device, 1ULL << 30, 4 * mib));
  const double expected = 2 * 4 * mib / 8e9 * 1e12 / (1 - 485.625 / 3900);
  EXPECT_NEAR(took / expected, 1.0, 0.02);
  EXPECT_EQ(m.sink.limits["device_memory"], "bus");
  const auto& n = m.sink.counters;
  // Bursts of 32 bytes; a row of 1 KiB each, and in four groups what refresh closed.
  const auto bursts = n.at("device_memory.row_hits") + n.at("device_memory.row_misses") + n.at("device_memory.row_conflicts");
  EXPECT_NEAR(static_cast<double>(bursts), 8.0 * mib / 32, 3);
  const auto rows = 8 * mib / 1024;
  EXPECT_GE(n.at("device_memory.activations"), rows + 3 * n.at("device_memory.refreshes"));
  EXPECT_LE(n.at("device_memory.activations"), rows + 6 * n.at("device_memory.refreshes"));
  EXPECT_NEAR(static_cast<double>(n.at("device_memory.refreshes")), took / 3.9e6, 0.03 * took / 3.9e6);
  EXPECT_NEAR(static_cast<double>(n.at("device_memory.refresh_ps")), 450000.0 * static_cast<double>(n.at("device_memory.refreshes")), 450000.0);
}

// All of a bank's rows in one bank after another: a row a burst, tRC apart. (Rows of two bursts.)
TEST(DramCommands, OneBankAtATimeIsNamed) {
  Machine m(slow_device(R"("row_bytes": 64, "address_order": "bank bank_group row column", "rows": 16777216)",
                        R"(, "trtw_ns": 20)"),
            "train");
  const double took = static_cast<double>(m.copy(Direction::device_to_device, 1ULL << 29, mib));
  EXPECT_EQ(m.sink.limits["device_memory"], "bank");
  EXPECT_GT(took, 2.0 * mib / 64 * 45000);  // rows of 64 bytes
}

TEST(DramCommands, HostMemoryLimitsTransfers) {
  Machine m(slow("host_memory", R"("write_drain_rows": 2)"), "train");
  for (const Direction direction : {Direction::host_to_device, Direction::device_to_host}) {
    const double took = static_cast<double>(m.copy(direction, 1ULL << 36, 16 * mib));
    EXPECT_NEAR(took / (16 * mib / 8e9 * 1e12 / (1 - 485.625 / 3900)), 1.0, 0.02);
    EXPECT_EQ(m.sink.limits["host_memory"], "bus");
  }
  EXPECT_EQ(m.sink.limits.count("device_memory"), 0U);  // in closed form there
}

// The same transfer where refresh takes more than half of the time says so.
TEST(DramCommands, RefreshIsNamed) {
  Machine m(slow("host_memory", R"("write_drain_rows": 2)", R"(, "trfc_ns": 1940)"), "train");
  const double took = static_cast<double>(m.copy(Direction::host_to_device, 1ULL << 36, 16 * mib));
  EXPECT_NEAR(took / (16 * mib / 8e9 * 1e12 / (1 - 1975.625 / 3900)), 1.0, 0.03);
  EXPECT_EQ(m.sink.limits["host_memory"], "refresh");
}

}  // namespace
}  // namespace sluice

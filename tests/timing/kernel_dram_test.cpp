// Kernels whose accesses go through the DRAM command by command: sequential, strided and random ones get the bandwidths that the
// timings allow, in both details; the trace says what they did to the rows.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/timing/kernel_commands.h"

namespace sluice {
namespace {

class KernelDram : public Commands, public ::testing::WithParamInterface<const char*> {
 protected:
  // One channel of HBM3 banks with 4 bytes at 2 GT/s, 8 GB/s: bursts of 32 bytes take 4 ns, no cache behind the units.
  void open_slow(const std::string& changes, const std::string& timings = "") {
    const auto file = std::filesystem::temp_directory_path() / ("sluice_kernel_dram_" + std::to_string(::getpid()) + ".json");
    std::ofstream(file) << R"({"include": ")" << PROFILES << R"(/generic-pcie4.json", "name": "changed",
      "device_cache": {"capacity_bytes": 0}, "compute": {"fetch_bytes": 32}, "device_memory": {"include": ")" << PROFILES
                        << R"(/../parts/dram-hbm3-6400.json", "channels": 1, "pseudo_channels": 1, "gigatransfers_per_s": 2,
      "refresh": "all_bank", "timings": {"tccd_ns": 4, "tccd_l_ns": 4)" << timings << "}" << changes << "}}";
    open(file.c_str(), GetParam());
    std::filesystem::remove(file);
  }
  // ps from START to END of `loads` of 32 bytes, the i-th at place(i), by 64 groups of one wave.
  double read(std::uint64_t loads, const std::function<std::uint64_t(std::uint64_t)>& place) {
    constexpr std::uint64_t waves = 64, items = 64;
    const auto kernel = synthetic::module("read", [=](synthetic::WaveWriter& w, std::uint64_t item) {
      for (std::uint64_t i = item / items; i < loads; i += waves) w.global(AccessKind::load, 1, device_base + place(i), 0, 4);
    });
    const CommandId c = launch(kernel, synthetic::linear(waves * items, items));
    drain();
    return static_cast<double>(took(c));
  }
  double rows(const char* name) { return static_cast<double>(sink.dram[name]); }
};

constexpr std::uint64_t loads = 64 << 10;
constexpr double refreshed = 1 - 485.625 / 3900;  // tRP, tRFC and tRCD of each tREFI

// Burst behind burst: 8 GB/s less refresh. Rows of 1 KiB are opened once, and again in four groups of banks behind a refresh.
TEST_P(KernelDram, SequentialTakesTheBus) {
  open_slow("");
  // In train detail a group's accesses come at once, so that its own neighbours count, not those of other groups.
  const bool together = std::string(GetParam()) == "packet";
  const double took = read(loads, [=](std::uint64_t i) { return (together ? i : i % 64 * (loads / 64) + i / 64) * 32; });
  EXPECT_NEAR(took / (loads * 4000.0 / refreshed), 1.0, 0.05);
  EXPECT_GT(rows("row_hits"), 0.9 * loads);
  EXPECT_LT(rows("row_conflicts") + rows("row_misses"), 0.1 * loads);
  EXPECT_GE(rows("open_rows"), 1);
}

// A row each time, all of one bank: tRC, 45 ns.
TEST_P(KernelDram, StridedWithinABankTakesTheRowCycle) {
  open_slow(R"(, "address_order": "bank bank_group row column", "rows": 65536)");
  const double took = read(loads / 4, [](std::uint64_t i) { return i * 1024; });
  EXPECT_NEAR(took / (loads / 4 * 45000.0 / refreshed), 1.0, 0.06);
  EXPECT_LT(rows("row_hits"), 0.1 * loads / 4);
}

// Rows of all banks at random, with activations so slow (four in 80 ns, a row each 20 ns) that sixteen banks of 45 ns hide behind them.
TEST_P(KernelDram, RandomTakesTheActivationWindow) {
  open_slow("", R"(, "tfaw_ns": 80, "trrd_ns": 4, "trrd_l_ns": 4)");
  const double took = read(loads / 4, [](std::uint64_t i) { return (i * 0x9e3779b97f4a7c15ULL >> 40) % (1ULL << 24) * 32; });
  EXPECT_NEAR(took / (loads / 4 * 20000.0 / refreshed), 1.0, 0.08);
  EXPECT_LT(rows("row_hits"), 0.1 * loads / 4);
}

INSTANTIATE_TEST_SUITE_P(Details, KernelDram, ::testing::Values("train", "packet"));

}  // namespace
}  // namespace sluice

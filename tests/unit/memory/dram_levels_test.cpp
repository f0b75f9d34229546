// The two levels of detail side by side: the closed form of `train` against each command, and how far they may differ.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>

#include "sim/models/memory/dram_bound.h"
#include "sim/models/memory/dram_memory.h"
#include "sim/models/memory/dram_stream.h"
#include "sim/profile/load.h"
#include "tests/unit/memory/dram_parts.h"

namespace sluice::memory {
namespace {

profile::Dram memory_of(int kind) {
  profile::Dram m = kind == 0 ? hbm3() : hbm3_groups();
  m.write_drain_rows = 8;
  if (kind == 2) m.refresh = profile::DramRefresh::per_bank;
  return m;
}

double commands(const profile::Dram& m, std::uint32_t write_permille) {
  DramStreams s(m);
  return s.sustained_bytes_per_s(write_permille);
}

double train(const profile::Dram& m, std::uint32_t write_permille) {
  return static_cast<double>(DramMemory(m, {}).sustained_bytes_per_s(write_permille));
}

TEST(DramLevels, Sequential) {
  for (const int kind : {0, 1, 2}) {
    const profile::Dram m = memory_of(kind);
    EXPECT_NEAR(commands(m, 0) / train(m, 0), 1.0, 0.025) << kind;
    EXPECT_NEAR(commands(m, 1000) / train(m, 1000), 1.0, 0.025) << kind;
  }
}

// The closed form leaves out that reads and writes meet in banks now and then; above one half, that only writes are
// gathered; and that writes which wait in most banks leave none to be refreshed unnoticed.
TEST(DramLevels, ReadsAndWrites) {
  for (const std::uint32_t permille : {31U, 250U, 500U}) {
    EXPECT_NEAR(commands(memory_of(0), permille) / train(memory_of(0), permille), 0.98, 0.02) << permille;
    EXPECT_NEAR(commands(memory_of(1), permille) / train(memory_of(1), permille), 0.98, 0.02) << permille;
    EXPECT_NEAR(commands(memory_of(2), permille) / train(memory_of(2), permille), 0.93, 0.07) << permille;
  }
  for (const int kind : {0, 1, 2}) {
    EXPECT_NEAR(commands(memory_of(kind), 750) / train(memory_of(kind), 750), 0.93, 0.07) << kind;
  }
}

struct Pattern {
  std::uint64_t stride = 0;  // in the channel; 0: anywhere
  double commands = 0;       // bytes a second
  double train = 0;
};

Pattern measure(const profile::Dram& m, std::uint64_t stride) {
  const DramAddress address(m);
  DramController controller(m);
  DramBound bound(m);
  std::mt19937_64 random(1);
  constexpr std::uint64_t bursts = 40000;
  for (std::uint64_t i = 0; i < bursts; ++i) {
    const std::uint64_t at = stride == 0 ? random() % (1ULL << 34) : i * stride;
    const DramPlace p = address.place_in_channel(at / controller.rules().burst_bytes);
    controller.add(Access::read, 0, p.bank, p.row);
    bound.add(p);
  }
  controller.run();
  const double bytes = static_cast<double>(bursts) * controller.rules().burst_bytes * 1e12;
  return {stride, bytes / static_cast<double>(controller.data_end()), bytes / bound.ps()};
}

// Strides that meet all groups, one group, a few banks, and one bank.
TEST(DramLevels, Strided) {
  for (const int kind : {0, 1}) {
    for (const std::uint64_t stride : {32, 64, 96, 128, 256, 512, 1024, 2048, 4096, 5120, 16384}) {
      const Pattern p = measure(memory_of(kind), stride);
      // A row of each bank of one group after another: the controller finds some of the next group's in its queue.
      EXPECT_NEAR(p.commands / p.train, 1.0, kind == 1 && stride == 1024 ? 0.1 : 0.03) << kind << ", " << stride;
    }
  }
}

TEST(DramLevels, Random) {
  for (const int kind : {0, 1, 2}) {
    const Pattern p = measure(memory_of(kind), 0);
    EXPECT_NEAR(p.commands / p.train, 1.0, 0.06) << kind;
  }
}

// The ready-made parts: peak less refresh for consecutive bytes, and tFAW, tRRD or the banks for random ones.
class DramParts : public ::testing::TestWithParam<const char*> {
 protected:
  static profile::Dram load() {
    const std::filesystem::path config = std::getenv("SLUICE_CONFIG_DIR");
    const std::string text = std::string(R"({"include": "generic-pcie4.json", "name": "part", "device_memory": {"include": "../parts/dram-)") +
                             GetParam() + R"(.json"}})";
    const profile::Loaded l = profile::parse_profile(text, config / "profiles/part.json");
    EXPECT_TRUE(l.profile) << (l.problems.empty() ? "" : to_string(l.problems[0]));
    return l.profile ? l.profile->device_memory : profile::Dram{};
  }
};

TEST_P(DramParts, Bandwidths) {
  const profile::Dram m = load();
  ASSERT_EQ(m.detail, profile::DramDetail::commands);
  const DramRules rules(m);
  const double peak = m.channels * m.bus_bits / 8.0 * m.gigatransfers_per_s * 1e9;
  profile::Dram closed = m;
  closed.detail = profile::DramDetail::train;
  // The last banks of a round are refreshed when their turn has come, wherever the stream is.
  const double bound = rules.per_bank ? 0.1 : 0.03;
  for (const std::uint32_t permille : {0U, 1000U}) {
    const double simulated = commands(m, permille);
    EXPECT_NEAR(simulated / (peak * rules.refreshed()), 1.0, bound) << permille;
    EXPECT_NEAR(simulated / train(closed, permille), 1.0, bound) << permille;
  }
  const double mixed = commands(m, 500) / train(closed, 500);
  EXPECT_LE(mixed, 1.0);
  EXPECT_GE(mixed, rules.per_bank ? 0.75 : 0.86);
  const Pattern random = measure(m, 0);
  EXPECT_NEAR(random.commands / random.train, 0.95, 0.05);
}

INSTANTIATE_TEST_SUITE_P(All, DramParts, ::testing::Values("hbm2e-3200", "hbm3-6400", "hbm3e-9200", "gddr6-14000", "lpddr5-6400",
                                                           "ddr4-3200", "ddr5-4800"),
                         [](const auto& p) {
                           std::string name = p.param;
                           name[name.find('-')] = '_';
                           return name;
                         });

}  // namespace
}  // namespace sluice::memory

// Logs written by hand; expectations follow from how a machine with reconvergence would run them.
#include "sim/exec/wave_merge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <random>

namespace sluice::exec {
namespace {

using testing::ElementsAre;

class WaveMergeTest : public testing::Test {
 protected:
  std::uint32_t add_site(SiteKind kind, SiteSpace space = SiteSpace::global, std::uint32_t bytes = 4) {
    Site site;
    site.kind = kind;
    site.space = space;
    site.bytes = bytes;
    sites_.push_back(site);
    return static_cast<std::uint32_t>(sites_.size() - 1);
  }
  void merge(const std::vector<std::vector<LogEntry>>& logs) {
    std::vector<std::span<const LogEntry>> lanes(logs.begin(), logs.end());
    issued_ = merge_.run(lanes, sites_, memory_, accesses_, sectors_);
  }
  std::vector<Site> sites_ = std::vector<Site>(1);
  GroupMemory memory_;
  WaveMerge merge_;
  std::vector<WaveAccess> accesses_;
  std::vector<std::uint64_t> sectors_;
  std::uint64_t issued_ = 0;
};

TEST_F(WaveMergeTest, LanesOnBothSidesOfABranchMeetBehindIt) {
  const auto then = add_site(SiteKind::load), otherwise = add_site(SiteKind::load), behind = add_site(SiteKind::store);
  std::vector<std::vector<LogEntry>> logs;
  for (std::uint32_t i = 0; i < 8; ++i) {
    logs.push_back({{1024 + 4 * i, i < 3 ? then : otherwise, 5}, {4096 + 4 * i, behind, 9}});
  }
  merge(logs);
  ASSERT_EQ(accesses_.size(), 3U);
  EXPECT_EQ(accesses_[0].lanes, 3);
  EXPECT_EQ(accesses_[1].lanes, 5);
  EXPECT_EQ(accesses_[2].lanes, 8);
  // Both sides issue their 5 instructions, then all issue 4 together.
  EXPECT_EQ(issued_, 5U + 5U + 4U);
  EXPECT_EQ(accesses_[2].issued, 4U);
}

TEST_F(WaveMergeTest, MarkersKeepIterationsTogether) {
  // A loop of three iterations; every lane loads in a different one.
  const auto load = add_site(SiteKind::load), marker = add_site(SiteKind::marker);
  std::vector<std::vector<LogEntry>> logs;
  for (std::uint32_t lane = 0; lane < 3; ++lane) {
    std::vector<LogEntry>& log = logs.emplace_back();
    for (std::uint32_t iteration = 0; iteration < 3; ++iteration) {
      if (iteration == lane) log.push_back({32 * lane, load, 10 * iteration + 4});
      log.push_back({0, marker, 10 * iteration + 10});
    }
  }
  merge(logs);
  ASSERT_EQ(accesses_.size(), 3U);
  for (const WaveAccess& access : accesses_) EXPECT_EQ(access.lanes, 1);
  EXPECT_THAT(sectors_, ElementsAre(0, 1, 2));
}

TEST_F(WaveMergeTest, GenericPointersAreToldApart) {
  memory_.local = {1 << 20, 4096};
  memory_.private_memory = {1 << 24, 4096};
  const auto site = add_site(SiteKind::load, SiteSpace::generic);
  merge({{{64, site, 1}}, {{(1 << 20) + 4, site, 1}}, {{(1 << 24) + 8, site, 1}}, {{68, site, 1}}});
  ASSERT_EQ(accesses_.size(), 2U);
  EXPECT_EQ(accesses_[0].space, MemorySpace::global);
  EXPECT_EQ(accesses_[0].lanes, 2);
  EXPECT_EQ(accesses_[1].space, MemorySpace::local);
  EXPECT_EQ(accesses_[1].lanes, 1);
}

// Lanes go from row to row, from image to image and to memory outside of both, wherever that leads.
TEST_F(WaveMergeTest, TexelsLieWhereTheTilingSays) {
  const ImageTile tile{0b0000110111, 0b1111001000, 0};
  const ImageTiling one = ImageTiling::of(tile, 1000, 37, 1, 1024, 0), other = ImageTiling::of(tile, 70, 9, 1, 70, 0);
  const std::uint64_t at_one = 1 << 20, at_other = at_one + one.bytes();
  memory_.tiled_images.push_back({{at_one, one.bytes()}, TexelPlaces(one)});
  memory_.tiled_images.push_back({{at_other, other.bytes()}, TexelPlaces(other)});
  const auto site = add_site(SiteKind::load, SiteSpace::image, 1);
  std::mt19937_64 random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::vector<LogEntry>> logs;
    std::vector<std::uint64_t> expected;
    std::uint64_t address = at_one;
    for (int lane = 0; lane < 32; ++lane) {
      const std::uint64_t before = at_one - 100 + random() % 200, near = address + random() % 64;
      const std::uint64_t far = at_one + random() % (1024 * 37), second = at_other + random() % (70 * 9);
      address = std::array<std::uint64_t, 8>{before, near, near, near, near, near, far, second}[random() % 8];
      logs.push_back({{address, site, 1}});
      std::uint64_t place = address;
      if (address >= at_other) {
        if (address < at_other + other.bytes()) place = at_other + other.place(address - at_other);
      } else if (address >= at_one) {
        place = at_one + one.place(address - at_one);
      }
      if (std::find(expected.begin(), expected.end(), place / 32) == expected.end()) expected.push_back(place / 32);
    }
    sectors_.clear();
    merge(logs);
    std::sort(expected.begin(), expected.end());
    std::sort(sectors_.begin(), sectors_.end());
    ASSERT_EQ(sectors_, expected) << round;
  }
  // The store ends within a row: what comes behind it is other memory.
  ASSERT_NE(other.bytes() % 70, 0U);
  const std::uint64_t end = at_other + other.bytes();
  sectors_.clear();
  merge({{{end - 1, site, 1}}, {{end + 1, site, 1}}});
  EXPECT_THAT(sectors_, testing::Contains(end / 32));
}

// The rule of wave_merge.h, word for word, with sets where the merge has shortcuts.
struct PlainMerge {
  std::vector<std::vector<std::uint64_t>> sectors;    // of each record; none for local ones
  std::vector<std::array<std::uint32_t, 4>> records;  // site, lanes, sectors or conflicts, instructions
  std::uint64_t issued = 0;

  PlainMerge(const std::vector<std::vector<LogEntry>>& logs, const std::vector<Site>& sites) {
    std::vector<std::size_t> at(logs.size());
    std::vector<std::uint32_t> before(logs.size());
    std::uint32_t pending = 0;
    for (;;) {
      std::uint32_t next = ~0U;
      for (std::size_t i = 0; i < logs.size(); ++i) {
        if (at[i] < logs[i].size()) next = std::min(next, logs[i][at[i]].site);
      }
      if (next == ~0U) return;
      std::vector<std::uint64_t> addresses;
      std::uint32_t most = 0;
      for (std::size_t i = 0; i < logs.size(); ++i) {
        if (at[i] == logs[i].size() || logs[i][at[i]].site != next) continue;
        const LogEntry& entry = logs[i][at[i]++];
        addresses.push_back(entry.address);
        most = std::max(most, entry.issued - before[i]);
        before[i] = entry.issued;
      }
      issued += most;
      pending += most;
      const Site& site = sites[next];
      if (site.kind == SiteKind::marker) continue;
      std::vector<std::uint64_t>& touched = sectors.emplace_back();
      std::uint32_t count = 0;
      if (site.space == SiteSpace::local) {
        std::map<std::uint64_t, std::vector<std::uint64_t>> banks;
        for (const std::uint64_t address : addresses) {
          for (std::uint64_t word = address / 4; word <= (address + site.bytes - 1) / 4; ++word) {
            std::vector<std::uint64_t>& bank = banks[word % 32];
            const bool is_new = std::find(bank.begin(), bank.end(), word) == bank.end();
            if (is_new || site.kind == SiteKind::atomic) bank.push_back(word);
          }
        }
        for (const auto& [bank, words] : banks) count = std::max(count, static_cast<std::uint32_t>(words.size()));
      } else {
        for (const std::uint64_t address : addresses) {
          for (std::uint64_t s = address / 32; s <= (address + site.bytes - 1) / 32; ++s) {
            if (std::find(touched.begin(), touched.end(), s) == touched.end()) touched.push_back(s);
          }
        }
        const auto [least, most_far] = std::minmax_element(touched.begin(), touched.end());
        if (*most_far - *least < 64) std::sort(touched.begin(), touched.end());
        count = static_cast<std::uint32_t>(touched.size());
      }
      records.push_back({next, static_cast<std::uint32_t>(addresses.size()), count, pending});
      pending = 0;
    }
  }
};

// Loops whose accesses keep their shape, change it, or move by less than a sector; lanes in step or not; of few sites, and
// of more than 16 bits can number.
TEST_F(WaveMergeTest, AnyLogsMergeAsTheRuleSays) {
  std::vector<std::uint32_t> used;
  const auto use_sites = [&] {
    used.push_back(add_site(SiteKind::load));
    used.push_back(add_site(SiteKind::store, SiteSpace::global, 16));
    used.push_back(add_site(SiteKind::load, SiteSpace::local));
    used.push_back(add_site(SiteKind::load, SiteSpace::local, 1));
    used.push_back(add_site(SiteKind::store, SiteSpace::local, 2));
    used.push_back(add_site(SiteKind::load, SiteSpace::local, 12));
    used.push_back(add_site(SiteKind::atomic, SiteSpace::local));
    used.push_back(add_site(SiteKind::load, SiteSpace::global, 64));
    used.push_back(add_site(SiteKind::marker));
  };
  use_sites();
  std::mt19937_64 random(1);
  const auto pick = [&](std::uint64_t n) { return random() % n; };
  for (int round = 0; round < 400; ++round) {
    if (round == 300) {
      sites_.resize(70'000);
      use_sites();
    }
    const std::uint64_t lanes = 1 + pick(round % 8 == 0 ? most_lanes : 32), steps = 1 + pick(12);
    const bool apart = round % 3 == 0;
    std::vector<std::vector<LogEntry>> logs(lanes);
    std::vector<std::uint32_t> issued(lanes);
    std::uint64_t shape = 0, stride = 4, split = 16;
    for (std::uint64_t step = 0; step < steps; ++step) {
      if (pick(4) == 0) shape = pick(5), stride = 4 * pick(12), split = 1 + pick(32);
      const std::uint64_t base = 4096 + 4 * pick(64) + (pick(8) == 0 ? pick(4) : 0);
      const auto cost = static_cast<std::uint32_t>(pick(5));
      for (const std::uint32_t site : used) {
        for (std::uint64_t lane = 0; lane < lanes; ++lane) {
          if (apart && pick(3) == 0) continue;
          std::uint64_t offset = stride * lane;
          if (shape == 1) offset = 1000 * (lane / split) + 4 * (lane % split);
          if (shape == 2) offset = 4 * (lanes - lane);
          if (shape == 3) offset = 4 * (random() % 512);
          if (shape == 4) offset = 0;
          issued[lane] += cost + (apart ? static_cast<std::uint32_t>(pick(3)) : 0);
          logs[lane].push_back({sites_[site].kind == SiteKind::marker ? 0 : base + offset, site, issued[lane]});
        }
      }
    }
    accesses_.clear();
    sectors_.clear();
    merge(logs);
    const PlainMerge plain(logs, sites_);
    ASSERT_EQ(issued_, plain.issued) << round;
    ASSERT_EQ(accesses_.size(), plain.records.size()) << round;
    for (std::size_t i = 0; i < accesses_.size(); ++i) {
      const WaveAccess& a = accesses_[i];
      ASSERT_EQ((std::array<std::uint32_t, 4>{a.site, a.lanes, a.sectors, a.issued}), plain.records[i]) << round;
      if (a.space == MemorySpace::local) continue;
      const auto first = sectors_.begin() + a.first_sector;
      ASSERT_EQ(std::vector<std::uint64_t>(first, first + a.sectors), plain.sectors[i]) << round;
    }
  }
}

std::vector<std::uint64_t> strided(std::uint64_t first, std::uint64_t stride, std::size_t count = 32) {
  std::vector<std::uint64_t> addresses(count);
  for (std::size_t i = 0; i < count; ++i) addresses[i] = first + stride * i;
  return addresses;
}

TEST(Sectors, CountsDistinctSectorsOfAnyPattern) {
  auto seen = std::make_unique<KeySet>();
  auto count = [&](const std::vector<std::uint64_t>& addresses, std::uint64_t bytes) {
    std::vector<std::uint64_t> sectors;
    const std::uint32_t n = coalesce(addresses, bytes, *seen, sectors);
    EXPECT_EQ(n, sectors.size());
    return n;
  };
  EXPECT_EQ(count(strided(4096, 4), 4), 4U);       // 128 bytes
  EXPECT_EQ(count(strided(4096 + 16, 4), 4), 5U);  // not aligned: one more
  EXPECT_EQ(count(strided(4096, 32), 4), 32U);
  EXPECT_EQ(count(strided(4096, 128), 4), 32U);
  EXPECT_EQ(count(strided(4096, 64), 64), 64U);
  EXPECT_EQ(count(strided(4096, 0), 4), 1U);  // all lanes one word
  EXPECT_EQ(count({4094}, 4), 2U);            // over a sector's edge
  auto reversed = strided(4096, 4);
  std::reverse(reversed.begin(), reversed.end());
  EXPECT_EQ(count(reversed, 4), 4U);
  EXPECT_EQ(count(strided(0, 4096, 128), 256), 128U * 8);
}

TEST(Sectors, BankConflicts) {
  auto seen = std::make_unique<KeySet>();
  EXPECT_EQ(bank_conflicts(strided(0, 4), 4, false, *seen), 1U);
  EXPECT_EQ(bank_conflicts(strided(0, 8), 4, false, *seen), 2U);     // every second bank twice
  EXPECT_EQ(bank_conflicts(strided(0, 128), 4, false, *seen), 32U);  // all in bank 0
  EXPECT_EQ(bank_conflicts(strided(0, 132), 4, false, *seen), 1U);   // the padding of every transpose
  EXPECT_EQ(bank_conflicts(strided(64, 0), 4, false, *seen), 1U);    // one word is broadcast
  EXPECT_EQ(bank_conflicts(strided(64, 0), 4, true, *seen), 32U);    // but not an atomic access to it
}

// The tiling itself is tested by hand-made pictures (image_tiling_test).
TEST(TexelPlaces, AreThoseOfTheTiling) {
  const ImageTile flat{0b0000110111, 0b1111001000, 0}, deep{0b0001111, 0b0110000, 0b1000000};
  for (const ImageTiling& t :
       {ImageTiling::of(flat, 1000, 37, 1, 1024, 0), ImageTiling::of(deep, 100, 5, 3, 112, 600),
        ImageTiling::of(flat, 7, 1, 1, 7, 0), ImageTiling::of(flat, 3000, 50, 1, 3001, 0)}) {
    const TexelPlaces places(t);
    TexelPlaces::Row row;
    const std::uint64_t slices = t.slice_pitch_bytes == 0 ? 1 : 3;
    const std::uint64_t rows = t.slice_pitch_bytes == 0 ? t.tiles_y : 5;
    for (std::uint64_t z = 0; z < slices; ++z) {
      for (std::uint64_t y = 0; y < rows; ++y) {
        for (std::uint64_t x = 0; x < std::min<std::uint64_t>(t.row_pitch_bytes, 3000); ++x) {
          const std::uint64_t linear = z * t.slice_pitch_bytes + y * t.row_pitch_bytes + x;
          ASSERT_EQ(places.of(linear), t.place(linear)) << x << ' ' << y << ' ' << z;
          if (!row.holds(linear)) row = places.row_of(linear);
          ASSERT_EQ(places.in(row, linear), t.place(linear)) << x << ' ' << y << ' ' << z;
        }
      }
    }
  }
}

}  // namespace
}  // namespace sluice::exec

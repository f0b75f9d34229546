#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "sim/profile/fields.h"
#include "sim/profile/load.h"

namespace sluice::profile {
namespace {

namespace fs = std::filesystem;

const fs::path config = CONFIG_DIR;

std::string read(const fs::path& file) {
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<fs::path> files(const char* folder) {
  std::vector<fs::path> all;
  for (const auto& e : fs::directory_iterator(config / folder)) all.push_back(e.path());
  std::sort(all.begin(), all.end());
  return all;
}

// A shipped profile with one change, parsed as if it lay beside the shipped ones.
Loaded with(const std::function<void(nlohmann::json&)>& change) {
  nlohmann::json j = nlohmann::json::parse(read(config / "profiles/h200-pcie5.json"));
  change(j);
  return parse_profile(j.dump(), config / "profiles/test.json");
}

std::string all_problems(const Loaded& l) {
  std::string text;
  for (const Problem& p : l.problems) text += to_string(p) + "\n";
  return text;
}

TEST(Profile, EveryShippedProfileLoads) {
  const auto all = files("profiles");
  EXPECT_GE(all.size(), 7U);
  for (const fs::path& f : all) {
    const Loaded l = load_profile(f.string());
    ASSERT_TRUE(l.profile) << all_problems(l);
    EXPECT_EQ(l.profile->name, f.stem().string());
    EXPECT_EQ(l.profile->hash.size(), 16U);
  }
}

TEST(Profile, EveryShippedConstantHasItsSource) {
  for (const fs::path& f : files("profiles")) {
    for (const Constant& c : load_profile(f.string()).constants) {
      const std::string key = c.pointer.substr(c.pointer.rfind('/') + 1);
      if (c.pointer.find('/', 1) == std::string::npos && key != "devices") continue;  // name, description, grade
      if (c.pointer == "/device/name" || c.pointer == "/device/vendor" || c.pointer == "/device/driver_version") continue;
      EXPECT_FALSE(c.source.empty()) << f << " " << c.pointer;
    }
  }
}

TEST(Profile, SchemaOnDiskIsTheTables) { EXPECT_EQ(read(config / "profile.schema.json"), schema_json()); }

TEST(Profile, UnitsAreConverted) {
  const Loaded l = with([](nlohmann::json& j) {
    j["link"]["propagation_ns"] = 1.5;
    j["driver"]["staging_chunk_bytes"] = "2 MiB";
    j["host"]["home_agent"]["memory_gbps"] = {{"value", 12.5}, {"source", "test"}};
  });
  ASSERT_TRUE(l.profile) << all_problems(l);
  EXPECT_EQ(l.profile->link.propagation_ps, 1500U);
  EXPECT_EQ(l.profile->driver.staging_chunk_bytes, 2U << 20);
  EXPECT_EQ(l.profile->host.home_agent.memory_bytes_per_s, 12'500'000'000U);
}

TEST(Profile, AllProblemsAreReportedAtOnce) {
  const Loaded l = with([](nlohmann::json& j) {
    j["link"]["lanez"] = 16;
    j["link"]["propagation_ns"] = -1;
    j["driver"]["wakeup_ns"] = "soon";
    j["device"]["svm"] = "fine";
    j.erase("grade");
  });
  const std::string text = all_problems(l);
  EXPECT_FALSE(l.profile);
  EXPECT_EQ(l.problems.size(), 5U) << text;
  EXPECT_NE(text.find("/link/lanez: found unknown key \"lanez\"; allowed: a key of \"link\" (did you mean \"lanes\"?)"), std::string::npos) << text;
  EXPECT_NE(text.find("/link/propagation_ns: found -1; allowed: a number from 0 to 1000000"), std::string::npos) << text;
  EXPECT_NE(text.find("/driver/wakeup_ns: found \"soon\""), std::string::npos) << text;
  EXPECT_NE(text.find("/device/svm: found \"fine\"; allowed: \"none\", \"coarse\", \"fine_buffer\", \"fine_system\""), std::string::npos) << text;
  EXPECT_NE(text.find("/grade: found nothing"), std::string::npos) << text;
}

TEST(Profile, RulesBetweenValues) {
  EXPECT_NE(all_problems(with([](nlohmann::json& j) { j["link"]["max_payload_bytes"] = 300; })).find("/link/max_payload_bytes: found 300; allowed: a power of two"), std::string::npos);
  EXPECT_NE(all_problems(with([](nlohmann::json& j) { j["device"]["max_allocation_bytes"] = 900e12; })).find("at most global_memory_bytes"), std::string::npos);
  EXPECT_NE(all_problems(with([](nlohmann::json& j) { j["device"]["svm"] = "fine_system"; })).find("a coherent link"), std::string::npos);
  EXPECT_NE(all_problems(with([](nlohmann::json& j) { j["device_memory"]["timings"]["trfc_ns"] = 5000; })).find("less than trefi_ns"), std::string::npos);
}

// A tile's order is what the rows, columns and slices say, in any order; GOBs are those of image_tiling_test.
TEST(Profile, TilesOfImages) {
  const auto images = [](nlohmann::json tile) {
    return with([&](nlohmann::json& j) { j["images"] = std::move(tile); });
  };
  const Loaded gob = images({{"layout", "tiled"}, {"tile_row_bytes", 64}, {"tile_rows", 8}, {"tile_order", "xxxxyxyyx"}});
  ASSERT_TRUE(gob.profile) << all_problems(gob);
  EXPECT_EQ(gob.profile->machine.policy.image_tile, (ImageTile{0b100101111, 0b011010000, 0}));
  const Loaded plain = images({{"layout", "tiled"}, {"tile_row_bytes", 16}, {"tile_rows", 4}, {"tile_slices", 2}});
  ASSERT_TRUE(plain.profile) << all_problems(plain);
  EXPECT_EQ(plain.profile->machine.policy.image_tile, (ImageTile{0b0001111, 0b0110000, 0b1000000}));
  EXPECT_TRUE(images({{"layout", "linear"}}).profile->machine.policy.image_tile.is_linear());
  EXPECT_TRUE(with([](nlohmann::json& j) { j.erase("images"); }).profile->machine.policy.image_tile.is_linear());
  struct Bad {
    nlohmann::json tile;
    const char* says;
  };
  for (const Bad& bad : {
           Bad{{{"layout", "tiled"}}, "/images/tile_row_bytes: found nothing; allowed: a number of bytes"},
           Bad{{{"layout", "tiled"}, {"tile_row_bytes", 48}}, "/images/tile_row_bytes: found 48; allowed: a power of two"},
           Bad{{{"layout", "tiled"}, {"tile_row_bytes", 64}, {"tile_rows", 3}}, "/images/tile_rows: found 3; allowed: a power of two"},
           Bad{{{"layout", "tiled"}, {"tile_row_bytes", 16}, {"tile_rows", 2}}, "found a tile of 32 bytes; allowed: tiles of 64"},
           Bad{{{"layout", "tiled"}, {"tile_row_bytes", 64}, {"tile_rows", 2}, {"tile_order", "xxxyxxx"}}, "found \"xxxyxxx\"; allowed: \"xxxxxxy\" in any order that begins with xxxx"},
           Bad{{{"layout", "tiled"}, {"tile_row_bytes", 64}, {"tile_rows", 2}, {"tile_order", "xxxxxx"}}, "found \"xxxxxx\""},
           Bad{{{"layout", "linear"}, {"tile_rows", 8}}, "/images/tile_rows: found a tile; allowed: nothing, as layout is \"linear\""},
           Bad{{{"layout", "swizzled"}}, "/images/layout: found \"swizzled\"; allowed: \"linear\", \"tiled\""},
       }) {
    const Loaded l = images(bad.tile);
    EXPECT_FALSE(l.profile) << bad.says;
    EXPECT_NE(all_problems(l).find(bad.says), std::string::npos) << bad.says << '\n' << all_problems(l);
  }
}

// The section may be missing, which is a machine without IOMMU; what is said of one must fit together.
TEST(Profile, IommuIsOptionalAndChecked) {
  const Loaded none = with([](nlohmann::json&) {});
  ASSERT_TRUE(none.profile);
  EXPECT_EQ(none.profile->iommu.entries, 0U);
  const auto iommu = [](nlohmann::json section) {
    return with([&](nlohmann::json& j) { j["iommu"] = std::move(section); });
  };
  const Loaded good = iommu({{"entries", 128}, {"ways", 4}, {"shared_entries", 96}, {"page_bytes", "2 MiB"},
                             {"walkers", 6}, {"walk_ns", 12.5}, {"tables", "memory"}, {"memory_read_ns", 90}});
  ASSERT_TRUE(good.profile) << all_problems(good);
  EXPECT_EQ(good.profile->iommu.page_bytes, 2097152U);
  EXPECT_EQ(good.profile->iommu.walk_ps, 12'500U);
  EXPECT_EQ(good.profile->iommu.memory_read_ps, 90'000U);
  EXPECT_EQ(good.profile->iommu.tables, PageTables::memory);
  EXPECT_NE(good.profile->hash, none.profile->hash);
  const auto refused = [&](nlohmann::json section, const char* text) {
    EXPECT_NE(all_problems(iommu(section)).find(text), std::string::npos) << section << all_problems(iommu(section));
  };
  refused({{"entries", 128}, {"ways", 3}}, "/iommu/ways: found 3; allowed: 0, or a divisor of entries (128)");
  refused({{"entries", 4}, {"ways", 8}}, "/iommu/ways: found 8");
  refused({{"entries", 128}, {"ways", 4}, {"shared_entries", 97}}, "/iommu/shared_entries: found 97; allowed: at most 96");
  refused({{"entries", 8}, {"shared_entries", 8}}, "/iommu/shared_entries: found 8; allowed: at most 7");
  refused({{"entries", 8}, {"page_bytes", 8192}}, "/iommu/page_bytes: found 8192; allowed: 4 KiB, 64 KiB, 2 MiB or 1 GiB");
  refused({{"entries", 8}, {"walkers", 0}}, "/iommu/walkers: found 0");
  refused({{"entries", 8}, {"tables", "disk"}}, "/iommu/tables");
  refused({{"entries", 8}, {"tables", "cached"}}, "/iommu/llc_table_lines: found 0; allowed: at least 1, as tables is \"cached\"");
  refused({{"entries", 8}, {"llc_table_lines", 5}}, "/iommu/llc_table_lines: found 5; allowed: 0, as tables is not \"cached\"");
  refused({{"entries", 8}, {"tables", "cached"}, {"llc_table_lines", 5}, {"llc_read_ns", 50}, {"memory_read_ns", 20}},
          "/iommu/memory_read_ns: found 20");
  refused({{"entry", 8}}, "did you mean \"entries\"");
  const auto on = [](const char* machine, nlohmann::json ats) {
    return with([&](nlohmann::json& j) {
      j = nlohmann::json::parse(read(config / "profiles" / machine));
      j["iommu"] = {{"entries", 8}};
      if (!ats.is_null()) j["ats"] = std::move(ats);
    });
  };
  EXPECT_NE(all_problems(on("igpu-coherent.json", {})).find("/iommu/entries: found 8; allowed: 0, as kind is neither"),
            std::string::npos);
  EXPECT_NE(all_problems(on("cxl-accelerator.json", {})).find("/iommu/entries: found 8; allowed: 0, as kind is \"coherent\" and"),
            std::string::npos);
  EXPECT_TRUE(on("cxl-accelerator.json", {{"entries", 8}}).profile) << all_problems(on("cxl-accelerator.json", {{"entries", 8}}));
}

// What a device keeps of the IOMMU's answers.
TEST(Profile, AtsNeedsAnIommu) {
  const auto ats = [](nlohmann::json section, nlohmann::json iommu) {
    return with([&](nlohmann::json& j) {
      if (!iommu.is_null()) j["iommu"] = std::move(iommu);
      j["ats"] = std::move(section);
    });
  };
  const nlohmann::json large = {{"entries", 8}, {"page_bytes", "2 MiB"}};
  const Loaded good = ats({{"entries", 64}, {"ways", 4}, {"page_bytes", "64 KiB"}, {"requests", 16}, {"agent_ns", 120.5},
                           {"invalidate_ns", 900}}, large);
  ASSERT_TRUE(good.profile) << all_problems(good);
  EXPECT_EQ(good.profile->ats.page_bytes, 65536U);
  EXPECT_EQ(good.profile->ats.agent_ps, 120'500U);
  const auto refused = [&](nlohmann::json section, nlohmann::json iommu, const char* text) {
    const Loaded l = ats(section, iommu);
    EXPECT_FALSE(l.profile) << text;
    EXPECT_NE(all_problems(l).find(text), std::string::npos) << section << all_problems(l);
  };
  refused({{"entries", 64}}, {}, "/ats/entries: found 64; allowed: 0, as there is no \"iommu\" to ask");
  refused({{"entries", 64}, {"ways", 5}}, large, "/ats/ways: found 5; allowed: 0, or a divisor of entries (64)");
  refused({{"entries", 64}, {"page_bytes", "64 KiB"}}, {{"entries", 8}}, "/ats/page_bytes: found 65536; allowed: 4 KiB");
  refused({{"entries", 64}, {"page_bytes", 8192}}, large, "/ats/page_bytes: found 8192");
  refused({{"entries", 64}, {"requests", 0}}, large, "/ats/requests: found 0");
}

// Device memory that the host addresses needs a coherent link that says how.
TEST(Profile, SharedDeviceMemoryIsChecked) {
  const auto machine = [](const char* base, nlohmann::json link, const char* place) {
    return with([&](nlohmann::json& j) {
      j = nlohmann::json::parse(read(config / "profiles" / base));
      j["link"].update(link);
      j["policy"]["alloc_host_ptr"] = place;
    });
  };
  const char* const cxl = "cxl-accelerator.json";
  const Loaded good = machine(cxl, {{"device_memory", "back_invalidation"}, {"filter_lines", 4096}}, "device_shared");
  ASSERT_TRUE(good.profile) << all_problems(good);
  EXPECT_EQ(good.profile->machine.policy.alloc_host_ptr, BufferPolicy::device_shared);
  const auto refused = [&](const Loaded& l, const char* text) {
    EXPECT_FALSE(l.profile) << text;
    EXPECT_NE(all_problems(l).find(text), std::string::npos) << text << '\n' << all_problems(l);
  };
  refused(machine(cxl, nlohmann::json::object(), "device_shared"),
          "/policy/alloc_host_ptr: found \"device_shared\"; allowed: another place, as link/device_memory is \"none\"");
  refused(machine("generic-pcie4.json", {{"device_memory", "bias"}}, "device_mirror"),
          "/link/device_memory: found \"bias\"; allowed: \"none\", as kind is not \"coherent\"");
  refused(machine(cxl, {{"device_memory", "bias"}, {"filter_lines", 4096}}, "device_shared"),
          "/link/filter_lines: found 4096; allowed: 0, as device_memory is not \"back_invalidation\"");
  refused(machine(cxl, {{"device_memory", "bias"}, {"bias_page_bytes", 3000}}, "device_shared"),
          "/link/bias_page_bytes: found 3000; allowed: a power of two");
}

TEST(Profile, MigrationIsOptionalAndChecked) {
  const auto machine = [](nlohmann::json section, const char* svm = "fine_system", int devices = 1) {
    return with([&](nlohmann::json& j) {
      j["migration"] = std::move(section);
      j["device"]["svm"] = svm;
      j["devices"] = devices;
    });
  };
  const Loaded good = machine({{"batch_faults", 256}, {"leaf_bytes", "64 KiB"}, {"block_bytes", "2 MiB"}, {"batch_ns", 45000},
                               {"prefetch_percent", 51}, {"device_bytes", "1 GiB"}});
  ASSERT_TRUE(good.profile) << all_problems(good);  // over PCIe: pages move, so fine_system needs no coherent link
  EXPECT_EQ(good.profile->migration.batch_ps, 45'000'000U);
  const auto refused = [&](const Loaded& l, const char* text) {
    EXPECT_FALSE(l.profile) << text;
    EXPECT_NE(all_problems(l).find(text), std::string::npos) << text << '\n' << all_problems(l);
  };
  refused(machine({{"batch_faults", 0}}), "/device/svm: found \"fine_system\"; allowed: a coherent link, migration, or less");
  refused(machine({{"batch_faults", 1}}, "none"), "/migration/batch_faults: found 1; allowed: 0, as svm is \"none\"");
  refused(machine({{"batch_faults", 1}}, "coarse", 2), "/devices: found 2; allowed: 1");
  refused(machine({{"batch_faults", 1}, {"page_bytes", 12288}}), "/migration/page_bytes: found 12288");
  refused(machine({{"batch_faults", 1}, {"page_bytes", 8192}, {"leaf_bytes", 4096}}),
          "/migration/leaf_bytes: found 4096; allowed: a power of two from page_bytes (8192) on");
  refused(machine({{"batch_faults", 1}, {"leaf_bytes", 4096}}),
          "/migration/block_bytes: found 2097152; allowed: a power of two from leaf_bytes (4096) to 64 times as much");
  refused(machine({{"batch_faults", 1}, {"device_bytes", 65536}}), "/migration/device_bytes: found 65536; allowed: 0, or from");
  refused(machine({{"batch_faults", 1}, {"prefetch_percent", 101}}), "/migration/prefetch_percent: found 101");
}

// Which rows fitted is no property of the machine: two that differ in nothing else have one hash.
TEST(Profile, RowsThatFittedAreNotOfTheHash) {
  const auto said = [](const nlohmann::json& fit) {
    return with([&](nlohmann::json& j) { j["validation"] = {{"fit", fit}, {"misses", {{"transfer_device", {"why"}}}}}; });
  };
  const Loaded none = said(nlohmann::json::array());
  const Loaded one = said({"a.jsonl: op=write bytes=1..64|128 mem=pinned|svm", "b.jsonl"});
  ASSERT_TRUE(none.profile) << all_problems(none);
  ASSERT_TRUE(one.profile) << all_problems(one);
  EXPECT_EQ(none.profile->hash, one.profile->hash);
  EXPECT_EQ(one.profile->validation.misses.at("transfer_device"), std::vector<std::string>{"why"});
  ASSERT_EQ(one.profile->validation.fit.size(), 2U);
  const FittedRows& rows = one.profile->validation.fit[0];
  EXPECT_EQ(rows.file, "a.jsonl");
  EXPECT_TRUE(rows.select({{"op", "write"}, {"bytes", "64"}, {"mem", "svm"}}));
  EXPECT_TRUE(rows.select({{"mem", "pinned"}, {"op", "write"}, {"bytes", "128"}}));
  EXPECT_FALSE(rows.select({{"op", "write"}, {"bytes", "65"}, {"mem", "svm"}}));
  EXPECT_FALSE(rows.select({{"op", "write"}, {"mem", "svm"}})) << "a row without the field";
  EXPECT_TRUE(one.profile->validation.fit[1].select({}));
  for (const char* bad : {"", "a.jsonl:", "a b.jsonl", "a.jsonl: op", "a.jsonl: op=", "a.jsonl: =1", "a.jsonl: bytes=9..1", "a.jsonl: bytes=1..x", "a.jsonl: op=a||b", "a.jsonl: op=a|"}) {
    const Loaded l = said({bad});
    EXPECT_FALSE(l.profile) << bad;
    EXPECT_NE(all_problems(l).find("/validation/fit: found"), std::string::npos) << all_problems(l);
  }
  EXPECT_NE(all_problems(said({7})).find("allowed: a list of texts"), std::string::npos);
}

TEST(Profile, WhatDividesMustNotBeZero) {
  for (const char* at : {"/host/home_agent/memory_gbps", "/host/home_agent/snoop_trackers", "/host/private_cache/line_bytes",
                         "/device_memory/banks", "/device_memory/channels", "/copy_engines/device_copy_bytes_per_cycle",
                         "/host/copy/private_gbps", "/copy_engines/clock_mhz", "/device_cache/bandwidth_gbps", "/link/read_tags"}) {
    const Loaded l = with([&](nlohmann::json& j) { j[nlohmann::json::json_pointer(at)] = 0; });
    EXPECT_FALSE(l.profile) << at;
    EXPECT_NE(all_problems(l).find(at), std::string::npos) << all_problems(l);
  }
}

TEST(Profile, ProblemsNameThePartFile) {
  const fs::path dir = fs::temp_directory_path() / "sluice_profile_test";
  fs::create_directories(dir);
  std::ofstream(dir / "part.json") << R"({"propagation_ns": "far"})";
  nlohmann::json j = nlohmann::json::parse(read(config / "profiles/h200-pcie5.json"));
  for (auto& [key, value] : j.items()) {
    if (value.is_object() && value.contains("include")) {
      value["include"] = {(fs::absolute(config) / "profiles" / value["include"].get<std::string>()).string()};
    }
  }
  j["link"]["include"].push_back("part.json");
  const Loaded l = parse_profile(j.dump(), dir / "main.json");
  ASSERT_EQ(l.problems.size(), 1U) << all_problems(l);
  EXPECT_EQ(l.problems[0].file, (dir / "part.json").string());
  EXPECT_EQ(l.problems[0].pointer, "/propagation_ns");
  fs::remove_all(dir);
}

TEST(Profile, IncludeCyclesAndMissingParts) {
  const fs::path dir = fs::temp_directory_path() / "sluice_profile_cycle";
  fs::create_directories(dir);
  std::ofstream(dir / "a.json") << R"({"include": "b.json"})";
  std::ofstream(dir / "b.json") << R"({"include": ["a.json", "missing.json"]})";
  const std::string text = all_problems(load_profile((dir / "a.json").string()));
  EXPECT_NE(text.find("files that do not include each other"), std::string::npos) << text;
  EXPECT_NE(text.find("\"missing.json\", which does not exist"), std::string::npos) << text;
  fs::remove_all(dir);
}

TEST(Profile, TruncatedAnywhereIsAReport) {
  const std::string text = read(config / "profiles/h200-pcie5.json");
  for (std::size_t n = 0; n + 2 < text.size(); n += 7) {
    const Loaded l = parse_profile(std::string_view(text).substr(0, n), config / "profiles/cut.json");
    EXPECT_FALSE(l.profile) << n;
    EXPECT_FALSE(l.problems.empty()) << n;
  }
}

TEST(Profile, DeepNestingAndHugeFilesAreRefusedBeforeTheyAreParsed) {
  const Loaded deep = parse_profile(std::string(100'000, '['), "deep.json");
  ASSERT_EQ(deep.problems.size(), 1U);
  EXPECT_NE(to_string(deep.problems[0]).find("nesting deeper than 64"), std::string::npos);
  const Loaded huge = parse_profile(std::string(100'000'000, '['), "huge.json");
  ASSERT_EQ(huge.problems.size(), 1U);
  EXPECT_NE(to_string(huge.problems[0]).find("at most 4 MiB"), std::string::npos);
}

TEST(Profile, AMisspeltNameSuggestsTheNearest) {
  ::setenv("SLUICE_CONFIG_DIR", CONFIG_DIR, 1);
  const Loaded l = load_profile("h200-pcie4");
  ASSERT_EQ(l.problems.size(), 1U);
  EXPECT_EQ(l.problems[0].suggestion, "h200-pcie5");
}

TEST(Profile, TheHashFollowsValuesAndNotSources) {
  const auto hash = [](const std::function<void(nlohmann::json&)>& f) { return with(f).profile->hash; };
  const std::string same = hash([](nlohmann::json&) {});
  EXPECT_EQ(same, hash([](nlohmann::json& j) { j["devices"]["source"] = "another"; }));
  EXPECT_NE(same, hash([](nlohmann::json& j) { j["devices"]["value"] = 2; }));
}

}  // namespace
}  // namespace sluice::profile

// What a profile must not get away with: each case once loaded, or was reported late, twice or against the wrong file.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "sim/profile/fields.h"
#include "sim/profile/load.h"

namespace sluice::profile {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const fs::path config = CONFIG_DIR;

// A folder of its own for each test, gone afterwards.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("sluice_strict_" + std::string(name()))) {
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] fs::path write(const std::string& file, const std::string& text) const {
    std::ofstream(path_ / file) << text;
    return path_ / file;
  }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  static const char* name() { return ::testing::UnitTest::GetInstance()->current_test_info()->name(); }
  fs::path path_;
};

json shipped(const char* name = "h200-pcie5") {
  std::ifstream in(config / "profiles" / (std::string(name) + ".json"));
  return json::parse(in);
}

Loaded parse(const json& j) {
  return parse_profile(j.dump(), config / "profiles/test.json");
}

Loaded with(const std::function<void(json&)>& change, const char* name = "h200-pcie5") {
  json j = shipped(name);
  change(j);
  return parse(j);
}

std::string listed(const Loaded& l) {
  std::string text;
  for (const Problem& p : l.problems) text += to_string(p) + "\n";
  return text;
}

// Exactly one problem, at `pointer`, whose text has `part`.
void expect_one(const Loaded& l, const std::string& pointer, const std::string& part) {
  EXPECT_FALSE(l.profile);
  ASSERT_EQ(l.problems.size(), 1U) << listed(l);
  EXPECT_EQ(l.problems[0].pointer, pointer);
  EXPECT_NE(to_string(l.problems[0]).find(part), std::string::npos) << listed(l);
}

TEST(StrictProfile, FractionsOfWholeThingsAreRefused) {
  expect_one(with([](json& j) { j["link"]["lanes"] = 1.5; }), "/link/lanes", "found 1.5; allowed: a whole number");
  expect_one(with([](json& j) { j["driver"]["staging_chunk_bytes"] = 65536.5; }), "/driver/staging_chunk_bytes",
             "whole bytes");
  // 1.3 KiB is 1331.2 bytes.
  expect_one(with([](json& j) { j["driver"]["staging_chunk_bytes"] = "1000.3 KiB"; }), "/driver/staging_chunk_bytes",
             "whole bytes");
  EXPECT_TRUE(with([](json& j) { j["link"]["lanes"] = 16.0; }).profile);
}

TEST(StrictProfile, SizesAreWrittenAsTheSchemaSays) {
  for (const char* good : {"65536 B", "64KiB", "1.5 MiB", "0.5 GiB"}) {
    const Loaded l = with([&](json& j) { j["driver"]["staging_chunk_bytes"] = good; });
    EXPECT_TRUE(l.profile) << good << listed(l);
  }
  for (const char* bad : {"0x100 KiB", "1e3 KiB", "1. MiB", ".5 MiB", "1.5.5 MiB", "1,5 MiB", "1  MiB", " 1 MiB",
                          "1 MiB ", "1 MB", "1", "", "MiB", "-1 MiB", "inf MiB", "nan"}) {
    EXPECT_FALSE(with([&](json& j) { j["driver"]["staging_chunk_bytes"] = bad; }).profile) << bad;
  }
}

TEST(StrictProfile, SomethingElseInPlaceOfASectionIsNamedOnce) {
  expect_one(with([](json& j) { j["link"] = 5; }), "/link", "found 5; allowed: an object, the section \"link\"");
  expect_one(with([](json& j) { j["device_memory"] = json::array(); }), "/device_memory",
             "found []; allowed: an object");
  expect_one(with([](json& j) { j["driver"]["transfer"] = nullptr; }), "/driver/transfer",
             "found null; allowed: an object");
}

TEST(StrictProfile, AConstantWithoutItsValueIsNamedOnce) {
  expect_one(with([](json& j) {
               j["driver"]["fence_ns"] = {{"source", "x"}};
             }),
             "/driver/fence_ns", "an object without \"value\"");
}

TEST(StrictProfile, AKeySaidTwiceIsRefused) {
  std::string text = shipped().dump();
  text.insert(1, "\"devices\":3,");
  expect_one(parse_profile(text, config / "profiles/test.json"), "/devices", "the key \"devices\" a second time");
}

// A range error elsewhere must not hide that the values contradict each other.
TEST(StrictProfile, RulesAreJudgedBesideOtherProblems) {
  const Loaded l = with([](json& j) {
    j["driver"]["fence_ns"] = -1;
    j["link"]["max_payload_bytes"] = 300;
  });
  EXPECT_EQ(l.problems.size(), 2U) << listed(l);
  EXPECT_NE(listed(l).find("/link/max_payload_bytes: found 300; allowed: a power of two"), std::string::npos)
      << listed(l);
  EXPECT_NE(listed(l).find("/driver/fence_ns: found -1"), std::string::npos) << listed(l);
}

// A value that is out of range would break rules that it takes part in; one report of it is enough.
TEST(StrictProfile, RulesAreSilentAboutWhatIsAlreadyReported) {
  expect_one(with([](json& j) { j["link"]["max_payload_bytes"] = -5; }), "/link/max_payload_bytes",
             "found -5; allowed: whole bytes");
}

// Memories that cannot exist are refused with the rule that they break.
TEST(StrictProfile, TimingsOfDramThatContradictEachOther) {
  const struct {
    const char* where;
    json value;
    const char* says;
  } rules[] = {
      {"/timings/tras_ns", 9, "found 9; allowed: at least trcd_ns (19.375): a row stays open until it can be read"},
      {"/timings/trc_ns", 44, "found 44; allowed: at least tras_ns + trp_ns (44.375)"},
      {"/timings/tfaw_ns", 2, "found 2; allowed: at least trrd_ns (2.5): four activations take no less time than two"},
      {"/timings/tccd_ns", 0.5, "found 0.5; allowed: at least tck_ns (0.625)"},
      {"/timings/tcwl_ns", 13, "found 13; allowed: at most tcl_ns (12.5)"},
      {"/timings/trtp_ns", 29, "found 29; allowed: at most tras_ns (28.125)"},
      {"/timings/trrd_l_ns", 2, "found 2; allowed: at least trrd_ns (2.5): a bank group is not faster than two"},
      {"/timings/tccd_l_ns", 1, "found 1; allowed: at least tccd_ns (1.25)"},
      {"/timings/tccd_l_write_ns", 1, "found 1; allowed: at least tccd_ns (1.25)"},
      {"/timings/twtr_l_ns", 1, "found 1; allowed: at least twtr_ns (4.375)"},
      {"/timings/trtw_ns", 7, "found 7; allowed: at least tcl_ns and a burst less tcwl_ns (7.5)"},
      {"/timings/trfc_ns", 4000, "found 4000; allowed: less than trefi_ns (3900)"},
      {"/timings/trfc_bank_ns", 500, "found 500; allowed: at most trfc_ns (450)"},
      {"/timings/trfc_bank_ns", 230, "found 230; allowed: less than trefi_ns / banks - trp_ns (227.5)"},
      {"/timings/trfc_bank_ns", 0, "found \"per_bank\"; allowed: \"all_bank\", or a trfc_bank_ns"},
      {"/burst_length", 16, "found 16; allowed: at most the 8 transfers of tccd_ns: data of two bursts do not overlap"},
      {"/bank_groups", 3, "found 3; allowed: a divisor of banks (16)"},
      {"/bank_groups", 1, "allowed: nothing, or bank_groups above 1"},
      {"/pseudo_channels", 3, "found 3; allowed: a divisor of channels (160)"},
      {"/row_bytes", 1000, "found 1000; allowed: whole bursts of 32 bytes"},
      {"/interleave_bytes", 100, "found 100; allowed: whole bursts of 32 bytes"},
      {"/channels", nullptr, ""},
  };
  const fs::path part = config / "parts/dram-hbm3-6400.json";
  for (const char* section : {"device_memory", "host_memory"}) {
    const std::string base = std::string("/") + section;
    const auto changed = [&](const char* where, const json& value) {
      return with([&](json& j) {
        j[section] = {{"include", part.string()}};
        if (!value.is_null()) j[json::json_pointer(base + where)] = value;
      });
    };
    for (const auto& r : rules) {
      const Loaded l = changed(r.where, r.value);
      if (r.value.is_null()) {
        EXPECT_TRUE(l.profile) << listed(l);
        continue;
      }
      EXPECT_FALSE(l.profile) << r.where;
      EXPECT_NE(listed(l).find(r.says), std::string::npos) << r.says << " in " << listed(l);
    }
    const Loaded hashed = with([&](json& j) { j[section] = {{"include", part.string()}, {"banks", 12}, {"bank_hash", true}}; });
    EXPECT_NE(listed(hashed).find("false, or banks and bank_groups that are powers of two"), std::string::npos);
  }
}

// The section may be missing, but not parts of it.
TEST(StrictProfile, HostMemoryIsThereAsAWhole) {
  const Loaded l = with([](json& j) { j["host_memory"]["channels"] = 2; });
  EXPECT_FALSE(l.profile);
  EXPECT_NE(listed(l).find("/host_memory/banks: found nothing; allowed: a value"), std::string::npos);
  EXPECT_EQ(listed(l).find("trefi_ns (0)"), std::string::npos);
}

TEST(StrictProfile, BrokenRulesNameThePartFile) {
  const Folder folder;
  const fs::path part = folder.write("slow.json", R"({"trfc_ns": {"value": 90000, "source": "made up"}})");
  const Loaded l = with([&](json& j) { j["device_memory"]["timings"]["include"] = part.string(); });
  expect_one(l, "/trfc_ns/value", "found 90000; allowed: less than trefi_ns");
  EXPECT_EQ(l.problems[0].file, part.string());
}

// PCI Express that cannot exist is refused with the rule that it breaks.
TEST(StrictProfile, RulesOfPcie) {
  const struct {
    const char* machine;
    const char* at;  // the pointer of what is set
    json value;
    const char* blamed;
    const char* part;
  } rules[] = {
      {"legacy-pcie3", "/link/tag_bits", 10, "/link/tag_bits", "at most 8 up to 8 GT/s (PCIe Base 4, 10-bit tags)"},
      {"h200-pcie5", "/link/tag_bits", 14, "/link/tag_bits", "at most 10 up to 32 GT/s (PCIe Base 6, 14-bit tags)"},
      {"h200-pcie5", "/link/tag_bits", 7, "/link/tag_bits", "5, 8, 10 or 14"},
      {"h200-pcie5", "/link/tag_bits", 8, "", "at most 256 with tag_bits (PCIe Base 3, 8-bit tags)"},  // read_tags is 768
      {"h200-pcie5", "/link/tag_bits", 5, "", "at most 32 with tag_bits (PCIe Base 1, 5-bit tags)"},
      {"h200-pcie5", "/link/read_tags", 0, "/link/read_tags", "a whole number from 1"},
      {"h200-pcie5", "/link/generation", 4, "/link/generation", "the generation of the rate"},
      {"h200-pcie5", "/link/credits/posted_data", 15, "/link/credits/posted_data", "at least 16: one TLP of max_payload_bytes"},
      {"h200-pcie5", "/link/credits/completion_data", 15, "/link/credits/completion_data", "at least 16"},
      {"superchip-c2c", "/link/atomics", "atomic_ops", "/link/atomics", "\"read_write\", as kind is not \"pcie\""},
      {"legacy-pcie3", "/link/credits/posted_headers", 128, "/link/credits/posted_headers", "at most 127 (PCIe Base, 2.6.1)"},
      {"legacy-pcie3", "/link/credits/posted_data", 2048, "/link/credits/posted_data", "at most 2047 (PCIe Base, 2.6.1)"},
      {"h200-pcie5", "/link/credits/posted_headers", 2033, "/link/credits/posted_headers", "at most 2032 (PCIe Base 4, scaled"},
      {"h200-pcie5", "/link/replay_buffer_bytes", 256, "/link/replay_buffer_bytes", "at least a TLP"},
      {"h200-pcie5", "/bridge/peer_to_peer", true, "/bridge/peer_to_peer", "false, as there is no bridge"},
      {"h200-pcie5", "/bridge/lanes", 16, "/bridge/lanes", "nothing, as kind is not \"switch\""},
      {"h200-pcie5", "/bridge/kind", "root_complex", "/bridge/fabric_gbps", "the rate of its fabric"},
      {"cxl-accelerator", "/bridge", json{{"kind", "root_complex"}, {"fabric_gbps", 64}}, "/bridge/kind", "none, as the link's kind"},
  };
  for (const auto& r : rules) {
    const Loaded l = with([&](json& j) { j[json::json_pointer(r.at)] = r.value; }, r.machine);
    EXPECT_FALSE(l.profile) << r.at;
    ASSERT_EQ(l.problems.size(), 1U) << r.at << "\n" << listed(l);
    if (*r.blamed != 0) {
      EXPECT_EQ(l.problems[0].pointer, r.blamed);
    }
    EXPECT_NE(to_string(l.problems[0]).find(r.part), std::string::npos) << listed(l);
  }
  EXPECT_TRUE(with([](json& j) { j["link"]["credits"] = {{"posted_headers", 127}, {"posted_data", 2047}}; }, "legacy-pcie3").profile);
  // All of a class, where no number is given: 32, 256 and 768.
  for (const auto& given : {std::pair{5, 32U}, {8, 256U}, {10, 768U}}) {
    const int bits = given.first;
    const Loaded l = with([&](json& j) {
      j["link"] = {{"kind", "pcie"}, {"gigatransfers_per_s", 16}, {"lanes", 16}, {"max_payload_bytes", 256},
                   {"max_read_request_bytes", 512}, {"propagation_ns", 350}, {"tag_bits", bits}};
    });
    ASSERT_TRUE(l.profile) << listed(l);
    EXPECT_EQ(l.profile->link.read_tags, given.second);
  }
}

TEST(StrictProfile, RulesOfLinkKinds) {
  expect_one(with([](json& j) { j["link"]["max_payload_bytes"] = 64; }), "/link/max_payload_bytes",
             "at least 128 (PCIe Base, MPS)");
  expect_one(with([](json& j) { j["link"]["max_read_request_bytes"] = 64; }), "/link/max_read_request_bytes",
             "at least 128 (PCIe Base, MRRS)");
  expect_one(with([](json& j) { j["link"]["read_completion_boundary_bytes"] = 96; }),
             "/link/read_completion_boundary_bytes", "64 or 128");
  // Tags of 8 bits up to generation 3, of 10 bits (768 of them) up to 5.
  expect_one(with([](json& j) { j["link"]["read_tags"] = 769; }), "/link/read_tags", "at most 768 up to 32 GT/s");
  expect_one(with([](json& j) { j["link"]["read_tags"] = 257; }, "legacy-pcie3"), "/link/read_tags",
             "at most 256 up to 8 GT/s");
  EXPECT_TRUE(with([](json& j) { j["link"]["read_tags"] = 768; }).profile.has_value());
  expect_one(with([](json& j) { j["device"]["svm_atomics"] = true; }), "/device/svm_atomics", "fine-grained SVM");
  expect_one(with([](json& j) { j["link"]["kind"] = "on_chip"; }), "/link/fabric_gbps", "as kind is \"on_chip\"");
  expect_one(with([](json& j) { j["link"]["flit_payload_bytes"] = 4096; }, "cxl-accelerator"),
             "/link/flit_payload_bytes", "from 1 to flit_bytes");
}

// What an unreadable part would have said is not missing; everything else is still checked.
TEST(StrictProfile, AMissingPartDoesNotHideOrInventProblems) {
  const Loaded l = with([](json& j) {
    j["link"]["include"] = "no-such-part.json";
    j["driver"]["fence_ns"] = -1;
  });
  EXPECT_EQ(l.problems.size(), 2U) << listed(l);
  EXPECT_NE(listed(l).find("/link/include: found \"no-such-part.json\", which does not exist"), std::string::npos)
      << listed(l);
  EXPECT_NE(listed(l).find("/driver/fence_ns: found -1"), std::string::npos) << listed(l);
}

// Files that include the next one twice: 2^15 readings without the limit.
TEST(StrictProfile, IncludesDoNotMultiply) {
  const Folder folder;
  for (int i = 0; i < 15; ++i) {
    const std::string next = "\"b" + std::to_string(i + 1) + ".json\"";
    (void)folder.write("b" + std::to_string(i) + ".json", "{\"include\":[" + next + "," + next + "]}");
  }
  (void)folder.write("b15.json", "{}");
  const Loaded l = load_profile((folder.path() / "b0.json").string());
  EXPECT_NE(listed(l).find("more than 256 included files"), std::string::npos) << listed(l);
  EXPECT_EQ(l.problems.size(), 1U) << listed(l);
}

TEST(StrictProfile, AFloodOfProblemsIsCutAndCounted) {
  std::string text = "{\"link\":{";
  for (int i = 0; i < 5000; ++i) text += (i > 0 ? ",\"propagation" : "\"propagation") + std::to_string(i) + "\":1";
  const Loaded l = parse_profile(text + "}}", config / "profiles/test.json");
  ASSERT_EQ(l.problems.size(), 1001U);
  // Of 5000 unknown and the missing required keys, as many as the last line says are not listed.
  const std::size_t missing = static_cast<std::size_t>(
      std::count_if(fields().begin(), fields().end(), [](const Field& f) { return f.required; }));
  EXPECT_EQ(l.problems.back().found, std::to_string(5000 + missing - 1000) + " more problems");
}

// 64-bit FNV-1a: offset basis 0xcbf29ce484222325, prime 0x100000001b3. The canonical text is the map of pointers to
// values, sorted, without spaces and sources; here it is built from the constants that the loader reports.
TEST(StrictProfile, TheHashIsFnv1aOfTheCanonicalText) {
  const Loaded l = parse(shipped());
  ASSERT_TRUE(l.profile) << listed(l);
  json canonical = json::object();
  for (const Constant& c : l.constants) {
    json v = json::parse(c.value);
    const Field& field = *std::find_if(fields().begin(), fields().end(), [&](const Field& f) {
      std::string pointer = (f.section.empty() ? "" : "/" + f.section) + "/" + f.key;
      std::replace(pointer.begin(), pointer.end(), '.', '/');
      return pointer == c.pointer;
    });
    if (field.unit == Unit::bytes && v.is_string()) {
      const std::string text = v;
      const std::map<std::string, std::uint64_t> units = {{"KiB", 1U << 10}, {"MiB", 1U << 20}, {"GiB", 1U << 30}};
      v = static_cast<std::uint64_t>(std::stod(text) * static_cast<double>(units.at(text.substr(text.size() - 3))));
    } else if (v.is_number_float() && v.get<double>() == std::floor(v.get<double>())) {
      v = static_cast<std::uint64_t>(v.get<double>());
    }
    canonical[c.pointer] = v;
  }
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : canonical.dump(-1, ' ', true)) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  EXPECT_EQ(l.profile->hash, text);
}

TEST(StrictProfile, OneMachineHasOneHashHoweverItIsWritten) {
  const auto hash = [](const json& size) {
    return with([&](json& j) { j["driver"]["staging_chunk_bytes"] = size; }).profile->hash;
  };
  EXPECT_EQ(hash("2 MiB"), hash(2097152));
  EXPECT_EQ(hash("2 MiB"), hash(2097152.0));
  EXPECT_NE(hash("2 MiB"), hash("1 MiB"));
}

TEST(StrictProfile, TruncatedAtAnyByteIsAReport) {
  std::ifstream in(config / "parts/link-pcie-gen5-x16.json");
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  ASSERT_FALSE(text.empty());
  for (std::size_t n = 0; n < text.size(); ++n) {
    const Loaded l = parse_profile(std::string_view(text).substr(0, n), config / "profiles/cut.json");
    EXPECT_FALSE(l.profile) << n;
    EXPECT_FALSE(l.problems.empty()) << n;
  }
}

// The parser counts brackets before it parses: 4 MiB of them is the most it ever looks at.
TEST(StrictProfile, NestingIsRefusedAtTheFirstLevelTooMany) {
  const auto nested = [](int levels) {
    return parse_profile(
        std::string(static_cast<std::size_t>(levels), '[') + std::string(static_cast<std::size_t>(levels), ']'),
        "n.json");
  };
  EXPECT_EQ(listed(nested(64)).find("nesting"), std::string::npos);
  EXPECT_NE(listed(nested(65)).find("nesting deeper than 64"), std::string::npos);
  // Brackets in strings do not nest.
  EXPECT_EQ(listed(parse_profile("{\"name\":\"" + std::string(100, '[') + "\"}", "s.json")).find("nesting"),
            std::string::npos);
}

}  // namespace
}  // namespace sluice::profile

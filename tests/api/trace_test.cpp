// The trace of a whole program: the same bytes on every run, and stages that add up.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

std::string run(const std::string& profile, const std::string& level, const std::string& prefix = "",
                const std::string& program = BUSY) {
  const fs::path file = fs::temp_directory_path() / ("sluice_trace_test_" + std::to_string(::getpid()) + ".jsonl");
  ::setenv("SLUICE_PROFILE", profile.c_str(), 1);
  ::setenv("SLUICE_TRACE", file.c_str(), 1);
  ::setenv("SLUICE_TRACE_LEVEL", level.c_str(), 1);
  EXPECT_EQ(std::system((prefix + program).c_str()), 0);
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  fs::remove(file);
  return text.str();
}

TEST(Trace, TwentyRunsGiveTheSameBytes) {
  const std::string first = run("h200-pcie5", "stage");
  ASSERT_GT(first.size(), 1000U);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(run("h200-pcie5", "stage"), first) << i;
  for (int i = 0; i < 9; ++i) EXPECT_EQ(run("h200-pcie5", "stage", "taskset -c 0 "), first) << i;
}

// Every command of a busy program, on every kind of link: the stages sum to its time, exactly, and stamps are ordered.
TEST(Trace, StagesAddUp) {
  for (const char* profile : {"h200-pcie5", "generic-pcie4", "legacy-pcie3", "superchip-c2c", "cxl-accelerator",
                              "igpu-coherent", "soc-noncoherent"}) {
    std::istringstream lines(run(profile, "command"));
    std::string line;
    std::getline(lines, line);
    int commands = 0;
    while (std::getline(lines, line)) {
      const auto r = nlohmann::json::parse(line);
      ASSERT_EQ(r["record"], "command");
      std::uint64_t sum = 0;
      for (const auto& [stage, time] : r["stages"].items()) sum += time.get<std::uint64_t>();
      EXPECT_EQ(sum, r["visible"].get<std::uint64_t>() - r["called"].get<std::uint64_t>()) << profile << " " << line;
      std::uint64_t last = 0;
      for (const char* stamp : {"called", "queued", "submitted", "started", "ended", "completed", "visible"}) {
        EXPECT_GE(r[stamp].get<std::uint64_t>(), last) << profile << " " << line;
        last = r[stamp];
      }
      ++commands;
    }
    EXPECT_EQ(commands, 7 * 7) << profile;  // seven sizes, seven commands each
  }
}

// Tags, credits, the link's directions and the device's queue: in use and then free again; and nothing of them at other levels.
TEST(Trace, ThePacketLevelCountsWhatIsInUse) {
  const std::vector<std::string> gauges = {"link.tags in_use", "link.credits in_use", "link.up use_permille",
                                           "link.down use_permille", "command_processor queue_depth"};
  for (const char* detail : {"train", "packet"}) {
    ::setenv("SLUICE_DETAIL", detail, 1);
    std::istringstream lines(run("h200-pcie5", "packet"));
    std::map<std::string, std::uint64_t> last, most;
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with("{\"record\":\"counter\"")) continue;
      const auto r = nlohmann::json::parse(line);
      const std::string name = r["part"].get<std::string>() + " " + r["name"].get<std::string>();
      last[name] = r["value"];
      most[name] = std::max(most[name], last[name]);
    }
    for (const std::string& gauge : gauges) {
      EXPECT_EQ(last.count(gauge), 1U) << gauge;
      EXPECT_EQ(last[gauge], 0U) << detail << " " << gauge;
      EXPECT_GT(most[gauge], 0U) << detail << " " << gauge;
    }
    EXPECT_LE(most["link.tags in_use"], 768U);  // the profile's link.read_tags
    EXPECT_LE(most["link.credits in_use"], 2 * 192U);  // link.posted_credits_tlps, while one transfer drains and one begins
    EXPECT_LE(most["link.down use_permille"], 1000U);
    EXPECT_GT(most["link.down use_permille"], 900U);  // long writes to the device
    EXPECT_LE(last["host.caches hit_lines"], last["host.caches lines"]);
    EXPECT_GT(last["host.caches lines"], 0U);
  }
  ::unsetenv("SLUICE_DETAIL");
  const std::string stages = run("h200-pcie5", "stage");
  for (const char* name : {"in_use", "use_permille", "hit_lines", "\"command_processor\",\"name\""}) {
    EXPECT_EQ(stages.find(name), std::string::npos) << name;
  }
}

// The whole trace is in the order of what was over first, in either detail.
TEST(Trace, RecordsAreInTheOrderOfTheirEnds) {
  for (const char* detail : {"train", "packet"}) {
    ::setenv("SLUICE_DETAIL", detail, 1);
    for (const char* profile : {"h200-pcie5", "legacy-pcie3", "superchip-c2c"}) {
      std::istringstream lines(run(profile, "packet"));
      std::string line;
      std::getline(lines, line);
      std::uint64_t last = 0;
      std::map<std::string, int> records;
      while (std::getline(lines, line)) {
        // Hundreds of thousands of records: looked into by hand, parsing them whole takes a minute under AddressSanitizer.
        const std::string record = line.substr(11, line.find('"', 11) - 11);
        const std::string key = record == "command" ? "\"visible\":" : record == "counter" ? "\"at\":" : "\"end\":";
        const std::size_t found = line.find(key);
        ASSERT_NE(found, std::string::npos) << line;
        const std::uint64_t at = std::strtoull(line.c_str() + found + key.size(), nullptr, 10);
        ASSERT_GE(at, last) << profile << " " << detail << " " << line;
        last = at;
        ++records[record];
      }
      EXPECT_GT(records["stage"], 49) << profile;
      EXPECT_EQ(records["packet"] > 0, std::string(detail) == "packet") << profile;
    }
  }
  ::unsetenv("SLUICE_DETAIL");
}

// Whatever way a program ends that runs its exit handlers, and whatever its other threads do then: it ends, and its
// trace holds its commands in order, each line whole.
TEST(Trace, IsWholeHoweverTheProgramEnds) {
  struct Case {
    const char* how;
    int commands;
    bool at_least;
  };
  for (const Case& c :
       {Case{"return", 100, false}, Case{"pending", 200, false}, Case{"exit_beside_calls", 100, true}, Case{"exit_on_other_thread", 100, true},
        Case{"fork", 200, false}, Case{"dlclose " DRIVER, 100, false}, Case{"quick", 100, false}}) {
    const std::string text = run("generic-pcie4", "command", "", std::string(ENDS " ") + c.how);
    ASSERT_TRUE(text.ends_with("}\n")) << c.how;
    std::istringstream lines(text);
    std::string line;
    std::getline(lines, line);
    int commands = 0;
    while (std::getline(lines, line)) EXPECT_EQ(nlohmann::json::parse(line)["id"], ++commands) << c.how;
    EXPECT_GE(commands, c.commands) << c.how;
    EXPECT_TRUE(c.at_least || commands == c.commands) << c.how << " " << commands;
  }
}

}  // namespace

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
      if (r["record"] == "call" || r["record"] == "end") continue;
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
        if (record == "end") continue;
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

// What the program's threads do beside their commands: every call that takes time or that others wait for, at whatever
// level, thread by thread; back to back where nothing else takes time, and each wait up to when its command was visible.
TEST(Trace, ShowsCallsThatEnqueueNothingAndWaits) {
  std::string at_command_level;
  for (const char* level : {"command", "stage", "packet"}) {
    std::istringstream lines(run("h200-pcie5", level, "", CALLS));
    std::map<std::uint64_t, nlohmann::json> commands;
    std::map<unsigned, std::vector<nlohmann::json>> threads;
    std::string text;
    for (std::string line; std::getline(lines, line);) {
      const auto r = nlohmann::json::parse(line);
      if (r.value("record", "") == "command") commands[r["id"]] = r;
      if (r.value("record", "") != "call") continue;
      threads[r["thread"]].push_back(r);
      text += line + "\n";
    }
    if (at_command_level.empty()) at_command_level = text;
    EXPECT_EQ(text, at_command_level) << level;

    std::vector<std::string> names;
    for (const auto& r : threads[1]) names.push_back(r["name"]);
    EXPECT_EQ(names, (std::vector<std::string>{"clBuildProgram", "clCreateBuffer", "clGetEventInfo", "clSetUserEventStatus",
                                               "clWaitForEvents", "clFinish", "clFinish"}));
    ASSERT_EQ(names.size(), 7U);
    const auto& main = threads[1];
    const auto begin = [](const nlohmann::json& r) { return r["begin"].get<std::uint64_t>(); };
    const auto end = [](const nlohmann::json& r) { return r["end"].get<std::uint64_t>(); };
    EXPECT_EQ(begin(main[0]), end(main[0])) << "a build takes no simulated time";
    EXPECT_EQ(main[2]["calls"], 5) << "looks one behind the other";
    EXPECT_GT(end(main[2]), begin(main[2]));
    EXPECT_EQ(begin(main[3]), end(main[2]));
    EXPECT_GE(commands[1]["submitted"].get<std::uint64_t>(), begin(main[3])) << "it is the call that lets the write go";
    EXPECT_LE(commands[1]["submitted"].get<std::uint64_t>(), end(main[3]));
    EXPECT_EQ(begin(main[4]), end(main[3]));
    EXPECT_EQ(main[4]["end"], commands[1]["visible"]);
    EXPECT_EQ(main[5]["end"], commands[2]["visible"]);
    // The second thread begins at the device's time, and waits for its own command.
    ASSERT_EQ(threads[2].size(), 1U);
    EXPECT_EQ(threads[2][0]["name"], "clEnqueueReadBuffer");
    EXPECT_EQ(threads[2][0]["id"], 3);
    EXPECT_EQ(threads[2][0]["begin"], commands[3]["called"]);
    EXPECT_EQ(threads[2][0]["end"], commands[3]["visible"]);
    // The callback came when the write was visible.
    ASSERT_EQ(threads[0].size(), 1U);
    EXPECT_EQ(threads[0][0]["name"], "clFlush");
    EXPECT_EQ(threads[0][0]["begin"], commands[1]["visible"]);
    EXPECT_EQ(threads.size(), 3U);
  }
}

// Whatever way a program ends that runs its exit handlers, and whatever its other threads do then: it ends, and its
// trace holds its commands in order, each line whole, and its end.
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
    std::string last;
    while (std::getline(lines, line)) {
      const auto r = nlohmann::json::parse(line);
      last = r["record"];
      if (last != "command") continue;
      EXPECT_EQ(r["id"], ++commands) << c.how;
    }
    // No code of the driver's runs at _exit().
    EXPECT_EQ(last, c.how == std::string("quick") ? "command" : "end") << c.how;
    EXPECT_GE(commands, c.commands) << c.how;
    EXPECT_TRUE(c.at_least || commands == c.commands) << c.how << " " << commands;
  }
}

}  // namespace

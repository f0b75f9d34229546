// What a sweep's specification means, and what is kept of its points.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/support/made_up_sweep.h"
#include "tools/sweep/progress.h"
#include "tools/sweep/results.h"
#include "tools/sweep/slurm.h"
#include "tools/sweep/spec.h"
#include "tools/sweep/transfers.h"

namespace sluice::sweep {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

Spec parsed(const std::string& text) {
  Spec spec;
  EXPECT_THAT(parse_spec(text, spec), IsEmpty()) << text;
  return spec;
}

std::string with_vary(const std::string& vary) { return R"({"profile":"p","program":["./a","x"],"vary":)" + vary + "}"; }

TEST(SpecTest, EveryCombinationIsAPointAndTheLastParameterVariesFirst) {
  const Spec spec = parsed(R"({"profiles":["p","q"],"transfers":{"sizes":["4K"],"reads":3},"vary":{"/a/b":[1,2],"/c":["x","y",true]}})");
  EXPECT_EQ(spec.reads, 3u);
  ASSERT_EQ(spec.point_count(), 12u);
  const Point first = point_at(spec, 0);
  EXPECT_EQ(first.profile, "p");
  EXPECT_THAT(first.values, ElementsAre(json(1), json("x")));
  EXPECT_THAT(point_at(spec, 1).values, ElementsAre(json(1), json("y")));
  EXPECT_THAT(point_at(spec, 5).values, ElementsAre(json(2), json(true)));
  EXPECT_EQ(point_at(spec, 6).profile, "q");
}

TEST(SpecTest, RangesHaveBothEndsAndKeepWholeNumbersWhole) {
  const Spec spec = parsed(with_vary(
      R"({"/a":{"from":1,"to":7,"step":2},"/b":{"from":4,"to":70,"factor":4},"/c":{"from":0.1,"to":0.3,"step":0.1}})"));
  EXPECT_THAT(spec.parameters[0].values, ElementsAre(json(1), json(3), json(5), json(7)));
  EXPECT_TRUE(spec.parameters[0].values[0].is_number_integer());
  EXPECT_THAT(spec.parameters[1].values, ElementsAre(json(4), json(16), json(64)));
  // Three times 0.1 is a little more than 0.3, which is the end all the same.
  EXPECT_THAT(spec.parameters[2].values, ElementsAre(json(0.1), json(0.2), json(0.3)));
}

TEST(SpecTest, WhatIsWrongIsNamedAllAtOnce) {
  struct Case {
    std::string text;
    const char* problem;
  };
  const Case cases[] = {
      {"{", "not JSON: byte 2"},
      {"[]", "/: found []; allowed: an object"},
      {R"({"program":["a"],"vary":{}})", "/profile: one of"},
      {R"({"profile":"p","vary":{}})", "/program: one of"},
      {R"({"profile":"p","program":["a"]})", "/vary: missing"},
      {R"({"profile":"p","program":[],"vary":{}})", "/program: found []"},
      {R"({"profile":"p","program":"a","vary":{}})", "/program: found \"a\"; allowed: a list of strings"},
      {R"({"profile":"p","program":["a"],"vary":{},"time":3})", "/time: unknown; known: profile"},
      {R"({"profile":"p","program":["a"],"vary":{},"seconds":0})", "/seconds: found 0"},
      {R"({"profile":"p","transfers":{"reads":0},"vary":{}})", "/transfers/reads: found 0"},
      {with_vary(R"({"link":[1]})"), "/vary/link: no JSON pointer"},
      {with_vary(R"({"/a/b":[]})"), "/vary/~1a~1b: found []; allowed: a list of values, or {\"from\""},
      {with_vary(R"({"/a":3})"), "/vary/~1a: found 3"},
      {with_vary(R"({"/a":{"from":1,"to":9}})"), "/vary/~1a: found {\"from\":1"},
      {with_vary(R"({"/a":{"from":1,"to":9,"step":0}})"), "/vary/~1a: found"},
      {with_vary(R"({"/a":{"from":0,"to":9,"factor":2}})"), "/vary/~1a: found"},
      {with_vary(R"({"/a":{"from":9,"to":1,"step":1}})"), "/vary/~1a: found"},
      {with_vary(R"({"/a":{"from":1,"to":1e9,"step":1}})"), "/vary/~1a: more than 10000 values"},
      {with_vary(R"({"/a":{"from":1,"to":400,"step":1},"/b":{"from":1,"to":400,"step":1}})"), "/vary: more than 100000 points"},
  };
  for (const Case& c : cases) {
    Spec spec;
    EXPECT_THAT(parse_spec(c.text, spec), testing::Contains(HasSubstr(c.problem))) << c.text;
  }
  Spec spec;
  EXPECT_EQ(parse_spec(R"({"vary":{"a":[]},"x":1})", spec).size(), 4u);
}

TEST(SpecTest, APointsProfileIsTheBaseWithValuesLaidOver) {
  const Spec spec = parsed(with_vary(R"({"/link/lanes":[8],"/link/mps":[256]})"));
  EXPECT_EQ(profile_of(spec, point_at(spec, 0), "/x/p.json").dump(),
            R"({"include":"/x/p.json","link":{"lanes":{"value":8,"source":"swept"},"mps":{"value":256,"source":"swept"}}})");
}

Transfer transfer(std::uint64_t bytes, const std::array<std::uint64_t, 4>& times_ns) {
  Transfer made;
  made.bytes = bytes;
  for (std::size_t m = 0; m < times_ns.size(); ++m) made.by_method[m].time_ns = times_ns[m];
  return made;
}

TEST(ResultsTest, WhatWasKeptIsReadBack) {
  Outcome good;
  good.status = "ok";
  good.commands = 3;
  good.elapsed_ps = 1000;
  good.time_ps = 900;
  good.stages[2] = 77;
  good.transfers = {transfer(4096, {1, 2, 3, 0})};
  good.transfers[0].by_method[2].stages[5] = 123;
  Outcome bad;
  bad.status = "timeout";
  const std::string last = to_line("c", good);
  std::istringstream in(to_line("a", good) + to_line("b", bad) + "no JSON\n{\"status\":\"ok\"}\n" + last.substr(0, last.size() - 1));
  const auto known = read_lines(in);
  ASSERT_EQ(known.size(), 2u);  // not what is damaged or lost its end
  EXPECT_EQ(known.at("b").status, "timeout");
  const Outcome& back = known.at("a");
  EXPECT_EQ(back.commands, 3u);
  EXPECT_EQ(back.elapsed_ps, 1000u);
  EXPECT_EQ(back.stages, good.stages);
  ASSERT_EQ(back.transfers.size(), 1u);
  EXPECT_EQ(back.transfers[0].bytes, 4096u);
  for (std::size_t m = 0; m < methods.size(); ++m) {
    EXPECT_EQ(back.transfers[0].by_method[m].time_ns, good.transfers[0].by_method[m].time_ns);
    EXPECT_EQ(back.transfers[0].by_method[m].stages, good.transfers[0].by_method[m].stages);
  }
}

// A sweep was killed while it wrote: the line that the next one writes is not lost with the one that was cut off.
TEST(ResultsTest, WhatIsAppendedToACutOffLineIsALineOfItsOwn) {
  const std::filesystem::path file = std::filesystem::temp_directory_path() / ("sluice-lines-" + std::to_string(::getpid()));
  Outcome good;
  good.status = "ok";
  std::ofstream(file, std::ios::binary) << to_line("a", good) << "{\"key\":\"b\",";
  open_lines(file) << to_line("c", good);
  open_lines(file) << to_line("d", good);
  std::ifstream in(file, std::ios::binary);
  const auto known = read_lines(in);
  std::filesystem::remove(file);
  EXPECT_EQ(known.size(), 3u);
  EXPECT_TRUE(known.contains("a") && known.contains("c") && known.contains("d"));
}

TEST(ProgressTest, RateAndTimeLeftAreOfThePointsThatRan) {
  // 10 of 40 were there before; 10 more took 5 s: 2 a second, so the last 20 take 10 s.
  EXPECT_EQ(progress_line({40, 20, 10, 5}, "", 79), "[###############...............] 20/40  2.0 points/s  10 s left");
  EXPECT_EQ(progress_line({40, 40, 30, 15}, "", 79), "[##############################] 40/40  2.0 points/s");
  EXPECT_EQ(progress_line({40, 10, 0, 0}, "3 tasks run", 79), "[#######.......................] 10/40  3 tasks run");
  // 99 points at a point in 100 s: 9,900 s are 2 h 45 min. At one in 10 s: 990 s are 16 min 30 s.
  EXPECT_THAT(progress_line({100, 1, 1, 100}, "", 79), HasSubstr("0.010 points/s  2 h 45 min left"));
  EXPECT_THAT(progress_line({100, 1, 1, 10}, "", 79), HasSubstr("0.100 points/s  16 min 30 s left"));
}

TEST(ProgressTest, NoLineIsWiderThanTheTerminal) {
  const Standing standing{40, 20, 10, 5};
  EXPECT_EQ(progress_line(standing, "", 43), "[#####.....] 20/40  2.0 points/s  10 s left");
  EXPECT_EQ(progress_line(standing, "", 37), "20/40  2.0 points/s  10 s left");
  EXPECT_EQ(progress_line(standing, "", 10), "20/40  2.0");
}

TEST(SlurmTest, ThePlanComesBack) {
  const Plan plan{json::parse(R"x({"profile":"p \"q\" $(touch x)"})x"), {{3, "key \"3\""}, {7, "`key`"}}, 2};
  std::istringstream in(to_text(plan));
  Plan back;
  ASSERT_TRUE(read_plan(in, back));
  EXPECT_EQ(back.spec, plan.spec);
  EXPECT_EQ(back.points, plan.points);
  EXPECT_EQ(back.tasks, 2u);
  for (const char* text : {"", "[]", "{}", R"({"spec":{},"tasks":0,"points":[]})", R"({"spec":{},"tasks":1,"points":[1]})"}) {
    std::istringstream bad(text);
    EXPECT_FALSE(read_plan(bad, back)) << text;
  }
}

// As sbatch(1), squeue(1) and scontrol(1) of Slurm 22.05 say and show it.
TEST(SlurmTest, WhatSlurmSaysIsUnderstood) {
  EXPECT_EQ(parse_job("123\n"), "123");
  EXPECT_EQ(parse_job("123;cluster\n"), "123");
  EXPECT_EQ(parse_job("Submitted batch job 123\n"), "");
  EXPECT_EQ(parse_job(""), "");
  const auto tasks = parse_tasks("1 COMPLETED\n0 RUNNING\nN/A PENDING\n\n");
  EXPECT_THAT(tasks, ElementsAre(testing::Pair(0u, "RUNNING"), testing::Pair(1u, "COMPLETED")));
  for (const char* over : {"COMPLETED", "FAILED", "TIMEOUT", "NODE_FAIL", "CANCELLED", "OUT_OF_MEMORY"}) EXPECT_TRUE(is_over(over)) << over;
  for (const char* not_over : {"PENDING", "RUNNING", "COMPLETING", "REQUEUED", "SUSPENDED", "CONFIGURING"}) EXPECT_FALSE(is_over(not_over)) << not_over;
  EXPECT_EQ(parse_most_tasks("MailProg                = /bin/mail\nMaxArraySize            = 1001\nMaxDBDMsgs = 20000\n"), 1001u);
  EXPECT_EQ(parse_most_tasks("nothing of it"), 0u);
}

// The script has no place for anything that somebody typed, and sbatch finds no number to put into a name.
TEST(SlurmTest, NothingThatIsTypedBecomesScriptOrPattern) {
  EXPECT_STREQ(task_script, "#!/bin/sh\nexec \"$@\"\n");
  EXPECT_EQ(pattern_of("/a/%A %%/task-", "%a.out"), "/a/%%A %%%%/task-%a.out");
}

TEST(ResultsTest, AnotherProfileOrProgramIsAnotherPoint) {
  const Spec spec = parsed(with_vary(R"({"/a":[1,2]})"));
  const std::string key = key_of(spec, point_at(spec, 0), "hash", "stamp");
  EXPECT_EQ(key, key_of(spec, point_at(spec, 0), "hash", "stamp"));
  EXPECT_NE(key, key_of(spec, point_at(spec, 1), "hash", "stamp"));
  EXPECT_NE(key, key_of(spec, point_at(spec, 0), "other", "stamp"));
  EXPECT_NE(key, key_of(spec, point_at(spec, 0), "hash", "other"));
}

TEST(ResultsTest, CsvHasEveryPoint) {
  const Spec spec = parsed(R"({"profile":"p","transfers":{"sizes":["4K"]},"vary":{"/a":[1,2],"/b":["x,y"]}})");
  std::vector<Outcome> outcomes(2);
  outcomes[0].status = "ok";
  outcomes[0].transfers = {transfer(4096, {11, 12, 13, 0}), transfer(65536, {21, 22, 23, 24})};
  outcomes[0].transfers[1].by_method[3].stages.back() = 8;
  outcomes[1].status = "exit 3";
  std::ostringstream out;
  write_csv(out, spec, outcomes);
  std::istringstream in(out.str());
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  ASSERT_EQ(lines.size(), 4u);
  // Behind the times the stages, method by method; blank where a machine does not offer one.
  EXPECT_THAT(lines[0], StartsWith("profile,/a,/b,status,bytes,pageable_ns,pinned_ns,map_ns,zero_copy_ns,pageable_host_validate_ps,"));
  EXPECT_THAT(lines[0], EndsWith(",zero_copy_wakeup_ps\r"));
  EXPECT_THAT(lines[1], StartsWith("p,1,\"x,y\",ok,4096,11,12,13,,0,"));
  EXPECT_THAT(lines[1], EndsWith(",0" + std::string(stage_count, ',') + "\r"));
  EXPECT_THAT(lines[2], StartsWith("p,1,\"x,y\",ok,65536,21,22,23,24,0,"));
  EXPECT_THAT(lines[2], EndsWith(",0,8\r"));
  EXPECT_EQ(lines[3], "p,2,\"x,y\",exit 3" + std::string(5 + 4 * stage_count, ',') + "\r");
  for (const std::string& line : lines) EXPECT_EQ(std::count(line.begin(), line.end(), ','), std::count(lines[0].begin(), lines[0].end(), ',') + (line == lines[0] ? 0 : 1));
}

// Sizes take times of different orders: each has a chart of its own, with a bar for each point and what it offers.
TEST(ResultsTest, ThePageOfTransfersShowsWhereTheirTimeWent) {
  const Spec spec = parsed(R"({"profile":"p","transfers":{"sizes":["4K","1M"]},"vary":{"/x/a":[1,2]}})");
  std::vector<Outcome> outcomes(2);
  for (Outcome& outcome : outcomes) {
    outcome.status = "ok";
    outcome.transfers = {transfer(4096, {11, 12, 13, 0}), transfer(1 << 20, {21, 22, 23, 0})};
  }
  outcomes[1].transfers[1].by_method[2].stages[static_cast<std::size_t>(Stage::link)] = 7'000'000;
  std::ostringstream out;
  make_page(spec, outcomes).write(out);
  EXPECT_THAT(out.str(), HasSubstr("4K: where the time of the commands went"));
  EXPECT_THAT(out.str(), HasSubstr("1M: where the time of the commands went"));
  EXPECT_THAT(out.str(), HasSubstr(R"("labels":["a 1, pageable","a 1, pinned","a 1, map","a 2, pageable","a 2, pinned","a 2, map"])"));
  EXPECT_THAT(out.str(),
              testing::ContainsRegex(
                  R"re(\{"name":"link","colour":[0-9]+,"values":\[0\.0,0\.0,0\.0,0\.0,0\.0,7\.0\]\})re"));
  EXPECT_THAT(out.str(), HasSubstr("<td>a 2, map<td class=\"n\">7"));
}

TEST(TransfersTest, LinesOfTheWorkloadAreRead) {
  std::istringstream in("4096 16070 7 9 15036 18 20 16737 33 37 -\n");
  std::vector<Transfer> transfers;
  ASSERT_TRUE(read_transfers(in, transfers));
  ASSERT_EQ(transfers.size(), 1u);
  EXPECT_EQ(transfers[0].by_method[1].time_ns, 15036u);
  EXPECT_EQ(transfers[0].by_method[1].first, 18u);
  EXPECT_EQ(transfers[0].by_method[1].last, 20u);
  EXPECT_EQ(transfers[0].by_method[3].time_ns, 0u);
  for (const char* bad : {"x\n", "4096\n", "4096 1 2\n", "4096 1 2 3 4 5 6 7 8 9\n"}) {
    std::istringstream other(bad);
    EXPECT_FALSE(read_transfers(other, transfers)) << bad;
  }
}

// The page of 5,000 points of a program: whoever sends it by mail has to care for its size.
TEST(ResultsTest, APageOfFiveThousandPointsHasLessThanFiveMegabytes) {
  std::ostringstream out;
  page_of_five_thousand_points().write(out);
  EXPECT_LT(out.str().size(), 5'000'000u);
  EXPECT_THAT(out.str(), HasSubstr("5000 points, 5 failed"));
  if (const char* file = std::getenv("SLUICE_TEST_PAGE")) std::ofstream(file, std::ios::binary) << out.str();  // to look at
}

}  // namespace
}  // namespace sluice::sweep

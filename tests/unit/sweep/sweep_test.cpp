// What a sweep's specification means, and what is kept of its points.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tools/sweep/results.h"
#include "tools/sweep/spec.h"

namespace sluice::sweep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

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
  EXPECT_EQ(spec.parameters[2].values.size(), 3u);
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

TEST(ResultsTest, WhatWasKeptIsReadBackAndTheRestRunsAgain) {
  Outcome good;
  good.status = "ok";
  good.commands = 3;
  good.elapsed_ps = 1000;
  good.time_ps = 900;
  good.stages[2] = 77;
  good.transfers = {{4096, {1, 2, 3, 0}}};
  Outcome bad;
  bad.status = "timeout";
  const std::string last = to_line("c", good);
  std::istringstream in(to_line("a", good) + to_line("b", bad) + "no JSON\n{\"status\":\"ok\"}\n" + last.substr(0, last.size() - 1));
  const auto known = read_lines(in);
  ASSERT_EQ(known.size(), 1u);  // not what failed, is damaged, or lost its end
  const Outcome& back = known.at("a");
  EXPECT_EQ(back.commands, 3u);
  EXPECT_EQ(back.elapsed_ps, 1000u);
  EXPECT_EQ(back.stages, good.stages);
  ASSERT_EQ(back.transfers.size(), 1u);
  EXPECT_THAT(back.transfers[0].times_ns, ElementsAre(1u, 2u, 3u, 0u));
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
  outcomes[0].transfers = {{4096, {11, 12, 13, 0}}, {65536, {21, 22, 23, 24}}};
  outcomes[1].status = "exit 3";
  std::ostringstream out;
  write_csv(out, spec, outcomes);
  EXPECT_EQ(out.str(),
            "profile,/a,/b,status,bytes,pageable_ns,pinned_ns,map_ns,zero_copy_ns\r\n"
            "p,1,\"x,y\",ok,4096,11,12,13,\r\n"
            "p,1,\"x,y\",ok,65536,21,22,23,24\r\n"
            "p,2,\"x,y\",exit 3,,,,,\r\n");
}

// The page of 5,000 points of a program: whoever sends it by mail has to care for its size.
TEST(ResultsTest, APageOfFiveThousandPointsHasLessThanFiveMegabytes) {
  const Spec spec = parsed(with_vary(R"({"/link/lanes":{"from":1,"to":25,"step":1},"/link/mps_bytes":{"from":1,"to":20,"step":1},)"
                                     R"("/host/copy/memory_gbps":{"from":1,"to":10,"step":1}})"));
  std::vector<Outcome> outcomes(spec.point_count());
  ASSERT_EQ(outcomes.size(), 5000u);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    Outcome& outcome = outcomes[i];
    outcome.status = i % 1000 == 7 ? "timeout" : "ok";
    outcome.commands = 1000;
    outcome.elapsed_ps = 123'456'789 + 1'000'003 * i;
    outcome.time_ps = 2 * outcome.elapsed_ps;
    for (TimePs& stage : outcome.stages) stage = outcome.time_ps / stage_count;
  }
  std::ostringstream out;
  make_page(spec, outcomes).write(out);
  EXPECT_LT(out.str().size(), 5'000'000u);
  EXPECT_THAT(out.str(), HasSubstr("5000 points, 5 failed"));
  if (const char* file = std::getenv("SLUICE_TEST_PAGE")) std::ofstream(file, std::ios::binary) << out.str();  // to look at
}

}  // namespace
}  // namespace sluice::sweep

// Runs of one program under several profiles: which command stands beside which, and who wins.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/unit/diff/support.h"
#include "tools/command/temporary.h"
#include "tools/compare/report.h"

namespace sluice::compare {
namespace {

using diff::MadeUp;
using testing::HasSubstr;
using testing::Not;

Run run_of(const std::string& profile, const std::vector<MadeUp>& commands, const std::string& more = {}) {
  const tools::TemporaryFile file(".jsonl");
  std::ofstream(file.path(), std::ios::binary) << diff::sealed(diff::trace_of(commands) + more);
  Run run = read_run(profile, "0123456789abcdef", file.path());
  EXPECT_EQ(run.error, "");
  return run;
}

// 40 ns and the link's time each: with 60 ns on the link 100 ns, with 160 ns 200 ns.
std::vector<MadeUp> commands(std::uint64_t link_ps) {
  std::vector<MadeUp> all(4);
  const char* const ops[] = {"write_buffer", "copy_buffer", "fill_buffer", "read_buffer"};
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].id = i + 1;
    all[i].op = ops[i];
    all[i].link_ps = link_ps;
  }
  return all;
}

// What threads did beside their commands has a table of its own, and stands in JSON.
TEST(LineupTest, CallsStandSideBySide) {
  const Lineup lineup = make_lineup({run_of("one", commands(60'000), diff::MadeUpCall{}.line()),
                                     run_of("two", commands(60'000), diff::MadeUpCall{.calls = 3, .time_ps = 5'000'000}.line() +
                                                                         diff::MadeUpCall{.name = "clFlush"}.line())});
  std::ostringstream text, json_text;
  write_markdown(text, lineup, 10);
  EXPECT_THAT(text.str(), HasSubstr("| clFinish | 2.000 | 5.000 |"));
  EXPECT_THAT(text.str(), HasSubstr("| clFlush | - | 2.000 |"));
  write_json(json_text, lineup);
  const auto j = nlohmann::json::parse(json_text.str());
  EXPECT_EQ(j["profiles"][1]["calls"]["clFinish"]["calls"], 3);
  EXPECT_EQ(j["profiles"][1]["calls"]["clFinish"]["time_ps"], 5'000'000);
}

// A pull request's summary renders what it is given.
TEST(LineupTest, MarkdownEscapesNames) {
  Lineup lineup = make_lineup({run_of("one", commands(60'000)), run_of("two", commands(70'000))});
  for (auto& run : lineup.runs) run.profile = "<img src=x onerror=alert(1)>";
  std::ostringstream text;
  write_markdown(text, lineup, 10);
  EXPECT_THAT(text.str(), Not(HasSubstr("<img")));
  EXPECT_THAT(text.str(), HasSubstr("&lt;img"));
}

TEST(LineupTest, TheSameCommandsStandSideBySide) {
  auto slow = commands(160'000);
  slow[3].link_ps = 10'000;  // 50 ns: the one that the other loses
  const Lineup lineup = make_lineup({run_of("fast", commands(60'000)), run_of("slow", slow)});
  ASSERT_EQ(lineup.rows.size(), 4u);
  const Line first = line_of(lineup, lineup.rows[0]);
  EXPECT_EQ(first.kind, "write_buffer");
  EXPECT_EQ(first.winner, 0u);
  EXPECT_DOUBLE_EQ(first.factor, 2);
  EXPECT_EQ(lineup.spreads_ps[0], 100'000u);
  const Line last = line_of(lineup, lineup.rows[3]);
  EXPECT_EQ(last.winner, 1u);
  EXPECT_DOUBLE_EQ(last.factor, 2);
  EXPECT_EQ(lineup.won[0], 3u);
  EXPECT_EQ(lineup.won[1], 1u);
  EXPECT_EQ(lineup.runs[0].time_ps, 400'000u);
  EXPECT_EQ(lineup.runs[1].time_ps, 650'000u);
  EXPECT_EQ(lineup.runs[0].stages[static_cast<std::size_t>(Stage::link)], 240'000u);
  // Calls 200 ns apart: 600 ns and the last command's time.
  EXPECT_EQ(lineup.winner, 1u);
  EXPECT_DOUBLE_EQ(lineup.factor, 700.0 / 650.0);
}

TEST(LineupTest, AProgramMayAdaptToTheDevice) {
  // Where there is no zero-copy it writes in two halves, and it fills nothing.
  auto adapted = commands(60'000);
  adapted[0].bytes = 2048;
  adapted.erase(adapted.begin() + 2);
  adapted.insert(adapted.begin() + 1, adapted[0]);
  for (std::size_t i = 0; i < adapted.size(); ++i) adapted[i].id = i + 1;
  const Lineup lineup = make_lineup({run_of("a", commands(60'000)), run_of("b", adapted), run_of("c", commands(60'000))});
  std::string text;
  for (std::size_t i = 0; i < lineup.rows.size(); ++i) {
    const Line line = line_of(lineup, lineup.rows[i]);
    text += line.kind.substr(0, line.kind.find('_')) + ":";
    for (const Cell& cell : line.cells) text += cell.is_there ? fmt::format(" {}", cell.bytes) : " -";
    text += "; ";
  }
  // The third run's write stands beside the first one's, whatever the second did.
  EXPECT_EQ(text, "write: 4096 2048 4096; write: - 2048 -; copy: 4096 4096 4096; fill: 4096 - 4096; read: 4096 4096 4096; ");
  EXPECT_THAT(verdict(lineup), HasSubstr("2 of 5 commands were not done under every profile"));
}

TEST(LineupTest, QueuesAreNotMixedUp) {
  auto one = commands(60'000);
  for (MadeUp& command : one) command.op = "write_buffer";
  auto other = one;
  one[0].queue = one[1].queue = 2;
  other[2].queue = other[3].queue = 2;
  const Lineup lineup = make_lineup({run_of("a", one), run_of("b", other)});
  for (std::size_t i = 0; i < lineup.rows.size(); ++i) {
    const Row row = lineup.rows[i];
    if (row[0] == diff::none || row[1] == diff::none) continue;
    EXPECT_EQ(one[row[0]].queue, other[row[1]].queue);
  }
}

TEST(LineupTest, ARunThatFailedStaysInTheTable) {
  compare::Run failed;
  failed.profile = "broken";
  failed.error = "the program ended with 3";
  const Lineup lineup = make_lineup({run_of("a", commands(60'000)), failed, run_of("b", commands(160'000))});
  EXPECT_EQ(lineup.winner, 0u);
  EXPECT_EQ(lineup.rows.size(), 4u);
  std::ostringstream text;
  write_text(text, lineup, 2, false);
  EXPECT_THAT(text.str(), HasSubstr("broken: the program ended with 3"));
  EXPECT_THAT(text.str(), HasSubstr("2 more commands"));
  EXPECT_THAT(verdict(lineup), HasSubstr("0 of 4 commands were not done"));
  std::ostringstream json;
  write_json(json, lineup);
  const auto parsed = nlohmann::json::parse(json.str());
  EXPECT_EQ(parsed["winner"], "a");
  EXPECT_EQ(parsed["commands"].size(), 4u);
  EXPECT_TRUE(parsed["commands"][0]["runs"][1].is_null());
}

TEST(LineupTest, EqualTimesHaveNoWinner) {
  const Lineup lineup = make_lineup({run_of("a", commands(60'000)), run_of("b", commands(60'000))});
  EXPECT_EQ(lineup.winner, diff::none);
  EXPECT_EQ(line_of(lineup, lineup.rows[0]).winner, diff::none);
  EXPECT_THAT(verdict(lineup), HasSubstr("No profile is faster than the others."));
}

TEST(LineupTest, CsvHasEveryCommandAndNoFormulas) {
  const Lineup lineup = make_lineup({run_of("=1+1", commands(60'000)), run_of("a,\"b\"", commands(160'000))});
  std::ostringstream out;
  write_csv(out, lineup);
  const std::string csv = out.str();
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1 + 8);
  EXPECT_THAT(csv, HasSubstr("\r\n1,write_buffer,'=1+1,4096,100000,1,10000,"));
  EXPECT_THAT(csv, HasSubstr("\r\n1,write_buffer,\"a,\"\"b\"\"\",4096,200000,0,10000,"));
}

}  // namespace
}  // namespace sluice::compare

// What `sluice validate` makes of rows: which times are compared, which are named and left out, and the statistics.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "tools/validate/compare.h"
#include "tools/validate/fitted.h"
#include "tools/validate/measurements.h"
#include "tools/validate/report.h"

namespace sluice::validate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

Measurements read(const std::string& text, const std::string& device = "") {
  std::istringstream in(text);
  return read_measurements(in, device);
}

constexpr const char* header = R"({"program":"clprobe","arguments":["64",15],"brief":["64","1"],"device":"A"})" "\n";

TEST(Measurements, HeaderSaysWhatRan) {
  const Measurements m = read(header);
  EXPECT_EQ(m.program, "clprobe");
  EXPECT_EQ(m.device, "A");
  EXPECT_THAT(m.arguments, ElementsAre("64", "15"));
  EXPECT_THAT(m.brief, ElementsAre("64", "1"));
}

TEST(Measurements, ParametersAreTheKeyWhateverTheirOrderAndStatisticsAreNot) {
  const Measurements a = read(R"({"op":"write","mem":"pinned","bytes":64,"n":7,"wall_med":10,"wall_p90":12})");
  const Measurements b = read(R"({"bytes":64,"wall_med":11,"op":"write","n":400,"mem":"pinned"})");
  ASSERT_THAT(a.rows, SizeIs(1));
  ASSERT_THAT(b.rows, SizeIs(1));
  EXPECT_EQ(a.rows[0].key, b.rows[0].key);
  EXPECT_EQ(a.rows[0].bytes, 64);
  EXPECT_THAT(a.rows[0].times_ns, SizeIs(1));
  EXPECT_EQ(a.rows[0].times_ns.at("wall_med"), 10);
}

// kernprobe's launches: "ns" is by the program's clock there, and "wall" no time.
TEST(Measurements, TimesByTheProgramsClockAreNotTheDevices) {
  const Measurements m = read(R"({"probe":"launches","count":2,"wall":true,"ns":500})" "\n" R"({"probe":"barriers","ns":700})");
  ASSERT_THAT(m.rows, SizeIs(2));
  EXPECT_THAT(m.skipped, SizeIs(0));
  ASSERT_EQ(m.rows[0].times_ns.count("wall_ns"), 1U);
  EXPECT_EQ(m.rows[0].times_ns.at("wall_ns"), 500);
  EXPECT_EQ(m.rows[0].times_ns.count("ns"), 0U);
  EXPECT_EQ(quantity_kind("wall_ns"), Kind::program);
  EXPECT_EQ(m.rows[1].times_ns.at("ns"), 700);
}

// A chain cannot have taken the device longer than the program waited for it; two steps of 256 ns say nothing of a time.
TEST(Measurements, StampsThatCannotBeAreNamed) {
  std::istringstream in(R"({"op":"marker_chain","total":900,"wall":800})" "\n" R"({"op":"marker","start_end":512,"wall":800})"
                        "\n" R"({"op":"map","start_end":513,"wall":512})");
  const Measurements m = read_measurements(in, "", 512);
  ASSERT_THAT(m.skipped, SizeIs(2));
  EXPECT_THAT(m.skipped[0].reason, HasSubstr("old stamps"));
  EXPECT_THAT(m.skipped[1].reason, HasSubstr("two steps"));
  ASSERT_THAT(m.rows, SizeIs(3));
  EXPECT_THAT(m.rows[0].times_ns, SizeIs(1));
  EXPECT_EQ(m.rows[2].times_ns.at("start_end"), 513);
  EXPECT_EQ(m.rows[2].times_ns.at("wall"), 512);
}

// One unusable row or time each; the good row behind them is still there.
TEST(Measurements, WhatCannotBeComparedIsNamedWithItsLineAndNeverAveraged) {
  const Measurements m = read(std::string(header) +
                              "not json\n"
                              "{\"op\":\"write\",\"wall_med\":NaN}\n"
                              "{\"bytes\":4,\"wall_med\":1}\n"
                              "{\"op\":\"read\",\"wall_med\":null}\n"
                              "{\"op\":\"fill\",\"wall_med\":-1}\n"
                              "{\"op\":\"map\",\"queued_submit\":0,\"start_end\":512}\n"
                              "{\"op\":\"svm\",\"start_end\":0}\n"
                              "{\"op\":\"copy\",\"error\":-30}\n"
                              "{\"op\":\"untimed\",\"bytes\":4}\n"
                              "{\"op\":\"write\",\"device\":\"B\",\"wall_med\":5}\n"
                              "{\"op\":\"write\",\"wall_med\":6}\n"
                              "{\"op\":\"write\",\"wall_med\":7}\n",
                              "A");
  ASSERT_THAT(m.rows, SizeIs(1));
  EXPECT_EQ(m.rows[0].times_ns.at("wall_med"), 6);
  std::vector<std::size_t> lines;
  for (const Skipped& s : m.skipped) lines.push_back(s.line);
  EXPECT_THAT(lines, ElementsAre(2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13));
  EXPECT_THAT(m.skipped[5].reason, HasSubstr("no stamps"));
  EXPECT_THAT(m.skipped[8].reason, HasSubstr("no time"));
  EXPECT_THAT(m.skipped[9].reason, HasSubstr("another device, B"));
}

Pair pair(double measured, double simulated) {
  Pair p;
  p.measured_ns = measured;
  p.simulated_ns = simulated;
  return p;
}

// Errors of +10, -20, 0, +40 and -5 %: sizes 0 5 10 20 40, median 10; the rank of the 90th of 5 is the last; bias 0.
TEST(Statistics, MedianOfSizesNinetiethWorstAndBias) {
  const std::vector<Pair> pairs = {pair(100, 110), pair(100, 80), pair(100, 100), pair(100, 140), pair(100, 95)};
  std::vector<const Pair*> all;
  for (const Pair& p : pairs) all.push_back(&p);
  const Statistics s = statistics(all);
  EXPECT_EQ(s.count, 5U);
  EXPECT_DOUBLE_EQ(s.median, 0.10);
  EXPECT_DOUBLE_EQ(s.p90, 0.40);
  EXPECT_DOUBLE_EQ(s.worst, 0.40);
  EXPECT_DOUBLE_EQ(s.bias, 0.0);
}

TEST(Compare, RowsMeetByTheirKeyAndMissingOnesAreSkipped) {
  const Measurements measured = read(std::string(header) + R"({"op":"write","bytes":4,"wall_med":100,"start_end":50})" "\n"
                                                           R"({"op":"write","bytes":8,"wall_med":100})");
  const Measurements simulated = read(R"({"op":"write","bytes":4,"wall_med":110})");
  std::vector<Pair> pairs;
  std::vector<Skipped> skipped;
  pair_up(measured, simulated, "f", [](const Row&) { return true; }, pairs, skipped);
  ASSERT_THAT(pairs, SizeIs(1));
  EXPECT_DOUBLE_EQ(pairs[0].error(), 0.1);
  EXPECT_TRUE(pairs[0].fitted);
  EXPECT_EQ(pairs[0].kind, Kind::program);
  EXPECT_THAT(skipped, SizeIs(2));
}

// Row by row where the profile names rows; the whole file where only a constant's source names it; else none.
TEST(Fitted, RowsThatTheProfileNames) {
  profile::Loaded loaded;
  loaded.profile.emplace();
  loaded.profile->validation.fit = {*profile::parse_fitted_rows("a.jsonl: op=write bytes=64"),
                                    *profile::parse_fitted_rows("a.jsonl: op=chase")};
  loaded.constants = {{"/x", "1", "fit: tests/silicon/a.jsonl, write", ""},
                      {"/y", "1", "tests/silicon/b.jsonl, map0; tests/silicon/a.jsonl says so, too", ""},
                      {"/z", "1", "a data sheet; not tests/silicon/c.jsonl", ""}};
  const auto files = fitted_files(loaded);
  ASSERT_THAT(files, SizeIs(2));
  EXPECT_EQ(files[0].file, "a.jsonl");
  EXPECT_THAT(files[0].rows, SizeIs(2));
  EXPECT_THAT(files[0].constants, ElementsAre("/x", "/y"));
  EXPECT_EQ(files[1].file, "b.jsonl");
  const Measurements m = read(R"({"op":"write","bytes":64,"wall":1})" "\n" R"({"op":"write","bytes":65,"wall":1})");
  EXPECT_TRUE(is_fitted(loaded, files, "a.jsonl", m.rows[0]));
  EXPECT_FALSE(is_fitted(loaded, files, "a.jsonl", m.rows[1]));
  EXPECT_TRUE(is_fitted(loaded, files, "b.jsonl", m.rows[1]));
  EXPECT_FALSE(is_fitted(loaded, files, "c.jsonl", m.rows[0]));
  EXPECT_THAT(idle_selections(loaded, "a.jsonl", m.rows), ElementsAre("a.jsonl: op=chase"));
}

TEST(Compare, SizeClassesEndAtTheirNames) {
  EXPECT_EQ(size_class(-1), "");
  EXPECT_EQ(size_class(4096), "to 4 KiB");
  EXPECT_EQ(size_class(4097), "to 64 KiB");
  EXPECT_EQ(size_class(16777217), "above");
}

Result sample() {
  Result r;
  r.profile = "<script>alert(1)</script>";
  for (const double bytes : {64.0, 4096.0, 65536.0}) {
    Pair p = pair(100 + bytes, 110 + bytes);
    p.op = "write<b>";
    p.key = p.op + " bytes=1";
    p.quantity = "wall_med";
    p.kind = Kind::program;
    p.subject = "transfer";
    p.bytes = bytes;
    r.pairs.push_back(p);
  }
  r.pairs.front().fitted = true;
  r.skipped.emplace_back("f.jsonl", Skipped{3, "row", "no & reason"});
  return r;
}

TEST(Report, FitAndValidationAreApartAndLimitsAreNamed) {
  const auto groups = summary(sample());
  ASSERT_THAT(groups, SizeIs(2));
  EXPECT_NE(groups[0].fitted, groups[1].fitted);
  EXPECT_DOUBLE_EQ(groups[0].median_limit, 0.05);
  EXPECT_DOUBLE_EQ(groups[0].p90_limit, 0.15);
  std::ostringstream text;
  write_text(text, sample(), true);
  EXPECT_THAT(text.str(), HasSubstr("validation"));
  EXPECT_THAT(text.str(), HasSubstr("no & reason"));
}

// 160 against 100 ns misses 5 % of validation's transfers; a miss of what fitted proves nothing and is not explained.
TEST(Report, MissesAreExplainedOrSaidNotToBe) {
  Result r = sample();
  r.pairs[1].simulated_ns = 2 * r.pairs[1].measured_ns;
  r.pairs[2].simulated_ns = 2 * r.pairs[2].measured_ns;
  r.pairs[0].simulated_ns = 2 * r.pairs[0].measured_ns;
  r.fitted = {{"f.jsonl", {"f.jsonl: bytes=1|2", "f.jsonl: op=x"}, {"/link/lanes"}}, {"g.jsonl", {}, {"/a", "/b"}}};
  std::ostringstream text;
  write_markdown(text, r);
  EXPECT_THAT(text.str(), HasSubstr("- **transfers, program time**: not explained.\n"));
  EXPECT_THAT(text.str(), HasSubstr("| f.jsonl | `bytes=1\\|2`; `op=x` | /link/lanes |\n| g.jsonl | all | /a, /b |\n"));
  r.misses["transfer_program"] = {"because"};
  std::ostringstream explained;
  write_markdown(explained, r);
  EXPECT_THAT(explained.str(), HasSubstr("- **transfers, program time**:\n  - because\n"));
  EXPECT_THAT(explained.str(), Not(HasSubstr("not explained")));
}

TEST(Report, MarkdownHasARowForEachGroup) {
  std::ostringstream text;
  write_markdown(text, sample());
  EXPECT_THAT(text.str(), HasSubstr("| fit | transfer | program | 1 | 6.1 % |"));  // 174 of 164 ns
  EXPECT_THAT(text.str(), HasSubstr("| validation | transfer | program | 2 | 0.1 % |"));
  EXPECT_THAT(text.str(), HasSubstr("| f.jsonl | no &amp; reason | 1 |"));
}

// A pull request's summary renders what it is given.
TEST(Report, MarkdownEscapesNames) {
  Result r = sample();
  const std::string evil = "<img src=x onerror=alert(1)>|\n# x";
  r.profile = r.description = r.grade = evil;
  r.commands = {evil};
  r.fitted = {{evil, {evil + ": `<b>`"}, {}}};
  std::ostringstream text;
  write_markdown(text, r);
  std::istringstream lines(text.str());
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("    ")) continue;  // code
    std::string plain;  // without the code in it
    bool is_code = false;
    for (const char c : line) {
      if (c == '`') is_code = !is_code;
      else if (!is_code) plain += c;
    }
    EXPECT_THAT(plain, Not(HasSubstr("<img"))) << line;
    EXPECT_THAT(plain, Not(HasSubstr("<b>"))) << line;
    EXPECT_FALSE(line.starts_with("# x")) << line;
  }
}

// 110 ns the second time where it was 100 ns: measured twice, so no limit holds.
TEST(Report, WhatWasMeasuredTwiceHasARowOfItsOwn) {
  Result r = sample();
  r.again.push_back({"f.jsonl", 2, false, "transfer", "write", "write", "wall", Kind::program, 4096, 100, 110});
  std::ostringstream text;
  write_markdown(text, r);
  EXPECT_THAT(text.str(), HasSubstr("| measured again | transfer | program | 1 | 10.0 % | 10.0 % | 10.0 % | +10.0 % | - |\n"));
  EXPECT_THAT(text.str(), HasSubstr("| validation | transfer | program | 2 | 0.1 % |"));
  EXPECT_EQ(by_operation(r).size(), by_operation(sample()).size());
}

// No name of a profile, file or row can bring markup into the page: only the page's own scripts are in it.
TEST(Report, PageEscapesNames) {
  Result r = sample();
  r.pairs.front().fitted = false;
  std::ostringstream page;
  make_page(r).write(page);
  EXPECT_THAT(page.str(), Not(HasSubstr("<script>alert")));
  EXPECT_THAT(page.str(), Not(HasSubstr("write<b>")));
  EXPECT_THAT(page.str(), HasSubstr("&lt;script&gt;"));
  // A curve that is measured as points and one that is simulated as a line, of one colour.
  EXPECT_THAT(page.str(), HasSubstr("\"loose\":true,\"colour\":0}"));
  EXPECT_THAT(page.str(), HasSubstr("\"bare\":true,\"colour\":0}"));
}

}  // namespace
}  // namespace sluice::validate

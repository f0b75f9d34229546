// Figures that others published: how they are read, repeated and compared, and that the shipped data hold together.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "tools/validate/published.h"

namespace sluice::validate {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

PublishedFigures read(const std::string& text) {
  std::istringstream in(text);
  return read_published(in);
}

std::string figure(const std::string& rest) {
  return R"({"profile":"p","device":"D","source":"S",)" + rest + "}\n";
}

TEST(Published, ErrorsAreOfTimeWhateverTheUnit) {
  PublishedFigures f = read(figure(R"("test":"pinned_h2d","bytes":1000,"unit":"GB/s","value":10)") +
                            figure(R"("test":"chase","bytes":64,"unit":"ns","value":50)") +
                            figure(R"("test":"clpeak_launch","unit":"us","value":4)") +
                            figure(R"("test":"stream_copy","bytes":1000,"moved_bytes":2000,"unit":"GB/s","value":10)"));
  // 1000 bytes in 125 ns are 8 GB/s: the model takes 125 ns for what took 100. A copy of 2000 in 250 ns is as slow.
  std::istringstream rows(R"({"program":"publicprobe"}
{"test":"pinned_h2d","bytes":1000,"ns":125}
{"test":"chase","bytes":64,"ns":40}
{"test":"clpeak_launch","bytes":0,"ns":5000}
{"test":"stream_copy","bytes":1000,"ns":250})");
  take_simulated(rows, "p", f);
  ASSERT_THAT(f.figures, SizeIs(4));
  EXPECT_DOUBLE_EQ(f.figures[0].simulated, 8);
  EXPECT_NEAR(f.figures[0].error(), 0.25, 1e-12);
  EXPECT_NEAR(f.figures[1].error(), -0.2, 1e-12);
  EXPECT_NEAR(f.figures[2].error(), 0.25, 1e-12);
  EXPECT_NEAR(f.figures[3].error(), 0.25, 1e-12);
}

TEST(Published, EachTestRunsOnceAndOnlyOnItsProfile) {
  const PublishedFigures f = read(figure(R"("test":"clpeak_write","bytes":64,"unit":"GB/s","value":1)") +
                                  figure(R"("test":"clpeak_map_read","bytes":64,"unit":"us","value":1)") +
                                  figure(R"("test":"pinned_h2d_sync","bytes":64,"unit":"GB/s","value":1)") +
                                  figure(R"("test":"clpeak_launch","unit":"us","value":1)") +
                                  figure(R"("test":"clpeak_launch_sync","unit":"us","value":1)") +
                                  R"({"profile":"q","device":"D","source":"S","test":"chase","bytes":8,"unit":"ns","value":1})");
  EXPECT_THAT(probe_arguments(f, "p"), ElementsAre("clpeak:64", "pinned_h2d:64", "clpeak_launch"));
  EXPECT_THAT(probe_arguments(f, "q"), ElementsAre("chase:8"));
}

TEST(Published, WhatIsNoFigureIsNamedWithItsLine) {
  const PublishedFigures f = read("no json\n" + figure(R"("test":"chase","bytes":8,"unit":"ns","value":0)") +
                                  figure(R"("test":"chase","bytes":8,"unit":"furlongs","value":1)") +
                                  figure(R"("test":"pinned_h2d","unit":"GB/s","value":1)") +
                                  R"({"profile":"p","test":"chase","unit":"ns","value":1,"source":"S"})" "\n" +
                                  R"({"profile":"p","mechanism":"m"})");
  EXPECT_THAT(f.figures, SizeIs(0));
  ASSERT_THAT(f.skipped, SizeIs(6));
  EXPECT_EQ(f.skipped[1].line, 2U);
  EXPECT_THAT(f.skipped[1].reason, HasSubstr("value"));
  EXPECT_THAT(f.skipped[2].reason, HasSubstr("furlongs"));
  EXPECT_THAT(f.skipped[3].reason, HasSubstr("bytes"));
  EXPECT_THAT(f.skipped[4].reason, HasSubstr("device"));
}

TEST(Published, WhatIsFarOffNamesItsMechanismAndWhatFittedIsApart) {
  PublishedFigures f = read(figure(R"("test":"chase","bytes":8,"unit":"ns","value":100)") +
                            figure(R"("test":"chase","bytes":16,"unit":"ns","value":100)") +
                            figure(R"("test":"host_chase","bytes":8,"unit":"ns","value":100)") +
                            figure(R"("test":"chase","bytes":32,"unit":"ns","value":100,"role":"fit")") +
                            R"({"profile":"p","tests":["chase"],"mechanism":"the far half"})");
  std::istringstream rows(R"({"test":"chase","bytes":8,"ns":104}
{"test":"chase","bytes":16,"ns":200}
{"test":"chase","bytes":32,"ns":100})");
  take_simulated(rows, "p", f);
  std::ostringstream out;
  write_published(out, f, {{"p", "from data sheets"}, {"q", "calibrated"}});
  // Two that fitted nothing, 4 and 100 % off; the third has no simulated row; the fourth fitted.
  EXPECT_THAT(out.str(), HasSubstr("| p | from data sheets | 2 | 52.0 % | 100.0 % | 100.0 % | 1 | 1 |"));
  EXPECT_THAT(out.str(), HasSubstr("| q | calibrated | none |"));
  EXPECT_THAT(out.str(), HasSubstr("- chase: the far half\n"));
  EXPECT_THAT(out.str(), HasSubstr("- host_chase: **not explained**\n"));
  EXPECT_THAT(out.str(), HasSubstr("+100.0 % | **missed** |"));
  EXPECT_THAT(out.str(), HasSubstr("+4.0 % |  |"));
}

TEST(Published, ShippedFiguresAreOfShippedProfilesAndEachHasItsSource) {
  std::ifstream in(SLUICE_PUBLISHED, std::ios::binary);
  const PublishedFigures f = read_published(in);
  EXPECT_THAT(f.skipped, SizeIs(0));
  std::set<std::string> profiles;
  for (const auto& entry : std::filesystem::directory_iterator(SLUICE_PROFILES)) profiles.insert(entry.path().stem().string());
  EXPECT_GE(profiles.size(), 12U);
  std::set<std::string> with_figures;
  for (const Figure& figure : f.figures) {
    EXPECT_THAT(profiles, Contains(figure.profile));
    with_figures.insert(figure.profile);
  }
  EXPECT_GE(with_figures.size(), 12U);
  for (const NotCompared& n : f.not_compared) {
    EXPECT_THAT(profiles, Contains(n.profile));
    EXPECT_THAT(n.source, Not(SizeIs(0)));
  }
  for (const auto& [what, mechanism] : f.mechanisms) EXPECT_THAT(with_figures, Contains(what.first)) << mechanism;
}

}  // namespace
}  // namespace sluice::validate

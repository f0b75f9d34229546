#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/unit/diff/support.h"
#include "tools/diff/report.h"
#include "traces/recording.h"
#include "traces/table.h"

namespace sluice::diff {
namespace {

using testing::HasSubstr;

// With and without a thread: the same commands in the order of their creation, the same sums, and the same complaint.
TEST(SourceTest, ReadingInStepGivesWhatReadingAheadGives) {
  auto commands = some(1000);
  std::swap(commands[3], commands[8]);
  const std::string sound = sealed(trace_of(commands) + MadeUpCall{}.line());
  for (const std::string& text : {sound, sound.substr(0, sound.size() / 2), sound.substr(0, sound.rfind("{\"record\":\"end\""))}) {
    Source ahead("t", std::make_unique<std::istringstream>(text));
    Source in_step("t", std::make_unique<std::istringstream>(text), Source::Reading::in_step);
    CommandId id = 0;
    while (const Entry* entry = in_step.next()) {
      const Entry* other = ahead.next();
      ASSERT_NE(other, nullptr);
      EXPECT_EQ(entry->id, ++id);
      EXPECT_EQ(other->id, id);
      EXPECT_EQ(entry->figures, other->figures);
    }
    EXPECT_EQ(ahead.next(), nullptr);
    EXPECT_EQ(in_step.error(), ahead.error());
    EXPECT_EQ(in_step.error().empty(), text == sound);
    EXPECT_EQ(in_step.elapsed_ps(), ahead.elapsed_ps());
    EXPECT_EQ(in_step.parts(), ahead.parts());
  }
}

TEST(DiffTest, TheSameTraceIsNoChange) {
  const std::string text = trace_of(some(5));
  const Result result = compare_texts(text, text);
  EXPECT_EQ(result.error, "");
  EXPECT_FALSE(result.is_changed());
  EXPECT_EQ(result.all.matched, 5u);
  // From the first call at 200 ns to the last result, 100 ns after the fifth call at 1000 ns.
  EXPECT_EQ(result.before.elapsed_ps, 900'000u);
}

// 6 ns more on the link of one command of 100 ns: slower by 6 %, and the link is to blame. Faster is a change as well.
TEST(DiffTest, AChangeIsToldWithItsStageAndFailsEitherWay) {
  auto commands = some(3);
  const std::string before = trace_of(commands);
  commands[1].link_ps += 6'000;
  const std::string after = trace_of(commands);
  const Result slower = compare_texts(before, after);
  EXPECT_TRUE(slower.is_changed());
  EXPECT_EQ(slower.all.changed, 1u);
  EXPECT_EQ(slower.all.slower, 1u);
  EXPECT_EQ(guilty_stage(slower.all.before, slower.all.after), "link +0.006 us");
  ASSERT_EQ(slower.dearest.size(), 1u);
  EXPECT_EQ(slower.dearest[0].before->id, 2u);
  EXPECT_EQ(slower.dearest[0].delta_ps(), 6'000);
  EXPECT_EQ(slower.dearest[0].what.front(), "link +0.006 us");
  const Result faster = compare_texts(after, before);
  EXPECT_TRUE(faster.is_changed());
  EXPECT_EQ(faster.all.faster, 1u);
}

TEST(DiffTest, TolerancesAreRelativeAbsoluteAndByOperation) {
  auto commands = some(3);
  const std::string before = trace_of(commands);
  commands[1].link_ps += 6'000;  // 6 % of 100 ns
  commands[1].tlps = 25;         // 4.2 % of 24
  const std::string after = trace_of(commands);
  struct Case {
    std::vector<std::string> times;
    std::vector<std::string> counts;
    bool changed;
  };
  const Case cases[] = {
      {{}, {}, true},
      {{"6%"}, {"5%"}, false},
      {{"5.9%"}, {"5%"}, true},
      {{"6%"}, {"4%"}, true},
      {{"6ns"}, {"1"}, false},
      {{"5ns"}, {"1"}, true},
      {{"5ns,6%"}, {"1"}, false},
      {{"0.006us"}, {"1"}, false},
      {{"write_buffer=10%"}, {"write_buffer=1"}, false},
      {{"read_buffer=10%"}, {"1"}, true},
      {{"10%", "write_buffer=1%"}, {"1"}, true},
  };
  for (const Case& c : cases) {
    Options options;
    for (const std::string& t : c.times) ASSERT_EQ(parse_tolerance(t, false, options.tolerances), "") << t;
    for (const std::string& t : c.counts) ASSERT_EQ(parse_tolerance(t, true, options.tolerances), "") << t;
    EXPECT_EQ(compare_texts(before, after, options).is_changed(), c.changed) << (c.times.empty() ? "" : c.times.front());
  }
}

TEST(DiffTest, NonsenseToleranceIsNamed) {
  Tolerances ignored;
  EXPECT_THAT(parse_tolerance("2", false, ignored), HasSubstr("found 2; allowed: a percentage (2%) or a time"));
  EXPECT_THAT(parse_tolerance("2ns", true, ignored), HasSubstr("found 2ns; allowed: a percentage (2%) or a number"));
  EXPECT_THAT(parse_tolerance("-1%", false, ignored), HasSubstr("found -1%"));
  EXPECT_THAT(parse_tolerance("nan%", false, ignored), HasSubstr("found nan%"));
  EXPECT_THAT(parse_tolerance("1%,", false, ignored), HasSubstr("found ;"));
  EXPECT_THAT(parse_tolerance("write=1%", false, ignored), HasSubstr("found write, which is no operation"));
}

TEST(DiffTest, WhatIsNoTimeChangesWithoutTolerance) {
  auto commands = some(3);
  const std::string before = trace_of(commands);
  commands[0].source = "pinned";
  commands[2].tlps = 25;
  Options options;
  options.tolerances.times.relative = 1;
  const Result result = compare_texts(before, trace_of(commands), options);
  EXPECT_EQ(result.all.changed, 2u);
  EXPECT_EQ(result.all.slower + result.all.faster, 0u);
  ASSERT_EQ(result.dearest.size(), 2u);
  EXPECT_EQ(result.dearest[0].what, std::vector<std::string>{"source pageable -> pinned"});
  EXPECT_EQ(result.dearest[1].what, std::vector<std::string>{"tlps 24 -> 25"});
}

// No command takes longer, but the program's last call comes 1 us later.
TEST(DiffTest, TimeBetweenCommandsIsAChange) {
  auto commands = some(3);
  const std::string before = trace_of(commands);
  commands[2].called = 1'600'000;
  const Result result = compare_texts(before, trace_of(commands));
  EXPECT_EQ(result.all.changed, 0u);
  EXPECT_TRUE(result.elapsed_changed);
  EXPECT_TRUE(result.is_changed());
}

TEST(DiffTest, AddedAndRemovedCommandsDoNotShiftTheOthers) {
  auto commands = some(20);
  const char* const ops[] = {"write_buffer", "read_buffer", "copy_buffer", "fill_buffer", "map_buffer"};
  for (std::size_t i = 0; i < commands.size(); ++i) {
    commands[i].op = ops[i % 5];
    commands[i].bytes = 4096 * (i + 1);
  }
  auto longer = commands;
  longer.insert(longer.begin() + 7, MadeUp{});
  for (std::size_t i = 0; i < longer.size(); ++i) longer[i].id = i + 1;
  Result result = compare_texts(trace_of(commands), trace_of(longer));
  EXPECT_EQ(result.all.matched, 20u);
  EXPECT_EQ(result.all.added, 1u);
  EXPECT_EQ(result.all.changed, 0u);
  EXPECT_TRUE(result.is_changed());
  result = compare_texts(trace_of(longer), trace_of(commands));
  EXPECT_EQ(result.all.removed, 1u);
  EXPECT_EQ(result.all.changed, 0u);
}

// A trace has commands in the order in which they were over; which of two queues was first is no change of either.
TEST(DiffTest, CommandsAreMatchedByTheOrderOfTheirCreation) {
  auto commands = some(40);
  for (std::size_t i = 0; i < commands.size(); ++i) {
    commands[i].queue = 1 + i % 2;
    commands[i].bytes = 64 * (i + 1);
  }
  const std::string before = trace_of(commands);
  std::reverse(commands.begin() + 3, commands.end());
  const Result result = compare_texts(before, trace_of(commands));
  EXPECT_EQ(result.error, "");
  EXPECT_EQ(result.all.matched, 40u);
  EXPECT_FALSE(result.is_changed());
}

TEST(DiffTest, AProfileThatChangedIsNamedBeforeAnyNumber) {
  auto commands = some(3);
  const std::string before = trace_of(commands);
  commands[1].link_ps += 6'000;
  const Result result = compare_texts(before, trace_of(commands, header("fedcba9876543210")));
  EXPECT_TRUE(result.is_changed());
  std::ostringstream out;
  write_text(out, result, false);
  const std::string text = out.str();
  const std::size_t reason = text.find("The profile p changed: its hash was 0123456789abcdef, and is fedcba9876543210");
  ASSERT_NE(reason, std::string::npos) << text;
  EXPECT_LT(reason, text.find("Changed: 1 of 3"));
  // Without any other change it is one all the same: the reference is of another machine.
  EXPECT_TRUE(compare_texts(before, trace_of(some(3), header("fedcba9876543210"))).is_changed());
}

TEST(DiffTest, PartsAreComparedBySums) {
  const auto with_part = [](std::uint64_t cycles) {
    return sealed(trace_of(some(1), header("0123456789abcdef", "stage")) +
                  fmt::format(R"({{"record":"stage","id":1,"device":0,"part":"link.up","action":"burst","begin":5,"end":7,)"
                              R"("cycles":{},"bytes":64}})"
                              "\n",
                              cycles));
  };
  Result result = compare_texts(with_part(4), with_part(5));
  ASSERT_EQ(result.part_changes.size(), 1u);
  EXPECT_EQ(result.part_changes[0].before->cycles, 4u);
  EXPECT_EQ(result.part_changes[0].after->cycles, 5u);
  EXPECT_FALSE(compare_texts(with_part(4), with_part(4)).is_changed());
  // What only one of both recorded is not compared, and that is said.
  result = compare_texts(sealed(trace_of(some(1))), with_part(4));
  EXPECT_FALSE(result.is_changed());
  ASSERT_EQ(result.notes.size(), 1u);
  EXPECT_THAT(result.notes[0], HasSubstr("level is command before and stage now"));
}

// Calls are compared by name at every level, over all threads: which one of them came first may be chance.
TEST(DiffTest, CallsOfTheApiAreCompared) {
  const auto with_call = [](const MadeUpCall& call) { return sealed(trace_of(some(3)) + call.line()); };
  const std::string before = with_call({});
  EXPECT_FALSE(compare_texts(before, before).is_changed());
  EXPECT_FALSE(compare_texts(before, with_call({.thread = 7})).is_changed());
  const Result longer = compare_texts(before, with_call({.time_ps = 3'000'000}));
  ASSERT_EQ(longer.part_changes.size(), 1u);
  EXPECT_EQ(longer.part_changes[0].before->time_ps, 2'000'000u);
  EXPECT_EQ(longer.part_changes[0].after->time_ps, 3'000'000u);
  std::ostringstream out;
  write_text(out, longer, false);
  EXPECT_THAT(out.str(), HasSubstr("API call clFinish"));
  EXPECT_EQ(compare_texts(before, with_call({.calls = 2})).part_changes.size(), 1u);
  EXPECT_EQ(compare_texts(before, with_call({.name = "clFlush"})).part_changes.size(), 2u);  // one gone, one new
  EXPECT_EQ(compare_texts(before, sealed(trace_of(some(3)))).part_changes.size(), 1u);
  Options options;
  options.tolerances.times.relative = 0.5;
  EXPECT_FALSE(compare_texts(before, with_call({.time_ps = 3'000'000}), options).is_changed());
}

// Schema 1 has no calls and, but for what was recorded, no digest: neither is passed over without a word.
TEST(DiffTest, WhatSchemaOneLacksIsSaid) {
  const std::string old = trace_of(some(3));
  const Result result = compare_texts(old, sealed(trace_of(some(3)) + MadeUpCall{}.line()));
  EXPECT_EQ(result.error, "");
  EXPECT_FALSE(result.is_changed());
  ASSERT_EQ(result.notes.size(), 2u);
  EXPECT_THAT(result.notes[0], HasSubstr("The old trace is of schema 1 and carries no digest"));
  EXPECT_THAT(result.notes[1], HasSubstr("API calls are not compared"));
  EXPECT_EQ(compare_texts(sealed(old), sealed(old)).notes.size(), 0u);
  // Header, number of records and digest as `sluice record` of 0.1.0 wrote them; XXH3_64bits of no bytes is 2d06800538d394c2.
  const std::string recorded =
      R"({"schema":1,"sluice":"0.1.0","profile":"p","profile_hash":"0","level":"command","program":"x","records":0,"digest":"2d06800538d394c2"})"
      "\n";
  EXPECT_EQ(compare_texts(recorded, recorded).notes.size(), 0u);
  EXPECT_EQ(compare_texts(recorded, recorded).error, "");
  EXPECT_THAT(compare_texts(recorded + MadeUp{}.line(), recorded).error, HasSubstr("0 records were recorded, 1 are there"));
}

TEST(DiffTest, UnusableTracesAreNamed) {
  const std::string good = trace_of(some(8));
  auto others = some(8);
  for (MadeUp& command : others) command.op = "read_buffer";
  auto twice = some(3);
  twice[2].id = 2;
  struct Case {
    std::string text;
    const char* complaint;
  };
  const Case cases[] = {
      {"", "new: line 1: the file is empty"},
      {good.substr(0, good.size() - 10), "new: the trace is cut off: the program was killed"},
      {"{\"schema\":3}\n", "new: line 1: \"schema\": found 3; this version of sluice reads 1 and 2"},
      {header() + "{\"record\":\"command\"}\n", "new: line 2: \"id\" is missing"},
      {trace_of(others), "traces of different programs: of 8 and 8 commands only 0 match"},
      {trace_of(twice), "new: two commands have the id 2"},
  };
  for (const Case& c : cases) {
    const Result result = compare_texts(good, c.text);
    EXPECT_THAT(result.error, HasSubstr(c.complaint));
    std::ostringstream out;
    write_junit(out, result, false);
    EXPECT_THAT(out.str(), HasSubstr("<error message="));
  }
}

class RecordingTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / fmt::format("sluice-recording-{}", ::getpid());
    std::filesystem::create_directories(folder_);
    write("raw.jsonl", trace_of(some(4)));
    ASSERT_EQ(trace::record_trace(path("raw.jsonl"), path("golden.jsonl"), "prog"), "");
    std::ifstream in(path("golden.jsonl"), std::ios::binary);
    golden_.assign(std::istreambuf_iterator<char>(in), {});
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  [[nodiscard]] std::string path(const std::string& name) const { return (folder_ / name).string(); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(path(name), std::ios::binary) << text; }
  [[nodiscard]] std::string complaint(const std::string& text) const { return compare_texts(text, text).error; }

  std::filesystem::path folder_;
  std::string golden_;
};

TEST_F(RecordingTest, RecordsWhatWasTraced) {
  const Result result = compare_texts(trace_of(some(4)), golden_);
  EXPECT_EQ(result.error, "");
  EXPECT_FALSE(result.is_changed());
  EXPECT_EQ(result.after.header.program, "prog");
  EXPECT_THAT(golden_, HasSubstr("\n{\"record\":\"end\",\"records\":4,\"digest\":\""));
  // What was recorded can be recorded again, and stays what it is.
  ASSERT_EQ(trace::record_trace(path("golden.jsonl"), path("again.jsonl"), ""), "");
  std::ifstream in(path("again.jsonl"), std::ios::binary);
  EXPECT_EQ(golden_, std::string(std::istreambuf_iterator<char>(in), {}));
}

// Whatever byte is changed (every seventeenth, for the test's time): no comparison, but a word about it.
TEST_F(RecordingTest, NoByteCanBeChangedUnseen) {
  for (std::size_t at = 0; at < golden_.size(); at += 17) {
    std::string damaged = golden_;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    EXPECT_NE(complaint(damaged), "") << at;
  }
  std::string digit = golden_;
  digit.replace(digit.find("\"tlps\":24"), 9, "\"tlps\":25");
  EXPECT_THAT(complaint(digit), HasSubstr("the bytes are not those that were written"));
}

TEST_F(RecordingTest, LinesThatAreMissingAreTold) {
  const std::size_t last = golden_.rfind('\n', golden_.size() - 2) + 1;
  const std::size_t before = golden_.rfind('\n', last - 2) + 1;
  EXPECT_THAT(complaint(golden_.substr(0, last)), HasSubstr("the trace is cut off"));
  EXPECT_THAT(complaint(golden_.substr(0, before) + golden_.substr(last)), HasSubstr("line 5: 4 records were written, 3 are there"));
  EXPECT_THAT(complaint(golden_ + MadeUp{.id = 5}.line()), HasSubstr("there is something behind the trace's last line"));
}

TEST_F(RecordingTest, AnotherProgramIsNamed) {
  ASSERT_EQ(trace::record_trace(path("raw.jsonl"), path("other.jsonl"), "other"), "");
  Source before(path("golden.jsonl"));
  Source after(path("other.jsonl"));
  EXPECT_EQ(compare(before, after, {}).error, "these are traces of different programs: prog and other");
}

TEST_F(RecordingTest, NothingIsRecordedOfABrokenTrace) {
  write("raw.jsonl", trace_of(some(4)).substr(0, 700));
  EXPECT_THAT(trace::record_trace(path("raw.jsonl"), path("golden.jsonl"), "prog"), HasSubstr("the trace is cut off"));
  std::ifstream in(path("golden.jsonl"), std::ios::binary);
  EXPECT_EQ(golden_, std::string(std::istreambuf_iterator<char>(in), {})) << "the reference was touched";
  EXPECT_THAT(trace::record_trace(path("none.jsonl"), path("golden.jsonl"), "prog"), HasSubstr("cannot be read"));
  write("raw.jsonl", trace_of(some(4)));
  EXPECT_THAT(trace::record_trace(path("raw.jsonl"), "/nowhere/x.jsonl", "prog"), HasSubstr("/nowhere/x.jsonl: cannot be written"));
}

// Names come from files: markup in them stays text in every format.
TEST(DiffReportTest, NamesAreNoMarkup) {
  auto commands = some(3);
  const std::string evil = R"(<script>|"'&)";
  const auto with_name = [&](std::string text) {
    for (std::size_t at = text.find("\"profile\":\"p\""); at != std::string::npos; at = std::string::npos) {
      text.replace(at, 13, R"("profile":"<script>|\"'&")");
    }
    return text;
  };
  const std::string before = with_name(trace_of(commands));
  commands[1].link_ps += 6'000;
  const Result result = compare_texts(before, with_name(trace_of(commands, header("fedcba9876543210"))));
  ASSERT_EQ(result.error, "");
  ASSERT_EQ(result.before.header.profile, evil);
  std::ostringstream junit;
  std::ostringstream markdown;
  std::ostringstream json;
  write_junit(junit, result, false);
  write_markdown(markdown, result);
  write_json(json, result);
  EXPECT_THAT(junit.str(), HasSubstr("&lt;script&gt;|&quot;&#39;&amp;"));
  EXPECT_EQ(junit.str().find("<script"), std::string::npos);
  EXPECT_EQ(markdown.str().find("<script"), std::string::npos);
  EXPECT_THAT(markdown.str(), HasSubstr("&lt;script&gt;\\|"));
  EXPECT_EQ(nlohmann::json::parse(json.str())["old"]["profile"], evil);
}

// What only one of the traces has took time, too.
TEST(DiffReportTest, WhatWasAddedOrRemovedCounts) {
  auto commands = some(4);
  const std::string less = trace_of(commands);
  MadeUp extra = commands.back();
  extra.id = 99;
  extra.op = "marker";
  commands.push_back(extra);
  const std::string more = trace_of(commands);
  const auto marker = [](const Result& result) {
    for (const auto& [key, c] : result.classes) {
      if (key.first == "marker") return c;
    }
    return Class{};
  };
  const Result added = compare_texts(less, more);
  ASSERT_EQ(added.error, "");
  EXPECT_EQ(marker(added).added, 1u);
  EXPECT_EQ(marker(added).old_ps(), 0u);
  ASSERT_EQ(added.dearest.size(), 1u);
  EXPECT_EQ(marker(added).new_ps(), added.dearest[0].after->time_ps());
  EXPECT_GT(marker(added).new_ps(), 0u);
  const Result removed = compare_texts(more, less);
  EXPECT_EQ(marker(removed).old_ps(), marker(added).new_ps());
  EXPECT_EQ(marker(removed).new_ps(), 0u);
  std::ostringstream text;
  write_text(text, added, false);
  EXPECT_THAT(text.str(), HasSubstr(trace::format_us(marker(added).new_ps())));
}

TEST(DiffReportTest, JunitSaysWhatIsNotComparedAndWhatWasAccepted) {
  auto commands = some(3);
  const std::string before = trace_of(commands);
  commands[1].link_ps += 6'000;
  Result result = compare_texts(before, trace_of(commands));
  result.notes.emplace_back("a note");
  std::ostringstream failed;
  std::ostringstream accepted;
  write_junit(failed, result, false);
  write_junit(accepted, result, true);
  for (const std::string& text : {failed.str(), accepted.str()}) {
    EXPECT_THAT(text, HasSubstr("a note"));
    EXPECT_THAT(text, HasSubstr("Not compared: "));
    EXPECT_THAT(text, HasSubstr("1 slower"));
  }
  EXPECT_THAT(failed.str(), HasSubstr("<failure"));
  EXPECT_EQ(accepted.str().find("<failure"), std::string::npos);
  EXPECT_THAT(accepted.str(), HasSubstr("failures=\"0\""));
}

TEST(DiffReportTest, WhatIsNotShownIsCounted) {
  auto commands = some(5);
  const std::string before = trace_of(commands);
  for (MadeUp& command : commands) command.link_ps += 1000 * command.id;
  Options options;
  options.most_changes = 2;
  const Result result = compare_texts(before, trace_of(commands), options);
  ASSERT_EQ(result.dearest.size(), 2u);
  EXPECT_EQ(result.dearest[0].before->id, 5u);
  EXPECT_EQ(result.dearest[1].before->id, 4u);
  EXPECT_EQ(result.omitted, 3u);
  std::ostringstream out;
  write_text(out, result, false);
  EXPECT_THAT(out.str(), HasSubstr("3 more changed commands"));
}

// Most commands wait packed when queues overtake each other; nothing may be lost by that.
TEST(DiffTest, PackingKeepsEverything) {
  Entry entry;
  entry.id = ~std::uint64_t{0};
  entry.queue = 7;
  entry.device = 3;
  entry.op = Operation::kernel;
  entry.bytes = 12345;
  entry.rows = 9;
  entry.kernel = std::string("a\0b", 3);
  entry.called = 1'000'000'000'000;
  entry.attributes = {Direction::host_to_host, Placement::host_pageable, Placement::device, true, -14, "registers", "l2"};
  for (std::size_t i = 0; i < figure_count; i += 3) entry.figures[i] = std::uint64_t{1} << (i % 64);
  const Entry back = Packed(entry).unpack();
  EXPECT_EQ(back.id, entry.id);
  EXPECT_EQ(back.queue, entry.queue);
  EXPECT_EQ(back.device, entry.device);
  EXPECT_TRUE(back.is_same_shape(entry));
  EXPECT_EQ(back.called, entry.called);
  EXPECT_EQ(back.attributes, entry.attributes);
  EXPECT_EQ(back.figures, entry.figures);
}

TEST(DiffTest, FiguresHaveNames) {
  EXPECT_EQ(figure_name(visible_figure), "visible");
  EXPECT_EQ(figure_name(first_stage), "host_validate");
  EXPECT_EQ(figure_name(first_count), "wire_bytes_up");
  EXPECT_EQ(figure_name(first_kernel), "work_items");
  EXPECT_EQ(figure_name(first_instruction - 2), "groups_per_unit");
  EXPECT_EQ(figure_name(first_instruction - 1), "occupancy_permille");
  EXPECT_EQ(figure_name(first_instruction), "integer");
}

}  // namespace
}  // namespace sluice::diff

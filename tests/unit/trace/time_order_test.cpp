// Records in the order in which things were over, whatever the order of the reports.
#include "traces/time_order.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>
#include <random>
#include <tuple>

#include "tests/unit/trace/support.h"

namespace sluice::trace {
namespace {

class TimeOrderTest : public TraceFiles {
 protected:
  struct Line {
    std::string record;
    std::uint64_t id;
    TimePs at;
    bool operator==(const Line&) const = default;
  };
  friend std::ostream& operator<<(std::ostream& out, const Line& line) {
    return out << line.record << " " << line.id << " at " << line.at;
  }
  std::vector<Line> lines() {
    std::vector<Line> result;
    std::ifstream in(path("t.jsonl"));
    std::string text;
    std::getline(in, text);
    while (std::getline(in, text)) {
      const nlohmann::json line = nlohmann::json::parse(text);
      const std::string record = line["record"];
      if (record == "end") break;  // of the trace
      const char* time = record == "command" ? "visible" : record == "counter" ? "at" : "end";
      result.push_back({record, line.value("id", std::uint64_t{0}), line[time]});
    }
    return result;
  }
};

TEST_F(TimeOrderTest, EndsAreInOrderAndTiesInThatOfTheReports) {
  auto recorder = open({path("t.jsonl")}, TraceLevel::packet);
  recorder->begin(make_machine());
  const auto stage = [&](CommandId id, TimePs begin, TimePs end) {
    recorder->stage({id, 0, "link.down", "burst", begin, end, 1, 1});
  };
  stage(1, 900'000, 1'190'000);
  stage(2, 100'000, 1'300'000);
  stage(3, 1'000'000, 1'100'000);
  stage(4, 1'100'000, 1'200'000);
  recorder->counter({0, "link.down", "tags_in_use", 1'190'000, 1});
  const MadeUpCommand first(5, 1'000'000);  // visible at 1 200 000: what ended by then comes before it
  recorder->command(first.record);
  stage(6, 1'200'000, 1'250'000);
  const MadeUpCommand second(7, 1'010'000);  // visible at 1 210 000
  recorder->command(second.record);
  // This packet tells that it is 1 260 000, at which 6 is over, but not 2 and not the packet itself.
  recorder->packet({8, 0, "link.down", "MWr", 1'260'000, 1'400'000, 0, 64});
  recorder->packet({9, 0, "link.up", "CplD", 1'270'000, 1'280'000, 0, 64});
  recorder->close();
  EXPECT_EQ(lines(), (std::vector<Line>{{"stage", 3, 1'100'000},
                                        {"stage", 1, 1'190'000},
                                        {"counter", 0, 1'190'000},
                                        {"stage", 4, 1'200'000},
                                        {"command", 5, 1'200'000},
                                        {"command", 7, 1'210'000},
                                        {"stage", 6, 1'250'000},
                                        {"packet", 9, 1'280'000},
                                        {"stage", 2, 1'300'000},
                                        {"packet", 8, 1'400'000}}));
}

// Reports as the sink's contract allows them, at random: sorted by the end, and by the report where that is equal.
TEST_F(TimeOrderTest, AnyReportsThatTheContractAllowsAreSorted) {
  std::mt19937_64 random(3);
  auto recorder = open({path("t.jsonl")}, TraceLevel::packet);
  recorder->begin(make_machine());
  std::vector<std::tuple<TimePs, std::uint64_t, Line>> expected;
  TimePs now = 10'000'000;
  for (std::uint64_t id = 1; id <= 20'000; ++id) {
    now += random() % 3 * 100;
    const TimePs end = now + random() % 20 * 100;
    switch (random() % 4) {
      case 0: {
        const MadeUpCommand made(id, now - 200'000);
        recorder->command(made.record);
        expected.push_back({now, id, {"command", id, now}});
        break;
      }
      case 1:
        recorder->packet({id, 0, "link.up", "CplD", now, end, 0, 64});
        expected.push_back({end, id, {"packet", id, end}});
        break;
      case 2:
        recorder->counter({0, "link.up", "tags_in_use", end, id});
        expected.push_back({end, id, {"counter", 0, end}});
        break;
      default:
        recorder->stage({id, 0, "link.up", "burst", random() % now, end, 1, 1});
        expected.push_back({end, id, {"stage", id, end}});
    }
  }
  recorder->close();
  std::sort(expected.begin(), expected.end(), [](const auto& a, const auto& b) {
    return std::tie(std::get<0>(a), std::get<1>(a)) < std::tie(std::get<0>(b), std::get<1>(b));
  });
  const std::vector<Line> written = lines();
  ASSERT_EQ(written.size(), expected.size());
  for (std::size_t i = 0; i < written.size(); ++i) ASSERT_EQ(written[i], std::get<2>(expected[i])) << i;
}

}  // namespace
}  // namespace sluice::trace

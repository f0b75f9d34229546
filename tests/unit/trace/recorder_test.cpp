#include "traces/recorder.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <random>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "tests/unit/trace/support.h"
#include "traces/digits.h"
#include "traces/reader.h"
#include "traces/writer.h"

namespace sluice::trace {
namespace {

using nlohmann::json;

class RecorderTest : public TraceFiles {};

TEST_F(RecorderTest, JsonLinesAreWhatTheFormatSays) {
  auto recorder = open({path("t.jsonl")}, TraceLevel::packet);
  recorder->begin(make_machine());
  const MadeUpCommand one(1);
  recorder->stage({1, 0, "link.down", "burst", 1'015'000, 1'115'000, 100, 4096});
  recorder->packet({1, 0, "link.down", "MWr", 1'015'000, 1'016'000, 4096, 256});
  recorder->counter({0, "link.down", "tags_in_use", 1'015'000, 3});
  recorder->command(one.record);
  recorder->call({1, "clFinish", 0, 1'200'000, 1'230'000});
  recorder->close();
  EXPECT_TRUE(recorder->ok());
  // In the order of what was over first: the counter at 1 015 000, the packet, the stage, the command, the call.
  // Bandwidth: 4096 bytes from START to END, 100 ns, are 40 960 000 000 bytes a second.
  const std::string lines =
      "{\"schema\":2,\"sluice\":\"" SLUICE_VERSION
      "\",\"profile\":\"made-up\",\"profile_hash\":\"0123456789abcdef\","
      "\"level\":\"packet\"}\n"
      "{\"record\":\"counter\",\"device\":0,\"part\":\"link.down\",\"name\":\"tags_in_use\",\"at\":1015000,"
      "\"value\":3}\n"
      "{\"record\":\"packet\",\"id\":1,\"device\":0,\"part\":\"link.down\",\"kind\":\"MWr\",\"begin\":1015000,"
      "\"end\":1016000,\"address\":4096,\"bytes\":256}\n"
      "{\"record\":\"stage\",\"id\":1,\"device\":0,\"part\":\"link.down\",\"action\":\"burst\",\"begin\":1015000,"
      "\"end\":1115000,\"cycles\":100,\"bytes\":4096}\n"
      "{\"record\":\"command\",\"id\":1,\"op\":\"write_buffer\",\"queue\":1,\"device\":0,"
      "\"direction\":\"h2d\",\"bytes\":4096,\"rows\":1,\"source\":\"pageable\",\"target\":\"device\","
      "\"blocking\":true,\"status\":0,\"called\":1000000,\"queued\":1010000,\"submitted\":1015000,"
      "\"started\":1015000,\"ended\":1115000,\"completed\":1115000,\"visible\":1200000,\"bandwidth\":40960000000,"
      "\"stages\":{\"host_validate\":10000,\"host_pack\":5000,\"link\":100000,\"wakeup\":85000},"
      "\"wire_bytes_up\":192,\"wire_bytes_down\":4424,\"tlps\":24}\n"
      "{\"record\":\"call\",\"thread\":1,\"name\":\"clFinish\",\"id\":0,\"begin\":1200000,\"end\":1230000,"
      "\"calls\":1}\n";
  char end[100];
  std::snprintf(end, sizeof end, "{\"record\":\"end\",\"records\":5,\"digest\":\"%016llx\"}\n",
                static_cast<unsigned long long>(XXH3_64bits(lines.data(), lines.size())));
  EXPECT_EQ(read(path("t.jsonl")), lines + end);
}

// A thread's calls of one name that follow each other without a gap are one record, until a command or another call comes
// between; what waited for a command stays apart.
TEST_F(RecorderTest, CallsOneBehindTheOtherAreJoined) {
  auto recorder = open({path("t.jsonl")});
  recorder->begin(make_machine());
  const MadeUpCommand one(1);  // visible at 1 200 000
  recorder->call({1, "clGetEventInfo", 0, 100, 200});
  recorder->call({1, "clGetEventInfo", 0, 200, 300});
  recorder->call({2, "clGetEventInfo", 0, 300, 400});  // another thread
  recorder->call({2, "clGetEventInfo", 0, 450, 500});  // a gap
  recorder->call({2, "clFinish", 0, 500, 600});
  recorder->call({2, "clEnqueueReadBuffer", 7, 600, 700});
  recorder->call({2, "clEnqueueReadBuffer", 8, 700, 800});
  recorder->call({0, "clFlush", 0, 1'200'000, 1'200'010});
  recorder->command(one.record);
  recorder->call({0, "clFlush", 0, 1'200'010, 1'200'020});
  recorder->call({0, "clFlush", 0, 1'200'020, 1'200'030});
  recorder->close();
  std::ifstream in(path("t.jsonl"));
  Reader reader(in);
  ASSERT_TRUE(reader.read_header());
  std::vector<std::string> found;
  while (true) {
    const Reader::Next next = reader.next();
    if (next == Reader::Next::end) break;
    ASSERT_NE(next, Reader::Next::error) << reader.error();
    if (next == Reader::Next::command) {
      found.push_back("command");
      continue;
    }
    const PartLine& p = reader.part();
    EXPECT_EQ(p.kind, PartLine::Kind::call);
    found.push_back(std::to_string(p.thread) + " " + p.what + " " + std::to_string(p.id) + " " + std::to_string(p.begin) +
                    "-" + std::to_string(p.end) + " x" + std::to_string(p.value));
  }
  EXPECT_FALSE(reader.is_cut_off());
  EXPECT_EQ(found, (std::vector<std::string>{
                       "1 clGetEventInfo 0 100-300 x2", "2 clGetEventInfo 0 300-400 x1", "2 clGetEventInfo 0 450-500 x1",
                       "2 clFinish 0 500-600 x1", "2 clEnqueueReadBuffer 7 600-700 x1",
                       "2 clEnqueueReadBuffer 8 700-800 x1", "command", "0 clFlush 0 1200000-1200010 x1",
                       "0 clFlush 0 1200010-1200030 x2"}));
}

// A kernel's figures stand in its command's line, and in no other's.
TEST_F(RecorderTest, AKernelsRecordIsWrittenAndReadBack) {
  auto recorder = open({path("t.jsonl"), path("t.json")});
  recorder->begin(make_machine());
  MadeUpCommand one(1);
  const MadeUpCommand two(2, 2'000'000);
  one.command.op = Operation::kernel;
  KernelRecord kernel;
  kernel.name = "add";
  std::uint64_t value = 100;
  for (const KernelField& field : kernel_fields) kernel.*field.value = value++;
  kernel.sectors = 1000;
  kernel.local_accesses = kernel.atomics = 1;
  kernel.instructions[static_cast<std::size_t>(InstructionClass::float32)] = 7;
  kernel.instructions[static_cast<std::size_t>(InstructionClass::memory)] = 3;
  kernel.groups_per_unit = 8;
  kernel.occupancy_permille = 1000;
  kernel.occupancy_limit = "waves";
  kernel.limiter = "device_memory";
  one.record.kernel = &kernel;
  recorder->command(one.record);
  recorder->command(two.record);
  recorder->close();
  const std::string text = read(path("t.jsonl"));
  EXPECT_NE(
      text.find("\"tlps\":24,\"kernel\":{\"name\":\"add\",\"work_items\":100,\"groups\":101,\"waves\":102,"
                "\"instructions\":{\"float32\":7,\"memory\":3},\"accesses\":103,\"local_accesses\":1,\"atomics\":1,"
                "\"barriers\":106,\"lines\":107,\"sectors\":1000,\"l1_hit_sectors\":109,\"l2_hit_sectors\":110,"
                "\"device_read_bytes\":111,\"device_written_bytes\":112,\"link_read_bytes\":113,"
                "\"link_written_bytes\":114,\"groups_per_unit\":8,\"occupancy_permille\":1000,"
                "\"occupancy_limit\":\"waves\",\"limiter\":\"device_memory\"}}\n"),
      std::string::npos)
      << text;
  std::ifstream in(path("t.jsonl"));
  Reader reader(in);
  ASSERT_TRUE(reader.read_header());
  ASSERT_EQ(reader.next(), Reader::Next::command) << reader.error();
  ASSERT_TRUE(reader.command().kernel.has_value());
  EXPECT_EQ(reader.command().kernel->name, "add");
  const KernelRecord& figures = reader.command().kernel->figures;
  for (const KernelField& field : kernel_fields) EXPECT_EQ(figures.*field.value, kernel.*field.value) << field.name;
  EXPECT_EQ(figures.instructions, kernel.instructions);
  EXPECT_EQ(figures.limiter, "device_memory");
  ASSERT_EQ(reader.next(), Reader::Next::command) << reader.error();
  EXPECT_FALSE(reader.command().kernel.has_value());
  int told = 0;
  for (const json& event : json::parse(read(path("t.json")))) {
    if (!event.contains("args") || !event["args"].contains("kernel")) continue;
    ++told;
    EXPECT_EQ(event["args"]["sectors"], 1000);
    EXPECT_EQ(event["args"]["float32_instructions"], 7);
  }
  EXPECT_EQ(told, 2);  // the call, and the work
}

// A name is the program's: as long as it likes, and of any bytes.
TEST_F(RecorderTest, LongAndOddNamesOfKernelsStayWithinTheirLine) {
  auto recorder = open({path("t.jsonl")});
  recorder->begin(make_machine());
  MadeUpCommand one(1);
  KernelRecord kernel;
  kernel.name = "\x01\"quoted\\";
  one.record.kernel = &kernel;
  recorder->command(one.record);
  const std::string endless(10'000, 'n');
  kernel.name = endless;
  MadeUpCommand two(2);
  two.record.kernel = &kernel;
  recorder->command(two.record);
  recorder->close();
  std::ifstream in(path("t.jsonl"));
  Reader reader(in);
  ASSERT_TRUE(reader.read_header());
  ASSERT_EQ(reader.next(), Reader::Next::command) << reader.error();
  EXPECT_EQ(reader.command().kernel->name, "\x01\"quoted\\");
  ASSERT_EQ(reader.next(), Reader::Next::command) << reader.error();
  EXPECT_EQ(reader.command().kernel->name, std::string(64, 'n'));
}

TEST_F(RecorderTest, LargestIntegersAndOddNamesSurvive) {
  auto recorder = open({path("t.jsonl")});
  Machine machine = make_machine();
  machine.profile_name = "a\"b\\c\n\x01";
  recorder->begin(machine);
  MadeUpCommand one(~CommandId{0}, time_never - 200'000);
  one.record.wire_bytes_up = ~std::uint64_t{0};
  one.record.times.status = -2147483647 - 1;
  one.command.shape.row_bytes = std::uint64_t{1} << 62;
  one.record.times.started = one.record.times.ended - 1'000'000'000'000;  // bandwidth: 2^62 in 1 s; no 64-bit overflow
  recorder->command(one.record);
  recorder->close();
  std::istringstream lines(read(path("t.jsonl")));
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(json::parse(line)["profile"], machine.profile_name);
  std::getline(lines, line);
  const json record = json::parse(line);
  EXPECT_EQ(record["id"], ~CommandId{0});
  EXPECT_EQ(record["visible"], time_never);
  EXPECT_EQ(record["wire_bytes_up"], ~std::uint64_t{0});
  EXPECT_EQ(record["bandwidth"], std::uint64_t{1} << 62);
  EXPECT_EQ(record["status"], -2147483647 - 1);
}

// The rules of the Chrome trace format: an array of objects, X with ts and dur, slices of a track nested or apart, a
// flow that starts and ends inside a slice of its track.
TEST_F(RecorderTest, PerfettoJsonKeepsTheRulesOfItsFormat) {
  auto recorder = open({path("t.perfetto.json")}, TraceLevel::packet);
  recorder->begin(make_machine());
  for (CommandId id = 1; id <= 20; ++id) {
    const MadeUpCommand overlapping(id, 1'000'000 + id * 50'001);
    recorder->stage({id, 0, "link.down", "burst", id * 50'000, id * 50'000 + 99'999, 100, 4096});
    recorder->packet({id, 0, "link.down", "MWr", id * 50'000, id * 50'000 + 10, 64, 64});
    recorder->counter({0, "link.down", "tags_in_use", id, id});
    recorder->command(overlapping.record);
  }
  recorder->close();
  const json events = json::parse(read(path("t.perfetto.json")));
  ASSERT_TRUE(events.is_array());

  struct Slice {
    double begin;
    double end;
  };
  std::map<std::pair<int, int>, std::vector<Slice>> tracks;
  std::map<std::string, int> phases;
  for (const json& event : events) {
    const std::string phase = event.at("ph");
    ++phases[phase];
    ASSERT_TRUE(event.at("pid").is_number_unsigned());
    ASSERT_TRUE(event.at("name").is_string());
    if (phase != "X") continue;
    const double begin = event.at("ts");
    tracks[{event.at("pid"), event.at("tid")}].push_back({begin, begin + event.at("dur").get<double>()});
  }
  EXPECT_EQ(phases["X"], 20 * 4);  // call, work, stage, packet
  EXPECT_EQ(phases["C"], 20);
  EXPECT_EQ(phases["s"], 20);
  EXPECT_EQ(phases["t"], 20 * 3);  // work, stage, packet
  constexpr double rounding_us = 1e-6;
  for (auto& [track, slices] : tracks) {
    std::sort(slices.begin(), slices.end(), [](const Slice& a, const Slice& b) { return a.begin < b.begin; });
    for (std::size_t i = 1; i < slices.size(); ++i) EXPECT_GE(slices[i].begin + rounding_us, slices[i - 1].end);
  }
  for (const json& event : events) {
    if (event.at("ph") != "s" && event.at("ph") != "t") continue;
    const auto& slices = tracks.at({event.at("pid"), event.at("tid")});
    const double at = event.at("ts");
    EXPECT_TRUE(std::any_of(slices.begin(), slices.end(),
                            [&](const Slice& s) { return s.begin - rounding_us <= at && at <= s.end + rounding_us; }));
  }
  // 1 050 001 ps are 1.050001 us: nothing is rounded away.
  EXPECT_NE(read(path("t.perfetto.json")).find("\"ts\":1.050001,"), std::string::npos);
}

// The arrows of one command, as viewers draw them: from each of its slices to the one that begins next.
TEST_F(RecorderTest, ChromeArrowsLeadFromTheCallToTheCommandItsStagesAndItsPackets) {
  const auto arrows = [&](TraceLevel level) {
    auto recorder = open({path("t.json")}, level);
    recorder->begin(make_machine());
    const MadeUpCommand one(1);  // called at 1 us, on the device from 1.015 us on
    if (level >= TraceLevel::stage) {
      recorder->stage({1, 0, "command_processor", "fetch", 1'012'000, 1'014'000, 2, 64});
      recorder->stage({1, 0, "copy_engine.h2d0", "burst", 1'016'000, 1'115'000, 100, 4096});
      recorder->stage({0, 0, "device_memory", "refresh", 1'017'000, 1'018'000, 1, 0});  // no command's
    }
    if (level == TraceLevel::packet) {
      recorder->packet({1, 0, "link.down", "MWr", 1'017'000, 1'018'000, 0, 256});
      recorder->packet({1, 0, "link.down", "MWr", 1'018'000, 1'019'000, 256, 256});
    }
    recorder->command(one.record);
    recorder->close();
    std::map<std::pair<int, int>, std::string> tracks;
    std::map<double, std::string> chain;
    for (const json& event : json::parse(read(path("t.json")))) {
      const std::string phase = event.at("ph");
      if (phase == "M" && event.at("name") == "thread_name") {
        tracks[{event.at("pid"), event.at("tid")}] = event.at("args").at("name");
      }
      if (phase != "s" && phase != "t" && phase != "f") continue;
      EXPECT_EQ(event.at("id"), 1);
      EXPECT_TRUE(chain.emplace(event.at("ts"), phase + " " + tracks.at({event.at("pid"), event.at("tid")})).second);
    }
    std::vector<std::string> names;
    for (const auto& [at, name] : chain) names.push_back(name);
    return names;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(arrows(TraceLevel::command), (Names{"s queue 1", "f queue 1"}));
  EXPECT_EQ(arrows(TraceLevel::stage), (Names{"s queue 1", "t command_processor", "t queue 1", "t copy_engine.h2d0"}));
  EXPECT_EQ(arrows(TraceLevel::packet), (Names{"s queue 1", "t command_processor", "t queue 1", "t copy_engine.h2d0",
                                               "t link.down packets", "t link.down packets"}));
}

// However many slices overlap, the file and the work for it grow with their number and no faster.
TEST_F(RecorderTest, MoreOverlapsThanLanesBecomeAsynchronousEvents) {
  auto recorder = open({path("t.json")}, TraceLevel::stage);
  recorder->begin(make_machine());
  for (CommandId id = 1; id <= 100; ++id) recorder->stage({id, 0, "link.down", "burst", 0, 1'000'000, 1, 1});
  recorder->close();
  std::map<std::string, int> phases;
  for (const json& event : json::parse(read(path("t.json")))) ++phases[event.at("ph")];
  EXPECT_EQ(phases["X"] + phases["b"], 100);
  EXPECT_EQ(phases["X"], 32);
  EXPECT_EQ(phases["b"], phases["e"]);
}

TEST_F(RecorderTest, FullDeviceIsToldOnceAndTheOtherFileGoesOn) {
  if (::access("/dev/full", W_OK) != 0) GTEST_SKIP() << "no /dev/full here";
  const std::string full = path("full.jsonl");
  ASSERT_EQ(::symlink("/dev/full", full.c_str()), 0);
  int status[2];
  ASSERT_EQ(::pipe(status), 0);
  ::setenv("SLUICE_STATUS_FD", std::to_string(status[1]).c_str(), 1);
  auto recorder = open({full, path("good.jsonl")});
  recorder->begin(make_machine());
  for (CommandId id = 1; id <= 100; ++id) {
    const MadeUpCommand made(id);
    recorder->command(made.record);
  }
  recorder->close();
  ::unsetenv("SLUICE_STATUS_FD");
  ::close(status[1]);
  EXPECT_FALSE(recorder->ok());
  EXPECT_EQ(recorder->error(), full + ": No space left on device");
  char told[512] = {};
  EXPECT_GT(::read(status[0], told, sizeof told - 1), 0);
  EXPECT_EQ(std::string(told), "trace-error: " + full + ": No space left on device\n");
  ::close(status[0]);
  const std::string good = read(path("good.jsonl"));
  EXPECT_EQ(std::count(good.begin(), good.end(), '\n'), 102);
}

TEST_F(RecorderTest, ReaderOfAPipeThatWentAwayDoesNotKillTheProgram) {
  const std::string fifo = path("pipe.jsonl");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const int reader = ::open(fifo.c_str(), O_RDONLY | O_NONBLOCK);
  auto recorder = open({fifo});
  ::close(reader);
  testing::internal::CaptureStderr();
  recorder->begin(make_machine());
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "sluice: trace-error: " + fifo + ": Broken pipe\n");
  EXPECT_EQ(recorder->error(), fifo + ": Broken pipe");
}

TEST_F(RecorderTest, FilesThatCannotBeOpenedAreErrors) {
  std::string error;
  EXPECT_EQ(open_recorder({{path("nowhere/t.jsonl")}, TraceLevel::command}, error), nullptr);
  EXPECT_EQ(error, path("nowhere/t.jsonl") + ": No such file or directory");
  EXPECT_EQ(open_recorder({{path("t.txt")}, TraceLevel::command}, error), nullptr);
  EXPECT_NE(error.find("t.txt: unknown trace format"), std::string::npos);
  const auto first = open({path("t.jsonl")});
  EXPECT_EQ(open_recorder({{path("t.jsonl")}, TraceLevel::command}, error), nullptr);
  EXPECT_EQ(error, path("t.jsonl") + ": another process is writing its trace there");
}

// Each name of the schema, written and read back.
TEST_F(RecorderTest, EveryNameIsWrittenWhole) {
  auto recorder = open({path("t.jsonl")});
  recorder->begin(make_machine());
  for (std::size_t i = 0; i < static_cast<std::size_t>(Operation::count_); ++i) {
    MadeUpCommand made(i + 1);
    made.command.op = static_cast<Operation>(i);
    made.command.direction = static_cast<Direction>(i % 5);
    made.command.source.placement = static_cast<Placement>(i % 4);
    made.command.target.placement = static_cast<Placement>(i / 4 % 4);
    made.command.blocking = i % 2 == 0;
    made.record.stages.fill(0);
    made.record.stages[i % stage_count] = 150'000;
    made.record.stages[(i + 1) % stage_count] = 50'000;
    recorder->command(made.record);
  }
  recorder->close();
  std::ifstream in(path("t.jsonl"));
  Reader reader(in);
  ASSERT_TRUE(reader.read_header());
  for (std::size_t i = 0; i < static_cast<std::size_t>(Operation::count_); ++i) {
    ASSERT_EQ(reader.next(), Reader::Next::command) << reader.error();
    const CommandLine& line = reader.command();
    EXPECT_EQ(line.op, static_cast<Operation>(i));
    EXPECT_EQ(line.direction, static_cast<Direction>(i % 5));
    EXPECT_EQ(line.source, static_cast<Placement>(i % 4));
    EXPECT_EQ(line.target, static_cast<Placement>(i / 4 % 4));
    EXPECT_EQ(line.blocking, i % 2 == 0);
    EXPECT_EQ(line.stages[i % stage_count], 150'000u);
    EXPECT_EQ(line.stages[(i + 1) % stage_count], 50'000u);
  }
}

// Against the library's own way of writing integers: every length, every border, and what lies between.
TEST(DigitsTest, DecimalsAreThoseOfTheLibrary) {
  const auto written = [](std::uint64_t value) {
    char text[decimal_room];
    return std::string(text, put_decimal(text, value));
  };
  for (std::uint64_t power = 1, digits = 1; digits <= 20; power *= 10, ++digits) {
    for (const std::uint64_t value : {power - 1, power, power + 1, power * 9, power / 3 * 2}) {
      EXPECT_EQ(written(value), std::to_string(value));
    }
  }
  EXPECT_EQ(written(~std::uint64_t{0}), "18446744073709551615");
  for (std::uint64_t value = 0; value < 100'000'000; value += 4'999) ASSERT_EQ(written(value), std::to_string(value));
  std::mt19937_64 random(1);
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t value = random() >> random() % 64;
    ASSERT_EQ(written(value), std::to_string(value));
  }
}

TEST(RecorderOptionsTest, EnvironmentNamesFilesAndLevel) {
  std::string error;
  ::setenv("SLUICE_TRACE", "/a/b.jsonl::c.json:", 1);
  ::setenv("SLUICE_TRACE_LEVEL", "stage", 1);
  const RecorderOptions options = options_from_environment(error);
  EXPECT_EQ(error, "");
  EXPECT_EQ(options.files, (std::vector<std::string>{"/a/b.jsonl", "c.json"}));
  EXPECT_EQ(options.level, TraceLevel::stage);
  ::setenv("SLUICE_TRACE_LEVEL", "all", 1);
  EXPECT_EQ(options_from_environment(error).level, TraceLevel::command);
  EXPECT_EQ(error, "SLUICE_TRACE_LEVEL: found \"all\"; allowed: command, stage, packet");
  ::unsetenv("SLUICE_TRACE");
  ::unsetenv("SLUICE_TRACE_LEVEL");
  EXPECT_TRUE(options_from_environment(error).files.empty());
}

}  // namespace
}  // namespace sluice::trace

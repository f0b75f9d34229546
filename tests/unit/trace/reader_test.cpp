#include "traces/reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>

#include "traces/report.h"

namespace sluice::trace {
namespace {

const std::string header =
    R"({"schema":1,"sluice":"0.1.0","profile":"p","profile_hash":"0123456789abcdef","level":"command"})"
    "\n";
const std::string command =
    R"({"record":"command","id":1,"op":"write_buffer","queue":1,"device":0,"direction":"h2d","bytes":4096,)"
    R"("rows":1,"source":"pageable","target":"device","blocking":true,"status":0,"called":1000000,)"
    R"("queued":1010000,"submitted":1015000,"started":1015000,"ended":1115000,"completed":1115000,"visible":1200000,)"
    R"("bandwidth":40960000000,"stages":{"host_validate":10000,"host_pack":5000,"link":100000,"wakeup":85000},)"
    R"("wire_bytes_up":192,"wire_bytes_down":4424,"tlps":24})"
    "\n";

const std::string kernel_part =
    R"("tlps":24,"kernel":{"name":"add","work_items":64,"groups":1,"waves":2,"instructions":{"float32":8,"memory":4},)"
    R"("accesses":4,"local_accesses":0,"atomics":0,"barriers":0,"lines":4,"sectors":16,"l1_hit_sectors":4,)"
    R"("l2_hit_sectors":4,"device_read_bytes":256,"device_written_bytes":0,"link_read_bytes":4096,)"
    R"("link_written_bytes":0,"groups_per_unit":8,"occupancy_permille":500,"occupancy_limit":"launch",)"
    R"("limiter":"link"}})";

std::string with(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

// Runs of spaces as one: the widths of columns are not the matter.
std::string squeezed(std::string text) {
  text.erase(std::unique(text.begin(), text.end(), [](char a, char b) { return a == ' ' && b == ' '; }), text.end());
  return text;
}

// The first complaint about a trace, or "".
std::string complaint(const std::string& text) {
  std::istringstream in(text);
  Reader reader(in);
  if (!reader.read_header()) return reader.error();
  while (true) {
    const Reader::Next next = reader.next();
    if (next == Reader::Next::error) return reader.error();
    if (next == Reader::Next::end) return "";
  }
}

TEST(ReaderTest, ReadsWhatWasWritten) {
  std::istringstream in(header + R"({"record":"stage","id":1,"device":0,"part":"link.up","action":"burst","begin":5,"end":7,"cycles":4,"bytes":64})" + "\n" + command);
  Reader reader(in);
  ASSERT_TRUE(reader.read_header());
  EXPECT_EQ(reader.header().profile, "p");
  EXPECT_EQ(reader.header().level, TraceLevel::command);
  EXPECT_EQ(reader.next(), Reader::Next::part);
  EXPECT_EQ(reader.part().part, "link.up");
  EXPECT_EQ(reader.part().cycles, 4u);
  ASSERT_EQ(reader.next(), Reader::Next::command) << reader.error();
  const CommandLine& line = reader.command();
  EXPECT_EQ(line.op, Operation::write_buffer);
  EXPECT_EQ(line.direction, Direction::host_to_device);
  EXPECT_EQ(line.source, Placement::host_pageable);
  EXPECT_EQ(line.target, Placement::device);
  EXPECT_TRUE(line.blocking);
  EXPECT_EQ(line.times.ended, 1'115'000u);
  EXPECT_EQ(line.stages[static_cast<std::size_t>(Stage::link)], 100'000u);
  EXPECT_EQ(line.tlps, 24u);
  EXPECT_EQ(reader.next(), Reader::Next::end);
  EXPECT_FALSE(reader.is_cut_off());
}

TEST(ReaderTest, ALineWithoutEndIsCutOffAndNoError) {
  for (std::size_t keep = 1; keep < command.size(); ++keep) {
    std::istringstream in(header + command + command.substr(0, keep));
    Reader reader(in);
    ASSERT_TRUE(reader.read_header());
    ASSERT_EQ(reader.next(), Reader::Next::command);
    ASSERT_EQ(reader.next(), Reader::Next::end);
    EXPECT_TRUE(reader.is_cut_off());
  }
}

TEST(ReaderTest, DamageIsToldWithItsLine) {
  const std::string launch = with(with(command, "\"tlps\":24}", kernel_part), "write_buffer", "kernel");
  struct Case {
    std::string text;
    std::string complaint;
  };
  const Case cases[] = {
      {"", "line 1: the file is empty"},
      {header.substr(0, 20), "line 1: the header is cut off"},
      {"[\n", "line 1: no header of a Sluice trace (JSON Lines, \"schema\" first)"},
      {with(header, "\"schema\":1", "\"schema\":2"), "line 1: \"schema\": found 2; this version of sluice reads 1"},
      {with(header, "\"schema\":1", "\"schema\":\"1\""),
       "line 1: \"schema\": found \"1\"; allowed: an integer of 0 to 4294967295"},
      {with(header, "\"level\":\"command\"", "\"level\":\"all\""),
       "line 1: \"level\": found \"all\", which is no name of this schema"},
      {header + "\n", "line 2: not a JSON object"},
      {header + command + "{\"record\":\n", "line 3: not a JSON object"},
      {header + "{\"record\":\"comand\"}\n",
       "line 2: \"record\": found \"comand\"; allowed: command, stage, packet, counter"},
      {header + with(command, "\"id\":1", "\"id\":-1"),
       "line 2: \"id\": found -1; allowed: an integer of 0 to 18446744073709551615"},
      {header + with(command, "\"id\":1", "\"id\":1.5"),
       "line 2: \"id\": found 1.5; allowed: an integer of 0 to 18446744073709551615"},
      {header + with(command, "\"device\":0", "\"device\":4294967296"),
       "line 2: \"device\": found 4294967296; allowed: an integer of 0 to 4294967295"},
      {header + with(command, "\"status\":0", "\"status\":2147483648"),
       "line 2: \"status\": found 2147483648; allowed: an integer of -2147483648 to 2147483647"},
      {header + with(command, "write_buffer", "write_buffes"),
       "line 2: \"op\": found \"write_buffes\", which is no name of this schema"},
      {header + with(command, "true", "1"), "line 2: \"blocking\": found 1; allowed: true, false"},
      {header + with(command, "\"tlps\":24", "\"tlpz\":24"), "line 2: \"tlps\" is missing"},
      {header + with(command, "\"link\"", "\"lonk\""),
       "line 2: \"stages\": found a stage that is no name of this schema"},
      {header + with(command, "\"started\":1015000", "\"started\":1014999"),
       "line 2: the stamps of the command are not in the order called, queued, submitted, started, ended, completed, "
       "visible"},
      {header + with(command, "\"link\":100000", "\"link\":100001"),
       "line 2: the stages add up to more than the command's time (visible - called)"},
      {header + with(command, "\"link\":100000", "\"link\":99999"),
       "line 2: the stages add up to less than the command's time (visible - called)"},
      {header + with(launch, "\"float32\"", "\"float23\""),
       "line 2: \"kernel\": \"instructions\": found a class that is no name of this schema"},
      {header + with(launch, "\"lines\":4", "\"limes\":4"), "line 2: \"kernel\": \"lines\" is missing"},
      {header + with(launch, "\"limiter\":\"link\"", "\"limiter\":\"sink\""),
       "line 2: \"kernel\": \"limiter\": found \"sink\", which is no name of this schema"},
      {header + with(launch, "\"l2_hit_sectors\":4", "\"l2_hit_sectors\":13"),
       "line 2: \"kernel\": more sectors hit than asked for"},
      {header + with(launch, "\"local_accesses\":0", "\"local_accesses\":5"),
       "line 2: \"kernel\": more local accesses or atomics than accesses"},
      {header + with(launch, "\"occupancy_permille\":500", "\"occupancy_permille\":1001"),
       "line 2: \"kernel\": an occupancy of more than 1000 permille"},
      {header + with(command, "\"tlps\":24", "\"tlps\":24,\"kernel\":3"),
       "line 2: \"kernel\": found 3; allowed: an object"},
      {header + std::string(70'000, ' ') + "\n", "line 2: longer than 65536 bytes; this is no Sluice trace"},
      {header + std::string(60'000, '[') + "\n", "line 2: not a JSON object"},
  };
  for (const Case& c : cases) EXPECT_EQ(complaint(c.text), c.complaint);
}

// Whatever one byte becomes, there is an answer; most changes are noticed, and none may crash.
TEST(ReaderTest, FlippedBytesAreSurvived) {
  const std::string sound = header + with(command, "\"tlps\":24}", kernel_part);
  for (std::size_t at = 0; at < sound.size(); ++at) {
    for (const int flip : {0x01, 0x20, 0x80, 0xff}) {
      std::string damaged = sound;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      std::istringstream in(damaged);
      (void)report(in, false);
    }
  }
}

TEST(ReportTest, SumsAreThoseOfTheLines) {
  // A second command: a map of 1 MiB that takes 2 us, all of it on the link.
  std::string map = with(command, "\"id\":1", "\"id\":2");
  map = with(map, "write_buffer", "map_buffer");
  map = with(map, "h2d", "d2h");
  map = with(map, "\"source\":\"pageable\",\"target\":\"device\"", "\"source\":\"device\",\"target\":\"pinned\"");
  map = with(map, "\"bytes\":4096", "\"bytes\":1048576");
  map = with(map, "\"ended\":1115000,\"completed\":1115000,\"visible\":1200000",
             "\"ended\":3000000,\"completed\":3000000,\"visible\":3000000");
  map =
      with(map, "{\"host_validate\":10000,\"host_pack\":5000,\"link\":100000,\"wakeup\":85000}", "{\"link\":2000000}");
  std::istringstream in(header + command + map);
  const Report result = report(in, false);
  EXPECT_EQ(result.error, "");
  EXPECT_EQ(result.text.find('\033'), std::string::npos);
  // 0.2 us + 2 us; 1 MiB + 4 KiB; from 1 us to 3 us. The map: 1048576 B in 1.985 us are 528.25 GB/s.
  const std::string text = squeezed(result.text);
  EXPECT_NE(text.find("2 commands, 1 MiB moved, 2.000 us from the first call"), std::string::npos) << result.text;
  EXPECT_NE(text.find("\n write_buffer 1 4 KiB 0.200 9.1 % 0.100 40.96\n"), std::string::npos) << result.text;
  EXPECT_NE(text.find("\n map_buffer 1 1 MiB 2.000 90.9 % 1.985 528.25\n"), std::string::npos) << result.text;
  EXPECT_NE(text.find("\n link 2 2.100 95.5 % 1.050\n"), std::string::npos) << result.text;
  // The dearest first.
  EXPECT_LT(result.text.rfind("map_buffer"), result.text.rfind("write_buffer"));
}

TEST(ReportTest, KernelsAreSummedByName) {
  const std::string launch = with(with(command, "\"tlps\":24}", kernel_part), "write_buffer", "kernel");
  std::istringstream in(header + launch + with(launch, "\"id\":1", "\"id\":2") + command);
  const Report result = report(in, false);
  EXPECT_EQ(result.error, "");
  // Twice: 64 work-items, 100 ns, 12 instructions; 4 of 16 sectors hit in each cache; 256 B and 4 KiB.
  EXPECT_NE(squeezed(result.text).find("\n add link 2 128 0.200 24 25.0 % 25.0 % 512 B 8 KiB 50.0 %\n"),
            std::string::npos)
      << result.text;
}

TEST(ReportTest, DamageHalfWayKeepsWhatWasRead) {
  std::istringstream in(header + command + "garbage\n");
  const Report result = report(in, true);
  EXPECT_EQ(result.error, "line 3: not a JSON object");
  EXPECT_NE(result.text.find("1 commands"), std::string::npos);
  EXPECT_NE(result.text.find("\033[1m"), std::string::npos);
}

TEST(ReportTest, AKilledRunSaysSo) {
  std::istringstream in(header + command + command.substr(0, 50));
  const Report result = report(in, false);
  EXPECT_EQ(result.error, "");
  EXPECT_NE(result.text.find("the program was killed"), std::string::npos);
}

TEST(ReportTest, NamesFromTheFileDoNotControlTheTerminal) {
  std::istringstream in(with(header, "\"p\"", R"("\u001b[2Jx")"));
  EXPECT_EQ(report(in, false).text.find('\033'), std::string::npos);
}

}  // namespace
}  // namespace sluice::trace

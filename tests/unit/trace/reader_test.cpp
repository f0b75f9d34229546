#include "traces/reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>

#include "traces/digest.h"
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
      {with(header, "\"schema\":1", "\"schema\":3"), "line 1: \"schema\": found 3; this version of sluice reads 1 and 2"},
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

// A small trace with every kind of record, and its last line.
std::string sealed() {
  const std::string lines =
      with(with(header, "\"schema\":1", "\"schema\":2"), "command", "packet") +
      R"({"record":"counter","device":0,"part":"link.up","name":"use_permille","at":4,"value":3})" "\n"
      R"({"record":"stage","id":1,"device":0,"part":"link.up","action":"burst","begin":5,"end":7,"cycles":4,"bytes":64})" "\n"
      R"({"record":"packet","id":1,"device":0,"part":"link.up","kind":"MWr","begin":5,"end":7,"address":4096,"bytes":64})" "\n" +
      with(command, "\"tlps\":24}", kernel_part) +
      R"({"record":"call","thread":1,"name":"clFinish","id":0,"begin":1200000,"end":1230000,"calls":1})" "\n";
  Digest digest;
  digest.add(lines);
  return lines + end_line(5, digest) + "\n";
}

// Schema 2 carries a digest of all of its bytes: whatever one of them becomes, the trace is none.
TEST(ReaderTest, NoByteCanBeAnotherOneUnseen) {
  const std::string sound = sealed();
  ASSERT_EQ(complaint(sound), "");
  for (std::size_t at = 0; at < sound.size(); ++at) {
    for (const int flip : {0x01, 0x03, 0x20, 0x80, sound[at] ^ ' ', sound[at] ^ '\n'}) {
      if (flip == 0) continue;
      std::string damaged = sound;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      std::istringstream in(damaged);
      ASSERT_NE(report(in, false).error, "") << at << ": " << damaged;
    }
  }
}

// The digest is taken in pieces as large as the reader's buffer, whose ends fall anywhere in a line.
TEST(ReaderTest, ByteOfALongTraceCannotBeAnotherOneUnseen) {
  std::string text = with(with(header, "\"schema\":1", "\"schema\":2"), "command", "packet");
  std::uint64_t lines = 0;
  for (; text.size() < 1'200'000; ++lines) {
    text += R"({"record":"counter","device":0,"part":"link.up","name":"use_permille","at":4,"value":)" + std::to_string(lines) + "}\n";
  }
  Digest digest;
  digest.add(text);
  text += end_line(lines, digest) + "\n";
  EXPECT_EQ(complaint(text), "");
  for (std::size_t at = text.find("link.up"); at < text.size() - 200; at = text.find("link.up", at + 90'000)) {
    text[at] = 'L';
    EXPECT_NE(complaint(text).find("the trace is damaged"), std::string::npos) << at;
    text[at] = 'l';
  }
}

// Nor can one go, or come; the end that is missing is a word of its own, since what is there may be of use.
TEST(ReaderTest, NoByteCanGoOrComeUnseen) {
  const std::string sound = sealed();
  for (std::size_t at = 0; at < sound.size(); ++at) {
    std::string shorter = sound, longer = sound;
    shorter.erase(at, 1);
    longer.insert(at, 1, at % 2 == 0 ? ' ' : '\n');
    for (const std::string& damaged : {shorter, longer, sound.substr(0, at)}) {
      std::istringstream in(damaged);
      ASSERT_NE(report(in, false).error, "") << at;
    }
  }
  for (const char* more : {" ", "\n", "{}\n", "x"}) {
    EXPECT_EQ(complaint(sound + more), "line 8: there is something behind the trace's last line") << more;
  }
  const std::string without_end = sound.substr(0, sound.rfind('\n', sound.size() - 2) + 1);
  std::istringstream in(without_end);
  EXPECT_EQ(report(in, false).error, "the trace is cut off: the program was killed or left by _exit, or the file is not whole");
  std::string two_lines_swapped = sound;
  const std::size_t second = sound.find('\n') + 1, third = sound.find('\n', second) + 1, fourth = sound.find('\n', third) + 1;
  two_lines_swapped = sound.substr(0, second) + sound.substr(third, fourth - third) + sound.substr(second, third - second) + sound.substr(fourth);
  EXPECT_NE(complaint(two_lines_swapped).find("the trace is damaged"), std::string::npos);
}

// Traces from before are read as they were; what they lack is said, and what they cannot have is refused.
TEST(ReaderTest, SchemaOneIsReadAndSaysThatItHasNoDigest) {
  std::istringstream in(header + command);
  const Report old = report(in, false);
  EXPECT_EQ(old.error, "");
  EXPECT_NE(old.text.find("of schema 1, without a digest: damage may look like a change"), std::string::npos);
  std::istringstream now(sealed());
  EXPECT_EQ(report(now, false).text.find("without a digest"), std::string::npos);
  const std::string as_one = with(sealed(), "\"schema\":2", "\"schema\":1");
  EXPECT_EQ(complaint(as_one), "line 6: \"record\": found \"call\"; allowed: command, stage, packet, counter");
}

TEST(ReportTest, CallsAreSummedByName) {
  const std::string call = R"({"record":"call","thread":1,"name":"clFinish","id":0,"begin":1000000,"end":3000000,"calls":2})" "\n";
  std::istringstream in(with(header, "\"schema\":1", "\"schema\":2") + command + call + with(call, "\"thread\":1", "\"thread\":2"));
  const Report result = report(in, false);
  // Twice 2 us in two calls each.
  EXPECT_NE(squeezed(result.text).find("\n clFinish 4 4.000 1.000\n"), std::string::npos) << result.text;
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
  EXPECT_EQ(result.error, "the trace is cut off: the program was killed or left by _exit, or the file is not whole");
  EXPECT_NE(result.text.find("the program was killed"), std::string::npos);
}

TEST(ReportTest, NamesFromTheFileDoNotControlTheTerminal) {
  std::istringstream in(with(header, "\"p\"", R"("\u001b[2Jx")"));
  EXPECT_EQ(report(in, false).text.find('\033'), std::string::npos);
}

}  // namespace
}  // namespace sluice::trace

// The fast reading of a line and the JSON parser's must agree: a space behind the first brace sends a line to the latter.
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "traces/reader.h"
#include "traces/scan.h"

namespace sluice::trace {
namespace {

const std::string header =
    R"({"schema":2,"sluice":"0.1.0","profile":"p","profile_hash":"0123456789abcdef","level":"packet"})"
    "\n";
const std::string command =
    R"({"record":"command","id":7,"op":"kernel","queue":2,"device":1,"direction":"none","bytes":0,"rows":1,)"
    R"("source":"none","target":"none","blocking":false,"status":-14,"called":10,"queued":11,"submitted":12,)"
    R"("started":13,"ended":14,"completed":15,"visible":16,"bandwidth":5,"stages":{"host_pack":1,"compute":5},)"
    R"("wire_bytes_up":1,"wire_bytes_down":2,"tlps":3,"kernel":{"name":"add","work_items":64,"groups":1,"waves":2,)"
    R"("instructions":{"float32":8,"memory":4},"accesses":4,"local_accesses":0,"atomics":0,"barriers":0,"lines":4,)"
    R"("sectors":16,"l1_hit_sectors":4,"l2_hit_sectors":4,"device_read_bytes":256,"device_written_bytes":0,)"
    R"("link_read_bytes":4096,"link_written_bytes":0,"groups_per_unit":8,"occupancy_permille":500,)"
    R"("occupancy_limit":"launch","limiter":"link"}})";
const std::string stage =
    R"({"record":"stage","id":7,"device":1,"part":"link.up","action":"burst","begin":5,"end":7,"cycles":4,"bytes":64})";
const std::string packet =
    R"({"record":"packet","id":7,"device":1,"part":"link.up","kind":"MWr","begin":5,"end":7,"address":4096,"bytes":64})";
const std::string call =
    R"({"record":"call","thread":3,"name":"clFinish","id":7,"begin":5,"end":9,"calls":2})";
const std::string counter = R"({"record":"counter","device":1,"part":"compute","name":"waves","at":5,"value":6})";

struct Read {
  Reader::Next next;
  CommandLine command;
  PartLine part;
  std::string error;
};

Read read(const std::string& line) {
  std::istringstream in(header + line + "\n");
  Reader reader(in);
  EXPECT_TRUE(reader.read_header());
  const Reader::Next next = reader.next();
  return {next, reader.command(), reader.part(), reader.error()};
}

std::string slowly(std::string line) { return line.insert(1, " "); }

TEST(ScanTest, BothReadingsAgree) {
  CommandLine line;
  ASSERT_TRUE(scan_command(command, line));
  ASSERT_FALSE(scan_command(slowly(command), line));
  const Read slow = read(slowly(command));
  ASSERT_EQ(slow.next, Reader::Next::command) << slow.error;
  const CommandLine& c = slow.command;
  EXPECT_EQ(line.times.id, c.times.id);
  EXPECT_EQ(line.times.status, -14);
  EXPECT_EQ(c.times.status, -14);
  EXPECT_EQ(line.op, c.op);
  EXPECT_EQ(line.queue, c.queue);
  EXPECT_EQ(line.device, c.device);
  EXPECT_EQ(line.called, c.called);
  EXPECT_EQ(line.times.visible, c.times.visible);
  EXPECT_EQ(line.stages, c.stages);
  EXPECT_EQ(line.wire_bytes_down, c.wire_bytes_down);
  EXPECT_EQ(line.tlps, c.tlps);
  ASSERT_TRUE(line.kernel && c.kernel);
  EXPECT_EQ(line.kernel->name, c.kernel->name);
  EXPECT_EQ(line.kernel->figures.instructions, c.kernel->figures.instructions);
  EXPECT_EQ(line.kernel->figures.link_read_bytes, c.kernel->figures.link_read_bytes);
  EXPECT_EQ(line.kernel->figures.limiter, c.kernel->figures.limiter);
  EXPECT_EQ(line.kernel->figures.occupancy_permille, c.kernel->figures.occupancy_permille);

  for (const std::string& text : {stage, packet, counter, call}) {
    PartLine part;
    part.device = part.thread = 77;  // of the line before
    ASSERT_TRUE(scan_part(text, part)) << text;
    const Read other = read(slowly(text));
    ASSERT_EQ(other.next, Reader::Next::part) << other.error;
    const PartLine& p = other.part;
    EXPECT_EQ(part.kind, p.kind);
    EXPECT_EQ(part.id, p.id);
    EXPECT_EQ(part.device, p.device);
    EXPECT_EQ(part.thread, p.thread);
    EXPECT_EQ(part.part, p.part);
    EXPECT_EQ(part.what, p.what);
    EXPECT_EQ(part.begin, p.begin);
    EXPECT_EQ(part.end, p.end);
    EXPECT_EQ(part.cycles, p.cycles);
    EXPECT_EQ(part.address, p.address);
    EXPECT_EQ(part.bytes, p.bytes);
    EXPECT_EQ(part.value, p.value);
  }
}

// Whatever single byte is replaced: the fast reading takes no line that the JSON parser refuses.
TEST(ScanTest, TakesNothingThatIsNoJson) {
  for (const std::string& text : {command, stage, packet, counter, call}) {
    for (std::size_t at = 1; at < text.size(); ++at) {
      for (const char c : {'0', '9', '"', '\\', '{', '}', ',', '-', ' ', 'e', '\n', '\x1f', '\x80'}) {
        std::string damaged = text;
        damaged[at] = c;
        EXPECT_EQ(read(damaged).error.empty(), read(slowly(damaged)).error.empty()) << damaged;
      }
    }
  }
}

TEST(ScanTest, NumbersThatDoNotFitGoToTheParser) {
  PartLine part;
  for (const char* number : {"18446744073709551615", "01", "-1", "1.5", "1e3", "", "99999999999999999999"}) {
    std::string text = counter;
    text.replace(text.find("\"value\":6"), 9, std::string("\"value\":") + number);
    EXPECT_FALSE(scan_part(text, part)) << number;
  }
  std::string most = counter;
  most.replace(most.find("\"value\":6"), 9, "\"value\":18446744073709551615");
  EXPECT_EQ(read(most).part.value, ~std::uint64_t{0});
  std::string device = counter;
  device.replace(device.find("\"device\":1"), 10, "\"device\":4294967296");
  EXPECT_FALSE(scan_part(device, part));
  EXPECT_NE(read(device).error, "");
}

// Digits are taken eight at a time: every count of them, the value as std::to_string has it, at the end of the line and with
// others behind.
TEST(ScanTest, NumbersOfAnyLengthAreTheirDigits) {
  std::uint64_t value = 0;
  for (std::uint64_t digit = 1; digit < 20; ++digit) {
    value = value * 10 + digit % 10;
    for (const std::uint64_t number : {value, value - 1, value + 1}) {
      const std::string digits = std::to_string(number);
      if (digits.size() > 19) continue;
      std::string text = counter;
      text.replace(text.find("\"value\":6"), 9, "\"value\":" + digits);
      text.replace(text.find("\"at\":5"), 6, "\"at\":" + digits);
      PartLine part;
      ASSERT_TRUE(scan_part(text, part)) << text;
      EXPECT_EQ(part.value, number);
      EXPECT_EQ(part.begin, number);
    }
  }
}

// A name of every length, with every byte in every place: what is taken as it stands is what JSON makes of it.
TEST(ScanTest, StringsAreTakenWholeOrNotAtAll) {
  for (std::size_t size = 0; size < 20; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string name(size, 'n');
        name[at] = static_cast<char>(byte);
        std::string text = counter;
        text.replace(text.find("waves"), 5, name);
        PartLine part;
        const bool is_plain = byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
        ASSERT_EQ(scan_part(text, part), is_plain) << byte << " at " << at;
        if (is_plain) {
          ASSERT_EQ(part.what, name);
        }
      }
    }
  }
}

// Names are looked for where the line before had one: none of them may stick, and none that only begins like another pass.
TEST(ScanTest, EveryNameIsItself) {
  CommandLine line;
  const auto with_op = [](std::string_view name) {
    std::string text = command;
    return text.replace(text.find("kernel"), 6, name);
  };
  for (int before = 0; before < static_cast<int>(Operation::count_); ++before) {
    for (int i = 0; i < static_cast<int>(Operation::count_); ++i) {
      const std::string name(sluice::to_string(static_cast<Operation>(i)));
      line.op = static_cast<Operation>(before);
      ASSERT_TRUE(scan_command(with_op(name), line)) << name;
      EXPECT_EQ(line.op, static_cast<Operation>(i));
      EXPECT_FALSE(scan_command(with_op(name + "s"), line));
      EXPECT_FALSE(scan_command(with_op(name.substr(1)), line));
      EXPECT_FALSE(scan_command(with_op("Z" + name.substr(1)), line));
      EXPECT_FALSE(scan_command(with_op(name.substr(0, name.size() - 1) + "Z"), line));
    }
  }
}

TEST(ScanTest, LinesLongerThanTheBufferOrAcrossItsEndAreRead) {
  std::string text = header;
  std::size_t lines = 0;
  for (; text.size() < 1'000'000; ++lines) text += counter + "\n";
  std::istringstream in(text);
  Reader reader(in);
  ASSERT_TRUE(reader.read_header());
  std::size_t read_lines = 0;
  while (reader.next() == Reader::Next::part) {
    EXPECT_EQ(reader.part().value, 6u);
    ++read_lines;
  }
  EXPECT_EQ(reader.error(), "");
  EXPECT_EQ(read_lines, lines);
  EXPECT_EQ(read(std::string(70'000, 'x')).error, "line 2: longer than 65536 bytes; this is no Sluice trace");
}

}  // namespace
}  // namespace sluice::trace

// What limits a transfer: the trace names the part, a tenth on that part's constant moves the transfer's time, and a tenth on
// any other part's does not.
#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tests/timing/command_machine.h"

namespace sluice {
namespace {

// The constants of the parts, one each, by their pointers in the profile.
struct Constants {
  std::vector<std::pair<std::string, double>> values;

  double& operator[](const std::string& key) {
    for (auto& [name, value] : values) {
      if (name == key) return value;
    }
    values.emplace_back(key, 0);
    return values.back().second;
  }
  [[nodiscard]] std::string number(const std::string& key) const {
    for (const auto& [name, value] : values) {
      if (name == key) return std::to_string(value);
    }
    return "0";
  }
  [[nodiscard]] std::string whole(const std::string& key) const { return std::to_string(std::lround(std::stod(number(key)))); }

  // As the changes of a profile.
  [[nodiscard]] std::string text() const {
    return R"(, "link": {"gigatransfers_per_s": )" + number("wire") + R"(, "read_tags": )" + whole("tags") +
           R"(, "read_buffer_bytes": )" + whole("read_buffer") + R"(, "posted_credits_tlps": )" + whole("credits") +
           R"(, "credit_return_ns": 1000, "replay_buffer_bytes": )" + whole("replay_buffer") + R"(, "credits": {"posted_data": )" + whole("posted_data") +
           R"(, "completion_headers": )" + whole("completion_headers") + R"(}}, "host": {"home_agent": {"memory_gbps": )" + number("host_memory") + R"(, "snoop_latency_ns": )" +
           number("snoop") + R"(}, "copy": {"memory_gbps": )" + number("host_copy") + R"(, "llc_gbps": 1000)" +
           R"(, "streaming_gbps": 1000, "out_gbps": 1000}}, "iommu": {"entries": 64, "walkers": 1, "llc_read_ns": )" + number("walk") +
           R"(}, "device_memory": {"channels": )" + whole("channels") + R"(, "gigatransfers_per_s": )" + number("dram_bus") + R"(, "timings": {"trrd_ns": )" +
           number("dram_row") + R"(, "tfaw_ns": )" + std::to_string(4 * std::stod(number("dram_row"))) +
           // A burst of the slowest bus takes 80 ns, and no stream here turns the bus round.
           R"(, "trtw_ns": 120}}, "copy_engines": {"row_cycles": )" + whole("rows") + "}";
  }
};

// Nothing but the wire limits: all others have twice what they need. An IO-TLB of 64 pages of 1 GiB walks once.
Constants roomy() {
  Constants c;
  c["wire"] = 16;
  c["tags"] = 680;
  c["read_buffer"] = 2 << 20;
  c["credits"] = 2000;
  c["posted_data"] = 20000;
  c["completion_headers"] = 1800;
  c["replay_buffer"] = 1 << 20;
  c["host_memory"] = 400;
  c["snoop"] = 20;
  c["host_copy"] = 400;
  c["walk"] = 1;
  c["channels"] = 16;
  c["dram_bus"] = 14;
  c["dram_row"] = 2;
  c["rows"] = 0;
  return c;
}

struct Result {
  TimePs time = 0;
  char limiter[32] = {};
};

struct Sink final : TraceSink {
  [[nodiscard]] TraceLevel level() const noexcept override { return TraceLevel::stage; }
  void stage(const StageRecord& r) override {
    if (r.action == "limits") limiter = r.part;
  }
  std::string limiter;
};

using Machine = CommandMachine<Sink>;
using Transfer = std::function<TimePs(Machine&)>;

// In a process of its own: each machine needs one.
Result measure(const Constants& constants, const Transfer& transfer) {
  int ends[2] = {};
  EXPECT_EQ(::pipe(ends), 0);
  const ::pid_t child = ::fork();
  if (child == 0) {
    Machine machine(constants.text(), "train");
    Result result;
    if (machine.sim != nullptr) {
      result.time = transfer(machine);
      std::strncpy(result.limiter, machine.sink.limiter.c_str(), sizeof result.limiter - 1);
    }
    const bool sent = ::write(ends[1], &result, sizeof result) == sizeof result;
    ::_exit(sent ? 0 : 1);
  }
  ::close(ends[1]);
  Result result;
  EXPECT_EQ(::read(ends[0], &result, sizeof result), static_cast<::ssize_t>(sizeof result));
  ::close(ends[0]);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  return result;
}

constexpr Direction to_device = Direction::host_to_device;
constexpr Direction to_host = Direction::device_to_host;
constexpr std::uint64_t mib = 1 << 20;

struct Case {
  const char* name;
  std::vector<std::pair<const char*, double>> constants;  // that make the part the slowest
  const char* part;                                       // as the trace names it
  const char* constant;                                   // of that part
  Transfer transfer;
};

TimePs large(Machine& m, Direction d) { return m.copy(d, 1ULL << 40, 64 * mib); }

// A transfer of what the CPU has just written: as much as its private cache holds.
TimePs warm(Machine& m) {
  m.sim->host_wrote(1ULL << 40, mib);
  return m.copy(to_device, 1ULL << 40, mib);
}

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"WireDown", {}, "link.wire_down", "wire", [](Machine& m) { return large(m, to_device); }},
      {"WireUp", {}, "link.wire_up", "wire", [](Machine& m) { return large(m, to_host); }},
      // 16384 rows of 64 bytes: a request each, and 20 of them at once.
      {"Tags", {{"tags", 20}}, "link.tags", "tags",
       [](Machine& m) { return m.copy(to_device, 1ULL << 40, 64, 16384, 4096); }},
      // 10 requests of 512 bytes fit the buffer.
      {"ReadBuffer", {{"read_buffer", 5120}}, "link.read_buffer", "read_buffer",
       [](Machine& m) { return large(m, to_device); }},
      {"Credits", {{"credits", 10}}, "link.credits", "credits", [](Machine& m) { return large(m, to_host); }},
      // 10 writes of 256 bytes, 16 units each; 10 requests whose data are two completions; 10 writes of 280 bytes without an Ack.
      {"PostedData", {{"posted_data", 160}}, "link.credits.posted_data", "posted_data", [](Machine& m) { return large(m, to_host); }},
      {"CompletionHeaders", {{"completion_headers", 20}}, "link.credits.completion_headers", "completion_headers",
       [](Machine& m) { return large(m, to_device); }},
      {"ReplayBuffer", {{"replay_buffer", 2800}}, "link.replay_buffer", "replay_buffer", [](Machine& m) { return large(m, to_host); }},
      {"HostMemory", {{"host_memory", 5}}, "host.memory", "host_memory", [](Machine& m) { return large(m, to_device); }},
      // 32 snoops of 400 ns at once: 64 bytes every 12.5 ns, 5 GB/s.
      {"Snoop", {{"snoop", 400}}, "host.snoop", "snoop", warm},
      // A walk for every 4 KiB, one at a time: 4 GB/s.
      {"Walks", {{"walk", 1000}}, "host.iommu", "walk", [](Machine& m) { return large(m, to_device); }},
      {"MemoryBus", {{"dram_bus", 0.2}}, "device_memory", "dram_bus", [](Machine& m) { return large(m, to_host); }},
      // One channel activates a row of 2 KiB every 220 ns at most: 9.3 GB/s.
      {"MemoryBanks", {{"channels", 1}, {"dram_row", 220}}, "device_memory", "dram_row", [](Machine& m) { return large(m, to_host); }},
      // 300 cycles of 1500 MHz for each row of 256 bytes.
      {"Rows", {{"rows", 300}}, "copy_engine.rows", "rows",
       [](Machine& m) { return m.copy(to_device, 1ULL << 40, 256, 16384, 4096); }},
      {"HostCopy", {{"host_copy", 3}}, "host.copy", "host_copy",
       [](Machine& m) {
         return m.copy(to_device, 1ULL << 40, 64 * mib, 1, 0, Placement::host_pageable);
       }},
  };
  return all;
}

class Attribution : public ::testing::TestWithParam<std::size_t> {};

TEST_P(Attribution, TheNamedPartMovesTheTimeAndNoOtherDoes) {
  const Case& c = cases()[GetParam()];
  Constants base = roomy();
  for (const auto& [key, value] : c.constants) base[key] = value;
  const Result alone = measure(base, c.transfer);
  ASSERT_GT(alone.time, 0U);
  EXPECT_STREQ(alone.limiter, c.part);
  for (const auto& [key, value] : base.values) {
    if (key == "channels") continue;  // there are whole ones only
    Constants changed = base;
    changed[key] = value * 1.1;
    const Result other = measure(changed, c.transfer);
    const double moved = std::abs(static_cast<double>(other.time) / static_cast<double>(alone.time) - 1);
    if (key == c.constant) {
      EXPECT_GT(moved, 0.07) << key;  // a tenth of a rate is 9.1 % of the time, of which start-up takes some
      EXPECT_LT(moved, 0.11) << key;
      EXPECT_STREQ(other.limiter, c.part) << key;
    } else {
      EXPECT_LT(moved, 0.003) << key;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Parts, Attribution, ::testing::Range(std::size_t{0}, cases().size()),
                         [](const auto& info) { return std::string(cases()[info.param].name); });

}  // namespace
}  // namespace sluice

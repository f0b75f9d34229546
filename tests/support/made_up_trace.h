// Traces made up line by line: a command of 100 ns, whose link stage is what a test wants it to be.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <vector>

#include "traces/digest.h"

namespace sluice::diff {

struct MadeUp {
  std::uint64_t id = 1;
  std::string op = "write_buffer";
  std::uint64_t bytes = 4096;
  std::uint64_t link_ps = 60'000;
  std::uint64_t called = 0;  // 0: 200 ns after the command before
  std::uint32_t queue = 1;
  std::uint64_t tlps = 24;
  std::string source = "pageable";

  [[nodiscard]] std::string line() const {
    const std::uint64_t at = called != 0 ? called : id * 200'000;
    const std::uint64_t started = at + 15'000;
    const std::uint64_t ended = started + link_ps;
    return fmt::format(
        R"({{"record":"command","id":{},"op":"{}","queue":{},"device":0,"direction":"h2d","bytes":{},"rows":1,)"
        R"("source":"{}","target":"device","blocking":true,"status":0,"called":{},"queued":{},"submitted":{},)"
        R"("started":{},"ended":{},"completed":{},"visible":{},"bandwidth":0,"stages":{{"host_validate":10000,)"
        R"("host_pack":5000,"link":{},"wakeup":25000}},"wire_bytes_up":192,"wire_bytes_down":4424,"tlps":{}}})"
        "\n",
        id, op, queue, bytes, source, at, at + 10'000, started, started, ended, ended, ended + 25'000, link_ps, tlps);
  }
};

inline std::string header(const std::string& hash = "0123456789abcdef", const std::string& level = "command",
                          unsigned schema = 1) {
  return fmt::format(R"({{"schema":{},"sluice":"0.1.0","profile":"p","profile_hash":"{}","level":"{}"}})"
                     "\n",
                     schema, hash, level);
}

// An API call of 2 us or so, behind the commands.
struct MadeUpCall {
  std::string name = "clFinish";
  std::uint64_t calls = 1;
  std::uint64_t time_ps = 2'000'000;
  std::uint32_t thread = 1;

  [[nodiscard]] std::string line() const {
    return fmt::format(R"({{"record":"call","thread":{},"name":"{}","id":0,"begin":9000000,"end":{},"calls":{}}})"
                       "\n",
                       thread, name, 9'000'000 + time_ps, calls);
  }
};

// The trace as schema 2 has it, with its last line.
inline std::string sealed(std::string text) {
  text.replace(0, std::string("{\"schema\":1").size(), "{\"schema\":2");
  std::uint64_t lines = 0;
  for (const char c : text) lines += c == '\n' ? 1 : 0;
  trace::Digest digest;
  digest.add(text);
  return text + trace::end_line(lines - 1, digest) + "\n";
}

// Ids from 1 on where a command has none of its own.
inline std::string trace_of(std::vector<MadeUp> commands, const std::string& head = header()) {
  std::string text = head;
  for (const MadeUp& command : commands) text += command.line();
  return text;
}

inline std::vector<MadeUp> some(std::size_t count) {
  std::vector<MadeUp> commands(count);
  for (std::size_t i = 0; i < count; ++i) commands[i].id = i + 1;
  return commands;
}

}  // namespace sluice::diff

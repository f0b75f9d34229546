// Reads JSON Lines traces (docs/trace.md) record by record, and trusts nothing in them: every line is checked for type,
// range, known names, the order of stamps and the sum of stages; a recorded trace (traces/recording.h) against its number
// of records and its digest, too. Memory use does not grow with the file.
#pragma once

#include <array>
#include <cstdint>
#include <istream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/iface/command.h"
#include "sim/iface/trace_sink.h"

namespace sluice::trace {

struct TraceHeader {
  std::string sluice_version;
  std::string profile;
  std::string profile_hash;
  TraceLevel level = TraceLevel::command;
  // Of a recorded trace:
  std::string program;
  std::optional<std::uint64_t> records;
  std::string digest;  // of all bytes after the header
};

struct KernelLine {
  std::string name;
  KernelRecord figures;  // its `name` is empty
};

// A command record as it was read; the members mean what they mean in Command and CommandRecord.
struct CommandLine {
  Operation op = Operation::marker;
  QueueId queue = 0;
  DeviceIndex device = 0;
  Direction direction = Direction::none;
  std::uint64_t bytes = 0;
  std::uint64_t rows = 0;
  Placement source = Placement::none;
  Placement target = Placement::none;
  bool blocking = false;
  TimePs called = 0;
  Completion times;
  std::uint64_t bandwidth_bytes_per_s = 0;
  std::array<TimePs, stage_count> stages{};
  std::uint64_t wire_bytes_up = 0;
  std::uint64_t wire_bytes_down = 0;
  std::uint64_t tlps = 0;
  std::optional<KernelLine> kernel;
};

// A stage, packet or counter record.
struct PartLine {
  enum class Kind : std::uint8_t { stage, packet, counter };
  Kind kind = Kind::stage;
  CommandId id = 0;  // 0 of a counter
  DeviceIndex device = 0;
  std::string part;
  std::string what;  // the action, kind or name
  TimePs begin = 0;  // of a counter both are `at`
  TimePs end = 0;
  std::uint64_t cycles = 0;   // of a stage
  std::uint64_t address = 0;  // of a packet
  std::uint64_t bytes = 0;
  std::uint64_t value = 0;    // of a counter
};
[[nodiscard]] std::string_view to_string(PartLine::Kind kind) noexcept;

class Digest;  // traces/recording.h

class Reader {
 public:
  enum class Next : std::uint8_t {
    command,  // command() is the next command record
    part,     // part() is the next stage, packet or counter record
    end,      // the end of the file
    error,    // error() says what is wrong in which line
  };

  explicit Reader(std::istream& in);
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // Reads the first line. False: error() says why this is no trace.
  [[nodiscard]] bool read_header();
  [[nodiscard]] Next next();

  [[nodiscard]] const TraceHeader& header() const noexcept { return header_; }
  [[nodiscard]] const CommandLine& command() const noexcept { return command_; }
  [[nodiscard]] const PartLine& part() const noexcept { return part_; }
  // The last line has no end: the traced program was killed. That line is left out.
  [[nodiscard]] bool is_cut_off() const noexcept { return cut_off_; }
  // "line N: found X; ..." without the file's name.
  [[nodiscard]] const std::string& error() const noexcept { return error_; }

 private:
  bool read_line();  // false: end of file, or error() is set
  bool fail(const std::string& what);
  [[nodiscard]] Next parse_line();  // a line that is not as our writer writes it
  [[nodiscard]] Next finish();

  std::istream& in_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;  // of what is left in the buffer
  std::size_t end_ = 0;
  std::string_view line_;  // in the buffer
  std::uint64_t line_number_ = 0;
  bool cut_off_ = false;
  std::unique_ptr<Digest> digest_;
  TraceHeader header_;
  CommandLine command_;
  PartLine part_;
  std::string error_;
};

}  // namespace sluice::trace

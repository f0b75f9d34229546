// Reads JSON Lines traces (docs/trace.md) record by record, and trusts nothing in them: every line is checked for type,
// range, known names, the order of stamps and the sum of stages; the whole against the number of records and the digest
// that its last line has, or of schema 1 the header of a recorded trace. Memory use does not grow with the file.
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
  unsigned schema = 0;  // 1 has no calls and no last line
  std::string sluice_version;
  std::string profile;
  std::string profile_hash;
  TraceLevel level = TraceLevel::command;
  std::string program;  // of a recorded trace
  // Of a recorded trace of schema 1:
  std::optional<std::uint64_t> records;
  std::string digest;  // of all bytes after the header

  // Otherwise a flipped byte may read as a change.
  [[nodiscard]] bool has_digest() const noexcept { return schema != 1 || records.has_value(); }
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

// A stage, packet, counter or call record.
struct PartLine {
  enum class Kind : std::uint8_t { stage, packet, counter, call };
  Kind kind = Kind::stage;
  CommandId id = 0;  // 0 of a counter
  DeviceIndex device = 0;
  std::uint32_t thread = 0;  // of a call, which has no device
  std::string part;          // of a call: "API"
  std::string what;          // the action, kind or name
  TimePs begin = 0;  // of a counter both are `at`
  TimePs end = 0;
  std::uint64_t cycles = 0;   // of a stage
  std::uint64_t address = 0;  // of a packet
  std::uint64_t bytes = 0;
  std::uint64_t value = 0;    // of a counter; of a call: how many
};
[[nodiscard]] std::string_view to_string(PartLine::Kind kind) noexcept;

// The part that calls are of.
inline constexpr std::string_view call_part = "API";

inline constexpr std::string_view cut_off_words =
    "the trace is cut off: the program was killed or left by _exit, or the file is not whole";

class Digest;  // traces/digest.h

class Reader {
 public:
  enum class Next : std::uint8_t {
    command,  // command() is the next command record
    part,     // part() is the next stage, packet, counter or call record
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
  // At the end: the last line is not there or not whole. What is there of that line is left out.
  [[nodiscard]] bool is_cut_off() const noexcept { return cut_off_; }
  // "line N: found X; ..." without the file's name.
  [[nodiscard]] const std::string& error() const noexcept { return error_; }

 private:
  bool read_line();  // false: end of file, or error() is set
  void digest_until(std::size_t end);  // all of the buffer before it that is not in the digest yet
  bool fail(const std::string& what);
  [[nodiscard]] bool is_of_schema(PartLine::Kind kind) const noexcept {
    return kind != PartLine::Kind::call || header_.schema != 1;
  }
  [[nodiscard]] Next parse_line();  // a line that is not as our writer writes it
  [[nodiscard]] Next finish();
  [[nodiscard]] Next read_end();  // the last line, which is in line_

  std::istream& in_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;  // of what is left in the buffer
  std::size_t end_ = 0;
  std::size_t digested_ = 0;  // how much of the buffer the digest has, or is not to have
  std::string_view line_;     // in the buffer
  std::uint64_t line_number_ = 0;
  bool cut_off_ = false;
  std::unique_ptr<Digest> digest_;
  TraceHeader header_;
  CommandLine command_;
  PartLine part_;
  std::string error_;
};

}  // namespace sluice::trace

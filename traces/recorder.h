// Writes what the simulator tells (sim/iface/trace_sink.h) to files, one writer a file, the format chosen by the name:
//   *.jsonl                    JSON Lines, schema 1 (docs/trace.md); what is diffed and kept as golden
//   *.perfetto.json, *.json    Chrome trace format, opened by Perfetto and chrome://tracing
// Not thread-safe: records arrive under the driver's lock, and close() must be called under it, too.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sim/iface/machine.h"
#include "sim/iface/trace_sink.h"

namespace sluice::trace {

class Writer;

struct RecorderOptions {
  std::vector<std::string> files;
  TraceLevel level = TraceLevel::command;
};

// What SLUICE_TRACE (files, separated by ':') and SLUICE_TRACE_LEVEL (command, stage, packet) ask for. No files: no
// trace is wanted. An unknown level leaves `error` non-empty and the level at command.
[[nodiscard]] RecorderOptions options_from_environment(std::string& error);

// A file that can no longer be written (no space, closed pipe) is given up: ok() turns false, the others go on, and the
// failure is told once, as "trace-error: FILE: REASON", to the descriptor named by SLUICE_STATUS_FD or else to stderr.
// Nothing here throws: the traced program must run on.
//
// After a SIGKILL the files hold every record but at most the last 31: each write(2) carries whole
// records. flush() narrows that to none; the driver may call it when it is about to sleep.
class Recorder final : public TraceSink {
 public:
  explicit Recorder(TraceLevel level);
  ~Recorder() override;
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  void add(std::unique_ptr<Writer> writer);  // before begin()
  void begin(const Machine& machine);        // once, before the first record
  void flush();
  void close();  // idempotent; records that come later are dropped

  [[nodiscard]] bool ok() const noexcept { return error_.empty(); }
  [[nodiscard]] const std::string& error() const noexcept { return error_; }  // "FILE: REASON", of the first failure

  [[nodiscard]] TraceLevel level() const noexcept override { return level_; }
  void command(const CommandRecord& record) override;
  void stage(const StageRecord& record) override;
  void packet(const PacketRecord& record) override;
  void counter(const CounterRecord& record) override;

 private:
  template <typename F>
  void each(F&& write);
  void drop_failed();

  TraceLevel level_;
  std::vector<std::unique_ptr<Writer>> writers_;
  std::string error_;
};

// Opens (truncates) all files. On failure returns nullptr, with "FILE: REASON" in `error`; nothing is reported further:
// call report_trace_error() if the program is to run on without a trace. Refuses a file that another process is
// tracing to at this moment.
[[nodiscard]] std::unique_ptr<Recorder> open_recorder(const RecorderOptions& options, std::string& error);

// Tells `sluice run`, or stderr where it is not there, that the trace is incomplete.
void report_trace_error(const std::string& error);

}  // namespace sluice::trace

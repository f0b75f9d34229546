// Writes what the simulator tells (sim/iface/trace_sink.h) to files, one writer a file, the format chosen by the name:
//   *.jsonl                    JSON Lines, schema 1 (docs/trace.md); what is diffed and kept as golden
//   *.perfetto.json, *.json    Chrome trace format, opened by Perfetto and chrome://tracing
//   *.pftrace, *.perfetto-trace  Perfetto's protobuf format
//   *.vcd                      waves, for GTKWave
//   *.csv                      a table
// Records arrive under the driver's lock, one at a time; a thread of the recorder's own (traces/writer_thread.h) writes
// them. close() may be called from any thread, with and without the lock.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/iface/machine.h"
#include "sim/iface/trace_sink.h"
#include "traces/call.h"

namespace sluice::trace {

class Writer;
class WriterThread;

struct RecorderOptions {
  std::vector<std::string> files;
  TraceLevel level = TraceLevel::command;
  void (*at_thread_start)() = nullptr;  // the first thing that the recorder's thread calls
};

// What SLUICE_TRACE (files, separated by ':') and SLUICE_TRACE_LEVEL (command, stage, packet) ask for. No files: no
// trace is wanted. An unknown level leaves `error` non-empty and the level at command.
[[nodiscard]] RecorderOptions options_from_environment(std::string& error);

// A file that can no longer be written (no space, closed pipe) is given up: ok() turns false, the others go on, and the
// failure is told once, as "trace-error: FILE: REASON", to the descriptor named by SLUICE_STATUS_FD or else to stderr.
// Nothing here throws: the traced program must run on.
//
// A record is in the file some milliseconds after it was reported (docs/trace.md has the bound): a SIGKILL loses the
// rest. A forked child writes nothing.
class Recorder final : public TraceSink {
 public:
  explicit Recorder(TraceLevel level, void (*at_thread_start)() = nullptr);
  ~Recorder() override;  // closes
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  void add(std::unique_ptr<Writer> writer);  // before begin()
  void begin(const Machine& machine);        // once, before the first record
  void close();                              // all is written when it returns; records that come later are dropped

  [[nodiscard]] bool ok() const noexcept;
  [[nodiscard]] const std::string& error() const noexcept;  // "FILE: REASON", of the first failure

  [[nodiscard]] TraceLevel level() const noexcept override { return level_; }
  void command(const CommandRecord& record) override;
  void stage(const StageRecord& record) override;
  void packet(const PacketRecord& record) override;
  void counter(const CounterRecord& record) override;
  void call(const CallRecord& record);  // from the driver

 private:
  TraceLevel level_;
  std::unique_ptr<WriterThread> thread_;
};

// Opens (truncates) all files. On failure returns nullptr, with "FILE: REASON" in `error`; nothing is reported further:
// call report_trace_error() if the program is to run on without a trace. Refuses a file that another process is
// tracing to at this moment.
[[nodiscard]] std::unique_ptr<Recorder> open_recorder(const RecorderOptions& options, std::string& error);

// Tells `sluice run`, or stderr where it is not there, that the trace is incomplete.
void report_trace_error(const std::string& error);
// The descriptor that `sluice run` reads, from SLUICE_STATUS_FD; -1: it is not there. The other form of the above reads
// no environment, which another thread may be changing.
[[nodiscard]] int status_descriptor();
void report_trace_error(const std::string& error, int status_descriptor);
// As "WHAT-error: FILE: REASON", for what else a run writes.
void report_error(std::string_view what, const std::string& error, int status_descriptor);

}  // namespace sluice::trace

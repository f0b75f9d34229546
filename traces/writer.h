// A format of trace files. A new one: a file in traces/writers, a line in traces/CMakeLists.txt, a line in the table of
// writers/table.cpp. Writers turn records into bytes and know nothing of the simulation: integers only, a fixed order of
// keys, and Output::end_record() wherever the file may be cut off.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "sim/iface/machine.h"
#include "sim/iface/trace_sink.h"
#include "traces/call.h"
#include "traces/output.h"

namespace sluice::trace {

inline constexpr unsigned schema_version = 2;  // docs/trace.md says what is different in 1, which is still read
inline constexpr std::string_view sluice_version = SLUICE_VERSION;

[[nodiscard]] std::string_view to_string(TraceLevel level) noexcept;

// Bytes a second from START to END; 0 where no time passes.
[[nodiscard]] std::uint64_t bandwidth_bytes_per_s(const CommandRecord& record) noexcept;

// The whole numbers of a kernel's record in the order in which they are written.
struct KernelField {
  const char* name;
  std::uint64_t KernelRecord::*value;
};
inline constexpr KernelField kernel_fields[] = {
    {"work_items", &KernelRecord::work_items},
    {"groups", &KernelRecord::groups},
    {"waves", &KernelRecord::waves},
    {"accesses", &KernelRecord::accesses},
    {"local_accesses", &KernelRecord::local_accesses},
    {"atomics", &KernelRecord::atomics},
    {"barriers", &KernelRecord::barriers},
    {"lines", &KernelRecord::lines},
    {"sectors", &KernelRecord::sectors},
    {"l1_hit_sectors", &KernelRecord::l1_hit_sectors},
    {"l2_hit_sectors", &KernelRecord::l2_hit_sectors},
    {"device_read_bytes", &KernelRecord::device_read_bytes},
    {"device_written_bytes", &KernelRecord::device_written_bytes},
    {"link_read_bytes", &KernelRecord::link_read_bytes},
    {"link_written_bytes", &KernelRecord::link_written_bytes},
};

class Writer {
 public:
  explicit Writer(std::unique_ptr<Output> output) : output_(std::move(output)) {}
  virtual ~Writer() = default;

  // All but the header are called on the recorder's own thread. Of a record's command there is what traces/packed.h
  // keeps.
  virtual void header(const Machine& machine, TraceLevel level) = 0;
  virtual void command(const CommandRecord& record) = 0;
  virtual void stage(const StageRecord& record) = 0;
  virtual void packet(const PacketRecord& record) = 0;
  virtual void counter(const CounterRecord& record) = 0;
  virtual void call(const CallRecord& record) = 0;
  // The last thing before the file is closed. Not `is_whole`: what was converted is cut off, and what is written must not
  // pass for more.
  virtual void end(bool is_whole) { static_cast<void>(is_whole); }

  [[nodiscard]] Output& output() noexcept { return *output_; }

 private:
  std::unique_ptr<Output> output_;
};

// nullptr, and the reason in `error`, if what the format needs is not there.
using MakeWriter = std::unique_ptr<Writer> (*)(std::unique_ptr<Output> output, std::string& error);

// The writer for a file of that name; nullptr if no format has such an ending.
[[nodiscard]] MakeWriter writer_for(std::string_view file_name) noexcept;
// For messages: "*.jsonl (JSON Lines), *.json (...)".
[[nodiscard]] std::string_view writer_endings() noexcept;

std::unique_ptr<Writer> make_csv_writer(std::unique_ptr<Output> output, std::string& error);
std::unique_ptr<Writer> make_jsonl_writer(std::unique_ptr<Output> output, std::string& error);
std::unique_ptr<Writer> make_perfetto_writer(std::unique_ptr<Output> output, std::string& error);
std::unique_ptr<Writer> make_protobuf_writer(std::unique_ptr<Output> output, std::string& error);
std::unique_ptr<Writer> make_vcd_writer(std::unique_ptr<Output> output, std::string& error);

}  // namespace sluice::trace

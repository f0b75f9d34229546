// CSV as RFC 4180 has it: one header line, lines end with CR LF, every line has every column. docs/trace.md.
#include "traces/pen.h"
#include "traces/writer.h"

namespace sluice::trace {

namespace {

// Columns up to `value` are those of all records; the rest is of commands alone.
constexpr std::string_view first_columns =
    "record,id,device,queue,part,name,begin,end,cycles,address,bytes,value";
constexpr std::string_view command_columns =
    ",direction,rows,source,target,blocking,status,called,queued,submitted,started,ended,completed,visible,bandwidth";

class CsvWriter final : public Writer {
 public:
  using Writer::Writer;

  void header(const Machine& machine, TraceLevel level) override {
    output().text(first_columns).text(command_columns);
    for (std::size_t i = 0; i < stage_count; ++i) {
      output().text(",stage_").text(sluice::to_string(static_cast<Stage>(i)));
    }
    output().text(",wire_bytes_up,wire_bytes_down,tlps,kernel");
    for (const KernelField& field : kernel_fields) output().text(",").text(field.name);
    for (std::size_t i = 0; i < instruction_classes; ++i) {
      output().text(",instructions_").text(sluice::to_string(static_cast<InstructionClass>(i)));
    }
    output().text(",groups_per_unit,occupancy_permille,occupancy_limit,limiter\r\n");
    const std::string schema = std::to_string(schema_version);
    about("schema", schema);
    about("sluice", sluice_version);
    about("profile", machine.profile_name);
    about("profile_hash", machine.profile_hash);
    about("level", to_string(level));
    output().flush();
  }

  void command(const CommandRecord& record) override {
    const Command& command = *record.command;
    const Completion& times = record.times;
    Output& out = output();
    out.text("command,").number(command.id).text(",").number(command.device).text(",").number(command.queue);
    out.text(",,").text(sluice::to_string(command.op)).text(",").number(record.called).text(",").number(times.visible);
    out.text(",,,").number(command.shape.bytes()).text(",,").text(sluice::to_string(command.direction));
    out.text(",").number(command.shape.rows * command.shape.slices);
    out.text(",").text(sluice::to_string(command.source.placement));
    out.text(",").text(sluice::to_string(command.target.placement));
    out.text(command.blocking ? ",true," : ",false,");
    if (times.status < 0) out.text("-");
    const auto magnitude = static_cast<std::uint32_t>(times.status);
    out.number(times.status < 0 ? -magnitude : magnitude);
    for (const TimePs stamp : {record.called, times.queued, times.submitted, times.started, times.ended, times.completed,
                               times.visible, bandwidth_bytes_per_s(record)}) {
      out.text(",").number(stamp);
    }
    for (const TimePs stage : record.stages) out.text(",").number(stage);
    for (const std::uint64_t count : {record.wire_bytes_up, record.wire_bytes_down, record.tlps}) {
      out.text(",").number(count);
    }
    if (record.kernel == nullptr) {
      out.text(no_kernel_);
    } else {
      kernel(*record.kernel);
    }
    out.text("\r\n").end_record();
  }

  void stage(const StageRecord& record) override {
    begin_part("stage,", record.command, record.device, record.part, record.action);
    output().number(record.begin).text(",").number(record.end).text(",").number(record.cycles).text(",,");
    output().number(record.bytes).text(",");
    end_part();
  }

  void packet(const PacketRecord& record) override {
    begin_part("packet,", record.command, record.device, record.part, record.kind);
    output().number(record.begin).text(",").number(record.end).text(",,").number(record.address).text(",");
    output().number(record.bytes).text(",");
    end_part();
  }

  void counter(const CounterRecord& record) override {
    output().text("counter,,").number(record.device).text(",,");
    field(record.part);
    output().text(",");
    field(record.name);
    output().text(",").number(record.at).text(",").number(record.at).text(",,,,").number(record.value);
    end_part();
  }

  void call(const CallRecord& record) override {
    output().text("call,");
    if (record.command != 0) output().number(record.command);
    output().text(",,,").text(thread_name(record.thread)).text(",");
    field(record.name);
    output().text(",").number(record.begin).text(",").number(record.end).text(",,,,").number(record.calls);
    end_part();
  }

 private:
  // In quotes where it must be, quotes doubled.
  void field(std::string_view text) {
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
      output().text(text);
      return;
    }
    output().text("\"");
    for (std::size_t quote = 0; (quote = text.find('"')) != std::string_view::npos; text.remove_prefix(quote + 1)) {
      output().text(text.substr(0, quote)).text("\"\"");
    }
    output().text(text).text("\"");
  }

  void about(std::string_view key, std::string_view value) {
    output().text("header,,,,").text(key).text(",");
    field(value);
    output().text(",,,,,,");
    end_part();
  }

  void begin_part(std::string_view record, CommandId id, DeviceIndex device, std::string_view part,
                  std::string_view name) {
    output().text(record).number(id).text(",").number(device).text(",,");
    field(part);
    output().text(",");
    field(name);
    output().text(",");
  }
  void end_part() { output().text(no_command_).text("\r\n").end_record(); }

  void kernel(const KernelRecord& record) {
    Output& out = output();
    out.text(",");
    field(record.name);
    for (const KernelField& figure : kernel_fields) out.text(",").number(record.*figure.value);
    for (const std::uint64_t count : record.instructions) out.text(",").number(count);
    out.text(",").number(record.groups_per_unit).text(",").number(record.occupancy_permille).text(",");
    field(record.occupancy_limit);
    out.text(",");
    field(record.limiter);
  }

  static constexpr std::size_t kernel_columns = 1 + std::size(kernel_fields) + instruction_classes + 4;
  static constexpr std::size_t columns_of_commands = 14 + stage_count + 3 + kernel_columns;
  const std::string no_kernel_ = std::string(kernel_columns, ',');
  const std::string no_command_ = std::string(columns_of_commands, ',');
};

}  // namespace

std::unique_ptr<Writer> make_csv_writer(std::unique_ptr<Output> output, std::string&) {
  return std::make_unique<CsvWriter>(std::move(output));
}

}  // namespace sluice::trace

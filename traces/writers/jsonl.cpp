// JSON Lines: docs/trace.md. The first key of each line but the header is "record".
#include "traces/digest.h"
#include "traces/pen.h"
#include "traces/writer.h"

namespace sluice::trace {

namespace {

// Generously what a line takes without the names in it.
constexpr std::size_t line_room = 2048;

class JsonlWriter final : public Writer {
 public:
  explicit JsonlWriter(std::unique_ptr<Output> output) : Writer(std::move(output)) { this->output().digest_to(&digest_); }
  ~JsonlWriter() override { output().digest_to(nullptr); }  // which outlives what it is added to

  void header(const Machine& machine, TraceLevel level) override {
    output().text("{\"schema\":").number(schema_version).text(",\"sluice\":").string(sluice_version);
    output().text(",\"profile\":").string(machine.profile_name).text(",\"profile_hash\":").string(machine.profile_hash);
    output().text(",\"level\":").string(to_string(level)).text("}\n").end_record();
    output().flush();
  }

  void command(const CommandRecord& record) override {
    const Command& command = *record.command;
    const Completion& times = record.times;
    Pen pen(output().room(record.kernel == nullptr ? line_room : line_room + kernel_room(*record.kernel)));
    pen.text("{\"record\":\"command\",\"id\":").number(command.id).word(operations_[command.op]);
    pen.number(command.queue).text(",\"device\":").number(command.device);
    pen.word(directions_[command.direction]).number(command.shape.bytes());
    pen.text(",\"rows\":").number(command.shape.rows * command.shape.slices);
    pen.word(sources_[command.source.placement]).word(targets_[command.target.placement]);
    if (command.blocking) {
      pen.text("true,\"status\":");
    } else {
      pen.text("false,\"status\":");
    }
    pen.number(times.status);
    pen.text(",\"called\":").number(record.called).text(",\"queued\":").number(times.queued);
    pen.text(",\"submitted\":").number(times.submitted).text(",\"started\":").number(times.started);
    pen.text(",\"ended\":").number(times.ended).text(",\"completed\":").number(times.completed);
    pen.text(",\"visible\":").number(times.visible).text(",\"bandwidth\":").number(bandwidth_bytes_per_s(record));
    pen.text(",\"stages\":{");
    bool first = true;
    for (std::size_t i = 0; i < stage_count; ++i) {
      if (record.stages[i] == 0) continue;
      const auto stage = static_cast<Stage>(i);
      pen.word(first ? first_stages_[stage] : more_stages_[stage]).number(record.stages[i]);
      first = false;
    }
    pen.text("},\"wire_bytes_up\":").number(record.wire_bytes_up);
    pen.text(",\"wire_bytes_down\":").number(record.wire_bytes_down);
    pen.text(",\"tlps\":").number(record.tlps);
    if (record.kernel != nullptr) kernel(pen, *record.kernel);
    pen.text("}\n");
    put(pen);
  }

  void stage(const StageRecord& record) override {
    Pen pen(room_for(record.part, record.action));
    pen.text("{\"record\":\"stage\",\"id\":").number(record.command).text(",\"device\":").number(record.device);
    pen.text(",\"part\":").string(record.part).text(",\"action\":").string(record.action);
    pen.text(",\"begin\":").number(record.begin).text(",\"end\":").number(record.end);
    pen.text(",\"cycles\":").number(record.cycles).text(",\"bytes\":").number(record.bytes).text("}\n");
    put(pen);
  }

  void packet(const PacketRecord& record) override {
    Pen pen(room_for(record.part, record.kind));
    pen.text("{\"record\":\"packet\",\"id\":").number(record.command).text(",\"device\":").number(record.device);
    pen.text(",\"part\":").string(record.part).text(",\"kind\":").string(record.kind);
    pen.text(",\"begin\":").number(record.begin).text(",\"end\":").number(record.end);
    pen.text(",\"address\":").number(record.address).text(",\"bytes\":").number(record.bytes).text("}\n");
    put(pen);
  }

  void counter(const CounterRecord& record) override {
    Pen pen(room_for(record.part, record.name));
    pen.text("{\"record\":\"counter\",\"device\":").number(record.device).text(",\"part\":").string(record.part);
    pen.text(",\"name\":").string(record.name).text(",\"at\":").number(record.at);
    pen.text(",\"value\":").number(record.value).text("}\n");
    put(pen);
  }

  void call(const CallRecord& record) override {
    Pen pen(room_for({}, record.name));
    pen.text("{\"record\":\"call\",\"thread\":").number(record.thread).text(",\"name\":").string(record.name);
    pen.text(",\"id\":").number(record.command).text(",\"begin\":").number(record.begin);
    pen.text(",\"end\":").number(record.end).text(",\"calls\":").number(record.calls).text("}\n");
    put(pen);
  }

  void end(bool is_whole) override {
    if (!is_whole) return;
    output().flush();
    output().digest_to(nullptr);
    output().text(end_line(records_, digest_)).text("\n").end_record();
  }

 private:
  [[nodiscard]] static std::size_t kernel_room(const KernelRecord& record) {
    std::size_t bytes = line_room;
    for (const std::string_view text : {record.name, record.occupancy_limit, record.limiter})
      bytes += Pen::most_string_bytes(text);
    return bytes;
  }
  void kernel(Pen& pen, const KernelRecord& record) const {
    pen.text(",\"kernel\":{\"name\":").string(record.name);
    for (const KernelField& field : kernel_fields) {
      if (field.value == &KernelRecord::accesses) instructions(pen, record);
      pen.text(",").string(field.name).text(":").number(record.*field.value);
    }
    pen.text(",\"groups_per_unit\":").number(record.groups_per_unit);
    pen.text(",\"occupancy_permille\":").number(record.occupancy_permille);
    pen.text(",\"occupancy_limit\":").string(record.occupancy_limit);
    pen.text(",\"limiter\":").string(record.limiter).text("}");
  }
  static void instructions(Pen& pen, const KernelRecord& record) {
    pen.text(",\"instructions\":{");
    bool first = true;
    for (std::size_t i = 0; i < instruction_classes; ++i) {
      if (record.instructions[i] == 0) continue;
      if (!first) pen.text(",");
      pen.string(sluice::to_string(static_cast<InstructionClass>(i))).text(":").number(record.instructions[i]);
      first = false;
    }
    pen.text("}");
  }
  [[nodiscard]] char* room_for(std::string_view part, std::string_view name) {
    return output().room(line_room + Pen::most_string_bytes(part) + Pen::most_string_bytes(name));
  }
  void put(const Pen& pen) {
    ++records_;
    output().put_until(pen.end());
    output().end_record();
  }

  Digest digest_;
  std::uint64_t records_ = 0;
  Words<Operation, Operation::count_> operations_{",\"op\":\"", "\",\"queue\":"};
  Words<Direction, Direction::host_to_host> directions_{",\"direction\":\"", "\",\"bytes\":"};
  Words<Placement, Placement::host_pageable> sources_{",\"source\":\"", "\",\"target\":\""};
  Words<Placement, Placement::host_pageable> targets_{"", "\",\"blocking\":"};
  Words<Stage, Stage::count_> first_stages_{"\"", "\":"};
  Words<Stage, Stage::count_> more_stages_{",\"", "\":"};
};

}  // namespace

std::unique_ptr<Writer> make_jsonl_writer(std::unique_ptr<Output> output, std::string&) {
  return std::make_unique<JsonlWriter>(std::move(output));
}

}  // namespace sluice::trace

// JSON Lines: docs/trace.md. The first key of each line but the header is "record".
#include "traces/writer.h"

namespace sluice::trace {

namespace {

class JsonlWriter final : public Writer {
 public:
  using Writer::Writer;

  void header(const Machine& machine, TraceLevel level) override {
    output().text("{\"schema\":").number(schema_version).text(",\"sluice\":").string(sluice_version);
    output().text(",\"profile\":").string(machine.profile_name).text(",\"profile_hash\":").string(machine.profile_hash);
    output().text(",\"level\":").string(to_string(level)).text("}\n").end_record();
    output().flush();
  }

  void command(const CommandRecord& record) override {
    const Command& command = *record.command;
    const Completion& times = record.times;
    Output& out = output();
    out.text("{\"record\":\"command\",\"id\":").number(command.id);
    out.text(",\"op\":\"").text(sluice::to_string(command.op));
    out.text("\",\"queue\":").number(command.queue).text(",\"device\":").number(command.device);
    out.text(",\"direction\":\"").text(sluice::to_string(command.direction));
    out.text("\",\"bytes\":").number(command.shape.bytes());
    out.text(",\"rows\":").number(command.shape.rows * command.shape.slices);
    out.text(",\"source\":\"").text(sluice::to_string(command.source.placement));
    out.text("\",\"target\":\"").text(sluice::to_string(command.target.placement));
    out.text(command.blocking ? "\",\"blocking\":true" : "\",\"blocking\":false");
    out.text(",\"status\":").number(times.status);
    out.text(",\"called\":").number(record.called).text(",\"queued\":").number(times.queued);
    out.text(",\"submitted\":").number(times.submitted).text(",\"started\":").number(times.started);
    out.text(",\"ended\":").number(times.ended).text(",\"completed\":").number(times.completed);
    out.text(",\"visible\":").number(times.visible).text(",\"bandwidth\":").number(bandwidth_bytes_per_s(record));
    out.text(",\"stages\":{");
    std::string_view separator = "\"";
    for (std::size_t i = 0; i < stage_count; ++i) {
      if (record.stages[i] == 0) continue;
      out.text(separator).text(sluice::to_string(static_cast<Stage>(i))).text("\":").number(record.stages[i]);
      separator = ",\"";
    }
    out.text("},\"wire_bytes_up\":").number(record.wire_bytes_up);
    out.text(",\"wire_bytes_down\":").number(record.wire_bytes_down);
    out.text(",\"tlps\":").number(record.tlps).text("}\n").end_record();
  }

  void stage(const StageRecord& record) override {
    Output& out = output();
    out.text("{\"record\":\"stage\",\"id\":").number(record.command).text(",\"device\":").number(record.device);
    out.text(",\"part\":").string(record.part).text(",\"action\":").string(record.action);
    out.text(",\"begin\":").number(record.begin).text(",\"end\":").number(record.end);
    out.text(",\"cycles\":").number(record.cycles).text(",\"bytes\":").number(record.bytes).text("}\n").end_record();
  }

  void packet(const PacketRecord& record) override {
    Output& out = output();
    out.text("{\"record\":\"packet\",\"id\":").number(record.command).text(",\"device\":").number(record.device);
    out.text(",\"part\":").string(record.part).text(",\"kind\":").string(record.kind);
    out.text(",\"begin\":").number(record.begin).text(",\"end\":").number(record.end);
    out.text(",\"address\":").number(record.address).text(",\"bytes\":").number(record.bytes).text("}\n").end_record();
  }

  void counter(const CounterRecord& record) override {
    Output& out = output();
    out.text("{\"record\":\"counter\",\"device\":").number(record.device).text(",\"part\":").string(record.part);
    out.text(",\"name\":").string(record.name).text(",\"at\":").number(record.at);
    out.text(",\"value\":").number(record.value).text("}\n").end_record();
  }
};

}  // namespace

std::unique_ptr<Writer> make_jsonl_writer(std::unique_ptr<Output> output) {
  return std::make_unique<JsonlWriter>(std::move(output));
}

}  // namespace sluice::trace

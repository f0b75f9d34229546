// Chrome trace format in its array form, which viewers accept without the closing bracket: a killed run stays readable.
// Process 1 is the host with a track for each queue's API calls and one for each thread; process 2 + d is device d with a
// track for each queue's commands (START to END) and one for each part. Flow arrows lead from the call over the device's
// work to each stage and packet, in their order of time. Slices of one track must nest, so what overlaps goes to a further lane of the track. Times are microseconds with six
// decimals: picoseconds, exactly.
#include <set>
#include <string>

#include "traces/lanes.h"
#include "traces/writer.h"

namespace sluice::trace {

namespace {

constexpr std::uint64_t host_process = 1;
constexpr std::uint64_t no_lane = Lanes::none;

class PerfettoWriter final : public Writer {
 public:
  using Writer::Writer;

  void header(const Machine& machine, TraceLevel level) override {
    output().text(
        "[\n{\"ph\":\"M\",\"pid\":1,\"name\":\"process_name\",\"args\":{\"name\":\"host (API calls)\",\"schema\":");
    output().number(schema_version).text(",\"sluice\":").string(sluice_version);
    output().text(",\"profile\":").string(machine.profile_name).text(",\"profile_hash\":").string(machine.profile_hash);
    output().text(",\"level\":").string(to_string(level)).text("}}").end_record();
    device_name_ = machine.device.name;
    tells_parts_ = level >= TraceLevel::stage;
    for (DeviceIndex i = 0; i < machine.device_count; ++i) (void)process_of(i);
    output().flush();
  }

  void command(const CommandRecord& record) override {
    const Command& command = *record.command;
    const std::string queue = "queue " + std::to_string(command.queue);
    const std::string_view name = sluice::to_string(command.op);
    // The host's part: from the call until the command is with the device.
    const TimePs handed_over = record.times.submitted;
    const std::uint64_t call_lane = lane(host_process, queue, record.called, handed_over);
    slice(host_process, call_lane, name, record.called, handed_over);
    arguments(record);
    if (command.host_only) return;

    const std::uint64_t process = process_of(command.device);
    const std::uint64_t work_lane = lane(process, queue, record.times.started, record.times.ended);
    slice(process, work_lane, name, record.times.started, record.times.ended);
    arguments(record);
    if (call_lane == no_lane || work_lane == no_lane) return;  // an arrow needs a slice at both ends
    flow("s\"", command.id, host_process, call_lane, record.called);
    // Where parts are told, which came before, whatever begins last is the end: readers go by time, not by place.
    flow(tells_parts_ ? "t\"" : "f\",\"bp\":\"e\"", command.id, process, work_lane, record.times.started);
  }

  void stage(const StageRecord& record) override {
    const std::uint64_t process = process_of(record.device);
    const std::uint64_t place = lane(process, record.part, record.begin, record.end);
    slice(process, place, record.action, record.begin, record.end);
    output().text(",\"args\":{\"id\":").number(record.command).text(",\"cycles\":").number(record.cycles);
    output().text(",\"bytes\":").number(record.bytes).text("}}").end_record();
    step(record.command, process, place, record.begin);
  }

  void packet(const PacketRecord& record) override {
    const std::uint64_t process = process_of(record.device);
    const std::string track = std::string(record.part) + " packets";
    const std::uint64_t place = lane(process, track, record.begin, record.end);
    slice(process, place, record.kind, record.begin, record.end);
    output().text(",\"args\":{\"id\":").number(record.command).text(",\"address\":").number(record.address);
    output().text(",\"bytes\":").number(record.bytes).text("}}").end_record();
    step(record.command, process, place, record.begin);
  }

  void counter(const CounterRecord& record) override {
    const std::uint64_t process = process_of(record.device);
    output().text(",\n{\"ph\":\"C\",\"pid\":").number(process).text(",\"tid\":0,\"ts\":");
    output().microseconds(record.at).text(",\"name\":");
    output().string(std::string(record.part) + " " + std::string(record.name));
    output().text(",\"args\":{\"value\":").number(record.value).text("}}").end_record();
  }

  void call(const CallRecord& record) override {
    const std::uint64_t place = lane(host_process, thread_name(record.thread), record.begin, record.end);
    slice(host_process, place, record.name, record.begin, record.end);
    output().text(",\"args\":{");
    if (record.command != 0) output().text("\"id\":").number(record.command).text(",");
    output().text("\"calls\":").number(record.calls).text("}}").end_record();
  }

  void end(bool) override { output().text("\n]\n").end_record(); }

 private:
  [[nodiscard]] std::uint64_t process_of(DeviceIndex device) {
    const std::uint64_t process = host_process + 1 + device;
    if (!named_.insert(device).second) return process;
    output().text(",\n{\"ph\":\"M\",\"pid\":").number(process);
    output().text(",\"name\":\"process_name\",\"args\":{\"name\":");
    const std::string name = device_name_.empty() ? std::string() : " (" + device_name_ + ")";
    output().string("device " + std::to_string(device) + name).text("}}").end_record();
    return process;
  }

  // Where on the track there is room; the lane is named in the trace when it is new.
  std::uint64_t lane(std::uint64_t process, std::string_view track_name, TimePs begin, TimePs end) {
    const Lanes::Place place = lanes_.place(process, track_name, begin, end);
    if (!place.is_new) return place.id;
    output().text(",\n{\"ph\":\"M\",\"pid\":").number(process).text(",\"tid\":").number(place.id);
    output().text(",\"name\":\"thread_name\",\"args\":{\"name\":");
    output().string(Lanes::name(track_name, place.number)).text("}}").end_record();
    return place.id;
  }

  // Leaves the object open for its "args".
  void slice(std::uint64_t process, std::uint64_t lane_id, std::string_view name, TimePs begin, TimePs end) {
    Output& out = output();
    if (lane_id == no_lane) {
      ++last_asynchronous_;
      asynchronous("e", process, name, end);
      out.text("}");
      asynchronous("b", process, name, begin);
      return;
    }
    out.text(",\n{\"ph\":\"X\",\"pid\":").number(process).text(",\"tid\":").number(lane_id).text(",\"ts\":");
    out.microseconds(begin).text(",\"dur\":").microseconds(end - begin).text(",\"name\":").string(name);
  }

  void asynchronous(std::string_view phase, std::uint64_t process, std::string_view name, TimePs at) {
    Output& out = output();
    out.text(",\n{\"ph\":\"").text(phase).text("\",\"cat\":\"overlap\",\"id\":").number(last_asynchronous_);
    out.text(",\"pid\":").number(process).text(",\"tid\":0,\"ts\":").microseconds(at).text(",\"name\":").string(name);
  }

  void arguments(const CommandRecord& record) {
    Output& out = output();
    out.text(",\"args\":{\"id\":").number(record.command->id).text(",\"bytes\":").number(record.command->shape.bytes());
    out.text(",\"direction\":\"").text(sluice::to_string(record.command->direction));
    out.text("\",\"source\":\"").text(sluice::to_string(record.command->source.placement));
    out.text("\",\"target\":\"").text(sluice::to_string(record.command->target.placement));
    out.text("\",\"bandwidth\":").number(bandwidth_bytes_per_s(record));
    for (std::size_t i = 0; i < stage_count; ++i) {
      if (record.stages[i] == 0) continue;
      out.text(",\"").text(sluice::to_string(static_cast<Stage>(i))).text("_ps\":").number(record.stages[i]);
    }
    if (record.kernel != nullptr) kernel(*record.kernel);
    out.text("}}").end_record();
  }

  void kernel(const KernelRecord& record) {
    Output& out = output();
    out.text(",\"kernel\":").string(record.name);
    for (const KernelField& field : kernel_fields) {
      out.text(",\"").text(field.name).text("\":").number(record.*field.value);
    }
    for (std::size_t i = 0; i < instruction_classes; ++i) {
      if (record.instructions[i] == 0) continue;
      out.text(",\"").text(sluice::to_string(static_cast<InstructionClass>(i)));
      out.text("_instructions\":").number(record.instructions[i]);
    }
    out.text(",\"groups_per_unit\":").number(record.groups_per_unit);
    out.text(",\"occupancy_permille\":").number(record.occupancy_permille);
    out.text(",\"occupancy_limit\":").string(record.occupancy_limit).text(",\"limiter\":").string(record.limiter);
  }

  // The arrows of the command go on to this slice.
  void step(CommandId id, std::uint64_t process, std::uint64_t lane_id, TimePs at) {
    if (id != 0 && lane_id != no_lane) flow("t\"", id, process, lane_id, at);
  }

  void flow(std::string_view phase, CommandId id, std::uint64_t process, std::uint64_t lane_id, TimePs at) {
    output().text(",\n{\"ph\":\"").text(phase).text(",\"id\":").number(id).text(",\"pid\":").number(process);
    output().text(",\"tid\":").number(lane_id).text(",\"ts\":").microseconds(at);
    output().text(",\"name\":\"command\",\"cat\":\"command\"}").end_record();
  }

  Lanes lanes_;
  std::set<DeviceIndex> named_;
  std::string device_name_;
  std::uint64_t last_asynchronous_ = 0;
  bool tells_parts_ = false;
};

}  // namespace

std::unique_ptr<Writer> make_perfetto_writer(std::unique_ptr<Output> output, std::string&) {
  return std::make_unique<PerfettoWriter>(std::move(output));
}

}  // namespace sluice::trace

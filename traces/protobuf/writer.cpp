// Perfetto's protobuf format: TrackEvents, by the protobuf library. Process 1 is the host, process 2 + d device d. A slice
// is a packet for its begin and one for its end, its lanes are those of the JSON format; packets of the file are in no
// order of time, which readers of the format put them into. Its times are whole nanoseconds: annotations hold the
// picoseconds. All slices of a command have its id as their flow, so that arrows lead from the call to the device's work
// and on to each part and packet.
#include <google/protobuf/io/coded_stream.h>
#include <perfetto.pb.h>  // generated

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>

#include "traces/lanes.h"
#include "traces/protobuf/plugin.h"
#include "traces/timeline.h"

namespace sluice::trace {

namespace {

using google::protobuf::io::CodedOutputStream;
using perfetto::TracePacket;
using perfetto::TrackEvent;

constexpr std::uint64_t host_process = 1;
constexpr std::uint32_t sequence = 1;
// Names of kernels come from the program: beyond so many they are written out.
constexpr std::size_t most_names = 4096;

struct Hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
};

// Numbers from 1 on.
class Names {
 public:
  // 0: there are too many.
  std::uint64_t number(std::string_view name, bool& is_new) {
    is_new = false;
    const auto found = numbers_.find(name);
    if (found != numbers_.end()) return found->second;
    if (numbers_.size() == most_names) return 0;
    is_new = true;
    return numbers_.emplace(std::string(name), numbers_.size() + 1).first->second;
  }

 private:
  std::unordered_map<std::string, std::uint64_t, Hash, std::equal_to<>> numbers_;
};

class ProtobufWriter final : public Writer {
 public:
  using Writer::Writer;

  void header(const Machine& machine, TraceLevel level) override {
    device_name_ = machine.device.name;
    packet_.Clear();
    packet_.set_sequence_flags(TracePacket::STATE_CLEARED);
    auto* const process = describe_process(host_process, "host");
    process->add_process_labels("sluice " + std::string(sluice_version));
    process->add_process_labels("profile " + machine.profile_name + " " + machine.profile_hash);
    process->add_process_labels("level " + std::string(to_string(level)));
    put();
    for (DeviceIndex i = 0; i < machine.device_count; ++i) (void)device_process(i);
    output().flush();
  }

  void command(const CommandRecord& record) override {
    const Command& command = *record.command;
    const std::string queue = "queue " + std::to_string(command.queue);
    show_command(record, [&](Row row, std::string_view name, TimePs begin, TimePs end) {
      if (row == Row::runtime) {
        begin_slice(host_process, queue + " driver", name, begin, end, command.id, /*flows=*/false);
        finish_slice();
        return;
      }
      const std::uint64_t process = row == Row::calls ? host_process : device_process(command.device);
      begin_slice(process, queue, name, begin, end, command.id, /*flows=*/true);
      figures(record);
      finish_slice();
    });
  }

  void stage(const StageRecord& record) override {
    begin_slice(device_process(record.device), record.part, record.action, record.begin, record.end, record.command, true);
    annotate("cycles", record.cycles);
    annotate("bytes", record.bytes);
    finish_slice();
  }

  void packet(const PacketRecord& record) override {
    track_name_.assign(record.part).append(" packets");
    begin_slice(device_process(record.device), track_name_, record.kind, record.begin, record.end, record.command, true);
    annotate("address", record.address);
    annotate("bytes", record.bytes);
    finish_slice();
  }

  void counter(const CounterRecord& record) override {
    const std::uint64_t track = counter_track(record);
    packet_.Clear();
    packet_.set_timestamp(record.at / ps_per_ns);
    packet_.set_sequence_flags(TracePacket::NEEDS_STATE);
    TrackEvent& event = *packet_.mutable_track_event();
    event.set_type(TrackEvent::COUNTER);
    event.set_track_uuid(track);
    constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
    event.set_counter_value(static_cast<std::int64_t>(std::min(record.value, most)));
    put();
  }

  // Without an arrow: the call that the command's arrows begin at is the one on its queue's track.
  void call(const CallRecord& record) override {
    begin_slice(host_process, thread_name(record.thread), record.name, record.begin, record.end, record.command, false);
    annotate("calls", record.calls);
    finish_slice();
  }

 private:
  // Tracks are numbered in the order in which they are described. Lanes have their own numbers.
  [[nodiscard]] std::uint64_t new_track() { return ++last_track_; }

  perfetto::ProcessDescriptor* describe_process(std::uint64_t process, const std::string& name) {
    const std::uint64_t track = process_tracks_[process] = new_track();
    auto* const descriptor = packet_.mutable_track_descriptor();
    descriptor->set_uuid(track);
    descriptor->mutable_process()->set_pid(static_cast<std::int32_t>(process));
    descriptor->mutable_process()->set_process_name(name);
    return descriptor->mutable_process();
  }

  [[nodiscard]] std::uint64_t device_process(DeviceIndex device) {
    const std::uint64_t process = host_process + 1 + device;
    if (process_tracks_.contains(process)) return process;
    packet_.Clear();
    std::string name = "device " + std::to_string(device);
    if (!device_name_.empty()) name += " (" + device_name_ + ")";
    describe_process(process, name);
    put();
    return process;
  }

  std::uint64_t describe_track(std::uint64_t process, const std::string& name) {
    const std::uint64_t track = new_track();
    packet_.Clear();
    auto* const descriptor = packet_.mutable_track_descriptor();
    descriptor->set_uuid(track);
    descriptor->set_name(name);
    descriptor->set_parent_uuid(process_tracks_.at(process));
    return track;
  }

  [[nodiscard]] std::uint64_t slice_track(std::uint64_t process, std::string_view name, TimePs begin, TimePs end) {
    const Lanes::Place place = lanes_.place(process, name, begin, end);
    if (place.id != Lanes::none && !place.is_new) return lane_tracks_[place.id - 1];
    // What finds no lane is alone on a track.
    const std::size_t number = place.id == Lanes::none ? Lanes::most + 1 : place.number;
    const std::uint64_t track = describe_track(process, Lanes::name(name, number));
    put();
    if (place.id != Lanes::none) lane_tracks_.push_back(track);
    return track;
  }

  [[nodiscard]] std::uint64_t counter_track(const CounterRecord& record) {
    const std::uint64_t process = device_process(record.device);
    track_name_.assign(record.part).append(" ").append(record.name);
    auto& tracks = counter_tracks_[process];
    const auto found = tracks.find(track_name_);
    if (found != tracks.end()) return found->second;
    const std::uint64_t track = describe_track(process, track_name_);
    auto* const counter = packet_.mutable_track_descriptor()->mutable_counter();
    if (record.name.find("bytes") != std::string_view::npos) {
      counter->set_unit(perfetto::CounterDescriptor::SIZE_BYTES);
    } else if (record.name.ends_with("_ps")) {
      counter->set_unit_name("ps");
    } else {
      counter->set_unit(perfetto::CounterDescriptor::COUNT);
    }
    put();
    tracks.emplace(track_name_, track);
    return track;
  }

  // Leaves the begin of the slice in packet_ for its annotations.
  void begin_slice(std::uint64_t process, std::string_view track_name, std::string_view name, TimePs begin, TimePs end,
                   CommandId command, bool flows) {
    slice_track_ = slice_track(process, track_name, begin, end);
    slice_end_ = end;
    packet_.Clear();
    packet_.set_timestamp(begin / ps_per_ns);
    packet_.set_sequence_flags(TracePacket::NEEDS_STATE);
    TrackEvent& event = *packet_.mutable_track_event();
    event.set_type(TrackEvent::SLICE_BEGIN);
    event.set_track_uuid(slice_track_);
    bool is_new = false;
    if (const std::uint64_t number = event_names_.number(name, is_new)) {
      event.set_name_iid(number);
    } else {
      event.set_name(std::string(name));
    }
    if (is_new) intern(*packet_.mutable_interned_data()->add_event_names(), event.name_iid(), name);
    if (flows && command != 0) event.add_flow_ids(command);
    if (command != 0) annotate("id", command);
    annotate("begin_ps", begin);
    annotate("end_ps", end);
  }

  void finish_slice() {
    put();
    packet_.Clear();
    packet_.set_timestamp(slice_end_ / ps_per_ns);
    packet_.set_sequence_flags(TracePacket::NEEDS_STATE);
    packet_.mutable_track_event()->set_type(TrackEvent::SLICE_END);
    packet_.mutable_track_event()->set_track_uuid(slice_track_);
    put();
  }

  static void intern(perfetto::InternedName& entry, std::uint64_t number, std::string_view name) {
    entry.set_iid(number);
    entry.set_name(std::string(name));
  }

  perfetto::DebugAnnotation& annotation(std::string_view name) {
    bool is_new = false;
    const std::uint64_t number = annotation_names_.number(name, is_new);  // there are some fifty
    if (is_new) intern(*packet_.mutable_interned_data()->add_debug_annotation_names(), number, name);
    auto* const annotation = packet_.mutable_track_event()->add_debug_annotations();
    annotation->set_name_iid(number);
    return *annotation;
  }
  void annotate(std::string_view name, std::uint64_t value) { annotation(name).set_uint_value(value); }
  void annotate(std::string_view name, std::string_view value) { annotation(name).set_string_value(std::string(value)); }

  void figures(const CommandRecord& record) {
    const Command& command = *record.command;
    annotate("bytes", command.shape.bytes());
    annotate("direction", sluice::to_string(command.direction));
    annotate("source", sluice::to_string(command.source.placement));
    annotate("target", sluice::to_string(command.target.placement));
    annotation("blocking").set_bool_value(command.blocking);
    if (record.times.status != 0) annotation("status").set_int_value(record.times.status);
    annotate("bandwidth", bandwidth_bytes_per_s(record));
    annotate("wire_bytes_up", record.wire_bytes_up);
    annotate("wire_bytes_down", record.wire_bytes_down);
    annotate("tlps", record.tlps);
    for (std::size_t i = 0; i < stage_count; ++i) {
      if (record.stages[i] == 0) continue;
      annotate(std::string(sluice::to_string(static_cast<Stage>(i))) + "_ps", record.stages[i]);
    }
    if (record.kernel == nullptr) return;
    const KernelRecord& kernel = *record.kernel;
    annotate("kernel", kernel.name);
    for (const KernelField& field : kernel_fields) annotate(field.name, kernel.*field.value);
    for (std::size_t i = 0; i < instruction_classes; ++i) {
      if (kernel.instructions[i] == 0) continue;
      annotate(std::string(sluice::to_string(static_cast<InstructionClass>(i))) + "_instructions", kernel.instructions[i]);
    }
    annotate("groups_per_unit", kernel.groups_per_unit);
    annotate("occupancy_permille", kernel.occupancy_permille);
    annotate("occupancy_limit", kernel.occupancy_limit);
    annotate("limiter", kernel.limiter);
  }

  // Packet by packet, so that a file that is cut off is read up to there.
  void put() {
    packet_.set_trusted_packet_sequence_id(sequence);
    const std::size_t bytes = packet_.ByteSizeLong();
    constexpr std::uint8_t packet_of_trace = 1 << 3 | 2;  // field 1, with its length
    constexpr std::size_t most_prefix_bytes = 1 + 5;
    auto* at = reinterpret_cast<std::uint8_t*>(output().room(bytes + most_prefix_bytes));
    *at++ = packet_of_trace;
    at = CodedOutputStream::WriteVarint32ToArray(static_cast<std::uint32_t>(bytes), at);
    at = packet_.SerializeWithCachedSizesToArray(at);
    output().put_until(reinterpret_cast<const char*>(at));
    output().end_record();
  }

  TracePacket packet_;  // reused, with the memory of its parts
  std::string device_name_;
  std::string track_name_;
  Lanes lanes_;
  std::vector<std::uint64_t> lane_tracks_;  // by the lane's number
  std::map<std::uint64_t, std::uint64_t> process_tracks_;
  std::map<std::uint64_t, std::map<std::string, std::uint64_t, std::less<>>> counter_tracks_;
  Names event_names_;
  Names annotation_names_;
  std::uint64_t last_track_ = 0;
  std::uint64_t slice_track_ = 0;
  TimePs slice_end_ = 0;
};

std::unique_ptr<Writer> make(std::unique_ptr<Output> output) {
  return std::make_unique<ProtobufWriter>(std::move(output));
}

}  // namespace

}  // namespace sluice::trace

extern "C" {
__attribute__((visibility("default"))) extern const sluice::trace::PerfettoPlugin sluice_perfetto_plugin;
const sluice::trace::PerfettoPlugin sluice_perfetto_plugin = {SLUICE_PERFETTO_KEY, &sluice::trace::make};
}

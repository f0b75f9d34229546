#include "sim/dma/peer_copies.h"

#include <algorithm>
#include <utility>

#include "sim/dma/functional.h"
#include "sim/models/limits.h"

namespace sluice::sim {

// A copy under way. Staged: chunks [0, in_done) are on the target, [0, arrived) have reached host memory.
struct PeerCopy {
  Job* job = nullptr;
  DeviceIndex from = 0;
  DeviceIndex to = 0;
  TimePs began = 0;
  TimePs contention = 0;
  TimePs walked = 0;   // what translations added to its flows
  std::string_view walk_part;
  std::string_view walk_action;
  TimePs rows_ps = 0;  // the engine's work on the rows of a rectangle
  Limits limits;       // where the trace asks for them
  std::uint64_t chunk_bytes = 0;
  std::uint64_t chunks = 0;
  std::uint64_t out_started = 0;
  std::uint64_t arrived = 0;
  std::uint64_t in_started = 0;
  std::uint64_t in_done = 0;
  bool out_busy = false;
  bool in_busy = false;
};

namespace {

// Above the copy engines' staging buffers.
constexpr std::uint64_t peer_staging_address = staging_address + (1ULL << 46);
// And above those, where devices see each other's memory.
constexpr std::uint64_t peer_window_address = 1ULL << 48;
constexpr std::uint64_t peer_window_bytes = 1ULL << 44;

}  // namespace

PeerCopies::PeerCopies(const sc_core::sc_module_name& name, const profile::Profile& profile, const Link& link,
                       cache::HostMemory& host, WriteLog& writes, TraceSink* trace)
    : Agenda(name),
      profile_(profile),
      link_(link),
      host_(host),
      writes_(writes),
      trace_(trace),
      cycle_ps_(1'000'000'000'000ULL / profile.copy_engines.clock_hz) {}

PeerCopies::~PeerCopies() = default;

void PeerCopies::add_device(FlowEngine& flows, memory::DeviceMemory& memory, Translator* translator) {
  devices_.push_back({&flows, &memory, translator, 0, {}});
}

void PeerCopies::execute(Job& job) {
  if (idle_.empty()) {
    copies_.push_back(std::make_unique<PeerCopy>());
    idle_.push_back(copies_.back().get());
  }
  PeerCopy& copy = *idle_.back();
  idle_.pop_back();
  copy = {};
  copy.job = &job;
  copy.from = job.command.device_of(job.command.source);
  copy.to = job.command.device_of(job.command.target);
  Device& device = devices_[copy.from];
  if (device.running == profile_.copy_engines.device_to_host) {
    device.waiting.push_back(&copy);
    return;
  }
  ++device.running;
  begin(copy, kernel_now());
}

void PeerCopies::begin(PeerCopy& copy, TimePs now) {
  Job& job = *copy.job;
  job.times.started = now;
  job.spend(Stage::queue_wait, now - job.arrived);
  const TimePs setup = profile_.copy_engines.setup_cycles * cycle_ps_;
  job.spend(Stage::setup, setup);
  post(now + setup, {&copy, PeerStep::begin});
}

// One flow from memory to memory. False: the devices do not reach each other.
bool PeerCopies::begin_peer(PeerCopy& copy, TimePs now) {
  const Command& c = copy.job->command;
  const Shape& shape = c.shape;
  const std::uint32_t packet = profile_.link.max_payload_bytes;
  LinkTransfer t;
  t.direction = Direction::device_to_host;
  t.host_address = c.target.address;
  t.row_bytes = shape.row_bytes;
  t.rows = shape.rows * shape.slices;
  t.host_row_pitch_bytes = c.target.row_pitch_bytes;
  t.row_ps = profile_.copy_engines.row_cycles * cycle_ps_;
  const auto read = devices_[copy.from].memory->stream(memory::Access::read, c.source.address, shape.bytes(), packet);
  const auto write = devices_[copy.to].memory->stream(memory::Access::write, c.target.address, shape.bytes(), packet);
  t.memory_interval_ps = read.interval_ps;
  // Requests that the bridge passes from device to device carry translated addresses, where the source can get them.
  if (profile_.bridge.peer_to_peer && profile_.ats.entries != 0) {
    t.walks = devices_[copy.from].translator->walk(
        {peer_window_address + copy.to * peer_window_bytes + c.target.address, shape.row_bytes, t.rows, c.target.row_pitch_bytes},
        t.direction);
  }
  auto flow = flow_pool_.take();
  if (!link_.plan_peer(t, write.interval_ps, *flow)) return false;
  flow->command = c.id;
  flow->peer = copy.to;
  flow->address = c.target.address;
  flow->device = copy.from;
  copy.rows_ps = t.rows > 1 ? t.rows * t.row_ps : 0;
  const std::shared_ptr<const Flow> planned = flow;
  devices_[copy.from].flows->start(std::move(flow), [this, &copy, planned, now](FlowTimes times) {
    // It is over when the last write is in the target's memory.
    const auto drained = [&](Without w) { return alone_times_(*planned, w).drained; };
    account(copy, *planned, Direction::device_to_host, times.drained - now, drained);
    post(std::max(times.drained, kernel_now()), {&copy, PeerStep::finish});
  });
  return true;
}

template <class Alone>
void PeerCopies::account(PeerCopy& copy, const Flow& flow, Direction direction, TimePs took, Alone alone_without) {
  Job& job = *copy.job;
  const TimePs alone = std::min(took, alone_without(Without::nothing));
  const TimePs unwalked = flow.walks != 0 ? std::min(alone, alone_without(Without::walks)) : alone;
  const TimePs contention = took - alone;
  copy.contention += contention;
  copy.walked += alone - unwalked;
  const Link::WireUse use = link_.wire_use(flow, direction);
  job.wire_up += use.up;
  job.wire_down += use.down;
  job.tlps += use.tlps;
  if (trace_ == nullptr || trace_->level() < TraceLevel::stage) return;
  copy.limits.add(flow, copy.rows_ps);
  copy.limits.add(Part::contention, contention);
  if (flow.walks == 0) return;
  copy.walk_part = flow.walk_part;
  copy.walk_action = flow.walk_action;
}

// What of a staged copy can go on does so: a chunk leaves the source when a staging buffer is free, and goes to the target when
// it is there.
void PeerCopies::advance(PeerCopy& copy, TimePs now) {
  const std::uint64_t buffers = std::max(1U, profile_.driver.staging_buffers);
  if (!copy.out_busy && copy.out_started < copy.chunks && copy.out_started < copy.in_done + buffers) {
    copy.out_busy = true;
    start_chunk(copy, true, now);
    ++copy.out_started;
  }
  if (!copy.in_busy && copy.in_started < copy.arrived) {
    copy.in_busy = true;
    start_chunk(copy, false, now);
    ++copy.in_started;
  }
}

void PeerCopies::start_chunk(PeerCopy& copy, bool out, TimePs now) {
  const Command& c = copy.job->command;
  const std::uint64_t chunk = out ? copy.out_started : copy.in_started;
  const std::uint64_t offset = chunk * copy.chunk_bytes;
  const std::uint64_t buffers = std::max(1U, profile_.driver.staging_buffers);
  const DeviceIndex index = out ? copy.from : copy.to;
  Device& device = devices_[index];
  LinkTransfer t;
  t.direction = out ? Direction::device_to_host : Direction::host_to_device;
  t.host_address = peer_staging_address + (chunk % buffers) * copy.chunk_bytes;
  t.row_bytes = std::min(copy.chunk_bytes, c.shape.bytes() - offset);
  t.memory_interval_ps =
      device.memory->stream(out ? memory::Access::read : memory::Access::write,
                            (out ? c.source : c.target).address + offset, t.row_bytes, profile_.link.max_payload_bytes)
          .interval_ps;
  runs_.clear();
  host_.classify(t.host_address, t.row_bytes, runs_);
  if (!out) {
    host_.device_read(t.host_address, t.row_bytes);
  } else if (!link_.maintains_caches()) {
    host_.device_wrote(t.host_address, t.row_bytes);
  }
  if (device.translator != nullptr) t.walks = device.translator->walk({t.host_address, t.row_bytes, 1, 0}, t.direction);
  auto flow = flow_pool_.take();
  link_.plan(t, runs_, *flow);
  flow->command = c.id;
  flow->device = index;
  flow->address = t.host_address;
  const std::shared_ptr<const Flow> planned = flow;
  device.flows->start(std::move(flow), [this, &copy, planned, out, now, direction = t.direction](FlowTimes times) {
    account(copy, *planned, direction, times.end - now, [&](Without w) { return alone_times_(*planned, w).end; });
    post(std::max(times.end, kernel_now()), {&copy, out ? PeerStep::out_ended : PeerStep::in_ended});
    if (out) post(std::max(times.drained, kernel_now()), {&copy, PeerStep::out_arrived});
  });
}

void PeerCopies::end(PeerCopy& copy, TimePs now) {
  Job& job = *copy.job;
  job.times.ended = job.times.completed = now;
  if (trace_ != nullptr && trace_->level() >= TraceLevel::stage) {
    const std::uint64_t bytes = job.command.shape.bytes();
    const TimePs took = now - copy.began;
    trace_->stage({job.command.id, copy.from, "copy_engine.peer", copy.chunks == 0 ? "peer_to_peer" : "staged", copy.began, now,
                   took / cycle_ps_, bytes});
    trace_->stage({job.command.id, copy.from, copy.limits.limiter(), "limits", copy.began, now, took / cycle_ps_, bytes});
  }
  if (moves_bytes_) carry_out(job.command, writes_);
  Device& device = devices_[copy.from];
  if (device.waiting.empty()) {
    --device.running;
  } else {
    PeerCopy* next = device.waiting.front();
    device.waiting.pop_front();
    begin(*next, now + profile_.copy_engines.switch_cycles * cycle_ps_);
  }
  copy.job = nullptr;
  idle_.push_back(&copy);
  sink_->job_ended(job);
}

void PeerCopies::act(const PeerEvent& event, TimePs now) {
  PeerCopy& copy = *event.copy;
  Job& job = *copy.job;
  switch (event.step) {
    case PeerStep::begin: {
      copy.began = now;
      if (begin_peer(copy, now)) return;
      const std::uint64_t chunk = profile_.driver.staging_chunk_bytes;
      copy.chunk_bytes = chunk != 0 ? chunk : job.command.shape.bytes();
      copy.chunks = (job.command.shape.bytes() + copy.chunk_bytes - 1) / copy.chunk_bytes;
      advance(copy, now);
      return;
    }
    case PeerStep::out_ended: copy.out_busy = false; break;
    case PeerStep::out_arrived: ++copy.arrived; break;
    case PeerStep::in_ended:
      copy.in_busy = false;
      ++copy.in_done;
      break;
    case PeerStep::finish: {
      const TimePs took = now - copy.began;
      // Chunks overlap, so what others and translations added to them may be more than the whole.
      const TimePs contention = std::min(copy.contention, took);
      const TimePs walked = std::min(copy.walked, took - contention);
      const TimePs finish = profile_.copy_engines.finish_cycles * cycle_ps_;
      job.spend(Stage::contention, contention);
      job.spend(Stage::iommu, walked);
      job.spend(Stage::link, took - contention - walked);
      if (walked != 0 && trace_ != nullptr && trace_->level() >= TraceLevel::stage) {
        trace_->stage({job.command.id, copy.from, copy.walk_part, copy.walk_action, now - walked, now,
                       walked * (profile_.host.home_agent.clock_hz / 1'000'000) / 1'000'000, job.command.shape.bytes()});
      }
      job.spend(Stage::setup, finish);
      post(now + finish, {&copy, PeerStep::over});
      return;
    }
    case PeerStep::over: end(copy, now); return;
  }
  if (copy.in_done == copy.chunks) {
    post(now, {&copy, PeerStep::finish});
  } else {
    advance(copy, now);
  }
}

}  // namespace sluice::sim

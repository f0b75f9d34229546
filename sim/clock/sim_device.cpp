#include "sim/clock/sim_device.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "sim/models/link/link.h"
#include "sim/profile/load.h"

// libsystemc refers to the entry point of stand-alone models; here the kernel is driven from outside, but the dynamic
// linker still wants the symbol.
extern "C" __attribute__((visibility("default"))) int sc_main(int, char**) { return 0; }

namespace sluice::sim {

namespace {

const profile::DeviceCache no_cache;  // the host's own are in front of its memory: sim/cache

}  // namespace

SimDevice::SimDevice(profile::Profile profile, Detail detail, TraceSink* trace, KernelEngine* kernels)
    : profile_(std::move(profile)),
      link_(make_link(profile_)),
      host_(profile_.host),
      host_dram_(profile_.host_memory.channels != 0
                     ? std::make_unique<memory::DramMemory>(profile_.host_memory, no_cache)
                     : nullptr),
      iommu_(profile_.iommu.entries != 0 ? std::make_unique<iommu::Iommu>(profile_.iommu) : nullptr),
      unmapper_("page_unmapper", *link_, iommu_.get(), profile_.ats.invalidate_ps),
      migration_(profile_.migration.batch_faults != 0
                     ? std::make_unique<migration::PageResidency>(
                           profile_.migration, profile_.migration.device_bytes != 0
                                                   ? profile_.migration.device_bytes
                                                   : profile_.machine.device.global_memory_bytes)
                     : nullptr),
      driver_(profile_, *link_, host_),
      trace_(trace != nullptr && trace->level() != TraceLevel::off ? trace : nullptr),
      peers_("peer_copies", profile_, *link_, host_, writes_, trace_) {
  peers_.connect(*this);
  const std::uint32_t devices = profile_.machine.device_count;
  const bool bridged = profile_.bridge.kind != profile::BridgeKind::none;
  if (bridged) links_.push_back(std::make_unique<NetworkEngine>("bridge", detail, trace_, devices));
  for (std::uint32_t i = 0; i < devices; ++i) {
    const std::string name = "gpu" + std::to_string(i);
    device_addresses_.emplace_back(profile_.machine.device.global_memory_bytes);
    if (!bridged) links_.push_back(std::make_unique<NetworkEngine>((name + "_link").c_str(), detail, trace_));
    Translator* translator = iommu_.get();
    if (iommu_ != nullptr && profile_.ats.entries != 0) {
      const TimePs bridge = bridged ? profile_.bridge.latency_ps + profile_.bridge.propagation_ps : 0;
      device_tlbs_.push_back(
          std::make_unique<iommu::DeviceTlb>(profile_.ats, profile_.link.propagation_ps + bridge, *iommu_));
      translator = device_tlbs_.back().get();
      unmapper_.add_device(*device_tlbs_.back(), *links_.back());
    }
    gpus_.push_back(std::make_unique<Gpu>(name, profile_, *link_, *links_.back(), host_, host_dram_.get(), translator,
                                          migration_.get(), unmapper_, peers_, detail, writes_, *this, trace_, kernels));
  }
}

SimDevice::~SimDevice() = default;

std::optional<std::uint64_t> SimDevice::reserve_device(DeviceIndex device, std::uint64_t bytes) {
  return device_addresses_[device].reserve(bytes);
}

void SimDevice::release_device(DeviceIndex device, std::uint64_t address) {
  const std::uint64_t bytes = device_addresses_[device].release(address);
  gpus_[device]->forget_lines(address, bytes);
}

std::uint64_t SimDevice::host_address(const void* p, std::uint64_t bytes) {
  return host_addresses_.address(reinterpret_cast<std::uintptr_t>(p), bytes);
}

TimePs SimDevice::forget_host(const void* p, std::uint64_t bytes, TimePs host_now) {
  TimePs wait = 0;
  host_addresses_.forget(reinterpret_cast<std::uintptr_t>(p), bytes, [&](std::uint64_t address, std::uint64_t n) {
    host_.forget(address, n);
    if (migration_ != nullptr) migration_->remove(address);
    wait += unmap(address, n, host_now + wait);
  });
  return wait;
}

TimePs SimDevice::unmap_host(const void* p, std::uint64_t bytes, TimePs host_now) {
  TimePs wait = 0;
  host_addresses_.each(reinterpret_cast<std::uintptr_t>(p), bytes,
                       [&](std::uint64_t address, std::uint64_t n) { wait += unmap(address, n, host_now + wait); });
  return wait;
}

TimePs SimDevice::unmap(std::uint64_t address, std::uint64_t bytes, TimePs host_now) {
  const Unmapping unmapping = unmapper_.unmap(address, bytes, 0, 0);
  unmapper_.send(unmapping, std::max(host_now, now_));
  return unmapping.wait;
}

// Pages that are on the device have come back for that, each fault in its turn, before the program's next command.
void SimDevice::host_wrote(std::uint64_t address, std::uint64_t bytes) {
  if (migration_ != nullptr) {
    const PageMoves moves = migration_->host_faults(address, bytes);
    if (moves.to_host_bytes != 0) {
      LinkTransfer t;
      t.direction = Direction::device_to_host;
      t.host_address = moves.first_to_host;
      t.row_bytes = moves.to_host_bytes;
      Flow flow;
      link_->plan(t, {}, flow);
      host_owes_ps_ += moves.handling_ps + times_alone(flow).drained;
      host_.device_wrote(moves.first_to_host, moves.to_host_bytes);
      if (trace_ != nullptr && trace_->level() >= TraceLevel::stage)
        trace_->counter({0, "host.migration", "host_faults", now_, migration_->totals().host_faults});
    }
  }
  host_.cpu_wrote(address, bytes);
}

Job* SimDevice::new_job(Command&& command) {
  if (idle_.empty()) {
    constexpr std::size_t block = 32;
    jobs_.push_back(std::make_unique<Job[]>(block));
    for (std::size_t i = block; i-- > 0;) idle_.push_back(&jobs_.back()[i]);
  }
  Job* const job = idle_.back();
  idle_.pop_back();
  std::destroy_at(job);
  return std::construct_at(job, std::move(command));
}

bool SimDevice::takes_place(const Command& command) {
  if (!command.in_order || command.op != Operation::marker) {
    open_markers_.erase(command.queue);
    return false;
  }
  const bool behind_marker = !open_markers_.insert_or_assign(command.queue, command.id).second;
  return behind_marker && command.queued == 0;  // one that was held back goes alone
}

EnqueueStamps SimDevice::enqueue(Command&& moved, TimePs host_now) {
  Job* const job = new_job(std::move(moved));
  const Command& command = job->command;
  job->times.id = command.id;
  job->is_merged = profile_.driver.merged_marker_ps != 0 && takes_place(command);
  const EnqueueStamps stamps = driver_.charge(*job, std::max(host_now, now_) + std::exchange(host_owes_ps_, 0));
  if (command.host_only) {
    finished_.push(job);
  } else {
    gpus_[command.device]->processor().submit(*job);
  }
  return stamps;
}

void SimDevice::job_ended(Job& job) {
  driver_.complete(job);
  finished_.push(&job);
  gpus_[job.command.device]->processor().ended(job);
  if (job.by_thread) {
    if (Job* next = driver_.stage_next(job.times.visible)) gpus_[next->command.device]->processor().ring(*next);
  }
  // The host may act at this completion: do not run past it.
  if (job.times.visible < kernel_run_limit) {
    kernel_run_limit = job.times.visible;
    sc_core::sc_pause();
  }
}

void SimDevice::kernel_waits() {
  kernel_waits_ = true;
  sc_core::sc_pause();
}

bool SimDevice::run_kernel(TimePs t) {
  if (t < kernel_idle_until) return false;
  const TimePs at = kernel_now();
  if (t < at) return false;
  const TimePs pending = sc_core::sc_time_to_pending_activity().value();  // to the end of time where there is none
  kernel_idle_until = at + pending;
  if (pending > t - at || (t == time_never && !sc_core::sc_pending_activity())) return false;
  kernel_run_limit = t;
  // The end of sc_start is exclusive, so one picosecond more.
  kernel_waits_ = false;
  const TimePs span = t == time_never ? time_never - at : t - at + 1;
  sc_core::sc_start(sc_core::sc_time::from_value(span), sc_core::SC_EXIT_ON_STARVATION);
  return true;
}

bool SimDevice::deliver(TimePs t) {
  if (finished_.empty() || finished_.top()->times.visible > t) return false;
  Job* job = finished_.top();
  finished_.pop();
  now_ = std::max(now_, job->times.visible);
  last_delivered_ = job->command.id;
  driver_.delivered(*job);
  if (job->command.op == Operation::marker) {
    const auto open = open_markers_.find(job->command.queue);
    if (open != open_markers_.end() && open->second == job->command.id) open_markers_.erase(open);
  }
  if (trace_ != nullptr) {
    CommandRecord record;
    record.command = &job->command;
    record.called = job->called;
    record.times = job->times;
    record.stages = job->stages;
    record.wire_bytes_up = job->wire_up;
    record.wire_bytes_down = job->wire_down;
    record.tlps = job->tlps;
    record.kernel = job->kernel.get();
    trace_->command(record);
  }
  const Completion completion = job->times;
  job->command.kernel.reset();  // what it keeps alive may go
  idle_.push_back(job);
  if (sink_) sink_(completion);
  return true;
}

// A command that the front end no longer has is over on the device.
bool SimDevice::has_started(CommandId id) const noexcept {
  for (const auto& gpu : gpus_) {
    const Job* job = gpu->processor().find(id);
    if (job != nullptr) return job->times.started != 0 && job->times.started <= now_;
  }
  return true;
}

void SimDevice::run_out() {
  for (const auto& gpu : gpus_) gpu->touch_memory(false);
  peers_.move_bytes(false);
  while (run_until_next_completion()) {  // a kernel that waits is given up
  }
  for (const auto& gpu : gpus_) gpu->touch_memory(true);
  peers_.move_bytes(true);
}

void SimDevice::run_until(TimePs t) {
  while (true) {
    const TimePs next = finished_.empty() ? t : std::min(t, finished_.top()->times.visible);
    if (run_kernel(next)) continue;
    if (!deliver(t)) break;
  }
  now_ = std::max(now_, t);
}

bool SimDevice::run_until_complete(CommandId id) {
  kernel_waits_ = false;
  while (!kernel_waits_) {
    const TimePs next = finished_.empty() ? time_never : finished_.top()->times.visible;
    if (run_kernel(next)) continue;
    if (!deliver(time_never)) return false;
    if (last_delivered_ == id) break;
  }
  return true;
}

bool SimDevice::run_until_next_completion() {
  kernel_waits_ = false;
  while (!kernel_waits_) {
    const TimePs next = finished_.empty() ? time_never : finished_.top()->times.visible;
    if (run_kernel(next)) continue;
    return deliver(time_never);
  }
  return true;
}

std::unique_ptr<Simulator> make_simulator(profile::Profile profile, Detail detail, TraceSink* trace,
                                          std::string& error, KernelEngine* kernels) {
  static bool opened = false;
  if (opened) {
    error = "the simulator was opened before: SystemC has one context a process";
    return nullptr;
  }
  opened = true;
  // SystemC prints a banner at the first elaboration; the program's output is not ours to write to.
  ::setenv("SC_COPYRIGHT_MESSAGE", "DISABLE", 0);
  sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
  sc_core::sc_report_handler::set_actions(sc_core::SC_WARNING, sc_core::SC_DO_NOTHING);
  return std::make_unique<SimDevice>(std::move(profile), detail, trace, kernels);
}

}  // namespace sluice::sim

namespace sluice {

std::unique_ptr<Simulator> open_simulator(const SimulatorOptions& options, std::vector<std::string>& errors) {
  if (options.detail != "train" && options.detail != "packet") {
    errors.push_back("detail: found \"" + options.detail + "\"; allowed: \"train\", \"packet\"");
    return nullptr;
  }
  profile::Loaded loaded = profile::load_profile(options.profile.empty() ? "generic-pcie4" : options.profile);
  if (!loaded.profile) {
    for (const profile::Problem& p : loaded.problems) errors.push_back(profile::to_string(p));
    return nullptr;
  }
  std::string error;
  const sim::Detail detail = options.detail == "packet" ? sim::Detail::packet : sim::Detail::train;
  auto simulator = sim::make_simulator(std::move(*loaded.profile), detail, options.trace, error, options.kernels);
  if (simulator == nullptr) errors.push_back(error);
  return simulator;
}

}  // namespace sluice

// The compute units: executes launches and times them. A launch is run when its turn comes - groups functionally in the
// order of dispatch, their records timed as they come - and costs the simulation kernel one event, and two for each
// direction in which it crosses the link. What crosses is a flow like any other: it contends with copies, and its TLPs
// are traced. Launches of several queues share the units as they find room.
#pragma once

#include <memory>
#include <vector>

#include "sim/cache/device_lines.h"
#include "sim/clock/agenda.h"
#include "sim/iface/kernel_engine.h"
#include "sim/models/compute/launch.h"
#include "sim/models/compute/launch_memory.h"
#include "sim/models/host_link.h"
#include "sim/models/job.h"
#include "sim/models/write_log.h"
#include "sim/profile/profile.h"

namespace sluice::sim {

enum class ComputeStep : std::uint8_t {
  go_on, prepare, start_read, start_write, start_atomics, flow_ended, finish
};

struct ActiveLaunch;
struct Crossing;

struct ComputeEvent {
  ActiveLaunch* launch = nullptr;
  ComputeStep step = ComputeStep::finish;
};

class ComputeUnits final : public Agenda<ComputeEvent>, public Executor {
 public:
  // `engine` may be nullptr: then every launch fails.
  ComputeUnits(const sc_core::sc_module_name& name, const profile::Profile& profile, const Link& link,
               FlowEngine& flows, cache::HostMemory& host, memory::DeviceMemory& memory, Translator* iommu,
               Migration* migration, Unmapper& unmapper, cache::DeviceLines* lines, KernelEngine* engine,
               WriteLog& writes, Detail detail, TraceSink* trace);
  ~ComputeUnits() override;
  void connect(JobSink& sink) { sink_ = &sink; }

  struct Machine;  // caches and units; made for the first launch, as programs without kernels need none

  void execute(Job& job) override;
  // From now on launches do nothing: the program's memory may be gone.
  void execute_kernels(bool executes) noexcept { executes_ = executes; }

 private:
  void act(const ComputeEvent& event, TimePs now) override;
  void go_on(ActiveLaunch& a);
  [[nodiscard]] bool wait(ActiveLaunch& a);
  [[nodiscard]] Machine& machine_of(const ActiveLaunch& a) const;
  void run(ActiveLaunch& a);
  [[nodiscard]] bool execute_groups(ActiveLaunch& a, std::uint64_t local_bytes, bool with_timeline);
  [[nodiscard]] bool execute_unseen(const KernelLaunch& launch);
  void tell_counters(const ActiveLaunch& a);
  void tell_dram(const ActiveLaunch& launch);
  void plan(ActiveLaunch& a, Crossing& c);
  [[nodiscard]] std::shared_ptr<Flow> flow_of(const compute::Traffic& traffic, const Crossing& crossing);
  void start(ActiveLaunch& a, Crossing& c, TimePs now);
  void prepare(ActiveLaunch& a, TimePs now);
  void cross(ActiveLaunch& a, TimePs now);
  void settle(ActiveLaunch& a);
  void account(ActiveLaunch& a);
  void finish(ActiveLaunch& a, TimePs now);

  const profile::Profile& profile_;
  const Link& link_;
  FlowEngine& flows_;
  cache::HostMemory& host_;
  memory::DeviceMemory& memory_;
  Translator* iommu_;  // null: addresses cost nothing
  Migration* migration_;  // null: shared memory stays at the host
  LaunchMemory prepares_;
  cache::DeviceLines* lines_;  // null: the host does not address the device's memory
  KernelEngine* engine_;
  WriteLog& writes_;
  const Detail detail_;
  TraceSink* trace_;
  std::uint64_t sectors_ = 0;  // since the beginning, for the trace's counters
  std::uint64_t l1_hit_sectors_ = 0;
  std::uint64_t l2_hit_sectors_ = 0;
  JobSink* sink_ = nullptr;
  bool executes_ = true;
  std::unique_ptr<Machine> machine_;
  std::vector<std::unique_ptr<ActiveLaunch>> active_;
  std::vector<cache::LineRun> runs_;
};

}  // namespace sluice::sim

// The Simulator: the only place that starts the SystemC kernel. See docs/time.md for the rules it keeps.
#pragma once

#include <memory>
#include <queue>
#include <unordered_map>
#include <vector>

#include "sim/cache/host_memory.h"
#include "sim/clock/host_addresses.h"
#include "sim/clock/page_unmapper.h"
#include "sim/dma/peer_copies.h"
#include "sim/iface/simulator.h"
#include "sim/models/gpu/gpu.h"
#include "sim/models/host/host_driver.h"
#include "sim/models/host_link.h"
#include "sim/models/iommu/device_tlb.h"
#include "sim/models/iommu/iommu.h"
#include "sim/models/link/network_engine.h"
#include "sim/models/migration/page_residency.h"
#include "sim/profile/profile.h"

namespace sluice::sim {

class SimDevice final : public Simulator, public JobSink {
 public:
  SimDevice(profile::Profile profile, Detail detail, TraceSink* trace, KernelEngine* kernels);
  ~SimDevice() override;

  [[nodiscard]] const Machine& machine() const noexcept override { return profile_.machine; }
  void on_completion(std::function<void(const Completion&)> sink) override { sink_ = std::move(sink); }
  [[nodiscard]] std::optional<std::uint64_t> reserve_device(DeviceIndex device, std::uint64_t bytes) override;
  void release_device(DeviceIndex device, std::uint64_t address) override;
  [[nodiscard]] std::uint64_t host_address(const void* p, std::uint64_t bytes) override;
  TimePs forget_host(const void* p, std::uint64_t bytes, TimePs host_now) override;
  TimePs unmap_host(const void* p, std::uint64_t bytes, TimePs host_now) override;
  [[nodiscard]] bool manage(std::uint64_t address, std::uint64_t bytes) override {
    if (migration_ != nullptr) migration_->add(address, bytes);
    return migration_ != nullptr;
  }
  void host_wrote(std::uint64_t address, std::uint64_t bytes) override;
  void host_read(std::uint64_t address, std::uint64_t bytes) override { host_.cpu_read(address, bytes); }
  [[nodiscard]] TimePs host_stored(std::uint64_t address, std::uint64_t bytes) override {
    const TimePs time = host_.store_time(address, bytes);
    host_wrote(address, bytes);
    return time;
  }
  [[nodiscard]] bool times_stores() const noexcept override { return profile_.host.copy.store_bytes_per_s != 0; }
  TimePs hold(Command& command, TimePs host_now) override { return driver_.hold(command, host_now); }
  EnqueueStamps enqueue(Command&& command, TimePs host_now) override;
  [[nodiscard]] TimePs host_cost(HostAction action) const noexcept override { return driver_.cost(action); }
  [[nodiscard]] TimePs now() const noexcept override { return now_; }
  [[nodiscard]] bool has_started(CommandId id) const noexcept override;
  void run_until(TimePs t) override;
  [[nodiscard]] bool run_until_complete(CommandId id) override;
  [[nodiscard]] bool run_until_next_completion() override;
  [[nodiscard]] bool waits_for_host() const noexcept override { return kernel_waits_; }
  void run_out() override;

  // Kernel events that the link of `device` has cost so far (all links that meet at a bridge), for tests of scale.
  [[nodiscard]] std::uint64_t link_events(DeviceIndex device) const { return gpus_[device]->flows().events(); }

 private:
  struct Later {
    bool operator()(const Job* a, const Job* b) const {
      return a->times.visible != b->times.visible ? a->times.visible > b->times.visible : a->command.id > b->command.id;
    }
  };

  // How long a call of the host's waits that unmaps pages.
  TimePs unmap(std::uint64_t address, std::uint64_t bytes, TimePs host_now);
  void job_ended(Job& job) override;
  void kernel_waits() override;
  // Runs the kernel up to and including `t`, or until a completion's time is known. False: nothing was pending.
  bool run_kernel(TimePs t);
  // Delivers the earliest completion if it is visible by `t`.
  bool deliver(TimePs t);
  [[nodiscard]] Job* new_job(Command&& command);
  // Whether the driver lets the command go with the marker before it.
  [[nodiscard]] bool takes_place(const Command& command);

  profile::Profile profile_;
  std::unique_ptr<Link> link_;
  cache::HostMemory host_;
  std::unique_ptr<memory::DramMemory> host_dram_;  // null: its bandwidth is all that the profile says
  std::unique_ptr<iommu::Iommu> iommu_;
  std::vector<std::unique_ptr<iommu::DeviceTlb>> device_tlbs_;  // by device, where a profile has ATS
  PageUnmapper unmapper_;
  std::unique_ptr<migration::PageResidency> migration_;  // null: shared memory stays at the host
  HostDriver driver_;
  HostAddresses host_addresses_;
  std::vector<DeviceAddresses> device_addresses_;
  WriteLog writes_;
  std::vector<std::unique_ptr<NetworkEngine>> links_;  // of each device, or the one that meet at a bridge
  TraceSink* trace_;
  PeerCopies peers_;
  std::vector<std::unique_ptr<Gpu>> gpus_;
  std::function<void(const Completion&)> sink_;
  TimePs now_ = 0;
  TimePs host_owes_ps_ = 0;  // what the program's faults took since its last command
  bool kernel_waits_ = false;
  CommandId last_delivered_ = 0;
  // The newest command of an in-order queue, where it is a marker that the host has not seen complete.
  std::unordered_map<QueueId, CommandId> open_markers_;
  std::priority_queue<Job*, std::vector<Job*>, Later> finished_;
  std::vector<std::unique_ptr<Job[]>> jobs_;  // owns all, in blocks
  std::vector<Job*> idle_;
};

// The simulator of a profile that was built by hand; open_simulator() with a loaded one. One a process.
[[nodiscard]] std::unique_ptr<Simulator> make_simulator(profile::Profile profile, Detail detail, TraceSink* trace,
                                                        std::string& error, KernelEngine* kernels = nullptr);

}  // namespace sluice::sim

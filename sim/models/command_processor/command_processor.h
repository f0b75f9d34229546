// The device's front end: fetches commands from the queues' rings, decodes them, keeps in-order queues and wait lists
// in order, and hands each command to an engine when its turn has come.
#pragma once

#include <memory>
#include <unordered_map>

#include "sim/clock/agenda.h"
#include "sim/models/host_link.h"
#include "sim/models/job.h"
#include "sim/profile/profile.h"

namespace sluice::sim {

enum class FrontEndStep : std::uint8_t { see_doorbell, read_done, dispatch, merged };

struct FrontEndEvent {
  Job* job = nullptr;
  FrontEndStep step = FrontEndStep::dispatch;
};

class CommandProcessor final : public Agenda<FrontEndEvent> {
 public:
  CommandProcessor(const sc_core::sc_module_name& name, const profile::Profile& profile, const Link& link,
                   FlowEngine& flows, TraceSink* trace);
  void connect(Executor& engines) { engines_ = &engines; }

  // `job` takes its place. Its doorbell was rung at job.doorbell, which may lie in the device's future, or will be.
  void submit(Job& job);
  // Of a job that awaited the driver's thread.
  void ring(Job& job);
  // nullptr: not submitted, or over.
  [[nodiscard]] const Job* find(CommandId id) const noexcept {
    const auto it = live_.find(id);
    return it == live_.end() ? nullptr : it->second;
  }
  // An engine has finished `job`: lets its successors go.
  void ended(Job& job);

 private:
  void act(const FrontEndEvent& event, TimePs now) override;
  void fetch(Job& job, TimePs now);
  void decode(Job& job, TimePs now);
  void release(Job& job);
  void wait_for(Job& job, Job& on, bool in_order);
  void count(DeviceIndex device, int more);

  const profile::CommandProcessor& profile_;
  const Link& link_;
  FlowEngine& flows_;
  TraceSink* trace_;
  Executor* engines_ = nullptr;
  TimePs cycle_ps_;
  Flow read_;           // of one ring entry
  TimePs read_alone_;   // with the link to itself
  FlowPool flow_pool_;
  std::unordered_map<CommandId, Job*> live_;  // looked up only, never iterated
  std::uint64_t seen_ = 0;  // and not over
  std::unordered_map<QueueId, Job*> last_;    // the newest command of each in-order queue
};

}  // namespace sluice::sim

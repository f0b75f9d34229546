// The device's front end: fetches commands from the queues' rings, decodes them, keeps in-order queues and wait lists
// in order, and hands each command to an engine when its turn has come.
#pragma once

#include <unordered_map>

#include "sim/clock/agenda.h"
#include "sim/models/host_link.h"
#include "sim/models/job.h"
#include "sim/profile/profile.h"

namespace sluice::sim {

class CommandProcessor final : public Agenda<Job*> {
 public:
  CommandProcessor(const sc_core::sc_module_name& name, const profile::Profile& profile, const Link& link,
                   TraceSink* trace);
  void connect(Executor& engines) { engines_ = &engines; }

  // The doorbell for `job` was rung at job.doorbell. May lie in the device's future.
  void submit(Job& job);
  // An engine has finished `job`: lets its successors go.
  void ended(Job& job);

 private:
  void act(Job* const& job, TimePs now) override;
  void release(Job& job);
  void wait_for(Job& job, Job& on, bool in_order);

  const profile::CommandProcessor& profile_;
  const Link& link_;
  TraceSink* trace_;
  Executor* engines_ = nullptr;
  TimePs cycle_ps_;
  std::unordered_map<CommandId, Job*> live_;  // looked up only, never iterated
  std::unordered_map<QueueId, Job*> last_;    // the newest command of each in-order queue
};

}  // namespace sluice::sim

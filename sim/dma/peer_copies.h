// Copies between the memories of two devices. Where the bridge lets devices reach each other the source's copy engine writes
// into the target's memory; else data go through staging buffers in host memory, chunk by chunk, one end of the way filling
// while the other empties. Each device has as many engines for it as for reads, beside those.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "sim/cache/host_memory.h"
#include "sim/clock/agenda.h"
#include "sim/models/device_memory.h"
#include "sim/models/host_link.h"
#include "sim/models/job.h"
#include "sim/models/write_log.h"
#include "sim/profile/profile.h"

namespace sluice::sim {

struct PeerCopy;

enum class PeerStep : std::uint8_t { begin, out_ended, out_arrived, in_ended, finish, over };

struct PeerEvent {
  PeerCopy* copy = nullptr;
  PeerStep step = PeerStep::finish;
};

class PeerCopies final : public Agenda<PeerEvent>, public Executor {
 public:
  PeerCopies(const sc_core::sc_module_name& name, const profile::Profile& profile, const Link& link,
             cache::HostMemory& host, WriteLog& writes, TraceSink* trace);
  ~PeerCopies() override;
  void connect(JobSink& sink) { sink_ = &sink; }
  // Devices in the order of their indices. `translator`: what the device's own copy engines ask; null: addresses cost nothing.
  void add_device(FlowEngine& flows, memory::DeviceMemory& memory, Translator* translator);

  void execute(Job& job) override;
  // false: from now on commands cost their time alone.
  void move_bytes(bool moves) noexcept { moves_bytes_ = moves; }

 private:
  struct Device {
    FlowEngine* flows = nullptr;
    memory::DeviceMemory* memory = nullptr;
    Translator* translator = nullptr;
    std::uint32_t running = 0;
    std::deque<PeerCopy*> waiting;
  };

  void act(const PeerEvent& event, TimePs now) override;
  void begin(PeerCopy& copy, TimePs now);
  bool begin_peer(PeerCopy& copy, TimePs now);
  void advance(PeerCopy& copy, TimePs now);
  void start_chunk(PeerCopy& copy, bool out, TimePs now);
  // `alone_without(Without)`: what the flow takes alone.
  template <class Alone>
  void account(PeerCopy& copy, const Flow& flow, Direction direction, TimePs took, Alone alone_without);
  void end(PeerCopy& copy, TimePs now);

  const profile::Profile& profile_;
  const Link& link_;
  cache::HostMemory& host_;
  WriteLog& writes_;
  TraceSink* trace_;
  JobSink* sink_ = nullptr;
  TimePs cycle_ps_;
  bool moves_bytes_ = true;
  std::vector<Device> devices_;
  std::vector<std::unique_ptr<PeerCopy>> copies_;  // owns all
  std::vector<PeerCopy*> idle_;
  std::vector<cache::LineRun> runs_;
  FlowPool flow_pool_;
  AloneTimes alone_times_;
};

}  // namespace sluice::sim

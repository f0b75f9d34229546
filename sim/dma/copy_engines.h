// The engines that move bytes: copy engines for each direction of the link, and the device's own copies and fills.
// A job occupies an engine from STARTED to ENDED; jobs that find none free wait in the order in which they came.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "sim/cache/device_lines.h"
#include "sim/clock/agenda.h"
#include "sim/models/device_memory.h"
#include "sim/models/host_link.h"
#include "sim/models/job.h"
#include "sim/models/page_mover.h"
#include "sim/models/write_log.h"
#include "sim/profile/profile.h"

namespace sluice::sim {

struct DmaEvent {
  Job* job = nullptr;
  DmaStep step = DmaStep::finish;
};

class CopyEngines final : public Agenda<DmaEvent>, public Executor {
 public:
  CopyEngines(const sc_core::sc_module_name& name, const profile::Profile& profile, const Link& link,
              FlowEngine& flows, cache::HostMemory& host, memory::DeviceMemory& memory, memory::DeviceMemory* host_dram,
              Translator* iommu, Migration* migration, Unmapper& unmapper, cache::DeviceLines* lines, WriteLog& writes,
              TraceSink* trace);
  void connect(JobSink& sink) { sink_ = &sink; }

  void execute(Job& job) override;
  // false: from now on commands cost their time alone.
  void move_bytes(bool moves) noexcept { moves_bytes_ = moves; }

 private:
  struct Pool {  // engines of one kind
    std::string_view part;  // in traces
    std::uint32_t engines = 1;
    std::uint32_t running = 0;
    std::deque<Job*> waiting;
  };

  void act(const DmaEvent& event, TimePs now) override;
  [[nodiscard]] std::unique_ptr<CopyState> new_state();
  [[nodiscard]] Pool* pool_of(const Job& job);
  void count(const Pool& pool, DeviceIndex device, TimePs now);
  void begin(Job& job, TimePs now);
  [[nodiscard]] bool bring_pages(Job& job, TimePs now);
  void end_pages(Job& job, TimePs now);
  void begin_work(Job& job, TimePs now);
  [[nodiscard]] bool take_lines(Job& job, TimePs now);
  void end_recalls(Job& job, TimePs now);
  void start_work(Job& job, TimePs now);
  [[nodiscard]] TimePs packed_row_time(std::uint64_t address, std::uint64_t row_bytes) const;
  void begin_flow(Job& job, TimePs now);
  void start_flow(Job& job, LinkTransfer& transfer, TimePs now, DmaStep then);
  void fetch_payload(Job& job, TimePs now, TimePs taken);
  void end_payload(Job& job, TimePs now);
  void end_chunk(Job& job, TimePs now);
  void end(Job& job, TimePs now);
  void account(Job& job, TimePs now);
  // What the DRAM of one side does for the command from `now` on.
  void tell_dram(const Job& job, std::string_view part, const memory::DramUse& use, std::uint64_t bytes, TimePs now);
  void tell_lines(const Job& job, TimePs now);
  void use_host_dram(const Job& job, LinkTransfer& transfer, TimePs now);
  [[nodiscard]] double pattern_cycles(const Command& c) const;
  [[nodiscard]] std::uint64_t local_setup_cycles(const Command& c) const;
  [[nodiscard]] double local_copy_cycles(const Command& c, double missing) const;
  [[nodiscard]] TimePs local_copy_time(const Job& job);
  [[nodiscard]] memory::StreamCost stream(memory::Access access, const Endpoint& end, const Shape& shape,
                                          std::uint32_t packet_bytes);
  [[nodiscard]] TimePs detile_time(const Command& command);
  void tell_detile(const Job& job, TimePs begin) const;
  [[nodiscard]] TimePs staging_copy(Job& job, std::uint64_t chunk);

  const profile::Profile& profile_;
  const Link& link_;
  FlowEngine& flows_;
  cache::HostMemory& host_;
  memory::DeviceMemory& memory_;
  memory::DeviceMemory* host_dram_;  // null: the home agent's rate is all that is known of it
  Translator* iommu_;  // null: addresses cost nothing
  Migration* migration_;  // null: pages stay where they are
  PageMover mover_;
  cache::DeviceLines* lines_;  // null: the host does not address the device's memory
  WriteLog& writes_;
  TraceSink* trace_;
  JobSink* sink_ = nullptr;
  TimePs cycle_ps_;
  bool moves_bytes_ = true;
  Pool h2d_;
  Pool d2h_;
  Pool device_;
  std::vector<std::unique_ptr<CopyState>> idle_states_;
  std::vector<cache::LineRun> runs_;
  std::vector<AddressRun> tiles_;
  FlowPool flow_pool_;
  AloneTimes alone_times_;
  // Since the beginning, for the trace's counters.
  memory::DramUse device_dram_use_;
  memory::DramUse host_dram_use_;
  std::uint64_t host_lines_ = 0;
  std::uint64_t host_hit_lines_ = 0;
};

}  // namespace sluice::sim

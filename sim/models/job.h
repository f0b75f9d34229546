// A command on its way through the device: the command, its stamps, and where its time went so far.
#pragma once

#include <array>
#include <memory>
#include <utility>
#include <vector>

#include <boost/container/small_vector.hpp>

#include "sim/iface/command.h"
#include "sim/iface/trace_sink.h"
#include "sim/models/limits.h"
#include "sim/models/traffic.h"
#include "sim/models/unmapping.h"

namespace sluice::sim {

// Simulated host addresses that the driver owns; the program's memory lies below.
inline constexpr std::uint64_t ring_address = 1ULL << 46;
inline constexpr std::uint64_t staging_address = 1ULL << 47;

enum class DmaStep : std::uint8_t {
  begin, end_pages, begin_work, end_recalls, start_work, begin_flow, end_chunk, end_payload, finish
};

// Of a job that an engine is at work on, or for which a thread of the driver's has filled staging buffers.
struct CopyState {
  TimePs detile = 0;            // pass over the tiles of an image, before the transfer or behind it
  TimePs memory_interval = 0;   // of the transfer's packets, where its chunks are of tiles
  TimePs flow_start = 0;
  DmaStep then = DmaStep::finish;  // of the flow under way
  TimePs payload_taken = 0;     // inline: the engine could have taken all bytes
  std::uint64_t chunk = 0;
  std::uint64_t chunks = 1;
  std::vector<TimePs> copy_done;  // staging copies, by chunk
  Limits limits;                // of the transfer, where the trace asks for them
  TimePs transfer_start = 0;    // of its first flow
  TimePs pages_alone = 0;       // pages that the command brings: their flow, alone,
  TimePs pages_wait = 0;        // and what comes behind it,
  Unmapping unmapping;          // this among it: their places at the host are given up
  TimePs recalls_alone = 0;     // lines that are taken back: the same
  TimePs flips_ps = 0;
  TimePs rows_ps = 0;           // the engine's work on the rows of the flow under way
};

// As many as the program has commands waiting: what only an engine at work needs is the engine's.
struct Job {
  Job() = default;
  explicit Job(Command&& c) : command(std::move(c)) {}

  Command command;
  Completion times;
  TimePs called = 0;
  TimePs doorbell = 0;          // rung on the host
  TimePs decoded = 0;           // the command processor knows what to do
  std::array<TimePs, stage_count> stages{};
  TimePs first_chunk_ready = 0; // staged write: the copy that was made before submission
  TimePs handed_over = 0;       // by_thread: to the thread

  // Dependencies, kept by the command processor.
  TimePs ready = 0;             // latest end of what it waited for
  boost::container::small_vector<Job*, 2> dependents;  // the next of its queue may wait for it by name, too
  std::uint32_t open_waits = 0;
  std::uint32_t reads_left = 0; // of the ring, until the command is known

  bool is_merged = false;       // a marker that another one takes along: nothing of its own reaches the device
  bool inline_payload = false;  // the bytes travel in the ring
  bool staged = false;          // pageable memory, copied through pinned chunks
  bool by_thread = false;       // staged write: a thread of the driver's copies,
  bool awaits_thread = false;   // ... and turns to it once it is done with others: no doorbell yet
  bool queued_behind = false;   // the wait that remains is the in-order predecessor

  TimePs arrived = 0;           // handed to an engine
  std::shared_ptr<Flow> flow;   // under way: the fetch, then the engine's
  std::unique_ptr<CopyState> copy;  // to the copy engine's end
  TimePs drained = 0;           // the last posted write is in host memory
  std::uint64_t wire_up = 0;
  std::uint64_t wire_down = 0;
  std::uint64_t tlps = 0;

  std::unique_ptr<KernelRecord> kernel;  // what the compute units say of a launch

  void spend(Stage stage, TimePs time) { stages[static_cast<std::size_t>(stage)] += time; }
};

// Told when a job has ended on the device; `times.completed` and `times.visible` follow from it.
class JobSink {
 public:
  virtual ~JobSink() = default;
  virtual void job_ended(Job& job) = 0;
  // A kernel waits for what the host or another launch writes: the program must get to act.
  virtual void kernel_waits() {}
};

// Takes a job whose turn has come; called at its start time.
class Executor {
 public:
  virtual ~Executor() = default;
  virtual void execute(Job& job) = 0;
};

}  // namespace sluice::sim

// Memory controller of the channels that share command pins (one, or a channel's pseudo-channels): takes bursts, orders
// them, and gives the commands that they need. Free of SystemC: it is told of bursts and runs as far as it is asked to.
//
// Reads and writes wait in queues of their own. Writes are gathered until their queue is full or there is nothing to read,
// and then written to the last: the bus turns around once each way for a queue of them. FR-FCFS gives what is ready first -
// bursts of open rows before rows, the oldest first -, but a burst that `starvation_passes` younger ones of its kind
// have overtaken is served alone. FCFS serves the oldest burst of all, and looks at no other.
//
// Where banks are refreshed one by one, each has its turn once a tREFI, and the next is one that no burst waits for: the one
// that was opened last of these, which a stream comes back to latest.
//
// Left out: refreshes are never put off; a refresh of one bank is no activation to tRRD and tFAW; commands take one clock
// of their pins; a read does not find what a waiting write holds (the caches above see to that).
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "sim/models/device_memory.h"
#include "sim/models/memory/dram_banks.h"

namespace sluice::memory {

struct DramCounts {
  std::uint64_t reads = 0;  // bursts
  std::uint64_t writes = 0;
  std::uint64_t row_hits = 0;       // their row was open
  std::uint64_t row_misses = 0;     // no row was
  std::uint64_t row_conflicts = 0;  // another one was
  std::uint64_t activations = 0;
  std::uint64_t precharges = 0;     // banks that were closed, by refresh, too
  std::uint64_t refreshes = 0;
  std::uint64_t commands = 0;
  TimePs refresh_ps = 0;            // that a channel or a bank was being refreshed
  TimePs busy_ps = 0;               // data on the buses
  std::array<TimePs, dram_limits> idle_ps{};  // none on them, by what the next burst waited for
};

struct DramEvent {
  TimePs at = 0;
  DramCommand command = DramCommand::activate;
  std::uint32_t channel = 0;
  std::uint32_t bank = 0;
  std::uint64_t row = 0;
  bool automatic = false;    // a precharge that the column command before it asked for: no command of its own
  std::uint64_t burst = 0;   // of column commands: the how many-th that was added
};

class DramController {
 public:
  explicit DramController(const profile::Dram& memory);

  // Bursts enter the queues in this order, channel by channel, as there is room and not before they arrive.
  void add(Access access, std::uint32_t channel, std::uint32_t bank, std::uint64_t row, TimePs arrival_ps = 0);
  // Gives commands until no burst waits before the queues' doors, until none can come by `at`, or until there are none.
  void run_until_taken();
  void run_until(TimePs at);
  void run();

  [[nodiscard]] std::uint32_t channels() const noexcept { return static_cast<std::uint32_t>(channels_.size()); }
  [[nodiscard]] TimePs now() const noexcept { return now_; }
  // When the data of all bursts so far have passed.
  [[nodiscard]] TimePs data_end() const noexcept;
  // Banks with an open row, over the channels that are simulated.
  [[nodiscard]] std::uint32_t open_rows() const noexcept;
  [[nodiscard]] const DramCounts& counts() const noexcept { return counts_; }
  // From now on each command is written down here.
  void log(std::vector<DramEvent>* to) noexcept { log_ = to; }
  [[nodiscard]] const DramRules& rules() const noexcept { return rules_; }

 private:
  enum class Row : std::uint8_t { open, closed, other };  // as its first command found it
  struct Burst {
    std::uint64_t age = 0;
    std::uint64_t row = 0;
    TimePs arrival = 0;
    std::uint32_t bank = 0;
    Access access = Access::read;
    Row found = Row::open;
  };
  // Bursts of one kind, by bank.
  struct Queue {
    std::vector<std::vector<Burst>> banks;
    std::vector<std::uint32_t> used;  // banks that have some
    std::size_t size = 0;
    std::uint64_t passes = 0;         // of the oldest
  };
  struct Channel {
    explicit Channel(const DramRules& rules);
    DramBanks banks;
    Queue reads;
    Queue writes;
    bool writing = false;
    std::deque<Burst> arriving;
    TimePs refresh_due = 0;
    std::vector<bool> refreshed;  // banks, in this round
    std::vector<std::uint64_t> opened;  // the how many-th activation each bank's last one was
    std::optional<std::uint32_t> refresh_bank;  // whose turn it is; chosen when it is due
    TimePs data_end = 0;
  };
  // A command that could be next.
  struct Choice {
    TimePs at = time_never;
    std::uint8_t rank = 0;  // of those that are ready: refresh, then columns, then rows ...
    std::uint64_t age = 0;  // ... and then the oldest
    DramCommand command = DramCommand::activate;
    DramLimit limit = DramLimit::nothing;
    std::uint32_t channel = 0;
    std::uint32_t bank = 0;
    std::size_t index = 0;  // of the burst in its bank's queue
    bool for_refresh = false;  // no burst's
    [[nodiscard]] bool before(const Choice& o) const {
      return at != o.at ? at < o.at : rank != o.rank ? rank < o.rank : age < o.age;
    }
  };

  void take(Channel& channel);
  [[nodiscard]] bool has_room(const Channel& channel, Access access) const;
  [[nodiscard]] Queue& queue(Channel& channel) { return channel.writing ? channel.writes : channel.reads; }
  void choose_direction(Channel& channel);
  [[nodiscard]] Choice best(std::uint32_t channel);
  void consider(std::uint32_t channel, std::uint32_t bank, std::size_t index, Choice& best);
  [[nodiscard]] static std::uint32_t oldest_bank(const Queue& queue);
  [[nodiscard]] bool held_by_refresh(const Channel& channel, std::uint32_t bank, TimePs at) const;
  static void choose_refresh(Channel& channel);
  [[nodiscard]] Choice work(std::uint32_t channel);
  [[nodiscard]] Choice refresh(std::uint32_t channel) const;
  [[nodiscard]] Choice timed(DramCommand command, std::uint32_t channel, std::uint32_t bank) const;
  bool step(TimePs until = time_never);
  void give(const Choice& choice);
  void give_column(const Choice& choice);
  void close_unneeded(const Choice& choice, std::uint64_t row);
  void count_row(Burst& burst, DramCommand command);
  void write_down(TimePs at, const Choice& choice, std::uint64_t row, bool automatic, std::uint64_t burst);

  profile::Dram memory_;
  DramRules rules_;
  std::size_t write_entries_;
  std::vector<Channel> channels_;
  TimePs now_ = 0;
  TimePs row_pins_ = 0;  // free from then on
  TimePs column_pins_ = 0;
  std::uint64_t added_ = 0;
  DramCounts counts_;
  std::vector<DramEvent>* log_ = nullptr;
};

}  // namespace sluice::memory

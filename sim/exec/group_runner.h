// Runs the work-groups of one launch, work-item by work-item, and traces them.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sim/exec/loaded_program.h"
#include "sim/exec/mapped_memory.h"
#include "sim/exec/reports.h"
#include "sim/exec/runtime.h"
#include "sim/exec/sub_groups.h"
#include "sim/exec/wave_merge.h"
#include "sim/iface/alike_groups.h"
#include "sim/iface/kernel_engine.h"

namespace sluice::exec {

// Lets others run while a group waits for them.
class Turns {
 public:
  virtual ~Turns() = default;
  // False: a group has failed, so the launch has.
  [[nodiscard]] virtual bool give_way() = 0;
  // That a work-item issues in a waiting loop before it gives way again.
  [[nodiscard]] virtual std::uint64_t instructions() const noexcept = 0;
};

// Instructions of a work-item after which it is looked at for the first time.
inline constexpr std::uint64_t first_turn = std::uint64_t{1} << 15;

class GroupRunner final {
 public:
  // What is kept of a wavefront's phase if nothing else is to be executed meanwhile; more is counted, not recorded.
  static constexpr std::uint64_t most_log_entries = std::uint64_t{4} << 20;

  // Throws std::bad_alloc where a group's memory cannot be had.
  GroupRunner(std::shared_ptr<const LoadedProgram> program, const KernelLaunch& launch, std::uint32_t wave_size,
              std::uint64_t log_entries, Turns& turns);
  [[nodiscard]] bool run_group(const std::array<std::uint64_t, 3>& group, GroupTrace& trace);
  // As KernelRun has it.
  [[nodiscard]] bool run_unseen(const std::array<std::uint64_t, 3>& group);
  // As AlikeRun and KernelRun have it, of what this runner executed.
  [[nodiscard]] const AlikeGroups* run_alike();
  [[nodiscard]] bool told_all() const noexcept { return told_all_; }

  // What generated code calls (runtime.h).
  void* check(Item& item, const Site& site, std::uint64_t address, std::uint64_t base, std::uint64_t bytes);
  LogEntry* log_full(LogEntry* end);
  [[nodiscard]] std::uint32_t late(Item& item, std::uint64_t line, std::uint64_t issued, std::uint32_t waits);
  void print(const char* format, const char* types, const std::byte* values);
  std::byte* frame(const Item& item, std::uint64_t bytes);
  [[nodiscard]] bool take_rows(std::span<const RowSite> sites, std::uint64_t classes);
  void pipe_event(const Item& item, SluicePipeEvent event, std::uint64_t pipe, std::uint64_t line);
  // Reservations made less those committed, by the address of the pipe.
  [[nodiscard]] const std::map<std::uint64_t, std::int64_t>& open_reservations() const { return open_reservations_; }
  // Says so of a launch that has ended.
  void report_open(std::uint64_t pipe, std::int64_t reservations);
  [[nodiscard]] std::uint32_t space(std::uint64_t address) const;
  [[nodiscard]] const Site& site(std::uint64_t number) const { return kernel_.sites[number]; }

 private:
  // What a lane stored in global memory, or any access of one.
  struct Store {
    std::uint64_t address = 0;
    std::uint32_t site = 0;
  };
  // Stores that move alike from group to group, and what they leave behind.
  struct Moving {
    std::array<std::int64_t, 3> step{};
    std::uint64_t first = 0, end = 0;                // of group 0
    std::uint64_t launch_first = 0, launch_end = 0;  // of all groups
    struct Run {
      std::uint64_t address = 0;
      std::uint64_t bytes = 0;
    };
    std::vector<Run> runs;  // of group 0, by address
    std::vector<std::byte> bytes;
  };
  [[nodiscard]] bool can_be_alike() const;
  [[nodiscard]] bool collect_stores(const std::array<std::uint64_t, 3>& group, GroupTrace& trace,
                                    std::vector<Store>& stores);
  [[nodiscard]] bool find_moving(const std::vector<Store>& stores, const std::array<std::vector<Store>, 3>& next,
                                 std::vector<Moving>& all) const;
  [[nodiscard]] bool find_extent(Moving& moving, std::int32_t argument) const;
  [[nodiscard]] bool set_steps(const std::vector<Moving>& all);
  [[nodiscard]] bool is_inside(const Site& site, std::uint64_t first, std::uint64_t end,
                               const std::array<std::int64_t, 3>& step);
  [[nodiscard]] const AlikeGroups* run_same_bytes();
  [[nodiscard]] const AlikeGroups* run_same_way();
  [[nodiscard]] bool set_steps(const std::vector<Store>& accesses, const std::array<std::vector<Store>, 3>& next);
  [[nodiscard]] bool find_reference();
  [[nodiscard]] bool paths_of(const std::array<std::uint64_t, 3>& group, std::vector<std::uint64_t>& paths);
  [[nodiscard]] bool is_known(const std::array<std::uint64_t, 3>& group);
  [[nodiscard]] bool run_known(const std::array<std::uint64_t, 3>& group);
  [[nodiscard]] bool run_traced(const std::array<std::uint64_t, 3>& group, GroupTrace& trace);
  void begin_group(const std::array<std::uint64_t, 3>& group, GroupTrace& trace);
  // `collected`: waves_ has the records.
  void end_group(GroupTrace& trace, bool collected) const;
  [[nodiscard]] bool is_whole(const std::array<std::uint64_t, 3>& group) const;
  [[nodiscard]] bool run_in_rows(const std::array<std::uint64_t, 3>& group, GroupTrace& trace);
  void find_rows();
  [[nodiscard]] bool run_untraced(const std::array<std::uint64_t, 3>& group);
  void write_groups(const Moving& moving) const;

  // Who must have come to a site before anybody goes on from there.
  enum class Held : std::uint8_t { no, with_all, with_those_there };

  struct Wave {
    std::vector<WaveAccess> accesses;  // of a group with barriers, whose waves take turns
    std::array<std::uint64_t, instruction_classes> issued{};
    std::uint64_t unrecorded = 0;
    std::uint32_t pending = 0;  // instructions since the last record
  };

  void place_arguments();
  void place_group(const std::array<std::uint64_t, 3>& group);
  void place_items();
  void run_item(Item& item);
  [[nodiscard]] static auto resumption_of(const void* frame) -> void (*)(void*);
  [[nodiscard]] bool run_quietly();
  [[nodiscard]] std::uint64_t instructions_of(const GroupTrace& trace) const;
  void run_wave(std::size_t wave, std::vector<WaveAccess>& accesses, std::vector<std::uint64_t>& sectors);
  void keep_or_drop(Wave& wave, std::vector<WaveAccess>& accesses, std::vector<std::uint64_t>& sectors,
                    std::size_t accesses_before, std::size_t sectors_before);
  void close_spill();
  void step_wave(std::size_t wave, std::vector<WaveAccess>& accesses, std::vector<std::uint64_t>& sectors);
  [[nodiscard]] bool is_at_barrier(const Item& item) const { return item.stopped - first_barrier_ < barriers_; }
  [[nodiscard]] bool can_go_on(const Item& item) const;
  [[nodiscard]] bool goes_on(const Item& item) const;
  // Of sub-groups (sub_group_steps.cpp).
  void place_sub_groups();
  void run_together(std::size_t wave, std::vector<WaveAccess>& accesses, std::vector<std::uint64_t>& sectors);
  [[nodiscard]] std::span<const Item> lanes_of(std::size_t wave) const {
    const std::size_t first = wave * wave_size_;
    return {items_.data() + first, std::min(count_, first + wave_size_) - first};
  }
  [[nodiscard]] std::uint64_t next_together(std::size_t wave);
  void exchange_at(std::uint64_t number, std::size_t wave);
  void count_instructions(Wave& wave, std::uint64_t issued);
  [[nodiscard]] bool items_wait();
  [[nodiscard]] std::string_view string_at(std::uint64_t address) const;
  [[nodiscard]] bool is_around_an_argument(const Site& site, std::uint64_t address, std::uint64_t base) const;
  [[nodiscard]] AddressRange find_range(std::uint64_t address, std::uint64_t bytes) const;
  [[nodiscard]] Where where(const Item& item) const;
  [[nodiscard]] std::int32_t pipe_argument(std::uint64_t pipe) const;
  void report(const std::string& text);
  void hang(const Item& item, std::uint64_t line);

  std::shared_ptr<const LoadedProgram> program_;
  KernelLaunch launch_;
  const KernelImage& kernel_;
  const NativeCode& code_;
  void* entry_ = nullptr;
  std::size_t wave_size_;
  std::uint64_t first_barrier_ = 0, barriers_ = 0;  // sites, which follow each other
  Turns& turns_;

  Group state_;
  std::vector<Item> items_;                // of the largest group
  std::size_t count_ = 0;                  // of this group
  std::array<std::uint64_t, 3> placed_{};  // its size
  std::array<std::uint64_t, 3> numbered_{};  // size of the group for which work-items have their local ids
  bool items_placed_ = false;                // they have their global ids, too
  std::size_t runnable_ = 0;               // of them: neither ended nor at a barrier
  bool barrier_is_open_ = false;           // all that have not ended have come to it
  static constexpr std::uint64_t any_site = ~std::uint64_t{0};
  std::uint64_t in_step_ = any_site;  // work-items at this site go on
  std::vector<Held> held_;            // by site, if work-items of a sub-group do anything together
  std::vector<SubGroupPlace> places_;
  bool reported_early_end_of_sub_group_ = false;
  std::vector<void*> frames_of_quiet_;
  std::vector<Wave> waves_;
  std::vector<std::span<const LogEntry>> lanes_;
  WaveMerge merge_;
  GroupMemory memory_;

  std::vector<std::vector<std::byte>> values_;
  std::vector<const void*> value_pointers_;
  std::vector<std::uint64_t> argument_bytes_;

  MappedMemory local_, private_, frames_, sink_, log_, spill_, rows_;
  std::uint64_t private_stride_ = 0;
  std::array<std::byte, 256> scratch_;

  std::map<std::uint64_t, std::int64_t> open_reservations_;
  bool in_rows_ = false;                                     // groups are executed by quiet_, which logs so
  bool ran_one_ = false;                                     // group
  std::vector<std::uint64_t>* row_sectors_ = nullptr;        // of the group under way
  std::vector<Store>* stores_ = nullptr;                     // where they are collected
  std::vector<Store>* touched_ = nullptr;                    // the same for all accesses
  bool untraced_ = false;                                    // what the group does is known
  // Of groups that go the same way (alike_groups.cpp).
  struct Reach {  // of accesses that move alike, in the reference group; they must stay within an argument
    std::uint64_t first = 0, end = 0;
    std::array<std::int64_t, 3> step{};
    std::uint64_t low = 0, high = 0;
  };
  const LoadedProgram::Kernel* quiet_ = nullptr;  // code that tells nothing
  bool looked_for_quiet_ = false;
  GroupTrace unused_;
  bool way_known_ = false;
  std::vector<Reach> reaches_;         // if guarded
  std::vector<std::uint64_t> paths_, asked_paths_;  // of the reference group's work-items, and another's, if guarded
  std::map<std::array<std::uint64_t, 3>, GroupTrace> kept_;  // of groups that ran before they were asked for
  AlikeGroups alike_;
  LogEntry* spilled_from_ = nullptr;  // end of what the lane's log holds, once it is full
  std::uint64_t unrecorded_ = 0;      // of the wave's phase
  std::uint64_t records_ = 0;         // of the group
  std::uint64_t budget_ = 0;          // instructions that the group has left
  bool told_all_ = true;
  bool failed_ = false;
  bool reported_ = false;
  bool reported_early_end_ = false;
};

}  // namespace sluice::exec

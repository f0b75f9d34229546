// The memory that generated code and the engine share, and the functions that generated code calls.
// The compiler addresses the members by offsetof, so both structs stay standard layout.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sluice::exec {

class GroupRunner;

struct LogEntry {
  std::uint64_t address = 0;
  std::uint32_t site = 0;
  std::uint32_t issued = 0;  // instructions of the lane since the phase began, modulo 2^32
};
static_assert(sizeof(LogEntry) == 16);

// Instructions by class; as wide as a vector register, the last two are not used.
inline constexpr std::size_t counted_classes = 8;

// Words that __sluice_query(n) reads: 0 local id, 3 global id of the work-item, 6 that of its sub-group; from 16 on the
// group's.
enum QueryWord : unsigned {
  local_id_word = 0,
  global_id_word = 3,
  sub_group_id_word = 6,
  sub_group_local_id_word = 7,
  group_words = 16,
  group_id_word = 16,
  local_size_word = 19,
  enqueued_local_size_word = 22,
  global_size_word = 25,
  global_offset_word = 28,
  group_count_word = 31,
  dimensions_word = 34,
  max_sub_group_size_word = 35,
  sub_group_count_word = 36,
  enqueued_sub_group_count_word = 37,
  last_sub_group_size_word = 38,
};

// From row to row of logs in rows, in work-items: known to the code, which then needs one register for all rows. Larger
// groups are not logged so. Not a power of two, so that a work-item's places in all rows are not in one set of a cache.
inline constexpr std::size_t most_in_row = 1024, row_stride = most_in_row + 16;

// Of logs in rows: a site that work-items come to. `issued`: as the row would say it of all of them; 0: it says it.
struct RowSite {
  std::uint32_t site = 0;
  std::uint32_t issued = 0;
};

struct alignas(64) Group {
  std::uint64_t words[23] = {};
  std::byte* local = nullptr;
  std::uint64_t local_bytes = 0;
  std::byte* scratch = nullptr;                   // of the device library's collectives
  const void* const* arguments = nullptr;         // values
  const std::uint64_t* argument_bytes = nullptr;  // of what a pointer argument points to
  LogEntry* log = nullptr;
  LogEntry* log_limit = nullptr;  // beyond it sluice_exec_full is asked
  std::uint64_t recent_base = 0;  // the range that an access was last found in
  std::uint64_t recent_bytes = 0;
  std::uint64_t private_bytes = 0;
  GroupRunner* runner = nullptr;
  std::uint64_t frame_bytes = 0;  // of each Item::room
  std::uint64_t stopped = 0;  // of quiet code: as Item::stopped, of the work-item that ran last
  // Logs in rows (row_logs.h). Of each site, by work-item: the address; and the instructions that the work-item had issued
  // since the last barrier, and 1, or 0 if it was not there. And these instructions, by class and work-item.
  std::uint64_t* row_addresses = nullptr;
  std::uint32_t* row_issued = nullptr;
  std::uint32_t* row_classes = nullptr;
  alignas(64) std::uint64_t classes[counted_classes] = {};
};

struct Item {
  std::uint64_t ids[8] = {};
  Group* group = nullptr;
  std::byte* private_memory = nullptr;
  std::uint64_t issued = 0;   // in the phase, written when it ends
  std::uint64_t limit = 0;    // of `issued`, then sluice_exec_late is called
  std::uint64_t stopped = 0;  // site of the barrier that it waits at
  void* frame = nullptr;      // of the coroutine; nullptr: not started
  std::byte* room = nullptr;  // for it
  std::byte* place = nullptr;  // where it meets others of its sub-group (sub_groups.h)
};

}  // namespace sluice::exec

extern "C" {
// The access of `site` is not where it must be by what the code could check: the address to use instead. `base` and
// `bytes` describe the object that was meant, if one is known.
void* sluice_exec_check(sluice::exec::Item* item, std::uint64_t site, std::uint64_t address, std::uint64_t base,
                        std::uint64_t bytes);
// The log is full: where to go on.
sluice::exec::LogEntry* sluice_exec_full(sluice::exec::Item* item, sluice::exec::LogEntry* end);
// The work-item has issued more than its limit in the loop at this line. `waits`: for whom it may, so that those get
// their turn. 0: it goes on; 1: the group used up its instructions, the work-item ends; 2: it stops, and goes on later.
enum SluiceWaits : std::uint32_t { sluice_waits_for_groups = 1, sluice_waits_for_items = 2 };
std::uint32_t sluice_exec_late(sluice::exec::Item* item, std::uint64_t line, std::uint64_t issued,
                               std::uint32_t waits);
// printf: `types` has a letter and a size for each argument ("i4;f8;p8;"), `values` their bytes, each at a multiple
// of 16.
void sluice_exec_print(sluice::exec::Item* item, const char* format, const char* types, const std::byte* values);
// What a kernel did with a pipe, or tried to, at this line.
enum class SluicePipeEvent : std::uint32_t { reserved, committed, wrong_size, wrong_reservation, wrong_index };
void sluice_exec_pipe(sluice::exec::Item* item, SluicePipeEvent event, std::uint64_t pipe, std::uint64_t line);
// Memory of a coroutine's frame.
void* sluice_exec_frame(sluice::exec::Item* item, std::uint64_t bytes);
// All work-items have come to the next barrier, or to the end. `sites`: in the order in which work-items come to
// them, the last one is where they are now. `classes`: of instructions that were counted, a bit each. 0: the group goes on.
std::uint32_t sluice_exec_rows(sluice::exec::Item* item, const sluice::exec::RowSite* sites, std::uint64_t count,
                               std::uint64_t classes);
// Address space of a generic pointer: 0 private, 1 global, 3 local.
std::uint32_t sluice_exec_space(sluice::exec::Item* item, std::uint64_t address);
}

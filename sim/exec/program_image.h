// What compiling yields: native code and the tables that running it needs. Plain data, so that it can be kept on disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "sim/iface/kernel_engine.h"

namespace sluice::exec {

enum class SiteKind : std::uint8_t {
  load,
  store,
  atomic,
  marker,  // a loop's end: keeps lanes that left an iteration early with the others
  barrier,
  wait,    // a loop's end at which a work-item lets the others of its group go on
  sub_group,       // what work-items of a sub-group do together, and
  sub_group_loop,  // the end of a loop in which some of them do so: those behind catch up with those ahead
  finish,  // the kernel's end
};

// What the compiler knows of where an access goes. `generic`: only the address tells.
enum class SiteSpace : std::uint8_t { global, constant, local, image, generic, private_ };

// A numbered place of a kernel's code that writes log entries. Numbers follow reverse post order with each loop
// contiguous, which is what the merge of lanes rests on (wave_merge.h); barriers and the end come last.
struct Site {
  SiteKind kind = SiteKind::marker;
  SiteSpace space = SiteSpace::global;
  AtomicKind atomic = AtomicKind::add;  // of SiteKind::atomic
  bool exact = false;          // the object is known: beyond its bounds nothing else is meant
  std::int32_t argument = -1;  // kernel argument that the pointer comes from
  std::uint32_t bytes = 0;     // of one lane's access
  std::uint32_t line = 0;      // of the source; 0: unknown
  std::uint32_t operation = 0; // of SiteKind::sub_group (sub_groups.h)
  std::string object = {};     // variable's name, for reports
};

// A compiled kernel.
struct KernelImage {
  static constexpr const char* path_symbol = "sluice.path";
  // Asked for before it is compiled: code that logs and counts nothing, for groups whose way is known.
  bool quiet = false;
  KernelInfo info;
  std::string symbol;                       // of the entry
  std::vector<Site> sites;                  // [0] is not used
  std::uint32_t largest_block_entries = 0;  // log entries that may be written between two checks for room
  bool suspends = false;                    // the entry is a coroutine: returns its frame (it stops at sites)
  bool sub_groups = false;                  // work-items of a sub-group do something together
  bool same_way = false;                    // its groups go the same way (uniformity.h),
  bool same_bytes = false;                  // and do the same but for where they write,
  bool if_narrow = false;                   // where global ids fit into 31 bits;
  bool guarded = false;                     // only those do for which quiet code's path_symbol tells the same
  bool lockstep = false;                    // it also stops before each access and at loops' ends
  bool lane_loops = false;                  // quiet: the entry executes a whole group (lane_loops.cpp)
  bool in_rows = false;                     // its work-items can log in rows (row_logs.h); quiet: they do
  bool may_wait = false;                    // has loops that may run until another group or the host has written
  std::uint64_t largest_access_bytes = 64;
  std::vector<std::byte> object;  // ELF
};

// What is known of a program before any of its kernels is compiled.
struct ProgramImage {
  std::vector<KernelInfo> kernels;       // without what only compiling tells: memory, registers, barriers
  std::vector<std::uint64_t> sizes = {};  // of kernels, in instructions, with all that they call
  std::vector<std::byte> variables;      // ELF: the program-scope variables that kernels share; empty: there are none
  std::vector<std::string> shared = {};  // their symbols
};

}  // namespace sluice::exec

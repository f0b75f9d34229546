// Host memory as a device's traffic meets it: which lines sit in a core's private cache, in the last-level cache or
// in DRAM, and what a core's memcpy costs. Free of SystemC; the models ask it when a transfer starts.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "sim/profile/profile.h"

namespace sluice::cache {

enum class LineState : std::uint8_t { memory, llc, private_clean, private_dirty };

// `lines` consecutive lines in the same state.
struct LineRun {
  std::uint64_t lines = 0;
  LineState state = LineState::memory;
};

// Whose core copies: that of the program's thread, in the call, or another one, with a thread of the driver's.
enum class Copier : std::uint8_t { caller, driver_thread };

class HostMemory {
 public:
  explicit HostMemory(const profile::Host& host);
  ~HostMemory();

  // Appends the runs of [address, address + bytes) in address order; partial lines count whole.
  void classify(std::uint64_t address, std::uint64_t bytes, std::vector<LineRun>& runs) const;

  void cpu_wrote(std::uint64_t address, std::uint64_t bytes);
  void cpu_read(std::uint64_t address, std::uint64_t bytes);
  // A device read leaves private dirty lines clean (written back) where they are.
  void device_read(std::uint64_t address, std::uint64_t bytes);
  // A device write removes the lines from private caches and allocates them in the last-level cache (DDIO).
  void device_wrote(std::uint64_t address, std::uint64_t bytes);
  void forget(std::uint64_t address, std::uint64_t bytes);

  // Of the home agent's snoop filter, which lists the lines that cores and devices hold; without one, nothing.
  struct Recalls {
    std::uint64_t core_lines = 0;    // that cores gave up for others' entries ...
    std::uint64_t device_lines = 0;  // ... and devices
  };
  // A device takes the lines into its cache and keeps them until it drops them.
  [[nodiscard]] Recalls device_holds(std::uint64_t address, std::uint64_t bytes);
  void device_drops(std::uint64_t address, std::uint64_t bytes);

  // A core copies `bytes` from `source` into a staging or ring buffer at `target`; moves the cache state along.
  // Streaming (non-temporal) stores leave the target in memory, ordinary ones dirty in the private cache. Private caches
  // are one here, whoever has the lines: what the program's core has written, another one reads and leaves clean.
  [[nodiscard]] TimePs copy_in(std::uint64_t source, std::uint64_t target, std::uint64_t bytes,
                               Copier copier = Copier::caller);
  // A core copies out of a staging buffer into the program's memory.
  [[nodiscard]] TimePs copy_out(std::uint64_t source, std::uint64_t target, std::uint64_t bytes);
  // What the program's stores to the bytes take, before cpu_wrote(). 0 where the profile does not say.
  [[nodiscard]] TimePs store_time(std::uint64_t address, std::uint64_t bytes) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::cache

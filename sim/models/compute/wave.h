// A wave on its way through its records, and what it must wait for. In order: an instruction is issued behind all
// before it, but loads and stores are under way while it goes on.
#pragma once

#include <vector>

#include "sim/iface/kernel_engine.h"
#include "sim/iface/time.h"
#include "sim/models/compute/server.h"

namespace sluice::compute {

// A wave between two of its records.
struct Wave {
  struct Flight {  // an access that is under way
    std::uint32_t site = 0;
    bool load = true;  // or an atomic; else a store
    TimePs done = 0;   // time_never: not known yet
  };
  std::uint32_t trace = 0;          // index into GroupTrace::waves
  std::uint32_t next = 0;           // record
  std::uint64_t issued = 0;         // instructions
  Cost instruction = 0;             // alone: from one to the next, by what the slowest port takes
  bool waited = false;              // for something farther than its unit
  std::uint64_t issued_before = 0;  // it did
  TimePs time = 0;
  std::vector<Flight> flights;  // in order of issue

  void begin(std::uint32_t index, TimePs at) {
    trace = index;
    next = 0;
    issued = issued_before = 0;
    waited = false;
    time = at;
    flights.clear();
  }
};

// How many of wave.flights, from the oldest on, must be over before the wave goes on to `access`. A barrier waits for
// all loads; so does a store, whose data they bring as a rule, and what is said to depend on them. If nothing is said,
// a load waits for the last one of its own site. Everything waits for room.
[[nodiscard]] inline std::size_t awaited(const Wave& wave, const WaveAccess& access, std::uint32_t room) {
  const std::size_t flying = wave.flights.size();
  std::size_t wait = access.kind != AccessKind::barrier && flying >= room ? flying - room + 1 : 0;
  const bool any_load = access.kind == AccessKind::barrier || access.dependence == Dependence::loads ||
                        (access.dependence == Dependence::unknown && access.kind == AccessKind::store);
  if (!any_load && access.dependence == Dependence::none) return wait;
  for (std::size_t i = flying; i > wait; --i) {
    const Wave::Flight& f = wave.flights[i - 1];
    if (f.load && (any_load || f.site == access.site)) return i;
  }
  return wait;
}

// The same at the wave's end: a wave ends with its last load, not with its last store.
[[nodiscard]] inline std::size_t awaited_at_end(const Wave& wave) {
  std::size_t wait = wave.flights.size();
  while (wait > 0 && !wave.flights[wait - 1].load) --wait;
  return wait;
}

}  // namespace sluice::compute

// An API call as its thread spent simulated time in it. The driver tells it (api/command/runtime.cpp), not the simulation.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sim/iface/command.h"
#include "sim/iface/time.h"

namespace sluice::trace {

// Of calls that enqueue nothing, and of those that wait for what they enqueue. What a call that only enqueues costs is in
// its command's record.
struct CallRecord {
  std::uint32_t thread = 0;  // of the program, from 1 on in the order of their first records; 0 calls its callbacks
  std::string_view name;     // "clFinish"; static storage
  CommandId command = 0;     // that the call made and waited for; 0: none
  TimePs begin = 0;
  TimePs end = 0;
  std::uint64_t calls = 1;   // of that name, one behind the other
};

// How a thread is called wherever a part would stand.
[[nodiscard]] inline std::string thread_name(std::uint32_t thread) {
  return thread == 0 ? "callbacks" : "thread " + std::to_string(thread);
}

}  // namespace sluice::trace

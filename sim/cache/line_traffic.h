// What a device's access to a line of host memory sends over the link and into the cores' caches: the coherence
// protocol's tables, run for one line with nothing else under way. Equal lines cost the same, so the models ask once
// for a whole run of them.
#pragma once

#include <cstdint>

#include "sim/cache/host_memory.h"
#include "sim/cache/protocol.h"

namespace sluice::cache {

enum class DeviceAccess : std::uint8_t {
  read_current,  // a copy engine's: keeps nothing
  read,          // a kernel's: the device's cache has the line, and lets it go at the end of the launch
  write_line,    // a whole line
  write_part,    // less: the line is fetched, changed and written back
  count_,
};

struct LineTraffic {
  // Messages on the link, by what they carry.
  std::uint32_t requests_up = 0;
  std::uint32_t responses_up = 0;
  std::uint32_t data_up = 0;
  std::uint32_t requests_down = 0;  // snoops of the device
  std::uint32_t responses_down = 0;
  std::uint32_t data_down = 0;
  std::uint32_t core_snoops = 0;      // of a core's cache, inside the host
  std::uint32_t evictions = 0;        // that the device tells the home of
  bool core_data = false;             // the core's cache sent the bytes, which it had modified
  CacheState core_after = CacheState::invalid;
};

// `state`: where the host's side has the line.
[[nodiscard]] const LineTraffic& traffic_of(DeviceAccess access, LineState state);

}  // namespace sluice::cache

// What joins host and device, as the other models see it. A Link turns a transfer into a Flow and knows the flights that
// commands, fences and maps take. sim/models/link has the kinds.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/cache/device_lines.h"
#include "sim/cache/host_memory.h"
#include "sim/models/traffic.h"
#include "sim/models/translation.h"

namespace sluice::sim {

inline constexpr std::uint32_t host_memory_bytes = 4096;

// A contiguous-row transfer between host memory and the device.
struct LinkTransfer {
  Direction direction = Direction::host_to_device;
  std::uint64_t host_address = 0;
  std::uint64_t row_bytes = 0;
  std::uint64_t rows = 1;
  std::uint64_t host_row_pitch_bytes = 0;
  TimePs row_ps = 0;                    // the engine's own work per row
  std::uint64_t row_unit_bytes = 0;     // rows that lie packed at the host: row_ps is for so many bytes; 0: for row_bytes
  TimePs memory_interval_ps = 0;        // device memory, per max_payload_bytes
  bool cached = false;                  // a kernel's: lines are kept in the device's cache for a while
  // Rows are AtomicOps, each a packet, with operands of so many bytes; `row_bytes` is what each answers. Host to device.
  std::uint32_t operand_bytes = 0;
  // Host memory, per host_memory_bytes of lines that no cache has; 0: no more is known of it than the home agent's rate.
  TimePs host_memory_interval_ps = 0;
  Walks walks;                          // of the IOMMU, for its pages
};

class Link {
 public:
  virtual ~Link() = default;
  // Fills `flow` (path, latencies, segments, window); `runs` says where the host's lines lie, row after row.
  virtual void plan(const LinkTransfer& transfer, const std::vector<cache::LineRun>& runs, Flow& flow) const = 0;
  // Puts the translation requests that `walks` tells of, if it does, and their answers beside `flow`.
  virtual void plan_translations(const Walks&, Flow&) const {}
  // So many invalidations of translations and their answers; a device takes `drop_ps` for each, beside others. Without hops: the
  // link carries none.
  virtual void plan_invalidations(std::uint64_t, TimePs, Flow& flow) const { flow.hops = 0; }
  // What the host's snoop filter takes back from others while `flow` brings lines into the device's cache.
  virtual void plan_filter(const cache::HostMemory::Recalls&, Flow&) const {}
  // What taking lines of the device's memory back from the host's caches sends.
  virtual void plan_recalls(const cache::DeviceLines::Taken&, Flow&) const {}
  // The same of `transfer.row_bytes * rows` bytes from one device's memory into another's, whose memory takes a packet of
  // max_payload_bytes in `peer_interval_ps`. False: devices do not reach each other.
  virtual bool plan_peer(const LinkTransfer&, TimePs, Flow&) const { return false; }
  // A doorbell or fence: one small posted write.
  [[nodiscard]] virtual TimePs posted_time() const = 0;
  // Maps and unmaps of memory that both sides address: caches are coherent in hardware, so lines move when they are
  // touched; or the driver cleans and invalidates those that are present, at map_cost() for so many.
  [[nodiscard]] virtual bool maintains_caches() const { return false; }
  [[nodiscard]] virtual TimePs map_cost(std::uint64_t) const { return 0; }
  // Bytes on each wire, headers and DLLPs included, and packets as the link counts them.
  struct WireUse {
    std::uint64_t up = 0;
    std::uint64_t down = 0;
    std::uint64_t tlps = 0;
  };
  [[nodiscard]] virtual WireUse wire_use(const Flow& flow, Direction direction) const = 0;
  // Atomics on host memory go there as requests with operands, one each.
  [[nodiscard]] virtual bool routes_atomics() const { return false; }
  // Pageable host memory needs no staging: the device reaches all of it.
  [[nodiscard]] virtual bool reaches_pageable() const = 0;
};

}  // namespace sluice::sim

// Device memory behind its last-level cache: channels, banks and rows reduced to what a stream of consecutive
// bytes costs, with a burst-by-burst model that the closed form is held to (dram_channel.h). Free of SystemC.
// The profile's trfc_ps is the time of one all-bank refresh every trefi_ps. A memory that refreshes bank by bank gives
// the share of time it loses by value: trfc_ps such that trfc_ps / trefi_ps is that share.
#pragma once

#include <cstdint>
#include <memory>

#include "sim/profile/profile.h"

namespace sluice::memory {

enum class Access : std::uint8_t { read, write };

struct StreamCost {
  TimePs first_ps = 0;     // latency of the first packet
  TimePs interval_ps = 0;  // time per packet of `packet_bytes` in steady state, rounded to ps
  std::uint64_t row_activations = 0;
  bool cached = false;     // served by the device's last-level cache
};

class DeviceMemory {
 public:
  DeviceMemory(const profile::DeviceMemory& memory, const profile::DeviceCache& cache);
  ~DeviceMemory();

  // Cost of one engine's stream over [address, address + bytes) cut into packets; updates the cache's contents.
  [[nodiscard]] StreamCost stream(Access access, std::uint64_t address, std::uint64_t bytes,
                                  std::uint32_t packet_bytes);
  // Sustained bytes a second of a sequential stream, row activations, refresh and turnaround included;
  // `write_permille` of the bytes are writes.
  [[nodiscard]] std::uint64_t sustained_bytes_per_s(std::uint32_t write_permille) const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::memory

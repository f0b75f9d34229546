// A memory of DRAM behind its last-level cache, if it has one: the device's or the host's. Channels, banks and rows are
// reduced to what a stream of consecutive bytes costs (`train`), or its commands are simulated (`commands`,
// dram_stream.h); tests hold the one to the other. Free of SystemC.
// In train detail trfc_ps is the time of one all-bank refresh every trefi_ps. A part without per-bank timings gives
// the share of time it loses by value: trfc_ps such that trfc_ps / trefi_ps is that share.
#pragma once

#include <cstdint>
#include <memory>

#include "sim/models/device_memory.h"
#include "sim/profile/profile.h"

namespace sluice::memory {

class DramMemory final : public DeviceMemory {
 public:
  DramMemory(const profile::Dram& memory, const profile::DeviceCache& cache);
  ~DramMemory() override;

  [[nodiscard]] StreamCost stream(Access access, std::uint64_t address, std::uint64_t bytes,
                                  std::uint32_t packet_bytes) override;
  [[nodiscard]] StreamCost stream(Access access, std::span<const AddressRun> runs, std::uint64_t payload,
                                  std::uint32_t packet_bytes) override;
  void share(KernelCache& cache) override;
  // Sustained bytes a second of a sequential stream, row activations, refresh and turnaround included;
  // `write_permille` of the bytes are writes.
  [[nodiscard]] std::uint64_t sustained_bytes_per_s(std::uint32_t write_permille) const noexcept override;
  [[nodiscard]] TimePs miss_latency_ps() const noexcept override;
  [[nodiscard]] bool takes_accesses() const noexcept override;
  void begin_launch(TimePs at) override;
  [[nodiscard]] TimePs serve(TimePs at, std::span<const KernelAccess> accesses) override;
  [[nodiscard]] DramUse kernel_use() override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::memory

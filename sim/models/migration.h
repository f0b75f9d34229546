// Pages of shared virtual memory that the driver moves to the side which touches them, as engines and compute units see
// it; sim/models/migration has the model.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/iface/time.h"

namespace sluice::sim {

// Where the device keeps pages of simulated host addresses: above the host's own.
inline constexpr std::uint64_t moved_pages_address = 1ULL << 45;

// Faults of the device that the driver serves together.
struct FaultBatch {
  std::uint64_t faults = 0;
  std::uint64_t blocks = 0;         // that the pages lie in
  std::uint64_t bytes = 0;          // moved to the device, prefetched ones included
  std::uint64_t evicted_bytes = 0;  // moved back to make room
  TimePs handling_ps = 0;           // the driver's work, the link's apart
};

// What a touch, or a wish, has moved. Bytes cross the link afterwards; where pages are is changed at once.
struct PageMoves {
  std::uint64_t faults = 0;
  std::uint64_t to_device_bytes = 0;
  std::uint64_t to_host_bytes = 0;
  std::uint64_t first_to_device = 0;  // simulated address of the first that moved
  std::uint64_t first_to_host = 0;
  TimePs handling_ps = 0;
  std::vector<FaultBatch> batches;  // of device_faults()
};

// Since the beginning, for the trace's counters.
struct MigrationTotals {
  std::uint64_t faults = 0;  // of the device
  std::uint64_t batches = 0;
  std::uint64_t host_faults = 0;
  std::uint64_t to_device_bytes = 0;
  std::uint64_t to_host_bytes = 0;
  std::uint64_t evicted_bytes = 0;  // of those to the host
};

class Migration {
 public:
  virtual ~Migration() = default;
  // Whether the driver moves the page at a simulated address.
  [[nodiscard]] virtual bool covers(std::uint64_t address) const = 0;
  [[nodiscard]] virtual std::uint64_t page_bytes() const noexcept = 0;
  // The device touches `pages` (addresses, in the order of first touch). A page that no allocation covers is memory of
  // the program: it moves alone, and the caller says each once.
  [[nodiscard]] virtual PageMoves device_faults(std::span<const std::uint64_t> pages) = 0;
  // A core touches [address, address + bytes), byte after byte.
  [[nodiscard]] virtual PageMoves host_faults(std::uint64_t address, std::uint64_t bytes) = 0;
  // The program asks for them. Without `contents` only their place changes.
  [[nodiscard]] virtual PageMoves move(std::uint64_t address, std::uint64_t bytes, bool to_device, bool contents) = 0;
  [[nodiscard]] virtual const MigrationTotals& totals() const noexcept = 0;
};

}  // namespace sluice::sim

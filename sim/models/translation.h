// What an IOMMU makes of a transfer's addresses, as engines and links see it; sim/models/iommu has the model.
#pragma once

#include <cstdint>
#include <string_view>

#include "sim/iface/command.h"
#include "sim/iface/time.h"

namespace sluice::sim {

// Rows of host memory, in the device's address space.
struct HostRows {
  std::uint64_t address = 0;
  std::uint64_t row_bytes = 0;
  std::uint64_t rows = 1;
  std::uint64_t pitch_bytes = 0;  // 0: row_bytes
};

struct Walks {
  std::uint64_t count = 0;  // pages that the IO-TLB did not hold
  TimePs latency_ps = 0;    // of one, as a mean
  TimePs walkers_ps = 0;    // of all, with all walkers at work
  bool holds_window = true; // what waits for a walk is on its way already, with a tag or credit of its own
  std::uint32_t requests = 0;  // of translations over the link, under way at once; 0: what is walked for asks by itself
  std::string_view part = "host.iommu";  // who does it, and what, for traces; static storage
  std::string_view action = "walk";
};

class Translator {
 public:
  virtual ~Translator() = default;
  // A transfer of `rows` begins; its pages are in the IO-TLB afterwards, as far as they fit.
  [[nodiscard]] virtual Walks walk(const HostRows& rows, Direction direction) = 0;
};

}  // namespace sluice::sim

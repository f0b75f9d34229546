// A device's address translation cache (PCIe ATS): translations that it has asked the host's IOMMU for, so that its
// requests carry translated addresses and the IOMMU is asked about the others only. Free of SystemC.
#pragma once

#include "sim/models/iommu/iommu.h"
#include "sim/models/iommu/lru_table.h"
#include "sim/models/translation.h"
#include "sim/profile/profile.h"

namespace sluice::iommu {

class DeviceTlb final : public sim::Translator {
 public:
  // `propagation`: of the link, one way. The IOMMU must outlive this; its own entries are the driver's to forget.
  DeviceTlb(const profile::Ats& profile, TimePs propagation, Iommu& agent);

  // One translation request for each page that is missing, `requests` of them under way at once.
  [[nodiscard]] sim::Walks walk(const sim::HostRows& rows, Direction direction) override;
  // An Invalidate Request for the smallest aligned power of two of pages that holds the range, which is how such requests tell
  // ranges: neighbours in it go, too. False: none of them was there.
  bool forget(std::uint64_t address, std::uint64_t bytes);

 private:
  // Adds one to `all` for each missing page of [address, address + bytes), and what the IOMMU does for them.
  void ask(std::uint64_t address, std::uint64_t bytes, Direction direction, sim::Walks& all);
  void ask_agent(std::uint64_t page, std::uint64_t pages, Direction direction, sim::Walks& all);

  const profile::Ats profile_;
  TimePs round_trip_ps_;
  Iommu& agent_;
  LruTable pages_;
};

}  // namespace sluice::iommu

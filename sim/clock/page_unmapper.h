// Tells IOMMU and devices which host pages are unmapped, and puts the messages on the devices' links.
#pragma once

#include <memory>
#include <vector>

#include "sim/clock/agenda.h"
#include "sim/models/iommu/device_tlb.h"
#include "sim/models/iommu/iommu.h"
#include "sim/models/unmapping.h"

namespace sluice::sim {

class PageUnmapper final : public Agenda<Unmapping::Asked>, public Unmapper {
 public:
  // `iommu`: null where there is none. `drop_ps`: what a device takes to forget.
  PageUnmapper(const sc_core::sc_module_name& name, const Link& link, iommu::Iommu* iommu, TimePs drop_ps)
      : Agenda(name), link_(link), iommu_(iommu), drop_ps_(drop_ps) {}
  // Devices that keep translations, in the order of their indices.
  void add_device(iommu::DeviceTlb& tlb, FlowEngine& flows) { devices_.push_back({&tlb, &flows}); }

  [[nodiscard]] Unmapping unmap(std::uint64_t address, std::uint64_t bytes, std::uint64_t piece_bytes,
                                CommandId command) override;
  void send(const Unmapping& unmapping, TimePs at) override;

 private:
  struct Device {
    iommu::DeviceTlb* tlb = nullptr;
    FlowEngine* flows = nullptr;
  };

  void act(const Unmapping::Asked& asked, TimePs now) override;

  const Link& link_;
  iommu::Iommu* iommu_;
  TimePs drop_ps_;
  std::vector<Device> devices_;
};

}  // namespace sluice::sim

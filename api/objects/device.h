// A root device of the platform. Sub-devices do not exist: the modelled machines cannot be partitioned.
#pragma once

#include <algorithm>
#include <array>

#include "api/objects/object.h"
#include "sim/iface/command.h"
#include "sim/iface/machine.h"

namespace sluice::api {

class Queue;

class Device final : public Object<Device, cl_device_id, ObjectType::device> {
 public:
  Device(DeviceIndex index, const Machine& machine) : index_(index), machine_(machine) {}

  [[nodiscard]] DeviceIndex index() const noexcept { return index_; }
  [[nodiscard]] const Machine& machine() const noexcept { return machine_; }
  [[nodiscard]] const DeviceInfo& info() const noexcept { return machine_.device; }
  // CL_DEVICE_PREFERRED_WORK_GROUP_SIZE_MULTIPLE: a wavefront, which is a sub-group.
  [[nodiscard]] std::size_t group_multiple() const noexcept { return info().wave_size; }
  // How many of them `items` work-items are.
  [[nodiscard]] std::size_t sub_groups(std::size_t items) const noexcept {
    return items / info().wave_size + (items % info().wave_size == 0 ? 0 : 1);
  }
  // CL_DEVICE_PRINTF_BUFFER_SIZE.
  static constexpr std::size_t printf_buffer_bytes = std::size_t{1} << 20;
  // CL_DEVICE_MAX_WORK_ITEM_SIZES.
  [[nodiscard]] std::array<std::size_t, 3> max_work_item_sizes() const noexcept {
    const std::size_t n = info().max_work_group_size;
    return {n, n, std::min<std::size_t>(n, 64)};
  }
  // CL_DEVICE_NON_UNIFORM_WORK_GROUP_SUPPORT.
  [[nodiscard]] static constexpr bool non_uniform_groups() noexcept { return true; }
  // CL_DEVICE_SVM_CAPABILITIES.
  [[nodiscard]] cl_device_svm_capabilities svm_capabilities() const noexcept;

 private:
  DeviceIndex index_;
  const Machine& machine_;
};

}  // namespace sluice::api

// A root device of the platform. Sub-devices do not exist: the modelled machines cannot be partitioned.
#pragma once

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
  // CL_DEVICE_SVM_CAPABILITIES.
  [[nodiscard]] cl_device_svm_capabilities svm_capabilities() const noexcept;

 private:
  DeviceIndex index_;
  const Machine& machine_;
};

}  // namespace sluice::api

// The one platform. Exists once the machine was opened; lives as long as the process.
#pragma once

#include <vector>

#include "api/objects/object.h"
#include "sim/iface/machine.h"

namespace sluice::api {

class Device;

class Platform final : public Object<Platform, cl_platform_id, ObjectType::platform> {
 public:
  explicit Platform(const Machine& machine);
  ~Platform();

  [[nodiscard]] const std::vector<Device*>& devices() const noexcept { return devices_; }

 private:
  std::vector<Device*> devices_;  // root devices: never released
};

}  // namespace sluice::api

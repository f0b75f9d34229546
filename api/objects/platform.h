// The one platform. Exists once the machine was opened; lives as long as the process.
#pragma once

#include <memory>
#include <vector>

#include "api/objects/object.h"

namespace sluice::api {

class Device;

class Platform final : public Object<Platform, cl_platform_id, ObjectType::platform> {
 public:
  Platform();
  ~Platform();

  [[nodiscard]] const std::vector<Device*>& devices() const noexcept { return devices_; }

 private:
  std::vector<Device*> devices_;  // root devices: never released
};

}  // namespace sluice::api

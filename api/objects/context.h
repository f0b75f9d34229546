// A context: its devices, its properties as given, and its destructor callbacks.
#pragma once

#include <vector>

#include "api/objects/device.h"
#include "api/objects/object.h"

namespace sluice::api {

using ContextNotify = void(CL_CALLBACK*)(const char* text, const void* data, std::size_t bytes, void* user_data);
using ContextDestructor = void(CL_CALLBACK*)(cl_context context, void* user_data);

class Context final : public Object<Context, cl_context, ObjectType::context> {
 public:
  Context(std::vector<Device*> devices, std::vector<cl_context_properties> properties);
  // Posts the destructor callbacks, the newest first, to the runtime thread.
  ~Context();

  // Without duplicates, in the order in which they were given.
  [[nodiscard]] const std::vector<Device*>& devices() const noexcept { return devices_; }
  [[nodiscard]] bool has(const Device* device) const noexcept;
  // With the terminating 0; empty if the context was created with NULL.
  [[nodiscard]] const std::vector<cl_context_properties>& properties() const noexcept { return properties_; }
  void on_destruction(ContextDestructor function, void* user_data) { destructors_.push_back({function, user_data}); }

 private:
  struct Destructor {
    ContextDestructor function;
    void* user_data;
  };
  std::vector<Device*> devices_;
  std::vector<cl_context_properties> properties_;
  std::vector<Destructor> destructors_;
};

}  // namespace sluice::api

// Platform, device, context, queue and event: what is more than an accessor.
#include "api/command/runtime.h"
#include "api/command/scheduler.h"
#include "api/objects/context.h"
#include "api/objects/device.h"
#include "api/objects/event.h"
#include "api/objects/platform.h"
#include "api/objects/queue.h"

#include <algorithm>

namespace sluice::api {

Platform::Platform(const Machine& machine) {
  for (DeviceIndex i = 0; i < machine.device_count; ++i) devices_.push_back(new Device(i, machine));
}

Platform::~Platform() = default;

cl_device_svm_capabilities Device::svm_capabilities() const noexcept {
  cl_device_svm_capabilities result = 0;
  switch (info().svm) {
    case SvmSupport::fine_system: result |= CL_DEVICE_SVM_FINE_GRAIN_SYSTEM; [[fallthrough]];
    case SvmSupport::fine_buffer: result |= CL_DEVICE_SVM_FINE_GRAIN_BUFFER; [[fallthrough]];
    case SvmSupport::coarse: result |= CL_DEVICE_SVM_COARSE_GRAIN_BUFFER; break;
    case SvmSupport::none: return 0;
  }
  // Atomics are an option of fine-grained memory only.
  if (info().svm_atomics && info().svm != SvmSupport::coarse) result |= CL_DEVICE_SVM_ATOMICS;
  return result;
}

Context::Context(std::vector<Device*> devices, std::vector<cl_context_properties> properties)
    : devices_(std::move(devices)), properties_(std::move(properties)) {}

Context::~Context() {
  Runtime& runtime = Runtime::instance();
  for (auto it = destructors_.rbegin(); it != destructors_.rend(); ++it) {
    runtime.post_callback(runtime.clock(), [d = *it, context = handle()] { d.function(context, d.user_data); });
  }
}

bool Context::has(const Device* device) const noexcept {
  return std::find(devices_.begin(), devices_.end(), device) != devices_.end();
}

Queue::Queue(Context& context, Device& device, cl_command_queue_properties properties,
             std::vector<cl_queue_properties> property_list)
    : context_(&context),
      device_(&device),
      id_(Runtime::instance().next_queue_id()),
      properties_(properties),
      property_list_(std::move(property_list)) {}

void Queue::set_properties(cl_command_queue_properties properties, bool enable) noexcept {
  properties_ = enable ? properties_ | properties : properties_ & ~properties;
}

cl_int Event::status(const Simulator& sim) const noexcept {
  if (done_) return result_;
  if (is_user()) return CL_SUBMITTED;
  if (!submitted_ || stamps_.submitted > sim.now()) return CL_QUEUED;
  // The device may go on before the host knows that it may; a program must not see both commands running.
  return sim.has_started(command) && !Runtime::instance().scheduler().awaits(command) ? CL_RUNNING : CL_SUBMITTED;
}

void Event::submitted(const EnqueueStamps& stamps) noexcept {
  submitted_ = true;
  stamps_ = stamps;
}

void Event::finished(cl_int result, const Completion& times) noexcept {
  done_ = true;
  result_ = result;
  times_ = times;
  command = 0;
}

}  // namespace sluice::api

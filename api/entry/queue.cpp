// Command queues.
#include "api/objects/queue.h"

#include "api/command/scheduler.h"
#include "api/entry/info_writer.h"
#include "api/objects/registry.h"

namespace sluice::api {

namespace {

constexpr cl_command_queue_properties kHostProperties =
    CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE | CL_QUEUE_PROFILING_ENABLE;
constexpr cl_command_queue_properties kKnownProperties =
    kHostProperties | CL_QUEUE_ON_DEVICE | CL_QUEUE_ON_DEVICE_DEFAULT;

// Reads a property list. CL_INVALID_VALUE for what is not valid, CL_INVALID_QUEUE_PROPERTIES for what is valid and not
// supported: there are no queues on the device.
cl_int read_properties(const Device& device, const cl_queue_properties* list, cl_command_queue_properties& properties,
                       std::vector<cl_queue_properties>& copy) {
  if (list == nullptr) return CL_SUCCESS;
  bool sized = false;
  for (; *list != 0; list += 2) {
    switch (list[0]) {
      case CL_QUEUE_PROPERTIES: properties = list[1]; break;
      case CL_QUEUE_SIZE: sized = true; break;
      default: return CL_INVALID_VALUE;
    }
    for (std::size_t i = 0; i < copy.size(); i += 2) {
      if (copy[i] == list[0]) return CL_INVALID_VALUE;
    }
    copy.push_back(list[0]);
    copy.push_back(list[1]);
  }
  copy.push_back(0);
  const bool on_device = (properties & CL_QUEUE_ON_DEVICE) != 0;
  if ((properties & ~kKnownProperties) != 0) return CL_INVALID_VALUE;
  if (on_device && (properties & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE) == 0) return CL_INVALID_VALUE;
  if (!on_device && ((properties & CL_QUEUE_ON_DEVICE_DEFAULT) != 0 || sized)) return CL_INVALID_VALUE;
  if (on_device) return CL_INVALID_QUEUE_PROPERTIES;
  if ((properties & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE) != 0 && !device.info().out_of_order_queues) {
    return CL_INVALID_QUEUE_PROPERTIES;
  }
  return CL_SUCCESS;
}

cl_command_queue create_queue(cl_context context_handle, cl_device_id device_handle, const cl_queue_properties* list,
                              bool keep_list, cl_int& code) {
  Context* context = find<Context>(context_handle);
  Device* device = find<Device>(device_handle);
  if (context == nullptr) {
    code = CL_INVALID_CONTEXT;
  } else if (device == nullptr || !context->has(device)) {
    code = CL_INVALID_DEVICE;
  } else {
    cl_command_queue_properties properties = 0;
    std::vector<cl_queue_properties> copy;
    code = read_properties(*device, list, properties, copy);
    if (code == CL_SUCCESS) {
      if (!keep_list) copy.clear();
      return (new Queue(*context, *device, properties, std::move(copy)))->handle();
    }
  }
  return nullptr;
}

}  // namespace

}  // namespace sluice::api

using namespace sluice::api;

extern "C" {

cl_command_queue CL_API_CALL clCreateCommandQueueWithProperties(cl_context context, cl_device_id device,
                                                                const cl_queue_properties* properties,
                                                                cl_int* errcode_ret) {
  return create<cl_command_queue>(
      errcode_ret, [&](Call&, cl_int& code) { return create_queue(context, device, properties, true, code); });
}

cl_command_queue CL_API_CALL clCreateCommandQueue(cl_context context, cl_device_id device,
                                                  cl_command_queue_properties properties, cl_int* errcode_ret) {
  return create<cl_command_queue>(errcode_ret, [&](Call&, cl_int& code) -> cl_command_queue {
    // The bits of queues on the device are not among those of this function.
    const cl_queue_properties list[] = {CL_QUEUE_PROPERTIES, properties, 0};
    cl_command_queue queue = create_queue(context, device, list, false, code);
    if (code == CL_INVALID_QUEUE_PROPERTIES && (properties & ~kHostProperties) != 0) code = CL_INVALID_VALUE;
    return queue;
  });
}

cl_int CL_API_CALL clSetDefaultDeviceCommandQueue(cl_context context_handle, cl_device_id device_handle,
                                                  cl_command_queue queue) {
  return enter([&](Call&) -> cl_int {
    Context* context = find<Context>(context_handle);
    Device* device = find<Device>(device_handle);
    if (context == nullptr) return CL_INVALID_CONTEXT;
    if (device == nullptr || !context->has(device)) return CL_INVALID_DEVICE;
    // "CL_INVALID_OPERATION if device does not support a replaceable default on-device queue": none does.
    static_cast<void>(queue);
    return CL_INVALID_OPERATION;
  });
}

cl_int CL_API_CALL clRetainCommandQueue(cl_command_queue handle) {
  return enter([&](Call&) -> cl_int {
    Queue* queue = find<Queue>(handle);
    if (queue == nullptr) return CL_INVALID_COMMAND_QUEUE;
    queue->retain();
    return CL_SUCCESS;
  });
}

// Performs an implicit flush. The last release waits for what can complete without another thread's help, as drivers
// do: after it nobody may be left who would move the device.
cl_int CL_API_CALL clReleaseCommandQueue(cl_command_queue handle) {
  return enter([&](Call& call) -> cl_int {
    Queue* queue = find<Queue>(handle);
    if (queue == nullptr) return CL_INVALID_COMMAND_QUEUE;
    const Ref<Queue> keep(queue);
    if (!queue->release()) return CL_INVALID_COMMAND_QUEUE;
    if (queue->reference_count() != 0 || !Scheduler::can_finish(*queue) || idle(*queue)) return CL_SUCCESS;
    return call.runtime().scheduler().finish(call, *queue);
  });
}

cl_int CL_API_CALL clGetCommandQueueInfo(cl_command_queue handle, cl_command_queue_info name, size_t size, void* value,
                                         size_t* size_ret) {
  return enter([&](Call&) -> cl_int {
    Queue* queue = find<Queue>(handle);
    if (queue == nullptr) return CL_INVALID_COMMAND_QUEUE;
    const InfoWriter out(size, value, size_ret);
    switch (name) {
      case CL_QUEUE_CONTEXT: return out.value<cl_context>(queue->context().handle());
      case CL_QUEUE_DEVICE: return out.value<cl_device_id>(queue->device().handle());
      case CL_QUEUE_REFERENCE_COUNT: return out.value<cl_uint>(queue->reference_count());
      case CL_QUEUE_PROPERTIES: return out.value<cl_command_queue_properties>(queue->properties());
      case CL_QUEUE_PROPERTIES_ARRAY: return out.array(queue->property_list());
      case CL_QUEUE_SIZE: return CL_INVALID_COMMAND_QUEUE;  // "not a valid command-queue for param_name"
      case CL_QUEUE_DEVICE_DEFAULT: return out.value<cl_command_queue>(nullptr);
      default: return CL_INVALID_VALUE;
    }
  });
}

// Deprecated since OpenCL 1.1, and still called by programs of OpenCL 1.0. Changing the order "will cause the OpenCL
// implementation to block until all previously queued commands in command_queue have completed" (OpenCL 1.0).
cl_int CL_API_CALL clSetCommandQueueProperty(cl_command_queue handle, cl_command_queue_properties properties,
                                             cl_bool enable, cl_command_queue_properties* old_properties) {
  return enter([&](Call& call) -> cl_int {
    Queue* queue = find<Queue>(handle);
    if (queue == nullptr) return CL_INVALID_COMMAND_QUEUE;
    if ((properties & ~kHostProperties) != 0) return CL_INVALID_VALUE;
    const bool order = (properties & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE) != 0;
    if (order && !queue->device().info().out_of_order_queues) return CL_INVALID_QUEUE_PROPERTIES;
    const Ref<Queue> keep(queue);  // another thread may release it, or enqueue more, while this one waits
    while (order && queue->in_order() == (enable != CL_FALSE) && !idle(*queue)) {
      if (const cl_int code = call.runtime().scheduler().finish(call, *queue); code != CL_SUCCESS) return code;
    }
    if (old_properties != nullptr) *old_properties = queue->properties();
    queue->set_properties(properties, enable != CL_FALSE);
    return CL_SUCCESS;
  });
}

}  // extern "C"

// clCreateContext and its family.
#include "api/objects/context.h"

#include <algorithm>

#include "api/command/runtime.h"
#include "api/entry/info_writer.h"
#include "api/objects/registry.h"

namespace sluice::api {

namespace {

// Reads a property list. CL_INVALID_PROPERTY for unknown and repeated names, CL_INVALID_PLATFORM for a bad platform.
cl_int read_properties(const cl_context_properties* list, std::vector<cl_context_properties>& copy) {
  if (list == nullptr) return CL_SUCCESS;
  for (; *list != 0; list += 2) {
    for (std::size_t i = 0; i < copy.size(); i += 2) {
      if (copy[i] == list[0]) return CL_INVALID_PROPERTY;
    }
    switch (list[0]) {
      case CL_CONTEXT_PLATFORM:
        if (find<Platform>(reinterpret_cast<cl_platform_id>(list[1])) == nullptr) return CL_INVALID_PLATFORM;
        break;
      case CL_CONTEXT_INTEROP_USER_SYNC:
        if (list[1] != CL_TRUE && list[1] != CL_FALSE) return CL_INVALID_PROPERTY;
        break;
      default: return CL_INVALID_PROPERTY;
    }
    copy.push_back(list[0]);
    copy.push_back(list[1]);
  }
  copy.push_back(0);
  return CL_SUCCESS;
}

}  // namespace

}  // namespace sluice::api

using namespace sluice::api;

// The notify functions are checked and not kept: this device has no errors that no call returns.

extern "C" {

cl_context CL_API_CALL clCreateContext(const cl_context_properties* properties, cl_uint num_devices,
                                       const cl_device_id* devices, ContextNotify notify, void* user_data,
                                       cl_int* errcode_ret) {
  return create<cl_context>(errcode_ret, [&](Call&, cl_int& code) -> cl_context {
    std::vector<cl_context_properties> copy;
    if ((code = read_properties(properties, copy)) != CL_SUCCESS) return nullptr;
    if (devices == nullptr || num_devices == 0 || (notify == nullptr && user_data != nullptr)) {
      code = CL_INVALID_VALUE;
      return nullptr;
    }
    std::vector<Device*> list;
    for (cl_uint i = 0; i < num_devices; ++i) {
      Device* device = find<Device>(devices[i]);
      if (device == nullptr) {
        code = CL_INVALID_DEVICE;
        return nullptr;
      }
      // "Duplicate devices specified in devices are ignored."
      if (std::find(list.begin(), list.end(), device) == list.end()) list.push_back(device);
    }
    return (new Context(std::move(list), std::move(copy)))->handle();
  });
}

cl_context CL_API_CALL clCreateContextFromType(const cl_context_properties* properties, cl_device_type type,
                                               ContextNotify notify, void* user_data, cl_int* errcode_ret) {
  return create<cl_context>(errcode_ret, [&](Call& call, cl_int& code) -> cl_context {
    std::vector<cl_context_properties> copy;
    if ((code = read_properties(properties, copy)) != CL_SUCCESS) return nullptr;
    constexpr cl_device_type known = CL_DEVICE_TYPE_DEFAULT | CL_DEVICE_TYPE_CPU | CL_DEVICE_TYPE_GPU |
                                     CL_DEVICE_TYPE_ACCELERATOR | CL_DEVICE_TYPE_CUSTOM;
    if (!call.runtime().open()) {
      code = CL_INVALID_PLATFORM;
    } else if (notify == nullptr && user_data != nullptr) {
      code = CL_INVALID_VALUE;
    } else if (type != CL_DEVICE_TYPE_ALL && (type == 0 || (type & ~known) != 0)) {
      code = CL_INVALID_DEVICE_TYPE;
    } else if (type != CL_DEVICE_TYPE_ALL && (type & (CL_DEVICE_TYPE_GPU | CL_DEVICE_TYPE_DEFAULT)) == 0) {
      code = CL_DEVICE_NOT_FOUND;
    }
    if (code != CL_SUCCESS) return nullptr;
    std::vector<Device*> list = call.runtime().platform().devices();
    if ((type & CL_DEVICE_TYPE_GPU) == 0) list.resize(1);  // the default device
    return (new Context(std::move(list), std::move(copy)))->handle();
  });
}

cl_int CL_API_CALL clRetainContext(cl_context handle) {
  return enter([&](Call&) -> cl_int {
    Context* context = find<Context>(handle);
    if (context == nullptr) return CL_INVALID_CONTEXT;
    context->retain();
    return CL_SUCCESS;
  });
}

cl_int CL_API_CALL clReleaseContext(cl_context handle) {
  return enter([&](Call&) -> cl_int {
    Context* context = find<Context>(handle);
    return context != nullptr && context->release() ? CL_SUCCESS : CL_INVALID_CONTEXT;
  });
}

cl_int CL_API_CALL clGetContextInfo(cl_context handle, cl_context_info name, size_t size, void* value,
                                    size_t* size_ret) {
  return enter([&](Call&) -> cl_int {
    Context* context = find<Context>(handle);
    if (context == nullptr) return CL_INVALID_CONTEXT;
    const InfoWriter out(size, value, size_ret);
    switch (name) {
      case CL_CONTEXT_REFERENCE_COUNT: return out.value<cl_uint>(context->reference_count());
      case CL_CONTEXT_NUM_DEVICES: return out.value<cl_uint>(static_cast<cl_uint>(context->devices().size()));
      case CL_CONTEXT_DEVICES: {
        std::vector<cl_device_id> handles;
        for (Device* device : context->devices()) handles.push_back(device->handle());
        return out.array(handles);
      }
      case CL_CONTEXT_PROPERTIES: return out.array(context->properties());
      default: return CL_INVALID_VALUE;
    }
  });
}

cl_int CL_API_CALL clSetContextDestructorCallback(cl_context handle, ContextDestructor function, void* user_data) {
  return enter([&](Call&) -> cl_int {
    Context* context = find<Context>(handle);
    if (context == nullptr) return CL_INVALID_CONTEXT;
    if (function == nullptr) return CL_INVALID_VALUE;
    context->on_destruction(function, user_data);
    return CL_SUCCESS;
  });
}

}  // extern "C"

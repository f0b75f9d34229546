// Queries of kernel objects (OpenCL 3.0, section 5.9.4).
#include <CL/cl.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "api/command/runtime.h"
#include "api/compiler/features.h"
#include "api/entry/info_writer.h"
#include "api/objects/device.h"
#include "api/objects/kernel.h"
#include "api/objects/registry.h"

using namespace sluice::api;

namespace {

using sluice::ArgumentKind;
using sluice::KernelArgumentInfo;
using sluice::KernelInfo;

// The device of a query: one that the program was built for; NULL where the context has one only. nullptr: invalid.
const Device* find_device(const Kernel& kernel, cl_device_id handle) {
  const std::vector<Device*>& devices = kernel.context().devices();
  const Device* device = handle == nullptr && devices.size() == 1 ? devices.front() : find<Device>(handle);
  if (device == nullptr || !kernel.context().has(device)) return nullptr;
  return kernel.code(*device).module == nullptr ? nullptr : device;
}

cl_kernel_arg_address_qualifier address_qualifier(ArgumentKind kind) {
  switch (kind) {
    case ArgumentKind::global:
    case ArgumentKind::image: return CL_KERNEL_ARG_ADDRESS_GLOBAL;
    case ArgumentKind::constant: return CL_KERNEL_ARG_ADDRESS_CONSTANT;
    case ArgumentKind::local: return CL_KERNEL_ARG_ADDRESS_LOCAL;
    case ArgumentKind::value:
    case ArgumentKind::sampler: break;
  }
  return CL_KERNEL_ARG_ADDRESS_PRIVATE;
}

cl_kernel_arg_access_qualifier access_qualifier(std::uint8_t access) {
  constexpr cl_kernel_arg_access_qualifier names[] = {CL_KERNEL_ARG_ACCESS_NONE, CL_KERNEL_ARG_ACCESS_READ_ONLY,
                                                      CL_KERNEL_ARG_ACCESS_WRITE_ONLY, CL_KERNEL_ARG_ACCESS_READ_WRITE};
  return names[access & 3];
}

cl_kernel_arg_type_qualifier type_qualifier(const KernelArgumentInfo& a) {
  if (a.is_pipe) return CL_KERNEL_ARG_TYPE_PIPE;
  cl_kernel_arg_type_qualifier bits = CL_KERNEL_ARG_TYPE_NONE;
  if (a.is_const) bits |= CL_KERNEL_ARG_TYPE_CONST;
  if (a.is_restrict) bits |= CL_KERNEL_ARG_TYPE_RESTRICT;
  if (a.is_volatile) bits |= CL_KERNEL_ARG_TYPE_VOLATILE;
  return bits;
}

}  // namespace

CL_API_ENTRY cl_int CL_API_CALL clGetKernelInfo(cl_kernel kernel, cl_kernel_info param_name, size_t param_value_size,
                                                void* param_value, size_t* param_value_size_ret) {
  return enter([&](Call&) -> cl_int {
    const Kernel* k = find<Kernel>(kernel);
    if (k == nullptr) return CL_INVALID_KERNEL;
    const InfoWriter out(param_value_size, param_value, param_value_size_ret);
    switch (param_name) {
      case CL_KERNEL_FUNCTION_NAME: return out.string(k->info().name.c_str());
      case CL_KERNEL_NUM_ARGS: return out.value<cl_uint>(static_cast<cl_uint>(k->arguments().size()));
      case CL_KERNEL_REFERENCE_COUNT: return out.value<cl_uint>(k->reference_count());
      case CL_KERNEL_CONTEXT: return out.value<cl_context>(k->context().handle());
      case CL_KERNEL_PROGRAM: return out.value<cl_program>(k->program().handle());
      case CL_KERNEL_ATTRIBUTES: return out.string(k->info().attributes.c_str());
      default: return CL_INVALID_VALUE;
    }
  });
}

CL_API_ENTRY cl_int CL_API_CALL clGetKernelArgInfo(cl_kernel kernel, cl_uint arg_index, cl_kernel_arg_info param_name,
                                                   size_t param_value_size, void* param_value,
                                                   size_t* param_value_size_ret) {
  return enter([&](Call&) -> cl_int {
    const Kernel* k = find<Kernel>(kernel);
    if (k == nullptr) return CL_INVALID_KERNEL;
    if (arg_index >= k->arguments().size()) return CL_INVALID_ARG_INDEX;
    if (!k->has_argument_info()) return CL_KERNEL_ARG_INFO_NOT_AVAILABLE;
    const KernelArgumentInfo& a = k->info().arguments[arg_index];
    const InfoWriter out(param_value_size, param_value, param_value_size_ret);
    switch (param_name) {
      case CL_KERNEL_ARG_ADDRESS_QUALIFIER:
        return out.value<cl_kernel_arg_address_qualifier>(address_qualifier(a.kind));
      case CL_KERNEL_ARG_ACCESS_QUALIFIER: return out.value<cl_kernel_arg_access_qualifier>(access_qualifier(a.access));
      case CL_KERNEL_ARG_TYPE_NAME: return out.string(a.type_name.c_str());
      case CL_KERNEL_ARG_TYPE_QUALIFIER: return out.value<cl_kernel_arg_type_qualifier>(type_qualifier(a));
      case CL_KERNEL_ARG_NAME: return out.string(a.name.c_str());
      default: return CL_INVALID_VALUE;
    }
  });
}

CL_API_ENTRY cl_int CL_API_CALL clGetKernelWorkGroupInfo(cl_kernel kernel, cl_device_id device,
                                                         cl_kernel_work_group_info param_name, size_t param_value_size,
                                                         void* param_value, size_t* param_value_size_ret) {
  return enter([&](Call&) -> cl_int {
    Kernel* k = find<Kernel>(kernel);
    if (k == nullptr) return CL_INVALID_KERNEL;
    const Device* d = find_device(*k, device);
    if (d == nullptr) return CL_INVALID_DEVICE;
    if (!k->prepare(*d)) return CL_OUT_OF_RESOURCES;
    const KernelInfo& info = k->code(*d).info();
    const InfoWriter out(param_value_size, param_value, param_value_size_ret);
    switch (param_name) {
      case CL_KERNEL_WORK_GROUP_SIZE: return out.value<size_t>(d->info().max_work_group_size);
      case CL_KERNEL_COMPILE_WORK_GROUP_SIZE: {
        const size_t required[3] = {info.required_group[0], info.required_group[1], info.required_group[2]};
        return out.bytes(required, sizeof required);
      }
      case CL_KERNEL_LOCAL_MEM_SIZE: return out.value<cl_ulong>(k->local_bytes(info));
      case CL_KERNEL_PREFERRED_WORK_GROUP_SIZE_MULTIPLE: return out.value<size_t>(d->group_multiple());
      case CL_KERNEL_PRIVATE_MEM_SIZE: return out.value<cl_ulong>(info.private_bytes);
      default: return CL_INVALID_VALUE;  // CL_KERNEL_GLOBAL_WORK_SIZE too: no kernel is built in
    }
  });
}

namespace {

// The size_t values of clGetKernelSubGroupInfo's input: one, or one for each dimension. Empty: not valid.
std::vector<std::size_t> input_values(const void* input, std::size_t bytes, std::size_t most) {
  const std::size_t count = bytes / sizeof(std::size_t);
  if (input == nullptr || bytes % sizeof(std::size_t) != 0 || count == 0 || count > most) return {};
  std::vector<std::size_t> values(count);
  std::memcpy(values.data(), input, bytes);
  return values;
}

// 0 where a work-group of that local size cannot be.
template <class Sizes>
std::size_t items_of(const Device& device, const Sizes& local) {
  std::size_t items = 1;
  for (const std::size_t n : local) {
    if (__builtin_mul_overflow(items, n, &items)) return 0;
  }
  return items <= device.info().max_work_group_size ? items : 0;
}

std::size_t most_sub_groups(const Device& device, const KernelInfo& kernel) {
  if (kernel.required_group[0] != 0) return device.sub_groups(items_of(device, kernel.required_group));
  return device.sub_groups(device.info().max_work_group_size);
}

// The local size of one dimension that makes `count` sub-groups, none of them partial; 0: there is none.
std::size_t size_for(const Device& device, const KernelInfo& kernel, std::size_t count) {
  if (count == 0 || count > device.max_work_item_sizes()[0] / device.info().wave_size) return 0;
  const std::size_t size = count * device.info().wave_size;
  const std::array<std::uint64_t, 3> one_dimension{size, 1, 1};
  return kernel.required_group[0] == 0 || kernel.required_group == one_dimension ? size : 0;
}

}  // namespace

// OpenCL 3.0, section 5.9.4.2. A sub-group is a wavefront of the device, of which the last in a work-group may be partial.
CL_API_ENTRY cl_int CL_API_CALL clGetKernelSubGroupInfo(cl_kernel kernel, cl_device_id device,
                                                        cl_kernel_sub_group_info param_name, size_t input_value_size,
                                                        const void* input_value, size_t param_value_size,
                                                        void* param_value, size_t* param_value_size_ret) {
  return enter([&](Call&) -> cl_int {
    Kernel* k = find<Kernel>(kernel);
    if (k == nullptr) return CL_INVALID_KERNEL;
    const Device* d = find_device(*k, device);
    if (d == nullptr) return CL_INVALID_DEVICE;
    if (!sluice::compiler::has_feature(d->info(), "__opencl_c_subgroups")) return CL_INVALID_OPERATION;
    const std::size_t wave = d->info().wave_size;
    const InfoWriter out(param_value_size, param_value, param_value_size_ret);
    switch (param_name) {
      case CL_KERNEL_MAX_SUB_GROUP_SIZE_FOR_NDRANGE:
      case CL_KERNEL_SUB_GROUP_COUNT_FOR_NDRANGE: {
        const auto local = input_values(input_value, input_value_size, 3);
        const std::size_t items = items_of(*d, local);
        if (local.empty() || items == 0) return CL_INVALID_VALUE;
        if (param_name == CL_KERNEL_SUB_GROUP_COUNT_FOR_NDRANGE) return out.value<size_t>(d->sub_groups(items));
        return out.value<size_t>(std::min(items, wave));
      }
      case CL_KERNEL_LOCAL_SIZE_FOR_SUB_GROUP_COUNT: {
        const auto count = input_values(input_value, input_value_size, 1);
        if (count.empty()) return CL_INVALID_VALUE;
        const std::size_t size = size_for(*d, k->info(), count.front());
        const std::array<std::size_t, 3> local{size, size == 0 ? 0U : 1U, size == 0 ? 0U : 1U};
        // As many dimensions as there is room for.
        const std::size_t room = param_value_size / sizeof(std::size_t);
        return out.bytes(local.data(), std::clamp<std::size_t>(room, 1, local.size()) * sizeof(std::size_t));
      }
      case CL_KERNEL_MAX_NUM_SUB_GROUPS: return out.value<size_t>(most_sub_groups(*d, k->info()));
      // OpenCL C has no way to say it, and SPIR-V that does is refused (api/compiler/translate.cpp).
      case CL_KERNEL_COMPILE_NUM_SUB_GROUPS: return out.value<size_t>(0);
      default: return CL_INVALID_VALUE;
    }
  });
}

// clGetDevice*, sub-devices, and the timers.
#include <CL/cl_ext.h>

#include <algorithm>
#include <string>

#include "api/command/runtime.h"
#include "api/compiler/compiler.h"
#include "api/compiler/features.h"
#include "api/entry/info_writer.h"
#include "api/entry/platform.h"
#include "api/objects/device.h"
#include "api/objects/image.h"
#include "api/objects/pipe.h"
#include "api/objects/registry.h"

namespace sluice::api {

namespace {

constexpr cl_version kOpenClVersion = CL_MAKE_VERSION(3, 0, 0);
constexpr cl_version kOpenClCVersion = CL_MAKE_VERSION(1, 2, 0);
constexpr cl_name_version kOpenClCVersions[] = {
    {CL_MAKE_VERSION(3, 0, 0), "OpenCL C"}, {CL_MAKE_VERSION(1, 2, 0), "OpenCL C"},
    {CL_MAKE_VERSION(1, 1, 0), "OpenCL C"}, {CL_MAKE_VERSION(1, 0, 0), "OpenCL C"}};
constexpr cl_name_version kIls[] = {
    {CL_MAKE_VERSION(1, 0, 0), "SPIR-V"}, {CL_MAKE_VERSION(1, 1, 0), "SPIR-V"}, {CL_MAKE_VERSION(1, 2, 0), "SPIR-V"},
    {CL_MAKE_VERSION(1, 3, 0), "SPIR-V"}, {CL_MAKE_VERSION(1, 4, 0), "SPIR-V"}};
constexpr std::size_t kGlobalVariableBytes = 65536;  // the least that __opencl_c_program_scope_global_variables allows

bool has_pipes(const DeviceInfo& d) { return compiler::has_feature(d, "__opencl_c_pipes"); }

cl_uint max_sub_groups(const Device& device) {
  if (!compiler::has_feature(device.info(), "__opencl_c_subgroups")) return 0;
  return static_cast<cl_uint>(device.sub_groups(device.info().max_work_group_size));
}

// Every query whose answer is a cl_uint. False: not one of them.
bool uint_query(const Device& device, cl_device_info name, cl_uint& answer) {
  const DeviceInfo& d = device.info();
  switch (name) {
    case CL_DEVICE_VENDOR_ID: answer = d.vendor_id; return true;
    case CL_DEVICE_MAX_COMPUTE_UNITS: answer = d.compute_units; return true;
    case CL_DEVICE_MAX_WORK_ITEM_DIMENSIONS: answer = 3; return true;
    case CL_DEVICE_PREFERRED_VECTOR_WIDTH_CHAR:
    case CL_DEVICE_NATIVE_VECTOR_WIDTH_CHAR:
    case CL_DEVICE_PREFERRED_VECTOR_WIDTH_SHORT:
    case CL_DEVICE_NATIVE_VECTOR_WIDTH_SHORT:
    case CL_DEVICE_PREFERRED_VECTOR_WIDTH_INT:
    case CL_DEVICE_NATIVE_VECTOR_WIDTH_INT:
    case CL_DEVICE_PREFERRED_VECTOR_WIDTH_LONG:
    case CL_DEVICE_NATIVE_VECTOR_WIDTH_LONG:
    case CL_DEVICE_PREFERRED_VECTOR_WIDTH_FLOAT:
    case CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT: answer = 1; return true;
    case CL_DEVICE_PREFERRED_VECTOR_WIDTH_DOUBLE:
    case CL_DEVICE_NATIVE_VECTOR_WIDTH_DOUBLE: answer = compiler::has_feature(d, "cl_khr_fp64") ? 1 : 0; return true;
    case CL_DEVICE_PREFERRED_VECTOR_WIDTH_HALF:
    case CL_DEVICE_NATIVE_VECTOR_WIDTH_HALF: answer = compiler::has_feature(d, "cl_khr_fp16") ? 1 : 0; return true;
    case CL_DEVICE_MAX_CLOCK_FREQUENCY: answer = d.max_clock_mhz; return true;
    case CL_DEVICE_ADDRESS_BITS: answer = d.address_bits; return true;
    // The least that the specification allows to a device with images, 0 without.
    case CL_DEVICE_MAX_READ_IMAGE_ARGS: answer = d.images ? ImageLimits::read_arguments : 0; return true;
    case CL_DEVICE_MAX_WRITE_IMAGE_ARGS: answer = d.images ? ImageLimits::write_arguments : 0; return true;
    case CL_DEVICE_MAX_READ_WRITE_IMAGE_ARGS: answer = d.images ? ImageLimits::read_write_arguments : 0; return true;
    case CL_DEVICE_MAX_SAMPLERS: answer = d.images ? ImageLimits::samplers : 0; return true;
    case CL_DEVICE_IMAGE_PITCH_ALIGNMENT: answer = d.images ? ImageLimits::pitch_alignment : 0; return true;
    case CL_DEVICE_IMAGE_BASE_ADDRESS_ALIGNMENT: answer = d.images ? ImageLimits::base_alignment : 0; return true;
    case CL_DEVICE_MEM_BASE_ADDR_ALIGN: answer = d.base_address_align_bits; return true;
    case CL_DEVICE_MIN_DATA_TYPE_ALIGN_SIZE: answer = 128; return true;  // long16
    case CL_DEVICE_GLOBAL_MEM_CACHELINE_SIZE: answer = d.global_cache_line_bytes; return true;
    case CL_DEVICE_MAX_CONSTANT_ARGS: answer = 8; return true;
    case CL_DEVICE_PARTITION_MAX_SUB_DEVICES: answer = 0; return true;
    case CL_DEVICE_PREFERRED_PLATFORM_ATOMIC_ALIGNMENT:
    case CL_DEVICE_PREFERRED_GLOBAL_ATOMIC_ALIGNMENT:
    case CL_DEVICE_PREFERRED_LOCAL_ATOMIC_ALIGNMENT: answer = 0; return true;  // the type's own
    case CL_DEVICE_MAX_NUM_SUB_GROUPS: answer = max_sub_groups(device); return true;
    case CL_DEVICE_MAX_PIPE_ARGS: answer = has_pipes(d) ? PipeLimits::arguments : 0; return true;
    case CL_DEVICE_PIPE_MAX_ACTIVE_RESERVATIONS: answer = has_pipes(d) ? PipeLimits::reservations : 0; return true;
    case CL_DEVICE_PIPE_MAX_PACKET_SIZE: answer = has_pipes(d) ? PipeLimits::packet_bytes : 0; return true;
    // Device queues do not exist.
    case CL_DEVICE_QUEUE_ON_DEVICE_PREFERRED_SIZE:
    case CL_DEVICE_QUEUE_ON_DEVICE_MAX_SIZE:
    case CL_DEVICE_MAX_ON_DEVICE_QUEUES:
    case CL_DEVICE_MAX_ON_DEVICE_EVENTS: answer = 0; return true;
    default: return false;
  }
}

// Every query whose answer is a size_t.
bool size_query(const Device& device, cl_device_info name, std::size_t& answer) {
  const DeviceInfo& d = device.info();
  switch (name) {
    case CL_DEVICE_MAX_WORK_GROUP_SIZE: answer = d.max_work_group_size; return true;
    case CL_DEVICE_PREFERRED_WORK_GROUP_SIZE_MULTIPLE: answer = device.group_multiple(); return true;
    case CL_DEVICE_IMAGE2D_MAX_WIDTH:
    case CL_DEVICE_IMAGE2D_MAX_HEIGHT: answer = d.images ? 16384 : 0; return true;
    case CL_DEVICE_IMAGE3D_MAX_WIDTH:
    case CL_DEVICE_IMAGE3D_MAX_HEIGHT:
    case CL_DEVICE_IMAGE3D_MAX_DEPTH: answer = d.images ? 2048 : 0; return true;
    case CL_DEVICE_IMAGE_MAX_BUFFER_SIZE: answer = d.images ? 65536 : 0; return true;
    case CL_DEVICE_IMAGE_MAX_ARRAY_SIZE: answer = d.images ? 2048 : 0; return true;
    case CL_DEVICE_MAX_PARAMETER_SIZE: answer = 1024; return true;
    case CL_DEVICE_PROFILING_TIMER_RESOLUTION:
      answer = std::max<std::uint64_t>(1, to_ns(d.timestamp_granularity_ps));
      return true;
    case CL_DEVICE_PRINTF_BUFFER_SIZE: answer = Device::printf_buffer_bytes; return true;
    case CL_DEVICE_MAX_GLOBAL_VARIABLE_SIZE:
    case CL_DEVICE_GLOBAL_VARIABLE_PREFERRED_TOTAL_SIZE:
      answer = compiler::has_feature(d, "__opencl_c_program_scope_global_variables") ? kGlobalVariableBytes : 0;
      return true;
    default: return false;
  }
}

// Every query whose answer is a cl_bool.
bool bool_query(const DeviceInfo& d, cl_device_info name, bool& answer) {
  switch (name) {
    case CL_DEVICE_AVAILABLE: answer = true; return true;
    case CL_DEVICE_IMAGE_SUPPORT: answer = d.images; return true;
    case CL_DEVICE_ENDIAN_LITTLE: answer = d.little_endian; return true;
    case CL_DEVICE_HOST_UNIFIED_MEMORY: answer = d.host_unified_memory; return true;
    case CL_DEVICE_PREFERRED_INTEROP_USER_SYNC: answer = true; return true;
    // "CL_DEVICE_LINKER_AVAILABLE ... must be CL_TRUE if CL_DEVICE_COMPILER_AVAILABLE is CL_TRUE".
    case CL_DEVICE_COMPILER_AVAILABLE:
    case CL_DEVICE_LINKER_AVAILABLE: answer = compiler::is_installed(); return true;
    case CL_DEVICE_WORK_GROUP_COLLECTIVE_FUNCTIONS_SUPPORT:
      answer = compiler::has_feature(d, "__opencl_c_work_group_collective_functions");
      return true;
    case CL_DEVICE_GENERIC_ADDRESS_SPACE_SUPPORT:
      answer = compiler::has_feature(d, "__opencl_c_generic_address_space");
      return true;
    case CL_DEVICE_PIPE_SUPPORT: answer = has_pipes(d); return true;
    case CL_DEVICE_ERROR_CORRECTION_SUPPORT:
      answer = false;
      return true;
    // What cl_khr_subgroups promises.
    case CL_DEVICE_SUB_GROUP_INDEPENDENT_FORWARD_PROGRESS:
      answer = compiler::has_feature(d, "cl_khr_subgroups");
      return true;
    case CL_DEVICE_NON_UNIFORM_WORK_GROUP_SUPPORT: answer = Device::non_uniform_groups(); return true;
    default: return false;
  }
}

// As the language's features say, which are named after these bits; relaxed order and the scope of a work-group are
// always there, and a fence within a work-item, too.
cl_device_atomic_capabilities atomics(const DeviceInfo& d, cl_device_atomic_capabilities always) {
  constexpr struct {
    const char* feature;
    cl_device_atomic_capabilities bit;
  } kOptional[] = {{"__opencl_c_atomic_order_acq_rel", CL_DEVICE_ATOMIC_ORDER_ACQ_REL},
                   {"__opencl_c_atomic_order_seq_cst", CL_DEVICE_ATOMIC_ORDER_SEQ_CST},
                   {"__opencl_c_atomic_scope_device", CL_DEVICE_ATOMIC_SCOPE_DEVICE},
                   {"__opencl_c_atomic_scope_all_devices", CL_DEVICE_ATOMIC_SCOPE_ALL_DEVICES}};
  for (const auto& option : kOptional) {
    if (compiler::has_feature(d, option.feature)) always |= option.bit;
  }
  return always;
}

// Every query whose answer is a cl_ulong or a 64-bit bit-field.
bool ulong_query(const Device& device, cl_device_info name, cl_ulong& answer) {
  const DeviceInfo& d = device.info();
  switch (name) {
    case CL_DEVICE_TYPE: answer = CL_DEVICE_TYPE_GPU; return true;
    case CL_DEVICE_MAX_MEM_ALLOC_SIZE: answer = d.max_allocation_bytes; return true;
    case CL_DEVICE_GLOBAL_MEM_SIZE: answer = d.global_memory_bytes; return true;
    case CL_DEVICE_GLOBAL_MEM_CACHE_SIZE: answer = d.global_cache_bytes; return true;
    case CL_DEVICE_MAX_CONSTANT_BUFFER_SIZE: answer = d.constant_buffer_bytes; return true;
    case CL_DEVICE_LOCAL_MEM_SIZE: answer = d.local_memory_bytes; return true;
    case CL_DEVICE_HALF_FP_CONFIG:
      answer = CL_FP_ROUND_TO_NEAREST | CL_FP_INF_NAN | CL_FP_FMA | CL_FP_DENORM;
      if (!compiler::has_feature(d, "cl_khr_fp16")) answer = 0;
      return true;
    case CL_DEVICE_SINGLE_FP_CONFIG:
      answer = CL_FP_ROUND_TO_NEAREST | CL_FP_INF_NAN | CL_FP_FMA | CL_FP_DENORM | CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT;
      return true;
    case CL_DEVICE_DOUBLE_FP_CONFIG:
      // "The mandated minimum double-precision capability".
      answer = CL_FP_FMA | CL_FP_ROUND_TO_NEAREST | CL_FP_ROUND_TO_ZERO | CL_FP_ROUND_TO_INF | CL_FP_INF_NAN |
               CL_FP_DENORM;
      if (!compiler::has_feature(d, "cl_khr_fp64")) answer = 0;
      return true;
    case CL_DEVICE_EXECUTION_CAPABILITIES: answer = CL_EXEC_KERNEL; return true;
    case CL_DEVICE_QUEUE_ON_HOST_PROPERTIES:
      answer = CL_QUEUE_PROFILING_ENABLE | (d.out_of_order_queues ? CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE : 0);
      return true;
    case CL_DEVICE_QUEUE_ON_DEVICE_PROPERTIES:
    case CL_DEVICE_DEVICE_ENQUEUE_CAPABILITIES:
    case CL_DEVICE_PARTITION_AFFINITY_DOMAIN: answer = 0; return true;
    case CL_DEVICE_SVM_CAPABILITIES: answer = device.svm_capabilities(); return true;
    case CL_DEVICE_ATOMIC_MEMORY_CAPABILITIES:
      answer = atomics(d, CL_DEVICE_ATOMIC_ORDER_RELAXED | CL_DEVICE_ATOMIC_SCOPE_WORK_GROUP);
      return true;
    case CL_DEVICE_ATOMIC_FENCE_CAPABILITIES:
      answer = atomics(d, CL_DEVICE_ATOMIC_ORDER_RELAXED | CL_DEVICE_ATOMIC_ORDER_ACQ_REL |
                              CL_DEVICE_ATOMIC_SCOPE_WORK_ITEM | CL_DEVICE_ATOMIC_SCOPE_WORK_GROUP);
      return true;
    default: return false;
  }
}

cl_int device_info(Device& device, cl_device_info name, const InfoWriter& out) {
  const DeviceInfo& d = device.info();
  cl_uint u = 0;
  std::size_t s = 0;
  cl_ulong l = 0;
  bool b = false;
  if (uint_query(device, name, u)) return out.value<cl_uint>(u);
  if (size_query(device, name, s)) return out.value<std::size_t>(s);
  if (bool_query(d, name, b)) return out.boolean(b);
  if (ulong_query(device, name, l)) return out.value<cl_ulong>(l);
  switch (name) {
    case CL_DEVICE_NAME: return out.string(d.name.c_str());
    case CL_DEVICE_VENDOR: return out.string(d.vendor.c_str());
    case CL_DRIVER_VERSION: return out.string(d.driver_version.c_str());
    case CL_DEVICE_PROFILE: return out.string("FULL_PROFILE");
    case CL_DEVICE_VERSION: return out.string("OpenCL 3.0 Sluice");
    case CL_DEVICE_NUMERIC_VERSION: return out.value<cl_version>(kOpenClVersion);
    case CL_DEVICE_OPENCL_C_VERSION: return out.string("OpenCL C 1.2 Sluice");
    case CL_DEVICE_OPENCL_C_NUMERIC_VERSION_KHR: return out.value<cl_version>(kOpenClCVersion);
    case CL_DEVICE_OPENCL_C_ALL_VERSIONS: return out.bytes(kOpenClCVersions, sizeof kOpenClCVersions);
    case CL_DEVICE_OPENCL_C_FEATURES: return out.array(compiler::language_features(d));
    case CL_DEVICE_EXTENSIONS: return out.string(compiler::extension_names(d).c_str());
    case CL_DEVICE_EXTENSIONS_WITH_VERSION: return out.array(compiler::extensions(d));
    case CL_DEVICE_IL_VERSION: return out.string("SPIR-V_1.0 SPIR-V_1.1 SPIR-V_1.2 SPIR-V_1.3 SPIR-V_1.4");
    case CL_DEVICE_ILS_WITH_VERSION: return out.bytes(kIls, sizeof kIls);
    case CL_DEVICE_BUILT_IN_KERNELS: return out.string("");
    case CL_DEVICE_BUILT_IN_KERNELS_WITH_VERSION: return out.bytes(nullptr, 0);
    case CL_DEVICE_LATEST_CONFORMANCE_VERSION_PASSED: return out.string("v0000-01-01-00");  // never submitted; the month and day of a date are at least 1
    case CL_DEVICE_PLATFORM: return out.value<cl_platform_id>(Runtime::instance().platform().handle());
    case CL_DEVICE_MAX_WORK_ITEM_SIZES: {
      const auto sizes = device.max_work_item_sizes();
      return out.bytes(sizes.data(), sizeof sizes);
    }
    case CL_DEVICE_GLOBAL_MEM_CACHE_TYPE:
      return out.value<cl_device_mem_cache_type>(d.global_cache_bytes == 0 ? CL_NONE : CL_READ_WRITE_CACHE);
    case CL_DEVICE_LOCAL_MEM_TYPE: return out.value<cl_device_local_mem_type>(CL_LOCAL);
    case CL_DEVICE_PARENT_DEVICE: return out.value<cl_device_id>(nullptr);
    case CL_DEVICE_REFERENCE_COUNT: return out.value<cl_uint>(1);  // a root device
    // "If the device cannot be partitioned ... a value of 0": one terminator; and none was applied.
    case CL_DEVICE_PARTITION_PROPERTIES: return out.value<cl_device_partition_property>(0);
    case CL_DEVICE_PARTITION_TYPE: return out.bytes(nullptr, 0);
    default: return CL_INVALID_VALUE;
  }
}

constexpr cl_device_type kKnownTypes = CL_DEVICE_TYPE_DEFAULT | CL_DEVICE_TYPE_CPU | CL_DEVICE_TYPE_GPU |
                                       CL_DEVICE_TYPE_ACCELERATOR | CL_DEVICE_TYPE_CUSTOM;

}  // namespace

}  // namespace sluice::api

using namespace sluice::api;
using sluice::to_ns;

extern "C" {

cl_int CL_API_CALL clGetDeviceIDs(cl_platform_id platform, cl_device_type type, cl_uint num_entries,
                                  cl_device_id* devices, cl_uint* num_devices) {
  return enter([&](Call& call) -> cl_int {
    if (platform == nullptr ? !call.runtime().open() : find<Platform>(platform) == nullptr) {
      return CL_INVALID_PLATFORM;
    }
    if (type != CL_DEVICE_TYPE_ALL && (type == 0 || (type & ~kKnownTypes) != 0)) return CL_INVALID_DEVICE_TYPE;
    if ((num_entries == 0 && devices != nullptr) || (devices == nullptr && num_devices == nullptr)) {
      return CL_INVALID_VALUE;
    }
    const std::vector<Device*>& all = call.runtime().platform().devices();
    std::size_t count = 0;
    if (type == CL_DEVICE_TYPE_ALL || (type & CL_DEVICE_TYPE_GPU) != 0) {
      count = all.size();
    } else if ((type & CL_DEVICE_TYPE_DEFAULT) != 0) {
      count = 1;
    }
    if (num_devices != nullptr) *num_devices = static_cast<cl_uint>(count);
    if (count == 0) return CL_DEVICE_NOT_FOUND;
    if (devices != nullptr) {
      for (std::size_t i = 0; i < std::min<std::size_t>(count, num_entries); ++i) devices[i] = all[i]->handle();
    }
    return CL_SUCCESS;
  });
}

cl_int CL_API_CALL clGetDeviceInfo(cl_device_id handle, cl_device_info name, size_t size, void* value,
                                   size_t* size_ret) {
  return enter([&](Call&) -> cl_int {
    Device* device = find<Device>(handle);
    if (device == nullptr) return CL_INVALID_DEVICE;
    return device_info(*device, name, InfoWriter(size, value, size_ret));
  });
}

// No modelled machine can be partitioned: "CL_INVALID_VALUE if values specified in properties are not valid or if
// values specified in properties are valid but not supported by the device".
cl_int CL_API_CALL clCreateSubDevices(cl_device_id in_device, const cl_device_partition_property*, cl_uint,
                                      cl_device_id*, cl_uint*) {
  return find<Device>(in_device) == nullptr ? CL_INVALID_DEVICE : CL_INVALID_VALUE;
}

cl_int CL_API_CALL clRetainDevice(cl_device_id device) {
  return find<Device>(device) == nullptr ? CL_INVALID_DEVICE : CL_SUCCESS;  // root devices are not counted
}

cl_int CL_API_CALL clReleaseDevice(cl_device_id device) {
  return find<Device>(device) == nullptr ? CL_INVALID_DEVICE : CL_SUCCESS;
}

// Both timers are the same simulated time: the device's counter and the host's clock never drift.
cl_int CL_API_CALL clGetDeviceAndHostTimer(cl_device_id device, cl_ulong* device_timestamp, cl_ulong* host_timestamp) {
  return enter([&](Call& call) -> cl_int {
    if (find<Device>(device) == nullptr) return CL_INVALID_DEVICE;
    if (device_timestamp == nullptr || host_timestamp == nullptr) return CL_INVALID_VALUE;
    call.runtime().charge(sluice::HostAction::read_clock);
    *device_timestamp = *host_timestamp = to_ns(call.runtime().clock());
    return CL_SUCCESS;
  });
}

cl_int CL_API_CALL clGetHostTimer(cl_device_id device, cl_ulong* host_timestamp) {
  return enter([&](Call& call) -> cl_int {
    if (find<Device>(device) == nullptr) return CL_INVALID_DEVICE;
    if (host_timestamp == nullptr) return CL_INVALID_VALUE;
    call.runtime().charge(sluice::HostAction::read_clock);
    *host_timestamp = to_ns(call.runtime().clock());
    return CL_SUCCESS;
  });
}

}  // extern "C"

// clGetPlatform*, and how the loader finds the driver (cl_khr_icd).
#include "api/entry/platform.h"

#include <CL/cl_ext.h>

#include <cstring>

#include "api/command/runtime.h"
#include "api/compiler/features.h"
#include "api/entry/info_writer.h"
#include "api/objects/registry.h"

// cl_khr_extended_versioning aliases of core queries have the same values; the functions below answer both.
namespace sluice::api {

cl_int CL_API_CALL get_platform_ids(cl_uint num_entries, cl_platform_id* platforms, cl_uint* num_platforms) {
  return enter([&](Call& call) -> cl_int {
    if ((num_entries == 0 && platforms != nullptr) || (platforms == nullptr && num_platforms == nullptr)) {
      return CL_INVALID_VALUE;
    }
    if (!call.runtime().open()) {
      if (num_platforms != nullptr) *num_platforms = 0;
      return CL_PLATFORM_NOT_FOUND_KHR;
    }
    if (platforms != nullptr) platforms[0] = call.runtime().platform().handle();
    if (num_platforms != nullptr) *num_platforms = 1;
    return CL_SUCCESS;
  });
}

cl_int CL_API_CALL get_platform_info(cl_platform_id platform, cl_platform_info name, std::size_t size, void* value,
                                     std::size_t* size_ret) {
  return enter([&](Call& call) -> cl_int {
    // NULL stands for the default platform, as the specification leaves open.
    if (platform == nullptr ? !call.runtime().open() : find<Platform>(platform) == nullptr) {
      return CL_INVALID_PLATFORM;
    }
    const InfoWriter out(size, value, size_ret);
    switch (name) {
      case CL_PLATFORM_PROFILE: return out.string("FULL_PROFILE");
      case CL_PLATFORM_VERSION: return out.string("OpenCL 3.0 Sluice");
      case CL_PLATFORM_NUMERIC_VERSION: return out.value<cl_version>(CL_MAKE_VERSION(3, 0, 0));
      case CL_PLATFORM_NAME: return out.string("Sluice");
      case CL_PLATFORM_VENDOR: return out.string("The Sluice developers");
      // What all devices of a platform report, the platform reports too; and all of ours are alike.
      case CL_PLATFORM_EXTENSIONS:
        return out.string(compiler::extension_names(Runtime::instance().machine().device).c_str());
      case CL_PLATFORM_EXTENSIONS_WITH_VERSION:
        return out.array(compiler::extensions(Runtime::instance().machine().device));
      case CL_PLATFORM_HOST_TIMER_RESOLUTION: return out.value<cl_ulong>(1);  // ns: virtual clocks count picoseconds
      case CL_PLATFORM_ICD_SUFFIX_KHR: return out.string("SLUICE");
      default: return CL_INVALID_VALUE;
    }
  });
}

void* CL_API_CALL get_extension_function(const char* name) {
  if (name == nullptr) return nullptr;
  if (std::strcmp(name, "clIcdGetPlatformIDsKHR") == 0) return reinterpret_cast<void*>(&get_platform_ids);
  if (std::strcmp(name, "clGetPlatformInfo") == 0) return reinterpret_cast<void*>(&get_platform_info);
  if (std::strcmp(name, "clCreateCommandQueueWithPropertiesKHR") == 0) {
    return reinterpret_cast<void*>(dispatch_table.clCreateCommandQueueWithProperties);
  }
  if (std::strcmp(name, "clGetKernelSuggestedLocalWorkSizeKHR") == 0) {
    return reinterpret_cast<void*>(&get_kernel_suggested_local_work_size);
  }
  if (std::strcmp(name, "clCreateProgramWithILKHR") == 0) {
    return reinterpret_cast<void*>(dispatch_table.clCreateProgramWithIL);  // cl_khr_il_program: the same function
  }
  return nullptr;
}

}  // namespace sluice::api

#define SLUICE_EXPORT __attribute__((visibility("default")))

extern "C" {

SLUICE_EXPORT cl_int CL_API_CALL clIcdGetPlatformIDsKHR(cl_uint num_entries, cl_platform_id* platforms,
                                                        cl_uint* num_platforms) {
  return sluice::api::get_platform_ids(num_entries, platforms, num_platforms);
}

SLUICE_EXPORT cl_int CL_API_CALL clGetPlatformInfo(cl_platform_id platform, cl_platform_info name, size_t size,
                                                   void* value, size_t* size_ret) {
  return sluice::api::get_platform_info(platform, name, size, value, size_ret);
}

SLUICE_EXPORT void* CL_API_CALL clGetExtensionFunctionAddress(const char* name) {
  return sluice::api::get_extension_function(name);
}

void* CL_API_CALL clGetExtensionFunctionAddressForPlatform(cl_platform_id platform, const char* name) {
  if (sluice::api::find<sluice::api::Platform>(platform) == nullptr) return nullptr;
  return sluice::api::get_extension_function(name);
}

}  // extern "C"

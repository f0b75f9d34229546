// Functions that are both exported by name and in the dispatch table. The table must not refer to the exported names:
// in a program that is linked to the loader, those are the loader's.
#pragma once

#include <CL/cl.h>

namespace sluice::api {

cl_int CL_API_CALL get_platform_ids(cl_uint num_entries, cl_platform_id* platforms, cl_uint* num_platforms);
cl_int CL_API_CALL get_platform_info(cl_platform_id platform, cl_platform_info name, std::size_t size, void* value,
                                     std::size_t* size_ret);
void* CL_API_CALL get_extension_function(const char* name);

// Names and versions of the extensions, in the order of CL_*_EXTENSIONS. The last five are core features since OpenCL C
// 1.1, whose names "must be returned by all devices that support OpenCL 1.1 or newer"; and what all devices of a
// platform report, the platform reports too.
inline constexpr const char* extension_names =
    "cl_khr_icd cl_khr_extended_versioning cl_khr_create_command_queue cl_khr_byte_addressable_store "
    "cl_khr_global_int32_base_atomics cl_khr_global_int32_extended_atomics cl_khr_local_int32_base_atomics "
    "cl_khr_local_int32_extended_atomics";
inline constexpr cl_name_version extension_versions[] = {
    {CL_MAKE_VERSION(1, 0, 0), "cl_khr_icd"},
    {CL_MAKE_VERSION(1, 0, 0), "cl_khr_extended_versioning"},
    {CL_MAKE_VERSION(1, 0, 0), "cl_khr_create_command_queue"},
    {CL_MAKE_VERSION(1, 0, 0), "cl_khr_byte_addressable_store"},
    {CL_MAKE_VERSION(1, 0, 0), "cl_khr_global_int32_base_atomics"},
    {CL_MAKE_VERSION(1, 0, 0), "cl_khr_global_int32_extended_atomics"},
    {CL_MAKE_VERSION(1, 0, 0), "cl_khr_local_int32_base_atomics"},
    {CL_MAKE_VERSION(1, 0, 0), "cl_khr_local_int32_extended_atomics"},
};

}  // namespace sluice::api

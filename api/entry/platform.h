// Functions that are both exported by name and in the dispatch table. The table must not refer to the exported names:
// in a program that is linked to the loader, those are the loader's.
#pragma once

#include <CL/cl.h>

namespace sluice::api {

cl_int CL_API_CALL get_platform_ids(cl_uint num_entries, cl_platform_id* platforms, cl_uint* num_platforms);
cl_int CL_API_CALL get_platform_info(cl_platform_id platform, cl_platform_info name, std::size_t size, void* value,
                                     std::size_t* size_ret);
void* CL_API_CALL get_extension_function(const char* name);
// clGetKernelSuggestedLocalWorkSizeKHR
cl_int CL_API_CALL get_kernel_suggested_local_work_size(cl_command_queue command_queue, cl_kernel kernel_handle,
                                                        cl_uint work_dim, const std::size_t* global_work_offset,
                                                        const std::size_t* global_work_size,
                                                        std::size_t* suggested_local_work_size);

}  // namespace sluice::api

// Pipes (OpenCL 3.0, section 5.4): an optional feature that no modelled machine has (CL_DEVICE_PIPE_SUPPORT).
#include <CL/cl.h>

#include "api/command/runtime.h"
#include "api/objects/context.h"
#include "api/objects/registry.h"

using namespace sluice::api;

CL_API_ENTRY cl_mem CL_API_CALL clCreatePipe(cl_context context, cl_mem_flags, cl_uint, cl_uint,
                                             const cl_pipe_properties*, cl_int* errcode_ret) {
  return create<cl_mem>(errcode_ret, [&](Call&, cl_int& code) -> cl_mem {
    code = find<Context>(context) == nullptr ? CL_INVALID_CONTEXT : CL_INVALID_OPERATION;
    return nullptr;
  });
}

// No memory object is a pipe.
CL_API_ENTRY cl_int CL_API_CALL clGetPipeInfo(cl_mem, cl_pipe_info, size_t, void*, size_t*) {
  return CL_INVALID_MEM_OBJECT;
}

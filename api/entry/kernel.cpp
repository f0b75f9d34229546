// Kernels (OpenCL 3.0, sections 5.9 to 5.11). Without a compiler no program has an executable, so no kernel object can
// exist: whatever handle a call gets is not a kernel.
#include <CL/cl.h>

#include <span>

#include "api/command/enqueue.h"
#include "api/command/runtime.h"
#include "api/objects/memory.h"
#include "api/objects/program.h"
#include "api/objects/queue.h"
#include "api/objects/registry.h"

using namespace sluice::api;

namespace {

cl_int enqueue_without_kernel(cl_command_queue command_queue) {
  return enter([&](Call&) -> cl_int {
    return find<Queue>(command_queue) == nullptr ? CL_INVALID_COMMAND_QUEUE : CL_INVALID_KERNEL;
  });
}

}  // namespace

CL_API_ENTRY cl_kernel CL_API_CALL clCreateKernel(cl_program program, const char*, cl_int* errcode_ret) {
  return create<cl_kernel>(errcode_ret, [&](Call&, cl_int& code) -> cl_kernel {
    code = find<Program>(program) == nullptr ? CL_INVALID_PROGRAM : CL_INVALID_PROGRAM_EXECUTABLE;
    return nullptr;
  });
}

CL_API_ENTRY cl_int CL_API_CALL clCreateKernelsInProgram(cl_program program, cl_uint, cl_kernel*, cl_uint*) {
  return enter([&](Call&) -> cl_int {
    return find<Program>(program) == nullptr ? CL_INVALID_PROGRAM : CL_INVALID_PROGRAM_EXECUTABLE;
  });
}

CL_API_ENTRY cl_kernel CL_API_CALL clCloneKernel(cl_kernel, cl_int* errcode_ret) {
  if (errcode_ret != nullptr) *errcode_ret = CL_INVALID_KERNEL;
  return nullptr;
}

CL_API_ENTRY cl_int CL_API_CALL clRetainKernel(cl_kernel) { return CL_INVALID_KERNEL; }

CL_API_ENTRY cl_int CL_API_CALL clReleaseKernel(cl_kernel) { return CL_INVALID_KERNEL; }

CL_API_ENTRY cl_int CL_API_CALL clSetKernelArg(cl_kernel, cl_uint, size_t, const void*) { return CL_INVALID_KERNEL; }

CL_API_ENTRY cl_int CL_API_CALL clSetKernelArgSVMPointer(cl_kernel, cl_uint, const void*) { return CL_INVALID_KERNEL; }

CL_API_ENTRY cl_int CL_API_CALL clSetKernelExecInfo(cl_kernel, cl_kernel_exec_info, size_t, const void*) {
  return CL_INVALID_KERNEL;
}

CL_API_ENTRY cl_int CL_API_CALL clGetKernelInfo(cl_kernel, cl_kernel_info, size_t, void*, size_t*) {
  return CL_INVALID_KERNEL;
}

CL_API_ENTRY cl_int CL_API_CALL clGetKernelArgInfo(cl_kernel, cl_uint, cl_kernel_arg_info, size_t, void*, size_t*) {
  return CL_INVALID_KERNEL;
}

CL_API_ENTRY cl_int CL_API_CALL clGetKernelWorkGroupInfo(cl_kernel, cl_device_id, cl_kernel_work_group_info, size_t,
                                                         void*, size_t*) {
  return CL_INVALID_KERNEL;
}

CL_API_ENTRY cl_int CL_API_CALL clGetKernelSubGroupInfo(cl_kernel, cl_device_id, cl_kernel_sub_group_info, size_t,
                                                        const void*, size_t, void*, size_t*) {
  return CL_INVALID_KERNEL;
}

CL_API_ENTRY cl_int CL_API_CALL clEnqueueNDRangeKernel(cl_command_queue command_queue, cl_kernel, cl_uint,
                                                       const size_t*, const size_t*, const size_t*, cl_uint,
                                                       const cl_event*, cl_event*) {
  return enqueue_without_kernel(command_queue);
}

CL_API_ENTRY cl_int CL_API_CALL clEnqueueTask(cl_command_queue command_queue, cl_kernel, cl_uint, const cl_event*,
                                              cl_event*) {
  return enqueue_without_kernel(command_queue);
}

// No device executes native kernels (CL_DEVICE_EXECUTION_CAPABILITIES).
CL_API_ENTRY cl_int CL_API_CALL clEnqueueNativeKernel(cl_command_queue command_queue,
                                                      void(CL_CALLBACK* user_func)(void*), void* args, size_t cb_args,
                                                      cl_uint num_mem_objects, const cl_mem* mem_list,
                                                      const void** args_mem_loc, cl_uint num_events_in_wait_list,
                                                      const cl_event* event_wait_list, cl_event*) {
  return enter([&](Call&) -> cl_int {
    const Queue* q = find<Queue>(command_queue);
    if (q == nullptr) return CL_INVALID_COMMAND_QUEUE;
    if (user_func == nullptr) return CL_INVALID_VALUE;
    if ((args == nullptr) != (cb_args == 0)) return CL_INVALID_VALUE;
    if (args == nullptr && num_mem_objects > 0) return CL_INVALID_VALUE;
    const bool none = num_mem_objects == 0;
    if (none != (mem_list == nullptr) || none != (args_mem_loc == nullptr)) return CL_INVALID_VALUE;
    for (cl_mem memory : std::span(mem_list, num_mem_objects)) {
      if (find<Memory>(memory) == nullptr) return CL_INVALID_MEM_OBJECT;
    }
    const cl_int code = check_wait_list(q->context(), num_events_in_wait_list, event_wait_list);
    return code != CL_SUCCESS ? code : CL_INVALID_OPERATION;
  });
}

// Executing kernels (OpenCL 3.0, section 5.10).
#include <CL/cl.h>

#include <algorithm>
#include <span>

#include "api/command/enqueue.h"
#include "api/command/launch.h"
#include "api/command/runtime.h"
#include "api/entry/platform.h"
#include "api/objects/device.h"
#include "api/objects/kernel.h"
#include "api/objects/memory.h"
#include "api/objects/queue.h"
#include "api/objects/registry.h"

using namespace sluice::api;

namespace {

using sluice::NdRange;
using sluice::Operation;

struct Waits {
  cl_uint count;
  const cl_event* list;
};

// The first errors of the page, which come before those of the range.
cl_int check_launch(const Queue& queue, Kernel& kernel) {
  // A kernel of another context has no code for this queue's device, even if the device is the same.
  if (&queue.context() != &kernel.context()) {
    return kernel.context().has(&queue.device()) ? CL_INVALID_CONTEXT : CL_INVALID_PROGRAM_EXECUTABLE;
  }
  if (kernel.code(queue.device()).module == nullptr) return CL_INVALID_PROGRAM_EXECUTABLE;
  return kernel.prepare(queue.device()) ? CL_SUCCESS : CL_OUT_OF_RESOURCES;
}

cl_int enqueue_kernel(cl_command_queue command_queue, cl_kernel kernel_handle, const RangeArguments& given,
                      cl_command_type type, const Waits& waits, cl_event* event) {
  return enter([&](Call& call) -> cl_int {
    Queue* queue = find<Queue>(command_queue);
    if (queue == nullptr) return CL_INVALID_COMMAND_QUEUE;
    Kernel* kernel = find<Kernel>(kernel_handle);
    if (kernel == nullptr) return CL_INVALID_KERNEL;
    if (const cl_int e = check_launch(*queue, *kernel); e != CL_SUCCESS) return e;
    const cl_int wait_error = check_wait_list(queue->context(), waits.count, waits.list);
    if (wait_error == CL_INVALID_CONTEXT) return wait_error;
    if (!kernel->is_ready()) return CL_INVALID_KERNEL_ARGS;
    NdRange range;
    bool empty = false;
    const cl_int range_error = make_range(queue->device(), kernel->code(queue->device()).info(), given, range, empty);
    if (range_error != CL_SUCCESS) return range_error;
    CommandRequest request;
    request.type = type;
    const cl_int launch_error = capture(call.runtime(), *queue, *kernel, range, request);
    if (launch_error == CL_MISALIGNED_SUB_BUFFER_OFFSET) return launch_error;
    if (wait_error != CL_SUCCESS) return wait_error;
    if (launch_error != CL_SUCCESS) return launch_error;
    if (empty) {
      request.command.op = Operation::marker;
      request.command.kernel = nullptr;
    }
    return enqueue(call, *queue, std::move(request), waits.count, waits.list, event, false);
  });
}

}  // namespace

namespace sluice::api {

// The codes of clEnqueueNDRangeKernel, but for a range without work-items: nothing can be suggested for it.
cl_int CL_API_CALL get_kernel_suggested_local_work_size(cl_command_queue command_queue, cl_kernel kernel_handle,
                                                        cl_uint work_dim, const std::size_t* global_work_offset,
                                                        const std::size_t* global_work_size,
                                                        std::size_t* suggested_local_work_size) {
  return enter([&](Call& call) -> cl_int {
    Queue* queue = find<Queue>(command_queue);
    if (queue == nullptr) return CL_INVALID_COMMAND_QUEUE;
    Kernel* kernel = find<Kernel>(kernel_handle);
    if (kernel == nullptr) return CL_INVALID_KERNEL;
    if (const cl_int e = check_launch(*queue, *kernel); e != CL_SUCCESS) return e;
    if (!kernel->is_ready()) return CL_INVALID_KERNEL_ARGS;
    NdRange range;
    bool empty = false;
    const RangeArguments given{work_dim, global_work_offset, global_work_size, nullptr};
    const cl_int e = make_range(queue->device(), kernel->code(queue->device()).info(), given, range, empty);
    if (e != CL_SUCCESS && e != CL_INVALID_WORK_GROUP_SIZE) return e;
    if (empty) return CL_INVALID_GLOBAL_WORK_SIZE;
    if (e != CL_SUCCESS) return e;  // a required size that does not divide the range
    CommandRequest request;
    const cl_int launch_error = capture(call.runtime(), *queue, *kernel, range, request);
    if (launch_error != CL_SUCCESS && launch_error != CL_OUT_OF_RESOURCES) return launch_error;
    if (suggested_local_work_size == nullptr) return CL_INVALID_VALUE;
    if (launch_error != CL_SUCCESS) return launch_error;
    std::copy_n(range.local.begin(), work_dim, suggested_local_work_size);
    return CL_SUCCESS;
  });
}

}  // namespace sluice::api

CL_API_ENTRY cl_int CL_API_CALL clEnqueueNDRangeKernel(cl_command_queue command_queue, cl_kernel kernel,
                                                       cl_uint work_dim, const size_t* global_work_offset,
                                                       const size_t* global_work_size, const size_t* local_work_size,
                                                       cl_uint num_events_in_wait_list, const cl_event* event_wait_list,
                                                       cl_event* event) {
  return enqueue_kernel(command_queue, kernel, {work_dim, global_work_offset, global_work_size, local_work_size},
                        CL_COMMAND_NDRANGE_KERNEL, {num_events_in_wait_list, event_wait_list}, event);
}

CL_API_ENTRY cl_int CL_API_CALL clEnqueueTask(cl_command_queue command_queue, cl_kernel kernel,
                                              cl_uint num_events_in_wait_list, const cl_event* event_wait_list,
                                              cl_event* event) {
  const size_t one = 1;
  return enqueue_kernel(command_queue, kernel, {1, nullptr, &one, &one}, CL_COMMAND_TASK,
                        {num_events_in_wait_list, event_wait_list}, event);
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

// Flush, finish, markers and barriers.
#include "api/command/enqueue.h"
#include "api/command/scheduler.h"
#include "api/objects/registry.h"

namespace sluice::api {

namespace {

cl_int enqueue_sync(cl_command_queue handle, sluice::Operation op, cl_command_type type, cl_uint num,
                    const cl_event* list, cl_event* out) {
  return enter([&](Call& call) -> cl_int {
    Queue* queue = find<Queue>(handle);
    if (queue == nullptr) return CL_INVALID_COMMAND_QUEUE;
    CommandRequest request;
    request.type = type;
    request.command.op = op;
    return enqueue(call, *queue, std::move(request), num, list, out, false);
  });
}

}  // namespace

}  // namespace sluice::api

using namespace sluice::api;
using sluice::HostAction;
using sluice::Operation;

extern "C" {

cl_int CL_API_CALL clFlush(cl_command_queue handle) {
  return enter([&](Call& call) -> cl_int {
    if (find<Queue>(handle) == nullptr) return CL_INVALID_COMMAND_QUEUE;
    call.show();
    call.runtime().charge(HostAction::flush);  // commands are handed to the device when they are enqueued
    return CL_SUCCESS;
  });
}

cl_int CL_API_CALL clFinish(cl_command_queue handle) {
  return enter([&](Call& call) -> cl_int {
    Queue* queue = find<Queue>(handle);
    if (queue == nullptr) return CL_INVALID_COMMAND_QUEUE;
    call.show();
    if (idle(*queue)) {
      call.runtime().set_clock(queue->order.last_visible);
      call.runtime().charge(HostAction::finish_idle);
      return CL_SUCCESS;
    }
    return call.runtime().scheduler().finish(call, *queue);
  });
}

cl_int CL_API_CALL clEnqueueMarkerWithWaitList(cl_command_queue queue, cl_uint num, const cl_event* list,
                                               cl_event* event) {
  return enqueue_sync(queue, Operation::marker, CL_COMMAND_MARKER, num, list, event);
}

cl_int CL_API_CALL clEnqueueBarrierWithWaitList(cl_command_queue queue, cl_uint num, const cl_event* list,
                                                cl_event* event) {
  return enqueue_sync(queue, Operation::barrier, CL_COMMAND_BARRIER, num, list, event);
}

// OpenCL 1.0 and 1.1.
cl_int CL_API_CALL clEnqueueMarker(cl_command_queue queue, cl_event* event) {
  if (find<Queue>(queue) == nullptr) return CL_INVALID_COMMAND_QUEUE;
  if (event == nullptr) return CL_INVALID_VALUE;
  return enqueue_sync(queue, Operation::marker, CL_COMMAND_MARKER, 0, nullptr, event);
}

cl_int CL_API_CALL clEnqueueBarrier(cl_command_queue queue) {
  return enqueue_sync(queue, Operation::barrier, CL_COMMAND_BARRIER, 0, nullptr, nullptr);
}

cl_int CL_API_CALL clEnqueueWaitForEvents(cl_command_queue queue, cl_uint num, const cl_event* list) {
  if (find<Queue>(queue) == nullptr) return CL_INVALID_COMMAND_QUEUE;
  if (num == 0 || list == nullptr) return CL_INVALID_VALUE;
  const cl_int code = enqueue_sync(queue, Operation::barrier, CL_COMMAND_BARRIER, num, list, nullptr);
  return code == CL_INVALID_EVENT_WAIT_LIST ? CL_INVALID_EVENT : code;
}

}  // extern "C"

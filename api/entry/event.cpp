// Events and user events.
#include "api/objects/event.h"

#include <algorithm>

#include "api/command/scheduler.h"
#include "api/entry/info_writer.h"
#include "api/objects/registry.h"

using namespace sluice::api;
using sluice::HostAction;
using sluice::TimePs;

extern "C" {

cl_event CL_API_CALL clCreateUserEvent(cl_context handle, cl_int* errcode_ret) {
  return create<cl_event>(errcode_ret, [&](Call&, cl_int& code) -> cl_event {
    Context* context = find<Context>(handle);
    if (context == nullptr) {
      code = CL_INVALID_CONTEXT;
      return nullptr;
    }
    return (new Event(*context))->handle();
  });
}

cl_int CL_API_CALL clSetUserEventStatus(cl_event handle, cl_int status) {
  return enter([&](Call& call) -> cl_int {
    Event* event = find<Event>(handle);
    if (event == nullptr || !event->is_user()) return CL_INVALID_EVENT;
    if (status > CL_COMPLETE) return CL_INVALID_VALUE;
    if (event->done()) return CL_INVALID_OPERATION;
    const Ref<Event> keep(event);
    call.show();
    call.runtime().charge(HostAction::set_user_event);
    call.runtime().scheduler().set_user_event(*event, status);
    return CL_SUCCESS;
  });
}

cl_int CL_API_CALL clWaitForEvents(cl_uint num_events, const cl_event* list) {
  return enter([&](Call& call) -> cl_int {
    if (num_events == 0 || list == nullptr) return CL_INVALID_VALUE;
    const Context* context = nullptr;
    bool waits = false;
    for (cl_uint i = 0; i < num_events; ++i) {
      const Event* event = find<Event>(list[i]);
      if (event == nullptr) return CL_INVALID_EVENT;
      if (context != nullptr && context != &event->context()) return CL_INVALID_CONTEXT;
      context = &event->context();
      waits |= !event->done();
    }
    // Another thread may release an event, and the program may reuse the list, while this one is blocked.
    boost::container::small_vector<Ref<Event>, 8> events;
    for (cl_uint i = 0; i < num_events; ++i) events.emplace_back(find<Event>(list[i]));
    call.show();
    if (!waits) call.runtime().charge(HostAction::finish_idle);
    bool failed = false;
    for (const Ref<Event>& event : events) {
      if (const cl_int code = call.runtime().scheduler().wait(call, *event); code != CL_SUCCESS) return code;
      failed |= event->failed();
    }
    return failed ? CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST : CL_SUCCESS;
  });
}

cl_int CL_API_CALL clGetEventInfo(cl_event handle, cl_event_info name, size_t size, void* value, size_t* size_ret) {
  return enter([&](Call& call) -> cl_int {
    Event* event = find<Event>(handle);
    if (event == nullptr) return CL_INVALID_EVENT;
    const InfoWriter out(size, value, size_ret);
    switch (name) {
      case CL_EVENT_COMMAND_QUEUE:
        return out.value<cl_command_queue>(event->is_user() ? nullptr : event->queue()->handle());
      case CL_EVENT_CONTEXT: return out.value<cl_context>(event->context().handle());
      case CL_EVENT_COMMAND_TYPE: return out.value<cl_command_type>(event->command_type());
      case CL_EVENT_REFERENCE_COUNT: return out.value<cl_uint>(event->reference_count());
      case CL_EVENT_COMMAND_EXECUTION_STATUS: {
        // A look costs time and moves the device by it, so that a loop of looks ends.
        const Ref<Event> keep(event);
        Runtime& runtime = call.runtime();
        runtime.set_clock(call.sim().now());
        runtime.charge(HostAction::poll_event);
        call.sim().run_until(runtime.clock());
        return out.value<cl_int>(event->status(call.sim()));
      }
      default: return CL_INVALID_VALUE;
    }
  });
}

cl_int CL_API_CALL clRetainEvent(cl_event handle) {
  return enter([&](Call&) -> cl_int {
    Event* event = find<Event>(handle);
    if (event == nullptr) return CL_INVALID_EVENT;
    event->retain();
    return CL_SUCCESS;
  });
}

cl_int CL_API_CALL clReleaseEvent(cl_event handle) {
  return enter([&](Call&) -> cl_int {
    Event* event = find<Event>(handle);
    return event != nullptr && event->release() ? CL_SUCCESS : CL_INVALID_EVENT;
  });
}

cl_int CL_API_CALL clSetEventCallback(cl_event handle, cl_int status, EventNotify function, void* user_data) {
  return enter([&](Call& call) -> cl_int {
    Event* event = find<Event>(handle);
    if (event == nullptr) return CL_INVALID_EVENT;
    if (function == nullptr || (status != CL_SUBMITTED && status != CL_RUNNING && status != CL_COMPLETE)) {
      return CL_INVALID_VALUE;
    }
    add_callback(call.runtime(), *event, {status, function, user_data});
    return CL_SUCCESS;
  });
}

cl_int CL_API_CALL clGetEventProfilingInfo(cl_event handle, cl_profiling_info name, size_t size, void* value,
                                           size_t* size_ret) {
  return enter([&](Call& call) -> cl_int {
    const Event* event = find<Event>(handle);
    if (event == nullptr) return CL_INVALID_EVENT;
    if (event->is_user() || !event->done() || event->failed() || !event->queue()->profiling()) {
      return CL_PROFILING_INFO_NOT_AVAILABLE;
    }
    const sluice::Completion& times = event->times();
    TimePs t = 0;
    switch (name) {
      case CL_PROFILING_COMMAND_QUEUED: t = times.queued; break;
      case CL_PROFILING_COMMAND_SUBMIT: t = times.submitted; break;
      case CL_PROFILING_COMMAND_START: t = times.started; break;
      case CL_PROFILING_COMMAND_END: t = times.ended; break;
      case CL_PROFILING_COMMAND_COMPLETE: t = times.completed; break;
      default: return CL_INVALID_VALUE;
    }
    // The hardware's counter moves in steps.
    const TimePs step = std::max<TimePs>(1, call.runtime().machine().device.timestamp_granularity_ps);
    return InfoWriter(size, value, size_ret).value<cl_ulong>(sluice::to_ns(t - t % step));
  });
}

}  // extern "C"

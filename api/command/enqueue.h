// From validated arguments to the simulator: the life of a command, in one place.
//
//   held       waits for a user event, for a command that is held itself, or for a command of another device
//   submitted  the simulator has it and knows all that it waits for
//   done       complete, or failed because an event of its wait list failed
#pragma once

#include <CL/cl.h>

#include <boost/container/small_vector.hpp>

#include "api/command/completion_hook.h"
#include "api/command/runtime.h"
#include "api/objects/event.h"
#include "api/objects/object.h"
#include "api/objects/queue.h"
#include "sim/iface/command.h"

namespace sluice::api {

using KeepAlive = boost::container::small_vector<Ref<ObjectBase>, 2>;

// What an entry point asks for after it has checked its arguments.
struct CommandRequest {
  cl_command_type type = CL_COMMAND_MARKER;  // CL_EVENT_COMMAND_TYPE
  Command command;      // id, queue, device, in_order, blocking and waits are filled in by enqueue()
  CompletionHook hook;  // under the lock, after the simulator's run; may not call enqueue() or the simulator's run_*
  KeepAlive keep;       // objects that the command uses
};

// CL_SUCCESS, CL_INVALID_EVENT_WAIT_LIST or CL_INVALID_CONTEXT: num and list agree, all are events, of `context`.
[[nodiscard]] cl_int check_wait_list(const Context& context, cl_uint num, const cl_event* list);

// The same, and for a blocking call CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST if an event has failed already.
// For calls that must know before they change anything (a map's bookkeeping). enqueue() repeats it.
[[nodiscard]] cl_int check_wait_list(const Context& context, cl_uint num, const cl_event* list, bool blocking);

// Checks the wait list, creates the command, its event if `out` is not null, submits it or holds it back, and if
// `blocking` waits until it is done. Other errors than those of the wait list:
//   CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST  blocking, and an event of the list failed before or during the wait;
//                                                 in the first case nothing was enqueued and the hook is not called
// Non-blocking commands with a failed event are enqueued and fail: CL_SUCCESS, the hook is called with the code.
// The hook of a blocking command has been called when enqueue() returns. A `host_only` command becomes a marker of the
// device where the queue has unfinished commands, because it must not overtake them.
[[nodiscard]] cl_int enqueue(Call& call, Queue& queue, CommandRequest&& request, cl_uint num, const cl_event* list,
                             cl_event* out, bool blocking);

// enqueue() for a call that has changed something already: `undo` is called if the command was refused, or failed while
// the call waited for it. What becomes of a command that fails later is the hook's business.
template <class Undo>
[[nodiscard]] cl_int enqueue_or_undo(const Undo& undo, Call& call, Queue& queue, CommandRequest&& request, cl_uint num,
                                     const cl_event* list, cl_event* out, bool blocking) {
  cl_int code = CL_SUCCESS;
  try {
    code = enqueue(call, queue, std::move(request), num, list, out, blocking);
  } catch (...) {
    undo();
    throw;
  }
  if (code != CL_SUCCESS) undo();
  return code;
}

// True if the queue has no command that is not done. As of the device's now.
[[nodiscard]] inline bool idle(const Queue& queue) noexcept { return queue.order.open == 0; }

}  // namespace sluice::api

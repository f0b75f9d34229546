// An event: of a command, or a user event. Its status is what api/command last told it.
#pragma once

#include <vector>

#include "api/objects/context.h"
#include "api/objects/object.h"
#include "api/objects/queue.h"
#include "sim/iface/command.h"
#include "sim/iface/simulator.h"

namespace sluice::api {

using EventNotify = void(CL_CALLBACK*)(cl_event event, cl_int status, void* user_data);

class Event final : public Object<Event, cl_event, ObjectType::event> {
 public:
  explicit Event(Context& context) : context_(&context), command_type_(CL_COMMAND_USER) {}  // a user event
  Event(Queue& queue, cl_command_type type) : context_(&queue.context()), queue_(&queue), command_type_(type) {}

  [[nodiscard]] Context& context() const noexcept { return *context_; }
  [[nodiscard]] Queue* queue() const noexcept { return queue_.get(); }  // nullptr: user event
  [[nodiscard]] bool is_user() const noexcept { return !queue_; }
  [[nodiscard]] cl_command_type command_type() const noexcept { return command_type_; }

  // CL_QUEUED, CL_SUBMITTED, CL_RUNNING, CL_COMPLETE, or a negative code, as of the device's now: it must have passed a
  // stamp before the status shows it.
  [[nodiscard]] cl_int status(const Simulator& sim) const noexcept;
  [[nodiscard]] bool done() const noexcept { return done_; }
  [[nodiscard]] bool failed() const noexcept { return done_ && result_ < 0; }
  // Valid once done() without failure; untruncated.
  [[nodiscard]] const Completion& times() const noexcept { return times_; }
  [[nodiscard]] bool is_submitted() const noexcept { return submitted_; }
  [[nodiscard]] const EnqueueStamps& stamps() const noexcept { return stamps_; }  // valid once submitted

  // Kept by api/command.
  struct Callback {
    cl_int status;  // CL_SUBMITTED, CL_RUNNING or CL_COMPLETE
    EventNotify function;
    void* user_data;
  };
  CommandId command = 0;              // while it is neither complete nor failed
  std::vector<CommandId> dependents;  // user event: commands that it holds back
  std::vector<Callback> callbacks;          // not fired yet

  void submitted(const EnqueueStamps& stamps) noexcept;
  void finished(cl_int result, const Completion& times) noexcept;

 private:
  Ref<Context> context_;
  Ref<Queue> queue_;
  cl_command_type command_type_;
  bool submitted_ = false;
  bool done_ = false;
  cl_int result_ = CL_COMPLETE;
  EnqueueStamps stamps_;
  Completion times_;
};

}  // namespace sluice::api

#include "api/command/scheduler.h"

#include <algorithm>

#include "api/objects/registry.h"
#include "api/objects/touch_tracker.h"
#include "api/strict/strict.h"

namespace sluice::api {

namespace {

constexpr std::size_t kBlock = 256;
constexpr CommandId kNoCommand = ~CommandId{0};

void fire(Runtime& runtime, Event& event, const Event::Callback& callback, TimePs at, cl_int status) {
  // The handle was made to stay live when the callback was registered.
  runtime.forget_callbacks(1);
  runtime.post_callback(at, [event = Ref<Event>(&event), callback, status] {
    callback.function(event->handle(), status, callback.user_data);
    event->end_live();
  });
}

// Fires the callbacks whose status has been reached.
void fire_reached(Runtime& runtime, Event& event) {
  if (event.callbacks.empty()) return;
  std::vector<Event::Callback> waiting;
  waiting.swap(event.callbacks);
  // In the order of the states, as their times are (CL_COMPLETE is the smallest); as registered within one.
  std::stable_sort(waiting.begin(), waiting.end(), [](const auto& a, const auto& b) { return a.status > b.status; });
  for (const Event::Callback& callback : waiting) {
    if (event.done()) {
      const Completion& t = event.times();
      const cl_int result = event.failed() ? event.status(runtime.sim()) : callback.status;
      const TimePs at = event.failed() || event.is_user() || callback.status == CL_COMPLETE ? t.visible
                        : callback.status == CL_RUNNING                                      ? t.started
                                                                                             : t.submitted;
      fire(runtime, event, callback, at, result);
    } else if (callback.status == CL_SUBMITTED && (event.is_submitted() || event.is_user())) {
      fire(runtime, event, callback, event.is_user() ? runtime.clock() : event.stamps().submitted, CL_SUBMITTED);
    } else {
      event.callbacks.push_back(callback);
    }
  }
}

}  // namespace

void add_callback(Runtime& runtime, Event& event, const Event::Callback& callback) {
  event.keep_live();
  runtime.expect_callbacks(1);
  event.callbacks.push_back(callback);
  fire_reached(runtime, event);
}

PendingCommand& Scheduler::add() {
  if (next_ - first_ == table_.size()) {
    std::vector<PendingCommand*> larger(2 * table_.size());
    for (CommandId id = first_; id < next_; ++id) larger[id & (larger.size() - 1)] = find(id);
    table_.swap(larger);
  }
  if (free_.empty()) {
    blocks_.push_back(std::make_unique<PendingCommand[]>(kBlock));
    free_.reserve(blocks_.size() * kBlock);
    for (std::size_t i = kBlock; i-- > 0;) free_.push_back(&blocks_.back()[i]);
  }
  PendingCommand* c = free_.back();
  free_.pop_back();
  c->id = next_++;
  table_[c->id & (table_.size() - 1)] = c;
  return *c;
}

void Scheduler::remove(PendingCommand& c) {
  table_[c.id & (table_.size() - 1)] = nullptr;
  while (first_ < next_ && table_[first_ & (table_.size() - 1)] == nullptr) ++first_;
  c.id = 0;
  c.held.reset();
  c.may_fail = c.in_vain = false;
  c.waiter = nullptr;
  c.hook.reset();
  c.keep.clear();
  c.dependents.clear();
  c.event.reset();
  c.queue.reset();
  free_.push_back(&c);  // never allocates: add() reserved for all
}

void Scheduler::depend(PendingCommand& c, Command& command, std::uint32_t& open, PendingCommand& on, bool by_event) {
  const bool other_device = on.queue->device().index() != command.device;
  c.may_fail |= by_event && on.may_fail;
  if (on.held == nullptr && !other_device) {
    command.waits.push_back(on.id);
    if (by_event && on.may_fail) on.dependents.push_back({c.id, true, false, true});
    return;
  }
  on.dependents.push_back({c.id, by_event, other_device, false});
  ++open;
  if (other_device) ++across_devices_;
}

CommandId Scheduler::depend_on_queue(PendingCommand& c, Command& command, std::uint32_t& open, bool waits_for_all) {
  Queue::Order& order = c.queue->order;
  if (c.queue->in_order()) {
    // The simulator keeps the order of those that it has; a command behind a held one is held, too.
    PendingCommand* last = find(order.last);
    if (last == nullptr || last->held == nullptr) return 0;
    depend(c, command, open, *last, false);
    return last->id;
  }
  if (PendingCommand* barrier = find(order.last_barrier)) depend(c, command, open, *barrier, false);
  if (waits_for_all) {
    // A marker or barrier stands for all before it, so that the next one need not look at them again.
    if (PendingCommand* sync = find(order.last_sync)) depend(c, command, open, *sync, false);
    for (const CommandId id : order.since_sync) {
      if (PendingCommand* before = find(id)) depend(c, command, open, *before, false);
    }
  } else {
    if (order.since_sync.size() >= 64 + 2 * order.open) {
      std::erase_if(order.since_sync, [this](CommandId id) { return find(id) == nullptr; });
    }
    order.since_sync.push_back(c.id);
  }
  return 0;
}

void Scheduler::take_place(const PendingCommand& c, const Command& command, bool waits_for_all) noexcept {
  Queue::Order& order = c.queue->order;
  order.last = c.id;
  ++order.open;
  if (c.held != nullptr) ++order.held;
  if (c.queue->in_order()) return;
  if (waits_for_all) {
    order.since_sync.clear();
    order.last_sync = c.id;
  }
  if (command.op == Operation::barrier) order.last_barrier = c.id;
}

void Scheduler::abandon(PendingCommand& c) noexcept {
  if (runtime_.touches() != nullptr) runtime_.touches()->command_over(c.id);
  // The event's handle never reached the program. What others keep of the command is its id, which finds nothing.
  if (c.event) static_cast<void>(c.event->release());
  remove(c);
}

cl_int Scheduler::enqueue(Call& call, Queue& queue, CommandRequest&& request, cl_uint num, const cl_event* list,
                          cl_event* out, bool blocking) {
  if (const cl_int code = check_wait_list(queue.context(), num, list, blocking); code != CL_SUCCESS) return code;
  PendingCommand& c = add();
  const CommandId id = c.id;
  Command& command = request.command;
  command.id = id;
  command.queue = queue.id();
  command.device = queue.device().index();
  command.in_order = queue.in_order();
  command.blocking = blocking;
  command.stamped = out != nullptr && queue.profiling();
  c.queue = Ref<Queue>(&queue);
  c.hook = std::move(request.hook);
  c.keep = std::move(request.keep);
  c.may_fail = command.op == Operation::kernel;

  std::uint32_t open = 0;
  bool failed = false;
  if (strict::instance != nullptr) strict::instance->enqueued(command);
  if (runtime_.touches() != nullptr && command.moves_data && command.target.data != nullptr) {
    const Shape& s = command.shape;
    runtime_.touches()->command_writes(id, command.target.data, (s.slices - 1) * command.target.slice_pitch_bytes +
                                                                    (s.rows - 1) * command.target.row_pitch_bytes + s.row_bytes);
  }
  const bool waits_for_all = num == 0 && (command.op == Operation::marker || command.op == Operation::barrier);
  // What takes memory comes first: until it has its place in the queue, the command can be dropped without a trace.
  try {
    if (out != nullptr) {
      c.event = Ref<Event>(new Event(queue, request.type));
      c.event->command = id;
    }
    for (cl_uint i = 0; i < num; ++i) {
      Event& event = *api::find<Event>(list[i]);
      if (event.done()) {
        failed |= event.failed();
      } else if (event.is_user()) {
        event.dependents.push_back(id);
        c.keep.emplace_back(&event);
        ++open;
      } else {
        depend(c, command, open, *find(event.command), true);
      }
    }
    const CommandId behind = depend_on_queue(c, command, open, waits_for_all);
    if (command.host_only && (open != 0 || !command.waits.empty() || (queue.in_order() && queue.order.open != 0))) {
      command.host_only = false;
    }
    if (failed || open != 0) {
      c.held = std::make_unique<PendingCommand::Held>();
      c.held->behind = behind;
      c.held->open_waits = open;
      if (failed) failing_.push_back(id);
    } else {
      submit(c, command, true);
    }
  } catch (...) {
    abandon(c);
    throw;
  }
  take_place(c, command, waits_for_all);
  call.enqueued(id, blocking);
  if (out != nullptr) *out = c.event->handle();
  if (c.held != nullptr) {
    runtime_.set_clock(runtime_.sim().hold(command, std::max(runtime_.clock(), runtime_.sim().now())));
    c.held->command = std::move(command);
    if (failed) settle(true);
  }
  if (!blocking) return CL_SUCCESS;
  CommandOutcome outcome;
  if (PendingCommand* pending = find(id)) {
    pending->waiter = &outcome;
    if (const cl_int code = wait(call, id); code != CL_SUCCESS) {
      if ((pending = find(id)) != nullptr) pending->waiter = nullptr;
      return code;
    }
    runtime_.set_clock(outcome.times.visible);
  }
  return outcome.result < 0 ? CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST : CL_SUCCESS;
}

bool Scheduler::awaits(CommandId id) const noexcept {
  for (CommandId i = first_; i < id && i < next_; ++i) {
    const PendingCommand* c = find(i);
    if (c == nullptr) continue;
    for (const PendingCommand::Dependent& d : c->dependents) {
      if (d.id == id) return true;
    }
  }
  return false;
}

void Scheduler::submit(PendingCommand& c, const Command& command, bool charge) {
  Simulator& sim = runtime_.sim();
  const TimePs now = sim.now();
  const EnqueueStamps stamps = sim.enqueue(command, charge ? std::max(runtime_.clock(), now) : now);
  if (charge) runtime_.set_clock(stamps.returned);
  if (c.held != nullptr) {
    c.held.reset();
    --c.queue->order.held;
  }
  if (c.event) {
    c.event->submitted(stamps);
    fire_reached(runtime_, *c.event);
  }
  // Those of the same device now wait inside the simulator.
  std::size_t kept = 0;
  for (PendingCommand::Dependent d : c.dependents) {
    if (!d.when_complete && !d.when_failed) {
      resolve(d.id, c.id, true);
      if (!d.by_event || !c.may_fail) continue;
      d.when_failed = true;
    }
    c.dependents[kept++] = d;
  }
  c.dependents.erase(c.dependents.begin() + static_cast<std::ptrdiff_t>(kept), c.dependents.end());
}

void Scheduler::resolve(CommandId id, CommandId on, bool in_simulator) {
  PendingCommand* c = find(id);
  if (c == nullptr || c->held == nullptr) return;  // it has failed meanwhile
  if (c->held->behind == on) c->held->behind = 0;
  if (c->held->doomed) {
    if (c->held->behind == 0) failing_.push_back(id);
    return;
  }
  if (in_simulator) c->held->command.waits.push_back(on);
  if (--c->held->open_waits == 0) ready_.push_back(id);
}

void Scheduler::settle(bool charge) {
  if (settling_) return;
  struct Settling {
    explicit Settling(bool& f) : flag(f) { flag = true; }
    ~Settling() { flag = false; }
    bool& flag;
  } const settling(settling_);
  // By index: both lists grow while they are worked off. A chain of any length needs no recursion.
  std::size_t failed = 0;
  std::size_t submitted = 0;
  while (failed < failing_.size() || submitted < ready_.size()) {
    if (failed < failing_.size()) {
      if (PendingCommand* c = find(failing_[failed++])) {
        if (c->held != nullptr && c->held->behind != 0) {
          // If it went now, what follows it in its in-order queue would overtake what is before it.
          c->held->doomed = true;
          continue;
        }
        CommandOutcome outcome;
        outcome.result = CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST;
        outcome.times.id = c->id;
        outcome.times.visible = charge ? runtime_.clock() : runtime_.sim().now();
        finish_command(*c, outcome);
      }
      continue;
    }
    PendingCommand* c = find(ready_[submitted++]);
    if (c == nullptr || c->held == nullptr) continue;
    const Command command = std::move(c->held->command);
    submit(*c, command, charge);
  }
  failing_.clear();
  ready_.clear();
}

void Scheduler::finish_command(PendingCommand& c, CommandOutcome outcome) {
  Queue::Order& order = c.queue->order;
  --order.open;
  if (c.held != nullptr) --order.held;
  order.last_visible = std::max(order.last_visible, outcome.times.visible);
  const Ref<Queue> queue = c.queue;
  if (strict::instance != nullptr) strict::instance->ended(outcome.times, outcome.result >= 0);
  if (runtime_.touches() != nullptr) runtime_.touches()->command_over(c.id);
  c.hook(outcome);
  if (c.waiter != nullptr) *c.waiter = outcome;
  if (c.event) {
    c.event->finished(outcome.result, outcome.times);
    fire_reached(runtime_, *c.event);
  }
  for (const PendingCommand::Dependent& d : c.dependents) {
    if (d.when_complete) --across_devices_;
    if (PendingCommand* waiting = d.when_failed ? find(d.id) : nullptr; waiting != nullptr && waiting->held == nullptr) {
      waiting->in_vain |= outcome.result < 0;
    } else if (outcome.result < 0 && d.by_event) {
      failing_.push_back(d.id);
    } else if (d.when_failed) {
      continue;
    } else {
      resolve(d.id, c.id, false);
    }
  }
  remove(c);
  runtime_.notify_waiters();
}

void Scheduler::complete(const Completion& completion) {
  PendingCommand* c = find(completion.id);
  if (c == nullptr) return;
  CommandOutcome outcome;
  if (completion.status < 0) {
    outcome.result = CL_OUT_OF_RESOURCES;
  } else if (c->in_vain) {
    outcome.result = CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST;
  }
  outcome.times = completion;
  finish_command(*c, outcome);
  settle(false);
}

void Scheduler::set_user_event(Event& event, cl_int status) {
  Completion times;
  times.queued = times.submitted = times.started = times.ended = times.completed = times.visible =
      std::max(runtime_.clock(), runtime_.sim().now());
  event.finished(status, times);
  fire_reached(runtime_, event);
  for (const CommandId id : event.dependents) {
    if (status < 0) {
      failing_.push_back(id);
    } else {
      resolve(id, kNoCommand, false);
    }
  }
  event.dependents = {};
  settle(true);
  runtime_.notify_waiters();
}

bool Scheduler::make_progress(Call& call, CommandId id) {
  const PendingCommand* c = find(id);
  Simulator& sim = runtime_.sim();
  if (c != nullptr && c->held == nullptr) {
    if (!runtime_.expects_callbacks()) {
      if (!sim.run_until_complete(id)) return false;
      if (sim.waits_for_host()) call.let_others_call();
      return true;
    }
    // One completion at a time, so that a callback acts at its own time and not at the end of the wait.
    if (!sim.run_until_next_completion()) return false;
    call.let_callbacks_run();
    if (sim.waits_for_host()) call.let_others_call();
    return true;
  }
  if (across_devices_ != 0 && sim.run_until_next_completion()) {
    call.let_callbacks_run();
    if (sim.waits_for_host()) call.let_others_call();
    return true;
  }
  call.wait_for_change();
  return true;
}

cl_int Scheduler::wait(Call& call, CommandId id) {
  while (find(id) != nullptr) {
    if (!make_progress(call, id)) return CL_OUT_OF_RESOURCES;
  }
  return CL_SUCCESS;
}

cl_int Scheduler::wait(Call& call, Event& event) {
  const Ref<Event> keep(&event);
  while (!event.done()) {
    if (!make_progress(call, event.command)) return CL_OUT_OF_RESOURCES;
  }
  runtime_.set_clock(event.times().visible);
  return CL_SUCCESS;
}

cl_int Scheduler::finish(Call& call, Queue& queue) {
  const Ref<Queue> keep(&queue);
  // What other threads enqueue from here on is not ours to wait for.
  const CommandId newest = next_;
  while (queue.order.open != 0) {
    CommandId id = queue.order.last < newest ? queue.order.last : 0;
    if (find(id) == nullptr) {
      // The newest one is done and older ones are not: out of order, or it failed early.
      id = 0;
      for (CommandId i = first_; i < newest && id == 0; ++i) {
        const PendingCommand* c = find(i);
        if (c != nullptr && c->queue.get() == &queue) id = i;
      }
      if (id == 0) break;
    }
    if (const cl_int code = wait(call, id); code != CL_SUCCESS) return code;
  }
  runtime_.set_clock(queue.order.last_visible);
  return CL_SUCCESS;
}

cl_int check_wait_list(const Context& context, cl_uint num, const cl_event* list) {
  if ((num == 0) != (list == nullptr)) return CL_INVALID_EVENT_WAIT_LIST;
  for (cl_uint i = 0; i < num; ++i) {
    const Event* event = find<Event>(list[i]);
    if (event == nullptr) return CL_INVALID_EVENT_WAIT_LIST;
    if (&event->context() != &context) return CL_INVALID_CONTEXT;
  }
  return CL_SUCCESS;
}

cl_int check_wait_list(const Context& context, cl_uint num, const cl_event* list, bool blocking) {
  if (const cl_int code = check_wait_list(context, num, list); code != CL_SUCCESS || !blocking) return code;
  for (cl_uint i = 0; i < num; ++i) {
    if (find<Event>(list[i])->failed()) return CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST;
  }
  return CL_SUCCESS;
}

cl_int enqueue(Call& call, Queue& queue, CommandRequest&& request, cl_uint num, const cl_event* list, cl_event* out,
               bool blocking) {
  return call.runtime().scheduler().enqueue(call, queue, std::move(request), num, list, out, blocking);
}

}  // namespace sluice::api

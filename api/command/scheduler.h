// Keeps the commands that are neither complete nor failed. See enqueue.h for a command's life.
#pragma once

#include <boost/container/small_vector.hpp>

#include <cstdint>
#include <memory>
#include <vector>

#include "api/command/enqueue.h"

namespace sluice::api {

// The light record of a command. The Command itself is here while it is held, and then the simulator's.
struct PendingCommand {
  struct Dependent {
    CommandId id;
    bool by_event;        // through its wait list: fails if this one fails
    bool when_complete;   // of another device: the simulator orders commands of one device only
    bool when_failed;     // the simulator orders them, and does not know that this one is in vain if the other fails
  };
  struct Held {
    Command command;
    std::uint32_t open_waits = 0;
    CommandId behind = 0;  // held command of the same in-order queue
    bool doomed = false;   // fails as soon as it is behind no other
  };

  CommandId id = 0;
  Ref<Queue> queue;
  Ref<Event> event;
  std::unique_ptr<Held> held;   // nullptr: submitted
  bool may_fail = false;        // on the device: a kernel, and what waits for the event of one
  bool in_vain = false;         // submitted, and an event of its wait list failed
  CommandOutcome* waiter = nullptr;  // of the blocking call that made it
  CompletionHook hook;
  KeepAlive keep;
  // Most have one, the next of the queue. Inline: small blocks between the freed Helds would keep the heap from reusing
  // those for the simulator's records.
  boost::container::small_vector<Dependent, 1> dependents;
};

// clSetEventCallback, after its checks. Fires at once if the status has been reached.
void add_callback(Runtime& runtime, Event& event, const Event::Callback& callback);

class Scheduler {
 public:
  explicit Scheduler(Runtime& runtime) : runtime_(runtime), table_(1024) {}

  [[nodiscard]] cl_int enqueue(Call& call, Queue& queue, CommandRequest&& request, cl_uint num, const cl_event* list,
                               cl_event* out, bool blocking);
  // From the simulator.
  void complete(const Completion& completion);
  // `status`: CL_COMPLETE or negative. Submits or fails what waited for the event.
  void set_user_event(Event& event, cl_int status);

  // Block until done; the thread's clock becomes the time at which it runs again.
  // CL_OUT_OF_RESOURCES: the simulator stopped without completing it (a defect of the model).
  [[nodiscard]] cl_int wait(Call& call, Event& event);
  [[nodiscard]] cl_int finish(Call& call, Queue& queue);

  // The host does not know yet that all that the command waits for is over.
  [[nodiscard]] bool awaits(CommandId id) const noexcept;

  // True if finish() would not wait for another thread.
  [[nodiscard]] static bool can_finish(const Queue& queue) noexcept { return queue.order.held == 0; }

 private:
  [[nodiscard]] PendingCommand* find(CommandId id) const noexcept {
    return id >= first_ && id < next_ ? table_[id & (table_.size() - 1)] : nullptr;
  }
  [[nodiscard]] PendingCommand& add();
  void remove(PendingCommand& c);

  // Each adds to command.waits what the simulator is to wait for, and to `open` what it cannot wait for.
  void depend(PendingCommand& c, Command& command, std::uint32_t& open, PendingCommand& on, bool by_event);
  // The command is its queue's newest from now on.
  static void take_place(const PendingCommand& c, Operation op, bool waits_for_all) noexcept;
  // Drops a command that has no place in its queue yet.
  void abandon(PendingCommand& c) noexcept;
  // Returns the held command behind which an in-order queue places this one, or 0.
  [[nodiscard]] CommandId depend_on_queue(PendingCommand& c, Command& command, std::uint32_t& open,
                                          bool waits_for_all);
  void submit(PendingCommand& c, Command&& command, bool charge);
  void finish_command(PendingCommand& c, CommandOutcome outcome);
  void resolve(CommandId id, CommandId on, bool in_simulator);
  // Submits and fails what has become ready; the thread pays for it unless the simulator is delivering.
  void settle(bool charge);
  [[nodiscard]] cl_int wait(Call& call, CommandId id);
  // Moves the device on or waits for another thread. False: neither is possible.
  [[nodiscard]] bool make_progress(Call& call, CommandId id);

  Runtime& runtime_;
  // Slot id & (size - 1) for ids in [first_, next_); nullptr where the command is done.
  std::vector<PendingCommand*> table_;
  CommandId first_ = 1;
  CommandId next_ = 1;
  std::vector<std::unique_ptr<PendingCommand[]>> blocks_;
  std::vector<PendingCommand*> free_;
  std::vector<CommandId> ready_;
  std::vector<CommandId> failing_;
  bool settling_ = false;
  std::uint64_t across_devices_ = 0;  // commands that are held back for a command of another device
};

}  // namespace sluice::api

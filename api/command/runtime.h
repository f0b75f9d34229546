// The driver's state of a process: the one lock, the machine, the threads' virtual clocks, and callbacks.
//
// Every entry point is written as
//   return enter([&](Call& call) -> cl_int { ... });                          // functions that return a code
//   return create<cl_mem>(errcode_ret, [&](Call& call, cl_int& code) -> cl_mem { ... });  // those that return a handle
// which takes the lock, advances the device to the calling thread's clock, and turns std::bad_alloc into
// CL_OUT_OF_HOST_MEMORY. Both note the function that they stand in as the call's name in a trace: a helper of several entry
// points takes it as its last argument and hands it on. Code in api/ runs under the lock unless its comment says otherwise.
#pragma once

#include <CL/cl.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "api/objects/kernel_memory.h"
#include "api/objects/platform.h"
#include "sim/iface/kernel_engine.h"
#include "sim/iface/simulator.h"

namespace sluice::trace {
class Recorder;
}

namespace sluice::api::strict {
class Strict;
}

namespace sluice::api {

class CallbackThread;
class TouchTracker;
class Explain;
class Call;
class Scheduler;

class Runtime {
 public:
  // Never destroyed: commands may be pending and threads may call while the process ends.
  [[nodiscard]] static Runtime& instance();

  // Opens the machine at the first call. False: it cannot be opened; the reasons were written to stderr.
  [[nodiscard]] bool open();
  [[nodiscard]] bool is_open() const noexcept { return platform_ != nullptr; }
  // After open() only. Any handle that the program can have implies it.
  [[nodiscard]] Simulator& sim() noexcept { return *simulator_; }
  [[nodiscard]] const Machine& machine() const noexcept { return simulator_->machine(); }
  [[nodiscard]] Platform& platform() noexcept { return *platform_; }
  [[nodiscard]] Scheduler& scheduler() noexcept { return *scheduler_; }
  // What runs kernels; nullptr: this build has no engine.
  [[nodiscard]] KernelEngine* kernels() noexcept { return kernels_.get(); }
  [[nodiscard]] KernelMemory& kernel_memory(DeviceIndex device) noexcept { return kernel_memory_[device]; }
  // LoadOptions::lockstep of all programs.
  [[nodiscard]] bool lockstep() const noexcept { return lockstep_; }
  // Tells which pages of mapped regions the program has written; nullptr: the map flags say it.
  [[nodiscard]] TouchTracker* touches() noexcept { return touches_.get(); }
  // A region that the program may write is mapped / unmapped. What it has written is then in its cores' caches.
  void watch(const void* owner, std::uint64_t serial, const void* p, std::size_t bytes, bool is_host_memory);
  // Charges the calling thread for what the program has stored in mapped host memory since the last call.
  void charge_stores();
  void tell_written(const void* owner, std::uint64_t serial, const void* p, std::uint64_t address, std::size_t bytes);
  // What of the region was written, from its beginning on: offsets and sizes. All of it, where nobody has watched.
  [[nodiscard]] std::vector<std::pair<std::uint64_t, std::uint64_t>> written(const void* owner, std::uint64_t serial,
                                                                             const void* p, std::size_t bytes);
  // Work-item instructions after which a work-group is taken never to end.
  [[nodiscard]] std::uint64_t group_instruction_limit() const noexcept { return group_instruction_limit_; }
  [[nodiscard]] QueueId next_queue_id() noexcept { return ++last_queue_; }

  // Runs `callback` on the runtime thread, outside the lock, with `at` as that thread's clock. For all callbacks of the
  // program: events, destructors, SVM frees, builds. In the order of posting.
  void post_callback(TimePs at, std::function<void()> callback);

  // The calling thread's virtual clock. A thread's first use starts it at the device's now.
  [[nodiscard]] TimePs clock() noexcept;
  void set_clock(TimePs t) noexcept;    // never moves it back
  void start_clock(TimePs t) noexcept;  // the runtime thread's, at each callback
  // Charges driver work to the calling thread.
  void charge(HostAction action) noexcept { set_clock(clock() + simulator_->host_cost(action)); }
  void charge(TimePs time) noexcept {
    if (time != 0) set_clock(clock() + time);
  }

  // Something that a blocked thread may be waiting for has changed: a user event was set, commands became complete.
  void notify_waiters() noexcept { changed_.notify_all(); }

  // Event callbacks were registered / will be called now. While some are expected, the pump keeps the device going.
  void expect_callbacks(std::uint64_t count);
  void forget_callbacks(std::uint64_t count) noexcept { expected_callbacks_ -= count; }
  [[nodiscard]] bool expects_callbacks() const noexcept { return expected_callbacks_ != 0; }

  // Launches that share fine-grained memory with the host: a program may look there for what they did, and never call.
  void watch_launch();
  void forget_launch() noexcept { --watched_launches_; }
  // The device must move although the program makes no call.
  [[nodiscard]] bool moves_alone() const noexcept { return expected_callbacks_ != 0 || watched_launches_ != 0; }

  // At process end: stops the runtime thread and closes the trace. Takes the lock itself.
  void shut_down() noexcept;

 private:
  friend class Call;
  friend class CallbackThread;

  Runtime();
  ~Runtime();
  [[nodiscard]] bool open_machine();
  void enter_clock();  // run_until(clock), and wall-clock time if that is charged

  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_tried_ = false;
  std::unique_ptr<trace::Recorder> recorder_;
  std::unique_ptr<Explain> explain_;
  std::unique_ptr<strict::Strict> strict_;
  std::unique_ptr<KernelEngine> kernels_;
  std::unique_ptr<Simulator> simulator_;
  Platform* platform_ = nullptr;
  std::unique_ptr<Scheduler> scheduler_;
  std::vector<KernelMemory> kernel_memory_;  // by device
  CallbackThread* callbacks_ = nullptr;  // never destroyed
  std::uint64_t group_instruction_limit_ = LoadOptions().group_instruction_limit;
  bool lockstep_ = false;
  std::unique_ptr<TouchTracker> touches_;
  bool told_unwatched_ = false;  // that some memory cannot be watched
  QueueId last_queue_ = 0;
  std::uint64_t expected_callbacks_ = 0;
  std::uint64_t calls_ = 0;  // entries and exits so far: tells the pump that the program is busy
  std::uint64_t posted_ = 0;  // callbacks so far
  double host_time_scale_ = 0;  // SLUICE_HOST_TIME: 0 is frozen
  std::uint64_t watched_launches_ = 0;
  std::uint32_t traced_threads_ = 0;  // of the program, that a trace has calls of
};

// One API call of one thread: holds the lock from construction to destruction.
class Call {
 public:
  // `name`: for traces, with static storage. nullptr: this is none of the program's calls.
  explicit Call(const char* name = nullptr);
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  [[nodiscard]] Runtime& runtime() const noexcept { return runtime_; }
  [[nodiscard]] Simulator& sim() const noexcept { return runtime_.sim(); }
  // For traces, which have the calls that take simulated time. The call made a command, whose record tells what the call
  // cost, unless it waits for it:
  void enqueued(CommandId id, bool waits) noexcept {
    enqueued_ = true;
    waited_for_ = waits ? id : 0;
  }
  // Or it belongs there although it may take none.
  void show() noexcept { shown_ = true; }
  // Waits for Runtime::notify_waiters() with the lock released.
  void wait_for_change();
  // Lets the callbacks that are due run, with the lock released, before the device moves on.
  void let_callbacks_run();
  // A kernel waits for what the program does: leaves the lock to other threads for a moment.
  void let_others_call();

 private:
  void tell() noexcept;

  Runtime& runtime_;
  const char* name_;
  TimePs begin_ = 0;
  CommandId waited_for_ = 0;
  bool enqueued_ = false;
  bool shown_ = false;
  bool strict_ = false;
  bool bypass_;  // real clocks under --virtual-time while the driver works
  std::uint64_t posted_before_;
  std::unique_lock<std::mutex> lock_;
};

template <class F>
cl_int enter(F&& body, const char* name = __builtin_FUNCTION()) noexcept {
  try {
    Call call(name);
    return body(call);
  } catch (const std::bad_alloc&) {
    return CL_OUT_OF_HOST_MEMORY;
  } catch (...) {
    return CL_OUT_OF_RESOURCES;
  }
}

template <class H, class F>
H create(cl_int* errcode_ret, F&& body, const char* name = __builtin_FUNCTION()) noexcept {
  cl_int code = CL_SUCCESS;
  H handle{};
  try {
    Call call(name);
    handle = body(call, code);
  } catch (const std::bad_alloc&) {
    code = CL_OUT_OF_HOST_MEMORY;
    handle = H{};
  } catch (...) {
    code = CL_OUT_OF_RESOURCES;
    handle = H{};
  }
  if (errcode_ret != nullptr) *errcode_ret = code;
  return handle;
}

}  // namespace sluice::api

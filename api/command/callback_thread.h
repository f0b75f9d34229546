// The runtime thread: runs the program's callbacks, and the pump that moves the device while the program waits outside
// the API for one of them. Started at the first need.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

#include "sim/iface/time.h"

namespace sluice::api {

class Runtime;

class CallbackThread {
 public:
  explicit CallbackThread(Runtime& runtime);
  ~CallbackThread() = delete;  // lives as long as the process

  void post(TimePs at, std::function<void()> callback);
  // With the runtime's lock not held: waits until the callbacks that were posted have returned. A callback that needs
  // something which the waiting thread holds is not waited for longer than a moment, and then not again until it is
  // through.
  void drain();
  [[nodiscard]] bool busy();
  [[nodiscard]] bool is_this_thread() const noexcept { return std::this_thread::get_id() == thread_.get_id(); }

  // Callbacks are expected: starts the pump unless it runs. With the runtime's lock held.
  void start_pump();

  // At process end. A callback that does not return is left behind.
  void stop();

 private:
  void run();
  void schedule_tick();
  void tick();

  Runtime& runtime_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io_.get_executor()};
  boost::asio::steady_timer timer_{io_};

  // Guarded by the runtime's lock.
  bool pumping_ = false;
  std::uint64_t seen_calls_ = 0;
  unsigned quiet_ticks_ = 0;
  std::chrono::microseconds interval_;

  std::mutex mutex_;
  std::condition_variable drained_;
  std::uint64_t outstanding_ = 0;
  bool stuck_ = false;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace sluice::api

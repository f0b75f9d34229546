// The thread that turns records into text and writes the files, so that the simulating thread only copies each record
// into a ring. It sleeps for `nap` when it has written all there is, or until the ring is half full; after a while
// without records it sleeps until the next one.
//
// It blocks all signals, so that the program's handlers run on the program's threads. A forked child has no such thread
// and writes nothing. If no thread can be had, records are written by the thread that brings them.
#pragma once

#include <pthread.h>
#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "sim/iface/machine.h"
#include "sim/iface/trace_sink.h"
#include "traces/call.h"
#include "traces/packed.h"
#include "traces/ring.h"
#include "traces/time_order.h"

namespace sluice::trace {

class Writer;

class WriterThread {
 public:
  // `at_start`, if any, is the first thing that the thread calls. Errors go to `status_descriptor` (-1: none), else to
  // stderr.
  WriterThread(void (*at_start)(), int status_descriptor);
  ~WriterThread();
  WriterThread(const WriterThread&) = delete;
  WriterThread& operator=(const WriterThread&) = delete;

  void add(std::unique_ptr<Writer> writer);
  void start(const Machine& machine, TraceLevel level);
  void close();

  // One at a time, and not before start(). Waits while the ring is full.
  void put(const CommandRecord& record) {
    if (record.kernel != nullptr) {
      send<PackedKernel>([&record](PackedKernel& packed) { pack(*record.kernel, packed); });
    }
    send<PackedCommand>([&record](PackedCommand& packed) { pack(record, packed); });
  }
  template <typename T>
  void put(const T& record) {
    send<T>([&record](T& slot) { slot = record; });
  }

  [[nodiscard]] bool ok() const noexcept { return !failed_.load(std::memory_order_acquire); }
  [[nodiscard]] const std::string& error() const noexcept { return ok() ? no_error_ : error_; }

 private:
  // What the thread does; the value of the futex that it sleeps on.
  enum State : std::uint32_t { awake, napping, asleep };

  template <typename T>
  static constexpr std::uint64_t tag = 0;

  template <typename T, typename F>
  void send(F&& fill) {
    if (!takes_records_.load(std::memory_order_relaxed)) return;
    while (!ring_.put<T>(tag<T>, fill)) {
      if (!wait_for_room()) return;
    }
    const std::uint32_t state = state_.load();
    if (state == asleep || (state == napping && ring_.is_half_full())) wake();
    if (!has_thread_) drain_here();
  }
  [[nodiscard]] bool wait_for_room();
  void wake();
  void drain_here();
  [[nodiscard]] bool is_forked() const;

  // The thread's side.
  static void* run(void* self);
  void work();
  void sleep(bool until_woken);
  bool drain();  // whether there was anything
  void release_room();
  template <typename F>
  void each(F&& write);
  void release(TimePs now);
  void join(const CallRecord& record);
  void hold_call();
  void fail(const std::string& error);
  void flush();
  void finish();

  Ring ring_;
  std::atomic<std::uint32_t> state_{awake};
  std::atomic<std::uint32_t> room_wanted_{0};  // a futex, too: the producer sleeps until the ring is half empty
  std::atomic<bool> takes_records_{false};
  std::atomic<bool> closing_{false};
  std::atomic<bool> failed_{false};
  bool has_thread_ = false;
  std::mutex without_thread_;
  pthread_t thread_{};
  pid_t process_;
  void (*at_start_)();
  int status_descriptor_;

  std::vector<std::unique_ptr<Writer>> writers_;
  TimeOrder order_;
  Command command_;
  CommandRecord record_;
  PackedKernel kernel_{};  // of the next command
  bool has_kernel_ = false;
  std::optional<CallRecord> call_;  // may go on with the next one of its thread
  std::string error_;  // written once, before failed_
  const std::string no_error_;
};

template <>
inline constexpr std::uint64_t WriterThread::tag<PackedCommand> = 1;
template <>
inline constexpr std::uint64_t WriterThread::tag<StageRecord> = 2;
template <>
inline constexpr std::uint64_t WriterThread::tag<PacketRecord> = 3;
template <>
inline constexpr std::uint64_t WriterThread::tag<CounterRecord> = 4;
template <>
inline constexpr std::uint64_t WriterThread::tag<PackedKernel> = 5;
template <>
inline constexpr std::uint64_t WriterThread::tag<CallRecord> = 6;

}  // namespace sluice::trace

#include "traces/writer_thread.h"

#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <limits>
#include <utility>
#include <variant>

#include "traces/recorder.h"
#include "traces/writer.h"

namespace sluice::trace {

namespace {

constexpr timespec nap{0, 1'000'000};
constexpr int naps_before_sleep = 20;
constexpr int no_limit = std::numeric_limits<int>::max();

static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t), "a futex is a plain word");

void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t while_value, const timespec* at_most) {
  ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), FUTEX_WAIT_PRIVATE, while_value, at_most, nullptr, 0);
}

void futex_wake(std::atomic<std::uint32_t>& word) {
  ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), FUTEX_WAKE_PRIVATE, no_limit, nullptr, nullptr, 0);
}

struct Dispatch {
  Writer& writer;
  void operator()(const StageRecord& record) const { writer.stage(record); }
  void operator()(const PacketRecord& record) const { writer.packet(record); }
  void operator()(const CounterRecord& record) const { writer.counter(record); }
  void operator()(const CallRecord& record) const { writer.call(record); }
};

}  // namespace

WriterThread::WriterThread(void (*at_start)(), int status_descriptor)
    : process_(::getpid()), at_start_(at_start), status_descriptor_(status_descriptor) {}

WriterThread::~WriterThread() {
  close();
}

void WriterThread::add(std::unique_ptr<Writer> writer) {
  writers_.push_back(std::move(writer));
}

bool WriterThread::is_forked() const {
  return ::getpid() != process_;
}

void WriterThread::start(const Machine& machine, TraceLevel level) {
  process_ = ::getpid();
  // Here and not on the thread: a file that cannot be written is told before the program goes on.
  each([&](Writer& writer) { writer.header(machine, level); });
  if (writers_.empty()) return;
  takes_records_ = true;
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  // The program's handlers are to run on the program's threads.
  has_thread_ = pthread_create(&thread_, nullptr, &WriterThread::run, this) == 0;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void WriterThread::close() {
  takes_records_ = false;
  if (closing_.exchange(true)) return;
  if (is_forked()) return;  // the parent writes what is here
  if (has_thread_) {
    wake();
    pthread_join(thread_, nullptr);
    return;
  }
  const std::unique_lock lock(without_thread_, std::try_to_lock);
  if (!lock.owns_lock()) return;  // exit() in the midst of a record
  drain();
  finish();
  writers_.clear();
}

void WriterThread::wake() {
  if (state_.exchange(awake) != awake) futex_wake(state_);
}

bool WriterThread::wait_for_room() {
  if (is_forked()) {
    takes_records_ = false;
  } else {
    room_wanted_ = 1;
    wake();
    futex_wait(room_wanted_, 1, &nap);
  }
  return takes_records_;
}

void WriterThread::release_room() {
  ring_.release();
  if (room_wanted_.load() != 0 && ring_.end() - ring_.taken() <= Ring::bytes / 2) {
    room_wanted_ = 0;
    futex_wake(room_wanted_);
  }
}

void WriterThread::drain_here() {
  if (is_forked()) return;
  const std::lock_guard lock(without_thread_);
  drain();
  flush();
}

void* WriterThread::run(void* self) {
  auto* const thread = static_cast<WriterThread*>(self);
  try {
    thread->work();
  } catch (...) {  // no memory: the program runs on without the rest of its trace
    thread->takes_records_ = false;
    thread->fail("trace: " + std::string(std::strerror(ENOMEM)));
  }
  return nullptr;
}

void WriterThread::work() {
  pthread_setname_np(pthread_self(), "sluice-trace");
  if (at_start_ != nullptr) at_start_();
  int idle = 0;
  while (true) {
    const bool closing = closing_;  // first: what was put before it is in the ring then
    idle = drain() ? 0 : idle + 1;
    if (closing) break;
    if (ring_.end() - ring_.taken() > Ring::bytes / 4) continue;  // more has come than a pause would be good for
    flush();
    sleep(idle >= naps_before_sleep);
  }
  finish();
}

void WriterThread::sleep(bool until_woken) {
  const State state = until_woken ? asleep : napping;
  state_ = state;
  // Whoever closes or puts a record after this look sees the state and wakes us.
  if (!closing_ && room_wanted_ == 0 && !(until_woken && ring_.end() != ring_.taken())) {
    futex_wait(state_, state, until_woken ? nullptr : &nap);
  }
  state_ = awake;
}

template <typename F>
void WriterThread::each(F&& write) {
  bool failed = false;
  for (const auto& writer : writers_) {
    write(*writer);
    failed |= !writer->output().ok();
  }
  if (!failed) return;
  std::erase_if(writers_, [this](const std::unique_ptr<Writer>& writer) {
    if (writer->output().ok()) return false;
    fail(writer->output().error());
    return true;
  });
  if (writers_.empty()) takes_records_ = false;
}

// A loop that asks for an event's status is one record between two commands, not thousands.
void WriterThread::join(const CallRecord& record) {
  if (call_ && call_->thread == record.thread && call_->name == record.name && call_->end == record.begin &&
      call_->command == 0 && record.command == 0) {
    call_->end = record.end;
    call_->calls += record.calls;
    return;
  }
  hold_call();
  call_ = record;
}

void WriterThread::hold_call() {
  if (call_) order_.hold(call_->end, *call_);
  call_.reset();
}

void WriterThread::release(TimePs now) {
  hold_call();
  order_.release(now, [this](const TimeOrder::Record& held) {
    each([&](Writer& writer) { std::visit(Dispatch{writer}, held); });
  });
}

void WriterThread::fail(const std::string& error) {
  if (failed_) return;
  error_ = error;
  failed_.store(true, std::memory_order_release);
  report_trace_error(error_, status_descriptor_);
}

bool WriterThread::drain() {
  const std::size_t end = ring_.end();
  const std::size_t begin = ring_.taken();
  std::size_t released = begin;
  while (ring_.has(end)) {
    switch (ring_.tag()) {
      case tag<PackedCommand>:
        unpack(ring_.take<PackedCommand>(), command_, record_);
        record_.kernel = std::exchange(has_kernel_, false) ? &kernel_.figures : nullptr;
        release(record_.times.visible);
        each([this](Writer& writer) { writer.command(record_); });
        break;
      case tag<PackedKernel>:
        kernel_ = ring_.take<PackedKernel>();
        kernel_.figures.name = {kernel_.name.data(), kernel_.name_bytes};
        has_kernel_ = true;
        break;
      case tag<StageRecord>: {
        const StageRecord& record = ring_.take<StageRecord>();
        order_.hold(record.end, record);
        break;
      }
      case tag<PacketRecord>: {
        const PacketRecord& record = ring_.take<PacketRecord>();
        release(record.begin);
        order_.hold(record.end, record);
        break;
      }
      case tag<CallRecord>:
        join(ring_.take<CallRecord>());
        break;
      default: {
        const CounterRecord& record = ring_.take<CounterRecord>();
        order_.hold(record.at, record);
      }
    }
    if (ring_.taken() - released < Ring::bytes / 16) continue;
    released = ring_.taken();
    release_room();
  }
  release_room();
  return begin != end;
}

void WriterThread::flush() {
  each([](Writer& writer) { writer.output().flush(); });
}

void WriterThread::finish() {
  release(time_never);
  each([](Writer& writer) {
    writer.end(/*is_whole=*/true);
    writer.output().close();
  });
}

}  // namespace sluice::trace

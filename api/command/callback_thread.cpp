#include "api/command/callback_thread.h"

#include <boost/asio/post.hpp>

#include <dirent.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "api/command/runtime.h"
#include "api/command/virtual_time.h"

namespace sluice::api {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr microseconds kMoment{1000};
constexpr microseconds kLongestMoment{32000};
constexpr unsigned kPatience = 50;  // moments that the pump leaves to a program which computes outside the API
constexpr milliseconds kDrainLimit{100};

// Whether a thread other than the calling one could run: it may be on its way to the next API call.
bool program_computes() {
  DIR* tasks = ::opendir("/proc/self/task");
  if (tasks == nullptr) return false;
  const long self = ::syscall(SYS_gettid);
  bool computes = false;
  while (const dirent* entry = ::readdir(tasks)) {
    const long id = std::strtol(entry->d_name, nullptr, 10);
    if (id == 0 || id == self) continue;
    char path[64];
    std::snprintf(path, sizeof path, "/proc/self/task/%ld/stat", id);
    std::FILE* file = std::fopen(path, "re");
    if (file == nullptr) continue;
    char text[128] = {};
    const std::size_t n = std::fread(text, 1, sizeof text - 1, file);
    std::fclose(file);
    text[n] = 0;
    // "id (name) STATE ..."; the name may contain anything.
    const char* end = std::strrchr(text, ')');
    if (end != nullptr && end[1] == ' ' && (end[2] == 'R' || end[2] == 'D')) computes = true;
  }
  ::closedir(tasks);
  return computes;
}

}  // namespace

CallbackThread::CallbackThread(Runtime& runtime) : runtime_(runtime), interval_(kMoment) {
  thread_ = std::thread([this] { run(); });
}

void CallbackThread::run() {
  bypass_virtual_time(true);  // this thread's timers are real; callbacks see virtual time
  io_.run();
  const std::lock_guard lock(mutex_);
  ended_ = true;
  drained_.notify_all();
}

void CallbackThread::post(TimePs at, std::function<void()> callback) {
  {
    const std::lock_guard lock(mutex_);
    ++outstanding_;
  }
  boost::asio::post(io_, [this, at, callback = std::move(callback)]() mutable {
    runtime_.start_clock(at);
    bypass_virtual_time(false);
    try {
      callback();
    } catch (...) {
      // A callback is C: nothing can be told to anybody.
    }
    bypass_virtual_time(true);
    {
      const Call call;  // what the callback kept alive goes under the lock
      callback = nullptr;
    }
    const std::lock_guard lock(mutex_);
    if (--outstanding_ == 0) {
      stuck_ = false;
      drained_.notify_all();
    }
  });
}

void CallbackThread::drain() {
  if (is_this_thread()) return;
  std::unique_lock lock(mutex_);
  if (stuck_ || outstanding_ == 0) return;
  if (!drained_.wait_for(lock, kDrainLimit, [this] { return outstanding_ == 0 || ended_; })) stuck_ = true;
}

bool CallbackThread::busy() {
  const std::lock_guard lock(mutex_);
  return outstanding_ != 0;
}

void CallbackThread::start_pump() {
  if (pumping_) return;
  pumping_ = true;
  quiet_ticks_ = 0;
  interval_ = kMoment;
  boost::asio::post(io_, [this] { schedule_tick(); });
}

void CallbackThread::schedule_tick() {
  timer_.expires_after(interval_);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) tick();
  });
}

// Real time decides only when the device is moved, never a stamp:
// - The pump moves the device only while the program has registered callbacks that are still to come, and stops at the
//   first completion that calls one; and while launches share fine-grained memory with the host. A program whose threads all wait outside the API sees the same order of events
//   as one that waits inside it.
// - It would change stamps if it ran past the clock of a thread that is about to enqueue. So it runs only after a
//   moment without any call, and only when every other thread sleeps; a program that computes meanwhile is left alone
//   for kPatience moments, and after that is taken to spin until its callback comes.
// - It runs on the thread of the callbacks, so it never runs while one of them has not returned.
void CallbackThread::tick() {
  std::unique_lock lock(runtime_.mutex_, std::try_to_lock);
  if (!lock.owns_lock()) return schedule_tick();
  if (!runtime_.moves_alone()) {
    pumping_ = false;
    return;
  }
  if (runtime_.calls_ != seen_calls_) {
    seen_calls_ = runtime_.calls_;
    quiet_ticks_ = 0;
    interval_ = kMoment;
    return schedule_tick();
  }
  ++quiet_ticks_;
  if (quiet_ticks_ < kPatience && program_computes()) return schedule_tick();
  bool moved = false;
  while (runtime_.moves_alone() && !busy()) {
    if (!runtime_.sim().run_until_next_completion()) break;
    moved = true;
    if (!runtime_.sim().waits_for_host()) continue;
    // What the kernel waits for may come from a call.
    lock.unlock();
    std::this_thread::sleep_for(microseconds(50));
    lock.lock();
    if (io_.stopped()) return;
    if (runtime_.calls_ != seen_calls_) break;
  }
  // Nothing to move: what is missing is a user event, or a command that is not enqueued yet.
  if (!moved && interval_ < kLongestMoment) interval_ *= 2;
  if (moved) interval_ = kMoment;
  schedule_tick();
}

void CallbackThread::stop() {
  io_.stop();
  if (is_this_thread()) {
    thread_.detach();
    return;
  }
  std::unique_lock lock(mutex_);
  const bool ended = drained_.wait_for(lock, kDrainLimit, [this] { return ended_; });
  lock.unlock();
  if (ended) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

}  // namespace sluice::api

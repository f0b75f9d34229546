#include "api/command/runtime.h"

#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "api/command/callback_thread.h"
#include "api/command/scheduler.h"
#include "api/command/virtual_time.h"
#include "api/compiler/worker.h"
#include "api/explain/explain.h"
#include "api/objects/touch_tracker.h"
#include "api/strict/strict.h"
#include "traces/recorder.h"

namespace sluice::api {

namespace {

struct ThreadClock {
  TimePs now = 0;
  bool started = false;
  std::chrono::steady_clock::time_point left;  // when the thread last left the API; for SLUICE_HOST_TIME=wall
  std::uint32_t traced_as = untold;
  static constexpr std::uint32_t untold = ~std::uint32_t{0};
};
thread_local constinit ThreadClock thread_clock;

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

// `sluice run` makes them its exit status.
void tell_misuses(std::uint64_t count) {
  const int descriptor = trace::status_descriptor();
  struct stat info {};
  const std::string line = "misuses: " + std::to_string(count) + "\n";
  if (descriptor >= 0 && ::fstat(descriptor, &info) == 0 && S_ISFIFO(info.st_mode)) {
    (void)!::write(descriptor, line.data(), line.size());
  }
}

void complain(const std::string& text) { std::fprintf(stderr, "sluice: %s\n", text.c_str()); }

// "frozen" -> 0, "wall" -> 1, "wall:SCALE" -> SCALE; -1 is none of these.
double parse_host_time(std::string_view text) {
  if (text.empty() || text == "frozen") return 0;
  if (text == "wall") return 1;
  if (!text.starts_with("wall:")) return -1;
  const std::string number(text.substr(5));
  char* end = nullptr;
  const double scale = std::strtod(number.c_str(), &end);
  return !number.empty() && *end == 0 && scale >= 0 && scale <= 1e6 ? scale : -1;
}

// The last code of the process: after the program's exit handlers and static destructors, which may still call.
__attribute__((destructor)) void at_unload() { Runtime::instance().shut_down(); }

}  // namespace

Runtime::Runtime() = default;
Runtime::~Runtime() = default;

Runtime& Runtime::instance() {
  static Runtime* const runtime = new Runtime;
  return *runtime;
}

void Runtime::watch(const void* owner, std::uint64_t serial, const void* p, std::size_t bytes, bool is_host_memory) {
  const auto* const first = static_cast<const std::byte*>(p);
  const bool times_stores = is_host_memory && simulator_->times_stores();
  if (touches_ == nullptr || touches_->begin(owner, serial, first, bytes, times_stores)) return;
  if (std::exchange(told_unwatched_, true)) return;
  complain("touch tracking: some mapped memory cannot be watched; its map flags say what the host has written");
}

std::vector<std::pair<std::uint64_t, std::uint64_t>> Runtime::written(const void* owner, std::uint64_t serial,
                                                                      const void* p, std::size_t bytes) {
  std::optional<std::vector<TouchTracker::Run>> runs;
  charge_stores();
  if (touches_ != nullptr) runs = touches_->end(owner, serial);
  if (!runs) return {{0, bytes}};
  std::vector<std::pair<std::uint64_t, std::uint64_t>> all;
  for (const TouchTracker::Run& run : *runs) {
    all.emplace_back(static_cast<std::uint64_t>(run.begin - static_cast<const std::byte*>(p)), run.bytes);
  }
  return all;
}

void Runtime::charge_stores() {
  if (touches_ == nullptr || !simulator_->times_stores()) return;
  for (const TouchTracker::Fresh& f : touches_->fresh()) {
    // By its region's address, so that addresses do not depend on what of it is written first.
    const std::uint64_t region = simulator_->host_address(f.region.begin, f.region.bytes);
    charge(simulator_->host_stored(region + static_cast<std::uint64_t>(f.written.begin - f.region.begin), f.written.bytes));
  }
}

void Runtime::tell_written(const void* owner, std::uint64_t serial, const void* p, std::uint64_t address,
                           std::size_t bytes) {
  for (const auto& [at, size] : written(owner, serial, p, bytes)) simulator_->host_wrote(address + at, size);
}

bool Runtime::open() {
  if (!open_tried_) {
    open_tried_ = true;
    if (!open_machine()) simulator_.reset();
  }
  return is_open();
}

bool Runtime::open_machine() {
  SimulatorOptions options;
  options.profile = environment("SLUICE_PROFILE");
  if (const std::string_view detail = environment("SLUICE_DETAIL"); !detail.empty()) options.detail = detail;
  const std::string_view host_time = environment("SLUICE_HOST_TIME");
  host_time_scale_ = parse_host_time(host_time);
  if (host_time_scale_ < 0) {
    complain("SLUICE_HOST_TIME: found \"" + std::string(host_time) + "\"; allowed: frozen, wall, wall:SCALE");
    return false;
  }
  const std::string_view build_seconds = environment("SLUICE_BUILD_SECONDS");
  if (!build_seconds.empty() && !compiler::parse_build_seconds(build_seconds)) {
    complain("SLUICE_BUILD_SECONDS: found \"" + std::string(build_seconds) + "\"; allowed: 1 to 86400");
    return false;
  }
  const std::string_view lockstep = environment("SLUICE_LOCKSTEP");
  if (!lockstep.empty() && lockstep != "0" && lockstep != "1") {
    complain("SLUICE_LOCKSTEP: found \"" + std::string(lockstep) + "\"; allowed: 0, 1");
    return false;
  }
  lockstep_ = lockstep == "1";
  const std::string_view touches = environment("SLUICE_TOUCH_TRACKING");
  if (!touches.empty() && touches != "0" && touches != "1") {
    complain("SLUICE_TOUCH_TRACKING: found \"" + std::string(touches) + "\"; allowed: 0, 1");
    return false;
  }
  if (touches == "1") {
    std::string missing;
    touches_ = TouchTracker::open(missing);
    if (touches_ == nullptr) {
      complain("touch tracking: the kernel does not offer it (" + missing +
               "); map flags say what the host has written");
    }
  }
  if (const std::string_view text = environment("SLUICE_GROUP_INSTRUCTIONS"); !text.empty()) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), group_instruction_limit_);
    if (error != std::errc() || end != text.data() + text.size() || group_instruction_limit_ == 0) {
      complain("SLUICE_GROUP_INSTRUCTIONS: found \"" + std::string(text) + "\"; allowed: a whole number from 1 on");
      return false;
    }
  }
  std::string error;
  trace::RecorderOptions trace_options = trace::options_from_environment(error);
  if (!error.empty()) {
    complain(error);
    return false;
  }
  if (!trace_options.files.empty()) {
    trace_options.at_thread_start = [] { bypass_virtual_time(true); };
    recorder_ = trace::open_recorder(trace_options, error);
    // The program runs on without its trace; the command that started it reports the failure.
    if (recorder_ == nullptr) trace::report_trace_error(error);
  }
  const std::string_view explain = environment("SLUICE_EXPLAIN");
  if (!explain.empty() && explain != "0" && explain != "1") {
    complain("SLUICE_EXPLAIN: found \"" + std::string(explain) + "\"; allowed: 0, 1");
    return false;
  }
  if (explain == "1") explain_ = std::make_unique<Explain>(recorder_.get());
  options.trace = explain_ != nullptr ? explain_.get() : static_cast<TraceSink*>(recorder_.get());
  error.clear();
  const auto strict_options = strict::options_from_environment(error);
  if (strict_options) {
    strict_ = std::make_unique<strict::Strict>(*strict_options);
    if (!strict_->begin([] { bypass_virtual_time(true); }, error)) strict_.reset();
  }
  if (!error.empty()) {
    complain(error);
    return false;
  }
  kernels_ = make_kernel_engine();
  if (strict_ != nullptr) kernels_ = strict::watch_kernels(std::move(kernels_));
  options.kernels = kernels_.get();
  std::vector<std::string> errors;
  simulator_ = open_simulator(options, errors);
  if (simulator_ == nullptr) {
    for (const std::string& line : errors) complain(line);
    return false;
  }
  scheduler_ = std::make_unique<Scheduler>(*this);
  kernel_memory_.resize(simulator_->machine().device_count);
  simulator_->on_completion([scheduler = scheduler_.get()](const Completion& c) { scheduler->complete(c); });
  platform_ = new Platform(simulator_->machine());
  compiler::set_thread_start([] { bypass_virtual_time(true); });
  register_virtual_time();
  if (recorder_ != nullptr) recorder_->begin(simulator_->machine());  // its thread asks for the real clock at once
  return true;
}

TimePs Runtime::clock() noexcept {
  if (!thread_clock.started) start_clock(simulator_->now());
  return thread_clock.now;
}

void Runtime::set_clock(TimePs t) noexcept {
  if (t > clock()) thread_clock.now = t;
}

void Runtime::start_clock(TimePs t) noexcept {
  thread_clock.now = t;
  // The call that opens the driver is not past virtual time yet, whose clock would wait for this very call.
  if (host_time_scale_ > 0) thread_clock.left = std::chrono::steady_clock::now();
  thread_clock.started = true;
}

void Runtime::enter_clock() {
  TimePs now = clock();
  if (host_time_scale_ > 0) {
    const std::chrono::duration<double, std::pico> spent = std::chrono::steady_clock::now() - thread_clock.left;
    now += static_cast<TimePs>(spent.count() * host_time_scale_);
    thread_clock.now = now;
  }
  simulator_->run_until(now);
}

void Runtime::post_callback(TimePs at, std::function<void()> callback) {
  if (callbacks_ == nullptr) callbacks_ = new CallbackThread(*this);
  ++posted_;
  callbacks_->post(at, std::move(callback));
}

void Runtime::expect_callbacks(std::uint64_t count) {
  expected_callbacks_ += count;
  if (callbacks_ == nullptr) callbacks_ = new CallbackThread(*this);
  callbacks_->start_pump();
}

void Runtime::watch_launch() {
  if (callbacks_ == nullptr) callbacks_ = new CallbackThread(*this);
  ++watched_launches_;
  callbacks_->start_pump();
}

void Runtime::shut_down() noexcept {
  if (!is_open()) return;
  unregister_virtual_time();
  if (callbacks_ != nullptr) callbacks_->stop();
  // A thread that the program left behind may be inside a call for good.
  std::unique_lock lock(mutex_, std::try_to_lock);
  for (int i = 0; !lock.owns_lock() && i < 100; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    lock = std::unique_lock(mutex_, std::try_to_lock);
  }
  // What the program did not wait for belongs to its trace all the same.
  if ((recorder_ != nullptr || explain_ != nullptr) && lock.owns_lock()) simulator_->run_out();
  if (recorder_ != nullptr) recorder_->close();
  if (strict_ != nullptr) tell_misuses(strict_->finish());
}

Call::Call(const char* name)
    : runtime_(Runtime::instance()), name_(name), bypass_(bypass_virtual_time(true)), lock_(runtime_.mutex_) {
  if (strict::instance != nullptr) {
    strict_ = true;
    strict::instance->enter();
  }
  ++runtime_.calls_;
  posted_before_ = runtime_.posted_;
  if (!runtime_.is_open()) return;
  runtime_.enter_clock();
  if (runtime_.recorder_ != nullptr) begin_ = runtime_.clock();
  if (runtime_.posted_ != posted_before_) let_callbacks_run();
}

Call::~Call() {
  ++runtime_.calls_;
  if (runtime_.recorder_ != nullptr) tell();
  // A program may look for what its callback did as soon as the call returns, without asking the API.
  CallbackThread* const callbacks = runtime_.posted_ != posted_before_ ? runtime_.callbacks_ : nullptr;
  if (runtime_.host_time_scale_ > 0) thread_clock.left = std::chrono::steady_clock::now();
  if (strict_) strict::instance->leave();
  lock_.unlock();
  if (callbacks != nullptr) callbacks->drain();
  if (bypass_) bypass_virtual_time(false);
}

void Call::tell() noexcept {
  if (name_ == nullptr || (enqueued_ && waited_for_ == 0)) return;
  const TimePs end = runtime_.clock();
  if (end == begin_ && !shown_) return;
  if (thread_clock.traced_as == ThreadClock::untold) {
    const bool calls_back = runtime_.callbacks_ != nullptr && runtime_.callbacks_->is_this_thread();
    thread_clock.traced_as = calls_back ? 0 : ++runtime_.traced_threads_;
  }
  runtime_.recorder_->call({thread_clock.traced_as, name_, waited_for_, begin_, end});
}

void Call::wait_for_change() { runtime_.changed_.wait(lock_); }

void Call::let_others_call() {
  lock_.unlock();
  std::this_thread::sleep_for(std::chrono::microseconds(50));
  lock_.lock();
}

void Call::let_callbacks_run() {
  if (runtime_.callbacks_ == nullptr || !runtime_.callbacks_->busy()) return;
  lock_.unlock();
  runtime_.callbacks_->drain();
  lock_.lock();
}

}  // namespace sluice::api

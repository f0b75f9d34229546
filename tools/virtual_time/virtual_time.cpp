// libsluice_virtual_time.so: preloaded, it answers the program's clocks and sleeps with simulated time (hooks.h).
//
// Before the driver registers, time is a counter that moves on by 50 ns a read, so that loops which wait for time end;
// afterwards it goes on from there by the calling thread's virtual clock. One virtual time line serves all clocks:
//   monotonic = 1 s + t,  realtime = 1700000000 s + t,  CPU clocks = t
// Waits with a deadline (condition variables, semaphores, locks, futexes) wait for another thread, and that takes real
// time: the rest until the virtual deadline is waited for really, and a timeout moves the virtual clock to the
// deadline.
//
// No allocation, no C++ runtime, no static constructors: clocks are read before main and by sanitizers before that.
#include <dlfcn.h>
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

#include "api/command/virtual_time_hooks.h"

#define SLUICE_EXPORT extern "C" __attribute__((visibility("default")))

namespace {

constexpr uint64_t ns_per_s = 1'000'000'000;
constexpr uint64_t realtime_start_ns = 1'700'000'000 * ns_per_s;
constexpr uint64_t monotonic_start_ns = ns_per_s;
constexpr uint64_t unregistered_read_ns = 50;
// Deadlines do not always come with their clock (pthread_cond_timedwait). Virtual monotonic time stays far below this.
constexpr int64_t realtime_from_s = 1'000'000'000;

// A registration is never changed in place: readers may be in the middle of it. A process registers once or twice.
struct Registration {
  SluiceVirtualTimeHooks hooks;
  uint64_t start_ns;  // t at registration
};
constexpr int most_registrations = 16;
Registration registrations[most_registrations];
int registration_count = 0;
pthread_mutex_t registration_mutex = PTHREAD_MUTEX_INITIALIZER;
std::atomic<const Registration*> current{nullptr};
std::atomic<uint64_t> counter_ns{0};  // t without hooks; with hooks, the furthest t that any thread has seen

thread_local int bypass_depth __attribute__((tls_model("initial-exec"))) = 0;
thread_local bool in_hook __attribute__((tls_model("initial-exec"))) = false;
thread_local uint64_t last_ns __attribute__((tls_model("initial-exec"))) = 0;

bool is_real() {
  return bypass_depth > 0 || in_hook;
}

// The function behind ours. Threads that meet here find the same one.
template <typename F>
F next(std::atomic<F>& known, const char* name) {
  F function = known.load(std::memory_order_relaxed);
  if (function == nullptr) {
    function = reinterpret_cast<F>(dlsym(RTLD_NEXT, name));
    known.store(function, std::memory_order_relaxed);
  }
  return function;
}

#define SLUICE_REAL(type, name)            \
  static std::atomic<type> known{nullptr}; \
  const auto real = next(known, #name)

long real_syscall(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) {
  using Function = long (*)(long, ...);
  SLUICE_REAL(Function, syscall);
  return real(number, a, b, c, d, e, f);
}

template <typename T>
long word(T* pointer) {
  return static_cast<long>(reinterpret_cast<uintptr_t>(pointer));
}

int real_clock_gettime(clockid_t clock, timespec* out) {
  return static_cast<int>(real_syscall(SYS_clock_gettime, clock, word(out)));
}

void raise_to(std::atomic<uint64_t>& value, uint64_t at_least) {
  uint64_t seen = value.load(std::memory_order_relaxed);
  while (seen < at_least && !value.compare_exchange_weak(seen, at_least, std::memory_order_relaxed)) {
  }
}

// t of the calling thread, in ns.
uint64_t read_virtual() {
  uint64_t t = 0;
  if (const Registration* registration = current.load(std::memory_order_acquire)) {
    in_hook = true;
    t = registration->start_ns + registration->hooks.now_ns();
    in_hook = false;
    raise_to(counter_ns, t);
  } else {
    t = counter_ns.fetch_add(unregistered_read_ns, std::memory_order_relaxed) + unregistered_read_ns;
  }
  if (t < last_ns) t = last_ns;
  last_ns = t;
  return t;
}

void advance(uint64_t duration_ns) {
  if (const Registration* registration = current.load(std::memory_order_acquire)) {
    in_hook = true;
    registration->hooks.advance_ns(duration_ns);
    in_hook = false;
  } else {
    counter_ns.fetch_add(duration_ns, std::memory_order_relaxed);
  }
}

void sleep_virtual(uint64_t duration_ns) {
  advance(duration_ns);
  sched_yield();  // sleepers often wait for another thread, and that one needs real time
}

// Where a clock's zero lies on the virtual time line; false for clocks that stay real (another process's CPU time).
bool start_of(clockid_t clock, uint64_t& start_ns) {
  switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_TAI:
      start_ns = realtime_start_ns;
      return true;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
      start_ns = monotonic_start_ns;
      return true;
    case CLOCK_PROCESS_CPUTIME_ID:
    case CLOCK_THREAD_CPUTIME_ID:
      start_ns = 0;
      return true;
    default:
      return false;
  }
}

timespec to_timespec(uint64_t ns) {
  return {static_cast<time_t>(ns / ns_per_s), static_cast<long>(ns % ns_per_s)};
}

bool is_valid(const timespec& t) {
  return t.tv_nsec >= 0 && t.tv_nsec < static_cast<long>(ns_per_s);
}

// Saturates: deadlines such as time_point::max() are meant as "never". Negative times are long past.
uint64_t to_ns(const timespec& t) {
  constexpr uint64_t limit = INT64_MAX;
  if (t.tv_sec < 0) return 0;
  const auto seconds = static_cast<uint64_t>(t.tv_sec);
  if (seconds >= limit / ns_per_s) return limit;
  return seconds * ns_per_s + static_cast<uint64_t>(t.tv_nsec);
}

// The rest of the wait until `deadline` of that virtual clock; 0 if it is past.
uint64_t rest_until(clockid_t clock, const timespec& deadline) {
  uint64_t start = 0;
  (void)start_of(clock, start);
  const uint64_t now = start + read_virtual();
  const uint64_t then = to_ns(deadline);
  return then > now ? then - now : 0;
}

clockid_t clock_of(const timespec& deadline) {
  return deadline.tv_sec >= realtime_from_s ? CLOCK_REALTIME : CLOCK_MONOTONIC;
}

timespec real_deadline(clockid_t clock, uint64_t rest_ns) {
  timespec now{};
  (void)real_clock_gettime(clock, &now);
  const uint64_t ns = to_ns(now);
  const uint64_t limit = INT64_MAX;
  return to_timespec(rest_ns > limit - ns ? limit : ns + rest_ns);
}

// A wait of type `int (*)(..., clockid_t, const timespec*)` that returns an error code: all of pthread's clock
// variants. They take the clock with the deadline, so the real wait can always be on the monotonic clock.
template <typename Wait>
int wait_virtual(clockid_t clock, const timespec* deadline, Wait wait) {
  const timespec real = real_deadline(CLOCK_MONOTONIC, rest_until(clock, *deadline));
  const int code = wait(&real);
  if (code == ETIMEDOUT) advance(rest_until(clock, *deadline));  // the device may have moved meanwhile
  return code;
}

bool is_wait_clock(clockid_t clock) {
  return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC;
}

long futex_virtual(long address, long op, long value, long timeout, long address2, long value3) {
  const auto* deadline = reinterpret_cast<const timespec*>(static_cast<uintptr_t>(timeout));
  const long kind = op & FUTEX_CMD_MASK;
  // Only of a wait there is a deadline; who wakes others may have passed anything in its place, or nothing.
  if ((kind != FUTEX_WAIT && kind != FUTEX_WAIT_BITSET) || deadline == nullptr || !is_valid(*deadline)) {
    return real_syscall(SYS_futex, address, op, value, timeout, address2, value3);
  }
  const clockid_t clock = (op & FUTEX_CLOCK_REALTIME) != 0 ? CLOCK_REALTIME : CLOCK_MONOTONIC;
  uint64_t rest = to_ns(*deadline);  // FUTEX_WAIT's is relative
  timespec real = *deadline;
  if (kind == FUTEX_WAIT_BITSET) {
    rest = rest_until(clock, *deadline);
    real = real_deadline(clock, rest);
  }
  const long result = real_syscall(SYS_futex, address, op, value, word(&real), address2, value3);
  if (result < 0 && errno == ETIMEDOUT) {
    advance(kind == FUTEX_WAIT_BITSET ? rest_until(clock, *deadline) : rest);
    errno = ETIMEDOUT;
  }
  return result;
}

}  // namespace

// ---- the driver's side
// -----------------------------------------------------------------------------------------------

SLUICE_EXPORT int sluice_virtual_time_register(const SluiceVirtualTimeHooks* hooks) {
  pthread_mutex_lock(&registration_mutex);
  int result = 0;
  if (hooks == nullptr) {
    current.store(nullptr, std::memory_order_release);
  } else if (hooks->version != SLUICE_VIRTUAL_TIME_VERSION || registration_count == most_registrations) {
    result = -1;
  } else {
    Registration& registration = registrations[registration_count++];
    registration = {*hooks, counter_ns.load(std::memory_order_relaxed)};
    current.store(&registration, std::memory_order_release);
  }
  pthread_mutex_unlock(&registration_mutex);
  return result;
}

SLUICE_EXPORT int sluice_virtual_time_bypass(int on) {
  if (on != 0) {
    ++bypass_depth;
  } else if (bypass_depth > 0) {
    --bypass_depth;
  }
  return bypass_depth;
}

// ---- clocks
// ------------------------------------------------------------------------------------------------------------

SLUICE_EXPORT int clock_gettime(clockid_t clock, timespec* out) noexcept {
  uint64_t start = 0;
  if (is_real() || !start_of(clock, start)) return real_clock_gettime(clock, out);
  *out = to_timespec(start + read_virtual());
  return 0;
}

SLUICE_EXPORT int gettimeofday(timeval* __restrict out, void* __restrict zone) noexcept {
  timespec now{};
  if (zone != nullptr) *static_cast<struct timezone*>(zone) = {};
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
  *out = {now.tv_sec, now.tv_nsec / 1000};
  return 0;
}

SLUICE_EXPORT time_t time(time_t* out) noexcept {
  timespec now{};
  (void)clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}

SLUICE_EXPORT int timespec_get(timespec* out, int base) noexcept {
  if (base != TIME_UTC) return 0;
  (void)clock_gettime(CLOCK_REALTIME, out);
  return base;
}

SLUICE_EXPORT clock_t clock(void) noexcept {
  timespec now{};
  (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<clock_t>(to_ns(now) / (ns_per_s / CLOCKS_PER_SEC));
}

SLUICE_EXPORT clock_t times(tms* out) noexcept {
  if (is_real()) return real_syscall(SYS_times, word(out));
  constexpr uint64_t ticks_per_s = 100;  // what sysconf(_SC_CLK_TCK) says on Linux
  const uint64_t ticks = read_virtual() / (ns_per_s / ticks_per_s);
  if (out != nullptr) *out = {static_cast<clock_t>(ticks), 0, 0, 0};
  return static_cast<clock_t>(ticks + ticks_per_s);
}

// ---- sleeps
// ------------------------------------------------------------------------------------------------------------

SLUICE_EXPORT int clock_nanosleep(clockid_t clock, int flags, const timespec* wanted, timespec* left) {
  uint64_t start = 0;
  if (is_real() || !start_of(clock, start) || clock == CLOCK_THREAD_CPUTIME_ID) {
    const int saved = errno;
    const long result = real_syscall(SYS_clock_nanosleep, clock, flags, word(wanted), word(left));
    const int code = result == 0 ? 0 : errno;
    errno = saved;
    return code;
  }
  if (!is_valid(*wanted) || wanted->tv_sec < 0) return EINVAL;
  sleep_virtual((flags & TIMER_ABSTIME) != 0 ? rest_until(clock, *wanted) : to_ns(*wanted));
  return 0;
}

SLUICE_EXPORT int nanosleep(const timespec* wanted, timespec* left) {
  const int code = clock_nanosleep(CLOCK_MONOTONIC, 0, wanted, left);
  if (code == 0) return 0;
  errno = code;
  return -1;
}

SLUICE_EXPORT int usleep(useconds_t duration_us) {
  const timespec wanted = to_timespec(uint64_t{duration_us} * 1000);
  return nanosleep(&wanted, nullptr);
}

SLUICE_EXPORT unsigned sleep(unsigned duration_s) {
  const timespec wanted{static_cast<time_t>(duration_s), 0};
  timespec left{};
  return nanosleep(&wanted, &left) == 0 ? 0 : static_cast<unsigned>(left.tv_sec + (left.tv_nsec > 0 ? 1 : 0));
}

SLUICE_EXPORT int thrd_sleep(const timespec* wanted, timespec* left) {
  const int code = clock_nanosleep(CLOCK_MONOTONIC, 0, wanted, left);
  return code == 0 ? 0 : code == EINTR ? -1 : -2;
}

// ---- waits with a deadline
// --------------------------------------------------------------------------------------------- Each OBJECT##_clock...
// function takes its clock; the variant without is CLOCK_REALTIME's, except for conditions, whose clock is an
// attribute.

SLUICE_EXPORT int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
                                         const timespec* deadline) {
  using Function = int (*)(pthread_cond_t*, pthread_mutex_t*, clockid_t, const timespec*);
  SLUICE_REAL(Function, pthread_cond_clockwait);
  if (is_real() || !is_wait_clock(clock) || !is_valid(*deadline)) return real(condition, mutex, clock, deadline);
  return wait_virtual(clock, deadline,
                      [=](const timespec* then) { return real(condition, mutex, CLOCK_MONOTONIC, then); });
}

SLUICE_EXPORT int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex, const timespec* deadline) {
  using Function = int (*)(pthread_cond_t*, pthread_mutex_t*, const timespec*);
  SLUICE_REAL(Function, pthread_cond_timedwait);
  if (is_real() || !is_valid(*deadline)) return real(condition, mutex, deadline);
  return pthread_cond_clockwait(condition, mutex, clock_of(*deadline), deadline);
}

SLUICE_EXPORT int cnd_timedwait(cnd_t* __restrict condition, mtx_t* __restrict mutex,
                                const timespec* __restrict deadline) {
  // glibc's C11 threads are pthread's, by layout and by documentation.
  const int code = pthread_cond_timedwait(reinterpret_cast<pthread_cond_t*>(condition),
                                          reinterpret_cast<pthread_mutex_t*>(mutex), deadline);
  return code == 0 ? thrd_success : code == ETIMEDOUT ? thrd_timedout : thrd_error;
}

#define SLUICE_TIMED_LOCK(object, timed, clocked)                                                                  \
  SLUICE_EXPORT int clocked(object* lock, clockid_t clock, const timespec* deadline) noexcept {                    \
    using Function = int (*)(object*, clockid_t, const timespec*);                                                 \
    SLUICE_REAL(Function, clocked);                                                                                \
    if (is_real() || !is_wait_clock(clock) || !is_valid(*deadline)) return real(lock, clock, deadline);            \
    return wait_virtual(clock, deadline, [=](const timespec* then) { return real(lock, CLOCK_MONOTONIC, then); }); \
  }                                                                                                                \
  SLUICE_EXPORT int timed(object* __restrict lock, const timespec* __restrict deadline) noexcept {                 \
    return clocked(lock, CLOCK_REALTIME, deadline);                                                                \
  }

SLUICE_TIMED_LOCK(pthread_mutex_t, pthread_mutex_timedlock, pthread_mutex_clocklock)
SLUICE_TIMED_LOCK(pthread_rwlock_t, pthread_rwlock_timedrdlock, pthread_rwlock_clockrdlock)
SLUICE_TIMED_LOCK(pthread_rwlock_t, pthread_rwlock_timedwrlock, pthread_rwlock_clockwrlock)

SLUICE_EXPORT int sem_clockwait(sem_t* __restrict semaphore, clockid_t clock, const timespec* __restrict deadline) {
  using Function = int (*)(sem_t*, clockid_t, const timespec*);
  SLUICE_REAL(Function, sem_clockwait);
  if (is_real() || !is_wait_clock(clock) || !is_valid(*deadline)) return real(semaphore, clock, deadline);
  const int code = wait_virtual(
      clock, deadline, [=](const timespec* then) { return real(semaphore, CLOCK_MONOTONIC, then) == 0 ? 0 : errno; });
  if (code == 0) return 0;
  errno = code;
  return -1;
}

SLUICE_EXPORT int sem_timedwait(sem_t* __restrict semaphore, const timespec* __restrict deadline) {
  return sem_clockwait(semaphore, CLOCK_REALTIME, deadline);
}

// libstdc++'s futures and semaphores wait by the system call itself.
SLUICE_EXPORT long syscall(long number, ...) noexcept {
  va_list list;
  va_start(list, number);
  long a[6];
  for (long& argument : a) argument = va_arg(list, long);
  va_end(list);
  if (number == SYS_futex && !is_real()) return futex_virtual(a[0], a[1], a[2], a[3], a[4], a[5]);
  if (number == SYS_clock_gettime && !is_real()) {
    return clock_gettime(static_cast<clockid_t>(a[0]), reinterpret_cast<timespec*>(static_cast<uintptr_t>(a[1])));
  }
  return real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

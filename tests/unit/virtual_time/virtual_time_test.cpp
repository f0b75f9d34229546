// Each test runs in a process of its own (gtest_discover_tests), as the library's time is the process's.
#include <gtest/gtest.h>
#include <linux/futex.h>
#include <semaphore.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <ctime>
#include <future>
#include <mutex>
#include <thread>

#include "api/command/virtual_time_hooks.h"

namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using std::chrono::system_clock;

// A driver whose threads have one clock; a read costs 30 ns.
std::atomic<std::uint64_t> driver_ns{0};
std::uint64_t driver_now() {
  return driver_ns.fetch_add(30) + 30;
}
void driver_advance(std::uint64_t duration_ns) {
  driver_ns.fetch_add(duration_ns);
}
const SluiceVirtualTimeHooks driver_hooks{SLUICE_VIRTUAL_TIME_VERSION, driver_now, driver_advance};

// Real time, past the library.
std::uint64_t real_ns() {
  sluice_virtual_time_bypass(1);
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  sluice_virtual_time_bypass(0);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

std::int64_t since(steady_clock::time_point begin) {
  return nanoseconds(steady_clock::now() - begin).count();
}

TEST(VirtualTime, BeforeADriverACounterAnswers) {
  const auto a = steady_clock::now();
  const auto b = steady_clock::now();
  EXPECT_EQ(nanoseconds(b - a).count(), 50);
  EXPECT_EQ(std::time(nullptr), 1'700'000'000);
  timeval day{};
  gettimeofday(&day, nullptr);
  EXPECT_EQ(day.tv_sec, 1'700'000'000);
  timespec now{};
  EXPECT_EQ(timespec_get(&now, TIME_UTC), TIME_UTC);
  EXPECT_EQ(now.tv_sec, 1'700'000'000);
  EXPECT_EQ(clock_gettime(CLOCK_MONOTONIC, &now), 0);
  EXPECT_EQ(now.tv_sec, 1);
  EXPECT_EQ(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now), 0);
  EXPECT_EQ(now.tv_sec, 1);
}

TEST(VirtualTime, GoesOnWithoutAGapWhenADriverComesAndGoes) {
  const auto before = steady_clock::now();
  ASSERT_EQ(sluice_virtual_time_register(&driver_hooks), 0);
  EXPECT_EQ(since(before), 30);
  driver_advance(1'000'000);
  EXPECT_EQ(since(before), 30 + 1'000'000 + 30);
  ASSERT_EQ(sluice_virtual_time_register(nullptr), 0);
  EXPECT_EQ(since(before), 1'000'060 + 50);
  SluiceVirtualTimeHooks other = driver_hooks;
  other.version = 99;
  EXPECT_EQ(sluice_virtual_time_register(&other), -1);
}

TEST(VirtualTime, SleepsTakeVirtualTimeOnly) {
  ASSERT_EQ(sluice_virtual_time_register(&driver_hooks), 0);
  const std::uint64_t real = real_ns();
  const auto begin = steady_clock::now();
  std::this_thread::sleep_for(seconds(1000));
  EXPECT_EQ(since(begin), 1'000'000'000'000 + 30);
  sleep(100);
  usleep(5);
  EXPECT_EQ(since(begin), 1'100'000'005'000 + 60);
  const auto deadline = steady_clock::now() + seconds(10);
  std::this_thread::sleep_until(deadline);
  EXPECT_GE(steady_clock::now(), deadline);
  const timespec wrong{0, 1'000'000'000};
  EXPECT_EQ(nanosleep(&wrong, nullptr), -1);
  EXPECT_EQ(errno, EINVAL);
  EXPECT_LT(real_ns() - real, 10'000'000'000u);
}

TEST(VirtualTime, CpuTimeIsTheSameClock) {
  ASSERT_EQ(sluice_virtual_time_register(&driver_hooks), 0);
  const std::clock_t begin = std::clock();
  driver_advance(5'000'000'000);
  EXPECT_EQ((std::clock() - begin) / CLOCKS_PER_SEC, 5);
}

TEST(VirtualTime, ALoopThatWaitsForTimeEnds) {
  const auto begin = steady_clock::now();
  unsigned reads = 0;
  while (steady_clock::now() - begin < milliseconds(1)) ++reads;
  EXPECT_EQ(reads, 1'000'000u / 50 - 1);
}

// Each kind of wait times out after about as much real time, and exactly at its virtual deadline.
template <typename Wait>
void expect_timeout(Wait wait) {
  constexpr milliseconds duration(20);
  const std::uint64_t real = real_ns();
  const auto begin = steady_clock::now();
  wait(duration);
  const std::int64_t passed = since(begin);
  EXPECT_GE(passed, nanoseconds(duration).count());
  EXPECT_LT(passed, nanoseconds(duration).count() + 2000);  // some reads at 30 ns
  EXPECT_GE(real_ns() - real, 15'000'000u);
}

class VirtualTimeWaits : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(sluice_virtual_time_register(&driver_hooks), 0); }
};

TEST_F(VirtualTimeWaits, Conditions) {
  std::mutex mutex;
  std::condition_variable condition;
  std::unique_lock lock(mutex);
  expect_timeout([&](auto d) { EXPECT_FALSE(condition.wait_for(lock, d, [] { return false; })); });
  expect_timeout([&](auto d) { condition.wait_until(lock, system_clock::now() + d, [] { return false; }); });
  expect_timeout([&](auto d) {
    const auto then = (system_clock::now() + d).time_since_epoch();
    const auto whole = std::chrono::duration_cast<seconds>(then);
    const timespec deadline{whole.count(), nanoseconds(then - whole).count()};
    EXPECT_EQ(pthread_cond_timedwait(condition.native_handle(), mutex.native_handle(), &deadline), ETIMEDOUT);
  });
  // A deadline that is past on any clock.
  const timespec past{0, 0};
  EXPECT_EQ(pthread_cond_timedwait(condition.native_handle(), mutex.native_handle(), &past), ETIMEDOUT);
}

TEST_F(VirtualTimeWaits, Locks) {
  std::timed_mutex mutex;
  std::thread([&] { mutex.lock(); }).join();  // nobody will unlock it
  expect_timeout([&](auto d) { EXPECT_FALSE(mutex.try_lock_for(d)); });
  expect_timeout([&](auto d) { EXPECT_FALSE(mutex.try_lock_until(system_clock::now() + d)); });
}

TEST_F(VirtualTimeWaits, Semaphores) {
  sem_t semaphore;
  sem_init(&semaphore, 0, 0);
  expect_timeout([&](auto d) {
    timespec deadline{};
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_nsec += nanoseconds(d).count();
    deadline.tv_sec += deadline.tv_nsec / 1'000'000'000;
    deadline.tv_nsec %= 1'000'000'000;
    EXPECT_EQ(sem_timedwait(&semaphore, &deadline), -1);
    EXPECT_EQ(errno, ETIMEDOUT);
  });
  sem_destroy(&semaphore);
}

TEST_F(VirtualTimeWaits, Futures) {
  std::promise<int> promise;
  const auto future = promise.get_future();
  expect_timeout([&](auto d) { EXPECT_EQ(future.wait_for(d), std::future_status::timeout); });
  expect_timeout([&](auto d) { EXPECT_EQ(future.wait_until(system_clock::now() + d), std::future_status::timeout); });
}

TEST_F(VirtualTimeWaits, AWaiterThatIsWokenLosesNoVirtualTime) {
  std::mutex mutex;
  std::condition_variable condition;
  bool done = false;
  const auto begin = steady_clock::now();
  std::thread waker([&] {
    std::lock_guard lock(mutex);
    done = true;
    condition.notify_all();
  });
  {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(condition.wait_for(lock, seconds(3600), [&] { return done; }));
  }
  waker.join();
  EXPECT_LT(since(begin), 10'000);
}

TEST_F(VirtualTimeWaits, ABypassSeesRealTimeAndNests) {
  EXPECT_EQ(sluice_virtual_time_bypass(1), 1);
  EXPECT_EQ(sluice_virtual_time_bypass(1), 2);
  EXPECT_EQ(sluice_virtual_time_bypass(0), 1);
  const std::uint64_t virtual_before = driver_ns.load();
  const auto begin = steady_clock::now();
  std::this_thread::sleep_for(milliseconds(5));
  std::mutex mutex;
  std::condition_variable condition;
  std::unique_lock lock(mutex);
  condition.wait_for(lock, milliseconds(5));
  EXPECT_GE(since(begin), 10'000'000);
  EXPECT_EQ(driver_ns.load(), virtual_before);
  EXPECT_GT(std::time(nullptr), 1'700'000'000);
  EXPECT_EQ(sluice_virtual_time_bypass(0), 0);
  EXPECT_EQ(std::time(nullptr), 1'700'000'000);
}

// As libstdc++'s atomics do: the system call reads no fourth argument then, so what lies in its place is anything.
TEST(VirtualTime, WhoWakesOthersHasNoDeadline) {
  int word = 0;
  EXPECT_EQ(syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, 0xdeadbeefUL), 0);
}

}  // namespace

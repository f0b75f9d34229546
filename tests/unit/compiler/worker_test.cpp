// Where the compiler works: deep recursion, and code that ends its process.
#include "api/compiler/worker.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

namespace {

using namespace sluice::compiler;

// Each level takes at least 1 KiB of stack.
int dive(int depth) {
  volatile char room[1024];
  room[0] = static_cast<char>(depth);
  return depth == 0 ? 0 : dive(depth - 1) + (room[0] != static_cast<char>(depth));
}

TEST(Worker, HasALargeStack) {
  int result = -1;
  on_large_stack([&] { result = dive(16 * 1024); });  // 16 MiB: twice what a thread usually has
  EXPECT_EQ(result, 0);
}

TEST(Worker, PassesExceptionsOn) {
  EXPECT_THROW(on_large_stack([] { throw std::runtime_error("x"); }), std::runtime_error);
}

TEST(Worker, GetsNoneOfTheProgramsSignals) {
  bool blocked = false;
  bool fault = true;
  on_large_stack([&] {
    sigset_t set;
    pthread_sigmask(SIG_BLOCK, nullptr, &set);
    blocked = sigismember(&set, SIGALRM) == 1 && sigismember(&set, SIGINT) == 1;
    fault = sigismember(&set, SIGSEGV) == 1;
  });
  EXPECT_TRUE(blocked);
  EXPECT_FALSE(fault);
  sigset_t mine;
  pthread_sigmask(SIG_BLOCK, nullptr, &mine);
  EXPECT_EQ(sigismember(&mine, SIGALRM), 0);
}

std::optional<std::string> run_isolated(const std::function<std::string()>& work, std::string& error) {
  std::optional<std::string> result;
  on_large_stack([&] { result = isolated(work, error); });
  return result;
}

TEST(Isolated, ReturnsWhatTheWorkReturned) {
  std::string error;
  const std::string long_text(3'000'000, 'x');  // more than a pipe holds
  EXPECT_EQ(run_isolated([&] { return long_text; }, error), long_text);
  EXPECT_EQ(run_isolated([] { return std::string(); }, error), "");
  EXPECT_EQ(error, "");
}

TEST(Isolated, DiesAlone) {
  // Shared with the children, who must not run it.
  static int* const exits = static_cast<int*>(
      ::mmap(nullptr, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  std::atexit([] { ++*exits; });
  const std::function<std::string()> deaths[] = {
      []() -> std::string { std::abort(); },
      []() -> std::string { std::exit(0); },
      []() -> std::string { ::raise(SIGKILL), ::pause(); return {}; },
      []() -> std::string { throw std::runtime_error("x"); },
  };
  for (const auto& death : deaths) {
    std::string error;
    EXPECT_FALSE(run_isolated(death, error));
    EXPECT_NE(error, "");
  }
  EXPECT_EQ(*exits, 0);
}

TEST(Isolated, EndsInTime) {
  ::setenv("SLUICE_BUILD_SECONDS", "1", 1);
  std::string error;
  EXPECT_FALSE(run_isolated(
      []() -> std::string {
        for (volatile bool more = true; more;) {
        }
        return {};
      },
      error));
  ::unsetenv("SLUICE_BUILD_SECONDS");
  EXPECT_NE(error.find("more than 1 s (SLUICE_BUILD_SECONDS)"), std::string::npos) << error;
}

TEST(Isolated, SecondsAreWholeAndPositive) {
  EXPECT_EQ(parse_build_seconds("7"), 7U);
  for (const char* text : {"", "0", "-1", "1.5", "5 ", "x", "86401", "99999999999"}) {
    EXPECT_FALSE(parse_build_seconds(text)) << text;
  }
}

// A program that ignores its children gets no status of them.
TEST(Isolated, WithoutSigchld) {
  const auto before = ::signal(SIGCHLD, SIG_IGN);
  std::string error;
  EXPECT_EQ(run_isolated([] { return std::string("x"); }, error), "x");
  EXPECT_FALSE(run_isolated([]() -> std::string { std::abort(); }, error));
  ::signal(SIGCHLD, before);
}

}  // namespace

#include "tools/sweep/pool.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

namespace sluice::sweep {
namespace {

namespace fs = std::filesystem;

class PoolTest : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }
  [[nodiscard]] Job shell(const std::string& name, const std::string& script) const {
    return {{"sh", "-c", script}, (folder_ / name).string()};
  }
  [[nodiscard]] std::string text(const std::string& name) const {
    std::ifstream in(folder_ / name);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  // Killed, and perhaps not yet reaped by init.
  [[nodiscard]] static bool is_gone(int process) {
    for (int i = 0; i < 200; ++i) {
      std::ifstream stat("/proc/" + std::to_string(process) + "/stat");
      std::string pid, name, state;
      if (!(stat >> pid >> name >> state) || state == "Z") return true;
      ::usleep(10'000);
    }
    return false;
  }

  fs::path folder_ = fs::temp_directory_path() / ("sluice-pool-" + std::to_string(::getpid()));
  std::map<std::size_t, std::string> ended_;
  Pool::OnEnd remember_ = [this](std::size_t index, const std::string& status) { ended_[index] = status; };
};

TEST_F(PoolTest, EachEndIsTold) {
  Pool pool(2, 30, remember_);
  EXPECT_TRUE(pool.start(0, shell("a", "echo out; echo err >&2")));
  EXPECT_TRUE(pool.start(1, shell("b", "exit 3")));
  EXPECT_TRUE(pool.start(2, shell("c", "kill -SEGV $$")));
  EXPECT_TRUE(pool.start(3, {{"/nowhere/program"}, (folder_ / "d").string()}));
  EXPECT_TRUE(pool.finish());
  EXPECT_EQ(ended_[0], "ok");
  EXPECT_EQ(ended_[1], "exit 3");
  EXPECT_EQ(ended_[2], "signal 11");
  EXPECT_EQ(ended_[3], "not started: No such file or directory");
  EXPECT_EQ(text("a"), "out\n");
  EXPECT_EQ(text("a.err"), "err\n");
}

// What hangs is killed with what it started, and the next job has its place.
TEST_F(PoolTest, WhatHangsIsKilledWithItsChildren) {
  Pool pool(1, 0.3, remember_);
  const auto begin = Pool::Clock::now();
  EXPECT_TRUE(pool.start(0, shell("a", "sleep 1000 & echo $! >" + (folder_ / "child").string() + "; wait")));
  EXPECT_TRUE(pool.start(1, shell("b", "true")));
  EXPECT_TRUE(pool.finish());
  EXPECT_LT(Pool::Clock::now() - begin, std::chrono::seconds(60));
  EXPECT_EQ(ended_[0], "timeout");
  EXPECT_EQ(ended_[1], "ok");
  EXPECT_TRUE(is_gone(std::stoi(text("child"))));
}

// Whoever has a pool may be killed without a word: what it started ends, too.
TEST_F(PoolTest, WhatRunsEndsWithUsHoweverWeEnd) {
  const std::string marker = (folder_ / "child").string();
  const pid_t owner = ::fork();
  if (owner == 0) {
    Pool pool(2, 1000, [](std::size_t, const std::string&) {});
    (void)pool.start(0, shell("a", "sleep 1000 & echo $! >" + marker + "; wait"));
    (void)pool.finish();
    ::_exit(1);
  }
  for (int i = 0; i < 1000 && text("child").empty(); ++i) ::usleep(10'000);
  ::kill(owner, SIGKILL);
  int status = 0;
  ASSERT_EQ(::waitpid(owner, &status, 0), owner);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_TRUE(is_gone(std::stoi(text("child"))));
}

TEST_F(PoolTest, ASignalToUsEndsAll) {
  Pool pool(2, 1000, remember_);
  EXPECT_TRUE(pool.start(0, shell("a", "sleep 1000")));
  ::kill(::getpid(), SIGTERM);
  EXPECT_FALSE(pool.finish());
  EXPECT_TRUE(ended_.empty());
}

}  // namespace
}  // namespace sluice::sweep

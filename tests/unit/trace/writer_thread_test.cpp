// The recorder's own thread: nothing is lost, nobody hangs, and the program does not notice.
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "tests/unit/trace/support.h"
#include "traces/reader.h"
#include "traces/ring.h"

namespace sluice::trace {
namespace {

using std::chrono::milliseconds;

// More than twice what the ring holds; a command takes at least 200 bytes of it.
constexpr CommandId many = 2 * Ring::bytes / 200;

class WriterThreadTest : public TraceFiles {
 protected:
  static void put(Recorder& recorder, CommandId first, CommandId last) {
    for (CommandId id = first; id <= last; ++id) {
      const MadeUpCommand made(id, id * 1'000'000);
      recorder.command(made.record);
    }
  }
  // The commands of a trace, which must be 1, 2, 3 ... and nothing else.
  static CommandId count(const std::string& file) {
    std::ifstream in(file);
    Reader reader(in);
    EXPECT_TRUE(reader.read_header()) << reader.error();
    CommandId count = 0;
    Reader::Next next = reader.next();
    for (; next == Reader::Next::command; next = reader.next()) EXPECT_EQ(reader.command().times.id, ++count);
    EXPECT_EQ(next, Reader::Next::end) << reader.error();
    return count;
  }
  // AddressSanitizer's allocator does not survive a fork while another thread is in it: the recorder's has to be at rest.
  static void wait_for_lines(const std::string& file, std::ptrdiff_t lines) {
    for (int i = 0; i < 1000; ++i) {
      const std::string text = read(file);
      if (std::count(text.begin(), text.end(), '\n') >= lines) return;
      std::this_thread::sleep_for(milliseconds(10));
    }
    ADD_FAILURE() << file << " has fewer than " << lines << " lines";
  }
  // The exit status of a child that runs `body`; fails if that takes longer than anything here should.
  static int in_child(const std::function<void()>& body) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::alarm(30);
      body();
      ::_exit(0);
    }
    int status = -1;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_FALSE(WIFSIGNALED(status)) << "signal " << WTERMSIG(status);
    return WEXITSTATUS(status);
  }
};

TEST_F(WriterThreadTest, NothingIsLostHoweverOftenTheRingGoesRound) {
  auto recorder = open({path("t.jsonl"), path("t.json")}, TraceLevel::packet);
  recorder->begin(make_machine());
  for (CommandId id = 1; id <= many; ++id) {
    // Records of all sizes, so that the ring's end is met at every distance.
    if (id % 2 == 0) recorder->stage({id, 0, "link.down", "burst", id, id + 1, 2, 3});
    if (id % 3 == 0) recorder->packet({id, 1, "link.up", "CplD", id, id + 1, 64, 32});
    if (id % 5 == 0) recorder->counter({0, "link.up", "tags_in_use", id, 7});
    const MadeUpCommand made(id, id * 1'000'000);
    recorder->command(made.record);
  }
  recorder->close();
  EXPECT_TRUE(recorder->ok());
  std::ifstream in(path("t.jsonl"));
  std::map<std::string, CommandId> records;
  CommandId commands = 0;
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    const nlohmann::json record = nlohmann::json::parse(line);
    const std::string kind = record["record"];
    ++records[kind];
    if (kind != "command") continue;
    EXPECT_EQ(record["id"], ++commands);
  }
  EXPECT_EQ(records["command"], many);
  EXPECT_EQ(records["stage"], many / 2);
  EXPECT_EQ(records["packet"], many / 3);
  EXPECT_EQ(records["counter"], many / 5);
  EXPECT_TRUE(nlohmann::json::accept(read(path("t.json"))));
}

TEST_F(WriterThreadTest, TheSameBytesAtWhateverPace) {
  std::mt19937 random(1);
  const auto write = [&](const std::string& file, unsigned pause_every) {
    auto recorder = open({path(file)});
    recorder->begin(make_machine());
    for (CommandId id = 1; id <= 3000; ++id) {
      put(*recorder, id, id);
      if (pause_every != 0 && random() % pause_every == 0) {
        std::this_thread::sleep_for(std::chrono::microseconds(random() % 3000));
      }
    }
    recorder->close();
    return read(path(file));
  };
  const std::string at_once = write("a.jsonl", 0);
  EXPECT_EQ(write("b.jsonl", 100), at_once);
  EXPECT_EQ(write("c.jsonl", 10), at_once);
  EXPECT_EQ(std::count(at_once.begin(), at_once.end(), '\n'), 3002);
}

// Somebody reads the trace from a pipe, slowly: the program waits for him.
TEST_F(WriterThreadTest, AFullRingIsWaitedFor) {
  const std::string fifo = path("pipe.jsonl");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  std::atomic<bool> all_put{false};
  bool had_to_wait = false;
  std::string text;
  std::thread slow([&] {
    const int in = ::open(fifo.c_str(), O_RDONLY);
    std::this_thread::sleep_for(milliseconds(300));
    had_to_wait = !all_put;
    std::vector<char> chunk(1 << 16);
    for (ssize_t n = 0; (n = ::read(in, chunk.data(), chunk.size())) > 0;) {
      text.append(chunk.data(), static_cast<std::size_t>(n));
    }
    ::close(in);
  });
  auto recorder = open({fifo});
  recorder->begin(make_machine());
  put(*recorder, 1, many);
  all_put = true;
  recorder->close();
  slow.join();
  EXPECT_TRUE(had_to_wait);
  std::ofstream(path("t.jsonl")) << text;
  EXPECT_EQ(count(path("t.jsonl")), many);
}

// A program that has come to rest has its trace on disk within milliseconds, also after it rested before.
TEST_F(WriterThreadTest, RestingProgramsHaveTheirTraceOnDisk) {
  auto recorder = open({path("t.jsonl")});
  recorder->begin(make_machine());
  const auto wait_for = [&](std::ptrdiff_t lines) {
    std::string text;
    for (int i = 0; i < 2000; ++i) {
      text = read(path("t.jsonl"));
      if (std::count(text.begin(), text.end(), '\n') == lines) return true;
      std::this_thread::sleep_for(milliseconds(1));
    }
    return false;
  };
  CommandId last = 0;
  for (const int rest_ms : {0, 5, 100, 100, 0, 50}) {  // the thread naps for some 20 ms and then sleeps
    std::this_thread::sleep_for(milliseconds(rest_ms));
    put(*recorder, last + 1, last + 7);
    last += 7;
    EXPECT_TRUE(wait_for(static_cast<std::ptrdiff_t>(last) + 1)) << last;
  }
}

// SIGKILL at any moment of a program at full speed: what is there is whole, but for the line that was being written.
TEST_F(WriterThreadTest, KilledAtFullSpeedTheTraceIsReadable) {
  std::mt19937 random(2);
  for (int run = 0; run < 10; ++run) {
    const std::string lines = path("t.jsonl");
    const std::string events = path("t.json");
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      std::string error;
      auto recorder = open_recorder({{lines, events}, TraceLevel::command}, error);
      recorder->begin(make_machine());
      CommandId id = 1;
      const auto header = std::filesystem::file_size(lines);
      for (; std::filesystem::file_size(lines) == header; ++id) put(*recorder, id, id);
      (void)!::write(ready[1], "x", 1);
      put(*recorder, id, 10'000'000);
      ::_exit(0);
    }
    char byte = 0;
    ASSERT_EQ(::read(ready[0], &byte, 1), 1);
    ::usleep(random() % 8'000);
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    ::close(ready[0]);
    ::close(ready[1]);
    EXPECT_GT(count(lines), 0u);
    // The JSON file may end within a record as well; up to the one before it is a JSON array without its bracket.
    std::string text = read(events);
    if (!nlohmann::json::accept(text + "]")) text.resize(text.rfind(",\n"));
    EXPECT_TRUE(nlohmann::json::accept(text + "]"));
  }
}

TEST_F(WriterThreadTest, AForkedChildNeitherWritesNorHangs) {
  auto recorder = open({path("t.jsonl")});
  recorder->begin(make_machine());
  put(*recorder, 1, 10);
  EXPECT_EQ(in_child([&] {
              put(*recorder, 1000, 1000 + many);  // more than the ring holds, and nobody empties it
              recorder->close();
              recorder.reset();
            }),
            0);
  EXPECT_EQ(in_child([&] { recorder.reset(); }), 0);
  put(*recorder, 11, 20);
  recorder->close();
  EXPECT_EQ(count(path("t.jsonl")), 20u);
}

#if !defined(__SANITIZE_THREAD__)  // which allows no threads after a fork
TEST_F(WriterThreadTest, AForkedChildCanTraceToAFileOfItsOwn) {
  auto recorder = open({path("t.jsonl")});
  recorder->begin(make_machine());
  put(*recorder, 1, 10);
  wait_for_lines(path("t.jsonl"), 11);
  EXPECT_EQ(in_child([&] {
              std::string error;
              auto own = open_recorder({{path("child.jsonl")}, TraceLevel::command}, error);
              own->begin(make_machine());
              put(*own, 1, many);
              own->close();
            }),
            0);
  EXPECT_EQ(count(path("child.jsonl")), many);
}
#endif

// exit() on one thread while another is inside the API: it may even be waiting for room.
TEST_F(WriterThreadTest, CloseOnAnotherThreadWhileRecordsCome) {
  for (int run = 0; run < 8; ++run) {
    auto recorder = open({path("t.jsonl")});
    recorder->begin(make_machine());
    std::atomic<bool> stop{false};
    std::thread producer([&] {
      for (CommandId id = 1; !stop; ++id) put(*recorder, id, id);
    });
    std::this_thread::sleep_for(milliseconds(run));
    recorder->close();
    const std::string text = read(path("t.jsonl"));
    std::this_thread::sleep_for(milliseconds(1));
    stop = true;
    producer.join();
    recorder->close();
    EXPECT_EQ(read(path("t.jsonl")), text) << "written after close()";
    count(path("t.jsonl"));
  }
}

// With all of the program's threads blocking it, a signal stays pending: the recorder's thread does not take it.
TEST_F(WriterThreadTest, SignalsAreForTheProgramsThreads) {
  sigset_t usr1;
  sigemptyset(&usr1);
  sigaddset(&usr1, SIGUSR1);
  auto recorder = open({path("t.jsonl")});
  recorder->begin(make_machine());  // SIGUSR1 is not blocked yet: the thread has to do it by itself
  ASSERT_EQ(::pthread_sigmask(SIG_BLOCK, &usr1, nullptr), 0);
  static std::atomic<bool> handled{false};
  struct sigaction action {};
  action.sa_handler = [](int) { handled = true; };
  ASSERT_EQ(::sigaction(SIGUSR1, &action, nullptr), 0);
  ASSERT_EQ(::kill(::getpid(), SIGUSR1), 0);
  put(*recorder, 1, 100);
  std::this_thread::sleep_for(milliseconds(20));
  EXPECT_FALSE(handled);
  sigset_t pending;
  ASSERT_EQ(::sigpending(&pending), 0);
  EXPECT_EQ(sigismember(&pending, SIGUSR1), 1);
  ASSERT_EQ(::pthread_sigmask(SIG_UNBLOCK, &usr1, nullptr), 0);
  EXPECT_TRUE(handled);
  recorder->close();
  EXPECT_EQ(count(path("t.jsonl")), 100u);
}

TEST_F(WriterThreadTest, PipeThatClosesLaterNeitherKillsNorBlocks) {
  const std::string fifo = path("pipe.jsonl");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const int reader = ::open(fifo.c_str(), O_RDONLY | O_NONBLOCK);
  auto recorder = open({fifo, path("t.jsonl")});
  testing::internal::CaptureStderr();
  recorder->begin(make_machine());
  ::close(reader);
  put(*recorder, 1, many);
  recorder->close();
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "sluice: trace-error: " + fifo + ": Broken pipe\n");
  EXPECT_EQ(recorder->error(), fifo + ": Broken pipe");
  EXPECT_EQ(count(path("t.jsonl")), many);
}

// RLIMIT_FSIZE stands for every disk that fills up in mid-trace.
TEST_F(WriterThreadTest, FilesThatGrowTooLargeAreGivenUp) {
  EXPECT_EQ(in_child([&] {
              const rlimit limit{100'000, 100'000};
              ::setrlimit(RLIMIT_FSIZE, &limit);
              testing::internal::CaptureStderr();
              auto recorder = open({path("t.jsonl")});
              recorder->begin(make_machine());
              put(*recorder, 1, many);
              recorder->close();
              (void)testing::internal::GetCapturedStderr();
              if (recorder->error() != path("t.jsonl") + ": File too large") ::_exit(1);
            }),
            0);
}

TEST_F(WriterThreadTest, WhatTheDriverWantsOnTheThreadIsCalledThereFirst) {
  static std::atomic<std::thread::id> where{};
  static std::atomic<int> calls{0};
  std::string error;
  RecorderOptions options{{path("t.jsonl")}, TraceLevel::command, [] {
                            where = std::this_thread::get_id();
                            ++calls;
                          }};
  auto recorder = open_recorder(options, error);
  ASSERT_NE(recorder, nullptr) << error;
  EXPECT_EQ(calls, 0);
  recorder->begin(make_machine());
  recorder->close();
  EXPECT_EQ(calls, 1);
  EXPECT_NE(where.load(), std::this_thread::get_id());
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // their shadows do not fit a small address space
// To what is in use and a little more: too little for the stack of a thread.
void limit_address_space() {
  std::ifstream statm("/proc/self/statm");
  rlim_t pages = 0;
  statm >> pages;
  const rlimit limit{pages * static_cast<rlim_t>(::getpagesize()) + (1 << 20), RLIM_INFINITY};
  ::setrlimit(RLIMIT_AS, &limit);
}
bool add_idle_thread() {
  pthread_t thread;
  const auto idle = [](void*) -> void* {
    while (true) ::pause();
  };
  return ::pthread_create(&thread, nullptr, idle, nullptr) == 0;
}
auto thread_count() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
}

TEST_F(WriterThreadTest, WithoutAThreadTheTraceIsWrittenAllTheSame) {
  EXPECT_EQ(in_child([&] {
              auto recorder = open({path("t.jsonl")});
              limit_address_space();
              while (add_idle_thread()) {  // stacks of threads that have ended are used again
              }
              const auto threads = thread_count();
              recorder->begin(make_machine());
              if (thread_count() != threads) ::_exit(1);
              put(*recorder, 1, 1000);
              if (count(path("t.jsonl")) != 1000) ::_exit(2);  // each at once: there is nobody to do it later
              recorder->close();
              recorder.reset();
            }),
            0);
}
#endif

}  // namespace
}  // namespace sluice::trace

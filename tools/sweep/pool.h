// Processes side by side on this machine, each in a group of its own that is killed when its time is over, and when this
// process is killed.
#pragma once

#include <signal.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "tools/sweep/guardian.h"

namespace sluice::sweep {

struct Job {
  std::vector<std::string> command;
  std::string output;  // a file for its stdout; stderr goes to the same name with ".err"
};

// What asks this process to end is kept back while there is one, until somebody looks.
class HeldSignals {
 public:
  HeldSignals();
  ~HeldSignals();
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;
  // Sleeps at most that long, less when a child ends. True: asked to end.
  [[nodiscard]] static bool wait(double seconds);

 private:
  sigset_t before_;
};

class Pool {
 public:
  using Clock = std::chrono::steady_clock;
  // `status`: "ok", "exit N", "signal N", "timeout", or why it was not started.
  using OnEnd = std::function<void(std::size_t index, const std::string& status)>;

  Pool(std::size_t width, double seconds, OnEnd on_end);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Waits for a free place. False: somebody asked this process to end, and all jobs were killed.
  [[nodiscard]] bool start(std::size_t index, const Job& job);
  [[nodiscard]] bool finish();  // waits for all
  // What happens while it waits, about every half second.
  std::function<void()> on_tick;

 private:
  struct Running {
    int pid = 0;
    std::size_t index = 0;
    Clock::time_point deadline;
    bool timed_out = false;
  };
  [[nodiscard]] bool wait_until_fewer_than(std::size_t count);
  void reap();
  void kill_all();

  HeldSignals held_;
  Guardian guardian_;
  std::size_t width_;
  double seconds_;
  OnEnd on_end_;
  std::vector<Running> running_;
};

}  // namespace sluice::sweep

#include "tools/sweep/pool.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

extern char** environ;  // NOLINT: POSIX wants it declared by the program

namespace sluice::sweep {

namespace {

sigset_t watched_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGCHLD, SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
  return set;
}

}  // namespace

HeldSignals::HeldSignals() {
  const sigset_t set = watched_signals();
  ::sigprocmask(SIG_BLOCK, &set, &before_);
}

HeldSignals::~HeldSignals() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }

bool HeldSignals::wait(double seconds) {
  const sigset_t set = watched_signals();
  timespec limit{};
  limit.tv_sec = static_cast<time_t>(seconds);
  limit.tv_nsec = static_cast<long>((seconds - static_cast<double>(limit.tv_sec)) * 1e9);
  const int signal = ::sigtimedwait(&set, nullptr, &limit);
  return signal == SIGINT || signal == SIGTERM || signal == SIGHUP;
}

Pool::Pool(std::size_t width, double seconds, OnEnd on_end) : width_(width), seconds_(seconds), on_end_(std::move(on_end)) {}

Pool::~Pool() { kill_all(); }

bool Pool::start(std::size_t index, const Job& job) {
  if (!wait_until_fewer_than(width_)) return false;
  // What a sweep that was killed may have left holds another file then.
  for (const char* ending : {"", ".err"}) ::unlink((job.output + ending).c_str());
  std::vector<char*> arguments;
  for (const std::string& argument : job.command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, job.output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  posix_spawn_file_actions_addopen(&files, 2, (job.output + ".err").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  Running running;
  running.index = index;
  const int code = ::posix_spawnp(&running.pid, arguments[0], &files, &attributes, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (code != 0) {
    on_end_(index, std::string("not started: ") + std::strerror(code));
    return true;
  }
  running.deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds_));
  guardian_.add(running.pid);
  running_.push_back(running);
  return true;
}

bool Pool::finish() { return wait_until_fewer_than(1); }

void Pool::reap() {
  for (std::size_t i = 0; i < running_.size();) {
    int state = 0;
    if (::waitpid(running_[i].pid, &state, WNOHANG) != running_[i].pid) {
      if (!running_[i].timed_out && Clock::now() >= running_[i].deadline) {
        running_[i].timed_out = true;
        ::kill(-running_[i].pid, SIGKILL);
      }
      ++i;
      continue;
    }
    const Running ended = running_[i];
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
    ::kill(-ended.pid, SIGKILL);  // whatever it left behind
    guardian_.remove(ended.pid);
    std::string status = "ok";
    if (ended.timed_out) {
      status = "timeout";
    } else if (WIFSIGNALED(state)) {
      status = "signal " + std::to_string(WTERMSIG(state));
    } else if (WEXITSTATUS(state) > 128 && WEXITSTATUS(state) < 128 + 65) {
      status = "signal " + std::to_string(WEXITSTATUS(state) - 128);  // as `sluice run` tells it of its program
    } else if (WEXITSTATUS(state) != 0) {
      status = "exit " + std::to_string(WEXITSTATUS(state));
    }
    on_end_(ended.index, status);
  }
}

bool Pool::wait_until_fewer_than(std::size_t count) {
  while (true) {
    reap();
    if (running_.size() < count) return true;
    auto wait = std::chrono::duration<double>(0.5);
    for (const Running& r : running_) {
      if (!r.timed_out) wait = std::min(wait, std::chrono::duration<double>(r.deadline - Clock::now()));
    }
    if (HeldSignals::wait(std::clamp(wait.count(), 0.001, 0.5))) {
      kill_all();
      return false;
    }
    if (on_tick) on_tick();
  }
}

void Pool::kill_all() {
  for (const Running& r : running_) ::kill(-r.pid, SIGKILL);
  for (const Running& r : running_) (void)::waitpid(r.pid, nullptr, 0);
  for (const Running& r : running_) guardian_.remove(r.pid);
  running_.clear();
}

}  // namespace sluice::sweep

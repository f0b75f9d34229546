#include "tools/command/watch.h"

#include <fcntl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <optional>

#include "tools/command/shared_input.h"

namespace sluice::tools {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::array passed_on = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH};
// How long a captured program may take to end when it is asked to.
constexpr auto grace = std::chrono::seconds(5);

// A shell has what runs in its background ignore what the terminal sends, and nohup what a shell sends as it goes. What
// somebody sends to this very process is meant.
bool asks_to_end(const signalfd_siginfo& info) {
  const int signal = static_cast<int>(info.ssi_signo);
  if (signal != SIGINT && signal != SIGTERM && signal != SIGHUP && signal != SIGQUIT) return false;
  struct sigaction action {};
  const bool is_ignored = ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
  return !is_ignored || (signal != SIGHUP && info.ssi_code != SI_KERNEL);
}

class Watch {
 public:
  Watch(pid_t program, int output, const ChildOptions& options, ChildResult& result)
      : program_(program), output_(options.capture_output ? output : -1), options_(options), result_(result) {
    const sigset_t signals = watched_signals();
    signals_ = ::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (output_ >= 0) ::fcntl(output_, F_SETFL, O_NONBLOCK);
    if (options.seconds > 0) deadline_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(options.seconds));
  }
  ~Watch() { ::close(signals_); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  void run() {
    while (true) {
      // Not reaped until the end, so that no other process gets its number.
      siginfo_t info{};
      has_ended_ |= ::waitid(P_PID, static_cast<id_t>(program_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == program_;
      // What it left behind may go on to write, unless that was to be killed as well.
      if (has_ended_ && (output_ < 0 || is_killed_)) break;
      step();
    }
    read_output();
    sigset_t broken_pipe;  // which would end us as soon as it is let through
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    const timespec at_once{};
    (void)::sigtimedwait(&broken_pipe, nullptr, &at_once);
    int state = 0;
    while (::waitpid(program_, &state, 0) < 0 && errno == EINTR) {
    }
    result_.exit_code = WIFSIGNALED(state) ? 128 + WTERMSIG(state) : WEXITSTATUS(state);
  }

 private:
  void step() {
    SharedInput::Wants wants = options_.input == nullptr ? SharedInput::Wants{{-1, 0, 0}, {-1, 0, 0}} : options_.input->wants();
    std::array polled = {pollfd{signals_, POLLIN, 0}, pollfd{output_, POLLIN, 0}, wants.source, wants.sink};
    int timeout_ms = signals_ < 0 ? 50 : -1;
    if (deadline_) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline_ - Clock::now()).count();
      timeout_ms = static_cast<int>(std::clamp<decltype(left)>(left, 0, signals_ < 0 ? 50 : 60'000));
    }
    if (::poll(polled.data(), polled.size(), timeout_ms) < 0) return;
    if (polled[0].revents != 0) take_signals();
    if (polled[1].revents != 0) read_output();
    wants.source = polled[2];
    wants.sink = polled[3];
    if (options_.input != nullptr) options_.input->serve(wants);
    if (deadline_ && Clock::now() >= *deadline_) {
      result_.timed_out = result_.asked_to_end == 0 && !has_ended_;
      kill_it();
    }
  }

  void take_signals() {
    signalfd_siginfo info{};
    while (::read(signals_, &info, sizeof info) == sizeof info) {
      const int signal = static_cast<int>(info.ssi_signo);
      if (std::find(passed_on.begin(), passed_on.end(), signal) == passed_on.end()) continue;
      if (!options_.capture_output) {
        // What the terminal sends goes to the program's process group, and so to the program itself.
        if (info.ssi_code != SI_KERNEL && !has_ended_) ::kill(program_, signal);
        continue;
      }
      ::kill(-program_, signal);
      if (!asks_to_end(info)) continue;
      if (result_.asked_to_end != 0) kill_it();  // for the second time
      if (result_.asked_to_end == 0) result_.asked_to_end = signal;
      const Clock::time_point latest = Clock::now() + grace;
      deadline_ = std::min(deadline_.value_or(latest), latest);
    }
  }

  void kill_it() {
    ::kill(options_.capture_output ? -program_ : program_, SIGKILL);
    is_killed_ = true;
    deadline_.reset();
  }

  void read_output() {
    std::array<char, 4096> chunk;
    while (output_ >= 0) {
      const ssize_t n = ::read(output_, chunk.data(), chunk.size());
      if (n > 0) {
        result_.output.append(chunk.data(), static_cast<std::size_t>(n));
      } else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
        output_ = -1;
      } else if (errno == EAGAIN) {
        return;
      }
    }
  }

  pid_t program_;
  int signals_ = -1;
  int output_;
  const ChildOptions& options_;
  ChildResult& result_;
  std::optional<Clock::time_point> deadline_;
  bool has_ended_ = false;
  bool is_killed_ = false;
};

}  // namespace

sigset_t watched_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGCHLD);
  sigaddset(&signals, SIGPIPE);  // of a program that leaves its input unread
  for (const int signal : passed_on) sigaddset(&signals, signal);
  return signals;
}

void watch(pid_t program, int output, const ChildOptions& options, ChildResult& result) {
  Watch(program, output, options, result).run();
}

}  // namespace sluice::tools

#include "api/compiler/worker.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <system_error>

namespace sluice::compiler {

namespace {

// Address space only; pages are taken as they are touched. The smaller ones are for processes under a limit.
constexpr std::size_t kStackBytes[] = {std::size_t{512} << 20, std::size_t{64} << 20, std::size_t{8} << 20};
constexpr rlim_t kChildMemoryBytes = rlim_t{4} << 30;  // beside what the process has already
constexpr unsigned kChildSeconds = 120;                // of processor time
constexpr unsigned kPatience = 4;  // real time, in those units: the machine may be busy with other things

void (*thread_start)() = nullptr;

struct Work {
  const std::function<void()>* function;
  std::exception_ptr error;
};

void* run(void* argument) {
  auto* work = static_cast<Work*>(argument);
  if (thread_start != nullptr) thread_start();
  try {
    (*work->function)();
  } catch (...) {
    work->error = std::current_exception();
  }
  return nullptr;
}

constexpr int kFaults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT};

// All signals but those that a thread raises by itself.
sigset_t asynchronous_signals() {
  sigset_t set;
  sigfillset(&set);
  for (const int fault : kFaults) sigdelset(&set, fault);
  return set;
}

// Bytes of writable private memory, as RLIMIT_DATA counts them.
rlim_t data_bytes() {
  char text[256] = {};
  const int file = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  const ssize_t n = file < 0 ? 0 : ::read(file, text, sizeof text - 1);
  if (file >= 0) ::close(file);
  unsigned long pages = 0;
  if (n <= 0 || std::sscanf(text, "%*u %*u %*u %*u %*u %lu", &pages) != 1) return 0;
  return rlim_t{pages} * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE));
}

[[noreturn]] void child(int out, const std::function<std::string()>& work) {
  // exit() must not run what the program registered, and a fault must end the child and nothing else.
  std::atexit([] { ::_exit(1); });
  for (const int fault : kFaults) ::signal(fault, SIG_DFL);
  // The last words of libraries that give up are not the program's.
  if (const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC); nowhere >= 0) ::dup2(nowhere, STDERR_FILENO);
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::signal(SIGXCPU, SIG_DFL);
  sigset_t late;
  sigemptyset(&late);
  sigaddset(&late, SIGXCPU);
  pthread_sigmask(SIG_UNBLOCK, &late, nullptr);
  const rlimit time{build_seconds(), build_seconds() + 1};
  ::setrlimit(RLIMIT_CPU, &time);
  if (const rlim_t used = data_bytes(); used != 0) {
    const rlimit memory{used + kChildMemoryBytes, used + kChildMemoryBytes};
    ::setrlimit(RLIMIT_DATA, &memory);
  }
  std::string result;
  try {
    result = work();
  } catch (...) {
    ::_exit(1);
  }
  // The length first: a child that dies while it writes is then seen to have died.
  const std::uint64_t length = result.size();
  std::string message(reinterpret_cast<const char*>(&length), sizeof length);
  message += result;
  for (std::size_t at = 0; at < message.size();) {
    const ssize_t n = ::write(out, message.data() + at, message.size() - at);
    if (n < 0 && errno != EINTR) ::_exit(1);
    if (n > 0) at += static_cast<std::size_t>(n);
  }
  ::_exit(0);
}

// Until the child closes its end, or is later than its own limit could make it: it then waits for something.
std::string receive(int in, bool& late) {
  using std::chrono::steady_clock;
  const auto end = steady_clock::now() + std::chrono::seconds(kPatience * build_seconds() + 1);
  std::string message;
  char part[65536];
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - steady_clock::now()).count();
    pollfd wait{in, POLLIN, 0};
    late = left <= 0 || ::poll(&wait, 1, static_cast<int>(std::min<long>(left, 1'000'000))) == 0;
    if (late) return message;
    const ssize_t n = ::read(in, part, sizeof part);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return message;
    message.append(part, static_cast<std::size_t>(n));
  }
}

}  // namespace

std::optional<unsigned> parse_build_seconds(std::string_view text) {
  unsigned seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || seconds == 0 || seconds > 86400) return std::nullopt;
  return seconds;
}

unsigned build_seconds() {
  const char* text = std::getenv("SLUICE_BUILD_SECONDS");
  return text == nullptr ? kChildSeconds : parse_build_seconds(text).value_or(kChildSeconds);
}

void set_thread_start(void (*function)()) { thread_start = function; }

void on_large_stack(const std::function<void()>& work) {
  Work shared{&work, nullptr};
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  const sigset_t blocked = asynchronous_signals();
  sigset_t before;
  pthread_sigmask(SIG_BLOCK, &blocked, &before);  // the thread inherits it
  int error = EAGAIN;
  pthread_t thread{};
  for (const std::size_t bytes : kStackBytes) {
    pthread_attr_setstacksize(&attributes, bytes);
    error = pthread_create(&thread, &attributes, &run, &shared);
    if (error == 0) break;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  if (error != 0) throw std::system_error(error, std::generic_category(), "no thread for the compiler");
  pthread_join(thread, nullptr);
  if (shared.error) std::rethrow_exception(shared.error);
}

std::optional<std::string> isolated(const std::function<std::string()>& work, std::string& error) {
  int ends[2];
  if (::pipe(ends) != 0) {
    error = std::string("no pipe for the compiler: ") + std::strerror(errno);
    return std::nullopt;
  }
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::close(ends[0]);
    child(ends[1], work);
  }
  ::close(ends[1]);
  if (pid < 0) {
    error = std::string("no process for the compiler: ") + std::strerror(errno);
    ::close(ends[0]);
    return std::nullopt;
  }
  bool late = false;
  std::string message = receive(ends[0], late);
  if (late) ::kill(pid, SIGKILL);
  ::close(ends[0]);
  int status = 0;
  // The program may wait for every child it has, or ignore SIGCHLD: then there is no status, and none is needed.
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  std::uint64_t length = 0;
  if (message.size() >= sizeof length) std::memcpy(&length, message.data(), sizeof length);
  if (message.size() < sizeof length || message.size() - sizeof length != length) {
    error = "the compiler gave up on this program";
    if (late || (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)) {
      error += ": it took more than " + std::to_string(build_seconds()) + " s (SLUICE_BUILD_SECONDS)";
      return std::nullopt;
    }
    if (WIFSIGNALED(status)) error += std::string(" (") + strsignal(WTERMSIG(status)) + ")";
    return std::nullopt;
  }
  message.erase(0, sizeof length);
  return message;
}

}  // namespace sluice::compiler

#include "tools/command/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>

#include "tools/command/layout.h"
#include "tools/command/shared_input.h"
#include "tools/command/watch.h"
#include "tools/sweep/guardian.h"

namespace sluice::tools {

namespace fs = std::filesystem;

namespace {

// The program gets low descriptors as it would without us.
constexpr int lowest_status_descriptor = 100;

struct Pipe {
  int read_end = -1;
  int write_end = -1;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return;
    read_end = ends[0];
    write_end = ends[1];
  }
  ~Pipe() {
    close_write();
    if (read_end >= 0) ::close(read_end);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close_write() {
    if (write_end >= 0) ::close(write_end);
    write_end = -1;
  }
  [[nodiscard]] bool ok() const { return read_end >= 0; }
};

void set(const char* name, const std::string& value) {
  if (!value.empty()) ::setenv(name, value.c_str(), 1);
}

// Names must hold in whatever folder the program changes to.
std::string absolute(const std::string& path) {
  return fs::absolute(path).lexically_normal().string();
}

std::string absolute_profile(const std::string& profile) {
  const bool is_path = profile.find('/') != std::string::npos || profile.ends_with(".json");
  return is_path ? absolute(profile) : profile;
}

// In the child, between fork and exec; nothing else runs in this process then.
void set_environment(const ChildOptions& options, const std::string& vendors, const std::string& preload, int status) {
  ::setenv("OCL_ICD_VENDORS", vendors.c_str(), 1);
  ::unsetenv("OCL_ICD_FILENAMES");
  ::setenv("SLUICE_STATUS_FD", std::to_string(status).c_str(), 1);
  set("SLUICE_PROFILE", options.profile.empty() ? "" : absolute_profile(options.profile));
  std::string traces;
  for (const std::string& trace : options.traces) traces += (traces.empty() ? "" : ":") + absolute(trace);
  set("SLUICE_TRACE", traces);
  set("SLUICE_TRACE_LEVEL", options.trace_level);
  set("SLUICE_HOST_TIME", options.host_time);
  set("SLUICE_DETAIL", options.detail);
  if (options.lockstep) ::setenv("SLUICE_LOCKSTEP", "1", 1);
  if (options.touch_tracking) ::setenv("SLUICE_TOUCH_TRACKING", "1", 1);
  if (options.explain) ::setenv("SLUICE_EXPLAIN", "1", 1);
  set("SLUICE_STRICT", options.strict);
  std::string reports;
  for (const std::string& report : options.strict_reports) reports += (reports.empty() ? "" : ":") + absolute(report);
  set("SLUICE_STRICT_REPORT", reports);
  if (preload.empty()) return;
  const char* others = std::getenv("LD_PRELOAD");
  set("LD_PRELOAD", others == nullptr || *others == '\0' ? preload : preload + ":" + others);
}

std::string read_all(int descriptor) {
  std::string text;
  std::array<char, 4096> chunk;
  while (true) {
    const ssize_t n = ::read(descriptor, chunk.data(), chunk.size());
    if (n > 0) {
      text.append(chunk.data(), static_cast<std::size_t>(n));
    } else if (n == 0 || errno != EINTR) {
      return text;
    }
  }
}

// What follows `mark` in the lines that begin with it.
std::vector<std::string> told(const std::string& status, std::string_view mark) {
  std::vector<std::string> errors;
  std::size_t begin = 0;
  while (begin < status.size()) {
    const std::size_t end = std::min(status.find('\n', begin), status.size());
    const std::string line = status.substr(begin, end - begin);
    if (line.starts_with(mark)) errors.push_back(line.substr(mark.size()));
    begin = end + 1;
  }
  return errors;
}

// False: `error` says why it cannot be.
bool add_preload(std::string& preload, const std::optional<fs::path>& library, const std::string& name,
                 std::string& error) {
  if (!library) {
    error = name + " is not beside " + executable().string() + " (../lib)";
    return false;
  }
  if (library->string().find_first_of(" :") != std::string::npos) {
    error = library->string() + ": the dynamic linker preloads no library with a space or a colon in its path";
    return false;
  }
  preload += (preload.empty() ? "" : ":") + library->string();
  return true;
}

}  // namespace

bool environment_asks_for_strict() {
  const char* mode = std::getenv("SLUICE_STRICT");
  return mode != nullptr && *mode != '\0' && std::string_view(mode) != "0";
}

ChildResult run_child(const std::vector<std::string>& command, const ChildOptions& options) {
  ChildResult result;
  const auto driver = find_driver();
  if (!driver) {
    result.error = "libsluice_opencl.so is not beside " + executable().string() + " (../lib)";
    return result;
  }
  std::string preload;
  if (options.virtual_time && !add_preload(preload, find_virtual_time(), "libsluice_virtual_time.so", result.error)) {
    return result;
  }
  if ((!options.strict.empty() || environment_asks_for_strict()) && !add_preload(preload, find_strict(), "libsluice_strict.so", result.error)) {
    return result;
  }
  const std::string vendors = vendors_for(*driver);
  // One for all that this process runs, begun before there are pipes that it would hold open.
  static std::optional<sweep::Guardian> guardian;
  if (options.capture_output && !guardian) guardian.emplace();
  SharedInput none(SharedInput::Kind::nothing);
  ChildOptions watched = options;
  if (watched.capture_output && watched.input == nullptr) watched.input = &none;
  if (watched.input != nullptr && !watched.input->open(result.error)) return result;
  Pipe status;
  Pipe exec_error;
  Pipe output;
  if (!status.ok() || !exec_error.ok() || !output.ok()) {
    result.error = std::string("pipe: ") + std::strerror(errno);
    return result;
  }
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);

  const sigset_t signals = watched_signals();
  sigset_t before;
  ::sigprocmask(SIG_BLOCK, &signals, &before);

  const pid_t child = ::fork();
  if (child == 0) {
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    const int inherited = ::fcntl(status.write_end, F_DUPFD, lowest_status_descriptor);
    if (options.capture_output) {
      ::setpgid(0, 0);
      // It is in the terminal's background now, where some terminals let nobody write.
      ::signal(SIGTTOU, SIG_IGN);
      ::dup2(output.write_end, STDOUT_FILENO);
    }
    if (watched.input != nullptr) watched.input->take();
    set_environment(options, vendors, preload, inherited);
    ::execvp(arguments[0], arguments.data());
    const int code = errno;
    (void)!::write(exec_error.write_end, &code, sizeof code);
    ::_exit(127);
  }
  if (child < 0) {
    result.error = std::string("fork: ") + std::strerror(errno);
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    return result;
  }
  if (options.capture_output) {
    ::setpgid(child, child);  // whoever is first
    guardian->add(child);
  }
  if (watched.input != nullptr) watched.input->started();
  status.close_write();
  exec_error.close_write();
  output.close_write();
  int code = 0;
  if (::read(exec_error.read_end, &code, sizeof code) == sizeof code) {
    (void)::waitpid(child, nullptr, 0);
    result.error = command[0] + ": " + std::strerror(code);
    result.exit_code = code == ENOENT ? 127 : 126;
  } else {
    result.started = true;
    watch(child, output.read_end, watched, result);
    // Processes that the program left behind may hold the other end.
    ::fcntl(status.read_end, F_SETFL, O_NONBLOCK);
    const std::string text = read_all(status.read_end);
    result.trace_errors = told(text, "trace-error: ");
    result.strict_errors = told(text, "strict-error: ");
    for (const std::string& n : told(text, "misuses: ")) result.misuses += std::strtoull(n.c_str(), nullptr, 10);
  }
  if (options.capture_output) guardian->remove(child);
  if (watched.input != nullptr) watched.input->close();
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  return result;
}

}  // namespace sluice::tools

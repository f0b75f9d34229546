#include "tests/bench/bench_support.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <sstream>

extern char** environ;

namespace sluice::bench {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "benchmark: %s\n", what.c_str());
  std::exit(1);
}

std::uint64_t status_bytes(std::string_view key) {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.starts_with(key)) return std::strtoull(line.c_str() + key.size(), nullptr, 10) * 1024;
  }
  fail("no " + std::string(key) + " in /proc/self/status");
}

std::vector<std::string> child_environment(const Environment& changes) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string_view name = text.substr(0, text.find('='));
    const bool changed =
        std::any_of(changes.begin(), changes.end(), [&](const auto& change) { return change.first == name; });
    if (!changed) result.emplace_back(text);
  }
  for (const auto& [name, value] : changes) {
    if (!value.empty()) result.push_back(name + "=" + value);
  }
  return result;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& s : strings) result.push_back(s.data());
  result.push_back(nullptr);
  return result;
}

}  // namespace

double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double cpu_s() {
  timespec spent{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) * 1e-9;
}

void check(cl_int code, const char* what) {
  if (code != CL_SUCCESS) fail(std::string(what) + " -> " + std::to_string(code));
}

Queue open_queue(std::string_view name) {
  cl_uint count = 0;
  if (clGetPlatformIDs(0, nullptr, &count) != CL_SUCCESS || count == 0) return {};
  std::vector<cl_platform_id> platforms(count);
  check(clGetPlatformIDs(count, platforms.data(), nullptr), "clGetPlatformIDs");
  for (cl_platform_id platform : platforms) {
    char text[256] = {};
    check(clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof text, text, nullptr), "clGetPlatformInfo");
    if (lower(text).find(lower(name)) == std::string::npos) continue;
    Queue q;
    q.platform = platform;
    if (clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &q.device, nullptr) != CL_SUCCESS) return {};
    cl_int code = CL_SUCCESS;
    q.context = clCreateContext(nullptr, 1, &q.device, nullptr, nullptr, &code);
    check(code, "clCreateContext");
    q.queue = clCreateCommandQueueWithProperties(q.context, q.device, nullptr, &code);
    check(code, "clCreateCommandQueueWithProperties");
    return q;
  }
  return {};
}

void close_queue(Queue& q) {
  if (q.queue != nullptr) check(clReleaseCommandQueue(q.queue), "clReleaseCommandQueue");
  if (q.context != nullptr) check(clReleaseContext(q.context), "clReleaseContext");
  q = {};
}

std::uint64_t resident_bytes() {
  return status_bytes("VmRSS:");
}
std::uint64_t peak_resident_bytes() {
  return status_bytes("VmHWM:");
}

Figures run_child(const std::vector<std::string>& arguments, const Environment& environment) {
  std::vector<std::string> words{"/proc/self/exe", "--child"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  words.push_back(std::to_string(now_s()));  // the last argument: when the child was spawned
  std::vector<std::string> variables = child_environment(environment);
  std::vector<char*> argv = pointers(words);
  std::vector<char*> envp = pointers(variables);

  int ends[2] = {-1, -1};
  if (pipe(ends) != 0) fail("pipe: " + std::string(std::strerror(errno)));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addclose(&actions, ends[0]);
  pid_t child = 0;
  const int code = posix_spawn(&child, "/proc/self/exe", &actions, nullptr, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (code != 0) fail("posix_spawn: " + std::string(std::strerror(code)));

  std::string output;
  char chunk[4096];
  for (ssize_t n = 0; (n = read(ends[0], chunk, sizeof chunk)) > 0;) output.append(chunk, static_cast<std::size_t>(n));
  close(ends[0]);
  int status = 0;
  if (waitpid(child, &status, 0) != child || status != 0) fail("child " + arguments.front() + " failed:\n" + output);

  Figures figures;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t equals = line.find('=');
    if (equals != std::string::npos) figures[line.substr(0, equals)] = std::strtod(line.c_str() + equals + 1, nullptr);
  }
  return figures;
}

void report(const char* name, double value) {
  std::printf("%s=%.9g\n", name, value);
}

bool smoke() {
  return std::getenv("SLUICE_BENCH_SMOKE") != nullptr;
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace sluice::bench

// `sluice compare` of a program of 10,000 commands over six profiles, beside the six traced runs that it takes.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/bench/bench_support.h"

namespace {

using namespace sluice::bench;

const std::vector<std::string> profiles = {"h200-pcie5",    "h100-pcie5",    "generic-pcie4",
                                           "superchip-c2c", "igpu-coherent", "legacy-pcie3"};
std::string self;

// The program: writes of 4 KiB, each waited for.
int run_program(int commands) {
  const Queue q = open_queue("sluice");
  cl_int code = CL_SUCCESS;
  const cl_mem buffer = clCreateBuffer(q.context, CL_MEM_READ_WRITE, 4096, nullptr, &code);
  check(code, "clCreateBuffer");
  std::vector<char> bytes(4096);
  for (int i = 0; i < commands; ++i) {
    check(clEnqueueWriteBuffer(q.queue, buffer, CL_TRUE, 0, bytes.size(), bytes.data(), 0, nullptr, nullptr), "clEnqueueWriteBuffer");
  }
  return 0;
}

// Seconds that the command took; negative if it failed.
double seconds_of(std::vector<std::string> command) {
  std::vector<char*> arguments;
  for (std::string& argument : command) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  const double begin = now_s();
  const pid_t child = ::fork();
  if (child == 0) {
    const int nowhere = ::open("/dev/null", O_WRONLY);
    ::dup2(nowhere, STDOUT_FILENO);
    ::execv(SLUICE_BENCH_COMMAND, arguments.data());
    ::_exit(127);
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0) return -1;
  return now_s() - begin;
}

void compare_six(benchmark::State& state) {
  const std::string commands = smoke() ? "100" : "10000";
  const std::string trace = std::filesystem::temp_directory_path() / ("sluice-bench-compare-" + std::to_string(::getpid()) + ".jsonl");
  std::vector<double> ratios;
  for (auto _ : state) {
    double runs = 0;
    for (const std::string& profile : profiles) {
      const double s = seconds_of({"sluice", "run", "--profile", profile, "--trace", trace, "--", self, "--program", commands});
      if (s < 0) return state.SkipWithError("a run failed");
      runs += s;
    }
    std::vector<std::string> command = {"sluice", "compare"};
    for (const std::string& profile : profiles) command.insert(command.end(), {"--profile", profile});
    command.insert(command.end(), {"--", self, "--program", commands});
    const double both = seconds_of(command);
    if (both < 0) return state.SkipWithError("sluice compare failed");
    ratios.push_back(both / runs);
  }
  std::filesystem::remove(trace);
  state.counters["compare/runs"] = median(ratios);
}
BENCHMARK(compare_six)->Unit(benchmark::kSecond)->UseRealTime()->Iterations(smoke() ? 1 : 5);

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "--program") == 0) return run_program(std::stoi(argv[2]));
  self = std::filesystem::read_symlink("/proc/self/exe");
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

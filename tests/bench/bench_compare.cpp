// `sluice compare` of a program of 10,000 commands over six profiles, beside the six traced runs that it takes: by elapsed
// time, and by the processor time of all processes.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <sys/resource.h>
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

struct Cost {
  double elapsed_s = 0;
  double cpu_s = 0;
};

// Processor time of the processes that were waited for, and of those that they waited for.
double cpu_of_children() {
  rusage usage{};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec); };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Runs the command and adds what it took. False: it failed.
bool add_cost(std::vector<std::string> command, Cost& cost) {
  std::vector<char*> arguments;
  for (std::string& argument : command) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  const double cpu_before = cpu_of_children();
  const double begin = now_s();
  const pid_t child = ::fork();
  if (child == 0) {
    const int nowhere = ::open("/dev/null", O_WRONLY);
    ::dup2(nowhere, STDOUT_FILENO);
    ::execv(SLUICE_BENCH_COMMAND, arguments.data());
    ::_exit(127);
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0) return false;
  cost.elapsed_s += now_s() - begin;
  cost.cpu_s += cpu_of_children() - cpu_before;
  return true;
}

void compare_six(benchmark::State& state) {
  const std::string commands = smoke() ? "100" : "10000";
  const std::string trace = std::filesystem::temp_directory_path() / ("sluice-bench-compare-" + std::to_string(::getpid()) + ".jsonl");
  std::vector<double> ratios;
  std::vector<double> cpu_ratios;
  for (auto _ : state) {
    Cost runs;
    for (const std::string& profile : profiles) {
      if (!add_cost({"sluice", "run", "--profile", profile, "--trace", trace, "--", self, "--program", commands}, runs)) {
        return state.SkipWithError("a run failed");
      }
    }
    std::vector<std::string> command = {"sluice", "compare"};
    for (const std::string& profile : profiles) command.insert(command.end(), {"--profile", profile});
    command.insert(command.end(), {"--", self, "--program", commands});
    Cost compare;
    if (!add_cost(command, compare)) return state.SkipWithError("sluice compare failed");
    ratios.push_back(compare.elapsed_s / runs.elapsed_s);
    cpu_ratios.push_back(compare.cpu_s / runs.cpu_s);
  }
  std::filesystem::remove(trace);
  state.counters["compare/runs"] = median(ratios);
  state.counters["cpu_compare/runs"] = median(cpu_ratios);
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

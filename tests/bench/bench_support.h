// Shared by the benchmarks: a queue on a platform found by name, a clock, the process's memory, and child processes.
// One process has one simulator, so a comparison of two configurations (trace on and off, say) runs each in a child
// and compares what the children measured, alternating, within one run of the benchmark.
#pragma once

#define CL_TARGET_OPENCL_VERSION 300
#include <CL/cl.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::bench {

// Seconds of the monotonic clock; comparable between parent and child.
[[nodiscard]] double now_s();
// Seconds of processor time that all threads of this process took.
[[nodiscard]] double cpu_s();

// Prints and ends the process with status 1: a benchmark that measured a failing call is worthless.
void check(cl_int code, const char* what);

struct Queue {
  cl_platform_id platform = nullptr;
  cl_device_id device = nullptr;
  cl_context context = nullptr;
  cl_command_queue queue = nullptr;
};

// Opens an in-order queue on the first device of the first platform whose name contains `name` (ASCII, no case).
// queue == nullptr when there is no such platform.
[[nodiscard]] Queue open_queue(std::string_view name);
void close_queue(Queue& q);

// Bytes resident now and at most so far (VmRSS, VmHWM of /proc/self/status).
[[nodiscard]] std::uint64_t resident_bytes();
[[nodiscard]] std::uint64_t peak_resident_bytes();

// Environment and figures, by name. An empty value unsets the variable.
using Environment = std::vector<std::pair<std::string, std::string>>;
using Figures = std::map<std::string, double>;

// Runs this program again as `--child SCENARIO ARG...` and returns the `name=value` lines that it printed.
// Exits with status 1 if the child failed.
[[nodiscard]] Figures run_child(const std::vector<std::string>& arguments, const Environment& environment);

// A child's answer.
void report(const char* name, double value);

// True under SLUICE_BENCH_SMOKE: sizes are cut so that every benchmark runs once within seconds.
[[nodiscard]] bool smoke();

[[nodiscard]] double median(std::vector<double> values);

}  // namespace sluice::bench

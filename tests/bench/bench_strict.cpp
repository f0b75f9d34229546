// What --strict costs a program that transfers: writes, reads, copies, fills, and maps of all three kinds whose bytes
// the host reads or writes. Each size in a process of its own, with and without, in turn.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "tests/bench/bench_support.h"

namespace {

using sluice::bench::check;
using sluice::bench::Environment;
using sluice::bench::Figures;
using sluice::bench::median;
using sluice::bench::now_s;
using sluice::bench::Queue;
using sluice::bench::run_child;
using sluice::bench::smoke;

void* map(const Queue& q, cl_mem buffer, cl_map_flags flags, std::size_t bytes) {
  cl_int code = CL_SUCCESS;
  void* p = clEnqueueMapBuffer(q.queue, buffer, CL_TRUE, flags, 0, bytes, 0, nullptr, nullptr, &code);
  check(code, "clEnqueueMapBuffer");
  return p;
}

void unmap(const Queue& q, cl_mem buffer, void* p) {
  check(clEnqueueUnmapMemObject(q.queue, buffer, p, 0, nullptr, nullptr), "clEnqueueUnmapMemObject");
}

// Of one round: the seven operations once each.
void round_of(const Queue& q, cl_mem a, cl_mem b, std::vector<std::byte>& host, std::size_t bytes) {
  check(clEnqueueWriteBuffer(q.queue, a, CL_TRUE, 0, bytes, host.data(), 0, nullptr, nullptr), "clEnqueueWriteBuffer");
  check(clEnqueueCopyBuffer(q.queue, a, b, 0, 0, bytes, 0, nullptr, nullptr), "clEnqueueCopyBuffer");
  check(clEnqueueReadBuffer(q.queue, b, CL_TRUE, 0, bytes, host.data(), 0, nullptr, nullptr), "clEnqueueReadBuffer");
  const cl_uint pattern = 0x01020304;
  check(clEnqueueFillBuffer(q.queue, b, &pattern, sizeof pattern, 0, bytes, 0, nullptr, nullptr),
        "clEnqueueFillBuffer");
  void* p = map(q, b, CL_MAP_READ, bytes);
  std::memcpy(host.data(), p, bytes);
  unmap(q, b, p);
  p = map(q, a, CL_MAP_WRITE, bytes);
  std::memcpy(p, host.data(), bytes);
  unmap(q, a, p);
  p = map(q, b, CL_MAP_WRITE_INVALIDATE_REGION, bytes);
  std::memcpy(p, host.data(), bytes);
  unmap(q, b, p);
  check(clFinish(q.queue), "clFinish");
}

int child_transfers(std::size_t bytes) {
  Queue q = sluice::bench::open_queue("sluice");
  if (q.queue == nullptr) return 1;
  cl_int code = CL_SUCCESS;
  cl_mem a = clCreateBuffer(q.context, CL_MEM_READ_WRITE, bytes, nullptr, &code);
  check(code, "clCreateBuffer");
  cl_mem b = clCreateBuffer(q.context, CL_MEM_READ_WRITE, bytes, nullptr, &code);
  check(code, "clCreateBuffer");
  std::vector<std::byte> host(bytes, std::byte{1});
  for (int i = 0; i < 5; ++i) round_of(q, a, b, host, bytes);
  std::vector<double> seconds;
  const double until = now_s() + (smoke() ? 0.01 : 0.5);
  while (seconds.size() < 3 || now_s() < until) {
    const double begin = now_s();
    round_of(q, a, b, host, bytes);
    seconds.push_back(now_s() - begin);
  }
  sluice::bench::report("seconds", median(seconds));
  check(clReleaseMemObject(a), "clReleaseMemObject");
  check(clReleaseMemObject(b), "clReleaseMemObject");
  sluice::bench::close_queue(q);
  return 0;
}

std::vector<double> ratios;  // of each size that ran

void transfers(benchmark::State& state) {
  const Environment plain{{"OCL_ICD_VENDORS", SLUICE_BENCH_ONLY},
                          {"SLUICE_PROFILE", "h200-pcie5"},
                          {"SLUICE_TRACE", ""},
                          {"SLUICE_STRICT", ""},
                          {"LD_PRELOAD", ""}};
  Environment strict = plain;
  strict[3].second = "report";
  strict[4].second = SLUICE_BENCH_STRICT;
  const std::string bytes = std::to_string(state.range(0));
  std::vector<double> with;
  std::vector<double> without;
  for (auto _ : state) {
    without.push_back(run_child({"transfers", bytes}, plain).at("seconds"));
    with.push_back(run_child({"transfers", bytes}, strict).at("seconds"));
    state.SetIterationTime(with.back());
  }
  state.counters["strict_us"] = median(with) * 1e6;
  state.counters["plain_us"] = median(without) * 1e6;
  ratios.push_back(median(with) / median(without));
  state.counters["strict/plain"] = ratios.back();
}
BENCHMARK(transfers)
    ->ArgName("bytes")
    ->Arg(4 << 10)
    ->Arg(64 << 10)
    ->Arg(1 << 20)
    ->Arg(16 << 20)
    ->Arg(256 << 20)
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond)
    ->Iterations(smoke() ? 1 : 5);

// Claim: at most twice as long with --strict: the geometric mean of the sizes above.
void all_sizes(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(ratios.data());
  if (ratios.empty()) return state.SkipWithError("no size ran before");
  double sum = 0;
  for (const double ratio : ratios) sum += std::log(ratio);
  state.counters["strict/plain"] = std::exp(sum / static_cast<double>(ratios.size()));
}
BENCHMARK(all_sizes)->Iterations(1);

}  // namespace

int main(int argc, char** argv) {
  if (argc > 3 && std::strcmp(argv[1], "--child") == 0 && std::strcmp(argv[2], "transfers") == 0) {
    return child_transfers(std::strtoull(argv[3], nullptr, 10));
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

// From source to the end of a first launch, each in a process of its own: with nothing kept, and from the cache.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

#include "tests/bench/bench_support.h"

namespace {

using sluice::bench::check;
using sluice::bench::cpu_s;
using sluice::bench::Figures;
using sluice::bench::now_s;
using sluice::bench::run_child;
using sluice::bench::smoke;

struct Program {
  const char* name;
  const char* source;
};

// All take a buffer of floats and run in groups of 64: what is compiled matters here, not what it computes.
constexpr Program kPrograms[] = {
    {"copy", "kernel void k(global float* p) { size_t i = get_global_id(0); p[i] = p[i] + 1.0f; }"},
    {"loop", R"(kernel void k(global float* p) {
  size_t i = get_global_id(0);
  float sum = 0;
  for (int n = 0; n < 64; ++n) sum = mad(p[(i + n) & 63], 0.5f, sum);
  p[i] = sum;
})"},
    {"sum", R"(kernel void k(global float* p) {
  local float s[64];
  int l = get_local_id(0);
  s[l] = p[get_global_id(0)];
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int half_size = 32; half_size > 0; half_size /= 2) {
    if (l < half_size) s[l] += s[l + half_size];
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  if (l == 0) p[get_group_id(0)] = s[0];
})"},
    {"tile", R"(#define SIZE 8
kernel void k(global float* p) {
  local float a[SIZE][SIZE], b[SIZE][SIZE];
  int r = get_local_id(0) / SIZE, c = get_local_id(0) % SIZE;
  float sum = 0;
  for (int t = 0; t < 4; ++t) {
    a[r][c] = p[r * SIZE + c + t];
    b[r][c] = p[c * SIZE + r + t];
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int k = 0; k < SIZE; ++k) sum += a[r][k] * b[k][c];
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  p[get_global_id(0)] = sum;
})"},
    {"vectors", R"(kernel void k(global float* p) {
  size_t i = get_global_id(0) / 4;
  float4 x = vload4(i, p);
  uint4 bits = rotate(as_uint4(x), (uint4)(7)) ^ convert_uint4_sat(x);
  vstore4(select(x, as_float4(bits & 0x007fffffu), isless(x, x.wzyx)), i, p);
})"},
    {"mathematics", R"(kernel void k(global float* p) {
  float x = p[get_global_id(0)];
  p[get_global_id(0)] = sin(x) + cos(2 * x) + exp(-x) + log(x + 1) + pow(x, 1.5f) + sqrt(x) + tanh(x) + atan2(x, 2.0f);
})"},
    {"digest", R"(uint turn(uint x, uint n) { return rotate(x, 32u - n); }
kernel void k(global float* p) {
  uint w[16];
  for (int i = 0; i < 16; ++i) w[i] = as_uint(p[i]) + i;
  uint a = 1, b = 2, c = 3, d = 4;
  for (uint r = 0; r < 64; ++r) {
    uint t = d + (turn(a, 6) ^ turn(a, 11)) + bitselect(c, b, a) + w[r & 15];
    d = c, c = b, b = a, a = t;
    w[r & 15] += turn(w[(r + 1) & 15], 7) ^ (w[(r + 9) & 15] >> 3);
  }
  p[get_global_id(0)] = a + b + c + d;
})"},
};

int child_launch(const Program& program) {
  const sluice::bench::Queue q = sluice::bench::open_queue("sluice");
  if (q.queue == nullptr) return 1;
  cl_int code = CL_SUCCESS;
  constexpr std::size_t items = 64;
  cl_mem buffer = clCreateBuffer(q.context, CL_MEM_READ_WRITE, 2 * items * sizeof(float), nullptr, &code);
  check(code, "clCreateBuffer");
  const double cpu_begin = cpu_s();
  const double begin = now_s();
  cl_program made = clCreateProgramWithSource(q.context, 1, const_cast<const char**>(&program.source), nullptr, &code);
  check(code, "clCreateProgramWithSource");
  check(clBuildProgram(made, 0, nullptr, nullptr, nullptr, nullptr), "clBuildProgram");
  const double built = now_s();
  cl_kernel kernel = clCreateKernel(made, "k", &code);
  check(code, "clCreateKernel");
  check(clSetKernelArg(kernel, 0, sizeof buffer, &buffer), "clSetKernelArg");
  check(clEnqueueNDRangeKernel(q.queue, kernel, 1, nullptr, &items, &items, 0, nullptr, nullptr),
        "clEnqueueNDRangeKernel");
  check(clFinish(q.queue), "clFinish");
  sluice::bench::report("build", built - begin);
  sluice::bench::report("all", now_s() - begin);
  sluice::bench::report("cpu", cpu_s() - cpu_begin);
  return 0;
}

// Claim: compile to first launch takes at most 80 ms, 5 ms from the cache. The geometric mean over the programs.
void compile_to_first_launch(benchmark::State& state) {
  const bool kept = state.range(0) != 0;
  char name[] = "/tmp/sluice-bench-XXXXXX";
  if (::mkdtemp(name) == nullptr) return state.SkipWithError("no folder for the cache");
  const sluice::bench::Environment environment = {{"OCL_ICD_VENDORS", SLUICE_BENCH_ONLY}, {"XDG_CACHE_HOME", name}};
  double builds = 0, launches = 0, processor = 0;
  std::size_t runs = 0;
  for (auto _ : state) {
    double all = 0;
    for (const Program& program : kPrograms) {
      if (!kept) std::filesystem::remove_all(std::string(name) + "/sluice");
      if (kept && runs < std::size(kPrograms)) (void)run_child({"launch", program.name}, environment);
      const Figures figures = run_child({"launch", program.name}, environment);
      builds += std::log(figures.at("build"));
      launches += std::log(figures.at("all"));
      processor += std::log(figures.at("cpu"));
      all += figures.at("all");
      ++runs;
    }
    state.SetIterationTime(all / std::size(kPrograms));
  }
  state.counters["build_ms"] = std::exp(builds / static_cast<double>(runs)) * 1e3;
  state.counters["first_launch_ms"] = std::exp(launches / static_cast<double>(runs)) * 1e3;
  state.counters["cpu_ms"] = std::exp(processor / static_cast<double>(runs)) * 1e3;
  std::filesystem::remove_all(name);
}
BENCHMARK(compile_to_first_launch)
    ->ArgName("kept")
    ->Arg(0)
    ->Arg(1)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(smoke() ? 1 : 5);

}  // namespace

int main(int argc, char** argv) {
  if (argc > 3 && std::strcmp(argv[1], "--child") == 0 && std::strcmp(argv[2], "launch") == 0) {
    for (const Program& program : kPrograms) {
      if (std::strcmp(program.name, argv[3]) == 0) return child_launch(program);
    }
    std::fprintf(stderr, "unknown program %s\n", argv[3]);
    return 1;
  }
  setenv("SLUICE_PROFILE", "h200-pcie5", 1);
  unsetenv("SLUICE_TRACE");
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

// The driver as a program meets it: through the system's OpenCL loader, beside PoCL and memcpy in the same run.
// Real time throughout: what matters here is how long the simulation takes, not what it says.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>
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

constexpr std::size_t kib = 1024;
constexpr std::size_t mib = 1024 * kib;

// SLUICE_BENCH_VENDORS holds the .icd files of both drivers, SLUICE_BENCH_ONLY that of this driver alone.
Environment sluice_only(const Environment& more = {}) {
  Environment result{{"OCL_ICD_VENDORS", SLUICE_BENCH_ONLY}, {"SLUICE_PROFILE", "h200-pcie5"}, {"SLUICE_TRACE", ""}};
  result.insert(result.end(), more.begin(), more.end());
  return result;
}

Queue& shared_queue(const char* name) {
  static Queue sluice_queue = sluice::bench::open_queue("sluice");
  static Queue pocl_queue = sluice::bench::open_queue("portable computing language");
  return std::string_view(name) == "sluice" ? sluice_queue : pocl_queue;
}

cl_mem create_buffer(const Queue& q, std::size_t bytes) {
  cl_int code = CL_SUCCESS;
  cl_mem buffer = clCreateBuffer(q.context, CL_MEM_READ_WRITE, bytes, nullptr, &code);
  check(code, "clCreateBuffer");
  return buffer;
}

// A blocking map for reading and writing, an unmap, and the wait for it.
void map_unmap(const Queue& q, cl_mem buffer, std::size_t bytes) {
  cl_int code = CL_SUCCESS;
  void* p =
      clEnqueueMapBuffer(q.queue, buffer, CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, 0, bytes, 0, nullptr, nullptr, &code);
  check(code, "clEnqueueMapBuffer");
  benchmark::DoNotOptimize(p);
  check(clEnqueueUnmapMemObject(q.queue, buffer, p, 0, nullptr, nullptr), "clEnqueueUnmapMemObject");
  check(clFinish(q.queue), "clFinish");
}

// Claim: at most 3 us a pair, and PoCL takes at least 5 times as long.
void map_unmap_4k(benchmark::State& state) {
  Queue& ours = shared_queue("sluice");
  Queue& pocl = shared_queue("pocl");
  if (ours.queue == nullptr) return state.SkipWithError("the Sluice platform did not load");
  cl_mem our_buffer = create_buffer(ours, 4 * kib);
  cl_mem pocl_buffer = pocl.queue != nullptr ? create_buffer(pocl, 4 * kib) : nullptr;
  constexpr int block = 64;  // pairs timed at once, so that reading the clock does not count
  for (int i = 0; i < block; ++i) map_unmap(ours, our_buffer, 4 * kib);
  for (int i = 0; pocl_buffer != nullptr && i < block; ++i) map_unmap(pocl, pocl_buffer, 4 * kib);
  std::vector<double> our_s, pocl_s;
  for (auto _ : state) {
    double begin = now_s();
    for (int i = 0; i < block; ++i) map_unmap(ours, our_buffer, 4 * kib);
    our_s.push_back((now_s() - begin) / block);
    state.SetIterationTime(our_s.back());
    if (pocl_buffer == nullptr) continue;
    begin = now_s();
    for (int i = 0; i < block; ++i) map_unmap(pocl, pocl_buffer, 4 * kib);
    pocl_s.push_back((now_s() - begin) / block);
  }
  state.counters["sluice_us"] = median(our_s) * 1e6;
  if (pocl_buffer != nullptr) {
    state.counters["pocl_us"] = median(pocl_s) * 1e6;
    state.counters["pocl/sluice"] = median(pocl_s) / median(our_s);
    check(clReleaseMemObject(pocl_buffer), "clReleaseMemObject");
  } else {
    state.SetLabel("PoCL is not installed: no ratio");
  }
  check(clReleaseMemObject(our_buffer), "clReleaseMemObject");
}
// An iteration takes PoCL's milliseconds, but counts as our microseconds: left alone, the library would run for minutes.
BENCHMARK(map_unmap_4k)->UseManualTime()->Unit(benchmark::kMicrosecond)->Iterations(smoke() ? 5 : 1000);

// Claim: at most 10 us. Nothing is copied, so the time must not depend on the size: the ratio to 4 KiB is beside it.
void map_unmap_256m(benchmark::State& state) {
  Queue& ours = shared_queue("sluice");
  if (ours.queue == nullptr) return state.SkipWithError("the Sluice platform did not load");
  cl_mem large = create_buffer(ours, 256 * mib);
  cl_mem small = create_buffer(ours, 4 * kib);
  map_unmap(ours, large, 256 * mib);
  std::vector<double> large_s, small_s;
  constexpr int block = 16;
  for (auto _ : state) {
    double begin = now_s();
    for (int i = 0; i < block; ++i) map_unmap(ours, large, 256 * mib);
    large_s.push_back((now_s() - begin) / block);
    state.SetIterationTime(large_s.back());
    begin = now_s();
    for (int i = 0; i < block; ++i) map_unmap(ours, small, 4 * kib);
    small_s.push_back((now_s() - begin) / block);
  }
  state.counters["us"] = median(large_s) * 1e6;
  state.counters["256M/4K"] = median(large_s) / median(small_s);
  check(clReleaseMemObject(large), "clReleaseMemObject");
  check(clReleaseMemObject(small), "clReleaseMemObject");
}
BENCHMARK(map_unmap_256m)->UseManualTime()->Unit(benchmark::kMicrosecond)->Iterations(smoke() ? 5 : 1000);

// Claim: at least 95 % of memcpy between the same kinds of buffers, measured alternately.
void write_256m(benchmark::State& state) {
  Queue& ours = shared_queue("sluice");
  if (ours.queue == nullptr) return state.SkipWithError("the Sluice platform did not load");
  const std::size_t bytes = 256 * mib;
  std::vector<std::byte> source(bytes, std::byte{1});
  std::vector<std::byte> beside(bytes, std::byte{2});
  cl_mem buffer = create_buffer(ours, bytes);
  const auto write = [&] {
    check(clEnqueueWriteBuffer(ours.queue, buffer, CL_TRUE, 0, bytes, source.data(), 0, nullptr, nullptr),
          "clEnqueueWriteBuffer");
  };
  write();  // commits the buffer's pages
  std::vector<double> write_s, memcpy_s;
  for (auto _ : state) {
    double begin = now_s();
    write();
    write_s.push_back(now_s() - begin);
    state.SetIterationTime(write_s.back());
    begin = now_s();
    std::memcpy(beside.data(), source.data(), bytes);
    benchmark::ClobberMemory();
    memcpy_s.push_back(now_s() - begin);
  }
  state.counters["write_GB/s"] = static_cast<double>(bytes) / median(write_s) / 1e9;
  state.counters["memcpy_GB/s"] = static_cast<double>(bytes) / median(memcpy_s) / 1e9;
  state.counters["write/memcpy"] = median(memcpy_s) / median(write_s);
  check(clReleaseMemObject(buffer), "clReleaseMemObject");
}
BENCHMARK(write_256m)->UseManualTime()->Unit(benchmark::kMillisecond)->MinTime(smoke() ? 0.01 : 4);

// Child: N non-blocking 4 KiB writes, then finish; `gated` holds all of them behind a user event, so that the queue
// really grows to N commands.
int child_writes(std::size_t count, bool gated) {
  Queue q = sluice::bench::open_queue("sluice");
  if (q.queue == nullptr) return 1;
  std::vector<std::byte> source(4 * kib, std::byte{3});
  cl_mem buffer = create_buffer(q, 4 * kib);
  const auto write = [&](cl_event gate) {
    check(clEnqueueWriteBuffer(q.queue, buffer, CL_FALSE, 0, source.size(), source.data(), gate != nullptr ? 1U : 0U,
                               gate != nullptr ? &gate : nullptr, nullptr),
          "clEnqueueWriteBuffer");
  };
  for (int i = 0; i < 1000; ++i) write(nullptr);
  check(clFinish(q.queue), "clFinish");

  cl_int code = CL_SUCCESS;
  cl_event gate = nullptr;
  if (gated) {
    gate = clCreateUserEvent(q.context, &code);
    check(code, "clCreateUserEvent");
  }
  const std::uint64_t before = sluice::bench::resident_bytes();
  const double cpu_begin = sluice::bench::cpu_s();
  const double begin = now_s();
  for (std::size_t i = 0; i < count; ++i) write(gate);
  if (gated) check(clSetUserEventStatus(gate, CL_COMPLETE), "clSetUserEventStatus");
  check(clFinish(q.queue), "clFinish");
  const double spent = now_s() - begin;
  const std::uint64_t peak = std::max(sluice::bench::peak_resident_bytes(), before);
  sluice::bench::report("seconds", spent);
  sluice::bench::report("cpu_seconds", sluice::bench::cpu_s() - cpu_begin);
  sluice::bench::report("bytes_grown", static_cast<double>(peak - before));
  if (gated) check(clReleaseEvent(gate), "clReleaseEvent");
  check(clReleaseMemObject(buffer), "clReleaseMemObject");
  sluice::bench::close_queue(q);
  return 0;
}

// Claim: at most 2 us and 1 KiB a command, linear: the cost a command at N beside that at 10^4.
void queued_writes(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const std::string gated = state.range(1) != 0 ? "gated" : "free";
  const auto measure = [&](std::size_t n) { return run_child({"writes", std::to_string(n), gated}, sluice_only()); };
  std::vector<double> ns, base_ns, bytes;
  for (auto _ : state) {
    const Figures base = measure(10'000);
    base_ns.push_back(base.at("seconds") * 1e9 / 10'000);
    const Figures here = measure(count);
    ns.push_back(here.at("seconds") * 1e9 / static_cast<double>(count));
    bytes.push_back(here.at("bytes_grown") / static_cast<double>(count));
    state.SetIterationTime(here.at("seconds"));
  }
  state.counters["ns/command"] = median(ns);
  state.counters["B/command"] = median(bytes);
  state.counters["vs_1e4"] = median(ns) / median(base_ns);
}
BENCHMARK(queued_writes)->UseManualTime()->Unit(benchmark::kMillisecond)->Iterations(smoke() ? 1 : 3)->ArgNames({"n", "gated"})->Apply([](auto* b) {
  for (int gated : {0, 1}) {
    for (int n : {10'000, 100'000, 1'000'000}) {
      if (n <= (smoke() ? 10'000 : 1'000'000)) b->Args({n, gated});
    }
  }
});

// A file for a child's trace, gone with the object.
class TraceFile {
 public:
  TraceFile() : folder_(std::filesystem::temp_directory_path() / ("sluice_bench_" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~TraceFile() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  TraceFile(const TraceFile&) = delete;
  TraceFile& operator=(const TraceFile&) = delete;

  [[nodiscard]] std::string path() const { return (folder_ / "trace.jsonl").string(); }
  [[nodiscard]] double records() const {
    std::ifstream trace(path());
    return static_cast<double>(
        std::count(std::istreambuf_iterator<char>(trace), std::istreambuf_iterator<char>(), '\n'));
  }

 private:
  std::filesystem::path folder_;
};

// Claims: with a command-level trace the same program is at most 10 % slower, and a million records a second are
// written. Children alternate. The trace is written on a second core; what it costs both cores together is beside it
// (`cpu`), and is what a program pays that has one core (taskset -c 0).
void trace_overhead(benchmark::State& state) {
  const std::size_t count = smoke() ? 10'000 : 300'000;
  const TraceFile file;
  const std::vector<std::string> scenario{"writes", std::to_string(count), "free"};
  std::vector<double> off, on, ratio, cpu_ratio;
  for (auto _ : state) {
    const Figures without = run_child(scenario, sluice_only());
    const Environment traced = sluice_only({{"SLUICE_TRACE", file.path()}, {"SLUICE_TRACE_LEVEL", "command"}});
    const Figures with = run_child(scenario, traced);
    off.push_back(without.at("seconds"));
    on.push_back(with.at("seconds"));
    ratio.push_back(on.back() / off.back());
    cpu_ratio.push_back(with.at("cpu_seconds") / without.at("cpu_seconds"));
    state.SetIterationTime(on.back());
  }
  if (file.records() < static_cast<double>(count)) state.SkipWithError("the trace lacks records");
  state.counters["off_ns"] = median(off) * 1e9 / static_cast<double>(count);
  state.counters["on_ns"] = median(on) * 1e9 / static_cast<double>(count);
  state.counters["on/off"] = median(ratio);
  state.counters["cpu_on/off"] = median(cpu_ratio);
  state.counters["records/s"] = static_cast<double>(count) / median(on);
}
BENCHMARK(trace_overhead)->UseManualTime()->Unit(benchmark::kMillisecond)->Iterations(smoke() ? 1 : 7);

// Child: blocking writes of 4 MiB, and the release of everything, so that the trace is whole.
int child_transfers(std::size_t count) {
  const std::size_t bytes = 4 * mib;
  Queue q = sluice::bench::open_queue("sluice");
  if (q.queue == nullptr) return 1;
  std::vector<std::byte> source(bytes, std::byte{4});
  cl_mem buffer = create_buffer(q, bytes);
  const double begin = now_s();
  for (std::size_t i = 0; i < count; ++i) {
    check(clEnqueueWriteBuffer(q.queue, buffer, CL_TRUE, 0, bytes, source.data(), 0, nullptr, nullptr),
          "clEnqueueWriteBuffer");
  }
  sluice::bench::report("seconds", now_s() - begin);
  check(clReleaseMemObject(buffer), "clReleaseMemObject");
  sluice::bench::close_queue(q);
  return 0;
}

// Claim: a million records a second. Packet detail traced at packet level makes records faster than anything else;
// simulating the packets is part of the time, and `vs_untraced` says how much the trace adds to it.
void trace_records(benchmark::State& state) {
  const std::vector<std::string> scenario{"transfers", smoke() ? "1" : "16"};
  const TraceFile file;
  std::vector<double> rate, ratio;
  for (auto _ : state) {
    const double off = run_child(scenario, sluice_only({{"SLUICE_DETAIL", "packet"}})).at("seconds");
    const double on =
        run_child(
            scenario,
            sluice_only({{"SLUICE_DETAIL", "packet"}, {"SLUICE_TRACE", file.path()}, {"SLUICE_TRACE_LEVEL", "packet"}}))
            .at("seconds");
    rate.push_back(file.records() / on);
    ratio.push_back(on / off);
    state.SetIterationTime(on);
  }
  state.counters["records/s"] = median(rate);
  state.counters["vs_untraced"] = median(ratio);
}
BENCHMARK(trace_records)->UseManualTime()->Unit(benchmark::kMillisecond)->Iterations(smoke() ? 1 : 5);

// Child: everything a program does before its first command is in the queue.
int child_load(double spawned) {
  const double begin = now_s();
  Queue q = sluice::bench::open_queue("sluice");
  if (q.queue == nullptr) return 1;
  cl_mem buffer = create_buffer(q, 4 * kib);
  std::vector<std::byte> source(4 * kib);
  check(clEnqueueWriteBuffer(q.queue, buffer, CL_FALSE, 0, source.size(), source.data(), 0, nullptr, nullptr),
        "clEnqueueWriteBuffer");
  const double end = now_s();
  sluice::bench::report("from_spawn", end - spawned);
  sluice::bench::report("from_main", end - begin);
  check(clFinish(q.queue), "clFinish");
  check(clReleaseMemObject(buffer), "clReleaseMemObject");
  sluice::bench::close_queue(q);
  return 0;
}

// Claim: at most 20 ms from the start of the process to the first enqueue, loader and profile included.
void load_to_first_enqueue(benchmark::State& state) {
  std::vector<double> spawn, main;
  for (auto _ : state) {
    const Figures f = run_child({"load"}, sluice_only());
    spawn.push_back(f.at("from_spawn"));
    main.push_back(f.at("from_main"));
    state.SetIterationTime(f.at("from_spawn"));
  }
  state.counters["from_spawn_ms"] = median(spawn) * 1e3;
  state.counters["from_main_ms"] = median(main) * 1e3;
  state.counters["main/spawn"] = median(main) / median(spawn);
}
BENCHMARK(load_to_first_enqueue)->UseManualTime()->Unit(benchmark::kMillisecond)->Iterations(smoke() ? 1 : 30);

int child(const std::vector<std::string>& words) {
  if (words.front() == "writes" && words.size() == 4) {
    return child_writes(std::stoull(words[1]), words[2] == "gated");
  }
  if (words.front() == "transfers" && words.size() == 3) return child_transfers(std::stoull(words[1]));
  if (words.front() == "load" && words.size() == 2) return child_load(std::stod(words[1]));
  std::fprintf(stderr, "unknown child scenario %s\n", words.front().c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 2 && std::strcmp(argv[1], "--child") == 0) return child({argv + 2, argv + argc});
  // Both drivers, found through the loader: the dispatch costs the same for both.
  setenv("OCL_ICD_VENDORS", SLUICE_BENCH_VENDORS, 1);
  setenv("SLUICE_PROFILE", "h200-pcie5", 1);
  unsetenv("SLUICE_TRACE");
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

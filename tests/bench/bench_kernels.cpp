// Kernels and small programs on this driver, on PoCL with one thread and on Oclgrind, in one run: each in child
// processes that see one driver only, in turn. What is measured lies between the first enqueue and the end of clFinish:
// executing, recording every access and timing it here, executing alone in PoCL, interpreting in Oclgrind.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "tests/bench/kernel_rig.h"

namespace {

using sluice::bench::Environment;
using sluice::bench::Figures;
using sluice::bench::median;
using sluice::bench::run_child;
using sluice::bench::smoke;
using sluice::bench::Workload;

struct Rival {
  const char* name;
  const char* place;  // empty: it is not installed
  Environment environment;
  std::size_t part;  // of the full size that is run, on both sides: an interpreter takes long
  int repeats;
};

const Rival& pocl() {
  static const Rival rival{"PoCL",
                           SLUICE_BENCH_POCL,
                           {{"OCL_ICD_VENDORS", SLUICE_BENCH_POCL}, {"POCL_MAX_PTHREAD_COUNT", "1"}},
                           smoke() ? 256U : 1U,
                           5};
  return rival;
}
// It comes as a library that stands in for the loader, as its own command has it; behind the loader it hangs.
const Rival& oclgrind() {
  static const Rival rival{"Oclgrind",
                           SLUICE_BENCH_OCLGRIND,
                           {{"LD_PRELOAD", SLUICE_BENCH_OCLGRIND}, {"OCLGRIND_NUM_THREADS", "1"}},
                           smoke() ? 256U : 16U,
                           1};
  return rival;
}

// How many times longer one side takes than the other, as a geometric mean.
struct Mean {
  double wall = 0, cpu = 0;
  int count = 0;
};

// `inverse`: the rival's time in ours.
void beside(benchmark::State& state, const Workload& workload, const Rival& rival, bool inverse, Mean& mean) {
  const std::string part = std::to_string(rival.part);
  const auto words = [&](int repeats) {
    return std::vector<std::string>{workload.name, part, std::to_string(smoke() ? 1 : repeats)};
  };
  const Environment us{{"OCL_ICD_VENDORS", SLUICE_BENCH_ONLY}, {"SLUICE_PROFILE", "h200-pcie5"}, {"SLUICE_TRACE", ""}};
  const bool is_there = *rival.place != '\0';
  std::vector<double> ours, theirs, our_cpu, their_cpu;
  for (auto _ : state) {
    const Figures here = run_child(words(5), us);
    ours.push_back(here.at("wall"));
    our_cpu.push_back(here.at("cpu"));
    state.SetIterationTime(here.at("wall"));
    if (!is_there) continue;
    const Figures there = run_child(words(rival.repeats), rival.environment);
    theirs.push_back(there.at("wall"));
    their_cpu.push_back(there.at("cpu"));
  }
  state.counters["sluice_ms"] = median(ours) * 1e3;
  if (!is_there) return state.SetLabel(std::string(rival.name) + " is not installed: no ratio");
  const auto ratio = [&](std::vector<double>& a, std::vector<double>& b) {
    return inverse ? median(b) / median(a) : median(a) / median(b);
  };
  state.counters["rival_ms"] = median(theirs) * 1e3;
  state.counters["ratio"] = ratio(ours, theirs);
  state.counters["cpu_ratio"] = ratio(our_cpu, their_cpu);
  mean.wall += std::log(ratio(ours, theirs));
  mean.cpu += std::log(ratio(our_cpu, their_cpu));
  ++mean.count;
}

void geometric_mean(benchmark::State& state, const Mean& mean) {
  for (auto _ : state) state.SetIterationTime(1e-9);
  if (mean.count == 0) return state.SetLabel("nothing was compared");
  state.counters["of"] = mean.count;
  state.counters["ratio"] = std::exp(mean.wall / mean.count);
  state.counters["cpu_ratio"] = std::exp(mean.cpu / mean.count);
}

// Claims: at most 4 times the time of PoCL on one thread (`sluice/pocl`); Oclgrind takes at least 100 times as long
// (`oclgrind/sluice`). Geometric means, over the kernels and over the programs.
void add_all() {
  struct Comparison {
    const char* name;
    const Rival& rival;
    bool inverse;
  };
  static Mean means[4];
  std::size_t next = 0;
  for (const Comparison& c : {Comparison{"sluice/pocl", pocl(), false}, {"oclgrind/sluice", oclgrind(), true}}) {
    for (const char* kind : {"kernels", "programs"}) {
      Mean& mean = means[next++];
      const std::string prefix = std::string(c.name) + "/" + kind + "/";
      const bool single = std::strcmp(kind, "kernels") == 0;
      const auto finish = [](benchmark::internal::Benchmark* b, int iterations) {
        b->UseManualTime()->Unit(benchmark::kMillisecond)->Iterations(iterations);
      };
      for (const Workload& w : single ? sluice::bench::single_kernels() : sluice::bench::kernel_programs()) {
        auto* b = benchmark::RegisterBenchmark((prefix + w.name).c_str(),
                                               [&w, &rival = c.rival, inverse = c.inverse, &mean](benchmark::State& s) {
                                                 beside(s, w, rival, inverse, mean);
                                               });
        finish(b, smoke() ? 1 : 3);
      }
      finish(benchmark::RegisterBenchmark((prefix + "geometric_mean").c_str(),
                                          [&mean](benchmark::State& s) { geometric_mean(s, mean); }),
             1);
    }
  }
}

// Child: one workload on the only driver that the loader sees.
int run_workload(const std::string& name, std::size_t part, int repeats) {
  const sluice::bench::Queue q = sluice::bench::open_queue("");
  if (q.queue == nullptr) return 1;
  for (const auto* all : {&sluice::bench::single_kernels(), &sluice::bench::kernel_programs()}) {
    for (const Workload& w : *all) {
      if (w.name != name) continue;
      sluice::bench::Programs programs;
      std::vector<double> wall, processor;
      for (int i = 0; i <= repeats; ++i) {
        sluice::bench::Rig rig(q, SLUICE_BENCH_KERNELS, programs, part);
        w.run(rig);
        if (i == 0) continue;  // it compiles
        wall.push_back(rig.wall_s());
        processor.push_back(rig.processor_s());
      }
      sluice::bench::report("wall", median(wall));
      sluice::bench::report("cpu", median(processor));
      return 0;
    }
  }
  std::printf("unknown workload %s\n", name.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 4 && std::strcmp(argv[1], "--child") == 0)
    return run_workload(argv[2], std::strtoull(argv[3], nullptr, 10), std::atoi(argv[4]));
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  add_all();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

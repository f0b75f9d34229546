// `sluice diff` of two traces of a million commands: its time and its memory, in a process of its own.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/made_up_trace.h"

namespace {

namespace fs = std::filesystem;

// Writes, kernels' worth of fills and reads of changing sizes; in the second trace every thousandth takes 5 ns longer.
void write_trace(const fs::path& path, std::uint64_t commands, bool slower) {
  std::ofstream out(path, std::ios::binary);
  sluice::trace::Digest digest;
  const auto write = [&](const std::string& line) {
    digest.add(line);
    out << line;
  };
  write(sluice::diff::header("0123456789abcdef", "command", 2));
  static const char* const ops[] = {"write_buffer", "fill_buffer", "read_buffer"};
  for (std::uint64_t id = 1; id <= commands; ++id) {
    sluice::diff::MadeUp command;
    command.id = id;
    command.op = ops[id % 3];
    command.bytes = 4096 << id % 5;
    if (slower && id % 1000 == 0) command.link_ps += 5'000;
    write(command.line());
  }
  out << sluice::trace::end_line(commands, digest) << '\n';
}

void diff_million(benchmark::State& state) {
  const std::uint64_t commands = std::getenv("SLUICE_BENCH_SMOKE") != nullptr ? 10'000 : 1'000'000;
  const fs::path folder = fs::temp_directory_path() / ("sluice-bench-diff-" + std::to_string(::getpid()));
  fs::create_directories(folder);
  const std::string before = folder / "old.jsonl";
  const std::string after = folder / "new.jsonl";
  write_trace(before, commands, false);
  write_trace(after, commands, true);
  double peak_mb = 0;
  double cpu_s = 0;
  for (auto _ : state) {
    const pid_t child = ::fork();
    if (child == 0) {
      const int nowhere = ::open("/dev/null", O_WRONLY);
      ::dup2(nowhere, STDOUT_FILENO);
      ::execl(SLUICE_BENCH_COMMAND, "sluice", "diff", before.c_str(), after.c_str(), nullptr);
      ::_exit(127);
    }
    int status = 0;
    rusage usage{};
    if (child < 0 || ::wait4(child, &status, 0, &usage) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 1) {
      state.SkipWithError("sluice diff did not find the change");
      break;
    }
    peak_mb = static_cast<double>(usage.ru_maxrss) / 1e3;
    const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec); };
    cpu_s = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  }
  state.counters["peak_MB"] = peak_mb;
  state.counters["cpu_s"] = cpu_s;  // of all its threads: less disturbed by other work on the machine
  state.counters["trace_MB"] = static_cast<double>(fs::file_size(before)) / 1e6;
  fs::remove_all(folder);
}
BENCHMARK(diff_million)->Unit(benchmark::kSecond)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();

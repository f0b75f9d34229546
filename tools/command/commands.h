// The subcommands of `sluice`. Each returns the exit status; messages go to stderr, results to stdout.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/profile/profile.h"
#include "tools/command/child.h"

namespace sluice::tools {

inline constexpr int exit_ok = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_unusable = 2;     // bad usage, profile or trace
inline constexpr int exit_trace_error = 3;  // the program ended with 0, but its trace could not be written
inline constexpr int exit_misuse = 4;       // the program ended with 0, and --strict found misuses

struct RunOptions {
  ChildOptions child;
  std::string report;  // a file, "-" for stdout, "" for none
  std::vector<std::string> command;
};
[[nodiscard]] int run(RunOptions options);

[[nodiscard]] int report(const std::string& trace, bool json);

struct ConvertOptions {
  std::string trace;                 // JSON Lines
  std::vector<std::string> outputs;  // each in the format of its name
};
[[nodiscard]] int convert(const ConvertOptions& options);

struct RecordOptions {
  ChildOptions child;
  std::string output;
  std::vector<std::string> command;
};
[[nodiscard]] int record(RecordOptions options);

struct DiffOptions {
  std::string before;
  std::string after;
  std::vector<std::string> tolerances;        // as parse_tolerance() takes them
  std::vector<std::string> count_tolerances;
  std::size_t commands = 20;  // that are shown
  std::string junit;          // a file, too
  bool json = false;
  bool markdown = false;
  bool accept = false;
};
// 0: nothing changed, or it was accepted; 1: changed; 2: the traces cannot be compared.
[[nodiscard]] int diff(const DiffOptions& options);

struct CompareOptions {
  ChildOptions child;
  std::vector<std::string> profiles;  // empty: all shipped ones
  std::vector<std::string> command;
  std::size_t commands = 40;  // that are shown
  std::string csv;            // a file, too
  std::string html;           // a page, too
  bool json = false;
  bool markdown = false;
};
// 0, or 1 if the program failed under a profile; the others are compared all the same. 126 or 127 if it cannot be executed,
// 128 + n if signal n ended the comparison.
[[nodiscard]] int compare(const CompareOptions& options);

struct SweepOptions {
  std::string spec;    // a file
  std::string output;  // a folder
  std::size_t jobs = 0;  // at once; 0: one a processor, and as many as Slurm gives
  std::size_t retries = 0;  // of points that failed
  bool is_on_slurm = false;
  std::vector<std::string> slurm;  // options for sbatch
};
// 0, or 1 if a point failed; the others are told all the same.
[[nodiscard]] int sweep(const SweepOptions& options);
// Within a task of a Slurm job array: its share of the points.
[[nodiscard]] int sweep_task(const std::string& plan_file);

struct MapcopyOptions {
  std::vector<std::string> profiles;       // empty: all shipped ones
  std::vector<std::uint64_t> sizes_bytes;  // ascending
  std::uint32_t reads = 1;                 // how often the kernel reads each byte
  std::string html;                        // a page, too
  bool json = false;
};
[[nodiscard]] int mapcopy(const MapcopyOptions& options);
// The OpenCL program that mapcopy runs on each machine: prints "SIZE PAGEABLE PINNED MAP ZERO_COPY" a line, each the time
// in ns and the numbers of the first and the last command in it, or "-" for what was not asked for (tools/sweep/transfers.h).
[[nodiscard]] int mapcopy_workload(const std::vector<std::uint64_t>& sizes_bytes, std::uint32_t reads, bool zero_copy);

struct ValidateOptions {
  std::vector<std::string> files;  // measured rows
  std::string profile;
  std::string program;  // that measured them, where the files do not say
  std::string html;     // a page, too
  std::vector<std::string> again;  // the same measured once more
  bool json = false;
  bool markdown = false;
  bool every_row = false;
  bool full = false;    // with all repetitions of the measurement
  bool check = false;   // fail where a limit is missed
  std::string keep;     // a folder: what the measuring programs print stays there, and is taken from there
  bool published = false;  // the files are figures that others published; profile empty: of all shipped profiles
};
[[nodiscard]] int validate(const ValidateOptions& options);

[[nodiscard]] int profile_list(bool json);
[[nodiscard]] int profile_show(const std::string& name, bool json);
[[nodiscard]] int profile_check(const std::vector<std::string>& files);

// The profile; none, and each problem printed, if there is one.
[[nodiscard]] std::optional<profile::Profile> check_profile(const std::string& name_or_path);

// Digits, then nothing or K, M, G (KiB, MiB, GiB). 0 if it is no such size.
[[nodiscard]] std::uint64_t parse_size(const std::string& text);

}  // namespace sluice::tools

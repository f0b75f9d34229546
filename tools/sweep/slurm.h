// What goes to Slurm's commands and comes back from them, as text.
#pragma once

#include <cstddef>
#include <istream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tools/sweep/spec.h"

namespace sluice::sweep {

// The whole script of a job array. Nothing that anybody typed is part of it: what runs is its arguments.
inline constexpr const char* task_script = "#!/bin/sh\nexec \"$@\"\n";

// What the tasks of an array run: task t the points t, t + tasks, t + 2 tasks ...
struct Plan {
  json spec;
  std::vector<std::pair<std::size_t, std::string>> points;  // index, key
  std::size_t tasks = 0;
};
[[nodiscard]] std::string to_text(const Plan& plan);
[[nodiscard]] bool read_plan(std::istream& in, Plan& out);

// sbatch puts numbers in for what follows '%' in the name of an output file.
[[nodiscard]] std::string pattern_of(const std::string& path, const std::string& pattern);

// "123" or "123;cluster", as `sbatch --parsable` answers; empty if it is none.
[[nodiscard]] std::string parse_job(const std::string& text);
// State by task, of `squeue --array --format="%K %T"`.
[[nodiscard]] std::map<std::size_t, std::string> parse_tasks(const std::string& text);
// No task in that state will run again.
[[nodiscard]] bool is_over(const std::string& state);
// What an array may hold, of `scontrol show config`; 0 if it is not said.
[[nodiscard]] std::size_t parse_most_tasks(const std::string& text);

}  // namespace sluice::sweep

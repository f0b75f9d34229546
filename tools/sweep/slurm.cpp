#include "tools/sweep/slurm.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <sstream>
#include <string_view>

namespace sluice::sweep {

std::string to_text(const Plan& plan) {
  return json{{"spec", plan.spec}, {"tasks", plan.tasks}, {"points", plan.points}}.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

bool read_plan(std::istream& in, Plan& out) {
  const json plan = json::parse(in, nullptr, false);
  try {
    out.spec = plan.at("spec");
    out.tasks = plan.at("tasks").get<std::size_t>();
    out.points = plan.at("points").get<decltype(out.points)>();
  } catch (const json::exception&) {
    return false;
  }
  return out.tasks > 0;
}

std::string pattern_of(const std::string& path, const std::string& pattern) {
  std::string escaped;
  for (const char c : path) escaped += c == '%' ? "%%" : std::string(1, c);
  return escaped + pattern;
}

std::string parse_job(const std::string& text) {
  const std::string job = text.substr(0, text.find_first_of(";\n"));
  const bool is_number = !job.empty() && std::all_of(job.begin(), job.end(), [](char c) { return c >= '0' && c <= '9'; });
  return is_number ? job : "";
}

std::map<std::size_t, std::string> parse_tasks(const std::string& text) {
  std::map<std::size_t, std::string> tasks;
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::size_t index = 0;
    std::string state;
    if (words >> index >> state) tasks[index] = state;
  }
  return tasks;
}

bool is_over(const std::string& state) {
  // The others wait, run, or are put back into the queue (squeue's manual, JOB STATE CODES).
  constexpr std::array<std::string_view, 9> over = {"BOOT_FAIL", "CANCELLED",     "COMPLETED", "DEADLINE", "FAILED",
                                                    "NODE_FAIL", "OUT_OF_MEMORY", "REVOKED",   "TIMEOUT"};
  return std::find(over.begin(), over.end(), state) != over.end();
}

std::size_t parse_most_tasks(const std::string& text) {
  const std::size_t at = text.find("MaxArraySize");
  const std::size_t equals = text.find('=', at);
  if (at == std::string::npos || equals == std::string::npos) return 0;
  const std::size_t size = std::strtoull(text.c_str() + equals + 1, nullptr, 10);
  return size;  // indices are below it
}

}  // namespace sluice::sweep

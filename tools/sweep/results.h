// The points of a sweep: what came of each, kept line by line in a file so that a sweep that was ended goes on, and as CSV.
#pragma once

#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "sim/iface/trace_sink.h"
#include "tools/page/page.h"
#include "tools/sweep/spec.h"

namespace sluice::sweep {

inline constexpr std::array<const char*, 4> methods = {"pageable", "pinned", "map", "zero_copy"};
struct Method {
  std::uint64_t time_ns = 0;                // 0: not offered
  CommandId first = 0, last = 0;            // the commands in it
  std::array<TimePs, stage_count> stages{};  // of these
};
struct Transfer {
  std::uint64_t bytes = 0;
  std::array<Method, methods.size()> by_method;
};

struct Outcome {
  std::string status;  // "ok", "exit 3", "signal 9", "timeout", "no device" ...; empty: not run
  std::uint64_t commands = 0;
  TimePs elapsed_ps = 0;  // from the first call to the last result
  TimePs time_ps = 0;     // of all commands
  std::array<TimePs, stage_count> stages{};
  std::vector<Transfer> transfers;
  [[nodiscard]] bool is_ok() const { return status == "ok"; }
};

// What tells a point from all others, of this sweep and of one before it was changed.
[[nodiscard]] std::string key_of(const Spec& spec, const Point& point, const std::string& profile_hash, const std::string& program_stamp);

[[nodiscard]] std::string to_line(const std::string& key, const Outcome& outcome);
// The outcome of each key, the last one; lines that are cut off or not ours are passed over.
[[nodiscard]] std::map<std::string, Outcome> read_lines(std::istream& in);
// To append lines: what was cut off when a sweep was killed has its end then.
[[nodiscard]] std::ofstream open_lines(const std::filesystem::path& file);

// Where the time of commands went, a bar at a time, as many as can be looked at; for one chart.
class Bars {
 public:
  explicit Bars(std::string title) : stack_{std::move(title), "point", {}, {}} {}
  void add(std::string label, const std::array<TimePs, stage_count>& stages);
  void add_to(page::Page& page);

 private:
  page::Stack stack_;
  std::array<std::vector<double>, stage_count> stages_;
  bool is_cut_ = false;
};

// Curves, heat map and Pareto front of what is chosen on it, and where the time went.
[[nodiscard]] page::Page make_page(const Spec& spec, const std::vector<Outcome>& outcomes);

void write_csv(std::ostream& out, const Spec& spec, const std::vector<Outcome>& outcomes);

}  // namespace sluice::sweep

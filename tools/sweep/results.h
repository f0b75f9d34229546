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

struct Transfer {
  std::uint64_t bytes = 0;
  std::array<std::uint64_t, 4> times_ns{};  // pageable, pinned, map, zero-copy; 0: not offered
};
inline constexpr std::array<const char*, 4> methods = {"pageable", "pinned", "map", "zero_copy"};

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

// Curves, heat map and Pareto front of what is chosen on it, and where the time went.
[[nodiscard]] page::Page make_page(const Spec& spec, const std::vector<Outcome>& outcomes);

void write_csv(std::ostream& out, const Spec& spec, const std::vector<Outcome>& outcomes);

}  // namespace sluice::sweep

// One program's runs under several profiles, command beside command.
//
// A program may do more or fewer commands where the device answers otherwise, or move them in other sizes: runs are aligned
// one after the other with what was lined up before, by order and kind (tools/diff/align.h).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tools/diff/align.h"

namespace sluice::compare {

// What is compared of a command.
struct Command {
  TimePs time_ps = 0;
  std::uint64_t bytes = 0;
  std::size_t first_stage = 0;  // in Run::stage_times_ps
  std::uint32_t stages = 0;     // bits: those whose times are there
  std::uint32_t kind = 0;       // in Run::kinds
};
static_assert(stage_count <= 32);

struct Run {
  std::string profile;
  std::string hash;
  std::string error;  // why there is none; nothing below then
  std::vector<Command> commands;
  std::vector<diff::Shape> shapes;
  std::vector<TimePs> stage_times_ps;
  std::vector<std::string> kinds;  // as kind_name() has them
  TimePs time_ps = 0;              // of all commands
  std::array<TimePs, stage_count> stages{};
  TimePs elapsed_ps = 0;   // from the first call to the last result
  diff::PartTotals calls;  // of the API that a trace has besides commands
};
// What `trace` says, up to where there is an `error` in it.
[[nodiscard]] Run read_run(std::string profile, std::string hash, const std::string& trace);

// For each run the index of its command, or diff::none.
using Row = std::span<const std::size_t>;
class Rows {
 public:
  explicit Rows(std::size_t runs = 0) : runs_(runs) {}
  [[nodiscard]] std::size_t size() const noexcept { return runs_ == 0 ? 0 : at_.size() / runs_; }
  [[nodiscard]] Row operator[](std::size_t row) const { return Row(at_).subspan(row * runs_, runs_); }
  void reserve(std::size_t rows) { at_.reserve(rows * runs_); }
  // A row at the end: of another `like` it, or without any command.
  std::span<std::size_t> add(Row like) {
    at_.insert(at_.end(), like.begin(), like.end());
    at_.resize(at_.size() + runs_ - like.size(), diff::none);
    return std::span(at_).last(runs_);
  }

 private:
  std::size_t runs_;
  std::vector<std::size_t> at_;
};
[[nodiscard]] Rows line_up(const std::vector<Run>& runs);

// A row's commands looked at together.
struct Cell {
  bool is_there = false;
  TimePs time_ps = 0;
  std::uint64_t bytes = 0;
  std::array<TimePs, stage_count> stages{};
};
struct Line {
  std::string kind;
  std::vector<Cell> cells;  // one a run
  std::size_t winner = diff::none;  // of those that are there, if there are two; none where nobody is faster
  double factor = 1;                // by which the next best takes longer
};

struct Lineup {
  std::vector<Run> runs;
  Rows rows;
  std::vector<std::uint64_t> won;   // commands, one a run
  std::vector<TimePs> spreads_ps;   // one a row: by how much the slowest takes longer than the fastest
  std::uint64_t partial = 0;        // rows that a run without an error lacks
  std::size_t winner = diff::none;  // by elapsed time, of the runs without an error
  double factor = 1;
};
[[nodiscard]] Lineup make_lineup(std::vector<Run> runs);
[[nodiscard]] Line line_of(const Lineup& lineup, Row row);

}  // namespace sluice::compare

// One program's runs under several profiles, command beside command.
//
// A program may do more or fewer commands where the device answers otherwise, or move them in other sizes: runs are aligned
// one after the other with what was lined up before, by order and kind (tools/diff/align.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/diff/align.h"

namespace sluice::compare {

struct Run {
  std::string profile;
  std::string hash;
  std::string error;  // why there is none; nothing below then
  std::vector<diff::Packed> commands;
  std::vector<diff::Shape> shapes;
  std::vector<TimePs> times_ps;  // of each command
  TimePs time_ps = 0;            // of all
  std::array<TimePs, stage_count> stages{};
  TimePs elapsed_ps = 0;  // from the first call to the last result
  diff::PartTotals calls;  // of the API that a trace has besides commands
};
// Fills a run from its trace.
void read_run(const std::string& trace, Run& run);

// For each run the index of its command, or diff::none.
struct Row {
  std::vector<std::size_t> at;
};
[[nodiscard]] std::vector<Row> line_up(const std::vector<Run>& runs);

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
  std::vector<Row> rows;
  std::vector<std::uint64_t> won;   // commands, one a run
  std::vector<TimePs> spreads_ps;   // one a row: by how much the slowest takes longer than the fastest
  std::uint64_t partial = 0;        // rows that a run without an error lacks
  std::size_t winner = diff::none;  // by elapsed time, of the runs without an error
  double factor = 1;
};
[[nodiscard]] Lineup make_lineup(std::vector<Run> runs);
[[nodiscard]] Line line_of(const Lineup& lineup, const Row& row);

}  // namespace sluice::compare

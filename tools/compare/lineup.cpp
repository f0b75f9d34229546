#include "tools/compare/lineup.h"

#include <algorithm>
#include <utility>

namespace sluice::compare {

namespace {

// The smallest of the times, how much larger the next is, and how far apart they are.
struct Contest {
  std::size_t winner = diff::none;
  double factor = 1;
  TimePs spread_ps = 0;
};

class Judge {
 public:
  void add(std::size_t run, TimePs time_ps) {
    most_ = std::max(most_, time_ps);
    if (count_++ == 0 || time_ps < best_) {
      second_ = best_;
      best_ = time_ps;
      winner_ = run;
    } else if (count_ == 2 || time_ps < second_) {
      second_ = time_ps;
    }
  }
  [[nodiscard]] Contest contest() const {
    if (count_ < 2) return {};
    if (best_ == second_) return {diff::none, 1, most_ - best_};
    return {winner_, static_cast<double>(second_) / static_cast<double>(std::max<TimePs>(best_, 1)), most_ - best_};
  }

 private:
  std::size_t count_ = 0;
  std::size_t winner_ = diff::none;
  TimePs best_ = 0;
  TimePs second_ = 0;
  TimePs most_ = 0;
};

Contest contest_of(const Lineup& lineup, const Row& row) {
  Judge judge;
  for (std::size_t r = 0; r < row.at.size(); ++r) {
    if (row.at[r] != diff::none) judge.add(r, lineup.runs[r].times_ps[row.at[r]]);
  }
  return judge.contest();
}

}  // namespace

void read_run(const std::string& trace, Run& run) {
  diff::Source source(trace);
  while (const diff::Entry* entry = source.next()) {
    run.commands.emplace_back(*entry);
    run.times_ps.push_back(entry->time_ps());
    run.time_ps += entry->time_ps();
    for (std::size_t s = 0; s < stage_count; ++s) run.stages[s] += entry->figures[diff::first_stage + s];
    run.shapes.push_back(diff::shape_of(*entry));
    // Queues count from 1 in the order of their creation: those of the same number do the same work.
    run.shapes.back().kind ^= entry->queue;
    run.shapes.back().size ^= entry->queue;
  }
  run.error = source.error();
  run.elapsed_ps = source.elapsed_ps();
  if (!run.error.empty()) return;
  for (const auto& [key, total] : source.parts()) {
    if (std::get<2>(key) == trace::PartLine::Kind::call) run.calls.emplace(key, total);
  }
}

std::vector<Row> line_up(const std::vector<Run>& runs) {
  std::vector<Row> rows;
  std::vector<diff::Shape> shapes;  // of the first run that has the row
  for (std::size_t r = 0; r < runs.size(); ++r) {
    std::vector<Row> next_rows;
    std::vector<diff::Shape> next_shapes;
    for (const auto& [i, j] : diff::align(shapes, runs[r].shapes, true)) {
      next_rows.push_back(i == diff::none ? Row{std::vector<std::size_t>(runs.size(), diff::none)} : std::move(rows[i]));
      next_shapes.push_back(i == diff::none ? runs[r].shapes[j] : shapes[i]);
      if (j != diff::none) next_rows.back().at[r] = j;
    }
    rows = std::move(next_rows);
    shapes = std::move(next_shapes);
  }
  return rows;
}

Line line_of(const Lineup& lineup, const Row& row) {
  Line line;
  line.cells.resize(lineup.runs.size());
  for (std::size_t r = 0; r < lineup.runs.size(); ++r) {
    if (row.at[r] == diff::none) continue;
    const diff::Entry entry = lineup.runs[r].commands[row.at[r]].unpack();
    if (line.kind.empty()) line.kind = diff::kind_name(entry);
    Cell& cell = line.cells[r];
    cell.is_there = true;
    cell.time_ps = entry.time_ps();
    cell.bytes = entry.bytes;
    std::copy_n(entry.figures.begin() + diff::first_stage, stage_count, cell.stages.begin());
  }
  const Contest contest = contest_of(lineup, row);
  line.winner = contest.winner;
  line.factor = contest.factor;
  return line;
}

Lineup make_lineup(std::vector<Run> runs) {
  Lineup lineup;
  lineup.rows = line_up(runs);
  lineup.runs = std::move(runs);
  lineup.won.resize(lineup.runs.size());
  for (const Row& row : lineup.rows) {
    const Contest contest = contest_of(lineup, row);
    lineup.spreads_ps.push_back(contest.spread_ps);
    if (contest.winner != diff::none) ++lineup.won[contest.winner];
    bool partial = false;
    for (std::size_t r = 0; r < row.at.size(); ++r) partial |= row.at[r] == diff::none && lineup.runs[r].error.empty();
    lineup.partial += partial ? 1 : 0;
  }
  Judge judge;
  for (std::size_t r = 0; r < lineup.runs.size(); ++r) {
    if (lineup.runs[r].error.empty()) judge.add(r, lineup.runs[r].elapsed_ps);
  }
  lineup.winner = judge.contest().winner;
  lineup.factor = judge.contest().factor;
  return lineup;
}

}  // namespace sluice::compare

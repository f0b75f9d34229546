#include "tools/compare/lineup.h"

#include <algorithm>
#include <unordered_map>
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

Contest contest_of(const Lineup& lineup, Row row) {
  Judge judge;
  for (std::size_t r = 0; r < row.size(); ++r) {
    if (row[r] != diff::none) judge.add(r, lineup.runs[r].commands[row[r]].time_ps);
  }
  return judge.contest();
}

}  // namespace

Run read_run(std::string profile, std::string hash, const std::string& trace) {
  Run run;
  run.profile = std::move(profile);
  run.hash = std::move(hash);
  diff::Source source(trace, diff::Source::Reading::in_step);
  std::unordered_map<std::uint64_t, std::uint32_t> kinds;
  while (const diff::Entry* entry = source.next()) {
    diff::Shape shape = diff::shape_of(*entry);
    const auto [kind, is_new] = kinds.try_emplace(shape.kind, static_cast<std::uint32_t>(run.kinds.size()));
    if (is_new) run.kinds.push_back(diff::kind_name(*entry));
    Command command{entry->time_ps(), entry->bytes, run.stage_times_ps.size(), 0, kind->second};
    for (std::size_t s = 0; s < stage_count; ++s) {
      const TimePs time_ps = entry->figures[diff::first_stage + s];
      if (time_ps == 0) continue;
      command.stages |= 1U << s;
      run.stage_times_ps.push_back(time_ps);
      run.stages[s] += time_ps;
    }
    run.time_ps += command.time_ps;
    run.commands.push_back(command);
    // Queues count from 1 in the order of their creation: those of the same number do the same work.
    shape.kind ^= entry->queue;
    shape.size ^= entry->queue;
    run.shapes.push_back(shape);
  }
  run.error = source.error();
  run.elapsed_ps = source.elapsed_ps();
  for (const auto& [key, total] : source.parts()) {
    if (std::get<2>(key) == trace::PartLine::Kind::call) run.calls.emplace(key, total);
  }
  return run;
}

Rows line_up(const std::vector<Run>& runs) {
  Rows rows(runs.size());
  std::vector<diff::Shape> shapes;  // of the first run that has the row
  for (std::size_t r = 0; r < runs.size(); ++r) {
    const diff::Alignment alignment = diff::align(shapes, runs[r].shapes, true);
    Rows next_rows(runs.size());
    std::vector<diff::Shape> next_shapes;
    next_rows.reserve(alignment.size());
    next_shapes.reserve(alignment.size());
    for (const auto& [i, j] : alignment) {
      next_rows.add(i == diff::none ? Row() : rows[i])[r] = j;
      next_shapes.push_back(i == diff::none ? runs[r].shapes[j] : shapes[i]);
    }
    rows = std::move(next_rows);
    shapes = std::move(next_shapes);
  }
  return rows;
}

Line line_of(const Lineup& lineup, Row row) {
  Line line;
  line.cells.resize(lineup.runs.size());
  for (std::size_t r = 0; r < lineup.runs.size(); ++r) {
    if (row[r] == diff::none) continue;
    const Run& run = lineup.runs[r];
    const Command& command = run.commands[row[r]];
    if (line.kind.empty()) line.kind = run.kinds[command.kind];
    Cell& cell = line.cells[r];
    cell.is_there = true;
    cell.time_ps = command.time_ps;
    cell.bytes = command.bytes;
    std::size_t at = command.first_stage;
    for (std::size_t s = 0; s < stage_count; ++s) {
      if ((command.stages >> s & 1) != 0) cell.stages[s] = run.stage_times_ps[at++];
    }
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
  for (std::size_t i = 0; i < lineup.rows.size(); ++i) {
    const Row row = lineup.rows[i];
    const Contest contest = contest_of(lineup, row);
    lineup.spreads_ps.push_back(contest.spread_ps);
    if (contest.winner != diff::none) ++lineup.won[contest.winner];
    bool partial = false;
    for (std::size_t r = 0; r < row.size(); ++r) partial |= row[r] == diff::none && lineup.runs[r].error.empty();
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

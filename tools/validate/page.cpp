// The validation's page: points are measured, lines are simulated, one colour a variant.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "tools/validate/report.h"

namespace sluice::validate {

namespace {

// The point's parameters but its size: what one curve keeps.
std::string variant(const Pair& p) {
  std::string text = p.key.substr(p.op.size());
  const std::size_t at = text.find(" bytes=");
  if (at != std::string::npos) text.erase(at, std::min(text.find(' ', at + 1), text.size()) - at);
  return text.empty() ? p.op : text.substr(1);
}

using Curves = std::map<std::string, std::vector<const Pair*>>;

page::Lines chart(const std::string& title, Curves& curves) {
  page::Lines lines{.title = title, .x_label = "size", .y_label = "time", .x_unit = page::Unit::bytes, .series = {}};
  int colour = 0;
  for (auto& [name, points] : curves) {
    std::stable_sort(points.begin(), points.end(), [](const Pair* a, const Pair* b) { return a->bytes < b->bytes; });
    page::Series measured{name + ", measured", {}, page::Mark::points, colour};
    page::Series simulated{name + ", simulated", {}, page::Mark::line, colour};
    for (const Pair* p : points) {
      measured.points.emplace_back(p->bytes, p->measured_ns / 1e3);
      simulated.points.emplace_back(p->bytes, p->simulated_ns / 1e3);
    }
    lines.series.push_back(std::move(measured));
    lines.series.push_back(std::move(simulated));
    ++colour;
  }
  return lines;
}

text::Grid group_grid(const std::vector<Group>& groups, bool detailed) {
  text::Grid grid{detailed ? "Errors by operation and size" : "Errors", detailed ? 5U : 3U, {"data", "subject", "time"}, {}};
  if (detailed) grid.head.insert(grid.head.end(), {"operation", "size"});
  grid.head.insert(grid.head.end(), {"n", "median", "90th percentile", "worst", "bias"});
  if (!detailed) grid.head.emplace_back("limits");
  for (const Group& g : groups) {
    std::vector<std::string> row = {g.fitted ? "fit" : "validation", g.subject, kind_name(g.kind)};
    if (detailed) row.insert(row.end(), {g.op, g.size_class});
    row.insert(row.end(), {std::to_string(g.errors.count), percent(g.errors.median), percent(g.errors.p90), percent(g.errors.worst),
                           fmt::format("{:+.1f} %", 100 * g.errors.bias)});
    if (!detailed) row.push_back(g.median_limit == 0 ? "-" : limit_text(g) + (g.is_met() ? " ok" : " missed"));
    grid.rows.push_back(std::move(row));
  }
  return grid;
}

text::Grid every_point(const Result& result) {
  text::Grid grid{"Every point", 3, {"file", "point", "quantity", "measured us", "simulated us", "error"}, {}};
  for (const Pair& p : result.pairs) {
    grid.rows.push_back({fmt::format("{}:{}", p.file, p.line), p.key, p.quantity, fmt::format("{:.6g}", p.measured_ns / 1e3),
                         fmt::format("{:.6g}", p.simulated_ns / 1e3), fmt::format("{:+.1f} %", 100 * p.error())});
  }
  return grid;
}

}  // namespace

page::Page make_page(const Result& result) {
  page::Page page(result.profile + " against silicon",
                  {fmt::format("Grade: {}; profile hash {}. Points are measured, lines are simulated. Rows of fit data fitted the profile's "
                               "constants and prove nothing; rows of validation data fitted none.",
                               result.grade, result.profile_hash)});
  for (const std::string& command : result.commands) page.paragraph(command);
  page.add(group_grid(summary(result), false), false);
  std::map<std::string, Curves> charts;
  for (const Pair& p : result.pairs) {
    if (p.bytes > 0) charts[fmt::format("{}, {} ({})", p.op, p.quantity, p.fitted ? "fit" : "validation")][variant(p)].push_back(&p);
  }
  page.heading("Time over size");
  page.side_by_side(true);
  for (auto& [title, curves] : charts) {
    std::set<double> sizes;
    for (const auto& [name, points] : curves) {
      for (const Pair* p : points) sizes.insert(p->bytes);
    }
    if (sizes.size() >= 3) page.add(chart(title, curves));
  }
  page.side_by_side(false);
  page.heading("Tables");
  page.add(group_grid(by_operation(result), true), false);
  page.add(every_point(result), true);
  text::Grid skipped{"Skipped", 2, {"file", "reason", "count"}, {}};
  for (const auto& [what, count] : count_skipped(result)) skipped.rows.push_back({what.first, what.second, std::to_string(count)});
  page.add(skipped, false);
  return page;
}

}  // namespace sluice::validate

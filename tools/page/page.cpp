#include "tools/page/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>

#include "sim/iface/trace_sink.h"
#include "tools/page/assets.h"
#include "tools/text/escape.h"
#include "traces/table.h"

namespace sluice::page {

namespace {

using json = nlohmann::ordered_json;
using text::escape_markup;

// A stage's place here is its colour, whatever others a chart has. Those that most of the time goes to come first, in full
// colours; what often stands beside another in a bar is of another hue.
constexpr std::array stage_colours = {
    Stage::link,       Stage::wakeup, Stage::host_copy, Stage::staging,
    Stage::queue_wait, Stage::device_memory, Stage::compute, Stage::host_validate,
    // lighter
    Stage::doorbell,   Stage::host_pack, Stage::fetch, Stage::host_copy_out,
    Stage::contention, Stage::fence, Stage::setup, Stage::dependency_wait,
    // lightest
    Stage::coherence,  Stage::snoop, Stage::iommu, Stage::detile,
    Stage::page_fault, Stage::migration,
};
static_assert(stage_colours.size() == stage_count && stage_count <= hues * shades);

// Within <script>: whatever a name is, it cannot end the element or begin a comment.
std::string script_json(const json& value) {
  const std::string plain = value.dump(-1, ' ', false, json::error_handler_t::replace);
  std::string safe;
  for (const char c : plain) {
    if (c == '<' || c == '>' || c == '&') {
      safe += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      safe += c;
    }
  }
  return safe;
}

const char* unit_name(Unit unit) {
  switch (unit) {
    case Unit::bytes: return "bytes";
    case Unit::microseconds: return "us";
    case Unit::none: break;
  }
  return "";
}

std::string number_text(double value, Unit unit) {
  if (unit == Unit::bytes) return trace::format_bytes(static_cast<std::uint64_t>(value));
  return fmt::format("{:.6g}", value);
}

std::string table_html(const text::Grid& grid) {
  std::string html = "<div class=\"scroll\"><table><thead><tr>";
  for (std::size_t i = 0; i < grid.head.size(); ++i) html += (i < grid.left ? "<th scope=\"col\">" : "<th class=\"n\" scope=\"col\">") + escape_markup(grid.head[i]);
  html += "</thead><tbody>\n";
  for (const auto& row : grid.rows) {
    html += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) html += (i < grid.left ? "<td>" : "<td class=\"n\">") + escape_markup(row[i]);
    html += "\n";
  }
  return html + "</tbody></table></div>\n";
}

}  // namespace

Page::Page(std::string title, std::vector<std::string> introduction) : title_(std::move(title)) {
  for (const std::string& line : introduction) paragraph(line);
}

void Page::paragraph(const std::string& text) { body_ += "<p>" + escape_markup(text) + "</p>\n"; }

void Page::heading(const std::string& text) { body_ += "<h2>" + escape_markup(text) + "</h2>\n"; }

void Page::side_by_side(bool begin) { body_ += begin ? "<div class=\"columns\">\n" : "</div>\n"; }

void Page::chart(const std::string& title, const std::string& data, bool is_picture) {
  const std::string id = fmt::format("chart{}", charts_++);
  // What has controls and a table in it is no picture; the script makes its plots pictures.
  const std::string role = is_picture ? fmt::format(" role=\"img\" aria-label=\"{}; the numbers are in the table below\"", escape_markup(title)) : "";
  body_ += fmt::format("<section><h3>{0}</h3><div class=\"chart\" id=\"{1}\"{3}></div><script type=\"application/json\" "
                       "data-chart=\"{1}\">{2}</script>\n",
                       escape_markup(title), id, data, role);
}

void Page::add(const Lines& lines) {
  json data = {{"kind", "lines"},          {"x", lines.x_label},     {"y", lines.y_label},
               {"xUnit", unit_name(lines.x_unit)}, {"yUnit", unit_name(lines.y_unit)}, {"xLog", lines.x_log}, {"yLog", lines.y_log},
               {"series", json::array()}};
  text::Grid grid{"", 1, {lines.x_label}, {}};
  std::map<double, std::vector<std::string>> rows;
  for (std::size_t s = 0; s < lines.series.size(); ++s) {
    const Series& series = lines.series[s];
    json one = {{"name", series.name}, {"points", series.points}};
    if (series.mark == Mark::points) one["loose"] = true;
    if (series.mark == Mark::line) one["bare"] = true;
    if (series.colour >= 0) one["colour"] = series.colour;
    data["series"].push_back(std::move(one));
    grid.head.push_back(series.name);
    for (const auto& [x, y] : series.points) {
      auto& row = rows[x];
      row.resize(lines.series.size(), "-");
      row[s] = (row[s] == "-" ? "" : row[s] + ", ") + number_text(y, lines.y_unit);
    }
  }
  for (auto& [x, row] : rows) {
    row.insert(row.begin(), number_text(x, lines.x_unit));
    grid.rows.push_back(row);
  }
  chart(lines.title, script_json(data), true);
  add(grid, true);
  body_ += "</section>\n";
}

// What is no stage comes behind them, in the order in which the page has it.
std::size_t Page::colour_of(const std::string& part) {
  const auto is_part = [&](Stage stage) { return to_string(stage) == part; };
  const auto stage = std::find_if(stage_colours.begin(), stage_colours.end(), is_part);
  if (stage != stage_colours.end()) return static_cast<std::size_t>(stage - stage_colours.begin());
  const auto unknown = std::find(unknown_parts_.begin(), unknown_parts_.end(), part);
  const auto place = static_cast<std::size_t>(unknown - unknown_parts_.begin());
  if (unknown == unknown_parts_.end()) unknown_parts_.push_back(part);
  return stage_colours.size() + place;
}

void Page::add(const Stack& stack) {
  json data = {{"kind", "stack"}, {"labels", stack.labels}, {"parts", json::array()}};
  text::Grid grid{"", 1, {stack.label}, {}};
  grid.rows.resize(stack.labels.size());
  for (std::size_t i = 0; i < stack.labels.size(); ++i) grid.rows[i].push_back(stack.labels[i]);
  for (const auto& [name, values] : stack.parts) {
    data["parts"].push_back({{"name", name}, {"colour", colour_of(name)}, {"values", values}});
    grid.head.push_back(name + " us");
    for (std::size_t i = 0; i < values.size(); ++i) grid.rows[i].push_back(number_text(values[i], Unit::microseconds));
  }
  chart(stack.title, script_json(data), true);
  add(grid, true);
  body_ += "</section>\n";
}

void Page::add(const Explorer& explorer) {
  json points = json::array();
  for (const Explorer::Point& point : explorer.points) points.push_back({point.at, point.metrics});
  const json data = {{"kind", "explorer"}, {"parameters", explorer.parameters}, {"values", explorer.values}, {"metrics", explorer.metrics}, {"points", points}};
  chart(explorer.title, script_json(data), false);
  body_ += "</section>\n";
}

void Page::add(const text::Grid& grid, bool folded) {
  if (grid.rows.empty()) return;
  const std::string name = grid.title.empty() ? "Table" : grid.title;
  if (folded) {
    const bool is_long = grid.rows.size() > most_printed_rows;
    body_ += fmt::format("<details{}><summary>{} ({} row{}{})</summary>{}</details>\n", is_long ? " class=\"long\"" : "", escape_markup(name),
                         grid.rows.size(), grid.rows.size() == 1 ? "" : "s", is_long ? "<span class=\"paper\">, too many for paper</span>" : "", table_html(grid));
  } else {
    body_ += "<h3>" + escape_markup(name) + "</h3>\n" + table_html(grid);
  }
}

void Page::write(std::ostream& out) const {
  // Nothing may be loaded, whatever a name managed to be.
  out << "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\n"
      << "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'\">\n"
      << "<title>" << escape_markup(title_) << "</title>\n<style>" << assets::style << "</style></head>\n<body><h1>" << escape_markup(title_)
      << "</h1>\n" << body_;
  if (charts_ > 0) out << "<script>" << assets::chart_library << "</script>\n";
  out << "<script>" << assets::page_script << "</script>\n";
  out << "</body></html>\n";
}

}  // namespace sluice::page

#include "tools/text/grid.h"

#include <algorithm>

#include "tools/text/escape.h"
#include "traces/table.h"

namespace sluice::text {

void write_text(std::ostream& out, const Grid& grid, bool colour) {
  if (grid.rows.empty()) return;
  trace::Table table(grid.title, grid.left, grid.head);
  for (const auto& row : grid.rows) table.row(row);
  out << table.text(colour) << '\n';
}

void write_markdown(std::ostream& out, const Grid& grid) {
  if (grid.rows.empty()) return;
  const auto line = [&](const std::vector<std::string>& cells) {
    for (const std::string& cell : cells) out << "| " << escape_markdown(cell) << ' ';
    out << "|\n";
  };
  out << "\n#### " << escape_markdown(grid.title) << "\n\n";
  line(grid.head);
  for (std::size_t i = 0; i < grid.head.size(); ++i) out << (i < grid.left ? "| --- " : "| ---: ");
  out << "|\n";
  for (const auto& row : grid.rows) line(row);
}

std::string csv_cell(const std::string& text) {
  std::string safe = text;
  if (!safe.empty() && std::string("=+-@\t\r").find(safe.front()) != std::string::npos) safe.insert(0, "'");
  if (safe.find_first_of(",\"\r\n") == std::string::npos) return safe;
  std::string quoted = "\"";
  for (const char c : safe) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + '"';
}

std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return text.size() > 200 ? text.substr(0, 200) + "..." : text;
}

}  // namespace sluice::text

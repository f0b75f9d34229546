// A table for any format: text for a terminal, Markdown.
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace sluice::text {

struct Grid {
  std::string title;
  unsigned left = 1;  // the first columns are names
  std::vector<std::string> head;
  std::vector<std::vector<std::string>> rows;
};

// Nothing is written of a table without rows.
void write_text(std::ostream& out, const Grid& grid, bool colour);
void write_markdown(std::ostream& out, const Grid& grid);
// One cell of a CSV file (RFC 4180); what a spreadsheet would take for a formula is kept from being one.
[[nodiscard]] std::string csv_cell(const std::string& text);

// Control characters and what is long are kept from terminals and tables.
[[nodiscard]] std::string printable(std::string text);

}  // namespace sluice::text

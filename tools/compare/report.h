// The line-up as text, Markdown, JSON and CSV. Text and Markdown show the commands with the largest spread and say how many
// they left out; JSON and CSV have all.
#pragma once

#include <ostream>
#include <string>

#include "tools/compare/lineup.h"
#include "tools/page/page.h"

namespace sluice::compare {

[[nodiscard]] std::string verdict(const Lineup& lineup);  // who wins, and by how much

void write_text(std::ostream& out, const Lineup& lineup, std::size_t most_commands, bool colour);
void write_markdown(std::ostream& out, const Lineup& lineup, std::size_t most_commands);
void write_json(std::ostream& out, const Lineup& lineup);
void write_csv(std::ostream& out, const Lineup& lineup);
// Where the time went, bar by bar, and the commands with the largest spread.
[[nodiscard]] page::Page make_page(const Lineup& lineup, std::size_t most_commands);

}  // namespace sluice::compare

// The comparison as text, Markdown, JSON, and JUnit's XML.
#pragma once

#include <ostream>
#include <string>

#include "tools/diff/compare.h"

namespace sluice::diff {

// One sentence: what changed, or that nothing did.
[[nodiscard]] std::string verdict(const Result& result);

void write_text(std::ostream& out, const Result& result, bool colour);
void write_markdown(std::ostream& out, const Result& result);
void write_json(std::ostream& out, const Result& result);
// A test case for the profile, for each class of commands, for the elapsed time, and for the parts. `is_accepted`: NEW is the
// reference now; what changed is told, and no failure.
void write_junit(std::ostream& out, const Result& result, bool is_accepted);

}  // namespace sluice::diff

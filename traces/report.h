// The terminal report of a trace: where the time went.
#pragma once

#include <istream>
#include <string>

namespace sluice::trace {

struct Report {
  std::string text;   // tables, also where `error` is set: of what was read before
  std::string error;  // "line N: ..."; empty if the trace is sound
};

// Tables of totals (by operation, size class, memory kinds and direction), of stages, and of the ten dearest commands.
// `colour`: headings in bold, with the escape sequences of a terminal.
[[nodiscard]] Report report(std::istream& trace, bool colour);
// The same as JSON, schema sluice-report-1: times in picoseconds, sizes in bytes.
[[nodiscard]] Report report_json(std::istream& trace);

}  // namespace sluice::trace

// The validation as text, as Markdown, as JSON, and as a page with the curves of measured and simulated times over size, the
// error tables, and what was skipped.
#pragma once

#include <map>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "tools/page/page.h"
#include "tools/validate/compare.h"
#include "tools/validate/fitted.h"

namespace sluice::validate {

struct Result {
  std::string profile;
  std::string profile_hash;
  std::string grade;
  std::string description;
  std::vector<FittedFile> fitted;
  std::map<std::string, std::vector<std::string>> misses;  // "transfer_device": what a missed limit is due to
  std::vector<std::string> commands;  // that made the simulated rows
  std::vector<Pair> pairs;
  std::vector<Pair> again;  // rows measured twice: the second time in place of the simulated one
  std::vector<std::pair<std::string, Skipped>> skipped;  // file
};

// A line of the tables: a group of pairs, its errors and the limits that hold for it (0: none).
struct Group {
  bool fitted = false;
  bool again = false;      // of what was measured twice; nothing is simulated
  Kind kind = Kind::device;
  std::string subject;
  std::string op;          // empty: all
  std::string size_class;  // empty: all
  Statistics errors;
  double median_limit = 0;
  double p90_limit = 0;
  [[nodiscard]] bool is_met() const {
    return (median_limit == 0 || errors.median <= median_limit) && (p90_limit == 0 || errors.p90 <= p90_limit);
  }
};

[[nodiscard]] std::vector<Group> summary(const Result& result);       // by fit, kind of time and subject; twice measured last
[[nodiscard]] std::vector<Group> by_operation(const Result& result);  // those, by operation and size class
// How many were skipped, by file and reason.
using SkippedCounts = std::map<std::pair<std::string, std::string>, std::size_t>;
[[nodiscard]] SkippedCounts count_skipped(const Result& result);
[[nodiscard]] const char* kind_name(Kind kind);
[[nodiscard]] std::string percent(double share);
[[nodiscard]] std::string limit_text(const Group& group);

void write_text(std::ostream& out, const Result& result, bool every_row);
void write_markdown(std::ostream& out, const Result& result);
void write_json(std::ostream& out, const Result& result);
[[nodiscard]] page::Page make_page(const Result& result);

}  // namespace sluice::validate

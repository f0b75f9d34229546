// A self-contained HTML page with charts: one file, the chart library in it, nothing fetched when it is viewed. Each chart has
// its numbers in a table below, for screen readers, printers and whoever wants them.
#pragma once

#include <cstddef>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "tools/text/grid.h"

namespace sluice::page {

enum class Unit { none, bytes, microseconds };

enum class Mark { line_and_points, line, points };

struct Series {
  std::string name;
  std::vector<std::pair<double, double>> points;
  Mark mark = Mark::line_and_points;
  int colour = -1;  // -1: one of its own; series that belong together share one
};

// Lines over a logarithmic size or value.
struct Lines {
  std::string title;
  std::string x_label;
  std::string y_label;
  Unit x_unit = Unit::none;
  Unit y_unit = Unit::microseconds;
  bool x_log = true;
  bool y_log = true;
  std::vector<Series> series;
};

// Where the time went: a bar a label, cut into stages, each of one colour in all charts.
struct Stack {
  std::string title;
  std::string label;               // what the bars are
  std::vector<std::string> labels;
  std::vector<std::pair<std::string, std::vector<double>>> parts;  // name, microseconds by bar
};

// Points of a sweep: what is looked at is chosen on the page (lines, heat map of two parameters, Pareto front).
struct Explorer {
  std::string title;
  std::vector<std::string> parameters;
  std::vector<std::vector<std::string>> values;  // of each parameter, in order; numbers as JSON writes them
  std::vector<std::string> metrics;              // "elapsed us", "4 KiB map us"
  struct Point {
    std::vector<std::size_t> at;  // index of each parameter's value
    std::vector<double> metrics;  // negative: none
  };
  std::vector<Point> points;
};

inline constexpr std::size_t most_printed_rows = 500;

// The colours of the page's style; from there on lighter ones of the same hues.
inline constexpr std::size_t hues = 8;
inline constexpr std::size_t shades = 3;

class Page {
 public:
  Page(std::string title, std::vector<std::string> introduction);
  void heading(const std::string& text);
  void paragraph(const std::string& text);
  void add(const Lines& lines);
  void add(const Stack& stack);
  void add(const Explorer& explorer);
  // Folded: closed on a screen, and open on paper unless it has more than `most_printed_rows`.
  void add(const text::Grid& grid, bool folded);
  // Charts from here on stand side by side where there is room, or below each other again.
  void side_by_side(bool begin);
  void write(std::ostream& out) const;

 private:
  void chart(const std::string& title, const std::string& json, bool is_picture);
  [[nodiscard]] std::size_t colour_of(const std::string& part);

  std::string title_;
  std::string body_;
  std::size_t charts_ = 0;
  std::vector<std::string> unknown_parts_;  // of stacks, in the order in which they came
};

}  // namespace sluice::page

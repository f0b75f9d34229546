#include "traces/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace sluice::trace {

Table::Table(std::string title, unsigned left, std::vector<std::string> head) : title_(std::move(title)), left_(left) {
  rows_.push_back(std::move(head));
}

void Table::row(std::vector<std::string> cells) {
  cells.resize(rows_.front().size());
  rows_.push_back(std::move(cells));
}

std::string Table::text(bool colour) const {
  std::vector<std::size_t> widths(rows_.front().size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out = colour ? "\033[1m" + title_ + "\033[0m\n" : title_ + "\n";
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    std::string line;
    for (std::size_t i = 0; i < widths.size(); ++i) {
      line += i == 0 ? "  " : "   ";
      line += i < left_ ? fmt::format("{:<{}}", rows_[r][i], widths[i]) : fmt::format("{:>{}}", rows_[r][i], widths[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
    if (r > 0) continue;
    std::string rule;
    for (std::size_t i = 0; i < widths.size(); ++i) rule += (i == 0 ? "  " : "   ") + std::string(widths[i], '-');
    out += rule + "\n";
  }
  return out;
}

std::string format_us(TimePs t) {
  const TimePs ns = t / ps_per_ns + (t % ps_per_ns >= ps_per_ns / 2 ? 1 : 0);
  return fmt::format("{}.{:03}", ns / 1000, ns % 1000);
}

std::string format_bytes(std::uint64_t bytes) {
  static constexpr std::array units = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  std::size_t unit = 0;
  std::uint64_t whole = bytes;
  std::uint64_t rest = 0;
  for (; whole >= 1024; whole /= 1024, ++unit) rest = whole % 1024;
  const std::uint64_t tenth = rest * 10 / 1024;
  return tenth == 0 ? fmt::format("{} {}", whole, units[unit]) : fmt::format("{}.{} {}", whole, tenth, units[unit]);
}

std::string format_percent(TimePs part, TimePs whole) {
  return fmt::format("{:.1f} %", whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

}  // namespace sluice::trace

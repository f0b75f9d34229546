// Text tables: columns as wide as their widest cell, the first `left` columns to the left, the others to the right.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/iface/time.h"

namespace sluice::trace {

class Table {
 public:
  Table(std::string title, unsigned left, std::vector<std::string> head);
  void row(std::vector<std::string> cells);  // as many as the head has
  [[nodiscard]] bool is_empty() const noexcept { return rows_.size() == 1; }
  [[nodiscard]] std::string text(bool colour) const;

 private:
  std::string title_;
  unsigned left_;
  std::vector<std::vector<std::string>> rows_;
};

[[nodiscard]] std::string format_us(TimePs t);                        // "12.345" microseconds, rounded
[[nodiscard]] std::string format_bytes(std::uint64_t bytes);          // "4 KiB", "1.5 MiB", "17 B"
[[nodiscard]] std::string format_percent(TimePs part, TimePs whole);  // "12.3 %"

}  // namespace sluice::trace

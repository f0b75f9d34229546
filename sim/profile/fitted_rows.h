// Which rows of a file of measurements fitted constants of a profile: "FILE", or "FILE: op=write bytes=4096..65536 mem=pinned|svm".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::profile {

struct FittedRows {
  struct Value {
    std::string text;  // as the row has it ...
    double low = 0;    // ... or a number from `low` to `high`
    double high = 0;
    bool is_number = false;
  };
  struct Term {
    std::string field;
    std::vector<Value> values;  // any of them
  };
  std::string text;         // as the profile says it
  std::string file;         // without a folder
  std::vector<Term> terms;  // all of them; none: every row

  // `fields` are the row's names and values; words without quotes.
  using Fields = std::vector<std::pair<std::string, std::string>>;
  [[nodiscard]] bool select(const Fields& fields) const;
};

// Nothing if `text` is no such selection.
[[nodiscard]] std::optional<FittedRows> parse_fitted_rows(std::string_view text);

}  // namespace sluice::profile

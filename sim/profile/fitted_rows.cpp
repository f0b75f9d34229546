#include "sim/profile/fitted_rows.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace sluice::profile {

namespace {

// Not strtod: the program that loaded the driver may have set a locale with a decimal comma.
std::optional<double> number(std::string_view text) {
  double v = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), v);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size() || !std::isfinite(v)) return std::nullopt;
  return v;
}

std::string_view until(std::string_view& rest, char end) {
  const std::string_view piece = rest.substr(0, rest.find(end));
  rest.remove_prefix(std::min(rest.size(), piece.size() + 1));
  return piece;
}

std::optional<FittedRows::Value> value_of(std::string_view text) {
  if (text.empty()) return std::nullopt;
  FittedRows::Value value;
  value.text = text;
  const std::size_t dots = text.find("..");
  const auto low = number(text.substr(0, dots));
  const auto high = dots == std::string_view::npos ? low : number(text.substr(dots + 2));
  if (dots != std::string_view::npos && (!low || !high || *low > *high)) return std::nullopt;
  if (low && high) {
    value.is_number = true;
    value.low = *low;
    value.high = *high;
  }
  return value;
}

}  // namespace

std::optional<FittedRows> parse_fitted_rows(std::string_view text) {
  FittedRows rows;
  rows.text = text;
  std::string_view rest = text;
  const bool terms = rest.find(':') != std::string_view::npos;
  rows.file = until(rest, ':');
  if (rows.file.empty() || rows.file.find_first_of(" /\\") != std::string::npos) return std::nullopt;
  while (!rest.empty()) {
    std::string_view piece = until(rest, ' ');
    if (piece.empty()) continue;
    FittedRows::Term term;
    if (piece.find('=') == std::string_view::npos) return std::nullopt;
    term.field = until(piece, '=');
    if (term.field.empty() || piece.empty() || piece.back() == '|') return std::nullopt;
    while (!piece.empty()) {
      auto value = value_of(until(piece, '|'));
      if (!value) return std::nullopt;
      term.values.push_back(std::move(*value));
    }
    rows.terms.push_back(std::move(term));
  }
  if (terms && rows.terms.empty()) return std::nullopt;
  return rows;
}

bool FittedRows::select(const Fields& fields) const {
  return std::all_of(terms.begin(), terms.end(), [&](const Term& term) {
    const auto field = std::find_if(fields.begin(), fields.end(), [&](const auto& f) { return f.first == term.field; });
    if (field == fields.end()) return false;
    const auto size = number(field->second);
    return std::any_of(term.values.begin(), term.values.end(), [&](const Value& v) {
      return v.is_number ? size && *size >= v.low && *size <= v.high : field->second == v.text;
    });
  });
}

}  // namespace sluice::profile

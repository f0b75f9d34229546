#include "api/compiler/shape.h"

#include <algorithm>

namespace sluice::compiler {

namespace {

bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

}  // namespace

void Shape::punctuator(char c) noexcept {
  ++tokens_;
  if (c == '[' || c == '(' || c == '{') {
    if (depth_ < deepest) open_[depth_] = c;
    plain_ = plain_ && ++depth_ <= deepest;
  } else if (depth_ > 0 && (c == ']' || c == ')' || c == '}')) {
    --depth_;
  }
  if (c == '[' || c == '*') run_ = last_ == (c == '[' ? ']' : '*') ? run_ + 1 : 0;
  last_ = c;
  plain_ = plain_ && run_ <= longest_run;
}

// In brackets it is a designator of as many elements as it says.
void Shape::ellipsis() noexcept {
  word();
  if (depth_ > 0 && depth_ <= deepest && open_[depth_ - 1] == '[') plain_ = false;
}

void scan(std::string_view text, Shape& shape) {
  for (std::size_t at = 0; at < text.size() && shape.plain();) {
    const std::string_view rest = text.substr(at);
    const char c = rest.front();
    std::size_t n = 1;
    if (is_space(c)) {
    } else if (rest.starts_with("//")) {
      n = std::min(rest.find('\n'), rest.size());
    } else if (rest.starts_with("/*")) {
      const std::size_t end = rest.find("*/", 2);
      n = end == std::string_view::npos ? rest.size() : end + 2;
    } else if (c == '"' || c == '\'') {
      while (n < rest.size() && rest[n] != c && rest[n] != '\n') n += rest[n] == '\\' ? 2 : 1;
      n = std::min(n + 1, rest.size());
      shape.word();
    } else if (rest.starts_with("...")) {
      n = 3;
      shape.ellipsis();
    } else if (is_word(c)) {
      while (n < rest.size() && is_word(rest[n])) ++n;
      shape.word();
    } else {
      shape.punctuator(c);
    }
    at += n;
  }
}

}  // namespace sluice::compiler

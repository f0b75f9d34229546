#include "tools/text/escape.h"

#include <string_view>

namespace sluice::text {

namespace {

// What would begin markup.
const char* entity_of(char c) {
  switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    default: return nullptr;
  }
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20; }

// `marks`: what Markdown reads as its own.
std::string escape_with_backslash(const std::string& text, std::string_view marks) {
  std::string safe;
  for (const char c : text) {
    if (const char* const entity = entity_of(c)) {
      safe += entity;
    } else if (marks.find(c) != std::string_view::npos) {
      safe += {'\\', c};
    } else {
      safe += is_control(c) ? ' ' : c;
    }
  }
  return safe;
}

}  // namespace

std::string escape_markup(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    if (const char* const entity = entity_of(c)) {
      safe += entity;
    } else if (c == '"') {
      safe += "&quot;";
    } else if (c == '\'') {
      safe += "&#39;";
    } else if (c == '\n') {
      safe += "&#10;";
    } else {
      safe += is_control(c) ? '?' : c;  // XML has no other control characters
    }
  }
  return safe;
}

std::string escape_markdown(const std::string& text) { return escape_with_backslash(text, "|`*_[]\\"); }

std::string escape_prose(const std::string& text) { return escape_with_backslash(text, "|"); }

}  // namespace sluice::text

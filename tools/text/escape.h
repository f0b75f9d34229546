// Names of programs, kernels and profiles come from files that anybody may have written: what of them could be markup is
// made harmless here, and nowhere else.
#pragma once

#include <string>

namespace sluice::text {

[[nodiscard]] std::string escape_markup(const std::string& text);    // HTML and XML, content and attributes
[[nodiscard]] std::string escape_markdown(const std::string& text);  // a cell of a table
[[nodiscard]] std::string escape_prose(const std::string& text);     // Markdown stays, but no HTML, cell or line begins

}  // namespace sluice::text

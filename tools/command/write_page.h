// Files that commands write beside what they print: pages, for those that have --html, and whether a file can be there.
#pragma once

#include <string>

#include "tools/page/page.h"

namespace sluice::tools {

// Before minutes of work whose result goes there. Says why not; empty: no file is wanted.
[[nodiscard]] bool can_be_written(const char* command, const std::string& file);

// True if there is no file to write, or it was written; says why not.
[[nodiscard]] bool write_page(const page::Page& page, const std::string& file);

}  // namespace sluice::tools

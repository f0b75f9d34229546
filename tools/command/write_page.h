// Pages into files, for the commands that have --html.
#pragma once

#include <string>

#include "tools/page/page.h"

namespace sluice::tools {

// True if there is no file to write, or it was written; says why not.
[[nodiscard]] bool write_page(const page::Page& page, const std::string& file);

}  // namespace sluice::tools

#include "tools/text/terminal.h"

#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace sluice::text {

bool stdout_takes_colour() {
  const auto value = [](const char* name) {
    const char* const text = std::getenv(name);
    return std::string_view(text == nullptr ? "" : text);
  };
  return value("NO_COLOR").empty() && value("TERM") != "dumb" && ::isatty(STDOUT_FILENO) == 1;
}

}  // namespace sluice::text

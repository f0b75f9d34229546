#include "tools/command/write_page.h"

#include <fmt/format.h>

#include <fstream>

namespace sluice::tools {

bool write_page(const page::Page& page, const std::string& file) {
  if (file.empty()) return true;
  std::ofstream out(file, std::ios::binary);
  page.write(out);
  out.close();
  if (!out) fmt::print(stderr, "sluice: {}: cannot be written\n", file);
  return static_cast<bool>(out);
}

}  // namespace sluice::tools

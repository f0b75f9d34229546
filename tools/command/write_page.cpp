#include "tools/command/write_page.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace sluice::tools {

bool can_be_written(const char* command, const std::string& file) {
  if (file.empty()) return true;
  std::error_code code;
  const std::filesystem::path path(file);
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  int wrong = 0;
  if (std::filesystem::is_directory(path, code)) {
    wrong = EISDIR;
  } else if (std::filesystem::exists(path, code) ? ::access(path.c_str(), W_OK) != 0 : ::access(folder.c_str(), W_OK | X_OK) != 0) {
    wrong = errno;
  }
  if (wrong != 0) fmt::print(stderr, "sluice {}: {}: cannot be written: {}\n", command, file, std::strerror(wrong));
  return wrong == 0;
}

bool write_page(const page::Page& page, const std::string& file) {
  if (file.empty()) return true;
  std::ofstream out(file, std::ios::binary);
  page.write(out);
  out.close();
  if (!out) fmt::print(stderr, "sluice: {}: cannot be written\n", file);
  return static_cast<bool>(out);
}

}  // namespace sluice::tools

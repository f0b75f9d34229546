#include "tools/command/kept_run.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace sluice::tools {

namespace fs = std::filesystem;

ChildResult run_kept(const std::vector<std::string>& command, const ChildOptions& options, const std::string& folder,
                     const std::string& name, const std::string& origin) {
  if (folder.empty()) return run_child(command, options);
  const fs::path kept = fs::path(folder) / name;
  if (std::ifstream in(kept, std::ios::binary); in) {
    std::string first;
    if (std::getline(in, first) && first == origin) {
      std::ostringstream rest;
      rest << in.rdbuf();
      ChildResult result;
      result.started = true;
      result.output = rest.str();
      return result;
    }
  }
  ChildResult result = run_child(command, options);
  if (!result.started || result.exit_code != 0) return result;
  // Complete or not there: another process may read it, and this one may be stopped.
  const auto fail = [&](const std::string& why) {
    result.started = false;
    result.error = kept.string() + ": " + why;
  };
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    fail(error.message());
    return result;
  }
  const fs::path part = fs::path(folder) / (name + "." + std::to_string(::getpid()));
  std::ofstream out(part, std::ios::binary);
  out << origin << '\n' << result.output;
  out.close();
  if (!out) {
    fail("cannot be written");
    fs::remove(part, error);
    return result;
  }
  fs::rename(part, kept, error);
  if (error) fail(error.message());
  return result;
}

}  // namespace sluice::tools

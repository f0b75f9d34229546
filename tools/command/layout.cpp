#include "tools/command/layout.h"

#include <algorithm>
#include <fstream>
#include <initializer_list>
#include <system_error>

namespace sluice::tools {

namespace fs = std::filesystem;

namespace {

std::optional<fs::path> find_library(std::initializer_list<const char*> names) {
  const fs::path prefix = executable().parent_path().parent_path();
  for (const char* folder : {"lib", SLUICE_LIBDIR}) {
    for (const char* name : names) {
      std::error_code ignored;
      fs::path candidate = prefix / folder / name;
      if (fs::is_regular_file(candidate, ignored)) return candidate;
    }
  }
  return std::nullopt;
}

}  // namespace

fs::path executable() {
  std::error_code code;
  fs::path path = fs::read_symlink("/proc/self/exe", code);
  return code ? fs::path("sluice") : path;
}

std::optional<fs::path> find_driver() {
  return find_library({SLUICE_DRIVER_FILE, "libsluice_opencl.so"});
}

std::optional<fs::path> find_strict() {
  return find_library({"libsluice_strict.so"});
}

std::optional<fs::path> find_virtual_time() {
  return find_library({"libsluice_virtual_time.so"});
}

std::optional<fs::path> find_probe(const std::string& name) {
  const auto names = probe_names();
  if (std::find(names.begin(), names.end(), name) == names.end()) return std::nullopt;
  return find_library({("sluice/probes/" + name).c_str()});
}

std::vector<std::string> probe_names() {
  std::vector<std::string> names;
  const fs::path prefix = executable().parent_path().parent_path();
  for (const char* folder : {"lib", SLUICE_LIBDIR}) {
    std::error_code code;
    for (const auto& entry : fs::directory_iterator(prefix / folder / "sluice/probes", code)) {
      names.push_back(entry.path().filename().string());
    }
    if (!names.empty()) break;
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string vendors_for(const fs::path& driver) {
  const fs::path prefix = executable().parent_path().parent_path();
  for (const char* folder : {"share/sluice/vendors", "etc/OpenCL/vendors"}) {
    const fs::path vendors = prefix / folder;
    std::error_code code;
    fs::directory_iterator entries(vendors, code);
    // Somebody else's driver in the folder would be loaded, too.
    if (code || std::distance(fs::begin(entries), fs::end(entries)) != 1) continue;
    std::ifstream in(vendors / "sluice.icd");
    std::string named;
    if (std::getline(in, named) && fs::equivalent(named, driver, code) && !code) return vendors.string();
  }
  return driver.string();
}

}  // namespace sluice::tools

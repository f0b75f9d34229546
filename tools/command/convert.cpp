// `sluice convert`: a trace in the formats of other tools.
#include "traces/convert.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <system_error>

#include "sim/profile/load.h"
#include "tools/command/commands.h"
#include "traces/reader.h"

namespace sluice::tools {

namespace {

// The name of the machine's device if the profile that the trace names is the one of that name here; else empty.
std::string device_of(const std::string& trace) {
  std::ifstream in(trace, std::ios::binary);
  trace::Reader reader(in);
  if (!reader.read_header()) return {};
  for (const profile::ProfileEntry& entry : profile::shipped_profiles()) {
    if (entry.name != reader.header().profile) continue;
    const profile::Loaded loaded = profile::load_profile(entry.name);
    if (!loaded.profile || loaded.profile->machine.profile_hash != reader.header().profile_hash) return {};
    return loaded.profile->machine.device.name;
  }
  return {};
}

}  // namespace

int convert(const ConvertOptions& options) {
  if (std::error_code code; std::filesystem::is_directory(options.trace, code)) {
    fmt::print(stderr, "sluice convert: {}: a folder, no trace\n", options.trace);
    return exit_unusable;
  }
  const trace::Conversion result = trace::convert(options.trace, options.outputs, device_of(options.trace));
  const std::string& wrong = result.error.empty() ? result.cut_off : result.error;
  if (wrong.empty()) return exit_ok;
  fmt::print(stderr, "sluice convert: {}\n", wrong);
  return result.output_failed ? exit_failed : exit_unusable;
}

}  // namespace sluice::tools

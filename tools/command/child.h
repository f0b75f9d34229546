// Runs a program with Sluice as its OpenCL platform.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "traces/recorder.h"

namespace sluice::tools {

struct ChildOptions {
  std::string profile;  // as load_profile() takes it; empty: what the environment says, or the default
  std::vector<std::string> traces;
  std::string trace_level;
  std::string host_time;
  std::string detail;
  bool virtual_time = false;
  bool lockstep = false;
  bool touch_tracking = false;
  bool explain = false;
  std::string strict;                       // report or abort; empty: off
  std::vector<std::string> strict_reports;  // files
  bool capture_output = false;  // into ChildResult::output instead of our own standard output
};

struct ChildResult {
  int exit_code = 0;  // the program's; 128 + n if signal n ended it; 127 or 126 if it was not found or not executable
  bool started = false;
  std::string error;                      // why it was not started
  std::vector<std::string> trace_errors;  // "FILE: REASON", as the driver told them
  std::string output;
  std::uint64_t misuses = 0;  // that --strict found
};

// Signals that ask this process to end are passed on to the program.
[[nodiscard]] ChildResult run_child(const std::vector<std::string>& command, const ChildOptions& options);

}  // namespace sluice::tools

// Runs a program with Sluice as its OpenCL platform.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "traces/recorder.h"

namespace sluice::tools {

class SharedInput;

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
  // Its output goes into ChildResult::output. Such a program is one of several that a command runs, in a process group of
  // its own that is killed if it outlives a signal that asks us to end by some seconds, or ourselves.
  bool capture_output = false;
  SharedInput* input = nullptr;  // of a program whose output is captured; null: none
  double seconds = 0;            // after which it is killed; 0: never
};

struct ChildResult {
  int exit_code = 0;  // the program's; 128 + n if signal n ended it; 127 or 126 if it was not found or not executable
  bool started = false;
  std::string error;                      // why it was not started
  std::vector<std::string> trace_errors;  // "FILE: REASON", as the driver told them
  std::vector<std::string> strict_errors;  // the same of reports of --strict
  std::string output;
  std::uint64_t misuses = 0;  // that --strict found
  bool timed_out = false;
  int asked_to_end = 0;  // the signal that asked us to end while a captured program ran: nothing more is to be started
};

// SLUICE_STRICT is as good as `strict`.
[[nodiscard]] bool environment_asks_for_strict();

// Signals that ask this process to end are passed on to the program.
[[nodiscard]] ChildResult run_child(const std::vector<std::string>& command, const ChildOptions& options);

}  // namespace sluice::tools

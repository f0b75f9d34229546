#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>

#include "tools/command/commands.h"
#include "tools/command/temporary.h"
#include "tools/text/terminal.h"
#include "traces/report.h"
#include "traces/writer.h"

namespace sluice::tools {

namespace fs = std::filesystem;

namespace {

void complain(const std::string& text) {
  fmt::print(stderr, "sluice: {}\n", text);
}

// True if the report was written.
bool write_report(const std::string& trace, const std::string& target) {
  std::error_code ignored;
  if (fs::file_size(trace, ignored) == 0 || ignored) {
    complain("nothing to report: the program opened no OpenCL device");
    return true;
  }
  std::ifstream in(trace, std::ios::binary);
  const trace::Report result = target.ends_with(".json")
                                   ? trace::report_json(in)
                                   : trace::report(in, target == "-" && text::stdout_takes_colour());
  if (!result.error.empty()) complain(trace + ": " + result.error);
  if (target == "-") {
    fmt::print("{}", result.text);
    return std::fflush(stdout) == 0;
  }
  std::ofstream out(target, std::ios::binary);
  out << result.text;
  out.close();
  if (!out) complain(target + ": the report cannot be written");
  return !out.fail();
}

}  // namespace

int run(RunOptions options) {
  const char* inherited = std::getenv("SLUICE_PROFILE");
  const std::string profile = !options.child.profile.empty() ? options.child.profile
                              : inherited != nullptr         ? inherited
                                                             : "";
  if (!profile.empty() && !check_profile(profile)) return exit_unusable;
  for (const std::string& trace : options.child.traces) {
    if (trace.find(':') != std::string::npos) {
      complain(trace + ": a trace's name must not contain a colon");
      return exit_unusable;
    }
    if (trace::writer_for(trace) == nullptr) {
      complain(fmt::format("{}: unknown trace format; known names: {}", trace, trace::writer_endings()));
      return exit_unusable;
    }
    // A program that never opens the device must not leave the trace of an earlier run.
    std::error_code ignored;
    if (fs::is_regular_file(trace, ignored)) fs::resize_file(trace, 0, ignored);
  }

  std::optional<TemporaryFile> temporary;  // a trace for the report alone
  std::string reported;
  if (!options.report.empty()) {
    const auto& traces = options.child.traces;
    const auto lines = std::find_if(traces.begin(), traces.end(), [](const auto& t) { return t.ends_with(".jsonl"); });
    if (lines != traces.end()) {
      reported = *lines;
    } else if (!temporary.emplace(".jsonl").path().empty()) {
      reported = temporary->path();
      options.child.traces.push_back(reported);
    } else {
      complain("no temporary file can be written for the report");
      return exit_unusable;
    }
  }

  for (const std::string& file : options.child.strict_reports) {
    if (file.find(':') != std::string::npos) {
      complain(file + ": a report's name must not contain a colon");
      return exit_unusable;
    }
  }
  if (!options.child.strict_reports.empty() && options.child.strict.empty() && !environment_asks_for_strict()) {
    complain("--strict-report goes with --strict (or SLUICE_STRICT)");
    return exit_unusable;
  }
  const ChildResult result = run_child(options.command, options.child);
  if (!result.started) {
    complain(result.error);
    return result.exit_code != 0 ? result.exit_code : exit_unusable;
  }
  bool complete = result.trace_errors.empty() && result.strict_errors.empty();
  for (const std::string& error : result.trace_errors) complain("trace-error: " + error);
  for (const std::string& error : result.strict_errors) complain("strict: " + error);
  if (!reported.empty()) complete &= write_report(reported, options.report);
  if (result.exit_code != 0) return result.exit_code;
  return !complete ? exit_trace_error : result.misuses != 0 ? exit_misuse : exit_ok;
}

int report(const std::string& trace, bool json) {
  std::error_code code;
  std::ifstream in(trace, std::ios::binary);
  if (!in || fs::is_directory(trace, code)) {
    complain(trace + ": cannot be read");
    return exit_unusable;
  }
  const trace::Report result = json ? trace::report_json(in) : trace::report(in, text::stdout_takes_colour());
  fmt::print("{}", result.text);
  if (std::fflush(stdout) != 0) return exit_failed;
  if (result.error.empty()) return exit_ok;
  complain(trace + ": " + result.error);
  return exit_unusable;
}

}  // namespace sluice::tools

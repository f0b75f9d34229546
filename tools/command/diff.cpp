// `sluice record` and `sluice diff`: a reference trace, and what a later run changed.
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <system_error>

#include "tools/command/commands.h"
#include "tools/command/temporary.h"
#include "tools/diff/report.h"
#include "tools/text/terminal.h"
#include "traces/recording.h"

namespace sluice::tools {

namespace fs = std::filesystem;

namespace {

bool complain(const char* command, const std::string& text) {
  fmt::print(stderr, "sluice {}: {}\n", command, text);
  return false;
}

bool write_junit_file(const std::string& file, const diff::Result& result, bool is_accepted = false) {
  if (file.empty()) return true;
  std::ofstream out(file, std::ios::binary);
  diff::write_junit(out, result, is_accepted);
  out.close();
  return out ? true : complain("diff", file + ": cannot be written");
}

bool read_tolerances(const DiffOptions& options, diff::Tolerances& tolerances) {
  for (const bool is_count : {false, true}) {
    for (const std::string& text : is_count ? options.count_tolerances : options.tolerances) {
      const std::string wrong = diff::parse_tolerance(text, is_count, tolerances);
      const char* name = is_count ? "--count-tolerance" : "--tolerance";
      if (!wrong.empty()) return complain("diff", fmt::format("{} {}: {}", name, text, wrong));
    }
  }
  return true;
}

}  // namespace

int record(RecordOptions options) {
  const std::string profile = options.child.profile;
  if (!profile.empty() && !check_profile(profile)) return exit_unusable;
  const TemporaryFile trace(".jsonl");
  if (trace.path().empty()) {
    (void)complain("record", "no temporary file can be written");
    return exit_unusable;
  }
  options.child.traces = {trace.path()};
  const ChildResult result = run_child(options.command, options.child);
  if (!result.started) {
    (void)complain("record", result.error);
    return result.exit_code != 0 ? result.exit_code : exit_unusable;
  }
  if (result.exit_code != 0) {
    (void)complain("record", fmt::format("the program ended with {}; nothing was recorded", result.exit_code));
    return result.exit_code;
  }
  for (const std::string& error : result.trace_errors) (void)complain("record", "trace-error: " + error);
  for (const std::string& error : result.strict_errors) (void)complain("record", "strict: " + error);
  if (!result.trace_errors.empty()) return exit_trace_error;
  std::error_code ignored;
  if (fs::file_size(trace.path(), ignored) == 0) {
    (void)complain("record", "the program opened no OpenCL device; nothing was recorded");
    return exit_failed;
  }
  const std::string program = fs::path(options.command.front()).filename().string();
  const std::string wrong = trace::record_trace(trace.path(), options.output, program);
  if (wrong.empty()) return exit_ok;
  (void)complain("record", trace.unnamed(wrong));
  return exit_trace_error;
}

int diff(const DiffOptions& options) {
  diff::Options comparison;
  comparison.most_changes = options.commands;
  if (!read_tolerances(options, comparison.tolerances)) return exit_unusable;
  diff::Result result;
  {
    diff::Source before(options.before);
    diff::Source after(options.after);
    result = diff::compare(before, after, comparison);
  }
  if (!result.error.empty()) {
    (void)complain("diff", result.error);
    (void)write_junit_file(options.junit, result);
    return exit_unusable;
  }
  if (options.json) {
    diff::write_json(std::cout, result);
  } else if (options.markdown) {
    diff::write_markdown(std::cout, result);
  } else {
    diff::write_text(std::cout, result, text::stdout_takes_colour());
  }
  if (!std::cout.flush()) return exit_unusable;
  if (!result.is_changed() || !options.accept) {
    if (!write_junit_file(options.junit, result)) return exit_unusable;
    return result.is_changed() ? exit_failed : exit_ok;
  }
  if (const std::string wrong = trace::record_trace(options.after, options.before, result.before.header.program); !wrong.empty()) {
    (void)complain("diff", wrong);
    return exit_unusable;
  }
  fmt::print(stderr, "sluice diff: accepted: {} now holds what {} does\n", options.before, options.after);
  return write_junit_file(options.junit, result, /*is_accepted=*/true) ? exit_ok : exit_unusable;
}

}  // namespace sluice::tools

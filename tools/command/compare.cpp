// `sluice compare`: one program under several profiles, command beside command.
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <system_error>

#include "sim/profile/load.h"
#include "tools/command/commands.h"
#include "tools/command/temporary.h"
#include "tools/command/write_page.h"
#include "tools/compare/report.h"
#include "tools/text/terminal.h"

namespace sluice::tools {

namespace fs = std::filesystem;

namespace {

void complain(const std::string& text) { fmt::print(stderr, "sluice compare: {}\n", text); }

// What the program prints goes to stderr, profile by profile: stdout is the comparison's.
compare::Run run_under(const CompareOptions& options, const std::string& profile) {
  compare::Run run;
  run.profile = profile;
  const auto loaded = profile::load_profile(profile);
  run.hash = loaded.profile->hash;
  const TemporaryFile trace(".jsonl");
  if (trace.path().empty()) {
    run.error = "no temporary file can be written";
    return run;
  }
  ChildOptions child = options.child;
  child.profile = profile;
  child.traces = {trace.path()};
  child.capture_output = true;
  const ChildResult result = run_child(options.command, child);
  if (!result.output.empty()) fmt::print(stderr, "{}:\n{}{}", profile, result.output, result.output.ends_with('\n') ? "" : "\n");
  std::error_code ignored;
  if (!result.started) {
    run.error = result.error;
  } else if (result.exit_code != 0) {
    run.error = fmt::format("the program ended with {}", result.exit_code);
  } else if (!result.trace_errors.empty()) {
    run.error = "trace-error: " + result.trace_errors.front();
  } else if (fs::file_size(trace.path(), ignored) == 0) {
    run.error = "the program opened no OpenCL device";
  } else {
    compare::read_run(trace.path(), run);
  }
  if (!run.error.empty()) {
    run = {profile, run.hash, run.error, {}, {}, {}, 0, {}, 0, {}};
    complain(profile + ": " + run.error);
  }
  return run;
}

}  // namespace

int compare(const CompareOptions& options) {
  std::vector<std::string> profiles = options.profiles;
  if (profiles.empty()) {
    for (const auto& entry : profile::shipped_profiles()) profiles.push_back(entry.name);
  }
  for (const std::string& name : profiles) {
    if (!check_profile(name)) return exit_unusable;
  }
  std::vector<compare::Run> runs;
  bool complete = true;
  for (const std::string& profile : profiles) {
    runs.push_back(run_under(options, profile));
    complete &= runs.back().error.empty();
  }
  const compare::Lineup lineup = compare::make_lineup(std::move(runs));
  if (options.json) {
    compare::write_json(std::cout, lineup);
  } else if (options.markdown) {
    compare::write_markdown(std::cout, lineup, options.commands);
  } else {
    compare::write_text(std::cout, lineup, options.commands, text::stdout_takes_colour());
  }
  bool written = static_cast<bool>(std::cout.flush());
  if (!options.csv.empty()) {
    std::ofstream out(options.csv, std::ios::binary);
    compare::write_csv(out, lineup);
    out.close();
    if (!out) complain(options.csv + ": cannot be written");
    written &= static_cast<bool>(out);
  }
  written &= write_page(compare::make_page(lineup, options.commands), options.html);
  return complete && written ? exit_ok : exit_failed;
}

}  // namespace sluice::tools

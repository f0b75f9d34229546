// `sluice compare`: one program under several profiles, command beside command.
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <system_error>

#include "sim/profile/load.h"
#include "tools/command/commands.h"
#include "tools/command/shared_input.h"
#include "tools/command/temporary.h"
#include "tools/command/write_page.h"
#include "tools/compare/report.h"
#include "tools/text/terminal.h"

namespace sluice::tools {

namespace fs = std::filesystem;

namespace {

void complain(const std::string& text) { fmt::print(stderr, "sluice compare: {}\n", text); }

// What the program prints goes to stderr, profile by profile: stdout is the comparison's. `status`, if that of the
// comparison is known: it was asked to end, or no profile will have the program run.
compare::Run run_under(const CompareOptions& options, SharedInput& input, const std::string& profile, const std::string& hash,
                       std::optional<int>& status) {
  const auto failed = [&](const std::string& error) {
    complain(profile + ": " + error);
    compare::Run run;
    run.profile = profile;
    run.hash = hash;
    run.error = error;
    return run;
  };
  const TemporaryFile trace(".jsonl");
  if (trace.path().empty()) return failed("no temporary file can be written");
  ChildOptions child = options.child;
  child.profile = profile;
  child.traces = {trace.path()};
  child.capture_output = true;
  child.input = &input;
  const ChildResult result = run_child(options.command, child);
  if (result.asked_to_end != 0) {
    complain("ended, nothing is compared");
    status = 128 + result.asked_to_end;
    return {};
  }
  if (!result.output.empty()) fmt::print(stderr, "{}:\n{}{}", profile, result.output, result.output.ends_with('\n') ? "" : "\n");
  std::error_code ignored;
  if (!result.started) {
    complain(result.error);
    status = result.exit_code != 0 ? result.exit_code : exit_unusable;
    return {};
  }
  if (result.timed_out) return failed(fmt::format("the program was killed: it took more than {} s", child.seconds));
  if (!input.error().empty()) return failed(input.error());
  if (result.exit_code != 0) return failed(fmt::format("the program ended with {}", result.exit_code));
  for (const std::string& error : result.strict_errors) complain("strict: " + error);
  if (!result.trace_errors.empty()) return failed("trace-error: " + result.trace_errors.front());
  if (fs::file_size(trace.path(), ignored) == 0) return failed("the program opened no OpenCL device");
  compare::Run run = compare::read_run(profile, hash, trace.path());
  return run.error.empty() ? run : failed(trace.unnamed(run.error));
}

}  // namespace

int compare(const CompareOptions& options) {
  std::vector<std::string> profiles = options.profiles;
  if (profiles.empty()) {
    for (const auto& entry : profile::shipped_profiles()) profiles.push_back(entry.name);
  }
  for (const std::string& file : {options.csv, options.html}) {
    if (!can_be_written("compare", file)) return exit_unusable;
  }
  std::vector<std::string> hashes;
  for (const std::string& name : profiles) {
    const auto profile = check_profile(name);
    if (!profile) return exit_unusable;
    hashes.push_back(profile->hash);
  }
  std::vector<compare::Run> runs;
  bool complete = true;
  SharedInput input;
  for (std::size_t i = 0; i < profiles.size(); ++i) {
    std::optional<int> status;
    runs.push_back(run_under(options, input, profiles[i], hashes[i], status));
    if (status) return *status;
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

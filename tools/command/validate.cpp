// `sluice validate`: the program that measured a device runs again on the model of it, and the two are compared.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>

#include "sim/profile/load.h"
#include "tools/command/commands.h"
#include "tools/command/kept_run.h"
#include "tools/command/layout.h"
#include "tools/command/write_page.h"
#include "tools/validate/fitted.h"
#include "tools/validate/measurements.h"
#include "tools/validate/published.h"
#include "tools/validate/report.h"

namespace sluice::tools {

namespace fs = std::filesystem;

namespace {

void complain(const std::string& text) { fmt::print(stderr, "sluice validate: {}\n", text); }

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::optional<validate::Measurements> read_file(const profile::Loaded& loaded, const std::string& file) {
  std::error_code ignored;
  std::ifstream in(file, std::ios::binary);
  if (!in || fs::is_directory(file, ignored)) {
    complain(file + ": cannot be read");
    return std::nullopt;
  }
  return validate::read_measurements(in, loaded.profile->silicon,
                                     2 * static_cast<double>(loaded.profile->machine.device.timestamp_granularity_ps) / 1000);
}

// What was measured once more, beside the file that it repeats.
bool compare_again(const profile::Loaded& loaded, const std::string& again, const std::vector<std::string>& files,
                   validate::Result& result) {
  const auto second = read_file(loaded, again);
  if (!second) return false;
  for (const std::string& file : files) {
    const auto first = read_file(loaded, file);
    if (!first || first->program != second->program || first->arguments != second->arguments) continue;
    std::vector<validate::Skipped> unmatched;
    validate::pair_up(*first, *second, fs::path(file).filename().string(), [](const validate::Row&) { return false; },
                      result.again, unmatched);
    return true;
  }
  complain(fmt::format("{}: found program \"{} {}\"; allowed with --again: program and arguments of a DATA file", again,
                       second->program, joined(second->arguments)));
  return false;
}

bool validate_file(const ValidateOptions& options, const profile::Loaded& loaded, const std::string& file,
                   validate::Result& result, int& asked_to_end) {
  auto read = read_file(loaded, file);
  if (!read) return false;
  validate::Measurements& measured = *read;
  const std::string name = fs::path(file).filename().string();
  if (!options.program.empty()) measured.program = options.program;
  if (measured.program.empty() && measured.rows.empty()) {
    const validate::Skipped* const first = measured.skipped.empty() ? nullptr : &measured.skipped.front();
    complain(first == nullptr ? file + ": the file has no rows"
                              : fmt::format("{}: none of its {} rows can be read; line {}: {}", file, measured.skipped.size(),
                                            first->line, first->reason));
    return false;
  }
  if (measured.program.empty()) {
    complain(file + ": its first row names no measuring \"program\"; --program does, as in --program clprobe");
    return false;
  }
  const auto program = find_probe(measured.program);
  if (!program) {
    complain(fmt::format("{}: found program \"{}\"; allowed: the measuring programs that come with sluice ({})", file,
                         measured.program, joined(probe_names())));
    return false;
  }
  if (measured.rows.empty()) {
    complain(fmt::format("{}: no row of {} can be compared ({} skipped)", file,
                         loaded.profile->silicon.empty() ? "any device" : loaded.profile->silicon, measured.skipped.size()));
    return false;
  }
  std::vector<std::string> command = {program->string()};
  const auto& arguments = measured.brief.empty() || options.full ? measured.arguments : measured.brief;
  command.insert(command.end(), arguments.begin(), arguments.end());
  ChildOptions child;
  child.profile = options.profile;
  child.virtual_time = true;
  child.touch_tracking = true;  // a program that maps to write and writes nothing did no more on the device measured
  child.capture_output = true;
  fmt::print(stderr, "{}: {} {}\n", name, measured.program, joined(arguments));
  const std::string origin = fmt::format("{} {}: {} {}", loaded.profile->name, loaded.profile->hash, measured.program, joined(arguments));
  const ChildResult run = run_kept(command, child, options.keep, loaded.profile->name + "." + name, origin);
  asked_to_end = run.asked_to_end;
  if (asked_to_end != 0) return false;
  if (!run.started || run.exit_code != 0) {
    complain(fmt::format("{}: {} {}", file, measured.program,
                         run.started ? fmt::format("ended with {}", run.exit_code) : run.error));
    return false;
  }
  std::istringstream output(run.output);
  const validate::Measurements simulated = validate::read_measurements(output, "");
  for (const std::string& idle : validate::idle_selections(loaded, name, measured.rows)) {
    complain(fmt::format("{}: /validation/fit: found \"{}\", which selects no row of {}; allowed: a selection of rows that are there",
                         options.profile, idle, name));
    return false;
  }
  const auto fitted = [&](const validate::Row& row) { return validate::is_fitted(loaded, result.fitted, name, row); };
  validate::pair_up(measured, simulated, name, fitted, result.pairs, measured.skipped);
  for (validate::Skipped& s : measured.skipped) result.skipped.emplace_back(name, std::move(s));
  result.commands.push_back(fmt::format("sluice run --profile {} --virtual-time --touch-tracking -- {} {}", loaded.profile->name,
                                        measured.program, joined(arguments)));
  return true;
}

// Figures that others published, each repeated on the profile of what they measured.
int validate_published(const ValidateOptions& options) {
  const auto program = find_probe("publicprobe");
  if (!program) {
    complain("the measuring program publicprobe is not there");
    return exit_failed;
  }
  bool complete = true;
  for (const std::string& file : options.files) {
    std::error_code ignored;
    std::ifstream in(file, std::ios::binary);
    if (!in || fs::is_directory(file, ignored)) {
      complain(file + ": cannot be read");
      return exit_unusable;
    }
    validate::PublishedFigures published = validate::read_published(in);
    std::vector<validate::PublishedProfile> profiles;
    for (const profile::ProfileEntry& entry : profile::shipped_profiles()) {
      if (!options.profile.empty() && options.profile != entry.name) continue;
      const profile::Loaded loaded = profile::load_profile(entry.path.string());
      if (!loaded.profile) return check_profile(entry.path.string()) ? exit_ok : exit_unusable;
      profiles.push_back({entry.name, loaded.profile->grade});
      std::vector<std::string> command = validate::probe_arguments(published, entry.name);
      if (command.empty()) continue;
      fmt::print(stderr, "{}: publicprobe {}\n", entry.name, joined(command));
      const std::string origin = fmt::format("{} {}: publicprobe {}", entry.name, loaded.profile->hash, joined(command));
      command.insert(command.begin(), program->string());
      ChildOptions child;
      child.profile = entry.path.string();
      child.virtual_time = true;
      child.capture_output = true;
      const ChildResult run = run_kept(command, child, options.keep, entry.name + ".published", origin);
      if (run.asked_to_end != 0) return 128 + run.asked_to_end;
      if (!run.started || run.exit_code != 0) {
        complain(fmt::format("{}: publicprobe {}", entry.name,
                             run.started ? fmt::format("ended with {}", run.exit_code) : run.error));
        complete = false;
      }
      std::istringstream rows(run.output);
      validate::take_simulated(rows, entry.name, published);
    }
    if (profiles.empty()) {
      complain(fmt::format("found profile \"{}\"; allowed: a shipped one (see sluice profile list)", options.profile));
      return exit_unusable;
    }
    (options.json ? validate::write_published_json : validate::write_published)(std::cout, published, profiles);
  }
  if (!std::cout.flush()) return exit_failed;
  return complete ? exit_ok : exit_unusable;
}

}  // namespace

int validate(const ValidateOptions& options) {
  if (options.published) return validate_published(options);
  if (options.profile.empty()) {
    complain("--profile is missing: the machine that models the device");
    return exit_unusable;
  }
  if (!can_be_written("validate", options.html)) return exit_unusable;
  const profile::Loaded loaded = profile::load_profile(options.profile);
  if (!loaded.profile) return check_profile(options.profile) ? exit_ok : exit_unusable;
  validate::Result result;
  result.profile = loaded.profile->name;
  result.profile_hash = loaded.profile->hash;
  result.grade = loaded.profile->grade;
  result.description = loaded.profile->description;
  result.fitted = validate::fitted_files(loaded);
  result.misses = loaded.profile->validation.misses;
  bool complete = true;
  for (const std::string& file : options.files) {
    int asked_to_end = 0;
    complete &= validate_file(options, loaded, file, result, asked_to_end);
    if (asked_to_end != 0) return 128 + asked_to_end;
  }
  for (const std::string& again : options.again) complete &= compare_again(loaded, again, options.files, result);
  if (result.pairs.empty()) return exit_unusable;
  if (options.json) {
    validate::write_json(std::cout, result);
  } else if (options.markdown) {
    validate::write_markdown(std::cout, result);
  } else {
    validate::write_text(std::cout, result, options.every_row);
  }
  if (!std::cout.flush()) return exit_failed;
  if (!write_page(validate::make_page(result), options.html)) return exit_failed;
  if (!complete) return exit_unusable;
  if (!options.check) return exit_ok;
  for (const validate::Group& g : validate::summary(result)) {
    if (!g.is_met()) return exit_failed;
  }
  return exit_ok;
}

}  // namespace sluice::tools

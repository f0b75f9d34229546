#include "tools/command/sweep_point.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <fstream>
#include <system_error>

#include "tools/command/commands.h"
#include "tools/command/layout.h"
#include "tools/sweep/transfers.h"
#include "tools/diff/source.h"

namespace sluice::tools {

namespace fs = std::filesystem;

namespace {

// The program's file as it is now: built anew, it is another program.
std::string stamp_of(const sweep::Spec& spec) {
  struct stat status {};
  if (spec.program.empty() || ::stat(spec.program.front().c_str(), &status) != 0) return {};
  return fmt::format("{} {}.{}", status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

std::string why_not(const profile::Loaded& loaded) {
  return "profile: " + (loaded.problems.empty() ? "" : profile::to_string(loaded.problems.front()));
}

}  // namespace

std::string base_path(const std::string& profile) {
  for (const auto& entry : profile::shipped_profiles()) {
    if (entry.name == profile) return fs::absolute(entry.path).string();
  }
  return fs::absolute(profile).string();
}

Points::Points(const sweep::Spec& spec, fs::path work) : spec_(spec), work_(fs::absolute(std::move(work))), stamp_(stamp_of(spec)) {}

fs::path Points::file(std::size_t index, const char* ending) const { return work_ / fmt::format("{}{}", index, ending); }

profile::Loaded Points::load(const sweep::Spec& spec, const sweep::Point& point) const {
  const auto text = sweep::profile_of(spec, point, base_path(point.profile));
  return profile::parse_profile(text.dump(), work_ / "point.json");
}

std::string Points::key(std::size_t index, std::string& status) const {
  const sweep::Point point = sweep::point_at(spec_, index);
  const auto loaded = load(spec_, point);
  if (loaded.profile) return sweep::key_of(spec_, point, loaded.profile->hash, stamp_);
  status = why_not(loaded);
  return {};
}

bool Points::prepare(std::size_t index, sweep::Job& job, std::string& key, std::string& status) const {
  const sweep::Point point = sweep::point_at(spec_, index);
  const auto loaded = load(spec_, point);
  if (!loaded.profile) {
    status = why_not(loaded);
    return false;
  }
  key = sweep::key_of(spec_, point, loaded.profile->hash, stamp_);
  // Whoever has such a file open from before goes on with that one.
  std::error_code ignored;
  for (const char* ending : {".json", ".jsonl"}) fs::remove(file(index, ending), ignored);
  std::ofstream(file(index, ".json"), std::ios::binary) << sweep::profile_of(spec_, point, base_path(point.profile)).dump(1) << '\n';
  job.command = {executable().string(), "run", "--profile", file(index, ".json").string()};
  if (spec_.program.empty()) {
    job.command.insert(job.command.end(), {"--virtual-time", "--trace", file(index, ".jsonl").string(), "--", executable().string(),
                                           "__mapcopy-workload", fmt::format("--reads={}", spec_.reads)});
    if (loaded.profile->machine.policy.alloc_host_ptr == BufferPolicy::zero_copy) job.command.emplace_back("--zero-copy");
    for (const std::string& size : spec_.sizes) job.command.push_back(fmt::format("{}", parse_size(size)));
  } else {
    if (spec_.virtual_time) job.command.emplace_back("--virtual-time");
    job.command.insert(job.command.end(), {"--trace", file(index, ".jsonl").string(), "--"});
    job.command.insert(job.command.end(), spec_.program.begin(), spec_.program.end());
  }
  job.output = file(index, ".out").string();
  return true;
}

sweep::Outcome Points::finish(std::size_t index, const std::string& status) const {
  sweep::Outcome outcome;
  outcome.status = status;
  if (outcome.is_ok()) {
    if (spec_.program.empty()) {
      read_times(index, outcome);
    } else {
      read_trace(index, outcome);
    }
  }
  std::error_code ignored;
  fs::remove(file(index, ".jsonl"), ignored);
  if (!outcome.is_ok()) return outcome;  // what it said stays
  for (const char* ending : {".json", ".out", ".out.err"}) fs::remove(file(index, ending), ignored);
  return outcome;
}

void Points::read_trace(std::size_t index, sweep::Outcome& outcome) const {
  std::error_code code;
  if (fs::file_size(file(index, ".jsonl"), code) == 0 || code) {
    outcome.status = "no device was opened";
    return;
  }
  diff::Source source(file(index, ".jsonl").string(), diff::Source::Reading::in_step);
  while (const diff::Entry* entry = source.next()) {
    outcome.time_ps += entry->time_ps();
    for (std::size_t s = 0; s < stage_count; ++s) outcome.stages[s] += entry->figures[diff::first_stage + s];
  }
  if (!source.error().empty()) outcome.status = "trace: " + source.error();
  outcome.commands = source.commands();
  outcome.elapsed_ps = source.elapsed_ps();
}

void Points::read_times(std::size_t index, sweep::Outcome& outcome) const {
  std::ifstream in(file(index, ".out"), std::ios::binary);
  if (!sweep::read_transfers(in, outcome.transfers) || outcome.transfers.size() != spec_.sizes.size()) {
    outcome.status = "no times";
    return;
  }
  const std::string error = sweep::add_stages(file(index, ".jsonl").string(), outcome.transfers);
  if (!error.empty()) outcome.status = "trace: " + error;
}

}  // namespace sluice::tools

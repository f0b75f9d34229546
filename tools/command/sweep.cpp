// `sluice sweep`: values of a profile vary; a program or the built-in transfers run at every point.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <system_error>
#include <thread>

#include "sim/profile/load.h"
#include "tools/command/commands.h"
#include "tools/command/layout.h"
#include "tools/command/write_page.h"
#include "tools/diff/source.h"
#include "tools/sweep/pool.h"
#include "tools/sweep/results.h"

namespace sluice::tools {

namespace fs = std::filesystem;

namespace {

void complain(const std::string& text) { fmt::print(stderr, "sluice sweep: {}\n", text); }

// On a terminal alone: how far, how fast, how long still.
class Progress {
 public:
  explicit Progress(std::size_t total) : total_(total), shown_(::isatty(STDERR_FILENO) == 1) {}
  ~Progress() {
    if (shown_) fmt::print(stderr, "\r\033[K");
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void kept(std::size_t points) { done_ += points; }
  void add() {
    ++done_;
    ++run_;
  }
  void show() const {
    if (!shown_) return;
    constexpr std::size_t width = 30;
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
    const double rate = seconds > 0 ? static_cast<double>(run_) / seconds : 0;
    const std::size_t filled = total_ == 0 ? width : width * done_ / total_;
    const std::string left = rate > 0 ? fmt::format("{:.0f} s left", static_cast<double>(total_ - done_) / rate) : "";
    fmt::print(stderr, "\r\033[K[{}{}] {}/{}  {:.1f} points/s  {}", std::string(filled, '#'), std::string(width - filled, '.'), done_,
               total_, rate, left);
  }

 private:
  std::size_t total_;
  bool shown_;
  std::size_t done_ = 0;
  std::size_t run_ = 0;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

std::string base_path(const std::string& profile) {
  for (const auto& entry : profile::shipped_profiles()) {
    if (entry.name == profile) return fs::absolute(entry.path).string();
  }
  return fs::absolute(profile).string();
}

// The program's file as it is now: built anew, it is another program.
std::string stamp_of(const sweep::Spec& spec) {
  struct stat status {};
  if (spec.program.empty() || ::stat(spec.program.front().c_str(), &status) != 0) return {};
  return fmt::format("{} {}.{}", status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

class Sweep {
 public:
  Sweep(const SweepOptions& options, sweep::Spec spec)
      : options_(options), spec_(std::move(spec)), folder_(options.output), stamp_(stamp_of(spec_)),
        outcomes_(spec_.point_count()), keys_(outcomes_.size()) {}

  // Every pointer and value by itself, before anything runs.
  [[nodiscard]] bool check() const {
    bool sound = true;
    for (const std::string& size : spec_.sizes) {
      const std::uint64_t bytes = parse_size(size);
      if (bytes != 0 && bytes % 16 == 0) continue;
      complain(fmt::format("{}: /transfers/sizes: found {}; allowed: multiples of 16 bytes, with K, M or G", options_.spec, size));
      sound = false;
    }
    for (const std::string& profile : spec_.profiles) {
      if (!check_profile(profile)) return false;
      const profile::Loaded base = profile::load_profile(profile);
      for (std::size_t p = 0; p < spec_.parameters.size(); ++p) {
        const sweep::Parameter& parameter = spec_.parameters[p];
        const bool known = std::any_of(base.constants.begin(), base.constants.end(),
                                       [&](const profile::Constant& c) { return c.pointer == parameter.pointer; });
        if (!known) {
          complain(fmt::format("{}: /vary: {} has no value {}; `sluice profile show {}` lists them", options_.spec, profile,
                               parameter.pointer, profile));
          sound = false;
          continue;
        }
        for (const auto& value : parameter.values) {
          sweep::Spec alone = spec_;
          alone.parameters = {{parameter.pointer, {value}}};
          const auto loaded = load(alone, {profile, {value}});
          for (const profile::Problem& problem : loaded.problems) {
            complain(fmt::format("{}: {}: found {}; allowed: {}", options_.spec, problem.pointer, problem.found, problem.allowed));
            sound = false;
          }
        }
      }
    }
    return sound;
  }

  int run() {
    std::error_code code;
    fs::create_directories(folder_ / "work", code);
    resume();
    std::ofstream state(folder_ / "points.jsonl", std::ios::binary | std::ios::app);
    if (code || !state) {
      complain(folder_.string() + ": cannot be written");
      return exit_unusable;
    }
    Progress progress(outcomes_.size());
    progress.kept(kept_);
    bool ended = false;
    {
      sweep::Pool pool(options_.jobs != 0 ? options_.jobs : std::max(1U, std::thread::hardware_concurrency()), spec_.seconds,
                       [&](std::size_t index, const std::string& status) {
                         finish_point(index, status, state);
                         progress.add();
                         progress.show();
                       });
      pool.on_tick = [&] { progress.show(); };
      for (std::size_t i = 0; i < outcomes_.size() && !ended; ++i) {
        if (outcomes_[i].is_ok()) continue;
        sweep::Job job;
        if (prepare(i, job)) {
          ended = !pool.start(i, job);
        } else {
          progress.add();
        }
      }
      ended = ended || !pool.finish();
    }
    fs::remove(folder_ / "work", code);  // if nothing is left in it
    if (ended) {
      fmt::print(stderr, "\n");
      complain("ended; the same command goes on where it was");
      return exit_failed;
    }
    return tell(static_cast<bool>(state.flush()));
  }

 private:
  [[nodiscard]] profile::Loaded load(const sweep::Spec& spec, const sweep::Point& point) const {
    const auto text = sweep::profile_of(spec, point, base_path(point.profile));
    return profile::parse_profile(text.dump(), folder_ / "point.json");
  }

  void resume() {
    std::ifstream in(folder_ / "points.jsonl", std::ios::binary);
    if (!in) return;
    const auto known = sweep::read_lines(in);
    if (known.empty()) return;
    for (std::size_t i = 0; i < outcomes_.size(); ++i) {
      const sweep::Point point = sweep::point_at(spec_, i);
      const auto loaded = load(spec_, point);
      if (!loaded.profile) continue;
      keys_[i] = sweep::key_of(spec_, point, loaded.profile->hash, stamp_);
      const auto found = known.find(keys_[i]);
      if (found == known.end()) continue;
      outcomes_[i] = found->second;
      ++kept_;
    }
    if (kept_ > 0) fmt::print(stderr, "{} of {} points are there from before\n", kept_, outcomes_.size());
  }

  [[nodiscard]] fs::path work(std::size_t index, const char* ending) const { return folder_ / "work" / fmt::format("{}{}", index, ending); }

  // False: the point cannot run, and its outcome says so.
  bool prepare(std::size_t index, sweep::Job& job) {
    const sweep::Point point = sweep::point_at(spec_, index);
    const auto loaded = load(spec_, point);
    if (!loaded.profile) {
      outcomes_[index].status = "profile: " + (loaded.problems.empty() ? "" : profile::to_string(loaded.problems.front()));
      return false;
    }
    keys_[index] = sweep::key_of(spec_, point, loaded.profile->hash, stamp_);
    std::ofstream(work(index, ".json"), std::ios::binary) << sweep::profile_of(spec_, point, base_path(point.profile)).dump(1) << '\n';
    job.command = {executable().string(), "run", "--profile", fs::absolute(work(index, ".json")).string()};
    if (spec_.program.empty()) {
      job.command.insert(job.command.end(), {"--virtual-time", "--", executable().string(), "__mapcopy-workload", fmt::format("--reads={}", spec_.reads)});
      if (loaded.profile->machine.policy.alloc_host_ptr == BufferPolicy::zero_copy) job.command.emplace_back("--zero-copy");
      for (const std::string& size : spec_.sizes) job.command.push_back(fmt::format("{}", parse_size(size)));
    } else {
      if (spec_.virtual_time) job.command.emplace_back("--virtual-time");
      job.command.insert(job.command.end(), {"--trace", work(index, ".jsonl").string(), "--"});
      job.command.insert(job.command.end(), spec_.program.begin(), spec_.program.end());
    }
    job.output = work(index, ".out").string();
    return true;
  }

  void finish_point(std::size_t index, const std::string& status, std::ostream& state) {
    sweep::Outcome& outcome = outcomes_[index];
    outcome = {};
    outcome.status = status;
    if (outcome.is_ok()) {
      if (spec_.program.empty()) {
        read_transfers(index, outcome);
      } else {
        read_trace(index, outcome);
      }
    }
    state << sweep::to_line(keys_[index], outcome) << std::flush;
    std::error_code ignored;
    fs::remove(work(index, ".jsonl"), ignored);
    if (!outcome.is_ok()) return;  // what it said stays
    for (const char* ending : {".json", ".out", ".out.err"}) fs::remove(work(index, ending), ignored);
  }

  void read_trace(std::size_t index, sweep::Outcome& outcome) const {
    std::error_code code;
    if (fs::file_size(work(index, ".jsonl"), code) == 0 || code) {
      outcome.status = "no device was opened";
      return;
    }
    diff::Source source(work(index, ".jsonl").string());
    while (const diff::Entry* entry = source.next()) {
      outcome.time_ps += entry->time_ps();
      for (std::size_t s = 0; s < stage_count; ++s) outcome.stages[s] += entry->figures[diff::first_stage + s];
    }
    if (!source.error().empty()) outcome.status = "trace: " + source.error();
    outcome.commands = source.commands();
    outcome.elapsed_ps = source.elapsed_ps();
  }

  void read_transfers(std::size_t index, sweep::Outcome& outcome) const {
    std::ifstream in(work(index, ".out"), std::ios::binary);
    std::string line;
    while (std::getline(in, line)) {
      std::istringstream cells(line);
      sweep::Transfer transfer;
      std::string cell;
      bool sound = static_cast<bool>(cells >> transfer.bytes);
      for (std::uint64_t& time : transfer.times_ns) {
        sound = sound && static_cast<bool>(cells >> cell);
        if (cell != "-") time = std::strtoull(cell.c_str(), nullptr, 10);
      }
      if (sound) outcome.transfers.push_back(transfer);
    }
    if (outcome.transfers.size() != spec_.sizes.size()) outcome.status = "no times";
  }

  int tell(bool written) {
    std::ofstream csv(folder_ / "sweep.csv", std::ios::binary);
    sweep::write_csv(csv, spec_, outcomes_);
    csv.close();
    written &= write_page(sweep::make_page(spec_, outcomes_), (folder_ / "sweep.html").string());
    if (!csv || !written) {
      complain(folder_.string() + ": cannot be written");
      return exit_failed;
    }
    std::size_t failed = 0;
    for (std::size_t i = 0; i < outcomes_.size(); ++i) {
      if (outcomes_[i].is_ok()) continue;
      if (++failed <= 10) complain(fmt::format("point {}: {} ({})", i, outcomes_[i].status, work(i, ".out.err").string()));
    }
    fmt::print("{} points, {} failed: {}, {}\n", outcomes_.size(), failed, (folder_ / "sweep.csv").string(), (folder_ / "sweep.html").string());
    if (std::fflush(stdout) != 0) return exit_failed;
    return failed == 0 ? exit_ok : exit_failed;
  }

  const SweepOptions& options_;
  sweep::Spec spec_;
  fs::path folder_;
  std::string stamp_;
  std::vector<sweep::Outcome> outcomes_;
  std::vector<std::string> keys_;
  std::size_t kept_ = 0;
};

}  // namespace

int sweep(const SweepOptions& options) {
  std::ifstream in(options.spec, std::ios::binary);
  std::error_code code;
  if (!in || fs::is_directory(options.spec, code)) {
    complain(options.spec + ": cannot be read");
    return exit_unusable;
  }
  std::ostringstream text;
  text << in.rdbuf();
  sweep::Spec spec;
  const auto problems = sweep::parse_spec(text.str(), spec);
  for (const std::string& problem : problems) complain(options.spec + ": " + problem);
  if (!problems.empty()) return exit_unusable;
  Sweep sweep(options, std::move(spec));
  return sweep.check() ? sweep.run() : exit_unusable;
}

}  // namespace sluice::tools

// `sluice sweep`: values of a profile vary; a program or the built-in transfers run at every point.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <thread>

#include "tools/command/commands.h"
#include "tools/command/sweep_point.h"
#include "tools/command/sweep_slurm.h"
#include "tools/command/write_page.h"
#include "tools/sweep/progress.h"

namespace sluice::tools {

namespace fs = std::filesystem;

namespace {

void complain(const std::string& text) { fmt::print(stderr, "sluice sweep: {}\n", text); }

// Keeps a second sweep out of a folder.
class Lock {
 public:
  explicit Lock(const fs::path& file) : descriptor_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {}
  ~Lock() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }
  // False: somebody else has it. What is left of a sweep that was killed is given the time to end.
  [[nodiscard]] bool take() const {
    for (int i = 0; i < 40; ++i) {
      if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return true;  // some file systems have no locks
      ::usleep(50'000);
    }
    return false;
  }

 private:
  int descriptor_;
};

class Sweep {
 public:
  Sweep(const SweepOptions& options, sweep::Spec spec, sweep::json text)
      : options_(options), spec_(std::move(spec)), text_(std::move(text)), folder_(options.output), points_(spec_, folder_ / "work"),
        outcomes_(spec_.point_count()), keys_(outcomes_.size()), runs_(outcomes_.size()), outputs_(outcomes_.size()) {}

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
          const auto loaded = points_.load(alone, {profile, {value}});
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
    const Lock lock(folder_ / "points.jsonl");
    if (code || !lock.is_open()) {
      complain(folder_.string() + ": cannot be written");
      return exit_unusable;
    }
    if (!lock.take()) {
      complain(folder_.string() + ": another sweep runs in this folder");
      return exit_unusable;
    }
    const sweep::HeldSignals held;
    resume();
    state_ = sweep::open_lines(folder_ / "points.jsonl");
    RoundEnd end = RoundEnd::done;
    {
      sweep::Progress progress(outcomes_.size());
      progress_ = &progress;
      progress.kept(kept_);
      end = options_.is_on_slurm ? run_on_slurm() : run_here();
      progress_ = nullptr;
    }
    if (end == RoundEnd::asked_to_end) complain("ended; the same command goes on where it was");
    if (end != RoundEnd::done) return exit_failed;
    tidy();
    return tell(static_cast<bool>(state_.flush()));
  }

 private:
  void resume() {
    std::ifstream in(folder_ / "points.jsonl", std::ios::binary);
    const auto known = sweep::read_lines(in);
    if (known.empty()) return;
    for (std::size_t i = 0; i < outcomes_.size(); ++i) {
      std::string unused;
      keys_[i] = points_.key(i, unused);
      const auto found = known.find(keys_[i]);
      if (found == known.end() || !found->second.is_ok()) continue;
      outcomes_[i] = found->second;
      ++kept_;
    }
    if (kept_ > 0) fmt::print(stderr, "{} of {} points are there from before\n", kept_, outcomes_.size());
  }

  // Points that have to run, or to run again.
  [[nodiscard]] std::vector<std::size_t> pending() {
    std::vector<std::size_t> points;
    std::size_t failed = 0;
    for (std::size_t i = 0; i < outcomes_.size(); ++i) {
      if (outcomes_[i].is_ok() || runs_[i] > options_.retries) continue;
      points.push_back(i);
      failed += runs_[i] > 0 ? 1 : 0;
    }
    if (failed > 0) {
      progress_->clear();
      fmt::print(stderr, "{} points failed and run again\n", failed);
      progress_->again(failed);
    }
    return points;
  }

  void ended(std::size_t index, const sweep::Outcome& outcome, fs::path output) {
    outcomes_[index] = outcome;
    outputs_[index] = std::move(output);
    ++runs_[index];
    state_ << sweep::to_line(keys_[index], outcome) << std::flush;
    progress_->add();
    progress_->show();
  }

  // There is no machine with these values, however often it is tried.
  void cannot_run(std::size_t index, const std::string& status) {
    outcomes_[index].status = status;
    runs_[index] = options_.retries + 1;
    progress_->add();
  }

  RoundEnd run_here() {
    const std::size_t width = options_.jobs != 0 ? options_.jobs : std::max(1U, std::thread::hardware_concurrency());
    sweep::Pool pool(width, spec_.seconds, [&](std::size_t index, const std::string& status) {
      ended(index, points_.finish(index, status), points_.file(index, ".out.err"));
    });
    pool.on_tick = [&] { progress_->show(); };
    for (auto points = pending(); !points.empty(); points = pending()) {
      for (const std::size_t i : points) {
        sweep::Job job;
        std::string status;
        if (!points_.prepare(i, job, keys_[i], status)) {
          cannot_run(i, status);
        } else if (!pool.start(i, job)) {
          return RoundEnd::asked_to_end;
        }
      }
      if (!pool.finish()) return RoundEnd::asked_to_end;
    }
    return RoundEnd::done;
  }

  RoundEnd run_on_slurm() {
    Slurm slurm(options_, text_, folder_ / "work");
    slurm.on_outcome = [&](std::size_t index, const sweep::Outcome& outcome) {
      const bool is_lost = outcome.status.starts_with("slurm: ");
      ended(index, outcome, is_lost ? slurm.folder() : slurm.folder() / fmt::format("{}.out.err", index));
    };
    slurm.on_tick = [&](const std::string& note) { progress_->show(note); };
    bool is_first = true;
    for (auto points = pending(); !points.empty(); points = pending()) {
      Slurm::Keyed keyed;
      for (const std::size_t i : points) {
        std::string status;
        if (keys_[i].empty()) keys_[i] = points_.key(i, status);
        if (keys_[i].empty()) {
          cannot_run(i, status);
        } else {
          keyed.emplace_back(i, keys_[i]);
        }
      }
      if (keyed.empty()) break;
      const RoundEnd end = is_first ? slurm.go_on(keyed) : slurm.run(keyed);
      if (end != RoundEnd::done) return end;
      is_first = false;
    }
    return RoundEnd::done;
  }

  // What arrays left stays where a point failed whose output is in it, and nothing else.
  void tidy() const {
    std::error_code code;
    std::vector<fs::path> folders;
    for (const auto& entry : fs::directory_iterator(folder_ / "work", code)) {
      if (entry.path().filename().string().starts_with("round-")) folders.push_back(fs::absolute(entry.path()).lexically_normal());
    }
    for (const fs::path& folder : folders) {
      bool is_needed = false;
      for (std::size_t i = 0; i < outcomes_.size() && !is_needed; ++i) {
        is_needed = !outcomes_[i].is_ok() && (outputs_[i] == folder || outputs_[i].parent_path() == folder);
      }
      if (is_needed) {
        fs::remove(folder / "plan.json", code);  // nothing is to be waited for there
      } else {
        fs::remove_all(folder, code);
      }
    }
    fs::remove(folder_ / "work", code);  // if nothing is left in it
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
    std::size_t failed = 0, went_well_later = 0;
    for (std::size_t i = 0; i < outcomes_.size(); ++i) {
      if (outcomes_[i].is_ok()) {
        went_well_later += runs_[i] > 1 ? 1 : 0;
        continue;
      }
      if (++failed > 10) continue;
      const std::string often = runs_[i] > 1 && !outputs_[i].empty() ? fmt::format(", {} times", runs_[i]) : "";
      const std::string where = outputs_[i].empty() ? "" : " (" + outputs_[i].string() + ")";
      complain(fmt::format("point {}: {}{}{}", i, outcomes_[i].status, often, where));
    }
    if (went_well_later > 0) fmt::print(stderr, "{} points went well when they ran again\n", went_well_later);
    fmt::print("{} points, {} failed: {}, {}\n", outcomes_.size(), failed, (folder_ / "sweep.csv").string(), (folder_ / "sweep.html").string());
    if (std::fflush(stdout) != 0) return exit_failed;
    return failed == 0 ? exit_ok : exit_failed;
  }

  const SweepOptions& options_;
  sweep::Spec spec_;
  sweep::json text_;
  fs::path folder_;
  Points points_;
  std::vector<sweep::Outcome> outcomes_;
  std::vector<std::string> keys_;
  std::vector<std::size_t> runs_;  // of each point, by this command
  std::vector<fs::path> outputs_;  // what failed points said
  std::ofstream state_;
  sweep::Progress* progress_ = nullptr;
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
  if (options.is_on_slurm) {
    const std::string why = Slurm(options, {}, fs::path(options.output) / "work").check();
    if (!why.empty()) return complain(why), exit_unusable;
  } else if (!options.slurm.empty()) {
    return complain("--slurm goes with --executor slurm"), exit_unusable;
  }
  Sweep sweep(options, std::move(spec), sweep::json::parse(text.str()));
  return sweep.check() ? sweep.run() : exit_unusable;
}

}  // namespace sluice::tools

#include "tools/command/sweep_slurm.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>
#include <system_error>

#include "tools/command/layout.h"
#include "tools/command/sweep_point.h"
#include "tools/sweep/pool.h"

namespace sluice::tools {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::size_t most_tasks_of_ours = 1000;
constexpr double answer_seconds = 120;
// So long may Slurm's controller be away (restarted, moved) before the sweep gives up on it.
constexpr std::chrono::minutes longest_silence(10);
// A result may be seen on this machine only some seconds after its task wrote it (network file systems).
constexpr int looks_after_the_end = 3;

std::string text_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string first_line(const std::string& text) {
  const std::string line = text.substr(0, text.find('\n'));
  return line.empty() ? "no answer" : line;
}

fs::path lines_file(const fs::path& folder, std::size_t task) { return folder / fmt::format("task-{}.jsonl", task); }

}  // namespace

Slurm::Slurm(const SweepOptions& options, sweep::json spec, fs::path work)
    : options_(options), spec_(std::move(spec)), work_(fs::absolute(std::move(work)).lexically_normal()) {}

std::string Slurm::name() const { return "sluice-" + folder_.filename().string(); }

Slurm::Answer Slurm::ask(const std::vector<std::string>& command) const {
  Answer answer;
  const fs::path output = folder_ / "answer";
  sweep::Pool pool(1, answer_seconds, [&](std::size_t, const std::string& status) { answer.status = status; });
  answer.asked_to_end = !pool.start(0, {command, output.string()}) || !pool.finish();
  answer.out = text_of(output);
  answer.err = text_of(output.string() + ".err");
  return answer;
}

std::string Slurm::check() const {
  for (const std::string& option : options_.slurm) {
    if (!option.starts_with("--")) return fmt::format("--slurm: found {}; allowed: an option of sbatch in one word, as --partition=NAME", option);
  }
  if (work_.string().find_first_of("\\\n") != std::string::npos) {
    return fmt::format("{}: sbatch takes no output file with a backslash or a line's end in its path", work_.string());
  }
  return {};
}

std::size_t Slurm::most_tasks() const {
  const Answer config = ask({"scontrol", "show", "config"});
  const std::size_t said = config.status == "ok" ? sweep::parse_most_tasks(config.out) : 0;
  std::size_t most = said == 0 ? most_tasks_of_ours : std::min(said, most_tasks_of_ours);
  if (options_.jobs != 0) most = std::min(most, options_.jobs);
  return most;
}

RoundEnd Slurm::run(const Keyed& points) {
  std::string name = (work_ / "round-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    fmt::print(stderr, "sluice sweep: {}: {}\n", name, std::strerror(errno));
    return RoundEnd::failed;
  }
  folder_ = name;
  sweep::Plan plan{spec_, points, std::min(points.size(), most_tasks())};
  std::ofstream(folder_ / "task.sh", std::ios::binary) << sweep::task_script;
  std::ofstream file(folder_ / "plan.json", std::ios::binary);
  file << sweep::to_text(plan);
  file.close();
  if (!file) {
    fmt::print(stderr, "sluice sweep: {}: cannot be written\n", (folder_ / "plan.json").string());
    return RoundEnd::failed;
  }
  std::vector<std::string> command = {"sbatch"};
  command.insert(command.end(), options_.slurm.begin(), options_.slurm.end());
  command.insert(command.end(), {"--parsable", "--job-name=" + this->name(), fmt::format("--array=0-{}", plan.tasks - 1),
                                 "--output=" + sweep::pattern_of((folder_ / "task-").string(), "%a.out"), (folder_ / "task.sh").string(),
                                 executable().string(), "__sweep-task", (folder_ / "plan.json").string()});
  const Answer answer = ask(command);
  const std::string job = sweep::parse_job(answer.out);
  if (answer.asked_to_end) return end_all();
  if (answer.status != "ok" || job.empty()) {
    const bool is_missing = answer.status.starts_with("not started");
    fmt::print(stderr, "sluice sweep: sbatch: {}{}\n", is_missing ? answer.status : first_line(answer.err.empty() ? answer.out : answer.err),
               is_missing ? "; --executor slurm needs sbatch, squeue, scontrol and scancel" : "");
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
    return RoundEnd::failed;
  }
  expect(plan, points);
  fmt::print(stderr, "Slurm job {}: {} points in {} tasks\n", job, points.size(), plan.tasks);
  return wait(plan);
}

RoundEnd Slurm::go_on(const Keyed& points) {
  std::vector<fs::path> folders;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(work_, code)) {
    if (entry.path().filename().string().starts_with("round-")) folders.push_back(entry.path());
  }
  const std::set<std::pair<std::size_t, std::string>> known(points.begin(), points.end());
  for (const fs::path& folder : folders) {
    folder_ = folder;
    sweep::Plan plan;
    std::ifstream in(folder / "plan.json", std::ios::binary);
    if (in && sweep::read_plan(in, plan)) {
      expect(plan, points);
      const Answer answer = ask({"squeue", "--noheader", "--array", "--name=" + name(), "--format=%K %T"});
      if (answer.asked_to_end) return RoundEnd::asked_to_end;
      const bool is_alive = answer.status != "ok" || !sweep::parse_tasks(answer.out).empty();
      const bool is_this = plan.spec == spec_ && !waited_for_.empty() && std::all_of(plan.points.begin(), plan.points.end(), [&](const auto& p) {
        return known.contains(p) || !waited_for_.contains(p.second);
      });
      if (is_alive && is_this) {
        fmt::print(stderr, "the job array of the sweep that was ended still runs and is waited for\n");
        const RoundEnd end = wait(plan);
        if (end != RoundEnd::done) return end;
        continue;
      }
      if (is_alive) cancel();
      collect(plan, true);
    }
    fs::remove_all(folder, code);
  }
  return RoundEnd::done;
}

void Slurm::expect(const sweep::Plan& plan, const Keyed& points) {
  std::set<std::string> planned;
  for (const auto& [index, key] : plan.points) planned.insert(key);
  waited_for_.clear();
  for (const auto& [index, key] : points) {
    if (planned.contains(key)) waited_for_[key].push_back(index);
  }
  read_.assign(plan.tasks, 0);
}

void Slurm::collect(const sweep::Plan& plan, bool only_good) {
  for (std::size_t task = 0; task < plan.tasks; ++task) {
    std::ifstream in(lines_file(folder_, task), std::ios::binary);
    if (!in.seekg(read_[task])) continue;
    std::string text{std::istreambuf_iterator<char>(in), {}};
    text.resize(text.rfind('\n') + 1);  // the last line may not be whole yet
    read_[task] += static_cast<std::streamoff>(text.size());
    std::istringstream lines(text);
    for (const auto& [key, outcome] : sweep::read_lines(lines)) {
      const auto found = waited_for_.find(key);
      if (found == waited_for_.end() || (only_good && !outcome.is_ok())) continue;
      const std::vector<std::size_t> indices = std::move(found->second);
      waited_for_.erase(found);
      for (const std::size_t index : indices) on_outcome(index, outcome);
    }
  }
}

RoundEnd Slurm::wait(const sweep::Plan& plan) {
  std::map<std::size_t, std::string> states;
  Clock::time_point heard = Clock::now();
  Clock::time_point next_question = heard + std::chrono::seconds(1);
  std::chrono::seconds between(1);
  std::string note;
  int looks_left = looks_after_the_end;
  while (true) {
    const Clock::time_point begin = Clock::now();
    collect(plan, false);
    if (waited_for_.empty()) return RoundEnd::done;
    if (begin >= next_question) {
      const Answer answer = ask({"squeue", "--noheader", "--array", "--states=all", "--name=" + name(), "--format=%K %T"});
      if (answer.asked_to_end) return end_all();
      if (answer.status == "ok") {
        heard = Clock::now();
        for (const auto& [task, state] : sweep::parse_tasks(answer.out)) states[task] = state;
        const auto now = sweep::parse_tasks(answer.out);
        const auto over = std::count_if(now.begin(), now.end(), [](const auto& t) { return sweep::is_over(t.second); });
        const auto waiting = std::count_if(now.begin(), now.end(), [](const auto& t) { return t.second == "PENDING"; });
        note = fmt::format("{} tasks run, {} wait", static_cast<std::ptrdiff_t>(now.size()) - over - waiting, waiting);
        // Slurm forgets jobs some minutes after their end.
        if (static_cast<std::size_t>(over) == now.size() && --looks_left < 0) break;
      } else if (Clock::now() - heard > longest_silence) {
        fmt::print(stderr, "sluice sweep: squeue: {}\n", first_line(answer.err));
        return RoundEnd::failed;
      }
      between = std::min(between + std::chrono::seconds(1), std::chrono::seconds(looks_left < looks_after_the_end ? 1 : 10));
      next_question = Clock::now() + between;
    }
    on_tick(note);
    // A file system that is slow is not asked without a pause.
    const double took = std::chrono::duration<double>(Clock::now() - begin).count();
    if (sweep::HeldSignals::wait(std::clamp(10 * took, 0.3, 10.0))) return end_all();
  }
  for (std::size_t i = 0; i < plan.points.size(); ++i) {
    const auto found = waited_for_.find(plan.points[i].second);
    if (found == waited_for_.end()) continue;
    const auto state = states.find(i % plan.tasks);
    sweep::Outcome lost;
    lost.status = "slurm: " + (state == states.end() || state->second == "COMPLETED" ? "lost" : state->second);
    for (const std::size_t index : found->second) on_outcome(index, lost);
    waited_for_.erase(found);
  }
  return RoundEnd::done;
}

RoundEnd Slurm::end_all() const {
  cancel();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
  return RoundEnd::asked_to_end;
}

void Slurm::cancel() const {
  (void)ask({"scancel", "--name=" + name()});
}

int sweep_task(const std::string& plan_file) {
  const auto complain = [&](const char* what) {
    fmt::print(stderr, "sluice __sweep-task: {}: {}\n", plan_file, what);
    return exit_unusable;
  };
  sweep::Plan plan;
  std::ifstream in(plan_file, std::ios::binary);
  sweep::Spec spec;
  if (!in || !sweep::read_plan(in, plan) || !sweep::parse_spec(plan.spec.dump(), spec).empty()) return complain("no plan of a sweep");
  const char* number = std::getenv("SLURM_ARRAY_TASK_ID");
  std::size_t task = plan.tasks;
  if (number != nullptr) std::from_chars(number, number + std::strlen(number), task);
  if (task >= plan.tasks) return complain("SLURM_ARRAY_TASK_ID is none of its tasks");

  const sweep::HeldSignals held;
  const fs::path folder = fs::path(plan_file).parent_path();
  const Points points(spec, folder);
  // A task that Slurm starts again goes on where it was.
  std::ifstream before(lines_file(folder, task), std::ios::binary);
  const auto done = sweep::read_lines(before);
  std::ofstream lines = sweep::open_lines(lines_file(folder, task));
  for (std::size_t i = task; i < plan.points.size(); i += plan.tasks) {
    const auto& index = plan.points[i].first;  // no structured binding: clang 14 captures none
    const auto& key = plan.points[i].second;
    if (done.contains(key) || index >= spec.point_count()) continue;
    sweep::Outcome outcome;
    sweep::Job job;
    std::string ignored;
    if (points.prepare(index, job, ignored, outcome.status)) {
      sweep::Pool pool(1, spec.seconds, [&](std::size_t, const std::string& status) { outcome = points.finish(index, status); });
      if (!pool.start(0, job) || !pool.finish()) return exit_failed;
    }
    // A task that Slurm ends tells nothing of the point that was ended with it; its own signal may come a little later.
    for (int looks = 0; looks < 10 && outcome.status == "signal 15"; ++looks) {
      if (sweep::HeldSignals::wait(0.1)) return exit_failed;
    }
    lines << sweep::to_line(key, outcome) << std::flush;
    if (!lines) return complain("its results cannot be written");
  }
  return exit_ok;
}

}  // namespace sluice::tools

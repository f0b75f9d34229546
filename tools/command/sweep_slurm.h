// Points of a sweep as job arrays of a Slurm cluster, through its own commands.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tools/command/commands.h"
#include "tools/sweep/results.h"
#include "tools/sweep/slurm.h"

namespace sluice::tools {

enum class RoundEnd { done, asked_to_end, failed };

class Slurm {
 public:
  using Keyed = std::vector<std::pair<std::size_t, std::string>>;  // index and key of points
  // What each array writes lies in a folder of its own in `work`, which every node must see.
  Slurm(const SweepOptions& options, sweep::json spec, std::filesystem::path work);

  std::function<void(std::size_t index, const sweep::Outcome&)> on_outcome;
  std::function<void(const std::string& note)> on_tick;

  // Why it cannot be, "" otherwise.
  [[nodiscard]] std::string check() const;
  // What a sweep that was killed left: its results are taken, and an array that still runs these points is waited for.
  // Others are cancelled.
  [[nodiscard]] RoundEnd go_on(const Keyed& points);
  [[nodiscard]] RoundEnd run(const Keyed& points);
  // Where the array that runs leaves what its points say.
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

 private:
  struct Answer {
    std::string status;  // "ok", or how it ended
    std::string out;
    std::string err;
    bool asked_to_end = false;
  };
  [[nodiscard]] Answer ask(const std::vector<std::string>& command) const;
  [[nodiscard]] RoundEnd wait(const sweep::Plan& plan);
  void expect(const sweep::Plan& plan, const Keyed& points);
  void collect(const sweep::Plan& plan, bool only_good);
  void cancel() const;
  [[nodiscard]] RoundEnd end_all() const;
  [[nodiscard]] std::string name() const;  // of the array
  [[nodiscard]] std::size_t most_tasks() const;

  const SweepOptions& options_;
  sweep::json spec_;
  std::filesystem::path work_;
  std::filesystem::path folder_;  // of the array that runs
  std::map<std::string, std::vector<std::size_t>> waited_for_;  // indices by key
  std::vector<std::streamoff> read_;                            // of each task's file
};

}  // namespace sluice::tools

// One point of a sweep: what has to run for it, and what came of it.
#pragma once

#include <filesystem>
#include <string>

#include "sim/profile/load.h"
#include "tools/sweep/pool.h"
#include "tools/sweep/results.h"
#include "tools/sweep/spec.h"

namespace sluice::tools {

// A shipped profile's file, or the file itself, from wherever it is read.
[[nodiscard]] std::string base_path(const std::string& profile);

class Points {
 public:
  // Profiles, traces and output of the points lie in `work`.
  Points(const sweep::Spec& spec, std::filesystem::path work);

  [[nodiscard]] profile::Loaded load(const sweep::Spec& spec, const sweep::Point& point) const;
  // Empty: it cannot run, and `status` says why.
  [[nodiscard]] std::string key(std::size_t index, std::string& status) const;
  // False: it cannot run, and `status` says why.
  [[nodiscard]] bool prepare(std::size_t index, sweep::Job& job, std::string& key, std::string& status) const;
  // After its job ended like that. The output of a point that failed is kept.
  [[nodiscard]] sweep::Outcome finish(std::size_t index, const std::string& status) const;
  [[nodiscard]] std::filesystem::path file(std::size_t index, const char* ending) const;

 private:
  void read_trace(std::size_t index, sweep::Outcome& outcome) const;
  void read_times(std::size_t index, sweep::Outcome& outcome) const;

  const sweep::Spec& spec_;
  std::filesystem::path work_;
  std::string stamp_;
};

}  // namespace sluice::tools

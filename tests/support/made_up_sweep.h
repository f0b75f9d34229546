// The page of a sweep of a program with 5,000 points over three parameters, some of which failed.
#pragma once

#include <stdexcept>
#include <vector>

#include "tools/sweep/results.h"
#include "tools/sweep/spec.h"

namespace sluice::sweep {

inline page::Page page_of_five_thousand_points() {
  Spec spec;
  const auto problems = parse_spec(
      R"({"profile":"p","program":["./a","x"],"vary":{"/link/lanes":{"from":1,"to":25,"step":1},)"
      R"("/link/mps_bytes":{"from":1,"to":20,"step":1},"/host/copy/memory_gbps":{"from":1,"to":10,"step":1}}})",
      spec);
  std::vector<Outcome> outcomes(spec.point_count());
  if (!problems.empty() || outcomes.size() != 5000) throw std::logic_error("made_up_sweep.h is wrong");
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    Outcome& outcome = outcomes[i];
    outcome.status = i % 1000 == 7 ? "timeout" : "ok";
    outcome.commands = 1000;
    outcome.elapsed_ps = 123'456'789 + 1'000'003 * i;
    outcome.time_ps = 2 * outcome.elapsed_ps;
    for (TimePs& stage : outcome.stages) stage = outcome.time_ps / stage_count;
  }
  return make_page(spec, outcomes);
}

}  // namespace sluice::sweep

// Another format of a trace that is there already.
#pragma once

#include <string>
#include <vector>

namespace sluice::trace {

struct Conversion {
  std::string error{};         // "FILE: REASON"
  bool output_failed = false;  // it is one of an output's; else the trace cannot be used
  std::string cut_off{};       // of a trace whose last line is not there: what is wrong with it
};

// Reads the JSON Lines trace `from` once and writes each file of `to` in the format of its name, whole or not at all, in
// memory that does not grow with the trace. `device_name`: JSON Lines does not tell it; empty: devices are numbered only.
[[nodiscard]] Conversion convert(const std::string& from, const std::vector<std::string>& to,
                                 const std::string& device_name = {});

}  // namespace sluice::trace

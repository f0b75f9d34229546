// Rows of a measuring program, measured or simulated: what was done, and how long each part of it took.
//
// A data file is JSON Lines. Its first row describes the run: {"program": "clprobe", "arguments": ["67108864", "15"],
// "device": "NVIDIA H200", ...}, with "brief", if there, the arguments with fewer repetitions: a simulation repeats itself
// exactly and gives the same rows sooner. Each other row has "op" (or "probe"), parameters that tell it from the others,
// and times in ns under the names that quantity_kind() knows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <istream>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::validate {

// Device: between stamps of events. Program: seen by the program's own clock. Other: a number that is not compared.
// None: no number of the run, but a parameter.
enum class Kind : std::uint8_t { none, device, program, other };

struct Row {
  std::string op;
  std::string key;    // operation and parameters, canonical: rows of equal key are the same point
  std::vector<std::pair<std::string, std::string>> fields;  // operation ("op") and parameters, words without quotes
  double bytes = -1;  // -1: the row names no size
  std::size_t line = 0;
  std::map<std::string, double> times_ns;
};

// A row, or one time of it, that cannot be compared, and why.
struct Skipped {
  std::size_t line = 0;
  std::string what;
  std::string reason;
};

struct Measurements {
  std::string program;
  std::string device;
  std::vector<std::string> arguments;
  std::vector<std::string> brief;
  std::vector<Row> rows;
  std::vector<Skipped> skipped;
};

[[nodiscard]] Kind quantity_kind(std::string_view field);

// Rows of devices other than `device` are skipped; an empty name takes all. What cannot be used is in `skipped`: device times
// up to `step_ns`, too, which say no more than how the stamps' steps fell.
[[nodiscard]] Measurements read_measurements(std::istream& in, const std::string& device, double step_ns = 0);

}  // namespace sluice::validate

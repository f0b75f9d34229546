// Figures that others have published, against the model of what they measured.
//
// The data file is JSON Lines of three kinds:
//   {"profile", "device", "test", "bytes", "value", "unit", "source", ...}      a figure; `publicprobe` repeats the test
//       with "printed": how it was published, if "value" was worked out of it; "moved_bytes": what a rate counts, if not
//       "bytes"; "role": "fit" where the profile's constants were read off that same source
//   {"profile", "device", "figure", "source", "not_compared"}                   a figure that no test here repeats, and why
//   {"profile", "tests", "mechanism"}                                           what makes the model miss figures of these tests
#pragma once

#include <cstdint>
#include <istream>
#include <map>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "tools/validate/measurements.h"

namespace sluice::validate {

struct Figure {
  std::string profile;
  std::string device;
  std::string test;
  std::string unit;  // "GB/s", "us", "ns"
  std::string source;
  std::string printed;
  double value = 0;
  std::uint64_t bytes = 0;        // of the test
  std::uint64_t moved_bytes = 0;  // that a rate counts
  bool fitted = false;
  double simulated = 0;  // in `unit`; 0: the simulated run has no such row
  // Of the time, whatever the unit: above zero where the model is slower.
  [[nodiscard]] double error() const { return unit == "GB/s" ? value / simulated - 1 : simulated / value - 1; }
};

struct NotCompared {
  std::string profile;
  std::string device;
  std::string figure;
  std::string source;
  std::string reason;
};

struct PublishedFigures {
  std::vector<Figure> figures;
  std::vector<NotCompared> not_compared;
  std::map<std::pair<std::string, std::string>, std::string> mechanisms;  // by profile and test
  std::vector<Skipped> skipped;
};

// Errors above this have to name their mechanism.
inline constexpr double far_off = 0.15;

[[nodiscard]] PublishedFigures read_published(std::istream& in);
// What `publicprobe` must be given to repeat the figures of a profile.
[[nodiscard]] std::vector<std::string> probe_arguments(const PublishedFigures& published, const std::string& profile);
// Rows of `publicprobe` under that profile.
void take_simulated(std::istream& rows, const std::string& profile, PublishedFigures& published);

struct PublishedProfile {
  std::string name;
  std::string grade;
};
void write_published(std::ostream& out, const PublishedFigures& published, const std::vector<PublishedProfile>& profiles);
void write_published_json(std::ostream& out, const PublishedFigures& published, const std::vector<PublishedProfile>& profiles);

}  // namespace sluice::validate

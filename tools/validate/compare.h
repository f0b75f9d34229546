// Measured rows against simulated ones: relative errors by operation, kind of time and size class.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tools/validate/measurements.h"

namespace sluice::validate {

// One time of one point, on silicon and in the model.
struct Pair {
  std::string file;    // of the measurement
  std::size_t line = 0;
  bool fitted = false; // a constant of the profile was fitted to this row
  std::string subject; // "transfer", "kernel", "queue", "program": what the published limits tell apart
  std::string op;
  std::string key;
  std::string quantity;
  Kind kind = Kind::device;
  double bytes = -1;
  double measured_ns = 0;
  double simulated_ns = 0;
  [[nodiscard]] double error() const { return (simulated_ns - measured_ns) / measured_ns; }
};

struct Statistics {
  std::size_t count = 0;
  double median = 0;  // of the errors' sizes
  double p90 = 0;
  double worst = 0;
  double bias = 0;    // median of the errors with their signs
};
[[nodiscard]] Statistics statistics(const std::vector<const Pair*>& pairs);

// "4 KiB and less", "to 64 KiB" ...; "" if the row names no size.
[[nodiscard]] std::string size_class(double bytes);

// What a measuring program measures, as the limits tell it apart.
[[nodiscard]] std::string subject_of(const std::string& program, const Row& row);

// Appends what can be compared; `fitted` says of a row whether it fitted the profile. Measured rows without a simulated one
// go to `skipped`.
void pair_up(const Measurements& measured, const Measurements& simulated, const std::string& file,
             const std::function<bool(const Row&)>& fitted, std::vector<Pair>& pairs, std::vector<Skipped>& skipped);

}  // namespace sluice::validate

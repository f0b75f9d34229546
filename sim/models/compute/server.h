// A serial server in fixed point: costs of a fraction of a picosecond add up without loss.
#pragma once

#include <cmath>
#include <cstdint>

#include "sim/iface/time.h"

namespace sluice::compute {

// A duration in 1/65536 ps.
using Cost = std::uint64_t;
inline constexpr unsigned cost_bits = 16;

[[nodiscard]] inline Cost cost_of_ps(double ps) {
  return static_cast<Cost>(std::llround(ps * (1U << cost_bits)));
}
[[nodiscard]] constexpr TimePs to_ps(Cost cost) noexcept {
  return (cost + (1U << (cost_bits - 1))) >> cost_bits;
}

class Server {
 public:
  // Serves what arrives at `at`, behind what came before; returns when it is done.
  TimePs serve(TimePs at, Cost cost) noexcept {
    if (at > free_) {
      free_ = at;
      carry_ = 0;
    }
    carry_ += cost;
    busy_ += cost;
    free_ += carry_ >> cost_bits;
    carry_ &= (1U << cost_bits) - 1;
    return free_;
  }
  // Something else says that what arrives at `at` is done at `done`.
  TimePs serve_until(TimePs at, TimePs done) noexcept {
    const TimePs begin = at > free_ ? at : free_;
    if (done > begin) {
      busy_ += static_cast<Cost>(done - begin) << cost_bits;
      free_ = done;
      carry_ = 0;
    }
    return done;
  }
  [[nodiscard]] TimePs free_at() const noexcept { return free_; }
  // All that it has served since the last reset_busy().
  [[nodiscard]] Cost busy() const noexcept { return busy_; }
  // As if all had come that much later.
  void delay(TimePs later) noexcept { free_ += later; }
  void reset_busy() noexcept { busy_ = 0; }

 private:
  TimePs free_ = 0;
  Cost carry_ = 0;
  Cost busy_ = 0;
};

}  // namespace sluice::compute

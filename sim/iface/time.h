// Simulated time: an unsigned count of picoseconds since the simulator was opened.
// Picoseconds because the fastest part modelled (a 64 GT/s lane, a 3.2 GHz HBM clock) needs sub-nanosecond steps
// and 2^64 ps still last 213 days.
#pragma once

#include <cstdint>
#include <limits>

namespace sluice {

using TimePs = std::uint64_t;

inline constexpr TimePs ps_per_ns = 1'000;
inline constexpr TimePs ps_per_us = 1'000'000;
inline constexpr TimePs time_never = std::numeric_limits<TimePs>::max();

// Nanoseconds as OpenCL's profiling counters report them (truncated; CL_PROFILING_* are in ns).
[[nodiscard]] constexpr std::uint64_t to_ns(TimePs t) noexcept { return t / ps_per_ns; }

}  // namespace sluice

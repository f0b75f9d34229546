// The IOMMU against pcie-bench's sweeps of the window, on a machine with its IOMMU on and off (pciebench_windows.json).
// The device reads or writes at random places of a window; what the IOMMU takes from the bandwidth that it has without is
// predicted.
//
// Fitted on the latency sweep: entries (128 of which others hold 9) and the time of a walk; on two points of bandwidth,
// 64 bytes in 64 MiB, read and write: the walkers and what a walk keeps them for. All other points of bandwidth are
// predictions. That the device has 16 requests in flight at least is an assumption about it, not a measurement. A walk's
// parts cannot be told apart here, so one read of a page table stands for it all.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <random>
#include <vector>

#include "sim/models/iommu/iommu.h"

namespace sluice::iommu {
namespace {

using nlohmann::json;

json measured() {
  std::ifstream in(PCIEBENCH_WINDOWS);
  return json::parse(in);
}

profile::Iommu haswell() {
  profile::Iommu p;
  p.entries = 128;
  p.shared_entries = 9;
  p.walkers = 6;
  p.llc_read_ps = 267'000;
  p.read_release_ps = 45'000;
  p.write_release_ps = 5'000;
  return p;
}

class RandomPlaces {
 public:
  RandomPlaces(std::uint64_t window, std::uint64_t bytes) : bytes_(bytes), units_(std::max<std::uint64_t>(1, window / bytes)) {}
  std::uint64_t operator()() { return random_() % units_ * bytes_; }

 private:
  std::mt19937_64 random_{1};
  std::uint64_t bytes_;
  std::uint64_t units_;
};

TEST(IommuPcieBench, LatencyOfSingleReads) {
  double worst = 0;
  int points = 0;
  const json data = measured();
  for (const json& point : data["latency_ns"]["points"]) {
    const auto window = point[0].get<std::uint64_t>();
    Iommu iommu(haswell());
    RandomPlaces place(window, 64);
    constexpr int warm = 20'000;
    constexpr int reads = 40'000;
    double sum = 0;
    for (int i = 0; i < warm + reads; ++i) {
      const TimePs at = static_cast<TimePs>(i) * 1'000'000;  // one at a time
      const TimePs took = iommu.translate(place(), at, true) - at;
      if (i >= warm) sum += static_cast<double>(took);
    }
    const double predicted = point[1].get<double>() + sum / reads / 1000;
    const double error = predicted / point[2].get<double>() - 1;
    std::cout << "latency " << window / 1024 << " KiB: " << predicted << " ns, measured " << point[2] << "\n";
    worst = std::max(worst, std::abs(error));
    ++points;
  }
  EXPECT_EQ(points, 12);
  EXPECT_LT(worst, 0.005);
}

// Requests a nanosecond. The device issues at the rate that it has without an IOMMU, with `window` requests out at most,
// whose completions it takes in order.
double rate(std::uint64_t window_bytes, std::uint64_t bytes, bool read, double base, double latency_ns, std::size_t window) {
  constexpr std::size_t requests = 12'000;
  Iommu iommu(haswell());
  RandomPlaces place(window_bytes, bytes);
  std::vector<double> done(requests);
  double issue = 0;
  double last = 0;
  for (std::size_t i = 0; i < requests; ++i) {
    issue += 1 / base;
    if (i >= window) issue = std::max(issue, done[i - window]);
    const TimePs ready = iommu.translate(place(), static_cast<TimePs>(std::llround(issue * 1000)), read);
    done[i] = last = std::max(last, static_cast<double>(ready) / 1000 + latency_ns);
  }
  constexpr std::size_t warm = requests / 4;
  return static_cast<double>(requests - 1 - warm) / (done.back() - done[warm]);
}

TEST(IommuPcieBench, BandwidthByWindow) {
  double sum = 0;
  double worst = 0;
  int points = 0;
  const json data = measured();
  for (const json& sweep : data["bandwidth_gbit_per_s"]) {
    const bool read = sweep["direction"] == "read";
    const auto bytes = sweep["bytes"].get<std::uint64_t>();
    // Latency without an IOMMU: lat_dma_sizes of the same machine, 560 ns and 0.292 ns a byte. Writes are posted: only the
    // root port's buffer holds them up.
    const double latency_ns = read ? 560 + 0.292 * (static_cast<double>(bytes) - 64) : 200;
    for (const json& point : sweep["points"]) {
      if (point[0] <= 256U << 10) continue;  // fits the IO-TLB: as without IOMMU, which would flatter the mean
      const double off = point[1];
      const double on = point[2];
      const double base = off / 8 / static_cast<double>(bytes);
      // As many requests as keep up that rate (Little's law), and 16 at least.
      const auto little = static_cast<std::size_t>(std::llround(base * latency_ns));
      const std::size_t window = read ? std::max<std::size_t>(16, little) : 64;
      const double predicted =
          std::min(off, rate(point[0], bytes, read, base, latency_ns, window) * static_cast<double>(bytes) * 8);
      const double error = std::abs(predicted / on - 1);
      sum += error;
      worst = std::max(worst, error);
      ++points;
    }
  }
  std::cout << points << " points: mean error " << 100 * sum / points << " %, worst " << 100 * worst << " %\n";
  EXPECT_EQ(points, 160);
  EXPECT_LT(sum / points, 0.059);
  EXPECT_LT(worst, 0.275);
}

}  // namespace
}  // namespace sluice::iommu

// Fills on the device by pattern size against an H200 (tests/silicon/memprobe.cpp). The rows of 32 MiB fitted the engine's
// constants; those of 24 MiB fitted nothing.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sim/iface/simulator.h"

namespace sluice {
namespace {

double fill_ns(Simulator& sim, CommandId id, std::uint64_t bytes, std::uint64_t pattern, Completion& last) {
  const std::vector<std::byte> value(pattern);
  Command c;
  c.id = id;
  c.queue = 1;
  c.op = Operation::fill_buffer;
  c.direction = Direction::device_to_device;
  c.shape.row_bytes = bytes;
  c.fill.assign(value.data(), value.size());
  c.target.placement = Placement::device;
  c.target.address = 1 << 20;
  c.source = c.target;
  c.moves_data = false;
  sim.enqueue(c, sim.now());
  EXPECT_TRUE(sim.run_until_complete(id));
  return static_cast<double>(last.ended - last.started) / 1000.0;
}

// The largest error over rows of `file` of so many bytes.
double worst_error(const std::string& file, std::uint64_t bytes) {
  SimulatorOptions options;
  options.profile = "h200-pcie5";
  std::vector<std::string> errors;
  const auto sim = open_simulator(options, errors);
  if (sim == nullptr) {
    ADD_FAILURE() << (errors.empty() ? "one simulator a process" : errors.front());
    return 1;
  }
  Completion last;
  sim->on_completion([&](const Completion& c) { last = c; });
  std::ifstream in(std::string(SILICON_DIR) + "/" + file);
  double worst = 0;
  CommandId id = 0;
  for (std::string line; std::getline(in, line);) {
    const auto row = nlohmann::json::parse(line);
    if (row.value("op", "") != "fill_pattern" || row["bytes"] != bytes) continue;
    const double ours = fill_ns(*sim, ++id, bytes, row["pattern"], last);
    const double error = ours / row["start_end"].get<double>() - 1;
    std::printf("pattern %3d: measured %7.0f ns, model %7.0f ns, %+.1f %%\n", row["pattern"].get<int>(),
                row["start_end"].get<double>(), ours, 100 * error);
    worst = std::max(worst, std::abs(error));
  }
  EXPECT_EQ(id, 8U);
  return worst;
}

TEST(FillSilicon, FittedRows) { EXPECT_LT(worst_error("h200_memprobe_fit.jsonl", 32 << 20), 0.06); }
TEST(FillSilicon, RowsThatFittedNothing) { EXPECT_LT(worst_error("h200_memprobe_between.jsonl", 24 << 20), 0.10); }

}  // namespace
}  // namespace sluice

// Kernels against silicon: the launches of tests/silicon/clprobe.cpp and cuprobe.cu on the model of an H200, against
// what an H200 took. The records stand for what the probes' kernels do; launch, dispatch, caches, memory and link are
// ours.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sim/iface/simulator.h"
#include "tests/timing/synthetic_kernels.h"

namespace sluice {
namespace {

using nlohmann::json;
constexpr std::uint64_t device_base = 0x200000000000;
constexpr std::uint64_t host_base = 0x210000000000;
constexpr std::uint64_t room = 1ULL << 30;

std::vector<json> rows(const char* file) {
  std::ifstream in(std::string(SILICON_DIR) + "/" + file);
  std::vector<json> all;
  for (std::string line; std::getline(in, line);) all.push_back(json::parse(line));
  return all;
}

class Silicon : public ::testing::Test {
 protected:
  void SetUp() override {
    SimulatorOptions options;
    options.profile = "h200-pcie5";
    options.kernels = &engine;
    std::vector<std::string> errors;
    sim = open_simulator(options, errors);
    ASSERT_NE(sim, nullptr) << (errors.empty() ? "" : errors.front());
    sim->on_completion([this](const Completion& c) { last = c; });
    map.add({reinterpret_cast<std::byte*>(device_base), room, Placement::device, 1 << 20});
    map.add({reinterpret_cast<std::byte*>(host_base), room, Placement::host_pinned, 1ULL << 32});
  }
  EnqueueStamps enqueue(std::shared_ptr<const KernelModule> module, const NdRange& range, TimePs at) {
    auto launch = std::make_shared<KernelLaunch>();
    launch->module = std::move(module);
    launch->range = range;
    launch->memory = &map;
    Command c;
    c.id = ++id;
    c.queue = 1;
    c.op = Operation::kernel;
    c.kernel = launch;
    return sim->enqueue(c, at);
  }
  // START to END in ns of the second of two launches: the probes warm up, too.
  double run(const std::shared_ptr<const KernelModule>& module, const NdRange& range) {
    for (int i = 0; i < 2; ++i) {
      enqueue(module, range, sim->now());
      EXPECT_TRUE(sim->run_until_complete(id));
    }
    return static_cast<double>(last.ended - last.started) / 1000.0;
  }
  // One line a row, and the error.
  double compare(const json& row, const char* measured_key, double ours) {
    const double measured = row[measured_key];
    const double error = (ours - measured) / measured;
    std::printf("%-15s %10ld B stride %4d: measured %9.0f ns, model %9.0f ns, %+5.1f %%\n",
                row["op"].get<std::string>().c_str(), row["bytes"].get<long>(), row.value("stride", 0), measured, ours,
                100 * error);
    return std::abs(error);
  }
  static double median(std::vector<double> v) {
    std::sort(v.begin(), v.end());
    return v.empty() ? 1.0 : v[v.size() / 2];
  }

  synthetic::Engine engine;
  MemoryMap map;
  std::unique_ptr<Simulator> sim;
  CommandId id = 0;
  Completion last;
};

TEST_F(Silicon, OpenclKernelRows) {
  constexpr std::uint64_t items = 132 * 2048;
  std::vector<double> errors;
  for (const json& row : rows("h200_opencl_fit.jsonl")) {
    const std::string op = row.value("op", "");
    const std::uint64_t bytes = row.value("bytes", 0ULL);
    double ours = 0;
    const char* key = "start_end";
    if (op == "nop_kernel") {
      ours = run(synthetic::nop(), synthetic::linear(64, 64));
    } else if (op == "nop_kernel_x64") {
      key = "wall_med";
      const TimePs begin = sim->now();
      TimePs at = begin;
      for (int i = 0; i < 64; ++i) at = enqueue(synthetic::nop(), synthetic::linear(64, 64), at).returned;
      EXPECT_TRUE(sim->run_until_complete(id));
      ours = static_cast<double>(last.visible - begin) / 1000.0;
    } else if (op == "kernel_read" || op == "kernel_write") {
      const std::uint64_t stride = row["stride"];
      ours = run(synthetic::grid_stride("rd", op == "kernel_read" ? AccessKind::load : AccessKind::store, device_base,
                                        bytes / stride, stride, 16, items),
                 synthetic::linear(items, 256));
    } else if (op == "vector_add") {
      ours = run(synthetic::vector_add(device_base, device_base + bytes, device_base + 2 * bytes),
                 synthetic::linear(bytes / 4, 256));
    } else if (op == "pointer_chase") {
      ours = run(synthetic::chase(device_base, bytes, row["hops"]), synthetic::linear(1, 1));
    } else {
      continue;
    }
    const double error = compare(row, key, ours);
    EXPECT_LT(error, 0.10) << row;
    errors.push_back(error);
  }
  EXPECT_EQ(errors.size(), 14U);  // as many rows as the data have
  EXPECT_LT(median(errors), 0.10);
}

TEST_F(Silicon, ZeroCopyRows) {
  constexpr std::uint64_t items = 132 * 8 * 256;
  std::vector<double> errors;
  for (const json& row : rows("h200_cuda_fit.jsonl")) {
    const std::string op = row.value("op", "");
    if (op.rfind("zc_", 0) != 0) continue;
    const std::uint64_t bytes = row["bytes"];
    const std::uint64_t stride = row["stride"];
    double ours = 0;
    if (op == "zc_chase") {
      if (row["state"] != "flushed") continue;  // what the program did to the lines before is not told here
      ours =
          run(synthetic::chase(host_base, bytes, std::min<std::uint64_t>(4000, bytes / 128)), synthetic::linear(1, 1));
    } else {
      const std::uint32_t width = op.back() == '4' ? 4 : 16;
      const auto kind = op.rfind("zc_read", 0) == 0 ? AccessKind::load : AccessKind::store;
      ours = run(synthetic::grid_stride("zc", kind, host_base, bytes / stride, stride, width, items),
                 synthetic::linear(items, 256));
    }
    const double error = compare(row, "gpu_med", ours);
    // A lone partial write to a line in the host's last-level cache takes 1.3 ns, others 2.0; the model knows the
    // latter.
    const bool lone_write = op.rfind("zc_write", 0) == 0 && stride == 128;
    EXPECT_LT(error, lone_write ? 0.45 : 0.20) << row;
    errors.push_back(error);
  }
  EXPECT_GE(errors.size(), 30U);
  EXPECT_LT(median(errors), 0.10);
}

}  // namespace
}  // namespace sluice

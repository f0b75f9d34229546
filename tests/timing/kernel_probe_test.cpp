// The probes of tests/silicon/kernprobe.cpp on the model of an H200, against what an H200 took. The records stand for
// what the probes' kernels do once a compiler has unrolled their loops by four. Each row says whether it fitted a constant
// or validates them; docs/model.md has the table.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sim/iface/simulator.h"
#include "tests/timing/synthetic_kernels.h"

namespace sluice {
namespace {

using nlohmann::json;
using synthetic::WaveWriter;
constexpr std::uint64_t device_base = 0x200000000000;
constexpr std::uint64_t units = 132;

// Of a loop around four instructions' worth of work: counter, comparison, branch, once in four rounds.
void loop(WaveWriter& w, std::uint64_t rounds) {
  w.issue(InstructionClass::integer, rounds / 2);
  w.issue(InstructionClass::control, rounds / 4);
}

class Probe : public ::testing::Test {
 protected:
  void SetUp() override {
    SimulatorOptions options;
    options.profile = "h200-pcie5";
    options.kernels = &engine;
    std::vector<std::string> errors;
    sim = open_simulator(options, errors);
    ASSERT_NE(sim, nullptr) << (errors.empty() ? "" : errors.front());
    sim->on_completion([this](const Completion& c) { last = c; });
    map.add({reinterpret_cast<std::byte*>(device_base), 1ULL << 30, Placement::device, 1 << 20});
    empty = run(synthetic::nop(), 32, 32);
    for (const json& row : rows()) {
      if (row.value("probe", "") == "dispatch" && row["groups"] == 1 && row["local"] == 32) measured_empty = row["ns"];
    }
  }
  static std::vector<json> rows() {
    std::ifstream in(std::string(SILICON_DIR) + "/h200_kernprobe.jsonl");
    std::vector<json> all;
    for (std::string line; std::getline(in, line);) all.push_back(json::parse(line));
    return all;
  }
  void enqueue(const std::shared_ptr<const KernelModule>& module, std::uint64_t global, std::uint64_t local,
               QueueId queue = 1) {
    auto launch = std::make_shared<KernelLaunch>();
    launch->module = module;
    launch->range = synthetic::linear(global, local);
    launch->memory = &map;
    Command c;
    c.id = ++id;
    c.queue = queue;
    c.op = Operation::kernel;
    c.kernel = launch;
    sim->enqueue(c, sim->now());
  }
  // START to END in ns.
  double run(const std::shared_ptr<const KernelModule>& module, std::uint64_t global, std::uint64_t local) {
    enqueue(module, global, local);
    EXPECT_TRUE(sim->run_until_complete(id));
    return static_cast<double>(last.ended - last.started) / 1000.0;
  }
  // Prints the row; the empty launch of either machine apart, which differs from host to host.
  double compare(const json& row, double ours, bool fitted) {
    const double measured = row["ns"].get<double>() - measured_empty;
    ours -= empty;
    // Stamps come in steps of 256 ns.
    const double error = (ours - measured) / std::max(measured, 512.0);
    json parameters = row;
    for (const char* key : {"probe", "n", "ns", "min"}) parameters.erase(key);
    std::printf("%-14s %-48s %-8s measured %9.0f ns, model %9.0f ns, %+6.1f %%\n",
                row["probe"].get<std::string>().c_str(), parameters.dump().c_str(), fitted ? "fit" : "validate",
                measured, ours, 100 * error);
    (fitted ? fit : validation).push_back(std::abs(error));
    return std::abs(error);
  }
  void TearDown() override {
    for (auto* all : {&fit, &validation}) {
      std::sort(all->begin(), all->end());
      if (all->empty()) continue;
      std::printf("%s: %zu rows, median error %.1f %%, worst %.1f %%\n", all == &fit ? "fit" : "validation", all->size(),
                  100 * (*all)[all->size() / 2], 100 * all->back());
    }
  }
  double median(const std::vector<double>& all) {
    std::vector<double> v = all;
    std::sort(v.begin(), v.end());
    return v.empty() ? 1.0 : v[v.size() / 2];
  }
  template <class Body>
  void each(const char* probe, Body body) {
    std::size_t number = 0;
    for (const json& row : rows()) {
      if (row.value("probe", "") == probe) body(row, number++);
    }
    EXPECT_GT(number, 0U) << probe;
  }

  synthetic::Engine engine;
  MemoryMap map;
  std::unique_ptr<Simulator> sim;
  CommandId id = 0;
  Completion last;
  double empty = 0;
  double measured_empty = 0;
  std::vector<double> fit, validation;
};

TEST_F(Probe, Dispatch) {
  each("dispatch", [&](const json& row, std::size_t) {
    const std::uint64_t local = row["local"], groups = row["groups"];
    compare(row, run(synthetic::nop(), groups * local, local), groups == 67584 && local != 128);
  });
  EXPECT_LT(median(validation), 0.10);
}

std::shared_ptr<const KernelModule> arithmetic(InstructionClass c, std::uint64_t n) {
  return synthetic::module("rate", [=](WaveWriter& w, std::uint64_t) {
    w.issue(c, n);
    loop(w, n / 4);
  });
}

// Four independent chains. Nothing was fitted to these; the lanes are the white paper's.
TEST_F(Probe, ArithmeticRates) {
  for (const auto& [probe, kind] : {std::pair{"fma_ilp4", InstructionClass::float32},
                                    std::pair{"double_ilp4", InstructionClass::float64},
                                    std::pair{"special_ilp4", InstructionClass::special}}) {
    each(probe, [&, kind = kind](const json& row, std::size_t) {
      const std::uint64_t local = row["local"], groups = row["groups"];
      EXPECT_LT(compare(row, run(arithmetic(kind, row["ops"]), groups * local, local), false), 0.45) << row;
    });
  }
  EXPECT_LT(median(validation), 0.20);
}

// One chain; waves that fill the unit hide its latency. What is told of a wave has no dependences between its
// arithmetic instructions, so where waves are few the model is too fast: 2.6 cycles from one to the next instead of 4.3.
TEST_F(Probe, ChainsOfManyWaves) {
  each("fma_chain", [&](const json& row, std::size_t) {
    const std::uint64_t local = row["local"], groups = row["groups_per_cu"].get<std::uint64_t>() * units;
    const double error =
        compare(row, run(arithmetic(InstructionClass::float32, row["fma"]), groups * local, local), false);
    if (local * groups / units >= 1024) {
      EXPECT_LT(error, 0.20) << row;
    }
  });
}

TEST_F(Probe, Occupancy) {
  each("occupancy", [&](const json& row, std::size_t) {
    KernelInfo info;
    info.local_bytes = row["local_kib"].get<std::uint64_t>() << 10;
    const auto kernel = synthetic::module(
        "occupancy",
        [](WaveWriter& w, std::uint64_t) {
          w.issue(InstructionClass::float32, 4096);
          loop(w, 1024);
        },
        info);
    const double error = compare(row, run(kernel, row["groups"].get<std::uint64_t>() * 64, 64), false);
    if (row["local_kib"] < 32) {
      EXPECT_LT(error, 0.20) << row;
    }
  });
}

TEST_F(Probe, ReadsByStride) {
  each("stride_read", [&](const json& row, std::size_t) {
    const std::uint64_t mask = (row["kib"].get<std::uint64_t>() << 10) - 1, stride = row["stride"];
    const auto kernel = synthetic::module("stride", [=](WaveWriter& w, std::uint64_t item) {
      for (std::uint64_t i = 0; i < 64; ++i) {
        w.issue(InstructionClass::integer, 2);
        if (i % 4 == 0) loop(w, 4);
        w.global(AccessKind::load, 1, device_base + (((item + i * units * 2048) * stride) & mask), stride, 4,
                 Dependence::none);
        w.issue(InstructionClass::float32, 1);
      }
    });
    run(kernel, units * 2048, 256);
    compare(row, run(kernel, units * 2048, 256), false);
  });
  EXPECT_LT(median(validation), 0.25);
}

// A chase, by one wave and by 32 that take turns at the banks.
TEST_F(Probe, LocalMemory) {
  each("local_stride", [&](const json& row, std::size_t) {
    const std::uint32_t ways = row["stride"];
    const std::uint64_t local = row["local"];
    const auto kernel = synthetic::module("local", [=](WaveWriter& w, std::uint64_t) {
      for (std::uint64_t i = 0; i < 8192; ++i) {
        if (i % 4 == 0) loop(w, 4);
        w.local(AccessKind::load, 1, ways);
      }
    });
    EXPECT_LT(compare(row, run(kernel, local, local), local == 32), 0.15) << row;
  });
  EXPECT_LT(median(validation), 0.10);
}

TEST_F(Probe, Barriers) {
  each("barriers", [&](const json& row, std::size_t) {
    const std::uint64_t local = row["local"];
    const auto kernel = synthetic::module("barriers", [=](WaveWriter& w, std::uint64_t) {
      for (std::uint64_t i = 0; i < 8192; ++i) {
        if (i % 4 == 0) loop(w, 4);
        w.barrier(1);
      }
    });
    EXPECT_LT(compare(row, run(kernel, local, local), local != 256), 0.10) << row;
  });
}

// 1024 addresses are half as fast as their sectors and their number let them be: some slices of the last-level cache have
// more of them than others, which the model does not know.
TEST_F(Probe, Atomics) {
  each("atomics", [&](const json& row, std::size_t) {
    const std::uint64_t spread = row["addresses"];
    const auto kernel = synthetic::module("atomics", [=](WaveWriter& w, std::uint64_t item) {
      for (std::uint64_t i = 0; i < 64; ++i) {
        if (i % 4 == 0) loop(w, 4);
        w.global(AccessKind::atomic, 1, device_base + item % spread * 32, spread == 1 ? 0 : 32, 4, Dependence::none);
      }
    });
    const double error = compare(row, run(kernel, units * 1024, 256), spread != 1024);
    if (spread != 1024) {
      EXPECT_LT(error, 0.15) << row;
    }
  });
}

// Launches in one queue follow each other, those of two run side by side. What is compared is the whole in launches of a
// lone group; the group's own time is made to be the measured one.
TEST_F(Probe, LaunchesOverlap) {
  double alone = 0;
  each("one_group", [&](const json& row, std::size_t) { alone = row["ns"]; });
  const auto kernel = synthetic::module("one", [&](WaveWriter& w, std::uint64_t) {
    w.issue(InstructionClass::float32, static_cast<std::uint64_t>((alone - measured_empty) * 1.98 / 1.5));
  });
  const double ours_alone = run(kernel, 32, 32);
  each("launches", [&](const json& row, std::size_t) {
    const TimePs begin = sim->now();
    for (int i = 0; i < row["count"]; ++i) enqueue(kernel, 32, 32, row["queues"] == 2 && i % 2 != 0 ? 2 : 1);
    while (sim->run_until_next_completion()) {
    }
    const double ours = static_cast<double>(last.visible - begin) / 1000.0 / ours_alone;
    const double measured = row["ns"].get<double>() / alone;
    std::printf("launches %s: measured %.2f, model %.2f\n", row.dump().c_str(), measured, ours);
    EXPECT_NEAR(ours / measured, 1.0, 0.10) << row;
  });
}

}  // namespace
}  // namespace sluice

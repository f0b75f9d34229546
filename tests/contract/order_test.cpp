// The simulator's half of sim/iface: what a command waits for is complete before it starts, on every shipped machine.
#include <gtest/gtest.h>

#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/iface/simulator.h"

namespace {

using sluice::Command;
using sluice::Completion;
using sluice::Direction;
using sluice::Operation;
using sluice::Placement;

constexpr std::uint64_t size = 1 << 20;

class Order : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    sluice::SimulatorOptions options;
    options.profile = GetParam();
    std::vector<std::string> errors;
    sim = sluice::open_simulator(options, errors);
    ASSERT_NE(sim, nullptr) << (errors.empty() ? "" : errors.front());
    sim->on_completion([this](const Completion& c) {
      order.push_back(c.id);
      done[c.id] = c;
    });
  }
  // A read into the program's own memory, which drivers stage where the device does not reach it.
  Command read(sluice::CommandId id, sluice::QueueId queue) {
    Command c;
    c.id = id;
    c.queue = queue;
    c.op = Operation::read_buffer;
    c.direction = Direction::device_to_host;
    c.source.placement = Placement::device;
    c.source.address = 1 << 20;
    c.target.placement = Placement::host_pageable;
    c.target.address = sim->host_address(this, size);
    c.shape.row_bytes = size;
    c.moves_data = false;
    return c;
  }
  void run() {
    while (sim->run_until_next_completion()) {
    }
  }

  std::unique_ptr<sluice::Simulator> sim;
  std::vector<sluice::CommandId> order;
  std::map<sluice::CommandId, Completion> done;
};

// In order means that a command completes before the one behind it begins (OpenCL 3.0, execution model). A staged read
// is complete when its bytes are in the program's memory, which is later than its end on the device.
TEST_P(Order, AnInOrderQueueStartsNothingBeforeAReadIsComplete) {
  Command marker;
  marker.id = 2;
  marker.queue = 1;
  sim->enqueue(read(1, 1), 0);
  sim->enqueue(marker, 0);
  run();
  EXPECT_EQ(order, (std::vector<sluice::CommandId>{1, 2}));
  EXPECT_GE(done[2].started, done[1].completed);
}

// A command begins when the events of its wait list are complete, of whatever queue they are.
TEST_P(Order, AWaitListStartsNothingBeforeAReadIsComplete) {
  Command marker;
  marker.id = 2;
  marker.queue = 2;
  marker.in_order = false;
  marker.waits = {1};
  Command free = marker;
  free.id = 3;
  free.waits = {};
  sim->enqueue(read(1, 1), 0);
  sim->enqueue(marker, 0);
  sim->enqueue(free, 0);
  run();
  EXPECT_EQ(order, (std::vector<sluice::CommandId>{3, 1, 2}));
  EXPECT_GE(done[2].started, done[1].completed);
  EXPECT_LT(done[3].completed, done[1].completed);  // who waits for nothing is not held up
}

// NVIDIA's driver keeps markers back: of a chain each costs the caller 0.45 us (h200_queueprobe_fit.jsonl), all complete in
// order, none before what it waits for, and one behind a marker that the host has seen complete goes by itself again.
class Markers : public Order {
 protected:
  Command marker(sluice::CommandId id, sluice::QueueId queue, std::initializer_list<sluice::CommandId> waits = {}) {
    Command c;
    c.id = id;
    c.queue = queue;
    for (const sluice::CommandId w : waits) c.waits.push_back(w);
    return c;
  }
};

TEST_P(Markers, ChainCostsTheCallerItsCallsAndTheDeviceOneCommand) {
  constexpr sluice::TimePs call = 450'000;
  sluice::TimePs host = 0;
  for (sluice::CommandId id = 1; id <= 100; ++id) {
    const auto stamps = sim->enqueue(marker(id, 1), host);
    EXPECT_EQ(stamps.returned, host + call);
    host = stamps.returned;
  }
  run();
  ASSERT_EQ(order.size(), 100U);
  for (sluice::CommandId id = 2; id <= 100; ++id) {
    EXPECT_EQ(order[id - 1], id);
    EXPECT_GE(done[id].completed, done[id - 1].completed);
    EXPECT_GE(done[id].completed, done[id].queued);
  }
  // The last is over as soon as it is there: nothing of the 99 took a turn on the device.
  EXPECT_EQ(done[100].completed, host);
}

TEST_P(Markers, MergedOnesWaitForWhatTheyNameAndAreNotMergedBehindOthers) {
  sim->enqueue(read(1, 2), 0);
  sim->enqueue(marker(2, 1), 0);
  sim->enqueue(marker(3, 1, {1}), 0);
  sim->enqueue(marker(4, 1), 0);
  run();
  EXPECT_LT(done[2].completed, done[1].completed);
  EXPECT_GE(done[3].started, done[1].completed);
  EXPECT_GE(done[4].completed, done[3].completed);
  // The host has seen marker 4: the next is a command of its own, with a doorbell and a fetch over the link.
  const sluice::TimePs host = sim->now();
  sim->enqueue(marker(5, 1), host);
  run();
  EXPECT_GT(done[5].started - host, 4'000'000U);
  // Behind a read it is one, too.
  sim->enqueue(marker(6, 3), sim->now());
  sim->enqueue(read(7, 3), sim->now());
  sim->enqueue(marker(8, 3), sim->now());
  run();
  EXPECT_GT(done[8].started, done[7].completed);
}

INSTANTIATE_TEST_SUITE_P(Machines, Markers, ::testing::Values("h200-pcie5"), [](const auto&) { return "h200"; });

INSTANTIATE_TEST_SUITE_P(Machines, Order,
                         ::testing::Values("generic-pcie4", "h200-pcie5", "legacy-pcie3", "superchip-c2c",
                                           "cxl-accelerator", "igpu-coherent", "soc-noncoherent"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace

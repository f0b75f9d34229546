// The simulator's half of sim/iface: what a command waits for is complete before it starts, on every shipped machine.
#include <gtest/gtest.h>

#include <cstdint>
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

INSTANTIATE_TEST_SUITE_P(Machines, Order,
                         ::testing::Values("generic-pcie4", "h200-pcie5", "legacy-pcie3", "superchip-c2c",
                                           "cxl-accelerator", "igpu-coherent", "soc-noncoherent"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace

// What a command costs the simulation: events of the SystemC kernel, whatever it moves. In train detail, each alone.
#include <gtest/gtest.h>

#include <systemc>

#include <tuple>

#include "tests/timing/command_machine.h"

namespace sluice {
namespace {

struct Sink final : TraceSink {
  TraceLevel level() const noexcept override { return TraceLevel::off; }
};

constexpr std::uint64_t mib = 1 << 20;

class Scale : public ::testing::Test {
 protected:
  // Delta cycles: the kernel does nothing without one.
  template <class Act>
  std::uint64_t events(Act act) {
    const std::uint64_t before = sc_core::sc_delta_count();
    act();
    return sc_core::sc_delta_count() - before;
  }
  std::uint64_t copy(Direction direction, std::uint64_t bytes, std::uint64_t rows = 1, std::uint64_t pitch = 0,
                     Placement placement = Placement::host_pinned) {
    return events([&] { machine.copy(direction, 1ULL << 40, bytes, rows, pitch, placement); });
  }
  CommandMachine<Sink> machine{R"(, "devices": 2)", "train"};
};

TEST_F(Scale, TransfersCostTheSameWhateverTheirSize) {
  for (const Direction direction : {Direction::host_to_device, Direction::device_to_host, Direction::device_to_device}) {
    const std::uint64_t small = copy(direction, mib);
    EXPECT_GT(small, 0U);
    EXPECT_EQ(copy(direction, 64 * mib), small);
    EXPECT_EQ(copy(direction, 4096 * mib), small);
    EXPECT_EQ(copy(direction, 1024, 65536, 4096), small);  // a rectangle
  }
}

// Through staging buffers a transfer goes chunk by chunk, of 1 MiB here.
TEST_F(Scale, PageableOnesCostByTheirChunks) {
  for (const Direction direction : {Direction::host_to_device, Direction::device_to_host}) {
    const auto pageable = [&](std::uint64_t bytes) { return copy(direction, bytes, 1, 0, Placement::host_pageable); };
    const std::uint64_t some = pageable(64 * mib);
    const std::uint64_t more = pageable(128 * mib);
    EXPECT_EQ(pageable(192 * mib) - more, more - some);
    EXPECT_GE(more - some, 64U);
    EXPECT_LE(more - some, 64U * 4);
  }
}

}  // namespace
}  // namespace sluice

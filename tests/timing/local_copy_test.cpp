// Copies and fills that kernels of the driver's make on the device, and the fill that the CPU makes; times by hand.
#include <gtest/gtest.h>

#include <vector>

#include "tests/timing/command_machine.h"

namespace sluice {
namespace {

struct Sink final : TraceSink {
  TraceLevel level() const noexcept override { return TraceLevel::command; }
};

constexpr std::uint64_t kib = 1024;
constexpr std::uint64_t device_address = 1ULL << 31;

// Cycles of 1 ns, no start-up; the memory is faster than all that follows.
class LocalCopy : public ::testing::Test, public CommandMachine<Sink> {
 protected:
  LocalCopy()
      : CommandMachine(R"(, "copy_engines": {"clock_mhz": 1000, "device_copy_setup_cycles": 0, "device_fill_setup_cycles": 0,
          "device_copy_bytes_per_cycle": 8, "device_fill_bytes_per_cycle": 1000000, "device_rect_bytes_per_cycle": 16,
          "device_rect_row_bytes": 0, "device_copy_split_bytes": 65536, "device_copy_split_cycles": 5000,
          "device_copy_odd_bytes_per_cycle": 1, "device_image_bytes_per_cycle": 1, "device_layers_bytes_per_cycle": 4,
          "device_layers_memory_bytes_per_cycle": 2, "device_fill_widest_bytes": 16, "device_fill_store_cycles": 0,
          "device_fill_group_items": 128, "device_fill_unit_store_cycles": 10, "device_fill_unit_line_cycles": 0.5,
          "device_image_fill_setup_cycles": 700},
        "policy": {"image_fill_3d_by_host": true}, "driver": {"fill_texel_ns": 2.5})",
                       "train") {}

  // START to END in ns, less what an access to the device's memory takes until the first byte is there.
  double run(Command c) {
    c.id = ++id;
    c.queue = 1;
    c.moves_data = false;
    sim->enqueue(c, sim->now());
    while (sim->run_until_next_completion()) {
    }
    return static_cast<double>(done[id].ended - done[id].started) / 1000.0;
  }
  static Command copy(Operation op, std::uint64_t row, std::uint64_t rows, std::uint64_t from, std::uint64_t to) {
    Command c;
    c.op = op;
    c.direction = Direction::device_to_device;
    c.shape = {row, rows, 1};
    for (auto [end, address] : {std::pair{&c.source, from}, std::pair{&c.target, to}}) {
      end->placement = Placement::device;
      end->address = address;
      end->row_pitch_bytes = row;
    }
    return c;
  }
  static Command fill(std::uint64_t bytes, std::size_t pattern) {
    Command c = copy(Operation::fill_buffer, bytes, 1, device_address, device_address);
    c.fill.assign(std::vector<std::byte>(pattern).data(), pattern);
    return c;
  }
  static Command image(std::uint64_t rows, bool layers) {
    Command c = copy(Operation::copy_image_to_buffer, 256, rows, device_address, device_address + (64ULL << 20));
    const ImageTile tile{63, 448, 0};
    c.source.tiling = ImageTiling::of(tile, 256, rows, layers ? 2 : 1, 256, layers ? 256 * rows : 0);
    return c;
  }
  // How much longer twice as many rows take: start-up and latency are in both.
  double slope(std::uint64_t rows, bool layers, bool again) {
    double times[2] = {};
    for (std::uint64_t i = 0; i < 2; ++i) {
      Command c = image(rows << i, layers);
      c.source.address += (8ULL + 8 * i) << 20;  // the caches do not know it
      times[i] = run(c);
      if (again) times[i] = run(c);
    }
    return times[1] - times[0];
  }
};

// 256 KiB more at a byte a cycle, wherever the image lies.
TEST_F(LocalCopy, AnImageOfOneLayerHasOneRate) {
  EXPECT_NEAR(slope(1024, false, false), 256 * kib, 500);
  EXPECT_NEAR(slope(1024, false, true), 256 * kib, 500);
}

// Two bytes a cycle that come from memory, four from the cache, which holds 4 MiB.
TEST_F(LocalCopy, SeveralLayersAreReadFasterFromTheCache) {
  EXPECT_NEAR(slope(1024, true, false), 128 * kib, 500);
  EXPECT_NEAR(slope(1024, true, true), 64 * kib, 500);
}

// 64 KiB at 8 bytes a cycle; off a line's boundary 5 us more, but not for a byte less; off words a byte a cycle.
TEST_F(LocalCopy, CopiesOffALineTakeASecondKernelAndOffWordsBytes) {
  const auto time = [&](std::uint64_t bytes, std::uint64_t from, std::uint64_t to) {
    const Command c = copy(Operation::copy_buffer, bytes, 1, device_address + from, device_address + (1 << 20) + to);
    (void)run(c);
    return run(c);  // from the cache
  };
  const double plain = time(64 * kib, 0, 0);
  EXPECT_NEAR(plain, 64 * kib / 8.0, 500);
  EXPECT_NEAR(time(64 * kib, 128, 256) - plain, 0, 50);
  EXPECT_NEAR(time(64 * kib, 0, 64) - plain, 5000, 50);
  EXPECT_NEAR(time(64 * kib, 4, 0) - plain, 5000, 50);
  EXPECT_NEAR(time(64 * kib - 8, 0, 64) - plain, 0, 50);
  EXPECT_NEAR(time(8 * kib, 0, 2), 8 * kib, 500);
}

// Patterns of 32 bytes, waves of 64: 16 lines of 128, so 32 stores take 32 * (10 + 8) cycles a wave. Groups are of two waves,
// one to each of 36 units, until the 37th.
TEST_F(LocalCopy, AFillOfFewPatternsKeepsFewUnits) {
  const double wave = 32 * (10 + 16 * 0.5);
  (void)run(fill(2 << 20, 32));
  const double one = run(fill(std::uint64_t{64} * 32, 32));
  EXPECT_NEAR(run(fill(std::uint64_t{128} * 32, 32)) - one, wave, 5);
  EXPECT_NEAR(run(fill(std::uint64_t{36} * 128 * 32, 32)) - one, wave, 50);
  EXPECT_NEAR(run(fill(std::uint64_t{37} * 128 * 32, 32)) - one, 3 * wave, 50);
}

TEST_F(LocalCopy, ImagesFillsStartUpForThemselves) {
  Command c = fill(4 * kib, 4);
  (void)run(c);
  const double buffer = run(c);
  c.op = Operation::fill_image;
  EXPECT_NEAR(run(c) - buffer, 700, 1);
}

// 64 Ki texels of 4 bytes at 2.5 ns before SUBMIT, as the first chunk's copy; then what a write from pageable memory takes.
TEST_F(LocalCopy, AFillByTheCpuIsItsTexelsAndAPageableWrite) {
  Command c = copy(Operation::write_image, 1024, 256, 0, device_address);
  c.direction = Direction::host_to_device;
  c.source = {Placement::host_pageable, nullptr, host_fill_address, 1024, 0};
  const double written = run(c);
  const auto packed = [&] { return static_cast<double>(done[id].submitted - done[id].queued) / 1000.0; };
  const double before = packed();
  c.op = Operation::fill_image;
  c.fill.assign(std::vector<std::byte>(4).data(), 4);
  (void)run(c);
  const double filled = run(c);
  EXPECT_NEAR(filled, written, 0.25 * written);
  EXPECT_NEAR(packed() - before, 2.5 * 64 * kib, 0.02 * 2.5 * 64 * kib + 20000);
}

}  // namespace
}  // namespace sluice

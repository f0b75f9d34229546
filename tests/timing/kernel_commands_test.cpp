// Launches as commands: what fails, what they wait for, what the stages say, who runs beside whom.
#include <fstream>

#include "tests/timing/kernel_commands.h"

namespace sluice {
namespace {

// Zero-copy reads of 4 MiB: 1024 pages, which the second launch finds in the IO-TLB. With one walker of 1000 ns a page the
// walks alone take 1024 us, and the window hides none of that.
class KernelsBehindAnIommu : public Commands, public ::testing::WithParamInterface<const char*> {};

TEST_P(KernelsBehindAnIommu, WaitForTheirPagesWalks) {
  const std::string file = testing::TempDir() + "kernel-iommu-" + GetParam() + ".json";
  std::ofstream(file) << R"({"include": ")" << CONFIG_PROFILES << R"(/h200-pcie5.json", "name": "k", "iommu": )"
                      << R"({"entries": 2048, "walkers": 1, "llc_read_ns": 1000}})";
  open(file.c_str(), GetParam());
  const auto range = synthetic::linear(132 * 2048, 256);
  const CommandId walked = launch(zero_copy_read(4 * mib), range);
  drain();
  const CommandId known = launch(zero_copy_read(4 * mib), range);
  drain();
  const auto walks = [&](CommandId c) { return sink.stages[c][static_cast<std::size_t>(Stage::iommu)]; };
  EXPECT_EQ(walks(known), 0U);
  EXPECT_EQ(sink.actions[known].count("host.iommu walk"), 0U);
  EXPECT_EQ(sink.actions[walked].at("host.iommu walk"), walks(walked));
  EXPECT_GT(took(walked), 1024'000'000U);
  EXPECT_LT(took(walked), 1024'000'000U + took(known));
  EXPECT_EQ(took(walked), took(known) + walks(walked));
}

INSTANTIATE_TEST_SUITE_P(Details, KernelsBehindAnIommu, ::testing::Values("train", "packet"),
                         [](const auto& p) { return std::string(p.param); });

// Maps of an image of 1 KiB by 256 rows whose tiles a pass turns into rows, and of a buffer of that size.
class TiledImages : public Commands {
 protected:
  void open_by(const char* detile, const char* detail = "train") {
    const std::string file = testing::TempDir() + "tiled-" + detile + "-" + detail + ".json";
    std::ofstream(file) << R"({"include": ")" << TEST_PROFILES << R"(/tiled-images.json", "policy": {"image_detile": ")"
                        << detile << R"("}})";
    open(file.c_str(), detail);
  }
  // With what it reads or writes in the last-level cache, as a pass leaves it.
  TimePs took_linear(Direction direction) {
    transfer(direction, false);
    return took(transfer(direction, false));
  }
  CommandId transfer(Direction direction, bool tiled, std::uint64_t row_bytes = 1024, std::uint64_t host_pitch = 1024) {
    Command c;
    c.id = ++id;
    c.queue = 1;
    c.op = direction == Direction::device_to_host ? Operation::map_image : Operation::unmap;
    c.direction = direction;
    Endpoint& device = direction == Direction::device_to_host ? c.source : c.target;
    Endpoint& host = direction == Direction::device_to_host ? c.target : c.source;
    device.placement = Placement::device;
    device.address = 1ULL << 31;
    host.placement = Placement::host_pinned;
    host.address = 1ULL << 36;
    device.row_pitch_bytes = 1024;
    host.row_pitch_bytes = host_pitch;
    // Tiles of 16 bytes, 4 rows and 2 slices.
    if (tiled) device.tiling = ImageTiling::of({0b0001111, 0b0110000, 0b1000000}, 1024, 256, 1, 1024, 0);
    c.shape = {row_bytes, 256, 1};
    c.moves_data = false;
    sim->enqueue(c, sim->now());
    drain();
    return c.id;
  }
  TimePs detile(CommandId c) { return sink.stages[c][static_cast<std::size_t>(Stage::detile)]; }
};

// The engine of generic-pcie4: cycles of 666 ps, 5000 of them to begin a copy on the device, 150 bytes of a rectangle in
// one, rows of 256 bytes at least. Memory is faster. A pass of 256 KiB is 5000 + 1747.6 cycles, one of 256 rows of 4
// bytes 5000 + 436.9.
TEST_F(TiledImages, TheCopyEngineTurnsTilesIntoRows) {
  open_by("copy_engine");
  const TimePs linear = took_linear(Direction::device_to_host);
  const CommandId map = transfer(Direction::device_to_host, true);
  EXPECT_EQ(detile(map), 5000 * 666 + 1163919U);
  EXPECT_EQ(took(map), linear + detile(map));
  EXPECT_EQ(sink.actions[map].at("copy_engine.device detile"), detile(map));
  EXPECT_EQ(detile(transfer(Direction::device_to_host, true, 4)), 5000 * 666 + 290979U);
  const TimePs back = took_linear(Direction::host_to_device);
  const CommandId unmap = transfer(Direction::host_to_device, true);
  EXPECT_EQ(detile(unmap), 5000 * 666 + 1163919U);
  EXPECT_EQ(took(unmap), back + detile(unmap));
}

// Launch and end of a kernel are 6000 cycles of 2000 MHz; then it waits for memory, for less than 2 us.
TEST_F(TiledImages, AKernelTurnsTilesIntoRows) {
  open_by("kernel");
  const CommandId map = transfer(Direction::device_to_host, true);
  EXPECT_GT(detile(map), 3'000'000U);
  EXPECT_LT(detile(map), 5'000'000U);
  EXPECT_EQ(sink.actions[map].at("compute detile"), detile(map));
}

TEST_F(TiledImages, ACopyEngineThatKnowsTilesTakesNoPass) {
  open_by("in_transfer");
  const TimePs linear = took_linear(Direction::device_to_host);
  transfer(Direction::device_to_host, true);
  const CommandId map = transfer(Direction::device_to_host, true);
  EXPECT_EQ(detile(map), 0U);
  EXPECT_EQ(took(map), linear);  // the link is what limits
}

// As for all transfers.
// 256 rows that lie packed at the host, 66.6 ns for each line of 64 bytes that one lies on: 1 of 32 bytes, 2 of 96, which
// begin at a line or in its middle. A whole image is one run.
TEST_F(TiledImages, APieceWithPackedRowsPaysForTheirLines) {
  const std::string file = testing::TempDir() + "packed-rows.json";
  std::ofstream(file) << R"({"include": ")" << TEST_PROFILES << R"(/tiled-images.json", "policy": {"image_detile": )"
                      << R"("in_transfer"}, "copy_engines": {"row_cycles": 100}})";
  open(file.c_str());
  const auto packed = [&](std::uint64_t row_bytes) {
    return static_cast<double>(took(transfer(Direction::device_to_host, true, row_bytes, row_bytes)));
  };
  constexpr double lines = 256 * 66'600.0;
  EXPECT_NEAR(packed(96) - packed(32), lines, 0.03 * lines);
  EXPECT_GT(packed(32), lines);
  EXPECT_LT(packed(1024), lines);
}

TEST_F(TiledImages, DetailsAgree) {
  open_by("copy_engine", "packet");
  const TimePs linear = took_linear(Direction::device_to_host);
  EXPECT_EQ(took(transfer(Direction::device_to_host, true)), linear + 5000 * 666 + 1163919U);
}

TEST_F(Commands, AGroupThatCannotGoOnFailsTheLaunchAlone) {
  open("h200-pcie5");
  engine.fail_at = 3;
  const CommandId bad = launch(work(100), synthetic::linear(4096, 256));
  drain();
  EXPECT_EQ(done[bad].status, -5);
  EXPECT_EQ(engine.groups_run, 4U);  // the rest is not run
  engine.fail_at = ~0ULL;
  const CommandId good = launch(work(100), synthetic::linear(4096, 256));
  drain();
  EXPECT_EQ(done[good].status, 0);
  EXPECT_EQ(sink.kernels[good].groups, 16U);
}

// The counters cut the launch's sums into spans of time: they add up to the record again, in both details.
TEST_F(Commands, CountersAddUpToTheRecord) {
  open("h200-pcie5");
  const CommandId k = launch(zero_copy_read(mib), synthetic::linear(132 * 2048, 256));
  drain();
  const KernelRecord& record = sink.kernels[k];
  EXPECT_EQ(record.link_read_bytes, mib);
  EXPECT_EQ(sink.counters["link_bytes"], mib);
  EXPECT_EQ(sink.counters["device_memory_bytes"], 0U);
  EXPECT_EQ(sink.counters["instructions"],
            std::accumulate(record.instructions.begin(), record.instructions.end(), std::uint64_t{0}));
  EXPECT_GT(sink.counters["resident_waves"], 0U);
  EXPECT_EQ(record.name, "zc");
}

TEST_F(Commands, CountersAddUpInPacketDetailToo) {
  open("h200-pcie5", "packet");
  launch(zero_copy_read(mib), synthetic::linear(132 * 2048, 256));
  drain();
  EXPECT_EQ(sink.counters["link_bytes"], mib);
}

TEST_F(Commands, AFailureInPacketDetailIsReportedToo) {
  open("h200-pcie5", "packet");
  engine.fail_at = 3;
  const CommandId bad = launch(work(100), synthetic::linear(4096, 256));
  const CommandId next = launch(work(100), synthetic::linear(512, 256));
  drain();
  EXPECT_EQ(done[bad].status, -5);
  EXPECT_EQ(done[next].status, 0);
  EXPECT_GE(done[next].started, done[bad].completed);
}

TEST_F(Commands, FiguresSayWhatTheKernelDid) {
  open("h200-pcie5");
  const std::uint64_t n = 262144;
  const CommandId add =
      launch(synthetic::vector_add(device_base, device_base + 4 * n, device_base + 8 * n), synthetic::linear(n, 256));
  drain();
  const KernelRecord& k = sink.kernels[add];
  EXPECT_EQ(k.work_items, n);
  EXPECT_EQ(k.groups, n / 256);
  EXPECT_EQ(k.waves, n / 32);
  EXPECT_EQ(k.accesses, 3 * n / 32);
  EXPECT_EQ(k.sectors, 3 * n * 4 / 32);
  EXPECT_EQ(k.instructions[static_cast<std::size_t>(InstructionClass::float32)], n / 32);
  EXPECT_EQ(k.device_read_bytes, 2 * n * 4);  // once each, from a cold cache
  EXPECT_EQ(k.device_written_bytes, 0U);      // the sums fit the last-level cache
  EXPECT_EQ(k.link_read_bytes + k.link_written_bytes, 0U);
  // 256 work-items of 32 registers: 8 groups of 8 waves fill the 64 slots; 1024 groups are fewer than 8 a unit.
  EXPECT_EQ(k.groups_per_unit, 8U);
  EXPECT_EQ(k.occupancy_permille, 1000U);
}

TEST_F(Commands, AZeroCopyKernelCrossesTheLinkAndMeetsCopies) {
  open("h200-pcie5");
  const CommandId alone = launch(zero_copy_read(64 * mib), synthetic::linear(132 * 2048, 256));
  drain();
  const CommandId copy_alone = copy(64 * mib, 2);
  drain();
  EXPECT_EQ(sink.kernels[alone].link_read_bytes, 64 * mib);
  EXPECT_EQ(sink.kernels[alone].limiter, "link");
  EXPECT_GT(sink.wire_down[alone], 64 * mib);  // headers, too
  EXPECT_GT(sink.stages[alone][static_cast<std::size_t>(Stage::link)], took(alone) / 2);
  const CommandId kernel = launch(zero_copy_read(64 * mib), synthetic::linear(132 * 2048, 256), 1);
  const CommandId beside = copy(64 * mib, 2);
  drain();
  // One wire carries both: together they take what they take one after the other, less what is not the wire's.
  const TimePs both =
      std::max(done[kernel].ended, done[beside].ended) - std::min(done[kernel].started, done[beside].started);
  EXPECT_GT(both, (took(alone) + took(copy_alone)) * 85 / 100);
  EXPECT_LT(both, took(alone) + took(copy_alone));
  EXPECT_GT(sink.stages[kernel][static_cast<std::size_t>(Stage::contention)], took(alone) / 4);
}

// A kernel reads 1 MiB of the host's memory over a coherent link: 16384 lines, which a core's cache gives up 64 at once in
// 80 ns if it holds them. What they add is the stage `snoop`, and a record of the home agent.
TEST_F(Commands, ACoherentZeroCopyReadShowsWhatSnoopsTook) {
  open("superchip-c2c");
  const auto read = zero_copy_read(mib);
  const CommandId absent = launch(read, synthetic::linear(132 * 2048, 256));
  drain();
  sim->host_wrote(1ULL << 32, mib);
  const CommandId held = launch(read, synthetic::linear(132 * 2048, 256));
  drain();
  const auto snoop = static_cast<std::size_t>(Stage::snoop);
  EXPECT_EQ(sink.stages[absent][snoop], 0U);
  EXPECT_EQ(sink.actions[absent].count("host.home_agent snoop"), 0U);
  EXPECT_GT(sink.stages[held][snoop], 0U);
  EXPECT_EQ(sink.actions[held]["host.home_agent snoop"], sink.stages[held][snoop]);
  EXPECT_GE(took(held), 16384U / 64 * 80'000);
  EXPECT_NEAR(static_cast<double>(took(held) - took(absent)), static_cast<double>(sink.stages[held][snoop]), 500'000);
  // A read takes no ownership; a write does, and waits for the first grant.
  const auto coherence = static_cast<std::size_t>(Stage::coherence);
  EXPECT_EQ(sink.stages[held][coherence], 0U);
  const CommandId written = launch(
      synthetic::grid_stride("zw", AccessKind::store, host_base + 64 * mib, mib / 16, 16, 16, 132 * 2048),
      synthetic::linear(132 * 2048, 256));
  drain();
  EXPECT_GT(sink.stages[written][coherence], 0U);
  EXPECT_LE(sink.stages[written][coherence], 400'000U);
  EXPECT_EQ(sink.actions[written]["host.home_agent ownership"], sink.stages[written][coherence]);
}

// Atomics on host memory where the way there routes AtomicOps, on a link whose constants are round: 16 GB/s, 24 bytes of
// header up and 20 down, no DLLPs.
class AtomicsAtTheHost : public Commands, public ::testing::WithParamInterface<const char*> {
 protected:
  void open_with(const char* atomics, const char* credits = "{}") {
    const std::string file = testing::TempDir() + "kernel-atomics-" + GetParam() + ".json";
    std::ofstream(file) << R"({"include": ")" << CONFIG_PROFILES << R"(/generic-pcie4.json", "name": "k", "link": )"
                        << R"({"gigatransfers_per_s": 16, "lanes": 8, "encoding": 1, "skip_overhead": 0, "dllp_accounting": "counted", )"
                        << R"("write_header_bytes": 24, "read_header_bytes": 24, "completion_header_bytes": 20, "dllp_bytes": 0, "read_tags": 768, )"
                        << R"("atomics": ")" << atomics << R"(", "credits": )" << credits << "}}";
    open(file.c_str(), GetParam());
  }
  // Each work-item adds to a word of its own, `times` one after another.
  std::shared_ptr<const KernelModule> adds(std::uint64_t times) {
    return synthetic::module("adds", [=](synthetic::WaveWriter& w, std::uint64_t item) {
      for (std::uint64_t i = 0; i < times; ++i)
        w.global(AccessKind::atomic, 1, host_base + item * 4, 4, 4, Dependence::loads);
    });
  }
};

// A request of 28 bytes and an answer of 24 each: 65536 of them are 1.75 ns each of the upstream wire. By reading and writing back
// a sector takes a request of 24 bytes and a write of 24 and 32.
TEST_P(AtomicsAtTheHost, AreRequestsWithDataAndAnswers) {
  open_with("atomic_ops");
  constexpr std::uint64_t n = 65536;
  const CommandId k = launch(adds(1), synthetic::linear(n, 256));
  drain();
  EXPECT_EQ(sink.kernels[k].link_read_bytes, n * 4);
  EXPECT_EQ(sink.kernels[k].link_written_bytes, 0U);
  EXPECT_EQ(sink.counters["link_bytes"], n * 4);
  EXPECT_EQ(sink.wire_down[k], n * 24);
  EXPECT_GT(took(k), n * 1'750);
  EXPECT_LT(took(k), n * 1'750 + 20'000'000);
  EXPECT_EQ(sink.kernels[k].limiter, "link");
}

TEST_P(AtomicsAtTheHost, AreReadAndWrittenBackWithoutTheRoute) {
  open_with("read_write");
  constexpr std::uint64_t n = 65536;
  const CommandId k = launch(adds(1), synthetic::linear(n, 256));
  drain();
  EXPECT_EQ(sink.kernels[k].link_read_bytes, n * 4);
  EXPECT_EQ(sink.kernels[k].link_written_bytes, n * 4);
}

// With room for two requests' data at the root port, two go every round of it: the wire, the flight, a line at home, the
// credit's way back. That is 5.5 times as long as the wire takes for two at least.
TEST_P(AtomicsAtTheHost, WaitForNonPostedData) {
  open_with("atomic_ops", R"({"non_posted_data": 2})");
  const CommandId limited = launch(adds(1), synthetic::linear(4096, 256));
  drain();
  // 350 ns to the root port and as long, or longer, back (generic-pcie4): a round of two.
  EXPECT_GT(took(limited), 4096U / 2 * 350'000);
  const CommandId alone = copy(64 * mib, 2);
  drain();
  const CommandId kernel = launch(adds(1), synthetic::linear(4096, 256));
  const CommandId beside = copy(64 * mib, 2);
  drain();
  // Reads need no such credits, so a copy beside it is held up by the few bytes on the wires only.
  EXPECT_LT(took(beside), took(alone) * 11 / 10);
  EXPECT_LT(took(kernel), took(limited) * 13 / 10);
}

// One work-item that adds again and again to its word has one request under way.
TEST_P(AtomicsAtTheHost, AChainTakesRoundTrips) {
  open_with("atomic_ops");
  const CommandId few = launch(adds(100), synthetic::linear(1, 1));
  drain();
  const CommandId many = launch(adds(300), synthetic::linear(1, 1));
  drain();
  const CommandId read = launch(synthetic::module("reads", [](synthetic::WaveWriter& w, std::uint64_t) {
                                  for (std::uint64_t i = 0; i < 300; ++i)
                                    w.global(AccessKind::load, 1, host_base + mib + i * 128, 4, 4, Dependence::loads);
                                }), synthetic::linear(1, 1));
  drain();
  const double trip = static_cast<double>(took(many) - took(few)) / 200;
  EXPECT_NEAR(trip * 300, static_cast<double>(took(read)), 0.05 * static_cast<double>(took(read)));
}

INSTANTIATE_TEST_SUITE_P(Details, AtomicsAtTheHost, ::testing::Values("train", "packet"),
                         [](const auto& p) { return std::string(p.param); });

// The program has written 1 MiB, 16384 lines that a core's cache holds, all that the snoop filter may list. A kernel that reads
// another MiB takes them all back, 64 at a time and 80 ns each: 20.5 us; the program's lines are in the last-level cache then.
TEST_F(Commands, AKernelDrivesLinesOutOfTheHostsSnoopFilter) {
  const std::string file = testing::TempDir() + "kernel-filter.json";
  std::ofstream(file) << R"({"include": ")" << CONFIG_PROFILES << R"(/superchip-c2c.json", "name": "k", "host": {)"
                      << R"("private_cache": {"capacity_bytes": "4 MiB"}, "home_agent": {"filter_lines": 16384}}})";
  open(file.c_str());
  const auto read = [&](std::uint64_t at) {
    const CommandId c = launch(synthetic::grid_stride("zc", AccessKind::load, host_base + at, mib / 16, 16, 16, 132 * 2048),
                               synthetic::linear(132 * 2048, 256));
    drain();
    return c;
  };
  const auto snoop = [&](CommandId c) { return sink.stages[c][static_cast<std::size_t>(Stage::snoop)]; };
  const CommandId absent = read(16 * mib);
  EXPECT_EQ(snoop(absent), 0U);
  sim->host_wrote(1ULL << 32, mib);
  const CommandId drives_out = read(16 * mib);
  EXPECT_GE(took(drives_out), 16384U / 64 * 80'000);
  EXPECT_GT(snoop(drives_out), 0U);
  EXPECT_EQ(snoop(read(0)), 0U);  // nothing is left in the core's cache
  // As many lines as the filter lists leave none for the first of them: 16384 of 32768 are snooped out of the device itself.
  const auto up_and_down = sink.wire_down[absent];
  const CommandId twice = launch(zero_copy_read(2 * mib), synthetic::linear(132 * 2048, 256));
  drain();
  EXPECT_GT(sink.wire_down[twice], 2 * up_and_down + 16384U * 16);
}

TEST_F(Commands, PacketLevelShowsTheCompletionsOfAZeroCopyKernel) {
  sink.wanted = TraceLevel::packet;
  open("h200-pcie5", "packet");
  const CommandId kernel = launch(zero_copy_read(mib), synthetic::linear(132 * 2048, 256));
  drain();
  EXPECT_EQ(sink.packets[kernel], mib + 2 * 64);  // and the two reads that fetched the command
}

TEST_F(Commands, KernelsShareTheUnitsWhereThereIsRoom) {
  open("h200-pcie5");
  const NdRange half = synthetic::linear(66 * 256, 256);  // a group for every other unit
  const CommandId one = launch(work(100000), half);
  drain();
  const CommandId a = launch(work(100000), half, 1);
  const CommandId b = launch(work(100000), half, 2);
  drain();
  const TimePs both = std::max(done[a].ended, done[b].ended) - std::min(done[a].started, done[b].started);
  EXPECT_LT(both, took(one) * 11 / 10);
  // Work for every wave slot leaves no room: then one follows the other.
  const NdRange full = synthetic::linear(132 * 2048, 256);
  const CommandId whole = launch(work(100000), full);
  drain();
  const CommandId c = launch(work(100000), full, 1);
  const CommandId d = launch(work(100000), full, 2);
  drain();
  const TimePs turn = std::max(done[c].ended, done[d].ended) - std::min(done[c].started, done[d].started);
  EXPECT_GT(turn, took(whole) * 19 / 10);
}

TEST_F(Commands, ADependentLaunchWaitsButIsPreparedMeanwhile) {
  open("h200-pcie5");
  const CommandId first = launch(synthetic::nop(), synthetic::linear(64, 64));
  const CommandId second = launch(synthetic::nop(), synthetic::linear(64, 64));
  drain();
  EXPECT_GE(done[second].started, done[first].completed);
  EXPECT_LT(took(second), took(first));
}

TEST_F(Commands, AKernelWithAnImageBeginsLater) {
  const std::string file = testing::TempDir() + "image-launch.json";
  std::ofstream(file) << R"({"include": ")" << TEST_PROFILES << R"(/tiled-images.json",)"
                      << R"( "compute": {"image_launch_cycles": 1500}})";
  open(file.c_str());
  LaunchArgument image;
  image.image = std::make_shared<ImageDescriptor>();
  const auto module = work(100);
  const CommandId without = launch(module, synthetic::linear(64, 64));
  drain();
  const CommandId with = launch(module, synthetic::linear(64, 64), 1, {image});
  drain();
  // 1500 cycles of the compute units, at 2 GHz.
  EXPECT_NEAR(static_cast<double>(took(with) - took(without)), 750'000, 2'000);
}

TEST_F(Commands, NothingRunsOnceTheProgramIsGone) {
  open("h200-pcie5");
  const CommandId late = launch(work(100), synthetic::linear(4096, 256));
  sim->run_out();
  EXPECT_EQ(engine.groups_run, 0U);
  EXPECT_EQ(sink.stages.count(late), 1U);
}

TEST_F(Commands, WithoutAnEngineALaunchFails) {
  SimulatorOptions options;
  std::vector<std::string> errors;
  sim = open_simulator(options, errors);
  sim->on_completion([this](const Completion& c) { done[c.id] = c; });
  const CommandId k = launch(work(100), synthetic::linear(256, 256));
  drain();
  EXPECT_EQ(done[k].status, -5);
}

}  // namespace
}  // namespace sluice

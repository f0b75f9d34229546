// Commands on a machine whose driver moves pages of shared virtual memory to the side that touches them.
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "sim/clock/sim_device.h"
#include "sim/iface/simulator.h"
#include "sim/profile/load.h"
#include "tests/timing/synthetic_kernels.h"

namespace sluice {
namespace {

constexpr std::uint64_t mib = 1 << 20;
constexpr std::uint64_t process_base = 0x210000000000;
constexpr std::uint64_t shared = 1ULL << 33;  // simulated address of the shared allocation
constexpr std::uint64_t large = 1ULL << 34;   // and of another

struct Sink final : TraceSink {
  TraceLevel level() const noexcept override { return at; }
  void command(const CommandRecord& r) override {
    EXPECT_EQ(std::accumulate(r.stages.begin(), r.stages.end(), TimePs{0}), r.times.visible - r.called);
    stages[r.times.id] = r.stages;
    down[r.times.id] = r.wire_bytes_down;
    up[r.times.id] = r.wire_bytes_up;
  }
  void stage(const StageRecord& r) override {
    if (r.part == "host.migration" || r.part == "host.iommu") records[r.command].push_back(r);
  }
  void counter(const CounterRecord& r) override {
    if (r.part == "host.migration") counters[std::string(r.name)] = r.value;
  }
  void packet(const PacketRecord& r) override { ++packets[{r.command, std::string(r.kind)}]; }
  TraceLevel at = TraceLevel::stage;
  std::map<std::pair<CommandId, std::string>, std::uint64_t> packets;
  std::map<CommandId, std::array<TimePs, stage_count>> stages;
  std::map<CommandId, std::uint64_t> down, up;
  std::map<CommandId, std::vector<StageRecord>> records;
  std::map<std::string, std::uint64_t> counters;
};

class Migration : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    const auto file = std::filesystem::temp_directory_path() / ("sluice_migration_" + std::to_string(::getpid()) + ".json");
    std::ofstream(file) << R"({"include": ")" << PROFILES << R"(/generic-pcie4.json", "name": "migrating",)"
                        << R"("device": {"svm": "fine_system"}, "migration": {"batch_faults": 256, "batches_per_service": 20,)"
                        << R"("fault_ns": 15000, "batch_ns": 30000, "block_ns": 2000, "host_fault_ns": 4000})" << more() << "}";
    profile::Loaded loaded = profile::load_profile(file.string());
    std::filesystem::remove(file);
    ASSERT_TRUE(loaded.profile) << profile::to_string(loaded.problems.front());
    std::string error;
    const auto detail = std::string(GetParam()) == "packet" ? sim::Detail::packet : sim::Detail::train;
    sim = sim::make_simulator(std::move(*loaded.profile), detail, &sink, error, &engine);
    ASSERT_NE(sim, nullptr) << error;
    sim->on_completion([this](const Completion& c) { done[c.id] = c; });
    map.add({reinterpret_cast<std::byte*>(process_base), 4 * mib, Placement::host_pinned, shared});
    EXPECT_TRUE(sim->manage(shared, 4 * mib));
  }
  // Of the profile.
  [[nodiscard]] virtual std::string more() const { return {}; }
  CommandId enqueue(Command c) {
    c.id = ++id;
    c.queue = 1;
    c.moves_data = false;
    sim->enqueue(std::move(c), sim->now());
    while (sim->run_until_next_completion()) {
    }
    return id;
  }
  // Reads all of the shared allocation, page after page, or what lies where nobody allocated.
  CommandId launch(bool system_memory = false, std::uint64_t base = process_base, std::uint64_t bytes = 4 * mib) {
    auto l = std::make_shared<KernelLaunch>();
    l->module = synthetic::grid_stride("read", AccessKind::load, base, bytes / 16, 16, 16, 132 * 2048);
    l->range = synthetic::linear(132 * 2048, 256);
    l->memory = &map;
    l->system_memory = system_memory;
    Command c;
    c.op = Operation::kernel;
    c.kernel = std::move(l);
    return enqueue(std::move(c));
  }
  CommandId map_for_host(std::uint64_t address, std::uint64_t bytes) {
    Command c;
    c.op = Operation::svm_map;
    c.pages.edit().push_back({address, bytes});
    c.pages_by_faults = true;
    return enqueue(std::move(c));
  }
  CommandId migrate(std::uint64_t address, std::uint64_t bytes, bool to_device, bool contents = true) {
    Command c;
    c.op = Operation::svm_migrate;
    c.pages.edit().push_back({address, bytes});
    c.pages_to_device = to_device;
    c.pages_have_contents = contents;
    return enqueue(std::move(c));
  }
  TimePs stage(CommandId c, Stage s) { return sink.stages[c][static_cast<std::size_t>(s)]; }
  TimePs took(CommandId c) { return done[c].ended - done[c].started; }

  synthetic::Engine engine;
  Sink sink;
  MemoryMap map;
  std::unique_ptr<Simulator> sim;
  CommandId id = 0;
  std::map<CommandId, Completion> done;
};

// 1024 pages, 256 to a batch: each is half of a block, so that a block takes two. One interrupt serves all.
TEST_P(Migration, PagesComeInBatchesToTheKernelThatTouchesThem) {
  const CommandId first = launch();
  EXPECT_EQ(sink.counters["to_device_bytes"], 4 * mib);
  EXPECT_GT(sink.down[first], 4 * mib);
  if (std::string(GetParam()) == "train") {  // one group after another touches its pages
    EXPECT_EQ(sink.counters["faults"], 1024U);
    EXPECT_EQ(sink.counters["fault_batches"], 4U);
    EXPECT_EQ(stage(first, Stage::page_fault), 15'000'000U + 4 * (30'000'000 + 2'000'000));
  }
  // They follow each other, and take what the two stages say.
  const auto& records = sink.records[first];
  ASSERT_EQ(records.size(), sink.counters["fault_batches"]);
  TimePs sum = 0;
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    EXPECT_EQ(records[i].action, "fault_batch");
    EXPECT_EQ(records[i].begin, i == 0 ? records[i].begin : records[i - 1].end);
    sum += records[i].end - records[i].begin;
    bytes += records[i].bytes;
  }
  EXPECT_EQ(bytes, 4 * mib);
  EXPECT_EQ(sum, stage(first, Stage::page_fault) + stage(first, Stage::migration));
  EXPECT_EQ(stage(first, Stage::contention), 0U);
  // Once there, they are the device's memory.
  const CommandId second = launch();
  EXPECT_EQ(stage(second, Stage::page_fault), 0U);
  EXPECT_LT(sink.down[second], 4096U);
  // The host takes them back; what a launch then takes longer is their way, but for what that leaves in the device's cache.
  map_for_host(shared, 4 * mib);
  const CommandId third = launch();
  const CommandId fourth = launch();
  const TimePs way = stage(third, Stage::page_fault) + stage(third, Stage::migration);
  EXPECT_NEAR(static_cast<double>(took(third)), static_cast<double>(took(fourth) + way), 0.01 * static_cast<double>(way));
}

// A core that reads 4 MiB faults six times a block (leaves 0, 1, 2, 4, 8, 16).
TEST_P(Migration, AMapBringsPagesBack) {
  const CommandId nothing = map_for_host(shared, 4 * mib);
  EXPECT_EQ(stage(nothing, Stage::page_fault), 0U);
  launch();
  const CommandId back = map_for_host(shared, 4 * mib);
  EXPECT_EQ(stage(back, Stage::page_fault), 12 * 4'000'000U);
  EXPECT_GT(stage(back, Stage::migration), 0U);
  EXPECT_EQ(took(back), took(nothing) + stage(back, Stage::page_fault) + stage(back, Stage::migration));
  EXPECT_EQ(sink.counters["host_faults"], 12U);
  EXPECT_EQ(sink.counters["to_host_bytes"], 4 * mib);
  EXPECT_GT(sink.up[back], 4 * mib);
  ASSERT_EQ(sink.records[back].size(), 1U);
  EXPECT_EQ(sink.records[back].front().action, "host_faults");
}

TEST_P(Migration, WhatTheProgramMovesFaultsNoMore) {
  const CommandId moved = migrate(shared, 4 * mib, true);
  EXPECT_EQ(stage(moved, Stage::page_fault), 0U);
  EXPECT_GT(sink.down[moved], 4 * mib);
  EXPECT_EQ(stage(launch(), Stage::page_fault), 0U);
  migrate(shared, 4 * mib, false);
  const CommandId empty = migrate(shared, 4 * mib, true, false);
  EXPECT_LT(sink.down[empty], 4096U);  // nothing is worth moving
  EXPECT_EQ(stage(launch(), Stage::page_fault), 0U);
}

// A copy of shared memory works on the host's side.
TEST_P(Migration, CopiesBringPagesBackFirst) {
  migrate(shared, 4 * mib, true);
  Command c;
  c.op = Operation::svm_memcpy;
  c.direction = Direction::host_to_device;
  c.source.placement = Placement::host_pinned;
  c.source.address = shared;
  c.target.placement = Placement::device;
  c.target.address = 1ULL << 31;
  c.shape.row_bytes = mib;
  const CommandId copy = enqueue(c);
  EXPECT_GT(stage(copy, Stage::migration), 0U);
  EXPECT_EQ(sink.counters["to_host_bytes"], mib);
  EXPECT_EQ(stage(enqueue(c), Stage::migration), 0U);
}

// Memory of the program: 16 MiB that nobody allocated are 4096 pages, each by itself.
TEST_P(Migration, SystemMemoryMovesPageByPage) {
  const CommandId first = launch(true, 0x300000000000, 16 * mib);
  EXPECT_EQ(sink.counters["faults"], 4096U);
  EXPECT_EQ(sink.counters["fault_batches"], 16U);
  EXPECT_EQ(sink.counters["to_device_bytes"], 16 * mib);
  EXPECT_GT(stage(first, Stage::migration), 0U);
  EXPECT_EQ(stage(launch(true, 0x300000000000, 16 * mib), Stage::page_fault), 0U);
}

// 64 times the bytes cost the simulation kernel not one event more.
TEST_P(Migration, EventsDoNotGrowWithSize) {
  if (std::string(GetParam()) == "packet") return;
  EXPECT_TRUE(sim->manage(large, 256 * mib));
  const auto events = [&](std::uint64_t address, std::uint64_t bytes) {
    const std::uint64_t before = static_cast<sim::SimDevice&>(*sim).link_events(0);
    migrate(address, bytes, true);
    return static_cast<sim::SimDevice&>(*sim).link_events(0) - before;
  };
  EXPECT_EQ(events(shared, 4 * mib), events(large, 256 * mib));
}

// Where the device keeps translations of what it moves, the host's pages are unmapped behind that: an Invalidate Request for each
// of the two blocks, a flight, 5 us in the device, and its answer. 31.43 bytes a nanosecond: 32 down and 24 up, and DLLPs.
class UnmappedPages : public Migration {
 protected:
  static constexpr TimePs request_wire = 1'032;
  static constexpr TimePs wait = 2 * 400'000 + 5'000'000 + 2 * request_wire + 781;

  void SetUp() override {
    sink.at = TraceLevel::packet;
    Migration::SetUp();
  }
  // In packet detail each message is told.
  void expect_messages(CommandId command) {
    const std::uint64_t blocks = std::string(GetParam()) == "packet" ? 2 : 0;
    EXPECT_EQ((sink.packets[{command, "InvReq"}]), blocks);
    EXPECT_EQ((sink.packets[{command, "InvCpl"}]), blocks);
  }
  std::string more() const override {
    return R"(, "link": {"propagation_ns": 400}, "iommu": {"entries": 4096, "walkers": 16, "llc_read_ns": 0},
      "ats": {"entries": 1024, "requests": 16, "agent_ns": 200, "invalidate_ns": 5000})";
  }
};

TEST_P(UnmappedPages, TheDriverWaitsForTheirTranslationsToGo) {
  const CommandId first = migrate(shared, 4 * mib, true);
  EXPECT_EQ(stage(first, Stage::iommu), wait);
  expect_messages(first);
  ASSERT_EQ(sink.records[first].size(), 2U);
  const StageRecord& record = sink.records[first].back();
  EXPECT_EQ(record.part, "host.iommu");
  EXPECT_EQ(record.action, "invalidate");
  EXPECT_EQ(record.end - record.begin, wait);
  EXPECT_LE(record.end, done[first].ended);
  // Back, they are where no device has looked yet, and stay mapped.
  const CommandId back = migrate(shared, 4 * mib, false);
  EXPECT_EQ(stage(back, Stage::iommu), 0U);
  // What the device asked for on the way back goes with them; it asks anew, so that nothing is cheaper.
  const CommandId again = migrate(shared, 4 * mib, true);
  EXPECT_EQ(stage(again, Stage::iommu), wait);
  const CommandId third = migrate(shared, 4 * mib, false);
  EXPECT_EQ(sink.up[third], sink.up[back]);
  // Nobody has translations of pages that move without their contents.
  migrate(shared, 4 * mib, true);
  migrate(shared, 4 * mib, false, false);
  const CommandId empty = migrate(shared, 4 * mib, true, false);
  EXPECT_EQ(stage(empty, Stage::iommu), 0U);
}

TEST_P(UnmappedPages, KernelsWaitForThemToo) {
  const CommandId first = launch();
  EXPECT_EQ(stage(first, Stage::iommu), wait);
  expect_messages(first);
  const CommandId second = launch();
  EXPECT_EQ(stage(second, Stage::iommu), 0U);
  map_for_host(shared, 4 * mib);
  const CommandId third = launch();
  const CommandId fourth = launch();
  const TimePs way = stage(third, Stage::page_fault) + stage(third, Stage::migration) + wait;
  EXPECT_EQ(stage(third, Stage::iommu), wait);
  EXPECT_NEAR(static_cast<double>(took(third)), static_cast<double>(took(fourth) + way), 0.01 * static_cast<double>(way));
}

INSTANTIATE_TEST_SUITE_P(Details, UnmappedPages, ::testing::Values("train", "packet"),
                         [](const auto& p) { return std::string(p.param); });
INSTANTIATE_TEST_SUITE_P(Details, Migration, ::testing::Values("train", "packet"),
                         [](const auto& p) { return std::string(p.param); });

}  // namespace
}  // namespace sluice

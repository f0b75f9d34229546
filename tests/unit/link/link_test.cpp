#include "sim/models/link/link.h"

#include <gtest/gtest.h>

#include <array>
#include <tuple>
#include <utility>
#include <vector>

#include "sim/models/link/packetise.h"

namespace sluice::sim {
namespace {

using cache::LineRun;
using cache::LineState;

profile::Profile machine(profile::LinkKind kind) {
  profile::Profile p;
  p.link.kind = kind;
  p.link.gigatransfers_per_s = 32;
  p.link.lanes = 16;
  p.link.encoding = 128.0 / 130.0;
  p.link.skip_overhead = 4.0 / 1538.0;
  p.link.propagation_ps = 1000;
  p.link.flit_bytes = 68;
  p.link.flit_payload_bytes = 64;
  p.link.ownership_ps = 50'000;
  p.link.ownership_lines_per_s = 100'000'000;  // 10 ns a line
  p.link.fabric_bytes_per_s = 64'000'000'000;
  p.host.home_agent.latency_ps = 2000;
  p.host.home_agent.memory_bytes_per_s = 256'000'000'000;
  return p;
}

LinkTransfer transfer(Direction d, std::uint64_t bytes) {
  LinkTransfer t;
  t.direction = d;
  t.row_bytes = bytes;
  return t;
}

// 32 * 16 / 8 * 128 / 130 * 1534 / 1538 = 62.8515 GB/s.
TEST(Pcie, Gen5WireTimes) {
  const profile::Profile p = machine(profile::LinkKind::pcie);
  const auto link = make_link(p);
  Flow f;
  link->plan(transfer(Direction::device_to_host, 1024), {}, f);
  ASSERT_EQ(f.segments.size(), 1U);
  EXPECT_EQ(f.segments[0].packets, 4U);
  EXPECT_EQ(f.segments[0].service_ps[1], 4455U);  // 256 + 24 bytes: 4454.9
  EXPECT_EQ(f.segments[0].service_ps[2], 1000U);  // home agent: 256 bytes at 256 GB/s
  link->plan(transfer(Direction::host_to_device, 1024), {}, f);
  ASSERT_EQ(f.segments.size(), 1U);
  EXPECT_EQ(f.segments[0].packets, 2U);
  EXPECT_EQ(f.segments[0].service_ps[0], 382U);   // 24 bytes: 381.9
  EXPECT_EQ(f.segments[0].service_ps[2], 8783U);  // 2 * (256 + 20) bytes: 8782.6
}

// The engine gathers rows of 32 bytes, 1 ns each, which lie packed at the host: 8 of them fill a packet of 256 bytes.
TEST(Pcie, RowsThatLiePackedAreTheEnginesWork) {
  const profile::Profile p = machine(profile::LinkKind::pcie);
  const auto link = make_link(p);
  LinkTransfer t = transfer(Direction::device_to_host, 1024);
  t.row_ps = 1000;
  Flow f;
  link->plan(t, {}, f);
  EXPECT_EQ(f.segments[0].service_ps[0], 0U);  // one row
  t.row_unit_bytes = 32;
  link->plan(t, {}, f);
  ASSERT_EQ(f.segments.size(), 1U);
  EXPECT_EQ(f.segments[0].packets, 4U);
  EXPECT_EQ(f.segments[0].service_ps[0], 8000U);
}

// A read's first data come when the line is found: 67 ns sooner in the last-level cache (pcie-bench's hosts save 67 to 80 ns),
// later where a core has it. The slowest line of a transfer counts, once, and what cores add is a snoop.
TEST(Pcie, ReadsComeBackByWhereTheLineIs) {
  profile::Profile p = machine(profile::LinkKind::pcie);
  p.host.home_agent.latency_ps = 200'000;
  p.host.home_agent.llc_latency_ps = 133'000;
  p.host.home_agent.private_latency_ps = 250'000;
  const auto link = make_link(p);
  const auto time = [&](const std::vector<LineRun>& runs, Without without = Without::nothing) {
    Flow f;
    link->plan(transfer(Direction::host_to_device, 1024), runs, f);
    return times_alone(f, without).end;
  };
  const TimePs memory = time({{16, LineState::memory}});
  EXPECT_EQ(memory - time({{16, LineState::llc}}), 67'000U);
  EXPECT_EQ(time({{16, LineState::private_clean}}) - memory, 50'000U);
  EXPECT_EQ(time({{8, LineState::llc}, {8, LineState::memory}}), memory);
  EXPECT_EQ(time({{8, LineState::llc}, {8, LineState::private_dirty}}) - memory, 50'000U);
  EXPECT_EQ(time({{16, LineState::private_dirty}}, Without::walks_and_snoops), time({{16, LineState::llc}}));
  // One latency where no other is given.
  p.host.home_agent.llc_latency_ps = p.host.home_agent.private_latency_ps = 0;
  EXPECT_EQ(time({{16, LineState::llc}}), memory);
}

// 4 writes of 256 bytes; two walks of 300 ns by which three walkers are busy for 200 ns: 50 ns a write, and all writes
// that the credits let out wait for a walk.
TEST(Pcie, WalksPaceTheHomeAgentAndDelayWhatIsOut) {
  profile::Profile p = machine(profile::LinkKind::pcie);
  p.link.posted_credits_tlps = 128;
  const auto link = make_link(p);
  LinkTransfer t = transfer(Direction::device_to_host, 1024);
  t.walks = {2, 300'000, 200'000};
  Flow f;
  link->plan(t, {}, f);
  ASSERT_EQ(f.segments.size(), 1U);
  EXPECT_EQ(f.segments[0].service_ps[2], 50'000U);
  EXPECT_EQ(f.segments[0].walk_ps, 49'000U);  // the home agent's own 1000 run beside it
  EXPECT_EQ(f.latency_ps, (std::array<TimePs, max_hops>{0, 300'000, 0, 0}));
  // 1024 writes, four walks: half of the windows of 128 wait for one. The walkers keep up.
  t = transfer(Direction::device_to_host, 1024 * 256);
  t.walks = {4, 300'000, 200'000};
  link->plan(t, {}, f);
  EXPECT_EQ(f.segments[0].service_ps[2], 1000U);
  EXPECT_EQ(f.latency_ps, (std::array<TimePs, max_hops>{0, 150'000, 150'000, 0}));
  // A read is a walk longer, whatever its size.
  t = transfer(Direction::host_to_device, 1 << 20);
  Flow without;
  link->plan(t, {}, without);
  t.walks = {1, 300'000, 300'000};
  link->plan(t, {}, f);
  EXPECT_EQ(time_alone(f), time_alone(without) + 300'000);
}

// What is left when walks are taken out is the flow that has none, and walks cut no segment.
TEST(Pcie, WithoutItsWalksAFlowIsAsIfItHadNone) {
  const profile::Profile p = machine(profile::LinkKind::pcie);
  const auto link = make_link(p);
  for (const Direction d : {Direction::host_to_device, Direction::device_to_host}) {
    for (const std::uint64_t bytes : {64, 5000, 1 << 20, 1 << 28}) {
      for (const std::uint64_t walks : {std::uint64_t{1}, bytes / 4096 + 1}) {
        LinkTransfer t = transfer(d, bytes);
        Flow plain;
        Flow walked;
        const std::vector<LineRun> runs = {{bytes / 256, LineState::private_dirty}};
        link->plan(t, runs, plain);
        t.walks = {walks, 267'000, walks * 267'000 / 2};
        link->plan(t, runs, walked);
        EXPECT_EQ(walked.segments.size(), plain.segments.size());
        EXPECT_GT(times_alone(walked).drained, times_alone(plain).drained);
        for (const auto& [take, same] : {std::pair{Without::walks, Without::nothing},
                                         std::pair{Without::walks_and_snoops, Without::walks_and_snoops}}) {
          EXPECT_EQ(times_alone(walked, take).end, times_alone(plain, same).end) << bytes;
          EXPECT_EQ(times_alone(walked, take).drained, times_alone(plain, same).drained) << bytes;
        }
        link->plan(transfer(d, bytes), runs, walked);  // flows are used again
        EXPECT_EQ(walked.walks + walked.walk_in_window_ps + walked.walk_once_ps, 0U);
      }
    }
  }
}

TEST(Coherent, FlitsArePackedOverTheBurst) {
  profile::Profile p = machine(profile::LinkKind::coherent);
  p.link.encoding = 1.0;
  p.link.skip_overhead = 0;  // 64 GB/s
  p.link.flit_bytes = 256;
  p.link.flit_payload_bytes = 240;
  p.link.data_header_bytes = 0;
  const auto link = make_link(p);
  Flow f;
  link->plan(transfer(Direction::host_to_device, 240 * 256), {}, f);
  ASSERT_EQ(f.segments.size(), 1U);
  EXPECT_EQ(f.segments[0].service_ps[2], 4267U);  // 256 * 256 / 240 bytes / 64 GB/s: 4266.7
  EXPECT_EQ(link->wire_use(f, Direction::host_to_device).down, 256U * 256);
}

// 64 GB/s and flits of 68 bytes with 64 of messages. Requests of 16 bytes, responses of 4, lines of 4 + 64.
profile::Profile cxl() {
  profile::Profile p = machine(profile::LinkKind::coherent);
  p.link.encoding = 1.0;
  p.link.skip_overhead = 0;
  return p;
}

TEST(Coherent, ReadsAreRequestsAndLines) {
  const profile::Profile p = cxl();
  const auto link = make_link(p);
  Flow f;
  LinkTransfer t = transfer(Direction::host_to_device, 1024);
  link->plan(t, {}, f);
  ASSERT_EQ(f.segments.size(), 1U);
  EXPECT_EQ(f.segments[0].packets, 4U);
  EXPECT_EQ(f.segments[0].service_ps[0], 1063U);  // 4 * 16 * 68 / 64 = 68 bytes: 1062.5
  EXPECT_EQ(f.segments[0].service_ps[2], 4516U);  // 4 * 68 * 68 / 64 = 289 bytes: 4515.6
  EXPECT_EQ(link->wire_use(f, t.direction).up, 4U * 68);
  EXPECT_EQ(link->wire_use(f, t.direction).down, 17U * 68);  // 16 lines of 68 bytes are 17 flits
  // What a kernel has read it lets go again: another request up and a response down, 4 * 72 * 68 / 64 = 306 bytes.
  t.cached = true;
  link->plan(t, {}, f);
  EXPECT_EQ(f.segments[0].service_ps[0], 2125U);
  EXPECT_EQ(f.segments[0].service_ps[2], 4781U);
}

TEST(Coherent, WritesAreRequestsGrantsAndLines) {
  const profile::Profile p = cxl();
  const auto link = make_link(p);
  Flow f;
  link->plan(transfer(Direction::device_to_host, 256 + 32), {}, f);
  ASSERT_EQ(f.segments.size(), 2U);
  EXPECT_EQ(f.segments[0].service_ps[1], 5578U);  // 4 * (16 + 68) * 68 / 64 = 357 bytes: 5578.1
  EXPECT_EQ(f.segments[0].answer_ps[1], 266U);       // 4 * 4 * 68 / 64 = 17 bytes: 265.6
  // Half a line is fetched, changed and evicted: two requests and a line up, a line and a grant down.
  EXPECT_EQ(f.segments[1].service_ps[1], 1660U);  // 100 * 68 / 64 = 106.25 bytes: 1660.2
  EXPECT_EQ(f.segments[1].answer_ps[1], 1195U);      // 72 * 68 / 64 = 76.5 bytes: 1195.3
  EXPECT_EQ(f.latency_ps[1], 1000U + 50'000);     // flight, and until the home grants the first line
  EXPECT_EQ(f.ownership_ps, 50'000U);
  EXPECT_EQ(times_alone(f, Without::walks_and_coherence).end + 50'000, time_alone(f));
}

TEST(Coherent, LinesThatACoreHoldsAreSnooped) {
  profile::Profile p = cxl();
  p.host.home_agent.snoop_latency_ps = 80'000;
  p.host.home_agent.snoop_trackers = 16;
  const auto link = make_link(p);
  Flow f;
  link->plan(transfer(Direction::host_to_device, 512), {{4, LineState::private_dirty}, {4, LineState::llc}}, f);
  ASSERT_EQ(f.segments.size(), 2U);
  EXPECT_EQ(f.segments[0].service_ps[1], 20'000U);  // four lines of 80 ns, 16 at once
  EXPECT_EQ(f.segments[1].service_ps[1], 1000U);
  EXPECT_EQ(f.snoop_once_ps, 80'000U);
  EXPECT_EQ(f.latency_ps[0], 1000U + 80'000);
  Flow absent;
  link->plan(transfer(Direction::host_to_device, 512), {}, absent);
  EXPECT_EQ(absent.snoop_once_ps, 0U);
  EXPECT_EQ(times_alone(f, Without::walks_and_snoops).end, time_alone(absent));
  // Held lines that are written change hands at 10 ns each.
  link->plan(transfer(Direction::device_to_host, 768), {{8, LineState::private_dirty}, {4, LineState::memory}}, f);
  ASSERT_EQ(f.segments.size(), 2U);
  EXPECT_EQ(f.segments[0].service_ps[2], 40'000U);
  EXPECT_EQ(f.segments[1].service_ps[2], 1000U);
}

// Caches are coherent in hardware, so a map has nothing to move; on clpeak's MI250X, over its coherent fabric, a map of
// 2 GiB takes 4.7 to 13.8 us: the call.
// At 64 GB/s with flights of 1 ns: a snoop of 16 bytes in 266 ps (17 with its share of the flit), 80 ns in the host, an answer
// of 4 in 66 ps, or of 4 + 4 + 64 in 1195 with data. Four are under way at once.
TEST(Coherent, LinesAreTakenBackFromTheHost) {
  profile::Profile p = cxl();
  p.host.home_agent.snoop_latency_ps = 80'000;
  p.link.filter_snoops = 4;
  const auto link = make_link(p);
  const auto took = [&](std::uint64_t lines, std::uint64_t dirty) {
    cache::DeviceLines::Taken taken;
    taken.lines = lines;
    taken.dirty = dirty;
    Flow f;
    link->plan_recalls(taken, f);
    return times_alone(f).drained;
  };
  constexpr TimePs clean = 266 + 81'000 + 66 + 1'000;
  constexpr TimePs dirty = 266 + 81'000 + 1'195 + 1'000;
  EXPECT_EQ(took(1, 0), clean);
  EXPECT_EQ(took(4, 0), clean + 3 * 266);
  EXPECT_EQ(took(8, 0), 2 * clean + 3 * 266);
  EXPECT_EQ(took(4, 4), dirty + 3 * 1'195);
  Flow f;
  link->plan_recalls({.lines = 5, .dirty = 2}, f);
  const Link::WireUse use = link->wire_use(f, Direction::host_to_device);
  EXPECT_EQ(use.up, 2U * 68);    // 5 * 16 = 80 bytes in flits of 64
  EXPECT_EQ(use.down, 3U * 68);  // 3 * 4 + 2 * 72 = 156
  // Pages that flip: the host flushes by itself, 68 bytes a line.
  link->plan_recalls({.dirty = 4, .flips = 1}, f);
  EXPECT_EQ(f.hops, 1U);
  EXPECT_EQ(times_alone(f).drained, 4 * 1'129U + 1'000);
}

// A read of 1024 lines drives 512 out of cores, 16 at a time and 80 ns each, which is more than the home agent takes for the lines
// itself; and 256 of its own out of the device, which are snooped meanwhile: 16 bytes down, 4 up.
TEST(Coherent, AHostsFilterThatOverflowsTakesLinesBack) {
  profile::Profile p = cxl();
  p.host.home_agent.snoop_latency_ps = 80'000;
  p.host.home_agent.snoop_trackers = 16;
  p.link.outstanding_lines = 1 << 20;
  const auto link = make_link(p);
  Flow f;
  LinkTransfer t = transfer(Direction::host_to_device, 64 * 1024);
  t.cached = true;
  link->plan(t, {}, f);
  const TimePs without = time_alone(f);
  const Link::WireUse bare = link->wire_use(f, Direction::host_to_device);
  link->plan_filter({}, f);
  EXPECT_EQ(time_alone(f), without);
  EXPECT_EQ(f.beside, nullptr);
  link->plan_filter({512, 256}, f);
  const std::uint64_t packets = f.packets();
  const TimePs all = 512 * 80'000 / 16;
  EXPECT_NEAR(static_cast<double>(time_alone(f)), static_cast<double>(all), 0.1 * static_cast<double>(all));
  EXPECT_EQ(times_alone(f, Without::walks_and_snoops).end, without);
  EXPECT_EQ(f.segments.front().service_ps[1], all / packets);
  ASSERT_NE(f.beside, nullptr);
  EXPECT_EQ(f.beside->packets(), 256U);
  EXPECT_NEAR(static_cast<double>(time_alone(*f.beside)), static_cast<double>(time_alone(f)), 0.1 * static_cast<double>(all));
  const Link::WireUse use = link->wire_use(f, Direction::host_to_device);
  EXPECT_EQ(use.down - bare.down, 256 * 16 / 64 * 68U);
  EXPECT_EQ(use.up - bare.up, 256 * 4 / 64 * 68U);
}

// 12 bytes with the pages' address down, a response up, in flits of 68 bytes with 64 of them; two, one behind the other.
TEST(Coherent, InvalidationsAreAnsweredByTheDevice) {
  Flow f;
  make_link(cxl())->plan_invalidations(2, 50'000, f);
  EXPECT_EQ(time_alone(f), 2U * 199 + 1000 + 50'000 + 66 + 1000);
}

TEST(Coherent, MapsMoveNoLines) {
  const profile::Profile p = cxl();
  EXPECT_FALSE(make_link(p)->maintains_caches());
  EXPECT_EQ(make_link(p)->map_cost(1 << 20), 0U);
}

using Packets = std::vector<std::tuple<std::uint64_t, std::uint32_t, LineState>>;

Packets cut(std::uint64_t row_bytes, std::uint64_t rows, const std::vector<LineRun>& runs, std::uint64_t address = 0,
            std::uint64_t pitch = 1024) {
  LinkTransfer t = transfer(Direction::host_to_device, row_bytes);
  t.rows = rows;
  t.host_address = address;
  t.host_row_pitch_bytes = pitch;
  Packets out;
  packetise(t, runs, 256, 64,
            [&](std::uint64_t n, std::uint32_t bytes, LineState s, std::uint32_t) { out.emplace_back(n, bytes, s); });
  return out;
}

TEST(Packetise, WholePacketsAndTail) {
  EXPECT_EQ(cut(1000, 1, {{16, LineState::llc}}),
            (Packets{{3, 256, LineState::llc}, {1, 232, LineState::llc}}));
}

TEST(Packetise, PacketOverABorderCountsWithTheCostlier) {
  EXPECT_EQ(cut(1024, 1, {{6, LineState::memory}, {10, LineState::private_dirty}}),
            (Packets{{1, 256, LineState::memory}, {1, 256, LineState::private_dirty},
                     {2, 256, LineState::private_dirty}}));
}

TEST(Packetise, PacketsAreAlignedToTheirSize) {
  // From 16 to 616: up to 256, up to 512, and 104 bytes. The first packet's lines are 0 to 3.
  EXPECT_EQ(cut(600, 1, {{4, LineState::private_dirty}, {6, LineState::memory}}, 16),
            (Packets{{1, 240, LineState::private_dirty}, {1, 256, LineState::memory}, {1, 104, LineState::memory}}));
  // Rows of 64 bytes, 96 apart: the third, from 192, ends at 256; the fourth begins at 288.
  EXPECT_EQ(cut(64, 4, {{8, LineState::memory}}, 0, 96),
            (Packets{{1, 64, LineState::memory}, {1, 64, LineState::memory}, {1, 64, LineState::memory},
                     {1, 64, LineState::memory}}));
}

TEST(Pcie, MisalignedReadsAreCutAtTheCompletionBoundary) {
  profile::Profile p = machine(profile::LinkKind::pcie);
  p.link.max_payload_bytes = 256;
  p.link.max_read_request_bytes = 512;
  p.link.read_completion_boundary_bytes = 64;
  const auto link = make_link(p);
  LinkTransfer t = transfer(Direction::host_to_device, 1024);
  Flow f;
  link->plan(t, {}, f);
  // Two requests of two completions each.
  EXPECT_EQ(link->wire_use(f, Direction::host_to_device).tlps, 2U * 3);
  t.host_address = 16;
  link->plan(t, {}, f);
  // Requests of 496, 512 and 16 bytes; the first is answered with 48 bytes up to the boundary, 256 and 192.
  EXPECT_EQ(link->wire_use(f, Direction::host_to_device).tlps, (1U + 3) + (1 + 2) + (1 + 1));
}

TEST(Packetise, RowsDoNotSharePackets) {
  EXPECT_EQ(cut(320, 2, {{10, LineState::memory}}),
            (Packets{{1, 256, LineState::memory}, {1, 64, LineState::memory}, {1, 256, LineState::memory},
                     {1, 64, LineState::memory}}));
}

}  // namespace
}  // namespace sluice::sim

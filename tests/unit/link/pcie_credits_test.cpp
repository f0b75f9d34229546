// Flow-control credits, the replay buffer, DLLPs counted one by one, ordering and bridges of PCI Express, by hand: wires of
// one byte a nanosecond and flights of 100 ns.
#include <gtest/gtest.h>

#include <algorithm>

#include "sim/models/limits.h"
#include "sim/models/link/link.h"
#include "sim/models/link/packet_network.h"

namespace sluice::sim {
namespace {

profile::Profile machine() {
  profile::Profile p;
  p.link.generation = 4;
  p.link.gigatransfers_per_s = 8;
  p.link.lanes = 1;
  p.link.encoding = 1;
  p.link.propagation_ps = 100'000;
  p.link.credit_return_ps = 300'000;
  p.link.dllp_accounting = profile::DllpAccounting::counted;
  p.link.posted_credits_tlps = 65536;
  p.link.read_tags = 768;
  p.link.read_buffer_bytes = 1 << 30;
  p.host.home_agent.latency_ps = 200'000;
  p.host.home_agent.memory_bytes_per_s = 256'000'000'000;  // 1 ns for 256 bytes
  return p;
}

Flow plan(const profile::Profile& p, Direction direction, std::uint64_t bytes, std::uint64_t rows = 1) {
  LinkTransfer t;
  t.direction = direction;
  t.row_bytes = bytes;
  t.rows = rows;
  t.host_row_pitch_bytes = 4096;
  Flow flow;
  make_link(p)->plan(t, {}, flow);
  return flow;
}
Flow writes(const profile::Profile& p, std::uint64_t bytes) { return plan(p, Direction::device_to_host, bytes); }
Flow reads(const profile::Profile& p, std::uint64_t bytes) { return plan(p, Direction::host_to_device, bytes); }

std::string limiter(const Flow& flow) {
  Limits limits;
  limits.add(flow, 0);
  return std::string(limits.limiter());
}

// A write of 256 bytes takes 280 ns of the wire, 1 ns of the home agent, and its credits come back 300 ns later.
TEST(PcieCredits, PostedHeadersAndData) {
  profile::Profile p = machine();
  constexpr std::uint64_t n = 1000;
  const TimePs wire = n * 280'000;
  EXPECT_EQ(time_alone(writes(p, n * 256)), wire);
  EXPECT_EQ(limiter(writes(p, n * 256)), "link.wire_up");
  for (const auto& [headers, data, part] :
       {std::tuple{1U, 0U, "link.credits.posted_headers"}, std::tuple{0U, 16U, "link.credits.posted_data"},
        std::tuple{0U, 31U, "link.credits.posted_data"}}) {  // two need 32
    p.link.credits = {};
    p.link.credits.posted_headers = headers;
    p.link.credits.posted_data = data;
    const Flow one = writes(p, n * 256);
    EXPECT_EQ(time_alone(one), (n - 1) * 581'000 + 280'000) << part;
    EXPECT_EQ(limiter(one), part);
  }
  // Two are out at once: two every 581 ns are more than the wire takes, 560 ns.
  p.link.credits = {};
  p.link.credits.posted_data = 32;
  EXPECT_EQ(time_alone(writes(p, n * 256)), (n / 2 - 1) * 581'000 + 560'000);
  // Short writes take a header each but few units of data: eight of 64 bytes are out with 32 units.
  const Flow rows = plan(p, Direction::device_to_host, 64, 1000);
  EXPECT_EQ(time_alone(rows), 1000U * 88'000);
}

// A request of 24 bytes is with the home agent after 24 + 100 ns, for 2 ns, and its credit comes 300 ns after it.
TEST(PcieCredits, NonPostedHeaders) {
  profile::Profile p = machine();
  p.link.gigatransfers_per_s = 80;  // ten bytes a nanosecond: a request takes 2.4 ns and its 512 bytes 55.2 ns
  constexpr std::uint64_t n = 1000;
  const TimePs way = 2'400 + 100'000 + 2'000 + 200'000 + 56'000 + 100'000;  // an Ack of 8 bytes for the request beside its data
  EXPECT_EQ(time_alone(reads(p, n * 512)), way + (n - 1) * 56'000);
  p.link.credits.non_posted_headers = 2;
  const Flow limited = reads(p, n * 512);
  // And an UpdateFC. Two requests every 2.4 + 100 + 2 + 300 ns, and the last two's data one behind the other.
  EXPECT_EQ(time_alone(limited), (n / 2 - 1) * 404'400 + way + 800 + 56'800);
  EXPECT_EQ(limiter(limited), "link.credits.non_posted_headers");
}

// 512 bytes in two completions take 552 ns and an Ack's 8, and are in the device's memory 100 ns later.
TEST(PcieCredits, Completions) {
  profile::Profile p = machine();
  constexpr std::uint64_t n = 1000;
  const TimePs before = 24'000 + 100'000 + 2'000 + 200'000;
  EXPECT_EQ(time_alone(reads(p, n * 512)), before + n * 560'000 + 100'000);
  for (const auto& [headers, data, part] : {std::tuple{2U, 0U, "link.credits.completion_headers"},
                                            std::tuple{0U, 40U, "link.credits.completion_data"}}) {
    p.link.credits.completion_headers = headers;
    p.link.credits.completion_data = data;
    const Flow limited = reads(p, n * 512);
    EXPECT_EQ(time_alone(limited), before + (n - 1) * (560'000 + 100'000 + 300'000) + 660'000) << part;
    EXPECT_EQ(limiter(limited), part);
  }
}

// A write stays in the replay buffer until its Ack has come: there and back, 200 ns, and as long as three further writes
// take where there is one Ack for four, unless it waits for no more than 300 ns: then two come together.
TEST(PcieCredits, AcksAreGatheredAndEmptyTheReplayBuffer) {
  profile::Profile p = machine();
  constexpr std::uint64_t n = 1000;
  p.link.replay_buffer_bytes = 280;
  EXPECT_EQ(time_alone(writes(p, n * 256)), (n - 1) * 480'000 + 280'000);
  EXPECT_EQ(limiter(writes(p, n * 256)), "link.replay_buffer");
  p.link.ack_tlps = 4;
  EXPECT_EQ(time_alone(writes(p, n * 256)), (n - 1) * (480'000 + 3 * 280'000) + 280'000);
  p.link.ack_latency_ps = 300'000;
  EXPECT_EQ(time_alone(writes(p, n * 256)), (n - 1) * (480'000 + 280'000) + 280'000);
}

// What DLLPs of 8 bytes take of the wires: nothing beside the data that they answer, all of it on the other wire. Kinds of
// credits without end have no UpdateFC (PCIe Base, 2.6.1).
TEST(PcieCredits, DllpsAreCounted) {
  profile::Profile p = machine();
  p.link.ack_tlps = 4;
  p.link.update_tlps = 2;
  Flow f = writes(p, 256);
  EXPECT_EQ(f.segments[0].service_ps[1], 280'000U);
  EXPECT_EQ(f.answers[1], Resource::wire_down);
  EXPECT_EQ(f.segments[0].answer_ps[1], 2'000U);  // a quarter of an Ack
  p.link.credits.posted_headers = 64;
  EXPECT_EQ(writes(p, 256).segments[0].answer_ps[1], 6'000U);  // and half an UpdateFC
  f = reads(p, 512);
  EXPECT_EQ(f.segments[0].service_ps[0], 24'000U);
  EXPECT_EQ(f.segments[0].service_ps[2], 552'000U + 2'000);  // the request's Ack goes with the data
  EXPECT_EQ(f.segments[0].answer_ps[2], 4'000U);             // of two completions
  p.link.credits.non_posted_headers = p.link.credits.completion_data = 64;
  f = reads(p, 512);
  EXPECT_EQ(f.segments[0].service_ps[2], 552'000U + 6'000);
  EXPECT_EQ(f.segments[0].answer_ps[2], 12'000U);
  // A flit has places of its own for them, and no framing: 272 of 256 / 236 bytes.
  p.link.generation = 6;
  f = writes(p, 256);
  EXPECT_EQ(f.segments[0].answer_ps[1], 0U);
  EXPECT_EQ(f.segments[0].service_ps[1], 295'051U);
}

// ---- AtomicOps -------------------------------------------------------------------------------------------------------

// `count` of them with operands of so many bytes, of which `answer` come back.
Flow atomics(const profile::Profile& p, std::uint32_t operands, std::uint32_t answer, std::uint64_t count) {
  LinkTransfer t;
  t.row_bytes = answer;
  t.operand_bytes = operands;
  Flow flow;
  make_link(p)->plan(t, {}, flow);
  flow.segments.front().packets = count;
  return flow;
}

// PCIe Base, 2.2.7 and 6.15: a request of 16 bytes' header, framing and operands (one of FetchAdd and Swap, two of CAS), a
// completion with what was there. Either end's Ack of 8 bytes goes with what the other wire carries. The home agent reads a
// line, in 0.25 ns.
TEST(PcieAtomics, RequestsCarryOperandsAndAreAnswered) {
  const profile::Profile p = machine();
  const TimePs between = 100'000 + 250 + 200'000;
  EXPECT_EQ(time_alone(atomics(p, 4, 4, 1)), 28'000 + 8'000 + between + 24'000 + 8'000 + 100'000);
  EXPECT_EQ(time_alone(atomics(p, 8, 8, 1)), 32'000 + 8'000 + between + 28'000 + 8'000 + 100'000);
  EXPECT_EQ(time_alone(atomics(p, 8, 4, 1)), 32'000 + 8'000 + between + 24'000 + 8'000 + 100'000);
  EXPECT_EQ(time_alone(atomics(p, 16, 8, 1)), 40'000 + 8'000 + between + 28'000 + 8'000 + 100'000);
  EXPECT_EQ(time_alone(atomics(p, 16, 8, 1000)), 48'000U * 1000 + between + 36'000 + 100'000);
  const Flow cas = atomics(p, 16, 8, 10);
  const Link::WireUse use = make_link(p)->wire_use(cas, Direction::host_to_device);
  EXPECT_EQ(use.up, 400U);
  EXPECT_EQ(use.down, 280U);
  EXPECT_EQ(use.tlps, 20U);
  EXPECT_EQ(cas.kind, "AtomicOp");
}

// A unit each: 16 bytes or less. It is back 300 ns after the home agent has taken the request, which is 436.25 ns after that
// entered the wire; the answer then has an UpdateFC beside the Ack, and the second of two waits for the first's.
TEST(PcieAtomics, TakeNonPostedData) {
  profile::Profile p = machine();
  constexpr std::uint64_t n = 1000;
  p.link.credits.non_posted_data = 2;
  const TimePs way = 36'000 + 100'000 + 250 + 200'000 + 40'000 + 100'000;
  const Flow limited = atomics(p, 4, 4, n);
  EXPECT_EQ(time_alone(limited), (n / 2 - 1) * 436'250 + way + 40'000);
  EXPECT_EQ(limiter(limited), "link.credits.non_posted_data");
  // Reads and writes need none of it.
  for (const Flow& other : {reads(p, 4096), writes(p, 4096)}) EXPECT_TRUE(other.credits.empty());
  // 32 bytes of operands are two units, so one is out at a time: what PCIe Base, 2.6.1, wants room for (CAS of 128 bits).
  EXPECT_EQ(time_alone(atomics(p, 32, 16, n)), (n - 1) * (436'250 + 28'000) + way + 28'000 + 12'000);
}

// Headers are those of reads; operands wait in the replay buffer for their Ack, 200 ns after the wire has had them.
TEST(PcieAtomics, TakeHeadersAndTheReplayBuffer) {
  profile::Profile p = machine();
  constexpr std::uint64_t n = 1000;
  const TimePs way = 36'000 + 100'000 + 250 + 200'000 + 32'000 + 100'000;
  p.link.replay_buffer_bytes = 28 + 24;  // one request on its way up, and on the other wire two answers on theirs
  EXPECT_EQ(time_alone(atomics(p, 4, 4, n)), (n - 1) * 236'000 + way);
  EXPECT_EQ(limiter(atomics(p, 4, 4, n)), "link.replay_buffer");
  p.link.replay_buffer_bytes = 0;
  p.link.credits.non_posted_headers = 1;
  EXPECT_EQ(time_alone(atomics(p, 4, 4, n)), (n - 1) * 436'250 + way + 8'000);
  // What the host takes for one after another, where that is longest.
  p.link.credits = {};
  p.host.home_agent.atomic_ps = 50'000;
  EXPECT_EQ(time_alone(atomics(p, 4, 4, n)), (n - 1) * 50'000 + way - 250 + 50'000);
}

// ---- translation requests --------------------------------------------------------------------------------------------

Walks translations(std::uint64_t count, std::uint32_t requests, TimePs latency, TimePs walkers = 0) {
  Walks walks;
  walks.count = count;
  walks.requests = requests;
  walks.latency_ps = latency;
  walks.walkers_ps = walkers;
  return walks;
}

// PCIe Base, 10.2: a header of 16 bytes with framing up, a completion of 20 bytes with one translation of 8 down; each end's Ack
// goes with what the other wire carries. A translation takes 1200 ns, its flights of 100 ns included: 1000 at the agent.
TEST(PcieTranslations, CrossTheLinkBesideTheData) {
  const profile::Profile p = machine();
  const auto link = make_link(p);
  Flow flow = reads(p, 4096);
  link->plan_translations(translations(100, 4, 1'200'000), flow);
  ASSERT_NE(flow.beside, nullptr);
  const Flow& asked = *flow.beside;
  const TimePs trip = 32'000 + 1'100'000 + 36'000 + 100'000;
  EXPECT_EQ(time_alone(asked), 25 * trip + 3 * 36'000);  // four at once, whose answers come one behind the other
  EXPECT_EQ(asked.bytes(), 800U);
  EXPECT_EQ(asked.kind, "TransReq");
  const Link::WireUse use = link->wire_use(flow, Direction::host_to_device);
  const Flow bare = reads(p, 4096);
  const Link::WireUse without = link->wire_use(bare, Direction::host_to_device);
  EXPECT_EQ(use.up, without.up + 2400);
  EXPECT_EQ(use.down, without.down + 2800);
  EXPECT_EQ(use.tlps, without.tlps + 200);
  // Where the IOMMU's walkers are slower than that, they set the pace: 1 us each.
  link->plan_translations(translations(100, 4, 1'200'000, 100'000'000), flow);
  EXPECT_NEAR(static_cast<double>(time_alone(*flow.beside)), 100e6, 4e6);
  // An IOMMU that the device does not ask costs the link nothing, nor do pages that are known.
  link->plan_translations(translations(100, 0, 1'200'000), flow);
  EXPECT_EQ(flow.beside, nullptr);
  link->plan_translations(translations(0, 4, 0), flow);
  EXPECT_EQ(flow.beside, nullptr);
}

std::vector<FlowTimes> run(const std::vector<std::pair<Flow, TimePs>>& flows, std::uint32_t devices = 1) {
  std::vector<std::shared_ptr<const Flow>> all;
  for (const auto& [flow, at] : flows) all.push_back(std::make_shared<const Flow>(flow));
  std::vector<FlowTimes> times(flows.size());
  PacketNetwork network(true, nullptr, devices);
  const auto serve = [&](TimePs until) {
    while (const auto ended = network.run(until)) {
      const auto which = std::find_if(all.begin(), all.end(), [&](const auto& f) { return f.get() == ended->flow; });
      times[static_cast<std::size_t>(which - all.begin())] = ended->times;
    }
  };
  for (std::size_t i = 0; i < flows.size(); ++i) {
    serve(flows[i].second);
    network.start(all[i], flows[i].second);
  }
  serve(time_never);
  return times;
}

// Credits are the link's: two transfers that have one header between them take as long as one of both's size.
TEST(PcieCredits, TransfersOnOneWireShareThem) {
  profile::Profile p = machine();
  p.link.credits.posted_headers = 1;
  const auto times = run({{writes(p, 256 * 1000), 0}, {writes(p, 256 * 1000), 0}});
  EXPECT_EQ(std::max(times[0].end, times[1].end), 1999U * 581'000 + 280'000);
}

// Of a read and an atomic 1 ns behind it, with one header between them, the atomic waits until the read's is back: 24 ns for
// the request, its flight, 0.25 ns at home, 300 ns.
TEST(PcieAtomics, ShareHeadersWithReads) {
  profile::Profile p = machine();
  p.link.credits.non_posted_headers = 1;
  const auto times = run({{reads(p, 64), 0}, {atomics(p, 4, 4, 1), 1'000}});
  EXPECT_EQ(times[1].end, 424'250 + time_alone(atomics(p, 4, 4, 1)));
}

// A write of another transfer has the upstream wire to itself but for 1000 requests, of 24 bytes and an Ack of 8 each.
TEST(PcieTranslations, TakeTheWireFromOthers) {
  profile::Profile p = machine();
  p.link.posted_credits_tlps = 8;  // so many writes are in front of a request at most
  const auto link = make_link(p);
  Flow flow = reads(p, 64);
  link->plan_translations(translations(1000, 16, 1'200'000), flow);
  constexpr std::uint64_t n = 4000;
  const auto times = run({{writes(p, n * 256), 0}, {*flow.beside, 0}});
  EXPECT_EQ(times[0].end, n * 280'000 + 1000 * 32'000);
}

Flow invalidations(const profile::Profile& p, std::uint64_t count, TimePs drop) {
  Flow flow;
  make_link(p)->plan_invalidations(count, drop, flow);
  return flow;
}

// PCIe Base, 10.3: a message of 16 bytes of header with framing and one of 8 of data down, the same without data up; and on each
// wire the Ack of what went the other way. 32 are under way at once.
TEST(PcieInvalidations, AreMessagesThatTheDeviceAnswers) {
  profile::Profile p = machine();
  const TimePs trip = 40'000 + 100'000 + 10'000'000 + 32'000 + 100'000;
  EXPECT_EQ(time_alone(invalidations(p, 1, 10'000'000)), trip);
  const Flow hundred = invalidations(p, 100, 10'000'000);
  EXPECT_EQ(time_alone(hundred), 4 * trip + 3 * 40'000);
  EXPECT_EQ(hundred.kind, "InvReq");
  EXPECT_EQ(hundred.reply_kind, "InvCpl");
  const Link::WireUse use = make_link(p)->wire_use(hundred, Direction::device_to_host);
  EXPECT_EQ(use.down, 3200U);
  EXPECT_EQ(use.up, 2400U);
  EXPECT_EQ(use.tlps, 200U);
  // Their headers have 4 words whatever memory's have; ECRC makes them longer.
  p.link.header_words = 3;
  p.link.ecrc = true;
  EXPECT_EQ(time_alone(invalidations(p, 1, 0)), 44'000U + 100'000 + 36'000 + 100'000);
}

// A write of another transfer has the upstream wire to itself but for 1000 completions, of 24 bytes and an Ack of 8 each.
TEST(PcieInvalidations, TakeTheWireFromOthers) {
  profile::Profile p = machine();
  p.link.posted_credits_tlps = 8;
  constexpr std::uint64_t n = 4000;
  const auto times = run({{writes(p, n * 256), 0}, {invalidations(p, 1000, 0), 0}});
  EXPECT_EQ(times[0].end, n * 280'000 + 1000 * 32'000);
}

// They are posted: with one header between it and a write, the write waits until the completion's is back.
TEST(PcieInvalidations, TakeCreditsFromOthers) {
  profile::Profile p = machine();
  p.link.credits.posted_headers = 1;
  const Flow one = invalidations(p, 1, 0);
  // An UpdateFC on each wire more. The request is answered at 48 + 100 ns, for 40 ns; 300 ns later the header is back.
  const TimePs answered = 148'000 + 40'000;
  const auto times = run({{one, 0}, {writes(p, 256), 150'000}});
  EXPECT_EQ(times[1].end, answered + 300'000 + 280'000);
  // Down, the device's: two requests of which each needs the one that the other has.
  EXPECT_EQ(time_alone(invalidations(p, 2, 0)), 348'000 + 148'000 + 40'000 + 100'000U);
}

// They need headers of their own: with one between them and a read's, the read waits.
TEST(PcieTranslations, TakeCreditsFromOthers) {
  profile::Profile p = machine();
  p.link.credits.non_posted_headers = 1;
  const auto link = make_link(p);
  Flow flow = reads(p, 64);
  link->plan_translations(translations(1, 1, 1'200'000), flow);
  const auto times = run({{*flow.beside, 0}, {reads(p, 64), 1'000}});
  // The request's 24 bytes and the Ack, and 300 ns until its header is back.
  EXPECT_EQ(times[1].end, 332'000 + time_alone(reads(p, 64)));
}

// 20 writes of lines that take the home agent 10 us each are in the root port's buffer when a read comes. In strict order
// it waits for what is there; else for the one that is being served.
TEST(PcieOrdering, ARelaxedReadOvertakesWrites) {
  profile::Profile p = machine();
  p.host.home_agent.memory_bytes_per_s = 25'600'000;  // 10 us for 256 bytes
  const TimePs late = 20 * 280'000;
  const auto read_time = [&] { return run({{writes(p, 20 * 256), 0}, {reads(p, 64), late}})[1].end - late; };
  const TimePs way = time_alone(reads(p, 64));
  // The request arrives 124 ns later; the first write was there at 280 ns, the last ends at 200.28 us.
  const TimePs arrives = late + 124'000;
  EXPECT_EQ(read_time(), way + 280'000 + 20 * 10'000'000 - arrives);
  p.link.ordering = profile::Ordering::relaxed;
  EXPECT_EQ(read_time(), way + 280'000 + 10'000'000 - arrives);
}

// ---- bridges ---------------------------------------------------------------------------------------------------------

// A switch of 50 ns whose upstream link of 150 ns has the same rate.
profile::Profile switched() {
  profile::Profile p = machine();
  p.bridge.kind = profile::BridgeKind::pcie_switch;
  p.bridge.gigatransfers_per_s = 8;
  p.bridge.lanes = 1;
  p.bridge.latency_ps = 50'000;
  p.bridge.propagation_ps = 150'000;
  p.bridge.credit_return_ps = 300'000;
  p.bridge.peer_to_peer = true;
  return p;
}

TEST(PcieBridge, ASwitchIsOnTheWay) {
  const profile::Profile p = switched();
  // A request of 24 bytes twice, flights and switch, 0.25 ns and 200 ns at home; 64 + 20 + 8 bytes twice, and back.
  EXPECT_EQ(time_alone(reads(p, 64)), 2U * 24'000 + 300'000 + 250 + 200'000 + 2 * 92'000 + 300'000);
  // Writes leave the device as ever, and reach memory through the switch, packet by packet.
  const FlowTimes times = times_alone(writes(p, 1024));
  EXPECT_EQ(times.end, 4U * 280'000);
  EXPECT_EQ(times.drained, 5U * 280'000 + 1'000);
  const auto link = make_link(p);
  EXPECT_EQ(link->posted_time(), 2U * 28'000 + 300'000);
}

// 40 bytes and 32 twice each, flights and switch both ways.
TEST(PcieBridge, InvalidationsGoThroughIt) {
  EXPECT_EQ(time_alone(invalidations(switched(), 1, 10'000'000)), 2U * 40'000 + 300'000 + 10'000'000 + 2 * 32'000 + 300'000);
}

// The upstream link has half the rate and one credit of its own.
TEST(PcieBridge, TheUpstreamLinkAndItsCreditsLimit) {
  profile::Profile p = switched();
  p.bridge.gigatransfers_per_s = 4;
  constexpr std::uint64_t n = 1000;
  EXPECT_EQ(times_alone(writes(p, n * 256)).drained, 280'000 + n * 560'000 + 1'000);
  EXPECT_EQ(limiter(writes(p, n * 256)), "bridge.up");
  p.bridge.credits.posted_headers = 1;
  EXPECT_EQ(times_alone(writes(p, n * 256)).drained, 280'000 + (n - 1) * 861'000 + 561'000);
  EXPECT_EQ(limiter(writes(p, n * 256)), "bridge.credits.posted_headers");
}

Flow of_device(Flow flow, DeviceIndex device, DeviceIndex peer = 0) {
  flow.device = device;
  flow.peer = peer;
  return flow;
}

// Eight devices write at once through one upstream link: they take turns, so all end when it has carried all.
TEST(PcieBridge, EightDevicesShareTheUpstreamLink) {
  const profile::Profile p = switched();
  constexpr std::uint64_t n = 1000;
  std::vector<std::pair<Flow, TimePs>> flows;
  for (DeviceIndex d = 0; d < 8; ++d) flows.emplace_back(of_device(writes(p, n * 256), d), 0);
  const auto times = run(flows, 8);
  TimePs last = 0;
  for (const FlowTimes& t : times) {
    last = std::max(last, t.drained);
    EXPECT_NEAR(static_cast<double>(t.drained), 8.0 * n * 280'000, 8 * 280'000.0 + 300'000);
  }
  EXPECT_EQ(last, 280'000U + 8 * n * 280'000 + 1'000);
}

Flow peer_flow(const profile::Profile& p, std::uint64_t bytes, DeviceIndex from, DeviceIndex to) {
  LinkTransfer t;
  t.direction = Direction::device_to_host;
  t.row_bytes = bytes;
  Flow flow;
  EXPECT_TRUE(make_link(p)->plan_peer(t, 0, flow));
  return of_device(flow, from, to);
}

// From port to port: two flights, the switch once, and no upstream link. Pairs do not disturb each other; two devices that
// write to a third share its wire.
TEST(PcieBridge, PeersWriteToEachOther) {
  const profile::Profile p = switched();
  constexpr std::uint64_t n = 1000;
  const FlowTimes alone = times_alone(peer_flow(p, n * 256, 0, 1));
  EXPECT_EQ(alone.end, n * 280'000);
  EXPECT_EQ(alone.drained, n * 280'000 + 280'000 + 250'000);
  const auto pairs = run({{peer_flow(p, n * 256, 0, 1), 0}, {peer_flow(p, n * 256, 2, 3), 0}}, 4);
  EXPECT_EQ(pairs[0].drained, alone.drained);
  EXPECT_EQ(pairs[1].drained, alone.drained);
  const auto both = run({{peer_flow(p, n * 256, 0, 2), 0}, {peer_flow(p, n * 256, 1, 2), 0}}, 4);
  EXPECT_EQ(std::max(both[0].drained, both[1].drained), alone.drained + n * 280'000);
}

// Translations of a copy between devices hold its engine up, not the host, and are asked for over the source's link: one at a
// time, 600 ns for each of 1000.
TEST(PcieBridge, PeersTranslate) {
  const profile::Profile p = switched();
  LinkTransfer t;
  t.direction = Direction::device_to_host;
  t.row_bytes = 1000 * 256;
  t.walks = translations(1000, 1, 600'000, 1000 * 600'000);
  t.walks.holds_window = false;
  t.walks.part = "device.atc";
  Flow flow;
  ASSERT_TRUE(make_link(p)->plan_peer(t, 0, flow));
  const TimePs known = times_alone(peer_flow(p, t.row_bytes, 0, 1)).drained;
  // The last write has been translated, and the first waited for it.
  EXPECT_EQ(times_alone(flow).drained, 1000U * 600'000 + 2 * 280'000 + 250'000 + 600'000);
  EXPECT_EQ(times_alone(flow, Without::walks).drained, known);
  EXPECT_EQ(limiter(flow), "device.atc");
  ASSERT_NE(flow.beside, nullptr);
  EXPECT_EQ(flow.beside->packets(), 1000U);
  EXPECT_EQ(flow.beside->kind, "TransReq");
}

// Through a root complex they share its fabric, of 280 bytes in 140 ns.
TEST(PcieBridge, ARootComplexIsShared) {
  profile::Profile p = machine();
  p.bridge.kind = profile::BridgeKind::root_complex;
  p.bridge.bytes_per_s = 2'000'000'000;
  p.bridge.peer_to_peer = true;
  constexpr std::uint64_t n = 1000;
  std::vector<std::pair<Flow, TimePs>> flows;
  for (DeviceIndex d = 0; d < 4; ++d) flows.emplace_back(peer_flow(p, n * 256, d, d + 4), 0);
  const auto times = run(flows, 8);
  TimePs last = 0;
  for (const FlowTimes& t : times) last = std::max(last, t.drained);
  EXPECT_EQ(last, 280'000U + 4 * n * 140'000 + 280'000 + 200'000);
  p.bridge.peer_to_peer = false;
  LinkTransfer t;
  Flow flow;
  EXPECT_FALSE(make_link(p)->plan_peer(t, 0, flow));
}

}  // namespace
}  // namespace sluice::sim

// The formats of other tools, each read by a parser that knows the format and not our writer.
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <perfetto.pb.h>  // generated

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "tests/unit/trace/support.h"
#include "traces/change_sorter.h"
#include "traces/convert.h"
#include "traces/recording.h"
#include "traces/writer.h"

namespace sluice::trace {
namespace {

class FormatsTest : public TraceFiles {
 protected:
  // One command with a stage, a packet and a counter; a second that overlaps it; a kernel on a second device; a call of the
  // program's thread, and one in a callback that waited for a command.
  void record(const std::vector<std::string>& names) {
    std::vector<std::string> files;
    for (const std::string& name : names) files.push_back(path(name));
    auto recorder = open(files, TraceLevel::packet);
    Machine machine = make_machine();
    machine.device_count = 2;
    recorder->begin(machine);
    const MadeUpCommand one(1);
    const MadeUpCommand two(2, 1'050'000);
    recorder->stage({1, 0, "link.down", "burst", 1'015'000, 1'115'000, 100, 4096});
    recorder->packet({1, 0, "link.down", "MWr", 1'015'000, 1'016'500, 4096, 256});
    recorder->counter({0, "link.down", "tags_in_use", 1'015'000, 3});
    recorder->stage({2, 0, "link.down", "drain", 1'065'000, 1'165'000, 100, 4096});
    recorder->command(one.record);
    recorder->command(two.record);
    MadeUpCommand three(3, 2'000'000);
    KernelRecord kernel;
    kernel.name = "a, \"b\"\r\nc";
    kernel.work_items = 77;
    kernel.occupancy_limit = "waves";
    kernel.limiter = "l2";
    three.command.op = Operation::kernel;
    three.command.device = 1;
    three.command.queue = 2;
    three.record.kernel = &kernel;
    recorder->command(three.record);
    recorder->call({1, "clFinish", 0, 2'200'000, 2'230'000});
    recorder->call({0, "clEnqueueReadBuffer", 3, 2'230'000, 2'240'000});
    recorder->close();
    EXPECT_TRUE(recorder->ok()) << recorder->error();
  }
};

// ---- Perfetto

struct Slice {
  std::string process, track, name;
  std::uint64_t begin = 0, end = 0;  // ns
  std::map<std::string, std::uint64_t> numbers;
  std::map<std::string, std::string> texts;
  std::set<std::uint64_t> flows;
};

// What a viewer makes of such a file, by the published meaning of its fields.
struct Viewed {
  std::vector<Slice> slices;
  std::map<std::string, std::vector<std::pair<std::uint64_t, std::int64_t>>> counters;

  explicit Viewed(const std::string& bytes) { parse(bytes); }

  void parse(const std::string& bytes) {
    perfetto::Trace trace;
    ASSERT_TRUE(trace.ParseFromString(bytes));
    std::map<std::uint64_t, perfetto::TrackDescriptor> tracks;
    std::map<std::uint64_t, std::string> events, annotations;
    std::vector<const perfetto::TracePacket*> in_order;
    bool first = true;
    for (const perfetto::TracePacket& packet : trace.packet()) {
      EXPECT_NE(packet.trusted_packet_sequence_id(), 0u);
      EXPECT_EQ(packet.sequence_flags() & perfetto::TracePacket::STATE_CLEARED, first ? 1u : 0u);
      first = false;
      for (const auto& name : packet.interned_data().event_names()) events[name.iid()] = name.name();
      for (const auto& name : packet.interned_data().debug_annotation_names()) annotations[name.iid()] = name.name();
      if (packet.has_track_descriptor()) tracks[packet.track_descriptor().uuid()] = packet.track_descriptor();
      if (!packet.has_track_event()) continue;
      EXPECT_EQ(packet.sequence_flags(), 2u);
      // Names and tracks are known before they are told by number.
      EXPECT_TRUE(tracks.contains(packet.track_event().track_uuid()));
      EXPECT_TRUE(!packet.track_event().has_name_iid() || events.contains(packet.track_event().name_iid()));
      in_order.push_back(&packet);
    }
    std::stable_sort(in_order.begin(), in_order.end(), [](auto* a, auto* b) { return a->timestamp() < b->timestamp(); });
    std::map<std::uint64_t, Slice> open;
    for (const perfetto::TracePacket* packet : in_order) {
      const perfetto::TrackEvent& event = packet->track_event();
      const perfetto::TrackDescriptor& track = tracks[event.track_uuid()];
      const std::string process = tracks[track.parent_uuid()].process().process_name();
      EXPECT_FALSE(process.empty());
      switch (event.type()) {
        case perfetto::TrackEvent::COUNTER:
          EXPECT_TRUE(track.has_counter());
          counters[process + ": " + track.name()].push_back({packet->timestamp(), event.counter_value()});
          break;
        case perfetto::TrackEvent::SLICE_BEGIN: {
          EXPECT_FALSE(open.contains(event.track_uuid())) << "slices of a lane are apart";
          Slice slice{process, track.name(), event.has_name() ? event.name() : events[event.name_iid()],
                      packet->timestamp(), 0, {}, {}, {event.flow_ids().begin(), event.flow_ids().end()}};
          for (const auto& annotation : event.debug_annotations()) {
            EXPECT_TRUE(annotations.contains(annotation.name_iid()));
            const std::string& name = annotations[annotation.name_iid()];
            if (annotation.has_uint_value()) slice.numbers[name] = annotation.uint_value();
            if (annotation.has_string_value()) slice.texts[name] = annotation.string_value();
          }
          open[event.track_uuid()] = slice;
          break;
        }
        case perfetto::TrackEvent::SLICE_END:
          EXPECT_TRUE(open.contains(event.track_uuid()));
          open[event.track_uuid()].end = packet->timestamp();
          slices.push_back(open[event.track_uuid()]);
          open.erase(event.track_uuid());
      }
    }
    EXPECT_TRUE(open.empty());
  }

  [[nodiscard]] const Slice& find(const std::string& process, const std::string& track, const std::string& name) const {
    static const Slice none;
    for (const Slice& s : slices) {
      if (s.process.starts_with(process) && s.track == track && s.name == name) return s;
    }
    ADD_FAILURE() << process << " " << track << " " << name << " is not there";
    return none;
  }
};

TEST_F(FormatsTest, PerfettosProtobufIsReadBackWhole) {
  record({"t.pftrace"});
  const Viewed viewed(read(path("t.pftrace")));
  // Three calls, three times work, two driver slices each before the device and one behind it (nothing to copy out), two
  // stages, a packet, two calls without a command's slice. 1 015 000 ps of the call are 1015 ns.
  EXPECT_EQ(viewed.slices.size(), 3u + 3 + 9 + 3 + 2);
  const Slice& call = viewed.find("host", "queue 1", "write_buffer");
  EXPECT_EQ(call.begin, 1000u);
  EXPECT_EQ(call.end, 1015u);
  EXPECT_EQ(call.numbers.at("bytes"), 4096u);
  EXPECT_EQ(call.numbers.at("wakeup_ps"), 85'000u);
  EXPECT_EQ(call.texts.at("direction"), "h2d");
  EXPECT_EQ(viewed.find("host", "queue 1 driver", "validate").end, 1010u);
  EXPECT_EQ(viewed.find("host", "queue 1 driver", "complete").end, 1200u);
  const Slice& work = viewed.find("device 0 (A \"device\")", "queue 1", "write_buffer");
  EXPECT_EQ(work.begin, 1015u);
  EXPECT_EQ(work.end, 1115u);
  const Slice& stage = viewed.find("device 0", "link.down", "burst");
  EXPECT_EQ(stage.numbers.at("cycles"), 100u);
  const Slice& packet = viewed.find("device 0", "link.down packets", "MWr");
  EXPECT_EQ(packet.end, 1016u);  // the nanosecond that it falls into,
  EXPECT_EQ(packet.numbers.at("end_ps"), 1'016'500u);  // and exactly
  EXPECT_EQ(packet.numbers.at("address"), 4096u);
  // The arrows of the first command: from its call over the work to the packet, and of no other.
  for (const Slice* s : {&call, &work, &stage, &packet}) EXPECT_EQ(s->flows, std::set<std::uint64_t>{1}) << s->name;
  EXPECT_EQ(viewed.find("device 0", "link.down #2", "drain").flows, std::set<std::uint64_t>{2});
  using Values = std::vector<std::pair<std::uint64_t, std::int64_t>>;
  EXPECT_EQ(viewed.counters.at("device 0 (A \"device\"): link.down tags_in_use"), (Values{{1015, 3}}));
  const Slice& finish = viewed.find("host", "thread 1", "clFinish");
  EXPECT_EQ(finish.begin, 2200u);
  EXPECT_EQ(finish.end, 2230u);
  EXPECT_EQ(finish.numbers.at("calls"), 1u);
  EXPECT_FALSE(finish.numbers.contains("id"));
  EXPECT_EQ(viewed.find("host", "callbacks", "clEnqueueReadBuffer").numbers.at("id"), 3u);
  const Slice& kernel = viewed.find("device 1", "queue 2", "kernel");
  EXPECT_EQ(kernel.texts.at("kernel"), "a, \"b\"\r\nc");
  EXPECT_EQ(kernel.numbers.at("work_items"), 77u);
}

TEST_F(FormatsTest, MoreOverlapsThanLanesHaveTracksOfTheirOwn) {
  auto recorder = open({path("t.perfetto-trace")}, TraceLevel::stage);
  recorder->begin(make_machine());
  for (CommandId id = 1; id <= 100; ++id) recorder->stage({id, 0, "link.down", "burst", 0, 1'000'000, 1, 1});
  recorder->close();
  EXPECT_EQ(Viewed(read(path("t.perfetto-trace"))).slices.size(), 100u);
}

// A program may have any number of kernels; names of the trace's own are few.
TEST_F(FormatsTest, NamesBeyondTheTableAreWrittenOut) {
  auto recorder = open({path("t.pftrace")}, TraceLevel::stage);
  recorder->begin(make_machine());
  std::vector<std::string> names;
  for (int i = 0; i < 5000; ++i) names.push_back("action" + std::to_string(i));
  for (CommandId id = 0; id < 5000; ++id) recorder->stage({id, 0, "part", names[id], id * 2000, id * 2000 + 1000, 1, 1});
  recorder->close();
  const Viewed viewed(read(path("t.pftrace")));
  ASSERT_EQ(viewed.slices.size(), 5000u);
  for (std::size_t i = 0; i < 5000; ++i) ASSERT_EQ(viewed.slices[i].name, names[i]);
}

// As many as SLUICE_TRACE_EVENTS says (a `long` test has ten million), read back packet by packet as a viewer does: no slice is
// lost, each ends on its own track, and what they took adds up.
TEST_F(FormatsTest, AnyNumberOfEventsIsReadBack) {
  const char* const wanted = std::getenv("SLUICE_TRACE_EVENTS");
  const std::uint64_t slices = (wanted == nullptr ? 20'000 : std::strtoull(wanted, nullptr, 10)) / 2;
  {
    auto recorder = open({path("t.pftrace")}, TraceLevel::packet);
    recorder->begin(make_machine());
    // Some overlap, so that parts have several lanes; 1 to 4 us long.
    for (std::uint64_t i = 0; i < slices; ++i) {
      const TimePs begin = i * 1'000'000;
      recorder->packet({i, 0, i % 2 == 0 ? "link.up" : "link.down", "MRd", begin, begin + (1 + i % 4) * 1'000'000, i * 64, 64});
    }
    recorder->close();
    ASSERT_TRUE(recorder->ok()) << recorder->error();
  }
  std::ifstream file(path("t.pftrace"), std::ios::binary);
  google::protobuf::io::IstreamInputStream stream(&file);
  std::map<std::uint64_t, std::pair<std::uint64_t, std::uint64_t>> open_at;  // by track: how many, and since when
  std::uint64_t began = 0, ended = 0, total_ns = 0, overlapping = 0;
  while (true) {
    google::protobuf::io::CodedInputStream in(&stream);
    const std::uint32_t tag = in.ReadTag();
    if (tag == 0) break;
    ASSERT_EQ(tag, 10u);  // Trace.packet
    std::uint32_t bytes = 0;
    ASSERT_TRUE(in.ReadVarint32(&bytes));
    const auto limit = in.PushLimit(static_cast<int>(bytes));
    perfetto::TracePacket packet;
    ASSERT_TRUE(packet.ParseFromCodedStream(&in) && in.ConsumedEntireMessage());
    in.PopLimit(limit);
    if (!packet.has_track_event()) continue;
    auto& [count, since] = open_at[packet.track_event().track_uuid()];
    if (packet.track_event().type() == perfetto::TrackEvent::SLICE_BEGIN) {
      ++began;
      overlapping += count;
      ++count;
      since = packet.timestamp();
    } else if (packet.track_event().type() == perfetto::TrackEvent::SLICE_END) {
      ++ended;
      ASSERT_EQ(count, 1u);
      --count;
      total_ns += packet.timestamp() - since;
    }
  }
  EXPECT_TRUE(file.eof());
  EXPECT_EQ(began, slices);
  EXPECT_EQ(ended, slices);
  EXPECT_EQ(overlapping, 0u);
  std::uint64_t expected_ns = 0;
  for (std::uint64_t i = 0; i < slices; ++i) expected_ns += (1 + i % 4) * 1'000;
  EXPECT_EQ(total_ns, expected_ns);
}

// ---- CSV

// RFC 4180: fields with commas, quotes or line ends stand in quotes, which are doubled within; lines end with CR LF.
std::vector<std::vector<std::string>> parse_csv(const std::string& text) {
  std::vector<std::vector<std::string>> rows(1, std::vector<std::string>(1));
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string& field = rows.back().back();
    if (text[i] == '"') {
      EXPECT_EQ(field, "") << "a quote in the midst of a field";
      for (++i;; ++i) {
        if (i >= text.size()) {
          ADD_FAILURE() << "a quote has no end";
          return rows;
        }
        if (text[i] == '"' && (i + 1 == text.size() || text[i + 1] != '"')) break;
        if (text[i] == '"') ++i;
        field.push_back(text[i]);
      }
    } else if (text[i] == ',') {
      rows.back().emplace_back();
    } else if (text[i] == '\r') {
      EXPECT_EQ(text[++i], '\n');
      rows.emplace_back(1);
    } else {
      EXPECT_NE(text[i], '\n');
      field.push_back(text[i]);
    }
  }
  EXPECT_EQ(rows.back(), std::vector<std::string>{""}) << "the last line has an end, too";
  rows.pop_back();
  return rows;
}

TEST_F(FormatsTest, CsvIsWhatTheRfcSays) {
  record({"t.csv"});
  const auto rows = parse_csv(read(path("t.csv")));
  ASSERT_EQ(rows.size(), 1u + 5 + 9);  // names, five about the trace, the records
  std::map<std::string, std::size_t> column;
  for (std::size_t i = 0; i < rows[0].size(); ++i) EXPECT_TRUE(column.emplace(rows[0][i], i).second) << rows[0][i];
  std::map<std::string, std::vector<std::map<std::string, std::string>>> records;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    ASSERT_EQ(rows[i].size(), rows[0].size()) << "line " << i;
    std::map<std::string, std::string> row;
    for (const auto& [name, place] : column) {
      if (!rows[i][place].empty()) row[name] = rows[i][place];
    }
    records[row["record"]].push_back(row);
  }
  using Row = std::map<std::string, std::string>;
  EXPECT_EQ(records["header"][2], (Row{{"record", "header"}, {"part", "profile"}, {"name", "made-up"}}));
  EXPECT_EQ(records["counter"][0], (Row{{"record", "counter"}, {"device", "0"}, {"part", "link.down"},
                                        {"name", "tags_in_use"}, {"begin", "1015000"}, {"end", "1015000"}, {"value", "3"}}));
  EXPECT_EQ(records["packet"][0], (Row{{"record", "packet"}, {"id", "1"}, {"device", "0"}, {"part", "link.down"},
                                       {"name", "MWr"}, {"begin", "1015000"}, {"end", "1016500"}, {"address", "4096"},
                                       {"bytes", "256"}}));
  EXPECT_EQ(records["stage"][0], (Row{{"record", "stage"}, {"id", "1"}, {"device", "0"}, {"part", "link.down"},
                                      {"name", "burst"}, {"begin", "1015000"}, {"end", "1115000"}, {"cycles", "100"},
                                      {"bytes", "4096"}}));
  EXPECT_EQ(records["call"][0], (Row{{"record", "call"}, {"part", "thread 1"}, {"name", "clFinish"}, {"begin", "2200000"},
                                     {"end", "2230000"}, {"value", "1"}}));
  EXPECT_EQ(records["call"][1], (Row{{"record", "call"}, {"id", "3"}, {"part", "callbacks"}, {"name", "clEnqueueReadBuffer"},
                                     {"begin", "2230000"}, {"end", "2240000"}, {"value", "1"}}));
  const Row& one = records["command"][0];
  const Row expected = {{"name", "write_buffer"}, {"queue", "1"}, {"begin", "1000000"}, {"end", "1200000"},
                        {"direction", "h2d"}, {"rows", "1"}, {"source", "pageable"}, {"target", "device"},
                        {"blocking", "true"}, {"status", "0"}, {"queued", "1010000"}, {"visible", "1200000"},
                        {"bandwidth", "40960000000"}, {"stage_host_pack", "5000"}, {"stage_wakeup", "85000"},
                        {"stage_snoop", "0"}, {"wire_bytes_down", "4424"}, {"tlps", "24"}};
  for (const auto& [name, value] : expected) EXPECT_EQ(one.at(name), value) << name;
  EXPECT_FALSE(one.contains("kernel"));
  const Row& kernel = records["command"][2];
  EXPECT_EQ(kernel.at("kernel"), "a, \"b\"\r\nc");
  EXPECT_EQ(kernel.at("work_items"), "77");
  EXPECT_EQ(kernel.at("limiter"), "l2");
}

// ---- VCD

// A dump as IEEE 1364 has it, with strings: values by signal, "scope.scope.name", at the times at which they change.
struct Dump {
  using Changes = std::vector<std::pair<std::uint64_t, std::string>>;
  std::map<std::string, Changes> signals;

  explicit Dump(const std::string& text) { parse(text); }

  void parse(const std::string& text) {
    std::istringstream in(text);
    std::vector<std::string> scopes;
    std::map<std::string, std::string> names;
    std::map<std::string, std::size_t> widths;
    std::string word, next;
    std::uint64_t now = 0;
    bool has_time = false, defined = false;
    while (in >> word) {
      if (word == "$scope") {
        in >> next >> word >> next;
        scopes.push_back(word);
        EXPECT_EQ(next, "$end");
      } else if (word == "$upscope") {
        ASSERT_FALSE(scopes.empty());
        scopes.pop_back();
        in >> next;
      } else if (word == "$var") {
        std::string type, size, id, name;
        in >> type >> size >> id >> name >> next;
        EXPECT_EQ(next, "$end");
        EXPECT_TRUE((type == "wire" && std::stoi(size) <= 64) || (type == "string" && size == "1"));
        std::string path;
        for (const std::string& scope : scopes) path += scope + ".";
        widths[id] = type == "wire" ? std::stoul(size) : 0;
        EXPECT_TRUE(names.emplace(id, path + name).second) << "an identifier is taken twice";
        EXPECT_TRUE(signals.emplace(path + name, Changes{}).second);
      } else if (word == "$enddefinitions") {
        EXPECT_TRUE(scopes.empty());
        defined = true;
        in >> next;
      } else if (word == "$timescale") {
        in >> word >> next;
        EXPECT_EQ(word + next, "1ps");
        in >> next;
      } else if (word == "$version" || word == "$comment") {
        while (in >> next && next != "$end") continue;
      } else if (word == "$dumpvars" || word == "$end") {
        EXPECT_TRUE(defined);
      } else if (word[0] == '#') {
        const std::uint64_t at = std::stoull(word.substr(1));
        EXPECT_TRUE(!has_time || at > now) << word;
        now = at;
        has_time = true;
      } else {
        ASSERT_TRUE(word[0] == 'b' || word[0] == 's') << word;
        in >> next;
        ASSERT_TRUE(has_time && names.contains(next)) << word << " " << next;
        EXPECT_TRUE(word[0] == 's' ? widths[next] == 0 : word.size() - 1 <= widths[next]) << word;
        signals[names[next]].push_back({now, word});
      }
    }
    EXPECT_TRUE(defined);
  }
};

TEST_F(FormatsTest, VcdHasOneSignalForEachPartsState) {
  record({"t.vcd"});
  Dump dump(read(path("t.vcd")));
  using Changes = Dump::Changes;
  // What began last, and of how many: the first burst goes on alone, then with the second command's, which then is alone.
  EXPECT_EQ(dump.signals["device0.link.down_state"],
            (Changes{{0, "sidle"}, {1'015'000, "sburst"}, {1'065'000, "sdrain*2"}, {1'115'000, "sdrain"}, {1'165'000, "sidle"}}));
  EXPECT_EQ(dump.signals["device0.link.down_packet"], (Changes{{0, "sidle"}, {1'015'000, "sMWr"}, {1'016'500, "sidle"}}));
  EXPECT_EQ(dump.signals["device0.link.down_tags_in_use"], (Changes{{0, "bx"}, {1'015'000, "b11"}}));
  EXPECT_EQ(dump.signals["host.queue1_call"], (Changes{{0, "sidle"}, {1'000'000, "swrite_buffer"}, {1'015'000, "sidle"},
                                                       {1'050'000, "swrite_buffer"}, {1'065'000, "sidle"}}));
  EXPECT_EQ(dump.signals["device1.queue2_state"], (Changes{{0, "sidle"}, {2'015'000, "skernel"}, {2'115'000, "sidle"}}));
  EXPECT_TRUE(dump.signals.contains("host.queue2_driver"));
  EXPECT_EQ(dump.signals["host.thread1_call"], (Changes{{0, "sidle"}, {2'200'000, "sclFinish"}, {2'230'000, "sidle"}}));
  EXPECT_EQ(dump.signals["host.callbacks_call"],
            (Changes{{0, "sidle"}, {2'230'000, "sclEnqueueReadBuffer"}, {2'240'000, "sidle"}}));
}

// Names end no section of the file, and hundreds of signals have identifiers of their own.
TEST_F(FormatsTest, OddNamesStayWithinTheirWordOfAVcd) {
  auto recorder = open({path("t.vcd")}, TraceLevel::stage);
  Machine machine = make_machine();
  machine.profile_name = "evil $end $scope";
  recorder->begin(machine);
  std::vector<std::string> parts;
  for (int i = 0; i < 300; ++i) parts.push_back("part " + std::to_string(i) + ".$end\n");
  parts.push_back("a b.");
  parts.push_back("");
  for (const std::string& part : parts) recorder->stage({1, 0, part, "$end #7", 10, 20, 1, 1});
  recorder->close();
  const Dump dump(read(path("t.vcd")));
  EXPECT_EQ(dump.signals.size(), parts.size());
  EXPECT_EQ(dump.signals.at("device0.part_299._end__state"),
            (Dump::Changes{{0, "sidle"}, {10, "s_end_#7"}, {20, "sidle"}}));
}

TEST_F(FormatsTest, ChangesAreSortedHoweverManyRunsThereAre) {
  std::mt19937_64 random(1);
  for (const std::size_t count : {0U, 1U, 63U, 64U, 65U, 1000U, 20'000U}) {
    ChangeSorter sorter(path("t.vcd"), /*run=*/64, /*runs=*/4);
    std::vector<Change> changes;
    for (std::size_t i = 0; i < count; ++i) {
      changes.push_back({random() % 500, i, 1, 2});
      ASSERT_EQ(sorter.add(changes.back()), 0);
    }
    std::stable_sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) { return a.at < b.at; });
    std::size_t next = 0;
    ASSERT_EQ(sorter.sorted([&](const Change& change) {
      ASSERT_LT(next, count);
      ASSERT_EQ(change.at, changes[next].at);
      ASSERT_EQ(change.value, changes[next++].value);
    }), 0);
    EXPECT_EQ(next, count);
  }
  EXPECT_TRUE(std::filesystem::is_empty(std::filesystem::path(path("t.vcd")).parent_path()));  // runs leave no file
}

// ---- Converting

TEST_F(FormatsTest, AConvertedTraceIsTheOneThatARunWrites) {
  record({"t.jsonl", "t.json", "t.pftrace", "t.vcd", "t.csv"});
  std::vector<std::string> converted;
  for (const char* ending : {"jsonl", "json", "pftrace", "vcd", "csv"}) converted.push_back(path("c." + std::string(ending)));
  const Conversion result = convert(path("t.jsonl"), converted, "A \"device\"");
  ASSERT_EQ(result.error + result.cut_off, "");
  for (const char* ending : {"jsonl", "vcd", "csv"}) {
    EXPECT_EQ(read(path("t." + std::string(ending))), read(path("c." + std::string(ending)))) << ending;
  }
  // Of the other two only where devices are named differs: JSON Lines does not say how many there are.
  EXPECT_EQ(Viewed(read(path("c.pftrace"))).slices.size(), Viewed(read(path("t.pftrace"))).slices.size());
  EXPECT_EQ(read(path("c.json")).size(), read(path("t.json")).size());
}

// Any byte of a recorded trace that is another one, and any end that is missing, is told; nothing is written then.
TEST_F(FormatsTest, DamagedTracesAreNamedAndNotConverted) {
  record({"raw.jsonl"});
  ASSERT_EQ(record_trace(path("raw.jsonl"), path("t.jsonl"), "prog"), "");
  const std::string good = read(path("t.jsonl"));
  const std::string header = good.substr(0, good.find('\n') + 1);
  const auto wrong = [&](const std::string& text) {
    std::ofstream(path("bad.jsonl"), std::ios::binary) << text;
    const Conversion result = convert(path("bad.jsonl"), {path("c.pftrace"), path("c.vcd"), path("c.csv")});
    EXPECT_FALSE(result.output_failed);
    for (const char* name : {"c.pftrace", "c.vcd", "c.csv"}) EXPECT_FALSE(std::filesystem::exists(path(name)));
    return result.error;
  };
  for (std::size_t i = 0; i < good.size(); i += 37) {
    std::string flipped = good;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    EXPECT_TRUE(wrong(flipped).starts_with(path("bad.jsonl") + ": ")) << i;
  }
  for (const std::size_t left : {std::size_t{0}, std::size_t{10}, header.size(), header.size() + 20, good.size() - 1}) {
    EXPECT_TRUE(wrong(good.substr(0, left)).starts_with(path("bad.jsonl") + ": ")) << left;
  }
  EXPECT_NE(wrong(good.substr(0, header.size() + 20)).find("cut off"), std::string::npos);
}

// A run that was killed: what is whole is converted, and what is missing is said.
TEST_F(FormatsTest, AMissingEndIsToldAndTheRestConverted) {
  record({"t.jsonl"});
  const std::string good = read(path("t.jsonl"));
  const std::size_t end = good.rfind('\n', good.size() - 2) + 1;
  std::ofstream(path("cut.jsonl"), std::ios::binary) << good.substr(0, end - 10);
  const Conversion result = convert(path("cut.jsonl"), {path("c.csv"), path("c.jsonl")});
  EXPECT_EQ(result.error, "");
  EXPECT_NE(result.cut_off.find("cut.jsonl: the trace is cut off"), std::string::npos);
  EXPECT_EQ(parse_csv(read(path("c.csv"))).size(), 1u + 5 + 8);
  EXPECT_EQ(read(path("c.jsonl")), good.substr(0, good.rfind('\n', end - 2) + 1)) << "which is not whole now";
}

TEST_F(FormatsTest, OutputsThatCannotBeWrittenAreTold) {
  record({"t.jsonl"});
  EXPECT_EQ(convert(path("t.jsonl"), {path("nowhere/c.csv")}).error, path("nowhere/c.csv") + ": No such file or directory");
  EXPECT_TRUE(convert(path("t.jsonl"), {path("nowhere/c.csv")}).output_failed);
  EXPECT_NE(convert(path("t.jsonl"), {path("c.txt")}).error.find("c.txt: unknown trace format"), std::string::npos);
  EXPECT_EQ(convert(path("t.jsonl"), {path("t.jsonl")}).error, path("t.jsonl") + ": is the trace that is read");
  EXPECT_FALSE(convert(path("none.jsonl"), {path("c.csv")}).output_failed);
}

}  // namespace
}  // namespace sluice::trace

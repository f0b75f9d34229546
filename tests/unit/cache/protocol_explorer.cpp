#include "tests/unit/cache/protocol_explorer.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <utility>

namespace sluice::cache {

namespace {

constexpr unsigned most_agents = 3;
constexpr unsigned most_lines = 2;
constexpr unsigned most_messages = 2;  // a channel
constexpr std::uint32_t none = ~0U;
constexpr std::uint8_t no_rule = 0xff;
constexpr std::uint8_t recall_rule = 0xfe;

struct Packet {
  std::uint8_t message = 0;  // none: the place is empty
  std::uint8_t line = 0;
  std::uint8_t last = 0;  // carries the value that was last written
};

struct Channel {
  std::array<Packet, most_messages> packets{};
};

// Bytes only, so that worlds compare as memory.
struct Line {
  std::array<std::uint8_t, most_agents> cache{};  // CacheState
  std::uint8_t last = 0;                          // who has the last value: agents, then `in_llc`, `in_memory`, `in_answer`
  std::uint8_t llc = 0;                           // the last-level cache has the line, newer than memory's
  std::uint8_t holders = 0, owned = 0, phase = 0, request = 0, requester = 0, to_snoop = 0, awaited = 0, kept = 0;
  std::uint8_t rule = no_rule;
};
constexpr std::uint8_t in_llc = 1U << 3;
constexpr std::uint8_t in_memory = 1U << 4;
constexpr std::uint8_t in_answer = 1U << 5;  // of a read_current: the value that a snooped owner sent

enum ChannelKind : unsigned { requests, responses, from_home, channel_kinds };

struct World {
  std::array<Line, most_lines> lines{};
  std::array<std::array<Channel, channel_kinds>, most_agents> channels{};
};
static_assert(std::has_unique_object_representations_v<World>);

bool operator==(const World& a, const World& b) { return std::memcmp(&a, &b, sizeof a) == 0; }

std::uint64_t hash_of(const World& w) {
  std::array<std::uint64_t, (sizeof(World) + 7) / 8> words{};
  std::memcpy(words.data(), &w, sizeof w);
  std::uint64_t h = 0x9e3779b97f4a7c15ULL;
  for (const std::uint64_t word : words) {
    h = (h ^ word) * 0xff51afd7ed558ccdULL;
    h ^= h >> 32;
  }
  return h;
}

class Explorer {
 public:
  Explorer(const ProtocolTable& table, const ExplorerOptions& options) : table_(table), options_(options) {}

  Explored run() {
    World first;
    for (unsigned l = 0; l < options_.lines; ++l) first.lines[l].last = in_memory;
    add(first, 0, false);
    for (std::uint32_t i = 0; i < worlds_.size() && found_.violation.empty(); ++i) {
      at_ = i;
      const World world = worlds_[i];
      moves_ = 0;
      successors(world, [&](const World& next, bool progress) {
        moves_ += progress ? 1 : 0;
        add(next, i, progress);
      });
      if (!found_.violation.empty()) break;
      if (is_quiet(world)) {
        ++found_.quiet_worlds;
      } else if (moves_ == 0) {
        fail("nothing can move", i);
      }
      if (worlds_.size() > options_.most_worlds) fail("too many worlds", i);
    }
    if (found_.violation.empty()) check_that_all_ends();
    found_.worlds = worlds_.size();
    return found_;
  }

 private:
  void fail(const std::string& what, std::uint32_t world) {
    if (!found_.violation.empty()) return;
    found_.violation = what;
    std::vector<std::uint32_t> path = {world};
    while (path.back() != 0) path.push_back(parents_[path.back()]);
    std::reverse(path.begin(), path.end());
    for (std::size_t i = 0; i + 1 < path.size(); ++i) found_.way.push_back(label(path[i], path[i + 1]));
  }

  // The step between two worlds, found by taking all steps of the first again.
  std::string label(std::uint32_t from, std::uint32_t to) {
    std::string text;
    naming_ = true;
    successors(World(worlds_[from]), [&](const World& next, bool) {
      if (text.empty() && canonical(next) == worlds_[to]) text = step_;
    });
    naming_ = false;
    return text;
  }
  template <class... Parts>
  void name(const Parts&... parts) {
    if (!naming_) return;
    step_.clear();
    ((step_ += parts), ...);
  }

  // Lines are alike: of the two worlds that differ by their names only, one stands for both.
  [[nodiscard]] World canonical(const World& w) const {
    if (options_.lines != 2) return w;
    World other = w;
    std::swap(other.lines[0], other.lines[1]);
    for (auto& of_agent : other.channels) {
      for (Channel& c : of_agent) {
        for (Packet& p : c.packets) p.line = static_cast<std::uint8_t>(p.message != 0 ? 1 - p.line : 0);
      }
    }
    return std::memcmp(&w, &other, sizeof w) <= 0 ? w : other;
  }

  std::uint32_t find(const World& w, std::uint64_t hash) const {
    std::size_t slot = hash & (slots_.size() - 1);
    while (slots_[slot] != 0) {
      if (worlds_[slots_[slot] - 1] == w) return slots_[slot] - 1;
      slot = (slot + 1) & (slots_.size() - 1);
    }
    return none;
  }

  void add(const World& reached, std::uint32_t parent, bool progress) {
    if (!found_.violation.empty()) return;
    const World w = canonical(reached);
    if ((worlds_.size() + 1) * 2 > slots_.size()) grow();
    const std::uint64_t hash = hash_of(w);
    std::uint32_t index = find(w, hash);
    if (index == none) {
      index = static_cast<std::uint32_t>(worlds_.size());
      worlds_.push_back(w);
      parents_.push_back(parent);
      ways_in_.push_back(0);
      place(hash, index);
      check(w, index);
    }
    if (progress) ++ways_in_[index];
  }
  void place(std::uint64_t hash, std::uint32_t index) {
    std::size_t slot = hash & (slots_.size() - 1);
    while (slots_[slot] != 0) slot = (slot + 1) & (slots_.size() - 1);
    slots_[slot] = index + 1;
  }
  void grow() {
    slots_.assign(std::max<std::size_t>(1024, slots_.size() * 2), 0);
    for (std::uint32_t i = 0; i < worlds_.size(); ++i) place(hash_of(worlds_[i]), i);
  }

  // Takes every world away whose predecessors by progress are gone. What is left lies on a circle, or behind one.
  void check_that_all_ends() {
    std::vector<std::uint32_t> ready;
    for (std::uint32_t i = 0; i < worlds_.size(); ++i) {
      if (ways_in_[i] == 0) ready.push_back(i);
    }
    std::size_t gone = 0;
    while (!ready.empty()) {
      const std::uint32_t i = ready.back();
      ready.pop_back();
      ++gone;
      successors(World(worlds_[i]), [&](const World& next, bool progress) {
        if (!progress) return;
        const World same = canonical(next);
        const std::uint32_t n = find(same, hash_of(same));
        if (--ways_in_[n] == 0) ready.push_back(n);
      });
    }
    if (gone == worlds_.size()) return;
    const auto circle = std::find_if(ways_in_.begin(), ways_in_.end(), [](std::uint32_t n) { return n != 0; });
    fail("messages can go round for ever", static_cast<std::uint32_t>(circle - ways_in_.begin()));
  }

  [[nodiscard]] bool is_quiet(const World& w) const {
    for (unsigned l = 0; l < options_.lines; ++l) {
      if (w.lines[l].phase != 0) return false;
      for (unsigned a = 0; a < options_.agents; ++a) {
        if (!is_stable(static_cast<CacheState>(w.lines[l].cache[a]))) return false;
      }
    }
    for (const auto& of_agent : w.channels) {
      for (const Channel& c : of_agent) {
        if (c.packets[0].message != 0) return false;
      }
    }
    return true;
  }

  void check(const World& w, std::uint32_t index) {
    for (unsigned l = 0; l < options_.lines; ++l) {
      unsigned readers = 0;
      unsigned writers = 0;
      bool stale = false;
      for (unsigned a = 0; a < options_.agents; ++a) {
        const auto s = static_cast<CacheState>(w.lines[l].cache[a]);
        if (!is_readable(s)) continue;
        ++readers;
        if (s == CacheState::exclusive || s == CacheState::modified) ++writers;
        stale |= (w.lines[l].last >> a & 1U) == 0;
      }
      if (writers > 1 || (writers == 1 && readers > 1)) fail("an agent may write what another has", index);
      if (stale) fail("a cache has a stale copy", index);
    }
  }

  static bool push(Channel& c, Message message, unsigned line, bool last, unsigned capacity) {
    for (unsigned i = 0; i < capacity; ++i) {
      if (c.packets[i].message != 0) continue;
      c.packets[i] = {static_cast<std::uint8_t>(message), static_cast<std::uint8_t>(line),
                      static_cast<std::uint8_t>(last ? 1 : 0)};
      return true;
    }
    return false;
  }
  static void pop(Channel& c, unsigned from = 0) {
    for (unsigned i = from; i + 1 < most_messages; ++i) c.packets[i] = c.packets[i + 1];
    c.packets[most_messages - 1] = {};
  }

  // Agent `a` has written the line: every other copy, wherever it is, is no longer the last value. Answers that leave
  // no copy keep what they are: they were right when they were given.
  void written(World& w, unsigned line, std::uint8_t where) const {
    w.lines[line].last = static_cast<std::uint8_t>(where | (w.lines[line].last & in_answer));
    for (auto& of_agent : w.channels) {
      for (Channel& c : of_agent) {
        for (Packet& p : c.packets) {
          const auto m = static_cast<Message>(p.message);
          if (p.line == line && m != Message::data_current && m != Message::kept && m != Message::kept_data) p.last = 0;
        }
      }
    }
  }
  static bool home_has_last(const Line& line) { return (line.last & (line.llc != 0 ? in_llc : in_memory)) != 0; }

  [[nodiscard]] HomeLine home_of(const Line& p) const {
    HomeLine h;
    h.holders = p.holders;
    h.owned = p.owned != 0;
    h.phase = static_cast<HomeLine::Phase>(p.phase);
    h.request = static_cast<Message>(p.request);
    h.requester = p.requester;
    h.to_snoop = p.to_snoop;
    h.awaited = p.awaited;
    h.kept = p.kept != 0;
    if (p.rule == recall_rule) {
      HomeLine r;
      r.holders = 1;
      recall(r);
      h.rule = r.rule;
    } else if (p.rule != no_rule) {
      h.rule = &table_.home[p.rule / holder_kinds][p.rule % holder_kinds];
    }
    return h;
  }
  void keep(const HomeLine& h, Line& p) const {
    p.holders = h.holders;
    p.owned = h.owned ? 1 : 0;
    p.phase = static_cast<std::uint8_t>(h.phase);
    p.request = static_cast<std::uint8_t>(h.request);
    p.requester = h.requester;
    p.to_snoop = h.to_snoop;
    p.awaited = h.awaited;
    p.kept = h.kept ? 1 : 0;
    p.rule = no_rule;
    if (h.rule == nullptr) return;
    p.rule = recall_rule;
    const HomeRule* first = &table_.home[0][0];
    if (h.request != Message::none) p.rule = static_cast<std::uint8_t>(h.rule - first);
  }

  // An event in a cache. False: its message has no room.
  bool act(World& w, unsigned a, unsigned l, CacheEvent event, bool last) {
    Line& line = w.lines[l];
    const auto state = static_cast<CacheState>(line.cache[a]);
    const CacheRule& rule = table_.at(state, event);
    if (!rule.legal) {
      fail("no rule: " + std::string(to_string(event)) + " in " + std::string(to_string(state)), at_);
      return false;
    }
    found_.cache_rules[static_cast<std::size_t>(state)][static_cast<std::size_t>(event)] = true;
    const auto bit = static_cast<std::uint8_t>(1U << a);
    bool value = (line.last & bit) != 0;
    switch (event) {
      case CacheEvent::go_shared:
      case CacheEvent::go_exclusive:
        value = last;
        if (!last) fail("an agent was given a stale value", at_);
        break;
      case CacheEvent::data_current:
        if (!last) fail("an agent read a stale value", at_);
        break;
      default:
        break;
    }
    if (rule.send != Message::none) {
      // What a holder answers to a snoop for the value: right if it was the last one then, wherever it lies.
      bool sends = value;
      if (rule.send == Message::kept) sends = home_has_last(line);
      const unsigned kind = is_request(rule.send) ? requests : responses;
      if (!push(w.channels[a][kind], rule.send, l, sends && !is_request(rule.send), options_.channel_capacity)) {
        return false;
      }
    }
    line.cache[a] = static_cast<std::uint8_t>(rule.next);
    const bool holds = rule.next != CacheState::invalid && rule.next != CacheState::evicted &&
                       rule.next != CacheState::want_own && rule.next != CacheState::want_shared &&
                       rule.next != CacheState::reading && rule.next != CacheState::writing;
    line.last = static_cast<std::uint8_t>(holds && value ? line.last | bit : line.last & ~bit);
    if (rule.stores) written(w, l, bit);
    return true;
  }

  template <class Emit>
  void successors(const World& w, Emit emit) {
    for (unsigned a = 0; a < options_.agents; ++a) {
      wishes(w, a, emit);
      deliver(w, a, emit);
    }
    for (unsigned l = 0; l < options_.lines; ++l) home_steps(w, l, emit);
  }

  template <class Emit>
  void wishes(const World& w, unsigned a, Emit emit) {
    for (unsigned l = 0; l < options_.lines; ++l) {
      const auto state = static_cast<CacheState>(w.lines[l].cache[a]);
      for (unsigned e = 0; e <= static_cast<unsigned>(CacheEvent::write_line); ++e) {
        const auto event = static_cast<CacheEvent>(e);
        const bool uncached = event == CacheEvent::read_current || event == CacheEvent::write_line;
        if (uncached && a + options_.uncached_agents < options_.agents) continue;
        if (!table_.at(state, event).legal) continue;
        World next = w;
        if (!act(next, a, l, event, false)) continue;
        name("agent ", std::to_string(a), ", line ", std::to_string(l), ": ", to_string(event), " in ",
             to_string(state));
        emit(next, false);
      }
    }
  }

  template <class Emit>
  void deliver(const World& w, unsigned a, Emit emit) {
    for (unsigned i = 0; i < (options_.home_overtakes ? most_messages : 1U); ++i) {
      const Packet p = w.channels[a][from_home].packets[i];
      if (p.message == 0) break;
      World next = w;
      pop(next.channels[a][from_home], i);
      const auto m = static_cast<Message>(p.message);
      if (act(next, a, p.line, event_of(m), p.last != 0)) {
        name("agent ", std::to_string(a), ", line ", std::to_string(p.line), ": gets ", to_string(m));
        emit(next, true);
      }
    }
    if (const Packet p = w.channels[a][responses].packets[0]; p.message != 0) {
      World next = w;
      pop(next.channels[a][responses]);
      const auto m = static_cast<Message>(p.message);
      Line& line = next.lines[p.line];
      HomeLine home = home_of(line);
      if (!respond(home, static_cast<std::uint8_t>(a), m)) {
        fail("home: no transaction for " + std::string(to_string(m)), at_);
        return;
      }
      const bool whole_line = w.lines[p.line].request == static_cast<std::uint8_t>(Message::write_line);
      const std::uint8_t where = options_.last_level_cache ? in_llc : in_memory;
      keep(home, line);
      if (m == Message::kept || m == Message::kept_data) {
        line.last = static_cast<std::uint8_t>((line.last & ~in_answer) | (p.last != 0 ? in_answer : 0U));
      } else if (m == Message::write_data && whole_line) {
        line.llc = options_.last_level_cache ? 1 : 0;
        written(next, p.line, where);
      } else if (carries_data(m)) {
        line.llc = options_.last_level_cache ? 1 : 0;
        line.last = static_cast<std::uint8_t>((line.last & ~where) | (p.last != 0 ? where : 0U));
      }
      name("home, line ", std::to_string(p.line), ": gets ", to_string(m), " of agent ", std::to_string(a));
      emit(next, true);
    }
    if (const Packet p = w.channels[a][requests].packets[0]; p.message != 0) take_request(w, a, p, emit);
  }

  template <class Emit>
  void take_request(const World& w, unsigned a, const Packet p, Emit emit) {
    World next = w;
    Line& line = next.lines[p.line];
    HomeLine home = home_of(line);
    if (home.phase != HomeLine::Phase::idle) return;
    const auto m = static_cast<Message>(p.message);
    if (needs_entry(home, m)) {
      unsigned used = 0;
      for (unsigned l = 0; l < options_.lines; ++l) used += w.lines[l].holders != 0 || w.lines[l].phase != 0 ? 1 : 0;
      if (used >= options_.directory_entries) {
        // The other line's entry is taken back, unless its transaction will give it up or keep it in a moment.
        for (unsigned l = 0; l < options_.lines; ++l) {
          if (l == p.line || w.lines[l].phase != 0) continue;
          HomeLine victim = home_of(w.lines[l]);
          recall(victim);
          found_.recalled = true;
          next = w;
          keep(victim, next.lines[l]);
          name("home, line ", std::to_string(l), ": its entry is taken back");
          emit(next, true);
        }
        return;
      }
    }
    const Holders seen = home.seen_by(static_cast<std::uint8_t>(a));
    const Message as = options_.bias && m == Message::read_shared ? Message::read_own : m;
    if (!accept(home, table_, {options_.bias}, m, static_cast<std::uint8_t>(a))) {
      fail("home: no rule: " + std::string(to_string(m)) + " with " + std::string(to_string(seen)), at_);
      return;
    }
    found_.home_rules[static_cast<std::size_t>(as) - static_cast<std::size_t>(Message::read_shared)]
                     [static_cast<std::size_t>(seen)] = true;
    pop(next.channels[a][requests]);
    line.last = static_cast<std::uint8_t>(line.last & ~in_answer);
    keep(home, line);
    name("home, line ", std::to_string(p.line), ": takes ", to_string(m), " of agent ", std::to_string(a));
    emit(next, true);
  }

  template <class Emit>
  void home_steps(const World& w, unsigned l, Emit emit) {
    const HomeLine home = home_of(w.lines[l]);
    for (unsigned a = 0; a < options_.agents; ++a) {
      if ((home.to_snoop >> a & 1U) == 0) continue;
      World next = w;
      HomeLine h = home;
      const Message snoop = snoop_of(h);
      if (!push(next.channels[a][from_home], snoop, l, false, options_.channel_capacity)) continue;
      sent_snoop(h, static_cast<std::uint8_t>(a));
      keep(h, next.lines[l]);
      name("home, line ", std::to_string(l), ": sends ", to_string(snoop), " to agent ", std::to_string(a));
      emit(next, true);
    }
    if (home.phase == HomeLine::Phase::answering) {
      World next = w;
      HomeLine h = home;
      const bool forwarded = h.rule->snoop == Message::snoop_current;
      const unsigned to = h.requester;
      const Message m = answer(h);
      Line& line = next.lines[l];
      const bool last = forwarded ? (line.last & in_answer) != 0 : home_has_last(line);
      if (push(next.channels[to][from_home], m, l, last && carries_data(m), options_.channel_capacity)) {
        line.last = static_cast<std::uint8_t>(line.last & ~in_answer);
        keep(h, line);
        name("home, line ", std::to_string(l), ": sends ", to_string(m), " to agent ", std::to_string(to));
        emit(next, true);
      }
    }
    if (options_.last_level_cache && w.lines[l].llc != 0) {
      World next = w;
      Line& line = next.lines[l];
      line.llc = 0;
      line.last = static_cast<std::uint8_t>((line.last & in_llc) != 0 ? (line.last & ~in_llc) | in_memory
                                                                      : line.last & ~in_memory);
      name("last-level cache, line ", std::to_string(l), ": written back");
      emit(next, false);
    }
  }

  const ProtocolTable& table_;
  const ExplorerOptions options_;
  Explored found_;
  std::deque<World> worlds_;
  std::vector<std::uint32_t> parents_;
  std::vector<std::uint32_t> ways_in_;  // by progress
  std::vector<std::uint32_t> slots_;
  std::uint32_t at_ = 0;
  std::size_t moves_ = 0;
  bool naming_ = false;
  std::string step_;
};

}  // namespace

Explored explore(const ProtocolTable& table, const ExplorerOptions& options) { return Explorer(table, options).run(); }

}  // namespace sluice::cache

// The coherence protocol proved on small instances: every interleaving is explored, and each rule is needed.
#include "sim/cache/protocol.h"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <set>
#include <string>

#include "tests/unit/cache/protocol_explorer.h"

namespace sluice::cache {
namespace {

std::string text_of(const Explored& e) {
  std::string text = e.violation;
  for (const std::string& step : e.way) text += "\n  " + step;
  return text;
}

// A core's cache and the device's, and two lines whose entries the snoop filter holds side by side.
ExplorerOptions two_by_two() {
  ExplorerOptions o;
  o.last_level_cache = false;
  return o;
}
// The same lines take the one entry from each other.
ExplorerOptions one_entry() {
  ExplorerOptions o = two_by_two();
  o.directory_entries = 1;
  return o;
}
// Two cores, the device and a last-level cache over one line.
ExplorerOptions three_agents() {
  ExplorerOptions o;
  o.agents = 3;
  o.lines = 1;
  return o;
}

TEST(Protocol, TwoAgentsAndTwoLinesNeverStickOrReadStale) {
  const Explored e = explore(mesi(), two_by_two());
  EXPECT_EQ(e.violation, "") << text_of(e);
  // A line is with nobody, with one of two agents (exclusive or modified), or was shared by both, of which each may have
  // dropped its copy: 1 + 2 * 2 + 2 * 2 = 9 ways. Two lines, of which it does not matter which is which: 9 * 10 / 2.
  EXPECT_EQ(e.quiet_worlds, 45U);
}

TEST(Protocol, ASnoopFilterOfOneEntryServesTwoLines) {
  const Explored e = explore(mesi(), one_entry());
  EXPECT_EQ(e.violation, "") << text_of(e);
  EXPECT_TRUE(e.recalled);
  // One line is in one of the nine states, the other with nobody.
  EXPECT_EQ(e.quiet_worlds, 9U);
}

TEST(Protocol, ThreeAgentsAndALastLevelCacheShareALine) {
  const Explored e = explore(mesi(), three_agents());
  EXPECT_EQ(e.violation, "") << text_of(e);
}

// Device memory with bias: the home does not know who shares, so it makes every holder the only one.
TEST(Protocol, BiasNeverShares) {
  for (ExplorerOptions o : {two_by_two(), one_entry(), three_agents()}) {
    o.bias = true;
    const Explored e = explore(mesi(), o);
    EXPECT_EQ(e.violation, "") << text_of(e);
    for (const bool used : e.cache_rules[static_cast<std::size_t>(CacheState::shared)]) EXPECT_FALSE(used);
  }
}

TEST(Protocol, EveryRuleIsUsed) {
  const Explored two = explore(mesi(), one_entry());
  const Explored three = explore(mesi(), three_agents());
  for (std::size_t s = 0; s < cache_states; ++s) {
    for (std::size_t e = 0; e < cache_events; ++e) {
      EXPECT_EQ(mesi().cache[s][e].legal, two.cache_rules[s][e] || three.cache_rules[s][e])
          << to_string(static_cast<CacheEvent>(e)) << " in " << to_string(static_cast<CacheState>(s));
    }
  }
  for (std::size_t r = 0; r < request_kinds; ++r) {
    for (std::size_t h = 0; h < holder_kinds; ++h) {
      EXPECT_EQ(mesi().home[r][h].legal, two.home_rules[r][h] || three.home_rules[r][h])
          << to_string(static_cast<Message>(r + 1)) << " with " << to_string(static_cast<Holders>(h));
    }
  }
}

// A store takes place where, and only where, a line becomes or stays modified by its agent's wish or its answer.
TEST(Protocol, StoresModify) {
  for (std::size_t s = 0; s < cache_states; ++s) {
    for (std::size_t e = 0; e < cache_events; ++e) {
      const CacheRule& r = mesi().cache[s][e];
      const auto event = static_cast<CacheEvent>(e);
      const bool of_home = event == CacheEvent::load || event == CacheEvent::snoop_current;
      if (r.legal && !of_home) {
        EXPECT_EQ(r.stores, r.next == CacheState::modified);
      }
    }
  }
}

// What the tables rely on: grants and snoops to an agent arrive in the order in which the home sent them.
TEST(Protocol, SnoopsMustNotOvertakeGrants) {
  ExplorerOptions o = three_agents();
  o.channel_capacity = 2;
  EXPECT_EQ(explore(mesi(), o).violation, "");
  o.home_overtakes = true;
  EXPECT_NE(explore(mesi(), o).violation, "");
}

std::string broken(const std::function<void(ProtocolTable&)>& change) {
  ProtocolTable t = mesi();
  change(t);
  return explore(t, three_agents()).violation;
}

TEST(Explorer, NamesWhatIsWrong) {
  using S = CacheState;
  using E = CacheEvent;
  using M = Message;
  EXPECT_EQ(broken([](ProtocolTable& t) { t.at(S::shared, E::snoop_invalidate).next = S::shared; }),
            "an agent may write what another has");
  EXPECT_EQ(broken([](ProtocolTable& t) { t.at(S::modified, E::snoop_data).send = M::kept_shared; }),
            "an agent was given a stale value");
  EXPECT_EQ(broken([](ProtocolTable& t) { t.at(S::modified, E::snoop_current).send = M::kept; }),
            "an agent read a stale value");
  EXPECT_EQ(broken([](ProtocolTable& t) { t.at(S::exclusive, E::snoop_data).send = M::none; }), "nothing can move");
  EXPECT_EQ(broken([](ProtocolTable& t) { t.at(S::writing, E::write_pull).legal = false; }),
            "no rule: write_pull in writing");
  // A home that turns requests away, and an agent that asks again.
  EXPECT_EQ(broken([](ProtocolTable& t) {
              t.at(M::read_shared, Holders::other_owns) = {true, M::none, M::drop, Directory::unchanged, M::drop,
                                                           Directory::unchanged};
              t.at(S::want_shared, E::drop) = {true, S::want_shared, M::read_shared};
            }),
            "messages can go round for ever");
}

// Changes of one rule that keep the protocol right. Everything else that can be done to a rule must be found out.
const std::set<std::string>& harmless() {
  static const std::set<std::string> list = {
      // An agent that asks for more or for less than it needs, or keeps less than it may.
      "I load: sends read_own", "I load: sends upgrade", "I store: to want_shared", "S load: to I", "S evict: to S",
      "E snoop_data: to I", "M snoop_data: to I", "want_shared go_shared: to I",
      "want_own snoop_invalidate: to want_shared", "upgrading snoop_invalidate: to want_shared",
      // Words for the same: nobody held it, or a clean copy is gone; clean bytes sent along are the last value.
      "I snoop_invalidate: sends invalidated", "S snoop_invalidate: sends miss",
      "S snoop_invalidate: sends invalidated_data", "E snoop_data: sends kept_shared_data",
      "E snoop_invalidate: sends miss", "E snoop_invalidate: sends invalidated_data",
      "E snoop_current: sends kept_data", "want_shared snoop_invalidate: sends invalidated",
      "want_own snoop_invalidate: sends invalidated", "upgrading snoop_invalidate: sends miss",
      "upgrading snoop_invalidate: sends invalidated_data", "evicting_clean snoop_data: sends invalidated_data",
      "evicting_clean snoop_invalidate: sends miss", "evicting_clean snoop_invalidate: sends invalidated_data",
      "evicting_clean snoop_current: sends kept_data", "reading snoop_invalidate: sends invalidated",
      "writing snoop_invalidate: sends invalidated",
      // A clean line that is taken for a modified one: its bytes are written back once more.
      "E load: to M", "E snoop_current: to M", "want_shared go_exclusive: to M",
      // States that differ in name only: what can still happen in them has the same rules.
      "evicting_clean snoop_data: to evicting_clean", "evicting_clean snoop_invalidate: to evicting_clean",
      "evicting_dirty snoop_data: to evicting_clean", "evicting_dirty snoop_invalidate: to evicting_clean",
      "writing snoop_invalidate: to evicting_dirty",
      // Snoops of nobody, or of holders that need not have been asked.
      "home read_shared none: snoops snoop_data", "home read_shared none: snoops snoop_invalidate",
      "home read_shared other_owns: snoops snoop_invalidate", "home read_own none: snoops snoop_data",
      "home read_own none: snoops snoop_invalidate", "home upgrade none: snoops snoop_data",
      "home upgrade none: snoops snoop_invalidate", "home read_current none: snoops snoop_data",
      "home read_current none: snoops snoop_invalidate", "home read_current others: snoops snoop_invalidate",
      "home read_current other_owns: snoops snoop_invalidate", "home evict_clean none: snoops snoop_data",
      "home evict_clean none: snoops snoop_invalidate", "home evict_clean none: snoops snoop_current",
      "home evict_clean others: snoops snoop_invalidate", "home evict_clean self_owns: snoops snoop_data",
      "home evict_clean self_owns: snoops snoop_invalidate", "home evict_clean self_owns: snoops snoop_current",
      "home evict_clean other_owns: snoops snoop_invalidate", "home evict_clean other_owns: snoops snoop_current",
      "home evict_dirty none: snoops snoop_data", "home evict_dirty none: snoops snoop_invalidate",
      "home evict_dirty none: snoops snoop_current", "home evict_dirty others: snoops snoop_invalidate",
      "home evict_dirty self_owns: snoops snoop_data", "home evict_dirty self_owns: snoops snoop_invalidate",
      "home evict_dirty self_owns: snoops snoop_current", "home evict_dirty other_owns: snoops snoop_invalidate",
      "home evict_dirty other_owns: snoops snoop_current", "home write_line none: snoops snoop_data",
      "home write_line none: snoops snoop_invalidate", "home write_line none: snoops snoop_current",
      // An entry that is as it was, or lists an agent that has no copy.
      "home read_shared self_and_others: lists unchanged", "home read_current none: lists none",
      "home read_current self_and_others: lists share", "home read_current others: lists share",
      "home evict_clean none: lists none", "home evict_clean others: lists share", "home evict_dirty none: lists none",
      "home evict_dirty others: lists share", "home write_line none: lists unchanged",
      "home write_line others: lists unchanged", "home write_line other_owns: lists unchanged",
  };
  return list;
}

class Mutations {
 public:
  // Every change of one rule but of an agent's wish taken away.
  void of_caches() {
    for (std::size_t s = 0; s < cache_states; ++s) {
      for (std::size_t e = 0; e < cache_events; ++e) {
        if (mesi().cache[s][e].legal) of_cache(s, e);
      }
    }
  }
  void of_homes() {
    for (std::size_t r = 0; r < request_kinds; ++r) {
      for (std::size_t h = 0; h < holder_kinds; ++h) {
        if (mesi().home[r][h].legal) of_home(r, h);
      }
    }
  }
  std::size_t tried = 0;
  std::set<std::string> spared;

 private:
  void of_cache(std::size_t s, std::size_t e) {
    const CacheRule& rule = mesi().cache[s][e];
    const std::string name =
        std::string(to_string(static_cast<CacheState>(s))) + " " + std::string(to_string(static_cast<CacheEvent>(e)));
    const auto with = [&](const std::string& change, auto edit) {
      ProtocolTable t = mesi();
      edit(t.cache[s][e]);
      judge(t, name + ": " + change);
    };
    if (e > static_cast<std::size_t>(CacheEvent::write_line)) with("no rule", [](CacheRule& r) { r.legal = false; });
    for (std::size_t x = 0; x < cache_states; ++x) {
      const auto next = static_cast<CacheState>(x);
      if (next != rule.next) with("to " + std::string(to_string(next)), [&](CacheRule& r) { r.next = next; });
    }
    if (rule.send == Message::none) return;
    for (std::size_t x = 0; x < message_kinds; ++x) {
      const auto m = static_cast<Message>(x);
      const bool fits = m == Message::none || (is_request(rule.send) ? is_request(m) : is_response(m));
      if (fits && m != rule.send) with("sends " + std::string(to_string(m)), [&](CacheRule& r) { r.send = m; });
    }
  }

  void of_home(std::size_t q, std::size_t h) {
    const HomeRule& rule = mesi().home[q][h];
    const std::string name = "home " + std::string(to_string(static_cast<Message>(q + 1))) + " " +
                             std::string(to_string(static_cast<Holders>(h)));
    const auto with = [&](const std::string& change, auto edit) {
      ProtocolTable t = mesi();
      edit(t.home[q][h]);
      judge(t, name + ": " + change);
    };
    const bool one = rule.answer == rule.answer_alone && rule.next == rule.next_alone;
    for (std::size_t x = 0; x < message_kinds; ++x) {
      const auto m = static_cast<Message>(x);
      const std::string text(to_string(m));
      if (m == Message::none || is_snoop(m)) {
        if (m != rule.snoop) with("snoops " + text, [&](HomeRule& r) { r.snoop = m; });
      } else if (!is_request(m) && !is_response(m)) {
        if (m != rule.answer) {
          with("answers " + text, [&](HomeRule& r) {
            r.answer = m;
            if (one) r.answer_alone = m;
          });
        }
        if (!one && m != rule.answer_alone) with("alone " + text, [&](HomeRule& r) { r.answer_alone = m; });
      }
    }
    static constexpr const char* names[] = {"unchanged", "none", "share", "own"};
    for (std::size_t x = 0; x < 4; ++x) {
      const auto next = static_cast<Directory>(x);
      if (next != rule.next) {
        with(std::string("lists ") + names[x], [&](HomeRule& r) {
          r.next = next;
          if (one) r.next_alone = next;
        });
      }
      if (!one && next != rule.next_alone) {
        with(std::string("lists alone ") + names[x], [&](HomeRule& r) { r.next_alone = next; });
      }
    }
  }

  void judge(const ProtocolTable& table, const std::string& change) {
    if (harmless().count(change) != 0) {
      spared.insert(change);
      return;
    }
    ++tried;
    ExplorerOptions smallest = three_agents();  // most are found here
    smallest.agents = 2;
    for (const ExplorerOptions& o : {smallest, three_agents(), one_entry()}) {
      if (!explore(table, o).violation.empty()) return;
    }
    ADD_FAILURE() << change;
  }
};

std::set<std::string> harmless_of(bool home) {
  std::set<std::string> some = harmless();
  std::erase_if(some, [&](const std::string& s) { return s.starts_with("home ") != home; });
  return some;
}

TEST(Explorer, FindsEveryHarmfulChangeOfACachesRule) {
  Mutations mutations;
  mutations.of_caches();
  EXPECT_EQ(mutations.spared, harmless_of(false));
  EXPECT_EQ(mutations.tried, 661U);
}

TEST(Explorer, FindsEveryHarmfulChangeOfAHomesRule) {
  Mutations mutations;
  mutations.of_homes();
  EXPECT_EQ(mutations.spared, harmless_of(true));
  EXPECT_EQ(mutations.tried, 273U);
}

// The tables as docs/coherence.md shows them.
std::string caches_as_markdown() {
  std::string text = "| state | event | next | sends |\n| --- | --- | --- | --- |\n";
  for (std::size_t s = 0; s < cache_states; ++s) {
    for (std::size_t e = 0; e < cache_events; ++e) {
      const CacheRule& r = mesi().cache[s][e];
      if (!r.legal) continue;
      text += "| " + std::string(to_string(static_cast<CacheState>(s))) + " | " +
              std::string(to_string(static_cast<CacheEvent>(e))) + " | " + std::string(to_string(r.next)) +
              (r.stores ? ", stored" : "") + " | " +
              (r.send == Message::none ? "" : std::string(to_string(r.send)) + " ") + "|\n";
    }
  }
  return text;
}

std::string homes_as_markdown() {
  std::string text = "| request | holders | snoops | answer | entry then |\n| --- | --- | --- | --- | --- |\n";
  static constexpr const char* entries[] = {"unchanged", "none", "requester added", "requester owns"};
  for (std::size_t q = 0; q < request_kinds; ++q) {
    for (std::size_t h = 0; h < holder_kinds; ++h) {
      const HomeRule& r = mesi().home[q][h];
      if (!r.legal) continue;
      std::string answer(to_string(r.answer));
      std::string next = entries[static_cast<std::size_t>(r.next)];
      if (r.answer != r.answer_alone) {
        answer += "; " + std::string(to_string(r.answer_alone)) + " if it kept nothing";
        next += "; " + std::string(entries[static_cast<std::size_t>(r.next_alone)]);
      }
      text += "| " + std::string(to_string(static_cast<Message>(q + 1))) + " | " +
              std::string(to_string(static_cast<Holders>(h))) + " | " +
              (r.snoop == Message::none ? "" : std::string(to_string(r.snoop)) + " ") + "| " + answer + " | " + next +
              " |\n";
    }
  }
  return text;
}

TEST(Protocol, ItsTablesAreThoseOfTheDocumentation) {
  std::ifstream in(SLUICE_SOURCE_DIR "/docs/coherence.md");
  const std::string page((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  EXPECT_NE(page.find(caches_as_markdown()), std::string::npos) << caches_as_markdown();
  EXPECT_NE(page.find(homes_as_markdown()), std::string::npos) << homes_as_markdown();
}

}  // namespace
}  // namespace sluice::cache

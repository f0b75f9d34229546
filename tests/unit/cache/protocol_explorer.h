// Explores the coherence protocol's tables in every interleaving, breadth first, over a few agents and lines.
//
// A world is what agents' caches, homes, last-level cache and memory hold, and what is under way between them: per agent
// one channel each for requests, responses and what the home sends, first in first out and shared by all lines, of
// `channel_capacity` messages. Values are reduced to one bit: a copy is the value that was last written, or it is not.
//
// What it looks for, in every world that can be reached:
//   - a message or wish for which the tables have no rule,
//   - a line that two agents may write, or that one may write and another read,
//   - a readable copy, or an answer, that is not the last value (of an answer that leaves no copy: no value that was the
//     last one at any time since its request),
//   - a world in which something is under way and nothing can move,
//   - a world from which what is under way can go on for ever, or end in anything but quiet, with no new wish.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "sim/cache/protocol.h"

namespace sluice::cache {

struct ExplorerOptions {
  unsigned agents = 2;
  unsigned lines = 2;
  unsigned channel_capacity = 1;
  unsigned directory_entries = 2;  // of the snoop filter
  bool bias = false;
  bool last_level_cache = true;    // at the home, written back at any time; else the home writes memory
  unsigned uncached_agents = 1;    // the last so many agents may read and write whole lines without keeping them
  bool home_overtakes = false;     // what a home sends may arrive in any order
  std::size_t most_worlds = 20'000'000;
};

struct Explored {
  std::string violation;           // empty: none
  std::vector<std::string> way;    // the steps that lead to it
  std::size_t worlds = 0;
  std::size_t quiet_worlds = 0;
  // Rules that some world used.
  std::array<std::array<bool, cache_events>, cache_states> cache_rules{};
  std::array<std::array<bool, holder_kinds>, request_kinds> home_rules{};
  bool recalled = false;           // the snoop filter took an entry back
};

[[nodiscard]] Explored explore(const ProtocolTable& table, const ExplorerOptions& options);

}  // namespace sluice::cache

#include "sim/cache/protocol.h"

namespace sluice::cache {

namespace {

using C = CacheState;
using E = CacheEvent;
using M = Message;
using H = Holders;

constexpr ProtocolTable make_mesi() {
  ProtocolTable t;
  const auto on = [&](C state, E event, C next, M send = M::none, bool stores = false) {
    t.at(state, event) = {true, next, send, stores};
  };
  // The agent's own wishes. What is not listed waits for the line to be stable.
  on(C::invalid, E::load, C::want_shared, M::read_shared);
  on(C::invalid, E::store, C::want_own, M::read_own);
  on(C::invalid, E::read_current, C::reading, M::read_current);
  on(C::invalid, E::write_line, C::writing, M::write_line);
  on(C::shared, E::load, C::shared);
  on(C::shared, E::store, C::upgrading, M::upgrade);
  on(C::shared, E::evict, C::invalid);
  on(C::exclusive, E::load, C::exclusive);
  on(C::exclusive, E::store, C::modified, M::none, true);
  on(C::exclusive, E::evict, C::evicting_clean, M::evict_clean);
  on(C::modified, E::load, C::modified);
  on(C::modified, E::store, C::modified, M::none, true);
  on(C::modified, E::evict, C::evicting_dirty, M::evict_dirty);

  // Snoops of a holder.
  on(C::shared, E::snoop_invalidate, C::invalid, M::invalidated);
  on(C::upgrading, E::snoop_invalidate, C::want_own, M::invalidated);
  on(C::exclusive, E::snoop_data, C::shared, M::kept_shared);
  on(C::exclusive, E::snoop_invalidate, C::invalid, M::invalidated);
  on(C::exclusive, E::snoop_current, C::exclusive, M::kept);
  on(C::modified, E::snoop_data, C::shared, M::kept_shared_data);
  on(C::modified, E::snoop_invalidate, C::invalid, M::invalidated_data);
  on(C::modified, E::snoop_current, C::modified, M::kept_data);
  // Snoops that meet an eviction: the line is given up to the snoop, and the eviction will be dropped.
  on(C::evicting_clean, E::snoop_data, C::evicted, M::invalidated);
  on(C::evicting_clean, E::snoop_invalidate, C::evicted, M::invalidated);
  on(C::evicting_clean, E::snoop_current, C::evicting_clean, M::kept);
  on(C::evicting_dirty, E::snoop_data, C::evicted, M::invalidated_data);
  on(C::evicting_dirty, E::snoop_invalidate, C::evicted, M::invalidated_data);
  on(C::evicting_dirty, E::snoop_current, C::evicting_dirty, M::kept_data);
  // Snoops of a sharer that has dropped its copy silently, and may have asked for something since.
  for (const C s : {C::invalid, C::want_shared, C::want_own, C::reading, C::writing}) {
    on(s, E::snoop_invalidate, s, M::miss);
  }

  // Answers.
  on(C::want_shared, E::go_shared, C::shared);
  on(C::want_shared, E::go_exclusive, C::exclusive);
  on(C::want_own, E::go_exclusive, C::modified, M::none, true);
  on(C::upgrading, E::go_upgrade, C::modified, M::none, true);
  on(C::reading, E::data_current, C::invalid);
  on(C::writing, E::write_pull, C::invalid, M::write_data);
  on(C::evicting_dirty, E::write_pull, C::invalid, M::write_data);
  on(C::evicting_clean, E::drop, C::invalid);
  on(C::evicted, E::drop, C::invalid);

  const auto home = [&](M request, H holders, M snoop, M answer, Directory next) {
    t.at(request, holders) = {true, snoop, answer, next, answer, next};
  };
  home(M::read_shared, H::none, M::none, M::go_exclusive, Directory::own);
  home(M::read_shared, H::self_and_others, M::none, M::go_shared, Directory::share);
  home(M::read_shared, H::others, M::none, M::go_shared, Directory::share);
  t.at(M::read_shared, H::other_owns) = {true,         M::snoop_data,   M::go_shared, Directory::share,
                                         M::go_exclusive, Directory::own};
  home(M::read_own, H::none, M::none, M::go_exclusive, Directory::own);
  for (const H h : {H::self_and_others, H::others, H::other_owns}) {
    home(M::read_own, h, M::snoop_invalidate, M::go_exclusive, Directory::own);
  }
  // An upgrade finds its copy gone where another write came first.
  home(M::upgrade, H::self_and_others, M::snoop_invalidate, M::go_upgrade, Directory::own);
  home(M::upgrade, H::none, M::none, M::go_exclusive, Directory::own);
  home(M::upgrade, H::others, M::snoop_invalidate, M::go_exclusive, Directory::own);
  home(M::upgrade, H::other_owns, M::snoop_invalidate, M::go_exclusive, Directory::own);
  for (const H h : {H::none, H::self_and_others, H::others}) {
    home(M::read_current, h, M::none, M::data_current, Directory::unchanged);
  }
  home(M::read_current, H::other_owns, M::snoop_current, M::data_current, Directory::unchanged);
  home(M::evict_clean, H::self_owns, M::none, M::drop, Directory::none);
  home(M::evict_dirty, H::self_owns, M::none, M::write_pull, Directory::none);
  for (const M m : {M::evict_clean, M::evict_dirty}) {
    for (const H h : {H::none, H::others, H::other_owns}) home(m, h, M::none, M::drop, Directory::unchanged);
  }
  home(M::write_line, H::none, M::none, M::write_pull, Directory::none);
  for (const H h : {H::self_and_others, H::others, H::other_owns}) {
    home(M::write_line, h, M::snoop_invalidate, M::write_pull, Directory::none);
  }
  return t;
}

constexpr ProtocolTable table = make_mesi();
constexpr HomeRule recall_rule = {true,          M::snoop_invalidate, M::none, Directory::none,
                                  M::none, Directory::none};

bool answers(M response, M snoop) {
  switch (response) {
    case M::miss: return snoop == M::snoop_invalidate;
    case M::invalidated:
    case M::invalidated_data: return snoop == M::snoop_invalidate || snoop == M::snoop_data;
    case M::kept_shared:
    case M::kept_shared_data: return snoop == M::snoop_data;
    case M::kept:
    case M::kept_data: return snoop == M::snoop_current;
    default: return false;
  }
}

void snooped(HomeLine& line) {
  if (line.to_snoop != 0 || line.awaited != 0) return;
  line.phase = HomeLine::Phase::answering;
  if (line.request == M::none) {  // an entry that was taken back
    line.phase = HomeLine::Phase::idle;
    line.rule = nullptr;
  }
}

void start(HomeLine& line, const HomeRule& rule, std::uint8_t others) {
  line.rule = &rule;
  line.kept = false;
  line.awaited = 0;
  line.to_snoop = rule.snoop == M::none ? std::uint8_t{0} : others;
  line.phase = HomeLine::Phase::snooping;
  snooped(line);
}

}  // namespace

const ProtocolTable& mesi() { return table; }

Holders HomeLine::seen_by(std::uint8_t agent) const noexcept {
  const auto self = static_cast<std::uint8_t>(1U << agent);
  if (holders == 0) return H::none;
  if (owned) return holders == self ? H::self_owns : H::other_owns;
  if (holders == self) return H::self;
  return (holders & self) != 0 ? H::self_and_others : H::others;
}

bool needs_entry(const HomeLine& line, Message request) noexcept {
  return line.holders == 0 &&
         (request == M::read_shared || request == M::read_own || request == M::upgrade);
}

bool accept(HomeLine& line, const ProtocolTable& protocol, HomeOptions options, Message request,
            std::uint8_t agent) noexcept {
  const M as = options.bias && request == M::read_shared ? M::read_own : request;
  const HomeRule& rule = protocol.at(as, line.seen_by(agent));
  if (!rule.legal || line.phase != HomeLine::Phase::idle) return false;
  line.request = request;
  line.requester = agent;
  start(line, rule, static_cast<std::uint8_t>(line.holders & ~(1U << agent)));
  return true;
}

void recall(HomeLine& line) noexcept {
  line.request = M::none;
  line.requester = 0;
  start(line, recall_rule, line.holders);
}

Message snoop_of(const HomeLine& line) noexcept { return line.rule->snoop; }

void sent_snoop(HomeLine& line, std::uint8_t agent) noexcept {
  const auto bit = static_cast<std::uint8_t>(1U << agent);
  line.to_snoop = static_cast<std::uint8_t>(line.to_snoop & ~bit);
  line.awaited = static_cast<std::uint8_t>(line.awaited | bit);
}

bool respond(HomeLine& line, std::uint8_t agent, Message response) noexcept {
  const auto bit = static_cast<std::uint8_t>(1U << agent);
  if (response == M::write_data) {
    if (line.phase != HomeLine::Phase::pulling || line.requester != agent) return false;
    line.phase = HomeLine::Phase::idle;
    line.request = M::none;
    line.requester = 0;
    return true;
  }
  if (line.phase != HomeLine::Phase::snooping || (line.awaited & bit) == 0 || !answers(response, line.rule->snoop)) {
    return false;
  }
  line.awaited = static_cast<std::uint8_t>(line.awaited & ~bit);
  if (line.rule->snoop == M::snoop_current) {
    line.kept = true;
  } else if (response == M::kept_shared || response == M::kept_shared_data) {
    line.owned = false;
    line.kept = true;
  } else {
    line.holders = static_cast<std::uint8_t>(line.holders & ~bit);
    if (line.holders == 0) line.owned = false;
  }
  snooped(line);
  return true;
}

Message answer(HomeLine& line) noexcept {
  const bool alone = !line.kept;
  const M message = alone ? line.rule->answer_alone : line.rule->answer;
  switch (alone ? line.rule->next_alone : line.rule->next) {
    case Directory::unchanged:
      break;
    case Directory::none:
      line.holders = 0;
      line.owned = false;
      break;
    case Directory::share:
      line.holders = static_cast<std::uint8_t>(line.holders | (1U << line.requester));
      line.owned = false;
      break;
    case Directory::own:
      line.holders = static_cast<std::uint8_t>(1U << line.requester);
      line.owned = true;
      break;
  }
  line.rule = nullptr;
  line.kept = false;
  if (message == M::write_pull) {
    line.phase = HomeLine::Phase::pulling;
    return message;
  }
  line.phase = HomeLine::Phase::idle;
  line.request = M::none;
  line.requester = 0;
  return message;
}

std::string_view to_string(CacheState state) noexcept {
  static constexpr std::array<std::string_view, cache_states> names = {
      "I", "S", "E", "M", "want_shared", "want_own", "upgrading", "evicting_clean", "evicting_dirty", "evicted",
      "reading", "writing"};
  return names[static_cast<std::size_t>(state)];
}

std::string_view to_string(Message message) noexcept {
  static constexpr std::array<std::string_view, message_kinds> names = {
      "none", "read_shared", "read_own", "upgrade", "read_current", "evict_clean", "evict_dirty", "write_line",
      "snoop_data", "snoop_invalidate", "snoop_current", "go_shared", "go_exclusive", "go_upgrade", "data_current",
      "write_pull", "drop", "miss", "invalidated", "invalidated_data", "kept_shared", "kept_shared_data", "kept",
      "kept_data", "write_data"};
  return names[static_cast<std::size_t>(message)];
}

std::string_view to_string(CacheEvent event) noexcept {
  static constexpr std::array<std::string_view, cache_events> names = {
      "load", "store", "evict", "read_current", "write_line", "snoop_data", "snoop_invalidate", "snoop_current",
      "go_shared", "go_exclusive", "go_upgrade", "data_current", "write_pull", "drop"};
  return names[static_cast<std::size_t>(event)];
}

std::string_view to_string(Holders holders) noexcept {
  static constexpr std::array<std::string_view, holder_kinds> names = {
      "none", "self", "self_and_others", "others", "self_owns", "other_owns"};
  return names[static_cast<std::size_t>(holders)];
}

}  // namespace sluice::cache

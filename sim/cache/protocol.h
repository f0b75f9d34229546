// The coherence protocol: MESI with a directory (snoop filter) at each line's home, as tables of data. No time, no
// SystemC, no capacity: the timed model runs its tables one line at a time (line_traffic.h), and an explorer in
// tests/unit/cache runs them in every interleaving. docs/coherence.md has the tables and what the messages are called
// on each link.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::cache {

// Of one line in one agent's cache: a core's private cache or the device's. Stable states first.
enum class CacheState : std::uint8_t {
  invalid, shared, exclusive, modified,
  want_shared,     // asked for a copy
  want_own,        // asked for the line to write it
  upgrading,       // the same, with a copy that is valid so far
  evicting_clean,  // told the home, which has not answered
  evicting_dirty,
  evicted,         // a snoop took the line before that answer
  reading,         // asked for the bytes as they are now, to keep no copy
  writing,         // asked to write a whole line without having it
  count_,
};

enum class Message : std::uint8_t {
  none,
  // Requests: agent to home.
  read_shared, read_own, upgrade, read_current, evict_clean, evict_dirty, write_line,
  // Home to agent. A home sends them in order, so that a snoop never overtakes what was granted before it.
  snoop_data, snoop_invalidate, snoop_current, go_shared, go_exclusive, go_upgrade, data_current, write_pull, drop,
  // Responses: agent to home, which always takes them.
  miss, invalidated, invalidated_data, kept_shared, kept_shared_data, kept, kept_data, write_data,
  count_,
};

// What happens to a line in a cache: the agent's own wish, or a message from the home.
enum class CacheEvent : std::uint8_t {
  load, store, evict, read_current, write_line,
  snoop_data, snoop_invalidate, snoop_current, go_shared, go_exclusive, go_upgrade, data_current, write_pull, drop,
  count_,
};

// How a requester finds the line in the directory.
enum class Holders : std::uint8_t {
  none,
  self,             // as the only sharer: never, since sharers leave the directory with a new owner only
  self_and_others,  // shared copies are dropped silently, so each of them may have none
  others,
  self_owns,
  other_owns,       // exclusive or modified: the home cannot know which
  count_,
};

inline constexpr std::size_t cache_states = static_cast<std::size_t>(CacheState::count_);
inline constexpr std::size_t cache_events = static_cast<std::size_t>(CacheEvent::count_);
inline constexpr std::size_t message_kinds = static_cast<std::size_t>(Message::count_);
inline constexpr std::size_t holder_kinds = static_cast<std::size_t>(Holders::count_);
inline constexpr std::size_t request_kinds = 7;  // read_shared to write_line

[[nodiscard]] std::string_view to_string(CacheState state) noexcept;
[[nodiscard]] std::string_view to_string(Message message) noexcept;
[[nodiscard]] std::string_view to_string(CacheEvent event) noexcept;
[[nodiscard]] std::string_view to_string(Holders holders) noexcept;

[[nodiscard]] constexpr bool is_request(Message m) { return m >= Message::read_shared && m <= Message::write_line; }
[[nodiscard]] constexpr bool is_snoop(Message m) { return m >= Message::snoop_data && m <= Message::snoop_current; }
[[nodiscard]] constexpr bool is_response(Message m) { return m >= Message::miss && m <= Message::write_data; }
[[nodiscard]] constexpr bool carries_data(Message m) {
  return m == Message::go_shared || m == Message::go_exclusive || m == Message::data_current ||
         m == Message::invalidated_data || m == Message::kept_shared_data || m == Message::kept_data ||
         m == Message::write_data;
}
[[nodiscard]] constexpr CacheEvent event_of(Message from_home) {
  return static_cast<CacheEvent>(static_cast<int>(CacheEvent::snoop_data) + static_cast<int>(from_home) -
                                 static_cast<int>(Message::snoop_data));
}
// The line may be read where it is.
[[nodiscard]] constexpr bool is_readable(CacheState s) {
  return s == CacheState::shared || s == CacheState::exclusive || s == CacheState::modified ||
         s == CacheState::upgrading;
}
[[nodiscard]] constexpr bool is_stable(CacheState s) { return s <= CacheState::modified; }

struct CacheRule {
  bool legal = false;
  CacheState next = CacheState::invalid;
  Message send = Message::none;  // a request, or the response to a snoop
  bool stores = false;           // the agent's store takes place
  [[nodiscard]] bool operator==(const CacheRule&) const = default;
};

enum class Directory : std::uint8_t { unchanged, none, share, own };  // what becomes of a line's entry

struct HomeRule {
  bool legal = false;
  Message snoop = Message::none;   // to all holders but the requester, and their responses are waited for
  Message answer = Message::none;
  Directory next = Directory::unchanged;
  // The same where a snooped owner kept nothing.
  Message answer_alone = Message::none;
  Directory next_alone = Directory::unchanged;
  [[nodiscard]] bool operator==(const HomeRule&) const = default;
};

struct ProtocolTable {
  std::array<std::array<CacheRule, cache_events>, cache_states> cache{};
  std::array<std::array<HomeRule, holder_kinds>, request_kinds> home{};

  [[nodiscard]] constexpr const CacheRule& at(CacheState s, CacheEvent e) const {
    return cache[static_cast<std::size_t>(s)][static_cast<std::size_t>(e)];
  }
  [[nodiscard]] constexpr CacheRule& at(CacheState s, CacheEvent e) {
    return cache[static_cast<std::size_t>(s)][static_cast<std::size_t>(e)];
  }
  [[nodiscard]] constexpr const HomeRule& at(Message request, Holders h) const {
    return home[static_cast<std::size_t>(request) - static_cast<std::size_t>(Message::read_shared)]
               [static_cast<std::size_t>(h)];
  }
  [[nodiscard]] constexpr HomeRule& at(Message request, Holders h) {
    return home[static_cast<std::size_t>(request) - static_cast<std::size_t>(Message::read_shared)]
               [static_cast<std::size_t>(h)];
  }
};

[[nodiscard]] const ProtocolTable& mesi();

// One line at its home: the directory's entry and the transaction under way. A home works on one transaction a line.
struct HomeLine {
  enum class Phase : std::uint8_t { idle, snooping, answering, pulling };

  std::uint8_t holders = 0;  // a bit an agent
  bool owned = false;        // the one holder may have changed the line
  Phase phase = Phase::idle;
  Message request = Message::none;  // of the transaction; none: the snoop filter takes the entry back
  std::uint8_t requester = 0;
  std::uint8_t to_snoop = 0;  // snoops yet to be sent
  std::uint8_t awaited = 0;   // responses
  bool kept = false;          // a snooped holder still has the line
  const HomeRule* rule = nullptr;

  [[nodiscard]] Holders seen_by(std::uint8_t agent) const noexcept;
};

struct HomeOptions {
  // Device memory with bias, not back-invalidation: the home keeps no list of who shares. Each grant is exclusive.
  bool bias = false;
};

// The request needs an entry in the snoop filter that the line does not have yet.
[[nodiscard]] bool needs_entry(const HomeLine& line, Message request) noexcept;
// Starts a transaction. False: the protocol does not allow this request here.
[[nodiscard]] bool accept(HomeLine& line, const ProtocolTable& table, HomeOptions options, Message request,
                          std::uint8_t agent) noexcept;
// Back-invalidation: the snoop filter needs the entry for another line.
void recall(HomeLine& line) noexcept;
[[nodiscard]] Message snoop_of(const HomeLine& line) noexcept;
void sent_snoop(HomeLine& line, std::uint8_t agent) noexcept;
// False: the response fits no transaction.
[[nodiscard]] bool respond(HomeLine& line, std::uint8_t agent, Message response) noexcept;
// Phase answering: what the requester gets. The transaction ends, but for the data that a write_pull asks for.
[[nodiscard]] Message answer(HomeLine& line) noexcept;

}  // namespace sluice::cache

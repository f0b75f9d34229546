#include "sim/cache/line_traffic.h"

#include <array>

namespace sluice::cache {

namespace {

constexpr std::uint8_t core = 0;
constexpr std::uint8_t device = 1;
constexpr std::size_t accesses = static_cast<std::size_t>(DeviceAccess::count_);
constexpr std::size_t states = 4;

// One line, its home, a core's cache and the device's: each message arrives before the next is sent.
class OneLine {
 public:
  explicit OneLine(LineState state) {
    if (state == LineState::private_clean) caches_[core] = CacheState::exclusive;
    if (state == LineState::private_dirty) caches_[core] = CacheState::modified;
    if (caches_[core] == CacheState::invalid) return;
    home_.holders = 1U << core;
    home_.owned = true;
  }

  // The device's wish, and all that follows of it. A line in S is dropped silently.
  void wish(CacheEvent event) {
    const Message request = act(device, event);
    if (request == Message::none) return;
    count(request);
    if (!accept(home_, mesi(), {}, request, device)) return;
    if ((home_.to_snoop >> core & 1U) != 0) {
      sent_snoop(home_, core);
      ++traffic_.core_snoops;
      const Message response = act(core, event_of(home_.rule->snoop));
      traffic_.core_data |= carries_data(response);
      if (!respond(home_, core, response)) return;
    }
    const Message answered = answer(home_);
    count(answered);
    const Message data = act(device, event_of(answered));
    if (data == Message::none) return;
    count(data);
    (void)respond(home_, device, data);
  }

  [[nodiscard]] LineTraffic traffic() {
    traffic_.core_after = caches_[core];
    return traffic_;
  }

 private:
  Message act(std::uint8_t agent, CacheEvent event) {
    const CacheRule& rule = mesi().at(caches_[agent], event);
    caches_[agent] = rule.next;
    return rule.send;
  }
  void count(Message m) {
    const bool up = is_request(m) || is_response(m);
    if (carries_data(m)) {
      ++(up ? traffic_.data_up : traffic_.data_down);
    } else if (is_request(m)) {
      ++traffic_.requests_up;
    } else if (is_snoop(m)) {
      ++traffic_.requests_down;
    } else {
      ++(up ? traffic_.responses_up : traffic_.responses_down);
    }
    if (m == Message::evict_clean || m == Message::evict_dirty) ++traffic_.evictions;
  }

  std::array<CacheState, 2> caches_{};
  HomeLine home_;
  LineTraffic traffic_;
};

LineTraffic run(DeviceAccess access, LineState state) {
  OneLine line(state);
  switch (access) {
    case DeviceAccess::read_current:
      line.wish(CacheEvent::read_current);
      break;
    case DeviceAccess::read:
      line.wish(CacheEvent::load);
      line.wish(CacheEvent::evict);
      break;
    case DeviceAccess::write_line:
      line.wish(CacheEvent::write_line);
      break;
    case DeviceAccess::write_part:
      line.wish(CacheEvent::store);
      line.wish(CacheEvent::evict);
      break;
    case DeviceAccess::count_:
      break;
  }
  return line.traffic();
}

using Table = std::array<std::array<LineTraffic, states>, accesses>;

Table run_all() {
  Table table;
  for (std::size_t a = 0; a < accesses; ++a) {
    for (std::size_t s = 0; s < states; ++s) table[a][s] = run(static_cast<DeviceAccess>(a), static_cast<LineState>(s));
  }
  return table;
}

}  // namespace

const LineTraffic& traffic_of(DeviceAccess access, LineState state) {
  static const Table table = run_all();
  return table[static_cast<std::size_t>(access)][static_cast<std::size_t>(state)];
}

}  // namespace sluice::cache

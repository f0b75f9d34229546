// Counters of the trace's packet level: how busy each direction of the link is, and what tags, credits or lines its flows
// have in use. Nothing is asked of the model for them.
//  use_permille  of link.up and link.down: what the flows under way would take of the wire if each had it to itself, as a
//                mean of its time, together 1000 at most. Whatever the detail.
//  in_use        of a flow's window (link.tags, link.credits ...). packet: counted packet by packet, and told when it is all
//                or nothing or has moved by an eighth. train: what a flow holds in its steady state.
#pragma once

#include <array>
#include <functional>
#include <queue>
#include <string_view>
#include <vector>

#include "sim/iface/trace_sink.h"
#include "sim/models/traffic.h"

namespace sluice::sim {

class LinkGauges {
 public:
  LinkGauges(TraceSink& trace, Detail detail) : trace_(trace), detail_(detail) {}

  // `alone`: what the flow takes with the link to itself.
  void started(const Flow& flow, TimePs alone, TimePs now);
  // `end` may lie ahead: what starts before it is told together with the flow.
  void ended(const Flow& flow, TimePs end);
  // Of packets, in the order of `begin`.
  void served(const Flow& flow, std::size_t hop, TimePs begin, TimePs end);
  // Nothing is left that could be served.
  void drained();

 private:
  struct Under {  // a flow under way
    const Flow* flow = nullptr;
    TimePs until = time_never;
    std::array<std::uint64_t, 2> use_permille{};  // up, down
    std::string_view window;
    std::uint64_t in_use = 0;
  };
  struct Window {
    std::string_view part;
    std::uint64_t in_use = 0;
    std::uint64_t told = 0;
    std::uint64_t size = 0;
    bool foretold = false;  // all that has yet to come back was told in advance ...
    TimePs retell = 0;      // ... which up to here need not be true any more
    std::priority_queue<TimePs, std::vector<TimePs>, std::greater<>> returns;
  };

  void tell(TimePs from);
  void tell_at(TimePs at);
  void count(std::string_view part, std::string_view name, TimePs at, std::uint64_t value) {
    trace_.counter({device_, part, name, at, value});
  }
  [[nodiscard]] Window& window(std::string_view part);
  void settle(Window& window, TimePs now);
  void changed(Window& window, TimePs at);

  TraceSink& trace_;
  Detail detail_;
  DeviceIndex device_ = 0;
  std::vector<Under> under_way_;
  std::vector<std::string_view> parts_;  // windows that flows have had, in train detail
  std::vector<Window> windows_;
};

}  // namespace sluice::sim

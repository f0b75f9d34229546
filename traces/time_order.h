// Puts records in the order in which things were over: `visible` of a command, `end` of a stage, packet or call,
// `at` of a counter; at the same time in the order of their reports. What ends later than anything that can still be reported
// (sim/iface/trace_sink.h says what that is) is held back. The order follows from the records alone.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

#include "sim/iface/trace_sink.h"
#include "traces/call.h"

namespace sluice::trace {

class TimeOrder {
 public:
  using Record = std::variant<StageRecord, PacketRecord, CounterRecord, CallRecord>;

  void hold(TimePs at, const Record& record) {
    if (free_.empty()) {
      free_.push_back(records_.size());
      records_.emplace_back();
    }
    const std::size_t place = free_.back();
    free_.pop_back();
    records_[place] = record;
    held_.push_back({at, ++reports_, place});
    std::push_heap(held_.begin(), held_.end(), later);
  }

  // Nothing that is reported from here on ends before `now`: calls write(const Record&) for what ended by then.
  template <typename F>
  void release(TimePs now, F&& write) {
    while (!held_.empty() && held_.front().at <= now) {
      const std::size_t place = held_.front().place;
      std::pop_heap(held_.begin(), held_.end(), later);
      held_.pop_back();
      free_.push_back(place);
      write(std::as_const(records_[place]));
    }
  }

 private:
  struct Held {
    TimePs at;
    std::uint64_t report;
    std::size_t place;  // in records_, which stay where they are while the heap moves
  };
  static bool later(const Held& a, const Held& b) noexcept { return a.at != b.at ? a.at > b.at : a.report > b.report; }

  std::vector<Held> held_;
  std::vector<Record> records_;
  std::vector<std::size_t> free_;
  std::uint64_t reports_ = 0;
};

}  // namespace sluice::trace

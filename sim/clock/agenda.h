// Base of the models that do things at known times: a queue of (time, order of posting) and one SC_METHOD that is woken
// for the earliest. Equal times are served in the order of posting, so runs repeat exactly.
#pragma once

#include <systemc>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <vector>

#include "sim/clock/kernel_time.h"

namespace sluice::sim {

template <class Item>
class Agenda : public sc_core::sc_module {
 public:
  explicit Agenda(const sc_core::sc_module_name& name) : sc_module(name) {
    SC_HAS_PROCESS(Agenda);
    SC_METHOD(wake);
    sensitive << next_;
    dont_initialize();
  }

 protected:
  void post(TimePs at, Item item) {
    const Entry entry{at, order_++, item};
    if (in_turn_.empty() || in_turn_.back().at <= at) {
      in_turn_.push_back(entry);
    } else {
      others_.push_back(entry);
      std::push_heap(others_.begin(), others_.end());
    }
    if (first().at == at) notify_at(next_, at);
  }
  virtual void act(const Item& item, TimePs now) = 0;

 private:
  struct Entry {
    TimePs at;
    std::uint64_t order;
    Item item;
    // std::push_heap keeps the largest first.
    bool operator<(const Entry& o) const { return at != o.at ? at > o.at : order > o.order; }
  };

  [[nodiscard]] bool is_empty() const { return in_turn_.empty() && others_.empty(); }
  [[nodiscard]] bool others_are_first() const {
    return !others_.empty() && (in_turn_.empty() || in_turn_.front() < others_.front());
  }
  [[nodiscard]] const Entry& first() const { return others_are_first() ? others_.front() : in_turn_.front(); }
  void drop_first() {
    if (!others_are_first()) return in_turn_.pop_front();
    std::pop_heap(others_.begin(), others_.end());
    others_.pop_back();
  }

  void wake() {
    const TimePs now = kernel_now();
    while (!is_empty() && first().at <= now) {
      const Item item = first().item;
      drop_first();
      act(item, now);
    }
    if (!is_empty()) notify_at(next_, first().at);
  }

  // Most is posted in the order of its times and needs no heap, however much of it there is.
  std::deque<Entry> in_turn_;
  std::vector<Entry> others_;  // what was posted for a time before the last of in_turn_
  std::uint64_t order_ = 0;
  sc_core::sc_event next_;
};

}  // namespace sluice::sim

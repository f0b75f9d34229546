// Base of the models that do things at known times: a heap of (time, order of posting) and one SC_METHOD that is woken
// for the earliest. Equal times are served in the order of posting, so runs repeat exactly.
#pragma once

#include <systemc>

#include <algorithm>
#include <cstdint>
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
    heap_.push_back({at, order_++, item});
    std::push_heap(heap_.begin(), heap_.end());
    if (heap_.front().at == at) notify_at(next_, at);
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

  void wake() {
    const TimePs now = kernel_now();
    while (!heap_.empty() && heap_.front().at <= now) {
      std::pop_heap(heap_.begin(), heap_.end());
      const Item item = heap_.back().item;
      heap_.pop_back();
      act(item, now);
    }
    if (!heap_.empty()) notify_at(next_, heap_.front().at);
  }

  std::vector<Entry> heap_;
  std::uint64_t order_ = 0;
  sc_core::sc_event next_;
};

}  // namespace sluice::sim

// Jobs by the number of their command. Numbers are dense, so a job costs a pointer and no search: slot `id & (size - 1)` for
// the numbers from the oldest to the newest that is here.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "sim/models/job.h"

namespace sluice::sim {

class JobTable {
 public:
  // nullptr: not here.
  [[nodiscard]] Job* find(CommandId id) const noexcept { return id >= first_ && id < end_ ? at(id) : nullptr; }

  void insert(Job& job) {
    const CommandId id = job.command.id;
    if (first_ == end_) first_ = end_ = id;
    const CommandId first = std::min(first_, id);
    const CommandId end = std::max(end_, id + 1);
    while (end - first > slots_.size()) grow();
    first_ = first;
    end_ = end;
    at(id) = &job;
  }

  void erase(CommandId id) noexcept {
    if (find(id) == nullptr) return;
    at(id) = nullptr;
    while (first_ < end_ && at(first_) == nullptr) ++first_;
    while (first_ < end_ && at(end_ - 1) == nullptr) --end_;
  }

 private:
  [[nodiscard]] Job*& at(CommandId id) noexcept { return slots_[id & (slots_.size() - 1)]; }
  [[nodiscard]] Job* at(CommandId id) const noexcept { return slots_[id & (slots_.size() - 1)]; }

  void grow() {
    std::vector<Job*> larger(2 * slots_.size());
    for (CommandId id = first_; id < end_; ++id) larger[id & (larger.size() - 1)] = at(id);
    slots_.swap(larger);
  }

  std::vector<Job*> slots_ = std::vector<Job*>(64);  // nullptr outside of [first_, end_)
  CommandId first_ = 0;
  CommandId end_ = 0;
};

}  // namespace sluice::sim

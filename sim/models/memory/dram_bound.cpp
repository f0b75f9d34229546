#include "sim/models/memory/dram_bound.h"

#include <algorithm>

namespace sluice::memory {

DramBound::DramBound(const profile::Dram& memory)
    : rules_(memory),
      window_(memory.queue_entries),
      banks_(rules_.banks),
      groups_((rules_.banks + rules_.banks_per_group - 1) / rules_.banks_per_group) {}

void DramBound::add(const DramPlace& place) {
  if (in_window_ == window_) {
    done_ps_ += columns_ps();
    std::fill(groups_.begin(), groups_.end(), 0);
    in_window_ = 0;
  }
  ++in_window_;
  ++groups_[place.bank / rules_.banks_per_group];
  Bank& b = banks_[place.bank];
  if (b.open && b.row == place.row) return;
  b.open = true;
  b.row = place.row;
  ++b.activations;
  ++activations_;
}

double DramBound::columns_ps() const {
  const std::uint64_t group = *std::max_element(groups_.begin(), groups_.end());
  return static_cast<double>(std::max(in_window_ * rules_.column, groups_.size() > 1 ? group * rules_.column_l : 0));
}

double DramBound::ps() const {
  std::uint64_t bank = 0;
  for (const Bank& b : banks_) bank = std::max(bank, b.activations);
  const double rows = static_cast<double>(activations_) *
                      std::max(static_cast<double>(rules_.trrd), static_cast<double>(rules_.tfaw) / 4.0);
  return std::max({done_ps_ + columns_ps(), rows, static_cast<double>(bank * rules_.trc)}) / rules_.refreshed();
}

}  // namespace sluice::memory

#include "sim/models/compute/timeline.h"

#include <algorithm>

namespace sluice::compute {

void Timeline::begin(TimePs at) {
  origin_ = at;
  span_ = TimePs{1} << 16;
  spans_.clear();
}

void Timeline::add(TimePs from, TimePs to, const Sums& amounts) {
  from = std::max(from, origin_) - origin_;
  to = std::max(to, origin_ + from + 1) - origin_;
  while ((to - 1) / span_ >= most_spans) {
    span_ *= 2;
    for (std::size_t i = 0; i < spans_.size(); ++i) {
      if (i % 2 == 0) {
        spans_[i / 2] = spans_[i];
      } else {
        for (std::size_t s = 0; s < sums; ++s) spans_[i / 2][s] += spans_[i][s];
      }
    }
    spans_.resize((spans_.size() + 1) / 2);
  }
  const std::size_t last = static_cast<std::size_t>((to - 1) / span_);
  if (spans_.size() <= last) spans_.resize(last + 1);
  __extension__ using Wide = unsigned __int128;
  const TimePs whole = to - from;
  Sums done{};
  for (std::size_t i = static_cast<std::size_t>(from / span_); i <= last; ++i) {
    const TimePs part = std::min(to, (i + 1) * span_) - from;
    for (std::size_t s = 0; s < sums; ++s) {
      const auto upto = static_cast<std::uint64_t>(Wide{amounts[s]} * part / whole);
      spans_[i][s] += upto - done[s];
      done[s] = upto;
    }
  }
}

}  // namespace sluice::compute

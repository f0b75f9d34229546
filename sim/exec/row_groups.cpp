// Groups whose work-items log in rows (row_logs.h): the kernel's code comes to take_rows() whenever all have come to a
// barrier, or to the end.
#include <algorithm>
#include <numeric>

#include "sim/exec/group_runner.h"

namespace sluice::exec {

// Where its code can be had (row_logs.h), the kernel's groups are executed by it from now on.
void GroupRunner::find_rows() {
  if (!kernel_.in_rows || in_rows_) return;
  if (items_.size() > most_in_row) return;
  if (quiet_ == nullptr) quiet_ = program_->quiet(launch_.kernel);
  if (quiet_ == nullptr) return;
  in_rows_ = true;
  const std::uint64_t places = kernel_.sites.size() * row_stride;
  const std::uint64_t addresses = places * sizeof(std::uint64_t), issued = places * sizeof(std::uint32_t);
  rows_ = MappedMemory(addresses + issued + instruction_classes * row_stride * sizeof(std::uint32_t));
  state_.row_addresses = reinterpret_cast<std::uint64_t*>(rows_.data());
  state_.row_issued = reinterpret_cast<std::uint32_t*>(rows_.data() + addresses);
  state_.row_classes = reinterpret_cast<std::uint32_t*>(rows_.data() + addresses + issued);
}

// As large as all but those at the range's end.
bool GroupRunner::is_whole(const std::array<std::uint64_t, 3>& group) const {
  const NdRange& range = launch_.range;
  for (std::size_t i = 0; i < 3; ++i) {
    if ((group[i] + 1) * range.local[i] > range.global[i]) return false;
  }
  return true;
}

bool GroupRunner::run_in_rows(const std::array<std::uint64_t, 3>& group, GroupTrace& trace) {
  begin_group(group, trace);
  row_sectors_ = &trace.sectors;
  const bool ran = run_quietly();
  row_sectors_ = nullptr;
  if (ran) {
    end_group(trace, true);
  } else {
    trace.clear();
  }
  return ran;
}

// The group's work-items have come to a barrier, or to the end.
bool GroupRunner::take_rows(std::span<const RowSite> sites, std::uint64_t classes) {
  if (failed_ || row_sectors_ == nullptr) return !failed_;
  const RowSite& here = sites.back();
  const std::uint32_t* const last = state_.row_issued + here.site * row_stride;
  const std::uint64_t issued =
      (here.issued != 0 ? here.issued * count_ : std::accumulate(last, last + count_, std::uint64_t{0})) - count_;
  for (std::size_t wave = 0; wave * wave_size_ < count_; ++wave) {
    const std::size_t first = wave * wave_size_, end = std::min(count_, first + wave_size_);
    for (std::size_t c = 0; c < instruction_classes; ++c) {
      const std::uint32_t* const row = state_.row_classes + c * row_stride;
      state_.classes[c] = (classes >> c & 1) != 0 ? std::accumulate(row + first, row + end, std::uint64_t{0}) : 0;
    }
    Wave& result = waves_[wave];
    const std::size_t accesses_before = result.accesses.size(), sectors_before = row_sectors_->size();
    const RowLog rows{sites, state_.row_addresses + first, state_.row_issued + first, row_stride, end - first};
    count_instructions(result, merge_.run_rows(rows, kernel_.sites, memory_, result.accesses, *row_sectors_));
    keep_or_drop(result, result.accesses, *row_sectors_, accesses_before, sectors_before);
  }
  if (issued > budget_) hang(items_.front(), site(here.site).line);
  budget_ -= std::min(budget_, issued);
  return !failed_;
}

}  // namespace sluice::exec

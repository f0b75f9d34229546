#include "sim/exec/launch_runner.h"

#include <unistd.h>

#include <algorithm>
#include <exception>

namespace sluice::exec {
namespace {

constexpr std::uint64_t stack_bytes = std::uint64_t{256} << 10;
constexpr std::uint64_t strand_log_entries = std::uint64_t{1} << 17;
// Bounds memory: a device that holds more groups than this would still see them all, a few at a time.
constexpr std::uint64_t most_strands = 255;
// Rounds in which nothing ended, after which the host is taken to be waited for.
constexpr std::uint64_t patient_rounds = 64;
constexpr std::uint64_t patient_rounds_if_asked = 8;  // where somebody can be asked for it
constexpr std::uint64_t longest_turn = std::uint64_t{1} << 20;

}  // namespace

LaunchRunner::LaunchRunner(std::shared_ptr<const LoadedProgram> program, const KernelLaunch& launch,
                           std::uint32_t wave_size)
    : program_(std::move(program)),
      launch_(launch),
      wave_size_(wave_size),
      groups_(launch.range.groups()),
      first_(program_, launch, wave_size, GroupRunner::most_log_entries, *this) {
  for (const std::uint64_t n : groups_) {
    if (__builtin_mul_overflow(group_count_, n, &group_count_)) group_count_ = ~std::uint64_t{0};
  }
}

// Strands that have not ended are dropped where they are: what they own belongs to their runners.
LaunchRunner::~LaunchRunner() = default;

void LaunchRunner::set_resident_groups(std::uint64_t groups) {
  resident_ = std::max<std::uint64_t>(groups, 1);
}

bool LaunchRunner::told_all() const noexcept {
  return first_.told_all() &&
         std::all_of(strands_.begin(), strands_.end(), [](const auto& s) { return s->runner->told_all(); });
}

std::uint64_t LaunchRunner::linear(const std::array<std::uint64_t, 3>& group) const noexcept {
  return (group[2] * groups_[1] + group[1]) * groups_[0] + group[0];
}

LaunchRunner::Strand* LaunchRunner::strand_of(std::uint64_t group) noexcept {
  for (const auto& strand : strands_) {
    if (!strand->ended && strand->group == group) return strand.get();
  }
  return nullptr;
}

bool LaunchRunner::run_group(const std::array<std::uint64_t, 3>& group, GroupTrace& trace) {
  const std::uint64_t asked = linear(group);
  if (strands_.empty() || (ended_.count(asked) == 0 && strand_of(asked) == nullptr)) {
    next_group_ = std::max(next_group_, asked + 1);
    const bool good = first_.run_group(group, trace);
    rounds_ = 0;
    turn_ = first_turn;
    return handed_over(good);
  }
  while (ended_.count(asked) == 0) {
    if (!give_way()) return false;
  }
  const auto found = ended_.find(asked);
  const bool good = found->second.first;
  trace = std::move(found->second.second);
  ended_.erase(found);
  return handed_over(good);
}

bool LaunchRunner::run_unseen(const std::array<std::uint64_t, 3>& group) {
  return handed_over(first_.run_unseen(group));
}

// A group's work is done. "Must be committed by the same kernel": with the last one all reservations are.
bool LaunchRunner::handed_over(bool good) {
  if (++handed_over_ != group_count_ || !good) return good;
  std::map<std::uint64_t, std::int64_t> open = first_.open_reservations();
  for (const auto& strand : strands_) {
    for (const auto& [pipe, reservations] : strand->runner->open_reservations()) open[pipe] += reservations;
  }
  for (const auto& [pipe, reservations] : open) {
    if (reservations > 0) first_.report_open(pipe, reservations);
  }
  return good;
}

// A place for another group, if the device has room; nullptr: it has none.
LaunchRunner::Strand* LaunchRunner::free_strand() {
  Strand* strand = nullptr;
  std::uint64_t running = 0;
  for (const auto& s : strands_) {
    running += s->ended ? 0 : 1;
    if (s->ended) strand = s.get();
  }
  // Those that ended and were not asked for hold their place: the device runs no further ahead.
  if (running + ended_.size() >= std::min(resident_ - 1, most_strands)) return nullptr;
  if (strand != nullptr) return strand;
  try {
    auto made = std::make_unique<Strand>(stack_bytes);
    made->runner =
        std::make_unique<GroupRunner>(program_, launch_, wave_size_, strand_log_entries, static_cast<Turns&>(*this));
    strands_.push_back(std::move(made));
  } catch (const std::bad_alloc&) {
    resident_ = strands_.size() + 1;
    return nullptr;
  }
  return strands_.back().get();
}

LaunchRunner::Strand* LaunchRunner::begin_next() {
  if (next_group_ >= group_count_) return nullptr;
  Strand* const strand = free_strand();
  if (strand == nullptr) return nullptr;
  strand->group = next_group_++;
  strand->ended = false;
  strand->stack.begin(strand->place, &LaunchRunner::enter, this);
  return strand;
}

// The turn after the current one: a new group, or the next that is under way, or the caller.
bool LaunchRunner::give_way() {
  if (const Strand* strand = begin_next()) {
    const auto at = std::find_if(strands_.begin(), strands_.end(), [&](const auto& s) { return s.get() == strand; });
    switch_to(static_cast<std::size_t>(at - strands_.begin()));
    return !failed_;
  }
  std::size_t next = current_ == caller_turn ? 0 : current_ + 1;
  while (next < strands_.size() && strands_[next]->ended) ++next;
  if (next == strands_.size()) next = caller_turn;
  if (next == caller_turn && ++rounds_ > (wait_ != nullptr ? patient_rounds_if_asked : patient_rounds)) {
    // Only the host is left to change anything; it may need this processor.
    if (wait_ != nullptr) {
      failed_ = failed_ || !wait_();
    } else {
      usleep(50);
      turn_ = std::min(longest_turn, turn_ * 2);
    }
  }
  switch_to(next);
  return !failed_;
}

void LaunchRunner::switch_to(std::size_t next, bool for_good) {
  if (next == current_) return;
  FiberPlace& from = current_ == caller_turn ? caller_ : strands_[current_]->place;
  const FiberPlace& to = next == caller_turn ? caller_ : strands_[next]->place;
  current_ = next;
  switch_fiber(from, to, for_good);
}

void LaunchRunner::enter(void* runner) {
  auto* const self = static_cast<LaunchRunner*>(runner);
  self->run_strand(*self->strands_[self->current_]);
}

void LaunchRunner::run_strand(Strand& strand) {
  const std::uint64_t g = strand.group;
  const std::array<std::uint64_t, 3> group{g % groups_[0], g / groups_[0] % groups_[1], g / groups_[0] / groups_[1]};
  try {
    strand.good = strand.runner->run_group(group, strand.trace);
    ended_[g] = {strand.good, std::move(strand.trace)};
  } catch (const std::exception&) {
    ended_[g] = {false, {}};  // nothing may pass through the switch of stacks
  }
  failed_ = failed_ || !ended_[g].first;
  strand.trace = {};
  strand.ended = true;
  rounds_ = 0;
  turn_ = first_turn;
  switch_to(caller_turn, /*for_good=*/true);
}

}  // namespace sluice::exec

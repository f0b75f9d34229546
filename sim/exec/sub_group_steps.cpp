// How work-items of a sub-group, which is a wavefront, go on together. Other sub-groups are not asked: each goes on by
// itself from what it does together to the next such place.
//
// Where all of a sub-group must come (OpenCL C 3.0, 6.15.19), it is seen when they do, and reported when they cannot. Where
// those take part that come together, those are the ones that a machine with reconvergence would have there: whoever is
// furthest behind in the code goes on first, as sites are numbered in that order and those that left an iteration early
// wait at the loop's end for the others.
#include <algorithm>

#include "sim/exec/group_runner.h"

namespace sluice::exec {

void GroupRunner::place_sub_groups() {
  if (!kernel_.sub_groups) return;
  held_.assign(kernel_.sites.size(), Held::no);
  for (std::size_t i = 0; i < held_.size(); ++i) {
    if (site(i).kind == SiteKind::sub_group_loop) held_[i] = Held::with_those_there;
    if (site(i).kind == SiteKind::sub_group)
      held_[i] = SubGroupOperation(site(i).operation).apart() ? Held::with_those_there : Held::with_all;
  }
  places_.resize(items_.size());
  for (std::size_t i = 0; i < items_.size(); ++i) items_[i].place = reinterpret_cast<std::byte*>(&places_[i]);
}

// The site at which work-items of the wavefront go on together next; 0: there is none, or one that goes on by himself
// may still come to it.
std::uint64_t GroupRunner::next_together(std::size_t wave) {
  constexpr std::uint64_t none = ~std::uint64_t{0};
  const std::span<const Item> lanes = lanes_of(wave);
  const Item *waiting = nullptr, *ended = nullptr;
  std::uint64_t first_apart = none;
  bool free = false;
  for (const Item& item : lanes) {
    const Held held = held_[item.stopped];
    if (item.frame != nullptr && item.stopped == 0) {
      ended = &item;
    } else if (held == Held::with_those_there) {
      first_apart = std::min(first_apart, item.stopped);
    } else if (held == Held::with_all) {
      waiting = &item;
    } else {
      free = free || !is_at_barrier(item);
    }
  }
  if (free && !kernel_.lockstep) return 0;
  if (first_apart != none) return first_apart;
  if (free || waiting == nullptr) return 0;
  for (const Item& item : lanes) {
    if (item.stopped == 0 || item.stopped == waiting->stopped) continue;
    report(sub_group_report(where(item), site(item.stopped).line, site(waiting->stopped).line));
    failed_ = true;
    return 0;
  }
  if (ended != nullptr && !reported_early_end_of_sub_group_) {
    // As at barriers: who has ended is not waited for.
    reported_early_end_of_sub_group_ = true;
    told_all_ = false;
    if (launch_.reports != nullptr)
      launch_.reports->bad_access(early_end_of_sub_group_report(where(*ended), site(waiting->stopped).line));
  }
  return waiting->stopped;
}

void GroupRunner::exchange_at(std::uint64_t number, std::size_t wave) {
  const std::span<const Item> lanes = lanes_of(wave);
  LaneMask there;
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    if (lanes[i].stopped == number) there.add(i);
  }
  if (site(number).kind != SiteKind::sub_group) return;
  exchange(SubGroupOperation(site(number).operation), std::span(places_).subspan(wave * wave_size_, lanes.size()), there);
}

// As far as the wavefront gets without others, or until those should have their turn.
void GroupRunner::run_together(std::size_t wave, std::vector<WaveAccess>& accesses,
                               std::vector<std::uint64_t>& sectors) {
  const std::uint64_t before = budget_;
  while (!failed_ && before - budget_ <= first_turn * wave_size_) {
    const std::uint64_t next = next_together(wave);
    if (next == 0) return;
    exchange_at(next, wave);
    in_step_ = next;
    run_wave(wave, accesses, sectors);
    in_step_ = any_site;
  }
}

}  // namespace sluice::exec

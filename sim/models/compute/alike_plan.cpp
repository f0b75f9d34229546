#include "sim/models/compute/alike_plan.h"

#include <algorithm>
#include <map>
#include <utility>

#include "sim/models/compute/launch.h"

namespace sluice::compute {

namespace {

constexpr std::size_t ahead = 24;  // lines; by then what was asked for is there

}  // namespace

// What comes next is asked for `ahead` lines before it is needed.
bool AlikePlan::look_up(std::size_t unit, const std::array<std::uint64_t, 3>& group, GroupTrace& trace,
                        std::span<Found> found, Traffic& traffic) {
  if (state_ == State::fresh) state_ = find_movements() ? State::good : State::useless;
  if (state_ == State::useless) return false;
  const Place place = place_of(group);
  if (!stays_in_ranges(place)) return false;
  const Layout& layout = layout_of(place, group, trace);
  if (!layout.usable) return false;
  SectorCache& l1 = memory_.l1_[unit];
  for (std::size_t i = 0; i < layout.lines.size(); ++i)
    keys_[i] = layout.lines[i].number + place.lines[layout.lines[i].movement];
  if (!fits_ways(layout, l1)) return false;
  if (layout.has_atomics) alike_.place(group, trace.sectors);
  note_extents(place);

  const auto expect = [&](std::size_t line) __attribute__((always_inline)) {
    if (line >= layout.lines.size()) return;
    const bool loads = layout.lines[line].loaded;
    if (loads) l1.expect(keys_[line], false);
    memory_.l2_.expect(keys_[line], !loads);
  };
  for (std::size_t i = 0; i < ahead; ++i) expect(i);  // most are on their way
  const Piece* piece = layout.pieces.data();
  Level level = traffic.level;
  for (std::size_t i = 0; i < layout.steps.size(); ++i) {
    const Step& step = layout.steps[i];
    const std::uint64_t bytes = traffic.device_read + traffic.device_written;
    traffic.level = Level::none;
    if (step.kind == AccessKind::atomic) {
      const std::uint64_t lines = traffic.lines, sectors = traffic.sectors, atomics = traffic.atomic_sectors;
      memory_.access(unit, trace.accesses[order_[i]], trace, traffic);
      found[i].l1 = l1_cost(rates_, traffic.lines - lines, traffic.sectors - sectors);
      found[i].atomic = traffic.atomic_sectors != atomics;
    } else {
      for (const Piece* const end = piece + step.pieces; piece != end; ++piece) {
        const Line& line = layout.lines[piece->line];
        const std::uint32_t mask = piece->mask != 0 ? piece->mask : place.masks[line.movement];
        if (piece->first) expect(piece->line + ahead);
        if (step.kind == AccessKind::load) {
          load(*piece, mask, l1, traffic);
        } else {
          memory_.store({keys_[piece->line], mask}, step.whole, traffic);
        }
      }
      traffic.lines += step.pieces;
      traffic.sectors += step.sectors;
      found[i].l1 = step.l1;
      found[i].atomic = false;
    }
    found[i].level = traffic.level;
    found[i].dram = traffic.device_read + traffic.device_written != bytes;
    level = std::max(level, traffic.level);
  }
  traffic.level = level;
  for (const std::uint32_t line : layout.reloaded) l1.renew(valid_[line]);
  return true;
}

void AlikePlan::expect(std::size_t unit, const std::array<std::uint64_t, 3>& group) const {
  if (state_ != State::good) return;
  const Place place = place_of(group);
  for (const Layout& layout : layouts_) {
    if (layout.key != place.key) continue;
    const std::size_t lines = std::min(layout.lines.size(), ahead);
    for (std::size_t i = 0; i < lines; ++i) {
      const Line& line = layout.lines[i];
      const std::uint64_t key = line.number + place.lines[line.movement];
      memory_.l2_.expect(key, !line.loaded);
      if (line.loaded) memory_.l1_[unit].expect(key, false);
    }
    return;
  }
}

// A line that the group has loaded before is there still, as no set has too many of its lines (fits_ways()).
inline void AlikePlan::load(const Piece& piece, std::uint32_t mask, SectorCache& l1, Traffic& traffic) {
  const std::uint64_t key = keys_[piece.line];
  std::uint32_t near = 0;
  if (piece.first) {
    const SectorCache::Result result = l1.access(key, mask, false);
    near = result.hits;
    valid_[piece.line] = result.valid;
  } else {
    std::uint8_t& valid = *valid_[piece.line];
    near = valid & mask;
    valid = static_cast<std::uint8_t>(valid | mask);
  }
  traffic.l1_hits += count_sectors(near);
  traffic.level = std::max(traffic.level, Level::l1);
  if (const std::uint32_t missing = mask & ~near; missing != 0)
    memory_.load({key, missing}, traffic);
}

std::uint8_t AlikePlan::movement_of(const AlikeGroups::Step& step, std::uint64_t sector) {
  const auto is_still = [&] { return step.bytes == std::array<std::int64_t, 3>{}; };
  MemorySide::Range* range = &memory_.range_of(sector);
  if (range->memory == nullptr) {
    if (!is_still()) return no_movement;
    range = nullptr;
  } else if (range->pages != nullptr) {
    return no_movement;
  }
  const bool small = std::any_of(step.bytes.begin(), step.bytes.end(),
                                 [](std::int64_t s) { return s % std::int64_t{sector_bytes} != 0; });
  for (std::size_t i = 0; i < movements_.size(); ++i) {
    const Movement& m = movements_[i];
    const bool same = m.range == range && m.small == small && m.step.bytes == step.bytes;
    if (same && (!small || (m.step.offset == step.offset && m.sector == sector)))
      return static_cast<std::uint8_t>(i);
  }
  if (movements_.size() == most_movements) return no_movement;
  Movement m;
  m.step = step;
  m.small = small;
  m.range = range;
  m.sector = sector;
  movements_.push_back(m);
  return static_cast<std::uint8_t>(movements_.size() - 1);
}

bool AlikePlan::find_movements() {
  const GroupTrace& first = alike_.first;
  if (memory_.l1_.empty()) return false;
  movement_of_sector_.assign(first.sectors.size(), no_movement);
  for (const std::uint32_t number : order_) {
    const WaveAccess& a = first.accesses[number];
    if (a.kind == AccessKind::atomic) continue;
    for (std::uint32_t i = a.first_sector; i < a.first_sector + a.sectors; ++i) {
      const std::uint8_t found = movement_of(alike_.steps[i], first.sectors[i]);
      if (found == no_movement) return false;
      movement_of_sector_[i] = found;
      Movement& m = movements_[found];
      if (m.small && a.sectors != 1) return false;
      (a.kind == AccessKind::load ? m.loaded : m.stored).add(first.sectors[i]);
    }
  }
  return true;
}

AlikePlan::Place AlikePlan::place_of(const std::array<std::uint64_t, 3>& group) const {
  const std::uint64_t in_line = memory_.line_sectors_ - 1;
  Place place;
  place.key = 0;
  for (std::size_t i = 0; i < movements_.size(); ++i) {
    const Movement& m = movements_[i];
    std::int64_t bytes = 0;
    for (std::size_t d = 0; d < 3; ++d)
      bytes += m.step.bytes[d] * (static_cast<std::int64_t>(group[d]) - static_cast<std::int64_t>(alike_.at[d]));
    if (m.small) {
      const std::uint64_t address = m.sector * sector_bytes + m.step.offset + static_cast<std::uint64_t>(bytes);
      const std::uint64_t sector = place.sectors[i] = address / sector_bytes;
      const std::uint64_t simulated = sector + (m.range->simulated - m.range->begin);
      place.lines[i] = simulated >> memory_.line_shift_;
      place.masks[i] = static_cast<std::uint8_t>(1U << (simulated & in_line));
      continue;
    }
    const std::int64_t sectors = bytes / std::int64_t{sector_bytes};
    place.sectors[i] = static_cast<std::uint64_t>(sectors);
    place.lines[i] = static_cast<std::uint64_t>(sectors >> memory_.line_shift_);  // rounded down
    place.key = place.key * max_line_sectors + (place.sectors[i] & in_line);
  }
  return place;
}

bool AlikePlan::stays_in_ranges(const Place& place) const {
  for (std::size_t i = 0; i < movements_.size(); ++i) {
    const Movement& m = movements_[i];
    if (m.range == nullptr) continue;
    const std::uint64_t first = m.small ? place.sectors[i] : std::min(m.loaded.first, m.stored.first) + place.sectors[i];
    const std::uint64_t last = m.small ? first : std::max(m.loaded.last, m.stored.last) + place.sectors[i];
    if (first < m.range->begin || last >= m.range->end || first > last) return false;
  }
  return true;
}

// Whether a line that the group loads stays in the first-level cache to its end: others are older, and of its own no set
// has more than ways. What two movements load from one line counts twice, and is looked up twice.
bool AlikePlan::fits_ways(const Layout& layout, const SectorCache& l1) {
  if (layout.loaded <= l1.usable_ways()) return true;
  if (l1.usable_ways() == 0) return false;
  in_set_.assign(l1.sets(), 0);
  for (std::size_t i = 0; i < layout.lines.size(); ++i) {
    if (layout.lines[i].loaded && ++in_set_[l1.set_of_line(keys_[i])] > l1.usable_ways()) return false;
  }
  return true;
}

const AlikePlan::Layout& AlikePlan::layout_of(const Place& place, const std::array<std::uint64_t, 3>& group,
                                              GroupTrace& trace) {
  static const Layout none;
  for (const Layout& layout : layouts_) {
    if (layout.key == place.key) return layout;
  }
  if (layouts_.size() == most_layouts) return none;
  alike_.place(group, trace.sectors);
  Layout made;
  made.usable = lay_out(place, trace, made);
  Layout& layout = layouts_.emplace_back();
  if (made.usable) layout = std::move(made);
  layout.key = place.key;
  pieces_ += layout.pieces.size();
  keys_.resize(std::max(keys_.size(), layout.lines.size()));
  valid_.resize(keys_.size());
  return layout;
}

bool AlikePlan::lay_out(const Place& place, const GroupTrace& trace, Layout& layout) {
  std::map<std::pair<std::uint8_t, std::uint64_t>, std::uint32_t> loaded;
  std::vector<std::size_t> last;  // by line: the piece that asks for it last
  for (const std::uint32_t number : order_) {
    const WaveAccess& a = trace.accesses[number];
    Step step;
    step.kind = a.kind;
    if (a.kind == AccessKind::atomic) {
      layout.has_atomics = true;
      layout.steps.push_back(step);
      continue;
    }
    step.sectors = a.sectors;
    step.whole = MemorySide::writes_whole(a);
    const std::uint64_t* sector = trace.sectors.data() + a.first_sector;
    const std::uint64_t* const end = sector + a.sectors;
    while (sector != end) {
      const std::uint8_t* const movement = &movement_of_sector_[static_cast<std::size_t>(sector - trace.sectors.data())];
      const std::uint64_t* const begin = sector;
      MemorySide::Piece found;
      memory_.next_piece(a, sector, end, found);
      if (std::any_of(movement, movement + (sector - begin), [&](std::uint8_t m) { return m != *movement; })) return false;
      const bool small = movements_[*movement].small;
      Piece piece;
      piece.mask = small ? 0 : static_cast<std::uint8_t>(found.mask);
      const std::uint64_t line = found.key - place.lines[*movement];
      const auto fresh = static_cast<std::uint32_t>(layout.lines.size());
      piece.line = fresh;
      if (a.kind == AccessKind::load) {
        const auto [known, is_new] = loaded.try_emplace({*movement, line}, fresh);
        piece.line = known->second;
        piece.first = is_new;
      }
      if (piece.first) {
        layout.lines.push_back({line, *movement, a.kind == AccessKind::load});
        last.push_back(0);
      }
      if (pieces_ + layout.pieces.size() == most_pieces) return false;
      last[piece.line] = layout.pieces.size();
      layout.pieces.push_back(piece);
      ++step.pieces;
    }
    step.l1 = l1_cost(rates_, step.pieces, step.sectors);
    layout.steps.push_back(step);
  }
  layout.loaded = static_cast<std::uint32_t>(loaded.size());
  for (std::uint32_t i = 0; i < layout.lines.size(); ++i) {
    if (layout.lines[i].loaded) layout.reloaded.push_back(i);
  }
  const auto sooner = [&](std::uint32_t a, std::uint32_t b) { return last[a] < last[b]; };
  if (std::is_sorted(layout.reloaded.begin(), layout.reloaded.end(), sooner)) {
    layout.reloaded.clear();
  } else {
    std::sort(layout.reloaded.begin(), layout.reloaded.end(), sooner);
  }
  return true;
}

void AlikePlan::note_extents(const Place& place) {
  for (std::size_t i = 0; i < movements_.size(); ++i) {
    const Movement& m = movements_[i];
    if (m.range == nullptr) continue;
    const std::uint64_t shift = m.range->simulated - m.range->begin;
    const auto note = [&](const MemorySide::Extent& from, MemorySide::Extent& to) {
      if (from.first > from.last) return;
      to.add((m.small ? place.sectors[i] : from.first + place.sectors[i]) + shift);
      to.add((m.small ? place.sectors[i] : from.last + place.sectors[i]) + shift);
    };
    note(m.loaded, m.range->read);
    note(m.stored, m.range->written);
  }
}

}  // namespace sluice::compute

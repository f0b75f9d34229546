// The look-ups of groups that do the same elsewhere in memory, worked out once for each way in which they lie on lines.
// What MemorySide::access() would find, access by access, and what it would leave in the caches; but a line that a group
// loads several times is looked up once in the first-level cache, and what comes next is on its way to the host's
// processor before it is asked for.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "sim/iface/alike_groups.h"
#include "sim/models/compute/memory_side.h"

namespace sluice::compute {

// What an access found, as far as the time of its wave depends on it.
struct Found {
  Cost l1 = 0;
  Level level = Level::none;
  bool dram = false;
  bool atomic = false;
  bool operator==(const Found&) const = default;
};

class AlikePlan {
 public:
  // `order`: the accesses of alike.first that are not local, in the order in which each group does them. Valid within the
  // launch, as are the three others.
  AlikePlan(const AlikeGroups& alike, std::span<const std::uint32_t> order, const Rates& rates, MemorySide& memory)
      : alike_(alike), order_(order), rates_(rates), memory_(memory) {}

  // The accesses of `group` on `unit`, one of `found` each. False: the group has to be looked up access by access;
  // nothing was. `trace`: alike.first; where an access is atomic, its sectors are those of the group afterwards.
  [[nodiscard]] bool look_up(std::size_t unit, const std::array<std::uint64_t, 3>& group, GroupTrace& trace,
                             std::span<Found> found, Traffic& traffic);
  // `group` will soon be looked up on `unit`: brings what that begins with nearer to the host's processor.
  void expect(std::size_t unit, const std::array<std::uint64_t, 3>& group) const;

 private:
  static constexpr std::size_t most_movements = 12;
  static constexpr std::size_t most_layouts = 64;
  static constexpr std::size_t most_pieces = std::size_t{1} << 20;  // of all layouts: memory
  static constexpr std::uint8_t no_movement = 0xff;

  // What moves alike from group to group within one range of memory.
  struct Movement {
    AlikeGroups::Step step;
    bool small = false;                  // a single sector that moves by less than that
    std::uint64_t sector = 0;            // small: of the reference group
    MemorySide::Range* range = nullptr;  // nullptr: outside all, where nothing moves
    MemorySide::Extent loaded, stored;   // sectors of the process, of the reference group
  };
  // Where a group lies, by movement.
  struct Place {
    std::array<std::uint64_t, most_movements> sectors;  // that it has moved by; small: its sector
    std::array<std::uint64_t, most_movements> lines;    // whole ones that it has moved by; small: its line
    std::array<std::uint8_t, most_movements> masks;     // small: of its sector in that
    std::uint64_t key;                                  // how it lies on lines
  };
  struct Line {
    std::uint64_t number = 0;  // its key in the caches, of a group that has not moved by a whole line
    std::uint8_t movement = 0;
    bool loaded = false;
  };
  struct Piece {
    std::uint32_t line = 0;
    std::uint8_t mask = 0;  // sectors; 0: Place::masks says it
    bool first = true;      // of the group's loads from that line
  };
  struct Step {
    std::uint32_t pieces = 0;  // the next ones
    std::uint32_t sectors = 0;
    Cost l1 = 0;
    AccessKind kind = AccessKind::load;
    bool whole = false;  // writes whole sectors
  };
  // Of the groups that lie on lines in the same way.
  struct Layout {
    std::uint64_t key = 0;
    bool usable = false;
    bool has_atomics = false;  // which are looked up one by one
    std::vector<Step> steps;   // one for each of order_
    std::vector<Piece> pieces;
    std::vector<Line> lines;  // in the order in which they are asked for first
    std::uint32_t loaded = 0;
    std::vector<std::uint32_t> reloaded;  // those loaded, in the order of the last time; empty: as of the first
  };

  [[nodiscard]] bool find_movements();
  [[nodiscard]] std::uint8_t movement_of(const AlikeGroups::Step& step, std::uint64_t sector);
  [[nodiscard]] Place place_of(const std::array<std::uint64_t, 3>& group) const;
  [[nodiscard]] bool stays_in_ranges(const Place& place) const;
  [[nodiscard]] bool fits_ways(const Layout& layout, const SectorCache& l1);
  [[nodiscard]] const Layout& layout_of(const Place& place, const std::array<std::uint64_t, 3>& group,
                                        GroupTrace& trace);
  [[nodiscard]] bool lay_out(const Place& place, const GroupTrace& trace, Layout& layout);
  void note_extents(const Place& place);
  void load(const Piece& piece, std::uint32_t mask, SectorCache& l1, Traffic& traffic);

  const AlikeGroups& alike_;
  const std::span<const std::uint32_t> order_;
  const Rates& rates_;
  MemorySide& memory_;
  enum class State : std::uint8_t { fresh, good, useless } state_ = State::fresh;
  std::vector<Movement> movements_;
  std::vector<std::uint8_t> movement_of_sector_;  // of alike_.first.sectors
  std::vector<Layout> layouts_;
  std::size_t pieces_ = 0;  // of them all
  // Of the group that is looked up.
  std::vector<std::uint64_t> keys_;    // of layout.lines
  std::vector<std::uint8_t*> valid_;   // sectors of those that it has loaded
  std::vector<std::uint8_t> in_set_;   // lines, by set of the first-level cache
};

}  // namespace sluice::compute

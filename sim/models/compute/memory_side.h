// Where a wave's accesses go: first-level cache of the unit, the device's last-level cache, device memory or, for
// memory of the host, the link. Says what each access moved; the timing of it is not here. Free of SystemC.
//
// Loads fill both caches. Stores and atomics are done at the last-level cache, which writes back. First-level caches,
// and lines of the host in the last-level one, are valid within a launch only: another processor may have changed them
// since. Addresses are simulated ones, so that hits do not depend on where the process was loaded.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "sim/iface/kernel_engine.h"
#include "sim/models/compute/rates.h"
#include "sim/models/compute/sector_cache.h"
#include "sim/models/device_memory.h"
#include "sim/models/migration.h"
#include "sim/profile/profile.h"

namespace sluice::compute {

enum class Level : std::uint8_t { none, l1, l2, memory, host };

// What an access, or a sum of accesses, moved.
struct Traffic {
  Level level = Level::none;  // the farthest place that it waits for
  std::uint64_t lines = 0;
  std::uint64_t sectors = 0;
  std::uint64_t l1_hits = 0;
  std::uint64_t l2_hits = 0;
  std::uint64_t l2_sectors = 0;  // that passed between units and the last-level cache
  std::uint64_t atomic_sectors = 0;
  std::uint64_t device_read = 0;  // bytes
  std::uint64_t device_written = 0;
  // Nothing unless `level` is the host's.
  std::array<std::uint64_t, max_line_sectors + 1> host_reads{};  // packets by their sectors
  std::array<std::uint64_t, max_line_sectors + 1> host_writes{};
  std::uint64_t host_partial_writes = 0;  // of less than a sector each
  std::array<std::uint64_t, atomic_ops> host_atomics{};  // by operation, then by size
  void add(const Traffic& other);
  void reset();
  [[nodiscard]] bool crosses_link() const;
};

// Part of a memory that a launch has touched.
struct HostSpan {
  std::uint64_t address = 0;
  std::uint64_t bytes = 0;
};

class MemorySide final : public memory::KernelCache {
 public:
  MemorySide(const profile::Profile& profile, const Rates& rates);

  // A launch begins: `local_bytes` of each unit are local memory. With `migration`, shared memory is the device's own
  // once its pages have come, and with `system_memory` that of the program, too.
  void begin(const MemoryMap* map, std::uint64_t local_bytes, const sim::Migration* migration = nullptr,
             bool system_memory = false);
  // Pages that the launch has touched and that the driver moves, in the order of first touch: simulated host addresses.
  [[nodiscard]] const std::vector<std::uint64_t>& moving_pages() const noexcept { return moving_pages_; }
  // A global, constant or image access of a wave on `unit`.
  void access(std::size_t unit, const WaveAccess& access, const GroupTrace& trace, Traffic& traffic);
  // The same will come soon: brings what its first line needs nearer to the host's processor. Changes nothing.
  void expect(std::size_t unit, const WaveAccess& access, const GroupTrace& trace) const;
  // What the last accesses, all since the list was emptied, fetched from device memory and drove out to it: kept where the
  // memory takes accesses one by one. A line that is driven out is taken to lie a cache's capacity below the one that comes.
  void keep_misses() noexcept { keeps_misses_ = true; }
  [[nodiscard]] std::vector<memory::KernelAccess>& misses() noexcept { return misses_; }
  Touched touch(memory::Access access, std::uint64_t begin, std::uint64_t end, bool allocates) override;
  // What of the host's memory the launch has read, and written.
  [[nodiscard]] HostSpan host_read() const noexcept { return span_of(&Range::read); }
  [[nodiscard]] HostSpan host_written() const noexcept { return span_of(&Range::written); }

  // Of each range of device memory that the launch has touched, from the first byte to the last.
  [[nodiscard]] std::vector<HostSpan> device_spans() const;

  // A range that the launch has touched.
  struct TouchedRange {
    MemoryRange range;
    bool read = false;
    bool written = false;
  };
  [[nodiscard]] std::vector<TouchedRange> touched() const;
  // More than constants outside all ranges.
  [[nodiscard]] bool touched_strays() const noexcept { return touched_strays_; }

  // What the last-level cache holds and in which order it would give it up, as a number. To ask takes a walk over all sets
  // if the cache was used since the last time.
  [[nodiscard]] std::uint64_t fingerprint();
  [[nodiscard]] bool knows_fingerprint() const noexcept { return known_ || !pending_.empty(); }
  // What a launch made of the cache, whose fingerprint was taken before it.
  struct CacheStep {
    std::uint64_t print = 0;  // behind it
    SectorCache::Changes changes;
  };
  [[nodiscard]] std::shared_ptr<const CacheStep> last_step();
  // Such a launch finds the cache as it did before; it is changed when that is first looked at.
  void step(std::shared_ptr<const CacheStep> step);

 private:
  friend class AlikePlan;  // does what access() does for groups of which it knows more

  // Key of a line: its number, whose memory it is, and for the host's the launch that may use it. Those are forgotten when
  // the next one begins.
  static constexpr std::uint64_t host_bit = std::uint64_t{1} << 43;
  [[nodiscard]] static bool is_host(std::uint64_t key) noexcept { return (key & host_bit) != 0; }
  // One run of whole sectors may have a part of one at each end.
  [[nodiscard]] static bool writes_whole(const WaveAccess& access) noexcept {
    return static_cast<std::uint64_t>(access.lanes) * access.bytes + 2 * sector_bytes >
           static_cast<std::uint64_t>(access.sectors) * sector_bytes;
  }

  struct Extent {  // of touched sectors
    std::uint64_t first = ~0ULL;
    std::uint64_t last = 0;
    void add(std::uint64_t sector) {
      if (sector < first) first = sector;
      if (sector > last) last = sector;
    }
  };
  struct Range {
    std::uint64_t begin = 0;  // sectors of the process
    std::uint64_t end = 0;
    std::uint64_t simulated = 0;  // sector that `begin` is
    bool host = false;
    const MemoryRange* memory = nullptr;
    std::vector<bool>* pages = nullptr;  // of those that the driver moves: which were touched
    Extent read;
    Extent written;
  };

  struct Piece {  // what an access touches of one line
    std::uint64_t key = 0;
    std::uint32_t mask = 0;
  };

  void touch_page(Range& range, std::uint64_t sector);
  [[nodiscard]] Range& range_of(std::uint64_t sector);
  [[nodiscard]] Range& find_range(std::uint64_t sector);
  void next_piece(const WaveAccess& access, const std::uint64_t*& sector, const std::uint64_t* end, Piece& piece);
  [[nodiscard]] HostSpan span_of(Extent Range::*extent) const noexcept;
  [[nodiscard]] std::size_t pass_l1(SectorCache& l1, std::size_t count, Traffic& traffic);
  void load(const Piece& piece, Traffic& traffic);
  void store(const Piece& piece, bool whole, Traffic& traffic);
  void atomic(const Piece& piece, Traffic& traffic);
  void atomic_at_host(const WaveAccess& access, std::uint64_t sectors, Traffic& traffic) const;
  void catch_up();
  void fetch(const SectorCache::Result& line, std::uint32_t missing, const Piece& piece, Traffic& traffic);
  void write_back(const SectorCache::Result& line, const Piece& piece, Traffic& traffic);

  const profile::Profile& profile_;
  const std::uint32_t line_sectors_;  // a power of two
  const unsigned line_shift_;         // its logarithm
  const bool routes_atomics_;  // to the host
  std::uint64_t launch_ = 0;
  std::vector<Range> ranges_;  // by address
  std::size_t last_range_ = 0;
  std::array<Piece, 32> pieces_;
  bool touched_strays_ = false;
  bool keeps_misses_ = false;
  std::vector<memory::KernelAccess> misses_;
  std::uint64_t moving_page_sectors_ = 0;
  bool strays_move_ = false;
  std::vector<std::unique_ptr<std::vector<bool>>> page_sets_;  // for the ranges whose pages move
  std::vector<std::uint64_t> moving_pages_;
  Range page_;                                              // of an address outside all ranges
  std::unordered_map<std::uint64_t, std::uint64_t> pages_;  // such pages in the order of first touch; never iterated
  TagMemory tags_;
  std::vector<SectorCache> l1_;
  SectorCache l2_;
  std::vector<std::uint64_t> host_lines_;  // keys, some of them twice, that the launch has brought to l2_
  std::uint64_t print_ = 0;  // of l2_
  bool known_ = false;       // print_ is it
  std::vector<std::shared_ptr<const CacheStep>> pending_;  // that l2_ has yet to take, each print once
};

inline MemorySide::Range& MemorySide::range_of(std::uint64_t sector) {
  if (last_range_ < ranges_.size()) {
    Range& last = ranges_[last_range_];
    if (sector - last.begin < last.end - last.begin) return last;
  }
  return find_range(sector);
}

// A line's sectors from `sector` on, all of which the access touches one after the other; moves on behind them.
inline void MemorySide::next_piece(const WaveAccess& access, const std::uint64_t*& sector, const std::uint64_t* end,
                                   Piece& piece) {
  Range& range = range_of(*sector);
  touched_strays_ |=
      range.memory == nullptr && (access.kind != AccessKind::load || access.space != MemorySpace::constant);
  const std::uint64_t shift = range.simulated - range.begin;
  const std::uint64_t line = (*sector + shift) >> line_shift_;
  // Of the line's sectors those that lie in the range, in the process' numbers.
  const std::uint64_t line_begin = (line << line_shift_) - shift;
  const std::uint64_t first = std::max(line_begin, range.begin);
  const std::uint64_t count = std::min(line_begin + line_sectors_, range.end) - first;
  Extent& touched = access.kind == AccessKind::load ? range.read : range.written;
  const bool answered = range.host && access.kind == AccessKind::atomic;
  std::uint32_t mask = 0;
  std::uint64_t at = 0;
  do {
    at = *sector;
    mask |= 1U << (at - line_begin);
    touched.add(at + shift);
    if (answered) range.read.add(at + shift);
    ++sector;
  } while (sector != end && *sector - first < count);
  if (range.pages != nullptr) touch_page(range, at + shift);
  piece.mask = mask;
  piece.key = range.host ? line | host_bit | launch_ << 44 : line;
}

}  // namespace sluice::compute

// Lanes ran one after the other and each wrote a log; a wavefront executes them together. The merge takes the smallest
// site that any lane comes to next, again and again: the lanes that come to it form one instruction of the wavefront.
// Because sites are numbered in reverse post order with loops contiguous and lanes log a marker at a loop's end, lanes
// that took different ways meet again where a machine with reconvergence would let them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "sim/exec/program_image.h"
#include "sim/exec/runtime.h"
#include "sim/exec/sectors.h"
#include "sim/exec/texel_places.h"

namespace sluice::exec {

struct AddressRange {
  std::uint64_t first = 0;
  std::uint64_t bytes = 0;
  [[nodiscard]] bool holds(std::uint64_t address, std::uint64_t count = 1) const noexcept {
    const std::uint64_t offset = address - first;
    return offset < bytes && count <= bytes - offset;
  }
};

// An image that the device tiles.
struct TiledRange {
  AddressRange store;
  TexelPlaces places;
};

// Tells generic pointers apart, and where the device has what a kernel sees in rows.
struct GroupMemory {
  AddressRange local;
  AddressRange private_memory;
  std::vector<TiledRange> tiled_images;
};

// A phase that a wavefront's lanes have logged in rows (row_logs.h).
struct RowLog {
  std::span<const RowSite> sites;            // in the order in which lanes come to them, each at most once
  const std::uint64_t* addresses = nullptr;  // of the first lane, at the first site there is
  const std::uint32_t* issued = nullptr;     // the same; 1 more than there were, 0: the lane was not there
  std::size_t stride = 0;                    // from row to row
  std::size_t lanes = 0;
};

class WaveMerge {
 public:
  // One phase (up to a barrier or the end) of a wavefront of at most most_lanes lanes. Appends its records and sectors;
  // returns how many instructions it issued.
  std::uint64_t run(std::span<const std::span<const LogEntry>> lanes, const std::vector<Site>& sites,
                    const GroupMemory& memory, std::vector<WaveAccess>& accesses, std::vector<std::uint64_t>& sectors);
  // The same of a phase in rows.
  std::uint64_t run_rows(const RowLog& rows, const std::vector<Site>& sites, const GroupMemory& memory,
                         std::vector<WaveAccess>& accesses, std::vector<std::uint64_t>& sectors);
  // Instructions of phases that no record tells. They belong to the next one's record if it begins with them: at a
  // sub-group's operation, of which there is none, phases end, too.
  [[nodiscard]] std::uint32_t pending() const noexcept { return pending_; }
  void begin_with(std::uint32_t pending) noexcept { begin_with_ = pending; }

 private:
  struct Batch {  // lanes of one instruction that go to one memory
    std::array<std::uint64_t, most_lanes> addresses;
    std::size_t count = 0;
  };
  // How the lanes of an instruction lay to each other when it was last met, and what came of it: most instructions
  // never change in that.
  struct Pattern {
    bool known = false;
    std::uint8_t missed = 0;  // in a row
    std::uint32_t site = 0;
    const std::vector<Site>* sites = nullptr;
    std::size_t count = 0;
    std::uint64_t unit = 0;
    std::uint64_t phase = 0;  // of the first lane in a unit
    std::uint32_t conflicts = 0;
    std::uint32_t touched = 0;
    std::array<std::uint64_t, 16> sectors;  // from that of the first lane on
    std::array<std::uint64_t, most_lanes> offsets;
  };
  using LaneBits = std::array<std::uint64_t, most_lanes / 64>;
  [[nodiscard]] std::uint32_t come_in_row(const std::uint32_t* row, std::size_t lanes, LaneBits& here);
  [[nodiscard]] std::size_t run_in_step(std::span<const std::span<const LogEntry>> lanes, std::uint64_t& total);
  template <class Number>
  [[nodiscard]] std::uint64_t run_apart(std::span<const std::span<const LogEntry>> lanes, std::size_t done,
                                        std::array<Number, most_lanes>& next);
  void come_to(std::uint32_t number);
  void record(std::uint32_t number, const Site& site, MemorySpace space, const Batch& batch);
  static void place_texels(const GroupMemory& memory, Batch& batch);
  void split(std::uint32_t number, const Site& site);
  [[nodiscard]] Pattern& pattern_of(std::uint32_t number, const Batch& batch, std::uint64_t unit);
  [[nodiscard]] std::uint32_t conflicts(std::uint32_t number, const Site& site, const Batch& batch);
  [[nodiscard]] std::uint32_t sectors(std::uint32_t number, const Site& site, const Batch& batch);

  // Of the phase that is being merged.
  const std::vector<Site>* sites_ = nullptr;
  const GroupMemory* memory_ = nullptr;
  std::vector<WaveAccess>* accesses_ = nullptr;
  std::vector<std::uint64_t>* sectors_ = nullptr;

  std::array<std::int32_t, most_lanes> next_;  // sites
  std::array<std::int16_t, most_lanes> short_next_;
  std::array<std::uint32_t, most_lanes> issued_;
  std::array<const LogEntry*, most_lanes> at_, ends_;
  std::array<std::uint32_t, most_lanes> one_for_all_;
  std::uint32_t same_issued_ = 0;  // of logs in rows: that of all lanes; 0: issued_ has it
  Batch lanes_, global_, local_;
  std::uint32_t pending_ = 0;  // instructions since the last record
  std::uint32_t begin_with_ = 0;
  std::unique_ptr<KeySet> seen_ = std::make_unique<KeySet>();
  std::unique_ptr<std::array<Pattern, 64>> patterns_ = std::make_unique<std::array<Pattern, 64>>();
  Pattern none_;  // of instructions that have none
};

}  // namespace sluice::exec

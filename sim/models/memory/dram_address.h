// Where a byte lies: channel, bank, row and column, in the order of the profile. Sizes need not be powers of two.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "sim/profile/profile.h"

namespace sluice::memory {

struct DramPlace {
  std::uint32_t channel = 0;
  std::uint32_t bank = 0;    // of the channel: its group's banks follow each other
  std::uint64_t row = 0;
  std::uint32_t column = 0;  // in bursts
  [[nodiscard]] bool operator==(const DramPlace&) const = default;
};

class DramAddress {
 public:
  explicit DramAddress(const profile::Dram& memory);

  [[nodiscard]] DramPlace place(std::uint64_t address) const;
  // The same within a channel, from the number of the burst in it.
  [[nodiscard]] DramPlace place_in_channel(std::uint64_t burst) const;

 private:
  struct Part {
    profile::DramField field = profile::DramField::row;
    std::uint64_t size = 1;
  };

  std::array<Part, 4> parts_{};  // the lowest first
  std::uint32_t channels_;
  std::uint32_t interleave_;
  std::uint32_t burst_;
  std::uint32_t groups_;
  std::uint32_t banks_per_group_;
  bool hash_;
};

// Bytes that are moved of [begin, end), evenly spread over it.
struct DramPart {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t bytes = 0;
};

// The bursts of a stream in one of the channels, which share it evenly: their numbers in the channel.
class DramWalk {
 public:
  DramWalk(const profile::Dram& memory, const std::vector<DramPart>& parts);
  [[nodiscard]] std::uint64_t bursts() const noexcept { return bursts_; }
  // Of the burst that comes next; there must be one left.
  [[nodiscard]] std::uint64_t next();
  // Bursts of one channel that hold so many bytes of all.
  [[nodiscard]] std::uint64_t share(std::uint64_t bytes) const { return (bytes + row_ - 1) / row_; }

 private:
  const std::vector<DramPart>& parts_;
  std::uint64_t row_;  // a burst of each channel
  std::uint64_t bursts_ = 0;
  std::size_t part_ = 0;
  std::uint64_t in_part_ = 0;  // bytes of the part that are done
};

}  // namespace sluice::memory

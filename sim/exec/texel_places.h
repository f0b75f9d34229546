// ImageTiling::place() for every texel that a kernel touches: the place is a sum of what x, y and z say each.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/iface/image_tiling.h"

namespace sluice::exec {

class TexelPlaces {
 public:
  explicit TexelPlaces(const ImageTiling& tiling)
      : row_pitch_(tiling.row_pitch_bytes),
        slice_pitch_(tiling.slice_pitch_bytes),
        rows_in_one_(1.0 / static_cast<double>(tiling.row_pitch_bytes)),
        block_bits_(static_cast<unsigned>(std::countr_one(tiling.tile.x_bits))) {
    const auto count = [](std::uint32_t tiles, std::uint32_t bits) {
      return static_cast<std::size_t>(tiles) << std::popcount(bits);
    };
    for (std::size_t i = 0; i < count(tiling.tiles_x, tiling.tile.x_bits) >> block_bits_; ++i)
      x_.push_back(tiling.place_of(i << block_bits_, 0, 0));
    for (std::size_t i = 0; i < count(tiling.tiles_y, tiling.tile.y_bits); ++i) y_.push_back(tiling.place_of(0, i, 0));
    for (std::size_t i = 0; i < count(tiling.tiles_z, tiling.tile.z_bits); ++i) z_.push_back(tiling.place_of(0, 0, i));
  }

  // A row of the store, and what it adds to the places of all that lies in it.
  struct Row {
    std::uint64_t begin = 0;
    std::uint64_t bytes = 0;
    std::uint64_t place = 0;
    [[nodiscard]] bool holds(std::uint64_t linear) const noexcept { return linear - begin < bytes; }
  };
  // That of byte `linear`.
  [[nodiscard]] Row row_of(std::uint64_t linear) const noexcept {
    Row row;
    std::uint64_t end = ~std::uint64_t{0};
    if (slice_pitch_ != 0) {
      const std::uint64_t z = linear / slice_pitch_;
      linear -= z * slice_pitch_;
      row.begin = z * slice_pitch_;
      row.place = z_[std::min<std::size_t>(z, z_.size() - 1)];
      end = slice_pitch_;
    }
    // Of what is less than 2^53 the product is off by less than one.
    auto y = static_cast<std::uint64_t>(static_cast<double>(linear) * rows_in_one_);
    if (y * row_pitch_ > linear) --y;
    if ((y + 1) * row_pitch_ <= linear) ++y;
    row.begin += y * row_pitch_;
    row.bytes = std::min(row_pitch_, end - y * row_pitch_);
    row.place += y_[std::min<std::size_t>(y, y_.size() - 1)];
    return row;
  }
  // Where the device has byte `linear`, which lies in `row`.
  [[nodiscard]] std::uint64_t in(const Row& row, std::uint64_t linear) const noexcept {
    const std::uint64_t x = linear - row.begin;
    return row.place + x_[std::min<std::size_t>(x >> block_bits_, x_.size() - 1)] +
           (x & ((std::uint64_t{1} << block_bits_) - 1));
  }
  [[nodiscard]] std::uint64_t of(std::uint64_t linear) const noexcept { return in(row_of(linear), linear); }

 private:
  std::uint64_t row_pitch_, slice_pitch_;
  double rows_in_one_;
  unsigned block_bits_;  // of x that are the lowest bits of the place
  std::vector<std::uint64_t> x_, y_, z_;
};

}  // namespace sluice::exec

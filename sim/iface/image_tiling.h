// How a device may lay out images: bytes that are neighbours in x, y or z lie together in tiles, row by row of tiles.
// Only addresses follow it, and so which lines an access touches; the texels of the functional store stay in rows.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

namespace sluice {

// Which bits of a byte's number within its tile count x (in bytes), y and z. All 0: images are linear.
struct ImageTile {
  std::uint32_t x_bits = 0, y_bits = 0, z_bits = 0;
  [[nodiscard]] constexpr bool is_linear() const noexcept { return x_bits == 0; }
  [[nodiscard]] constexpr std::uint64_t bytes() const noexcept { return std::uint64_t{x_bits | y_bits | z_bits} + 1; }
  friend constexpr bool operator==(const ImageTile&, const ImageTile&) = default;
};

// Addresses of which `bytes` are touched, as whole blocks of what memory moves.
struct AddressRun {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t bytes = 0;
};

// A box of bytes of an image.
struct ImageRegion {
  std::uint64_t x = 0, y = 0, z = 0;  // x in bytes
  std::uint64_t row_bytes = 1, rows = 1, slices = 1;
};

// Of one image. No padding: descriptors that hold it are compared byte by byte.
struct ImageTiling {
  std::uint64_t row_pitch_bytes = 0;    // of the linear store
  std::uint64_t slice_pitch_bytes = 0;  // 0: a single slice
  ImageTile tile;
  std::uint32_t tiles_x = 0, tiles_y = 0, tiles_z = 0;

  [[nodiscard]] constexpr bool is_linear() const noexcept { return tile.is_linear(); }

  [[nodiscard]] static constexpr ImageTiling of(const ImageTile& tile, std::uint64_t row_bytes, std::uint64_t rows,
                                                std::uint64_t slices, std::uint64_t row_pitch,
                                                std::uint64_t slice_pitch) {
    ImageTiling t;
    t.row_pitch_bytes = row_pitch;
    t.slice_pitch_bytes = slice_pitch;
    t.tile = tile;
    const auto tiles = [](std::uint64_t n, std::uint32_t bits) {
      const unsigned log = static_cast<unsigned>(std::popcount(bits));
      return static_cast<std::uint32_t>((n + (std::uint64_t{1} << log) - 1) >> log);
    };
    t.tiles_x = tiles(row_bytes, tile.x_bits);
    t.tiles_y = tiles(rows, tile.y_bits);
    t.tiles_z = tiles(slices, tile.z_bits);
    return t;
  }

  // Of device memory, the last tiles' padding included.
  [[nodiscard]] constexpr std::uint64_t bytes() const noexcept {
    return tile.bytes() * tiles_x * tiles_y * tiles_z;
  }

  // The box that begins at byte `linear` of the store.
  [[nodiscard]] constexpr ImageRegion region(std::uint64_t linear, std::uint64_t row_bytes, std::uint64_t rows,
                                             std::uint64_t slices) const noexcept {
    ImageRegion r;
    r.z = slice_pitch_bytes == 0 ? 0 : linear / slice_pitch_bytes;
    linear -= r.z * slice_pitch_bytes;
    r.y = linear / row_pitch_bytes;
    r.x = linear - r.y * row_pitch_bytes;
    r.row_bytes = row_bytes;
    r.rows = rows;
    r.slices = slices;
    return r;
  }

  // Where the device has byte `linear` of the store.
  [[nodiscard]] constexpr std::uint64_t place(std::uint64_t linear) const noexcept {
    const ImageRegion r = region(linear, 1, 1, 1);
    return place_of(r.x, r.y, r.z);
  }
  // The same by coordinates, x in bytes.
  [[nodiscard]] constexpr std::uint64_t place_of(std::uint64_t x, std::uint64_t y, std::uint64_t z) const noexcept {
    const std::uint64_t index =
        (tile_of(z, tile.z_bits) * tiles_y + tile_of(y, tile.y_bits)) * tiles_x + tile_of(x, tile.x_bits);
    return index * tile.bytes() + (spread(x, tile.x_bits) | spread(y, tile.y_bits) | spread(z, tile.z_bits));
  }

  // Appends what the box touches, a run for each row of tiles or more, in order of address; in blocks of `block` bytes,
  // a power of two up to a tile.
  void runs(const ImageRegion& r, std::uint64_t block, std::vector<AddressRun>& out) const {
    const std::uint32_t low = static_cast<std::uint32_t>(std::min(block, tile.bytes())) - 1;
    const auto blocks = [low](std::uint64_t first, std::uint64_t end, std::uint32_t bits) {
      const auto log = std::popcount(bits & low);
      return ((end - 1) >> log) - (first >> log) + 1;
    };
    const std::uint64_t first = tile_of(r.x, tile.x_bits);
    const std::uint64_t last = tile_of(r.x + r.row_bytes - 1, tile.x_bits);
    const std::uint64_t across = blocks(r.x, r.x + r.row_bytes, tile.x_bits);
    const std::size_t before = out.size();
    for_tiles(r.z, r.z + r.slices, tile.z_bits, [&](std::uint64_t tz, std::uint64_t z, std::uint64_t z_end) {
      for_tiles(r.y, r.y + r.rows, tile.y_bits, [&](std::uint64_t ty, std::uint64_t y, std::uint64_t y_end) {
        const std::uint64_t row = (tz * tiles_y + ty) * tiles_x;
        const AddressRun run{(row + first) * tile.bytes(), (row + last + 1) * tile.bytes(),
                             across * blocks(y, y_end, tile.y_bits) * blocks(z, z_end, tile.z_bits) * (low + 1)};
        if (out.size() > before && out.back().end == run.begin) {
          out.back().end = run.end;
          out.back().bytes += run.bytes;
        } else {
          out.push_back(run);
        }
      });
    });
  }

 private:
  static constexpr std::uint64_t tile_of(std::uint64_t at, std::uint32_t bits) noexcept {
    return at >> std::popcount(bits);
  }
  // The low bits of `value`, one to each bit that is set.
  static constexpr std::uint64_t spread(std::uint64_t value, std::uint32_t bits) noexcept {
    std::uint64_t out = 0;
    for (; bits != 0; bits &= bits - 1, value >>= 1) out |= (value & 1) << std::countr_zero(bits);
    return out;
  }
  // Calls each(tile, first, end) for the parts of [first, end) that lie in one tile.
  template <class Each>
  static void for_tiles(std::uint64_t first, std::uint64_t end, std::uint32_t bits, Each each) {
    const auto log = std::popcount(bits);
    while (first < end) {
      const std::uint64_t t = first >> log;
      const std::uint64_t next = std::min(end, (t + 1) << log);
      each(t, first, next);
      first = next;
    }
  }
};

}  // namespace sluice

#include "sim/dma/functional.h"

#include <algorithm>
#include <cstring>

namespace sluice::sim {

namespace {

// Doubles the filled part until the row is full, so that a fill runs at memcpy speed.
void fill_row(std::byte* row, std::uint64_t bytes, const Pattern& p) {
  if (bytes == 0) return;
  std::uint64_t done = std::min<std::uint64_t>(p.size_bytes(), bytes);
  std::memcpy(row, p.data(), done);
  constexpr std::uint64_t block = 1U << 16;  // stays in the core's cache
  while (done < bytes) {
    std::uint64_t n = std::min({done, bytes - done, block});
    if (n < bytes - done) n -= n % p.size_bytes();
    std::memcpy(row + done, row, n);
    done += n;
  }
}

}  // namespace

void move_bytes(const Command& c) {
  if (!c.moves_data || c.target.data == nullptr || c.shape.bytes() == 0) return;
  const bool fill = !c.fill.empty();
  if (!fill && c.source.data == nullptr) return;
  for (std::uint64_t z = 0; z < c.shape.slices; ++z) {
    for (std::uint64_t y = 0; y < c.shape.rows; ++y) {
      std::byte* to = c.target.data + z * c.target.slice_pitch_bytes + y * c.target.row_pitch_bytes;
      if (fill) {
        fill_row(to, c.shape.row_bytes, c.fill);
      } else {
        const std::byte* from = c.source.data + z * c.source.slice_pitch_bytes + y * c.source.row_pitch_bytes;
        if (from != to) std::memmove(to, from, c.shape.row_bytes);
      }
    }
  }
}

void carry_out(const Command& c, WriteLog& writes) {
  move_bytes(c);
  const Shape& shape = c.shape;
  if (!c.moves_data || c.target.data == nullptr || shape.bytes() == 0) return;
  writes.wrote(c.target.data, (shape.slices - 1) * c.target.slice_pitch_bytes +
                                  (shape.rows - 1) * c.target.row_pitch_bytes + shape.row_bytes);
}

}  // namespace sluice::sim

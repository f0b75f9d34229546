// What the work-items of a sub-group, which is a wavefront, do together. Each leaves a value in a place of its own and
// stops; when those are there that take part, exchange() leaves in each place what its work-item goes on with.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "sim/exec/library/sub_group_codes.h"
#include "sim/exec/sectors.h"

namespace sluice::exec {

// A work-item's place; the device library knows this layout.
struct alignas(64) SubGroupPlace {
  std::array<std::byte, SUB_GROUP_ARGUMENT> value{};
  std::uint32_t argument = 0;
  std::uint32_t size = 0;
};
static_assert(offsetof(SubGroupPlace, argument) == SUB_GROUP_ARGUMENT && offsetof(SubGroupPlace, size) == SUB_GROUP_SIZE);

// Of the lanes of a wavefront.
struct LaneMask {
  std::array<std::uint64_t, most_lanes / 64> words{};
  [[nodiscard]] bool has(std::size_t lane) const noexcept {
    return lane < most_lanes && (words[lane / 64] >> (lane % 64) & 1) != 0;
  }
  void add(std::size_t lane) noexcept { words[lane / 64] |= std::uint64_t{1} << (lane % 64); }
};
static_assert(sizeof(LaneMask) == 16, "a uint4 of the device library");

// A code of SUB_GROUP_CODE.
class SubGroupOperation {
 public:
  constexpr explicit SubGroupOperation(std::uint32_t code) noexcept : code_(code) {}
  // A code may come from anywhere: one that says nothing is a barrier.
  [[nodiscard]] constexpr std::uint32_t form() const noexcept {
    if (!is_known()) return sub_group_meet;
    return code_ & 15U;
  }
  [[nodiscard]] constexpr std::uint32_t combine() const noexcept { return code_ >> 4 & 15U; }
  [[nodiscard]] constexpr std::uint32_t type() const noexcept { return code_ >> 8 & 15U; }
  // Those take part that come to it together; else all must.
  [[nodiscard]] constexpr bool apart() const noexcept { return (code_ >> 12 & 1U) != 0; }
  [[nodiscard]] constexpr std::uint32_t bytes() const noexcept {
    constexpr std::uint8_t sizes[16] = {1, 1, 2, 2, 4, 4, 8, 8, 2, 4, 8, 16, 32, 64, 128, 0};
    return sizes[type()];
  }

 private:
  [[nodiscard]] constexpr bool is_known() const noexcept {
    return code_ >> 13 == 0 && (code_ & 15U) < sub_group_forms && combine() < sub_group_combines &&
           type() < sub_group_types;
  }
  std::uint32_t code_;
};

// `places` of all lanes of the wavefront, of which `lanes` take part.
void exchange(SubGroupOperation operation, std::span<SubGroupPlace> places, const LaneMask& lanes);

}  // namespace sluice::exec

// Which command of one run is which of another: by order and kind within each queue.
//
// Commands that have the same operation, kernel, bytes and rows follow each other in pairs for as long as they can. Where
// they do not, both runs are searched for the nearest place from which on several agree again; what lies between is aligned
// for the most pairs of equal kind, equal size before unequal. What is left over was removed or added.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "tools/diff/source.h"

namespace sluice::diff {

// What the alignment looks at.
struct Shape {
  std::uint64_t kind = 0;  // of operation and kernel
  std::uint64_t size = 0;  // and of bytes and rows
};
[[nodiscard]] Shape shape_of(const Entry& entry);

// An index of each side, or `none` for a command without a partner; in an order that keeps that of both sides.
inline constexpr std::size_t none = ~std::size_t{0};
using Alignment = std::vector<std::pair<std::size_t, std::size_t>>;
// `complete`: nothing follows, so that the ends belong together.
[[nodiscard]] Alignment align(const std::vector<Shape>& a, const std::vector<Shape>& b, bool complete);

// The streaming form over two traces. Either pointer is nullptr for a command without a partner.
using OnPair = std::function<void(const Entry* old_entry, const Entry* new_entry)>;
void match(Source& old_trace, Source& new_trace, const OnPair& on_pair);

}  // namespace sluice::diff

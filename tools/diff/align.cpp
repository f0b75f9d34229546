#include "tools/diff/align.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

namespace sluice::diff {

namespace {

// How many commands in a row must agree before they are taken for the same again.
constexpr std::size_t run = 4;
// How far the search goes, and how much a table of all against all may hold.
constexpr std::size_t window = 16384;
constexpr std::size_t most_cells = std::size_t{4} << 20;

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  hash = (hash ^ value) * 0x9e37'79b9'7f4a'7c15ULL;
  return hash ^ (hash >> 29);
}

using Range = std::pair<std::size_t, std::size_t>;  // first, behind the last

class Aligner {
 public:
  Aligner(const std::vector<Shape>& a, const std::vector<Shape>& b, Alignment& out) : a_(a), b_(b), out_(out) {}

  // By size first; what differs too much for that, by kind.
  void align(Range a, Range b, bool complete, bool by_size) {
    while (a.first < a.second && b.first < b.second) {
      if (key(a_[a.first], by_size) == key(b_[b.first], by_size)) {
        out_.emplace_back(a.first++, b.first++);
        continue;
      }
      const auto [i, j] = agree_again(a, b, complete, by_size);
      between({a.first, i}, {b.first, j}, by_size);
      a.first = i;
      b.first = j;
    }
    unmatched(a, b);
  }

 private:
  static std::uint64_t key(const Shape& shape, bool by_size) { return by_size ? shape.size : shape.kind; }

  // Hash of the `run` shapes from `at` on; behind the end stand shapes that are like no other.
  static std::uint64_t hash_at(const std::vector<Shape>& shapes, std::size_t at, std::size_t end, bool by_size) {
    std::uint64_t hash = 0;
    for (std::size_t i = at; i < at + run; ++i) hash = mix(hash, i < end ? key(shapes[i], by_size) : 1);
    return hash;
  }

  // The places with the least to skip from which on both agree; both ends if there are none.
  [[nodiscard]] Range agree_again(Range a, Range b, bool complete, bool by_size) const {
    const auto last = [complete](Range r) {
      const bool to_its_end = complete && r.second - r.first <= window;
      return to_its_end ? r.second : r.second - std::min(run, r.second - r.first);
    };
    const std::size_t last_a = std::min(last(a), a.first + window);
    const std::size_t last_b = std::min(last(b), b.first + window);
    std::unordered_map<std::uint64_t, std::size_t> places;
    for (std::size_t j = b.first; j < last_b; ++j) places.emplace(hash_at(b_, j, b.second, by_size), j);
    Range best = {std::min(a.second, a.first + window), std::min(b.second, b.first + window)};
    std::size_t least = best.first - a.first + best.second - b.first;
    for (std::size_t i = a.first; i < last_a && i - a.first < least; ++i) {
      const auto found = places.find(hash_at(a_, i, a.second, by_size));
      if (found == places.end()) continue;
      const std::size_t skipped = i - a.first + found->second - b.first;
      if (skipped < least) {
        least = skipped;
        best = {i, found->second};
      }
    }
    return best;
  }

  void between(Range a, Range b, bool by_size) {
    const std::size_t rows = a.second - a.first;
    const std::size_t columns = b.second - b.first;
    if (rows == 0 || columns == 0) return unmatched(a, b);
    if ((rows + 1) * (columns + 1) <= most_cells) return best_pairs(a, b);
    if (by_size) return align(a, b, true, false);
    unmatched(a, b);
  }

  // The alignment with the most pairs of a kind; among those, the one with the most of a size.
  void best_pairs(Range a, Range b) {
    const std::size_t rows = a.second - a.first;
    const std::size_t columns = b.second - b.first;
    std::vector<std::uint32_t> score((rows + 1) * (columns + 1));
    const auto cell = [&](std::size_t i, std::size_t j) -> std::uint32_t& { return score[i * (columns + 1) + j]; };
    const auto worth = [&](std::size_t i, std::size_t j) -> std::uint32_t {
      const Shape& x = a_[a.first + i];
      const Shape& y = b_[b.first + j];
      return x.size == y.size ? 3 : x.kind == y.kind ? 2 : 0;
    };
    for (std::size_t i = rows; i-- > 0;) {
      for (std::size_t j = columns; j-- > 0;) {
        const std::uint32_t pair = worth(i, j);
        cell(i, j) = std::max({pair > 0 ? pair + cell(i + 1, j + 1) : 0, cell(i + 1, j), cell(i, j + 1)});
      }
    }
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < rows && j < columns) {
      const std::uint32_t pair = worth(i, j);
      if (pair > 0 && cell(i, j) == pair + cell(i + 1, j + 1)) {
        out_.emplace_back(a.first + i++, b.first + j++);
      } else if (cell(i, j) == cell(i + 1, j)) {
        out_.emplace_back(a.first + i++, none);
      } else {
        out_.emplace_back(none, b.first + j++);
      }
    }
    unmatched({a.first + i, a.second}, {b.first + j, b.second});
  }

  void unmatched(Range a, Range b) {
    for (; a.first < a.second; ++a.first) out_.emplace_back(a.first, none);
    for (; b.first < b.second; ++b.first) out_.emplace_back(none, b.first);
  }

  const std::vector<Shape>& a_;
  const std::vector<Shape>& b_;
  Alignment& out_;
};

// One queue of both runs: commands that wait for their partners.
class Lane {
 public:
  explicit Lane(const OnPair& on_pair) : on_pair_(on_pair) {}

  [[nodiscard]] bool is_empty() const { return old_.empty() && new_.empty(); }

  // Returns by how many fewer, or one more, commands wait on each side.
  void add_old(const Entry& entry) { add(entry, old_, new_, true); }
  void add_new(const Entry& entry) { add(entry, new_, old_, false); }
  [[nodiscard]] std::size_t waiting_old() const { return old_.size(); }
  [[nodiscard]] std::size_t waiting_new() const { return new_.size(); }

  void finish() { settle(true); }

 private:
  struct Waiting {
    Shape shape;
    Packed entry;
  };

  void add(const Entry& entry, std::deque<Waiting>& mine, std::deque<Waiting>& others, bool is_old) {
    const Shape shape = shape_of(entry);
    if (mine.empty() && !others.empty() && others.front().shape.size == shape.size) {
      const Entry partner = others.front().entry.unpack();
      others.pop_front();
      on_pair_(is_old ? &entry : &partner, is_old ? &partner : &entry);
      return;
    }
    mine.push_back({shape, Packed(entry)});
    if (mine.size() >= window && others.size() >= window) settle(false);
  }

  void settle(bool complete) {
    std::vector<Shape> a;
    std::vector<Shape> b;
    for (const Waiting& w : old_) a.push_back(w.shape);
    for (const Waiting& w : new_) b.push_back(w.shape);
    for (const auto& [i, j] : align(a, b, complete)) {
      if (i == none) {
        const Entry added = take(new_);
        on_pair_(nullptr, &added);
      } else if (j == none) {
        const Entry removed = take(old_);
        on_pair_(&removed, nullptr);
      } else {
        const Entry before = take(old_);
        const Entry after = take(new_);
        on_pair_(&before, &after);
      }
    }
  }

  static Entry take(std::deque<Waiting>& side) {
    Entry entry = side.front().entry.unpack();
    side.pop_front();
    return entry;
  }

  const OnPair& on_pair_;
  std::deque<Waiting> old_;
  std::deque<Waiting> new_;
};

}  // namespace

Shape shape_of(const Entry& entry) {
  Shape shape;
  shape.kind = mix(2, static_cast<std::uint64_t>(entry.op));
  if (!entry.kernel.empty()) shape.kind = mix(shape.kind, std::hash<std::string_view>{}(entry.kernel));
  shape.size = mix(mix(shape.kind, entry.bytes), entry.rows);
  return shape;
}

Alignment align(const std::vector<Shape>& a, const std::vector<Shape>& b, bool complete) {
  Alignment out;
  Aligner(a, b, out).align({0, a.size()}, {0, b.size()}, complete, true);
  return out;
}

void match(Source& old_trace, Source& new_trace, const OnPair& on_pair) {
  std::map<std::pair<DeviceIndex, QueueId>, Lane> lanes;
  const auto lane_of = [&](const Entry& entry) -> Lane& {
    return lanes.try_emplace({entry.device, entry.queue}, on_pair).first->second;
  };
  std::size_t waiting_old = 0;
  std::size_t waiting_new = 0;
  const auto add = [&](const Entry& entry, bool is_old) {
    Lane& lane = lane_of(entry);
    waiting_old -= lane.waiting_old();
    waiting_new -= lane.waiting_new();
    is_old ? lane.add_old(entry) : lane.add_new(entry);
    waiting_old += lane.waiting_old();
    waiting_new += lane.waiting_new();
  };
  bool more_old = true;
  bool more_new = true;
  while (more_old || more_new) {
    // Both sides keep step, so that little has to wait.
    const bool both = waiting_old == waiting_new && more_old && more_new;
    const bool take_old = both || (more_old && (waiting_old < waiting_new || !more_new));
    const Entry* before = take_old ? old_trace.next() : nullptr;
    const Entry* after = both || !take_old ? new_trace.next() : nullptr;
    if (take_old) more_old = before != nullptr;
    if (both || !take_old) more_new = after != nullptr;
    if (before != nullptr && after != nullptr && waiting_old == 0 && before->queue == after->queue &&
        before->device == after->device && before->is_same_shape(*after)) {
      on_pair(before, after);
      continue;
    }
    if (before != nullptr) add(*before, true);
    if (after != nullptr) add(*after, false);
    if (!old_trace.error().empty() || !new_trace.error().empty()) return;
  }
  for (auto& [key, lane] : lanes) lane.finish();
}

}  // namespace sluice::diff

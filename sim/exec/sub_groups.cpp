#include "sim/exec/sub_groups.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <type_traits>

#include "sim/exec/math_functions.h"

namespace sluice::exec {
namespace {

// A half, which is computed with as a float: rounding a sum or product twice, first to float, changes nothing, as a float
// has more than twice its digits.
struct Half {
  std::uint16_t bits = 0;
};

template <class T>
using Number = std::conditional_t<std::is_same_v<T, Half>, float, T>;

template <class T>
Number<T> read(const SubGroupPlace& place) {
  T value;
  std::memcpy(&value, place.value.data(), sizeof value);
  if constexpr (std::is_same_v<T, Half>) {
    return half_to_float(value.bits);
  } else {
    return value;
  }
}

template <class T>
void write(SubGroupPlace& place, Number<T> number) {
  T value;
  if constexpr (std::is_same_v<T, Half>) {
    value.bits = float_to_half(number);
  } else {
    value = number;
  }
  std::memcpy(place.value.data(), &value, sizeof value);
}

float rounded_to_half(float number) {
  return half_to_float(float_to_half(number));
}

// Integers wrap.
template <class T>
T wrapped(T a, T b, std::uint32_t combine) {
  using U = std::make_unsigned_t<T>;
  const auto x = static_cast<std::uint64_t>(static_cast<U>(a)), y = static_cast<std::uint64_t>(static_cast<U>(b));
  return static_cast<T>(static_cast<U>(combine == sub_group_add ? x + y : x * y));
}

template <class T>
Number<T> identity(std::uint32_t combine) {
  using N = Number<T>;
  using Limits = std::numeric_limits<N>;
  switch (combine) {
    case sub_group_mul:
    case sub_group_logical_and:
      return N{1};
    case sub_group_min:
      return Limits::has_infinity ? Limits::infinity() : Limits::max();
    case sub_group_max:
      return Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
    case sub_group_and:
      if constexpr (std::is_integral_v<N>) return static_cast<N>(~N{0});
      return N{0};
    default:
      return N{0};
  }
}

// `a` is of the work-items before.
template <class T>
Number<T> combined(std::uint32_t combine, Number<T> a, Number<T> b) {
  using N = Number<T>;
  if (combine == sub_group_min) return b < a ? b : a;
  if (combine == sub_group_max) return a < b ? b : a;
  if constexpr (std::is_integral_v<N>) {
    switch (combine) {
      case sub_group_and:
        return static_cast<N>(a & b);
      case sub_group_or:
        return static_cast<N>(a | b);
      case sub_group_xor:
        return static_cast<N>(a ^ b);
      case sub_group_logical_and:
        return a != 0 && b != 0 ? N{1} : N{0};
      case sub_group_logical_or:
        return a != 0 || b != 0 ? N{1} : N{0};
      case sub_group_logical_xor:
        return (a != 0) != (b != 0) ? N{1} : N{0};
      default:
        return wrapped(a, b, combine);
    }
  } else {
    const N value = combine == sub_group_mul ? a * b : a + b;
    if constexpr (std::is_same_v<T, Half>) return rounded_to_half(value);
    return value;
  }
}

template <class T>
void fold(std::uint32_t combine, std::span<SubGroupPlace> places, const LaneMask& lanes) {
  for (std::size_t lane = 0; lane < places.size();) {
    while (lane < places.size() && !lanes.has(lane)) ++lane;
    if (lane == places.size()) return;
    const std::size_t size = places[lane].size == 0 ? places.size() : places[lane].size;
    const std::size_t first = lane / size * size, end = std::min(places.size(), first + size);
    // What follows from one value alone is that value, in whatever way combining would round it.
    Number<T> all = read<T>(places[lane]);
    if (combine >= sub_group_logical_and) all = combined<T>(combine, identity<T>(combine), all);
    for (std::size_t i = lane + 1; i < end; ++i) {
      if (lanes.has(i)) all = combined<T>(combine, all, read<T>(places[i]));
    }
    for (std::size_t i = lane; i < end; ++i) {
      if (lanes.has(i)) write<T>(places[i], all);
    }
    lane = end;
  }
}

template <class T>
void scan(std::uint32_t combine, bool inclusive, std::span<SubGroupPlace> places, const LaneMask& lanes) {
  Number<T> before = identity<T>(combine);
  bool first = true;
  for (std::size_t lane = 0; lane < places.size(); ++lane) {
    if (!lanes.has(lane)) continue;
    const Number<T> own = read<T>(places[lane]);
    const Number<T> with_own = first && combine < sub_group_logical_and ? own : combined<T>(combine, before, own);
    write<T>(places[lane], inclusive ? with_own : before);
    before = with_own;
    first = false;
  }
}

template <class T>
void equal(std::span<SubGroupPlace> places, const LaneMask& lanes) {
  const SubGroupPlace* first = nullptr;
  bool same = true;
  for (std::size_t lane = 0; lane < places.size(); ++lane) {
    if (!lanes.has(lane)) continue;
    if (first == nullptr) first = &places[lane];
    same = same && read<T>(*first) == read<T>(places[lane]);
  }
  for (std::size_t lane = 0; lane < places.size(); ++lane) {
    if (lanes.has(lane)) write<std::int32_t>(places[lane], same ? 1 : 0);
  }
}

template <class T>
void compute(SubGroupOperation operation, std::span<SubGroupPlace> places, const LaneMask& lanes) {
  switch (operation.form()) {
    case sub_group_equal:
      return equal<T>(places, lanes);
    case sub_group_fold:
      return fold<T>(operation.combine(), places, lanes);
    default:
      return scan<T>(operation.combine(), operation.form() == sub_group_scan_inclusive, places, lanes);
  }
}

// Whom nobody asked, or who does not take part, has no value for others: they get zeros.
void move(SubGroupOperation operation, std::span<SubGroupPlace> places, const LaneMask& lanes) {
  const std::size_t bytes = operation.bytes();
  std::array<std::byte, most_lanes * SUB_GROUP_ARGUMENT> before;
  std::size_t first = 0;
  while (first < places.size() && !lanes.has(first)) ++first;
  for (std::size_t lane = first; lane < places.size(); ++lane)
    std::memcpy(&before[lane * bytes], places[lane].value.data(), bytes);
  for (std::size_t lane = first; lane < places.size(); ++lane) {
    if (!lanes.has(lane)) continue;
    SubGroupPlace& place = places[lane];
    std::size_t from = place.argument;
    if (operation.form() == sub_group_turn) {
      // The argument is a number with sign, modulo 2^32; the size need not be a power of 2.
      const std::int64_t size = std::max<std::uint32_t>(place.size, 1);
      const auto own = static_cast<std::int64_t>(lane), by = std::int64_t{static_cast<std::int32_t>(place.argument)};
      from = static_cast<std::size_t>(own / size * size + ((own + by) % size + size) % size);
    } else if (place.argument == SUB_GROUP_FIRST) {
      from = first;
    }
    if (from < places.size() && lanes.has(from)) {
      std::memcpy(place.value.data(), &before[from * bytes], bytes);
    } else {
      std::memset(place.value.data(), 0, bytes);
    }
  }
}

void vote(std::span<SubGroupPlace> places, const LaneMask& lanes) {
  LaneMask good;
  for (std::size_t lane = 0; lane < places.size(); ++lane) {
    if (lanes.has(lane) && read<std::int32_t>(places[lane]) != 0) good.add(lane);
  }
  for (std::size_t lane = 0; lane < places.size(); ++lane) {
    if (!lanes.has(lane)) continue;
    std::memcpy(places[lane].value.data(), &good, sizeof good);
    std::memcpy(places[lane].value.data() + sizeof good, &lanes, sizeof lanes);
  }
}

}  // namespace

void exchange(SubGroupOperation operation, std::span<SubGroupPlace> places, const LaneMask& lanes) {
  switch (operation.form()) {
    case sub_group_meet:
      return;
    case sub_group_move:
    case sub_group_turn:
      return move(operation, places, lanes);
    case sub_group_vote:
      return vote(places, lanes);
    default:
      break;
  }
  switch (operation.type()) {
    case sub_group_char:
      return compute<std::int8_t>(operation, places, lanes);
    case sub_group_uchar:
      return compute<std::uint8_t>(operation, places, lanes);
    case sub_group_short:
      return compute<std::int16_t>(operation, places, lanes);
    case sub_group_ushort:
      return compute<std::uint16_t>(operation, places, lanes);
    case sub_group_int:
      return compute<std::int32_t>(operation, places, lanes);
    case sub_group_uint:
      return compute<std::uint32_t>(operation, places, lanes);
    case sub_group_long:
      return compute<std::int64_t>(operation, places, lanes);
    case sub_group_ulong:
      return compute<std::uint64_t>(operation, places, lanes);
    case sub_group_half:
      return compute<Half>(operation, places, lanes);
    case sub_group_float:
      return compute<float>(operation, places, lanes);
    case sub_group_double:
      return compute<double>(operation, places, lanes);
    default:
      return;  // wider ones are only moved
  }
}

}  // namespace sluice::exec

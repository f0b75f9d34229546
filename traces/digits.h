// Decimal digits, eight at a time: a trace is mostly long integers, and writing or reading them digit by digit or pair by
// pair costs more than everything else about a record.
#pragma once

#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>

namespace sluice::trace {

// What put_decimal() may touch from `to` on, digits or not.
inline constexpr std::size_t decimal_room = 24;

// The eight digits of `value` < 10^8 as bytes 0 to 9, the most significant in the lowest byte: halves, quarters and
// eighths of the number side by side in one word, each division a multiplication that is exact in its range.
[[nodiscard]] constexpr std::uint64_t eight_digits(std::uint64_t value) noexcept {
  const std::uint64_t fours = value / 10'000 + (value % 10'000 << 32);
  const std::uint64_t hundreds = (fours * 10'486 >> 20) & 0x0000'007f'0000'007f;
  const std::uint64_t twos = hundreds + ((fours - hundreds * 100) << 16);
  const std::uint64_t tens = (twos * 103 >> 10) & 0x000f'000f'000f'000f;
  return tens + ((twos - tens * 10) << 8);
}

inline constexpr std::uint64_t eight_zeros = 0x3030'3030'3030'3030;

inline char* put_eight_digits(char* to, std::uint64_t value) noexcept {
  const std::uint64_t text = eight_digits(value) + eight_zeros;
  std::memcpy(to, &text, sizeof text);
  return to + sizeof text;
}

// Compared instead of counted in the text: a stamp has as many digits as the one before, so the branches are foreseen
// and the next number need not wait for the digits of this one.
[[nodiscard]] constexpr int count_digits(std::uint64_t below_ten_to_the_8) noexcept {
  const std::uint64_t value = below_ten_to_the_8;
  if (value < 10'000) return value < 100 ? (value < 10 ? 1 : 2) : (value < 1'000 ? 3 : 4);
  return value < 1'000'000 ? (value < 100'000 ? 5 : 6) : (value < 10'000'000 ? 7 : 8);
}

// Without leading zeros. Returns the end; `to` has decimal_room bytes.
inline char* put_decimal(char* to, std::uint64_t value) noexcept {
  if constexpr (std::endian::native != std::endian::little) {
    return std::to_chars(to, to + decimal_room, value).ptr;
  } else {
    constexpr std::uint64_t one_word = 100'000'000;
    const auto put_first = [&to](std::uint64_t part) {
      const int digits = count_digits(part);
      const std::uint64_t text = (eight_digits(part) + eight_zeros) >> (64 - 8 * digits);
      std::memcpy(to, &text, sizeof text);
      to += digits;
    };
    if (value < one_word) {
      put_first(value);
      return to;
    }
    const std::uint64_t rest = value / one_word;
    if (rest < one_word) {
      put_first(rest);
    } else {
      put_first(rest / one_word);
      to = put_eight_digits(to, rest % one_word);
    }
    return put_eight_digits(to, value % one_word);
  }
}

// The number that eight_digits() has the bytes of: neighbours joined to pairs, fours and the whole.
[[nodiscard]] constexpr std::uint64_t value_of_digits(std::uint64_t digits) noexcept {
  constexpr std::uint64_t first_and_fifth = 0x0000'00ff'0000'00ff;
  const std::uint64_t twos = digits * 10 + (digits >> 8);  // in every other byte
  const std::uint64_t upper = (twos & first_and_fifth) * (100 + (std::uint64_t{1'000'000} << 32));
  const std::uint64_t lower = (twos >> 16 & first_and_fifth) * (1 + (std::uint64_t{10'000} << 32));
  return (upper + lower) >> 32;
}

inline constexpr std::uint64_t powers_of_ten[] = {1, 10, 100, 1'000, 10'000, 100'000, 1'000'000, 10'000'000, 100'000'000};

// Takes the digits from `from` on, at most up to `end`, and returns where they end. What has more than 19 of them may be
// any `value`.
[[nodiscard]] inline const char* take_decimal(const char* from, const char* end, std::uint64_t& value) noexcept {
  value = 0;
  if constexpr (std::endian::native == std::endian::little) {
    while (end - from >= 8) {
      std::uint64_t digits = 0;
      std::memcpy(&digits, from, sizeof digits);
      digits ^= eight_zeros;
      // The highest bit of each byte above 9; what it carries reaches only bytes behind the first of them.
      const std::uint64_t others = (digits | (digits + 0x7676'7676'7676'7676)) & 0x8080'8080'8080'8080;
      if (others == 0) {
        value = value * powers_of_ten[8] + value_of_digits(digits);
        from += 8;
        continue;
      }
      const int bits = std::countr_zero(others) & ~7;
      if (bits > 0) value = value * powers_of_ten[bits / 8] + value_of_digits(digits << (64 - bits));
      return from + bits / 8;
    }
  }
  for (; from != end && static_cast<unsigned char>(*from - '0') < 10; ++from) value = value * 10 + static_cast<unsigned>(*from - '0');
  return from;
}

}  // namespace sluice::trace

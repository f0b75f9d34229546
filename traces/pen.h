// Writes text at full speed into memory whose size was checked once for the whole record (Output::room).
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "traces/digits.h"

namespace sluice::trace {

// A word of the format with its quotes and colons, in a block of fixed size: copying a block costs two instructions,
// copying a number of bytes that is known only then costs a call.
class Word {
 public:
  static constexpr std::size_t most_bytes = 48;

  Word() = default;
  // What is longer than most_bytes is cut off; a test writes every name of the schema.
  Word(std::string_view before, std::string_view name, std::string_view after) {
    for (const std::string_view part : {before, name, after}) {
      for (const char c : part) {
        if (size_ < most_bytes) text_[size_++] = c;
      }
    }
  }

 private:
  friend class Pen;
  std::array<char, most_bytes> text_{};
  std::size_t size_ = 0;
};

// One Word for each value of an enumeration up to `last`, between `before` and `after`, and one for anything else.
template <typename E, E last>
class Words {
 public:
  Words(std::string_view before, std::string_view after) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] = Word(before, to_string(static_cast<E>(i)), after);
  }
  [[nodiscard]] const Word& operator[](E value) const noexcept {
    return words_[std::min(static_cast<std::size_t>(value), words_.size() - 1)];
  }

 private:
  std::array<Word, static_cast<std::size_t>(last) + 2> words_;
};

class Pen {
 public:
  explicit Pen(char* at) : at_(at) {}
  [[nodiscard]] const char* end() const noexcept { return at_; }

  template <std::size_t size>
  Pen& text(const char (&literal)[size]) {
    std::memcpy(at_, literal, size - 1);
    at_ += size - 1;
    return *this;
  }
  Pen& word(const Word& word) {  // touches Word::most_bytes
    std::memcpy(at_, word.text_.data(), Word::most_bytes);
    at_ += word.size_;
    return *this;
  }
  Pen& number(std::unsigned_integral auto value) {  // touches decimal_room
    at_ = put_decimal(at_, value);
    return *this;
  }
  Pen& number(std::int32_t value) {
    if (value < 0) *at_++ = '-';
    const auto magnitude = static_cast<std::uint32_t>(value);
    return number(value < 0 ? -magnitude : magnitude);
  }
  // A JSON string, with its quotes; needs most_string_bytes(s). Bytes that are not UTF-8 are passed on as they are.
  Pen& string(std::string_view s) {
    static constexpr char hex[] = "0123456789abcdef";
    *at_++ = '"';
    for (const char c : s) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte >= 0x20 && c != '"' && c != '\\') {
        *at_++ = c;
      } else if (byte >= 0x20) {
        *at_++ = '\\';
        *at_++ = c;
      } else {
        text("\\u00");
        *at_++ = hex[byte >> 4];
        *at_++ = hex[byte & 15];
      }
    }
    *at_++ = '"';
    return *this;
  }
  [[nodiscard]] static constexpr std::size_t most_string_bytes(std::string_view s) { return 2 + 6 * s.size(); }

 private:
  char* at_;
};

}  // namespace sluice::trace

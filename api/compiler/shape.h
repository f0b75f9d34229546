// How source is built up, as far as clang's time and depth of recursion depend on it. Compiling what is plain takes
// about as long as it is long; other source may take any time and memory in a few bytes.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace sluice::compiler {

// Tokens are told one by one: punctuators by their characters, all else as a word.
class Shape {
 public:
  void word() noexcept {
    ++tokens_;
    last_ = 0;
  }
  void punctuator(char c) noexcept;
  void ellipsis() noexcept;

  [[nodiscard]] bool plain() const noexcept { return plain_ && tokens_ <= most_tokens; }
  [[nodiscard]] std::size_t tokens() const noexcept { return tokens_; }

  static constexpr std::size_t most_tokens = 5'000;
  static constexpr std::size_t deepest = 64;     // brackets in each other
  static constexpr std::size_t longest_run = 16;  // dimensions of a declarator, or its pointers

 private:
  std::size_t tokens_ = 0;
  std::array<char, deepest> open_{};
  std::size_t depth_ = 0;
  std::size_t run_ = 0;
  char last_ = 0;  // punctuator; 0: a word
  bool plain_ = true;
};

// The tokens of text that is not preprocessed, comments left out; as far as it matters.
void scan(std::string_view text, Shape& shape);

}  // namespace sluice::compiler

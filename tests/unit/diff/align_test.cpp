#include "tools/diff/align.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sluice::diff {
namespace {

// A letter is a kind, upper case another size of it.
std::vector<Shape> shapes(const std::string& letters) {
  std::vector<Shape> all;
  for (const char c : letters) all.push_back({static_cast<std::uint64_t>(c | 0x20), static_cast<std::uint64_t>(c)});
  return all;
}

// Pairs as letters: "a" both, "-a" removed, "+a" added, "aA" a pair of two sizes.
std::string aligned(const std::string& before, const std::string& after) {
  std::string text;
  for (const auto& [i, j] : align(shapes(before), shapes(after), true)) {
    if (j == none) {
      text += std::string("-") + before[i];
    } else if (i == none) {
      text += std::string("+") + after[j];
    } else {
      text += before[i];
      if (before[i] != after[j]) text += after[j];
    }
  }
  return text;
}

TEST(AlignTest, PairsWhatIsEqualAndTellsTheRest) {
  EXPECT_EQ(aligned("", ""), "");
  EXPECT_EQ(aligned("abc", "abc"), "abc");
  EXPECT_EQ(aligned("abc", ""), "-a-b-c");
  EXPECT_EQ(aligned("abcdefg", "abxcdefg"), "ab+xcdefg");
  EXPECT_EQ(aligned("abxcdefg", "abcdefg"), "ab-xcdefg");
  EXPECT_EQ(aligned("abc", "abcd"), "abc+d");
  EXPECT_EQ(aligned("xabcde", "abcde"), "-xabcde");
}

TEST(AlignTest, ACommandOfAnotherSizeIsTheSameCommand) {
  EXPECT_EQ(aligned("abcdefg", "abCdefg"), "abcCdefg");
  // The pair of equal size is preferred.
  EXPECT_EQ(aligned("zcz", "zCcz"), "z+Ccz");
}

TEST(AlignTest, FindsItsWayAfterTenThousandNewCommands) {
  const std::string tail = "klmnopqrstuv";
  const std::string text = aligned("abcdef" + tail, "abcdef" + std::string(10'000, 'x') + tail);
  EXPECT_EQ(text.substr(0, 8), "abcdef+x");
  EXPECT_EQ(text.substr(text.size() - tail.size()), tail);
  EXPECT_EQ(text.size(), 6 + 20'000 + tail.size());
}

// Every command has another size: no run of equal ones is to be found anywhere, and a table of all against all is too large.
TEST(AlignTest, SizesThatAllChangeAreAlignedByKind) {
  std::vector<Shape> before;
  std::vector<Shape> after;
  for (std::uint64_t i = 0; i < 5000; ++i) {
    before.push_back({i % 7, 1'000'000 + i});
    after.push_back({i % 7, 2'000'000 + i});
  }
  const Alignment pairs = align(before, after, true);
  ASSERT_EQ(pairs.size(), 5000u);
  for (std::size_t i = 0; i < pairs.size(); ++i) EXPECT_EQ(pairs[i], std::make_pair(i, i));
}

}  // namespace
}  // namespace sluice::diff

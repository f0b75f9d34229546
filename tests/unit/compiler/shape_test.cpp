// What is taken to be plain source, and what is not.
#include "api/compiler/shape.h"

#include <gtest/gtest.h>

#include <string>

namespace {

using sluice::compiler::Shape;

std::string repeated(const std::string& text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}
bool is_plain(const std::string& text) {
  Shape shape;
  scan(text, shape);
  return shape.plain();
}

TEST(Shape, CountsTokens) {
  Shape shape;
  scan("a += 0x1f; // no more\n/* none * / */ \"a \\\" b\" 'c' ...", shape);
  // a + = 0x1f ; "..." 'c' ...
  EXPECT_EQ(shape.tokens(), 8U);
  EXPECT_TRUE(is_plain(repeated("x ", Shape::most_tokens)));
  EXPECT_FALSE(is_plain(repeated("x ", Shape::most_tokens + 1)));
}

TEST(Shape, Brackets) {
  EXPECT_TRUE(is_plain(repeated("(", Shape::deepest) + repeated(")", Shape::deepest) + repeated("[{}]", 10)));
  EXPECT_FALSE(is_plain(repeated("(", Shape::deepest + 1)));
  EXPECT_TRUE(is_plain(repeated("f(a)", Shape::deepest + 1)));
  EXPECT_TRUE(is_plain(repeated(")", 100) + "("));
}

TEST(Shape, RunsOfDimensionsAndPointers) {
  EXPECT_TRUE(is_plain("int a" + repeated("[1]", Shape::longest_run + 1)));
  EXPECT_FALSE(is_plain("int a" + repeated("[1]", Shape::longest_run + 2)));
  EXPECT_FALSE(is_plain("int a" + repeated(" [ N /* */ ]\n", Shape::longest_run + 2)));
  EXPECT_TRUE(is_plain(repeated("a[1] ", 100)));
  EXPECT_FALSE(is_plain("int " + repeated("* ", Shape::longest_run + 2)));
  EXPECT_TRUE(is_plain(repeated("a * b * ", 100)));
}

TEST(Shape, RangesOfElements) {
  EXPECT_FALSE(is_plain("int a[9] = {[0 ... 8] = 1};"));
  EXPECT_TRUE(is_plain("#define P(...) f(__VA_ARGS__)"));
  EXPECT_TRUE(is_plain("int printf(const char* f, ...); // [0 ... 8]"));
}

TEST(Shape, TextThatEndsAnywhere) {
  for (const char* text : {"", "\"", "\"\\", "'", "/*", "/", "//", "..", "[", "]"}) EXPECT_TRUE(is_plain(text)) << text;
}

}  // namespace

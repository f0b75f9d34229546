// Expectations are C's own rules for the conversion, OpenCL C 3.0 6.15.14 for vectors.
#include <gtest/gtest.h>

#include <cstring>

#include "sim/exec/print_format.h"

namespace sluice::exec {
namespace {

class PrintTest : public testing::Test {
 protected:
  template <typename T>
  void add(char type, const T& value) {
    types_ += type + std::to_string(sizeof value) + ';';
    const std::size_t at = values_.size();
    values_.resize(at + (sizeof value + 15) / 16 * 16);
    std::memcpy(values_.data() + at, &value, sizeof value);
  }
  std::string print(std::string_view format) {
    return format_print(format, types_, values_.data(),
                        [](std::uint64_t address) -> std::string_view { return address == 64 ? "literal" : ""; });
  }
  std::string types_;
  std::vector<std::byte> values_;
};

TEST_F(PrintTest, Integers) {
  add('i', -5);
  add('i', -5);
  add('i', std::int64_t{-5});
  add('i', 0x1ff);
  add('i', 8);
  EXPECT_EQ(print("%d|%u|%ld|%hhx|%#o"), "-5|4294967291|-5|ff|010");
}

// OpenCL C has no such length modifiers, C has, and kernels that were written beside C use them: all are 64 bits wide.
TEST_F(PrintTest, LengthModifiersOfC) {
  for (int i = 0; i < 4; ++i) add('i', std::int64_t{-5000000000});
  add('i', -5);
  EXPECT_EQ(print("%lld|%zd|%td|%jx|%llu"), "-5000000000|-5000000000|-5000000000|fffffffed5fa0e00|4294967291");
}

TEST_F(PrintTest, FloatsOfAllSizes) {
  add('f', 1.25F);
  add('f', 1e10);
  add('f', -0.5F);
  add('f', std::array<std::uint16_t, 4>{0x3c00, 0xc100, 0x0001, 0x7c00});  // 1, -2.5, 2^-24, infinity
  EXPECT_EQ(print("%8.3f|%g|%+e|%v4hg"), "   1.250|1e+10|-5.000000e-01|1,-2.5,5.96046e-08,inf");
}

TEST_F(PrintTest, Vectors) {
  add('f', std::array<float, 4>{1, 2, 3, 4});
  add('i', std::array<std::int32_t, 3>{-1, 2, 3});
  add('i', std::array<std::uint8_t, 2>{255, 1});
  EXPECT_EQ(print("%.1v4hlf %v3hld %v2hhu"), "1.0,2.0,3.0,4.0 -1,2,3 255,1");
}

TEST_F(PrintTest, StringsAndCharacters) {
  add('p', std::uint64_t{64});
  add('p', std::uint64_t{0});
  add('p', std::uint64_t{128});  // no literal of the program
  add('i', static_cast<int>('x'));
  EXPECT_EQ(print("[%10s] [%s] [%s] %c %%"), "[   literal] [(null)] [] x %");
}

TEST_F(PrintTest, NonsenseIsHarmless) {
  add('i', 1);
  EXPECT_EQ(print("%d,%d,%d"), "1,");  // what has no argument ends the text
  EXPECT_EQ(print("%"), "%");
  EXPECT_EQ(print("%q"), "%q");
  EXPECT_EQ(print("%n"), "%n");
  EXPECT_EQ(print("%v5d"), "%d");
  EXPECT_EQ(print("%99999999999d").size(), 4096U);
}

}  // namespace
}  // namespace sluice::exec

// The walk over SPIR-V modules, which are written here word by word (SPIR-V specification, sections 2.3 and 3).
#include "api/compiler/spirv.h"

#include <gtest/gtest.h>

namespace {

using namespace sluice::compiler;
using Words = std::vector<std::uint32_t>;

constexpr std::uint32_t op(std::uint32_t code, std::uint32_t words) { return words << 16 | code; }
const Words kHeader = {0x07230203, 0x00010000, 0, 10, 0};

auto read(const Words& words) { return read_il(std::as_bytes(std::span(words))); }

Words with(std::initializer_list<std::uint32_t> instructions) {
  Words words = kHeader;
  words.insert(words.end(), instructions);
  return words;
}

TEST(Spirv, Header) {
  EXPECT_TRUE(read(kHeader));
  EXPECT_FALSE(read({}));
  EXPECT_FALSE(read({0x07230203, 0x00010000, 0, 10}));
  for (const auto& [at, value] : {std::pair<int, std::uint32_t>{0, 0x07230204},
                                  {1, 0x0000ff00},    // version 0
                                  {1, 0x00010500},    // 1.5
                                  {3, 0},             // no ids
                                  {3, 0xffffffff},    // more ids than the universal limits
                                  {4, 1}}) {          // "0 (Reserved for instruction schema)"
    Words words = kHeader;
    words[static_cast<std::size_t>(at)] = value;
    EXPECT_FALSE(read(words)) << at << " " << value;
  }
  const std::vector<std::byte> odd(21);
  EXPECT_FALSE(read_il(odd));
}

TEST(Spirv, OfTheOtherByteOrder) {
  Words words = with({op(17, 2), 6});
  const Words native = words;
  for (std::uint32_t& word : words) word = __builtin_bswap32(word);
  const auto module = read(words);
  ASSERT_TRUE(module);
  EXPECT_EQ(module->words, native);
}

TEST(Spirv, InstructionsFillTheModule) {
  EXPECT_TRUE(read(with({op(17, 2), 6})));
  EXPECT_FALSE(read(with({op(17, 3), 6})));  // one word more than there is
  EXPECT_FALSE(read(with({op(17, 0), 6})));  // would never end
  EXPECT_FALSE(read(with({op(17, 2)})));
}

TEST(Spirv, SpecialisationConstants) {
  const auto module = read(with({
      op(71, 4), 5, 1, 100,    // OpDecorate %5 SpecId 100
      op(71, 4), 6, 1, 7,      // %6 SpecId 7
      op(71, 4), 7, 1, 8,      // %7 SpecId 8
      op(71, 4), 8, 1, 9,      // %8 is no constant
      op(71, 4), 9, 2, 55,     // another decoration
      op(20, 2), 1,            // %1 = OpTypeBool
      op(21, 4), 2, 64, 0,     // %2 = OpTypeInt 64 0
      op(22, 3), 3, 32,        // %3 = OpTypeFloat 32
      op(48, 3), 1, 5,         // %5 = OpSpecConstantTrue %1
      op(50, 5), 2, 6, 1, 0,   // %6 = OpSpecConstant %2 1
      op(50, 4), 3, 7, 0,      // %7 = OpSpecConstant %3 0
      op(50, 4), 3, 9, 0,      // %9: without SpecId
  }));
  ASSERT_TRUE(module);
  EXPECT_EQ(module->constant_bytes, (std::map<std::uint32_t, std::uint32_t>{{100, 1}, {7, 8}, {8, 4}}));
}

}  // namespace

// Program binaries come back as they were, or not at all.
#include "api/compiler/binary.h"

#include <gtest/gtest.h>

namespace {

using namespace sluice::compiler;

Image image() {
  Image i;
  i.kind = ImageKind::library;
  i.optimise = false;
  i.kernels = {"first", "b"};
  i.global_variable_bytes = 1234567890123;
  for (int b = 0; b < 100; ++b) i.bitcode.push_back(std::byte(b));
  return i;
}

TEST(Binary, RoundTrip) {
  const Image before = image();
  const auto after = decode(encode(before));
  ASSERT_TRUE(after);
  EXPECT_EQ(after->kind, before.kind);
  EXPECT_EQ(after->optimise, before.optimise);
  EXPECT_EQ(after->kernels, before.kernels);
  EXPECT_EQ(after->global_variable_bytes, before.global_variable_bytes);
  EXPECT_EQ(after->bitcode, before.bitcode);
}

TEST(Binary, RoundTripOfNothing) {
  const auto after = decode(encode(Image{}));
  ASSERT_TRUE(after);
  EXPECT_TRUE(after->kernels.empty());
  EXPECT_TRUE(after->bitcode.empty());
}

TEST(Binary, EveryFlippedBitIsSeen) {
  const std::vector<std::byte> good = encode(image());
  for (std::size_t i = 0; i < 8 * good.size(); ++i) {
    std::vector<std::byte> bad = good;
    bad[i / 8] ^= std::byte(1 << (i % 8));
    EXPECT_FALSE(decode(bad)) << "bit " << i;
  }
}

TEST(Binary, EveryOtherLengthIsSeen) {
  std::vector<std::byte> binary = encode(image());
  for (std::size_t n = 0; n < binary.size(); ++n) EXPECT_FALSE(decode(std::span(binary).first(n))) << n;
  binary.emplace_back();
  EXPECT_FALSE(decode(binary));
}

}  // namespace

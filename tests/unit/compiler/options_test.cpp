// Build options against the list of OpenCL 3.0, section 5.8.6.
#include "api/compiler/options.h"

#include <gtest/gtest.h>

namespace {

using namespace sluice::compiler;
using Words = std::vector<std::string>;

TEST(SplitOptions, LikeAShell) {
  const struct {
    const char* text;
    Words words;
  } cases[] = {
      {"", {}},
      {" \t\n ", {}},
      {"-w  -g", {"-w", "-g"}},
      {"-D \"A=b c\"", {"-D", "A=b c"}},
      {"-DA=\"b c\"d", {"-DA=b cd"}},
      {"-DA='\"x\"'", {"-DA=\"x\""}},
      {"-DA=\\\"x\\\"", {"-DA=\"x\""}},
      {"-I a\\ b", {"-I", "a b"}},
      {"'a\\b'", {"a\\b"}},
      {"\"\" x", {"", "x"}},
      {"a\\", {"a\\"}},
  };
  for (const auto& c : cases) {
    Words words;
    EXPECT_TRUE(split_options(c.text, words)) << c.text;
    EXPECT_EQ(words, c.words) << c.text;
  }
  Words words;
  EXPECT_FALSE(split_options("-DA=\"b", words));
  EXPECT_FALSE(split_options("'", words));
}

TEST(CompileOptions, EveryOneOfTheSpecification) {
  for (const char* option :
       {"-D X", "-DX", "-D X=1", "-DX=1", "-I dir", "-Idir", "-cl-single-precision-constant", "-cl-denorms-are-zero",
        "-cl-fp32-correctly-rounded-divide-sqrt", "-cl-opt-disable", "-cl-mad-enable", "-cl-no-signed-zeros",
        "-cl-unsafe-math-optimizations", "-cl-finite-math-only", "-cl-fast-relaxed-math",
        "-cl-uniform-work-group-size", "-cl-no-subgroup-ifp", "-w", "-Werror", "-cl-std=CL1.1", "-cl-std=CL1.2",
        "-cl-std=CL2.0", "-cl-std=CL3.0", "-cl-kernel-arg-info", "-g", "-cl-strict-aliasing"}) {
    CompileOptions options;
    std::string error;
    EXPECT_TRUE(parse_compile_options(option, options, error)) << option << ": " << error;
    EXPECT_EQ(error, "");
  }
}

TEST(CompileOptions, OthersAreNone) {
  for (const char* option :
       {"-foo", "foo", "-", "-D", "-I", "-D \"\"", "-W", "-O3", "-cl-std=", "-cl-std=CL1.3", "-cl-std=CL4.0", "-cl-std",
        "-cl-fast-relaxed-math=1", "-cl-", "-create-library", "-Xclang", "-w-", "-load x.so", "-o x", "\"\"", "-wg",
        "-DA=\"", "-include x", "--help", "-cl-ext=+all", "-mllvm"}) {
    CompileOptions options;
    std::string error;
    EXPECT_FALSE(parse_compile_options(option, options, error)) << option;
    EXPECT_NE(error.find("error: "), std::string::npos) << option;
  }
}

TEST(CompileOptions, MeanWhatTheySay) {
  CompileOptions options;
  std::string error;
  ASSERT_TRUE(parse_compile_options("", options, error));
  EXPECT_EQ(options.standard, "CL1.2");  // "the highest OpenCL C 1.x language version"
  EXPECT_TRUE(options.optimise);
  ASSERT_TRUE(parse_compile_options("-D A=1 -cl-std=CL3.0 -Ix -cl-opt-disable -D B -cl-std=CL1.1", options, error));
  EXPECT_EQ(options.standard, "CL1.1");  // the last one
  EXPECT_FALSE(options.optimise);
  EXPECT_EQ(options.clang, (Words{"-D", "A=1", "-I", "x", "-D", "B"}));
}

TEST(LinkOptions, Parse) {
  const struct {
    const char* text;
    bool good, library, link_options;
  } cases[] = {
      {"", true, false, false},
      {"-create-library", true, true, false},
      {"-create-library -enable-link-options", true, true, true},
      {"-enable-link-options -create-library", true, true, true},
      {"-enable-link-options", false, false, true},  // "only when ... -create-library"
      {"-cl-denorms-are-zero -cl-no-signed-zeroes -cl-unsafe-math-optimizations", true, false, false},
      {"-cl-finite-math-only -cl-fast-relaxed-math -cl-no-subgroup-ifp", true, false, false},
      {"-cl-mad-enable", false, false, false},  // of the compiler alone
      {"-D X", false, false, false},
      {"-create-librar", false, false, false},
      {"'", false, false, false},
  };
  for (const auto& c : cases) {
    LinkOptions options;
    std::string error;
    EXPECT_EQ(parse_link_options(c.text, options, error), c.good) << c.text;
    EXPECT_EQ(error.empty(), c.good) << c.text;
    if (!c.good) continue;
    EXPECT_EQ(options.create_library, c.library) << c.text;
    EXPECT_EQ(options.enable_link_options, c.link_options) << c.text;
  }
}

}  // namespace

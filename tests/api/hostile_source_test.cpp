// Source that would keep a compiler busy for minutes, or take all memory there is: the build fails in bounded time, its
// log says why, and the program lives on. SLUICE_BUILD_SECONDS is 1 here.
#include <gmock/gmock.h>

#include <chrono>

#include "tests/api/program_fixture.h"

namespace {

using testing::AnyOf;
using testing::HasSubstr;

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}
std::string in_kernel(const std::string& body) {
  return "kernel void k(global int* p) {" + body + "}";
}

class HostileSource : public ProgramTest {
 protected:
  // The log of a build that has to fail. Real time is bounded at four times the limit and one second, and a busy
  // machine needs some to notice.
  std::string failure(const std::string& text, const char* options = nullptr) {
    const auto before = std::chrono::steady_clock::now();
    const std::string said = log_of(text, CL_BUILD_PROGRAM_FAILURE, options);
    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(30));
    EXPECT_EQ(log_of(in_kernel("p[0] = 1;"), CL_SUCCESS), "");
    return said;
  }
  static constexpr const char* too_late = "it took more than 1 s (SLUICE_BUILD_SECONDS)";
};

// clang walks the whole declarator for each of its dimensions.
TEST_F(HostileSource, TwentyThousandDimensions) {
  EXPECT_THAT(failure(in_kernel("int a" + repeated("[1]", 20'000) + ";")), HasSubstr(too_late));
}

TEST_F(HostileSource, TwentyThousandDimensionsOfAMacro) {
  EXPECT_THAT(failure("#define A [1][1][1][1][1][1][1][1][1][1]\n#define B A A A A A A A A A A\n" +
                      in_kernel("int a" + repeated(" B", 200) + ";")),
              HasSubstr(too_late));
}

TEST_F(HostileSource, AHundredThousandFunctions) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) {
    text += "int f" + std::to_string(i) + "(int x) { return x + " + std::to_string(i) + "; }\n";
  }
  EXPECT_THAT(failure(text + in_kernel("p[0] = f7(p[0]);")), HasSubstr(too_late));
}

// A thousand million elements, each of them a node of the compiler's.
TEST_F(HostileSource, RangesOfElements) {
  EXPECT_THAT(failure(in_kernel("int a[1000000000] = {[0 ... 999999999] = 1}; p[0] = a[3];")),
              HasSubstr("the compiler gave up on this program"));
}

TEST_F(HostileSource, InitialValuesOfFourGigabytes) {
  EXPECT_THAT(failure("constant int a[1000000000] = {1, 2};\n" + in_kernel("p[0] = a[p[1]];")),
              HasSubstr("more than 268435456 bytes"));
}

// Everything is inlined: 2^40 calls of f0.
TEST_F(HostileSource, FunctionsThatCallTheLastOneTwice) {
  std::string text = "void f0(global int* p) { p[0] += p[1]; }\n";
  for (int i = 1; i <= 40; ++i) {
    const std::string last = "f" + std::to_string(i - 1) + "(p); ";
    text += "void f" + std::to_string(i) + "(global int* p) { " + last + last + "}\n";
  }
  EXPECT_THAT(failure(text + in_kernel("f40(p);")), HasSubstr("'k' has more than 4000000 instructions"));
}

TEST_F(HostileSource, MacrosOfOptionsThatDoubleEachOther) {
  std::string options = "-DA0=p[0]++;";
  for (int i = 1; i <= 40; ++i) {
    const std::string last = "A" + std::to_string(i - 1);
    options += " -DA" + std::to_string(i) + "=" + last + "/**/" + last;
  }
  // Counting them takes about as long as there is.
  EXPECT_THAT(failure(in_kernel("A40"), options.c_str()), AnyOf(HasSubstr("tokens"), HasSubstr(too_late)));
}

TEST_F(HostileSource, FilesWithoutEnd) {
  EXPECT_THAT(failure("#include \"/dev/zero\"\n" + in_kernel("")), HasSubstr("'/dev/zero'"));
}

// A kernel that the front end takes, but the code generator for hours: found out when the kernel is made.
TEST_F(HostileSource, AKernelThatTakesTooLongToTranslate) {
  cl_program p = source(in_kernel(repeated("if (p[0]) ", 3'000) + "p[1] = 2;" + repeated("p[2] ^= p[p[3]];", 20'000)));
  testing::internal::CaptureStderr();
  cl_int code = build(p);
  std::string said = log(p);
  if (code == CL_SUCCESS) static_cast<void>(clCreateKernel(p, "k", &code));
  said += testing::internal::GetCapturedStderr();
  EXPECT_TRUE(code == CL_BUILD_PROGRAM_FAILURE || code == CL_OUT_OF_RESOURCES) << code;
  EXPECT_THAT(said, HasSubstr(too_late));
}

}  // namespace

// `sluice run --explain`: a line for each command, whose steps add up to the time at which the host knew of its end.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

namespace {

// Of strict_misuse's program `correct`: what it writes to stderr.
std::vector<std::string> lines_of(const std::string& options) {
  const std::string command = std::string(SLUICE) + " run " + options + " -- " + MISUSE + " correct 2>&1 >/dev/null";
  std::FILE* const pipe = ::popen(command.c_str(), "r");
  std::string text;
  std::array<char, 4096> part;
  while (const std::size_t n = std::fread(part.data(), 1, part.size(), pipe)) text.append(part.data(), n);
  EXPECT_EQ(::pclose(pipe), 0);
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST(Explain, OneLineACommandWhoseStepsAddUp) {
  const auto lines = lines_of("--explain");
  const std::array<const char*, 7> operations = {"map_buffer", "unmap", "kernel store_all", "map_buffer", "unmap",
                                                 "map_buffer", "unmap"};
  ASSERT_EQ(lines.size(), operations.size());
  const std::regex form(
      R"( *([0-9.]+) us  #([0-9]+) (.*) on queue 1.*; called ([0-9.]+), queued \+([0-9.]+), submitted \+([0-9.]+), )"
      R"(started \+([0-9.]+), ended \+([0-9.]+), known \+([0-9.]+).*)");
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::smatch m;
    ASSERT_TRUE(std::regex_match(lines[i], m, form)) << lines[i];
    EXPECT_EQ(m[2], std::to_string(i + 1));
    EXPECT_EQ(m[3], operations[i]);
    double known = 0;
    for (int step = 4; step <= 9; ++step) known += std::stod(m[step]);
    EXPECT_NEAR(known, std::stod(m[1]), 0.004) << lines[i];  // seven figures, each rounded to a nanosecond
  }
  EXPECT_NE(lines[3].find("64 KiB device to host at "), std::string::npos) << lines[3];
  EXPECT_NE(lines[2].find("16384 work-items in 64 groups"), std::string::npos) << lines[2];
}

TEST(Explain, SaysTheSameOnEveryRunAndNothingUnasked) {
  EXPECT_EQ(lines_of("--explain"), lines_of("--explain"));
  EXPECT_TRUE(lines_of("").empty());
}

}  // namespace

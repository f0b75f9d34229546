// Reports of findings that no program brings about for sure.
#include "api/strict/findings.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

namespace sluice::api::strict {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

// Code hosts refuse a result without a location: where no frame is known it is the program's file.
TEST(FindingsTest, AResultWithoutAStackNamesTheProgram) {
  const fs::path file = fs::temp_directory_path() / ("sluice-findings-" + std::to_string(::getpid()) + ".sarif");
  Findings findings({file.string()});
  Finding finding;
  finding.rule = Rule::kernel_in_map;
  finding.object = "buffer 1 of 16 bytes";
  EXPECT_TRUE(findings.add(finding));
  finding.key = "another";
  finding.stack.emplace_back();  // code that no file holds
  EXPECT_TRUE(findings.add(finding));
  findings.write();
  const Json sarif = Json::parse(std::ifstream(file), nullptr, false);
  fs::remove(file);
  ASSERT_TRUE(sarif.is_object());
  ASSERT_EQ(sarif["runs"][0]["results"].size(), 2U);
  const std::string program = fs::read_symlink("/proc/self/exe").filename().string();
  for (const Json& found : sarif["runs"][0]["results"]) {
    ASSERT_EQ(found["locations"].size(), 1U);
    const std::string uri = found["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    EXPECT_TRUE(uri.ends_with(program)) << uri;
  }
}

}  // namespace
}  // namespace sluice::api::strict

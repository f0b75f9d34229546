// `sluice run --strict` on a program that commits one misuse after another: each is named, with the rule, the bytes,
// the program's line and the calls before it; what is correct is not.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

struct Result {
  int status = -1;
  std::string output;  // of both streams
};

class StrictTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::temp_directory_path() / (std::string("sluice-strict-") + info->name() + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  static Result shell(const std::string& command) {
    Result result;
    std::FILE* const pipe = ::popen((command + " 2>&1").c_str(), "r");
    if (pipe == nullptr) return result;
    std::array<char, 4096> part;
    while (const std::size_t n = std::fread(part.data(), 1, part.size(), pipe)) result.output.append(part.data(), n);
    const int status = ::pclose(pipe);
    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return result;
  }
  Result run(const std::string& misuse, const std::string& options = "--strict") {
    return shell(std::string(SLUICE) + " run " + options + " --strict-report " + file("json") + " --strict-report " +
                 file("sarif") + " --strict-report " + file("txt") + " -- " + MISUSE + " " + misuse);
  }
  [[nodiscard]] std::string file(const std::string& ending) const { return (folder_ / ("report." + ending)).string(); }
  [[nodiscard]] Json json(const std::string& ending = "json") const {
    std::ifstream in(file(ending));
    return Json::parse(in, nullptr, false);
  }

 private:
  fs::path folder_;
};

// What the report of a misuse must say. The bytes are those of strict_misuse.cpp.
struct Expected {
  const char* misuse;
  const char* rule;
  std::uint64_t begin;
  const char* function;  // of the program, in the stack
  const char* call;      // in the history
};

class Misuse : public StrictTest, public ::testing::WithParamInterface<Expected> {};

TEST_P(Misuse, IsNamedWithItsBytesItsLineAndItsHistory) {
  const Expected& e = GetParam();
  const Result result = run(e.misuse);
  EXPECT_EQ(result.status, 4) << result.output;  // the program ended well
  EXPECT_NE(result.output.find("done\n"), std::string::npos) << "the program did not go on";
  const Json report = json();
  ASSERT_TRUE(report.is_object()) << result.output;
  ASSERT_EQ(report["findings"].size(), 1U) << result.output;
  const Json& found = report["findings"][0];
  EXPECT_EQ(found["rule"], e.rule) << result.output;
  EXPECT_EQ(found["begin"], e.begin) << result.output;
  EXPECT_GT(found["end"], e.begin);
  bool in_stack = false;
  for (const Json& frame : found["stack"]) {
    in_stack |= frame["function"].get<std::string>().find(e.function) != std::string::npos;
  }
  EXPECT_TRUE(in_stack) << e.function << "\n" << result.output;
  // The innermost is the program's, not the driver's within its call.
  EXPECT_EQ(found["stack"][0]["file"].get<std::string>().find(std::string(SOURCES) + "/tests/api/strict_"), 0U)
      << result.output;
  bool in_history = *e.call == '\0';
  for (const Json& line : found["history"]) in_history |= line.get<std::string>().find(e.call) != std::string::npos;
  EXPECT_TRUE(in_history) << e.call << "\n" << result.output;
  EXPECT_NE(result.output.find(std::string("[") + e.rule + "]"), std::string::npos) << result.output;
}

INSTANTIATE_TEST_SUITE_P(
    All, Misuse,
    ::testing::Values(
        Expected{"read_map_written", "read-map-written", 4100, "read_map_written",
                 "clEnqueueMapBuffer on queue 1, CL_MAP_READ"},
        Expected{"access_before_complete", "access-before-complete", 12, "access_before_complete", "not complete"},
        Expected{"access_after_unmap", "access-after-unmap", 20, "access_after_unmap", "clEnqueueUnmapMemObject"},
        Expected{"access_outside_map", "access-outside-map", 65636, "access_outside_map", "CL_MAP_WRITE"},
        Expected{"undefined_read", "undefined-read", 8200, "undefined_read", "CL_MAP_WRITE_INVALIDATE_REGION"},
        Expected{"access_after_many_maps", "access-after-unmap", 20, "access_after_many_maps",
                 "clEnqueueUnmapMemObject"},
        Expected{"access_eight_maps_late", "access-after-unmap", 20, "access_eight_maps_late",
                 "clEnqueueUnmapMemObject"},
        Expected{"read_map_written_after_many", "read-map-written", 4100, "read_map_written", "CL_MAP_READ"},
        Expected{"access_before_complete_after_many", "access-before-complete", 12, "access_before_complete",
                 "not complete"},
        Expected{"access_outside_after_many", "access-outside-map", 65636, "access_outside_map", "CL_MAP_WRITE"},
        Expected{"own_bus_handler", "access-outside-map", 65636, "access_outside_map", "CL_MAP_WRITE"},
        Expected{"kernel_in_map", "kernel-in-map", 0, "kernel_in_map", "of \"load_all\""},
        Expected{"kernel_in_read_map", "kernel-in-map", 300, "kernel_in_read_map", "of \"store_one\""},
        Expected{"command_in_map", "command-in-map", 100, "command_in_map", "clEnqueueReadBuffer"},
        Expected{"command_in_read_map", "command-in-map", 300, "command_in_read_map", "clEnqueueFillBuffer"},
        Expected{"command_given_an_unmapped_pointer", "access-after-unmap", 0, "command_given_an_unmapped_pointer",
                 "clEnqueueUnmapMemObject"},
        Expected{"kernel_before_the_map", "kernel-in-map", 300, "kernel_before_the_map", "of \"store_one\""},
        Expected{"kernel_long_before_the_map", "kernel-in-map", 300, "kernel_long_before_the_map", "of \"store_one\""},
        Expected{"fill_before_the_map", "command-in-map", 1000, "fill_there", "clEnqueueFillBuffer"},
        Expected{"read_into_read_map", "read-map-written", 4100, "read_into_read_map", "CL_MAP_READ"},
        Expected{"readlink_into_read_map", "read-map-written", 4100, "readlink_into_read_map", "CL_MAP_READ"},
        Expected{"written_by_the_system_after_unmap", "access-after-unmap", 20, "written_by_the_system_after_unmap",
                 "clEnqueueUnmapMemObject"},
        Expected{"sent_before_complete", "access-before-complete", 12, "sent_before_complete", "not complete"},
        Expected{"never_unmapped", "never-unmapped", 0, "never_unmapped", "CL_MAP_WRITE"},
        Expected{"unmapped_twice", "unmapped-twice", 0, "unmapped_twice", "clEnqueueUnmapMemObject"},
        Expected{"svm_outside_map", "svm-outside-map", 5000, "svm_outside_map", "clSVMAlloc"},
        Expected{"svm_read_map_written", "read-map-written", 9000, "svm_read_map_written", "clEnqueueSVMMap"},
        Expected{"svm_access_after_unmap", "access-after-unmap", 0, "svm_access_after_unmap", "clEnqueueSVMUnmap"},
        Expected{"svm_kernel_in_map", "kernel-in-map", 300, "svm_kernel_in_map", "of \"store_one\""},
        Expected{"svm_unmapped_twice", "unmapped-twice", 0, "svm_unmapped_twice", "clEnqueueSVMUnmap"},
        Expected{"svm_undefined_read", "undefined-read", 8200, "svm_undefined_read", "CL_MAP_WRITE_INVALIDATE_REGION"},
        Expected{"svm_command_in_map", "command-in-map", 200, "svm_command_in_map", "clEnqueueSVMMemFill"},
        Expected{"svm_never_unmapped", "never-unmapped", 0, "svm_never_unmapped", "clEnqueueSVMMap"},
        Expected{"undefined_read_in_a_loop", "undefined-read", 8200, "undefined_read_in_a_loop",
                 "CL_MAP_WRITE_INVALIDATE_REGION"},
        Expected{"image_read_map_written", "read-map-written", 8, "image_read_map_written", "clEnqueueMapImage"},
        Expected{"image_access_after_unmap", "access-after-unmap", 16, "image_access_after_unmap",
                 "clEnqueueUnmapMemObject"},
        Expected{"write_lost", "write-lost", 5000, "write_lost", "of \"store_all\""},
        Expected{"read_stale", "read-stale", 8196, "read_stale", "of \"store_all\""},
        Expected{"read_stale_behind_a_fill", "read-stale", 12300, "read_stale_behind_a_fill", "clEnqueueFillBuffer"},
        Expected{"own_handler", "read-map-written", 0, "own_handler", "CL_MAP_READ"}),
    [](const auto& info) { return std::string(info.param.misuse); });

class Correct : public StrictTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(Correct, IsNotReported) {
  const Result result = run(GetParam());
  EXPECT_EQ(result.status, 0) << result.output;
  EXPECT_EQ(result.output, "done\n");
  EXPECT_EQ(json()["findings"].size(), 0U);
  EXPECT_EQ(json()["notes"].size(), 0U);
}

INSTANTIATE_TEST_SUITE_P(All, Correct,
                         ::testing::Values("correct", "svm_correct", "threads_correct", "system_calls_correct",
                                           "mapped_as_staging_correct", "host_memory_correct",
                                           "host_image_correct", "many_maps_correct"),
                         [](const auto& info) { return std::string(info.param); });

// What the reports say of it beside the findings.
void expect_note(const Json& report, const Json& sarif, const std::string& output, const std::string& level,
                 const std::string& text) {
  ASSERT_TRUE(report.is_object()) << output;
  EXPECT_NE(output.find("sluice: strict: " + level + ": "), std::string::npos) << output;
  EXPECT_NE(output.find(text), std::string::npos) << output;
  ASSERT_EQ(report["notes"].size(), 1U) << output;
  EXPECT_EQ(report["notes"][0]["level"], level);
  EXPECT_NE(report["notes"][0]["text"].get<std::string>().find(text), std::string::npos);
  const Json& invocation = sarif["runs"][0]["invocations"][0];
  EXPECT_EQ(invocation["executionSuccessful"], true);
  ASSERT_EQ(invocation["toolExecutionNotifications"].size(), 1U);
  const Json& told = invocation["toolExecutionNotifications"][0];
  EXPECT_EQ(told["level"], level);
  EXPECT_NE(told["message"]["text"].get<std::string>().find(text), std::string::npos);
}

TEST_F(StrictTest, MapsThatAreNotWatchedAreTold) {
  const Result result = run("more_maps_than_are_watched");
  EXPECT_EQ(result.status, 0) << result.output;
  expect_note(json(), json("sarif"), result.output, "warning", " maps were not watched");
}

// A program that ends without cleaning up misuses nothing.
TEST_F(StrictTest, AMapThatIsLeftIsANote) {
  const Result result = run("left_mapped");
  EXPECT_EQ(result.status, 0) << result.output;
  EXPECT_EQ(json()["findings"].size(), 0U) << result.output;
  expect_note(json(), json("sarif"), result.output, "note",
              "1 map was never unmapped when the process ended: of buffer 1 of 65536 bytes, bytes 0 to 65535.");
}

TEST_F(StrictTest, AnAccessAfterTheReleaseNamesTheRelease) {
  const Result result = run("access_after_release");
  const Json report = json();
  ASSERT_EQ(report["findings"].size(), 2U) << result.output;
  EXPECT_EQ(report["findings"][0]["rule"], "never-unmapped");
  const Json& found = report["findings"][1];
  EXPECT_EQ(found["rule"], "access-after-release");
  EXPECT_EQ(found["begin"], 10);
  EXPECT_EQ(result.output.find("had unmapped"), std::string::npos) << result.output;
  const Json& history = found["history"];
  ASSERT_EQ(history.size(), 3U) << result.output;
  EXPECT_EQ(history[0], "clCreateBuffer");
  EXPECT_NE(history[1].get<std::string>().find("clEnqueueMapBuffer"), std::string::npos);
  EXPECT_EQ(history[2], "clReleaseMemObject, of the last reference");
}

TEST_F(StrictTest, AbortStopsAtTheFirst) {
  for (const char* misuse : {"access_after_unmap", "kernel_in_map", "unmapped_twice"}) {
    const Result result = run(misuse, "--strict=abort");
    EXPECT_EQ(result.status, 128 + 6) << misuse << "\n" << result.output;
    EXPECT_EQ(result.output.find("done\n"), std::string::npos) << misuse;
    EXPECT_EQ(json()["findings"].size(), 1U) << misuse;
  }
}

// own_handler is seen by libsluice_strict.so alone.
TEST_F(StrictTest, TheEnvironmentAsksForTheSameAsTheOption) {
  const std::string program = std::string(" run -- ") + MISUSE + " own_handler";
  const Result result = shell(std::string("SLUICE_STRICT=1 ") + SLUICE + program);
  EXPECT_EQ(result.status, 4) << result.output;
  EXPECT_NE(result.output.find("[read-map-written]"), std::string::npos) << result.output;
  EXPECT_EQ(shell(std::string("SLUICE_STRICT=0 ") + SLUICE + " run -- " + MISUSE + " access_after_unmap").status, 0);
  EXPECT_EQ(run("access_after_unmap", "").status, 2) << "a report of nothing";
  const Result reported = shell("SLUICE_STRICT=1 " + std::string(SLUICE) + " run --strict-report " + file("json") + " -- " + MISUSE + " correct");
  EXPECT_EQ(reported.status, 0) << reported.output;
  EXPECT_EQ(json()["findings"].size(), 0U);
}

TEST_F(StrictTest, AReportThatCannotBeWrittenIsTold) {
  const std::string nowhere = file("json") + "/nowhere.sarif";
  for (const char* misuse : {"correct", "access_after_unmap"}) {
    const Result result = shell(std::string(SLUICE) + " run --strict --strict-report " + nowhere + " -- " + MISUSE + " " + misuse);
    EXPECT_EQ(result.status, 3) << result.output;
    const std::size_t told = result.output.find(nowhere + ": the report of misuse cannot be written: No such file or directory");
    EXPECT_NE(told, std::string::npos) << result.output;
    EXPECT_EQ(result.output.find(nowhere, told + 1), std::string::npos) << "told twice: " << result.output;
  }
  // The program's own failure is worth more.
  EXPECT_EQ(shell(std::string(SLUICE) + " run --strict --strict-report " + nowhere + " -- sh -c '" + MISUSE + " correct; exit 5'").status, 5);
}

// The parts of SARIF 2.1.0 that a viewer needs: rules, and results that name one and a place.
TEST_F(StrictTest, SarifNamesRuleAndLine) {
  const Result result = run("read_map_written");
  const Json sarif = json("sarif");
  ASSERT_TRUE(sarif.is_object()) << result.output;
  EXPECT_EQ(sarif["version"], "2.1.0");
  const Json& of_run = sarif["runs"][0];
  const Json& found = of_run["results"][0];
  const auto rule = found["ruleIndex"].get<std::size_t>();
  EXPECT_EQ(found["ruleId"], "read-map-written");
  EXPECT_EQ(of_run["tool"]["driver"]["rules"][rule]["id"], found["ruleId"]);
  const Json& place = found["locations"][0]["physicalLocation"];
  EXPECT_EQ(place["artifactLocation"]["uri"], std::string("file://") + SOURCES + "/tests/api/strict_misuse.cpp");
  EXPECT_GT(place["region"]["startLine"], 0);
}

// RFC 3986, 2.1.
std::string decoded(const std::string& uri) {
  std::string path;
  for (std::size_t i = 0; i < uri.size(); ++i) {
    if (uri[i] != '%') {
      path += uri[i];
      continue;
    }
    path += static_cast<char>(std::stoi(uri.substr(i + 1, 2), nullptr, 16));
    i += 2;
  }
  return path;
}

// SARIF 2.1.0, 3.4: a URI that is absolute, or below the base that it names.
fs::path file_of(const Json& run, const Json& artifact) {
  std::string uri = artifact.at("uri");
  if (artifact.contains("uriBaseId")) {
    const std::string base = run.at("originalUriBaseIds").at(artifact["uriBaseId"].get<std::string>()).at("uri");
    EXPECT_EQ(base.back(), '/') << base;
    uri = base + uri;
  }
  EXPECT_EQ(uri.substr(0, 8), "file:///") << uri;
  return decoded(uri.substr(7));
}

// As code hosts and editors look for them, which have the same folder open.
TEST_F(StrictTest, SourcesBelowTheCurrentFolderAreNamedFromThere) {
  const fs::path before = fs::current_path();
  fs::current_path(SOURCES);
  const Result result = run("read_map_written");
  fs::current_path(before);
  const Json sarif = json("sarif");
  ASSERT_TRUE(sarif.is_object()) << result.output;
  const Json& artifact = sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"];
  EXPECT_EQ(artifact["uri"], "tests/api/strict_misuse.cpp");
  EXPECT_EQ(artifact["uriBaseId"], "%SRCROOT%");
  EXPECT_TRUE(fs::equivalent(file_of(sarif["runs"][0], artifact), fs::path(SOURCES) / "tests/api/strict_misuse.cpp"));
  EXPECT_NE(result.output.find(" at tests/api/strict_misuse.cpp:"), std::string::npos) << result.output;
}

// Without debug information the place is the program's file, whatever its name.
TEST_F(StrictTest, AResultWithoutSourceNamesTheProgram) {
  const fs::path home = fs::path(file("txt")).parent_path() / "a b%41:c";
  fs::create_directories(home);
  const Result stripped = shell(std::string("strip -s -o '") + (home / "misuse").string() + "' " + MISUSE);
  if (stripped.status != 0) GTEST_SKIP() << stripped.output;
  const fs::path before = fs::current_path();
  fs::current_path(home);
  const Result result =
      shell(std::string(SLUICE) + " run --strict --strict-report " + file("sarif") + " -- ./misuse read_map_written");
  fs::current_path(before);
  const Json sarif = json("sarif");
  ASSERT_TRUE(sarif.is_object()) << result.output;
  ASSERT_EQ(sarif["runs"][0]["results"].size(), 1U) << result.output;
  const Json& artifact = sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"];
  EXPECT_TRUE(fs::equivalent(file_of(sarif["runs"][0], artifact), home / "misuse")) << artifact;
  // RFC 3986, 3.3 and 2.4: what would mean something else.
  EXPECT_NE(sarif["runs"][0]["originalUriBaseIds"]["%SRCROOT%"]["uri"].get<std::string>().find("/a%20b%2541%3Ac/"),
            std::string::npos);
}

// What the schema of SARIF 2.1.0 requires of each object that is written (OASIS, section 3: sarifLog.version and runs,
// run.tool, tool.driver, toolComponent.name, reportingDescriptor.id, result.message, message.text where it has no id,
// stack.frames) and of the values: level one of four, startLine from 1 on, ruleIndex in the list, an absolute URI.
TEST_F(StrictTest, SarifHasWhatItsSchemaRequires) {
  for (const char* misuse : {"correct", "kernel_in_map", "never_unmapped", "svm_outside_map"}) {
    const Result result = run(misuse);
    const Json sarif = json("sarif");
    ASSERT_TRUE(sarif.is_object()) << result.output;
    EXPECT_EQ(sarif.at("version"), "2.1.0");
    ASSERT_EQ(sarif.at("runs").size(), 1U);
    const Json& of_run = sarif.at("runs").at(0);
    const Json& driver = of_run.at("tool").at("driver");
    EXPECT_TRUE(driver.at("name").is_string());
    for (const Json& rule : driver.at("rules")) {
      EXPECT_TRUE(rule.at("id").is_string());
      EXPECT_TRUE(rule.at("shortDescription").at("text").is_string());
    }
    const auto check_location = [&](const Json& location) {
      const Json& physical = location.at("physicalLocation");
      const auto uri = physical.at("artifactLocation").at("uri").get<std::string>();
      EXPECT_EQ(uri.find(' '), std::string::npos) << uri;
      EXPECT_TRUE(fs::exists(file_of(of_run, physical.at("artifactLocation")))) << uri;
      if (physical.contains("region")) {
        EXPECT_GE(physical.at("region").at("startLine"), 1);
      }
      for (const Json& logical : location.value("logicalLocations", Json::array())) {
        EXPECT_TRUE(logical.at("fullyQualifiedName").is_string());
      }
    };
    EXPECT_EQ(of_run.at("results").size(), std::string(misuse) == "correct" ? 0U : 1U) << result.output;
    for (const Json& found : of_run.at("results")) {
      EXPECT_FALSE(found.at("message").at("text").get<std::string>().empty());
      EXPECT_EQ(found.at("level"), "error");
      EXPECT_EQ(driver.at("rules").at(found.at("ruleIndex").get<std::size_t>()).at("id"), found.at("ruleId"));
      EXPECT_GE(found.at("occurrenceCount"), 1);
      EXPECT_FALSE(found.at("locations").empty());
      for (const Json& location : found.at("locations")) check_location(location);
      for (const Json& stack : found.at("stacks")) {
        EXPECT_FALSE(stack.at("frames").empty());
        for (const Json& frame : stack.at("frames")) check_location(frame.at("location"));
      }
    }
  }
}

TEST_F(StrictTest, TextIsTheSameOnEveryRun) {
  const auto text = [&] {
    run("command_in_map");
    std::ifstream in(file("txt"));
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  const std::string first = text();
  EXPECT_NE(first.find("command-in-map"), std::string::npos);
  EXPECT_EQ(text(), first);
}

// Strict changes no simulated time.
TEST_F(StrictTest, TraceIsTheSameWithAndWithout) {
  const auto trace = [&](const std::string& options) {
    const std::string name = file("jsonl");
    shell(std::string(SLUICE) + " run " + options + " --trace " + name + " -- " + MISUSE + " correct");
    std::ifstream in(name);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  const std::string without = trace("");
  EXPECT_FALSE(without.empty());
  EXPECT_EQ(trace("--strict"), without);
}

TEST_F(StrictTest, UnknownModeIsRefused) {
  EXPECT_EQ(run("correct", "--strict=sometimes").status, 2);
  const Result result = shell(std::string("SLUICE_STRICT=sometimes ") + MISUSE + " correct");
  EXPECT_NE(result.output.find("SLUICE_STRICT: found \"sometimes\"; allowed: 0, 1, report, abort"), std::string::npos)
      << result.output;
}

}  // namespace

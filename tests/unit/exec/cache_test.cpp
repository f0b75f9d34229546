// Kept native code: used again, rebuilt when it is damaged, not shared between options.
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "sim/exec/image_file.h"
#include "tests/unit/exec/fixture.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

class CacheTest : public EngineTest {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              ("sluice_exec_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(folder_);
    options_.cache_folder = folder_ / "kernels";
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::vector<fs::path> files(const std::string& ending) const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(options_.cache_folder)) {
      if (entry.path().string().ends_with(ending)) found.push_back(entry.path());
    }
    return found;
  }
  void expect_works() {
    auto* data = buffer<int>(64);
    for (int i = 0; i < 64; ++i) data[i] = i;
    auto launch = launch_of(load("barriers", options_), "reverse", line(64, 64));
    launch.arguments = {global(data, 64)};
    EXPECT_TRUE(run(launch).good);
    for (int i = 0; i < 64; ++i) EXPECT_EQ(data[i], 63 - i);
  }
  template <typename Image>
  void expect_repair(const std::string& ending) {
    const fs::path file = files(ending).at(0);
    const auto size = fs::file_size(file);
    fs::resize_file(file, size / 2);
    expect_works();
    EXPECT_EQ(fs::file_size(file), size);
    {
      std::fstream damage(file, std::ios::in | std::ios::out | std::ios::binary);
      damage.seekp(static_cast<std::streamoff>(size / 3));
      damage.put('\x5a');
      damage.put('\xa5');
    }
    Image image;
    EXPECT_FALSE(exec::read_image(file, image));
    expect_works();
    Image again;
    EXPECT_TRUE(exec::read_image(file, again));
  }
  fs::path folder_;
  LoadOptions options_;
};

// One of the program and one of the kernel that ran; the program has others, which nobody asked for.
TEST_F(CacheTest, KeepsWhatWasNeededAndUsesIt) {
  expect_works();
  ASSERT_EQ(files(".program").size(), 1U);
  ASSERT_EQ(files(".kernel").size(), 1U);
  const auto written = fs::last_write_time(files(".kernel")[0]);
  expect_works();
  ASSERT_EQ(files(".kernel").size(), 1U);
  EXPECT_EQ(fs::last_write_time(files(".kernel")[0]), written);
  options_.optimise = false;
  expect_works();
  EXPECT_EQ(files(".kernel").size(), 2U);
}

TEST_F(CacheTest, ProcessesThatStartTogetherDoNotDisturbEachOther) {
  std::vector<pid_t> children;
  for (int i = 0; i < 3; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      for (int n = 0; n < 3; ++n) expect_works();
      _exit(HasFailure() ? 1 : 0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(files("").size(), 2U);
}

TEST_F(CacheTest, TheKernelsAreThoseOfTheFile) {
  const auto fresh = load("basic", options_);
  const auto kept = load("basic", options_);
  ASSERT_EQ(fresh->kernels().size(), kept->kernels().size());
  for (std::uint32_t i = 0; i < fresh->kernels().size(); ++i) {
    std::string log;
    EXPECT_TRUE(fresh->prepare(i, log) && kept->prepare(i, log)) << log;
    const KernelInfo &a = fresh->kernels()[i], &b = kept->kernels()[i];
    EXPECT_EQ(a.name, b.name);
    EXPECT_EQ(a.attributes, b.attributes);
    EXPECT_EQ(a.registers, b.registers);
    EXPECT_EQ(a.local_bytes, b.local_bytes);
    ASSERT_EQ(a.arguments.size(), b.arguments.size());
    for (std::size_t k = 0; k < a.arguments.size(); ++k) EXPECT_EQ(a.arguments[k].type_name, b.arguments[k].type_name);
  }
}

TEST_F(CacheTest, DamagedFilesAreRebuilt) {
  expect_works();
  expect_repair<exec::ProgramImage>(".program");
  expect_repair<exec::KernelImage>(".kernel");
}

TEST_F(CacheTest, AFolderThatCannotBeWrittenIsNoError) {
  options_.cache_folder = "/proc/sluice";
  expect_works();
}

}  // namespace
}  // namespace sluice

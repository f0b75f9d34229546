// Kept native code: used again, rebuilt when it is damaged, not shared between options.
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
  std::vector<fs::path> files() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(options_.cache_folder)) found.push_back(entry.path());
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
  fs::path folder_;
  LoadOptions options_;
};

TEST_F(CacheTest, KeepsOneFileAndUsesIt) {
  expect_works();
  ASSERT_EQ(files().size(), 1U);
  const auto written = fs::last_write_time(files()[0]);
  expect_works();
  ASSERT_EQ(files().size(), 1U);
  EXPECT_EQ(fs::last_write_time(files()[0]), written);
  options_.optimise = false;
  expect_works();
  EXPECT_EQ(files().size(), 2U);
}

TEST_F(CacheTest, TheKernelsAreThoseOfTheFile) {
  const auto fresh = load("basic", options_);
  const auto kept = load("basic", options_);
  ASSERT_EQ(fresh->kernels().size(), kept->kernels().size());
  for (std::size_t i = 0; i < fresh->kernels().size(); ++i) {
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
  const fs::path file = files().at(0);
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
  exec::ProgramImage image;
  EXPECT_FALSE(exec::read_image(file, image));
  expect_works();
  exec::ProgramImage again;
  EXPECT_TRUE(exec::read_image(file, again));
}

TEST_F(CacheTest, AFolderThatCannotBeWrittenIsNoError) {
  options_.cache_folder = "/proc/sluice";
  expect_works();
}

}  // namespace
}  // namespace sluice

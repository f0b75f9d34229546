// Results on disk: found while they are whole and true, and no more of them than there may be.
#include "api/compiler/cache.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

namespace {

using namespace sluice::compiler;
namespace fs = std::filesystem;

class CacheTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/sluice-cache-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    root_ = name;
    folder_ = root_ + "/sluice";
  }
  void TearDown() override { fs::remove_all(root_); }

  static Result result() {
    auto image = std::make_shared<Image>();
    image->kind = ImageKind::executable;
    image->kernels = {"a", "b"};
    image->bitcode = {std::byte{1}, std::byte{2}};
    return {.image = image, .log = "a warning\n"};
  }
  void write(const std::string& name, const std::string& text) const { std::ofstream(root_ + "/" + name) << text; }
  [[nodiscard]] std::string path(const std::string& name) const { return root_ + "/" + name; }

  std::string root_, folder_;
};

// The values of the function's authors: http://www.isthe.com/chongo/tech/comp/fnv (FNV-1a, 128 bits).
TEST(Hash, IsFnv1a) {
  EXPECT_EQ(hash_of(""), "6c62272e07bb014262b821756295c58d");
  EXPECT_EQ(hash_of("a"), "d228cb696f1a8caf78912b704e4a8964");
}

TEST_F(CacheTest, WhatWasKeptComesBack) {
  EXPECT_FALSE(find_result(folder_, "key"));
  keep_result(folder_, "key", result());
  const auto found = find_result(folder_, "key");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->log, "a warning\n");
  EXPECT_EQ(found->image->kernels, result().image->kernels);
  EXPECT_EQ(found->image->bitcode, result().image->bitcode);
  EXPECT_FALSE(find_result(folder_, "other"));
  EXPECT_FALSE(find_result("", "key"));
}

TEST_F(CacheTest, FailuresAndWhatChangesAreNotKept) {
  keep_result(folder_, "failed", {.log = "error\n"});
  EXPECT_FALSE(find_result(folder_, "failed"));
  Result changing = result();
  changing.changes = true;
  keep_result(folder_, "changing", changing);
  EXPECT_FALSE(find_result(folder_, "changing"));
}

TEST_F(CacheTest, DamagedFilesAreNone) {
  keep_result(folder_, "key", result());
  const std::string file = folder_ + "/key.build";
  std::ifstream in(file, std::ios::binary);
  const std::string good{std::istreambuf_iterator<char>(in), {}};
  for (std::size_t i = 0; i < good.size(); i += 11) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    std::ofstream(file, std::ios::binary) << bad;
    EXPECT_FALSE(find_result(folder_, "key")) << i;
    std::ofstream(file, std::ios::binary) << good.substr(0, i);
    EXPECT_FALSE(find_result(folder_, "key")) << i;
  }
  keep_result(folder_, "key", result());  // written anew
  EXPECT_TRUE(find_result(folder_, "key"));
}

TEST_F(CacheTest, DependsOnFiles) {
  write("a.h", "one");
  Result r = result();
  r.read = {{path("a.h"), true, hash_of("one")}, {path("absent/a.h"), false}, {root_, true}};
  keep_result(folder_, "key", r);
  EXPECT_TRUE(find_result(folder_, "key"));
  write("a.h", "two");
  EXPECT_FALSE(find_result(folder_, "key"));
  write("a.h", "one");
  EXPECT_TRUE(find_result(folder_, "key"));
  fs::create_directories(path("absent"));
  write("absent/a.h", "one");  // an #include would now find this first
  EXPECT_FALSE(find_result(folder_, "key"));
}

TEST_F(CacheTest, KeysTellProgramsApart) {
  Source source;
  source.text = "a";
  source.headers = {{"h", "t"}};
  const std::string key = cache_key(source, ImageKind::object);
  EXPECT_EQ(cache_key(source, ImageKind::object), key);
  EXPECT_NE(cache_key(source, ImageKind::executable), key);
  Source other = source;
  other.text = "b";
  EXPECT_NE(cache_key(other, ImageKind::object), key);
  other = source;
  other.headers = {{"ht", ""}};
  EXPECT_NE(cache_key(other, ImageKind::object), key);
  other = source;
  other.options.optimise = false;
  EXPECT_NE(cache_key(other, ImageKind::object), key);
  other = source;
  other.options.clang = {"-D", "A"};
  EXPECT_NE(cache_key(other, ImageKind::object), key);
  other = source;
  other.extensions = "-all";
  EXPECT_NE(cache_key(other, ImageKind::object), key);
  const std::uint32_t words[] = {1, 2};
  const std::string il = cache_key(words, {}, {}, ImageKind::object);
  EXPECT_NE(cache_key(words, {{1, 2}}, {}, ImageKind::object), il);
  EXPECT_NE(cache_key(std::span(words).first(1), {}, {}, ImageKind::object), il);
}

TEST_F(CacheTest, TheOldestGo) {
  fs::create_directories(folder_);
  const auto now = fs::file_time_type::clock::now();
  for (int i = 0; i < 10; ++i) {
    const std::string file = folder_ + "/" + std::to_string(i);
    std::ofstream(file) << std::string(1000, 'x');
    fs::last_write_time(file, now - std::chrono::hours((i * 7) % 10));  // ages 0, 7, 4, 1, 8, 5, 2, 9, 6, 3
  }
  EXPECT_EQ(trim_cache(folder_, 10'000), 10'000U);
  EXPECT_TRUE(fs::exists(folder_ + "/7"));
  EXPECT_EQ(trim_cache(folder_, 3'500), 3'000U);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(fs::exists(folder_ + "/" + std::to_string(i)), (i * 7) % 10 < 3) << i;
}

TEST_F(CacheTest, AFolderThatCannotBeWrittenIsNoError) {
  keep_result("/proc/sluice", "key", result());
  EXPECT_FALSE(find_result("/proc/sluice", "key"));
}

}  // namespace

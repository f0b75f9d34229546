// Which pages were written, told by the kernel. Skipped where the kernel (before Linux 6.7) cannot.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "api/objects/touch_tracker.h"

namespace sluice::api {
namespace {

using Piece = TouchTracker::Run;
using Runs = std::vector<Piece>;
constexpr std::size_t page = 4096;
constexpr std::size_t pages = 64;

class Touch : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string missing;
    tracker_ = TouchTracker::open(missing);
    if (tracker_ == nullptr) GTEST_SKIP() << missing;
    void* const p = ::mmap(nullptr, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(p, MAP_FAILED);
    at_ = static_cast<std::byte*>(p);
  }
  void TearDown() override {
    tracker_.reset();
    if (at_ != nullptr) ::munmap(at_, pages * page);
  }
  void write(std::size_t byte) { *static_cast<volatile std::byte*>(at_ + byte) = std::byte{1}; }
  [[nodiscard]] Piece run(std::size_t first, std::size_t count) const { return {at_ + first * page, count * page}; }

  std::unique_ptr<TouchTracker> tracker_;
  std::byte* at_ = nullptr;
};

TEST_F(Touch, WrittenPagesAreTold) {
  write(5 * page);  // before
  std::byte read{};
  ASSERT_TRUE(tracker_->begin(this, 1, at_, pages * page));
  for (const std::size_t n : {3, 4, 9, 63}) write(n * page + 17);
  read = at_[20 * page];  // a read is none, of a page that was never there either
  EXPECT_EQ(read, std::byte{0});
  EXPECT_EQ(tracker_->end(this, 1), (Runs{run(3, 2), run(9, 1), run(63, 1)}));
  EXPECT_EQ(tracker_->end(this, 1), std::nullopt);
  // The pages are ordinary ones again.
  write(30 * page);
  ASSERT_TRUE(tracker_->begin(this, 2, at_, pages * page));
  EXPECT_EQ(tracker_->end(this, 2), Runs{});
}

TEST_F(Touch, OnlyBytesOfTheRegionAreTold) {
  ASSERT_TRUE(tracker_->begin(this, 1, at_ + page + 100, 2 * page));
  write(page);  // its first page, before its first byte
  write(3 * page + 50);
  EXPECT_EQ(tracker_->end(this, 1),
            (Runs{{at_ + page + 100, page - 100}, {at_ + 3 * page, 100}}));
}

TEST_F(Touch, RegionsMayShareAPage) {
  ASSERT_TRUE(tracker_->begin(this, 1, at_, page + 1000));
  write(0);
  write(page);
  ASSERT_TRUE(tracker_->begin(this, 2, at_ + page + 1000, 2 * page));
  write(2 * page);
  EXPECT_EQ(tracker_->end(this, 1), (Runs{{at_, page + 1000}}));
  write(3 * page);
  EXPECT_EQ(tracker_->end(this, 2), (Runs{{at_ + 2 * page, page + 1000}}));
}

// Many runs that are apart: more than one answer of the kernel holds.
TEST_F(Touch, EverySecondPageIsToldApart) {
  constexpr std::size_t many = 4096;
  void* const p = ::mmap(nullptr, many * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(p, MAP_FAILED);
  auto* const bytes = static_cast<std::byte*>(p);
  ASSERT_TRUE(tracker_->begin(this, 1, bytes, many * page));
  for (std::size_t n = 0; n < many; n += 2) *static_cast<volatile std::byte*>(bytes + n * page) = std::byte{1};
  const auto runs = tracker_->end(this, 1);
  ASSERT_TRUE(runs.has_value());
  EXPECT_EQ(runs->size(), many / 2);
  EXPECT_EQ(runs->back(), (Piece{bytes + (many - 2) * page, page}));
  ::munmap(p, many * page);
}

TEST_F(Touch, SystemCallsWriteTheRegion) {
  ASSERT_TRUE(tracker_->begin(this, 1, at_, pages * page));
  const int zero = ::open("/dev/zero", O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(::read(zero, at_ + 7 * page, page), static_cast<ssize_t>(page));
  ::close(zero);
  EXPECT_EQ(tracker_->end(this, 1), (Runs{run(7, 1)}));
}

volatile sig_atomic_t faults = 0;

// A program's own handler, as of one that grows its memory by faults, sees its faults and none of ours.
TEST_F(Touch, AHandlerOfTheProgramSeesItsOwnFaultsOnly) {
  void* const p = ::mmap(nullptr, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(p, MAP_FAILED);
  static void* guarded = nullptr;
  guarded = p;
  struct sigaction mine {};
  struct sigaction before {};
  mine.sa_handler = [](int) {
    faults = faults + 1;
    ::mprotect(guarded, page, PROT_READ | PROT_WRITE);
  };
  ASSERT_EQ(::sigaction(SIGSEGV, &mine, &before), 0);
  ASSERT_TRUE(tracker_->begin(this, 1, at_, pages * page));
  write(page);
  EXPECT_EQ(faults, 0);
  *static_cast<volatile char*>(p) = 1;
  EXPECT_EQ(faults, 1);
  EXPECT_EQ(tracker_->end(this, 1), (Runs{run(1, 1)}));
  ::sigaction(SIGSEGV, &before, nullptr);
  ::munmap(p, page);
}

TEST_F(Touch, MemoryThatIsNotThereIsRefused) {
  void* const p = ::mmap(nullptr, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(p, MAP_FAILED);
  ::munmap(p, page);
  EXPECT_FALSE(tracker_->begin(this, 1, static_cast<std::byte*>(p), page));
  EXPECT_EQ(tracker_->end(this, 1), std::nullopt);
}

class Stores : public Touch {
 protected:
  [[nodiscard]] Runs fresh() {
    Runs all;
    for (const TouchTracker::Fresh& f : tracker_->fresh()) all.push_back(f.written);
    return all;
  }
};

// A page counts each time that it is written; the end of the watch tells of all.
TEST_F(Stores, AreToldAgainAndAgain) {
  ASSERT_TRUE(tracker_->begin(this, 1, at_ + 100, 40 * page, true));
  EXPECT_EQ(fresh(), Runs{});
  write(2 * page);
  write(3 * page);
  write(100);
  EXPECT_EQ(fresh(), (Runs{{at_ + 100, page - 100}, run(2, 2)}));
  EXPECT_EQ(fresh(), Runs{});
  write(3 * page);
  EXPECT_EQ(fresh(), (Runs{run(3, 1)}));
  write(5 * page);
  EXPECT_EQ(tracker_->end(this, 1), (Runs{{at_ + 100, page - 100}, run(2, 2), run(5, 1)}));
  EXPECT_EQ(fresh(), Runs{});
}

TEST_F(Stores, OfSharedPagesCountOnce) {
  ASSERT_TRUE(tracker_->begin(this, 1, at_, 2 * page, true));
  ASSERT_TRUE(tracker_->begin(this, 2, at_ + page, 2 * page, true));
  ASSERT_TRUE(tracker_->begin(this, 3, at_, 3 * page));  // whose stores nobody asks for
  write(page);
  EXPECT_EQ(fresh(), (Runs{run(1, 1)}));
  for (const std::uint64_t n : {1U, 2U, 3U}) EXPECT_EQ(tracker_->end(this, n), (Runs{run(1, 1)}));
}

TEST_F(Stores, WhatCommandsMayHaveWrittenIsNotTheProgram) {
  ASSERT_TRUE(tracker_->begin(this, 1, at_, pages * page, true));
  tracker_->command_writes(7, at_ + 10 * page + 5, page);  // two pages
  for (const std::size_t n : {9, 10, 11, 12}) write(n * page);
  EXPECT_EQ(fresh(), (Runs{run(9, 1), run(12, 1)}));
  write(10 * page);  // and again, before it is over
  tracker_->command_over(7);
  EXPECT_EQ(fresh(), Runs{});
  write(10 * page);  // this time by the program
  EXPECT_EQ(fresh(), (Runs{run(10, 1)}));
  EXPECT_EQ(tracker_->end(this, 1), (Runs{run(9, 4)}));
}

TEST_F(Touch, AnOwnerThatIsGoneIsForgotten) {
  const int other = 0;
  ASSERT_TRUE(tracker_->begin(this, 1, at_, page));
  ASSERT_TRUE(tracker_->begin(&other, 1, at_ + page, page));
  tracker_->forget(this);
  EXPECT_EQ(tracker_->end(this, 1), std::nullopt);
  EXPECT_EQ(tracker_->end(&other, 1), Runs{});
}

}  // namespace
}  // namespace sluice::api

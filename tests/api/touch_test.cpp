// With SLUICE_TOUCH_TRACKING=1 on a machine whose unmaps clean the host's caches: 3 ns for each line of 64 bytes that
// is present, so 192 ns for each page that the program wrote.
#include <cstdlib>
#include <string>

#include "tests/api/fixture.h"

namespace {

constexpr std::size_t page = 4096;
constexpr std::size_t size = 256 * page;
constexpr cl_ulong page_ns = 192;

class TouchTest : public ClTest {
 protected:
  // What cleaning costs once the pages have been written. Lines that are present already cost, too: a new buffer each.
  cl_ulong unmap_ns(const std::vector<std::size_t>& pages, bool filled = false) {
    cl_mem m = buffer(size);
    if (filled) fill(m, 7, size);
    cl_int e = CL_SUCCESS;
    cl_event mapped = nullptr;
    auto* const bytes = static_cast<volatile unsigned char*>(clEnqueueMapBuffer(
        queue, m, CL_FALSE, CL_MAP_READ | CL_MAP_WRITE, 0, size, 0, nullptr, &mapped, &e));
    EXPECT_EQ(e, CL_SUCCESS);
    EXPECT_EQ(clWaitForEvents(1, &mapped), CL_SUCCESS);
    if (filled) {
      EXPECT_EQ(bytes[size - 1], 7);
    }
    for (const std::size_t n : pages) bytes[n * page + 5] = 1;
    cl_event unmapped = nullptr;
    EXPECT_EQ(clEnqueueUnmapMemObject(queue, m, const_cast<unsigned char*>(bytes), 0, nullptr, &unmapped), CL_SUCCESS);
    EXPECT_EQ(clFinish(queue), CL_SUCCESS);
    const cl_ulong ns = duration_ns(unmapped);
    clReleaseEvent(mapped);
    clReleaseEvent(unmapped);
    clReleaseMemObject(m);
    return ns;
  }
  static bool tracks() {
    const char* value = std::getenv("SLUICE_TOUCH_TRACKING");
    return value != nullptr && std::string(value) == "1";
  }
};

TEST_F(TouchTest, UnmapsCleanWhatWasWritten) {
  const cl_ulong none = unmap_ns({});
  const cl_ulong some = unmap_ns({2, 3, 200});
  if (!tracks()) {
    // The map flags say that all was written.
    EXPECT_EQ(none, some);
    EXPECT_GE(none, 256 * page_ns);
    return;
  }
  if (none == some) GTEST_SKIP() << "the kernel does not tell which pages were written";
  EXPECT_LT(none, 256 * page_ns);
  EXPECT_EQ(some - none, 3 * page_ns);
}

// The fill happens before the map is complete, on the device: it is none of the program's writes.
TEST_F(TouchTest, WhatTheDeviceWritesIsNotTheHosts) {
  EXPECT_EQ(unmap_ns({7}, true), unmap_ns({7}));
}

TEST_F(TouchTest, SharedVirtualMemoryIsWatchedToo) {
  const auto run = [&](std::size_t pages) {
    auto* const bytes = static_cast<volatile unsigned char*>(clSVMAlloc(context, CL_MEM_READ_WRITE, size, 0));
    auto* const pointer = const_cast<unsigned char*>(bytes);
    EXPECT_EQ(clEnqueueSVMMap(queue, CL_TRUE, CL_MAP_WRITE, pointer, size, 0, nullptr, nullptr), CL_SUCCESS);
    for (std::size_t n = 0; n < pages; ++n) bytes[2 * n * page] = 1;
    cl_event unmapped = nullptr;
    EXPECT_EQ(clEnqueueSVMUnmap(queue, pointer, 0, nullptr, &unmapped), CL_SUCCESS);
    EXPECT_EQ(clFinish(queue), CL_SUCCESS);
    const cl_ulong ns = duration_ns(unmapped);
    clReleaseEvent(unmapped);
    clSVMFree(context, pointer);
    return ns;
  };
  const cl_ulong none = run(0);
  const cl_ulong some = run(5);
  if (!tracks()) {
    EXPECT_EQ(none, some);
    return;
  }
  if (none == some) GTEST_SKIP() << "the kernel does not tell which pages were written";
  EXPECT_EQ(some - none, 5 * page_ns);
}

// Regions of a buffer may be mapped at once, and share pages.
TEST_F(TouchTest, MapsMayShareAPage) {
  cl_mem m = buffer(size);
  const std::size_t half = page / 2;
  void* first = map(m, CL_MAP_WRITE, 0, half);
  void* second = map(m, CL_MAP_WRITE, half, half);
  std::memset(first, 1, half);
  std::memset(second, 2, half);
  EXPECT_EQ(unmap(m, first), CL_SUCCESS);
  EXPECT_EQ(unmap(m, second), CL_SUCCESS);
  EXPECT_EQ(clFinish(queue), CL_SUCCESS);
  EXPECT_EQ(read(m, page)[half - 1], 1);
  EXPECT_EQ(read(m, page)[half], 2);
  clReleaseMemObject(m);
}

}  // namespace

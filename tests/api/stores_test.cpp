// With SLUICE_TOUCH_TRACKING=1 on a machine whose profile has the time of stores: from the end of a map to the call of the
// unmap lies what the program stores. On the H200's host that is 29.4 bytes a ns where the device has just written the
// lines; stamps come in steps of 256 ns.
#include <cstdlib>
#include <string>

#include "tests/api/fixture.h"

namespace {

constexpr std::size_t page = 4096;
constexpr std::size_t size = 256 * page;

class StoreTest : public ClTest {
 protected:
  // From the END of a map to the QUEUED of its unmap, in ns.
  template <class Between>
  double between_ns(Between&& between) {
    cl_mem m = buffer(size);
    cl_int e = CL_SUCCESS;
    cl_event mapped = nullptr;
    cl_event unmapped = nullptr;
    auto* const bytes = static_cast<unsigned char*>(
        clEnqueueMapBuffer(queue, m, CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, 0, size, 0, nullptr, &mapped, &e));
    EXPECT_EQ(e, CL_SUCCESS);
    between(bytes);
    EXPECT_EQ(clEnqueueUnmapMemObject(queue, m, bytes, 0, nullptr, &unmapped), CL_SUCCESS);
    EXPECT_EQ(clFinish(queue), CL_SUCCESS);
    cl_ulong end = 0;
    cl_ulong queued = 0;
    EXPECT_EQ(clGetEventProfilingInfo(mapped, CL_PROFILING_COMMAND_END, sizeof end, &end, nullptr), CL_SUCCESS);
    EXPECT_EQ(clGetEventProfilingInfo(unmapped, CL_PROFILING_COMMAND_QUEUED, sizeof queued, &queued, nullptr), CL_SUCCESS);
    clReleaseEvent(mapped);
    clReleaseEvent(unmapped);
    clReleaseMemObject(m);
    return static_cast<double>(queued) - static_cast<double>(end);
  }
  static bool tracks() {
    const char* value = std::getenv("SLUICE_TOUCH_TRACKING");
    return value != nullptr && std::string(value) == "1";
  }
};

TEST_F(StoreTest, MappedMemoryTakesTime) {
  const double none = between_ns([](unsigned char*) {});
  const double all = between_ns([](unsigned char* p) {
    for (std::size_t n = 0; n < size; n += page) static_cast<volatile unsigned char*>(p)[n] = 1;
  });
  if (!tracks()) {
    EXPECT_NEAR(all, none, 512);
    return;
  }
  if (all == none) GTEST_SKIP() << "the kernel does not tell which pages were written";
  EXPECT_NEAR(all - none, static_cast<double>(size) / 29.4, 512);
}

// A command's result that lands in mapped memory is not the program's work.
TEST_F(StoreTest, ResultsInMappedMemoryTakeNone) {
  cl_mem other = buffer(size);
  const auto read_to = [&](void* p) {
    EXPECT_EQ(clEnqueueReadBuffer(queue, other, CL_TRUE, 0, size, p, 0, nullptr, nullptr), CL_SUCCESS);
  };
  cl_mem pinned = buffer(size);
  void* const elsewhere = map(pinned, CL_MAP_READ);  // pinned as well, and nobody asks for stores to it
  const double apart = between_ns([&](unsigned char*) { read_to(elsewhere); });
  const double here = between_ns([&](unsigned char* p) { read_to(p); });
  EXPECT_NEAR(here, apart, 512);
  EXPECT_EQ(unmap(pinned, elsewhere), CL_SUCCESS);
  EXPECT_EQ(clFinish(queue), CL_SUCCESS);
  clReleaseMemObject(pinned);
  clReleaseMemObject(other);
}

}  // namespace

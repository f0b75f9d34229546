// The memory of a launch does not grow with its size. SLUICE_LARGE_LAUNCH is the number of work-items.
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "tests/api/program_fixture.h"

namespace {

// The most memory that the process has had.
std::size_t peak_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoul(line.substr(6)) << 10;
  }
  return 0;
}

using LargeLaunch = ProgramTest;

// Each work-item adds to a counter of its own value modulo 4096, so no two groups are alike, and all must run.
TEST_F(LargeLaunch, TakesNoMoreMemoryThanASmallOne) {
  const std::size_t counters = 4096;
  cl_program p = source(
      "kernel void k(global uint* counts, uint n) {\n"
      "  atomic_add(&counts[get_global_id(0) % n], (uint)(get_global_id(0) / n) + 1);\n"
      "}");
  ASSERT_EQ(build(p), CL_SUCCESS) << log(p);
  cl_kernel k = clCreateKernel(p, "k", nullptr);
  cl_mem m = buffer(counters * 4);
  const cl_uint n = counters;
  ASSERT_EQ(clSetKernelArg(k, 0, sizeof m, &m), CL_SUCCESS);
  ASSERT_EQ(clSetKernelArg(k, 1, sizeof n, &n), CL_SUCCESS);
  const std::size_t local = 256;
  const auto run = [&](std::size_t items) {
    fill(m, 0, counters * 4);
    ASSERT_EQ(clEnqueueNDRangeKernel(queue, k, 1, nullptr, &items, &local, 0, nullptr, nullptr), CL_SUCCESS);
    ASSERT_EQ(clFinish(queue), CL_SUCCESS);
    // 1 + 2 + ... + items / n, modulo 2^32.
    const std::size_t rounds = items / counters;
    const auto sum = static_cast<cl_uint>(rounds * (rounds + 1) / 2);
    const std::vector<unsigned char> bytes = read(m, counters * 4);
    for (std::size_t i = 0; i < counters; ++i) {
      cl_uint found = 0;
      std::memcpy(&found, &bytes[4 * i], 4);
      ASSERT_EQ(found, sum) << i;
    }
  };
  run(1 << 16);
  const std::size_t before = peak_bytes();
  ASSERT_GT(before, 0U);
  const char* text = std::getenv("SLUICE_LARGE_LAUNCH");
  ASSERT_NE(text, nullptr);
  run(std::stoul(text));
  const std::size_t after = peak_bytes();
  std::printf("peak %zu MiB after 2^16 work-items, %zu MiB after %s\n", before >> 20, after >> 20, text);
  EXPECT_LT(after - before, std::size_t{16} << 20);
  EXPECT_LT(after, std::size_t{1} << 30);
  clReleaseMemObject(m);
  clReleaseKernel(k);
}

}  // namespace

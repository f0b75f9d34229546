// Shared virtual memory whose pages move to the side that touches them, as a program sees it.
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "tests/api/program_fixture.h"

namespace {

constexpr std::size_t items = 1 << 20;
constexpr std::size_t bytes = items * sizeof(cl_int);

// What touch tracking needs: userfaultfd without privilege, and Linux 6.7.
bool kernel_tells_writes() {
  utsname name{};
  int major = 0;
  int minor = 0;
  if (::uname(&name) != 0 || std::sscanf(name.release, "%d.%d", &major, &minor) != 2) return false;
  const auto faults = ::syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
  if (faults >= 0) ::close(static_cast<int>(faults));
  return faults >= 0 && std::pair(major, minor) >= std::pair(6, 7);
}

class Migration : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    cl_program p = source("kernel void more(global int* a) { a[get_global_id(0)] += 1; }");
    ASSERT_EQ(build(p), CL_SUCCESS) << log(p);
    cl_int e = CL_SUCCESS;
    kernel = clCreateKernel(p, "more", &e);
    ASSERT_EQ(e, CL_SUCCESS);
  }
  void TearDown() override {
    clReleaseKernel(kernel);
    ProgramTest::TearDown();
  }
  // START to END of one launch, in ns.
  cl_ulong launch(const void* pointer) {
    EXPECT_EQ(clSetKernelArgSVMPointer(kernel, 0, pointer), CL_SUCCESS);
    cl_event event = nullptr;
    EXPECT_EQ(clEnqueueNDRangeKernel(queue, kernel, 1, nullptr, &items, nullptr, 0, nullptr, &event), CL_SUCCESS);
    return time_of(event);
  }
  static cl_ulong time_of(cl_event event) {
    EXPECT_EQ(clWaitForEvents(1, &event), CL_SUCCESS);
    cl_ulong begin = 0;
    cl_ulong end = 0;
    clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_START, sizeof begin, &begin, nullptr);
    clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_END, sizeof end, &end, nullptr);
    clReleaseEvent(event);
    return end - begin;
  }
  cl_ulong map_and_unmap(void* pointer) {
    cl_event event = nullptr;
    EXPECT_EQ(clEnqueueSVMMap(queue, CL_TRUE, CL_MAP_READ, pointer, bytes, 0, nullptr, &event), CL_SUCCESS);
    EXPECT_EQ(clEnqueueSVMUnmap(queue, pointer, 0, nullptr, nullptr), CL_SUCCESS);
    return time_of(event);
  }
  // Four batches and an interrupt of no time of its own: what faults cost at least.
  static constexpr cl_ulong faults_ns = 4 * 45'000;

  cl_kernel kernel = nullptr;
};

TEST_F(Migration, PagesFollowWhoTouchesThem) {
  auto* a = static_cast<cl_int*>(clSVMAlloc(context, CL_MEM_READ_WRITE | CL_MEM_SVM_FINE_GRAIN_BUFFER, bytes, 0));
  ASSERT_NE(a, nullptr);
  std::iota(a, a + items, 0);
  const cl_ulong first = launch(a);
  const cl_ulong there = launch(a);
  EXPECT_GT(first, there + faults_ns);
  EXPECT_LT(there, faults_ns);
  for (std::size_t i = 0; i < items; i += 4097) ASSERT_EQ(a[i], static_cast<cl_int>(i) + 2);
  // The host's six faults for each of two blocks; a second map finds the pages.
  EXPECT_GT(map_and_unmap(a), 12 * 4000U);
  EXPECT_LT(map_and_unmap(a), 12 * 4000U);
  EXPECT_GT(launch(a), there + faults_ns);
  clSVMFree(context, a);
}

TEST_F(Migration, PrefetchedPagesDoNotFault) {
  auto* a = static_cast<cl_int*>(clSVMAlloc(context, CL_MEM_READ_WRITE | CL_MEM_SVM_FINE_GRAIN_BUFFER, bytes, 0));
  ASSERT_NE(a, nullptr);
  const void* pointers[] = {a};
  cl_event event = nullptr;
  ASSERT_EQ(clEnqueueSVMMigrateMem(queue, 1, pointers, nullptr, 0, 0, nullptr, &event), CL_SUCCESS);
  EXPECT_GT(time_of(event), 100'000U);  // 4 MiB at most 32 GB/s take 131 us
  EXPECT_LT(launch(a), faults_ns);
  // Half of it back, and the kernel's faults are for that half.
  const std::size_t half = bytes / 2;
  ASSERT_EQ(clEnqueueSVMMigrateMem(queue, 1, pointers, &half, CL_MIGRATE_MEM_OBJECT_HOST, 0, nullptr, &event), CL_SUCCESS);
  EXPECT_GT(time_of(event), 50'000U);
  const cl_ulong faulting = launch(a);
  EXPECT_GT(faulting, faults_ns / 2);
  EXPECT_LT(faulting, faults_ns + 131'000U);
  // A buffer over it moves what it lies on.
  ASSERT_EQ(clEnqueueSVMMigrateMem(queue, 1, pointers, nullptr, CL_MIGRATE_MEM_OBJECT_HOST, 0, nullptr, nullptr), CL_SUCCESS);
  cl_mem over = buffer(bytes, CL_MEM_USE_HOST_PTR, a);
  ASSERT_EQ(clEnqueueMigrateMemObjects(queue, 1, &over, 0, 0, nullptr, nullptr), CL_SUCCESS);
  EXPECT_LT(launch(a), faults_ns);
  clReleaseMemObject(over);
  clSVMFree(context, a);
}

// What was allocated where another allocation was begins at the host.
TEST_F(Migration, FreedPagesAreForgotten) {
  cl_ulong first = 0;
  for (int i = 0; i < 3; ++i) {
    void* a = clSVMAlloc(context, CL_MEM_READ_WRITE | CL_MEM_SVM_FINE_GRAIN_BUFFER, bytes, 0);
    ASSERT_NE(a, nullptr);
    std::memset(a, 0, bytes);
    const cl_ulong took = launch(a);
    if (i == 0) first = took;
    // What the one before left in the device's cache costs a little.
    EXPECT_GT(took, faults_ns);
    EXPECT_NEAR(static_cast<double>(took), static_cast<double>(first), 0.05 * static_cast<double>(first));
    clSVMFree(context, a);
  }
}

// With SLUICE_TOUCH_TRACKING=1 the driver knows of a write that no map tells of: its leaf of 64 KiB is at the host again, and the
// next launch has a batch of 16 faults. Without, nothing is known to have been touched.
TEST_F(Migration, WhatTheProgramWritesWithoutAMapGoesBack) {
  auto* a = static_cast<cl_int*>(clSVMAlloc(context, CL_MEM_READ_WRITE | CL_MEM_SVM_FINE_GRAIN_BUFFER, bytes, 0));
  ASSERT_NE(a, nullptr);
  launch(a);
  const cl_ulong there = launch(a);
  static_cast<volatile cl_int*>(a)[items / 2] = 40;
  const cl_ulong touched = launch(a);
  const char* value = std::getenv("SLUICE_TOUCH_TRACKING");
  if (value == nullptr) {
    EXPECT_LT(touched, there + 1'000U);
  } else if (!kernel_tells_writes()) {
    GTEST_SKIP() << "the kernel does not tell which pages were written";
  } else {
    EXPECT_GT(touched, there + 45'000U);
    EXPECT_LT(touched, there + 2 * 45'000U);
  }
  EXPECT_EQ(a[items / 2], 41);
  // What the kernel wrote is not the program's: the pages stay.
  EXPECT_LT(launch(a), there + 1'000U);
  clSVMFree(context, a);
}

// Memory that was never allocated through the driver: a page a fault, and nothing brings it back.
TEST_F(Migration, SystemMemoryMovesWhenItIsTouched) {
  std::vector<cl_int> a(items, 7);
  const cl_ulong first = launch(a.data());
  const cl_ulong there = launch(a.data());
  EXPECT_GT(first, there + faults_ns);
  EXPECT_EQ(a[items / 2], 9);
}

}  // namespace

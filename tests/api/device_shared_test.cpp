// Buffers in device memory that the host addresses over a coherent link.
#include "tests/api/fixture.h"

namespace {

constexpr std::size_t bytes = 256 << 10;

class DeviceShared : public ClTest {
 protected:
  void SetUp() override {
    ClTest::SetUp();
    shared = buffer(bytes, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR);
    own = buffer(bytes);
  }
  void TearDown() override {
    clReleaseMemObject(shared);
    clReleaseMemObject(own);
    ClTest::TearDown();
  }
  cl_ulong copy() {
    cl_event event = nullptr;
    EXPECT_EQ(clEnqueueCopyBuffer(queue, shared, own, 0, 0, bytes, 0, nullptr, &event), CL_SUCCESS);
    EXPECT_EQ(clWaitForEvents(1, &event), CL_SUCCESS);
    const cl_ulong took = duration_ns(event);
    clReleaseEvent(event);
    return took;
  }
  cl_mem shared = nullptr;
  cl_mem own = nullptr;
};

// A map moves no byte, and shows what the device wrote; what the program writes is what the device reads.
TEST_F(DeviceShared, BothSidesSeeTheSameBytes) {
  fill(shared, 7, bytes);
  auto* p = static_cast<unsigned char*>(map(shared, CL_MAP_READ | CL_MAP_WRITE, 0, bytes));
  ASSERT_NE(p, nullptr);
  EXPECT_EQ(p[bytes - 1], 7);
  p[5] = 9;
  ASSERT_EQ(unmap(shared, p), CL_SUCCESS);
  copy();
  const auto out = read(own, bytes);
  EXPECT_EQ(out[5], 9);
  EXPECT_EQ(out[6], 7);
}

// After the program has written, the device takes its lines back, once: 4096 of them, 16 at a time.
TEST_F(DeviceShared, TheDevicePaysForTheLinesThatTheHostHolds) {
  copy();
  const cl_ulong alone = copy();
  void* p = map(shared, CL_MAP_WRITE, 0, bytes);
  ASSERT_EQ(unmap(shared, p), CL_SUCCESS);
  const cl_ulong waits = copy();
  EXPECT_GT(waits, alone + 4095 * 240 / 16);  // two flights of 120 ns alone
  EXPECT_LT(copy(), alone + 1000);
  // A read map takes lines, too; an unmap after it is nothing.
  p = map(shared, CL_MAP_READ, 0, 64);
  ASSERT_EQ(unmap(shared, p), CL_SUCCESS);
  const cl_ulong one = copy();
  EXPECT_GT(one, alone + 200);
  EXPECT_LT(one, alone + 1000);
}

// A map costs what a call costs, however long: nothing crosses.
TEST_F(DeviceShared, MapsMoveNothing) {
  for (const std::size_t size : {std::size_t{64}, bytes}) {
    cl_int e = CL_SUCCESS;
    cl_event event = nullptr;
    void* p = clEnqueueMapBuffer(queue, shared, CL_TRUE, CL_MAP_READ, 0, size, 0, nullptr, &event, &e);
    ASSERT_EQ(e, CL_SUCCESS);
    EXPECT_LT(duration_ns(event), 2000U) << size;
    clReleaseEvent(event);
    EXPECT_EQ(unmap(shared, p), CL_SUCCESS);
  }
}

}  // namespace

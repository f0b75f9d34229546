// Two devices in one context, each with 64 MiB of which one buffer may have half.
#include <array>

#include "tests/api/fixture.h"

namespace {

constexpr std::size_t mib = 1 << 20;

class TwoDevices : public ::testing::Test {
 protected:
  void SetUp() override {
    cl_platform_id platform = nullptr;
    cl_uint n = 0;
    ASSERT_EQ(clGetPlatformIDs(1, &platform, nullptr), CL_SUCCESS);
    ASSERT_EQ(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 2, devices.data(), &n), CL_SUCCESS);
    ASSERT_EQ(n, 2U) << "SLUICE_PROFILE must be tests/api/profiles/two-devices.json";
    cl_int e = CL_SUCCESS;
    both = clCreateContext(nullptr, 2, devices.data(), nullptr, nullptr, &e);
    ASSERT_EQ(e, CL_SUCCESS);
    for (int i = 0; i < 2; ++i) {
      alone[i] = clCreateContext(nullptr, 1, &devices[i], nullptr, nullptr, &e);
      queues[i] = clCreateCommandQueueWithProperties(both, devices[i], nullptr, &e);
      ASSERT_EQ(e, CL_SUCCESS);
    }
  }
  void TearDown() override {
    for (int i = 0; i < 2; ++i) {
      clReleaseCommandQueue(queues[i]);
      clReleaseContext(alone[i]);
    }
    clReleaseContext(both);
  }
  // How many buffers of 32 MiB the context has room for.
  static std::size_t room(cl_context c) {
    std::vector<cl_mem> all;
    cl_int e = CL_SUCCESS;
    while (e == CL_SUCCESS) {
      cl_mem m = clCreateBuffer(c, CL_MEM_READ_WRITE, 32 * mib, nullptr, &e);
      if (m != nullptr) all.push_back(m);
    }
    EXPECT_EQ(e, CL_MEM_OBJECT_ALLOCATION_FAILURE);
    for (cl_mem m : all) clReleaseMemObject(m);
    return all.size();
  }
  std::array<cl_device_id, 2> devices{};
  std::array<cl_context, 2> alone{};
  std::array<cl_command_queue, 2> queues{};
  cl_context both = nullptr;
};

// A buffer of the context of both takes its room on both; one that found room on the first only gives it back.
TEST_F(TwoDevices, ABufferTakesRoomOnEveryDeviceOfItsContext) {
  cl_int e = CL_SUCCESS;
  EXPECT_EQ(room(both), 2U);
  cl_mem m = clCreateBuffer(both, CL_MEM_READ_WRITE, 32 * mib, nullptr, &e);
  ASSERT_EQ(e, CL_SUCCESS);
  EXPECT_EQ(room(alone[0]), 1U);
  EXPECT_EQ(room(alone[1]), 1U);
  cl_mem n = clCreateBuffer(alone[1], CL_MEM_READ_WRITE, 32 * mib, nullptr, &e);
  ASSERT_EQ(e, CL_SUCCESS);
  EXPECT_EQ(room(both), 0U);
  EXPECT_EQ(room(alone[0]), 1U);
  clReleaseMemObject(n);
  clReleaseMemObject(m);
  EXPECT_EQ(room(both), 2U);
}

TEST_F(TwoDevices, SvmTakesRoomOnEveryDeviceOfItsContext) {
  void* p = clSVMAlloc(both, CL_MEM_READ_WRITE, 32 * mib, 0);
  void* q = clSVMAlloc(both, CL_MEM_READ_WRITE, 32 * mib, 0);
  ASSERT_NE(q, nullptr);
  EXPECT_EQ(clSVMAlloc(both, CL_MEM_READ_WRITE, 1, 0), nullptr);
  EXPECT_EQ(room(alone[1]), 0U);
  clSVMFree(both, p);
  EXPECT_EQ(room(alone[1]), 1U);
  clSVMFree(both, q);
  EXPECT_EQ(room(both), 2U);
}

// What one device wrote, the other reads: an event orders them, and their queues are of one context.
TEST_F(TwoDevices, DataGoFromOneToTheOther) {
  cl_int e = CL_SUCCESS;
  cl_mem m = clCreateBuffer(both, CL_MEM_READ_WRITE, mib, nullptr, &e);
  for (int i = 0; i < 10; ++i) {
    const auto value = static_cast<unsigned char>(i + 1);
    cl_event filled = nullptr;
    ASSERT_EQ(clEnqueueFillBuffer(queues[i % 2], m, &value, 1, 0, mib, 0, nullptr, &filled), CL_SUCCESS);
    void* p = clEnqueueMapBuffer(queues[1 - i % 2], m, CL_TRUE, CL_MAP_READ, 0, mib, 1, &filled, nullptr, &e);
    ASSERT_EQ(e, CL_SUCCESS);
    EXPECT_EQ(static_cast<unsigned char*>(p)[mib - 1], value);
    EXPECT_EQ(clEnqueueUnmapMemObject(queues[i % 2], m, p, 0, nullptr, nullptr), CL_SUCCESS);
    EXPECT_EQ(clFinish(queues[i % 2]), CL_SUCCESS);
    clReleaseEvent(filled);
  }
  clReleaseMemObject(m);
}

// A command of one device that fails takes those of the other that wait for it with it.
TEST_F(TwoDevices, FailureCrosses) {
  cl_int e = CL_SUCCESS;
  cl_event gate = clCreateUserEvent(both, &e);
  cl_event first = nullptr;
  cl_event second = nullptr;
  ASSERT_EQ(clEnqueueMarkerWithWaitList(queues[0], 1, &gate, &first), CL_SUCCESS);
  ASSERT_EQ(clEnqueueMarkerWithWaitList(queues[1], 1, &first, &second), CL_SUCCESS);
  EXPECT_EQ(clSetUserEventStatus(gate, -1), CL_SUCCESS);
  EXPECT_EQ(clWaitForEvents(1, &second), CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
  for (cl_event x : {gate, first, second}) clReleaseEvent(x);
}

TEST_F(TwoDevices, QueuesAndContextsKnowTheirDevice) {
  cl_int e = CL_SUCCESS;
  EXPECT_EQ(clCreateCommandQueueWithProperties(alone[0], devices[1], nullptr, &e), nullptr);
  EXPECT_EQ(e, CL_INVALID_DEVICE);
  cl_device_id twice[3] = {devices[1], devices[1], devices[0]};
  cl_context c = clCreateContext(nullptr, 3, twice, nullptr, nullptr, &e);
  cl_uint n = 0;
  EXPECT_EQ(clGetContextInfo(c, CL_CONTEXT_NUM_DEVICES, sizeof n, &n, nullptr), CL_SUCCESS);
  EXPECT_EQ(n, 2U);  // duplicates are ignored
  clReleaseContext(c);
}

TEST_F(TwoDevices, Migration) {
  cl_int e = CL_SUCCESS;
  cl_mem m = clCreateBuffer(both, CL_MEM_READ_WRITE, mib, nullptr, &e);
  cl_event event = nullptr;
  ASSERT_EQ(clEnqueueMigrateMemObjects(queues[1], 1, &m, 0, 0, nullptr, &event), CL_SUCCESS);
  EXPECT_EQ(clWaitForEvents(1, &event), CL_SUCCESS);
  clReleaseEvent(event);
  clReleaseMemObject(m);
}

}  // namespace

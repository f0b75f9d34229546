// Eight devices in one context: data go round through all of them, and what they do at the same time takes no longer than
// what one does, as each has a link of its own.
#include <array>

#include "tests/api/fixture.h"

namespace {

constexpr std::size_t bytes = 4 << 20;
constexpr std::size_t devices = 8;

class EightDevices : public ::testing::Test {
 protected:
  void SetUp() override {
    cl_platform_id platform = nullptr;
    cl_uint n = 0;
    ASSERT_EQ(clGetPlatformIDs(1, &platform, nullptr), CL_SUCCESS);
    ASSERT_EQ(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, devices, ids_.data(), &n), CL_SUCCESS);
    ASSERT_EQ(n, devices) << "SLUICE_PROFILE must be tests/api/profiles/eight-devices.json";
    cl_int e = CL_SUCCESS;
    context_ = clCreateContext(nullptr, devices, ids_.data(), nullptr, nullptr, &e);
    ASSERT_EQ(e, CL_SUCCESS);
    const cl_queue_properties profiling[] = {CL_QUEUE_PROPERTIES, CL_QUEUE_PROFILING_ENABLE, 0};
    for (std::size_t i = 0; i < devices; ++i) {
      queues_[i] = clCreateCommandQueueWithProperties(context_, ids_[i], profiling, &e);
      ASSERT_EQ(e, CL_SUCCESS);
      buffers_[i] = clCreateBuffer(context_, CL_MEM_READ_WRITE, bytes, nullptr, &e);
      ASSERT_EQ(e, CL_SUCCESS);
    }
  }
  void TearDown() override {
    for (std::size_t i = 0; i < devices; ++i) {
      clReleaseMemObject(buffers_[i]);
      clReleaseCommandQueue(queues_[i]);
    }
    clReleaseContext(context_);
  }
  static cl_ulong duration(cl_event event) {
    cl_ulong begin = 0;
    cl_ulong end = 0;
    EXPECT_EQ(clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_START, sizeof begin, &begin, nullptr), CL_SUCCESS);
    EXPECT_EQ(clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_END, sizeof end, &end, nullptr), CL_SUCCESS);
    return end - begin;
  }
  std::array<cl_device_id, devices> ids_{};
  std::array<cl_command_queue, devices> queues_{};
  std::array<cl_mem, devices> buffers_{};
  cl_context context_ = nullptr;
};

// Device i copies what device i - 1 wrote.
TEST_F(EightDevices, DataGoRound) {
  std::vector<unsigned char> data(bytes);
  for (std::size_t i = 0; i < bytes; ++i) data[i] = static_cast<unsigned char>(i * 7);
  cl_event last = nullptr;
  ASSERT_EQ(clEnqueueWriteBuffer(queues_[0], buffers_[0], CL_FALSE, 0, bytes, data.data(), 0, nullptr, &last), CL_SUCCESS);
  for (std::size_t i = 1; i < devices; ++i) {
    cl_event next = nullptr;
    ASSERT_EQ(clEnqueueCopyBuffer(queues_[i], buffers_[i - 1], buffers_[i], 0, 0, bytes, 1, &last, &next), CL_SUCCESS);
    clReleaseEvent(last);
    last = next;
  }
  std::vector<unsigned char> back(bytes);
  ASSERT_EQ(clEnqueueReadBuffer(queues_[0], buffers_[7], CL_TRUE, 0, bytes, back.data(), 1, &last, nullptr), CL_SUCCESS);
  clReleaseEvent(last);
  EXPECT_EQ(back, data);
}

TEST_F(EightDevices, LinksAreTheirOwn) {
  cl_int e = CL_SUCCESS;
  cl_mem mirror = clCreateBuffer(context_, CL_MEM_ALLOC_HOST_PTR, bytes, nullptr, &e);
  void* pinned = clEnqueueMapBuffer(queues_[0], mirror, CL_TRUE, CL_MAP_READ, 0, bytes, 0, nullptr, nullptr, &e);
  ASSERT_EQ(e, CL_SUCCESS);
  const auto write = [&](std::size_t i, cl_bool blocking) {
    cl_event event = nullptr;
    EXPECT_EQ(clEnqueueWriteBuffer(queues_[i], buffers_[i], blocking, 0, bytes, pinned, 0, nullptr, &event), CL_SUCCESS);
    return event;
  };
  std::array<cl_ulong, devices> alone{};
  for (std::size_t i = 0; i < devices; ++i) {
    cl_event event = write(i, CL_TRUE);
    alone[i] = duration(event);
    clReleaseEvent(event);
  }
  std::array<cl_event, devices> together{};
  for (std::size_t i = 0; i < devices; ++i) together[i] = write(i, CL_FALSE);
  ASSERT_EQ(clWaitForEvents(devices, together.data()), CL_SUCCESS);
  for (std::size_t i = 0; i < devices; ++i) {
    EXPECT_NEAR(static_cast<double>(duration(together[i])), static_cast<double>(alone[i]), 1.0) << i;  // stamps are cut to ns
    clReleaseEvent(together[i]);
  }
  EXPECT_EQ(clEnqueueUnmapMemObject(queues_[0], mirror, pinned, 0, nullptr, nullptr), CL_SUCCESS);
  EXPECT_EQ(clFinish(queues_[0]), CL_SUCCESS);
  clReleaseMemObject(mirror);
}

}  // namespace

// Eight devices in one context, with a queue and a buffer each.
#pragma once

#include <array>
#include <vector>

#include "tests/api/fixture.h"

namespace sluice::test {

inline constexpr std::size_t bytes = 4 << 20;
inline constexpr std::size_t devices = 8;

class EightDevices : public ::testing::Test {
 protected:
  void SetUp() override {
    cl_platform_id platform = nullptr;
    cl_uint n = 0;
    ASSERT_EQ(clGetPlatformIDs(1, &platform, nullptr), CL_SUCCESS);
    ASSERT_EQ(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, devices, ids_.data(), &n), CL_SUCCESS);
    ASSERT_EQ(n, devices) << "SLUICE_PROFILE must be one of tests/api/profiles/eight-*.json";
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
  // Device i copies what device i - 1 wrote.
  void let_data_go_round() {
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
  // Of an event that nobody needs any more: START and END.
  static std::pair<cl_ulong, cl_ulong> span(cl_event event) {
    std::pair<cl_ulong, cl_ulong> span;
    EXPECT_EQ(clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_START, sizeof span.first, &span.first, nullptr), CL_SUCCESS);
    EXPECT_EQ(clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_END, sizeof span.second, &span.second, nullptr), CL_SUCCESS);
    clReleaseEvent(event);
    return span;
  }
  static cl_ulong duration(cl_event event) {
    const auto [begin, end] = span(event);
    return end - begin;
  }
  std::array<cl_device_id, devices> ids_{};
  std::array<cl_command_queue, devices> queues_{};
  std::array<cl_mem, devices> buffers_{};
  cl_context context_ = nullptr;
};

}  // namespace sluice::test

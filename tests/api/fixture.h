// One context and queue on the first device of the driver under test.
#pragma once

#include <CL/cl.h>
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

class ClTest : public ::testing::Test {
 protected:
  void SetUp() override {
    cl_platform_id platform = nullptr;
    ASSERT_EQ(clGetPlatformIDs(1, &platform, nullptr), CL_SUCCESS);
    ASSERT_EQ(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, nullptr), CL_SUCCESS);
    cl_int e = CL_SUCCESS;
    context = clCreateContext(nullptr, 1, &device, nullptr, nullptr, &e);
    ASSERT_EQ(e, CL_SUCCESS);
    other_context = clCreateContext(nullptr, 1, &device, nullptr, nullptr, &e);
    ASSERT_EQ(e, CL_SUCCESS);
    queue = make_queue(context, CL_QUEUE_PROFILING_ENABLE);
    other_queue = make_queue(other_context, 0);
  }
  void TearDown() override {
    clFinish(queue);
    clReleaseCommandQueue(queue);
    clReleaseCommandQueue(other_queue);
    clReleaseContext(context);
    clReleaseContext(other_context);
  }
  cl_command_queue make_queue(cl_context c, cl_command_queue_properties p) {
    const cl_queue_properties list[] = {CL_QUEUE_PROPERTIES, p, 0};
    cl_int e = CL_SUCCESS;
    cl_command_queue q = clCreateCommandQueueWithProperties(c, device, list, &e);
    EXPECT_EQ(e, CL_SUCCESS);
    return q;
  }
  cl_mem buffer(std::size_t size = 65536, cl_mem_flags flags = CL_MEM_READ_WRITE, void* p = nullptr) {
    cl_int e = CL_SUCCESS;
    cl_mem m = clCreateBuffer(context, flags, size, p, &e);
    EXPECT_EQ(e, CL_SUCCESS);
    return m;
  }
  cl_int map_error(cl_mem m, cl_map_flags flags, std::size_t offset = 0, std::size_t size = 4096) {
    cl_int e = CL_SUCCESS;
    void* p = clEnqueueMapBuffer(queue, m, CL_TRUE, flags, offset, size, 0, nullptr, nullptr, &e);
    EXPECT_EQ(p == nullptr, e != CL_SUCCESS);
    return e;
  }
  cl_uint map_count(cl_mem m) {
    cl_uint n = 99;
    EXPECT_EQ(clGetMemObjectInfo(m, CL_MEM_MAP_COUNT, sizeof n, &n, nullptr), CL_SUCCESS);
    return n;
  }
  void* map(cl_mem m, cl_map_flags flags, std::size_t offset = 0, std::size_t size = 4096, cl_bool blocking = CL_TRUE) {
    cl_int e = CL_SUCCESS;
    void* p = clEnqueueMapBuffer(queue, m, blocking, flags, offset, size, 0, nullptr, nullptr, &e);
    EXPECT_EQ(e, CL_SUCCESS);
    return p;
  }
  cl_int unmap(cl_mem m, void* p) { return clEnqueueUnmapMemObject(queue, m, p, 0, nullptr, nullptr); }
  cl_mem sub_buffer(cl_mem m, std::size_t origin, std::size_t size) {
    const cl_buffer_region region{origin, size};
    cl_int e = CL_SUCCESS;
    cl_mem sub = clCreateSubBuffer(m, 0, CL_BUFFER_CREATE_TYPE_REGION, &region, &e);
    EXPECT_EQ(e, CL_SUCCESS);
    return sub;
  }
  // Sets every byte on the device.
  void fill(cl_mem m, unsigned char value, std::size_t size) {
    EXPECT_EQ(clEnqueueFillBuffer(queue, m, &value, 1, 0, size, 0, nullptr, nullptr), CL_SUCCESS);
  }
  std::vector<unsigned char> read(cl_mem m, std::size_t size) {
    std::vector<unsigned char> out(size);
    EXPECT_EQ(clEnqueueReadBuffer(queue, m, CL_TRUE, 0, size, out.data(), 0, nullptr, nullptr), CL_SUCCESS);
    return out;
  }
  cl_event user_event(cl_context c = nullptr) {
    cl_int e = CL_SUCCESS;
    cl_event event = clCreateUserEvent(c == nullptr ? context : c, &e);
    EXPECT_EQ(e, CL_SUCCESS);
    return event;
  }
  static cl_int status(cl_event event) {
    cl_int s = 99;
    EXPECT_EQ(clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof s, &s, nullptr), CL_SUCCESS);
    return s;
  }
  static cl_command_type command_type(cl_event event) {
    cl_command_type t = 0;
    EXPECT_EQ(clGetEventInfo(event, CL_EVENT_COMMAND_TYPE, sizeof t, &t, nullptr), CL_SUCCESS);
    return t;
  }
  // From start to end on the device, of a complete command.
  static cl_ulong duration_ns(cl_event event) {
    cl_ulong start = 0;
    cl_ulong end = 0;
    EXPECT_EQ(clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_START, sizeof start, &start, nullptr), CL_SUCCESS);
    EXPECT_EQ(clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_END, sizeof end, &end, nullptr), CL_SUCCESS);
    return end - start;
  }
  cl_event failed_event() {
    cl_int e = CL_SUCCESS;
    cl_event event = clCreateUserEvent(context, &e);
    EXPECT_EQ(clSetUserEventStatus(event, -7), CL_SUCCESS);
    return event;
  }

  cl_device_id device = nullptr;
  cl_context context = nullptr;
  cl_context other_context = nullptr;
  cl_command_queue queue = nullptr;
  cl_command_queue other_queue = nullptr;
};

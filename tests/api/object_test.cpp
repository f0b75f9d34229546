// Lives of objects, order of commands, and data, through the loader.
#include <algorithm>
#include <array>
#include <atomic>
#include <random>

#include "tests/api/fixture.h"

namespace {

using Objects = ClTest;
using Order = ClTest;

// Any legal order of release; LeakSanitizer looks at the end.
TEST_F(Objects, ReleaseInAnyOrder) {
  std::array<int, 5> order{0, 1, 2, 3, 4};
  do {
    cl_int e = CL_SUCCESS;
    cl_context c = clCreateContext(nullptr, 1, &device, nullptr, nullptr, &e);
    cl_command_queue q = make_queue(c, 0);
    cl_mem m = clCreateBuffer(c, CL_MEM_READ_WRITE, 65536, nullptr, &e);
    const cl_buffer_region region{4096, 4096};
    cl_mem sub = clCreateSubBuffer(m, 0, CL_BUFFER_CREATE_TYPE_REGION, &region, &e);
    ASSERT_EQ(e, CL_SUCCESS);
    const cl_uint zero = 0;
    cl_event event = nullptr;
    ASSERT_EQ(clEnqueueFillBuffer(q, sub, &zero, 4, 0, 4096, 0, nullptr, &event), CL_SUCCESS);
    for (const int i : order) {
      switch (i) {
        case 0:
          EXPECT_EQ(clReleaseContext(c), CL_SUCCESS);
          break;
        case 1:
          EXPECT_EQ(clReleaseCommandQueue(q), CL_SUCCESS);
          break;
        case 2:
          EXPECT_EQ(clReleaseMemObject(m), CL_SUCCESS);
          break;
        case 3:
          EXPECT_EQ(clReleaseMemObject(sub), CL_SUCCESS);
          break;
        default:
          EXPECT_EQ(clReleaseEvent(event), CL_SUCCESS);
          break;
      }
    }
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_F(Objects, ReferenceCounts) {
  cl_mem m = buffer();
  cl_uint n = 0;
  EXPECT_EQ(clRetainMemObject(m), CL_SUCCESS);
  clGetMemObjectInfo(m, CL_MEM_REFERENCE_COUNT, sizeof n, &n, nullptr);
  EXPECT_EQ(n, 2U);
  EXPECT_EQ(clReleaseMemObject(m), CL_SUCCESS);
  EXPECT_EQ(clGetMemObjectInfo(m, CL_MEM_REFERENCE_COUNT, 1, &n, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(clGetMemObjectInfo(m, 0xFFFF, sizeof n, &n, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(clReleaseMemObject(m), CL_SUCCESS);
}

TEST_F(Objects, BufferArguments) {
  cl_int e = CL_SUCCESS;
  char host[64] = {};
  const auto code = [&](cl_mem_flags flags, std::size_t size, void* p) {
    cl_mem m = clCreateBuffer(context, flags, size, p, &e);
    if (m != nullptr) clReleaseMemObject(m);
    return e;
  };
  EXPECT_EQ(code(CL_MEM_READ_ONLY | CL_MEM_WRITE_ONLY, 64, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(code(CL_MEM_HOST_READ_ONLY | CL_MEM_HOST_NO_ACCESS, 64, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(code(CL_MEM_USE_HOST_PTR | CL_MEM_COPY_HOST_PTR, 64, host), CL_INVALID_VALUE);
  EXPECT_EQ(code(CL_MEM_READ_WRITE, 0, nullptr), CL_INVALID_BUFFER_SIZE);
  EXPECT_EQ(code(CL_MEM_USE_HOST_PTR, 64, nullptr), CL_INVALID_HOST_PTR);
  EXPECT_EQ(code(CL_MEM_READ_WRITE, 64, host), CL_INVALID_HOST_PTR);
  EXPECT_EQ(code(CL_MEM_ALLOC_HOST_PTR | CL_MEM_COPY_HOST_PTR, 64, host), CL_SUCCESS);
}

// CL_MEM_FLAGS: "Return the flags argument value specified when memobj is created"; a sub-buffer has the qualifiers of
// its parent besides. CL_MEM_READ_WRITE is what 0 means, not what it is stored as.
TEST_F(Objects, FlagsAreThoseOfCreation) {
  const auto flags_of = [](cl_mem m) {
    cl_mem_flags flags = 99;
    EXPECT_EQ(clGetMemObjectInfo(m, CL_MEM_FLAGS, sizeof flags, &flags, nullptr), CL_SUCCESS);
    return flags;
  };
  for (const cl_mem_flags flags :
       {cl_mem_flags(0), cl_mem_flags(CL_MEM_READ_WRITE), cl_mem_flags(CL_MEM_HOST_READ_ONLY),
        cl_mem_flags(CL_MEM_WRITE_ONLY | CL_MEM_ALLOC_HOST_PTR)}) {
    cl_mem m = buffer(8192, flags);
    EXPECT_EQ(flags_of(m), flags);
    const cl_buffer_region region{4096, 4096};
    cl_int e = CL_SUCCESS;
    cl_mem sub = clCreateSubBuffer(m, 0, CL_BUFFER_CREATE_TYPE_REGION, &region, &e);
    ASSERT_EQ(e, CL_SUCCESS);
    EXPECT_EQ(flags_of(sub), flags);
    clReleaseMemObject(sub);
    clReleaseMemObject(m);
  }
  // Without a qualifier of its own the parent is read-write, and the window may be anything.
  cl_mem m = buffer(8192, 0);
  const cl_buffer_region region{0, 4096};
  cl_int e = CL_SUCCESS;
  cl_mem sub = clCreateSubBuffer(m, CL_MEM_READ_ONLY, CL_BUFFER_CREATE_TYPE_REGION, &region, &e);
  ASSERT_EQ(e, CL_SUCCESS);
  EXPECT_EQ(flags_of(sub), cl_mem_flags(CL_MEM_READ_ONLY));
  clReleaseMemObject(sub);
  clReleaseMemObject(m);
}

// More memory than the profile has, without the machine running out.
// OpenCL 3.0, appendix A.2 ("Features from OpenCL 2.0 and later are optional") and the errors of each function: what the
// queries say is not there is refused with the code that the function's page has for it.
TEST_F(Objects, WhatIsNotOffered) {
  cl_int e = 0;
  const auto answer = [&](cl_device_info name) {
    cl_ulong value = 99;
    std::size_t size = 0;
    EXPECT_EQ(clGetDeviceInfo(device, name, sizeof value, &value, &size), CL_SUCCESS);
    return size == sizeof(cl_uint) ? value & 0xffffffffU : value;
  };
  // Queues on the device.
  EXPECT_EQ(answer(CL_DEVICE_DEVICE_ENQUEUE_CAPABILITIES), 0U);
  EXPECT_EQ(answer(CL_DEVICE_MAX_ON_DEVICE_QUEUES), 0U);
  EXPECT_EQ(answer(CL_DEVICE_QUEUE_ON_DEVICE_PROPERTIES), 0U);
  const cl_queue_properties on_device[] = {CL_QUEUE_PROPERTIES,
                                           CL_QUEUE_ON_DEVICE | CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE, 0};
  EXPECT_EQ(clCreateCommandQueueWithProperties(context, device, on_device, &e), nullptr);
  EXPECT_EQ(e, CL_INVALID_QUEUE_PROPERTIES);
  const cl_queue_properties in_order[] = {CL_QUEUE_PROPERTIES, CL_QUEUE_ON_DEVICE, 0};
  EXPECT_EQ(clCreateCommandQueueWithProperties(context, device, in_order, &e), nullptr);
  EXPECT_EQ(e, CL_INVALID_VALUE);
  const cl_queue_properties sized[] = {CL_QUEUE_SIZE, 4096, 0};  // "can only be specified if CL_QUEUE_ON_DEVICE is set"
  EXPECT_EQ(clCreateCommandQueueWithProperties(context, device, sized, &e), nullptr);
  EXPECT_EQ(e, CL_INVALID_VALUE);
  EXPECT_EQ(clSetDefaultDeviceCommandQueue(context, device, queue), CL_INVALID_OPERATION);
  // Sub-devices: "valid but not supported by the device" is CL_INVALID_VALUE.
  EXPECT_EQ(answer(CL_DEVICE_PARTITION_MAX_SUB_DEVICES), 0U);
  const cl_device_partition_property halves[] = {CL_DEVICE_PARTITION_EQUALLY, 2, 0};
  cl_uint count = 0;
  EXPECT_EQ(clCreateSubDevices(device, halves, 0, nullptr, &count), CL_INVALID_VALUE);
  // Functions of the host, built-in kernels, and mipmaps (cl_khr_mipmap_image).
  EXPECT_EQ(clEnqueueNativeKernel(queue, [](void*) {}, nullptr, 0, 0, nullptr, nullptr, 0, nullptr, nullptr),
            CL_INVALID_OPERATION);
  EXPECT_EQ(clCreateProgramWithBuiltInKernels(context, 1, &device, "copy", &e), nullptr);
  EXPECT_EQ(e, CL_INVALID_VALUE);
  const cl_sampler_properties mipmap[] = {CL_SAMPLER_MIP_FILTER_MODE, CL_FILTER_LINEAR, 0};
  EXPECT_EQ(clCreateSamplerWithProperties(context, mipmap, &e), nullptr);
  EXPECT_EQ(e, CL_INVALID_VALUE);
  const cl_image_format format{CL_RGBA, CL_UNORM_INT8};
  cl_image_desc levels{};
  levels.image_type = CL_MEM_OBJECT_IMAGE2D;
  levels.image_width = levels.image_height = 8;
  levels.num_mip_levels = 2;
  EXPECT_EQ(clCreateImage(context, 0, &format, &levels, nullptr, &e), nullptr);
  EXPECT_EQ(e, CL_INVALID_IMAGE_DESCRIPTOR);
}

TEST_F(Objects, DeviceMemoryEnds) {
  cl_ulong total = 0;
  cl_ulong largest = 0;
  clGetDeviceInfo(device, CL_DEVICE_GLOBAL_MEM_SIZE, sizeof total, &total, nullptr);
  clGetDeviceInfo(device, CL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof largest, &largest, nullptr);
  std::vector<cl_mem> all;
  cl_int e = CL_SUCCESS;
  while (e == CL_SUCCESS && all.size() < 100) {
    cl_mem m = clCreateBuffer(context, CL_MEM_READ_WRITE, largest, nullptr, &e);
    if (m != nullptr) all.push_back(m);
  }
  EXPECT_EQ(e, CL_MEM_OBJECT_ALLOCATION_FAILURE);
  EXPECT_EQ(all.size(), total / largest);
  for (cl_mem m : all) clReleaseMemObject(m);
}

TEST_F(Order, ProfilingStampsGrow) {
  cl_mem m = buffer(1 << 20);
  std::vector<char> data(1 << 20, 1);
  cl_event event = nullptr;
  ASSERT_EQ(clEnqueueWriteBuffer(queue, m, CL_TRUE, 0, data.size(), data.data(), 0, nullptr, &event), CL_SUCCESS);
  cl_ulong last = 0;
  for (const cl_profiling_info info :
       {CL_PROFILING_COMMAND_QUEUED, CL_PROFILING_COMMAND_SUBMIT, CL_PROFILING_COMMAND_START, CL_PROFILING_COMMAND_END,
        CL_PROFILING_COMMAND_COMPLETE}) {
    cl_ulong t = 0;
    ASSERT_EQ(clGetEventProfilingInfo(event, info, sizeof t, &t, nullptr), CL_SUCCESS);
    EXPECT_GE(t, last);
    last = t;
  }
  clReleaseEvent(event);
  clReleaseMemObject(m);
}

// Random rectangles against a host reference.
TEST_F(Order, RectanglesMoveTheRightBytes) {
  std::mt19937 random(5);
  constexpr std::size_t side = 64;
  std::vector<unsigned char> device_copy(side * side * 4);
  std::vector<unsigned char> host(side * side * 4);
  for (auto& b : host) b = static_cast<unsigned char>(random());
  cl_mem m = buffer(device_copy.size());
  const cl_uchar zero = 0;
  clEnqueueFillBuffer(queue, m, &zero, 1, 0, device_copy.size(), 0, nullptr, nullptr);
  for (int i = 0; i < 100; ++i) {
    const std::size_t region[3] = {1 + random() % 20, 1 + random() % 20, 1 + random() % 3};
    const std::size_t to[3] = {random() % 40, random() % 40, random() % 2};
    const std::size_t from[3] = {random() % 40, random() % 40, random() % 2};
    ASSERT_EQ(clEnqueueWriteBufferRect(queue, m, CL_FALSE, to, from, region, side, side * side, side, side * side,
                                       host.data(), 0, nullptr, nullptr),
              CL_SUCCESS);
    for (std::size_t z = 0; z < region[2]; ++z) {
      for (std::size_t y = 0; y < region[1]; ++y) {
        std::memcpy(&device_copy[((to[2] + z) * side + to[1] + y) * side + to[0]],
                    &host[((from[2] + z) * side + from[1] + y) * side + from[0]], region[0]);
      }
    }
  }
  std::vector<unsigned char> out(device_copy.size());
  ASSERT_EQ(clEnqueueReadBuffer(queue, m, CL_TRUE, 0, out.size(), out.data(), 0, nullptr, nullptr), CL_SUCCESS);
  EXPECT_EQ(out, device_copy);
  clReleaseMemObject(m);
}

TEST_F(Order, TransfersCheckTheirArguments) {
  cl_mem m = buffer(4096);
  cl_mem closed = buffer(4096, CL_MEM_HOST_NO_ACCESS);
  char data[64] = {};
  EXPECT_EQ(clEnqueueReadBuffer(queue, m, CL_TRUE, 4090, 16, data, 0, nullptr, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(clEnqueueReadBuffer(queue, m, CL_TRUE, 0, 16, nullptr, 0, nullptr, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(clEnqueueReadBuffer(queue, closed, CL_TRUE, 0, 16, data, 0, nullptr, nullptr), CL_INVALID_OPERATION);
  EXPECT_EQ(clEnqueueWriteBuffer(queue, closed, CL_TRUE, 0, 16, data, 0, nullptr, nullptr), CL_INVALID_OPERATION);
  EXPECT_EQ(clEnqueueCopyBuffer(queue, m, m, 0, 8, 16, 0, nullptr, nullptr), CL_MEM_COPY_OVERLAP);
  EXPECT_EQ(clEnqueueFillBuffer(queue, m, data, 3, 0, 12, 0, nullptr, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(clEnqueueFillBuffer(queue, m, data, 4, 2, 12, 0, nullptr, nullptr), CL_INVALID_VALUE);
  clReleaseMemObject(m);
  clReleaseMemObject(closed);
}

TEST_F(Order, AFailedUserEventEndsItsDependents) {
  cl_mem m = buffer(64);
  cl_int e = CL_SUCCESS;
  cl_event gate = clCreateUserEvent(context, &e);
  const cl_uint one = 1;
  cl_event first = nullptr;
  cl_event second = nullptr;
  ASSERT_EQ(clEnqueueFillBuffer(queue, m, &one, 4, 0, 64, 1, &gate, &first), CL_SUCCESS);
  ASSERT_EQ(clEnqueueMarkerWithWaitList(queue, 1, &first, &second), CL_SUCCESS);
  EXPECT_EQ(clSetUserEventStatus(gate, -5), CL_SUCCESS);
  EXPECT_EQ(clSetUserEventStatus(gate, CL_COMPLETE), CL_INVALID_OPERATION);
  EXPECT_EQ(clWaitForEvents(1, &second), CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
  clReleaseEvent(gate);
  clReleaseEvent(first);
  clReleaseEvent(second);
  clReleaseMemObject(m);
}

}  // namespace

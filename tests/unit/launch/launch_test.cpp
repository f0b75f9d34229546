// What a launch captures of its kernel's arguments, and how long it keeps what they refer to.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstring>
#include <limits>
#include <vector>

#include "tests/unit/launch/fake_machine.h"

namespace sluice {
namespace {

class CaptureTest : public LaunchTest {
 protected:
  template <class T>
  static T as(const std::vector<std::byte>& bytes) {
    T value{};
    EXPECT_EQ(bytes.size(), sizeof value);
    std::memcpy(&value, bytes.data(), std::min(bytes.size(), sizeof value));
    return value;
  }
  // Where a buffer's store lies: the driver lets it be seen by mapping.
  std::byte* store(cl_mem m) {
    cl_int e = CL_SUCCESS;
    void* p = clEnqueueMapBuffer(queue, m, CL_TRUE, CL_MAP_READ, 0, 1, 0, nullptr, nullptr, &e);
    EXPECT_EQ(e, CL_SUCCESS);
    EXPECT_EQ(clEnqueueUnmapMemObject(queue, m, p, 0, nullptr, nullptr), CL_SUCCESS);
    return static_cast<std::byte*>(p);
  }
};

// The program's memory is pinned, and mapped for devices, as long as a buffer lies over it.
TEST_F(LaunchTest, MemoryOfTheProgramIsUnmappedWithItsLastBuffer) {
  std::array<std::byte, 8192> memory{};
  const auto over = [&](std::size_t at, std::size_t bytes) {
    cl_int e = CL_SUCCESS;
    cl_mem m = clCreateBuffer(context, CL_MEM_USE_HOST_PTR, bytes, memory.data() + at, &e);
    EXPECT_EQ(e, CL_SUCCESS);
    return m;
  };
  cl_mem whole = over(0, memory.size());
  cl_mem half = over(4096, 4096);
  cl_mem own = clCreateBuffer(context, CL_MEM_ALLOC_HOST_PTR, 4096, nullptr, nullptr);
  EXPECT_EQ(clReleaseMemObject(half), CL_SUCCESS);
  EXPECT_EQ(clReleaseMemObject(own), CL_SUCCESS);
  EXPECT_TRUE(fake().unmapped.empty());
  EXPECT_EQ(clReleaseMemObject(whole), CL_SUCCESS);
  ASSERT_EQ(fake().unmapped.size(), 1U);
  EXPECT_EQ(fake().unmapped[0].first, memory.data());
  EXPECT_EQ(fake().unmapped[0].second, memory.size());
}

TEST_F(CaptureTest, EachKindOfArgumentArrives) {
  cl_mem p = buffer(10'000);
  cl_mem c = buffer(500);
  struct Pair {
    int a;
    long b;
  } const pair{3, -5};
  const int n = 42;
  cl_kernel k = kernel("plain");
  EXPECT_EQ(clSetKernelArg(k, 0, sizeof p, &p), CL_SUCCESS);
  EXPECT_EQ(clSetKernelArg(k, 1, sizeof c, &c), CL_SUCCESS);
  EXPECT_EQ(clSetKernelArg(k, 2, 640, nullptr), CL_SUCCESS);
  EXPECT_EQ(clSetKernelArg(k, 3, sizeof n, &n), CL_SUCCESS);
  EXPECT_EQ(clSetKernelArg(k, 4, sizeof pair, &pair), CL_SUCCESS);
  const KernelLaunch launch = run(k);
  EXPECT_EQ(launch.module->kernels()[launch.kernel].name, "plain");
  ASSERT_EQ(launch.arguments.size(), 5U);
  EXPECT_EQ(launch.arguments[0].data, store(p));
  EXPECT_EQ(launch.arguments[0].size_bytes, 10'000U);
  EXPECT_EQ(launch.arguments[1].data, store(c));
  EXPECT_EQ(launch.arguments[1].size_bytes, 500U);
  EXPECT_EQ(launch.arguments[2].data, nullptr);
  EXPECT_EQ(launch.arguments[2].size_bytes, 640U);
  EXPECT_EQ(as<int>(launch.arguments[3].value), 42);
  EXPECT_EQ(as<Pair>(launch.arguments[4].value).b, -5);
}

TEST_F(CaptureTest, NullIsNoMemory) {
  const KernelLaunch launch = run(ready_kernel(nullptr));
  EXPECT_EQ(launch.arguments[0].data, nullptr);
  EXPECT_EQ(launch.arguments[0].size_bytes, 0U);
  EXPECT_EQ(launch.arguments[1].data, nullptr);
}

TEST_F(CaptureTest, AWindowHasItsOwnBounds) {
  cl_mem whole = buffer(10'000);
  const cl_buffer_region region{4096, 100};
  cl_int e = CL_SUCCESS;
  cl_mem window = keep(clCreateSubBuffer(whole, 0, CL_BUFFER_CREATE_TYPE_REGION, &region, &e), clReleaseMemObject);
  const KernelLaunch launch = run(ready_kernel(window));
  EXPECT_EQ(launch.arguments[0].data, store(whole) + 4096);
  EXPECT_EQ(launch.arguments[0].size_bytes, 100U);
}

TEST_F(CaptureTest, SharedMemoryIsBoundedByItsAllocation) {
  cl_kernel k = ready_kernel(nullptr);
  auto* const p = static_cast<std::byte*>(clSVMAlloc(context, CL_MEM_READ_WRITE, 1000, 0));
  EXPECT_EQ(clSetKernelArgSVMPointer(k, 0, p + 300), CL_SUCCESS);
  EXPECT_EQ(clSetKernelArgSVMPointer(k, 1, p + 1000), CL_SUCCESS);
  const KernelLaunch launch = run(k);
  EXPECT_EQ(launch.arguments[0].data, p + 300);
  EXPECT_EQ(launch.arguments[0].size_bytes, 700U);
  EXPECT_EQ(launch.arguments[1].size_bytes, 0U);
  EXPECT_FALSE(launch.system_memory);
  clSVMFree(context, p);
  // "if system pointers are set as arguments and the device does not support fine-grain system SVM"
  EXPECT_EQ(enqueue(k, 64), CL_INVALID_OPERATION);
}

TEST_F(CaptureTest, SystemMemoryHasNoBounds) {
  fake().machine.device.svm = SvmSupport::fine_system;
  cl_kernel k = ready_kernel(nullptr);
  std::array<std::byte, 16> mine{};
  EXPECT_EQ(clSetKernelArgSVMPointer(k, 0, mine.data()), CL_SUCCESS);
  const KernelLaunch launch = run(k);
  EXPECT_EQ(launch.arguments[0].data, mine.data());
  EXPECT_GE(launch.arguments[0].size_bytes, std::uint64_t{1} << 48);
  EXPECT_TRUE(launch.system_memory);
}

TEST_F(CaptureTest, ImagesAndSamplersArrive) {
  cl_kernel k = kernel("picture");
  cl_mem from = image(CL_MEM_READ_ONLY);
  cl_mem to = image(CL_MEM_WRITE_ONLY);
  cl_sampler s = sampler(CL_TRUE, CL_ADDRESS_REPEAT, CL_FILTER_LINEAR);
  EXPECT_EQ(clSetKernelArg(k, 0, sizeof from, &from), CL_SUCCESS);
  EXPECT_EQ(clSetKernelArg(k, 1, sizeof to, &to), CL_SUCCESS);
  EXPECT_EQ(clSetKernelArg(k, 2, sizeof s, &s), CL_SUCCESS);
  const KernelLaunch launch = run(k);
  const ImageDescriptor& d = *launch.arguments[0].image;
  EXPECT_EQ(d.width, 20U);
  EXPECT_EQ(d.height, 10U);
  EXPECT_EQ(d.depth, 1U);
  EXPECT_EQ(d.array_size, 1U);
  EXPECT_EQ(d.dimensions, 2U);
  EXPECT_EQ(d.pixel_bytes, 16U);  // four floats
  EXPECT_EQ(d.row_pitch_bytes, 320U);
  EXPECT_EQ(d.channel_order, static_cast<std::uint32_t>(CL_RGBA));
  EXPECT_EQ(d.channel_type, static_cast<std::uint32_t>(CL_FLOAT));
  EXPECT_EQ(launch.arguments[0].data, d.data);
  EXPECT_EQ(launch.arguments[0].size_bytes, 3200U);
  EXPECT_NE(launch.arguments[1].image->data, d.data);
  // CLK_NORMALIZED_COORDS_TRUE | CLK_ADDRESS_REPEAT | CLK_FILTER_LINEAR of clang's opencl-c-base.h
  EXPECT_EQ(as<std::uint32_t>(launch.arguments[2].value), 1U | 6U | 0x20U);
}

TEST_F(CaptureTest, EverySamplerHasItsBits) {
  struct Row {
    cl_addressing_mode mode;
    std::uint32_t bits;
  };
  cl_kernel k = kernel("picture");
  cl_mem from = image(CL_MEM_READ_WRITE);
  EXPECT_EQ(clSetKernelArg(k, 0, sizeof from, &from), CL_SUCCESS);
  EXPECT_EQ(clSetKernelArg(k, 1, sizeof from, &from), CL_SUCCESS);
  for (const Row& row : {Row{CL_ADDRESS_NONE, 0}, {CL_ADDRESS_CLAMP_TO_EDGE, 2}, {CL_ADDRESS_CLAMP, 4}}) {
    cl_sampler s = sampler(CL_FALSE, row.mode, CL_FILTER_NEAREST);
    EXPECT_EQ(clSetKernelArg(k, 2, sizeof s, &s), CL_SUCCESS);
    EXPECT_EQ(as<std::uint32_t>(run(k).arguments[2].value), row.bits | 0x10U);
  }
  cl_sampler s = sampler(CL_TRUE, CL_ADDRESS_MIRRORED_REPEAT, CL_FILTER_NEAREST);
  EXPECT_EQ(clSetKernelArg(k, 2, sizeof s, &s), CL_SUCCESS);
  EXPECT_EQ(as<std::uint32_t>(run(k).arguments[2].value), 1U | 8U | 0x10U);
}

TEST_F(CaptureTest, EveryImageTypeHasItsShape) {
  for (KernelArgumentInfo& a : fake().kernels[2].arguments) a.type_name = "";  // any type will do
  cl_int e = CL_SUCCESS;
  cl_kernel k = keep(clCreateKernel(built_program(context), "picture", &e), clReleaseKernel);
  cl_sampler s = sampler(CL_TRUE, CL_ADDRESS_REPEAT, CL_FILTER_LINEAR);
  EXPECT_EQ(clSetKernelArg(k, 2, sizeof s, &s), CL_SUCCESS);
  const auto shape = [&](cl_mem_object_type type) {
    cl_mem m = image(CL_MEM_READ_WRITE, type);
    EXPECT_EQ(clSetKernelArg(k, 0, sizeof m, &m), CL_SUCCESS);
    EXPECT_EQ(clSetKernelArg(k, 1, sizeof m, &m), CL_SUCCESS);
    return *run(k).arguments[0].image;
  };
  ImageDescriptor d = shape(CL_MEM_OBJECT_IMAGE1D);
  EXPECT_EQ(d.dimensions, 1U);
  EXPECT_EQ(d.height, 1U);
  d = shape(CL_MEM_OBJECT_IMAGE1D_ARRAY);
  EXPECT_EQ(d.dimensions, 1U);
  EXPECT_EQ(d.height, 1U);
  EXPECT_EQ(d.array_size, 3U);
  EXPECT_EQ(d.row_pitch_bytes, 320U);  // from image to image, each a row of 20 pixels of 16 bytes
  d = shape(CL_MEM_OBJECT_IMAGE2D_ARRAY);
  EXPECT_EQ(d.dimensions, 2U);
  EXPECT_EQ(d.height, 10U);
  EXPECT_EQ(d.array_size, 3U);
  EXPECT_EQ(d.slice_pitch_bytes, 3200U);
  d = shape(CL_MEM_OBJECT_IMAGE3D);
  EXPECT_EQ(d.dimensions, 3U);
  EXPECT_EQ(d.depth, 5U);
  EXPECT_EQ(d.array_size, 1U);
}

TEST_F(CaptureTest, ArgumentsAreThoseOfTheCall) {
  cl_kernel k = ready_kernel(nullptr);
  cl_int e = CL_SUCCESS;
  cl_event gate = keep(clCreateUserEvent(context, &e), clReleaseEvent);
  for (int n : {1, 2}) {
    EXPECT_EQ(clSetKernelArg(k, 3, sizeof n, &n), CL_SUCCESS);
    EXPECT_EQ(enqueue(k, 64, nullptr, {gate}), CL_SUCCESS);
  }
  const int later = 3;
  EXPECT_EQ(clSetKernelArg(k, 3, sizeof later, &later), CL_SUCCESS);
  EXPECT_EQ(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  EXPECT_EQ(clFinish(queue), CL_SUCCESS);
  ASSERT_EQ(fake().launches.size(), 2U);
  EXPECT_EQ(as<int>(fake().launches[0].arguments[3].value), 1);
  EXPECT_EQ(as<int>(fake().launches[1].arguments[3].value), 2);
}

TEST_F(CaptureTest, ARefusedValueLeavesTheOldOne) {
  cl_kernel k = ready_kernel(nullptr);
  const long wrong = 9;
  EXPECT_EQ(clSetKernelArg(k, 3, sizeof wrong, &wrong), CL_INVALID_ARG_SIZE);
  EXPECT_EQ(as<int>(run(k).arguments[3].value), 7);
}

TEST_F(CaptureTest, ACloneHasTheArgumentsAndThenItsOwn) {
  cl_kernel k = ready_kernel(nullptr);
  cl_int e = CL_SUCCESS;
  cl_kernel copy = keep(clCloneKernel(k, &e), clReleaseKernel);
  ASSERT_EQ(e, CL_SUCCESS);
  const int n = 8;
  EXPECT_EQ(clSetKernelArg(copy, 3, sizeof n, &n), CL_SUCCESS);
  EXPECT_EQ(as<int>(run(copy).arguments[3].value), 8);
  EXPECT_EQ(as<int>(run(k).arguments[3].value), 7);
  EXPECT_EQ(clCloneKernel(nullptr, &e), nullptr);
  EXPECT_EQ(e, CL_INVALID_KERNEL);
}

TEST_F(CaptureTest, EveryArgumentMustHaveBeenSet) {
  cl_kernel k = kernel("plain");
  EXPECT_EQ(enqueue(k, 64), CL_INVALID_KERNEL_ARGS);
  EXPECT_EQ(clEnqueueTask(queue, k, 0, nullptr, nullptr), CL_INVALID_KERNEL_ARGS);
}

// A kernel holds no reference to its arguments.
TEST_F(CaptureTest, AReleasedBufferIsNoArgument) {
  cl_int e = CL_SUCCESS;
  cl_mem m = clCreateBuffer(context, 0, 4096, nullptr, &e);
  cl_kernel k = ready_kernel(m);
  cl_uint references = 0;
  EXPECT_EQ(clGetMemObjectInfo(m, CL_MEM_REFERENCE_COUNT, sizeof references, &references, nullptr), CL_SUCCESS);
  EXPECT_EQ(references, 1U);
  EXPECT_EQ(clReleaseMemObject(m), CL_SUCCESS);
  EXPECT_EQ(enqueue(k, 64), CL_INVALID_KERNEL_ARGS);
}

TEST_F(CaptureTest, WhatALaunchUsesLivesUntilItHasEnded) {
  static std::atomic<bool> gone;
  gone = false;
  cl_int e = CL_SUCCESS;
  cl_mem m = clCreateBuffer(context, 0, 4096, nullptr, &e);
  clSetMemObjectDestructorCallback(m, [](cl_mem, void*) { gone = true; }, nullptr);
  cl_kernel ready = ready_kernel(m);
  cl_event gate = keep(clCreateUserEvent(context, &e), clReleaseEvent);
  ASSERT_EQ(enqueue(ready, 64, nullptr, {gate}), CL_SUCCESS);
  EXPECT_EQ(clReleaseMemObject(m), CL_SUCCESS);
  EXPECT_FALSE(gone);
  EXPECT_EQ(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  EXPECT_EQ(clFinish(queue), CL_SUCCESS);
  EXPECT_TRUE(gone);
}

TEST_F(CaptureTest, AKernelMayBeReleasedWhileItWaits) {
  cl_int e = CL_SUCCESS;
  cl_kernel k = clCreateKernel(program, "sized", &e);
  cl_event gate = keep(clCreateUserEvent(context, &e), clReleaseEvent);
  const std::array<std::size_t, 2> global{8, 4};
  ASSERT_EQ(clEnqueueNDRangeKernel(queue, k, 2, nullptr, global.data(), nullptr, 1, &gate, nullptr), CL_SUCCESS);
  EXPECT_EQ(clReleaseKernel(k), CL_SUCCESS);
  // "and the kernel object is no longer needed by any enqueued commands that use kernel"
  EXPECT_EQ(clBuildProgram(program, 0, nullptr, "", nullptr, nullptr), CL_INVALID_OPERATION);
  EXPECT_EQ(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  EXPECT_EQ(clFinish(queue), CL_SUCCESS);
  EXPECT_EQ(fake().launches.size(), 1U);
  EXPECT_EQ(clBuildProgram(program, 0, nullptr, "", nullptr, nullptr), CL_SUCCESS);
}

TEST_F(CaptureTest, LocalMemoryMustFit) {
  cl_kernel k = ready_kernel(nullptr);
  // The device has 65536 bytes, the kernel's variables take 100.
  EXPECT_EQ(clSetKernelArg(k, 2, 65'436, nullptr), CL_SUCCESS);
  EXPECT_EQ(enqueue(k, 64), CL_SUCCESS);
  EXPECT_EQ(clSetKernelArg(k, 2, 65'437, nullptr), CL_SUCCESS);
  EXPECT_EQ(enqueue(k, 64), CL_OUT_OF_RESOURCES);
  EXPECT_EQ(clSetKernelArg(k, 2, std::numeric_limits<std::size_t>::max(), nullptr), CL_SUCCESS);
  EXPECT_EQ(enqueue(k, 64), CL_OUT_OF_RESOURCES);
}

TEST_F(CaptureTest, AWindowMustBeAligned) {
  cl_mem whole = buffer(65536);
  const cl_buffer_region region{512, 100};
  cl_int e = CL_SUCCESS;
  cl_mem window = keep(clCreateSubBuffer(whole, 0, CL_BUFFER_CREATE_TYPE_REGION, &region, &e), clReleaseMemObject);
  ASSERT_EQ(e, CL_SUCCESS);
  cl_kernel k = ready_kernel(window);
  EXPECT_EQ(enqueue(k, 64), CL_SUCCESS);
  fake().machine.device.base_address_align_bits = 8192;
  EXPECT_EQ(enqueue(k, 64), CL_MISALIGNED_SUB_BUFFER_OFFSET);
}

}  // namespace
}  // namespace sluice

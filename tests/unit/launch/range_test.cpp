// Ranges: the order of the errors of clEnqueueNDRangeKernel's page, and the work-group size that the driver chooses.
#include <CL/cl_ext.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>

#include "tests/unit/launch/fake_machine.h"

namespace sluice {
namespace {

using Size = std::array<std::size_t, 3>;

class RangeTest : public LaunchTest {
 protected:
  void SetUp() override {
    LaunchTest::SetUp();
    plain = ready_kernel(nullptr);
    sized = kernel("sized");
  }
  cl_int enqueue_range(cl_kernel k, cl_uint dimensions, Size global, const std::size_t* local,
                       const std::size_t* offset = nullptr) {
    return clEnqueueNDRangeKernel(queue, k, dimensions, offset, global.data(), local, 0, nullptr, nullptr);
  }
  cl_int enqueue_groups(cl_kernel k, cl_uint dimensions, Size global, Size local) {
    return enqueue_range(k, dimensions, global, local.data());
  }
  std::array<std::uint64_t, 3> chosen(cl_uint dimensions, Size global) {
    fake().launches.clear();
    EXPECT_EQ(enqueue_range(plain, dimensions, global, nullptr), CL_SUCCESS);
    EXPECT_EQ(clFinish(queue), CL_SUCCESS);
    return fake().launches.at(0).range.local;
  }

  cl_kernel plain = nullptr;
  cl_kernel sized = nullptr;
};

using Local = std::array<std::uint64_t, 3>;

TEST_F(RangeTest, WorkDimensionsAreOneToThree) {
  EXPECT_EQ(enqueue_range(plain, 0, {1, 1, 1}, nullptr), CL_INVALID_WORK_DIMENSION);
  EXPECT_EQ(enqueue_range(plain, 4, {1, 1, 1}, nullptr), CL_INVALID_WORK_DIMENSION);
}

TEST_F(RangeTest, OffsetsMayNotOverflow) {
  const std::size_t most = std::numeric_limits<std::size_t>::max();
  const Size offset{most - 63, 0, 0};
  EXPECT_EQ(enqueue_range(plain, 1, {64, 1, 1}, nullptr, offset.data()), CL_INVALID_GLOBAL_OFFSET);
  EXPECT_EQ(enqueue_range(plain, 1, {63, 1, 1}, nullptr, offset.data()), CL_SUCCESS);
  fake().machine.device.address_bits = 32;
  const Size near{0xffffffff - 63, 0, 0};
  EXPECT_EQ(enqueue_range(plain, 1, {64, 1, 1}, nullptr, near.data()), CL_INVALID_GLOBAL_OFFSET);
}

// "If the program was compiled with -cl-uniform-work-group-size" or as OpenCL C 1.2; else the last group may be smaller.
TEST_F(RangeTest, GroupsOfOtherKernelsNeedNotDivideTheRange) {
  fake().kernels[1].uniform_groups = false;
  fake().kernels[1].required_group = {};
  cl_int e = CL_SUCCESS;
  cl_kernel k = keep(clCreateKernel(built_program(context), "sized", &e), clReleaseKernel);
  EXPECT_EQ(enqueue_groups(k, 1, {100, 1, 1}, {32, 1, 1}), CL_SUCCESS);
  EXPECT_EQ(enqueue_groups(k, 2, {64, 30, 1}, {8, 4, 1}), CL_SUCCESS);
}

TEST_F(RangeTest, GroupsMustDivideTheRange) {
  EXPECT_EQ(enqueue_groups(plain, 1, {100, 1, 1}, {32, 1, 1}), CL_INVALID_WORK_GROUP_SIZE);
  EXPECT_EQ(enqueue_groups(plain, 2, {64, 30, 1}, {8, 4, 1}), CL_INVALID_WORK_GROUP_SIZE);
  EXPECT_EQ(enqueue_groups(plain, 2, {64, 32, 1}, {8, 4, 99}), CL_SUCCESS);  // the third is not looked at
}

TEST_F(RangeTest, GroupsHaveAtLeastOneItemAndNoMoreThanTheKernelMay) {
  EXPECT_EQ(enqueue_groups(plain, 2, {64, 64, 1}, {8, 0, 1}), CL_INVALID_WORK_GROUP_SIZE);
  EXPECT_EQ(enqueue_groups(plain, 1, {2048, 1, 1}, {2048, 1, 1}), CL_INVALID_WORK_GROUP_SIZE);
  EXPECT_EQ(enqueue_groups(plain, 2, {64, 64, 1}, {64, 32, 1}), CL_INVALID_WORK_GROUP_SIZE);
  EXPECT_EQ(enqueue_groups(plain, 1, {1024, 1, 1}, {1024, 1, 1}), CL_SUCCESS);
  // A product that wraps to something small.
  const std::size_t huge = std::size_t{1} << 32;
  EXPECT_EQ(enqueue_groups(plain, 2, {huge, huge, 1}, {huge, huge, 1}), CL_INVALID_WORK_GROUP_SIZE);
}

TEST_F(RangeTest, ItemSizesAreThoseThatTheDeviceReports) {
  Size sizes{};
  ASSERT_EQ(clGetDeviceInfo(device, CL_DEVICE_MAX_WORK_ITEM_SIZES, sizeof sizes, &sizes, nullptr), CL_SUCCESS);
  EXPECT_EQ(sizes, (Size{1024, 1024, 64}));
  EXPECT_EQ(enqueue_groups(plain, 3, {1, 1, 128}, {1, 1, 128}), CL_INVALID_WORK_ITEM_SIZE);
  EXPECT_EQ(enqueue_groups(plain, 3, {1, 1, 64}, {1, 1, 64}), CL_SUCCESS);
}

TEST_F(RangeTest, ARequiredSizeIsUsedAndNoOtherIsTaken) {
  EXPECT_EQ(enqueue_groups(sized, 2, {64, 64, 1}, {8, 8, 1}), CL_INVALID_WORK_GROUP_SIZE);
  EXPECT_EQ(enqueue_groups(sized, 1, {64, 1, 1}, {8, 1, 1}), CL_INVALID_WORK_GROUP_SIZE);
  EXPECT_EQ(enqueue_groups(sized, 2, {64, 64, 1}, {8, 4, 1}), CL_SUCCESS);
  fake().launches.clear();
  EXPECT_EQ(enqueue_range(sized, 2, {64, 64, 1}, nullptr), CL_SUCCESS);
  EXPECT_EQ(clFinish(queue), CL_SUCCESS);
  EXPECT_EQ(fake().launches.back().range.local, (Local{8, 4, 1}));
  EXPECT_EQ(enqueue_range(sized, 2, {64, 62, 1}, nullptr), CL_INVALID_WORK_GROUP_SIZE);
  EXPECT_EQ(clEnqueueTask(queue, sized, 0, nullptr, nullptr), CL_INVALID_WORK_GROUP_SIZE);
}

// "is an OpenCL 2.1 or newer device, and global_work_size is NULL or the value in any passed dimension is zero, then the
// kernel command will trivially succeed after its event dependencies are satisfied".
TEST_F(RangeTest, AnEmptyRangeSucceedsAndRunsNothing) {
  cl_int e = CL_SUCCESS;
  cl_event gate = keep(clCreateUserEvent(context, &e), clReleaseEvent);
  cl_event done = nullptr;
  ASSERT_EQ(clEnqueueNDRangeKernel(queue, plain, 1, nullptr, nullptr, nullptr, 1, &gate, &done), CL_SUCCESS);
  EXPECT_NE(status(done), CL_COMPLETE);
  EXPECT_EQ(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  EXPECT_EQ(clWaitForEvents(1, &done), CL_SUCCESS);
  cl_command_type type = 0;
  EXPECT_EQ(clGetEventInfo(done, CL_EVENT_COMMAND_TYPE, sizeof type, &type, nullptr), CL_SUCCESS);
  EXPECT_EQ(type, static_cast<cl_command_type>(CL_COMMAND_NDRANGE_KERNEL));
  EXPECT_EQ(enqueue_range(plain, 3, {16, 0, 16}, nullptr), CL_SUCCESS);
  EXPECT_EQ(enqueue_groups(plain, 1, {0, 1, 1}, {16, 1, 1}), CL_SUCCESS);
  EXPECT_EQ(clFinish(queue), CL_SUCCESS);
  EXPECT_TRUE(fake().launches.empty());
  clReleaseEvent(done);
}

TEST_F(RangeTest, TheRangeArrivesAsGiven) {
  const Size offset{5, 6, 7};
  const Size local{4, 2, 1};
  EXPECT_EQ(enqueue_range(plain, 3, {16, 8, 3}, local.data(), offset.data()), CL_SUCCESS);
  EXPECT_EQ(clFinish(queue), CL_SUCCESS);
  const NdRange& range = fake().launches.at(0).range;
  EXPECT_EQ(range.dimensions, 3U);
  EXPECT_EQ(range.offset, (Local{5, 6, 7}));
  EXPECT_EQ(range.global, (Local{16, 8, 3}));
  EXPECT_EQ(range.local, (Local{4, 2, 1}));
}

TEST_F(RangeTest, ATaskIsOneWorkItem) {
  cl_event event = nullptr;
  ASSERT_EQ(clEnqueueTask(queue, plain, 0, nullptr, &event), CL_SUCCESS);
  EXPECT_EQ(clWaitForEvents(1, &event), CL_SUCCESS);
  cl_command_type type = 0;
  EXPECT_EQ(clGetEventInfo(event, CL_EVENT_COMMAND_TYPE, sizeof type, &type, nullptr), CL_SUCCESS);
  EXPECT_EQ(type, static_cast<cl_command_type>(CL_COMMAND_TASK));
  EXPECT_EQ(fake().launches.at(0).range.global, (Local{1, 1, 1}));
  EXPECT_EQ(fake().launches.at(0).range.local, (Local{1, 1, 1}));
  clReleaseEvent(event);
}

// Divisors of the range, up to 256 work-items, whole wavefronts of 32 where a divisor allows.
TEST_F(RangeTest, TheDriverChoosesADivisorOfWholeWavefronts) {
  EXPECT_EQ(chosen(1, {4096, 1, 1}), (Local{256, 1, 1}));
  EXPECT_EQ(chosen(1, {1, 1, 1}), (Local{1, 1, 1}));
  EXPECT_EQ(chosen(1, {100, 1, 1}), (Local{100, 1, 1}));    // no multiple of 32 divides 100
  EXPECT_EQ(chosen(1, {4000, 1, 1}), (Local{160, 1, 1}));   // 4000 = 32 * 125: 32 and 160; 250 is no multiple
  EXPECT_EQ(chosen(1, {1009, 1, 1}), (Local{1, 1, 1}));     // a prime
  EXPECT_EQ(chosen(2, {1024, 1024, 1}), (Local{256, 1, 1}));
  EXPECT_EQ(chosen(2, {16, 1024, 1}), (Local{16, 16, 1}));
  EXPECT_EQ(chosen(2, {3, 1024, 1}), (Local{3, 64, 1}));    // 85 at most; 3 * 64 is whole, 3 * 85 would not divide
  EXPECT_EQ(chosen(3, {2, 2, 4096}), (Local{2, 2, 64}));    // z has 64 at most
  fake().machine.device.max_work_group_size = 64;
  EXPECT_EQ(chosen(1, {4096, 1, 1}), (Local{64, 1, 1}));
}

TEST_F(RangeTest, EveryChoiceDividesAndFits) {
  for (std::size_t x = 1; x < 700; x += 13) {
    for (std::size_t y : {1, 7, 48, 255, 1000}) {
      const Local local = chosen(2, {x, y, 1});
      EXPECT_EQ(x % local[0], 0U);
      EXPECT_EQ(y % local[1], 0U);
      EXPECT_LE(local[0] * local[1], 256U);
    }
  }
}

// "The returned suggested local work size is expected to match the local work size that would be chosen".
TEST_F(RangeTest, TheChoiceCanBeAskedFor) {
  const auto suggest = reinterpret_cast<clGetKernelSuggestedLocalWorkSizeKHR_fn>(
      clGetExtensionFunctionAddressForPlatform(platform, "clGetKernelSuggestedLocalWorkSizeKHR"));
  ASSERT_NE(suggest, nullptr);
  const Size global{48, 1000, 1};
  Size local{9, 9, 9};
  EXPECT_EQ(suggest(queue, plain, 2, nullptr, global.data(), local.data()), CL_SUCCESS);
  const Local expected = chosen(2, global);
  EXPECT_EQ(local, (Size{expected[0], expected[1], 9}));
  EXPECT_EQ(suggest(nullptr, plain, 2, nullptr, global.data(), local.data()), CL_INVALID_COMMAND_QUEUE);
  EXPECT_EQ(suggest(queue, nullptr, 2, nullptr, global.data(), local.data()), CL_INVALID_KERNEL);
  EXPECT_EQ(suggest(queue, kernel("plain"), 2, nullptr, global.data(), local.data()), CL_INVALID_KERNEL_ARGS);
  EXPECT_EQ(suggest(queue, plain, 0, nullptr, global.data(), local.data()), CL_INVALID_WORK_DIMENSION);
  EXPECT_EQ(suggest(queue, plain, 2, nullptr, nullptr, local.data()), CL_INVALID_GLOBAL_WORK_SIZE);
  EXPECT_EQ(suggest(queue, plain, 2, nullptr, Size{0, 1, 1}.data(), local.data()), CL_INVALID_GLOBAL_WORK_SIZE);
  EXPECT_EQ(suggest(queue, plain, 2, nullptr, global.data(), nullptr), CL_INVALID_VALUE);
}

TEST_F(RangeTest, ErrorsComeInTheOrderOfThePage) {
  const Size global{100, 1, 1};
  const Size bad_local{32, 1, 1};
  const std::size_t most = std::numeric_limits<std::size_t>::max();
  cl_int e = CL_SUCCESS;
  cl_event foreign = keep(clCreateUserEvent(other_context, &e), clReleaseEvent);
  EXPECT_EQ(clSetUserEventStatus(foreign, CL_COMPLETE), CL_SUCCESS);
  cl_kernel unset = kernel("plain");
  auto call = [&](cl_command_queue q, cl_kernel k, cl_uint dims, const std::size_t* offset, const std::size_t* local,
                  cl_uint num, const cl_event* list) {
    return clEnqueueNDRangeKernel(q, k, dims, offset, global.data(), local, num, list, nullptr);
  };
  EXPECT_EQ(call(nullptr, nullptr, 0, &most, bad_local.data(), 1, nullptr), CL_INVALID_COMMAND_QUEUE);
  EXPECT_EQ(call(queue, nullptr, 0, &most, bad_local.data(), 1, nullptr), CL_INVALID_KERNEL);
  EXPECT_EQ(call(queue, unset, 0, &most, bad_local.data(), 1, &foreign), CL_INVALID_CONTEXT);
  EXPECT_EQ(call(queue, unset, 0, &most, bad_local.data(), 1, nullptr), CL_INVALID_KERNEL_ARGS);
  EXPECT_EQ(call(queue, plain, 0, &most, bad_local.data(), 1, nullptr), CL_INVALID_WORK_DIMENSION);
  EXPECT_EQ(call(queue, plain, 1, &most, bad_local.data(), 1, nullptr), CL_INVALID_GLOBAL_OFFSET);
  EXPECT_EQ(call(queue, plain, 1, nullptr, bad_local.data(), 1, nullptr), CL_INVALID_WORK_GROUP_SIZE);
  EXPECT_EQ(call(queue, plain, 1, nullptr, nullptr, 1, nullptr), CL_INVALID_EVENT_WAIT_LIST);
  EXPECT_EQ(clFinish(queue), CL_SUCCESS);
  EXPECT_TRUE(fake().launches.empty());
}

TEST_F(RangeTest, AKernelOfAnotherContextIsRefused) {
  cl_program theirs = built_program(other_context);
  cl_int e = CL_SUCCESS;
  cl_kernel k = keep(clCreateKernel(theirs, "sized", &e), clReleaseKernel);
  EXPECT_EQ(enqueue_groups(k, 2, {8, 4, 1}, {8, 4, 1}), CL_INVALID_CONTEXT);
}

}  // namespace
}  // namespace sluice

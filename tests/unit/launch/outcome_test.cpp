// How launches end: events and times, printed text, and failures with what they mean for other commands.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/launch/fake_machine.h"

namespace sluice {
namespace {

using ::testing::internal::CaptureStderr;
using ::testing::internal::CaptureStdout;
using ::testing::internal::GetCapturedStderr;
using ::testing::internal::GetCapturedStdout;

class OutcomeTest : public LaunchTest {
 protected:
  void SetUp() override {
    LaunchTest::SetUp();
    plain = ready_kernel(nullptr);
  }
  cl_event enqueued(std::vector<cl_event> waits = {}) {
    cl_event event = nullptr;
    EXPECT_EQ(enqueue(plain, 64, &event, std::move(waits)), CL_SUCCESS);
    return keep(event, clReleaseEvent);
  }
  cl_event user_event() {
    cl_int e = CL_SUCCESS;
    return keep(clCreateUserEvent(context, &e), clReleaseEvent);
  }
  static void fail_next() {
    fake().body = [](const KernelLaunch& launch) {
      fake().body = nullptr;
      launch.reports->bad_access("kernel \"plain\" wrote past the end of buffer 1");
      return true;  // the engine led the access elsewhere, and went on
    };
  }

  cl_kernel plain = nullptr;
};

TEST_F(OutcomeTest, ALaunchHasAnEventAndTimes) {
  cl_event event = enqueued();
  EXPECT_EQ(clWaitForEvents(1, &event), CL_SUCCESS);
  EXPECT_EQ(status(event), CL_COMPLETE);
  cl_command_type type = 0;
  EXPECT_EQ(clGetEventInfo(event, CL_EVENT_COMMAND_TYPE, sizeof type, &type, nullptr), CL_SUCCESS);
  EXPECT_EQ(type, static_cast<cl_command_type>(CL_COMMAND_NDRANGE_KERNEL));
  cl_ulong start = 0;
  cl_ulong end = 0;
  EXPECT_EQ(clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_START, sizeof start, &start, nullptr), CL_SUCCESS);
  EXPECT_EQ(clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_END, sizeof end, &end, nullptr), CL_SUCCESS);
  EXPECT_EQ(end - start, 1000U);  // the machine's microsecond
}

TEST_F(OutcomeTest, TextIsPrintedWhenTheCommandEndsInTheOrderOfTheCommands) {
  int n = 0;
  fake().body = [&](const KernelLaunch& launch) {
    launch.reports->print("launch ");
    launch.reports->print(std::to_string(++n) + "\n");
    return true;
  };
  CaptureStdout();
  enqueued();
  enqueued();
  EXPECT_EQ(clFinish(queue), CL_SUCCESS);
  EXPECT_EQ(GetCapturedStdout(), "launch 1\nlaunch 2\n");
}

TEST_F(OutcomeTest, NothingIsPrintedBefore) {
  fake().body = [](const KernelLaunch& launch) {
    launch.reports->print("text\n");
    return true;
  };
  cl_event gate = user_event();
  CaptureStdout();
  enqueued({gate});
  EXPECT_EQ(clFlush(queue), CL_SUCCESS);
  EXPECT_EQ(GetCapturedStdout(), "");
  CaptureStdout();
  EXPECT_EQ(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  EXPECT_EQ(clFinish(queue), CL_SUCCESS);
  EXPECT_EQ(GetCapturedStdout(), "text\n");
}

TEST_F(OutcomeTest, TextBeyondTheDevicesBufferIsLost) {
  std::size_t limit = 0;
  EXPECT_EQ(clGetDeviceInfo(device, CL_DEVICE_PRINTF_BUFFER_SIZE, sizeof limit, &limit, nullptr), CL_SUCCESS);
  fake().body = [](const KernelLaunch& launch) {
    for (int i = 0; i < 300; ++i) launch.reports->print(std::string(10'000, 'x'));
    return true;
  };
  CaptureStdout();
  enqueued();
  EXPECT_EQ(clFinish(queue), CL_SUCCESS);
  EXPECT_EQ(GetCapturedStdout().size(), limit);
}

TEST_F(OutcomeTest, BadAccessesAreReportedOnceAndFailTheCommand) {
  fake().body = [](const KernelLaunch& launch) {
    for (const char* text : {"first", "second", "third"}) launch.reports->bad_access(text);
    return true;
  };
  CaptureStderr();
  cl_event event = enqueued();
  EXPECT_EQ(clWaitForEvents(1, &event), CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
  EXPECT_EQ(GetCapturedStderr(), "sluice: first (and 2 more)\n");
  EXPECT_EQ(status(event), CL_OUT_OF_RESOURCES);
  EXPECT_EQ(clFinish(queue), CL_SUCCESS);
  cl_ulong t = 0;
  EXPECT_EQ(clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_END, sizeof t, &t, nullptr),
            CL_PROFILING_INFO_NOT_AVAILABLE);
}

TEST_F(OutcomeTest, AnEngineThatGivesUpFailsTheCommandWithWords) {
  fake().body = [](const KernelLaunch&) { return false; };
  CaptureStderr();
  cl_event event = enqueued();
  EXPECT_EQ(clFinish(queue), CL_SUCCESS);
  EXPECT_EQ(GetCapturedStderr(), "sluice: kernel \"plain\" failed\n");
  EXPECT_EQ(status(event), CL_OUT_OF_RESOURCES);
}

// Commands that wait for a failed one by event are in vain, whether they reached the device before the failure was
// known or not; those that merely follow it in the queue are not.
TEST_F(OutcomeTest, WhatWaitsForAFailedLaunchFailsToo) {
  fail_next();
  CaptureStderr();
  cl_event failing = enqueued();
  cl_event waits = enqueued({failing});
  cl_event waits_for_that = nullptr;
  EXPECT_EQ(clEnqueueMarkerWithWaitList(queue, 1, &waits, &waits_for_that), CL_SUCCESS);
  keep(waits_for_that, clReleaseEvent);
  cl_event follows = enqueued();
  EXPECT_EQ(clFinish(queue), CL_SUCCESS);
  cl_event late = enqueued({failing});
  EXPECT_EQ(clFinish(queue), CL_SUCCESS);
  EXPECT_EQ(GetCapturedStderr(), "sluice: kernel \"plain\" wrote past the end of buffer 1\n");
  EXPECT_EQ(status(failing), CL_OUT_OF_RESOURCES);
  EXPECT_EQ(status(waits), CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
  EXPECT_EQ(status(waits_for_that), CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
  EXPECT_EQ(status(late), CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
  EXPECT_EQ(status(follows), CL_COMPLETE);
}

TEST_F(OutcomeTest, ABlockingReadSaysThatItWaitedForAFailedLaunch) {
  cl_mem m = buffer(4096);
  int value = 0;
  fail_next();
  CaptureStderr();
  cl_event failing = enqueued();
  EXPECT_EQ(clEnqueueReadBuffer(queue, m, CL_TRUE, 0, sizeof value, &value, 1, &failing, nullptr),
            CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
  EXPECT_EQ(clEnqueueReadBuffer(queue, m, CL_TRUE, 0, sizeof value, &value, 0, nullptr, nullptr), CL_SUCCESS);
  EXPECT_NE(GetCapturedStderr(), "");
}

TEST_F(OutcomeTest, WhatIsHeldBackBehindAFailedLaunchNeverRuns) {
  fail_next();
  cl_event gate = user_event();
  CaptureStderr();
  cl_event failing = enqueued();
  cl_event held = enqueued({failing, gate});
  EXPECT_EQ(clWaitForEvents(1, &failing), CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
  EXPECT_EQ(status(held), CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
  EXPECT_EQ(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  EXPECT_EQ(clFinish(queue), CL_SUCCESS);
  EXPECT_EQ(fake().launches.size(), 1U);
  EXPECT_NE(GetCapturedStderr(), "");
}

// The failing launch is itself held back when the other is enqueued.
TEST_F(OutcomeTest, AFailureIsKnownToWhatWasHeldBackWithIt) {
  fail_next();
  cl_event gate = user_event();
  CaptureStderr();
  cl_event failing = enqueued({gate});
  cl_event waits = enqueued({failing});
  EXPECT_EQ(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  EXPECT_EQ(clFinish(queue), CL_SUCCESS);
  EXPECT_EQ(status(failing), CL_OUT_OF_RESOURCES);
  EXPECT_EQ(status(waits), CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
  EXPECT_NE(GetCapturedStderr(), "");
}

TEST_F(OutcomeTest, LaunchesOfAnInOrderQueueRunInOrder) {
  std::vector<int> order;
  fake().body = [&](const KernelLaunch& launch) {
    order.push_back(static_cast<int>(launch.arguments[3].value[0]));
    return true;
  };
  for (int n = 0; n < 10; ++n) {
    EXPECT_EQ(clSetKernelArg(plain, 3, sizeof n, &n), CL_SUCCESS);
    enqueued();
  }
  EXPECT_EQ(clFinish(queue), CL_SUCCESS);
  EXPECT_THAT(order, ::testing::ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
}

TEST_F(OutcomeTest, NativeKernelsAreAbsent) {
  EXPECT_EQ(clEnqueueNativeKernel(queue, [](void*) {}, nullptr, 0, 0, nullptr, nullptr, 0, nullptr, nullptr),
            CL_INVALID_OPERATION);
}

}  // namespace
}  // namespace sluice

// A handle stays valid for the callback that was promised, whatever the program does with its references meanwhile.
#include <atomic>
#include <chrono>
#include <thread>

#include "tests/api/fixture.h"

namespace {

using EventLife = ClTest;

std::atomic<cl_int> seen{1};

void CL_CALLBACK look(cl_event event, cl_int, void*) {
  cl_uint count = 0;
  seen = clGetEventInfo(event, CL_EVENT_REFERENCE_COUNT, sizeof count, &count, nullptr);
}

TEST_F(EventLife, RetainedAndReleasedAfterTheLastReleaseBeforeTheCallback) {
  cl_int e = CL_SUCCESS;
  cl_event gate = clCreateUserEvent(context, &e);
  cl_event event = nullptr;
  ASSERT_EQ(clEnqueueMarkerWithWaitList(queue, 1, &gate, &event), CL_SUCCESS);
  ASSERT_EQ(clSetEventCallback(event, CL_COMPLETE, look, nullptr), CL_SUCCESS);
  ASSERT_EQ(clReleaseEvent(event), CL_SUCCESS);
  // The handle is live for the callback still, so it can be had back, and given back.
  EXPECT_EQ(clRetainEvent(event), CL_SUCCESS);
  EXPECT_EQ(clReleaseEvent(event), CL_SUCCESS);
  EXPECT_EQ(clReleaseEvent(event), CL_INVALID_EVENT);
  ASSERT_EQ(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  ASSERT_EQ(clFinish(queue), CL_SUCCESS);
  while (seen == 1) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(seen, CL_SUCCESS);
  clReleaseEvent(gate);
}

}  // namespace

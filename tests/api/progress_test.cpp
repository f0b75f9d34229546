// Programs that wait in unusual ways make progress and end. Each test has the build's timeout.
#include <atomic>
#include <chrono>
#include <thread>

#include "tests/api/fixture.h"

namespace {

using Progress = ClTest;

TEST_F(Progress, FourThreadsWithTheirOwnQueues) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      cl_command_queue q = make_queue(context, 0);
      cl_mem m = buffer(16384);
      std::vector<unsigned char> in(16384, static_cast<unsigned char>(t));
      std::vector<unsigned char> out(16384);
      for (int i = 0; i < 50; ++i) {
        EXPECT_EQ(clEnqueueWriteBuffer(q, m, CL_FALSE, 0, in.size(), in.data(), 0, nullptr, nullptr), CL_SUCCESS);
        EXPECT_EQ(clEnqueueReadBuffer(q, m, CL_TRUE, 0, out.size(), out.data(), 0, nullptr, nullptr), CL_SUCCESS);
        EXPECT_EQ(in, out);
      }
      clReleaseMemObject(m);
      clReleaseCommandQueue(q);
    });
  }
  for (auto& t : threads) t.join();
}

TEST_F(Progress, CallbacksOnly) {
  cl_mem m = buffer(4096);
  const cl_uint one = 1;
  cl_event event = nullptr;
  std::atomic<int> called{0};
  ASSERT_EQ(clEnqueueFillBuffer(queue, m, &one, 4, 0, 4096, 0, nullptr, &event), CL_SUCCESS);
  ASSERT_EQ(
      clSetEventCallback(
          event, CL_COMPLETE,
          [](cl_event, cl_int status, void* p) { *static_cast<std::atomic<int>*>(p) = status == CL_COMPLETE ? 1 : 2; },
          &called),
      CL_SUCCESS);
  ASSERT_EQ(clFlush(queue), CL_SUCCESS);
  while (called == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(called, 1);
  clReleaseEvent(event);
  clReleaseMemObject(m);
}

TEST_F(Progress, PollingOnly) {
  cl_mem m = buffer(1 << 20);
  std::vector<char> data(1 << 20);
  cl_event event = nullptr;
  ASSERT_EQ(clEnqueueWriteBuffer(queue, m, CL_FALSE, 0, data.size(), data.data(), 0, nullptr, &event), CL_SUCCESS);
  cl_int status = CL_QUEUED;
  while (status > CL_COMPLETE) {
    ASSERT_EQ(clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status, nullptr), CL_SUCCESS);
  }
  EXPECT_EQ(status, CL_COMPLETE);
  clReleaseEvent(event);
  clReleaseMemObject(m);
}

// A poll sees each state in its turn. The transfer takes hundreds of microseconds, a poll far less.
TEST_F(Progress, PollingSeesEveryState) {
  constexpr std::size_t size = 16 << 20;
  cl_mem m = buffer(size);
  std::vector<char> data(size);
  cl_event gate = user_event();
  cl_event event = nullptr;
  ASSERT_EQ(clEnqueueWriteBuffer(queue, m, CL_FALSE, 0, size, data.data(), 1, &gate, &event), CL_SUCCESS);
  std::vector<cl_int> seen{status(event)};
  EXPECT_EQ(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  while (seen.back() > CL_COMPLETE) {
    const cl_int now = status(event);
    if (now != seen.back()) seen.push_back(now);
  }
  EXPECT_EQ(seen, (std::vector<cl_int>{CL_QUEUED, CL_SUBMITTED, CL_RUNNING, CL_COMPLETE}));
  clReleaseEvent(event);
  clReleaseEvent(gate);
  clReleaseMemObject(m);
}

TEST_F(Progress, AUserEventSetByAnotherThread) {
  cl_mem m = buffer(4096);
  cl_int e = CL_SUCCESS;
  cl_event gate = clCreateUserEvent(context, &e);
  const cl_uint one = 1;
  ASSERT_EQ(clEnqueueFillBuffer(queue, m, &one, 4, 0, 4096, 1, &gate, nullptr), CL_SUCCESS);
  std::thread setter([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_EQ(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  });
  EXPECT_EQ(clFinish(queue), CL_SUCCESS);
  setter.join();
  clReleaseEvent(gate);
  clReleaseMemObject(m);
}

TEST_F(Progress, NeverWaits) {
  cl_mem m = buffer(4096);
  const cl_uint one = 1;
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(clEnqueueFillBuffer(queue, m, &one, 4, 0, 4096, 0, nullptr, nullptr), CL_SUCCESS);
  }
  clReleaseMemObject(m);
}

}  // namespace

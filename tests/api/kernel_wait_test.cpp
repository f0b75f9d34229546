// Kernels that wait for the host, and a host that waits for kernels, through shared memory; kernels that never end.
// SLUICE_GROUP_INSTRUCTIONS is three hundred million here.
#include <gmock/gmock.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "tests/api/program_fixture.h"

namespace {

using testing::HasSubstr;

// Waits for words[0], answers in words[1].
constexpr const char* kAnswer =
    "kernel void k(global atomic_int* words) {\n"
    "  while (atomic_load(&words[0]) == 0);\n"
    "  atomic_store(&words[1], atomic_load(&words[0]) + 1);\n"
    "}";

class KernelWait : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    words = static_cast<cl_int*>(
        clSVMAlloc(context, CL_MEM_READ_WRITE | CL_MEM_SVM_FINE_GRAIN_BUFFER | CL_MEM_SVM_ATOMICS, 4096, 0));
    ASSERT_NE(words, nullptr);
    std::fill_n(words, 1024, 0);
  }
  void TearDown() override {
    clFinish(queue);
    for (cl_kernel k : kernels) clReleaseKernel(k);
    clSVMFree(context, words);
    ProgramTest::TearDown();
  }
  cl_kernel kernel(const std::string& text) {
    cl_program p = source(text);
    EXPECT_EQ(build(p, "-cl-std=CL3.0"), CL_SUCCESS) << log(p);
    cl_kernel k = clCreateKernel(p, "k", nullptr);
    EXPECT_EQ(clSetKernelArgSVMPointer(k, 0, words), CL_SUCCESS);
    kernels.push_back(k);
    return k;
  }
  cl_event launch(cl_command_queue q, cl_kernel k, std::size_t items = 1, std::size_t group = 1) {
    cl_event event = nullptr;
    EXPECT_EQ(clEnqueueNDRangeKernel(q, k, 1, nullptr, &items, &group, 0, nullptr, &event), CL_SUCCESS);
    EXPECT_EQ(clFlush(q), CL_SUCCESS);
    return event;
  }
  void set(int index, int value) { std::atomic_ref(words[index]).store(value); }
  int get(int index) { return std::atomic_ref(words[index]).load(); }
  void expect_complete(cl_event event) {
    EXPECT_EQ(clWaitForEvents(1, &event), CL_SUCCESS);
    EXPECT_EQ(status(event), CL_COMPLETE);
    clReleaseEvent(event);
  }

  cl_int* words = nullptr;
  std::vector<cl_kernel> kernels;
};

// One thread: whatever it calls while the kernel waits returns, transfers of another queue that it blocks on included.
TEST_F(KernelWait, CallsReturnWhileAKernelWaits) {
  cl_command_queue other = make_queue(context, 0);
  cl_kernel k = kernel(kAnswer);
  cl_event event = launch(queue, k);
  cl_mem m = buffer(64);
  const cl_int sent[] = {3, 4};
  cl_int back[] = {0, 0};
  EXPECT_EQ(clEnqueueWriteBuffer(other, m, CL_TRUE, 0, sizeof sent, sent, 0, nullptr, nullptr), CL_SUCCESS);
  EXPECT_EQ(clEnqueueReadBuffer(other, m, CL_TRUE, 0, sizeof back, back, 0, nullptr, nullptr), CL_SUCCESS);
  EXPECT_EQ(back[1], 4);
  EXPECT_EQ(clFinish(other), CL_SUCCESS);
  EXPECT_EQ(clSetKernelArgSVMPointer(k, 0, words + 4), CL_SUCCESS);  // of the next launch
  cl_event go = user_event();
  cl_event marker = nullptr;
  EXPECT_EQ(clEnqueueMarkerWithWaitList(other, 1, &go, &marker), CL_SUCCESS);
  EXPECT_EQ(clSetUserEventStatus(go, CL_COMPLETE), CL_SUCCESS);
  expect_complete(marker);
  EXPECT_EQ(clEnqueueSVMMemFill(other, words + 100, sent, 4, 4, 0, nullptr, nullptr), CL_SUCCESS);
  EXPECT_EQ(clFinish(other), CL_SUCCESS);
  EXPECT_EQ(get(100), 3);
  EXPECT_GE(status(event), CL_RUNNING);
  EXPECT_EQ(get(1), 0);
  set(0, 41);
  expect_complete(event);
  EXPECT_EQ(get(1), 42);
  clReleaseEvent(go);
  clReleaseMemObject(m);
  clReleaseCommandQueue(other);
}

// The units on which it waited are gone then, with the last-level cache that copies had shared.
TEST_F(KernelWait, CopiesAfterAKernelThatWaited) {
  cl_mem m = buffer(1 << 20);
  const cl_int value = 9;
  for (int round = 0; round < 3; ++round) {
    set(0, 0);
    cl_event event = launch(queue, kernel(kAnswer));
    EXPECT_EQ(clEnqueueFillBuffer(queue, m, &value, sizeof value, 0, 1 << 20, 0, nullptr, nullptr), CL_SUCCESS);
    set(0, round + 1);
    expect_complete(event);
    cl_int back = 0;
    EXPECT_EQ(clEnqueueReadBuffer(queue, m, CL_TRUE, (1 << 20) - 4, 4, &back, 0, nullptr, nullptr), CL_SUCCESS);
    EXPECT_EQ(back, value);
    EXPECT_EQ(get(1), round + 2);
  }
  clReleaseMemObject(m);
}

// Another thread may be blocked on the kernel meanwhile.
TEST_F(KernelWait, AnotherThreadAnswersAfterCallsOfItsOwn) {
  cl_event event = launch(queue, kernel(kAnswer));
  std::thread answers([&] {
    cl_command_queue other = make_queue(context, 0);
    for (int i = 0; i < 20; ++i) {
      cl_mem m = buffer(4096);
      const cl_int value = i;
      EXPECT_EQ(clEnqueueFillBuffer(other, m, &value, sizeof value, 0, 4096, 0, nullptr, nullptr), CL_SUCCESS);
      cl_int back = -1;
      EXPECT_EQ(clEnqueueReadBuffer(other, m, CL_TRUE, 4092, 4, &back, 0, nullptr, nullptr), CL_SUCCESS);
      EXPECT_EQ(back, i);
      EXPECT_GE(status(event), CL_RUNNING);
      clReleaseMemObject(m);
    }
    clReleaseCommandQueue(other);
    set(0, 7);
  });
  EXPECT_EQ(clFinish(queue), CL_SUCCESS);
  answers.join();
  expect_complete(event);
  EXPECT_EQ(get(1), 8);
}

// Neither side calls while they answer each other.
TEST_F(KernelWait, HostAndKernelTakeTurns) {
  constexpr int rounds = 8;
  cl_event event = launch(queue, kernel("kernel void k(global atomic_int* words) {\n"
                                        "  for (int i = 1; i <= 8; ++i) {\n"
                                        "    while (atomic_load(&words[0]) < i);\n"
                                        "    atomic_store(&words[1], i);\n"
                                        "  }\n"
                                        "}"));
  for (int i = 1; i <= rounds; ++i) {
    set(0, i);
    while (get(1) < i) std::this_thread::yield();
  }
  expect_complete(event);
}

// As on a device that runs several kernels at once.
TEST_F(KernelWait, OneKernelWaitsForAnother) {
  cl_command_queue other = make_queue(context, 0);
  cl_event waits = launch(queue, kernel(kAnswer), 64, 64);
  cl_event sets = launch(other, kernel("kernel void k(global atomic_int* words) { atomic_store(&words[0], 5); }"));
  expect_complete(waits);
  EXPECT_EQ(get(1), 6);
  expect_complete(sets);
  clReleaseCommandQueue(other);
}

// All groups of the launch wait, those that the device holds.
TEST_F(KernelWait, ManyGroupsWaitForTheHost) {
  cl_event event = launch(queue, kernel("kernel void k(global atomic_int* words) {\n"
                                        "  while (atomic_load(&words[0]) == 0);\n"
                                        "  atomic_fetch_add(&words[1], 1);\n"
                                        "}"),
                          8 * 32, 32);
  std::thread answers([&] {
    cl_mem m = buffer(64);
    clReleaseMemObject(m);
    set(0, 1);
  });
  expect_complete(event);
  answers.join();
  EXPECT_EQ(get(1), 8 * 32);
}

class Endless : public KernelWait {
 protected:
  // Nothing here answers, so the watchdog need not be patient; turns cost much under ThreadSanitizer.
  static void SetUpTestSuite() { ::setenv("SLUICE_GROUP_INSTRUCTIONS", "20000000", 1); }
  // The launch fails, the report names kernel and line, and the program goes on.
  void expect_watchdog(const std::string& text, const char* where) {
    testing::internal::CaptureStderr();
    cl_event event = launch(queue, kernel(text), 2, 2);
    EXPECT_EQ(clFinish(queue), CL_SUCCESS);
    EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr(where));
    EXPECT_LT(status(event), 0);
    clReleaseEvent(event);
    set(0, 1);
    expect_complete(launch(queue, kernel(kAnswer)));
    EXPECT_EQ(get(1), 2);
  }
};

TEST_F(Endless, ALoopWithoutEnd) {
  expect_watchdog("kernel void k(global int* p) {\n  for (int i = 0;; ++i)\n    p[i & 1] = i;\n}", "kernel 'k', line 2");
}

TEST_F(Endless, AWaitForWhatNobodyWrites) {
  expect_watchdog("kernel void k(volatile global int* p) {\n  p[2] = 1;\n  while (p[3] == 0);\n}", "kernel 'k', line 3");
}

}  // namespace

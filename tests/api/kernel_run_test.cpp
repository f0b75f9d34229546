// Kernels that go wrong, and kernels that wait, through the API: the report, the event's status, and that the caller
// lives on.
#include <atomic>
#include <cstring>

#include "tests/api/program_fixture.h"

namespace {

class KernelRun : public ProgramTest {
 protected:
  void TearDown() override {
    for (cl_kernel k : kernels) clReleaseKernel(k);
    ProgramTest::TearDown();
  }
  cl_kernel kernel(const std::string& text, const char* options = nullptr) {
    cl_program p = source(text);
    EXPECT_EQ(build(p, options), CL_SUCCESS) << log(p);
    cl_int e = CL_SUCCESS;
    cl_kernel k = clCreateKernel(p, "k", &e);
    EXPECT_EQ(e, CL_SUCCESS);
    if (k != nullptr) kernels.push_back(k);
    return k;
  }
  cl_int run(cl_kernel k, cl_mem m, std::size_t global, std::size_t local, std::string& said) {
    EXPECT_EQ(clSetKernelArg(k, 0, sizeof m, &m), CL_SUCCESS);
    return ProgramTest::run(k, global, local, said);
  }
  // After each accident: the same queue runs another kernel, rightly.
  void expect_alive() {
    cl_mem m = buffer(64);
    std::string said;
    EXPECT_EQ(
        run(kernel("kernel void k(global int* p) { p[get_global_id(0)] = get_global_id(0) + 1; }"), m, 16, 4, said),
        CL_COMPLETE);
    EXPECT_EQ(said, "");
    const auto data = contents(m, 16);
    for (int i = 0; i < 16; ++i) EXPECT_EQ(data[i], i + 1);
    clReleaseMemObject(m);
  }

  std::vector<cl_kernel> kernels;
};

bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

TEST_F(KernelRun, AStoreBehindABuffer) {
  cl_mem m = buffer(64);
  std::string said;
  const cl_int code = run(kernel("kernel void k(global int* p) {\n  p[get_global_id(0) * 8] = 1;\n}"), m, 4, 1, said);
  EXPECT_LT(code, 0);
  // 16 ints; the third work-item's is the first that lies outside.
  EXPECT_TRUE(contains(said, "kernel 'k', line 2, work-item (2,0,0)")) << said;
  EXPECT_TRUE(contains(said, "store of 4 bytes")) << said;
  EXPECT_TRUE(contains(said, "64 bytes, at offset 64")) << said;
  expect_alive();
  clReleaseMemObject(m);
}

TEST_F(KernelRun, ArraysOfAWorkItemAndOfAGroup) {
  cl_mem m = buffer(64);
  const cl_int zero = 0;
  ASSERT_EQ(clEnqueueFillBuffer(queue, m, &zero, 4, 0, 64, 0, nullptr, nullptr), CL_SUCCESS);
  std::string said;
  EXPECT_LT(run(kernel("kernel void k(global int* p) {\n int a[4] = {1};\n a[p[0] + 4] = 7;\n p[1] = a[p[2]];\n}"), m,
                1, 1, said),
            0);
  EXPECT_TRUE(contains(said, "line 3")) << said;
  EXPECT_LT(run(kernel("kernel void k(global int* p) {\n local int a[4];\n a[p[0] + 5] = 7;\n p[1] = a[p[2]];\n}"), m,
                1, 1, said),
            0);
  EXPECT_TRUE(contains(said, "line 3")) << said;
  expect_alive();
  clReleaseMemObject(m);
}

// "undefined value" for the quotient, nothing else.
TEST_F(KernelRun, DivisionsByZeroEnd) {
  cl_mem m = buffer(64);
  const cl_int zero = 0;
  ASSERT_EQ(clEnqueueFillBuffer(queue, m, &zero, 4, 0, 64, 0, nullptr, nullptr), CL_SUCCESS);
  std::string said;
  EXPECT_EQ(
      run(kernel("kernel void k(global int* p) { p[1] = 5 / p[0]; p[2] = 5 % p[0]; p[3] = (int)0x80000000 / (p[0] - "
                 "1); p[4] = 9; }"),
          m, 1, 1, said),
      CL_COMPLETE);
  EXPECT_EQ(contents(m, 5)[4], 9);
  expect_alive();
  clReleaseMemObject(m);
}

TEST_F(KernelRun, RecursionIsRefused) {
  const std::string text = log_of(
      "int f(int n) { return n < 2 ? n : f(n - 1) + f(n - 2); }\n"
      "kernel void k(global int* p) { p[0] = f(p[0]); }",
      CL_BUILD_PROGRAM_FAILURE);
  EXPECT_TRUE(contains(text, "recursi") || contains(text, "calls itself")) << text;
  expect_alive();
}

TEST_F(KernelRun, UnresolvedFunctionsAreFoundWhenTheProgramIsBuilt) {
  for (const char* again : {"", " "}) {  // the text differs, so that it is not the front end that remembers
    EXPECT_TRUE(contains(log_of(std::string("int missing(int n);\nkernel void k(global int* p) { p[0] = missing(p[0]); }") +
                                    again,
                                CL_BUILD_PROGRAM_FAILURE),
                         "missing"));
  }
  expect_alive();
}

// The engine remembers which functions its libraries have: by their types too.
TEST_F(KernelRun, AFunctionOfALibraryWithAnotherTypeIsUnresolved) {
  const std::string now = "constant char now[] = __TIME__;\n";  // the cache keeps no program that asks for the time
  log_of(now + "kernel void k(global float* p) { p[0] = native_exp2(p[0]) + now[0]; }", CL_SUCCESS);
  const std::string text =
      log_of(now + "int _Z11native_exp2f(float x);\n"
                   "kernel void k(global float* p) { p[0] = _Z11native_exp2f(p[0]) + now[0]; }",
             CL_BUILD_PROGRAM_FAILURE);
  EXPECT_TRUE(contains(text, "native_exp2")) << text;
  expect_alive();
}

TEST_F(KernelRun, DivergentBarriers) {
  cl_mem m = buffer(64);
  std::string said;
  EXPECT_LT(run(kernel("kernel void k(global int* p) {\n  if (get_local_id(0) < 2)\n    barrier(CLK_LOCAL_MEM_FENCE);\n"
                       "  p[get_local_id(0)] = 1;\n  barrier(CLK_LOCAL_MEM_FENCE);\n}"),
                m, 4, 4, said),
            0);
  EXPECT_TRUE(contains(said, "divergent barrier")) << said;
  EXPECT_TRUE(contains(said, "line 3") && contains(said, "line 5")) << said;
  expect_alive();
  clReleaseMemObject(m);
}

// Where the optimiser has made one barrier of two, it has no line of its own.
TEST_F(KernelRun, DivergentBarriersNameALine) {
  cl_mem m = buffer(64);
  std::string said;
  EXPECT_LT(run(kernel("kernel void k(global int* p) {\n  if (get_local_id(0) != 3) {\n    if (get_local_id(0) < 2) {\n"
                       "      p[0] = 1;\n      barrier(CLK_GLOBAL_MEM_FENCE);\n    } else {\n      p[1] = 1;\n"
                       "      barrier(CLK_GLOBAL_MEM_FENCE);\n    }\n  } else {\n    p[2] = p[1];\n"
                       "    barrier(CLK_LOCAL_MEM_FENCE);\n    p[3] = 1;\n  }\n}"),
                m, 4, 4, said),
            0);
  EXPECT_TRUE(contains(said, "divergent barrier") && contains(said, "kernel 'k', line ")) << said;
  EXPECT_FALSE(contains(said, "line 0")) << said;
  expect_alive();
  clReleaseMemObject(m);
}

// "printf ... output is flushed" when the command has ended, in the order of the work-items of one group.
TEST_F(KernelRun, PrintfWritesWhenTheCommandHasEnded) {
  cl_mem m = buffer(64);
  cl_kernel k = kernel("kernel void k(global int* p) { printf(\"%d %v2hld|\", (int)get_global_id(0), (int2)(1, 2)); }");
  std::string said;
  testing::internal::CaptureStdout();
  EXPECT_EQ(run(k, m, 4, 4, said), CL_COMPLETE);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "0 1,2|1 1,2|2 1,2|3 1,2|");
  clReleaseMemObject(m);
}

TEST_F(KernelRun, GroupsNeedToDivideTheRangeInOpenClC12) {
  cl_mem m = buffer(400);
  const char* const text = "kernel void k(global int* p) { p[get_global_id(0)] = get_local_size(0); }";
  const std::size_t global = 100, local = 32;
  for (const char* options : {"-cl-std=CL1.2", "-cl-std=CL3.0 -cl-uniform-work-group-size"}) {
    cl_kernel k = kernel(text, options);
    ASSERT_EQ(clSetKernelArg(k, 0, sizeof m, &m), CL_SUCCESS);
    EXPECT_EQ(clEnqueueNDRangeKernel(queue, k, 1, nullptr, &global, &local, 0, nullptr, nullptr),
              CL_INVALID_WORK_GROUP_SIZE);
  }
  std::string said;
  EXPECT_EQ(run(kernel(text, "-cl-std=CL3.0"), m, global, local, said), CL_COMPLETE);
  const auto data = contents(m, 100);
  EXPECT_EQ(data[95], 32);
  EXPECT_EQ(data[96], 4);  // of the last group
  clReleaseMemObject(m);
}

TEST_F(KernelRun, GroupsMeetAtAGlobalBarrier) {
  cl_mem m = buffer(64);
  const cl_int zero = 0;
  ASSERT_EQ(clEnqueueFillBuffer(queue, m, &zero, 4, 0, 64, 0, nullptr, nullptr), CL_SUCCESS);
  std::string said;
  EXPECT_EQ(run(kernel("kernel void k(volatile global int* p) {\n"
                       "  atomic_inc(&p[0]);\n"
                       "  while (p[0] < get_num_groups(0));\n"
                       "  p[1 + get_group_id(0)] = p[0];\n}"),
                m, 8, 1, said),
            CL_COMPLETE)
      << said;
  EXPECT_EQ(contents(m, 9), std::vector<cl_int>(9, 8));
  clReleaseMemObject(m);
}

}  // namespace

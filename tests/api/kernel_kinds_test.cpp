// Small programs of the kinds that people write, from the host's threads to the kernel's local memory. What a kernel is
// to give is computed here on the host, in the plainest way.
#include <algorithm>
#include <array>
#include <numeric>
#include <thread>

#include "tests/api/program_fixture.h"

namespace {

class KernelKindsTest : public ProgramTest {
 protected:
  void TearDown() override {
    clFinish(queue);
    for (cl_kernel k : kernels) clReleaseKernel(k);
    for (cl_mem m : memories) clReleaseMemObject(m);
    ProgramTest::TearDown();
  }
  cl_kernel kernel(const std::string& text, const char* name, const char* options = nullptr) {
    cl_program p = source(text);
    EXPECT_EQ(build(p, options), CL_SUCCESS) << log(p);
    return kernel_of(p, name);
  }
  cl_kernel kernel_of(cl_program p, const char* name) {
    cl_int e = CL_SUCCESS;
    cl_kernel k = clCreateKernel(p, name, &e);
    EXPECT_EQ(e, CL_SUCCESS) << name;
    if (k != nullptr) kernels.push_back(k);
    return k;
  }
  template <class T>
  cl_mem filled(std::vector<T> data) {
    memories.push_back(buffer(data.size() * sizeof(T), CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, data.data()));
    return memories.back();
  }
  template <class T>
  std::vector<T> content(cl_mem m, std::size_t count) {
    std::vector<T> out(count);
    const std::size_t size = count * sizeof(T);
    EXPECT_EQ(clEnqueueReadBuffer(queue, m, CL_TRUE, 0, size, out.data(), 0, nullptr, nullptr), CL_SUCCESS);
    return out;
  }
  // Only for arguments that are values; local memory is set where it is needed.
  template <class... T>
  static void arguments(cl_kernel k, const T&... values) {
    cl_uint i = 0;
    const std::vector<cl_int> codes{clSetKernelArg(k, i++, sizeof values, &values)...};
    EXPECT_EQ(codes, std::vector<cl_int>(codes.size(), CL_SUCCESS));
  }
  static void launch(cl_command_queue q, cl_kernel k, std::size_t global, std::size_t local,
                     std::vector<cl_event> after = {}, cl_event* done = nullptr) {
    EXPECT_EQ(clEnqueueNDRangeKernel(q, k, 1, nullptr, &global, local == 0 ? nullptr : &local,
                                     static_cast<cl_uint>(after.size()), after.empty() ? nullptr : after.data(), done),
              CL_SUCCESS);
  }

  std::vector<cl_kernel> kernels;
  std::vector<cl_mem> memories;
};

std::vector<cl_uint> noise(std::size_t count) {
  std::vector<cl_uint> out(count);
  cl_uint x = 1;
  for (cl_uint& v : out) v = x = x * 1664525U + 1013904223U;
  return out;
}

constexpr const char* add_source = "kernel void add(global int *a, int b) { a[get_global_id(0)] += b; }";

TEST_F(KernelKindsTest, ThreadsEachWithAQueueAndAKernelShareAProgram) {
  cl_program p = source(add_source);
  ASSERT_EQ(build(p), CL_SUCCESS) << log(p);
  constexpr std::size_t threads = 4;
  constexpr int launches = 20;
  std::array<cl_mem, threads> sums{};
  for (cl_mem& m : sums) m = filled(std::vector<cl_int>(256, 0));
  std::vector<std::thread> running;
  for (std::size_t t = 0; t < threads; ++t) {
    running.emplace_back([&, t] {
      cl_command_queue q = make_queue(context, 0);
      cl_int e = CL_SUCCESS;
      cl_kernel k = clCreateKernel(p, "add", &e);
      EXPECT_EQ(e, CL_SUCCESS);
      for (int i = 0; i < launches; ++i) {
        arguments(k, sums[t], static_cast<cl_int>(t) + i);
        launch(q, k, 256, 64);
      }
      EXPECT_EQ(clFinish(q), CL_SUCCESS);
      clReleaseKernel(k);
      clReleaseCommandQueue(q);
    });
  }
  for (std::thread& t : running) t.join();
  for (std::size_t t = 0; t < threads; ++t) {
    const cl_int expected = static_cast<cl_int>(t) * launches + launches * (launches - 1) / 2;
    EXPECT_EQ(content<cl_int>(sums[t], 256), std::vector<cl_int>(256, expected));
  }
}

TEST_F(KernelKindsTest, TwoContextsRunTheSameSource) {
  cl_kernel here = kernel(add_source, "add");
  const char* text = add_source;
  cl_int e = CL_SUCCESS;
  cl_program p = keep(clCreateProgramWithSource(other_context, 1, &text, nullptr, &e));
  ASSERT_EQ(build(p), CL_SUCCESS);
  cl_kernel there = kernel_of(p, "add");
  std::vector<cl_int> zeros(128, 0);
  cl_mem one = filled(zeros);
  memories.push_back(clCreateBuffer(other_context, CL_MEM_COPY_HOST_PTR, 512, zeros.data(), &e));
  cl_mem two = memories.back();
  arguments(here, one, 3);
  arguments(there, two, 5);
  launch(queue, here, 128, 0);
  launch(other_queue, there, 128, 0);
  EXPECT_EQ(clFinish(other_queue), CL_SUCCESS);
  EXPECT_EQ(content<cl_int>(one, 128), std::vector<cl_int>(128, 3));
  std::vector<cl_int> out(128);
  EXPECT_EQ(clEnqueueReadBuffer(other_queue, two, CL_TRUE, 0, 512, out.data(), 0, nullptr, nullptr), CL_SUCCESS);
  EXPECT_EQ(out, std::vector<cl_int>(128, 5));
}

// A triangle behind a gate, on a queue that keeps no order by itself: only the events say what goes first.
TEST_F(KernelKindsTest, OutOfOrderKernelsKeepTheOrderOfTheirEvents) {
  cl_program p = source("kernel void twice_and(global int *to, global const int *from, int b) {\n"
                        "  size_t i = get_global_id(0); to[i] = from[i] * 2 + b; }\n"
                        "kernel void sum(global int *to, global const int *a, global const int *b) {\n"
                        "  size_t i = get_global_id(0); to[i] = a[i] + b[i]; }\n");
  ASSERT_EQ(build(p), CL_SUCCESS) << log(p);
  cl_command_queue any = make_queue(context, CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE);
  std::vector<cl_int> first(512);
  std::iota(first.begin(), first.end(), 0);
  cl_mem a = filled(first);
  cl_mem b = filled(std::vector<cl_int>(512, -1));
  cl_mem c = filled(std::vector<cl_int>(512, -1));
  cl_mem d = filled(std::vector<cl_int>(512, -1));
  cl_kernel left = kernel_of(p, "twice_and");
  cl_kernel right = kernel_of(p, "twice_and");
  cl_kernel sum = kernel_of(p, "sum");
  arguments(left, b, a, 1);
  arguments(right, c, b, 7);
  arguments(sum, d, b, c);
  cl_event gate = user_event();
  std::array<cl_event, 3> done{};
  launch(any, left, 512, 64, {gate}, &done[0]);
  launch(any, right, 512, 32, {done[0]}, &done[1]);
  launch(any, sum, 512, 128, {done[0], done[1]}, &done[2]);
  clFlush(any);
  EXPECT_GT(status(done[2]), CL_COMPLETE);
  EXPECT_EQ(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  std::vector<cl_int> out(512);
  EXPECT_EQ(clEnqueueReadBuffer(any, d, CL_TRUE, 0, 2048, out.data(), 1, &done[2], nullptr), CL_SUCCESS);
  for (cl_int i = 0; i < 512; ++i) ASSERT_EQ(out[static_cast<std::size_t>(i)], (2 * i + 1) + (2 * (2 * i + 1) + 7));
  for (cl_event e : done) clReleaseEvent(e);
  clReleaseEvent(gate);
  clReleaseCommandQueue(any);
}

TEST_F(KernelKindsTest, SubBuffersOfOneBufferAreInputAndOutput) {
  cl_kernel k = kernel("kernel void reverse(global const int *in, global int *out) {\n"
                       "  size_t n = get_global_size(0), i = get_global_id(0); out[i] = in[n - 1 - i]; }", "reverse");
  std::vector<cl_int> data(3072, 9);
  std::iota(data.begin() + 1024, data.begin() + 2048, 100);
  cl_mem whole = filled(data);
  cl_mem in = sub_buffer(whole, 4096, 4096);
  cl_mem out = sub_buffer(whole, 8192, 4096);
  memories.insert(memories.end(), {in, out});
  arguments(k, in, out);
  launch(queue, k, 1024, 0);
  std::reverse_copy(data.begin() + 1024, data.begin() + 2048, data.begin() + 2048);
  EXPECT_EQ(content<cl_int>(whole, 3072), data);
}

TEST_F(KernelKindsTest, AGroupUsesAllLocalMemory) {
  cl_ulong size = 0;
  ASSERT_EQ(clGetDeviceInfo(device, CL_DEVICE_LOCAL_MEM_SIZE, sizeof size, &size, nullptr), CL_SUCCESS);
  const cl_uint words = static_cast<cl_uint>(size / 4);
  cl_kernel k = kernel("kernel void reverse(global uint *a, local uint *l, uint n) {\n"
                       "  a += get_group_id(0) * n;\n"
                       "  for (uint i = get_local_id(0); i < n; i += get_local_size(0)) l[i] = a[i];\n"
                       "  barrier(CLK_LOCAL_MEM_FENCE);\n"
                       "  for (uint i = get_local_id(0); i < n; i += get_local_size(0)) a[i] = l[n - 1 - i]; }",
                       "reverse");
  std::vector<cl_uint> data = noise(words * 2);
  cl_mem m = filled(data);
  ASSERT_EQ(clSetKernelArg(k, 0, sizeof m, &m), CL_SUCCESS);
  ASSERT_EQ(clSetKernelArg(k, 1, words * 4, nullptr), CL_SUCCESS);
  ASSERT_EQ(clSetKernelArg(k, 2, sizeof words, &words), CL_SUCCESS);
  launch(queue, k, 128, 64);
  std::reverse(data.begin(), data.begin() + words);
  std::reverse(data.begin() + words, data.end());
  EXPECT_EQ(content<cl_uint>(m, data.size()), data);
}

TEST_F(KernelKindsTest, StructuresAreArgumentsByValue) {
  struct Inner {
    cl_char c;
    cl_double d;
  };
  struct Outer {
    cl_short s;
    Inner inner[2];
    cl_float4 v;
    cl_uchar tail;
  };
  cl_kernel k = kernel("typedef struct { char c; double d; } Inner;\n"
                       "typedef struct { short s; Inner inner[2]; float4 v; uchar tail; } Outer;\n"
                       "kernel void spread(Outer o, global double *out, global Outer *copy) {\n"
                       "  out[0] = o.s; out[1] = o.inner[0].c; out[2] = o.inner[0].d; out[3] = o.inner[1].c;\n"
                       "  out[4] = o.inner[1].d; out[5] = o.v.x; out[6] = o.v.w; out[7] = o.tail;\n"
                       "  out[8] = sizeof(Outer);\n"
                       "  o.s++; o.inner[1].d *= 2; o.v = o.v.wzyx; *copy = o; }", "spread");
  const Outer in{-300, {{-7, 1.5}, {9, 1e100}}, {{1, 2, 3, 4}}, 250};
  cl_mem out = filled(std::vector<cl_double>(9, 0));
  cl_mem copy = filled(std::vector<Outer>(1));
  arguments(k, in, out, copy);
  launch(queue, k, 1, 1);
  EXPECT_EQ(content<cl_double>(out, 9), (std::vector<cl_double>{-300, -7, 1.5, 9, 1e100, 1, 4, 250, sizeof(Outer)}));
  const Outer changed = content<Outer>(copy, 1)[0];
  EXPECT_EQ(changed.s, -299);
  EXPECT_EQ(changed.inner[1].d, 2e100);
  EXPECT_EQ(changed.v.s[0], 4);
  EXPECT_EQ(changed.tail, 250);
}

TEST_F(KernelKindsTest, ConstantArraysOfTheProgramAndOfTheHost) {
  cl_kernel k = kernel("constant int table[2][3] = {{1, 20, 300}, {4000, 50000, 600000}};\n"
                       "constant int *constant rows[2] = {table[1], table[0]};\n"
                       "kernel void look(constant int *weights, global int *out) {\n"
                       "  int i = get_global_id(0); out[i] = table[i % 2][i % 3] * weights[i] + rows[i % 2][0]; }",
                       "look");
  std::vector<cl_int> weights(6);
  std::iota(weights.begin(), weights.end(), 1);
  cl_mem w = filled(weights);
  cl_mem out = filled(std::vector<cl_int>(6, 0));
  arguments(k, w, out);
  launch(queue, k, 6, 0);
  EXPECT_EQ(content<cl_int>(out, 6),
            (std::vector<cl_int>{1 * 1 + 4000, 50000 * 2 + 1, 300 * 3 + 4000, 4000 * 4 + 1, 20 * 5 + 4000,
                                 600000 * 6 + 1}));
}

TEST_F(KernelKindsTest, ThreeDimensionsWithOffsets) {
  cl_kernel k = kernel("kernel void ids(global int *out) {\n"
                       "  size_t x = get_global_id(0) - get_global_offset(0);\n"
                       "  size_t y = get_global_id(1) - get_global_offset(1);\n"
                       "  size_t z = get_global_id(2) - get_global_offset(2);\n"
                       "  out[(z * get_global_size(1) + y) * get_global_size(0) + x] = get_global_id(0) * 10000 +\n"
                       "      get_global_id(1) * 100 + get_global_id(2) + (get_group_id(0) * get_local_size(0) +\n"
                       "      get_local_id(0) == x ? 0 : 1000000); }", "ids");
  const std::size_t offset[] = {5, 3, 11};
  const std::size_t global[] = {8, 6, 4};
  const std::size_t local[] = {4, 3, 2};
  cl_mem out = filled(std::vector<cl_int>(192, -1));
  arguments(k, out);
  ASSERT_EQ(clEnqueueNDRangeKernel(queue, k, 3, offset, global, local, 0, nullptr, nullptr), CL_SUCCESS);
  std::vector<cl_int> expected;
  for (cl_int z = 11; z < 15; ++z)
    for (cl_int y = 3; y < 9; ++y)
      for (cl_int x = 5; x < 13; ++x) expected.push_back(x * 10000 + y * 100 + z);
  EXPECT_EQ(content<cl_int>(out, 192), expected);
}

TEST_F(KernelKindsTest, ReductionAndScanInLocalMemory) {
  cl_program p = source("kernel void reduce(global const uint *in, global uint *out, local uint *l) {\n"
                        "  size_t i = get_local_id(0); l[i] = in[get_global_id(0)];\n"
                        "  for (size_t s = get_local_size(0) / 2; s > 0; s /= 2) {\n"
                        "    barrier(CLK_LOCAL_MEM_FENCE); if (i < s) l[i] += l[i + s]; }\n"
                        "  if (i == 0) out[get_group_id(0)] = l[0]; }\n"
                        "kernel void scan(global uint *a, local uint *from, local uint *to) {\n"
                        "  size_t i = get_local_id(0); from[i] = a[i]; barrier(CLK_LOCAL_MEM_FENCE);\n"
                        "  for (size_t s = 1; s < get_local_size(0); s *= 2) {\n"
                        "    to[i] = i >= s ? from[i] + from[i - s] : from[i]; barrier(CLK_LOCAL_MEM_FENCE);\n"
                        "    local uint *swap = from; from = to; to = swap; }\n"
                        "  a[i] = from[i]; }\n");
  ASSERT_EQ(build(p), CL_SUCCESS) << log(p);
  const std::vector<cl_uint> data = noise(16384);
  cl_mem in = filled(data);
  cl_mem sums = filled(std::vector<cl_uint>(128, 0));
  cl_kernel reduce = kernel_of(p, "reduce");
  arguments(reduce, in, sums);
  ASSERT_EQ(clSetKernelArg(reduce, 2, 512, nullptr), CL_SUCCESS);
  launch(queue, reduce, 16384, 128);
  cl_kernel scan = kernel_of(p, "scan");
  arguments(scan, sums);
  ASSERT_EQ(clSetKernelArg(scan, 1, 512, nullptr), CL_SUCCESS);
  ASSERT_EQ(clSetKernelArg(scan, 2, 512, nullptr), CL_SUCCESS);
  launch(queue, scan, 128, 128);
  std::vector<cl_uint> expected;
  for (std::size_t i = 0; i < 128; ++i)
    expected.push_back(std::accumulate(data.begin(), data.begin() + static_cast<std::ptrdiff_t>(128 * (i + 1)), 0U));
  EXPECT_EQ(content<cl_uint>(sums, 128), expected);
}

TEST_F(KernelKindsTest, MatricesMultipliedInTiles) {
  constexpr std::size_t n = 48;
  cl_kernel k = kernel("kernel __attribute__((reqd_work_group_size(T, T, 1)))\n"
                       "void multiply(global const float *a, global const float *b, global float *c, int n) {\n"
                       "  local float x[T][T], y[T][T]; int i = get_local_id(0), j = get_local_id(1); float sum = 0;\n"
                       "  for (int t = 0; t < n; t += T) {\n"
                       "    x[j][i] = a[get_global_id(1) * n + t + i]; y[j][i] = b[(t + j) * n + get_global_id(0)];\n"
                       "    barrier(CLK_LOCAL_MEM_FENCE);\n"
                       "    for (int u = 0; u < T; u++) sum += x[j][u] * y[u][i];\n"
                       "    barrier(CLK_LOCAL_MEM_FENCE); }\n"
                       "  c[get_global_id(1) * n + get_global_id(0)] = sum; }", "multiply", "-DT=8");
  std::vector<cl_float> a(n * n), b(n * n), expected(n * n, 0);
  for (std::size_t i = 0; i < n * n; ++i) a[i] = static_cast<cl_float>(i % 7), b[i] = static_cast<cl_float>(i % 5) - 2;
  for (std::size_t y = 0; y < n; ++y)
    for (std::size_t x = 0; x < n; ++x)
      for (std::size_t u = 0; u < n; ++u) expected[y * n + x] += a[y * n + u] * b[u * n + x];  // whole numbers: exact
  cl_mem result = filled(std::vector<cl_float>(n * n, -1));
  arguments(k, filled(a), filled(b), result, static_cast<cl_int>(n));
  const std::size_t global[] = {n, n};
  const std::size_t local[] = {8, 8};
  ASSERT_EQ(clEnqueueNDRangeKernel(queue, k, 2, nullptr, global, local, 0, nullptr, nullptr), CL_SUCCESS);
  EXPECT_EQ(content<cl_float>(result, n * n), expected);
}

TEST_F(KernelKindsTest, HistogramWithAtomicsInLocalAndGlobalMemory) {
  cl_kernel k = kernel("kernel void count(global const uchar *in, global int *bins, uint n) {\n"
                       "  local int l[256];\n"
                       "  for (int i = get_local_id(0); i < 256; i += get_local_size(0)) l[i] = 0;\n"
                       "  barrier(CLK_LOCAL_MEM_FENCE);\n"
                       "  for (uint i = get_global_id(0); i < n; i += get_global_size(0)) atomic_inc(&l[in[i]]);\n"
                       "  barrier(CLK_LOCAL_MEM_FENCE);\n"
                       "  for (int i = get_local_id(0); i < 256; i += get_local_size(0)) atomic_add(&bins[i], l[i]); }",
                       "count");
  std::vector<cl_uchar> data;
  for (cl_uint v : noise(10007)) data.push_back(static_cast<cl_uchar>((v >> 24) & (v >> 16)));
  std::vector<cl_int> expected(256, 0);
  for (cl_uchar v : data) ++expected[v];
  cl_mem bins = filled(std::vector<cl_int>(256, 0));
  arguments(k, filled(data), bins, static_cast<cl_uint>(data.size()));
  launch(queue, k, 8 * 64, 64);
  EXPECT_EQ(content<cl_int>(bins, 256), expected);
}

TEST_F(KernelKindsTest, BitonicSortOfManyLaunches) {
  cl_kernel k = kernel("kernel void step(global uint *a, uint size, uint stride) {\n"
                       "  uint i = get_global_id(0), other = i ^ stride;\n"
                       "  if (other > i && (a[i] > a[other]) == ((i & size) == 0)) {\n"
                       "    uint v = a[i]; a[i] = a[other]; a[other] = v; } }", "step");
  std::vector<cl_uint> data = noise(1024);
  cl_mem m = filled(data);
  for (cl_uint size = 2; size <= 1024; size *= 2) {
    for (cl_uint stride = size / 2; stride > 0; stride /= 2) {
      arguments(k, m, size, stride);  // the arguments of a launch are those it was enqueued with
      launch(queue, k, 1024, 0);
    }
  }
  std::sort(data.begin(), data.end());
  EXPECT_EQ(content<cl_uint>(m, 1024), data);
}

TEST_F(KernelKindsTest, LinkedListInSharedVirtualMemory) {
  struct Node {
    Node* next;
    cl_int value;
  };
  cl_kernel k = kernel("typedef struct Node { global struct Node *next; int value; } Node;\n"
                       "kernel void sum(global Node *head, global int *out) {\n"
                       "  int s = 0; for (; head; head = head->next) { s = s * 2 + head->value; head->value = -s; }\n"
                       "  *out = s; }", "sum");
  // Every other node in either allocation, so that the second is reached through pointers only.
  auto* even = static_cast<Node*>(clSVMAlloc(context, CL_MEM_READ_WRITE, 10 * sizeof(Node), 0));
  auto* odd = static_cast<Node*>(clSVMAlloc(context, CL_MEM_READ_WRITE, 10 * sizeof(Node), 0));
  ASSERT_NE(even, nullptr);
  ASSERT_NE(odd, nullptr);
  for (Node* p : {even, odd})
    ASSERT_EQ(clEnqueueSVMMap(queue, CL_TRUE, CL_MAP_WRITE, p, 10 * sizeof(Node), 0, nullptr, nullptr), CL_SUCCESS);
  std::vector<cl_int> sums;
  cl_int s = 0;
  for (int i = 0; i < 20; ++i) {
    Node* here = (i % 2 == 0 ? even : odd) + i / 2;
    *here = {i == 19 ? nullptr : (i % 2 == 0 ? odd : even) + (i + 1) / 2, i % 4};
    sums.push_back(s = s * 2 + i % 4);
  }
  for (Node* p : {even, odd}) ASSERT_EQ(clEnqueueSVMUnmap(queue, p, 0, nullptr, nullptr), CL_SUCCESS);
  cl_mem out = filled(std::vector<cl_int>(1, 0));
  ASSERT_EQ(clSetKernelArgSVMPointer(k, 0, even), CL_SUCCESS);
  ASSERT_EQ(clSetKernelArg(k, 1, sizeof out, &out), CL_SUCCESS);
  void* reached[] = {odd};
  ASSERT_EQ(clSetKernelExecInfo(k, CL_KERNEL_EXEC_INFO_SVM_PTRS, sizeof reached, reached), CL_SUCCESS);
  launch(queue, k, 1, 1);
  EXPECT_EQ(content<cl_int>(out, 1)[0], s);
  for (Node* p : {even, odd})
    ASSERT_EQ(clEnqueueSVMMap(queue, CL_TRUE, CL_MAP_READ, p, 10 * sizeof(Node), 0, nullptr, nullptr), CL_SUCCESS);
  for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ((i % 2 == 0 ? even : odd)[i / 2].value, -sums[i]) << i;
  for (Node* p : {even, odd}) ASSERT_EQ(clEnqueueSVMUnmap(queue, p, 0, nullptr, nullptr), CL_SUCCESS);
  EXPECT_EQ(clFinish(queue), CL_SUCCESS);
  clSVMFree(context, even);
  clSVMFree(context, odd);
}

}  // namespace

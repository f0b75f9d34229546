// Pipes (OpenCL 3.0, section 5.4; OpenCL C 3.0, section 6.15.17): objects, arguments, the order of packets, and misuse.
#include <gmock/gmock.h>

#include <algorithm>

#include "tests/api/program_fixture.h"

namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

class Pipe : public ProgramTest {
 protected:
  void TearDown() override {
    clFinish(queue);
    for (cl_kernel k : kernels) clReleaseKernel(k);
    for (cl_mem m : objects) clReleaseMemObject(m);
    ProgramTest::TearDown();
  }
  cl_mem pipe(cl_uint packets, cl_uint bytes = sizeof(cl_int)) {
    cl_int e = CL_SUCCESS;
    objects.push_back(clCreatePipe(context, 0, bytes, packets, nullptr, &e));
    EXPECT_EQ(e, CL_SUCCESS);
    return objects.back();
  }
  cl_mem ints(std::size_t n) {
    cl_mem m = buffer(n * sizeof(cl_int));
    objects.push_back(m);
    const cl_int zero = 0;
    EXPECT_EQ(clEnqueueFillBuffer(queue, m, &zero, sizeof zero, 0, n * sizeof(cl_int), 0, nullptr, nullptr), CL_SUCCESS);
    return m;
  }
  cl_kernel kernel(cl_program p, const std::vector<cl_mem>& arguments) {
    cl_int e = CL_SUCCESS;
    cl_kernel k = clCreateKernel(p, "k", &e);
    EXPECT_EQ(e, CL_SUCCESS);
    kernels.push_back(k);
    for (cl_uint i = 0; i < arguments.size(); ++i) {
      EXPECT_EQ(clSetKernelArg(k, i, sizeof(cl_mem), &arguments[i]), CL_SUCCESS) << i;
    }
    return k;
  }
  cl_kernel kernel(const std::string& text, const std::vector<cl_mem>& arguments) {
    cl_program p = source(text);
    EXPECT_EQ(build(p, "-cl-std=CL3.0 -cl-kernel-arg-info"), CL_SUCCESS) << log(p);
    return kernel(p, arguments);
  }
  // The status that the launch ends with; what it wrote to stderr is in `said`.
  cl_int run(cl_kernel k, std::size_t items = 1, std::size_t group = 1) {
    const cl_int result = ProgramTest::run(k, items, group, said);
    // The address sanitizer's remark that kernels which may wait are contexts of their own.
    if (const std::size_t at = said.find("makecontext"); at != std::string::npos) {
      const std::size_t begin = said.rfind('\n', at) + 1, end = said.find('\n', at);
      said.erase(begin, end - begin + 1);
    }
    return result;
  }
  // Runs statements with the pipe's two ends, `w` and `r`, and `out`; returns what they left in out.
  std::vector<cl_int> play(cl_mem m, const std::string& statements, std::size_t n, std::size_t items = 1) {
    cl_mem out = ints(n);
    cl_kernel k = kernel(kEnds + statements + "\n}", {m, m, out});
    EXPECT_EQ(run(k, items, items), CL_COMPLETE) << said;
    EXPECT_EQ(said, "");
    return contents(out, n);
  }
  // The same of what is not to be done.
  void expect_report(cl_mem m, const std::string& statements, const std::string& report) {
    EXPECT_LT(run(kernel(kEnds + statements + "\n}", {m, m, ints(16)})), 0) << statements;
    EXPECT_THAT(said, HasSubstr(report)) << statements;
  }

  static constexpr const char* kEnds =
      "kernel void k(write_only pipe int w, read_only pipe int r, global int* out) {\n";
  std::vector<cl_kernel> kernels;
  std::vector<cl_mem> objects;
  std::string said;
};

TEST_F(Pipe, Creation) {
  cl_uint largest = 0;
  ASSERT_EQ(clGetDeviceInfo(device, CL_DEVICE_PIPE_MAX_PACKET_SIZE, sizeof largest, &largest, nullptr), CL_SUCCESS);
  cl_int e = CL_SUCCESS;
  const auto code = [&](cl_context c, cl_mem_flags flags, cl_uint bytes, cl_uint packets,
                        const cl_pipe_properties* properties = nullptr) {
    cl_mem m = clCreatePipe(c, flags, bytes, packets, properties, &e);
    EXPECT_EQ(m != nullptr, e == CL_SUCCESS);
    if (m != nullptr) clReleaseMemObject(m);
    return e;
  };
  EXPECT_EQ(code(nullptr, 0, 4, 4), CL_INVALID_CONTEXT);
  // "Only CL_MEM_READ_WRITE and CL_MEM_HOST_NO_ACCESS can be specified".
  for (const cl_mem_flags flags : {0, CL_MEM_READ_WRITE, CL_MEM_HOST_NO_ACCESS}) {
    EXPECT_EQ(code(context, flags, 4, 4), CL_SUCCESS) << flags;
  }
  EXPECT_EQ(code(context, CL_MEM_READ_WRITE | CL_MEM_HOST_NO_ACCESS, 4, 4), CL_SUCCESS);
  for (const cl_mem_flags flags : {CL_MEM_READ_ONLY, CL_MEM_WRITE_ONLY, CL_MEM_HOST_READ_ONLY, CL_MEM_HOST_WRITE_ONLY,
                                   CL_MEM_ALLOC_HOST_PTR, CL_MEM_USE_HOST_PTR, CL_MEM_COPY_HOST_PTR, 1 << 20}) {
    EXPECT_EQ(code(context, flags, 4, 4), CL_INVALID_VALUE) << flags;
  }
  const cl_pipe_properties none[] = {0};
  EXPECT_EQ(code(context, 0, 4, 4, none), CL_INVALID_VALUE);
  EXPECT_EQ(code(context, 0, 0, 4), CL_INVALID_PIPE_SIZE);
  EXPECT_EQ(code(context, 0, 4, 0), CL_INVALID_PIPE_SIZE);
  EXPECT_EQ(code(context, 0, largest + 1, 4), CL_INVALID_PIPE_SIZE);
  EXPECT_EQ(code(context, 0, largest, 1), CL_SUCCESS);
  EXPECT_EQ(code(context, 0, largest, 0xffffffff), CL_MEM_OBJECT_ALLOCATION_FAILURE);
  EXPECT_EQ(clCreatePipe(context, 0, 0, 0, nullptr, nullptr), nullptr);
}

TEST_F(Pipe, Queries) {
  cl_mem m = pipe(7, 12);
  cl_uint n = 0;
  std::size_t size = 99;
  EXPECT_EQ(clGetPipeInfo(m, CL_PIPE_PACKET_SIZE, sizeof n, &n, &size), CL_SUCCESS);
  EXPECT_EQ(n, 12U);
  EXPECT_EQ(size, sizeof n);
  EXPECT_EQ(clGetPipeInfo(m, CL_PIPE_MAX_PACKETS, sizeof n, &n, nullptr), CL_SUCCESS);
  EXPECT_EQ(n, 7U);
  EXPECT_EQ(clGetPipeInfo(m, CL_PIPE_MAX_PACKETS, sizeof n - 1, &n, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(clGetPipeInfo(m, CL_PIPE_MAX_PACKETS, 0, nullptr, nullptr), CL_SUCCESS);
  EXPECT_EQ(clGetPipeInfo(m, CL_PIPE_PROPERTIES, 0, nullptr, &size), CL_SUCCESS);
  EXPECT_EQ(size, 0U);
  EXPECT_EQ(clGetPipeInfo(m, CL_MEM_TYPE, sizeof n, &n, nullptr), CL_INVALID_VALUE);
  for (cl_mem other : {cl_mem(nullptr), ints(4), reinterpret_cast<cl_mem>(queue)}) {
    EXPECT_EQ(clGetPipeInfo(other, CL_PIPE_PACKET_SIZE, sizeof n, &n, nullptr), CL_INVALID_MEM_OBJECT);
  }
  EXPECT_EQ(clGetMemObjectInfo(m, CL_MEM_TYPE, sizeof n, &n, nullptr), CL_SUCCESS);
  EXPECT_EQ(n, cl_uint(CL_MEM_OBJECT_PIPE));
  cl_context c = nullptr;
  EXPECT_EQ(clGetMemObjectInfo(m, CL_MEM_CONTEXT, sizeof c, &c, nullptr), CL_SUCCESS);
  EXPECT_EQ(c, context);
  EXPECT_EQ(clGetMemObjectInfo(m, CL_MEM_SIZE, sizeof size, &size, nullptr), CL_SUCCESS);
  EXPECT_GE(size, 7U * 12U);
  EXPECT_EQ(clGetMemObjectInfo(m, CL_MEM_PROPERTIES, 0, nullptr, &size), CL_SUCCESS);
  EXPECT_EQ(size, 0U);
  cl_image_format format;
  EXPECT_EQ(clGetImageInfo(m, CL_IMAGE_FORMAT, sizeof format, &format, nullptr), CL_INVALID_MEM_OBJECT);
}

// "Pipe objects are not accessible from the host."
TEST_F(Pipe, IsNoBuffer) {
  cl_mem m = pipe(16);
  cl_mem other = ints(64);
  char data[16] = {};
  const std::size_t at[3] = {0, 0, 0};
  const std::size_t box[3] = {4, 1, 1};
  const cl_int bad = CL_INVALID_MEM_OBJECT;
  EXPECT_EQ(clEnqueueReadBuffer(queue, m, CL_TRUE, 0, 4, data, 0, nullptr, nullptr), bad);
  EXPECT_EQ(clEnqueueWriteBuffer(queue, m, CL_TRUE, 0, 4, data, 0, nullptr, nullptr), bad);
  EXPECT_EQ(clEnqueueReadBufferRect(queue, m, CL_TRUE, at, at, box, 0, 0, 0, 0, data, 0, nullptr, nullptr), bad);
  EXPECT_EQ(clEnqueueWriteBufferRect(queue, m, CL_TRUE, at, at, box, 0, 0, 0, 0, data, 0, nullptr, nullptr), bad);
  EXPECT_EQ(clEnqueueFillBuffer(queue, m, data, 4, 0, 4, 0, nullptr, nullptr), bad);
  EXPECT_EQ(clEnqueueCopyBuffer(queue, m, other, 0, 0, 4, 0, nullptr, nullptr), bad);
  EXPECT_EQ(clEnqueueCopyBuffer(queue, other, m, 0, 0, 4, 0, nullptr, nullptr), bad);
  EXPECT_EQ(clEnqueueCopyBufferRect(queue, other, m, at, at, box, 0, 0, 0, 0, 0, nullptr, nullptr), bad);
  cl_int e = CL_SUCCESS;
  EXPECT_EQ(clEnqueueMapBuffer(queue, m, CL_TRUE, CL_MAP_READ, 0, 4, 0, nullptr, nullptr, &e), nullptr);
  EXPECT_EQ(e, bad);
  std::size_t pitch = 0;
  EXPECT_EQ(clEnqueueMapImage(queue, m, CL_TRUE, CL_MAP_READ, at, box, &pitch, nullptr, 0, nullptr, nullptr, &e),
            nullptr);
  EXPECT_EQ(e, bad);
  // "... or is a pipe object."
  EXPECT_EQ(clEnqueueUnmapMemObject(queue, m, data, 0, nullptr, nullptr), bad);
  const cl_buffer_region region{0, 4};
  EXPECT_EQ(clCreateSubBuffer(m, 0, CL_BUFFER_CREATE_TYPE_REGION, &region, &e), nullptr);
  EXPECT_EQ(e, bad);
  const cl_image_format format{CL_R, CL_UNSIGNED_INT32};
  cl_image_desc desc{};
  desc.image_type = CL_MEM_OBJECT_IMAGE1D_BUFFER;
  desc.image_width = 4;
  desc.mem_object = m;
  EXPECT_EQ(clCreateImage(context, 0, &format, &desc, nullptr, &e), nullptr);
  EXPECT_EQ(e, CL_INVALID_IMAGE_DESCRIPTOR);
  // What holds for every memory object.
  EXPECT_EQ(clRetainMemObject(m), CL_SUCCESS);
  EXPECT_EQ(clReleaseMemObject(m), CL_SUCCESS);
  EXPECT_EQ(clEnqueueMigrateMemObjects(queue, 1, &m, CL_MIGRATE_MEM_OBJECT_HOST, 0, nullptr, nullptr), CL_SUCCESS);
  EXPECT_EQ(clEnqueueMigrateMemObjects(queue, 1, &m, 0, 0, nullptr, nullptr), CL_SUCCESS);
  EXPECT_THAT(play(m, "int v = 5; write_pipe(w, &v); v = 0; read_pipe(r, &v); out[0] = v;", 1), ElementsAre(5));
}

TEST_F(Pipe, Arguments) {
  cl_mem m = pipe(4);
  cl_mem b = ints(4);
  cl_kernel k = kernel(
      "kernel void k(read_only pipe int4 in, write_only pipe uint out, global int* p) {\n"
      "  p[0] = get_pipe_max_packets(in) + get_pipe_max_packets(out);\n}",
      {});
  const auto info = [&](cl_uint i, cl_kernel_arg_info name) {
    cl_ulong value = 0;
    const std::size_t size = name == CL_KERNEL_ARG_TYPE_QUALIFIER ? sizeof(cl_ulong) : sizeof(cl_uint);
    EXPECT_EQ(clGetKernelArgInfo(k, i, name, size, &value, nullptr), CL_SUCCESS);
    return value;
  };
  EXPECT_EQ(info(0, CL_KERNEL_ARG_TYPE_QUALIFIER), cl_ulong(CL_KERNEL_ARG_TYPE_PIPE));
  EXPECT_EQ(info(1, CL_KERNEL_ARG_TYPE_QUALIFIER), cl_ulong(CL_KERNEL_ARG_TYPE_PIPE));
  EXPECT_EQ(info(2, CL_KERNEL_ARG_TYPE_QUALIFIER), cl_ulong(CL_KERNEL_ARG_TYPE_NONE));
  EXPECT_EQ(info(0, CL_KERNEL_ARG_ACCESS_QUALIFIER), cl_ulong(CL_KERNEL_ARG_ACCESS_READ_ONLY));
  EXPECT_EQ(info(1, CL_KERNEL_ARG_ACCESS_QUALIFIER), cl_ulong(CL_KERNEL_ARG_ACCESS_WRITE_ONLY));
  EXPECT_EQ(info(0, CL_KERNEL_ARG_ADDRESS_QUALIFIER), cl_ulong(CL_KERNEL_ARG_ADDRESS_GLOBAL));
  char name[16] = {};
  EXPECT_EQ(clGetKernelArgInfo(k, 0, CL_KERNEL_ARG_TYPE_NAME, sizeof name, name, nullptr), CL_SUCCESS);
  EXPECT_STREQ(name, "int4");

  // "... but the memory object is not valid for the kernel argument", and null where one must be.
  EXPECT_EQ(clSetKernelArg(k, 0, sizeof b, &b), CL_INVALID_MEM_OBJECT);
  EXPECT_EQ(clSetKernelArg(k, 2, sizeof m, &m), CL_INVALID_MEM_OBJECT);
  const cl_mem none = nullptr;
  EXPECT_EQ(clSetKernelArg(k, 0, sizeof none, &none), CL_INVALID_MEM_OBJECT);
  EXPECT_EQ(clSetKernelArg(k, 0, sizeof none, nullptr), CL_INVALID_MEM_OBJECT);
  EXPECT_EQ(clSetKernelArg(k, 0, 4, &m), CL_INVALID_ARG_SIZE);
  void* svm = clSVMAlloc(context, CL_MEM_READ_WRITE, 64, 0);
  EXPECT_EQ(clSetKernelArgSVMPointer(k, 0, svm), CL_INVALID_ARG_VALUE);
  clSVMFree(context, svm);
  const std::size_t one = 1;
  EXPECT_EQ(clEnqueueNDRangeKernel(queue, k, 1, nullptr, &one, nullptr, 0, nullptr, nullptr), CL_INVALID_KERNEL_ARGS);
  cl_mem wide = pipe(3, 16);
  EXPECT_EQ(clSetKernelArg(k, 0, sizeof wide, &wide), CL_SUCCESS);
  EXPECT_EQ(clSetKernelArg(k, 1, sizeof m, &m), CL_SUCCESS);
  EXPECT_EQ(clSetKernelArg(k, 2, sizeof b, &b), CL_SUCCESS);
  EXPECT_EQ(run(k), CL_COMPLETE) << said;
  EXPECT_EQ(contents(b, 1)[0], 7);
}

TEST_F(Pipe, NoMoreArgumentsThanTheDeviceTakes) {
  cl_uint most = 0;
  ASSERT_EQ(clGetDeviceInfo(device, CL_DEVICE_MAX_PIPE_ARGS, sizeof most, &most, nullptr), CL_SUCCESS);
  for (const cl_uint n : {most, most + 1}) {
    std::string text = "kernel void k(";
    for (cl_uint i = 0; i < n; ++i) text += "write_only pipe int p" + std::to_string(i) + (i + 1 < n ? ", " : ") {}");
    cl_kernel k = kernel(text, std::vector<cl_mem>(n, pipe(4)));
    const std::size_t one = 1;
    EXPECT_EQ(clEnqueueNDRangeKernel(queue, k, 1, nullptr, &one, nullptr, 0, nullptr, nullptr),
              n == most ? CL_SUCCESS : CL_OUT_OF_RESOURCES);
  }
}

// The kernel writes 1 to 6 into a pipe of four and asks for six: a FIFO gives the first four in order.
TEST_F(Pipe, FirstInFirstOut) {
  EXPECT_THAT(play(pipe(4),
                   "for (int i = 1; i <= 6; ++i) out[i - 1] = write_pipe(w, &i) < 0 ? -1 : 0;\n"
                   "out[6] = get_pipe_num_packets(r); out[7] = get_pipe_max_packets(w);\n"
                   "for (int i = 0; i < 6; ++i) { int v = -9; out[8 + i] = read_pipe(r, &v) < 0 ? -1 : v; }\n"
                   "out[14] = get_pipe_num_packets(w);",
                   15),
              ElementsAre(0, 0, 0, 0, -1, -1, 4, 4, 1, 2, 3, 4, -1, -1, 0));
}

// Five packets a round through three entries: the ring turns in each.
TEST_F(Pipe, TurnsForEver) {
  EXPECT_THAT(play(pipe(3),
                   "int wrong = 0, next = 0;\n"
                   "for (int i = 0; i < 300; ++i) {\n"
                   "  wrong += write_pipe(w, &i) != 0;\n"
                   "  if (i % 3 == 1) { int v; wrong += read_pipe(r, &v) != 0 || v != next++; }\n"
                   "  for (int j = 0; i % 3 == 2 && j < 2; ++j) {\n"
                   "    int v; wrong += read_pipe(r, &v) != 0 || v != next++; }\n"
                   "}\n"
                   "out[0] = wrong; out[1] = next; out[2] = get_pipe_num_packets(r);",
                   3),
              ElementsAre(0, 300, 0));
}

// Reservations are filled and committed in any order, and show themselves in theirs.
TEST_F(Pipe, ReservationsInAnyOrder) {
  EXPECT_THAT(play(pipe(8),
                   "reserve_id_t a = reserve_write_pipe(w, 2), b = reserve_write_pipe(w, 3);\n"
                   "out[0] = is_valid_reserve_id(a) + is_valid_reserve_id(b);\n"
                   "out[1] = is_valid_reserve_id(reserve_write_pipe(w, 4));\n"  // three are left
                   "for (int i = 2; i >= 0; --i) { int v = 20 + i; write_pipe(w, b, i, &v); }\n"
                   "commit_write_pipe(w, b);\n"
                   "int v = 0; out[2] = get_pipe_num_packets(r); out[3] = read_pipe(r, &v) < 0;\n"
                   "for (int i = 0; i < 2; ++i) { int x = 10 + i; out[4] |= write_pipe(w, a, i, &x); }\n"
                   "commit_write_pipe(w, a);\n"
                   "out[5] = get_pipe_num_packets(r);\n"
                   "reserve_id_t c = reserve_read_pipe(r, 4), d = reserve_read_pipe(r, 1);\n"
                   "out[6] = is_valid_reserve_id(reserve_read_pipe(r, 1));\n"
                   "read_pipe(r, d, 0, &v); out[7] = v; commit_read_pipe(r, d);\n"
                   // What was read behind the open reservation is not free yet.
                   "out[8] = is_valid_reserve_id(reserve_write_pipe(w, 4));\n"
                   "for (int i = 0; i < 4; ++i) { read_pipe(r, c, i, &v); out[9 + i] = v; }\n"
                   "commit_read_pipe(r, c);\n"
                   "reserve_id_t all = reserve_write_pipe(w, 8);\n"
                   "out[13] = is_valid_reserve_id(all); commit_write_pipe(w, all);\n"
                   "out[14] = get_pipe_num_packets(r);",
                   15),
              ElementsAre(2, 0, 0, 1, 0, 5, 0, 22, 0, 10, 11, 20, 21, 1, 8));
}

TEST_F(Pipe, ReservationsThatCannotBe) {
  EXPECT_THAT(play(pipe(4),
                   "out[0] = is_valid_reserve_id(reserve_write_pipe(w, 5));\n"
                   "out[1] = is_valid_reserve_id(reserve_write_pipe(w, 0));\n"
                   "out[2] = is_valid_reserve_id(reserve_write_pipe(w, 0xffffffff));\n"
                   "out[3] = is_valid_reserve_id(reserve_read_pipe(r, 1));\n"
                   "out[4] = is_valid_reserve_id(CLK_NULL_RESERVE_ID);\n"
                   "reserve_id_t a = reserve_write_pipe(w, 4); out[5] = is_valid_reserve_id(a);\n"
                   "commit_write_pipe(w, a);",
                   6),
              ElementsAre(0, 0, 0, 0, 0, 1));
}

// Packets that a group reserved together lie together, in the order of their indices.
TEST_F(Pipe, GroupsReserveTogether) {
  cl_mem m = pipe(64);
  cl_mem out = ints(64);
  EXPECT_EQ(run(kernel("kernel void k(write_only pipe int w) {\n"
                       "  local reserve_id_t id;\n"
                       "  id = work_group_reserve_write_pipe(w, get_local_size(0));\n"
                       "  int v = get_global_id(0);\n"
                       "  if (is_valid_reserve_id(id)) {\n"
                       "    write_pipe(w, id, get_local_size(0) - 1 - get_local_id(0), &v);\n"
                       "    work_group_commit_write_pipe(w, id);\n"
                       "  }\n"
                       "}",
                       {m}),
                80, 16),
            CL_COMPLETE)
      << said;
  EXPECT_EQ(run(kernel("kernel void k(read_only pipe int r, global int* out) {\n"
                       "  reserve_id_t id = work_group_reserve_read_pipe(r, get_local_size(0));\n"
                       "  int v = -1;\n"
                       "  if (is_valid_reserve_id(id)) {\n"
                       "    read_pipe(r, id, get_local_id(0), &v);\n"
                       "    work_group_commit_read_pipe(r, id);\n"
                       "  }\n"
                       "  out[get_global_id(0)] = v;\n"
                       "}",
                       {m, out}),
                64, 16),
            CL_COMPLETE)
      << said;
  // Four of the five groups found room. Each has its numbers from the highest down.
  const std::vector<cl_int> data = contents(out, 64);
  for (int i = 0; i < 64; ++i) EXPECT_EQ(data[i], data[i / 16 * 16] - i % 16) << i;
  for (int i = 0; i < 64; i += 16) EXPECT_EQ(data[i] % 16, 15) << i;
}

// The last sub-group of 80 work-items may be shorter than the others. Each reads as many as it has, in order.
TEST_F(Pipe, SubGroupsReserveTogether) {
  cl_uint most = 0;
  ASSERT_EQ(clGetDeviceInfo(device, CL_DEVICE_MAX_NUM_SUB_GROUPS, sizeof most, &most, nullptr), CL_SUCCESS);
  if (most == 0) GTEST_SKIP() << "the device has no sub-groups";
  cl_mem m = pipe(80);
  cl_mem out = ints(80);
  const auto text = [](const std::string& what) {
    return "#pragma OPENCL EXTENSION cl_khr_subgroups : enable\nkernel void k(" + what +
           "_only pipe int p, global int* out) {\n"
           "  reserve_id_t id = sub_group_reserve_" + what + "_pipe(p, get_sub_group_size());\n"
           "  if (!is_valid_reserve_id(id)) return;\n"
           "  int v = get_global_id(0);\n"
           "  " + what + "_pipe(p, id, get_sub_group_local_id(), &v);\n"
           "  sub_group_commit_" + what + "_pipe(p, id);\n"
           "  out[get_global_id(0)] = v;\n}";
  };
  EXPECT_EQ(run(kernel(text("write"), {m, out}), 80, 80), CL_COMPLETE) << said;
  EXPECT_EQ(run(kernel(text("read"), {m, out}), 80, 80), CL_COMPLETE) << said;
  std::vector<cl_int> data = contents(out, 80);
  for (int i = 1; i < 80; ++i) EXPECT_TRUE(data[i] == data[i - 1] + 1 || data[i] % 4 == 0) << i;
  std::sort(data.begin(), data.end());
  for (int i = 0; i < 80; ++i) EXPECT_EQ(data[i], i);
}

// Every work-item reads what another one of its group, or of another group that runs beside it, writes later.
TEST_F(Pipe, ReadersWaitForWriters) {
  const std::string text = std::string(kEnds) +
                           "  const int i = get_global_id(0), n = get_global_size(0) / 2;\n"
                           "  int v = i - n;\n"
                           "  if (i >= n) { while (write_pipe(w, &v) != 0); }\n"
                           "  else { while (read_pipe(r, &v) != 0); out[v] += 1; }\n}";
  for (const std::size_t group : {2, 8}) {
    cl_mem m = pipe(4);
    cl_mem out = ints(8);
    EXPECT_EQ(run(kernel(text, {m, m, out}), 16, group), CL_COMPLETE) << said;
    EXPECT_THAT(contents(out, 8), Each(1)) << group;
    cl_mem mixed = ints(8);
    EXPECT_EQ(run(kernel(text, {m, m, mixed}), 16, 16), CL_COMPLETE) << said;
    EXPECT_THAT(contents(mixed, 8), Each(1));
  }
}

// The same between launches of two queues, of which the reader comes first.
TEST_F(Pipe, LaunchesWaitForEachOther) {
  cl_command_queue other = make_queue(context, 0);
  cl_mem m = pipe(2);
  cl_mem out = ints(6);
  cl_kernel reads = kernel("kernel void k(read_only pipe int r, global int* out) {\n"
                           "  for (int i = 0; i < 6; ++i) while (read_pipe(r, &out[i]) != 0);\n}", {m, out});
  cl_kernel writes = kernel("kernel void k(write_only pipe int w) {\n"
                            "  for (int i = 5; i < 11; ++i) while (write_pipe(w, &i) != 0);\n}", {m});
  const std::size_t one = 1;
  EXPECT_EQ(clEnqueueNDRangeKernel(queue, reads, 1, nullptr, &one, nullptr, 0, nullptr, nullptr), CL_SUCCESS);
  EXPECT_EQ(clFlush(queue), CL_SUCCESS);
  EXPECT_EQ(clEnqueueNDRangeKernel(other, writes, 1, nullptr, &one, nullptr, 0, nullptr, nullptr), CL_SUCCESS);
  EXPECT_EQ(clFinish(other), CL_SUCCESS);
  EXPECT_THAT(contents(out, 6), ElementsAre(5, 6, 7, 8, 9, 10));
  clReleaseCommandQueue(other);
}

// SPIR-V: a packet written without a reservation and one with; the group reserves and reads both, and then there is none
// left.
TEST_F(Pipe, OfSpirv) {
  const auto op = [](cl_uint code, cl_uint words) { return words << 16 | code; };
  const std::vector<cl_uint> words = {
      0x07230203, 0x00010000, 0, 32, 0,
      op(17, 2), 4, op(17, 2), 6, op(17, 2), 17, op(17, 2), 38,  // OpCapability Addresses, Kernel, Pipes, GenericPointer
      op(14, 3), 2, 2,                              // OpMemoryModel Physical64 OpenCL
      op(15, 4), 6, 1, 'k',                         // OpEntryPoint Kernel %1 "k"
      op(19, 2), 2,                                 // %2 = OpTypeVoid
      op(21, 4), 3, 32, 0,                          // %3 = OpTypeInt 32 0
      op(38, 3), 5, 1,                              // %5 = OpTypePipe WriteOnly
      op(38, 3), 6, 0,                              // %6 = OpTypePipe ReadOnly
      op(36, 2), 7,                                 // %7 = OpTypeReserveId
      op(32, 4), 8, 5, 3,                           // %8 = OpTypePointer CrossWorkgroup %3
      op(32, 4), 9, 8, 3,                           // %9 = OpTypePointer Generic %3
      op(33, 6), 10, 2, 5, 6, 8,                    // %10 = OpTypeFunction %2 %5 %6 %8
      op(43, 4), 3, 11, 0,                          // %11 = OpConstant %3 0
      op(43, 4), 3, 12, 1,                          // %12 = OpConstant %3 1
      op(43, 4), 3, 13, 2,                          // %13 = OpConstant %3 2
      op(43, 4), 3, 14, 4,                          // %14 = OpConstant %3 4
      op(54, 5), 2, 1, 0, 10,                       // %1 = OpFunction %2 None %10
      op(55, 3), 5, 15,                             // %15 = OpFunctionParameter %5
      op(55, 3), 6, 16,                             // %16 = OpFunctionParameter %6
      op(55, 3), 8, 17,                             // %17 = OpFunctionParameter %8
      op(248, 2), 18,                               // %18 = OpLabel
      op(121, 4), 9, 19, 17,                        // %19 = OpPtrCastToGeneric %9 %17
      op(275, 7), 3, 20, 15, 19, 14, 14,            // %20 = OpWritePipe %3 %15 %19 %14 %14
      op(62, 5), 17, 11, 2, 4,                      // OpStore %17 %11 Aligned 4
      op(279, 7), 7, 21, 15, 12, 14, 14,            // %21 = OpReserveWritePipePackets %7 %15 %12 %14 %14
      op(277, 9), 3, 22, 15, 21, 11, 19, 14, 14,    // %22 = OpReservedWritePipe %3 %15 %21 %11 %19 %14 %14
      op(281, 5), 15, 21, 14, 14,                   // OpCommitWritePipe %15 %21 %14 %14
      op(283, 6), 3, 23, 16, 14, 14,                // %23 = OpGetNumPipePackets %3 %16 %14 %14
      op(62, 5), 17, 23, 2, 4,                      // OpStore %17 %23 Aligned 4
      op(285, 8), 7, 24, 13, 16, 13, 14, 14,        // %24 = OpGroupReserveReadPipePackets %7 %13 %16 %13 %14 %14
      op(70, 5), 8, 25, 17, 12,                     // %25 = OpInBoundsPtrAccessChain %8 %17 %12
      op(121, 4), 9, 26, 25,                        // %26 = OpPtrCastToGeneric %9 %25
      op(276, 9), 3, 27, 16, 24, 11, 26, 14, 14,    // %27 = OpReservedReadPipe %3 %16 %24 %11 %26 %14 %14
      op(70, 5), 8, 28, 17, 13,                     // %28 = OpInBoundsPtrAccessChain %8 %17 %13
      op(121, 4), 9, 29, 28,                        // %29 = OpPtrCastToGeneric %9 %28
      op(276, 9), 3, 30, 16, 24, 12, 29, 14, 14,    // %30 = OpReservedReadPipe %3 %16 %24 %12 %29 %14 %14
      op(287, 6), 13, 16, 24, 14, 14,               // OpGroupCommitReadPipe %13 %16 %24 %14 %14
      op(274, 7), 3, 4, 16, 29, 14, 14,             // %4 = OpReadPipe %3 %16 %29 %14 %14
      op(70, 5), 8, 31, 17, 14,                     // %31 = OpInBoundsPtrAccessChain %8 %17 %14
      op(62, 5), 31, 4, 2, 4,                       // OpStore %31 %4 Aligned 4
      op(253, 1), op(56, 1),                        // OpReturn, OpFunctionEnd
  };
  cl_int e = CL_SUCCESS;
  cl_program p = keep(clCreateProgramWithIL(context, words.data(), words.size() * sizeof(cl_uint), &e));
  ASSERT_EQ(e, CL_SUCCESS);
  ASSERT_EQ(build(p), CL_SUCCESS) << log(p);
  cl_mem m = pipe(4);
  cl_mem out = ints(5);
  const cl_int first = 77;
  EXPECT_EQ(clEnqueueWriteBuffer(queue, out, CL_TRUE, 0, sizeof first, &first, 0, nullptr, nullptr), CL_SUCCESS);
  EXPECT_EQ(run(kernel(p, {m, m, out})), CL_COMPLETE) << said;
  const std::vector<cl_int> data = contents(out, 5);
  EXPECT_THAT(data, ElementsAre(2, 77, 0, 0, testing::Lt(0)));
}

// Packets of every size that a type may have, through structures of 3 to 300 bytes.
TEST_F(Pipe, PacketsOfAnySize) {
  for (const cl_uint bytes : {1, 3, 12, 256, 300}) {
    cl_mem m = pipe(5, bytes);
    cl_mem wrong = ints(1);
    const std::string text =
        "typedef struct { char c[" + std::to_string(bytes) +
        "]; } T;\n"
        "kernel void k(write_only pipe T w, read_only pipe T r, global int* wrong) {\n"
        "  for (int i = 0; i < 7; ++i) {\n"
        "    T t; for (int j = 0; j < sizeof(T); ++j) t.c[j] = i * 7 + j;\n"
        "    wrong[0] += write_pipe(w, &t) != 0;\n"
        "    T u; wrong[0] += read_pipe(r, &u) != 0;\n"
        "    for (int j = 0; j < sizeof(T); ++j) wrong[0] += u.c[j] != (char)(i * 7 + j);\n"
        "  }\n}";
    EXPECT_EQ(run(kernel(text, {m, m, wrong})), CL_COMPLETE) << said;
    EXPECT_EQ(contents(wrong, 1)[0], 0) << bytes;
  }
}

TEST_F(Pipe, MisuseIsReported) {
  const std::string of = "work-item (0,0,0), group (0,0,0): the pipe of argument 0 'w': ";
  expect_report(pipe(4, 8), "int v = 1; out[0] = write_pipe(w, &v);",
                "line 2, " + of + "its packets have another size");
  expect_report(pipe(4), "reserve_id_t a = reserve_write_pipe(w, 2);\nint v = 1; write_pipe(w, a, 2, &v);",
                "line 3, " + of + "the reservation has no packet of this index");
  const std::string none = "this is no reservation of it";
  expect_report(pipe(4),
                "reserve_id_t a = reserve_write_pipe(w, 2);\ncommit_write_pipe(w, a);\ncommit_write_pipe(w, a);",
                "line 4, " + of + none);
  expect_report(pipe(4), "int v = 1; write_pipe(w, reserve_write_pipe(w, 5), 0, &v);", "line 2, " + of + none);
  // A reservation for writing is none for reading.
  expect_report(pipe(4),
                "int v = 1; write_pipe(w, &v);\n"
                "reserve_id_t a = reserve_write_pipe(w, 1);\nread_pipe(r, a, 0, &v);\ncommit_write_pipe(w, a);",
                none);
  expect_report(pipe(4), "reserve_write_pipe(w, 1); reserve_write_pipe(w, 1);",
                "kernel 'k': the pipe of argument 0 'w': 2 reservations made and never committed");
  // The next kernel is well.
  EXPECT_THAT(play(pipe(4), "int v = 5; write_pipe(w, &v); read_pipe(r, &v); out[0] = v;", 1), ElementsAre(5));
}

// What a program may bring that clang did not compile: ids made up of nothing, far outside of every pipe.
TEST_F(Pipe, InventedReservations) {
  for (const char* id : {"0x7fffffffffffffff", "0x00000001fffffff0", "0x8000000000000000", "1", "0x0000000500000000"}) {
    expect_report(pipe(4),
                  std::string("ulong bits = ") + id + "; int v = 1; reserve_id_t a = *(reserve_id_t*)&bits;\n" +
                      "out[0] = write_pipe(w, a, 0, &v); commit_write_pipe(w, a);",
                  "this is no reservation of it");
  }
}

}  // namespace

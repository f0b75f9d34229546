// An ordinary OpenCL program, run by `sluice mapcopy` on each machine under virtual time. One round: the host produces
// `size` bytes, a kernel reads all of them `reads` times and writes as many, and the host gets the result. The third
// round counts: mirrors are pinned and caches are in the state that a loop leaves them in.
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <fmt/format.h>

#include <chrono>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <vector>

#include "tools/command/commands.h"

namespace sluice::tools {

namespace {

void check(cl_int code, const char* call) {
  if (code != CL_SUCCESS) throw std::runtime_error(fmt::format("{} failed: {}", call, code));
}

// Each pass of the kernel goes through the whole input, and passes lie far apart, so that a cache must hold all of it to
// save the later ones. Every byte of the input has the same value, which the conjunction keeps.
constexpr const char* kernel_source = R"(
kernel void use(global const uint4* in, global uint4* out, uint elements, uint reads) {
  const uint i = get_global_id(0);
  uint4 all = in[i];
  for (uint pass = 1; pass < reads; ++pass) all &= in[(i + (ulong)pass * elements / reads) % elements];
  out[i] = all;
})";

class Workload {
 public:
  explicit Workload(cl_uint reads) : reads_(reads) {
    cl_platform_id platform = nullptr;
    check(clGetPlatformIDs(1, &platform, nullptr), "clGetPlatformIDs");
    check(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device_, nullptr), "clGetDeviceIDs");
    cl_int code = CL_SUCCESS;
    context_ = clCreateContext(nullptr, 1, &device_, nullptr, nullptr, &code);
    check(code, "clCreateContext");
    queue_ = clCreateCommandQueue(context_, device_, 0, &code);
    check(code, "clCreateCommandQueue");
    const char* source = kernel_source;
    program_ = clCreateProgramWithSource(context_, 1, &source, nullptr, &code);
    check(code, "clCreateProgramWithSource");
    check(clBuildProgram(program_, 1, &device_, "", nullptr, nullptr), "clBuildProgram");
    kernel_ = clCreateKernel(program_, "use", &code);
    check(code, "clCreateKernel");
  }
  ~Workload() {
    if (kernel_ != nullptr) clReleaseKernel(kernel_);
    if (program_ != nullptr) clReleaseProgram(program_);
    if (queue_ != nullptr) clReleaseCommandQueue(queue_);
    if (context_ != nullptr) clReleaseContext(context_);
  }
  Workload(const Workload&) = delete;
  Workload& operator=(const Workload&) = delete;

  // The round that counts: its time, and its commands, as they are numbered in a trace.
  struct Measured {
    std::uint64_t time_ns = 0;
    std::uint64_t first = 0, last = 0;
  };

  Measured pageable(std::size_t size) {
    const Buffer in(context_, CL_MEM_READ_ONLY, size);
    const Buffer out(context_, CL_MEM_WRITE_ONLY, size);
    std::vector<unsigned char> source(size);
    std::vector<unsigned char> result(size);
    return copied(in, out, source.data(), result.data(), size);
  }

  // Pinned memory is had as OpenCL programs have it: a mapped buffer with ALLOC_HOST_PTR.
  Measured pinned(std::size_t size) {
    const Buffer in(context_, CL_MEM_READ_ONLY, size);
    const Buffer out(context_, CL_MEM_WRITE_ONLY, size);
    const Buffer source(context_, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR, size);
    const Buffer result(context_, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR, size);
    unsigned char* source_bytes = mapped(source, CL_MAP_READ | CL_MAP_WRITE, size);
    unsigned char* result_bytes = mapped(result, CL_MAP_READ | CL_MAP_WRITE, size);
    const Measured measured = copied(in, out, source_bytes, result_bytes, size);
    unmap(source, source_bytes);
    unmap(result, result_bytes);
    check(clFinish(queue_), "clFinish");
    return measured;
  }

  Measured mapped_in_place(cl_mem_flags flags, std::size_t size) {
    const Buffer in(context_, CL_MEM_READ_WRITE | flags, size);
    const Buffer out(context_, CL_MEM_READ_WRITE | flags, size);
    return third_round([&](unsigned char value) {
      unsigned char* source = mapped(in, CL_MAP_WRITE_INVALIDATE_REGION, size);
      std::memset(source, value, size);
      unmap(in, source);
      use(in, out, size);
      unsigned char* result = mapped(out, CL_MAP_READ, size);
      expect(result, value, size);
      unmap(out, result);
      check(clFinish(queue_), "clFinish");
    });
  }

 private:
  struct Buffer {
    cl_mem handle;
    Buffer(cl_context context, cl_mem_flags flags, std::size_t size) {
      cl_int code = CL_SUCCESS;
      handle = clCreateBuffer(context, flags, size, nullptr, &code);
      check(code, "clCreateBuffer");
    }
    ~Buffer() { clReleaseMemObject(handle); }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
  };

  Measured copied(const Buffer& in, const Buffer& out, unsigned char* source, unsigned char* result, std::size_t size) {
    return third_round([&](unsigned char value) {
      std::memset(source, value, size);
      enqueued(clEnqueueWriteBuffer(queue_, in.handle, CL_FALSE, 0, size, source, 0, nullptr, nullptr),
            "clEnqueueWriteBuffer");
      use(in, out, size);
      enqueued(clEnqueueReadBuffer(queue_, out.handle, CL_TRUE, 0, size, result, 0, nullptr, nullptr),
            "clEnqueueReadBuffer");
      expect(result, value, size);
    });
  }

  Measured third_round(const std::function<void(unsigned char)>& round) {
    round(1);
    round(2);
    Measured measured;
    measured.first = commands_ + 1;
    const auto begin = std::chrono::steady_clock::now();
    round(3);
    const auto end = std::chrono::steady_clock::now();
    measured.time_ns = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(end - begin).count());
    measured.last = commands_;
    return measured;
  }

  void enqueued(cl_int code, const char* call) {
    check(code, call);
    ++commands_;
  }

  void use(const Buffer& in, const Buffer& out, std::size_t size) {
    const auto elements = static_cast<cl_uint>(size / 16);
    check(clSetKernelArg(kernel_, 0, sizeof(cl_mem), &in.handle), "clSetKernelArg");
    check(clSetKernelArg(kernel_, 1, sizeof(cl_mem), &out.handle), "clSetKernelArg");
    check(clSetKernelArg(kernel_, 2, sizeof elements, &elements), "clSetKernelArg");
    check(clSetKernelArg(kernel_, 3, sizeof reads_, &reads_), "clSetKernelArg");
    const std::size_t items = elements;
    enqueued(clEnqueueNDRangeKernel(queue_, kernel_, 1, nullptr, &items, nullptr, 0, nullptr, nullptr),
          "clEnqueueNDRangeKernel");
  }

  unsigned char* mapped(const Buffer& buffer, cl_map_flags flags, std::size_t size) {
    cl_int code = CL_SUCCESS;
    void* bytes = clEnqueueMapBuffer(queue_, buffer.handle, CL_TRUE, flags, 0, size, 0, nullptr, nullptr, &code);
    enqueued(code, "clEnqueueMapBuffer");
    return static_cast<unsigned char*>(bytes);
  }

  void unmap(const Buffer& buffer, void* bytes) {
    enqueued(clEnqueueUnmapMemObject(queue_, buffer.handle, bytes, 0, nullptr, nullptr), "clEnqueueUnmapMemObject");
  }

  static void expect(const unsigned char* bytes, unsigned char value, std::size_t size) {
    if (bytes[0] != value || bytes[size / 2] != value || bytes[size - 1] != value) {
      throw std::runtime_error("the device returned other bytes than it was given");
    }
  }

  cl_device_id device_ = nullptr;
  cl_context context_ = nullptr;
  cl_command_queue queue_ = nullptr;
  cl_program program_ = nullptr;
  cl_kernel kernel_ = nullptr;
  cl_uint reads_;
  std::uint64_t commands_ = 0;
};

void print(const Workload::Measured& m) { fmt::print(" {} {} {}", m.time_ns, m.first, m.last); }

}  // namespace

int mapcopy_workload(const std::vector<std::uint64_t>& sizes_bytes, std::uint32_t reads, bool zero_copy) {
  try {
    Workload workload(reads);
    for (const std::uint64_t size : sizes_bytes) {
      fmt::print("{}", size);
      print(workload.pageable(size));
      print(workload.pinned(size));
      print(workload.mapped_in_place(0, size));
      if (zero_copy) {
        print(workload.mapped_in_place(CL_MEM_ALLOC_HOST_PTR, size));
      } else {
        fmt::print(" -");
      }
      fmt::print("\n");
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "sluice: {}\n", error.what());
    return exit_failed;
  }
  return exit_ok;
}

}  // namespace sluice::tools

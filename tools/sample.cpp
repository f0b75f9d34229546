// A program that knows nothing of Sluice: uploads 64 MiB in chunks through two queues while the results of the
// previous chunk come back, then maps a buffer, changes it and unmaps it. Prints what its own wall clock says, which
// under `sluice run --virtual-time` is the simulated machine's time.
//   g++ -O2 -std=c++20 tools/sample.cpp -lOpenCL -o sample
#define CL_TARGET_OPENCL_VERSION 300
#include <CL/cl.h>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

void check(cl_int code, const char* what) {
  if (code == CL_SUCCESS) return;
  std::fprintf(stderr, "%s failed: %d\n", what, code);
  std::exit(1);
}

double now_us() {
  using namespace std::chrono;
  return duration<double, std::micro>(steady_clock::now().time_since_epoch()).count();
}

}  // namespace

int main() {
  constexpr std::size_t mib = std::size_t{1} << 20;
  constexpr std::size_t chunk_bytes = 4 * mib;
  constexpr std::size_t chunks = 16;

  cl_platform_id platform = nullptr;
  cl_device_id device = nullptr;
  cl_int code = CL_SUCCESS;
  check(clGetPlatformIDs(1, &platform, nullptr), "clGetPlatformIDs");
  check(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, nullptr), "clGetDeviceIDs");
  char name[256] = {};
  check(clGetDeviceInfo(device, CL_DEVICE_NAME, sizeof name, name, nullptr), "clGetDeviceInfo");
  cl_context context = clCreateContext(nullptr, 1, &device, nullptr, nullptr, &code);
  check(code, "clCreateContext");
  cl_command_queue up = clCreateCommandQueueWithProperties(context, device, nullptr, &code);
  check(code, "clCreateCommandQueueWithProperties");
  cl_command_queue down = clCreateCommandQueueWithProperties(context, device, nullptr, &code);
  check(code, "clCreateCommandQueueWithProperties");

  cl_mem staging = clCreateBuffer(context, CL_MEM_ALLOC_HOST_PTR, 2 * chunk_bytes, nullptr, &code);
  check(code, "clCreateBuffer");
  cl_mem data = clCreateBuffer(context, CL_MEM_READ_WRITE, chunks * chunk_bytes, nullptr, &code);
  check(code, "clCreateBuffer");
  auto* host = static_cast<std::byte*>(clEnqueueMapBuffer(up, staging, CL_TRUE, CL_MAP_WRITE_INVALIDATE_REGION, 0,
                                                          2 * chunk_bytes, 0, nullptr, nullptr, &code));
  check(code, "clEnqueueMapBuffer");
  std::memset(host, 7, 2 * chunk_bytes);

  std::printf("%s\n", name);
  double begin = now_us();
  cl_event written[chunks] = {};
  for (std::size_t i = 0; i < chunks; ++i) {
    check(clEnqueueWriteBuffer(up, data, CL_FALSE, i * chunk_bytes, chunk_bytes, host, 0, nullptr, &written[i]),
          "clEnqueueWriteBuffer");
    check(clEnqueueReadBuffer(down, data, CL_FALSE, i * chunk_bytes, chunk_bytes, host + chunk_bytes, 1, &written[i],
                              nullptr),
          "clEnqueueReadBuffer");
  }
  check(clFinish(up), "clFinish");
  check(clFinish(down), "clFinish");
  const double both = now_us() - begin;
  std::printf("%zu MiB up and down at once   %10.1f us   %6.1f GB/s each way\n", chunks * chunk_bytes / mib, both,
              static_cast<double>(chunks * chunk_bytes) / both / 1e3);

  begin = now_us();
  void* mapped =
      clEnqueueMapBuffer(up, data, CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, 0, chunk_bytes, 0, nullptr, nullptr, &code);
  check(code, "clEnqueueMapBuffer");
  const double map = now_us() - begin;
  std::memset(mapped, 9, chunk_bytes);
  begin = now_us();
  check(clEnqueueUnmapMemObject(up, data, mapped, 0, nullptr, nullptr), "clEnqueueUnmapMemObject");
  check(clFinish(up), "clFinish");
  std::printf("map %zu MiB                    %10.1f us\nunmap after writing it       %10.1f us\n", chunk_bytes / mib,
              map, now_us() - begin);

  check(clEnqueueUnmapMemObject(up, staging, host, 0, nullptr, nullptr), "clEnqueueUnmapMemObject");
  check(clFinish(up), "clFinish");
  for (cl_event event : written) check(clReleaseEvent(event), "clReleaseEvent");
  check(clReleaseMemObject(data), "clReleaseMemObject");
  check(clReleaseMemObject(staging), "clReleaseMemObject");
  check(clReleaseCommandQueue(down), "clReleaseCommandQueue");
  check(clReleaseCommandQueue(up), "clReleaseCommandQueue");
  check(clReleaseContext(context), "clReleaseContext");
  return 0;
}

// The program whose traces are kept in traces/golden: each kind of transfer once, in and out of order, over two queues.
// Its calls come in one order, so its trace is the same on every run.
#define CL_TARGET_OPENCL_VERSION 300
#include <CL/cl.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

void check(cl_int code, const char* what) {
  if (code == CL_SUCCESS) return;
  std::fprintf(stderr, "%s failed: %d\n", what, code);
  std::exit(1);
}

#define CHECK(call) check(call, #call)

}  // namespace

int main() {
  constexpr std::size_t size = std::size_t{1} << 20;
  cl_platform_id platform = nullptr;
  cl_device_id device = nullptr;
  cl_int code = CL_SUCCESS;
  CHECK(clGetPlatformIDs(1, &platform, nullptr));
  CHECK(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, nullptr));
  cl_context context = clCreateContext(nullptr, 1, &device, nullptr, nullptr, &code);
  check(code, "clCreateContext");
  cl_command_queue up = clCreateCommandQueueWithProperties(context, device, nullptr, &code);
  check(code, "clCreateCommandQueueWithProperties");
  cl_command_queue down = clCreateCommandQueueWithProperties(context, device, nullptr, &code);
  check(code, "clCreateCommandQueueWithProperties");
  cl_mem plain = clCreateBuffer(context, CL_MEM_READ_WRITE, size, nullptr, &code);
  check(code, "clCreateBuffer");
  cl_mem host = clCreateBuffer(context, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR, size, nullptr, &code);
  check(code, "clCreateBuffer");
  std::vector<unsigned char> bytes(size, 7);

  // Small and large, blocking and not, pageable.
  for (const std::size_t part : {std::size_t{64}, std::size_t{4096}, std::size_t{65536}, size}) {
    CHECK(clEnqueueWriteBuffer(up, plain, CL_TRUE, 0, part, bytes.data(), 0, nullptr, nullptr));
    CHECK(clEnqueueReadBuffer(up, plain, CL_TRUE, 0, part, bytes.data(), 0, nullptr, nullptr));
  }
  // Every kind of map, and its unmap.
  for (cl_mem buffer : {plain, host}) {
    for (const cl_map_flags flags :
         {cl_map_flags{CL_MAP_READ}, cl_map_flags{CL_MAP_WRITE}, cl_map_flags{CL_MAP_WRITE_INVALIDATE_REGION}}) {
      void* mapped = clEnqueueMapBuffer(up, buffer, CL_TRUE, flags, 0, size, 0, nullptr, nullptr, &code);
      check(code, "clEnqueueMapBuffer");
      CHECK(clEnqueueUnmapMemObject(up, buffer, mapped, 0, nullptr, nullptr));
      CHECK(clFinish(up));
    }
  }
  // Both directions at once, one waiting for the other.
  cl_event written = nullptr;
  CHECK(clEnqueueWriteBuffer(up, plain, CL_FALSE, 0, size / 2, bytes.data(), 0, nullptr, &written));
  CHECK(clEnqueueReadBuffer(down, host, CL_FALSE, 0, size / 2, bytes.data() + size / 2, 0, nullptr, nullptr));
  CHECK(clEnqueueCopyBuffer(down, plain, host, 0, 0, size / 2, 1, &written, nullptr));
  const cl_uint pattern = 0x01020304;
  CHECK(clEnqueueFillBuffer(up, plain, &pattern, sizeof pattern, 0, size, 0, nullptr, nullptr));
  CHECK(clFinish(up));
  CHECK(clFinish(down));
  CHECK(clReleaseEvent(written));
  // A rectangle of 64 rows of 256 bytes.
  const std::size_t origin[] = {0, 0, 0};
  const std::size_t region[] = {256, 64, 1};
  CHECK(clEnqueueWriteBufferRect(up, plain, CL_TRUE, origin, origin, region, 1024, 0, 512, 0, bytes.data(), 0, nullptr,
                                 nullptr));
  CHECK(clEnqueueMarkerWithWaitList(up, 0, nullptr, nullptr));
  CHECK(clEnqueueBarrierWithWaitList(up, 0, nullptr, nullptr));
  // Shared virtual memory.
  void* shared = clSVMAlloc(context, CL_MEM_READ_WRITE, 65536, 0);
  if (shared != nullptr) {
    CHECK(clEnqueueSVMMap(up, CL_TRUE, CL_MAP_WRITE, shared, 65536, 0, nullptr, nullptr));
    CHECK(clEnqueueSVMUnmap(up, shared, 0, nullptr, nullptr));
    CHECK(clEnqueueSVMMemcpy(up, CL_TRUE, shared, bytes.data(), 65536, 0, nullptr, nullptr));
    CHECK(clFinish(up));
    clSVMFree(context, shared);
  }
  CHECK(clFinish(up));
  CHECK(clReleaseMemObject(host));
  CHECK(clReleaseMemObject(plain));
  CHECK(clReleaseCommandQueue(down));
  CHECK(clReleaseCommandQueue(up));
  CHECK(clReleaseContext(context));
  return 0;
}

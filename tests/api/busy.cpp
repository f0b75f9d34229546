// A program that does a bit of everything, for the tests of determinism and of the trace.
#include <CL/cl.h>

#include <cstdio>
#include <cstring>
#include <vector>

int main() {
  cl_platform_id platform = nullptr;
  cl_device_id device = nullptr;
  cl_int e = CL_SUCCESS;
  if (clGetPlatformIDs(1, &platform, nullptr) != CL_SUCCESS) return 1;
  if (clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, nullptr) != CL_SUCCESS) return 1;
  cl_context context = clCreateContext(nullptr, 1, &device, nullptr, nullptr, &e);
  cl_command_queue a = clCreateCommandQueueWithProperties(context, device, nullptr, &e);
  cl_command_queue b = clCreateCommandQueueWithProperties(context, device, nullptr, &e);
  cl_mem m = clCreateBuffer(context, CL_MEM_READ_WRITE, 8 << 20, nullptr, &e);
  cl_mem n = clCreateBuffer(context, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR, 8 << 20, nullptr, &e);
  if (e != CL_SUCCESS) return 1;
  std::vector<char> data(8 << 20, 1);
  const cl_uint pattern = 3;
  bool good = true;
  for (std::size_t size = 16; size <= (8U << 20); size *= 8) {
    cl_event event = nullptr;
    good &= clEnqueueWriteBuffer(a, m, CL_FALSE, 0, size, data.data(), 0, nullptr, &event) == CL_SUCCESS;
    good &= clEnqueueReadBuffer(b, n, CL_FALSE, 0, size, data.data(), 1, &event, nullptr) == CL_SUCCESS;
    good &= clEnqueueCopyBuffer(a, m, n, 0, 0, size, 0, nullptr, nullptr) == CL_SUCCESS;
    good &= clEnqueueFillBuffer(b, m, &pattern, 4, 0, size, 1, &event, nullptr) == CL_SUCCESS;
    void* p = clEnqueueMapBuffer(a, n, CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, 0, size, 0, nullptr, nullptr, &e);
    good &= e == CL_SUCCESS;
    if (p != nullptr) std::memset(p, 5, size);
    good &= clEnqueueUnmapMemObject(a, n, p, 0, nullptr, nullptr) == CL_SUCCESS;
    good &= clEnqueueMarkerWithWaitList(b, 0, nullptr, nullptr) == CL_SUCCESS;
    good &= clFinish(a) == CL_SUCCESS && clFinish(b) == CL_SUCCESS;
    clReleaseEvent(event);
  }
  clReleaseMemObject(m);
  clReleaseMemObject(n);
  clReleaseCommandQueue(a);
  clReleaseCommandQueue(b);
  clReleaseContext(context);
  return good ? 0 : 1;
}

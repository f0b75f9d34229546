// Times the first and the later maps of a fresh buffer, and what creating and releasing it costs.
// Usage: firstmap [REPEATS]. One JSON object a line; times are wall-clock medians in ns over REPEATS fresh buffers.
#define CL_TARGET_OPENCL_VERSION 300
#include <CL/cl.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

namespace {

double now_ns() {
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void check(cl_int code, const char* what) {
  if (code == CL_SUCCESS) return;
  std::fprintf(stderr, "%s -> %d\n", what, code);
  std::exit(1);
}

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  const int repeats = argc > 1 ? std::atoi(argv[1]) : 15;
  cl_platform_id platform;
  cl_device_id device;
  cl_int e;
  check(clGetPlatformIDs(1, &platform, nullptr), "clGetPlatformIDs");
  check(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, nullptr), "clGetDeviceIDs");
  cl_context context = clCreateContext(nullptr, 1, &device, nullptr, nullptr, &e);
  check(e, "clCreateContext");
  cl_command_queue queue = clCreateCommandQueueWithProperties(context, device, nullptr, &e);
  check(e, "clCreateCommandQueueWithProperties");
  const size_t top = size_t(256) << 20;
  std::vector<char> program_memory(top, 1);
  struct Kind {
    const char* name;
    cl_mem_flags flags;
  } kinds[] = {{"default", CL_MEM_READ_WRITE},
               {"alloc_host", CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR},
               {"use_host", CL_MEM_READ_WRITE | CL_MEM_USE_HOST_PTR}};
  struct Map {
    const char* name;
    cl_map_flags flags;
  } maps[] = {{"read", CL_MAP_READ}, {"invalidate", CL_MAP_WRITE_INVALIDATE_REGION}};
  for (size_t size = 4096; size <= top; size *= 4) {
    for (const Kind& kind : kinds) {
      for (const Map& map : maps) {
        std::map<std::string, std::vector<double>> times;
        for (int i = 0; i < repeats; ++i) {
          double t = now_ns();
          cl_mem buffer = clCreateBuffer(context, kind.flags, size,
                                         kind.flags & CL_MEM_USE_HOST_PTR ? program_memory.data() : nullptr, &e);
          times["create"].push_back(now_ns() - t);
          check(e, "clCreateBuffer");
          const cl_uint one = 1;
          t = now_ns();
          check(clEnqueueFillBuffer(queue, buffer, &one, sizeof one, 0, size, 0, nullptr, nullptr), "fill");
          check(clFinish(queue), "clFinish");
          times["first_use"].push_back(now_ns() - t);
          for (int k = 0; k < 3; ++k) {
            const std::string suffix = std::to_string(k);
            t = now_ns();
            void* p = clEnqueueMapBuffer(queue, buffer, CL_TRUE, map.flags, 0, size, 0, nullptr, nullptr, &e);
            times["map" + suffix].push_back(now_ns() - t);
            check(e, "clEnqueueMapBuffer");
            t = now_ns();
            check(clEnqueueUnmapMemObject(queue, buffer, p, 0, nullptr, nullptr), "unmap");
            check(clFinish(queue), "clFinish");
            times["unmap" + suffix].push_back(now_ns() - t);
          }
          t = now_ns();
          check(clReleaseMemObject(buffer), "release");
          times["release"].push_back(now_ns() - t);
        }
        std::printf("{\"mem\":\"%s\",\"map\":\"%s\",\"bytes\":%zu,\"n\":%d", kind.name, map.name, size, repeats);
        for (const auto& [name, values] : times) std::printf(",\"%s\":%.0f", name.c_str(), median(values));
        std::printf("}\n");
        std::fflush(stdout);
      }
    }
  }
}

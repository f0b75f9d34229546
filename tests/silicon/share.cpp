// Two queues, one engine: does a long transfer give way to a short one of another queue, and in slices of what size?
// Usage: share [LONG_BYTES] [REPEATS]
// One JSON object a line: directions, bytes, and the stamps of both events in ns after the long one's START.
#define CL_TARGET_OPENCL_VERSION 300
#include <CL/cl.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#define CK(x)                                                        \
  do {                                                               \
    const cl_int e_ = (x);                                           \
    if (e_ != CL_SUCCESS) {                                          \
      std::fprintf(stderr, "%s:%d %s -> %d\n", __FILE__, __LINE__, #x, e_); \
      std::exit(1);                                                  \
    }                                                                \
  } while (0)

struct Stamps {
  double long_end, submit, start, end;
};

static double stamp(cl_event e, cl_profiling_info which) {
  cl_ulong t = 0;
  CK(clGetEventProfilingInfo(e, which, sizeof t, &t, nullptr));
  return static_cast<double>(t);
}

static double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

int main(int argc, char** argv) {
  const size_t long_bytes = argc > 1 ? std::strtoull(argv[1], nullptr, 0) : size_t{256} << 20;
  const int repeats = argc > 2 ? std::atoi(argv[2]) : 15;
  cl_platform_id platform;
  cl_device_id device;
  CK(clGetPlatformIDs(1, &platform, nullptr));
  CK(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, nullptr));
  cl_int e;
  cl_context context = clCreateContext(nullptr, 1, &device, nullptr, nullptr, &e);
  CK(e);
  const cl_queue_properties profiling[] = {CL_QUEUE_PROPERTIES, CL_QUEUE_PROFILING_ENABLE, 0};
  cl_command_queue queues[2];
  cl_mem buffers[2], mirrors[2];
  char* pinned[2];
  for (int i = 0; i < 2; ++i) {
    queues[i] = clCreateCommandQueueWithProperties(context, device, profiling, &e);
    CK(e);
    buffers[i] = clCreateBuffer(context, CL_MEM_READ_WRITE, long_bytes, nullptr, &e);
    CK(e);
    mirrors[i] = clCreateBuffer(context, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR, long_bytes, nullptr, &e);
    CK(e);
    pinned[i] = static_cast<char*>(clEnqueueMapBuffer(queues[i], mirrors[i], CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, 0,
                                                      long_bytes, 0, nullptr, nullptr, &e));
    CK(e);
    std::memset(pinned[i], i + 1, long_bytes);
  }
  const auto transfer = [&](int queue, bool write, size_t bytes, cl_event* event) {
    if (write) {
      CK(clEnqueueWriteBuffer(queues[queue], buffers[queue], CL_FALSE, 0, bytes, pinned[queue], 0, nullptr, event));
    } else {
      CK(clEnqueueReadBuffer(queues[queue], buffers[queue], CL_FALSE, 0, bytes, pinned[queue], 0, nullptr, event));
    }
    CK(clFlush(queues[queue]));
  };
  for (const bool long_write : {true, false}) {
    for (const bool short_write : {true, false}) {
      for (const size_t bytes : {size_t{4} << 10, size_t{64} << 10, size_t{1} << 20, size_t{4} << 20, size_t{16} << 20,
                                 size_t{64} << 20}) {
        if (bytes > long_bytes) continue;
        std::vector<Stamps> all;
        for (int i = 0; i < repeats + 2; ++i) {
          cl_event first, second;
          transfer(0, long_write, long_bytes, &first);
          transfer(1, short_write, bytes, &second);
          CK(clFinish(queues[0]));
          CK(clFinish(queues[1]));
          const double origin = stamp(first, CL_PROFILING_COMMAND_START);
          if (i >= 2) {
            all.push_back({stamp(first, CL_PROFILING_COMMAND_END) - origin,
                           stamp(second, CL_PROFILING_COMMAND_SUBMIT) - origin,
                           stamp(second, CL_PROFILING_COMMAND_START) - origin,
                           stamp(second, CL_PROFILING_COMMAND_END) - origin});
          }
          clReleaseEvent(first);
          clReleaseEvent(second);
        }
        const auto pick = [&](double Stamps::*member) {
          std::vector<double> v;
          for (const Stamps& s : all) v.push_back(s.*member);
          return median(v);
        };
        std::printf("{\"op\":\"share\",\"long\":\"%s\",\"long_bytes\":%zu,\"short\":\"%s\",\"bytes\":%zu,\"n\":%zu,"
                    "\"long_end\":%.0f,\"short_submit\":%.0f,\"short_start\":%.0f,\"short_end\":%.0f}\n",
                    long_write ? "h2d" : "d2h", long_bytes, short_write ? "h2d" : "d2h", bytes, all.size(),
                    pick(&Stamps::long_end), pick(&Stamps::submit), pick(&Stamps::start), pick(&Stamps::end));
        std::fflush(stdout);
      }
    }
  }
}

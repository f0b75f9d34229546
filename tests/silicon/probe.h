// What the measuring programs share: one device, two profiling queues, and rows of JSON with medians in ns.
#pragma once
#define CL_TARGET_OPENCL_VERSION 300
#include <CL/cl.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace probe {

inline void check(cl_int error, const char* file, int line, const char* call) {
  if (error == CL_SUCCESS) return;
  std::fprintf(stderr, "%s:%d %s -> %d\n", file, line, call, error);
  std::exit(1);
}
#define CK(x) ::probe::check((x), __FILE__, __LINE__, #x)

inline double now_ns() {
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

inline double median(std::vector<double> v) {
  if (v.empty()) return -1;
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

// One run of what is measured: named times in ns. The same names come back from every run.
using Times = std::vector<std::pair<const char*, double>>;

struct Device {
  cl_device_id id = nullptr;
  cl_context context = nullptr;
  std::vector<cl_command_queue> queues;
  int repeats = 15;

  explicit Device(size_t queue_count) {
    cl_platform_id platform = nullptr;
    CK(clGetPlatformIDs(1, &platform, nullptr));
    CK(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &id, nullptr));
    cl_int e = CL_SUCCESS;
    context = clCreateContext(nullptr, 1, &id, nullptr, nullptr, &e);
    CK(e);
    const cl_queue_properties profiling[] = {CL_QUEUE_PROPERTIES, CL_QUEUE_PROFILING_ENABLE, 0};
    for (size_t i = 0; i < queue_count; ++i) {
      queues.push_back(clCreateCommandQueueWithProperties(context, id, profiling, &e));
      CK(e);
    }
  }
  // The first row: what ran on which device. `brief` are arguments that give the same rows with fewer repetitions.
  void header(const char* program, const std::vector<std::string>& arguments, const std::vector<std::string>& brief) const {
    const auto text = [&](cl_device_info what) {
      char buffer[1024] = {};
      CK(clGetDeviceInfo(id, what, sizeof buffer, buffer, nullptr));
      return std::string(buffer);
    };
    const auto list = [](const std::vector<std::string>& words) {
      std::string all;
      for (const std::string& w : words) all += (all.empty() ? "\"" : ",\"") + w + "\"";
      return all;
    };
    std::printf("{\"program\":\"%s\",\"arguments\":[%s],\"brief\":[%s],\"device\":\"%s\",\"driver\":\"%s\"}\n", program,
                list(arguments).c_str(), list(brief).c_str(), text(CL_DEVICE_NAME).c_str(), text(CL_DRIVER_VERSION).c_str());
  }
  cl_mem buffer(size_t bytes, cl_mem_flags flags = CL_MEM_READ_WRITE, void* host = nullptr) const {
    cl_int e = CL_SUCCESS;
    cl_mem memory = clCreateBuffer(context, flags, bytes, host, &e);
    CK(e);
    return memory;
  }
  // Pinned host memory: a mapped buffer. Lives as long as the program.
  char* pinned(size_t bytes) const {
    cl_int e = CL_SUCCESS;
    char* p = static_cast<char*>(clEnqueueMapBuffer(queues[0], buffer(bytes, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR),
                                                    CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, 0, bytes, 0, nullptr, nullptr, &e));
    CK(e);
    std::memset(p, 1, bytes);
    return p;
  }
  cl_program build(const char* source, const char* options = "") const {
    cl_int e = CL_SUCCESS;
    cl_program program = clCreateProgramWithSource(context, 1, &source, nullptr, &e);
    CK(e);
    if (clBuildProgram(program, 1, &id, options, nullptr, nullptr) != CL_SUCCESS) {
      char log[8192] = {};
      clGetProgramBuildInfo(program, id, CL_PROGRAM_BUILD_LOG, sizeof log - 1, log, nullptr);
      std::fprintf(stderr, "%s\n", log);
      std::exit(1);
    }
    return program;
  }
  static cl_kernel kernel(cl_program program, const char* name) {
    cl_int e = CL_SUCCESS;
    cl_kernel k = clCreateKernel(program, name, &e);
    CK(e);
    return k;
  }
  // Runs it twice to warm up, then `repeats` times, and prints the median of each time.
  void row(const char* op, const std::string& parameters, const std::function<Times()>& run) const {
    std::vector<std::pair<const char*, std::vector<double>>> all;
    for (int i = 0; i < repeats + 2; ++i) {
      const Times times = run();
      if (i < 2) continue;
      if (all.empty()) {
        for (const auto& t : times) all.push_back({t.first, {}});
      }
      for (size_t k = 0; k < times.size(); ++k) all[k].second.push_back(times[k].second);
    }
    std::printf("{\"op\":\"%s\",%s,\"n\":%d", op, parameters.c_str(), repeats);
    for (const auto& [name, values] : all) std::printf(",\"%s\":%.0f", name, median(values));
    std::printf("}\n");
    std::fflush(stdout);
  }
};

inline std::string number(const char* name, size_t value) { return "\"" + std::string(name) + "\":" + std::to_string(value); }
inline std::string word(const char* name, const char* value) { return "\"" + std::string(name) + "\":\"" + value + "\""; }

inline void set_args(cl_kernel, cl_uint) {}
template <class T, class... Rest>
void set_args(cl_kernel k, cl_uint index, const T& first, const Rest&... rest) {
  CK(clSetKernelArg(k, index, sizeof first, &first));
  set_args(k, index + 1, rest...);
}

// Events of one run: stamps in ns, released at the end.
class Events {
 public:
  explicit Events(size_t count) : events_(count, nullptr) {}
  ~Events() {
    for (cl_event e : events_) {
      if (e != nullptr) clReleaseEvent(e);
    }
  }
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;
  cl_event* operator[](size_t i) { return &events_[i]; }
  [[nodiscard]] double start(size_t i) const { return stamp(i, CL_PROFILING_COMMAND_START); }
  [[nodiscard]] double end(size_t i) const { return stamp(i, CL_PROFILING_COMMAND_END); }
  // Negative if the driver kept the command to itself: NVIDIA's leaves QUEUED zero then, and old stamps in START and END.
  [[nodiscard]] double span(size_t i) const {
    return stamp(i, CL_PROFILING_COMMAND_QUEUED) > 0 ? end(i) - start(i) : -1;
  }
  // First START to last END.
  [[nodiscard]] double total() const {
    double first = start(0), last = end(0);
    for (size_t i = 1; i < events_.size(); ++i) {
      first = std::min(first, start(i));
      last = std::max(last, end(i));
    }
    return last - first;
  }
  // Sum of START to END over all.
  [[nodiscard]] double busy() const {
    double sum = 0;
    for (size_t i = 0; i < events_.size(); ++i) sum += std::max(0.0, span(i));
    return sum;
  }

 private:
  [[nodiscard]] double stamp(size_t i, cl_profiling_info which) const {
    cl_ulong t = 0;
    CK(clGetEventProfilingInfo(events_[i], which, sizeof t, &t, nullptr));
    return static_cast<double>(t);
  }
  std::vector<cl_event> events_;
};

}  // namespace probe

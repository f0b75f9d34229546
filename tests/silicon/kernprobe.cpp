// What a compute model needs to know of a device: rates, latencies, occupancy, conflicts, launch costs.
// Usage: kernprobe [REPEATS]
// One JSON object a line: the probe, its parameters, and the median of START to END (or of the wall, where it says so) in
// ns. Profiling stamps may be coarse (256 ns on NVIDIA), so kernels are made long enough to tell.
#define CL_TARGET_OPENCL_VERSION 300
#include <CL/cl.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#define CK(x)                                                               \
  do {                                                                      \
    const cl_int e_ = (x);                                                  \
    if (e_ != CL_SUCCESS) {                                                 \
      std::fprintf(stderr, "%s:%d %s -> %d\n", __FILE__, __LINE__, #x, e_); \
      std::exit(1);                                                         \
    }                                                                       \
  } while (0)

static cl_context context;
static cl_device_id device;
static cl_command_queue queue, second;
static int repeats = 15;

static const char* const source = R"(
__kernel void nop() {}
__kernel void fma_chain(__global float* o, uint n, uint never, __local float* pad) {
  float a = get_global_id(0), b = 1.0001f;
  for (uint i = 0; i < n; ++i) { a = fma(a, b, 0.5f); a = fma(a, b, 0.5f); a = fma(a, b, 0.5f); a = fma(a, b, 0.5f); }
  if (never) { pad[0] = a; o[0] = pad[0]; }
}
__kernel void fma_ilp4(__global float* o, uint n, uint never) {
  float a = get_global_id(0), c = a + 1, d = a + 2, e = a + 3, b = 1.0001f;
  for (uint i = 0; i < n; ++i) { a = fma(a, b, 0.5f); c = fma(c, b, 0.5f); d = fma(d, b, 0.5f); e = fma(e, b, 0.5f); }
  if (never) o[0] = a + c + d + e;
}
__kernel void double_ilp4(__global float* o, uint n, uint never) {
  double a = get_global_id(0), c = a + 1, d = a + 2, e = a + 3, b = 1.0001;
  for (uint i = 0; i < n; ++i) { a = fma(a, b, 0.5); c = fma(c, b, 0.5); d = fma(d, b, 0.5); e = fma(e, b, 0.5); }
  if (never) o[0] = (float)(a + c + d + e);
}
__kernel void int_ilp4(__global float* o, uint n, uint never) {
  uint a = get_global_id(0), c = a + 1, d = a + 2, e = a + 3;
  for (uint i = 0; i < n; ++i) { a = a * 3 + i; c = c * 5 + i; d = d * 7 + i; e = e * 9 + i; }
  if (never) o[0] = a + c + d + e;
}
__kernel void special_ilp4(__global float* o, uint n, uint never) {
  float a = get_global_id(0) * 1e-6f, c = a + 1, d = a + 2, e = a + 3;
  for (uint i = 0; i < n; ++i) { a = native_sin(a); c = native_sin(c); d = native_sin(d); e = native_sin(e); }
  if (never) o[0] = a + c + d + e;
}
__kernel void stride_read(__global const float* a, __global float* o, uint n, uint stride, uint mask, uint never) {
  float s = 0; uint g = get_global_id(0), G = get_global_size(0);
  for (uint i = 0; i < n; ++i) s += a[((g + i * G) * stride) & mask];
  if (never) o[0] = s;
}
__kernel void local_stride(__global float* o, uint n, uint stride, uint never, __local uint* l) {
  uint t = get_local_id(0); for (uint i = t; i < 8192; i += get_local_size(0)) l[i] = (i + 32) & 8191;
  barrier(CLK_LOCAL_MEM_FENCE);
  uint p = (t * stride) & 8191, s = 0;
  for (uint i = 0; i < n; ++i) { p = l[p]; s += p; }
  if (never) o[0] = s;
}
__kernel void barriers(__global float* o, uint n, uint never) {
  for (uint i = 0; i < n; ++i) barrier(CLK_LOCAL_MEM_FENCE);
  if (never) o[0] = n;
}
__kernel void atomics(__global uint* a, uint n, uint spread) {
  uint g = get_global_id(0);
  for (uint i = 0; i < n; ++i) atomic_add(&a[(g % spread) * 8], 1u);
}
__kernel void local_atomics(__global uint* a, uint n, uint spread, __local uint* l) {
  uint t = get_local_id(0); if (t < 1024) l[t] = 0; barrier(CLK_LOCAL_MEM_FENCE);
  for (uint i = 0; i < n; ++i) atomic_add(&l[t % spread], 1u);
  barrier(CLK_LOCAL_MEM_FENCE); if (t == 0) a[0] = l[0];
}
__kernel void divergent(__global float* o, uint n, uint ways, uint never) {
  float a = get_global_id(0), b = 1.0001f; uint w = get_local_id(0) % ways;
  for (uint k = 0; k < ways; ++k) if (w == k) for (uint i = 0; i < n; ++i) { a = fma(a, b, 0.5f + k); a = fma(a, b, 0.5f); }
  if (never) o[0] = a;
}
)";

static double now_ns() {
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
static double stamp(cl_event e, cl_profiling_info which) {
  cl_ulong t = 0;
  CK(clGetEventProfilingInfo(e, which, sizeof t, &t, nullptr));
  return static_cast<double>(t);
}
static double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}
static void set(cl_kernel, cl_uint) {}
struct Local {
  size_t bytes;
};
template <class T, class... Rest>
void set(cl_kernel k, cl_uint i, const T& first, const Rest&... rest) {
  if constexpr (std::is_same_v<T, Local>) {
    CK(clSetKernelArg(k, i, first.bytes, nullptr));
  } else {
    CK(clSetKernelArg(k, i, sizeof first, &first));
  }
  set(k, i + 1, rest...);
}
// START to END of one launch.
static double launch(cl_kernel k, size_t global, size_t local, cl_command_queue q = nullptr) {
  cl_event e;
  CK(clEnqueueNDRangeKernel(q != nullptr ? q : queue, k, 1, nullptr, &global, &local, 0, nullptr, &e));
  CK(clWaitForEvents(1, &e));
  const double t = stamp(e, CL_PROFILING_COMMAND_END) - stamp(e, CL_PROFILING_COMMAND_START);
  CK(clReleaseEvent(e));
  return t;
}
static void report(const char* probe, const std::string& parameters, const std::function<double()>& run) {
  std::vector<double> times;
  for (int i = 0; i < repeats + 2; ++i) {
    const double t = run();
    if (i >= 2) times.push_back(t);
  }
  std::printf("{\"probe\":\"%s\",%s,\"n\":%d,\"ns\":%.0f,\"min\":%.0f}\n", probe, parameters.c_str(), repeats,
              median(times), *std::min_element(times.begin(), times.end()));
  std::fflush(stdout);
}
static std::string p(const char* name, size_t v) { return "\"" + std::string(name) + "\":" + std::to_string(v); }

int main(int argc, char** argv) {
  if (argc > 1) repeats = std::max(1, std::atoi(argv[1]));
  cl_platform_id platform;
  CK(clGetPlatformIDs(1, &platform, nullptr));
  CK(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, nullptr));
  cl_int e;
  context = clCreateContext(nullptr, 1, &device, nullptr, nullptr, &e);
  CK(e);
  const cl_queue_properties profiling[] = {CL_QUEUE_PROPERTIES, CL_QUEUE_PROFILING_ENABLE, 0};
  queue = clCreateCommandQueueWithProperties(context, device, profiling, &e);
  CK(e);
  second = clCreateCommandQueueWithProperties(context, device, profiling, &e);
  CK(e);
  cl_program program = clCreateProgramWithSource(context, 1, const_cast<const char**>(&source), nullptr, &e);
  CK(e);
  if (clBuildProgram(program, 1, &device, "-cl-fast-relaxed-math", nullptr, nullptr) != CL_SUCCESS) {
    std::vector<char> log(65536);
    clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, log.size(), log.data(), nullptr);
    std::fprintf(stderr, "%s\n", log.data());
    return 1;
  }
  const auto kernel = [&](const char* name) {
    cl_kernel k = clCreateKernel(program, name, &e);
    CK(e);
    return k;
  };
  cl_uint units = 0, mhz = 0;
  char name[256] = {};
  CK(clGetDeviceInfo(device, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof units, &units, nullptr));
  CK(clGetDeviceInfo(device, CL_DEVICE_MAX_CLOCK_FREQUENCY, sizeof mhz, &mhz, nullptr));
  CK(clGetDeviceInfo(device, CL_DEVICE_NAME, sizeof name, name, nullptr));
  std::printf("{\"device\":\"%s\",\"cus\":%u,\"mhz\":%u}\n", name, units, mhz);
  const size_t big = size_t{512} << 20;
  cl_mem a = clCreateBuffer(context, CL_MEM_READ_WRITE, big, nullptr, &e);
  CK(e);
  cl_mem o = clCreateBuffer(context, CL_MEM_READ_WRITE, size_t{4} << 20, nullptr, &e);
  CK(e);
  const cl_uint zero = 0;
  CK(clEnqueueFillBuffer(queue, a, &zero, 4, 0, big, 0, nullptr, nullptr));
  CK(clEnqueueFillBuffer(queue, o, &zero, 4, 0, size_t{4} << 20, 0, nullptr, nullptr));
  CK(clFinish(queue));

  // Launch and dispatch: empty kernels by number and size of work-groups.
  cl_kernel nop = kernel("nop");
  for (const size_t local : {size_t{32}, size_t{128}, size_t{1024}}) {
    for (const size_t groups : {size_t{1}, size_t{132}, size_t{1056}, size_t{8448}, size_t{67584}, size_t{540672}}) {
      report("dispatch", p("groups", groups) + "," + p("local", local), [&] { return launch(nop, groups * local, local); });
    }
  }
  // Issue rates: all units full, chains of dependent and of independent instructions.
  const cl_uint n = 4096;
  for (const size_t local : {size_t{32}, size_t{64}, size_t{128}, size_t{256}, size_t{512}, size_t{1024}}) {
    for (const size_t per_unit : {size_t{1}, size_t{2}, size_t{4}}) {
      if (local * per_unit > 2048) continue;
      cl_kernel k = kernel("fma_chain");
      set(k, 0, o, n, zero, Local{256});
      report("fma_chain", p("local", local) + "," + p("groups_per_cu", per_unit) + "," + p("fma", 4 * n),
             [&] { return launch(k, units * per_unit * local, local); });
    }
  }
  for (const char* rate : {"fma_ilp4", "double_ilp4", "int_ilp4", "special_ilp4"}) {
    cl_kernel k = kernel(rate);
    set(k, 0, o, n, zero);
    for (const size_t local : {size_t{32}, size_t{128}, size_t{1024}}) {
      for (const size_t groups : {size_t{1}, size_t{units}, size_t{units} * 2}) {
        report(rate, p("local", local) + "," + p("groups", groups) + "," + p("ops", 4 * n),
               [&] { return launch(k, groups * local, local); });
      }
    }
  }
  // Occupancy: the same work with ever more local memory a group, so that fewer groups are resident.
  {
    cl_kernel k = kernel("fma_chain");
    for (size_t kib = 1; kib <= 40; kib = kib < 8 ? kib * 2 : kib + 8) {  // 48 is refused at launch on an H200
      set(k, 0, o, cl_uint{1024}, zero, Local{kib << 10});
      report("occupancy", p("local_kib", kib) + "," + p("local", 64) + "," + p("groups", units * 64),
             [&] { return launch(k, units * 64 * 64, 64); });
    }
  }
  // Divergence: the ways of a branch are taken one after the other.
  {
    cl_kernel k = kernel("divergent");
    for (const cl_uint ways : {1U, 2U, 4U, 8U, 16U, 32U}) {
      set(k, 0, o, cl_uint{1024}, ways, zero);
      report("divergent", p("ways", ways), [&] { return launch(k, units * 256, 256); });
    }
  }
  // Reads by stride, from footprints that fit L1, L2 or neither.
  {
    cl_kernel k = kernel("stride_read");
    for (const size_t kib : {size_t{64}, size_t{16384}, size_t{524288}}) {
      for (const cl_uint stride : {1U, 2U, 4U, 8U, 16U, 32U, 64U, 128U}) {
        set(k, 0, a, o, cl_uint{64}, stride, static_cast<cl_uint>((kib << 10) / 4 - 1), zero);
        report("stride_read", p("kib", kib) + "," + p("stride", 4 * stride) + "," + p("reads", 64),
               [&] { return launch(k, units * 2048, 256); });
      }
    }
  }
  // Local memory: latency of a chase in one group of one wavefront, then conflicts by stride.
  {
    cl_kernel k = kernel("local_stride");
    for (const cl_uint stride : {1U, 2U, 4U, 8U, 16U, 32U}) {
      for (const size_t local : {size_t{32}, size_t{1024}}) {
        set(k, 0, o, cl_uint{8192}, stride, zero, Local{32768});
        report("local_stride", p("stride", stride) + "," + p("local", local) + "," + p("reads", 8192),
               [&] { return launch(k, local, local); });
      }
    }
  }
  for (const size_t local : {size_t{32}, size_t{256}, size_t{1024}}) {
    cl_kernel k = kernel("barriers");
    set(k, 0, o, cl_uint{8192}, zero);
    report("barriers", p("local", local) + "," + p("barriers", 8192), [&] { return launch(k, local, local); });
  }
  for (const cl_uint spread : {1U, 32U, 1024U, 65536U}) {
    cl_kernel k = kernel("atomics");
    set(k, 0, o, cl_uint{64}, spread);
    report("atomics", p("addresses", spread) + "," + p("each", 64), [&] { return launch(k, units * 1024, 256); });
  }
  for (const cl_uint spread : {1U, 32U, 1024U}) {
    cl_kernel k = kernel("local_atomics");
    set(k, 0, o, cl_uint{1024}, spread, Local{4096});
    report("local_atomics", p("addresses", spread) + "," + p("each", 1024), [&] { return launch(k, 1024, 1024); });
  }
  // Launches: back to back in one queue, in two queues, and beside a copy; wall for the whole.
  cl_kernel one = kernel("fma_chain");
  set(one, 0, o, cl_uint{32768}, zero, Local{256});
  const double alone = launch(one, 32, 32);
  std::printf("{\"probe\":\"one_group\",\"ns\":%.0f}\n", alone);
  for (const int count : {1, 2, 8, 32}) {
    for (const int queues : {1, 2}) {
      report("launches", p("count", static_cast<size_t>(count)) + "," + p("queues", static_cast<size_t>(queues)) + ",\"wall\":true", [&] {
        const size_t size = 32;
        const double began = now_ns();
        for (int i = 0; i < count; ++i) {
          CK(clEnqueueNDRangeKernel(i % 2 != 0 && queues == 2 ? second : queue, one, 1, nullptr, &size, &size, 0, nullptr, nullptr));
        }
        CK(clFlush(queue));
        CK(clFlush(second));
        CK(clFinish(queue));
        CK(clFinish(second));
        return now_ns() - began;
      });
    }
  }
  // Gap between dependent launches: START of the second minus END of the first.
  report("launch_gap", p("local", 32), [&] {
    const size_t size = 32;
    cl_event first, next;
    CK(clEnqueueNDRangeKernel(queue, one, 1, nullptr, &size, &size, 0, nullptr, &first));
    CK(clEnqueueNDRangeKernel(queue, one, 1, nullptr, &size, &size, 0, nullptr, &next));
    CK(clFinish(queue));
    const double gap = stamp(next, CL_PROFILING_COMMAND_START) - stamp(first, CL_PROFILING_COMMAND_END);
    CK(clReleaseEvent(first));
    CK(clReleaseEvent(next));
    return gap;
  });
}

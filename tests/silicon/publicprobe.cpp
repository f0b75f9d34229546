// Repeats what published figures were measured with: clpeak's transfer and launch tests, copies between pinned memory and
// the device, chases of pointers through the device's caches and memory, streams.
//
//   publicprobe clpeak:268435456 pinned_h2d:33554432 chase:8192 ...
//
// Each argument is a test and its bytes; each test prints rows {"test": ..., "bytes": ..., "ns": ...}: the time of one call,
// one copy, one hop. Calls and their order are those of the programs named below, so that what they count (a buffer's
// first map, a clFinish) counts here, too.
#include <numeric>

#include "tests/silicon/probe.h"

namespace {

using probe::Device;

const char* const source = R"(
kernel void copy(global const float4* in, global float4* out) { out[get_global_id(0)] = in[get_global_id(0)]; }
kernel void fill(global float4* out) { out[get_global_id(0)] = (float4)(1.0f); }
kernel void chase(global const uint* next, uint hops, global uint* out) {
  uint at = 0;
  for (uint i = 0; i < hops; ++i) at = next[at];
  *out = at;
}
kernel void touch(global const uint* next, uint step, global uint* out) {
  uint v = next[get_global_id(0) * step];
  if (v == 0xffffffffu) *out = v;
}
)";

void print(const char* test, size_t bytes, double ns) {
  std::printf("{\"test\":\"%s\",\"bytes\":%zu,\"ns\":%.3f}\n", test, bytes, ns);
  std::fflush(stdout);
}

template <class Call>
double timed(const Call& call) {
  const double start = probe::now_ns();
  call();
  return probe::now_ns() - start;
}

// clpeak, src/transfer_bandwidth.cpp: one ALLOC_HOST_PTR buffer, pageable array, 20 calls of each kind, the program's clock.
void clpeak(const Device& d, size_t bytes) {
  constexpr int calls = 20;
  const cl_command_queue q = d.queues[0];
  char* array = static_cast<char*>(std::aligned_alloc(64, bytes));
  std::memset(array, 0, bytes);
  cl_mem buffer = d.buffer(bytes, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR);
  const auto transfers = [&](const char* name, bool is_write, cl_bool blocking) {
    const auto call = [&] {
      if (is_write) {
        CK(clEnqueueWriteBuffer(q, buffer, blocking, 0, bytes, array, 0, nullptr, nullptr));
      } else {
        CK(clEnqueueReadBuffer(q, buffer, blocking, 0, bytes, array, 0, nullptr, nullptr));
      }
    };
    call();
    CK(clFinish(q));
    print(name, bytes, timed([&] {
            for (int i = 0; i < calls; ++i) call();
            CK(clFinish(q));
          }) / calls);
  };
  transfers("clpeak_write", true, CL_TRUE);
  transfers("clpeak_read", false, CL_TRUE);
  transfers("clpeak_write_nb", true, CL_FALSE);
  transfers("clpeak_read_nb", false, CL_FALSE);
  const auto map = [&](cl_map_flags flags) {
    cl_int e = CL_SUCCESS;
    void* p = clEnqueueMapBuffer(q, buffer, CL_TRUE, flags, 0, bytes, 0, nullptr, nullptr, &e);
    CK(e);
    CK(clFinish(q));
    return p;
  };
  const auto unmap = [&](void* p) {
    CK(clEnqueueUnmapMemObject(q, buffer, p, 0, nullptr, nullptr));
    CK(clFinish(q));
  };
  double maps = 0;
  for (int i = 0; i < calls; ++i) {
    void* p = nullptr;
    maps += timed([&] { p = map(CL_MAP_READ); });
    unmap(p);
  }
  print("clpeak_map_read", bytes, maps / calls);
  double unmaps = 0;
  for (int i = 0; i < calls; ++i) {
    void* p = map(CL_MAP_WRITE);
    unmaps += timed([&] { unmap(p); });
  }
  print("clpeak_unmap_write", bytes, unmaps / calls);
  CK(clReleaseMemObject(buffer));
  std::free(array);
}

double stamp(cl_event event, cl_profiling_info which) {
  cl_ulong t = 0;
  CK(clGetEventProfilingInfo(event, which, sizeof t, &t, nullptr));
  return static_cast<double>(t);
}

double launch(cl_command_queue q, cl_kernel kernel, size_t global, size_t local,
              cl_profiling_info from = CL_PROFILING_COMMAND_START, cl_profiling_info to = CL_PROFILING_COMMAND_END) {
  cl_event event = nullptr;
  CK(clEnqueueNDRangeKernel(q, kernel, 1, nullptr, &global, &local, 0, nullptr, &event));
  CK(clFinish(q));
  const double ns = stamp(event, to) - stamp(event, from);
  CK(clReleaseEvent(event));
  return ns;
}

// clpeak, src/kernel_latency.cpp: groups of the largest size on all units, each work-item adds 16 floats. QUEUED to START,
// and, of 2026, the call and its clFinish as the program sees them.
void clpeak_launch(const Device& d, size_t) {
  constexpr const char* sum = R"(
kernel void sum16(global const float* in, global float* out) {
  size_t at = get_group_id(0) * get_local_size(0) * 16 + get_local_id(0);
  float v = 0;
  for (int i = 0; i < 16; ++i) { v += in[at]; at += get_local_size(0); }
  out[get_group_id(0) * get_local_size(0) + get_local_id(0)] = v;
})";
  size_t local = 0;
  cl_uint units = 0;
  CK(clGetDeviceInfo(d.id, CL_DEVICE_MAX_WORK_GROUP_SIZE, sizeof local, &local, nullptr));
  CK(clGetDeviceInfo(d.id, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof units, &units, nullptr));
  local = std::min<size_t>(local, 256);  // its largest, as clpeak has it
  const size_t items = local * units;
  cl_kernel kernel = Device::kernel(d.build(sum), "sum16");
  probe::set_args(kernel, 0, d.buffer(items * 16 * sizeof(float)), d.buffer(items * sizeof(float)));
  for (int i = 0; i < 2; ++i) launch(d.queues[0], kernel, items, local);
  print("clpeak_launch", 0,
        launch(d.queues[0], kernel, items, local, CL_PROFILING_COMMAND_QUEUED, CL_PROFILING_COMMAND_START));
  print("clpeak_launch_sync", 0, timed([&] {
          CK(clEnqueueNDRangeKernel(d.queues[0], kernel, 1, nullptr, &items, &local, 0, nullptr, nullptr));
          CK(clFinish(d.queues[0]));
        }));
}

// bandwidthTest, nvbandwidth, gpu-benches' cuda-memcpy: copies between pinned memory and the device. The rate is that of the
// copies as the device sees them; `_sync` is a call and its synchronisation as the program sees them.
void pinned(const Device& d, size_t bytes, bool to_device) {
  const cl_command_queue q = d.queues[0];
  char* host = d.pinned(bytes);
  cl_mem buffer = d.buffer(bytes);
  double device = 0, program = 0;
  for (int i = 0; i < 4; ++i) {
    cl_event event = nullptr;
    program = timed([&] {
      if (to_device) {
        CK(clEnqueueWriteBuffer(q, buffer, CL_FALSE, 0, bytes, host, 0, nullptr, &event));
      } else {
        CK(clEnqueueReadBuffer(q, buffer, CL_FALSE, 0, bytes, host, 0, nullptr, &event));
      }
      CK(clFinish(q));
    });
    device = stamp(event, CL_PROFILING_COMMAND_END) - stamp(event, CL_PROFILING_COMMAND_START);
    CK(clReleaseEvent(event));
  }
  print(to_device ? "pinned_h2d" : "pinned_d2h", bytes, device);
  print(to_device ? "pinned_h2d_sync" : "pinned_d2h_sync", bytes, program);
  CK(clReleaseMemObject(buffer));
}
void pinned_h2d(const Device& d, size_t bytes) { pinned(d, bytes, true); }
void pinned_d2h(const Device& d, size_t bytes) { pinned(d, bytes, false); }

// A cycle through all lines of 128 bytes in an order without pattern (a linear congruence), as gpu-benches' gpu-latency.
std::vector<cl_uint> cycle(size_t bytes) {
  constexpr size_t line = 32;  // words
  const size_t lines = bytes / (line * sizeof(cl_uint));
  std::vector<cl_uint> order(lines);
  std::iota(order.begin(), order.end(), 0U);
  std::uint64_t state = 12345;
  for (size_t i = lines; i > 2; --i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    std::swap(order[i - 1], order[1 + (state >> 33) % (i - 1)]);
  }
  std::vector<cl_uint> next(bytes / sizeof(cl_uint));
  for (size_t i = 0; i < lines; ++i) next[order[i] * line] = static_cast<cl_uint>(order[(i + 1) % lines] * line);
  return next;
}

void chase_in(const Device& d, size_t bytes, cl_mem_flags flags, const char* name) {
  const cl_command_queue q = d.queues[0];
  const cl_program program = d.build(source);
  cl_kernel kernel = Device::kernel(program, "chase");
  cl_kernel touch = Device::kernel(program, "touch");
  cl_mem buffer = d.buffer(bytes, CL_MEM_READ_WRITE | flags);
  cl_mem out = d.buffer(64);
  const std::vector<cl_uint> next = cycle(bytes);
  CK(clEnqueueWriteBuffer(q, buffer, CL_TRUE, 0, bytes, next.data(), 0, nullptr, nullptr));
  const auto hops = [&](cl_uint count) {
    probe::set_args(kernel, 0, buffer, count, out);
    return launch(q, kernel, 1, 1);
  };
  if (flags == 0) {  // what fits the last-level cache is there
    probe::set_args(touch, 0, buffer, cl_uint{8}, out);
    const size_t items = bytes / 32;
    CK(clEnqueueNDRangeKernel(q, touch, 1, nullptr, &items, nullptr, 0, nullptr, nullptr));
  }
  const cl_uint count = flags == 0 ? 8192 : 1024;
  hops(count);
  const double once = hops(count);
  print(name, bytes, (hops(3 * count) - once) / (2 * count));
}
void chase(const Device& d, size_t bytes) { chase_in(d, bytes, 0, "chase"); }
void host_chase(const Device& d, size_t bytes) { chase_in(d, bytes, CL_MEM_ALLOC_HOST_PTR, "host_chase"); }

// Streams through float4: `bytes` are written; a copy reads as many besides.
void stream_in(const Device& d, size_t bytes, cl_mem_flags in, cl_mem_flags out, const char* kernel_name, const char* name) {
  cl_kernel kernel = Device::kernel(d.build(source), kernel_name);
  cl_mem to = d.buffer(bytes, CL_MEM_READ_WRITE | out);
  if (std::string(kernel_name) == "copy") {
    probe::set_args(kernel, 0, d.buffer(bytes, CL_MEM_READ_WRITE | in), to);
  } else {
    probe::set_args(kernel, 0, to);
  }
  launch(d.queues[0], kernel, bytes / 16, 256);
  print(name, bytes, launch(d.queues[0], kernel, bytes / 16, 256));
}
void stream_copy(const Device& d, size_t bytes) { stream_in(d, bytes, 0, 0, "copy", "stream_copy"); }
void stream_fill(const Device& d, size_t bytes) { stream_in(d, bytes, 0, 0, "fill", "stream_fill"); }
void kernel_h2d(const Device& d, size_t bytes) { stream_in(d, bytes, CL_MEM_ALLOC_HOST_PTR, 0, "copy", "kernel_h2d"); }
void kernel_d2h(const Device& d, size_t bytes) { stream_in(d, bytes, 0, CL_MEM_ALLOC_HOST_PTR, "copy", "kernel_d2h"); }

const std::pair<const char*, void (*)(const Device&, size_t)> tests[] = {
    {"clpeak", clpeak},           {"clpeak_launch", clpeak_launch}, {"pinned_h2d", pinned_h2d},   {"pinned_d2h", pinned_d2h},
    {"chase", chase},             {"host_chase", host_chase},       {"stream_copy", stream_copy}, {"stream_fill", stream_fill},
    {"kernel_h2d", kernel_h2d},   {"kernel_d2h", kernel_d2h},
};

}  // namespace

int main(int argc, char** argv) {
  const Device device(1);
  device.header("publicprobe", {argv + 1, argv + argc}, {});
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const size_t colon = argument.find(':');
    const auto known = std::find_if(std::begin(tests), std::end(tests),
                                    [&](const auto& test) { return argument.substr(0, colon) == test.first; });
    if (known == std::end(tests)) {
      std::fprintf(stderr, "publicprobe: found \"%s\"; allowed: TEST:BYTES with one of", argv[i]);
      for (const auto& test : tests) std::fprintf(stderr, " %s", test.first);
      std::fprintf(stderr, "\n");
      return 2;
    }
    known->second(device, colon == std::string::npos ? 0 : std::strtoull(argument.c_str() + colon + 1, nullptr, 10));
  }
  return 0;
}

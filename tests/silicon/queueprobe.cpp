// Commands that meet: chains of events within and between queues, many small commands, several copies in flight, kernels
// beside copies.
// Usage: queueprobe [REPEATS] [between]
// `between` takes sizes and counts between those that it takes otherwise, so that one run can fit and one validate.
// `wall` is from the first enqueue to the end of the last clFinish, `total` from the first START to the last END, `gap` the
// median from one END to the next START.
#include "tests/silicon/probe.h"

using namespace probe;

static const char* const source = R"(
__kernel void nop() {}
__kernel void busy(__global float* o, uint n) {
  float a = get_global_id(0), b = 1.0001f;
  for (uint i = 0; i < n; ++i) { a = fma(a, b, 0.5f); a = fma(a, b, 0.5f); a = fma(a, b, 0.5f); a = fma(a, b, 0.5f); }
  if (a == 0.123f) o[0] = a;
}
__kernel void stream(__global const float4* a, __global float4* o, ulong n) {
  ulong g = get_global_id(0), G = get_global_size(0); float4 s = 0;
  for (ulong i = g; i < n; i += G) s += a[i];
  if (s.x == 0.123f) o[0] = s;
}
)";

static const size_t one_group = 64;

struct Setting {
  Device device{4};
  cl_program program = device.build(source);
  cl_kernel nop = Device::kernel(program, "nop"), busy = Device::kernel(program, "busy"), stream = Device::kernel(program, "stream");
  size_t top = size_t{64} << 20;
  std::vector<cl_mem> memory;
  std::vector<char*> host;

  Setting() {
    for (size_t i = 0; i < device.queues.size(); ++i) {
      memory.push_back(device.buffer(top));
      host.push_back(device.pinned(top));
    }
  }
  void finish() const {
    for (cl_command_queue q : device.queues) CK(clFinish(q));
  }
};

// A chain of empty kernels or markers, each waiting for the one before by its event, in one queue or in turns in several.
static void chains(Setting& s, bool between) {
  for (const size_t count : between ? std::vector<size_t>{6, 24, 100} : std::vector<size_t>{4, 16, 64, 256}) {
    for (const size_t queues : {size_t{1}, size_t{2}, size_t{4}}) {
      for (const bool kernel : {true, false}) {
        s.device.row(kernel ? "kernel_chain" : "marker_chain", number("count", count) + "," + number("queues", queues), [&] {
          Events events(count);
          const double begin = now_ns();
          for (size_t i = 0; i < count; ++i) {
            cl_command_queue q = s.device.queues[i % queues];
            const cl_uint waits = i == 0 ? 0 : 1;
            const cl_event* wait = i == 0 ? nullptr : events[i - 1];
            if (kernel) {
              CK(clEnqueueNDRangeKernel(q, s.nop, 1, nullptr, &one_group, &one_group, waits, wait, events[i]));
            } else {
              CK(clEnqueueMarkerWithWaitList(q, waits, wait, events[i]));
            }
            if (queues > 1) CK(clFlush(q));
          }
          s.finish();
          const double wall = now_ns() - begin;
          std::vector<double> gaps;
          for (size_t i = 1; i < count; ++i) gaps.push_back(events.start(i) - events.end(i - 1));
          return Times{{"wall", wall}, {"total", events.total()}, {"gap", median(gaps)}};
        });
      }
    }
  }
}

// A kernel that waits for a user event: from clSetUserEventStatus to the return of clFinish.
static void user_event(Setting& s) {
  s.device.row("user_event", number("count", 1), [&] {
    cl_int e = CL_SUCCESS;
    cl_event gate = clCreateUserEvent(s.device.context, &e);
    CK(e);
    Events events(1);
    CK(clEnqueueNDRangeKernel(s.device.queues[0], s.nop, 1, nullptr, &one_group, &one_group, 1, &gate, events[0]));
    CK(clFlush(s.device.queues[0]));
    const double begin = now_ns();
    CK(clSetUserEventStatus(gate, CL_COMPLETE));
    CK(clFinish(s.device.queues[0]));
    const double wall = now_ns() - begin;
    CK(clReleaseEvent(gate));
    return Times{{"wall", wall}};
  });
}

// Many small commands of one kind in one queue, or of three kinds in turns, as an iterative program enqueues them.
static void small_commands(Setting& s, bool between) {
  const cl_uint pattern = 5;
  for (const size_t bytes : between ? std::vector<size_t>{192, 2048, 12288} : std::vector<size_t>{64, 1024, 4096, 16384}) {
    for (const size_t count : between ? std::vector<size_t>{48, 192} : std::vector<size_t>{16, 64, 256}) {
      for (const char* const kind : {"write", "read", "copy", "fill", "kernel", "write_kernel_read"}) {
        const bool kernel_only = std::strcmp(kind, "kernel") == 0;
        if (kernel_only && bytes != (between ? 192 : 64)) continue;
        const bool three = std::strcmp(kind, "write_kernel_read") == 0;
        s.device.row("small", word("kind", kind) + "," + number("bytes", kernel_only ? 0 : bytes) + "," + number("count", count), [&] {
          cl_command_queue q = s.device.queues[0];
          Events events(count);
          const double begin = now_ns();
          for (size_t i = 0; i < count; ++i) {
            const size_t step = three ? i % 3 : 0;
            const size_t at = (i * 16384) % s.top;
            if (std::strcmp(kind, "write") == 0 || (three && step == 0)) {
              CK(clEnqueueWriteBuffer(q, s.memory[0], CL_FALSE, at, bytes, s.host[0] + at, 0, nullptr, events[i]));
            } else if (std::strcmp(kind, "read") == 0 || (three && step == 2)) {
              CK(clEnqueueReadBuffer(q, s.memory[0], CL_FALSE, at, bytes, s.host[0] + at, 0, nullptr, events[i]));
            } else if (std::strcmp(kind, "copy") == 0) {
              CK(clEnqueueCopyBuffer(q, s.memory[0], s.memory[1], at, at, bytes, 0, nullptr, events[i]));
            } else if (std::strcmp(kind, "fill") == 0) {
              CK(clEnqueueFillBuffer(q, s.memory[0], &pattern, sizeof pattern, at, bytes, 0, nullptr, events[i]));
            } else {
              CK(clEnqueueNDRangeKernel(q, s.nop, 1, nullptr, &one_group, &one_group, 0, nullptr, events[i]));
            }
          }
          const double enqueued = now_ns() - begin;
          s.finish();
          return Times{{"wall", now_ns() - begin}, {"enqueue", enqueued}, {"total", events.total()}, {"busy", events.busy()}};
        });
      }
    }
  }
}

// Copies of one size in several queues at once: all in, all out, in turns, or on the device.
static void copies_in_flight(Setting& s, bool between) {
  for (const size_t bytes : between ? std::vector<size_t>{196608, size_t{3} << 20, size_t{24} << 20}
                                    : std::vector<size_t>{65536, size_t{1} << 20, size_t{16} << 20}) {
    for (const char* const kind : {"write", "read", "duplex", "device"}) {
      for (const size_t queues : between ? std::vector<size_t>{3} : std::vector<size_t>{1, 2, 4}) {
        s.device.row("in_flight", word("kind", kind) + "," + number("bytes", bytes) + "," + number("queues", queues), [&] {
          Events events(queues);
          const double begin = now_ns();
          for (size_t i = 0; i < queues; ++i) {
            cl_command_queue q = s.device.queues[i];
            if (std::strcmp(kind, "device") == 0) {
              CK(clEnqueueCopyBuffer(q, s.memory[i], s.memory[(i + 1) % s.memory.size()], 0, bytes, bytes, 0, nullptr, events[i]));
            } else if (std::strcmp(kind, "read") == 0 || (std::strcmp(kind, "duplex") == 0 && i % 2 == 1)) {
              CK(clEnqueueReadBuffer(q, s.memory[i], CL_FALSE, 0, bytes, s.host[i], 0, nullptr, events[i]));
            } else {
              CK(clEnqueueWriteBuffer(q, s.memory[i], CL_FALSE, 0, bytes, s.host[i], 0, nullptr, events[i]));
            }
            CK(clFlush(q));
          }
          s.finish();
          return Times{{"wall", now_ns() - begin}, {"total", events.total()}};
        });
      }
    }
  }
}

// A long kernel, and copies that begin right behind it in another queue. `kernel` and `copy` are START to END of each.
static void kernel_beside_copy(Setting& s, bool between) {
  const size_t global = size_t{132} * 1024, local = 256;
  for (const char* const kind : {"write", "read", "device"}) {
    for (const size_t bytes : between ? std::vector<size_t>{size_t{6} << 20} : std::vector<size_t>{size_t{1} << 20, size_t{16} << 20}) {
      for (const bool streams : {false, true}) {
        s.device.row("beside", word("kernel", streams ? "stream" : "busy") + "," + word("kind", kind) + "," + number("bytes", bytes), [&] {
          constexpr size_t launches = 8;
          Events kernels(launches), copy(1);
          const cl_ulong n = s.top / 16;
          const double begin = now_ns();
          for (size_t i = 0; i < launches; ++i) {
            if (streams) {
              set_args(s.stream, 0, s.memory[2], s.memory[3], n);
            } else {
              set_args(s.busy, 0, s.memory[3], cl_uint{2000});
            }
            CK(clEnqueueNDRangeKernel(s.device.queues[0], streams ? s.stream : s.busy, 1, nullptr, &global, &local, 0, nullptr, kernels[i]));
          }
          CK(clFlush(s.device.queues[0]));
          if (std::strcmp(kind, "write") == 0) {
            CK(clEnqueueWriteBuffer(s.device.queues[1], s.memory[0], CL_FALSE, 0, bytes, s.host[0], 0, nullptr, copy[0]));
          } else if (std::strcmp(kind, "read") == 0) {
            CK(clEnqueueReadBuffer(s.device.queues[1], s.memory[0], CL_FALSE, 0, bytes, s.host[0], 0, nullptr, copy[0]));
          } else {
            CK(clEnqueueCopyBuffer(s.device.queues[1], s.memory[0], s.memory[1], 0, 0, bytes, 0, nullptr, copy[0]));
          }
          s.finish();
          return Times{{"wall", now_ns() - begin}, {"kernels", kernels.total()}, {"copy", copy.span(0)}};
        });
      }
    }
  }
}

int main(int argc, char** argv) {
  Setting s;
  if (argc > 1) s.device.repeats = std::max(1, std::atoi(argv[1]));
  const bool between = argc > 2 && std::strcmp(argv[2], "between") == 0;
  s.device.header("queueprobe", {std::to_string(s.device.repeats), between ? "between" : "fit"}, {"3", between ? "between" : "fit"});
  chains(s, between);
  user_event(s);
  small_commands(s, between);
  copies_in_flight(s, between);
  kernel_beside_copy(s, between);
}

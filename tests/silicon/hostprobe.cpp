// What the host does for a command: copies of pageable memory by what the caches hold of it, writes in and out of an idle
// queue, the program's own stores into mapped memory, calls over a long run, user events, waits by their length.
// Usage: hostprobe [REPEATS] [between]
// `between` takes sizes between those that it takes otherwise, so that one run can fit and one validate.
// Times are of calls as the program sees them (`first`, `second`, `third` in their order, `wall` over all), `start_end` an
// event's, `busy` the sum of START to END.
#include "tests/silicon/probe.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

using namespace probe;

static const char* const source = R"(
__kernel void nop() {}
__kernel void busy(__global float* o, uint n) {
  float a = get_global_id(0), b = 1.0001f;
  for (uint i = 0; i < n; ++i) a = fma(a, b, 0.5f);
  if (a == 0.123f) o[0] = a;
}
)";

static const size_t one_group = 64;

struct Setting {
  Device device{1};
  cl_command_queue q = device.queues[0];
  size_t top = size_t{32} << 20;
  cl_program program = device.build(source);
  cl_kernel nop = Device::kernel(program, "nop"), busy = Device::kernel(program, "busy");
  cl_mem a = device.buffer(top), b = device.buffer(top);
  std::vector<char> plain = std::vector<char>(top, 1), other = std::vector<char>(top, 2), sweep = std::vector<char>(size_t{256} << 20, 3);
  char* pinned = device.pinned(top);

  void write(cl_mem m, size_t bytes, const char* from, bool blocking, cl_event* e) const {
    CK(clEnqueueWriteBuffer(q, m, blocking ? CL_TRUE : CL_FALSE, 0, bytes, from, 0, nullptr, e));
  }
  void read(cl_mem m, size_t bytes, char* to, cl_event* e) const { CK(clEnqueueReadBuffer(q, m, CL_TRUE, 0, bytes, to, 0, nullptr, e)); }
};

static void flush(const char* p, size_t bytes) {
#ifdef __SSE2__
  for (size_t i = 0; i < bytes; i += 64) _mm_clflush(p + i);
  _mm_mfence();
#else
  (void)p, (void)bytes;
#endif
}

static void wait_ns(double ns) {
  const double begin = now_ns();
  while (now_ns() - begin < ns) {
  }
}

// Pageable memory: what was last done to it before the transfer, and transfers of one program one behind another.
static void pageable(Setting& s, const std::vector<size_t>& sizes) {
  for (const size_t bytes : sizes) {
    for (const char* const before : {"nothing", "stores", "flush", "sweep", "read_back"}) {
      for (const char* const op : {"write", "write_blocking", "read"}) {
        s.device.row("pageable", word("before", before) + "," + word("kind", op) + "," + number("bytes", bytes), [&] {
          Events events(2);
          char* p = s.plain.data();
          if (std::strcmp(before, "stores") == 0) std::memset(p, 7, bytes);
          if (std::strcmp(before, "flush") == 0) flush(p, bytes);
          if (std::strcmp(before, "sweep") == 0) std::memset(s.sweep.data(), 9, s.sweep.size() / 4);
          if (std::strcmp(before, "read_back") == 0) s.read(s.a, bytes, p, events[1]);
          const double begin = now_ns();
          if (std::strcmp(op, "read") == 0) {
            s.read(s.a, bytes, p, events[0]);
          } else {
            s.write(s.a, bytes, p, std::strcmp(op, "write_blocking") == 0, events[0]);
          }
          const double first = now_ns() - begin;
          CK(clFinish(s.q));
          const double wall = now_ns() - begin;
          return Times{{"first", first}, {"wall", wall}, {"start_end", events.span(0)}};
        });
      }
    }
    for (const char* const kind : {"same", "apart", "pinned"}) {
      s.device.row("write_write_read", word("kind", kind) + "," + number("bytes", bytes), [&] {
        Events events(3);
        char* from = std::strcmp(kind, "pinned") == 0 ? s.pinned : s.plain.data();
        char* to = std::strcmp(kind, "apart") == 0 ? s.other.data() : from;
        const double begin = now_ns();
        s.write(s.a, bytes, from, false, events[0]);
        const double first = now_ns();
        s.write(s.b, bytes, from, false, events[1]);
        const double second = now_ns();
        s.read(s.b, bytes, to, events[2]);
        const double third = now_ns();
        CK(clFinish(s.q));
        const double wall = now_ns() - begin;
        return Times{{"first", first - begin}, {"second", second - first}, {"third", third - second}, {"wall", wall}, {"busy", events.busy()}};
      });
    }
  }
}

// Writes from pinned memory, one behind another with a pause between, and blocking: which of them travel in the ring.
static void ring(Setting& s, const std::vector<size_t>& sizes) {
  constexpr size_t count = 16;
  for (const size_t bytes : sizes) {
    for (const char* const mem : {"pinned", "pageable"}) {
      const char* from = std::strcmp(mem, "pinned") == 0 ? s.pinned : s.plain.data();
      for (const int pause : {0, 1000, 2000, 3000, 4000, 6000, 20000, -1}) {
        s.device.row("ring", word("mem", mem) + "," + number("bytes", bytes) + ",\"pause\":" + std::to_string(pause), [&] {
          Events events(count);
          const double begin = now_ns();
          for (size_t i = 0; i < count; ++i) {
            s.write(s.a, bytes, from, pause < 0, events[i]);
            if (pause > 0) wait_ns(pause);
          }
          const double enqueued = now_ns() - begin;
          CK(clFinish(s.q));
          std::vector<double> spans;
          for (size_t i = 1; i < count; ++i) spans.push_back(events.span(i));
          return Times{{"enqueue", enqueued}, {"start_end", median(spans)}};
        });
      }
    }
  }
}

// The program's own copies into and out of a mapped buffer, and into its own memory.
static void stores(Setting& s, const std::vector<size_t>& sizes) {
  cl_mem shared = s.device.buffer(s.top, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR);
  for (const size_t bytes : sizes) {
    for (const char* const kind : {"set", "copy_in", "copy_out"}) {
      s.device.row("mapped", word("kind", kind) + "," + number("bytes", bytes), [&] {
        cl_int e = CL_SUCCESS;
        const bool out = std::strcmp(kind, "copy_out") == 0;
        char* p = static_cast<char*>(clEnqueueMapBuffer(s.q, shared, CL_TRUE, out ? cl_map_flags{CL_MAP_READ} : cl_map_flags{CL_MAP_WRITE_INVALIDATE_REGION}, 0, bytes, 0, nullptr, nullptr, &e));
        CK(e);
        const double begin = now_ns();
        if (std::strcmp(kind, "set") == 0) {
          std::memset(p, 1, bytes);
        } else {
          std::memcpy(out ? s.other.data() : p, out ? p : s.other.data(), bytes);
        }
        const double wall = now_ns() - begin;
        CK(clEnqueueUnmapMemObject(s.q, shared, p, 0, nullptr, nullptr));
        CK(clFinish(s.q));
        return Times{{"wall", wall}};
      });
    }
    s.device.row("own", word("kind", "set") + "," + number("bytes", bytes), [&] {
      const double begin = now_ns();
      std::memset(s.plain.data(), 1, bytes);
      return Times{{"wall", now_ns() - begin}};
    });
  }
}

// The same run of small reads again and again: whether a call's time drifts or steps while the program lives.
static void drift(Setting& s, size_t rounds) {
  for (size_t round = 0; round < rounds; ++round) {
    for (const bool keep : {true, false}) {
      s.device.row("drift", number("round", round) + "," + word("events", keep ? "kept" : "none"), [&] {
        constexpr size_t count = 192;
        std::vector<cl_event> events(count, nullptr);
        const double begin = now_ns();
        for (size_t i = 0; i < count; ++i) {
          CK(clEnqueueReadBuffer(s.q, s.a, CL_FALSE, i * 16384, 2048, s.pinned + i * 16384, 0, nullptr, keep ? &events[i] : nullptr));
        }
        const double enqueued = now_ns() - begin;
        CK(clFinish(s.q));
        for (cl_event e : events) {
          if (e != nullptr) CK(clReleaseEvent(e));
        }
        return Times{{"enqueue", enqueued}};
      });
    }
  }
}

// User events with one command behind them, and reads that wait for a kernel of some length.
static void waits(Setting& s, const std::vector<cl_uint>& loops) {
  for (const char* const kind : {"kernel", "write", "marker"}) {
    s.device.row("user_event", word("kind", kind), [&] {
      cl_int e = CL_SUCCESS;
      cl_event gate = clCreateUserEvent(s.device.context, &e);
      CK(e);
      if (std::strcmp(kind, "kernel") == 0) {
        CK(clEnqueueNDRangeKernel(s.q, s.nop, 1, nullptr, &one_group, &one_group, 1, &gate, nullptr));
      } else if (std::strcmp(kind, "write") == 0) {
        CK(clEnqueueWriteBuffer(s.q, s.a, CL_FALSE, 0, 64, s.pinned, 1, &gate, nullptr));
      } else {
        CK(clEnqueueMarkerWithWaitList(s.q, 1, &gate, nullptr));
      }
      CK(clFlush(s.q));
      const double begin = now_ns();
      CK(clSetUserEventStatus(gate, CL_COMPLETE));
      const double set = now_ns();
      CK(clFinish(s.q));
      const double wall = now_ns() - begin;
      CK(clReleaseEvent(gate));
      return Times{{"first", set - begin}, {"wall", wall}};
    });
  }
  for (const cl_uint n : loops) {
    for (const char* const mem : {"pinned", "pageable"}) {
      for (const size_t bytes : {size_t{4}, size_t{98304}, size_t{1} << 20}) {
        s.device.row("late_read", word("mem", mem) + "," + number("bytes", bytes) + "," + number("loops", n), [&] {
          Events events(2);
          set_args(s.busy, 0, s.b, n);
          const double begin = now_ns();
          CK(clEnqueueNDRangeKernel(s.q, s.busy, 1, nullptr, &one_group, &one_group, 0, nullptr, events[0]));
          s.read(s.a, bytes, std::strcmp(mem, "pinned") == 0 ? s.pinned : s.plain.data(), events[1]);
          const double wall = now_ns() - begin;
          return Times{{"wall", wall}, {"kernel", events.span(0)}, {"read", events.span(1)}, {"total", events.total()}};
        });
      }
    }
  }
}

int main(int argc, char** argv) {
  Setting s;
  if (argc > 1) s.device.repeats = std::max(1, std::atoi(argv[1]));
  const bool between = argc > 2 && std::strcmp(argv[2], "between") == 0;
  s.device.header("hostprobe", {std::to_string(s.device.repeats), between ? "between" : "fit"}, {"3", between ? "between" : "fit"});
  const size_t mib = size_t{1} << 20;
  drift(s, between ? 2 : 12);
  pageable(s, between ? std::vector<size_t>{98304, 700000, 1500000, 6000000, 20000000}
                      : std::vector<size_t>{16384, 65536, 262144, mib, 2 * mib, 4 * mib, 16 * mib});
  ring(s, between ? std::vector<size_t>{192, 3000, 12288} : std::vector<size_t>{64, 1024, 2048, 4096, 16384});
  stores(s, between ? std::vector<size_t>{40960, 1228800, 20480000} : std::vector<size_t>{16384, 262144, mib, 4 * mib, 16 * mib});
  waits(s, between ? std::vector<cl_uint>{3000, 300000} : std::vector<cl_uint>{1000, 10000, 100000, 1000000});
  drift(s, between ? 2 : 12);
}

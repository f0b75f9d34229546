// Whole programs: what a user would write, with its transfers, kernels and maps, timed as one.
// Usage: programprobe [REPEATS]
// `wall` is the program from its first enqueue to its last result, `busy` the sum of START to END over its commands.
// Fits nothing, ever: these rows are for validation.
#include "tests/silicon/probe.h"

#include <cmath>

using namespace probe;

static const char* const source = R"(
__kernel void saxpy(__global const float* x, __global float* y, float a) { size_t i = get_global_id(0); y[i] = a * x[i] + y[i]; }
__kernel void stencil(__global const float* a, __global float* b, uint w) {
  uint x = get_global_id(0), y = get_global_id(1), h = get_global_size(1), i = y * w + x;
  b[i] = x == 0 || y == 0 || x == w - 1 || y == h - 1 ? a[i] : 0.2f * (a[i] + a[i - 1] + a[i + 1] + a[i - w] + a[i + w]);
}
__kernel void reduce(__global const float* a, __global float* o, uint n, __local float* l) {
  uint t = get_local_id(0), L = get_local_size(0); float s = 0;
  for (uint i = get_global_id(0); i < n; i += get_global_size(0)) s += a[i];
  l[t] = s; barrier(CLK_LOCAL_MEM_FENCE);
  for (uint k = L / 2; k > 0; k /= 2) { if (t < k) l[t] += l[t + k]; barrier(CLK_LOCAL_MEM_FENCE); }
  if (t == 0) o[get_group_id(0)] = l[0];
}
#define T 16
__kernel __attribute__((reqd_work_group_size(T, T, 1)))
void multiply(__global const float* a, __global const float* b, __global float* c, uint n) {
  __local float p[T][T], q[T][T]; uint x = get_local_id(0), y = get_local_id(1), gx = get_global_id(0), gy = get_global_id(1); float s = 0;
  for (uint k = 0; k < n; k += T) {
    p[y][x] = a[gy * n + k + x]; q[y][x] = b[(k + y) * n + gx]; barrier(CLK_LOCAL_MEM_FENCE);
    for (uint i = 0; i < T; ++i) s += p[y][i] * q[i][x];
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  c[gy * n + gx] = s;
}
__kernel void histogram(__global const uchar* a, __global uint* h, uint n) {
  __local uint l[256]; uint t = get_local_id(0);
  l[t] = 0; barrier(CLK_LOCAL_MEM_FENCE);
  for (uint i = get_global_id(0); i < n; i += get_global_size(0)) atomic_inc(&l[a[i]]);
  barrier(CLK_LOCAL_MEM_FENCE); atomic_add(&h[t], l[t]);
}
__kernel void bodies(__global const float4* p, __global float4* v, uint n) {
  uint i = get_global_id(0); float4 me = p[i]; float3 f = 0;
  for (uint j = 0; j < n; ++j) { float3 d = p[j].xyz - me.xyz; float r = rsqrt(dot(d, d) + 1e-3f); f += d * (p[j].w * r * r * r); }
  v[i] += (float4)(f, 0);
}
__kernel void bitonic(__global uint* a, uint j, uint k) {
  uint i = get_global_id(0), o = i ^ j;
  if (o > i) { uint x = a[i], y = a[o]; if ((x > y) == ((i & k) == 0)) { a[i] = y; a[o] = x; } }
}
__kernel void spmv(__global const uint* row, __global const uint* col, __global const float* val, __global const float* x, __global float* y) {
  uint r = get_global_id(0); float s = 0;
  for (uint i = row[r]; i < row[r + 1]; ++i) s += val[i] * x[col[i]];
  y[r] = s;
}
)";

// The commands of one program run: enqueued in order, each with an event, so that what each took can be added up.
class Commands {
 public:
  explicit Commands(const Device& d) : d_(d), q_(d.queues[0]), begin_(now_ns()) {}
  ~Commands() {
    for (cl_event e : events_) clReleaseEvent(e);
  }
  Commands(const Commands&) = delete;
  Commands& operator=(const Commands&) = delete;
  void write(cl_mem m, size_t bytes, const void* from) { CK(clEnqueueWriteBuffer(q_, m, CL_FALSE, 0, bytes, from, 0, nullptr, next())); }
  void read(cl_mem m, size_t bytes, void* to) { CK(clEnqueueReadBuffer(q_, m, CL_TRUE, 0, bytes, to, 0, nullptr, next())); }
  void fill(cl_mem m, size_t bytes) {
    const cl_uint zero = 0;
    CK(clEnqueueFillBuffer(q_, m, &zero, sizeof zero, 0, bytes, 0, nullptr, next()));
  }
  char* map(cl_mem m, size_t bytes, cl_map_flags flags) {
    cl_int e = CL_SUCCESS;
    char* p = static_cast<char*>(clEnqueueMapBuffer(q_, m, CL_TRUE, flags, 0, bytes, 0, nullptr, next(), &e));
    CK(e);
    return p;
  }
  void unmap(cl_mem m, void* p) { CK(clEnqueueUnmapMemObject(q_, m, p, 0, nullptr, next())); }
  void run(cl_kernel k, size_t global, size_t local) { CK(clEnqueueNDRangeKernel(q_, k, 1, nullptr, &global, &local, 0, nullptr, next())); }
  void run2(cl_kernel k, size_t gx, size_t gy, size_t lx, size_t ly) {
    const size_t global[2] = {gx, gy}, local[2] = {lx, ly};
    CK(clEnqueueNDRangeKernel(q_, k, 2, nullptr, global, local, 0, nullptr, next()));
  }
  Times finish() {
    CK(clFinish(q_));
    const double wall = now_ns() - begin_;
    double busy = 0;
    for (cl_event e : events_) {
      const auto stamp = [&](cl_profiling_info which) {
        cl_ulong t = 0;
        CK(clGetEventProfilingInfo(e, which, sizeof t, &t, nullptr));
        return static_cast<double>(t);
      };
      // Commands that never reach the device carry old stamps with NVIDIA's driver, and QUEUED is zero.
      if (stamp(CL_PROFILING_COMMAND_QUEUED) > 0) busy += stamp(CL_PROFILING_COMMAND_END) - stamp(CL_PROFILING_COMMAND_START);
    }
    return {{"wall", wall}, {"busy", busy}};
  }

 private:
  cl_event* next() {
    events_.push_back(nullptr);
    return &events_.back();
  }
  const Device& d_;
  cl_command_queue q_;
  double begin_;
  std::vector<cl_event> events_;
};

int main(int argc, char** argv) {
  Device d(1);
  if (argc > 1) d.repeats = std::max(1, std::atoi(argv[1]));
  d.header("programprobe", {std::to_string(d.repeats)}, {"3"});
  cl_program program = d.build(source);
  const auto kernel = [&](const char* name) { return Device::kernel(program, name); };
  const size_t top = size_t{32} << 20;
  std::vector<char> plain(top, 1);
  char* pinned = d.pinned(top);
  cl_mem a = d.buffer(top), b = d.buffer(top), c = d.buffer(top), e = d.buffer(top);
  cl_mem shared = d.buffer(top, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR);

  cl_kernel saxpy = kernel("saxpy");
  for (const size_t n : {size_t{10240}, size_t{307200}, size_t{5120000}}) {
    const size_t bytes = n * 4;
    for (const char* const from : {"pageable", "pinned"}) {
      char* host = std::strcmp(from, "pinned") == 0 ? pinned : plain.data();
      d.row("saxpy", word("mem", from) + "," + number("items", n), [&] {
        Commands run(d);
        run.write(a, bytes, host);
        run.write(b, bytes, host);
        set_args(saxpy, 0, a, b, 2.0f);
        run.run(saxpy, n, 256);
        run.read(b, bytes, host);
        return run.finish();
      });
    }
    d.row("saxpy_mapped", word("mem", "alloc_host") + "," + number("items", n), [&] {
      Commands run(d);
      char* p = run.map(shared, bytes, CL_MAP_WRITE_INVALIDATE_REGION);
      std::memset(p, 1, bytes);
      run.unmap(shared, p);
      set_args(saxpy, 0, shared, b, 2.0f);
      run.run(saxpy, n, 256);
      p = run.map(b, bytes, CL_MAP_READ);
      run.unmap(b, p);
      return run.finish();
    });
  }
  cl_kernel stencil = kernel("stencil");
  for (const cl_uint w : {256u, 1024u}) {
    d.row("stencil", number("width", w) + "," + number("steps", 50), [&] {
      Commands run(d);
      run.write(a, size_t{w} * w * 4, pinned);
      for (int i = 0; i < 50; ++i) {
        set_args(stencil, 0, i % 2 == 0 ? a : b, i % 2 == 0 ? b : a, w);
        run.run2(stencil, w, w, 32, 8);
      }
      run.read(a, size_t{w} * w * 4, pinned);
      return run.finish();
    });
  }
  cl_kernel reduce = kernel("reduce");
  for (const cl_uint n : {100000u, 6000000u}) {
    d.row("reduce", number("items", n), [&] {
      Commands run(d);
      run.write(a, size_t{n} * 4, pinned);
      set_args(reduce, 0, a, b, n);
      CK(clSetKernelArg(reduce, 3, 1024, nullptr));
      run.run(reduce, size_t{256} * 256, 256);
      set_args(reduce, 0, b, c, cl_uint{256});
      run.run(reduce, 256, 256);
      float result = 0;
      run.read(c, sizeof result, &result);
      return run.finish();
    });
  }
  cl_kernel multiply = kernel("multiply");
  for (const cl_uint n : {128u, 512u, 768u}) {
    d.row("multiply", number("width", n), [&] {
      Commands run(d);
      const size_t bytes = size_t{n} * n * 4;
      run.write(a, bytes, plain.data());
      run.write(b, bytes, plain.data());
      set_args(multiply, 0, a, b, c, n);
      run.run2(multiply, n, n, 16, 16);
      run.read(c, bytes, plain.data());
      return run.finish();
    });
  }
  cl_kernel histogram = kernel("histogram");
  std::vector<unsigned char> noise(size_t{8} << 20);
  cl_uint seed = 1;
  for (unsigned char& x : noise) x = static_cast<unsigned char>((seed = seed * 1664525u + 1013904223u) >> 24);
  for (const cl_uint n : {size_t{1} << 20, size_t{8} << 20}) {
    d.row("histogram", number("bytes", n), [&] {
      Commands run(d);
      cl_uint bins[256];
      run.write(a, n, noise.data());
      run.fill(b, sizeof bins);
      set_args(histogram, 0, a, b, n);
      run.run(histogram, size_t{132} * 4 * 256, 256);
      run.read(b, sizeof bins, bins);
      return run.finish();
    });
  }
  cl_kernel bodies = kernel("bodies");
  for (const cl_uint n : {1024u, 6144u}) {
    d.row("bodies", number("items", n) + "," + number("steps", 4), [&] {
      Commands run(d);
      run.write(a, size_t{n} * 16, plain.data());
      run.fill(b, size_t{n} * 16);
      set_args(bodies, 0, a, b, n);
      for (int i = 0; i < 4; ++i) run.run(bodies, n, 128);
      run.read(b, size_t{n} * 16, plain.data());
      return run.finish();
    });
  }
  cl_kernel bitonic = kernel("bitonic");
  for (const cl_uint n : {16384u, 262144u}) {
    std::vector<cl_uint> keys(n);
    d.row("bitonic", number("items", n), [&] {
      for (cl_uint& x : keys) x = seed = seed * 1664525u + 1013904223u;
      Commands run(d);
      run.write(a, size_t{n} * 4, keys.data());
      for (cl_uint k = 2; k <= n; k *= 2) {
        for (cl_uint j = k / 2; j > 0; j /= 2) {
          set_args(bitonic, 0, a, j, k);
          run.run(bitonic, n, 256);
        }
      }
      run.read(a, size_t{n} * 4, keys.data());
      if (!std::is_sorted(keys.begin(), keys.end())) std::exit(2);
      return run.finish();
    });
  }
  cl_kernel spmv = kernel("spmv");
  for (const cl_uint n : {20000u, 200000u}) {
    // 12 entries a row at random columns.
    std::vector<cl_uint> row(n + 1), col(size_t{n} * 12);
    for (cl_uint i = 0; i <= n; ++i) row[i] = i * 12;
    for (cl_uint& x : col) x = static_cast<cl_uint>((cl_ulong{seed = seed * 1664525u + 1013904223u} * n) >> 32);
    cl_mem x = d.buffer(size_t{n} * 4);
    d.row("spmv", number("rows", n) + "," + number("steps", 10), [&] {
      Commands run(d);
      run.write(a, row.size() * 4, row.data());
      run.write(b, col.size() * 4, col.data());
      run.write(c, col.size() * 4, plain.data());
      run.write(x, size_t{n} * 4, plain.data());
      for (int i = 0; i < 10; ++i) {
        set_args(spmv, 0, a, b, c, i % 2 == 0 ? x : e, i % 2 == 0 ? e : x);
        run.run(spmv, n, 32);
      }
      run.read(x, size_t{n} * 4, plain.data());
      return run.finish();
    });
    CK(clReleaseMemObject(x));
  }
}

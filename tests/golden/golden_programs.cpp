// Small programs whose recorded traces are kept in traces/golden, one kind of use each; the workload beside it has the
// transfers. Their calls come in one order, so each has one trace on a profile.
//   golden_programs NAME
#include <numeric>

#include "tests/silicon/probe.h"

namespace {

using probe::Device;
using probe::set_args;

constexpr const char* source = R"(
__kernel void saxpy(__global const float* x, __global float* y, float a) { size_t i = get_global_id(0); y[i] += a * x[i]; }
__kernel void stencil(__global const float* a, __global float* b) {
  size_t x = get_global_id(0), y = get_global_id(1), w = get_global_size(0), h = get_global_size(1), i = y * w + x;
  b[i] = x == 0 || y == 0 || x == w - 1 || y == h - 1 ? a[i] : 0.25f * (a[i - 1] + a[i + 1] + a[i - w] + a[i + w]);
}
__kernel void reduce(__global const uint* a, __global uint* o, __local uint* l) {
  size_t t = get_local_id(0);
  l[t] = a[get_global_id(0)];
  for (size_t k = get_local_size(0) / 2; k > 0; k /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (t < k) l[t] += l[t + k];
  }
  if (t == 0) o[get_group_id(0)] = l[0];
}
__kernel void histogram(__global const uint* a, __global uint* h) { atomic_inc(&h[a[get_global_id(0)] & 255u]); }
__kernel void invert(__read_only image2d_t in, __write_only image2d_t out) {
  int2 at = (int2)(get_global_id(0), get_global_id(1));
  write_imagef(out, at, 1.0f - read_imagef(in, at));
}
)";

constexpr size_t elements = 64 * 1024;
constexpr size_t bytes = elements * sizeof(cl_float);

struct World {
  Device device{2};
  cl_command_queue q = device.queues[0];
  cl_command_queue other = device.queues[1];
  std::vector<cl_uint> host = std::vector<cl_uint>(elements);
  cl_mem a = device.buffer(bytes);
  cl_mem b = device.buffer(bytes);

  World() { std::iota(host.begin(), host.end(), 0u); }
  void write(cl_mem m, size_t size = bytes) { CK(clEnqueueWriteBuffer(q, m, CL_FALSE, 0, size, host.data(), 0, nullptr, nullptr)); }
  void read(cl_mem m, size_t size = bytes) { CK(clEnqueueReadBuffer(q, m, CL_TRUE, 0, size, host.data(), 0, nullptr, nullptr)); }
  cl_kernel kernel(const char* name) { return Device::kernel(device.build(source), name); }
  void launch(cl_kernel k, size_t items, size_t group) { CK(clEnqueueNDRangeKernel(q, k, 1, nullptr, &items, &group, 0, nullptr, nullptr)); }
  unsigned char* map(cl_mem m, cl_map_flags flags, size_t size) {
    cl_int e = CL_SUCCESS;
    void* p = clEnqueueMapBuffer(q, m, CL_TRUE, flags, 0, size, 0, nullptr, nullptr, &e);
    CK(e);
    return static_cast<unsigned char*>(p);
  }
  void unmap(cl_mem m, void* p) { CK(clEnqueueUnmapMemObject(q, m, p, 0, nullptr, nullptr)); }
};

void saxpy(World& w) {
  const cl_kernel k = w.kernel("saxpy");
  w.write(w.a);
  w.write(w.b);
  set_args(k, 0, w.a, w.b, cl_float{2});
  w.launch(k, elements, 256);
  w.read(w.b);
}

void stencil(World& w) {
  const cl_kernel k = w.kernel("stencil");
  w.write(w.a);
  const size_t items[] = {256, 256}, group[] = {16, 16};
  for (int i = 0; i < 4; ++i) {
    set_args(k, 0, i % 2 == 0 ? w.a : w.b, i % 2 == 0 ? w.b : w.a);
    CK(clEnqueueNDRangeKernel(w.q, k, 2, nullptr, items, group, 0, nullptr, nullptr));
  }
  w.read(w.a);
}

void reduce(World& w) {
  const cl_kernel k = w.kernel("reduce");
  w.write(w.a);
  set_args(k, 0, w.a, w.b);
  CK(clSetKernelArg(k, 2, 128 * sizeof(cl_uint), nullptr));
  w.launch(k, elements, 128);
  w.read(w.b, elements / 128 * sizeof(cl_uint));
}

void histogram(World& w) {
  const cl_kernel k = w.kernel("histogram");
  const cl_uint zero = 0;
  w.write(w.a);
  CK(clEnqueueFillBuffer(w.q, w.b, &zero, sizeof zero, 0, 256 * sizeof zero, 0, nullptr, nullptr));
  set_args(k, 0, w.a, w.b);
  w.launch(k, elements, 256);
  w.read(w.b, 256 * sizeof zero);
}

void zero_copy(World& w) {
  const cl_kernel k = w.kernel("saxpy");
  const cl_mem x = w.device.buffer(bytes, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR);
  unsigned char* p = w.map(x, CL_MAP_WRITE_INVALIDATE_REGION, bytes);
  std::memcpy(p, w.host.data(), bytes);
  w.unmap(x, p);
  set_args(k, 0, x, x, cl_float{3});
  w.launch(k, elements, 256);
  p = w.map(x, CL_MAP_READ, bytes);
  w.unmap(x, p);
  CK(clFinish(w.q));
}

void pipeline(World& w) {
  const cl_kernel k = w.kernel("histogram");
  constexpr size_t chunk = bytes / 4;
  set_args(k, 0, w.a, w.b);
  for (size_t i = 0; i < 4; ++i) {
    cl_event written = nullptr, counted = nullptr;
    const size_t items = elements / 4, from = i * items;
    CK(clEnqueueWriteBuffer(w.other, w.a, CL_FALSE, i * chunk, chunk, w.host.data(), 0, nullptr, &written));
    CK(clFlush(w.other));
    CK(clEnqueueNDRangeKernel(w.q, k, 1, &from, &items, nullptr, 1, &written, &counted));
    CK(clEnqueueReadBuffer(w.q, w.b, CL_FALSE, 0, 1024, w.host.data() + elements / 2, 1, &counted, nullptr));
    CK(clReleaseEvent(written));
    CK(clReleaseEvent(counted));
  }
  CK(clFinish(w.other));
  CK(clFinish(w.q));
}

void small_commands(World& w) {
  for (size_t i = 0; i < 32; ++i) {
    w.write(w.a, 16 << (i % 8));
    CK(clEnqueueCopyBuffer(w.q, w.a, w.b, 0, 0, 16 << (i % 8), 0, nullptr, nullptr));
  }
  w.read(w.b, 16);
}

void user_event(World& w) {
  cl_int e = CL_SUCCESS;
  const cl_event gate = clCreateUserEvent(w.device.context, &e);
  CK(e);
  CK(clEnqueueWriteBuffer(w.q, w.a, CL_FALSE, 0, bytes, w.host.data(), 1, &gate, nullptr));
  CK(clEnqueueCopyBuffer(w.q, w.a, w.b, 0, 0, bytes, 0, nullptr, nullptr));
  CK(clEnqueueWriteBuffer(w.other, w.b, CL_TRUE, 0, 4096, w.host.data(), 0, nullptr, nullptr));
  CK(clSetUserEventStatus(gate, CL_COMPLETE));
  CK(clFinish(w.q));
}

void images(World& w) {
  const cl_kernel k = w.kernel("invert");
  const cl_image_format format = {CL_RGBA, CL_UNORM_INT8};
  cl_image_desc desc = {};
  desc.image_type = CL_MEM_OBJECT_IMAGE2D;
  desc.image_width = 256;
  desc.image_height = 128;
  cl_int e = CL_SUCCESS;
  const cl_mem in = clCreateImage(w.device.context, CL_MEM_READ_ONLY, &format, &desc, nullptr, &e);
  CK(e);
  const cl_mem out = clCreateImage(w.device.context, CL_MEM_WRITE_ONLY, &format, &desc, nullptr, &e);
  CK(e);
  const size_t origin[3] = {}, region[3] = {256, 128, 1}, items[] = {256, 128};
  CK(clEnqueueWriteImage(w.q, in, CL_FALSE, origin, region, 0, 0, w.host.data(), 0, nullptr, nullptr));
  set_args(k, 0, in, out);
  CK(clEnqueueNDRangeKernel(w.q, k, 2, nullptr, items, nullptr, 0, nullptr, nullptr));
  CK(clEnqueueCopyImageToBuffer(w.q, out, w.a, origin, region, 0, 0, nullptr, nullptr));
  CK(clEnqueueReadImage(w.q, out, CL_TRUE, origin, region, 0, 0, w.host.data(), 0, nullptr, nullptr));
}

void svm(World& w) {
  const cl_kernel k = w.kernel("saxpy");
  void* x = clSVMAlloc(w.device.context, CL_MEM_READ_WRITE, bytes, 0);
  if (x == nullptr) std::exit(1);
  CK(clEnqueueSVMMap(w.q, CL_TRUE, CL_MAP_WRITE, x, bytes, 0, nullptr, nullptr));
  std::memcpy(x, w.host.data(), bytes);
  CK(clEnqueueSVMUnmap(w.q, x, 0, nullptr, nullptr));
  CK(clSetKernelArgSVMPointer(k, 0, x));
  CK(clSetKernelArg(k, 1, sizeof w.b, &w.b));
  const cl_float two = 2;
  CK(clSetKernelArg(k, 2, sizeof two, &two));
  w.launch(k, elements, 64);
  w.read(w.b);
  clSVMFree(w.device.context, x);
}

void rectangles(World& w) {
  const size_t buffer_origin[] = {64, 2, 0}, host_origin[] = {0, 0, 0}, region[] = {128, 32, 4};
  CK(clEnqueueWriteBufferRect(w.q, w.a, CL_FALSE, buffer_origin, host_origin, region, 512, 512 * 64, 128, 0, w.host.data(), 0, nullptr, nullptr));
  CK(clEnqueueCopyBufferRect(w.q, w.a, w.b, buffer_origin, host_origin, region, 512, 512 * 64, 128, 0, 0, nullptr, nullptr));
  CK(clEnqueueReadBufferRect(w.q, w.b, CL_TRUE, host_origin, host_origin, region, 128, 0, 128, 0, w.host.data(), 0, nullptr, nullptr));
}

void sub_buffer(World& w) {
  const cl_buffer_region half = {bytes / 2, bytes / 2};
  cl_int e = CL_SUCCESS;
  const cl_mem part = clCreateSubBuffer(w.a, CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION, &half, &e);
  CK(e);
  CK(clEnqueueMigrateMemObjects(w.q, 1, &w.a, CL_MIGRATE_MEM_OBJECT_CONTENT_UNDEFINED, 0, nullptr, nullptr));
  unsigned char* p = w.map(part, CL_MAP_WRITE, bytes / 2);
  std::memset(p, 7, bytes / 2);
  w.unmap(part, p);
  w.read(w.a);
}

}  // namespace

int main(int argc, char** argv) {
  static const std::pair<const char*, void (*)(World&)> programs[] = {
      {"saxpy", saxpy},           {"stencil", stencil},
      {"reduce", reduce},         {"histogram", histogram},
      {"zero_copy", zero_copy},   {"pipeline", pipeline},
      {"small_commands", small_commands}, {"user_event", user_event},
      {"images", images},         {"svm", svm},
      {"rectangles", rectangles}, {"sub_buffer", sub_buffer},
  };
  for (const auto& [name, run] : programs) {
    if (argc != 2 || std::strcmp(argv[1], name) != 0) continue;
    World world;
    run(world);
    return 0;
  }
  std::fprintf(stderr, "usage: golden_programs NAME, one of:");
  for (const auto& [name, run] : programs) std::fprintf(stderr, " %s", name);
  std::fprintf(stderr, "\n");
  return 2;
}

// Commits the misuse of mapped memory that its argument names, and does nothing else wrong; `correct` does the same
// things as they should be done. For strict_test.
#include <CL/cl.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/api/strict_misuse.h"

namespace misuse {

namespace {

void check(cl_int code, const char* what) {
  if (code == CL_SUCCESS) return;
  std::fprintf(stderr, "%s failed: %d\n", what, code);
  std::exit(2);
}

World open() {
  World w;
  cl_platform_id platform = nullptr;
  cl_device_id device = nullptr;
  cl_int code = CL_SUCCESS;
  check(clGetPlatformIDs(1, &platform, nullptr), "clGetPlatformIDs");
  check(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, nullptr), "clGetDeviceIDs");
  w.context = clCreateContext(nullptr, 1, &device, nullptr, nullptr, &code);
  check(code, "clCreateContext");
  w.queue = clCreateCommandQueueWithProperties(w.context, device, nullptr, &code);
  check(code, "clCreateCommandQueueWithProperties");
  w.buffer = clCreateBuffer(w.context, CL_MEM_READ_WRITE, bytes, nullptr, &code);
  check(code, "clCreateBuffer");
  return w;
}

void build(World& w) {
  const char* source =
      "kernel void store_all(global int* a) { a[get_global_id(0)] = 1; }\n"
      "kernel void store_one(global int* a) { if (get_global_id(0) == 75) a[75] = 1; }\n"
      "kernel void load_all(global const int* a, global int* b) { b[get_global_id(0)] = a[get_global_id(0)]; }\n";
  cl_int code = CL_SUCCESS;
  cl_program program = clCreateProgramWithSource(w.context, 1, &source, nullptr, &code);
  check(code, "clCreateProgramWithSource");
  check(clBuildProgram(program, 0, nullptr, nullptr, nullptr, nullptr), "clBuildProgram");
  w.store = clCreateKernel(program, "store_all", &code);
  check(code, "clCreateKernel");
  w.one = clCreateKernel(program, "store_one", &code);
  check(code, "clCreateKernel");
  w.load = clCreateKernel(program, "load_all", &code);
  check(code, "clCreateKernel");
}

void launch(const World& w, cl_kernel kernel) {
  const std::size_t items = bytes / sizeof(cl_int);
  check(clEnqueueNDRangeKernel(w.queue, kernel, 1, nullptr, &items, nullptr, 0, nullptr, nullptr),
        "clEnqueueNDRangeKernel");
}

void store_into(World& w, cl_mem target) {
  if (w.store == nullptr) build(w);
  check(clSetKernelArg(w.store, 0, sizeof target, &target), "clSetKernelArg");
  launch(w, w.store);
}

}  // namespace

volatile unsigned char* map(const World& w, cl_map_flags flags, cl_bool blocking) {
  cl_int code = CL_SUCCESS;
  void* p = clEnqueueMapBuffer(w.queue, w.buffer, blocking, flags, 0, bytes, 0, nullptr, nullptr, &code);
  check(code, "clEnqueueMapBuffer");
  return static_cast<volatile unsigned char*>(p);
}

void unmap(const World& w, volatile void* p) {
  check(clEnqueueUnmapMemObject(w.queue, w.buffer, const_cast<void*>(p), 0, nullptr, nullptr),
        "clEnqueueUnmapMemObject");
  check(clFinish(w.queue), "clFinish");
}

namespace {

volatile unsigned char sink;

void correct(World& w) {
  volatile unsigned char* p = map(w, CL_MAP_WRITE_INVALIDATE_REGION);
  for (std::size_t i = 0; i < bytes; ++i) p[i] = static_cast<unsigned char>(i);
  sink = p[bytes / 2];
  unmap(w, p);
  store_into(w, w.buffer);
  p = map(w, CL_MAP_READ, CL_FALSE);
  check(clFinish(w.queue), "clFinish");
  sink = p[4];
  if (p[4] != 1) std::exit(3);
  unmap(w, p);
  p = map(w, CL_MAP_READ | CL_MAP_WRITE);
  p[1] = p[0];
  unmap(w, p);
}

void read_map_written(World& w) {
  volatile unsigned char* p = map(w, CL_MAP_READ);
  p[4100] = 7;
  unmap(w, p);
}

void access_before_complete(World& w) {
  volatile unsigned char* p = map(w, CL_MAP_READ, CL_FALSE);
  sink = p[12];
  unmap(w, p);
}

void access_after_unmap(World& w) {
  volatile unsigned char* p = map(w, CL_MAP_WRITE);
  p[0] = 1;
  unmap(w, p);
  p[20] = 2;
}

void access_outside_map(World& w) {
  volatile unsigned char* p = map(w, CL_MAP_WRITE);
  p[bytes + 100] = 1;
  unmap(w, p);
}

void undefined_read(World& w) {
  volatile unsigned char* p = map(w, CL_MAP_WRITE_INVALIDATE_REGION);
  p[0] = 1;
  sink = p[8200];
  unmap(w, p);
}

void write_whole(const World& w) {
  volatile unsigned char* p = map(w, CL_MAP_WRITE_INVALIDATE_REGION);
  for (std::size_t i = 0; i < bytes; i += 512) p[i] = 1;
  sink = p[0];
  unmap(w, p);
}

// The habit is broken late, and then kept on with.
void undefined_read_in_a_loop(World& w) {
  for (int i = 0; i < 100; ++i) write_whole(w);
  for (int i = 0; i < 20; ++i) {
    volatile unsigned char* p = map(w, CL_MAP_WRITE_INVALIDATE_REGION);
    sink = p[8200];
    for (std::size_t k = 0; k < bytes; ++k) p[k] = 1;
    unmap(w, p);
  }
}

// So often that the region's views are opened several at once. Returns the pointers, the newest last.
std::vector<volatile unsigned char*> map_often(const World& w, cl_map_flags flags) {
  std::vector<volatile unsigned char*> all;
  for (int i = 0; i < 30; ++i) {
    volatile unsigned char* p = map(w, flags);
    sink = p[0];
    unmap(w, p);
    all.push_back(p);
  }
  return all;
}

void access_after_many_maps(World& w) {
  const auto all = map_often(w, CL_MAP_WRITE);
  all.back()[20] = 2;
}

void access_eight_maps_late(World& w) {
  const auto all = map_often(w, CL_MAP_WRITE);
  sink = all[all.size() - 8][20];
}

void read_map_written_after_many(World& w) {
  map_often(w, CL_MAP_READ);
  read_map_written(w);
}

void access_before_complete_after_many(World& w) {
  map_often(w, CL_MAP_READ);
  access_before_complete(w);
}

void access_outside_after_many(World& w) {
  map_often(w, CL_MAP_WRITE);
  access_outside_map(w);
}

volatile unsigned char* map_image(const World& w, cl_mem image, cl_map_flags flags) {
  const std::size_t origin[3] = {0, 0, 0};
  const std::size_t region[3] = {64, 64, 1};
  std::size_t pitch = 0;
  cl_int code = CL_SUCCESS;
  void* p = clEnqueueMapImage(w.queue, image, CL_TRUE, flags, origin, region, &pitch, nullptr, 0, nullptr, nullptr, &code);
  check(code, "clEnqueueMapImage");
  return static_cast<volatile unsigned char*>(p);
}

void use_image(World& w) {
  const cl_image_format format = {CL_RGBA, CL_UNSIGNED_INT8};
  cl_image_desc what = {};
  what.image_type = CL_MEM_OBJECT_IMAGE2D;
  what.image_width = what.image_height = 64;
  cl_int code = CL_SUCCESS;
  check(clReleaseMemObject(w.buffer), "clReleaseMemObject");
  w.buffer = clCreateImage(w.context, CL_MEM_READ_WRITE, &format, &what, nullptr, &code);
  check(code, "clCreateImage");
}

void image_read_map_written(World& w) {
  use_image(w);
  volatile unsigned char* p = map_image(w, w.buffer, CL_MAP_READ);
  p[8] = 1;
  unmap(w, p);
}

void image_access_after_unmap(World& w) {
  use_image(w);
  volatile unsigned char* p = map_image(w, w.buffer, CL_MAP_WRITE);
  p[0] = 1;
  unmap(w, p);
  sink = p[16];
}

void kernel_in_map(World& w) {
  build(w);
  volatile unsigned char* p = map(w, CL_MAP_WRITE);
  cl_int code = CL_SUCCESS;
  cl_mem other = clCreateBuffer(w.context, CL_MEM_READ_WRITE, bytes, nullptr, &code);
  check(code, "clCreateBuffer");
  check(clSetKernelArg(w.load, 0, sizeof w.buffer, &w.buffer), "clSetKernelArg");
  check(clSetKernelArg(w.load, 1, sizeof other, &other), "clSetKernelArg");
  launch(w, w.load);
  check(clFinish(w.queue), "clFinish");
  unmap(w, p);
}

void kernel_in_read_map(World& w) {
  build(w);
  volatile unsigned char* p = map(w, CL_MAP_READ);
  check(clSetKernelArg(w.one, 0, sizeof w.buffer, &w.buffer), "clSetKernelArg");
  launch(w, w.one);
  check(clFinish(w.queue), "clFinish");
  unmap(w, p);
}

void command_in_map(World& w) {
  volatile unsigned char* p = map(w, CL_MAP_WRITE);
  unsigned char out[64];
  check(clEnqueueReadBuffer(w.queue, w.buffer, CL_TRUE, 100, sizeof out, out, 0, nullptr, nullptr),
        "clEnqueueReadBuffer");
  unmap(w, p);
}

// A command is given a pointer whose unmap has ended.
void command_given_an_unmapped_pointer(World& w) {
  volatile unsigned char* p = map(w, CL_MAP_READ);
  unmap(w, p);
  cl_int code = CL_SUCCESS;
  cl_mem other = clCreateBuffer(w.context, CL_MEM_READ_WRITE, bytes, nullptr, &code);
  check(code, "clCreateBuffer");
  check(clEnqueueWriteBuffer(w.queue, other, CL_TRUE, 0, bytes, const_cast<unsigned char*>(p), 0, nullptr, nullptr),
        "clEnqueueWriteBuffer");
  check(clReleaseMemObject(other), "clReleaseMemObject");
}

// On another queue, enqueued before the map, and run within it.
struct Held {
  cl_command_queue queue = nullptr;
  cl_event go = nullptr;
};
Held hold(const World& w) {
  cl_device_id device = nullptr;
  check(clGetCommandQueueInfo(w.queue, CL_QUEUE_DEVICE, sizeof device, &device, nullptr), "clGetCommandQueueInfo");
  Held held;
  cl_int code = CL_SUCCESS;
  held.queue = clCreateCommandQueueWithProperties(w.context, device, nullptr, &code);
  check(code, "clCreateCommandQueueWithProperties");
  held.go = clCreateUserEvent(w.context, &code);
  check(code, "clCreateUserEvent");
  return held;
}
void let_go_in_map(const World& w, const Held& held) {
  volatile unsigned char* p = map(w, CL_MAP_WRITE);
  p[0] = 1;
  check(clSetUserEventStatus(held.go, CL_COMPLETE), "clSetUserEventStatus");
  check(clFinish(held.queue), "clFinish");
  unmap(w, p);
}

void kernel_before_the_map(World& w) {
  build(w);
  const Held held = hold(w);
  check(clSetKernelArg(w.one, 0, sizeof w.buffer, &w.buffer), "clSetKernelArg");
  const std::size_t items = bytes / sizeof(cl_int);
  check(clEnqueueNDRangeKernel(held.queue, w.one, 1, nullptr, &items, nullptr, 1, &held.go, nullptr),
        "clEnqueueNDRangeKernel");
  let_go_in_map(w, held);
}

// The first of more launches than anybody would keep for their stacks alone.
void kernel_long_before_the_map(World& w) {
  build(w);
  const Held held = hold(w);
  check(clSetKernelArg(w.one, 0, sizeof w.buffer, &w.buffer), "clSetKernelArg");
  const std::size_t items = 128;
  check(clEnqueueNDRangeKernel(held.queue, w.one, 1, nullptr, &items, nullptr, 1, &held.go, nullptr),
        "clEnqueueNDRangeKernel");
  cl_int code = CL_SUCCESS;
  cl_mem other = clCreateBuffer(w.context, CL_MEM_READ_WRITE, bytes, nullptr, &code);
  check(code, "clCreateBuffer");
  check(clSetKernelArg(w.one, 0, sizeof other, &other), "clSetKernelArg");
  for (int i = 0; i < 1100; ++i) {
    check(clEnqueueNDRangeKernel(w.queue, w.one, 1, nullptr, &items, nullptr, 0, nullptr, nullptr),
          "clEnqueueNDRangeKernel");
  }
  check(clFinish(w.queue), "clFinish");
  check(clReleaseMemObject(other), "clReleaseMemObject");
  let_go_in_map(w, held);
}

void fill(const World& w, const Held& held, std::size_t at, std::size_t length) {
  const unsigned char zero = 0;
  check(clEnqueueFillBuffer(held.queue, w.buffer, &zero, 1, at, length, 1, &held.go, nullptr), "clEnqueueFillBuffer");
}

void fill_here(const World& w, const Held& held) {
  fill(w, held, 0, 1000);
}
void fill_there(const World& w, const Held& held) {
  fill(w, held, 1000, 1000);
}

// Among others, from another function and with the same depth of the stack.
void fill_before_the_map(World& w) {
  const Held held = hold(w);
  const Held before = hold(w);
  for (int i = 0; i < 3; ++i) fill_here(w, before);
  for (int i = 0; i < 3; ++i) fill_there(w, before);
  check(clSetUserEventStatus(before.go, CL_COMPLETE), "clSetUserEventStatus");
  check(clFinish(before.queue), "clFinish");
  fill_there(w, held);
  let_go_in_map(w, held);
}

void command_in_read_map(World& w) {
  volatile unsigned char* p = map(w, CL_MAP_READ);
  const unsigned char zero = 0;
  check(clEnqueueFillBuffer(w.queue, w.buffer, &zero, 1, 300, 10, 0, nullptr, nullptr), "clEnqueueFillBuffer");
  check(clFinish(w.queue), "clFinish");
  unmap(w, p);
}

void never_unmapped(World& w) {
  map(w, CL_MAP_WRITE)[0] = 1;
  check(clReleaseMemObject(w.buffer), "clReleaseMemObject");
  w.buffer = nullptr;
}

// More maps than there is room for; the last is misused.
void more_maps_than_are_watched(World& w) {
  std::vector<volatile unsigned char*> all;
  for (int i = 0; i < 9000; ++i) all.push_back(map(w, CL_MAP_READ));
  all.back()[0] = 1;
  for (volatile unsigned char* p : all) {
    check(clEnqueueUnmapMemObject(w.queue, w.buffer, const_cast<unsigned char*>(p), 0, nullptr, nullptr),
          "clEnqueueUnmapMemObject");
  }
}

void left_mapped(World& w) {
  map(w, CL_MAP_WRITE)[0] = 1;
  w.buffer = nullptr;
}

void access_after_release(World& w) {
  volatile unsigned char* p = map(w, CL_MAP_WRITE);
  check(clReleaseMemObject(w.buffer), "clReleaseMemObject");
  w.buffer = nullptr;
  p[10] = 1;
}

void unmapped_twice(World& w) {
  volatile unsigned char* p = map(w, CL_MAP_READ);
  unmap(w, p);
  (void)clEnqueueUnmapMemObject(w.queue, w.buffer, const_cast<unsigned char*>(p), 0, nullptr, nullptr);
}

volatile unsigned char* allocate_svm(const World& w) {
  void* p = clSVMAlloc(w.context, CL_MEM_READ_WRITE, bytes, 0);
  if (p == nullptr) check(-1, "clSVMAlloc");
  return static_cast<volatile unsigned char*>(p);
}

void svm_outside_map(World& w) {
  volatile unsigned char* p = allocate_svm(w);
  p[5000] = 1;
  clSVMFree(w.context, const_cast<unsigned char*>(p));
}

void svm_map(const World& w, volatile unsigned char* p, cl_map_flags flags) {
  check(clEnqueueSVMMap(w.queue, CL_TRUE, flags, const_cast<unsigned char*>(p), bytes, 0, nullptr, nullptr),
        "clEnqueueSVMMap");
}

void svm_unmap(const World& w, volatile unsigned char* p) {
  check(clEnqueueSVMUnmap(w.queue, const_cast<unsigned char*>(p), 0, nullptr, nullptr), "clEnqueueSVMUnmap");
  check(clFinish(w.queue), "clFinish");
}

void svm_correct(World& w) {
  volatile unsigned char* p = allocate_svm(w);
  svm_map(w, p, CL_MAP_WRITE_INVALIDATE_REGION);
  for (std::size_t i = 0; i < bytes; ++i) p[i] = 2;
  svm_unmap(w, p);
  build(w);
  check(clSetKernelArgSVMPointer(w.store, 0, const_cast<unsigned char*>(p)), "clSetKernelArgSVMPointer");
  launch(w, w.store);
  svm_map(w, p, CL_MAP_READ);
  if (p[0] != 1 || p[1] != 0) std::exit(3);
  svm_unmap(w, p);
  clSVMFree(w.context, const_cast<unsigned char*>(p));
}

// Written whole before it is read, again and again: faults at one address that are no misuse.
void many_maps_correct(World& w) {
  volatile unsigned char* p = allocate_svm(w);
  for (int i = 0; i < 200; ++i) {
    svm_map(w, p, CL_MAP_WRITE_INVALIDATE_REGION);
    p[0] = 2;
    svm_unmap(w, p);
  }
  for (int i = 0; i < 500; ++i) write_whole(w);
  // One map is held while its region is mapped again and again, and each sees what the one before wrote.
  volatile unsigned char* held = map(w, CL_MAP_READ);
  map_often(w, CL_MAP_READ);
  if (held[0] != 1) std::exit(3);
  unmap(w, held);
  for (int i = 0; i < 100; ++i) {
    volatile unsigned char* q = map(w, CL_MAP_WRITE, i % 3 == 0 ? CL_FALSE : CL_TRUE);
    check(clFinish(w.queue), "clFinish");
    q[bytes - 1] = static_cast<unsigned char>(i);
    unmap(w, q);
    q = map(w, CL_MAP_READ, i % 5 == 0 ? CL_FALSE : CL_TRUE);
    check(clFinish(w.queue), "clFinish");
    if (q[bytes - 1] != i) std::exit(3);
    unmap(w, q);
  }
  clSVMFree(w.context, const_cast<unsigned char*>(p));
}

void svm_read_map_written(World& w) {
  volatile unsigned char* p = allocate_svm(w);
  svm_map(w, p, CL_MAP_READ);
  p[9000] = 1;
  svm_unmap(w, p);
  clSVMFree(w.context, const_cast<unsigned char*>(p));
}

void svm_access_after_unmap(World& w) {
  volatile unsigned char* p = allocate_svm(w);
  svm_map(w, p, CL_MAP_WRITE);
  p[0] = 1;
  svm_unmap(w, p);
  sink = p[0];
  clSVMFree(w.context, const_cast<unsigned char*>(p));
}

void svm_kernel_in_map(World& w) {
  volatile unsigned char* p = allocate_svm(w);
  build(w);
  svm_map(w, p, CL_MAP_WRITE);
  check(clSetKernelArgSVMPointer(w.one, 0, const_cast<unsigned char*>(p)), "clSetKernelArgSVMPointer");
  launch(w, w.one);
  check(clFinish(w.queue), "clFinish");
  svm_unmap(w, p);
  clSVMFree(w.context, const_cast<unsigned char*>(p));
}

void svm_unmapped_twice(World& w) {
  volatile unsigned char* p = allocate_svm(w);
  svm_map(w, p, CL_MAP_READ);
  svm_unmap(w, p);
  svm_unmap(w, p);
  clSVMFree(w.context, const_cast<unsigned char*>(p));
}

void svm_undefined_read(World& w) {
  volatile unsigned char* p = allocate_svm(w);
  svm_map(w, p, CL_MAP_WRITE_INVALIDATE_REGION);
  sink = p[8200];
  svm_unmap(w, p);
  clSVMFree(w.context, const_cast<unsigned char*>(p));
}

void svm_command_in_map(World& w) {
  volatile unsigned char* p = allocate_svm(w);
  svm_map(w, p, CL_MAP_WRITE);
  const unsigned char zero = 0;
  check(clEnqueueSVMMemFill(w.queue, const_cast<unsigned char*>(p) + 200, &zero, 1, 100, 0, nullptr, nullptr),
        "clEnqueueSVMMemFill");
  check(clFinish(w.queue), "clFinish");
  svm_unmap(w, p);
  clSVMFree(w.context, const_cast<unsigned char*>(p));
}

void svm_never_unmapped(World& w) {
  volatile unsigned char* p = allocate_svm(w);
  svm_map(w, p, CL_MAP_WRITE);
  p[0] = 1;
  clSVMFree(w.context, const_cast<unsigned char*>(p));
}

// Two threads write one map, byte by byte in turn, so that they meet in every page that was not written yet.
void threads_correct(World& w) {
  volatile unsigned char* p = map(w, CL_MAP_WRITE_INVALIDATE_REGION);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([p, t] {
      for (std::size_t i = t; i < bytes; i += 4) p[i] = static_cast<unsigned char>(i);
    });
  }
  for (std::thread& t : threads) t.join();
  unmap(w, p);
  p = map(w, CL_MAP_READ);
  for (std::size_t i = 0; i < bytes; ++i) {
    if (p[i] != static_cast<unsigned char>(i)) std::exit(3);
  }
  unmap(w, p);
}

// Copies from and to mapped memory, by their pointers.
void mapped_as_staging_correct(World& w) {
  cl_int code = CL_SUCCESS;
  cl_mem staging = clCreateBuffer(w.context, CL_MEM_ALLOC_HOST_PTR, bytes, nullptr, &code);
  check(code, "clCreateBuffer");
  auto* p = static_cast<unsigned char*>(clEnqueueMapBuffer(w.queue, staging, CL_TRUE, CL_MAP_WRITE_INVALIDATE_REGION, 0,
                                                           bytes, 0, nullptr, nullptr, &code));
  check(code, "clEnqueueMapBuffer");
  const unsigned char nine = 9;
  check(clEnqueueFillBuffer(w.queue, w.buffer, &nine, 1, 0, bytes, 0, nullptr, nullptr), "clEnqueueFillBuffer");
  check(clEnqueueReadBuffer(w.queue, w.buffer, CL_FALSE, 0, bytes, p, 0, nullptr, nullptr), "clEnqueueReadBuffer");
  check(clFinish(w.queue), "clFinish");
  if (p[0] != 9 || p[bytes - 1] != 9) std::exit(3);
  p[1] = 8;
  check(clEnqueueWriteBuffer(w.queue, w.buffer, CL_FALSE, 0, bytes, p, 0, nullptr, nullptr), "clEnqueueWriteBuffer");
  check(clEnqueueUnmapMemObject(w.queue, staging, p, 0, nullptr, nullptr), "clEnqueueUnmapMemObject");
  volatile unsigned char* q = map(w, CL_MAP_READ);
  if (q[0] != 9 || q[1] != 8) std::exit(3);
  unmap(w, q);
  check(clReleaseMemObject(staging), "clReleaseMemObject");
}

// The program's own handler, set after the driver's, sees the program's own faults and no others.
sigjmp_buf back;
void on_fault(int) {
  siglongjmp(back, 1);
}

void own_handler(World& w) {
  struct sigaction action = {};
  action.sa_handler = &on_fault;
  ::sigaction(SIGSEGV, &action, nullptr);
  volatile unsigned char* p = map(w, CL_MAP_READ);
  p[0] = 1;  // the misuse
  unmap(w, p);
  if (sigsetjmp(back, 1) == 0) {
    volatile unsigned char* volatile nowhere = reinterpret_cast<volatile unsigned char*>(std::size_t{64});
    *nowhere = 1;
    std::exit(3);
  }
  struct sigaction now = {};
  ::sigaction(SIGSEGV, nullptr, &now);
  if (now.sa_handler != &on_fault) std::exit(3);
}

// A page behind the end of a file raises SIGBUS, as what lies beside a view may.
void own_bus_handler(World& w) {
  struct sigaction action = {};
  action.sa_handler = &on_fault;
  ::sigaction(SIGBUS, &action, nullptr);
  access_outside_after_many(w);
  const int empty = ::memfd_create("empty", 0);
  void* const nothing = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, empty, 0);
  if (nothing == MAP_FAILED) std::exit(2);
  if (sigsetjmp(back, 1) == 0) {
    *static_cast<volatile unsigned char*>(nothing) = 1;
    std::exit(3);
  }
}

// Memory of the program that a buffer uses, and that buffer in place of the other.
volatile unsigned char* use_host_memory(World& w) {
  void* p = std::aligned_alloc(4096, bytes);
  if (p == nullptr) std::exit(2);
  for (std::size_t i = 0; i < bytes; ++i) static_cast<unsigned char*>(p)[i] = 3;
  check(clReleaseMemObject(w.buffer), "clReleaseMemObject");
  cl_int code = CL_SUCCESS;
  w.buffer = clCreateBuffer(w.context, CL_MEM_USE_HOST_PTR, bytes, p, &code);
  check(code, "clCreateBuffer");
  return static_cast<volatile unsigned char*>(p);
}

void write_lost(World& w) {
  volatile unsigned char* p = use_host_memory(w);
  p[5000] = 1;
  store_into(w, w.buffer);
}

void read_stale(World& w) {
  volatile unsigned char* p = use_host_memory(w);
  store_into(w, w.buffer);
  check(clFinish(w.queue), "clFinish");
  sink = p[8196];
}

void read_stale_behind_a_fill(World& w) {
  volatile unsigned char* p = use_host_memory(w);
  const unsigned char zero = 0;
  check(clEnqueueFillBuffer(w.queue, w.buffer, &zero, 1, 12288, 4096, 0, nullptr, nullptr), "clEnqueueFillBuffer");
  check(clFinish(w.queue), "clFinish");
  sink = p[0];
  sink = p[12300];
}

void host_memory_correct(World& w) {
  volatile unsigned char* p = use_host_memory(w);
  if (p[9] != 3) std::exit(3);  // nobody wrote it
  volatile unsigned char* q = map(w, CL_MAP_WRITE_INVALIDATE_REGION);
  if (p != q) std::exit(3);
  for (std::size_t i = 0; i < bytes; ++i) p[i] = 4;
  unmap(w, q);
  store_into(w, w.buffer);
  q = map(w, CL_MAP_READ);
  if (p[0] != 1 || p[1] != 0) std::exit(3);
  unmap(w, q);
  if (p[0] != 1) std::exit(3);  // nobody wrote it since
  store_into(w, w.buffer);
  // Reading into its own memory brings the latest bits there.
  check(clEnqueueReadBuffer(w.queue, w.buffer, CL_TRUE, 0, bytes, const_cast<unsigned char*>(p), 0, nullptr, nullptr),
        "clEnqueueReadBuffer");
  if (p[4] != 1) std::exit(3);
  // Writing from it takes them to the device.
  for (std::size_t i = 0; i < bytes; ++i) p[i] = 5;
  check(clEnqueueWriteBuffer(w.queue, w.buffer, CL_TRUE, 0, bytes, const_cast<unsigned char*>(p), 0, nullptr, nullptr),
        "clEnqueueWriteBuffer");
  store_into(w, w.buffer);
  q = map(w, CL_MAP_READ | CL_MAP_WRITE);
  if (p[4] != 1) std::exit(3);
  p[4] = 2;
  unmap(w, q);
  check(clReleaseMemObject(w.buffer), "clReleaseMemObject");
  w.buffer = nullptr;
  p[0] = 9;  // it is the program's own again
}

// An image on the program's memory is mapped there, with what the device has.
void host_image_correct(World& w) {
  std::vector<unsigned char> mine(64 * 64 * 4, 3);
  const cl_image_format format = {CL_RGBA, CL_UNSIGNED_INT8};
  cl_image_desc what = {};
  what.image_type = CL_MEM_OBJECT_IMAGE2D;
  what.image_width = what.image_height = 64;
  cl_int code = CL_SUCCESS;
  check(clReleaseMemObject(w.buffer), "clReleaseMemObject");
  w.buffer = clCreateImage(w.context, CL_MEM_USE_HOST_PTR, &format, &what, mine.data(), &code);
  check(code, "clCreateImage");
  volatile unsigned char* p = map_image(w, w.buffer, CL_MAP_READ | CL_MAP_WRITE);
  if (p != mine.data() || p[5000] != 3) std::exit(3);
  p[5000] = 4;
  unmap(w, p);
  const cl_uint colour[4] = {7, 7, 7, 7};
  const std::size_t origin[3] = {0, 0, 0};
  const std::size_t region[3] = {1, 1, 1};
  check(clEnqueueFillImage(w.queue, w.buffer, colour, origin, region, 0, nullptr, nullptr), "clEnqueueFillImage");
  p = map_image(w, w.buffer, CL_MAP_READ);
  if (p[0] != 7 || p[5000] != 4) std::exit(3);
  unmap(w, p);
  check(clReleaseMemObject(w.buffer), "clReleaseMemObject");
  w.buffer = nullptr;
}

struct Case {
  std::string_view name;
  void (*run)(World&);
};
constexpr Case cases[] = {
    {"correct", correct},
    {"svm_correct", svm_correct},
    {"many_maps_correct", many_maps_correct},
    {"threads_correct", threads_correct},
    {"system_calls_correct", system_calls_correct},
    {"mapped_as_staging_correct", mapped_as_staging_correct},
    {"host_memory_correct", host_memory_correct},
    {"host_image_correct", host_image_correct},
    {"write_lost", write_lost},
    {"read_stale", read_stale},
    {"read_stale_behind_a_fill", read_stale_behind_a_fill},
    {"own_handler", own_handler},
    {"read_map_written", read_map_written},
    {"access_before_complete", access_before_complete},
    {"access_after_unmap", access_after_unmap},
    {"access_outside_map", access_outside_map},
    {"undefined_read", undefined_read},
    {"access_after_many_maps", access_after_many_maps},
    {"access_eight_maps_late", access_eight_maps_late},
    {"read_map_written_after_many", read_map_written_after_many},
    {"access_before_complete_after_many", access_before_complete_after_many},
    {"access_outside_after_many", access_outside_after_many},
    {"own_bus_handler", own_bus_handler},
    {"kernel_in_map", kernel_in_map},
    {"kernel_in_read_map", kernel_in_read_map},
    {"command_in_map", command_in_map},
    {"command_in_read_map", command_in_read_map},
    {"command_given_an_unmapped_pointer", command_given_an_unmapped_pointer},
    {"kernel_before_the_map", kernel_before_the_map},
    {"kernel_long_before_the_map", kernel_long_before_the_map},
    {"fill_before_the_map", fill_before_the_map},
    {"read_into_read_map", read_into_read_map},
    {"readlink_into_read_map", readlink_into_read_map},
    {"written_by_the_system_after_unmap", written_by_the_system_after_unmap},
    {"sent_before_complete", sent_before_complete},
    {"never_unmapped", never_unmapped},
    {"more_maps_than_are_watched", more_maps_than_are_watched},
    {"left_mapped", left_mapped},
    {"access_after_release", access_after_release},
    {"unmapped_twice", unmapped_twice},
    {"svm_outside_map", svm_outside_map},
    {"svm_read_map_written", svm_read_map_written},
    {"svm_access_after_unmap", svm_access_after_unmap},
    {"svm_kernel_in_map", svm_kernel_in_map},
    {"svm_unmapped_twice", svm_unmapped_twice},
    {"svm_undefined_read", svm_undefined_read},
    {"svm_command_in_map", svm_command_in_map},
    {"svm_never_unmapped", svm_never_unmapped},
    {"undefined_read_in_a_loop", undefined_read_in_a_loop},
    {"image_read_map_written", image_read_map_written},
    {"image_access_after_unmap", image_access_after_unmap},
};

}  // namespace

}  // namespace misuse

int main(int count, char** arguments) {
  using namespace misuse;
  for (const Case& c : cases) {
    if (count != 2 || c.name != arguments[1]) continue;
    World w = open();
    c.run(w);
    check(clFinish(w.queue), "clFinish");
    if (w.buffer != nullptr) check(clReleaseMemObject(w.buffer), "clReleaseMemObject");
    std::puts("done");
    return 0;
  }
  std::fprintf(stderr, "usage: %s MISUSE\n", arguments[0]);
  return 2;
}

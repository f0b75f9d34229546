// Handles that are none: null, garbage, misaligned, of another type, released. Through the driver's dispatch table and
// not through the loader, which would look behind the pointer.
#include <CL/cl_icd.h>

#include <functional>
#include <string>

#include "tests/api/fixture.h"

namespace {

// A call with the handle under test in one place and valid arguments in the others.
struct Entry {
  const char* name;
  cl_int expected;
  std::function<cl_int(void*)> call;
  bool null_is_valid = false;
};

class Handles : public ClTest {
 protected:
  void SetUp() override {
    ClTest::SetUp();
    ASSERT_EQ(clGetPlatformIDs(1, &platform, nullptr), CL_SUCCESS);
    d = *reinterpret_cast<const cl_icd_dispatch* const*>(platform);
    m = buffer();
    n = buffer();
    event = user_event();
    cl_int e = CL_SUCCESS;
    const char* text = "kernel void k() {}";
    program = clCreateProgramWithSource(context, 1, &text, nullptr, &e);
    ASSERT_EQ(e, CL_SUCCESS);
  }
  void TearDown() override {
    d->clSetUserEventStatus(event, CL_COMPLETE);
    for (cl_mem x : {m, n}) clReleaseMemObject(x);
    clReleaseEvent(event);
    clReleaseProgram(program);
    ClTest::TearDown();
  }
  // `kind`: the type that the entries expect. `released`: a handle of that type that is no longer live, or nullptr.
  void expect_refused(const std::vector<Entry>& entries, const std::string& kind, void* released) {
    struct Bad {
      std::string what;
      void* handle;
    };
    alignas(64) static char memory[256] = {};  // readable, and not an object
    std::vector<Bad> bad = {{"null", nullptr},
                            {"a small number", reinterpret_cast<void*>(0x10)},
                            {"an odd number", reinterpret_cast<void*>(0x7)},
                            {"all ones", reinterpret_cast<void*>(~std::uintptr_t{0})},
                            {"not canonical", reinterpret_cast<void*>(0x8000000000000000)},
                            {"memory of the program", memory},
                            {"misaligned", memory + 1},
                            {"inside a buffer object", reinterpret_cast<char*>(m) + 8},
                            {"next to a queue object", reinterpret_cast<char*>(queue) + 1}};
    if (released != nullptr) bad.push_back({"released", released});
    const std::pair<std::string, void*> objects[] = {{"platform", platform}, {"device", device}, {"context", context},
                                                     {"queue", queue},       {"memory", m},      {"event", event},
                                                     {"program", program}};
    for (const auto& [type, handle] : objects) {
      if (type != kind) bad.push_back({"a " + type, handle});
    }
    for (const Entry& entry : entries) {
      for (const Bad& b : bad) {
        if (b.handle == nullptr && entry.null_is_valid) continue;
        EXPECT_EQ(entry.call(b.handle), entry.expected) << entry.name << " with " << b.what;
      }
    }
  }
  // For calls that return a handle.
  template <class H>
  static cl_int code_of(H handle, cl_int code) {
    EXPECT_EQ(handle == nullptr, code != CL_SUCCESS);
    return code;
  }

  const cl_icd_dispatch* d = nullptr;
  cl_platform_id platform = nullptr;
  cl_mem m = nullptr;
  cl_mem n = nullptr;
  cl_event event = nullptr;
  cl_program program = nullptr;
  cl_int e = CL_SUCCESS;
  char data[64] = {};
  std::size_t zero[3] = {};
  std::size_t one[3] = {1, 1, 1};
};

#define P reinterpret_cast<cl_platform_id>(h)
#define D reinterpret_cast<cl_device_id>(h)
#define C reinterpret_cast<cl_context>(h)
#define Q reinterpret_cast<cl_command_queue>(h)
#define M reinterpret_cast<cl_mem>(h)
#define E reinterpret_cast<cl_event>(h)
#define G reinterpret_cast<cl_program>(h)
#define CALL(...) [&]([[maybe_unused]] void* h) -> cl_int { return __VA_ARGS__; }
#define CREATE(...)                         \
  [&]([[maybe_unused]] void* h) -> cl_int { \
    e = 99;                                 \
    auto created = __VA_ARGS__;             \
    return code_of(created, e);             \
  }

TEST_F(Handles, Platforms) {
  const std::vector<Entry> entries = {
      {"GetPlatformInfo", CL_INVALID_PLATFORM, CALL(d->clGetPlatformInfo(P, CL_PLATFORM_NAME, 0, nullptr, nullptr)),
       true},
      {"GetDeviceIDs", CL_INVALID_PLATFORM, CALL(d->clGetDeviceIDs(P, CL_DEVICE_TYPE_ALL, 1, &device, nullptr)), true},
      {"UnloadPlatformCompiler", CL_INVALID_PLATFORM, CALL(d->clUnloadPlatformCompiler(P))},
      {"GetExtensionFunctionAddressForPlatform", 0,
       CALL(d->clGetExtensionFunctionAddressForPlatform(P, "clIcdGetPlatformIDsKHR") == nullptr ? 0 : 1)},
      {"CreateContext", CL_INVALID_PLATFORM, [&](void* h) -> cl_int {
         const cl_context_properties list[] = {CL_CONTEXT_PLATFORM, reinterpret_cast<cl_context_properties>(h), 0};
         auto created = d->clCreateContext(list, 1, &device, nullptr, nullptr, &e);
         return code_of(created, e);
       }}};
  expect_refused(entries, "platform", nullptr);
}

TEST_F(Handles, Devices) {
  cl_ulong t = 0;
  const std::vector<Entry> entries = {
      {"GetDeviceInfo", CL_INVALID_DEVICE, CALL(d->clGetDeviceInfo(D, CL_DEVICE_NAME, 0, nullptr, nullptr))},
      {"CreateSubDevices", CL_INVALID_DEVICE, CALL(d->clCreateSubDevices(D, nullptr, 0, nullptr, nullptr))},
      {"RetainDevice", CL_INVALID_DEVICE, CALL(d->clRetainDevice(D))},
      {"ReleaseDevice", CL_INVALID_DEVICE, CALL(d->clReleaseDevice(D))},
      {"GetDeviceAndHostTimer", CL_INVALID_DEVICE, CALL(d->clGetDeviceAndHostTimer(D, &t, &t))},
      {"GetHostTimer", CL_INVALID_DEVICE, CALL(d->clGetHostTimer(D, &t))},
      {"CreateContext", CL_INVALID_DEVICE,
       [&](void* h) -> cl_int {
         const cl_device_id list[] = {D};
         auto created = d->clCreateContext(nullptr, 1, list, nullptr, nullptr, &e);
         return code_of(created, e);
       }},
      {"CreateCommandQueue", CL_INVALID_DEVICE, CREATE(d->clCreateCommandQueue(context, D, 0, &e))},
      {"CreateCommandQueueWithProperties", CL_INVALID_DEVICE,
       CREATE(d->clCreateCommandQueueWithProperties(context, D, nullptr, &e))},
      {"SetDefaultDeviceCommandQueue", CL_INVALID_DEVICE, CALL(d->clSetDefaultDeviceCommandQueue(context, D, queue))},
      {"BuildProgram", CL_INVALID_DEVICE,
       [&](void* h) -> cl_int {
         const cl_device_id list[] = {D};
         return d->clBuildProgram(program, 1, list, nullptr, nullptr, nullptr);
       }},
      {"GetProgramBuildInfo", CL_INVALID_DEVICE,
       CALL(d->clGetProgramBuildInfo(program, D, CL_PROGRAM_BUILD_STATUS, 0, nullptr, nullptr))}};
  expect_refused(entries, "device", nullptr);
}

TEST_F(Handles, Contexts) {
  cl_context released = clCreateContext(nullptr, 1, &device, nullptr, nullptr, &e);
  clReleaseContext(released);
  const cl_image_format format{CL_RGBA, CL_UNSIGNED_INT8};
  cl_image_desc desc{};
  desc.image_type = CL_MEM_OBJECT_IMAGE2D;
  desc.image_width = desc.image_height = 1;
  const char* text = "";
  const unsigned char* binary = reinterpret_cast<const unsigned char*>(data);
  const std::size_t length = sizeof data;
  const auto notify = [](cl_context, void*) {};
  cl_uint count = 0;
  const std::vector<Entry> entries = {
      {"RetainContext", CL_INVALID_CONTEXT, CALL(d->clRetainContext(C))},
      {"ReleaseContext", CL_INVALID_CONTEXT, CALL(d->clReleaseContext(C))},
      {"GetContextInfo", CL_INVALID_CONTEXT, CALL(d->clGetContextInfo(C, CL_CONTEXT_DEVICES, 0, nullptr, nullptr))},
      {"SetContextDestructorCallback", CL_INVALID_CONTEXT,
       CALL(d->clSetContextDestructorCallback(C, +notify, nullptr))},
      {"CreateCommandQueue", CL_INVALID_CONTEXT, CREATE(d->clCreateCommandQueue(C, device, 0, &e))},
      {"CreateCommandQueueWithProperties", CL_INVALID_CONTEXT,
       CREATE(d->clCreateCommandQueueWithProperties(C, device, nullptr, &e))},
      {"SetDefaultDeviceCommandQueue", CL_INVALID_CONTEXT, CALL(d->clSetDefaultDeviceCommandQueue(C, device, queue))},
      {"CreateBuffer", CL_INVALID_CONTEXT, CREATE(d->clCreateBuffer(C, 0, 64, nullptr, &e))},
      {"CreateBufferWithProperties", CL_INVALID_CONTEXT,
       CREATE(d->clCreateBufferWithProperties(C, nullptr, 0, 64, nullptr, &e))},
      {"CreateImage", CL_INVALID_CONTEXT, CREATE(d->clCreateImage(C, 0, &format, &desc, nullptr, &e))},
      {"CreateImageWithProperties", CL_INVALID_CONTEXT,
       CREATE(d->clCreateImageWithProperties(C, nullptr, 0, &format, &desc, nullptr, &e))},
      {"CreateImage2D", CL_INVALID_CONTEXT, CREATE(d->clCreateImage2D(C, 0, &format, 1, 1, 0, nullptr, &e))},
      {"CreateImage3D", CL_INVALID_CONTEXT, CREATE(d->clCreateImage3D(C, 0, &format, 1, 1, 2, 0, 0, nullptr, &e))},
      {"GetSupportedImageFormats", CL_INVALID_CONTEXT,
       CALL(d->clGetSupportedImageFormats(C, 0, CL_MEM_OBJECT_IMAGE2D, 0, nullptr, &count))},
      {"CreatePipe", CL_INVALID_CONTEXT, CREATE(d->clCreatePipe(C, 0, 4, 4, nullptr, &e))},
      {"CreateSampler", CL_INVALID_CONTEXT,
       CREATE(d->clCreateSampler(C, CL_TRUE, CL_ADDRESS_NONE, CL_FILTER_NEAREST, &e))},
      {"CreateSamplerWithProperties", CL_INVALID_CONTEXT, CREATE(d->clCreateSamplerWithProperties(C, nullptr, &e))},
      {"CreateProgramWithSource", CL_INVALID_CONTEXT, CREATE(d->clCreateProgramWithSource(C, 1, &text, nullptr, &e))},
      {"CreateProgramWithBinary", CL_INVALID_CONTEXT,
       CREATE(d->clCreateProgramWithBinary(C, 1, &device, &length, &binary, nullptr, &e))},
      {"CreateProgramWithIL", CL_INVALID_CONTEXT, CREATE(d->clCreateProgramWithIL(C, data, sizeof data, &e))},
      {"CreateProgramWithBuiltInKernels", CL_INVALID_CONTEXT,
       CREATE(d->clCreateProgramWithBuiltInKernels(C, 1, &device, "k", &e))},
      {"LinkProgram", CL_INVALID_CONTEXT,
       CREATE(d->clLinkProgram(C, 1, &device, nullptr, 1, &program, nullptr, nullptr, &e))},
      {"CreateUserEvent", CL_INVALID_CONTEXT, CREATE(d->clCreateUserEvent(C, &e))},
      {"SVMAlloc", 0, CALL(d->clSVMAlloc(C, 0, 64, 0) == nullptr ? 0 : 1)},
      {"SVMFree", 0, CALL((d->clSVMFree(C, data), 0))}};
  expect_refused(entries, "context", released);
}

TEST_F(Handles, Queues) {
  cl_command_queue released = make_queue(context, 0);
  clReleaseCommandQueue(released);
  const void* const_data = data;
  void* svm = data;
  std::size_t size = 1;
  std::size_t pitch = 0;
  const auto native = [](void*) {};
  cl_event out = nullptr;
  constexpr cl_int bad = CL_INVALID_COMMAND_QUEUE;
#define W 0, nullptr, nullptr
  const std::vector<Entry> entries = {
      {"RetainCommandQueue", bad, CALL(d->clRetainCommandQueue(Q))},
      {"ReleaseCommandQueue", bad, CALL(d->clReleaseCommandQueue(Q))},
      {"GetCommandQueueInfo", bad, CALL(d->clGetCommandQueueInfo(Q, CL_QUEUE_CONTEXT, 0, nullptr, nullptr))},
      {"SetCommandQueueProperty", bad,
       CALL(d->clSetCommandQueueProperty(Q, CL_QUEUE_PROFILING_ENABLE, CL_TRUE, nullptr))},
      {"Flush", bad, CALL(d->clFlush(Q))},
      {"Finish", bad, CALL(d->clFinish(Q))},
      {"ReadBuffer", bad, CALL(d->clEnqueueReadBuffer(Q, m, CL_TRUE, 0, 8, data, W))},
      {"WriteBuffer", bad, CALL(d->clEnqueueWriteBuffer(Q, m, CL_TRUE, 0, 8, data, W))},
      {"ReadBufferRect", bad, CALL(d->clEnqueueReadBufferRect(Q, m, CL_TRUE, zero, zero, one, 0, 0, 0, 0, data, W))},
      {"WriteBufferRect", bad, CALL(d->clEnqueueWriteBufferRect(Q, m, CL_TRUE, zero, zero, one, 0, 0, 0, 0, data, W))},
      {"CopyBuffer", bad, CALL(d->clEnqueueCopyBuffer(Q, m, n, 0, 0, 8, W))},
      {"CopyBufferRect", bad, CALL(d->clEnqueueCopyBufferRect(Q, m, n, zero, zero, one, 0, 0, 0, 0, W))},
      {"FillBuffer", bad, CALL(d->clEnqueueFillBuffer(Q, m, data, 1, 0, 8, W))},
      {"MapBuffer", bad, CREATE(d->clEnqueueMapBuffer(Q, m, CL_TRUE, CL_MAP_READ, 0, 8, W, &e))},
      {"MapImage", bad, CREATE(d->clEnqueueMapImage(Q, m, CL_TRUE, CL_MAP_READ, zero, one, &pitch, &pitch, W, &e))},
      {"UnmapMemObject", bad, CALL(d->clEnqueueUnmapMemObject(Q, m, data, W))},
      {"MigrateMemObjects", bad, CALL(d->clEnqueueMigrateMemObjects(Q, 1, &m, 0, W))},
      {"ReadImage", bad, CALL(d->clEnqueueReadImage(Q, m, CL_TRUE, zero, one, 0, 0, data, W))},
      {"WriteImage", bad, CALL(d->clEnqueueWriteImage(Q, m, CL_TRUE, zero, one, 0, 0, data, W))},
      {"CopyImage", bad, CALL(d->clEnqueueCopyImage(Q, m, n, zero, zero, one, W))},
      {"FillImage", bad, CALL(d->clEnqueueFillImage(Q, m, data, zero, one, W))},
      {"CopyImageToBuffer", bad, CALL(d->clEnqueueCopyImageToBuffer(Q, m, n, zero, one, 0, W))},
      {"CopyBufferToImage", bad, CALL(d->clEnqueueCopyBufferToImage(Q, m, n, 0, zero, one, W))},
      {"NDRangeKernel", bad, CALL(d->clEnqueueNDRangeKernel(Q, nullptr, 1, nullptr, one, nullptr, W))},
      {"Task", bad, CALL(d->clEnqueueTask(Q, nullptr, W))},
      {"NativeKernel", bad, CALL(d->clEnqueueNativeKernel(Q, native, nullptr, 0, 0, nullptr, nullptr, W))},
      {"Marker", bad, CALL(d->clEnqueueMarker(Q, &out))},
      {"WaitForEvents", bad, CALL(d->clEnqueueWaitForEvents(Q, 1, &event))},
      {"Barrier", bad, CALL(d->clEnqueueBarrier(Q))},
      {"MarkerWithWaitList", bad, CALL(d->clEnqueueMarkerWithWaitList(Q, W))},
      {"BarrierWithWaitList", bad, CALL(d->clEnqueueBarrierWithWaitList(Q, W))},
      {"SVMFree", bad, CALL(d->clEnqueueSVMFree(Q, 1, &svm, nullptr, nullptr, W))},
      {"SVMMemcpy", bad, CALL(d->clEnqueueSVMMemcpy(Q, CL_TRUE, data, data + 8, 8, W))},
      {"SVMMemFill", bad, CALL(d->clEnqueueSVMMemFill(Q, data, data, 1, 8, W))},
      {"SVMMap", bad, CALL(d->clEnqueueSVMMap(Q, CL_TRUE, CL_MAP_READ, data, 8, W))},
      {"SVMUnmap", bad, CALL(d->clEnqueueSVMUnmap(Q, data, W))},
      {"SVMMigrateMem", bad, CALL(d->clEnqueueSVMMigrateMem(Q, 1, &const_data, &size, 0, W))}};
  expect_refused(entries, "queue", released);
}

TEST_F(Handles, MemoryObjects) {
  cl_mem released = buffer();
  clReleaseMemObject(released);
  const cl_buffer_region region{0, 64};
  const auto notify = [](cl_mem, void*) {};
  const auto native = [](void*) {};
  constexpr cl_int bad = CL_INVALID_MEM_OBJECT;
  const std::vector<Entry> entries = {
      {"RetainMemObject", bad, CALL(d->clRetainMemObject(M))},
      {"ReleaseMemObject", bad, CALL(d->clReleaseMemObject(M))},
      {"GetMemObjectInfo", bad, CALL(d->clGetMemObjectInfo(M, CL_MEM_SIZE, 0, nullptr, nullptr))},
      {"GetImageInfo", bad, CALL(d->clGetImageInfo(M, CL_IMAGE_WIDTH, 0, nullptr, nullptr))},
      {"GetPipeInfo", bad, CALL(d->clGetPipeInfo(M, CL_PIPE_PACKET_SIZE, 0, nullptr, nullptr))},
      {"SetMemObjectDestructorCallback", bad, CALL(d->clSetMemObjectDestructorCallback(M, +notify, nullptr))},
      {"CreateSubBuffer", bad, CREATE(d->clCreateSubBuffer(M, 0, CL_BUFFER_CREATE_TYPE_REGION, &region, &e))},
      {"ReadBuffer", bad, CALL(d->clEnqueueReadBuffer(queue, M, CL_TRUE, 0, 8, data, W))},
      {"WriteBuffer", bad, CALL(d->clEnqueueWriteBuffer(queue, M, CL_TRUE, 0, 8, data, W))},
      {"ReadBufferRect", bad,
       CALL(d->clEnqueueReadBufferRect(queue, M, CL_TRUE, zero, zero, one, 0, 0, 0, 0, data, W))},
      {"WriteBufferRect", bad,
       CALL(d->clEnqueueWriteBufferRect(queue, M, CL_TRUE, zero, zero, one, 0, 0, 0, 0, data, W))},
      {"CopyBuffer, source", bad, CALL(d->clEnqueueCopyBuffer(queue, M, n, 0, 0, 8, W))},
      {"CopyBuffer, target", bad, CALL(d->clEnqueueCopyBuffer(queue, n, M, 0, 0, 8, W))},
      {"CopyBufferRect, source", bad, CALL(d->clEnqueueCopyBufferRect(queue, M, n, zero, zero, one, 0, 0, 0, 0, W))},
      {"CopyBufferRect, target", bad, CALL(d->clEnqueueCopyBufferRect(queue, n, M, zero, zero, one, 0, 0, 0, 0, W))},
      {"FillBuffer", bad, CALL(d->clEnqueueFillBuffer(queue, M, data, 1, 0, 8, W))},
      {"MapBuffer", bad, CREATE(d->clEnqueueMapBuffer(queue, M, CL_TRUE, CL_MAP_READ, 0, 8, W, &e))},
      {"UnmapMemObject", bad, CALL(d->clEnqueueUnmapMemObject(queue, M, data, W))},
      {"MigrateMemObjects", bad,
       [&](void* h) -> cl_int {
         const cl_mem list[] = {m, M};
         return d->clEnqueueMigrateMemObjects(queue, 2, list, 0, W);
       }},
      {"NativeKernel", bad, [&](void* h) -> cl_int {
         const cl_mem list[] = {M};
         const void* place = data;
         return d->clEnqueueNativeKernel(queue, native, data, 8, 1, list, &place, W);
       }}};
  expect_refused(entries, "memory", released);
}

TEST_F(Handles, Events) {
  cl_event released = user_event();
  clReleaseEvent(released);
  const auto notify = [](cl_event, cl_int, void*) {};
  const std::vector<Entry> entries = {
      {"RetainEvent", CL_INVALID_EVENT, CALL(d->clRetainEvent(E))},
      {"ReleaseEvent", CL_INVALID_EVENT, CALL(d->clReleaseEvent(E))},
      {"GetEventInfo", CL_INVALID_EVENT, CALL(d->clGetEventInfo(E, CL_EVENT_CONTEXT, 0, nullptr, nullptr))},
      {"GetEventProfilingInfo", CL_INVALID_EVENT,
       CALL(d->clGetEventProfilingInfo(E, CL_PROFILING_COMMAND_END, 0, nullptr, nullptr))},
      {"SetEventCallback", CL_INVALID_EVENT, CALL(d->clSetEventCallback(E, CL_COMPLETE, +notify, nullptr))},
      {"SetUserEventStatus", CL_INVALID_EVENT, CALL(d->clSetUserEventStatus(E, CL_COMPLETE))},
      {"WaitForEvents", CL_INVALID_EVENT,
       [&](void* h) -> cl_int {
         const cl_event list[] = {E};
         return d->clWaitForEvents(1, list);
       }},
      {"EnqueueWaitForEvents", CL_INVALID_EVENT, [&](void* h) -> cl_int {
         const cl_event list[] = {E};
         return d->clEnqueueWaitForEvents(queue, 1, list);
       }}};
  expect_refused(entries, "event", released);
}

// Each call with a wait list, with something in the list that is no event, a null list and an empty one.
TEST_F(Handles, WaitLists) {
  std::size_t size = 8;
  void* svm = clSVMAlloc(context, 0, 64, 0);
  const void* const_svm = svm;
  void* mapped = map(m, CL_MAP_READ);
  constexpr cl_int bad = CL_INVALID_EVENT_WAIT_LIST;
  using List = std::function<cl_int(cl_uint, const cl_event*)>;
#define LIST(...) [&](cl_uint num, const cl_event* l) -> cl_int { return __VA_ARGS__; }
  const std::pair<const char*, List> calls[] = {
      {"ReadBuffer", LIST(d->clEnqueueReadBuffer(queue, m, CL_TRUE, 0, 8, data, num, l, nullptr))},
      {"WriteBuffer", LIST(d->clEnqueueWriteBuffer(queue, m, CL_TRUE, 0, 8, data, num, l, nullptr))},
      {"ReadBufferRect",
       LIST(d->clEnqueueReadBufferRect(queue, m, CL_TRUE, zero, zero, one, 0, 0, 0, 0, data, num, l, nullptr))},
      {"WriteBufferRect",
       LIST(d->clEnqueueWriteBufferRect(queue, m, CL_TRUE, zero, zero, one, 0, 0, 0, 0, data, num, l, nullptr))},
      {"CopyBuffer", LIST(d->clEnqueueCopyBuffer(queue, m, n, 0, 0, 8, num, l, nullptr))},
      {"CopyBufferRect", LIST(d->clEnqueueCopyBufferRect(queue, m, n, zero, zero, one, 0, 0, 0, 0, num, l, nullptr))},
      {"FillBuffer", LIST(d->clEnqueueFillBuffer(queue, m, data, 1, 0, 8, num, l, nullptr))},
      {"MapBuffer", LIST((d->clEnqueueMapBuffer(queue, m, CL_TRUE, CL_MAP_READ, 0, 8, num, l, nullptr, &e), e))},
      {"UnmapMemObject", LIST(d->clEnqueueUnmapMemObject(queue, m, mapped, num, l, nullptr))},
      {"MigrateMemObjects", LIST(d->clEnqueueMigrateMemObjects(queue, 1, &m, 0, num, l, nullptr))},
      {"MarkerWithWaitList", LIST(d->clEnqueueMarkerWithWaitList(queue, num, l, nullptr))},
      {"BarrierWithWaitList", LIST(d->clEnqueueBarrierWithWaitList(queue, num, l, nullptr))},
      {"SVMFree", LIST(d->clEnqueueSVMFree(queue, 1, &svm, nullptr, nullptr, num, l, nullptr))},
      {"SVMMemcpy", LIST(d->clEnqueueSVMMemcpy(queue, CL_TRUE, data, svm, 8, num, l, nullptr))},
      {"SVMMemFill", LIST(d->clEnqueueSVMMemFill(queue, svm, data, 1, 8, num, l, nullptr))},
      {"SVMMap", LIST(d->clEnqueueSVMMap(queue, CL_TRUE, CL_MAP_READ, svm, 8, num, l, nullptr))},
      {"SVMUnmap", LIST(d->clEnqueueSVMUnmap(queue, svm, num, l, nullptr))},
      {"SVMMigrateMem", LIST(d->clEnqueueSVMMigrateMem(queue, 1, &const_svm, &size, 0, num, l, nullptr))}};
  cl_event released = user_event();
  clReleaseEvent(released);
  const cl_event none[] = {nullptr,
                           reinterpret_cast<cl_event>(0x10),
                           reinterpret_cast<cl_event>(reinterpret_cast<char*>(event) + 1),
                           reinterpret_cast<cl_event>(queue),
                           reinterpret_cast<cl_event>(data),
                           released};
  for (const auto& [name, call] : calls) {
    EXPECT_EQ(call(1, nullptr), bad) << name;
    EXPECT_EQ(call(0, &event), bad) << name;
    for (cl_event x : none) {
      const cl_event list[] = {event, x};
      EXPECT_EQ(call(2, list), bad) << name << " " << x;
    }
  }
  clSVMFree(context, svm);
}

TEST_F(Handles, Programs) {
  const char* text = "";
  cl_program released = clCreateProgramWithSource(context, 1, &text, nullptr, &e);
  clReleaseProgram(released);
  const auto notify = [](cl_program, void*) {};
  cl_uint count = 0;
  constexpr cl_int bad = CL_INVALID_PROGRAM;
  const std::vector<Entry> entries = {
      {"RetainProgram", bad, CALL(d->clRetainProgram(G))},
      {"ReleaseProgram", bad, CALL(d->clReleaseProgram(G))},
      {"BuildProgram", bad, CALL(d->clBuildProgram(G, 1, &device, nullptr, nullptr, nullptr))},
      {"CompileProgram", bad, CALL(d->clCompileProgram(G, 1, &device, nullptr, 0, nullptr, nullptr, nullptr, nullptr))},
      {"LinkProgram", bad,
       [&](void* h) -> cl_int {
         const cl_program list[] = {G};
         auto created = d->clLinkProgram(context, 1, &device, nullptr, 1, list, nullptr, nullptr, &e);
         return code_of(created, e);
       }},
      {"GetProgramInfo", bad, CALL(d->clGetProgramInfo(G, CL_PROGRAM_CONTEXT, 0, nullptr, nullptr))},
      {"GetProgramBuildInfo", bad,
       CALL(d->clGetProgramBuildInfo(G, device, CL_PROGRAM_BUILD_STATUS, 0, nullptr, nullptr))},
      {"SetProgramReleaseCallback", bad, CALL(d->clSetProgramReleaseCallback(G, +notify, nullptr))},
      {"SetProgramSpecializationConstant", bad, CALL(d->clSetProgramSpecializationConstant(G, 0, 4, data))},
      {"CreateKernel", bad, CREATE(d->clCreateKernel(G, "k", &e))},
      {"CreateKernelsInProgram", bad, CALL(d->clCreateKernelsInProgram(G, 0, nullptr, &count))}};
  expect_refused(entries, "program", released);
}

TEST_F(Handles, KernelsAndSamplers) {
  const auto kernel = [](void* h) { return reinterpret_cast<cl_kernel>(h); };
  const auto sampler = [](void* h) { return reinterpret_cast<cl_sampler>(h); };
  const std::vector<Entry> entries = {
      {"RetainKernel", CL_INVALID_KERNEL, CALL(d->clRetainKernel(kernel(h)))},
      {"ReleaseKernel", CL_INVALID_KERNEL, CALL(d->clReleaseKernel(kernel(h)))},
      {"CloneKernel", CL_INVALID_KERNEL, CREATE(d->clCloneKernel(kernel(h), &e))},
      {"SetKernelArg", CL_INVALID_KERNEL, CALL(d->clSetKernelArg(kernel(h), 0, 4, data))},
      {"SetKernelArgSVMPointer", CL_INVALID_KERNEL, CALL(d->clSetKernelArgSVMPointer(kernel(h), 0, data))},
      {"SetKernelExecInfo", CL_INVALID_KERNEL,
       CALL(d->clSetKernelExecInfo(kernel(h), CL_KERNEL_EXEC_INFO_SVM_PTRS, 8, data))},
      {"GetKernelInfo", CL_INVALID_KERNEL, CALL(d->clGetKernelInfo(kernel(h), CL_KERNEL_CONTEXT, 0, nullptr, nullptr))},
      {"GetKernelArgInfo", CL_INVALID_KERNEL,
       CALL(d->clGetKernelArgInfo(kernel(h), 0, CL_KERNEL_ARG_NAME, 0, nullptr, nullptr))},
      {"GetKernelWorkGroupInfo", CL_INVALID_KERNEL,
       CALL(d->clGetKernelWorkGroupInfo(kernel(h), device, CL_KERNEL_WORK_GROUP_SIZE, 0, nullptr, nullptr))},
      {"GetKernelSubGroupInfo", CL_INVALID_KERNEL,
       CALL(d->clGetKernelSubGroupInfo(kernel(h), device, CL_KERNEL_MAX_NUM_SUB_GROUPS, 0, nullptr, 0, nullptr,
                                       nullptr))},
      {"NDRangeKernel", CL_INVALID_KERNEL,
       CALL(d->clEnqueueNDRangeKernel(queue, kernel(h), 1, nullptr, one, nullptr, W))},
      {"Task", CL_INVALID_KERNEL, CALL(d->clEnqueueTask(queue, kernel(h), W))},
      {"RetainSampler", CL_INVALID_SAMPLER, CALL(d->clRetainSampler(sampler(h)))},
      {"ReleaseSampler", CL_INVALID_SAMPLER, CALL(d->clReleaseSampler(sampler(h)))},
      {"GetSamplerInfo", CL_INVALID_SAMPLER,
       CALL(d->clGetSamplerInfo(sampler(h), CL_SAMPLER_CONTEXT, 0, nullptr, nullptr))}};
  expect_refused(entries, "kernel", nullptr);
}

// A handle that was released twice, and a released one after many new objects: it is never taken for a live object
// soon.
TEST_F(Handles, ReleasedOnesStayInvalid) {
  cl_mem released = buffer(64);
  EXPECT_EQ(d->clReleaseMemObject(released), CL_SUCCESS);
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(d->clReleaseMemObject(released), CL_INVALID_MEM_OBJECT) << i;
    cl_mem fresh = buffer(64);
    EXPECT_NE(fresh, released);
    EXPECT_EQ(d->clReleaseMemObject(fresh), CL_SUCCESS);
  }
}

// Entries of extensions that the driver does not have are there and refuse; those of other systems are absent.
TEST_F(Handles, TheTableIsFull) {
  const auto* entry = reinterpret_cast<void* const*>(d);
  std::size_t absent = 0;
  for (std::size_t i = 0; i < sizeof *d / sizeof *entry; ++i) absent += entry[i] == nullptr;
  EXPECT_EQ(absent, 16U);  // six entries of D3D10, six of D3D11, four of DX9
}

}  // namespace

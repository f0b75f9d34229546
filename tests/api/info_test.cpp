// The rules that all clGet*Info share, for every name of every function: param_value_size_ret is the size of the
// answer, a buffer of that size takes it and nothing beyond, a smaller one is CL_INVALID_VALUE and stays as it was, and
// a name that is none is CL_INVALID_VALUE.
#include <CL/cl_ext.h>

#include <functional>

#include "tests/api/fixture.h"

namespace {

using Query = std::function<cl_int(cl_uint name, std::size_t size, void* value, std::size_t* size_ret)>;
constexpr std::size_t any_size = SIZE_MAX;

struct Name {
  cl_uint name;
  std::size_t size;  // of the type that the specification gives, or any_size
};

void check(const char* function, const Query& query, const std::vector<Name>& names) {
  for (const Name& n : names) {
    const auto where = [&] { return std::string(function) + " " + std::to_string(n.name); };
    std::size_t size = 12345;
    ASSERT_EQ(query(n.name, 0, nullptr, &size), CL_SUCCESS) << where();
    ASSERT_LT(size, 12345U) << where();
    if (n.size != any_size) {
      EXPECT_EQ(size, n.size) << where();
    }
    EXPECT_EQ(query(n.name, 0, nullptr, nullptr), CL_SUCCESS) << where();
    std::vector<unsigned char> value(size + 16, 0xA5);
    std::size_t again = 0;
    EXPECT_EQ(query(n.name, size, value.data(), &again), CL_SUCCESS) << where();
    EXPECT_EQ(again, size) << where();
    for (std::size_t i = size; i < value.size(); ++i) ASSERT_EQ(value[i], 0xA5) << where();
    EXPECT_EQ(query(n.name, size + 16, value.data(), nullptr), CL_SUCCESS) << where();
    for (std::size_t i = size; i < value.size(); ++i) ASSERT_EQ(value[i], 0xA5) << where();
    if (size == 0) continue;
    std::vector<unsigned char> small(size, 0xA5);
    EXPECT_EQ(query(n.name, size - 1, small.data(), nullptr), CL_INVALID_VALUE) << where();
    EXPECT_EQ(query(n.name, 0, small.data(), nullptr), CL_INVALID_VALUE) << where();
    EXPECT_EQ(small, std::vector<unsigned char>(size, 0xA5)) << where();
  }
  unsigned char value[4096];
  for (const cl_uint unknown : {0U, 0xFFFFU, 0xFFFFFFFFU}) {
    EXPECT_EQ(query(unknown, sizeof value, value, nullptr), CL_INVALID_VALUE) << function << " " << unknown;
  }
}

using Info = ClTest;

TEST_F(Info, Platform) {
  cl_platform_id platform = nullptr;
  clGetPlatformIDs(1, &platform, nullptr);
  check(
      "clGetPlatformInfo",
      [&](cl_uint name, std::size_t n, void* v, std::size_t* r) { return clGetPlatformInfo(platform, name, n, v, r); },
      {{CL_PLATFORM_PROFILE, sizeof "FULL_PROFILE"},
       {CL_PLATFORM_VERSION, any_size},
       {CL_PLATFORM_NUMERIC_VERSION, sizeof(cl_version)},
       {CL_PLATFORM_NAME, any_size},
       {CL_PLATFORM_VENDOR, any_size},
       {CL_PLATFORM_EXTENSIONS, any_size},
       {CL_PLATFORM_EXTENSIONS_WITH_VERSION, any_size},
       {CL_PLATFORM_HOST_TIMER_RESOLUTION, sizeof(cl_ulong)},
       {CL_PLATFORM_ICD_SUFFIX_KHR, any_size}});
}

// Every name of OpenCL 3.0's table of device queries.
TEST_F(Info, Device) {
  std::vector<Name> names;
  for (const cl_device_info name : {CL_DEVICE_VENDOR_ID,
                                    CL_DEVICE_MAX_COMPUTE_UNITS,
                                    CL_DEVICE_MAX_WORK_ITEM_DIMENSIONS,
                                    CL_DEVICE_PREFERRED_VECTOR_WIDTH_CHAR,
                                    CL_DEVICE_PREFERRED_VECTOR_WIDTH_SHORT,
                                    CL_DEVICE_PREFERRED_VECTOR_WIDTH_INT,
                                    CL_DEVICE_PREFERRED_VECTOR_WIDTH_LONG,
                                    CL_DEVICE_PREFERRED_VECTOR_WIDTH_FLOAT,
                                    CL_DEVICE_PREFERRED_VECTOR_WIDTH_DOUBLE,
                                    CL_DEVICE_PREFERRED_VECTOR_WIDTH_HALF,
                                    CL_DEVICE_NATIVE_VECTOR_WIDTH_CHAR,
                                    CL_DEVICE_NATIVE_VECTOR_WIDTH_SHORT,
                                    CL_DEVICE_NATIVE_VECTOR_WIDTH_INT,
                                    CL_DEVICE_NATIVE_VECTOR_WIDTH_LONG,
                                    CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT,
                                    CL_DEVICE_NATIVE_VECTOR_WIDTH_DOUBLE,
                                    CL_DEVICE_NATIVE_VECTOR_WIDTH_HALF,
                                    CL_DEVICE_MAX_CLOCK_FREQUENCY,
                                    CL_DEVICE_ADDRESS_BITS,
                                    CL_DEVICE_MAX_READ_IMAGE_ARGS,
                                    CL_DEVICE_MAX_WRITE_IMAGE_ARGS,
                                    CL_DEVICE_MAX_READ_WRITE_IMAGE_ARGS,
                                    CL_DEVICE_MAX_SAMPLERS,
                                    CL_DEVICE_IMAGE_PITCH_ALIGNMENT,
                                    CL_DEVICE_IMAGE_BASE_ADDRESS_ALIGNMENT,
                                    CL_DEVICE_MAX_PIPE_ARGS,
                                    CL_DEVICE_PIPE_MAX_ACTIVE_RESERVATIONS,
                                    CL_DEVICE_PIPE_MAX_PACKET_SIZE,
                                    CL_DEVICE_MEM_BASE_ADDR_ALIGN,
                                    CL_DEVICE_MIN_DATA_TYPE_ALIGN_SIZE,
                                    CL_DEVICE_GLOBAL_MEM_CACHE_TYPE,
                                    CL_DEVICE_GLOBAL_MEM_CACHELINE_SIZE,
                                    CL_DEVICE_MAX_CONSTANT_ARGS,
                                    CL_DEVICE_LOCAL_MEM_TYPE,
                                    CL_DEVICE_QUEUE_ON_DEVICE_PREFERRED_SIZE,
                                    CL_DEVICE_QUEUE_ON_DEVICE_MAX_SIZE,
                                    CL_DEVICE_MAX_ON_DEVICE_QUEUES,
                                    CL_DEVICE_MAX_ON_DEVICE_EVENTS,
                                    CL_DEVICE_PARTITION_MAX_SUB_DEVICES,
                                    CL_DEVICE_REFERENCE_COUNT,
                                    CL_DEVICE_PREFERRED_PLATFORM_ATOMIC_ALIGNMENT,
                                    CL_DEVICE_PREFERRED_GLOBAL_ATOMIC_ALIGNMENT,
                                    CL_DEVICE_PREFERRED_LOCAL_ATOMIC_ALIGNMENT,
                                    CL_DEVICE_MAX_NUM_SUB_GROUPS,
                                    CL_DEVICE_NUMERIC_VERSION}) {
    names.push_back({cl_uint(name), sizeof(cl_uint)});
  }
  for (const cl_device_info name :
       {CL_DEVICE_AVAILABLE, CL_DEVICE_COMPILER_AVAILABLE, CL_DEVICE_LINKER_AVAILABLE, CL_DEVICE_IMAGE_SUPPORT,
        CL_DEVICE_ERROR_CORRECTION_SUPPORT, CL_DEVICE_HOST_UNIFIED_MEMORY, CL_DEVICE_ENDIAN_LITTLE,
        CL_DEVICE_PREFERRED_INTEROP_USER_SYNC, CL_DEVICE_SUB_GROUP_INDEPENDENT_FORWARD_PROGRESS,
        CL_DEVICE_NON_UNIFORM_WORK_GROUP_SUPPORT, CL_DEVICE_WORK_GROUP_COLLECTIVE_FUNCTIONS_SUPPORT,
        CL_DEVICE_GENERIC_ADDRESS_SPACE_SUPPORT, CL_DEVICE_PIPE_SUPPORT}) {
    names.push_back({cl_uint(name), sizeof(cl_bool)});
  }
  for (const cl_device_info name :
       {CL_DEVICE_MAX_WORK_GROUP_SIZE, CL_DEVICE_PREFERRED_WORK_GROUP_SIZE_MULTIPLE, CL_DEVICE_IMAGE2D_MAX_WIDTH,
        CL_DEVICE_IMAGE2D_MAX_HEIGHT, CL_DEVICE_IMAGE3D_MAX_WIDTH, CL_DEVICE_IMAGE3D_MAX_HEIGHT,
        CL_DEVICE_IMAGE3D_MAX_DEPTH, CL_DEVICE_IMAGE_MAX_BUFFER_SIZE, CL_DEVICE_IMAGE_MAX_ARRAY_SIZE,
        CL_DEVICE_MAX_PARAMETER_SIZE, CL_DEVICE_PROFILING_TIMER_RESOLUTION, CL_DEVICE_PRINTF_BUFFER_SIZE,
        CL_DEVICE_MAX_GLOBAL_VARIABLE_SIZE, CL_DEVICE_GLOBAL_VARIABLE_PREFERRED_TOTAL_SIZE}) {
    names.push_back({cl_uint(name), sizeof(std::size_t)});
  }
  for (const cl_device_info name :
       {CL_DEVICE_TYPE, CL_DEVICE_MAX_MEM_ALLOC_SIZE, CL_DEVICE_GLOBAL_MEM_SIZE, CL_DEVICE_GLOBAL_MEM_CACHE_SIZE,
        CL_DEVICE_MAX_CONSTANT_BUFFER_SIZE, CL_DEVICE_LOCAL_MEM_SIZE, CL_DEVICE_SINGLE_FP_CONFIG,
        CL_DEVICE_DOUBLE_FP_CONFIG, CL_DEVICE_EXECUTION_CAPABILITIES, CL_DEVICE_QUEUE_ON_HOST_PROPERTIES,
        CL_DEVICE_QUEUE_ON_DEVICE_PROPERTIES, CL_DEVICE_DEVICE_ENQUEUE_CAPABILITIES,
        CL_DEVICE_PARTITION_AFFINITY_DOMAIN, CL_DEVICE_SVM_CAPABILITIES, CL_DEVICE_ATOMIC_MEMORY_CAPABILITIES,
        CL_DEVICE_ATOMIC_FENCE_CAPABILITIES, CL_DEVICE_PLATFORM, CL_DEVICE_PARENT_DEVICE}) {
    names.push_back({cl_uint(name), 8});
  }
  for (const cl_device_info name :
       {CL_DEVICE_NAME, CL_DEVICE_VENDOR, CL_DRIVER_VERSION, CL_DEVICE_PROFILE, CL_DEVICE_VERSION,
        CL_DEVICE_OPENCL_C_VERSION, CL_DEVICE_OPENCL_C_ALL_VERSIONS, CL_DEVICE_OPENCL_C_FEATURES, CL_DEVICE_EXTENSIONS,
        CL_DEVICE_EXTENSIONS_WITH_VERSION, CL_DEVICE_IL_VERSION, CL_DEVICE_ILS_WITH_VERSION, CL_DEVICE_BUILT_IN_KERNELS,
        CL_DEVICE_BUILT_IN_KERNELS_WITH_VERSION, CL_DEVICE_LATEST_CONFORMANCE_VERSION_PASSED,
        CL_DEVICE_PARTITION_PROPERTIES, CL_DEVICE_PARTITION_TYPE}) {
    names.push_back({cl_uint(name), any_size});
  }
  names.push_back({CL_DEVICE_MAX_WORK_ITEM_SIZES, 3 * sizeof(std::size_t)});
  check(
      "clGetDeviceInfo",
      [&](cl_uint name, std::size_t n, void* v, std::size_t* r) { return clGetDeviceInfo(device, name, n, v, r); },
      names);
}

TEST_F(Info, Context) {
  const auto query = [](cl_context c) {
    return [c](cl_uint name, std::size_t n, void* v, std::size_t* r) { return clGetContextInfo(c, name, n, v, r); };
  };
  cl_platform_id platform = nullptr;
  clGetPlatformIDs(1, &platform, nullptr);
  const cl_context_properties list[] = {CL_CONTEXT_PLATFORM, reinterpret_cast<cl_context_properties>(platform), 0};
  cl_int e = CL_SUCCESS;
  cl_context with = clCreateContext(list, 1, &device, nullptr, nullptr, &e);
  ASSERT_EQ(e, CL_SUCCESS);
  check("clGetContextInfo", query(context),
        {{CL_CONTEXT_REFERENCE_COUNT, sizeof(cl_uint)},
         {CL_CONTEXT_NUM_DEVICES, sizeof(cl_uint)},
         {CL_CONTEXT_DEVICES, sizeof(cl_device_id)},
         {CL_CONTEXT_PROPERTIES, 0}});
  check("clGetContextInfo", query(with), {{CL_CONTEXT_PROPERTIES, sizeof list}});
  cl_context_properties copy[3] = {};
  EXPECT_EQ(clGetContextInfo(with, CL_CONTEXT_PROPERTIES, sizeof copy, copy, nullptr), CL_SUCCESS);
  EXPECT_TRUE(std::equal(std::begin(list), std::end(list), copy));
  clReleaseContext(with);
}

TEST_F(Info, Queue) {
  const auto query = [](cl_command_queue q) {
    return
        [q](cl_uint name, std::size_t n, void* v, std::size_t* r) { return clGetCommandQueueInfo(q, name, n, v, r); };
  };
  check("clGetCommandQueueInfo", query(queue),
        {{CL_QUEUE_CONTEXT, sizeof(cl_context)},
         {CL_QUEUE_DEVICE, sizeof(cl_device_id)},
         {CL_QUEUE_REFERENCE_COUNT, sizeof(cl_uint)},
         {CL_QUEUE_PROPERTIES, sizeof(cl_command_queue_properties)},
         {CL_QUEUE_PROPERTIES_ARRAY, 3 * sizeof(cl_queue_properties)},  // name, value, 0, as the fixture gives them
         {CL_QUEUE_DEVICE_DEFAULT, sizeof(cl_command_queue)}});
  cl_int e = CL_SUCCESS;
  cl_command_queue plain = clCreateCommandQueueWithProperties(context, device, nullptr, &e);
  check("clGetCommandQueueInfo", query(plain), {{CL_QUEUE_PROPERTIES_ARRAY, 0}});
  cl_uint size = 0;
  EXPECT_EQ(clGetCommandQueueInfo(queue, CL_QUEUE_SIZE, sizeof size, &size, nullptr), CL_INVALID_COMMAND_QUEUE);
  clReleaseCommandQueue(plain);
}

TEST_F(Info, MemoryObject) {
  cl_int e = CL_SUCCESS;
  const cl_mem_properties none[] = {0};
  cl_mem plain = buffer();
  cl_mem with = clCreateBufferWithProperties(context, none, 0, 64, nullptr, &e);
  cl_mem sub = sub_buffer(plain, 4096, 64);
  for (cl_mem m : {plain, with, sub}) {
    check("clGetMemObjectInfo",
          [&](cl_uint name, std::size_t n, void* v, std::size_t* r) { return clGetMemObjectInfo(m, name, n, v, r); },
          {{CL_MEM_TYPE, sizeof(cl_mem_object_type)},
           {CL_MEM_FLAGS, sizeof(cl_mem_flags)},
           {CL_MEM_SIZE, sizeof(std::size_t)},
           {CL_MEM_HOST_PTR, sizeof(void*)},
           {CL_MEM_MAP_COUNT, sizeof(cl_uint)},
           {CL_MEM_REFERENCE_COUNT, sizeof(cl_uint)},
           {CL_MEM_CONTEXT, sizeof(cl_context)},
           {CL_MEM_ASSOCIATED_MEMOBJECT, sizeof(cl_mem)},
           {CL_MEM_OFFSET, sizeof(std::size_t)},
           {CL_MEM_USES_SVM_POINTER, sizeof(cl_bool)},
           {CL_MEM_PROPERTIES, m == with ? sizeof none : 0}});
  }
  cl_mem parent = nullptr;
  std::size_t offset = 0;
  EXPECT_EQ(clGetMemObjectInfo(sub, CL_MEM_ASSOCIATED_MEMOBJECT, sizeof parent, &parent, nullptr), CL_SUCCESS);
  EXPECT_EQ(clGetMemObjectInfo(sub, CL_MEM_OFFSET, sizeof offset, &offset, nullptr), CL_SUCCESS);
  EXPECT_EQ(parent, plain);
  EXPECT_EQ(offset, 4096U);
  for (cl_mem m : {sub, with, plain}) clReleaseMemObject(m);
}

// CL_MEM_HOST_PTR: of buffers made with CL_MEM_USE_HOST_PTR, and of their windows; null of all others.
TEST_F(Info, HostPointer) {
  std::vector<char> mine(8192);
  const auto pointer = [](cl_mem m) {
    void* p = &m;
    EXPECT_EQ(clGetMemObjectInfo(m, CL_MEM_HOST_PTR, sizeof p, &p, nullptr), CL_SUCCESS);
    return p;
  };
  cl_mem used = buffer(8192, CL_MEM_USE_HOST_PTR, mine.data());
  cl_mem sub = sub_buffer(used, 4096, 64);
  cl_mem copied = buffer(8192, CL_MEM_COPY_HOST_PTR, mine.data());
  EXPECT_EQ(pointer(used), mine.data());
  EXPECT_EQ(pointer(sub), mine.data() + 4096);
  EXPECT_EQ(pointer(copied), nullptr);
  void* svm = clSVMAlloc(context, 0, 8192, 0);
  cl_mem on_svm = buffer(8192, CL_MEM_USE_HOST_PTR, svm);
  cl_bool uses = CL_FALSE;
  EXPECT_EQ(clGetMemObjectInfo(on_svm, CL_MEM_USES_SVM_POINTER, sizeof uses, &uses, nullptr), CL_SUCCESS);
  EXPECT_EQ(uses, cl_bool(CL_TRUE));
  for (cl_mem m : {sub, used, copied, on_svm}) clReleaseMemObject(m);
  clSVMFree(context, svm);
}

TEST_F(Info, Event) {
  cl_event user = user_event();
  cl_event marker = nullptr;
  ASSERT_EQ(clEnqueueMarkerWithWaitList(queue, 0, nullptr, &marker), CL_SUCCESS);
  ASSERT_EQ(clFinish(queue), CL_SUCCESS);
  for (cl_event event : {user, marker}) {
    check("clGetEventInfo",
          [&](cl_uint name, std::size_t n, void* v, std::size_t* r) { return clGetEventInfo(event, name, n, v, r); },
          {{CL_EVENT_COMMAND_QUEUE, sizeof(cl_command_queue)},
           {CL_EVENT_CONTEXT, sizeof(cl_context)},
           {CL_EVENT_COMMAND_TYPE, sizeof(cl_command_type)},
           {CL_EVENT_REFERENCE_COUNT, sizeof(cl_uint)},
           {CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof(cl_int)}});
  }
  check("clGetEventProfilingInfo",
        [&](cl_uint name, std::size_t n, void* v, std::size_t* r) {
          return clGetEventProfilingInfo(marker, name, n, v, r);
        },
        {{CL_PROFILING_COMMAND_QUEUED, sizeof(cl_ulong)},
         {CL_PROFILING_COMMAND_SUBMIT, sizeof(cl_ulong)},
         {CL_PROFILING_COMMAND_START, sizeof(cl_ulong)},
         {CL_PROFILING_COMMAND_END, sizeof(cl_ulong)},
         {CL_PROFILING_COMMAND_COMPLETE, sizeof(cl_ulong)}});
  cl_ulong t = 0;
  EXPECT_EQ(clGetEventProfilingInfo(user, CL_PROFILING_COMMAND_END, sizeof t, &t, nullptr),
            CL_PROFILING_INFO_NOT_AVAILABLE);
  clReleaseEvent(user);
  clReleaseEvent(marker);
}

// CL_PROFILING_COMMAND_QUEUED is the time "when the command identified by event is enqueued in a command-queue by the
// host", CL_PROFILING_COMMAND_SUBMIT "when the command identified by event that has been enqueued is submitted by the
// host to the device": a command that waits for a user event is queued long before.
TEST_F(Info, ProfilingOfACommandThatWaitsForAUserEvent) {
  const auto now = [&] {
    cl_ulong device_time = 0;
    cl_ulong host_time = 0;
    EXPECT_EQ(clGetDeviceAndHostTimer(device, &device_time, &host_time), CL_SUCCESS);
    return device_time;
  };
  cl_mem m = buffer(1 << 20);
  std::vector<char> data(1 << 20);
  cl_command_queue other = make_queue(context, 0);
  cl_event gate = user_event();
  cl_event events[2] = {};
  const cl_ulong before = now();
  ASSERT_EQ(clEnqueueWriteBuffer(queue, m, CL_FALSE, 0, data.size(), data.data(), 1, &gate, &events[0]), CL_SUCCESS);
  ASSERT_EQ(clEnqueueMarkerWithWaitList(queue, 0, nullptr, &events[1]), CL_SUCCESS);
  const cl_ulong after = now();
  ASSERT_EQ(clEnqueueReadBuffer(other, m, CL_TRUE, 0, data.size(), data.data(), 0, nullptr, nullptr), CL_SUCCESS);
  const cl_ulong opened = now();
  ASSERT_EQ(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  ASSERT_EQ(clFinish(queue), CL_SUCCESS);
  const cl_ulong end = now();
  for (cl_event event : events) {
    cl_ulong t[4] = {};
    for (cl_uint i = 0; i < 4; ++i) {
      EXPECT_EQ(clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_QUEUED + i, sizeof t[i], &t[i], nullptr),
                CL_SUCCESS);
    }
    EXPECT_LE(before, t[0]);
    EXPECT_LE(t[0], after);
    EXPECT_LE(opened, t[1]);
    EXPECT_LE(t[1], t[2]);
    EXPECT_LE(t[2], t[3]);
    EXPECT_LE(t[3], end);
    clReleaseEvent(event);
  }
  clReleaseEvent(gate);
  clReleaseCommandQueue(other);
  clReleaseMemObject(m);
}

// Available if the queue profiles, the event is of a command, and the command is complete.
TEST_F(Info, ProfilingNotAvailable) {
  cl_ulong t = 0;
  cl_event gate = user_event();
  cl_event pending = nullptr;
  ASSERT_EQ(clEnqueueMarkerWithWaitList(queue, 1, &gate, &pending), CL_SUCCESS);
  EXPECT_EQ(clGetEventProfilingInfo(pending, CL_PROFILING_COMMAND_QUEUED, sizeof t, &t, nullptr),
            CL_PROFILING_INFO_NOT_AVAILABLE);
  clSetUserEventStatus(gate, CL_COMPLETE);
  EXPECT_EQ(clWaitForEvents(1, &pending), CL_SUCCESS);
  EXPECT_EQ(clGetEventProfilingInfo(pending, CL_PROFILING_COMMAND_QUEUED, sizeof t, &t, nullptr), CL_SUCCESS);
  cl_command_queue plain = make_queue(context, 0);
  cl_event event = nullptr;
  ASSERT_EQ(clEnqueueMarkerWithWaitList(plain, 0, nullptr, &event), CL_SUCCESS);
  EXPECT_EQ(clFinish(plain), CL_SUCCESS);
  EXPECT_EQ(clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_END, sizeof t, &t, nullptr),
            CL_PROFILING_INFO_NOT_AVAILABLE);
  clReleaseCommandQueue(plain);
  for (cl_event x : {gate, pending, event}) clReleaseEvent(x);
}

TEST_F(Info, Program) {
  const char* text = "kernel void k() {}";
  cl_int e = CL_SUCCESS;
  cl_program program = clCreateProgramWithSource(context, 1, &text, nullptr, &e);
  EXPECT_EQ(clBuildProgram(program, 0, nullptr, "-w", nullptr, nullptr), CL_SUCCESS);
  check("clGetProgramInfo",
        [&](cl_uint name, std::size_t n, void* v, std::size_t* r) { return clGetProgramInfo(program, name, n, v, r); },
        {{CL_PROGRAM_REFERENCE_COUNT, sizeof(cl_uint)},
         {CL_PROGRAM_CONTEXT, sizeof(cl_context)},
         {CL_PROGRAM_NUM_DEVICES, sizeof(cl_uint)},
         {CL_PROGRAM_DEVICES, sizeof(cl_device_id)},
         {CL_PROGRAM_SOURCE, std::strlen(text) + 1},
         {CL_PROGRAM_IL, 0},
         {CL_PROGRAM_BINARY_SIZES, sizeof(std::size_t)},
         {CL_PROGRAM_NUM_KERNELS, sizeof(std::size_t)},
         {CL_PROGRAM_KERNEL_NAMES, sizeof "k"},
         {CL_PROGRAM_SCOPE_GLOBAL_CTORS_PRESENT, sizeof(cl_bool)},
         {CL_PROGRAM_SCOPE_GLOBAL_DTORS_PRESENT, sizeof(cl_bool)}});
  check("clGetProgramBuildInfo",
        [&](cl_uint name, std::size_t n, void* v, std::size_t* r) {
          return clGetProgramBuildInfo(program, device, name, n, v, r);
        },
        {{CL_PROGRAM_BUILD_STATUS, sizeof(cl_build_status)},
         {CL_PROGRAM_BUILD_OPTIONS, sizeof "-w"},
         {CL_PROGRAM_BUILD_LOG, any_size},
         {CL_PROGRAM_BINARY_TYPE, sizeof(cl_program_binary_type)},
         {CL_PROGRAM_BUILD_GLOBAL_VARIABLE_TOTAL_SIZE, sizeof(std::size_t)}});
  clReleaseProgram(program);
}

}  // namespace

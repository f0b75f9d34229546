// clEnqueueMapBuffer, clEnqueueUnmapMemObject, clEnqueueSVMMap and clEnqueueSVMUnmap, sentence by sentence. The comment
// of each test gives the promise of the OpenCL 3.0 text that it holds the driver to.
#include "tests/api/fixture.h"

namespace {

using MapBuffer = ClTest;
using Unmap = ClTest;
using SvmMap = ClTest;

// "CL_INVALID_COMMAND_QUEUE if command_queue is not a valid command-queue": here an object of another type. (Null and
// garbage never get past the ICD loader, which looks for the dispatch table behind the first argument.)
TEST_F(MapBuffer, InvalidQueue) {
  cl_mem m = buffer();
  cl_int e = CL_SUCCESS;
  const auto q = reinterpret_cast<cl_command_queue>(m);
  EXPECT_EQ(clEnqueueMapBuffer(q, m, CL_TRUE, CL_MAP_READ, 0, 16, 0, nullptr, nullptr, &e), nullptr);
  EXPECT_EQ(e, CL_INVALID_COMMAND_QUEUE);
  EXPECT_EQ(clEnqueueUnmapMemObject(q, m, nullptr, 0, nullptr, nullptr), CL_INVALID_COMMAND_QUEUE);
  EXPECT_EQ(clEnqueueSVMUnmap(q, &e, 0, nullptr, nullptr), CL_INVALID_COMMAND_QUEUE);
  clReleaseMemObject(m);
}

// "CL_INVALID_CONTEXT if the context associated with command_queue and buffer are not the same".
TEST_F(MapBuffer, ContextsMustAgree) {
  cl_mem m = buffer();
  cl_int e = CL_SUCCESS;
  EXPECT_EQ(clEnqueueMapBuffer(other_queue, m, CL_TRUE, CL_MAP_READ, 0, 16, 0, nullptr, nullptr, &e), nullptr);
  EXPECT_EQ(e, CL_INVALID_CONTEXT);
  clReleaseMemObject(m);
}

// "... or if the context associated with command_queue and events in event_wait_list are not the same".
TEST_F(MapBuffer, EventsOfAnotherContext) {
  cl_mem m = buffer();
  cl_int e = CL_SUCCESS;
  cl_event foreign = clCreateUserEvent(other_context, &e);
  EXPECT_EQ(clEnqueueMapBuffer(queue, m, CL_FALSE, CL_MAP_READ, 0, 16, 1, &foreign, nullptr, &e), nullptr);
  EXPECT_EQ(e, CL_INVALID_CONTEXT);
  clSetUserEventStatus(foreign, CL_COMPLETE);
  clReleaseEvent(foreign);
  clReleaseMemObject(m);
}

// "CL_INVALID_MEM_OBJECT if buffer is not a valid buffer object".
TEST_F(MapBuffer, InvalidBuffers) {
  for (cl_mem m : {cl_mem(nullptr), reinterpret_cast<cl_mem>(queue), reinterpret_cast<cl_mem>(0x10)}) {
    EXPECT_EQ(map_error(m, CL_MAP_READ), CL_INVALID_MEM_OBJECT);
  }
}

// "CL_INVALID_VALUE if region being mapped given by (offset, size) is out of bounds or if size is 0".
TEST_F(MapBuffer, Bounds) {
  cl_mem m = buffer(4096);
  EXPECT_EQ(map_error(m, CL_MAP_READ, 0, 0), CL_INVALID_VALUE);
  EXPECT_EQ(map_error(m, CL_MAP_READ, 0, 4097), CL_INVALID_VALUE);
  EXPECT_EQ(map_error(m, CL_MAP_READ, 4096, 1), CL_INVALID_VALUE);
  EXPECT_EQ(map_error(m, CL_MAP_READ, SIZE_MAX, 2), CL_INVALID_VALUE);
  EXPECT_EQ(map_error(m, CL_MAP_READ, 1, SIZE_MAX), CL_INVALID_VALUE);
  EXPECT_EQ(map_count(m), 0U);
  clReleaseMemObject(m);
}

// "... or if values specified in map_flags are not valid"; CL_MAP_READ or CL_MAP_WRITE and
// CL_MAP_WRITE_INVALIDATE_REGION are mutually exclusive.
TEST_F(MapBuffer, Flags) {
  cl_mem m = buffer();
  EXPECT_EQ(map_error(m, CL_MAP_READ | CL_MAP_WRITE_INVALIDATE_REGION), CL_INVALID_VALUE);
  EXPECT_EQ(map_error(m, CL_MAP_WRITE | CL_MAP_WRITE_INVALIDATE_REGION), CL_INVALID_VALUE);
  EXPECT_EQ(map_error(m, cl_map_flags(1) << 20), CL_INVALID_VALUE);
  clReleaseMemObject(m);
}

// "CL_INVALID_OPERATION if buffer has been created with CL_MEM_HOST_WRITE_ONLY or CL_MEM_HOST_NO_ACCESS and CL_MAP_READ is
// set ... or with CL_MEM_HOST_READ_ONLY or CL_MEM_HOST_NO_ACCESS and CL_MAP_WRITE or CL_MAP_WRITE_INVALIDATE_REGION".
TEST_F(MapBuffer, HostAccess) {
  struct Row {
    cl_mem_flags host;
    cl_map_flags map;
    cl_int expected;
  };
  const Row rows[] = {{CL_MEM_HOST_WRITE_ONLY, CL_MAP_READ, CL_INVALID_OPERATION},
                      {CL_MEM_HOST_WRITE_ONLY, CL_MAP_WRITE, CL_SUCCESS},
                      {CL_MEM_HOST_WRITE_ONLY, CL_MAP_WRITE_INVALIDATE_REGION, CL_SUCCESS},
                      {CL_MEM_HOST_READ_ONLY, CL_MAP_READ, CL_SUCCESS},
                      {CL_MEM_HOST_READ_ONLY, CL_MAP_WRITE, CL_INVALID_OPERATION},
                      {CL_MEM_HOST_READ_ONLY, CL_MAP_WRITE_INVALIDATE_REGION, CL_INVALID_OPERATION},
                      {CL_MEM_HOST_NO_ACCESS, CL_MAP_READ, CL_INVALID_OPERATION},
                      {CL_MEM_HOST_NO_ACCESS, CL_MAP_WRITE, CL_INVALID_OPERATION},
                      {CL_MEM_HOST_NO_ACCESS, CL_MAP_WRITE_INVALIDATE_REGION, CL_INVALID_OPERATION}};
  for (const Row& r : rows) {
    cl_mem m = buffer(4096, CL_MEM_READ_WRITE | r.host);
    EXPECT_EQ(map_error(m, r.map), r.expected) << r.host << " " << r.map;
    clReleaseMemObject(m);
  }
}

// "CL_INVALID_EVENT_WAIT_LIST if event_wait_list is NULL and num_events_in_wait_list > 0, or event_wait_list is not NULL
// and num_events_in_wait_list is 0, or if event objects in event_wait_list are not valid events".
TEST_F(MapBuffer, WaitLists) {
  cl_mem m = buffer();
  cl_int e = CL_SUCCESS;
  cl_event bad = reinterpret_cast<cl_event>(m);
  EXPECT_EQ(clEnqueueMapBuffer(queue, m, CL_TRUE, CL_MAP_READ, 0, 16, 1, nullptr, nullptr, &e), nullptr);
  EXPECT_EQ(e, CL_INVALID_EVENT_WAIT_LIST);
  EXPECT_EQ(clEnqueueMapBuffer(queue, m, CL_TRUE, CL_MAP_READ, 0, 16, 0, &bad, nullptr, &e), nullptr);
  EXPECT_EQ(e, CL_INVALID_EVENT_WAIT_LIST);
  EXPECT_EQ(clEnqueueMapBuffer(queue, m, CL_TRUE, CL_MAP_READ, 0, 16, 1, &bad, nullptr, &e), nullptr);
  EXPECT_EQ(e, CL_INVALID_EVENT_WAIT_LIST);
  clReleaseMemObject(m);
}

// "CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST if the map operation is blocking and the execution status of any of the
// events in event_wait_list is a negative integer value". No mapping may be left behind.
TEST_F(MapBuffer, BlockingBehindAFailedEvent) {
  cl_mem m = buffer();
  cl_event failed = failed_event();
  cl_int e = CL_SUCCESS;
  EXPECT_EQ(clEnqueueMapBuffer(queue, m, CL_TRUE, CL_MAP_WRITE, 0, 16, 1, &failed, nullptr, &e), nullptr);
  EXPECT_EQ(e, CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
  EXPECT_EQ(map_count(m), 0U);
  EXPECT_EQ(map_error(m, CL_MAP_WRITE), CL_SUCCESS);
  clReleaseEvent(failed);
  clReleaseMemObject(m);
}

// A non-blocking map behind a failed event is enqueued and fails; its mapping is undone.
TEST_F(MapBuffer, NonBlockingBehindAFailedEvent) {
  cl_mem m = buffer();
  cl_event failed = failed_event();
  cl_event event = nullptr;
  cl_int e = CL_SUCCESS;
  EXPECT_NE(clEnqueueMapBuffer(queue, m, CL_FALSE, CL_MAP_WRITE, 0, 16, 1, &failed, &event, &e), nullptr);
  EXPECT_EQ(e, CL_SUCCESS);
  EXPECT_EQ(clWaitForEvents(1, &event), CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
  cl_int status = 0;
  clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status, nullptr);
  EXPECT_LT(status, 0);
  EXPECT_EQ(map_count(m), 0U);
  clReleaseEvent(event);
  clReleaseEvent(failed);
  clReleaseMemObject(m);
}

// "CL_INVALID_OPERATION if mapping would lead to overlapping regions being mapped for writing", through sub-buffers too.
TEST_F(MapBuffer, OverlappingWrites) {
  cl_mem m = buffer(16384);
  const cl_buffer_region low{0, 8192};
  const cl_buffer_region mid{4096, 8192};
  cl_int e = CL_SUCCESS;
  cl_mem a = clCreateSubBuffer(m, 0, CL_BUFFER_CREATE_TYPE_REGION, &low, &e);
  cl_mem b = clCreateSubBuffer(m, 0, CL_BUFFER_CREATE_TYPE_REGION, &mid, &e);
  ASSERT_EQ(e, CL_SUCCESS);
  void* p = clEnqueueMapBuffer(queue, a, CL_TRUE, CL_MAP_WRITE, 4096, 4096, 0, nullptr, nullptr, &e);
  ASSERT_EQ(e, CL_SUCCESS);
  EXPECT_EQ(map_error(m, CL_MAP_WRITE, 8191, 1), CL_INVALID_OPERATION);                    // parent
  EXPECT_EQ(map_error(b, CL_MAP_WRITE_INVALIDATE_REGION, 0, 1), CL_INVALID_OPERATION);      // sibling
  EXPECT_EQ(map_error(a, CL_MAP_WRITE, 0, 4097), CL_INVALID_OPERATION);                    // itself
  EXPECT_EQ(map_error(b, CL_MAP_WRITE, 4096, 4096), CL_SUCCESS);                            // beside it
  EXPECT_EQ(map_error(m, CL_MAP_READ, 0, 16384), CL_SUCCESS);                               // reading overlaps freely
  EXPECT_EQ(clEnqueueUnmapMemObject(queue, a, p, 0, nullptr, nullptr), CL_SUCCESS);
  EXPECT_EQ(map_error(m, CL_MAP_WRITE, 0, 8192), CL_SUCCESS);
  clReleaseMemObject(a);
  clReleaseMemObject(b);
  clReleaseMemObject(m);
}

// CL_MEM_USE_HOST_PTR: the pointer returned is derived from host_ptr and holds the latest bits.
TEST_F(MapBuffer, PointerOfUseHostPtr) {
  std::vector<char> mine(8192, 3);
  cl_mem m = buffer(mine.size(), CL_MEM_USE_HOST_PTR, mine.data());
  cl_int e = CL_SUCCESS;
  void* p = clEnqueueMapBuffer(queue, m, CL_TRUE, CL_MAP_READ, 100, 200, 0, nullptr, nullptr, &e);
  EXPECT_EQ(p, mine.data() + 100);
  EXPECT_EQ(clEnqueueUnmapMemObject(queue, m, p, 0, nullptr, nullptr), CL_SUCCESS);
  clReleaseMemObject(m);
}

// Maps show the latest bits, unmaps make the program's writes visible, and mapped pointers serve reads and writes.
TEST_F(MapBuffer, DataBothWaysAndAsPointerOfTransfers) {
  cl_mem m = buffer(4096);
  cl_mem n = buffer(4096);
  const cl_uchar seven = 7;
  ASSERT_EQ(clEnqueueFillBuffer(queue, m, &seven, 1, 0, 4096, 0, nullptr, nullptr), CL_SUCCESS);
  cl_int e = CL_SUCCESS;
  auto* p = static_cast<unsigned char*>(
      clEnqueueMapBuffer(queue, m, CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, 0, 4096, 0, nullptr, nullptr, &e));
  ASSERT_EQ(e, CL_SUCCESS);
  EXPECT_EQ(p[0], 7);
  EXPECT_EQ(p[4095], 7);
  std::memset(p, 9, 2048);
  EXPECT_EQ(clEnqueueWriteBuffer(queue, n, CL_TRUE, 0, 4096, p, 0, nullptr, nullptr), CL_SUCCESS);
  ASSERT_EQ(clEnqueueUnmapMemObject(queue, m, p, 0, nullptr, nullptr), CL_SUCCESS);
  std::vector<unsigned char> out(4096);
  ASSERT_EQ(clEnqueueReadBuffer(queue, m, CL_TRUE, 0, 4096, out.data(), 0, nullptr, nullptr), CL_SUCCESS);
  EXPECT_EQ(out[2047], 9);
  EXPECT_EQ(out[2048], 7);
  ASSERT_EQ(clEnqueueReadBuffer(queue, n, CL_TRUE, 0, 4096, out.data(), 0, nullptr, nullptr), CL_SUCCESS);
  EXPECT_EQ(out[0], 9);
  EXPECT_EQ(out[4095], 7);
  clReleaseMemObject(m);
  clReleaseMemObject(n);
}

// "Multiple calls to clEnqueueMapBuffer ... will increment this mapped count by appropriate number of calls.
// clEnqueueUnmapMemObject decrements the mapped count".
TEST_F(Unmap, Counts) {
  cl_mem m = buffer();
  EXPECT_EQ(map_count(m), 0U);
  cl_int e = CL_SUCCESS;
  void* a = clEnqueueMapBuffer(queue, m, CL_TRUE, CL_MAP_READ, 0, 64, 0, nullptr, nullptr, &e);
  void* b = clEnqueueMapBuffer(queue, m, CL_TRUE, CL_MAP_READ, 0, 128, 0, nullptr, nullptr, &e);
  EXPECT_EQ(a, b);
  EXPECT_EQ(map_count(m), 2U);
  EXPECT_EQ(clEnqueueUnmapMemObject(queue, m, a, 0, nullptr, nullptr), CL_SUCCESS);
  EXPECT_EQ(map_count(m), 1U);
  EXPECT_EQ(clEnqueueUnmapMemObject(queue, m, b, 0, nullptr, nullptr), CL_SUCCESS);
  EXPECT_EQ(map_count(m), 0U);
  EXPECT_EQ(clEnqueueUnmapMemObject(queue, m, b, 0, nullptr, nullptr), CL_INVALID_VALUE);
  clReleaseMemObject(m);
}

// "CL_INVALID_VALUE if mapped_ptr is not a valid pointer returned by clEnqueueMapBuffer ... for memobj";
// CL_INVALID_MEM_OBJECT; CL_INVALID_CONTEXT.
TEST_F(Unmap, Errors) {
  cl_mem m = buffer();
  cl_mem n = buffer();
  cl_int e = CL_SUCCESS;
  auto* p = static_cast<char*>(clEnqueueMapBuffer(queue, m, CL_TRUE, CL_MAP_READ, 0, 64, 0, nullptr, nullptr, &e));
  EXPECT_EQ(clEnqueueUnmapMemObject(queue, m, nullptr, 0, nullptr, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(clEnqueueUnmapMemObject(queue, m, p + 1, 0, nullptr, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(clEnqueueUnmapMemObject(queue, n, p, 0, nullptr, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(clEnqueueUnmapMemObject(queue, nullptr, p, 0, nullptr, nullptr), CL_INVALID_MEM_OBJECT);
  EXPECT_EQ(clEnqueueUnmapMemObject(other_queue, m, p, 0, nullptr, nullptr), CL_INVALID_CONTEXT);
  EXPECT_EQ(clEnqueueUnmapMemObject(queue, m, p, 1, nullptr, nullptr), CL_INVALID_EVENT_WAIT_LIST);
  EXPECT_EQ(map_count(m), 1U);
  cl_event event = nullptr;
  EXPECT_EQ(clEnqueueUnmapMemObject(queue, m, p, 0, nullptr, &event), CL_SUCCESS);
  cl_command_type type = 0;
  EXPECT_EQ(clGetEventInfo(event, CL_EVENT_COMMAND_TYPE, sizeof type, &type, nullptr), CL_SUCCESS);
  EXPECT_EQ(type, cl_command_type(CL_COMMAND_UNMAP_MEM_OBJECT));
  clReleaseEvent(event);
  clReleaseMemObject(m);
  clReleaseMemObject(n);
}

// clEnqueueSVMMap: CL_INVALID_VALUE if svm_ptr is NULL, if size is 0, or if values specified in map_flags are not valid;
// wait-list errors; the data.
TEST_F(SvmMap, ErrorsAndData) {
  auto* p = static_cast<unsigned char*>(clSVMAlloc(context, CL_MEM_READ_WRITE, 4096, 0));
  ASSERT_NE(p, nullptr);
  EXPECT_EQ(clEnqueueSVMMap(queue, CL_TRUE, CL_MAP_READ, nullptr, 16, 0, nullptr, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(clEnqueueSVMMap(queue, CL_TRUE, CL_MAP_READ, p, 0, 0, nullptr, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(clEnqueueSVMMap(queue, CL_TRUE, 0x800, p, 16, 0, nullptr, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(clEnqueueSVMMap(queue, CL_TRUE, CL_MAP_READ | CL_MAP_WRITE_INVALIDATE_REGION, p, 16, 0, nullptr, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(clEnqueueSVMMap(queue, CL_TRUE, CL_MAP_READ, p, 16, 1, nullptr, nullptr), CL_INVALID_EVENT_WAIT_LIST);
  cl_event failed = failed_event();
  EXPECT_EQ(clEnqueueSVMMap(queue, CL_TRUE, CL_MAP_READ, p, 16, 1, &failed, nullptr), CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
  clReleaseEvent(failed);
  EXPECT_EQ(clEnqueueSVMUnmap(queue, nullptr, 0, nullptr, nullptr), CL_INVALID_VALUE);
  const cl_uint pattern = 0x01020304;
  ASSERT_EQ(clEnqueueSVMMemFill(queue, p, &pattern, 4, 4096, 0, nullptr, nullptr), CL_SUCCESS);
  ASSERT_EQ(clEnqueueSVMMap(queue, CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, p, 4096, 0, nullptr, nullptr), CL_SUCCESS);
  EXPECT_EQ(p[4092], 4);
  p[0] = 42;
  ASSERT_EQ(clEnqueueSVMUnmap(queue, p, 0, nullptr, nullptr), CL_SUCCESS);
  unsigned char out[16];
  ASSERT_EQ(clEnqueueSVMMemcpy(queue, CL_TRUE, out, p, sizeof out, 0, nullptr, nullptr), CL_SUCCESS);
  EXPECT_EQ(out[0], 42);
  EXPECT_EQ(out[1], 3);
  clSVMFree(context, p);
}

}  // namespace

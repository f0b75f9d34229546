// clEnqueueUnmapMemObject: rows UM of map_table.md.
#include <cstdlib>

#include "tests/api/failing_new.h"
#include "tests/api/fixture.h"

namespace {

using Unmap = ClTest;

TEST_F(Unmap, InvalidQueue) {
  cl_mem m = buffer();
  void* p = map(m, CL_MAP_READ);
  EXPECT_EQ(clEnqueueUnmapMemObject(reinterpret_cast<cl_command_queue>(m), m, p, 0, nullptr, nullptr),
            CL_INVALID_COMMAND_QUEUE);
  EXPECT_EQ(map_count(m), 1U);
  clReleaseMemObject(m);
}

TEST_F(Unmap, InvalidObjects) {
  cl_mem m = buffer();
  void* p = map(m, CL_MAP_READ);
  cl_mem released = buffer();
  clReleaseMemObject(released);
  for (cl_mem x : {cl_mem(nullptr), reinterpret_cast<cl_mem>(queue), reinterpret_cast<cl_mem>(0x10), released}) {
    EXPECT_EQ(clEnqueueUnmapMemObject(queue, x, p, 0, nullptr, nullptr), CL_INVALID_MEM_OBJECT);
  }
  cl_mem pipe = clCreatePipe(context, 0, 4, 16, nullptr, nullptr);
  EXPECT_EQ(clEnqueueUnmapMemObject(queue, pipe, p, 0, nullptr, nullptr), CL_INVALID_MEM_OBJECT);
  clReleaseMemObject(pipe);
  clReleaseMemObject(m);
}

TEST_F(Unmap, PointersThatNoMapOfTheObjectReturned) {
  cl_mem m = buffer();
  cl_mem sub = sub_buffer(m, 0, 4096);
  cl_mem n = buffer();
  auto* p = static_cast<char*>(map(m, CL_MAP_READ));
  EXPECT_EQ(unmap(m, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(unmap(m, p + 1), CL_INVALID_VALUE);
  EXPECT_EQ(unmap(n, p), CL_INVALID_VALUE);
  EXPECT_EQ(unmap(sub, p), CL_INVALID_VALUE);  // the parent's map is not the window's
  EXPECT_EQ(map_count(m), 1U);
  EXPECT_EQ(unmap(m, p), CL_SUCCESS);
  EXPECT_EQ(unmap(m, p), CL_INVALID_VALUE);
  for (cl_mem x : {sub, m, n}) clReleaseMemObject(x);
}

TEST_F(Unmap, WaitLists) {
  cl_mem m = buffer();
  void* p = map(m, CL_MAP_READ);
  cl_event released = user_event();
  clReleaseEvent(released);
  EXPECT_EQ(clEnqueueUnmapMemObject(queue, m, p, 1, nullptr, nullptr), CL_INVALID_EVENT_WAIT_LIST);
  for (cl_event bad : {cl_event(nullptr), reinterpret_cast<cl_event>(m), reinterpret_cast<cl_event>(0x18), released}) {
    EXPECT_EQ(clEnqueueUnmapMemObject(queue, m, p, 0, &bad, nullptr), CL_INVALID_EVENT_WAIT_LIST);
    EXPECT_EQ(clEnqueueUnmapMemObject(queue, m, p, 1, &bad, nullptr), CL_INVALID_EVENT_WAIT_LIST);
  }
  EXPECT_EQ(map_count(m), 1U);
  EXPECT_EQ(unmap(m, p), CL_SUCCESS);
  clReleaseMemObject(m);
}

TEST_F(Unmap, ContextsMustAgree) {
  cl_mem m = buffer();
  void* p = map(m, CL_MAP_READ);
  EXPECT_EQ(clEnqueueUnmapMemObject(other_queue, m, p, 0, nullptr, nullptr), CL_INVALID_CONTEXT);
  cl_event foreign = user_event(other_context);
  EXPECT_EQ(clEnqueueUnmapMemObject(queue, m, p, 1, &foreign, nullptr), CL_INVALID_CONTEXT);
  EXPECT_EQ(map_count(m), 1U);
  clReleaseEvent(foreign);
  clReleaseMemObject(m);
}

// Which addresses a map gets is the driver's matter unless the program gave the memory. This one maps a region to one place,
// however often; under --strict each map has its own.
bool has_one_address() {
  const char* const strict = std::getenv("SLUICE_STRICT");
  return strict == nullptr || *strict == '\0';
}

// Each map counts, whatever part of the object it covers; each unmap takes one away. It starts at zero.
TEST_F(Unmap, Counts) {
  cl_mem m = buffer();
  EXPECT_EQ(map_count(m), 0U);
  std::vector<void*> pointers;
  for (cl_uint n = 1; n <= 20; ++n) {
    pointers.push_back(map(m, CL_MAP_READ, 0, n));
    EXPECT_EQ(pointers.back() == pointers.front(), n == 1 || has_one_address());
    EXPECT_EQ(map_count(m), n);
  }
  for (cl_uint n = 20; n-- > 0;) {
    EXPECT_EQ(unmap(m, pointers[n]), CL_SUCCESS);
    EXPECT_EQ(map_count(m), n);
  }
  EXPECT_EQ(unmap(m, pointers.front()), CL_INVALID_VALUE);
  EXPECT_EQ(map_count(m), 0U);
  clReleaseMemObject(m);
}

// The program's writes through the pointer are complete for every later command, of another queue of the context too.
TEST_F(Unmap, WritesBecomeVisible) {
  cl_mem m = buffer(4096);
  fill(m, 1, 4096);
  auto* p = static_cast<unsigned char*>(map(m, CL_MAP_WRITE));
  p[5] = 2;
  cl_event event = nullptr;
  ASSERT_EQ(clEnqueueUnmapMemObject(queue, m, p, 0, nullptr, &event), CL_SUCCESS);
  cl_command_queue second = make_queue(context, 0);
  unsigned char out[2] = {};
  EXPECT_EQ(clEnqueueReadBuffer(second, m, CL_TRUE, 5, 2, out, 1, &event, nullptr), CL_SUCCESS);
  EXPECT_EQ(out[0], 2);
  EXPECT_EQ(out[1], 1);
  clReleaseEvent(event);
  clReleaseCommandQueue(second);
  clReleaseMemObject(m);
}

TEST_F(Unmap, ThroughAnotherQueueOfTheContext) {
  cl_mem m = buffer(4096);
  cl_command_queue second = make_queue(context, 0);
  void* p = map(m, CL_MAP_WRITE);
  EXPECT_EQ(clEnqueueUnmapMemObject(second, m, p, 0, nullptr, nullptr), CL_SUCCESS);
  EXPECT_EQ(map_count(m), 0U);
  EXPECT_EQ(clFinish(second), CL_SUCCESS);
  clReleaseCommandQueue(second);
  clReleaseMemObject(m);
}

TEST_F(Unmap, WaitsForItsEventsAndTheListMayBeReused) {
  cl_mem m = buffer(4096);
  void* p = map(m, CL_MAP_WRITE);
  cl_event gate = user_event();
  cl_event list[1] = {gate};
  cl_event event = nullptr;
  ASSERT_EQ(clEnqueueUnmapMemObject(queue, m, p, 1, list, &event), CL_SUCCESS);
  list[0] = nullptr;
  EXPECT_GT(status(event), CL_COMPLETE);
  EXPECT_EQ(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  EXPECT_EQ(clWaitForEvents(1, &event), CL_SUCCESS);
  clReleaseEvent(event);
  clReleaseEvent(gate);
  clReleaseMemObject(m);
}

TEST_F(Unmap, EventDescribesTheCommand) {
  cl_mem m = buffer(4096);
  cl_event event = nullptr;
  ASSERT_EQ(clEnqueueUnmapMemObject(queue, m, map(m, CL_MAP_WRITE), 0, nullptr, &event), CL_SUCCESS);
  EXPECT_EQ(command_type(event), cl_command_type(CL_COMMAND_UNMAP_MEM_OBJECT));
  EXPECT_EQ(clWaitForEvents(1, &event), CL_SUCCESS);
  EXPECT_EQ(status(event), CL_COMPLETE);
  clReleaseEvent(event);
  EXPECT_EQ(clEnqueueUnmapMemObject(queue, m, map(m, CL_MAP_WRITE), 0, nullptr, nullptr),
            CL_SUCCESS);  // none asked for
  clReleaseMemObject(m);
}

TEST_F(Unmap, EventInTheListDoesNoHarm) {
  cl_mem m = buffer(4096);
  cl_event gate = user_event();
  cl_event list[1] = {gate};
  ASSERT_EQ(clEnqueueUnmapMemObject(queue, m, map(m, CL_MAP_READ), 1, list, list), CL_SUCCESS);
  EXPECT_NE(list[0], gate);
  EXPECT_EQ(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  EXPECT_EQ(clWaitForEvents(1, list), CL_SUCCESS);
  clReleaseEvent(list[0]);
  clReleaseEvent(gate);
  clReleaseMemObject(m);
}

// An unmap that never ran leaves the region mapped, for writing as before.
TEST_F(Unmap, BehindAnEventThatFails) {
  cl_mem m = buffer(4096);
  void* reader = map(m, CL_MAP_READ);
  void* writer = map(m, CL_MAP_WRITE);
  EXPECT_EQ(reader == writer, has_one_address());
  for (const bool early : {true, false}) {
    cl_event gate = user_event();
    cl_event event = nullptr;
    if (early) {
      EXPECT_EQ(clSetUserEventStatus(gate, -7), CL_SUCCESS);
    }
    ASSERT_EQ(clEnqueueUnmapMemObject(queue, m, writer, 1, &gate, &event), CL_SUCCESS);
    if (!early) {
      EXPECT_EQ(clSetUserEventStatus(gate, -7), CL_SUCCESS);
    }
    EXPECT_EQ(clWaitForEvents(1, &event), CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
    EXPECT_EQ(map_count(m), 2U);
    EXPECT_EQ(map_error(m, CL_MAP_WRITE), CL_INVALID_OPERATION);
    clReleaseEvent(event);
    clReleaseEvent(gate);
  }
  // It is in its old place: the newest map of the pointer, the one for writing, goes first.
  EXPECT_EQ(unmap(m, writer), CL_SUCCESS);
  EXPECT_EQ(map_error(m, CL_MAP_WRITE), CL_SUCCESS);
  clReleaseMemObject(m);
}

TEST_F(Unmap, HostMemoryRunsOut) {
  cl_mem m = buffer(4096);
  void* p = map(m, CL_MAP_WRITE);
  cl_int e = CL_OUT_OF_HOST_MEMORY;
  for (long n = 0; e != CL_SUCCESS && n < 1000; ++n) {
    cl_event event = nullptr;
    fail_allocation(n);
    e = clEnqueueUnmapMemObject(queue, m, p, 0, nullptr, &event);
    const bool failed = allocation_failed();
    fail_allocation(-1);
    ASSERT_EQ(e, failed ? CL_OUT_OF_HOST_MEMORY : CL_SUCCESS) << n;
    EXPECT_EQ(map_count(m), failed ? 1U : 0U);
    EXPECT_EQ(event == nullptr, failed);
    if (event != nullptr) clReleaseEvent(event);
  }
  EXPECT_EQ(e, CL_SUCCESS);
  EXPECT_EQ(clFinish(queue), CL_SUCCESS);
  clReleaseMemObject(m);
}

}  // namespace

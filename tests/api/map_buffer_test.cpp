// clEnqueueMapBuffer: rows MB and AM of map_table.md.
#include <chrono>
#include <thread>

#include "tests/api/failing_new.h"
#include "tests/api/fixture.h"

namespace {

using MapBuffer = ClTest;

TEST_F(MapBuffer, SuccessGivesPointerAndCode) {
  cl_mem m = buffer(4096);
  cl_int e = 99;
  EXPECT_NE(clEnqueueMapBuffer(queue, m, CL_TRUE, CL_MAP_READ, 0, 4096, 0, nullptr, nullptr, &e), nullptr);
  EXPECT_EQ(e, CL_SUCCESS);
  clReleaseMemObject(m);
}

TEST_F(MapBuffer, TheCodeIsOptional) {
  cl_mem m = buffer(4096);
  EXPECT_NE(clEnqueueMapBuffer(queue, m, CL_TRUE, CL_MAP_READ, 0, 4096, 0, nullptr, nullptr, nullptr), nullptr);
  EXPECT_EQ(clEnqueueMapBuffer(queue, m, CL_TRUE, CL_MAP_READ, 0, 4097, 0, nullptr, nullptr, nullptr), nullptr);
  clReleaseMemObject(m);
}

// Here an object of another type; null and garbage are in handle_test.cpp, because the loader would look behind them.
TEST_F(MapBuffer, InvalidQueue) {
  cl_mem m = buffer();
  cl_int e = CL_SUCCESS;
  const auto q = reinterpret_cast<cl_command_queue>(m);
  EXPECT_EQ(clEnqueueMapBuffer(q, m, CL_TRUE, CL_MAP_READ, 0, 16, 0, nullptr, nullptr, &e), nullptr);
  EXPECT_EQ(e, CL_INVALID_COMMAND_QUEUE);
  clReleaseMemObject(m);
}

TEST_F(MapBuffer, ContextsMustAgree) {
  cl_mem m = buffer();
  cl_int e = CL_SUCCESS;
  EXPECT_EQ(clEnqueueMapBuffer(other_queue, m, CL_TRUE, CL_MAP_READ, 0, 16, 0, nullptr, nullptr, &e), nullptr);
  EXPECT_EQ(e, CL_INVALID_CONTEXT);
  clReleaseMemObject(m);
}

TEST_F(MapBuffer, EventsOfAnotherContext) {
  cl_mem m = buffer();
  cl_int e = CL_SUCCESS;
  cl_event foreign = user_event(other_context);
  EXPECT_EQ(clEnqueueMapBuffer(queue, m, CL_FALSE, CL_MAP_READ, 0, 16, 1, &foreign, nullptr, &e), nullptr);
  EXPECT_EQ(e, CL_INVALID_CONTEXT);
  EXPECT_EQ(map_count(m), 0U);
  clReleaseEvent(foreign);
  clReleaseMemObject(m);
}

TEST_F(MapBuffer, InvalidBuffers) {
  cl_mem released = buffer();
  clReleaseMemObject(released);
  for (cl_mem m : {cl_mem(nullptr), reinterpret_cast<cl_mem>(queue), reinterpret_cast<cl_mem>(0x10), released}) {
    EXPECT_EQ(map_error(m, CL_MAP_READ), CL_INVALID_MEM_OBJECT);
  }
}

TEST_F(MapBuffer, Bounds) {
  cl_mem m = buffer(8192);
  cl_mem sub = sub_buffer(m, 0, 4096);
  for (cl_mem x : {m, sub}) {
    const std::size_t size = x == m ? 8192 : 4096;  // a window ends before its parent does
    EXPECT_EQ(map_error(x, CL_MAP_READ, 0, size + 1), CL_INVALID_VALUE);
    EXPECT_EQ(map_error(x, CL_MAP_READ, size, 1), CL_INVALID_VALUE);
    EXPECT_EQ(map_error(x, CL_MAP_READ, SIZE_MAX, 2), CL_INVALID_VALUE);
    EXPECT_EQ(map_error(x, CL_MAP_READ, 1, SIZE_MAX), CL_INVALID_VALUE);
    EXPECT_EQ(map_count(x), 0U);
    EXPECT_EQ(map_error(x, CL_MAP_READ, size - 1, 1), CL_SUCCESS);
  }
  clReleaseMemObject(sub);
  clReleaseMemObject(m);
}

TEST_F(MapBuffer, SizeZero) {
  cl_mem m = buffer(4096);
  EXPECT_EQ(map_error(m, CL_MAP_READ, 0, 0), CL_INVALID_VALUE);
  EXPECT_EQ(map_error(m, CL_MAP_READ, 4096, 0), CL_INVALID_VALUE);
  clReleaseMemObject(m);
}

// No bit says neither that the region is read nor that it is written; the conformance tests took 0 for invalid, too,
// and stopped passing it (KhronosGroup/OpenCL-CTS pull requests 52, 77 and 78).
TEST_F(MapBuffer, FlagsUnknownOrNone) {
  cl_mem m = buffer();
  EXPECT_EQ(map_error(m, 0), CL_INVALID_VALUE);
  EXPECT_EQ(map_error(m, cl_map_flags(1) << 3), CL_INVALID_VALUE);
  EXPECT_EQ(map_error(m, CL_MAP_READ | cl_map_flags(1) << 20), CL_INVALID_VALUE);
  clReleaseMemObject(m);
}

TEST_F(MapBuffer, FlagsExclude) {
  cl_mem m = buffer();
  EXPECT_EQ(map_error(m, CL_MAP_READ | CL_MAP_WRITE_INVALIDATE_REGION), CL_INVALID_VALUE);
  EXPECT_EQ(map_error(m, CL_MAP_WRITE | CL_MAP_WRITE_INVALIDATE_REGION), CL_INVALID_VALUE);
  EXPECT_EQ(map_error(m, CL_MAP_READ | CL_MAP_WRITE | CL_MAP_WRITE_INVALIDATE_REGION), CL_INVALID_VALUE);
  EXPECT_EQ(map_error(m, CL_MAP_READ | CL_MAP_WRITE), CL_SUCCESS);
  clReleaseMemObject(m);
}

TEST_F(MapBuffer, HostAccess) {
  struct Row {
    cl_mem_flags host;
    cl_map_flags map;
    cl_int expected;
  };
  const Row rows[] = {{CL_MEM_HOST_WRITE_ONLY, CL_MAP_READ, CL_INVALID_OPERATION},
                      {CL_MEM_HOST_WRITE_ONLY, CL_MAP_READ | CL_MAP_WRITE, CL_INVALID_OPERATION},
                      {CL_MEM_HOST_WRITE_ONLY, CL_MAP_WRITE, CL_SUCCESS},
                      {CL_MEM_HOST_WRITE_ONLY, CL_MAP_WRITE_INVALIDATE_REGION, CL_SUCCESS},
                      {CL_MEM_HOST_READ_ONLY, CL_MAP_READ, CL_SUCCESS},
                      {CL_MEM_HOST_READ_ONLY, CL_MAP_READ | CL_MAP_WRITE, CL_INVALID_OPERATION},
                      {CL_MEM_HOST_READ_ONLY, CL_MAP_WRITE, CL_INVALID_OPERATION},
                      {CL_MEM_HOST_READ_ONLY, CL_MAP_WRITE_INVALIDATE_REGION, CL_INVALID_OPERATION},
                      {CL_MEM_HOST_NO_ACCESS, CL_MAP_READ, CL_INVALID_OPERATION},
                      {CL_MEM_HOST_NO_ACCESS, CL_MAP_WRITE, CL_INVALID_OPERATION},
                      {CL_MEM_HOST_NO_ACCESS, CL_MAP_WRITE_INVALIDATE_REGION, CL_INVALID_OPERATION}};
  for (const Row& r : rows) {
    cl_mem m = buffer(4096, CL_MEM_READ_WRITE | r.host);
    EXPECT_EQ(map_error(m, r.map), r.expected) << r.host << " " << r.map;
    cl_mem sub = sub_buffer(m, 0, 4096);  // inherits
    if (r.expected != CL_SUCCESS) {
      EXPECT_EQ(map_error(sub, r.map), r.expected) << r.host << " " << r.map;
    }
    clReleaseMemObject(sub);
    clReleaseMemObject(m);
  }
}

TEST_F(MapBuffer, WaitLists) {
  cl_mem m = buffer();
  cl_int e = CL_SUCCESS;
  cl_event released = user_event();
  clReleaseEvent(released);
  const auto code = [&](cl_uint num, const cl_event* list) {
    EXPECT_EQ(clEnqueueMapBuffer(queue, m, CL_TRUE, CL_MAP_READ, 0, 16, num, list, nullptr, &e), nullptr);
    return e;
  };
  EXPECT_EQ(code(1, nullptr), CL_INVALID_EVENT_WAIT_LIST);
  for (cl_event bad : {cl_event(nullptr), reinterpret_cast<cl_event>(m), reinterpret_cast<cl_event>(0x18), released}) {
    EXPECT_EQ(code(0, &bad), CL_INVALID_EVENT_WAIT_LIST);
    EXPECT_EQ(code(1, &bad), CL_INVALID_EVENT_WAIT_LIST);
  }
  EXPECT_EQ(map_count(m), 0U);
  clReleaseMemObject(m);
}

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

TEST_F(MapBuffer, BlockingWhileItsEventFails) {
  cl_mem m = buffer();
  cl_event gate = user_event();
  std::thread setter([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_EQ(clSetUserEventStatus(gate, -3), CL_SUCCESS);
  });
  cl_int e = CL_SUCCESS;
  EXPECT_EQ(clEnqueueMapBuffer(queue, m, CL_TRUE, CL_MAP_WRITE, 0, 16, 1, &gate, nullptr, &e), nullptr);
  EXPECT_EQ(e, CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
  setter.join();
  EXPECT_EQ(map_count(m), 0U);
  clReleaseEvent(gate);
  clReleaseMemObject(m);
}

// Enqueued, and fails; its mapping is undone. Before and after the event's failure.
TEST_F(MapBuffer, NonBlockingBehindAFailedEvent) {
  cl_mem m = buffer();
  for (const bool early : {true, false}) {
    cl_event gate = user_event();
    cl_event event = nullptr;
    cl_int e = CL_SUCCESS;
    if (early) {
      EXPECT_EQ(clSetUserEventStatus(gate, -7), CL_SUCCESS);
    }
    EXPECT_NE(clEnqueueMapBuffer(queue, m, CL_FALSE, CL_MAP_WRITE, 0, 16, 1, &gate, &event, &e), nullptr);
    EXPECT_EQ(e, CL_SUCCESS);
    if (!early) {
      EXPECT_EQ(clSetUserEventStatus(gate, -7), CL_SUCCESS);
    }
    EXPECT_EQ(clWaitForEvents(1, &event), CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
    EXPECT_LT(status(event), 0);
    EXPECT_EQ(map_count(m), 0U);
    clReleaseEvent(event);
    clReleaseEvent(gate);
  }
  clReleaseMemObject(m);
}

TEST_F(MapBuffer, BlockingReturnsCompleted) {
  cl_mem m = buffer(1 << 20);
  fill(m, 7, 1 << 20);
  cl_event event = nullptr;
  cl_int e = CL_SUCCESS;
  const auto* p = static_cast<unsigned char*>(
      clEnqueueMapBuffer(queue, m, CL_TRUE, CL_MAP_READ, 0, 1 << 20, 0, nullptr, &event, &e));
  ASSERT_EQ(e, CL_SUCCESS);
  EXPECT_EQ(p[0], 7);
  EXPECT_EQ(p[(1 << 20) - 1], 7);
  EXPECT_EQ(status(event), CL_COMPLETE);
  clReleaseEvent(event);
  clReleaseMemObject(m);
}

TEST_F(MapBuffer, NonBlockingEventTellsWhen) {
  cl_mem m = buffer(4096);
  fill(m, 8, 4096);
  cl_event gate = user_event();
  cl_event event = nullptr;
  cl_int e = CL_SUCCESS;
  const auto* p =
      static_cast<unsigned char*>(clEnqueueMapBuffer(queue, m, CL_FALSE, CL_MAP_READ, 0, 4096, 1, &gate, &event, &e));
  ASSERT_EQ(e, CL_SUCCESS);
  EXPECT_GT(status(event), CL_COMPLETE);
  EXPECT_EQ(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  EXPECT_EQ(clWaitForEvents(1, &event), CL_SUCCESS);
  EXPECT_EQ(p[4095], 8);
  clReleaseEvent(event);
  clReleaseEvent(gate);
  clReleaseMemObject(m);
}

TEST_F(MapBuffer, ReadAndWriteShowTheLatestBits) {
  cl_mem m = buffer(4096);
  unsigned char value = 1;
  for (const cl_map_flags flags :
       {cl_map_flags(CL_MAP_READ), cl_map_flags(CL_MAP_WRITE), cl_map_flags(CL_MAP_READ | CL_MAP_WRITE)}) {
    fill(m, ++value, 4096);
    auto* p = static_cast<unsigned char*>(map(m, flags));
    EXPECT_EQ(p[0], value);
    EXPECT_EQ(p[4095], value);
    EXPECT_EQ(unmap(m, p), CL_SUCCESS);
  }
  clReleaseMemObject(m);
}

// Nothing is promised about what the pointer shows, so the test overwrites it all.
TEST_F(MapBuffer, InvalidateTakesWhatTheHostWrites) {
  cl_mem m = buffer(4096);
  fill(m, 1, 4096);
  void* p = map(m, CL_MAP_WRITE_INVALIDATE_REGION, 1024, 2048);
  std::memset(p, 2, 2048);
  EXPECT_EQ(unmap(m, p), CL_SUCCESS);
  const auto out = read(m, 4096);
  EXPECT_EQ(out[1023], 1);
  EXPECT_EQ(out[1024], 2);
  EXPECT_EQ(out[3071], 2);
  EXPECT_EQ(out[3072], 1);
  clReleaseMemObject(m);
}

// At least `size` bytes from `offset` on: two maps lie as far apart as their offsets, and each byte can be written.
TEST_F(MapBuffer, PointerMapsTheRegion) {
  cl_mem m = buffer(8192);
  auto* a = static_cast<unsigned char*>(map(m, CL_MAP_WRITE, 0, 4096));
  auto* b = static_cast<unsigned char*>(map(m, CL_MAP_WRITE, 4096, 4096));
  for (int i = 0; i < 4096; ++i) {
    a[i] = static_cast<unsigned char>(i);
    b[i] = static_cast<unsigned char>(i + 1);
  }
  EXPECT_EQ(unmap(m, a), CL_SUCCESS);
  EXPECT_EQ(unmap(m, b), CL_SUCCESS);
  const auto out = read(m, 8192);
  for (int i = 0; i < 4096; ++i) {
    ASSERT_EQ(out[i], static_cast<unsigned char>(i)) << i;
    ASSERT_EQ(out[4096 + i], static_cast<unsigned char>(i + 1)) << i;
  }
  clReleaseMemObject(m);
}

TEST_F(MapBuffer, PointerOfUseHostPtr) {
  std::vector<unsigned char> mine(8192, 3);
  cl_mem m = buffer(mine.size(), CL_MEM_USE_HOST_PTR, mine.data());
  cl_mem sub = sub_buffer(m, 4096, 4096);
  fill(sub, 4, 4096);
  for (const auto flags :
       {cl_map_flags(CL_MAP_READ), cl_map_flags(CL_MAP_WRITE), cl_map_flags(CL_MAP_WRITE_INVALIDATE_REGION)}) {
    void* p = map(m, flags, 100, 200);
    EXPECT_EQ(p, mine.data() + 100);
    EXPECT_EQ(unmap(m, p), CL_SUCCESS);
    p = map(sub, flags, 100, 200);
    EXPECT_EQ(p, mine.data() + 4096 + 100);
    EXPECT_EQ(unmap(sub, p), CL_SUCCESS);
  }
  void* p = map(m, CL_MAP_READ, 0, 8192);
  EXPECT_EQ(mine[4095], 3);
  EXPECT_EQ(mine[4096], 4);  // the latest bits are where the program's memory is
  EXPECT_EQ(unmap(m, p), CL_SUCCESS);
  clReleaseMemObject(sub);
  clReleaseMemObject(m);
}

// CL_MAP_FAILURE cannot occur for these.
TEST_F(MapBuffer, HostPointersAlwaysMap) {
  std::vector<char> mine(1 << 20);
  for (const auto flags : {cl_mem_flags(CL_MEM_USE_HOST_PTR), cl_mem_flags(CL_MEM_ALLOC_HOST_PTR),
                           cl_mem_flags(CL_MEM_ALLOC_HOST_PTR | CL_MEM_COPY_HOST_PTR)}) {
    cl_mem m = buffer(mine.size(), flags, (flags & CL_MEM_ALLOC_HOST_PTR) == flags ? nullptr : mine.data());
    for (int i = 0; i < 100; ++i) EXPECT_EQ(map_error(m, CL_MAP_READ, 0, mine.size()), CL_SUCCESS);
    EXPECT_EQ(map_count(m), 100U);
    clReleaseMemObject(m);
  }
}

// Its devices being alike, a context refuses the misaligned sub-buffer itself, so that none can be mapped.
TEST_F(MapBuffer, MisalignedSubBuffersDoNotExist) {
  cl_uint bits = 0;
  clGetDeviceInfo(device, CL_DEVICE_MEM_BASE_ADDR_ALIGN, sizeof bits, &bits, nullptr);
  cl_mem m = buffer(65536);
  cl_int e = CL_SUCCESS;
  const cl_buffer_region half{bits / 16, 64};
  EXPECT_EQ(clCreateSubBuffer(m, 0, CL_BUFFER_CREATE_TYPE_REGION, &half, &e), nullptr);
  EXPECT_EQ(e, CL_MISALIGNED_SUB_BUFFER_OFFSET);
  cl_mem sub = sub_buffer(m, bits / 8, 64);
  EXPECT_EQ(map_error(sub, CL_MAP_READ, 1, 63), CL_SUCCESS);  // the map's own offset need not be aligned
  clReleaseMemObject(sub);
  clReleaseMemObject(m);
}

// The store is reserved when the buffer is made; that call reports the lack, and every buffer that exists can be
// mapped.
TEST_F(MapBuffer, AFullDeviceStillMaps) {
  cl_ulong largest = 0;
  clGetDeviceInfo(device, CL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof largest, &largest, nullptr);
  std::vector<cl_mem> all;
  cl_int e = CL_SUCCESS;
  while (e == CL_SUCCESS && all.size() < 100) {
    cl_mem m = clCreateBuffer(context, CL_MEM_READ_WRITE, largest, nullptr, &e);
    if (m != nullptr) all.push_back(m);
  }
  EXPECT_EQ(e, CL_MEM_OBJECT_ALLOCATION_FAILURE);
  for (cl_mem m : all) {
    EXPECT_EQ(map_error(m, CL_MAP_READ), CL_SUCCESS);
    clReleaseMemObject(m);
  }
}

TEST_F(MapBuffer, HostMemoryRunsOut) {
  cl_mem m = buffer(4096);
  // The simulator's own lists have their memory from the first command on; what fails here is the driver's.
  EXPECT_EQ(unmap(m, map(m, CL_MAP_READ)), CL_SUCCESS);
  EXPECT_EQ(clFinish(queue), CL_SUCCESS);
  cl_int e = CL_OUT_OF_HOST_MEMORY;
  int refused = 0;
  for (long n = 0; e != CL_SUCCESS && n < 1000; ++n) {
    cl_event event = nullptr;
    fail_allocation(n);
    void* p = clEnqueueMapBuffer(queue, m, CL_FALSE, CL_MAP_WRITE, 0, 4096, 0, nullptr, &event, &e);
    const bool failed = allocation_failed();
    fail_allocation(-1);
    ASSERT_EQ(e, failed ? CL_OUT_OF_HOST_MEMORY : CL_SUCCESS) << n;
    EXPECT_EQ(p == nullptr, failed);
    EXPECT_EQ(event == nullptr, failed);
    EXPECT_EQ(map_count(m), failed ? 0U : 1U) << n;
    refused += failed;
    if (event != nullptr) clReleaseEvent(event);
  }
  EXPECT_EQ(e, CL_SUCCESS);
  EXPECT_GE(refused, 1);  // the event at least is made anew; lists may have room from before
  EXPECT_EQ(clFinish(queue), CL_SUCCESS);  // nothing that was refused is waited for
  clReleaseMemObject(m);
}

TEST_F(MapBuffer, WaitsForItsEventsAndTheListMayBeReused) {
  cl_mem m = buffer(4096);
  cl_event list[2] = {user_event(), user_event()};
  const cl_event kept[2] = {list[0], list[1]};
  cl_event event = nullptr;
  cl_int e = CL_SUCCESS;
  ASSERT_NE(clEnqueueMapBuffer(queue, m, CL_FALSE, CL_MAP_READ, 0, 4096, 2, list, &event, &e), nullptr);
  list[0] = list[1] = nullptr;
  EXPECT_EQ(clSetUserEventStatus(kept[1], CL_COMPLETE), CL_SUCCESS);
  EXPECT_GT(status(event), CL_COMPLETE);
  EXPECT_EQ(clSetUserEventStatus(kept[0], CL_COMPLETE), CL_SUCCESS);
  EXPECT_EQ(clWaitForEvents(1, &event), CL_SUCCESS);
  for (cl_event x : kept) clReleaseEvent(x);
  clReleaseEvent(event);
  clReleaseMemObject(m);
}

// A map acts as a synchronization point: what its queue did before, and what its events stand for, can be seen through
// it.
TEST_F(MapBuffer, SeesWhatCameBefore) {
  cl_mem m = buffer(1 << 20);
  cl_command_queue second = make_queue(context, 0);
  const unsigned char value = 9;
  cl_event filled = nullptr;
  ASSERT_EQ(clEnqueueFillBuffer(second, m, &value, 1, 0, 1 << 20, 0, nullptr, &filled), CL_SUCCESS);
  cl_int e = CL_SUCCESS;
  const auto* p = static_cast<unsigned char*>(
      clEnqueueMapBuffer(queue, m, CL_TRUE, CL_MAP_READ, 0, 1 << 20, 1, &filled, nullptr, &e));
  ASSERT_EQ(e, CL_SUCCESS);
  EXPECT_EQ(p[(1 << 20) - 1], 9);
  EXPECT_EQ(status(filled), CL_COMPLETE);
  clReleaseEvent(filled);
  clReleaseCommandQueue(second);
  clReleaseMemObject(m);
}

TEST_F(MapBuffer, EventDescribesTheCommand) {
  cl_mem m = buffer();
  cl_event event = nullptr;
  cl_int e = CL_SUCCESS;
  ASSERT_NE(clEnqueueMapBuffer(queue, m, CL_FALSE, CL_MAP_READ, 0, 16, 0, nullptr, &event, &e), nullptr);
  EXPECT_EQ(command_type(event), cl_command_type(CL_COMMAND_MAP_BUFFER));
  cl_command_queue q = nullptr;
  cl_context c = nullptr;
  EXPECT_EQ(clGetEventInfo(event, CL_EVENT_COMMAND_QUEUE, sizeof q, &q, nullptr), CL_SUCCESS);
  EXPECT_EQ(clGetEventInfo(event, CL_EVENT_CONTEXT, sizeof c, &c, nullptr), CL_SUCCESS);
  EXPECT_EQ(q, queue);
  EXPECT_EQ(c, context);
  clReleaseEvent(event);
  clReleaseMemObject(m);
}

TEST_F(MapBuffer, NoEventIfRefused) {
  cl_mem m = buffer(4096);
  const auto untouched = reinterpret_cast<cl_event>(&m);
  cl_event event = untouched;
  EXPECT_EQ(clEnqueueMapBuffer(queue, m, CL_TRUE, CL_MAP_READ, 0, 4097, 0, nullptr, &event, nullptr), nullptr);
  EXPECT_EQ(event, untouched);
  clReleaseMemObject(m);
}

// The program must not do this; the driver has read the list before it writes the event.
TEST_F(MapBuffer, EventInTheListDoesNoHarm) {
  cl_mem m = buffer();
  cl_event gate = user_event();
  cl_event list[1] = {gate};
  cl_int e = CL_SUCCESS;
  EXPECT_NE(clEnqueueMapBuffer(queue, m, CL_FALSE, CL_MAP_READ, 0, 16, 1, list, list, &e), nullptr);
  EXPECT_NE(list[0], gate);
  EXPECT_EQ(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  EXPECT_EQ(clWaitForEvents(1, list), CL_SUCCESS);
  clReleaseEvent(list[0]);
  clReleaseEvent(gate);
  clReleaseMemObject(m);
}

// Several queues, the parent and its windows may map the same bytes for reading.
TEST_F(MapBuffer, ManyReadersOverlap) {
  cl_mem m = buffer(8192);
  cl_mem sub = sub_buffer(m, 0, 8192);
  cl_command_queue second = make_queue(context, 0);
  fill(m, 6, 8192);
  EXPECT_EQ(clFinish(queue), CL_SUCCESS);
  for (cl_mem x : {m, sub, m}) {
    for (cl_command_queue q : {queue, second}) {
      cl_int e = CL_SUCCESS;
      const auto* p = static_cast<unsigned char*>(
          clEnqueueMapBuffer(q, x, CL_TRUE, CL_MAP_READ, 1000, 4000, 0, nullptr, nullptr, &e));
      ASSERT_EQ(e, CL_SUCCESS);
      EXPECT_EQ(p[3999], 6);
    }
  }
  EXPECT_EQ(map_count(m), 4U);
  EXPECT_EQ(map_count(sub), 2U);
  clReleaseCommandQueue(second);
  clReleaseMemObject(sub);
  clReleaseMemObject(m);
}

TEST_F(MapBuffer, CommandsReadWhatIsMappedForReading) {
  cl_mem m = buffer(4096);
  cl_mem n = buffer(4096);
  fill(m, 5, 4096);
  const auto* p = static_cast<unsigned char*>(map(m, CL_MAP_READ));
  ASSERT_EQ(clEnqueueCopyBuffer(queue, m, n, 0, 0, 4096, 0, nullptr, nullptr), CL_SUCCESS);
  EXPECT_EQ(read(n, 4096)[4095], 5);
  EXPECT_EQ(p[4095], 5);
  clReleaseMemObject(m);
  clReleaseMemObject(n);
}

TEST_F(MapBuffer, OverlappingWrites) {
  cl_mem m = buffer(16384);
  cl_mem a = sub_buffer(m, 0, 8192);
  cl_mem b = sub_buffer(m, 4096, 8192);
  void* p = map(a, CL_MAP_WRITE, 4096, 4096);
  EXPECT_EQ(map_error(m, CL_MAP_WRITE, 8191, 1), CL_INVALID_OPERATION);                 // parent
  EXPECT_EQ(map_error(m, CL_MAP_READ | CL_MAP_WRITE, 4096, 1), CL_INVALID_OPERATION);   // reads as well
  EXPECT_EQ(map_error(b, CL_MAP_WRITE_INVALIDATE_REGION, 0, 1), CL_INVALID_OPERATION);  // sibling
  EXPECT_EQ(map_error(a, CL_MAP_WRITE, 0, 4097), CL_INVALID_OPERATION);                 // itself
  EXPECT_EQ(map_error(m, CL_MAP_WRITE, 0, 4096), CL_SUCCESS);                           // before it
  EXPECT_EQ(map_error(b, CL_MAP_WRITE, 4096, 4096), CL_SUCCESS);                        // behind it
  EXPECT_EQ(map_count(a), 1U);
  EXPECT_EQ(unmap(a, p), CL_SUCCESS);
  p = map(m, CL_MAP_WRITE_INVALIDATE_REGION, 4096, 4096);
  EXPECT_EQ(map_error(a, CL_MAP_WRITE, 4096, 1), CL_INVALID_OPERATION);  // window under its parent's map
  EXPECT_EQ(map_error(b, CL_MAP_WRITE, 0, 1), CL_INVALID_OPERATION);
  EXPECT_EQ(unmap(m, p), CL_SUCCESS);
  EXPECT_EQ(map_error(b, CL_MAP_WRITE, 0, 1), CL_SUCCESS);
  clReleaseMemObject(a);
  clReleaseMemObject(b);
  clReleaseMemObject(m);
}

// A region mapped for reading may be mapped for writing, and the other way round: only two writers exclude each other.
TEST_F(MapBuffer, AReaderAndAWriterOverlap) {
  cl_mem m = buffer(4096);
  EXPECT_EQ(map_error(m, CL_MAP_READ), CL_SUCCESS);
  EXPECT_EQ(map_error(m, CL_MAP_WRITE), CL_SUCCESS);
  EXPECT_EQ(map_error(m, CL_MAP_READ), CL_SUCCESS);
  EXPECT_EQ(map_count(m), 3U);
  clReleaseMemObject(m);
}

// Undefined behaviour of the program must not be a crash of the driver: commands on a buffer mapped for writing.
TEST_F(MapBuffer, CommandsOnAMappedBufferSurvive) {
  cl_mem m = buffer(4096);
  void* p = map(m, CL_MAP_WRITE);
  fill(m, 1, 4096);
  EXPECT_EQ(clEnqueueCopyBuffer(queue, m, m, 0, 2048, 2048, 0, nullptr, nullptr), CL_SUCCESS);
  EXPECT_EQ(read(m, 4096).size(), 4096U);
  EXPECT_EQ(unmap(m, p), CL_SUCCESS);
  clReleaseMemObject(m);
  EXPECT_EQ(clFinish(queue), CL_SUCCESS);
}

// Released while mapped and while the map is pending.
TEST_F(MapBuffer, ReleasedWhileMapped) {
  cl_mem m = buffer(4096);
  cl_event gate = user_event();
  cl_int e = CL_SUCCESS;
  ASSERT_NE(clEnqueueMapBuffer(queue, m, CL_FALSE, CL_MAP_WRITE, 0, 4096, 1, &gate, nullptr, &e), nullptr);
  EXPECT_EQ(clReleaseMemObject(m), CL_SUCCESS);
  EXPECT_EQ(map_error(m, CL_MAP_READ), CL_INVALID_MEM_OBJECT);
  EXPECT_EQ(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  EXPECT_EQ(clFinish(queue), CL_SUCCESS);
  clReleaseEvent(gate);
}

TEST_F(MapBuffer, PointerServesReadsAndWrites) {
  cl_mem m = buffer(4096);
  cl_mem n = buffer(4096);
  fill(m, 7, 4096);
  auto* p = static_cast<unsigned char*>(map(m, CL_MAP_READ | CL_MAP_WRITE));
  std::memset(p, 9, 2048);
  EXPECT_EQ(clEnqueueWriteBuffer(queue, n, CL_TRUE, 0, 4096, p, 0, nullptr, nullptr), CL_SUCCESS);
  EXPECT_EQ(read(n, 4096)[2047], 9);
  EXPECT_EQ(read(n, 4096)[2048], 7);
  fill(n, 3, 1024);
  EXPECT_EQ(clEnqueueReadBuffer(queue, n, CL_TRUE, 0, 1024, p + 2048, 0, nullptr, nullptr), CL_SUCCESS);
  ASSERT_EQ(unmap(m, p), CL_SUCCESS);
  const auto out = read(m, 4096);
  EXPECT_EQ(out[2047], 9);
  EXPECT_EQ(out[2048], 3);
  EXPECT_EQ(out[3072], 7);
  clReleaseMemObject(m);
  clReleaseMemObject(n);
}

TEST_F(MapBuffer, PointerServesRectangles) {
  cl_mem m = buffer(4096);
  cl_mem n = buffer(4096);
  fill(m, 1, 4096);
  fill(n, 2, 4096);
  auto* p = static_cast<unsigned char*>(map(m, CL_MAP_READ | CL_MAP_WRITE));
  const std::size_t origin[3] = {8, 1, 0};
  const std::size_t zero[3] = {0, 0, 0};
  const std::size_t region[3] = {16, 2, 1};
  EXPECT_EQ(clEnqueueReadBufferRect(queue, n, CL_TRUE, zero, origin, region, 64, 0, 64, 0, p, 0, nullptr, nullptr),
            CL_SUCCESS);
  EXPECT_EQ(clEnqueueWriteBufferRect(queue, n, CL_TRUE, origin, zero, region, 64, 0, 64, 0, p, 0, nullptr, nullptr),
            CL_SUCCESS);
  EXPECT_EQ(unmap(m, p), CL_SUCCESS);
  const auto in_m = read(m, 4096);
  EXPECT_EQ(in_m[64 + 7], 1);
  EXPECT_EQ(in_m[64 + 8], 2);
  EXPECT_EQ(in_m[128 + 23], 2);
  EXPECT_EQ(in_m[128 + 24], 1);
  const auto in_n = read(n, 4096);
  EXPECT_EQ(in_n[64 + 8], 1);       // from (0, 0) of the mapping
  EXPECT_EQ(in_n[128 + 8 + 8], 2);  // from (8, 1), which the read had set
  EXPECT_EQ(in_n[64 + 24], 2);
  clReleaseMemObject(m);
  clReleaseMemObject(n);
}

}  // namespace

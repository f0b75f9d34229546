// clEnqueueSVMMap and clEnqueueSVMUnmap: rows SM and SU of map_table.md.
#include <atomic>
#include <chrono>
#include <thread>

#include "tests/api/failing_new.h"
#include "tests/api/fixture.h"

namespace {

constexpr std::size_t large = 16 << 20;
// The link carries at most 31.6 GB/s (16 lanes of 16 GT/s, 128b/130b), so 16 MiB take at least 531 us on their way; a
// command that moves nothing takes microseconds.
constexpr cl_ulong transfer_ns = 500'000;
constexpr cl_ulong marker_ns = 50'000;

class SvmTest : public ClTest {
 protected:
  void SetUp() override {
    ClTest::SetUp();
    p = static_cast<unsigned char*>(clSVMAlloc(context, CL_MEM_READ_WRITE, large, 0));
    ASSERT_NE(p, nullptr);
  }
  void TearDown() override {
    clFinish(queue);
    clSVMFree(context, p);
    ClTest::TearDown();
  }
  cl_int map_svm(cl_map_flags flags, std::size_t size = 4096, cl_bool blocking = CL_TRUE) {
    return clEnqueueSVMMap(queue, blocking, flags, p, size, 0, nullptr, nullptr);
  }
  // The device's time of an unmap: tells whether the driver took the region for mapped for writing.
  cl_ulong unmap_ns() {
    cl_event event = nullptr;
    EXPECT_EQ(clEnqueueSVMUnmap(queue, p, 0, nullptr, &event), CL_SUCCESS);
    EXPECT_EQ(clWaitForEvents(1, &event), CL_SUCCESS);
    const cl_ulong ns = duration_ns(event);
    clReleaseEvent(event);
    return ns;
  }
  unsigned char device_byte(std::size_t at) {
    unsigned char out = 0;
    EXPECT_EQ(clEnqueueSVMMemcpy(queue, CL_TRUE, &out, p + at, 1, 0, nullptr, nullptr), CL_SUCCESS);
    return out;
  }
  void fill_svm(unsigned char value) {
    ASSERT_EQ(clEnqueueSVMMemFill(queue, p, &value, 1, large, 0, nullptr, nullptr), CL_SUCCESS);
  }
  unsigned char* p = nullptr;
};
using SvmMap = SvmTest;
using SvmUnmap = SvmTest;

TEST_F(SvmMap, InvalidQueue) {
  cl_mem m = buffer();
  const auto q = reinterpret_cast<cl_command_queue>(m);
  EXPECT_EQ(clEnqueueSVMMap(q, CL_TRUE, CL_MAP_READ, p, 16, 0, nullptr, nullptr), CL_INVALID_COMMAND_QUEUE);
  clReleaseMemObject(m);
}

TEST_F(SvmMap, EventsOfAnotherContext) {
  cl_event foreign = user_event(other_context);
  EXPECT_EQ(clEnqueueSVMMap(queue, CL_FALSE, CL_MAP_READ, p, 16, 1, &foreign, nullptr), CL_INVALID_CONTEXT);
  clReleaseEvent(foreign);
}

TEST_F(SvmMap, NullPointer) {
  EXPECT_EQ(clEnqueueSVMMap(queue, CL_TRUE, CL_MAP_READ, nullptr, 16, 0, nullptr, nullptr), CL_INVALID_VALUE);
}

TEST_F(SvmMap, SizeZero) {
  EXPECT_EQ(map_svm(CL_MAP_READ, 0), CL_INVALID_VALUE);
}

TEST_F(SvmMap, Flags) {
  EXPECT_EQ(map_svm(0), CL_INVALID_VALUE);
  EXPECT_EQ(map_svm(0x800), CL_INVALID_VALUE);
  EXPECT_EQ(map_svm(CL_MAP_READ | 0x800), CL_INVALID_VALUE);
  EXPECT_EQ(map_svm(CL_MAP_READ | CL_MAP_WRITE_INVALIDATE_REGION), CL_INVALID_VALUE);
  EXPECT_EQ(map_svm(CL_MAP_WRITE | CL_MAP_WRITE_INVALIDATE_REGION), CL_INVALID_VALUE);
  EXPECT_EQ(map_svm(CL_MAP_READ | CL_MAP_WRITE), CL_SUCCESS);
  EXPECT_EQ(map_svm(CL_MAP_WRITE_INVALIDATE_REGION), CL_SUCCESS);
}

TEST_F(SvmMap, WaitLists) {
  cl_event bad = reinterpret_cast<cl_event>(queue);
  EXPECT_EQ(clEnqueueSVMMap(queue, CL_TRUE, CL_MAP_READ, p, 16, 1, nullptr, nullptr), CL_INVALID_EVENT_WAIT_LIST);
  EXPECT_EQ(clEnqueueSVMMap(queue, CL_TRUE, CL_MAP_READ, p, 16, 0, &bad, nullptr), CL_INVALID_EVENT_WAIT_LIST);
  EXPECT_EQ(clEnqueueSVMMap(queue, CL_TRUE, CL_MAP_READ, p, 16, 1, &bad, nullptr), CL_INVALID_EVENT_WAIT_LIST);
}

// A pointer of another context is undefined by the text; this driver refuses it.
TEST_F(SvmMap, AllocationOfAnotherContext) {
  EXPECT_EQ(clEnqueueSVMMap(other_queue, CL_TRUE, CL_MAP_READ, p, 16, 0, nullptr, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(clEnqueueSVMMap(queue, CL_TRUE, CL_MAP_READ, p, large + 1, 0, nullptr, nullptr), CL_INVALID_VALUE);
}

TEST_F(SvmMap, BlockingReturnsCompleted) {
  fill_svm(7);
  cl_event event = nullptr;
  ASSERT_EQ(clEnqueueSVMMap(queue, CL_TRUE, CL_MAP_READ, p, large, 0, nullptr, &event), CL_SUCCESS);
  EXPECT_EQ(p[0], 7);
  EXPECT_EQ(p[large - 1], 7);
  EXPECT_EQ(status(event), CL_COMPLETE);
  EXPECT_EQ(command_type(event), cl_command_type(CL_COMMAND_SVM_MAP));
  EXPECT_GE(duration_ns(event), transfer_ns);
  clReleaseEvent(event);
}

TEST_F(SvmMap, NonBlockingEventTellsWhen) {
  cl_event gate = user_event();
  cl_event event = nullptr;
  fill_svm(8);
  ASSERT_EQ(clEnqueueSVMMap(queue, CL_FALSE, CL_MAP_READ, p, large, 1, &gate, &event), CL_SUCCESS);
  EXPECT_GT(status(event), CL_COMPLETE);
  EXPECT_EQ(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  EXPECT_EQ(clWaitForEvents(1, &event), CL_SUCCESS);
  EXPECT_EQ(status(event), CL_COMPLETE);
  EXPECT_EQ(p[large - 1], 8);
  clReleaseEvent(event);
  clReleaseEvent(gate);
}

// CL_MAP_READ and CL_MAP_WRITE bring the latest bits, so the region crosses the link; what is to be discarded does not.
TEST_F(SvmMap, InvalidateBringsNothing) {
  cl_event event = nullptr;
  ASSERT_EQ(clEnqueueSVMMap(queue, CL_TRUE, CL_MAP_WRITE, p, large, 0, nullptr, &event), CL_SUCCESS);
  EXPECT_GE(duration_ns(event), transfer_ns);
  clReleaseEvent(event);
  EXPECT_GE(unmap_ns(), transfer_ns);
  ASSERT_EQ(clEnqueueSVMMap(queue, CL_TRUE, CL_MAP_WRITE_INVALIDATE_REGION, p, large, 0, nullptr, &event), CL_SUCCESS);
  EXPECT_LT(duration_ns(event), marker_ns);
  std::memset(p, 5, large);
  clReleaseEvent(event);
  EXPECT_GE(unmap_ns(), transfer_ns);
  EXPECT_EQ(device_byte(large - 1), 5);
}

TEST_F(SvmMap, WaitsForItsEventsAndTheListMayBeReused) {
  cl_event list[2] = {user_event(), user_event()};
  const cl_event kept[2] = {list[0], list[1]};
  cl_event event = nullptr;
  ASSERT_EQ(clEnqueueSVMMap(queue, CL_FALSE, CL_MAP_READ, p, 16, 2, list, &event), CL_SUCCESS);
  list[0] = list[1] = nullptr;
  EXPECT_EQ(clSetUserEventStatus(kept[0], CL_COMPLETE), CL_SUCCESS);
  EXPECT_GT(status(event), CL_COMPLETE);
  EXPECT_EQ(clSetUserEventStatus(kept[1], CL_COMPLETE), CL_SUCCESS);
  EXPECT_EQ(clWaitForEvents(1, &event), CL_SUCCESS);
  for (cl_event e : kept) clReleaseEvent(e);
  clReleaseEvent(event);
}

// The event must not be an element of the list: the program's duty. The driver reads the list before it writes the
// event.
TEST_F(SvmMap, EventInTheListDoesNoHarm) {
  cl_event gate = user_event();
  cl_event list[1] = {gate};
  ASSERT_EQ(clEnqueueSVMMap(queue, CL_FALSE, CL_MAP_READ, p, 16, 1, list, list), CL_SUCCESS);
  EXPECT_NE(list[0], gate);
  EXPECT_EQ(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  EXPECT_EQ(clWaitForEvents(1, list), CL_SUCCESS);
  clReleaseEvent(list[0]);
  clReleaseEvent(gate);
}

TEST_F(SvmMap, NoEventIfRefused) {
  const auto untouched = reinterpret_cast<cl_event>(&p);
  cl_event event = untouched;
  EXPECT_EQ(clEnqueueSVMMap(queue, CL_TRUE, CL_MAP_READ, p, 0, 0, nullptr, &event), CL_INVALID_VALUE);
  EXPECT_EQ(event, untouched);
}

TEST_F(SvmMap, BlockingBehindAFailedEvent) {
  cl_event failed = failed_event();
  EXPECT_EQ(clEnqueueSVMMap(queue, CL_TRUE, CL_MAP_WRITE, p, large, 1, &failed, nullptr),
            CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
  EXPECT_LT(unmap_ns(), marker_ns);  // nothing was mapped
  clReleaseEvent(failed);
}

TEST_F(SvmMap, BlockingWhileItsEventFails) {
  cl_event gate = user_event();
  std::thread setter([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_EQ(clSetUserEventStatus(gate, -3), CL_SUCCESS);
  });
  EXPECT_EQ(clEnqueueSVMMap(queue, CL_TRUE, CL_MAP_WRITE, p, large, 1, &gate, nullptr),
            CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
  setter.join();
  EXPECT_LT(unmap_ns(), marker_ns);
  clReleaseEvent(gate);
}

// A map that never ran leaves nothing mapped: the unmap that the program sends all the same has nothing to take back.
TEST_F(SvmMap, NonBlockingBehindAnEventThatFailsLater) {
  cl_event gate = user_event();
  cl_event event = nullptr;
  ASSERT_EQ(clEnqueueSVMMap(queue, CL_FALSE, CL_MAP_WRITE, p, large, 1, &gate, &event), CL_SUCCESS);
  EXPECT_EQ(clSetUserEventStatus(gate, -3), CL_SUCCESS);
  EXPECT_EQ(clWaitForEvents(1, &event), CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
  EXPECT_LT(status(event), 0);
  EXPECT_LT(unmap_ns(), marker_ns);
  clReleaseEvent(event);
  clReleaseEvent(gate);
}

// The region is in the host's address space already: the pointer is the one that was allocated, inside it too.
TEST_F(SvmMap, PartOfAnAllocation) {
  fill_svm(3);
  ASSERT_EQ(clEnqueueSVMMap(queue, CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, p + 100, 50, 0, nullptr, nullptr), CL_SUCCESS);
  EXPECT_EQ(p[149], 3);
  p[149] = 4;
  ASSERT_EQ(clEnqueueSVMUnmap(queue, p + 100, 0, nullptr, nullptr), CL_SUCCESS);
  EXPECT_EQ(device_byte(149), 4);
  EXPECT_EQ(device_byte(150), 3);
}

TEST_F(SvmMap, HostMemoryRunsOut) {
  ASSERT_EQ(map_svm(CL_MAP_READ), CL_SUCCESS);
  ASSERT_EQ(clFinish(queue), CL_SUCCESS);
  cl_int e = CL_OUT_OF_HOST_MEMORY;
  for (long n = 0; e != CL_SUCCESS && n < 1000; ++n) {
    fail_allocation(n);
    e = clEnqueueSVMMap(queue, CL_FALSE, CL_MAP_WRITE, p, large, 0, nullptr, nullptr);
    const bool failed = allocation_failed();
    fail_allocation(-1);
    ASSERT_EQ(e, failed ? CL_OUT_OF_HOST_MEMORY : CL_SUCCESS) << n;
  }
  ASSERT_EQ(clFinish(queue), CL_SUCCESS);
  EXPECT_GE(unmap_ns(), transfer_ns);  // the one that succeeded
  EXPECT_LT(unmap_ns(), marker_ns);    // the read map; those that failed left none
}

TEST_F(SvmUnmap, InvalidQueue) {
  cl_mem m = buffer();
  EXPECT_EQ(clEnqueueSVMUnmap(reinterpret_cast<cl_command_queue>(m), p, 0, nullptr, nullptr), CL_INVALID_COMMAND_QUEUE);
  clReleaseMemObject(m);
}

TEST_F(SvmUnmap, EventsOfAnotherContext) {
  cl_event foreign = user_event(other_context);
  EXPECT_EQ(clEnqueueSVMUnmap(queue, p, 1, &foreign, nullptr), CL_INVALID_CONTEXT);
  clReleaseEvent(foreign);
}

TEST_F(SvmUnmap, NullPointer) {
  EXPECT_EQ(clEnqueueSVMUnmap(queue, nullptr, 0, nullptr, nullptr), CL_INVALID_VALUE);
}

TEST_F(SvmUnmap, WaitLists) {
  cl_event bad = reinterpret_cast<cl_event>(queue);
  EXPECT_EQ(clEnqueueSVMUnmap(queue, p, 1, nullptr, nullptr), CL_INVALID_EVENT_WAIT_LIST);
  EXPECT_EQ(clEnqueueSVMUnmap(queue, p, 0, &bad, nullptr), CL_INVALID_EVENT_WAIT_LIST);
  EXPECT_EQ(clEnqueueSVMUnmap(queue, p, 1, &bad, nullptr), CL_INVALID_EVENT_WAIT_LIST);
}

TEST_F(SvmUnmap, WritesBecomeVisible) {
  fill_svm(1);
  ASSERT_EQ(map_svm(CL_MAP_WRITE), CL_SUCCESS);
  p[10] = 2;
  cl_event event = nullptr;
  ASSERT_EQ(clEnqueueSVMUnmap(queue, p, 0, nullptr, &event), CL_SUCCESS);
  EXPECT_EQ(command_type(event), cl_command_type(CL_COMMAND_SVM_UNMAP));
  EXPECT_EQ(device_byte(10), 2);
  EXPECT_EQ(device_byte(11), 1);
  EXPECT_EQ(status(event), CL_COMPLETE);
  clReleaseEvent(event);
}

TEST_F(SvmUnmap, WaitsForItsEvents) {
  cl_event gate = user_event();
  cl_event list[1] = {gate};
  cl_event event = nullptr;
  ASSERT_EQ(map_svm(CL_MAP_WRITE), CL_SUCCESS);
  ASSERT_EQ(clEnqueueSVMUnmap(queue, p, 1, list, &event), CL_SUCCESS);
  list[0] = nullptr;
  EXPECT_GT(status(event), CL_COMPLETE);
  EXPECT_EQ(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  EXPECT_EQ(clWaitForEvents(1, &event), CL_SUCCESS);
  clReleaseEvent(event);
  clReleaseEvent(gate);
}

// Maps of one pointer close as brackets do, each with its own flags.
TEST_F(SvmUnmap, NestedMapsOfOnePointer) {
  ASSERT_EQ(map_svm(CL_MAP_WRITE, large), CL_SUCCESS);
  ASSERT_EQ(map_svm(CL_MAP_READ, large), CL_SUCCESS);
  EXPECT_LT(unmap_ns(), marker_ns);
  EXPECT_GE(unmap_ns(), transfer_ns);
  EXPECT_LT(unmap_ns(), marker_ns);
}

// An unmap that never ran leaves the region mapped; the next one takes the program's writes.
TEST_F(SvmUnmap, BehindAnEventThatFailsLater) {
  ASSERT_EQ(map_svm(CL_MAP_WRITE, large), CL_SUCCESS);
  cl_event gate = user_event();
  cl_event event = nullptr;
  ASSERT_EQ(clEnqueueSVMUnmap(queue, p, 1, &gate, &event), CL_SUCCESS);
  EXPECT_EQ(clSetUserEventStatus(gate, -3), CL_SUCCESS);
  EXPECT_EQ(clWaitForEvents(1, &event), CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
  EXPECT_GE(unmap_ns(), transfer_ns);
  EXPECT_LT(unmap_ns(), marker_ns);
  clReleaseEvent(event);
  clReleaseEvent(gate);
}

// The text names no error for a pointer that was not mapped: an ordering point.
TEST_F(SvmUnmap, OfWhatIsNotMapped) {
  EXPECT_LT(unmap_ns(), marker_ns);
}

TEST_F(SvmUnmap, HostMemoryRunsOut) {
  ASSERT_EQ(map_svm(CL_MAP_WRITE, large), CL_SUCCESS);
  cl_event event = nullptr;
  cl_int e = CL_OUT_OF_HOST_MEMORY;
  for (long n = 0; e != CL_SUCCESS && n < 1000; ++n) {
    fail_allocation(n);
    e = clEnqueueSVMUnmap(queue, p, 0, nullptr, &event);
    const bool failed = allocation_failed();
    fail_allocation(-1);
    ASSERT_EQ(e, failed ? CL_OUT_OF_HOST_MEMORY : CL_SUCCESS) << n;
  }
  ASSERT_EQ(clWaitForEvents(1, &event), CL_SUCCESS);
  EXPECT_GE(duration_ns(event), transfer_ns);  // it was still mapped after each refusal
  clReleaseEvent(event);
}

}  // namespace

// Out-of-order queues, barriers and markers, callbacks, migration.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include "tests/api/fixture.h"

namespace {

constexpr std::size_t large = 16 << 20;
// 16 MiB take at least 531 us on the link, see svm_map_test.cpp.
constexpr cl_ulong transfer_ns = 500'000;

class OutOfOrder : public ClTest {
 protected:
  void SetUp() override {
    ClTest::SetUp();
    q = make_queue(context, CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE | CL_QUEUE_PROFILING_ENABLE);
    m = buffer(large);
    data.resize(large);
  }
  void TearDown() override {
    clReleaseMemObject(m);
    clReleaseCommandQueue(q);
    ClTest::TearDown();
  }
  cl_event write(std::size_t size, cl_uint num = 0, const cl_event* list = nullptr) {
    cl_event event = nullptr;
    EXPECT_EQ(clEnqueueWriteBuffer(q, m, CL_FALSE, 0, size, data.data(), num, list, &event), CL_SUCCESS);
    return event;
  }
  cl_event marker(cl_uint num = 0, const cl_event* list = nullptr) {
    cl_event event = nullptr;
    EXPECT_EQ(clEnqueueMarkerWithWaitList(q, num, list, &event), CL_SUCCESS);
    return event;
  }
  cl_event barrier(cl_uint num = 0, const cl_event* list = nullptr) {
    cl_event event = nullptr;
    EXPECT_EQ(clEnqueueBarrierWithWaitList(q, num, list, &event), CL_SUCCESS);
    return event;
  }
  static cl_ulong stamp(cl_event event, cl_profiling_info info) {
    cl_ulong t = 0;
    EXPECT_EQ(clGetEventProfilingInfo(event, info, sizeof t, &t, nullptr), CL_SUCCESS);
    return t;
  }
  static cl_ulong start(cl_event event) { return stamp(event, CL_PROFILING_COMMAND_START); }
  static cl_ulong end(cl_event event) { return stamp(event, CL_PROFILING_COMMAND_END); }
  static void release(std::initializer_list<cl_event> events) {
    for (cl_event event : events) clReleaseEvent(event);
  }

  cl_command_queue q = nullptr;
  cl_mem m = nullptr;
  std::vector<char> data;
};

// A later command that waits for nothing completes while an earlier one is held back.
TEST_F(OutOfOrder, LaterOvertakesEarlier) {
  cl_event gate = user_event();
  cl_event held = write(64, 1, &gate);
  cl_event free = write(64);
  EXPECT_EQ(clWaitForEvents(1, &free), CL_SUCCESS);
  EXPECT_GT(status(held), CL_COMPLETE);
  EXPECT_EQ(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  EXPECT_EQ(clFinish(q), CL_SUCCESS);
  EXPECT_EQ(status(held), CL_COMPLETE);
  release({gate, held, free});
}

// An in-order queue does not: the same two commands.
TEST_F(OutOfOrder, InOrderDoesNotOvertake) {
  cl_event gate = user_event();
  cl_event later = nullptr;
  ASSERT_EQ(clEnqueueMarkerWithWaitList(queue, 1, &gate, nullptr), CL_SUCCESS);
  ASSERT_EQ(clEnqueueWriteBuffer(queue, m, CL_FALSE, 0, 64, data.data(), 0, nullptr, &later), CL_SUCCESS);
  for (int i = 0; i < 1000; ++i) ASSERT_GT(status(later), CL_COMPLETE);
  EXPECT_EQ(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  EXPECT_EQ(clWaitForEvents(1, &later), CL_SUCCESS);
  release({gate, later});
}

// OpenCL 1.0's clSetCommandQueueProperty: a change of the order waits for what is queued, and holds from then on.
TEST_F(OutOfOrder, SwitchedOnAndOff) {
  constexpr cl_command_queue_properties order = CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE;
  constexpr cl_command_queue_properties profiling = CL_QUEUE_PROFILING_ENABLE;
  const auto properties = [&] {
    cl_command_queue_properties now = 99;
    EXPECT_EQ(clGetCommandQueueInfo(q, CL_QUEUE_PROPERTIES, sizeof now, &now, nullptr), CL_SUCCESS);
    return now;
  };
  cl_command_queue_properties old = 99;
  cl_event slow = write(large);
  ASSERT_EQ(clSetCommandQueueProperty(q, order, CL_FALSE, &old), CL_SUCCESS);
  EXPECT_EQ(status(slow), CL_COMPLETE);
  EXPECT_EQ(old, order | profiling);
  EXPECT_EQ(properties(), profiling);
  cl_event first = write(large);
  cl_event second = marker();
  // Switching on what is on changes nothing, and waits for nothing.
  ASSERT_EQ(clSetCommandQueueProperty(q, profiling, CL_TRUE, nullptr), CL_SUCCESS);
  EXPECT_GT(status(first), CL_COMPLETE);
  ASSERT_EQ(clFinish(q), CL_SUCCESS);
  EXPECT_GE(start(second), end(first));

  ASSERT_EQ(clSetCommandQueueProperty(q, order | profiling, CL_FALSE, &old), CL_SUCCESS);
  EXPECT_EQ(old, profiling);
  EXPECT_EQ(properties(), cl_command_queue_properties(0));
  ASSERT_EQ(clSetCommandQueueProperty(q, order, CL_TRUE, &old), CL_SUCCESS);
  EXPECT_EQ(old, cl_command_queue_properties(0));
  EXPECT_EQ(properties(), order);
  cl_event gate = user_event();
  cl_event held = write(64, 1, &gate);
  cl_event free = write(64);
  EXPECT_EQ(clWaitForEvents(1, &free), CL_SUCCESS);
  EXPECT_GT(status(held), CL_COMPLETE);
  EXPECT_EQ(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  EXPECT_EQ(clFinish(q), CL_SUCCESS);

  EXPECT_EQ(clSetCommandQueueProperty(q, cl_command_queue_properties(1) << 20, CL_TRUE, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(clSetCommandQueueProperty(nullptr, order, CL_TRUE, nullptr), CL_INVALID_COMMAND_QUEUE);
  release({slow, first, second, gate, held, free});
}

// A marker without a list completes after all commands before it, and holds back none behind it.
TEST_F(OutOfOrder, MarkerWaitsForAllBefore) {
  cl_event gate = user_event();
  cl_event slow = write(large);
  cl_event held = write(64, 1, &gate);
  cl_event all = marker();
  cl_event behind = write(64);
  EXPECT_EQ(clWaitForEvents(1, &behind), CL_SUCCESS);
  EXPECT_GT(status(all), CL_COMPLETE);
  EXPECT_EQ(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  EXPECT_EQ(clWaitForEvents(1, &all), CL_SUCCESS);
  EXPECT_EQ(status(held), CL_COMPLETE);
  EXPECT_GE(end(all), end(slow));
  EXPECT_GE(end(all), end(held));
  release({gate, slow, held, all, behind});
}

// With a list it waits for the list only.
TEST_F(OutOfOrder, MarkerWithAListWaitsForTheList) {
  cl_event gate = user_event();
  cl_event held = write(64, 1, &gate);
  cl_event quick = write(64);
  cl_event mark = marker(1, &quick);
  EXPECT_EQ(clWaitForEvents(1, &mark), CL_SUCCESS);
  EXPECT_EQ(status(quick), CL_COMPLETE);
  EXPECT_GT(status(held), CL_COMPLETE);
  EXPECT_EQ(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  EXPECT_EQ(clFinish(q), CL_SUCCESS);
  release({gate, held, quick, mark});
}

// A barrier holds back what is behind it, until all before it is complete.
TEST_F(OutOfOrder, BarrierSeparates) {
  cl_event slow = write(large);
  cl_event wall = barrier();
  cl_event behind = write(64);
  EXPECT_EQ(clFinish(q), CL_SUCCESS);
  EXPECT_GE(end(wall), end(slow));
  EXPECT_GE(start(behind), end(slow));
  EXPECT_GE(duration_ns(slow), transfer_ns);
  release({slow, wall, behind});
}

TEST_F(OutOfOrder, BarrierWithAListWaitsForTheListAndHoldsBackAll) {
  cl_event gate = user_event();
  cl_event other = user_event();
  cl_event held = write(64, 1, &other);
  cl_event wall = barrier(1, &gate);
  cl_event behind = write(64);
  EXPECT_GT(status(wall), CL_COMPLETE);
  EXPECT_EQ(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  EXPECT_EQ(clWaitForEvents(1, &behind), CL_SUCCESS);
  EXPECT_EQ(status(wall), CL_COMPLETE);
  EXPECT_GT(status(held), CL_COMPLETE);  // before the barrier, and not in its list
  EXPECT_EQ(clSetUserEventStatus(other, CL_COMPLETE), CL_SUCCESS);
  EXPECT_EQ(clFinish(q), CL_SUCCESS);
  release({gate, other, held, wall, behind});
}

TEST_F(OutOfOrder, BarriersInARow) {
  cl_event slow = write(large);
  cl_event walls[3] = {barrier(), marker(), barrier()};
  cl_event behind = write(64);
  EXPECT_EQ(clWaitForEvents(1, &behind), CL_SUCCESS);
  for (cl_event x : walls) EXPECT_EQ(status(x), CL_COMPLETE);
  EXPECT_GE(start(behind), end(slow));
  release({slow, walls[0], walls[1], walls[2], behind});
}

// The functions of OpenCL 1.1 do the same.
TEST_F(OutOfOrder, OldMarkersAndBarriers) {
  cl_event gate = user_event();
  cl_event held = write(64, 1, &gate);
  cl_event mark = nullptr;
  EXPECT_EQ(clEnqueueMarker(q, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(clEnqueueMarker(q, &mark), CL_SUCCESS);
  EXPECT_EQ(clEnqueueBarrier(q), CL_SUCCESS);
  cl_event behind = write(64);
  EXPECT_EQ(clEnqueueWaitForEvents(q, 0, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(clEnqueueWaitForEvents(q, 1, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(clEnqueueWaitForEvents(q, 1, &behind), CL_SUCCESS);
  EXPECT_GT(status(mark), CL_COMPLETE);
  EXPECT_GT(status(behind), CL_COMPLETE);
  EXPECT_EQ(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  EXPECT_EQ(clFinish(q), CL_SUCCESS);
  EXPECT_EQ(status(mark), CL_COMPLETE);
  EXPECT_EQ(status(behind), CL_COMPLETE);
  release({gate, held, mark, behind});
}

// What is behind a barrier that failed was not told to wait for the event that failed it: it runs.
TEST_F(OutOfOrder, ABarrierThatFails) {
  cl_event gate = user_event();
  cl_event wall = barrier(1, &gate);
  cl_event behind = write(64);
  EXPECT_EQ(clSetUserEventStatus(gate, -1), CL_SUCCESS);
  EXPECT_EQ(clWaitForEvents(1, &wall), CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
  EXPECT_EQ(clWaitForEvents(1, &behind), CL_SUCCESS);
  release({gate, wall, behind});
}

struct Log {
  std::mutex mutex;
  std::vector<std::pair<int, cl_int>> calls;  // which callback, with which status
  void add(int which, cl_int status) {
    const std::lock_guard lock(mutex);
    calls.emplace_back(which, status);
  }
  std::vector<std::pair<int, cl_int>> wait_for(std::size_t n) {
    while (true) {
      {
        const std::lock_guard lock(mutex);
        if (calls.size() >= n) return calls;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
};
struct LogEntry {
  Log* log;
  int which;
};
void CL_CALLBACK record(cl_event, cl_int status, void* data) {
  const auto* entry = static_cast<LogEntry*>(data);
  entry->log->add(entry->which, status);
}

using Callbacks = ClTest;

// Of one event: in the order of the states, and each once. Of several commands of an in-order queue: in theirs. The
// specification leaves both open; a callback's time must not lie before that of the one before it.
TEST_F(Callbacks, ComeInOrder) {
  cl_mem m = buffer(65536);
  std::vector<char> data(65536);
  Log log;
  std::vector<LogEntry> entries(12);
  cl_event gate = user_event();
  std::vector<cl_event> events(4);
  for (int i = 0; i < 4; ++i) {
    ASSERT_EQ(clEnqueueWriteBuffer(queue, m, CL_FALSE, 0, data.size(), data.data(), 1, &gate, &events[i]), CL_SUCCESS);
    const cl_int states[3] = {CL_COMPLETE, CL_RUNNING, CL_SUBMITTED};
    for (int k = 0; k < 3; ++k) {
      entries[3 * i + k] = {&log, i};
      ASSERT_EQ(clSetEventCallback(events[i], states[k], record, &entries[3 * i + k]), CL_SUCCESS);
    }
  }
  EXPECT_TRUE(log.wait_for(0).empty());
  EXPECT_EQ(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  const auto calls = log.wait_for(12);
  ASSERT_EQ(calls.size(), 12U);
  for (int i = 0; i < 4; ++i) {
    std::vector<cl_int> states;
    for (const auto& [which, s] : calls) {
      if (which == i) states.push_back(s);
    }
    EXPECT_EQ(states, (std::vector<cl_int>{CL_SUBMITTED, CL_RUNNING, CL_COMPLETE})) << i;
  }
  std::vector<int> completed;
  for (const auto& [which, s] : calls) {
    if (s == CL_COMPLETE) completed.push_back(which);
  }
  EXPECT_EQ(completed, (std::vector<int>{0, 1, 2, 3}));
  for (cl_event x : events) clReleaseEvent(x);
  clReleaseEvent(gate);
  clReleaseMemObject(m);
}

// A command that fails calls them all with its negative code.
TEST_F(Callbacks, OfACommandThatFails) {
  Log log;
  LogEntry entries[2] = {{&log, 0}, {&log, 1}};
  cl_event gate = user_event();
  cl_event event = nullptr;
  ASSERT_EQ(clEnqueueMarkerWithWaitList(queue, 1, &gate, &event), CL_SUCCESS);
  ASSERT_EQ(clSetEventCallback(event, CL_COMPLETE, record, &entries[0]), CL_SUCCESS);
  ASSERT_EQ(clSetEventCallback(gate, CL_COMPLETE, record, &entries[1]), CL_SUCCESS);
  EXPECT_EQ(clSetUserEventStatus(gate, -77), CL_SUCCESS);
  for (const auto& [which, s] : log.wait_for(2)) {
    EXPECT_EQ(s, which == 0 ? CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST : -77);
  }
  clReleaseEvent(event);
  clReleaseEvent(gate);
}

TEST_F(Callbacks, OnWhatIsDoneAlready) {
  Log log;
  LogEntry entries[3] = {{&log, 0}, {&log, 1}, {&log, 2}};
  cl_event event = nullptr;
  ASSERT_EQ(clEnqueueMarkerWithWaitList(queue, 0, nullptr, &event), CL_SUCCESS);
  ASSERT_EQ(clFinish(queue), CL_SUCCESS);
  const cl_int states[3] = {CL_COMPLETE, CL_RUNNING, CL_SUBMITTED};
  for (int i = 0; i < 3; ++i) ASSERT_EQ(clSetEventCallback(event, states[i], record, &entries[i]), CL_SUCCESS);
  const auto calls = log.wait_for(3);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(calls[i], (std::pair<int, cl_int>{i, states[i]}));
  clReleaseEvent(event);
}

TEST_F(Callbacks, Arguments) {
  cl_event event = user_event();
  const auto nothing = [](cl_event, cl_int, void*) {};
  EXPECT_EQ(clSetEventCallback(event, CL_COMPLETE, nullptr, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(clSetEventCallback(event, CL_QUEUED, +nothing, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(clSetEventCallback(event, -1, +nothing, nullptr), CL_INVALID_VALUE);
  clSetUserEventStatus(event, CL_COMPLETE);
  clReleaseEvent(event);
}

// The program releases its event first; the callback retains the one that it gets, and the handle is the program's
// again.
TEST_F(Callbacks, MayRetainWhatWasReleased) {
  cl_event gate = user_event();
  cl_event event = nullptr;
  ASSERT_EQ(clEnqueueMarkerWithWaitList(queue, 1, &gate, &event), CL_SUCCESS);
  std::atomic<cl_event> kept{nullptr};
  ASSERT_EQ(clSetEventCallback(
                event, CL_COMPLETE,
                [](cl_event e, cl_int, void* p) {
                  EXPECT_EQ(clRetainEvent(e), CL_SUCCESS);
                  EXPECT_EQ(clRetainEvent(e), CL_SUCCESS);
                  EXPECT_EQ(clReleaseEvent(e), CL_SUCCESS);
                  static_cast<std::atomic<cl_event>*>(p)->store(e);
                },
                &kept),
            CL_SUCCESS);
  EXPECT_EQ(clReleaseEvent(event), CL_SUCCESS);
  EXPECT_EQ(clReleaseEvent(event), CL_INVALID_EVENT);
  EXPECT_EQ(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  while (kept == nullptr) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(clFinish(queue), CL_SUCCESS);
  std::this_thread::sleep_for(std::chrono::milliseconds(10));  // the driver lets go of it after the callback
  EXPECT_EQ(status(kept), CL_COMPLETE);
  EXPECT_EQ(clReleaseEvent(kept), CL_SUCCESS);
  EXPECT_EQ(clReleaseEvent(kept), CL_INVALID_EVENT);
  clReleaseEvent(gate);
}

// Destructor callbacks: the newest first, when the object goes, which a pending command puts off.
TEST_F(Callbacks, OfDestructionComeNewestFirst) {
  static std::mutex mutex;
  static std::vector<int> order;
  const auto size = [] {
    const std::lock_guard lock(mutex);
    return order.size();
  };
  const auto one = [](cl_mem, void*) {
    const std::lock_guard lock(mutex);
    order.push_back(1);
  };
  const auto two = [](cl_mem, void*) {
    const std::lock_guard lock(mutex);
    order.push_back(2);
  };
  cl_mem m = buffer(4096);
  EXPECT_EQ(clSetMemObjectDestructorCallback(m, nullptr, nullptr), CL_INVALID_VALUE);
  ASSERT_EQ(clSetMemObjectDestructorCallback(m, +one, nullptr), CL_SUCCESS);
  ASSERT_EQ(clSetMemObjectDestructorCallback(m, +two, nullptr), CL_SUCCESS);
  cl_event gate = user_event();
  const cl_uchar zero = 0;
  ASSERT_EQ(clEnqueueFillBuffer(queue, m, &zero, 1, 0, 4096, 1, &gate, nullptr), CL_SUCCESS);
  EXPECT_EQ(clReleaseMemObject(m), CL_SUCCESS);
  EXPECT_EQ(size(), 0U);
  EXPECT_EQ(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  EXPECT_EQ(clFinish(queue), CL_SUCCESS);
  while (size() < 2) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(order, (std::vector<int>{2, 1}));
  clReleaseEvent(gate);
}

using Migrate = ClTest;

TEST_F(Migrate, Errors) {
  cl_mem m = buffer();
  cl_int e = CL_SUCCESS;
  cl_mem foreign = clCreateBuffer(other_context, 0, 64, nullptr, &e);
  cl_mem mixed[2] = {m, foreign};
  cl_event bad = reinterpret_cast<cl_event>(m);
  cl_event other = user_event(other_context);
  const auto code = [&](cl_uint n, const cl_mem* list, cl_mem_migration_flags flags = 0, cl_uint num = 0,
                        const cl_event* events = nullptr) {
    return clEnqueueMigrateMemObjects(queue, n, list, flags, num, events, nullptr);
  };
  EXPECT_EQ(code(0, &m), CL_INVALID_VALUE);
  EXPECT_EQ(code(1, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(code(1, &m, 4), CL_INVALID_VALUE);
  EXPECT_EQ(code(2, mixed), CL_INVALID_CONTEXT);
  EXPECT_EQ(code(1, &m, 0, 1, nullptr), CL_INVALID_EVENT_WAIT_LIST);
  EXPECT_EQ(code(1, &m, 0, 0, &bad), CL_INVALID_EVENT_WAIT_LIST);
  EXPECT_EQ(code(1, &m, 0, 1, &bad), CL_INVALID_EVENT_WAIT_LIST);
  EXPECT_EQ(code(1, &m, 0, 1, &other), CL_INVALID_CONTEXT);
  EXPECT_EQ(code(1, &m, CL_MIGRATE_MEM_OBJECT_HOST | CL_MIGRATE_MEM_OBJECT_CONTENT_UNDEFINED), CL_SUCCESS);
  EXPECT_EQ(clFinish(queue), CL_SUCCESS);
  clReleaseEvent(other);
  clReleaseMemObject(foreign);
  clReleaseMemObject(m);
}

// To the host: what lives on the device crosses the link, wherever it stands in the list, and sub-buffers may be in it.
TEST_F(Migrate, ToTheHostTakesTheTransfer) {
  cl_mem pinned = buffer(4096, CL_MEM_ALLOC_HOST_PTR);  // lives in host memory on the default machine
  cl_mem m = buffer(large);
  cl_mem sub = sub_buffer(m, 0, large);
  for (cl_mem moved : {m, sub}) {
    const cl_mem list[2] = {pinned, moved};
    cl_event event = nullptr;
    ASSERT_EQ(clEnqueueMigrateMemObjects(queue, 2, list, CL_MIGRATE_MEM_OBJECT_HOST, 0, nullptr, &event), CL_SUCCESS);
    EXPECT_EQ(command_type(event), cl_command_type(CL_COMMAND_MIGRATE_MEM_OBJECTS));
    EXPECT_EQ(clWaitForEvents(1, &event), CL_SUCCESS);
    EXPECT_GE(duration_ns(event), transfer_ns);
    clReleaseEvent(event);
    ASSERT_EQ(
        clEnqueueMigrateMemObjects(queue, 2, list, CL_MIGRATE_MEM_OBJECT_HOST | CL_MIGRATE_MEM_OBJECT_CONTENT_UNDEFINED,
                                   0, nullptr, &event),
        CL_SUCCESS);
    EXPECT_EQ(clWaitForEvents(1, &event), CL_SUCCESS);
    EXPECT_LT(duration_ns(event), transfer_ns / 10);
    clReleaseEvent(event);
  }
  for (cl_mem x : {sub, m, pinned}) clReleaseMemObject(x);
}

}  // namespace

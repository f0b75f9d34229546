// Allocation, freeing, copies, fills and migration of shared virtual memory.
#include <atomic>
#include <chrono>
#include <thread>

#include "tests/api/fixture.h"

namespace {

class Svm : public ClTest {
 protected:
  void* alloc(std::size_t size = 4096, cl_svm_mem_flags flags = CL_MEM_READ_WRITE, cl_uint alignment = 0) {
    return clSVMAlloc(context, flags, size, alignment);
  }
};

// clSVMAlloc returns NULL on each of the conditions that it lists.
TEST_F(Svm, AllocRefuses) {
  cl_ulong largest = 0;
  clGetDeviceInfo(device, CL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof largest, &largest, nullptr);
  EXPECT_EQ(alloc(0), nullptr);
  EXPECT_EQ(alloc(largest + 1), nullptr);
  EXPECT_EQ(alloc(64, CL_MEM_READ_ONLY | CL_MEM_WRITE_ONLY), nullptr);
  EXPECT_EQ(alloc(64, CL_MEM_USE_HOST_PTR), nullptr);
  EXPECT_EQ(alloc(64, CL_MEM_SVM_ATOMICS), nullptr);            // without fine grain
  EXPECT_EQ(alloc(64, CL_MEM_SVM_FINE_GRAIN_BUFFER), nullptr);  // the device has coarse grain only
  EXPECT_EQ(alloc(64, CL_MEM_READ_WRITE, 3), nullptr);
  EXPECT_EQ(alloc(64, CL_MEM_READ_WRITE, 256), nullptr);  // more than the largest type, long16
}

TEST_F(Svm, AllocAligns) {
  for (const cl_uint alignment : {0U, 1U, 8U, 64U, 128U}) {
    void* p = alloc(100, 0, alignment);
    ASSERT_NE(p, nullptr);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(p) % 128, 0U);  // 0 stands for the largest type's
    clSVMFree(context, p);
  }
}

// clCreateBuffer: "CL_INVALID_BUFFER_SIZE if CL_MEM_USE_HOST_PTR or CL_MEM_COPY_HOST_PTR is set in flags, and host_ptr
// is a pointer returned by clSVMAlloc, and size is greater than the size passed to clSVMAlloc".
TEST_F(Svm, ABufferOnItIsNotLarger) {
  auto* p = static_cast<char*>(clSVMAlloc(context, CL_MEM_READ_WRITE, 1000, 0));
  ASSERT_NE(p, nullptr);
  const auto code = [&](cl_mem_flags flags, std::size_t size, void* host) {
    cl_int e = CL_SUCCESS;
    cl_mem m = clCreateBuffer(context, flags, size, host, &e);
    if (m != nullptr) clReleaseMemObject(m);
    return e;
  };
  for (const cl_mem_flags flags : {CL_MEM_USE_HOST_PTR, CL_MEM_COPY_HOST_PTR}) {
    EXPECT_EQ(code(flags, 1000, p), CL_SUCCESS);
    EXPECT_EQ(code(flags, 1001, p), CL_INVALID_BUFFER_SIZE);
    EXPECT_EQ(code(flags, 600, p + 400), CL_SUCCESS);
    EXPECT_EQ(code(flags, 601, p + 400), CL_INVALID_BUFFER_SIZE);
  }
  clSVMFree(context, p);
}

// NULL, and what was not allocated: nothing happens. Memory comes back: many times more than the device has is
// allocated.
TEST_F(Svm, Free) {
  clSVMFree(context, nullptr);
  int local = 0;
  clSVMFree(context, &local);
  for (int i = 0; i < 100; ++i) {
    void* p = alloc(1U << 30);
    ASSERT_NE(p, nullptr) << i;
    clSVMFree(context, p);
  }
}

TEST_F(Svm, EnqueuedFreeOfTheDriver) {
  for (int i = 0; i < 100; ++i) {
    void* list[2] = {alloc(1U << 30), alloc(1U << 30)};
    ASSERT_NE(list[1], nullptr) << i;
    cl_event event = nullptr;
    ASSERT_EQ(clEnqueueSVMFree(queue, 2, list, nullptr, nullptr, 0, nullptr, &event), CL_SUCCESS);
    list[0] = list[1] = nullptr;  // the list may be reused
    ASSERT_EQ(clWaitForEvents(1, &event), CL_SUCCESS);
    EXPECT_EQ(command_type(event), cl_command_type(CL_COMMAND_SVM_FREE));
    clReleaseEvent(event);
  }
}

TEST_F(Svm, EnqueuedFreeErrors) {
  void* p = alloc();
  cl_event bad = reinterpret_cast<cl_event>(queue);
  cl_event foreign = user_event(other_context);
  const auto free_error = [&](cl_uint n, void** list, cl_uint num, const cl_event* events) {
    return clEnqueueSVMFree(queue, n, list, nullptr, nullptr, num, events, nullptr);
  };
  EXPECT_EQ(free_error(0, &p, 0, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(free_error(1, nullptr, 0, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(free_error(0, nullptr, 0, nullptr), CL_SUCCESS);
  EXPECT_EQ(free_error(1, &p, 1, nullptr), CL_INVALID_EVENT_WAIT_LIST);
  EXPECT_EQ(free_error(1, &p, 0, &bad), CL_INVALID_EVENT_WAIT_LIST);
  EXPECT_EQ(free_error(1, &p, 1, &bad), CL_INVALID_EVENT_WAIT_LIST);
  EXPECT_EQ(free_error(1, &p, 1, &foreign), CL_INVALID_CONTEXT);
  clReleaseEvent(foreign);
  clSVMFree(context, p);
}

struct FreeRecord {
  std::atomic<int> calls{0};
  cl_command_queue queue = nullptr;
  cl_context context_of_queue = nullptr;
  std::vector<void*> pointers;
};

void CL_CALLBACK record_free(cl_command_queue queue, cl_uint count, void* pointers[], void* data) {
  auto* record = static_cast<FreeRecord*>(data);
  record->queue = queue;
  // "queue ... is the command-queue in which clEnqueueSVMFree was enqueued": it can be used, whatever was released.
  EXPECT_EQ(clGetCommandQueueInfo(queue, CL_QUEUE_CONTEXT, sizeof(cl_context), &record->context_of_queue, nullptr),
            CL_SUCCESS);
  record->pointers.assign(pointers, pointers + count);
  for (void* p : record->pointers) clSVMFree(record->context_of_queue, p);
  ++record->calls;
}

// The program may release its queue as soon as it has enqueued the free, and wait outside the API for the callback.
TEST_F(Svm, CallbackAfterTheQueueWasReleased) {
  cl_command_queue q = make_queue(context, 0);
  void* list[2] = {alloc(), alloc()};
  cl_event gate = user_event();
  FreeRecord record;
  ASSERT_EQ(clEnqueueSVMFree(q, 2, list, record_free, &record, 1, &gate, nullptr), CL_SUCCESS);
  const std::vector<void*> expected(list, list + 2);
  list[0] = list[1] = nullptr;
  EXPECT_EQ(clReleaseCommandQueue(q), CL_SUCCESS);
  EXPECT_EQ(clReleaseCommandQueue(q), CL_INVALID_COMMAND_QUEUE);
  EXPECT_EQ(record.calls, 0);
  EXPECT_EQ(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  while (record.calls == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(record.queue, q);
  EXPECT_EQ(record.context_of_queue, context);
  EXPECT_EQ(record.pointers, expected);
  EXPECT_EQ(record.calls, 1);
  clReleaseEvent(gate);
}

TEST_F(Svm, NoCallbackIfTheFreeNeverRan) {
  void* p = alloc();
  cl_event failed = failed_event();
  cl_event event = nullptr;
  FreeRecord record;
  ASSERT_EQ(clEnqueueSVMFree(queue, 1, &p, record_free, &record, 1, &failed, &event), CL_SUCCESS);
  EXPECT_EQ(clWaitForEvents(1, &event), CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
  EXPECT_EQ(record.calls, 0);
  clReleaseEvent(event);
  clReleaseEvent(failed);
  clSVMFree(context, p);
}

TEST_F(Svm, MemcpyErrors) {
  auto* p = static_cast<char*>(alloc());
  char host[64] = {};
  cl_event bad = reinterpret_cast<cl_event>(queue);
  cl_event foreign = user_event(other_context);
  cl_event failed = failed_event();
  const auto copy = [&](void* to, const void* from, std::size_t size, cl_uint num = 0, const cl_event* list = nullptr) {
    return clEnqueueSVMMemcpy(queue, CL_TRUE, to, from, size, num, list, nullptr);
  };
  EXPECT_EQ(copy(nullptr, p, 16), CL_INVALID_VALUE);
  EXPECT_EQ(copy(p, nullptr, 16), CL_INVALID_VALUE);
  EXPECT_EQ(copy(p, p, 16), CL_MEM_COPY_OVERLAP);
  EXPECT_EQ(copy(p, p + 15, 16), CL_MEM_COPY_OVERLAP);
  EXPECT_EQ(copy(p + 15, p, 16), CL_MEM_COPY_OVERLAP);
  EXPECT_EQ(copy(p + 16, p, 16), CL_SUCCESS);
  EXPECT_EQ(copy(p, host, 0), CL_SUCCESS);
  EXPECT_EQ(copy(p, host, 64, 1, nullptr), CL_INVALID_EVENT_WAIT_LIST);
  EXPECT_EQ(copy(p, host, 64, 0, &bad), CL_INVALID_EVENT_WAIT_LIST);
  EXPECT_EQ(copy(p, host, 64, 1, &bad), CL_INVALID_EVENT_WAIT_LIST);
  EXPECT_EQ(copy(p, host, 64, 1, &foreign), CL_INVALID_CONTEXT);
  EXPECT_EQ(copy(p, host, 64, 1, &failed), CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
  clReleaseEvent(foreign);
  clReleaseEvent(failed);
  clSVMFree(context, p);
}

TEST_F(Svm, MemFillErrorsAndData) {
  auto* p = static_cast<unsigned char*>(alloc());
  const unsigned char pattern[256] = {1, 2, 3, 4};
  cl_event bad = reinterpret_cast<cl_event>(queue);
  cl_event foreign = user_event(other_context);
  const auto fill_error = [&](void* to, const void* with, std::size_t n, std::size_t size, cl_uint num = 0,
                              const cl_event* list = nullptr) {
    return clEnqueueSVMMemFill(queue, to, with, n, size, num, list, nullptr);
  };
  EXPECT_EQ(fill_error(nullptr, pattern, 4, 16), CL_INVALID_VALUE);
  EXPECT_EQ(fill_error(p, nullptr, 4, 16), CL_INVALID_VALUE);
  EXPECT_EQ(fill_error(p, pattern, 0, 16), CL_INVALID_VALUE);
  EXPECT_EQ(fill_error(p, pattern, 3, 12), CL_INVALID_VALUE);
  EXPECT_EQ(fill_error(p, pattern, 256, 256), CL_INVALID_VALUE);
  EXPECT_EQ(fill_error(p + 2, pattern, 4, 16), CL_INVALID_VALUE);  // not aligned to the pattern
  EXPECT_EQ(fill_error(p, pattern, 4, 18), CL_INVALID_VALUE);
  EXPECT_EQ(fill_error(p, pattern, 4, 16, 1, nullptr), CL_INVALID_EVENT_WAIT_LIST);
  EXPECT_EQ(fill_error(p, pattern, 4, 16, 0, &bad), CL_INVALID_EVENT_WAIT_LIST);
  EXPECT_EQ(fill_error(p, pattern, 4, 16, 1, &bad), CL_INVALID_EVENT_WAIT_LIST);
  EXPECT_EQ(fill_error(p, pattern, 4, 16, 1, &foreign), CL_INVALID_CONTEXT);
  ASSERT_EQ(fill_error(p + 4, pattern, 4, 8), CL_SUCCESS);
  unsigned char out[16] = {};
  ASSERT_EQ(clEnqueueSVMMemcpy(queue, CL_TRUE, out, p, sizeof out, 0, nullptr, nullptr), CL_SUCCESS);
  const unsigned char expected[16] = {0, 0, 0, 0, 1, 2, 3, 4, 1, 2, 3, 4, 0, 0, 0, 0};
  EXPECT_EQ(std::memcmp(out, expected, sizeof out), 0);
  clReleaseEvent(foreign);
  clSVMFree(context, p);
}

TEST_F(Svm, MigrateErrors) {
  auto* p = static_cast<char*>(alloc());
  cl_event bad = reinterpret_cast<cl_event>(queue);
  cl_event foreign = user_event(other_context);
  const auto migrate = [&](cl_uint n, const void** list, const std::size_t* sizes, cl_mem_migration_flags flags = 0,
                           cl_uint num = 0, const cl_event* events = nullptr) {
    return clEnqueueSVMMigrateMem(queue, n, list, sizes, flags, num, events, nullptr);
  };
  const void* inside = p + 100;
  const void* outside = &bad;
  const std::size_t whole = 0;
  const std::size_t fits = 4096 - 100;
  const std::size_t too_long = 4096 - 99;
  EXPECT_EQ(migrate(0, &inside, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(migrate(1, nullptr, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(migrate(1, &inside, nullptr, 8), CL_INVALID_VALUE);
  EXPECT_EQ(migrate(1, &inside, &too_long), CL_INVALID_VALUE);
  EXPECT_EQ(migrate(1, &outside, &fits), CL_INVALID_VALUE);
  EXPECT_EQ(migrate(1, &inside, nullptr, 0, 1, nullptr), CL_INVALID_EVENT_WAIT_LIST);
  EXPECT_EQ(migrate(1, &inside, nullptr, 0, 0, &bad), CL_INVALID_EVENT_WAIT_LIST);
  EXPECT_EQ(migrate(1, &inside, nullptr, 0, 1, &bad), CL_INVALID_EVENT_WAIT_LIST);
  EXPECT_EQ(migrate(1, &inside, nullptr, 0, 1, &foreign), CL_INVALID_CONTEXT);
  EXPECT_EQ(migrate(1, &inside, nullptr), CL_SUCCESS);
  EXPECT_EQ(migrate(1, &inside, &whole, CL_MIGRATE_MEM_OBJECT_HOST), CL_SUCCESS);
  EXPECT_EQ(migrate(1, &inside, &fits, CL_MIGRATE_MEM_OBJECT_CONTENT_UNDEFINED), CL_SUCCESS);
  clFinish(queue);
  clReleaseEvent(foreign);
  clSVMFree(context, p);
}

}  // namespace

// Random transfers of every kind against a copy that the host keeps: what a program wrote is what it reads, whatever
// kind of memory, shape of transfer and order of queues lies between.
#include <algorithm>
#include <array>
#include <random>

#include "tests/api/fixture.h"

namespace {

constexpr std::size_t kSize = 1 << 16;
using Bytes = std::vector<unsigned char>;
using Triple = std::array<std::size_t, 3>;

std::size_t up(std::size_t n, std::size_t to) {
  return (n + to - 1) / to * to;
}

// A box of bytes in a linear memory of kSize bytes.
struct Box {
  Triple origin;
  std::size_t row_pitch;    // as given to the call: 0 is tight
  std::size_t slice_pitch;  // likewise
  Triple region;

  std::size_t row() const { return row_pitch == 0 ? region[0] : row_pitch; }
  std::size_t slice() const { return slice_pitch == 0 ? region[1] * row() : slice_pitch; }
  std::size_t at(std::size_t y, std::size_t z) const {
    return (origin[2] + z) * slice() + (origin[1] + y) * row() + origin[0];
  }
};

// What may be written to: a buffer or a window of one, or shared virtual memory.
struct Place {
  cl_mem memory;  // null for shared virtual memory
  unsigned char* svm;
  unsigned char* copy;  // what it must hold
  std::size_t size;
};

class Data : public ClTest, public ::testing::WithParamInterface<int> {
 protected:
  std::size_t pick(std::size_t below) { return random() % below; }
  template <class T>
  T one_of(std::initializer_list<T> list) {
    return *(list.begin() + pick(list.size()));
  }

  void add(cl_mem memory, unsigned char* copy, std::size_t size) {
    memories.push_back(memory);
    buffers.push_back({memory, nullptr, copy, size});
  }
  // One buffer of each kind, windows of the first, and shared virtual memory.
  void make_places() {
    copies.resize(6, Bytes(kSize));
    for (Bytes& copy : copies) std::generate(copy.begin(), copy.end(), [&] { return random(); });
    owned = copies[3];
    add(buffer(kSize), copies[0].data(), kSize);
    add(buffer(kSize, CL_MEM_ALLOC_HOST_PTR), copies[1].data(), kSize);
    add(buffer(kSize, CL_MEM_COPY_HOST_PTR, copies[2].data()), copies[2].data(), kSize);
    add(buffer(kSize, CL_MEM_USE_HOST_PTR, owned.data()), copies[3].data(), kSize);
    for (const std::size_t i : {0U, 1U}) {
      ASSERT_EQ(clEnqueueWriteBuffer(queue, memories[i], CL_TRUE, 0, kSize, copies[i].data(), 0, nullptr, nullptr),
                CL_SUCCESS);
    }
    add(sub_buffer(memories[0], 4096, 8192), copies[0].data() + 4096, 8192);
    add(sub_buffer(memories[0], 8192, 16384), copies[0].data() + 8192, 16384);
    add(sub_buffer(memories[3], 512, 4096), copies[3].data() + 512, 4096);
    for (const std::size_t i : {4U, 5U}) {
      auto* p = static_cast<unsigned char*>(clSVMAlloc(context, 0, kSize, 0));
      ASSERT_NE(p, nullptr);
      ASSERT_EQ(clEnqueueSVMMemcpy(queue, CL_TRUE, p, copies[i].data(), kSize, 0, nullptr, nullptr), CL_SUCCESS);
      shared.push_back({nullptr, p, copies[i].data(), kSize});
    }
  }
  void TearDown() override {
    for (cl_command_queue q : queues) clReleaseCommandQueue(q);
    for (auto it = memories.rbegin(); it != memories.rend(); ++it) clReleaseMemObject(*it);
    for (const Place& p : shared) clSVMFree(context, p.svm);
    if (last != nullptr) clReleaseEvent(last);
    ClTest::TearDown();
  }

  // Every command waits for the one before it: by the queue, or by the event of the other queue's command.
  template <class Enqueue>
  void step(const char* what, Enqueue enqueue) {
    cl_command_queue q = queues[pick(queues.size())];
    cl_event event = nullptr;
    const cl_uint n = last == nullptr ? 0 : 1;
    ASSERT_EQ(enqueue(q, n, n == 0 ? nullptr : &last, &event), CL_SUCCESS) << what;
    if (last != nullptr) clReleaseEvent(last);
    last = event;
    ASSERT_EQ(clFlush(q), CL_SUCCESS);
  }
  const Place& any_buffer() { return buffers[pick(buffers.size())]; }
  // Non-blocking commands need memory of the program that stays: a new piece each time.
  unsigned char* staging() {
    host.emplace_back(kSize);
    std::generate(host.back().begin(), host.back().end(), [&] { return random(); });
    return host.back().data();
  }
  void expect_later(const unsigned char* got, const unsigned char* want, std::size_t size) {
    reads.push_back({got, Bytes(want, want + size)});
  }

  void read() {
    const Place& p = any_buffer();
    const std::size_t n = 1 + pick(p.size);
    const std::size_t at = pick(p.size - n + 1);
    unsigned char* out = staging();
    step("read", [&](cl_command_queue q, cl_uint w, const cl_event* l, cl_event* e) {
      return clEnqueueReadBuffer(q, p.memory, pick(4) == 0, at, n, out, w, l, e);
    });
    expect_later(out, p.copy + at, n);
  }
  void write() {
    const Place& p = any_buffer();
    const std::size_t n = 1 + pick(one_of({std::size_t{64}, std::size_t{4096}, p.size}));
    const std::size_t at = pick(p.size - std::min(n, p.size) + 1);
    const std::size_t bytes = std::min(n, p.size);
    const unsigned char* in = staging();
    step("write", [&](cl_command_queue q, cl_uint w, const cl_event* l, cl_event* e) {
      return clEnqueueWriteBuffer(q, p.memory, pick(4) == 0, at, bytes, in, w, l, e);
    });
    std::copy_n(in, bytes, p.copy + at);
  }
  void copy() {
    const Place& from = any_buffer();
    const Place& to = any_buffer();
    const std::size_t n = 1 + pick(std::min(from.size, to.size));
    const std::size_t a = pick(from.size - n + 1);
    const std::size_t b = pick(to.size - n + 1);
    const unsigned char* source = from.copy + a;
    unsigned char* target = to.copy + b;
    if (source < target + n && target < source + n) {
      EXPECT_EQ(clEnqueueCopyBuffer(queues[0], from.memory, to.memory, a, b, n, 0, nullptr, nullptr),
                CL_MEM_COPY_OVERLAP);
      return;
    }
    step("copy", [&](cl_command_queue q, cl_uint w, const cl_event* l, cl_event* e) {
      return clEnqueueCopyBuffer(q, from.memory, to.memory, a, b, n, w, l, e);
    });
    std::copy_n(source, n, target);
  }
  void fill() {
    const std::size_t width = std::size_t{1} << pick(8);  // 1 to 128
    const bool svm = pick(3) == 0;
    const Place& p = svm ? shared[pick(shared.size())] : any_buffer();
    const std::size_t at = pick(p.size / width) * width;
    const std::size_t n = (1 + pick((p.size - at) / width)) * width;
    Bytes pattern(width);
    std::generate(pattern.begin(), pattern.end(), [&] { return random(); });
    step("fill", [&](cl_command_queue q, cl_uint w, const cl_event* l, cl_event* e) {
      return svm ? clEnqueueSVMMemFill(q, p.svm + at, pattern.data(), width, n, w, l, e)
                 : clEnqueueFillBuffer(q, p.memory, pattern.data(), width, at, n, w, l, e);
    });
    for (std::size_t i = 0; i < n; ++i) p.copy[at + i] = pattern[i % width];
  }
  // Any pitches, tight or given, such that the box lies in `size` bytes.
  Box any_box(const Triple& region, std::size_t size) {
    for (;;) {
      Box b{{}, one_of({std::size_t{0}, region[0] + pick(40)}), 0, region};
      if (pick(2) == 0) b.slice_pitch = up(region[1] * b.row() + pick(600), b.row());
      b.origin = {pick(30), pick(10), pick(3)};
      if (b.at(region[1] - 1, region[2] - 1) + region[0] <= size) return b;
    }
  }
  Triple any_region() { return {1 + pick(64), 1 + pick(12), 1 + pick(4)}; }
  static void move_box(const unsigned char* source, const Box& from, unsigned char* target, const Box& to) {
    for (std::size_t z = 0; z < from.region[2]; ++z) {
      for (std::size_t y = 0; y < from.region[1]; ++y) {
        std::memmove(target + to.at(y, z), source + from.at(y, z), from.region[0]);
      }
    }
  }
  void write_rect() {
    const Place& p = any_buffer();
    const Triple region = any_region();
    const Box to = any_box(region, p.size);
    const Box from = any_box(region, kSize);
    const unsigned char* in = staging();
    step("write rect", [&](cl_command_queue q, cl_uint w, const cl_event* l, cl_event* e) {
      return clEnqueueWriteBufferRect(q, p.memory, pick(4) == 0, to.origin.data(), from.origin.data(), region.data(),
                                      to.row_pitch, to.slice_pitch, from.row_pitch, from.slice_pitch, in, w, l, e);
    });
    move_box(in, from, p.copy, to);
  }
  void read_rect() {
    const Place& p = any_buffer();
    const Triple region = any_region();
    const Box from = any_box(region, p.size);
    const Box to = any_box(region, kSize);
    unsigned char* out = staging();
    Bytes want(out, out + kSize);  // what lies between the rows stays as it was
    step("read rect", [&](cl_command_queue q, cl_uint w, const cl_event* l, cl_event* e) {
      return clEnqueueReadBufferRect(q, p.memory, pick(4) == 0, from.origin.data(), to.origin.data(), region.data(),
                                     from.row_pitch, from.slice_pitch, to.row_pitch, to.slice_pitch, out, w, l, e);
    });
    move_box(p.copy, from, want.data(), to);
    expect_later(out, want.data(), kSize);
  }
  void copy_rect() {
    const std::size_t a = pick(4);  // whole buffers, two of them: what overlaps has tests of its own
    const Place& from = buffers[a];
    const Place& to = buffers[(a + 1 + pick(3)) % 4];
    const Triple region = any_region();
    const Box source = any_box(region, kSize);
    const Box target = any_box(region, kSize);
    step("copy rect", [&](cl_command_queue q, cl_uint w, const cl_event* l, cl_event* e) {
      return clEnqueueCopyBufferRect(q, from.memory, to.memory, source.origin.data(), target.origin.data(),
                                     region.data(), source.row_pitch, source.slice_pitch, target.row_pitch,
                                     target.slice_pitch, w, l, e);
    });
    move_box(from.copy, source, to.copy, target);
  }
  void svm_copy() {
    const Place& p = shared[pick(shared.size())];
    const std::size_t n = 1 + pick(kSize);
    const std::size_t at = pick(kSize - n + 1);
    unsigned char* mine = staging();
    const bool out = pick(2) == 0;
    step("svm copy", [&](cl_command_queue q, cl_uint w, const cl_event* l, cl_event* e) {
      return clEnqueueSVMMemcpy(q, pick(4) == 0, out ? mine : p.svm + at, out ? p.svm + at : mine, n, w, l, e);
    });
    if (out) {
      expect_later(mine, p.copy + at, n);
    } else {
      std::copy_n(mine, n, p.copy + at);
    }
  }
  // Map, look, write, unmap.
  void map() {
    const bool svm = pick(3) == 0;
    const Place& p = svm ? shared[pick(shared.size())] : any_buffer();
    const std::size_t n = 1 + pick(p.size);
    const std::size_t at = pick(p.size - n + 1);
    const cl_map_flags flags =
        one_of<cl_map_flags>({CL_MAP_READ, CL_MAP_WRITE, CL_MAP_READ | CL_MAP_WRITE, CL_MAP_WRITE_INVALIDATE_REGION});
    unsigned char* pointer = svm ? p.svm + at : nullptr;
    step("map", [&](cl_command_queue q, cl_uint w, const cl_event* l, cl_event* e) {
      if (svm) return clEnqueueSVMMap(q, CL_FALSE, flags, pointer, n, w, l, e);
      cl_int code = CL_SUCCESS;
      pointer = static_cast<unsigned char*>(clEnqueueMapBuffer(q, p.memory, CL_FALSE, flags, at, n, w, l, e, &code));
      return code;
    });
    ASSERT_EQ(clWaitForEvents(1, &last), CL_SUCCESS);
    if (flags != CL_MAP_WRITE_INVALIDATE_REGION) {
      ASSERT_TRUE(std::equal(pointer, pointer + n, p.copy + at));
    }
    if (flags != CL_MAP_READ) {
      std::generate_n(pointer, n, [&] { return random(); });
      std::copy_n(pointer, n, p.copy + at);
    }
    step("unmap", [&](cl_command_queue q, cl_uint w, const cl_event* l, cl_event* e) {
      return svm ? clEnqueueSVMUnmap(q, pointer, w, l, e) : clEnqueueUnmapMemObject(q, p.memory, pointer, w, l, e);
    });
  }
  // To the host and back; contents stay.
  void migrate() {
    const cl_mem two[] = {any_buffer().memory, any_buffer().memory};
    const void* pointers[] = {shared[0].svm, shared[1].svm};
    const cl_mem_migration_flags flags = one_of<cl_mem_migration_flags>({0, CL_MIGRATE_MEM_OBJECT_HOST});
    step("migrate", [&](cl_command_queue q, cl_uint w, const cl_event* l, cl_event* e) {
      return pick(2) == 0 ? clEnqueueMigrateMemObjects(q, 2, two, flags, w, l, e)
                          : clEnqueueSVMMigrateMem(q, 2, pointers, nullptr, flags, w, l, e);
    });
  }

  void run(int steps) {
    make_places();
    using Step = void (Data::*)();
    constexpr Step kinds[] = {&Data::read,      &Data::write,     &Data::copy,     &Data::fill, &Data::write_rect,
                              &Data::read_rect, &Data::copy_rect, &Data::svm_copy, &Data::map,  &Data::migrate};
    for (int i = 0; i < steps && !HasFatalFailure(); ++i) (this->*kinds[pick(std::size(kinds))])();
    for (cl_command_queue q : queues) ASSERT_EQ(clFinish(q), CL_SUCCESS);
    for (const auto& [got, want] : reads) ASSERT_TRUE(std::equal(want.begin(), want.end(), got));
    for (const Place& p : buffers) {
      ASSERT_TRUE(ClTest::read(p.memory, p.size) == Bytes(p.copy, p.copy + p.size));
    }
    for (const Place& p : shared) {
      Bytes out(kSize);
      ASSERT_EQ(clEnqueueSVMMemcpy(queue, CL_TRUE, out.data(), p.svm, kSize, 0, nullptr, nullptr), CL_SUCCESS);
      ASSERT_TRUE(out == Bytes(p.copy, p.copy + kSize));
    }
  }

  std::mt19937 random{static_cast<unsigned>(GetParam())};
  std::vector<cl_command_queue> queues;
  std::vector<cl_mem> memories;
  std::vector<Place> buffers;
  std::vector<Place> shared;
  std::vector<Bytes> copies;
  Bytes owned;  // of the program, used by a buffer
  std::vector<Bytes> host;
  std::vector<std::pair<const unsigned char*, Bytes>> reads;
  cl_event last = nullptr;
};

TEST_P(Data, InOrder) {
  queues = {make_queue(context, 0)};
  run(150);
}
TEST_P(Data, OutOfOrder) {
  queues = {make_queue(context, CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE)};
  run(150);
}
TEST_P(Data, ThreeQueues) {
  queues = {make_queue(context, 0), make_queue(context, CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE),
            make_queue(context, CL_QUEUE_PROFILING_ENABLE)};
  run(150);
}
INSTANTIATE_TEST_SUITE_P(Seeds, Data, ::testing::Range(1, 5));

}  // namespace

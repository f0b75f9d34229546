// What kernels may touch: the map of overlapping ranges, and what each kind of memory object adds to it.
#include "api/objects/kernel_memory.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <random>
#include <vector>

#include "api/command/runtime.h"
#include "tests/unit/launch/fake_machine.h"

namespace sluice::api {
namespace {

std::array<std::byte, 4096> memory;

MemoryRange range(std::size_t begin, std::size_t end, std::uint64_t address) {
  return {memory.data() + begin, end - begin, Placement::device, address};
}

// The simulated address of a byte; 0: in no range.
std::uint64_t at(const KernelMemory& m, std::size_t offset) {
  const std::byte* p = memory.data() + offset;
  const MemoryRange* r = m.map().find(p);
  return r == nullptr ? 0 : r->address + static_cast<std::uint64_t>(p - r->data);
}

TEST(KernelMemory, DisjointRangesAreFoundWhole) {
  KernelMemory m;
  m.add(range(100, 200, 1'000'000));
  m.add(range(200, 300, 2'000'000));
  EXPECT_EQ(at(m, 99), 0U);
  EXPECT_EQ(at(m, 100), 1'000'000U);
  EXPECT_EQ(at(m, 199), 1'000'099U);
  EXPECT_EQ(at(m, 200), 2'000'000U);
  EXPECT_EQ(at(m, 300), 0U);
  m.remove(memory.data() + 100, 100);
  EXPECT_EQ(at(m, 150), 0U);
  EXPECT_EQ(at(m, 250), 2'000'050U);
}

TEST(KernelMemory, TheOldestOfOverlappingRangesKeepsItsWhole) {
  KernelMemory m;
  m.add(range(100, 200, 1'000'000));
  m.add(range(50, 300, 2'000'000));
  EXPECT_EQ(at(m, 50), 2'000'000U);
  EXPECT_EQ(at(m, 100), 1'000'000U);
  EXPECT_EQ(at(m, 200), 2'000'150U);  // 150 bytes past its begin
  const MemoryRange* whole = m.map().find(memory.data() + 150);
  EXPECT_EQ(whole->size_bytes, 100U);
  m.remove(memory.data() + 100, 100);
  EXPECT_EQ(at(m, 150), 2'000'100U);
  EXPECT_EQ(m.map().ranges().size(), 1U);
}

TEST(KernelMemory, TheSameRangeTwiceIsThereUntilBothAreGone) {
  KernelMemory m;
  m.add(range(0, 100, 1'000'000));
  m.add(range(0, 100, 2'000'000));
  m.remove(memory.data(), 100);
  EXPECT_NE(at(m, 50), 0U);
  m.remove(memory.data(), 100);
  EXPECT_EQ(at(m, 50), 0U);
  EXPECT_TRUE(m.map().ranges().empty());
}

// Against a list: a byte is in the map if it is in a live range, at the address of the oldest that has it.
TEST(KernelMemory, RandomRangesAgreeWithAList) {
  std::mt19937 random(5);
  KernelMemory m;
  std::vector<MemoryRange> live;
  for (int i = 1; i < 2000; ++i) {
    if (live.size() > 8 || (!live.empty() && random() % 3 == 0)) {
      const std::size_t k = random() % live.size();
      m.remove(live[k].data, live[k].size_bytes);
      live.erase(live.begin() + static_cast<std::ptrdiff_t>(k));
    } else {
      const std::size_t begin = random() % 200;
      live.push_back(range(begin, begin + 1 + random() % 40, static_cast<std::uint64_t>(i) << 20));
      m.add(live.back());
    }
    for (std::size_t offset = 0; offset < 256; ++offset) {
      const std::byte* p = memory.data() + offset;
      bool expected = false;
      for (const MemoryRange& r : live) expected |= r.data <= p && p < r.data + r.size_bytes;
      ASSERT_EQ(at(m, offset) != 0, expected) << i << " " << offset;
    }
  }
}

class KernelMemoryTest : public LaunchTest {
 protected:
  static const MemoryRange* find(const void* p) {
    return Runtime::instance().kernel_memory(0).map().find(static_cast<const std::byte*>(p));
  }
  static std::size_t ranges() { return Runtime::instance().kernel_memory(0).map().ranges().size(); }
};

TEST_F(KernelMemoryTest, BuffersLieWhereThePolicySays) {
  fake().machine.policy.default_buffer = BufferPolicy::device_mirror;
  fake().machine.policy.use_host_ptr = BufferPolicy::zero_copy;
  const std::size_t before = ranges();
  std::vector<char> host(10'000);
  cl_int e = CL_SUCCESS;
  cl_mem zero_copy = clCreateBuffer(context, CL_MEM_USE_HOST_PTR, host.size(), host.data(), &e);
  const MemoryRange* r = find(host.data() + 9'999);
  ASSERT_NE(r, nullptr);
  EXPECT_EQ(r->placement, Placement::host_pinned);
  EXPECT_EQ(r->address, reinterpret_cast<std::uintptr_t>(host.data()) ^ std::uint64_t{1} << 60);  // the machine's
  EXPECT_EQ(r->size_bytes, host.size());
  cl_mem plain = clCreateBuffer(context, 0, 5'000, nullptr, &e);
  const cl_buffer_region region{4096, 100};
  cl_mem window = clCreateSubBuffer(plain, 0, CL_BUFFER_CREATE_TYPE_REGION, &region, &e);
  EXPECT_EQ(ranges(), before + 2);  // a window is its buffer's memory
  cl_kernel k = ready_kernel(plain);
  const KernelLaunch launch = run(k);
  r = find(launch.arguments[0].data);
  ASSERT_NE(r, nullptr);
  EXPECT_EQ(r->placement, Placement::device);
  EXPECT_EQ(r->address >> 44, 1U);  // device memory of the machine's first device
  EXPECT_EQ(launch.memory, &Runtime::instance().kernel_memory(0).map());
  clReleaseMemObject(window);
  clReleaseMemObject(plain);
  clReleaseMemObject(zero_copy);
  EXPECT_EQ(ranges(), before);
}

TEST_F(KernelMemoryTest, SharedMemoryLiesWhereItsGrainSays) {
  fake().machine.device.svm = SvmSupport::fine_buffer;
  const std::size_t before = ranges();
  void* const coarse = clSVMAlloc(context, CL_MEM_READ_WRITE, 1000, 0);
  void* const fine = clSVMAlloc(context, CL_MEM_READ_WRITE | CL_MEM_SVM_FINE_GRAIN_BUFFER, 1000, 0);
  EXPECT_EQ(find(coarse)->placement, Placement::device);
  EXPECT_EQ(find(fine)->placement, Placement::host_pinned);
  EXPECT_EQ(find(static_cast<char*>(fine) + 1000), nullptr);
  clSVMFree(context, coarse);
  clSVMFree(context, fine);
  EXPECT_EQ(ranges(), before);
}

TEST_F(KernelMemoryTest, ImagesAreThereAndImagesOfABufferAreTheBuffers) {
  const std::size_t before = ranges();
  cl_mem picture = image(CL_MEM_READ_WRITE);
  EXPECT_EQ(ranges(), before + 1);
  cl_mem store = buffer(4096);
  const cl_image_format format{CL_R, CL_FLOAT};
  cl_image_desc desc{};
  desc.image_type = CL_MEM_OBJECT_IMAGE1D_BUFFER;
  desc.image_width = 16;
  desc.buffer = store;
  cl_int e = CL_SUCCESS;
  keep(clCreateImage(context, 0, &format, &desc, nullptr, &e), clReleaseMemObject);
  EXPECT_EQ(e, CL_SUCCESS);
  EXPECT_EQ(ranges(), before + 2);
  EXPECT_NE(picture, nullptr);
}

}  // namespace
}  // namespace sluice::api

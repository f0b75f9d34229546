// Eight devices behind one switch: what crosses its upstream link shares it, and copies between two devices go from port to
// port, or through host memory where the devices do not reach each other (profile eight-staged).
#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "tests/api/eight_devices.h"

namespace sluice::test {
namespace {

class EightBridged : public EightDevices {
 protected:
  static bool reach_each_other() {
    return std::string_view(std::getenv("SLUICE_PROFILE")).find("staged") == std::string_view::npos;
  }
  void SetUp() override {
    EightDevices::SetUp();
    // Buffer i is where device i wrote it; the last transfer warms the pinned memory up.
    cl_int e = CL_SUCCESS;
    mirror_ = clCreateBuffer(context_, CL_MEM_ALLOC_HOST_PTR, bytes, nullptr, &e);
    pinned_ = clEnqueueMapBuffer(queues_[0], mirror_, CL_TRUE, CL_MAP_READ, 0, bytes, 0, nullptr, nullptr, &e);
    ASSERT_EQ(e, CL_SUCCESS);
    for (std::size_t i = 0; i < devices; ++i) clReleaseEvent(transfer(i, true, CL_TRUE));
  }
  void TearDown() override {
    EXPECT_EQ(clEnqueueUnmapMemObject(queues_[0], mirror_, pinned_, 0, nullptr, nullptr), CL_SUCCESS);
    EXPECT_EQ(clFinish(queues_[0]), CL_SUCCESS);
    clReleaseMemObject(mirror_);
    EightDevices::TearDown();
  }
  cl_event transfer(std::size_t device, bool write, cl_bool blocking) {
    cl_event event = nullptr;
    EXPECT_EQ(write ? clEnqueueWriteBuffer(queues_[device], buffers_[device], blocking, 0, bytes, pinned_, 0, nullptr, &event)
                    : clEnqueueReadBuffer(queues_[device], buffers_[device], blocking, 0, bytes, pinned_, 0, nullptr, &event),
              CL_SUCCESS);
    return event;
  }
  cl_event copy(std::size_t from, std::size_t to, std::size_t queue) {
    cl_event event = nullptr;
    EXPECT_EQ(clEnqueueCopyBuffer(queues_[queue], buffers_[from], buffers_[to], 0, 0, bytes, 0, nullptr, &event), CL_SUCCESS);
    return event;
  }
  cl_ulong copy_alone(std::size_t from, std::size_t to, std::size_t queue) {
    cl_event event = copy(from, to, queue);
    EXPECT_EQ(clWaitForEvents(1, &event), CL_SUCCESS);
    return duration(event);
  }
  // From the first START to the last END.
  static double all_of(std::vector<cl_event> events) {
    EXPECT_EQ(clWaitForEvents(static_cast<cl_uint>(events.size()), events.data()), CL_SUCCESS);
    cl_ulong begin = ~cl_ulong{0};
    cl_ulong end = 0;
    for (cl_event event : events) {
      const auto [first, last] = span(event);
      begin = std::min(begin, first);
      end = std::max(end, last);
    }
    return static_cast<double>(end - begin);
  }
  cl_mem mirror_ = nullptr;
  void* pinned_ = nullptr;
};

TEST_F(EightBridged, DataGoRound) { let_data_go_round(); }

// Eight transfers through one link take as long as eight in turn; what each does before its first byte overlaps.
TEST_F(EightBridged, TheUpstreamLinkIsShared) {
  for (const bool write : {true, false}) {
    const auto alone = static_cast<double>(duration(transfer(0, write, CL_TRUE)));
    std::vector<cl_event> events;
    for (std::size_t i = 0; i < devices; ++i) events.push_back(transfer(i, write, CL_FALSE));
    const double together = all_of(events);
    EXPECT_GT(together, 7.8 * alone) << write;
    EXPECT_LT(together, 8.2 * alone) << write;
  }
}

// A copy between two devices is the source's writes, as those of a read to the host are; the upstream link takes no part.
TEST_F(EightBridged, CopiesGoFromPeerToPeer) {
  if (!reach_each_other()) GTEST_SKIP() << "of the machine whose devices reach each other";
  const auto read = static_cast<double>(duration(transfer(0, false, CL_TRUE)));
  const auto alone = static_cast<double>(copy_alone(0, 1, 1));
  EXPECT_NEAR(alone, read, 0.02 * read);
  // Whoever's queue it is in; and four pairs do not disturb each other.
  EXPECT_NEAR(static_cast<double>(copy_alone(2, 3, 2)), alone, 2.0);
  EXPECT_LT(all_of({copy(0, 1, 0), copy(2, 3, 2), copy(4, 5, 4), copy(6, 7, 6)}), 1.2 * alone);
  // Two that write to a third share its wire.
  const double both = all_of({copy(0, 2, 0), copy(1, 2, 1)});
  EXPECT_GT(both, 1.9 * alone);
  EXPECT_LT(both, 2.2 * alone);
  // Once a command of its own device has written it, a buffer is copied there at the device's own rate.
  cl_event event = nullptr;
  ASSERT_EQ(clEnqueueMigrateMemObjects(queues_[0], 1, &buffers_[1], 0, 0, nullptr, &event), CL_SUCCESS);
  ASSERT_EQ(clWaitForEvents(1, &event), CL_SUCCESS);
  EXPECT_NEAR(static_cast<double>(duration(event)), alone, 2.0);
  EXPECT_LT(static_cast<double>(copy_alone(1, 0, 0)), 0.5 * alone);
}

// Through host memory: a chunk goes out of one device while the one before it goes into the other, so it takes longer than
// either way and less than both.
TEST_F(EightBridged, CopiesAreStagedWhereDevicesDoNotReachEachOther) {
  if (reach_each_other()) GTEST_SKIP() << "of the machine whose devices do not";
  const auto out = static_cast<double>(duration(transfer(0, false, CL_TRUE)));
  const auto in = static_cast<double>(duration(transfer(1, true, CL_TRUE)));
  const auto alone = static_cast<double>(copy_alone(0, 1, 1));
  EXPECT_GT(alone, std::max(out, in));
  EXPECT_LT(alone, out + in);
}

}  // namespace
}  // namespace sluice::test

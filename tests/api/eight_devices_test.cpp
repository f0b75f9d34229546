// Eight devices without a bridge: data go round through all of them, and what they do at the same time takes no longer than
// what one does, as each has a link of its own.
#include "tests/api/eight_devices.h"

namespace sluice::test {
namespace {

TEST_F(EightDevices, DataGoRound) { let_data_go_round(); }

TEST_F(EightDevices, LinksAreTheirOwn) {
  cl_int e = CL_SUCCESS;
  cl_mem mirror = clCreateBuffer(context_, CL_MEM_ALLOC_HOST_PTR, bytes, nullptr, &e);
  void* pinned = clEnqueueMapBuffer(queues_[0], mirror, CL_TRUE, CL_MAP_READ, 0, bytes, 0, nullptr, nullptr, &e);
  ASSERT_EQ(e, CL_SUCCESS);
  const auto write = [&](std::size_t i, cl_bool blocking) {
    cl_event event = nullptr;
    EXPECT_EQ(clEnqueueWriteBuffer(queues_[i], buffers_[i], blocking, 0, bytes, pinned, 0, nullptr, &event), CL_SUCCESS);
    return event;
  };
  std::array<cl_ulong, devices> alone{};
  for (std::size_t i = 0; i < devices; ++i) {
    cl_event event = write(i, CL_TRUE);
    alone[i] = duration(event);
  }
  std::array<cl_event, devices> together{};
  for (std::size_t i = 0; i < devices; ++i) together[i] = write(i, CL_FALSE);
  ASSERT_EQ(clWaitForEvents(devices, together.data()), CL_SUCCESS);
  for (std::size_t i = 0; i < devices; ++i) {
    EXPECT_NEAR(static_cast<double>(duration(together[i])), static_cast<double>(alone[i]), 1.0) << i;  // stamps are cut to ns
  }
  EXPECT_EQ(clEnqueueUnmapMemObject(queues_[0], mirror, pinned, 0, nullptr, nullptr), CL_SUCCESS);
  EXPECT_EQ(clFinish(queues_[0]), CL_SUCCESS);
  clReleaseMemObject(mirror);
}

}  // namespace
}  // namespace sluice::test

// A device without shared virtual memory: every call of the family says so.
#include "tests/api/fixture.h"

namespace {

using WithoutSvm = ClTest;

TEST_F(WithoutSvm, Map) {
  char p[16];
  EXPECT_EQ(clEnqueueSVMMap(queue, CL_TRUE, CL_MAP_READ, p, 16, 0, nullptr, nullptr), CL_INVALID_OPERATION);
}

TEST_F(WithoutSvm, Unmap) {
  char p[16];
  EXPECT_EQ(clEnqueueSVMUnmap(queue, p, 0, nullptr, nullptr), CL_INVALID_OPERATION);
}

TEST_F(WithoutSvm, TheRest) {
  cl_device_svm_capabilities capabilities = 1;
  EXPECT_EQ(clGetDeviceInfo(device, CL_DEVICE_SVM_CAPABILITIES, sizeof capabilities, &capabilities, nullptr),
            CL_SUCCESS);
  EXPECT_EQ(capabilities, 0U);
  EXPECT_EQ(clSVMAlloc(context, CL_MEM_READ_WRITE, 64, 0), nullptr);
  char p[32] = {};
  void* list[] = {p};
  const void* const_list[] = {p};
  clSVMFree(context, p);
  EXPECT_EQ(clEnqueueSVMMemcpy(queue, CL_TRUE, p, p + 16, 16, 0, nullptr, nullptr), CL_INVALID_OPERATION);
  EXPECT_EQ(clEnqueueSVMMemFill(queue, p, p, 1, 16, 0, nullptr, nullptr), CL_INVALID_OPERATION);
  EXPECT_EQ(clEnqueueSVMFree(queue, 1, list, nullptr, nullptr, 0, nullptr, nullptr), CL_INVALID_OPERATION);
  EXPECT_EQ(clEnqueueSVMMigrateMem(queue, 1, const_list, nullptr, 0, 0, nullptr, nullptr), CL_INVALID_OPERATION);
}

}  // namespace

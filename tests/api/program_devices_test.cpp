// Programs for two devices: each has its own build.
#include "tests/api/program_fixture.h"

namespace {

class TwoDevices : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    cl_platform_id platform = nullptr;
    clGetPlatformIDs(1, &platform, nullptr);
    ASSERT_EQ(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 2, both, nullptr), CL_SUCCESS);
    clReleaseContext(context);
    clReleaseCommandQueue(queue);
    cl_int e = CL_SUCCESS;
    context = clCreateContext(nullptr, 2, both, nullptr, nullptr, &e);
    ASSERT_EQ(e, CL_SUCCESS);
    queue = make_queue(context, 0);
  }
  cl_int status_on(cl_program p, int i) {
    cl_build_status status = 99;
    EXPECT_EQ(clGetProgramBuildInfo(p, both[i], CL_PROGRAM_BUILD_STATUS, sizeof status, &status, nullptr), CL_SUCCESS);
    return status;
  }
  cl_device_id both[2] = {};
};

TEST_F(TwoDevices, AreBuiltForOneByOne) {
  cl_program p = source("kernel void k() {}\n#ifdef BAD\n#error\n#endif");
  EXPECT_EQ(clBuildProgram(p, 1, &both[1], nullptr, nullptr, nullptr), CL_SUCCESS);
  EXPECT_EQ(status_on(p, 0), CL_BUILD_NONE);
  EXPECT_EQ(status_on(p, 1), CL_BUILD_SUCCESS);
  EXPECT_EQ(kernel_names(p), "k");  // "a successfully built ... executable for at least one device"
  std::size_t sizes[2] = {99, 99};
  EXPECT_EQ(clGetProgramInfo(p, CL_PROGRAM_BINARY_SIZES, sizeof sizes, sizes, nullptr), CL_SUCCESS);
  EXPECT_EQ(sizes[0], 0U);
  EXPECT_GT(sizes[1], 0U);
  EXPECT_EQ(clBuildProgram(p, 1, &both[0], "-DBAD", nullptr, nullptr), CL_BUILD_PROGRAM_FAILURE);
  EXPECT_EQ(status_on(p, 0), CL_BUILD_ERROR);
  EXPECT_EQ(status_on(p, 1), CL_BUILD_SUCCESS);
  EXPECT_EQ(build(p), CL_SUCCESS);
  EXPECT_EQ(status_on(p, 0), CL_BUILD_SUCCESS);
}

TEST_F(TwoDevices, BinariesAreOfTheListedDevices) {
  cl_program p = source("kernel void k() {}");
  ASSERT_EQ(build(p), CL_SUCCESS);
  const std::vector<unsigned char> bytes = binary(p);
  const unsigned char* list[] = {bytes.data(), bytes.data()};
  const std::size_t lengths[] = {bytes.size(), 1};
  cl_int status[2] = {99, 99};
  cl_int e = 99;
  EXPECT_EQ(clCreateProgramWithBinary(context, 2, both, lengths, list, status, &e), nullptr);
  EXPECT_EQ(e, CL_INVALID_BINARY);
  EXPECT_EQ(status[0], CL_SUCCESS);
  EXPECT_EQ(status[1], CL_INVALID_BINARY);
  cl_program one = keep(clCreateProgramWithBinary(context, 1, &both[1], lengths, list, status, &e));
  ASSERT_EQ(e, CL_SUCCESS);
  cl_uint n = 0;
  EXPECT_EQ(clGetProgramInfo(one, CL_PROGRAM_NUM_DEVICES, sizeof n, &n, nullptr), CL_SUCCESS);
  EXPECT_EQ(n, 1U);
  cl_device_id of = nullptr;
  EXPECT_EQ(clGetProgramInfo(one, CL_PROGRAM_DEVICES, sizeof of, &of, nullptr), CL_SUCCESS);
  EXPECT_EQ(of, both[1]);
  // "if device is not in the list of devices associated with program".
  EXPECT_EQ(clGetProgramBuildInfo(one, both[0], CL_PROGRAM_BUILD_STATUS, 0, nullptr, nullptr), CL_INVALID_DEVICE);
  EXPECT_EQ(clBuildProgram(one, 1, &both[0], nullptr, nullptr, nullptr), CL_INVALID_DEVICE);
  EXPECT_EQ(clBuildProgram(one, 0, nullptr, nullptr, nullptr, nullptr), CL_SUCCESS);
}

// "All programs contain a compiled binary or library for the device": linked; "none": not linked for it; else an error.
TEST_F(TwoDevices, LinkWhereAllAreCompiled) {
  cl_program a = source("int f() { return 1; }");
  cl_program b = source("int g() { return 1; }");
  ASSERT_EQ(clCompileProgram(a, 1, &both[0], nullptr, 0, nullptr, nullptr, nullptr, nullptr), CL_SUCCESS);
  ASSERT_EQ(clCompileProgram(b, 1, &both[0], nullptr, 0, nullptr, nullptr, nullptr, nullptr), CL_SUCCESS);
  cl_int e = 99;
  cl_program p = link({a, b}, nullptr, e);
  EXPECT_EQ(e, CL_SUCCESS);
  EXPECT_EQ(status_on(p, 0), CL_BUILD_SUCCESS);
  EXPECT_EQ(status_on(p, 1), CL_BUILD_NONE);
  ASSERT_EQ(clCompileProgram(b, 1, &both[1], nullptr, 0, nullptr, nullptr, nullptr, nullptr), CL_SUCCESS);
  EXPECT_EQ(link({a, b}, nullptr, e), nullptr);
  EXPECT_EQ(e, CL_INVALID_OPERATION);
}

}  // namespace

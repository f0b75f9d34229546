// What build options do to the program, as section 5.8.6 of the specification says it; options.cpp and preprocessing are
// tested elsewhere.
#include <cmath>
#include <limits>

#include "tests/api/program_fixture.h"

namespace {

class BuildOptions : public ProgramTest {
 protected:
  // A program that is one exactly where the condition, a constant expression, holds.
  bool holds(const std::string& condition, const char* options) {
    cl_program p = source("constant char size[(" + condition + ") ? 1 : -1] = {0};\nkernel void k() {}");
    return build(p, options) == CL_SUCCESS;
  }
  // out[i] = `expression` of x = a[i] and y = b[i].
  std::vector<float> values(const std::string& expression, const char* options, const std::vector<float>& a,
                            const std::vector<float>& b) {
    cl_program p = source(
        "kernel void k(global const float* a, global const float* b, global float* out) {\n"
        "  const size_t i = get_global_id(0); const float x = a[i], y = b[i];\n"
        "  out[i] = " + expression + ";\n}");
    EXPECT_EQ(build(p, options), CL_SUCCESS) << log(p);
    cl_kernel k = clCreateKernel(p, "k", nullptr);
    const std::size_t n = a.size(), bytes = n * sizeof(float);
    auto* pa = const_cast<float*>(a.data());
    auto* pb = const_cast<float*>(b.data());
    cl_mem memory[] = {buffer(bytes, CL_MEM_COPY_HOST_PTR, pa), buffer(bytes, CL_MEM_COPY_HOST_PTR, pb), buffer(bytes)};
    for (cl_uint i = 0; i < 3; ++i) EXPECT_EQ(clSetKernelArg(k, i, sizeof memory[i], &memory[i]), CL_SUCCESS);
    EXPECT_EQ(clEnqueueNDRangeKernel(queue, k, 1, nullptr, &n, nullptr, 0, nullptr, nullptr), CL_SUCCESS);
    std::vector<float> out(n);
    EXPECT_EQ(clEnqueueReadBuffer(queue, memory[2], CL_TRUE, 0, bytes, out.data(), 0, nullptr, nullptr), CL_SUCCESS);
    for (cl_mem m : memory) clReleaseMemObject(m);
    clReleaseKernel(k);
    return out;
  }
};

// "Treat double precision floating-point constant as single precision constant."
TEST_F(BuildOptions, SinglePrecisionConstant) {
  EXPECT_TRUE(holds("sizeof(1.5) == 8", nullptr));
  EXPECT_TRUE(holds("sizeof(1.5) == 4", "-cl-single-precision-constant"));
}

// "an application can specify whether single precision floating-point divide and sqrt are correctly rounded". The host's
// are, as IEEE 754 has it.
TEST_F(BuildOptions, CorrectlyRoundedDivisionAndSquareRoot) {
  std::vector<float> a, b, quotients, roots;
  for (int i = 1; i <= 500; ++i) {
    a.push_back(static_cast<float>(i) * 1.37F);
    b.push_back(static_cast<float>(501 - i) * 0.93F);
    quotients.push_back(a.back() / b.back());
    roots.push_back(std::sqrt(a.back()));
  }
  EXPECT_EQ(values("x / y", "-cl-fp32-correctly-rounded-divide-sqrt", a, b), quotients);
  EXPECT_EQ(values("sqrt(x)", "-cl-fp32-correctly-rounded-divide-sqrt", a, b), roots);
}

// Subnormal numbers "may be flushed to zero"; nothing else may change. Without the option the device, which reports
// CL_FP_DENORM, keeps them.
TEST_F(BuildOptions, DenormsAreZero) {
  const float small = std::numeric_limits<float>::min();
  const std::vector<float> a = {small, 3.0F}, b = {0.5F, 0.5F};
  EXPECT_EQ(values("x * y", nullptr, a, b), (std::vector<float>{small / 2, 1.5F}));
  const auto flushed = values("x * y", "-cl-denorms-are-zero", a, b);
  EXPECT_TRUE(flushed[0] == 0 || flushed[0] == small / 2) << flushed[0];
  EXPECT_EQ(flushed[1], 1.5F);
}

// Permissions: finite values whose exact results are numbers come out exactly under each.
TEST_F(BuildOptions, MathematicsThatMayBeLessPrecise) {
  const std::vector<float> a = {1.5F, -2.0F, 0.25F}, b = {4.0F, 0.5F, 8.0F};
  for (const char* option : {"-cl-mad-enable", "-cl-no-signed-zeros", "-cl-unsafe-math-optimizations",
                             "-cl-finite-math-only", "-cl-fast-relaxed-math", "-cl-opt-disable"}) {
    EXPECT_EQ(values("x * y + 1.0f", option, a, b), (std::vector<float>{7.0F, 0.0F, 3.0F})) << option;
  }
}

// "Ignore the signedness of zero": x + 0 may become x; without the option -0 + 0 is 0 (IEEE 754, 6.3).
TEST_F(BuildOptions, NoSignedZeros) {
  const std::vector<float> a = {-0.0F}, b = {0.0F};
  EXPECT_FALSE(std::signbit(values("x + 0.0f", nullptr, a, b)[0]));
  EXPECT_EQ(values("x + 0.0f", "-cl-no-signed-zeros", a, b)[0], 0.0F);
}

// "If not specified ... CL_KERNEL_ARG_INFO_NOT_AVAILABLE".
TEST_F(BuildOptions, KernelArgumentInfo) {
  for (const bool wanted : {false, true}) {
    cl_program p = source("kernel void k(global const float* first) {}");
    ASSERT_EQ(build(p, wanted ? "-cl-kernel-arg-info" : nullptr), CL_SUCCESS);
    cl_kernel k = clCreateKernel(p, "k", nullptr);
    char name[16] = {};
    EXPECT_EQ(clGetKernelArgInfo(k, 0, CL_KERNEL_ARG_NAME, sizeof name, name, nullptr),
              wanted ? CL_SUCCESS : CL_KERNEL_ARG_INFO_NOT_AVAILABLE);
    EXPECT_STREQ(name, wanted ? "first" : "");
    clReleaseKernel(k);
  }
}

// Each version is as the page has it, and stands for itself.
TEST_F(BuildOptions, Standards) {
  EXPECT_TRUE(holds("__OPENCL_C_VERSION__ == 120", nullptr));
  EXPECT_TRUE(holds("__OPENCL_C_VERSION__ == 100", "-cl-std=CL1.0"));
  EXPECT_TRUE(holds("__OPENCL_C_VERSION__ == 110", "-cl-std=CL1.1"));
  EXPECT_TRUE(holds("__OPENCL_C_VERSION__ == 120", "-cl-std=CL1.2"));
  EXPECT_TRUE(holds("__OPENCL_C_VERSION__ == 300", "-cl-std=CL3.0"));
  cl_program p = source("kernel void k() {}");
  for (const char* option : {"-cl-std", "-cl-std=", "-cl-std=1.2", "-cl-std=CLC++", "-cl-std=cl1.2"}) {
    EXPECT_EQ(build(p, option), CL_INVALID_BUILD_OPTIONS) << option;
  }
}

// "-enable-link-options ... must be specified with the create-library option"
TEST_F(BuildOptions, Libraries) {
  const std::vector<cl_program> inputs = {compiled("int two() { return 2; }")};
  cl_int e = CL_SUCCESS;
  cl_program library = link(inputs, "-create-library", e);
  EXPECT_EQ(e, CL_SUCCESS);
  EXPECT_EQ(type_of(library), cl_program_binary_type{CL_PROGRAM_BINARY_TYPE_LIBRARY});
  library = link(inputs, "-create-library -enable-link-options -cl-no-signed-zeros", e);
  EXPECT_EQ(e, CL_SUCCESS);
  EXPECT_EQ(type_of(library), cl_program_binary_type{CL_PROGRAM_BINARY_TYPE_LIBRARY});
  link(inputs, "-enable-link-options", e);
  EXPECT_EQ(e, CL_INVALID_LINKER_OPTIONS);
}

}  // namespace

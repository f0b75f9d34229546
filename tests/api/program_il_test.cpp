// SPIR-V (OpenCL 3.0, sections 5.8.1 and 5.8.2). The module is written here word by word, with the numbers of SPIR-V's
// specification: a kernel that stores a specialisation constant.
#include <CL/cl_ext.h>

#include "tests/api/program_fixture.h"

namespace {

using Words = std::vector<cl_uint>;

constexpr cl_uint op(cl_uint code, cl_uint words) { return words << 16 | code; }

Words module() {
  return {
      0x07230203, 0x00010000, 0, 9, 0,     // magic, version 1.0, generator, bound of ids, schema
      op(17, 2), 4,                        // OpCapability Addresses
      op(17, 2), 6,                        // OpCapability Kernel
      op(14, 3), 2, 2,                     // OpMemoryModel Physical64 OpenCL
      op(15, 4), 6, 6, 'k',                // OpEntryPoint Kernel %6 "k"
      op(71, 4), 5, 1, 100,                // OpDecorate %5 SpecId 100
      op(19, 2), 1,                        // %1 = OpTypeVoid
      op(21, 4), 2, 32, 0,                 // %2 = OpTypeInt 32 0
      op(32, 4), 3, 5, 2,                  // %3 = OpTypePointer CrossWorkgroup %2
      op(33, 4), 4, 1, 3,                  // %4 = OpTypeFunction %1 %3
      op(50, 4), 2, 5, 42,                 // %5 = OpSpecConstant %2 42
      op(54, 5), 1, 6, 0, 4,               // %6 = OpFunction %1 None %4
      op(55, 3), 3, 7,                     // %7 = OpFunctionParameter %3
      op(248, 2), 8,                       // %8 = OpLabel
      op(62, 5), 7, 5, 2, 4,               // OpStore %7 %5 Aligned 4
      op(253, 1),                          // OpReturn
      op(56, 1),                           // OpFunctionEnd
  };
}

// module(), but its kernel calls a function that is not to be inlined, which prints "" and stores the constant.
Words module_with_function() {
  return {
      0x07230203, 0x00010000, 0, 25, 0,
      op(17, 2), 4,                          // OpCapability Addresses
      op(17, 2), 6,                          // OpCapability Kernel
      op(17, 2), 39,                         // OpCapability Int8
      op(11, 5), 9, 0x6e65704f, 0x732e4c43, 0x00006474,  // %9 = OpExtInstImport "OpenCL.std"
      op(14, 3), 2, 2,                       // OpMemoryModel Physical64 OpenCL
      op(15, 4), 6, 6, 'k',                  // OpEntryPoint Kernel %6 "k"
      op(19, 2), 1,                          // %1 = OpTypeVoid
      op(21, 4), 2, 32, 0,                   // %2 = OpTypeInt 32 0
      op(21, 4), 10, 8, 0,                   // %10 = OpTypeInt 8 0
      op(32, 4), 3, 5, 2,                    // %3 = OpTypePointer CrossWorkgroup %2
      op(33, 4), 4, 1, 3,                    // %4 = OpTypeFunction %1 %3
      op(43, 4), 2, 5, 42,                   // %5 = OpConstant %2 42
      op(43, 4), 2, 13, 1,                   // %13 = OpConstant %2 1
      op(28, 4), 12, 10, 13,                 // %12 = OpTypeArray %10 %13
      op(43, 4), 10, 14, 0,                  // %14 = OpConstant %10 0
      op(44, 4), 12, 15, 14,                 // %15 = OpConstantComposite %12 %14
      op(32, 4), 16, 0, 12,                  // %16 = OpTypePointer UniformConstant %12
      op(59, 5), 16, 17, 0, 15,              // %17 = OpVariable %16 UniformConstant %15
      op(32, 4), 18, 0, 10,                  // %18 = OpTypePointer UniformConstant %10
      op(54, 5), 1, 19, 2, 4,                // %19 = OpFunction %1 DontInline %4
      op(55, 3), 3, 20,                      // %20 = OpFunctionParameter %3
      op(248, 2), 21,                        // %21 = OpLabel
      op(124, 4), 18, 22, 17,                // %22 = OpBitcast %18 %17
      op(12, 6), 2, 23, 9, 184, 22,          // %23 = OpExtInst %2 %9 printf %22
      op(62, 5), 20, 5, 2, 4,                // OpStore %20 %5 Aligned 4
      op(253, 1),                            // OpReturn
      op(56, 1),                             // OpFunctionEnd
      op(54, 5), 1, 6, 0, 4,                 // %6 = OpFunction %1 None %4
      op(55, 3), 3, 7,                       // %7 = OpFunctionParameter %3
      op(248, 2), 8,                         // %8 = OpLabel
      op(57, 5), 1, 24, 19, 7,               // %24 = OpFunctionCall %1 %19 %7
      op(253, 1),                            // OpReturn
      op(56, 1),                             // OpFunctionEnd
  };
}

// One that stores how many times 3 its sub-group has work-items.
Words module_with_sub_groups() {
  return {
      0x07230203, 0x00010000, 0, 10, 0,
      op(17, 2), 4,               // OpCapability Addresses
      op(17, 2), 6,               // OpCapability Kernel
      op(17, 2), 18,              // OpCapability Groups
      op(17, 2), 58,              // OpCapability SubgroupDispatch
      op(14, 3), 2, 2,            // OpMemoryModel Physical64 OpenCL
      op(15, 4), 6, 6, 'k',       // OpEntryPoint Kernel %6 "k"
      op(19, 2), 1,               // %1 = OpTypeVoid
      op(21, 4), 2, 32, 0,        // %2 = OpTypeInt 32 0
      op(32, 4), 3, 5, 2,         // %3 = OpTypePointer CrossWorkgroup %2
      op(33, 4), 4, 1, 3,         // %4 = OpTypeFunction %1 %3
      op(43, 4), 2, 5, 3,         // %5 = OpConstant %2 3: the scope Subgroup
      op(54, 5), 1, 6, 0, 4,      // %6 = OpFunction %1 None %4
      op(55, 3), 3, 7,            // %7 = OpFunctionParameter %3
      op(248, 2), 8,              // %8 = OpLabel
      op(264, 6), 2, 9, 5, 0, 5,  // %9 = OpGroupIAdd %2 %5 Reduce %5
      op(62, 5), 7, 9, 2, 4,      // OpStore %7 %9 Aligned 4
      op(253, 1),                 // OpReturn
      op(56, 1),                  // OpFunctionEnd
  };
}

class Il : public ProgramTest {
 protected:
  cl_program il(const Words& words, cl_int code = CL_SUCCESS) {
    cl_int e = 99;
    cl_program p = keep(clCreateProgramWithIL(context, words.data(), 4 * words.size(), &e));
    EXPECT_EQ(e, code);
    EXPECT_EQ(p == nullptr, e != CL_SUCCESS);
    return p;
  }
};

TEST_F(Il, Builds) {
  const Words words = module();
  cl_program p = il(words);
  std::size_t size = 0;
  ASSERT_EQ(clGetProgramInfo(p, CL_PROGRAM_IL, 0, nullptr, &size), CL_SUCCESS);
  ASSERT_EQ(size, 4 * words.size());
  Words back(words.size());
  EXPECT_EQ(clGetProgramInfo(p, CL_PROGRAM_IL, size, back.data(), nullptr), CL_SUCCESS);
  EXPECT_EQ(back, words);
  ASSERT_EQ(build(p), CL_SUCCESS) << log(p);
  EXPECT_EQ(kernel_names(p), "k");
  EXPECT_FALSE(binary(p).empty());
  EXPECT_EQ(build(from_binary(binary(p))), CL_SUCCESS);
}

TEST_F(Il, SubGroups) {
  const Words words = module_with_sub_groups();
  cl_program p = il(words);
  EXPECT_EQ(build(p), CL_SUCCESS) << log(p);
  EXPECT_EQ(kernel_names(p), "k");
  // The device has one size of sub-groups, and a kernel as many as its local size makes.
  for (const auto& [mode, name] :
       {std::pair<cl_uint, const char*>{35, "SubgroupSize"}, {36, "SubgroupsPerWorkgroup"}}) {
    Words asking = words;
    const Words execution_mode = {op(16, 4), 6, mode, 4};  // behind OpEntryPoint
    asking.insert(asking.begin() + 20, execution_mode.begin(), execution_mode.end());
    cl_program refused = il(asking);
    EXPECT_EQ(build(refused), CL_BUILD_PROGRAM_FAILURE);
    EXPECT_NE(log(refused).find(name), std::string::npos) << log(refused);
  }
}

TEST_F(Il, OfTheOtherByteOrder) {
  Words words = module();
  for (cl_uint& word : words) word = __builtin_bswap32(word);
  cl_program p = il(words);
  EXPECT_EQ(build(p), CL_SUCCESS) << log(p);
  EXPECT_EQ(kernel_names(p), "k");
}

TEST_F(Il, CompilesAndLinksWithSource) {
  cl_program p = il(module());
  ASSERT_EQ(compile(p), CL_SUCCESS) << log(p);
  cl_int e = 99;
  cl_program both = link({p, compiled("kernel void from_source(global int* p) { p[0] = 1; }")}, nullptr, e);
  ASSERT_EQ(e, CL_SUCCESS) << log(both);
  EXPECT_EQ(kernel_names(both), "k;from_source");
}

TEST_F(Il, SpecialisationConstants) {
  const auto built_with = [&](const cl_uint* value) {
    cl_program p = il(module());
    if (value != nullptr) {
      EXPECT_EQ(clSetProgramSpecializationConstant(p, 100, sizeof *value, value), CL_SUCCESS);
    }
    EXPECT_EQ(build(p), CL_SUCCESS) << log(p);
    return binary(p);
  };
  const cl_uint other = 7;
  const cl_uint same = 42;
  EXPECT_NE(built_with(&other), built_with(nullptr));
  EXPECT_EQ(built_with(&same), built_with(nullptr));
  cl_program p = il(module());
  EXPECT_EQ(clSetProgramSpecializationConstant(p, 101, 4, &other), CL_INVALID_SPEC_ID);
  EXPECT_EQ(clSetProgramSpecializationConstant(p, 100, 8, &other), CL_INVALID_VALUE);
  EXPECT_EQ(clSetProgramSpecializationConstant(p, 100, 4, nullptr), CL_INVALID_VALUE);
  // "CL_INVALID_PROGRAM if program is not a valid program object created from an intermediate language".
  EXPECT_EQ(clSetProgramSpecializationConstant(source("int a;"), 100, 4, &other), CL_INVALID_PROGRAM);
}

// "DontInline" is a hint; a module whose kernel calls such a function runs as any other.
TEST_F(Il, FunctionNotToBeInlined) {
  cl_program p = il(module_with_function());
  ASSERT_EQ(build(p), CL_SUCCESS) << log(p);
  cl_int e = 99;
  cl_kernel k = clCreateKernel(p, "k", &e);
  ASSERT_EQ(e, CL_SUCCESS);
  cl_mem m = buffer(4);
  EXPECT_EQ(clSetKernelArg(k, 0, sizeof m, &m), CL_SUCCESS);
  const std::size_t one = 1;
  EXPECT_EQ(clEnqueueNDRangeKernel(queue, k, 1, nullptr, &one, nullptr, 0, nullptr, nullptr), CL_SUCCESS);
  cl_uint stored = 0;
  EXPECT_EQ(clEnqueueReadBuffer(queue, m, CL_TRUE, 0, 4, &stored, 0, nullptr, nullptr), CL_SUCCESS);
  EXPECT_EQ(stored, 42U);
  clReleaseMemObject(m);
  clReleaseKernel(k);
}

TEST_F(Il, Arguments) {
  cl_int e = CL_SUCCESS;
  const Words words = module();
  EXPECT_EQ(clCreateProgramWithIL(context, nullptr, 4, &e), nullptr);
  EXPECT_EQ(e, CL_INVALID_VALUE);
  EXPECT_EQ(clCreateProgramWithIL(context, words.data(), 0, &e), nullptr);
  EXPECT_EQ(e, CL_INVALID_VALUE);
  EXPECT_EQ(clCreateProgramWithIL(context, words.data(), 4 * words.size() - 1, &e), nullptr);
  EXPECT_EQ(e, CL_INVALID_VALUE);
  il({0x07230203}, CL_INVALID_VALUE);
  std::size_t size = 99;  // of programs that were not made from IL
  EXPECT_EQ(clGetProgramInfo(source("int a;"), CL_PROGRAM_IL, 0, nullptr, &size), CL_SUCCESS);
  EXPECT_EQ(size, 0U);
}

TEST_F(Il, ExtensionFunction) {
  cl_platform_id platform = nullptr;
  clGetPlatformIDs(1, &platform, nullptr);
  const auto create = reinterpret_cast<clCreateProgramWithILKHR_fn>(
      clGetExtensionFunctionAddressForPlatform(platform, "clCreateProgramWithILKHR"));
  ASSERT_NE(create, nullptr);
  const Words words = module();
  cl_int e = 99;
  keep(create(context, words.data(), 4 * words.size(), &e));
  EXPECT_EQ(e, CL_SUCCESS);
}

// Each module that is refused or does not build is one that the calling program outlives.
TEST_F(Il, FlippedBits) {
  const Words good = module();
  for (std::size_t bit = 0; bit < 32 * good.size(); bit += 5) {
    Words bad = good;
    bad[bit / 32] ^= 1U << (bit % 32);
    cl_int e = CL_SUCCESS;
    cl_program p = clCreateProgramWithIL(context, bad.data(), 4 * bad.size(), &e);
    if (p == nullptr) {
      EXPECT_EQ(e, CL_INVALID_VALUE) << bit;
      continue;
    }
    const cl_int code = build(p);
    EXPECT_TRUE(code == CL_SUCCESS || code == CL_BUILD_PROGRAM_FAILURE) << bit;
    EXPECT_EQ(log(p).empty(), code == CL_SUCCESS) << bit;
    clReleaseProgram(p);
  }
}

}  // namespace

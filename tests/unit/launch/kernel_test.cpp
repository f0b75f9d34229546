// Kernel objects: creation, life, arguments and queries.
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "tests/unit/launch/fake_machine.h"

namespace sluice {
namespace {

class KernelTest : public LaunchTest {
 protected:
  cl_int create_error(cl_program p, const char* name) {
    cl_int e = 99;
    cl_kernel k = clCreateKernel(p, name, &e);
    EXPECT_EQ(k == nullptr, e != CL_SUCCESS);
    if (k != nullptr) clReleaseKernel(k);
    return e;
  }
  static cl_uint references(cl_kernel k) {
    cl_uint n = 99;
    EXPECT_EQ(clGetKernelInfo(k, CL_KERNEL_REFERENCE_COUNT, sizeof n, &n, nullptr), CL_SUCCESS);
    return n;
  }
  template <class T>
  static cl_int set(cl_kernel k, cl_uint index, const T& value) {
    return clSetKernelArg(k, index, sizeof value, &value);
  }
  static std::string text(cl_kernel k, cl_kernel_info name) {
    std::array<char, 200> out{};
    std::size_t size = 0;
    EXPECT_EQ(clGetKernelInfo(k, name, out.size(), out.data(), &size), CL_SUCCESS);
    EXPECT_EQ(size, std::strlen(out.data()) + 1);
    return out.data();
  }
  static std::string argument_text(cl_kernel k, cl_uint index, cl_kernel_arg_info name) {
    std::array<char, 200> out{};
    EXPECT_EQ(clGetKernelArgInfo(k, index, name, out.size(), out.data(), nullptr), CL_SUCCESS);
    return out.data();
  }
  template <class T>
  static T argument_value(cl_kernel k, cl_uint index, cl_kernel_arg_info name) {
    T out{};
    std::size_t size = 0;
    EXPECT_EQ(clGetKernelArgInfo(k, index, name, sizeof out, &out, &size), CL_SUCCESS);
    EXPECT_EQ(size, sizeof out);
    return out;
  }
  template <class T>
  T group_value(cl_kernel k, cl_kernel_work_group_info name) {
    T out{};
    EXPECT_EQ(clGetKernelWorkGroupInfo(k, device, name, sizeof out, &out, nullptr), CL_SUCCESS);
    return out;
  }
};

TEST_F(KernelTest, CreationSaysWhatIsWrong) {
  EXPECT_EQ(create_error(nullptr, "plain"), CL_INVALID_PROGRAM);
  EXPECT_EQ(create_error(make_program(context), "plain"), CL_INVALID_PROGRAM_EXECUTABLE);
  EXPECT_EQ(create_error(make_program(context), nullptr), CL_INVALID_PROGRAM_EXECUTABLE);
  EXPECT_EQ(create_error(program, "absent"), CL_INVALID_KERNEL_NAME);
  EXPECT_EQ(create_error(program, ""), CL_INVALID_KERNEL_NAME);
  EXPECT_EQ(create_error(program, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(create_error(program, "plain"), CL_SUCCESS);
}

TEST_F(KernelTest, AllKernelsOfAProgram) {
  cl_uint count = 0;
  EXPECT_EQ(clCreateKernelsInProgram(nullptr, 0, nullptr, &count), CL_INVALID_PROGRAM);
  EXPECT_EQ(clCreateKernelsInProgram(make_program(context), 0, nullptr, &count), CL_INVALID_PROGRAM_EXECUTABLE);
  EXPECT_EQ(clCreateKernelsInProgram(program, 0, nullptr, &count), CL_SUCCESS);
  EXPECT_EQ(count, 3U);
  std::array<cl_kernel, 4> kernels{};
  EXPECT_EQ(clCreateKernelsInProgram(program, 2, kernels.data(), nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(kernels[0], nullptr);
  ASSERT_EQ(clCreateKernelsInProgram(program, 4, kernels.data(), nullptr), CL_SUCCESS);
  EXPECT_EQ(text(kernels[0], CL_KERNEL_FUNCTION_NAME), "plain");
  EXPECT_EQ(text(kernels[1], CL_KERNEL_FUNCTION_NAME), "sized");
  EXPECT_EQ(text(kernels[2], CL_KERNEL_FUNCTION_NAME), "picture");
  EXPECT_EQ(kernels[3], nullptr);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(clReleaseKernel(kernels[i]), CL_SUCCESS);
}

TEST_F(KernelTest, ReferencesAreCounted) {
  cl_int e = CL_SUCCESS;
  cl_kernel k = clCreateKernel(program, "plain", &e);
  EXPECT_EQ(references(k), 1U);
  EXPECT_EQ(clRetainKernel(k), CL_SUCCESS);
  EXPECT_EQ(references(k), 2U);
  EXPECT_EQ(clReleaseKernel(k), CL_SUCCESS);
  EXPECT_EQ(clReleaseKernel(k), CL_SUCCESS);
  EXPECT_EQ(clReleaseKernel(k), CL_INVALID_KERNEL);
  EXPECT_EQ(clRetainKernel(k), CL_INVALID_KERNEL);
}

// "calls to clBuildProgram ... return CL_INVALID_OPERATION if there are kernel objects attached to a program object".
TEST_F(KernelTest, AProgramWithKernelsIsNotBuiltAgain) {
  cl_int e = CL_SUCCESS;
  cl_kernel k = clCreateKernel(program, "plain", &e);
  cl_kernel copy = clCloneKernel(k, &e);
  EXPECT_EQ(clBuildProgram(program, 0, nullptr, "", nullptr, nullptr), CL_INVALID_OPERATION);
  clReleaseKernel(k);
  EXPECT_EQ(clBuildProgram(program, 0, nullptr, "", nullptr, nullptr), CL_INVALID_OPERATION);
  clReleaseKernel(copy);
  EXPECT_EQ(clBuildProgram(program, 0, nullptr, "", nullptr, nullptr), CL_SUCCESS);
}

// "The program object is deleted after all kernel objects associated with program have been deleted".
TEST_F(KernelTest, AReleasedProgramLivesWithItsKernels) {
  const char* source = "kernel void sized() {}";
  cl_int e = CL_SUCCESS;
  cl_program p = clCreateProgramWithSource(context, 1, &source, nullptr, &e);
  EXPECT_EQ(clBuildProgram(p, 0, nullptr, "", nullptr, nullptr), CL_SUCCESS);
  cl_kernel k = clCreateKernel(p, "sized", &e);
  ASSERT_EQ(clReleaseProgram(p), CL_SUCCESS);
  cl_program theirs = nullptr;
  EXPECT_EQ(clGetKernelInfo(k, CL_KERNEL_PROGRAM, sizeof theirs, &theirs, nullptr), CL_SUCCESS);
  EXPECT_EQ(theirs, p);
  cl_context of_program = nullptr;
  EXPECT_EQ(clGetProgramInfo(p, CL_PROGRAM_CONTEXT, sizeof of_program, &of_program, nullptr), CL_SUCCESS);
  EXPECT_EQ(of_program, context);
  EXPECT_EQ(clReleaseProgram(p), CL_INVALID_PROGRAM);  // the program holds no reference
  clReleaseKernel(k);
  EXPECT_EQ(clGetProgramInfo(p, CL_PROGRAM_CONTEXT, sizeof of_program, &of_program, nullptr), CL_INVALID_PROGRAM);
}

TEST_F(KernelTest, ValuesMustHaveTheSizeOfTheirType) {
  cl_kernel k = kernel("plain");
  const std::array<char, 32> bytes{};
  EXPECT_EQ(clSetKernelArg(nullptr, 0, 4, bytes.data()), CL_INVALID_KERNEL);
  EXPECT_EQ(clSetKernelArg(k, 5, 4, bytes.data()), CL_INVALID_ARG_INDEX);
  EXPECT_EQ(clSetKernelArg(k, 3, 4, bytes.data()), CL_SUCCESS);
  EXPECT_EQ(clSetKernelArg(k, 3, 8, bytes.data()), CL_INVALID_ARG_SIZE);
  EXPECT_EQ(clSetKernelArg(k, 3, 4, nullptr), CL_INVALID_ARG_VALUE);
  EXPECT_EQ(clSetKernelArg(k, 4, pair_bytes, bytes.data()), CL_SUCCESS);
  EXPECT_EQ(clSetKernelArg(k, 4, 12, bytes.data()), CL_INVALID_ARG_SIZE);
}

TEST_F(KernelTest, LocalMemoryHasASizeAndNoValue) {
  cl_kernel k = kernel("plain");
  EXPECT_EQ(clSetKernelArg(k, 2, 64, nullptr), CL_SUCCESS);
  EXPECT_EQ(clSetKernelArg(k, 2, 0, nullptr), CL_INVALID_ARG_SIZE);
  EXPECT_EQ(clSetKernelArg(k, 2, 64, &k), CL_INVALID_ARG_VALUE);
}

TEST_F(KernelTest, PointersTakeBuffersOrNull) {
  cl_kernel k = kernel("plain");
  cl_mem b = buffer(4096);
  cl_mem null = nullptr;
  for (const cl_uint index : {0U, 1U}) {
    EXPECT_EQ(set(k, index, b), CL_SUCCESS);
    EXPECT_EQ(set(k, index, null), CL_SUCCESS);
    EXPECT_EQ(clSetKernelArg(k, index, sizeof b, nullptr), CL_SUCCESS);
    EXPECT_EQ(clSetKernelArg(k, index, 2 * sizeof b, &b), CL_INVALID_ARG_SIZE);
    EXPECT_EQ(set(k, index, buffer(64, other_context)), CL_INVALID_MEM_OBJECT);  // its page knows no other code for it
    EXPECT_EQ(set(k, index, image(CL_MEM_READ_WRITE)), CL_INVALID_MEM_OBJECT);
    EXPECT_EQ(set(k, index, queue), CL_INVALID_MEM_OBJECT);
    EXPECT_EQ(set(k, index, reinterpret_cast<cl_mem>(&k)), CL_INVALID_MEM_OBJECT);
  }
  cl_mem gone = clCreateBuffer(context, 0, 64, nullptr, nullptr);
  clReleaseMemObject(gone);
  EXPECT_EQ(set(k, 0, gone), CL_INVALID_MEM_OBJECT);
}

TEST_F(KernelTest, ImagesMustBeOfTheTypeAndAccessThatTheArgumentHas) {
  cl_kernel k = kernel("picture");
  cl_mem null = nullptr;
  EXPECT_EQ(set(k, 0, image(CL_MEM_READ_WRITE)), CL_SUCCESS);
  EXPECT_EQ(set(k, 0, image(CL_MEM_READ_ONLY)), CL_SUCCESS);
  EXPECT_EQ(set(k, 0, image(CL_MEM_WRITE_ONLY)), CL_INVALID_ARG_VALUE);
  EXPECT_EQ(set(k, 1, image(CL_MEM_WRITE_ONLY)), CL_SUCCESS);
  EXPECT_EQ(set(k, 1, image(CL_MEM_READ_ONLY)), CL_INVALID_ARG_VALUE);
  EXPECT_EQ(set(k, 0, null), CL_INVALID_MEM_OBJECT);
  EXPECT_EQ(clSetKernelArg(k, 0, sizeof null, nullptr), CL_INVALID_MEM_OBJECT);
  EXPECT_EQ(set(k, 0, buffer(4096)), CL_INVALID_MEM_OBJECT);
  EXPECT_EQ(set(k, 0, image(CL_MEM_READ_WRITE, CL_MEM_OBJECT_IMAGE3D)), CL_INVALID_MEM_OBJECT);
  EXPECT_EQ(set(k, 0, image(CL_MEM_READ_WRITE, CL_MEM_OBJECT_IMAGE2D_ARRAY)), CL_INVALID_MEM_OBJECT);
  EXPECT_EQ(clSetKernelArg(k, 0, 4, &k), CL_INVALID_ARG_SIZE);
}

TEST_F(KernelTest, SamplersMustBeSamplers) {
  cl_kernel k = kernel("picture");
  cl_sampler s = sampler(CL_TRUE, CL_ADDRESS_CLAMP, CL_FILTER_LINEAR);
  cl_sampler null = nullptr;
  EXPECT_EQ(set(k, 2, s), CL_SUCCESS);
  EXPECT_EQ(set(k, 2, null), CL_INVALID_SAMPLER);
  EXPECT_EQ(set(k, 2, context), CL_INVALID_SAMPLER);
  EXPECT_EQ(clSetKernelArg(k, 2, sizeof s, nullptr), CL_INVALID_SAMPLER);
  EXPECT_EQ(clSetKernelArg(k, 2, 2 * sizeof s, &s), CL_INVALID_ARG_SIZE);
}

TEST_F(KernelTest, TheLanguagesLimitOnAnArgumentIsKept) {
  fake().kernels[0].arguments[0].max_bytes = 4096;
  fake().kernels[0].arguments[2].max_bytes = 128;
  cl_int e = CL_SUCCESS;
  cl_kernel k = keep(clCreateKernel(built_program(context), "plain", &e), clReleaseKernel);
  EXPECT_EQ(set(k, 0, buffer(4096)), CL_SUCCESS);
  EXPECT_EQ(set(k, 0, buffer(4097)), CL_MAX_SIZE_RESTRICTION_EXCEEDED);
  EXPECT_EQ(clSetKernelArg(k, 2, 128, nullptr), CL_SUCCESS);
  EXPECT_EQ(clSetKernelArg(k, 2, 129, nullptr), CL_MAX_SIZE_RESTRICTION_EXCEEDED);
}

TEST_F(KernelTest, SharedPointersMustBeShared) {
  cl_kernel k = kernel("plain");
  char* const p = static_cast<char*>(clSVMAlloc(context, CL_MEM_READ_WRITE, 1000, 0));
  char* const theirs = static_cast<char*>(clSVMAlloc(other_context, CL_MEM_READ_WRITE, 1000, 0));
  int local = 0;
  EXPECT_EQ(clSetKernelArgSVMPointer(nullptr, 0, p), CL_INVALID_KERNEL);
  EXPECT_EQ(clSetKernelArgSVMPointer(k, 5, p), CL_INVALID_ARG_INDEX);
  EXPECT_EQ(clSetKernelArgSVMPointer(k, 0, p), CL_SUCCESS);
  EXPECT_EQ(clSetKernelArgSVMPointer(k, 1, p + 999), CL_SUCCESS);
  EXPECT_EQ(clSetKernelArgSVMPointer(k, 1, p + 1000), CL_SUCCESS);  // past the last element
  EXPECT_EQ(clSetKernelArgSVMPointer(k, 1, nullptr), CL_SUCCESS);
  EXPECT_EQ(clSetKernelArgSVMPointer(k, 1, p + 1001), CL_INVALID_ARG_VALUE);
  EXPECT_EQ(clSetKernelArgSVMPointer(k, 0, theirs), CL_INVALID_ARG_VALUE);
  EXPECT_EQ(clSetKernelArgSVMPointer(k, 0, &local), CL_INVALID_ARG_VALUE);
  EXPECT_EQ(clSetKernelArgSVMPointer(k, 2, p), CL_INVALID_ARG_VALUE);
  EXPECT_EQ(clSetKernelArgSVMPointer(k, 3, p), CL_INVALID_ARG_VALUE);
  fake().machine.device.svm = SvmSupport::fine_system;
  EXPECT_EQ(clSetKernelArgSVMPointer(k, 0, &local), CL_SUCCESS);
  fake().machine.device.svm = SvmSupport::none;
  EXPECT_EQ(clSetKernelArgSVMPointer(k, 0, p), CL_INVALID_OPERATION);
  clSVMFree(context, p);
  clSVMFree(other_context, theirs);
}

TEST_F(KernelTest, ExecutionInformationIsChecked) {
  cl_kernel k = kernel("plain");
  void* const p = clSVMAlloc(context, CL_MEM_READ_WRITE, 1000, 0);
  void* const list[] = {p};
  const cl_bool yes = CL_TRUE;
  const cl_bool no = CL_FALSE;
  constexpr cl_kernel_exec_info pointers = CL_KERNEL_EXEC_INFO_SVM_PTRS;
  constexpr cl_kernel_exec_info system = CL_KERNEL_EXEC_INFO_SVM_FINE_GRAIN_SYSTEM;
  EXPECT_EQ(clSetKernelExecInfo(nullptr, pointers, sizeof list, list), CL_INVALID_KERNEL);
  EXPECT_EQ(clSetKernelExecInfo(k, pointers, sizeof list, list), CL_SUCCESS);
  EXPECT_EQ(clSetKernelExecInfo(k, pointers, 0, nullptr), CL_SUCCESS);
  EXPECT_EQ(clSetKernelExecInfo(k, pointers, sizeof list, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(clSetKernelExecInfo(k, pointers, 3, list), CL_INVALID_VALUE);
  EXPECT_EQ(clSetKernelExecInfo(k, system, sizeof no, &no), CL_SUCCESS);
  EXPECT_EQ(clSetKernelExecInfo(k, system, sizeof yes, &yes), CL_INVALID_OPERATION);
  EXPECT_EQ(clSetKernelExecInfo(k, system, 1, &no), CL_INVALID_VALUE);
  EXPECT_EQ(clSetKernelExecInfo(k, 0, sizeof no, &no), CL_INVALID_VALUE);
  fake().machine.device.svm = SvmSupport::fine_system;
  EXPECT_EQ(clSetKernelExecInfo(k, system, sizeof yes, &yes), CL_SUCCESS);
  fake().machine.device.svm = SvmSupport::none;
  EXPECT_EQ(clSetKernelExecInfo(k, pointers, sizeof list, list), CL_INVALID_OPERATION);
  clSVMFree(context, p);
}

TEST_F(KernelTest, AKernelTellsWhatItIs) {
  cl_kernel k = kernel("sized");
  EXPECT_EQ(text(k, CL_KERNEL_FUNCTION_NAME), "sized");
  EXPECT_EQ(text(k, CL_KERNEL_ATTRIBUTES), "reqd_work_group_size(8,4,1)");
  cl_context c = nullptr;
  EXPECT_EQ(clGetKernelInfo(k, CL_KERNEL_CONTEXT, sizeof c, &c, nullptr), CL_SUCCESS);
  EXPECT_EQ(c, context);
  cl_uint n = 99;
  EXPECT_EQ(clGetKernelInfo(kernel("plain"), CL_KERNEL_NUM_ARGS, sizeof n, &n, nullptr), CL_SUCCESS);
  EXPECT_EQ(n, 5U);
  EXPECT_EQ(clGetKernelInfo(k, CL_KERNEL_NUM_ARGS, 1, &n, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(clGetKernelInfo(k, 0, sizeof n, &n, nullptr), CL_INVALID_VALUE);
}

TEST_F(KernelTest, ArgumentsTellWhatTheyAre) {
  cl_kernel k = kernel("plain");
  EXPECT_EQ(argument_text(k, 0, CL_KERNEL_ARG_NAME), "p");
  EXPECT_EQ(argument_text(k, 0, CL_KERNEL_ARG_TYPE_NAME), "int*");
  using Address = cl_kernel_arg_address_qualifier;
  EXPECT_EQ(argument_value<Address>(k, 0, CL_KERNEL_ARG_ADDRESS_QUALIFIER), Address{CL_KERNEL_ARG_ADDRESS_GLOBAL});
  EXPECT_EQ(argument_value<Address>(k, 1, CL_KERNEL_ARG_ADDRESS_QUALIFIER), Address{CL_KERNEL_ARG_ADDRESS_CONSTANT});
  EXPECT_EQ(argument_value<Address>(k, 2, CL_KERNEL_ARG_ADDRESS_QUALIFIER), Address{CL_KERNEL_ARG_ADDRESS_LOCAL});
  EXPECT_EQ(argument_value<Address>(k, 3, CL_KERNEL_ARG_ADDRESS_QUALIFIER), Address{CL_KERNEL_ARG_ADDRESS_PRIVATE});
  using Qualifier = cl_kernel_arg_type_qualifier;
  EXPECT_EQ(argument_value<Qualifier>(k, 1, CL_KERNEL_ARG_TYPE_QUALIFIER), Qualifier{CL_KERNEL_ARG_TYPE_CONST});
  EXPECT_EQ(argument_value<Qualifier>(k, 3, CL_KERNEL_ARG_TYPE_QUALIFIER), Qualifier{CL_KERNEL_ARG_TYPE_NONE});
  using Access = cl_kernel_arg_access_qualifier;
  cl_kernel picture = kernel("picture");
  EXPECT_EQ(argument_value<Access>(k, 0, CL_KERNEL_ARG_ACCESS_QUALIFIER), Access{CL_KERNEL_ARG_ACCESS_NONE});
  EXPECT_EQ(argument_value<Access>(picture, 0, CL_KERNEL_ARG_ACCESS_QUALIFIER), Access{CL_KERNEL_ARG_ACCESS_READ_ONLY});
  EXPECT_EQ(argument_value<Access>(picture, 1, CL_KERNEL_ARG_ACCESS_QUALIFIER), Access{CL_KERNEL_ARG_ACCESS_WRITE_ONLY});
  EXPECT_EQ(argument_value<Address>(picture, 2, CL_KERNEL_ARG_ADDRESS_QUALIFIER), Address{CL_KERNEL_ARG_ADDRESS_PRIVATE});
  char c = 0;
  EXPECT_EQ(clGetKernelArgInfo(k, 5, CL_KERNEL_ARG_NAME, 1, &c, nullptr), CL_INVALID_ARG_INDEX);
  EXPECT_EQ(clGetKernelArgInfo(k, 0, CL_KERNEL_ARG_NAME, 1, &c, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(clGetKernelArgInfo(k, 0, 0, 1, &c, nullptr), CL_INVALID_VALUE);
}

TEST_F(KernelTest, ArgumentsTellNothingIfTheProgramWasBuiltWithoutIt) {
  for (KernelArgumentInfo& a : fake().kernels[0].arguments) a.name = "";  // clang tells types all the same
  cl_int e = CL_SUCCESS;
  cl_kernel k = keep(clCreateKernel(built_program(context), "plain", &e), clReleaseKernel);
  std::array<char, 20> out{};
  EXPECT_EQ(clGetKernelArgInfo(k, 0, CL_KERNEL_ARG_NAME, out.size(), out.data(), nullptr),
            CL_KERNEL_ARG_INFO_NOT_AVAILABLE);
}

TEST_F(KernelTest, WorkGroupInformation) {
  cl_kernel k = kernel("plain");
  EXPECT_EQ(group_value<std::size_t>(k, CL_KERNEL_WORK_GROUP_SIZE), 1024U);
  EXPECT_EQ(group_value<std::size_t>(k, CL_KERNEL_PREFERRED_WORK_GROUP_SIZE_MULTIPLE), 32U);
  EXPECT_EQ(group_value<cl_ulong>(k, CL_KERNEL_PRIVATE_MEM_SIZE), 24U);
  // "If the local memory size, for any pointer argument ... is not specified, its size is assumed to be 0."
  EXPECT_EQ(group_value<cl_ulong>(k, CL_KERNEL_LOCAL_MEM_SIZE), 100U);
  EXPECT_EQ(clSetKernelArg(k, 2, 64, nullptr), CL_SUCCESS);
  EXPECT_EQ(group_value<cl_ulong>(k, CL_KERNEL_LOCAL_MEM_SIZE), 164U);
  using Size = std::array<std::size_t, 3>;
  EXPECT_EQ(group_value<Size>(k, CL_KERNEL_COMPILE_WORK_GROUP_SIZE), (Size{0, 0, 0}));
  EXPECT_EQ(group_value<Size>(kernel("sized"), CL_KERNEL_COMPILE_WORK_GROUP_SIZE), (Size{8, 4, 1}));
  Size size{};
  EXPECT_EQ(clGetKernelWorkGroupInfo(k, device, CL_KERNEL_GLOBAL_WORK_SIZE, sizeof size, &size, nullptr),
            CL_INVALID_VALUE);
  EXPECT_EQ(clGetKernelWorkGroupInfo(k, nullptr, CL_KERNEL_WORK_GROUP_SIZE, sizeof size, &size, nullptr), CL_SUCCESS);
  EXPECT_EQ(clGetKernelWorkGroupInfo(k, reinterpret_cast<cl_device_id>(queue), CL_KERNEL_WORK_GROUP_SIZE, sizeof size,
                                     &size, nullptr),
            CL_INVALID_DEVICE);
}

// A wavefront of this machine is 32 work-items, a group at most 1024 ("sized": 8 by 4).
class SubGroupQueryTest : public KernelTest {
 protected:
  using Sizes = std::vector<std::size_t>;
  cl_int query(cl_kernel k, cl_kernel_sub_group_info name, const Sizes& input, Sizes& answer) const {
    std::size_t bytes = 99;
    const cl_int e = clGetKernelSubGroupInfo(k, device, name, input.size() * sizeof(std::size_t),
                                             input.empty() ? nullptr : input.data(),
                                             answer.size() * sizeof(std::size_t), answer.data(), &bytes);
    if (e == CL_SUCCESS) answer.resize(bytes / sizeof(std::size_t));
    return e;
  }
  std::size_t one(cl_kernel k, cl_kernel_sub_group_info name, const Sizes& input) const {
    Sizes answer{99};
    EXPECT_EQ(query(k, name, input, answer), CL_SUCCESS);
    EXPECT_EQ(answer.size(), 1U);
    return answer.front();
  }
};

TEST_F(SubGroupQueryTest, OfADispatch) {
  cl_kernel k = kernel("plain");
  EXPECT_EQ(one(k, CL_KERNEL_MAX_SUB_GROUP_SIZE_FOR_NDRANGE, {1024}), 32U);
  EXPECT_EQ(one(k, CL_KERNEL_MAX_SUB_GROUP_SIZE_FOR_NDRANGE, {3, 5}), 15U);  // a group that is smaller
  EXPECT_EQ(one(k, CL_KERNEL_SUB_GROUP_COUNT_FOR_NDRANGE, {1024}), 32U);
  EXPECT_EQ(one(k, CL_KERNEL_SUB_GROUP_COUNT_FOR_NDRANGE, {3, 5, 7}), 4U);  // 105 work-items
  EXPECT_EQ(one(k, CL_KERNEL_SUB_GROUP_COUNT_FOR_NDRANGE, {1}), 1U);
  EXPECT_EQ(one(k, CL_KERNEL_MAX_NUM_SUB_GROUPS, {}), 32U);
  EXPECT_EQ(one(k, CL_KERNEL_COMPILE_NUM_SUB_GROUPS, {}), 0U);
  EXPECT_EQ(one(kernel("sized"), CL_KERNEL_MAX_NUM_SUB_GROUPS, {}), 1U);
}

// "Any returned work-group will have one dimension. Other dimensions ... will be filled with the value 1 ... If no
// work-group size can accommodate the requested number of sub-groups, 0 will be returned in each element".
TEST_F(SubGroupQueryTest, LocalSizes) {
  cl_kernel k = kernel("plain");
  const auto sizes = [&](cl_kernel of, std::size_t count, std::size_t dimensions) {
    Sizes answer(dimensions, 99);
    EXPECT_EQ(query(of, CL_KERNEL_LOCAL_SIZE_FOR_SUB_GROUP_COUNT, {count}, answer), CL_SUCCESS);
    return answer;
  };
  EXPECT_EQ(sizes(k, 1, 1), (Sizes{32}));
  EXPECT_EQ(sizes(k, 5, 2), (Sizes{160, 1}));
  EXPECT_EQ(sizes(k, 32, 3), (Sizes{1024, 1, 1}));
  EXPECT_EQ(sizes(k, 33, 3), (Sizes{0, 0, 0}));
  EXPECT_EQ(sizes(k, 0, 2), (Sizes{0, 0}));
  EXPECT_EQ(sizes(k, ~std::size_t{0} / 32 + 2, 1), (Sizes{0}));
  EXPECT_EQ(sizes(k, 2, 4), (Sizes{64, 1, 1}));                  // more room than dimensions
  EXPECT_EQ(sizes(kernel("sized"), 1, 3), (Sizes{0, 0, 0}));  // it must be 8 by 4
}

TEST_F(SubGroupQueryTest, Misuse) {
  cl_kernel k = kernel("plain");
  const std::size_t n = 32;
  std::size_t out = 99, bytes = 99;
  const auto status = [&](cl_kernel of, cl_device_id on, cl_kernel_sub_group_info name, const void* input,
                          std::size_t input_bytes, std::size_t out_bytes) {
    return clGetKernelSubGroupInfo(of, on, name, input_bytes, input, out_bytes, &out, &bytes);
  };
  constexpr cl_kernel_sub_group_info count = CL_KERNEL_SUB_GROUP_COUNT_FOR_NDRANGE;
  EXPECT_EQ(status(k, device, count, &n, 8, 8), CL_SUCCESS);
  EXPECT_EQ(status(k, nullptr, count, &n, 8, 8), CL_SUCCESS);  // the context has one device
  EXPECT_EQ(status(nullptr, device, count, &n, 8, 8), CL_INVALID_KERNEL);
  EXPECT_EQ(status(reinterpret_cast<cl_kernel>(device), device, count, &n, 8, 8), CL_INVALID_KERNEL);
  EXPECT_EQ(status(k, reinterpret_cast<cl_device_id>(k), count, &n, 8, 8), CL_INVALID_DEVICE);
  for (const cl_kernel_sub_group_info name :
       {CL_KERNEL_MAX_SUB_GROUP_SIZE_FOR_NDRANGE, CL_KERNEL_SUB_GROUP_COUNT_FOR_NDRANGE,
        CL_KERNEL_LOCAL_SIZE_FOR_SUB_GROUP_COUNT}) {
    EXPECT_EQ(status(k, device, name, nullptr, 8, 8), CL_INVALID_VALUE) << name;
    EXPECT_EQ(status(k, device, name, &n, 0, 8), CL_INVALID_VALUE) << name;
    EXPECT_EQ(status(k, device, name, &n, 4, 8), CL_INVALID_VALUE) << name;
    EXPECT_EQ(status(k, device, name, &n, 8, 4), CL_INVALID_VALUE) << name;
    const std::size_t four[4] = {1, 1, 1, 1};
    EXPECT_EQ(status(k, device, name, four, sizeof four, 8), CL_INVALID_VALUE) << name;
  }
  const std::size_t none[2] = {4, 0}, large[2] = {1024, 2}, huge[2] = {~std::size_t{0}, 2};
  for (const std::size_t* local : {none, large, huge}) EXPECT_EQ(status(k, device, count, local, 16, 8), CL_INVALID_VALUE);
  EXPECT_EQ(status(k, device, CL_KERNEL_WORK_GROUP_SIZE, &n, 8, 8), CL_INVALID_VALUE);
  EXPECT_EQ(clGetKernelSubGroupInfo(k, device, CL_KERNEL_MAX_NUM_SUB_GROUPS, 0, nullptr, 0, nullptr, &bytes), CL_SUCCESS);
  EXPECT_EQ(bytes, sizeof(std::size_t));
}

}  // namespace
}  // namespace sluice

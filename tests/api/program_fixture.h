// Programs of one context, and what may be asked about them.
#pragma once

#include <string>
#include <vector>

#include "tests/api/fixture.h"

class ProgramTest : public ClTest {
 protected:
  void TearDown() override {
    for (cl_program p : programs) clReleaseProgram(p);
    ClTest::TearDown();
  }
  cl_program keep(cl_program p) {
    if (p != nullptr) programs.push_back(p);
    return p;
  }
  cl_program source(const std::string& text) {
    const char* strings[] = {text.data()};
    const std::size_t length = text.size();
    cl_int e = CL_SUCCESS;
    cl_program p = keep(clCreateProgramWithSource(context, 1, strings, &length, &e));
    EXPECT_EQ(e, CL_SUCCESS);
    return p;
  }
  static cl_int build(cl_program p, const char* options = nullptr) {
    return clBuildProgram(p, 0, nullptr, options, nullptr, nullptr);
  }
  static cl_int compile(cl_program p, const char* options = nullptr) {
    return clCompileProgram(p, 0, nullptr, options, 0, nullptr, nullptr, nullptr, nullptr);
  }
  cl_program compiled(const std::string& text, const char* options = nullptr) {
    cl_program p = source(text);
    EXPECT_EQ(compile(p, options), CL_SUCCESS) << log(p);
    return p;
  }
  cl_program link(const std::vector<cl_program>& inputs, const char* options, cl_int& code) {
    return keep(clLinkProgram(context, 0, nullptr, options, static_cast<cl_uint>(inputs.size()), inputs.data(), nullptr,
                              nullptr, &code));
  }
  // What a build of `text` as a kernel file says; `code` is what clBuildProgram is to return.
  std::string log_of(const std::string& text, cl_int code, const char* options = nullptr) {
    cl_program p = source(text);
    EXPECT_EQ(build(p, options), code) << text.substr(0, 200) << log(p).substr(0, 2000);
    return log(p);
  }
  // The status that the event of a launch ends with, and what it wrote to stderr.
  cl_int run(cl_kernel k, std::size_t global, std::size_t local, std::string& said) {
    cl_event event = nullptr;
    testing::internal::CaptureStderr();
    EXPECT_EQ(clEnqueueNDRangeKernel(queue, k, 1, nullptr, &global, &local, 0, nullptr, &event), CL_SUCCESS);
    EXPECT_EQ(clFinish(queue), CL_SUCCESS);
    said = testing::internal::GetCapturedStderr();
    const cl_int result = status(event);
    clReleaseEvent(event);
    return result;
  }
  std::vector<cl_int> contents(cl_mem m, std::size_t n) {
    std::vector<cl_int> data(n);
    EXPECT_EQ(clEnqueueReadBuffer(queue, m, CL_TRUE, 0, n * sizeof(cl_int), data.data(), 0, nullptr, nullptr),
              CL_SUCCESS);
    return data;
  }
  template <class T>
  T build_info(cl_program p, cl_program_build_info name) {
    T value{};
    EXPECT_EQ(clGetProgramBuildInfo(p, device, name, sizeof value, &value, nullptr), CL_SUCCESS);
    return value;
  }
  std::string build_text(cl_program p, cl_program_build_info name) {
    std::size_t size = 0;
    EXPECT_EQ(clGetProgramBuildInfo(p, device, name, 0, nullptr, &size), CL_SUCCESS);
    std::string text(size, '?');
    EXPECT_EQ(clGetProgramBuildInfo(p, device, name, size, text.data(), nullptr), CL_SUCCESS);
    EXPECT_EQ(text.back(), '\0');
    text.pop_back();
    return text;
  }
  std::string log(cl_program p) { return build_text(p, CL_PROGRAM_BUILD_LOG); }
  cl_build_status status_of(cl_program p) { return build_info<cl_build_status>(p, CL_PROGRAM_BUILD_STATUS); }
  cl_program_binary_type type_of(cl_program p) {
    return build_info<cl_program_binary_type>(p, CL_PROGRAM_BINARY_TYPE);
  }
  static std::string kernel_names(cl_program p) {
    std::size_t size = 0;
    EXPECT_EQ(clGetProgramInfo(p, CL_PROGRAM_KERNEL_NAMES, 0, nullptr, &size), CL_SUCCESS);
    std::string text(size, '?');
    EXPECT_EQ(clGetProgramInfo(p, CL_PROGRAM_KERNEL_NAMES, size, text.data(), nullptr), CL_SUCCESS);
    text.pop_back();
    return text;
  }
  // Of the first device.
  static std::vector<unsigned char> binary(cl_program p) {
    std::size_t sizes[8] = {};
    EXPECT_EQ(clGetProgramInfo(p, CL_PROGRAM_BINARY_SIZES, sizeof sizes, sizes, nullptr), CL_SUCCESS);
    std::vector<unsigned char> bytes(sizes[0]);
    unsigned char* pointers[8] = {bytes.empty() ? nullptr : bytes.data()};
    EXPECT_EQ(clGetProgramInfo(p, CL_PROGRAM_BINARIES, sizeof pointers, pointers, nullptr), CL_SUCCESS);
    return bytes;
  }
  cl_program from_binary(const std::vector<unsigned char>& bytes, cl_int code = CL_SUCCESS) {
    const unsigned char* list[] = {bytes.data()};
    const std::size_t length = bytes.size();
    cl_int e = CL_SUCCESS;
    cl_int status = 99;
    cl_program p = keep(clCreateProgramWithBinary(context, 1, &device, &length, list, &status, &e));
    EXPECT_EQ(e, code);
    EXPECT_EQ(status, code);
    return p;
  }

  std::vector<cl_program> programs;
};

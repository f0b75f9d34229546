// A machine and a kernel engine for tests of the driver alone: the driver finds them behind open_simulator() and
// make_kernel_engine(). Commands end one after the other, a microsecond each, in the order in which they came.
#pragma once

#include <CL/cl.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "sim/iface/kernel_engine.h"
#include "sim/iface/simulator.h"

namespace sluice {

struct FakeMachine {
  Machine machine;                  // may be changed between calls; starts anew with each test
  std::vector<KernelInfo> kernels;  // of every program that is built from now on
  std::vector<KernelLaunch> launches;  // that have been executed
  // What a launch does, called once; false: it fails. May be empty.
  std::function<bool(const KernelLaunch&)> body;
  std::vector<Operation> ended;  // commands, in the order of their end
  std::vector<std::pair<const void*, std::uint64_t>> unmapped;  // memory of the program that devices no longer see
};
[[nodiscard]] FakeMachine& fake();

// A context and a queue of a device with images and coarse-grained SVM, and a program with these kernels:
//   plain(global int* p, constant float* c, local int* l, int n, struct Pair s)   struct Pair { int a; long b; }
//   sized(), reqd_work_group_size(8, 4, 1)
//   picture(read_only image2d_t from, write_only image2d_t to, sampler_t how)
class LaunchTest : public ::testing::Test {
 protected:
  static constexpr std::size_t pair_bytes = 16;

  void SetUp() override;
  void TearDown() override;

  [[nodiscard]] cl_program make_program(cl_context c);
  [[nodiscard]] cl_program built_program(cl_context c);
  [[nodiscard]] cl_kernel kernel(const char* name);
  [[nodiscard]] cl_mem buffer(std::size_t bytes, cl_context c = nullptr, cl_mem_flags flags = CL_MEM_READ_WRITE);
  [[nodiscard]] cl_mem image(cl_mem_flags flags, cl_mem_object_type type = CL_MEM_OBJECT_IMAGE2D);
  [[nodiscard]] cl_sampler sampler(cl_bool normalized, cl_addressing_mode addressing, cl_filter_mode filter);
  // A kernel "plain" that is ready, its first argument `p`.
  [[nodiscard]] cl_kernel ready_kernel(cl_mem p);
  [[nodiscard]] cl_int enqueue(cl_kernel k, std::size_t global, cl_event* event = nullptr,
                               std::vector<cl_event> waits = {});
  // Enqueues and finishes; the launch as the engine got it.
  [[nodiscard]] KernelLaunch run(cl_kernel k);
  [[nodiscard]] static cl_int status(cl_event event);
  // Frees at the end of the test.
  template <class T>
  T keep(T object, cl_int (*release)(T)) {
    releases_.push_back([=] { release(object); });
    return object;
  }

  cl_platform_id platform = nullptr;
  cl_device_id device = nullptr;
  cl_context context = nullptr;
  cl_context other_context = nullptr;
  cl_command_queue queue = nullptr;
  cl_program program = nullptr;

 private:
  std::vector<std::function<void()>> releases_;
};

}  // namespace sluice

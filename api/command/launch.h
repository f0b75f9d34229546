// Kernel launches: the rules for their ranges, and what a launch captures of its kernel.
#pragma once

#include <CL/cl.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "api/command/enqueue.h"
#include "api/objects/kernel.h"
#include "sim/iface/kernel_engine.h"

namespace sluice::api {

// The arguments of clEnqueueNDRangeKernel as given.
struct RangeArguments {
  cl_uint dimensions;
  const std::size_t* offset;
  const std::size_t* global;
  const std::size_t* local;
};

// Checks them in the order of the page: CL_INVALID_WORK_DIMENSION, CL_INVALID_GLOBAL_OFFSET,
// CL_INVALID_GLOBAL_WORK_SIZE, CL_INVALID_WORK_GROUP_SIZE, CL_INVALID_WORK_ITEM_SIZE. `empty`: the launch "will trivially
// succeed", since `global` is NULL or has a zero; `range` is then not valid.
[[nodiscard]] cl_int make_range(const Device& device, const KernelInfo& kernel, const RangeArguments& given,
                                NdRange& range, bool& empty);

// The work-group size where the program leaves it to the driver: a divisor of the global size in each dimension, up to
// 256 work-items, whole wavefronts if that can be, longest in x, where neighbours share cache lines.
[[nodiscard]] std::array<std::uint64_t, 3> choose_local(const Device& device,
                                                        const std::array<std::uint64_t, 3>& global) noexcept;

// What a launch says while it runs, held back until its command has ended.
class LaunchReports final : public KernelReports {
 public:
  explicit LaunchReports(std::size_t text_limit_bytes) : text_limit_(text_limit_bytes) {}
  // Text beyond CL_DEVICE_PRINTF_BUFFER_SIZE is lost, as on hardware.
  void print(std::string_view text) override;
  void bad_access(const std::string& report) override;

  // Text goes to stdout, the first bad access to stderr with the number of the others; a launch with a bad access fails
  // with CL_OUT_OF_RESOURCES.
  void deliver(std::string_view kernel, CommandOutcome& outcome);

 private:
  std::size_t text_limit_;
  std::string text_;
  std::string first_bad_;
  std::uint64_t bad_ = 0;
};

// The kernel's arguments as they are now, for the queue's device, as the command's launch and hook; what they refer to
// is kept until the command has ended. `kernel` is ready and `range` valid. CL_MISALIGNED_SUB_BUFFER_OFFSET,
// CL_INVALID_OPERATION (an SVM pointer that is none) or CL_OUT_OF_RESOURCES (local memory, images, samplers, pipes). Images that
// the device cannot take do not exist: they were refused when they were created.
[[nodiscard]] cl_int capture(Runtime& runtime, Queue& queue, Kernel& kernel, const NdRange& range,
                             CommandRequest& request);

}  // namespace sluice::api

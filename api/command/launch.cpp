#include "api/command/launch.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "api/command/runtime.h"
#include "api/command/transfer.h"
#include "api/objects/device.h"
#include "api/objects/memory.h"
#include "api/objects/registry.h"
#include "api/objects/sampler.h"
#include "api/objects/svm.h"

namespace sluice::api {

namespace {

constexpr std::uint64_t preferred_group = 256;
constexpr std::uint64_t preferred_multiple = 32;  // of local sizes that are chosen here, on every device

// The largest divisor of n up to `limit`, of those that make whole wavefronts together with `so_far` if there are any.
std::uint64_t best_divisor(std::uint64_t n, std::uint64_t limit, std::uint64_t so_far, std::uint64_t wave) {
  limit = std::min(limit, n);
  std::uint64_t best = 1;
  for (std::uint64_t d = limit; d > 1; --d) {
    if (n % d != 0) continue;
    if (d * so_far % wave == 0) return d;
    if (best == 1) best = d;
  }
  return best;
}

// True if `a * b * c` is more than `limit`.
bool exceeds(const std::array<std::uint64_t, 3>& n, std::uint64_t limit) {
  std::uint64_t product = 1;
  return __builtin_mul_overflow(n[0], n[1], &product) || __builtin_mul_overflow(product, n[2], &product) ||
         product > limit;
}

cl_int check_local(const Device& device, const KernelInfo& kernel, const NdRange& range) {
  const auto& local = range.local;
  const bool requires_size = kernel.required_group[0] != 0;
  for (std::size_t i = 0; i < 3; ++i) {
    if (local[i] == 0) return CL_INVALID_WORK_GROUP_SIZE;
  }
  for (std::size_t i = 0; i < 3; ++i) {
    const bool uniform = kernel.uniform_groups || !device.non_uniform_groups();
    if (uniform && range.global[i] % local[i] != 0) return CL_INVALID_WORK_GROUP_SIZE;
  }
  if (exceeds(local, device.info().max_work_group_size)) return CL_INVALID_WORK_GROUP_SIZE;
  if (requires_size && local != kernel.required_group) return CL_INVALID_WORK_GROUP_SIZE;
  const auto items = device.max_work_item_sizes();
  for (std::size_t i = 0; i < range.dimensions; ++i) {
    if (local[i] > items[i]) return CL_INVALID_WORK_ITEM_SIZE;
  }
  return CL_SUCCESS;
}

// Of a sampler as OpenCL C's samplers are encoded: CLK_NORMALIZED_COORDS_*, CLK_ADDRESS_* and CLK_FILTER_*.
std::uint32_t sampler_bits(const Sampler::State& state) {
  std::uint32_t bits = state.normalized_coords != CL_FALSE ? 1 : 0;
  switch (state.addressing_mode) {
    case CL_ADDRESS_CLAMP_TO_EDGE: bits |= 2; break;
    case CL_ADDRESS_CLAMP: bits |= 4; break;
    case CL_ADDRESS_REPEAT: bits |= 6; break;
    case CL_ADDRESS_MIRRORED_REPEAT: bits |= 8; break;
    default: break;  // CL_ADDRESS_NONE
  }
  return bits | (state.filter_mode == CL_FILTER_LINEAR ? 0x20 : 0x10);
}

std::shared_ptr<const ImageDescriptor> descriptor(const Memory& memory) {
  const Image::Layout& layout = memory.image->layout();
  const auto extent = [&](std::size_t i) { return static_cast<std::uint32_t>(layout.dimensions[i]); };
  auto d = std::make_shared<ImageDescriptor>();
  d->data = memory.store();
  d->row_pitch_bytes = memory.image->row_stride();
  d->slice_pitch_bytes = layout.slice_pitch;
  d->tiling = layout.tiling;
  d->width = extent(0);
  d->channel_order = layout.format.image_channel_order;
  d->channel_type = layout.format.image_channel_data_type;
  d->pixel_bytes = static_cast<std::uint32_t>(layout.element_bytes);
  switch (layout.type) {
    case CL_MEM_OBJECT_IMAGE1D_ARRAY:
      d->dimensions = 1;
      d->array_size = extent(1);
      break;
    case CL_MEM_OBJECT_IMAGE2D:
      d->height = extent(1);
      break;
    case CL_MEM_OBJECT_IMAGE2D_ARRAY:
      d->height = extent(1);
      d->array_size = extent(2);
      break;
    case CL_MEM_OBJECT_IMAGE3D:
      d->dimensions = 3;
      d->height = extent(1);
      d->depth = extent(2);
      break;
    default: d->dimensions = 1; break;
  }
  return d;
}

// What one launch keeps alive by itself; a single block of memory.
struct Launch {
  explicit Launch(std::size_t text_limit_bytes) : reports(text_limit_bytes) {}
  Launch(const Launch&) = delete;
  Launch& operator=(const Launch&) = delete;
  ~Launch() {
    if (watched_by != nullptr) watched_by->forget_launch();
  }
  void watch(Runtime& runtime) {
    runtime.watch_launch();
    watched_by = &runtime;
  }
  Runtime* watched_by = nullptr;
  std::optional<FineTouches> fine;  // where the program's touches are tracked
  LaunchReports reports;
  KernelLaunch launch;
};

class Capture {
 public:
  Capture(const Queue& queue, CommandRequest& request) : queue_(queue), request_(request) {}

  [[nodiscard]] cl_int add(const KernelArgumentInfo& info, const Kernel::Argument& from, LaunchArgument& to) {
    if (const auto* bytes = std::get_if<std::vector<std::byte>>(&from)) {
      to.value = *bytes;
    } else if (const auto* handle = std::get_if<cl_mem>(&from)) {
      return *handle == nullptr ? CL_SUCCESS : add_memory(info, *find<Memory>(*handle), to);
    } else if (const auto* handle = std::get_if<cl_sampler>(&from)) {
      add_sampler(*find<Sampler>(*handle), to);
    } else if (const auto* svm = std::get_if<Kernel::SvmPointer>(&from)) {
      return add_svm(svm->pointer, to);
    } else if (const auto* local = std::get_if<Kernel::LocalBytes>(&from)) {
      to.size_bytes = local->bytes;
    }
    return CL_SUCCESS;
  }

  // The host may look at what the kernel writes, and the kernel wait for it, without a call.
  [[nodiscard]] bool shares_memory() const { return shares_memory_; }
  [[nodiscard]] bool fits() const {
    return read_images_ <= ImageLimits::read_arguments && write_images_ <= ImageLimits::write_arguments &&
           read_write_images_ <= ImageLimits::read_write_arguments && samplers_ <= ImageLimits::samplers &&
           pipes_ <= PipeLimits::arguments;
  }

 private:
  cl_int add_memory(const KernelArgumentInfo& info, Memory& memory, LaunchArgument& to) {
    if (const cl_int code = check_alignment(queue_, memory); code != CL_SUCCESS) return code;
    request_.keep.emplace_back(&memory);
    if (!info.is_const && (memory.flags() & CL_MEM_READ_ONLY) == 0) memory.written_by(queue_.device());
    to.data = memory.store();
    to.size_bytes = memory.size();
    if (memory.pipe) ++pipes_;
    if (memory.image == nullptr) return CL_SUCCESS;
    to.image = descriptor(memory);
    ++(info.access == 1 ? read_images_ : info.access == 2 ? write_images_ : read_write_images_);
    return CL_SUCCESS;
  }

  void add_sampler(const Sampler& sampler, LaunchArgument& to) {
    const std::uint32_t bits = sampler_bits(sampler.state());
    to.value.resize(sizeof bits);
    std::memcpy(to.value.data(), &bits, sizeof bits);
    ++samplers_;
  }

  cl_int add_svm(const void* pointer, LaunchArgument& to) {
    to.data = static_cast<std::byte*>(const_cast<void*>(pointer));
    if (pointer == nullptr) return CL_SUCCESS;
    if (const SvmAllocation* a = find_svm_argument(pointer)) {
      shares_memory_ |= a->fine_grained();
      to.size_bytes = a->size - static_cast<std::uint64_t>(to.data - a->store);
      return CL_SUCCESS;
    }
    if (queue_.device().info().svm != SvmSupport::fine_system) return CL_INVALID_OPERATION;
    shares_memory_ = true;
    // Memory of the program, of which the driver knows no bounds.
    to.size_bytes = std::numeric_limits<std::uintptr_t>::max() - reinterpret_cast<std::uintptr_t>(pointer);
    return CL_SUCCESS;
  }

  const Queue& queue_;
  CommandRequest& request_;
  std::size_t read_images_ = 0;
  std::size_t write_images_ = 0;
  std::size_t read_write_images_ = 0;
  std::size_t samplers_ = 0;
  std::size_t pipes_ = 0;
  bool shares_memory_ = false;
};

}  // namespace

cl_int make_range(const Device& device, const KernelInfo& kernel, const RangeArguments& given, NdRange& range,
                  bool& empty) {
  if (given.dimensions < 1 || given.dimensions > 3) return CL_INVALID_WORK_DIMENSION;
  const std::uint64_t largest = device.info().address_bits == 32 ? std::numeric_limits<std::uint32_t>::max()
                                                                 : std::numeric_limits<std::uint64_t>::max();
  range.dimensions = given.dimensions;
  empty = given.global == nullptr;
  for (std::size_t i = 0; i < given.dimensions; ++i) {
    range.offset[i] = given.offset == nullptr ? 0 : given.offset[i];
    range.global[i] = given.global == nullptr ? 0 : given.global[i];
    empty |= range.global[i] == 0;
  }
  for (std::size_t i = 0; i < given.dimensions; ++i) {
    if (range.offset[i] > largest || range.global[i] > largest - range.offset[i]) return CL_INVALID_GLOBAL_OFFSET;
  }
  for (std::size_t i = 0; i < given.dimensions; ++i) {
    if (range.global[i] > largest) return CL_INVALID_GLOBAL_WORK_SIZE;
  }
  if (given.local != nullptr) {
    std::copy_n(given.local, given.dimensions, range.local.begin());
  } else if (kernel.required_group[0] != 0) {
    range.local = kernel.required_group;
  } else {
    range.local = choose_local(device, range.global);
  }
  return check_local(device, kernel, range);
}

std::array<std::uint64_t, 3> choose_local(const Device& device, const std::array<std::uint64_t, 3>& global) noexcept {
  const auto items = device.max_work_item_sizes();
  std::array<std::uint64_t, 3> local{1, 1, 1};
  std::uint64_t room = std::min<std::uint64_t>(preferred_group, device.info().max_work_group_size);
  std::uint64_t so_far = 1;
  for (std::size_t i = 0; i < 3; ++i) {
    local[i] = best_divisor(global[i], std::min<std::uint64_t>(room, items[i]), so_far, preferred_multiple);
    so_far *= local[i];
    room /= local[i];
  }
  return local;
}

void LaunchReports::print(std::string_view text) { text_ += text.substr(0, text_limit_ - text_.size()); }

void LaunchReports::bad_access(const std::string& report) {
  if (bad_++ == 0) first_bad_ = report;
}

void LaunchReports::deliver(std::string_view kernel, CommandOutcome& outcome) {
  if (outcome.result == CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST) return;
  if (!text_.empty()) {
    std::fwrite(text_.data(), 1, text_.size(), stdout);
    std::fflush(stdout);  // the program may end without its exit handlers
  }
  if (bad_ == 0 && outcome.result >= 0) return;
  if (bad_ == 0) first_bad_ = "kernel \"" + std::string(kernel) + "\" failed";
  const std::string others = bad_ > 1 ? " (and " + std::to_string(bad_ - 1) + " more)" : "";
  std::fprintf(stderr, "sluice: %s%s\n", first_bad_.c_str(), others.c_str());
  outcome.result = CL_OUT_OF_RESOURCES;
}

cl_int capture(Runtime& runtime, Queue& queue, Kernel& kernel, const NdRange& range, CommandRequest& request) {
  const Kernel::Code& code = kernel.code(queue.device());
  const KernelInfo& info = code.info();
  auto launch = std::make_shared<Launch>(Device::printf_buffer_bytes);
  KernelLaunch& l = launch->launch;
  l.module = code.module;
  l.kernel = code.index;
  l.range = range;
  l.arguments.resize(kernel.arguments().size());
  l.memory = &runtime.kernel_memory(queue.device().index()).map();
  l.reports = &launch->reports;
  l.system_memory = queue.device().info().svm == SvmSupport::fine_system;
  Capture arguments(queue, request);
  for (std::size_t i = 0; i < l.arguments.size(); ++i) {
    const cl_int e = arguments.add(info.arguments[i], kernel.arguments()[i], l.arguments[i]);
    if (e != CL_SUCCESS) return e;
  }
  if (!arguments.fits() || kernel.local_bytes(info) > queue.device().info().local_memory_bytes ||
      exceeds(range.global, std::numeric_limits<std::uint64_t>::max())) {
    return CL_OUT_OF_RESOURCES;
  }
  if (arguments.shares_memory()) launch->watch(runtime);
  if (runtime.touches() != nullptr) launch->fine.emplace(runtime, queue.context());
  request.keep.emplace_back(&kernel);
  request.command.op = Operation::kernel;
  request.command.kernel = std::shared_ptr<const KernelLaunch>(launch, &l);
  request.hook = [launch = std::move(launch)](CommandOutcome& outcome) {
    launch->fine.reset();
    launch->reports.deliver(launch->launch.module->kernels()[launch->launch.kernel].name, outcome);
  };
  return CL_SUCCESS;
}

}  // namespace sluice::api

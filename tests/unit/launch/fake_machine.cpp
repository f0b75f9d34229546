#include "tests/unit/launch/fake_machine.h"

#include <CL/cl_ext.h>
#include <CL/cl_icd.h>

#include <array>
#include <deque>
#include <string>
#include <utility>

extern "C" cl_int CL_API_CALL clIcdGetPlatformIDsKHR(cl_uint, cl_platform_id*, cl_uint*);

namespace sluice {

namespace {

Machine machine_of_tests() {
  Machine m;
  m.device.global_memory_bytes = std::uint64_t{1} << 40;
  m.device.max_allocation_bytes = std::uint64_t{1} << 38;
  m.device.local_memory_bytes = 65536;
  m.device.max_work_group_size = 1024;
  m.device.images = true;
  m.device.svm = SvmSupport::coarse;
  return m;
}

class FakeModule final : public KernelModule {
 public:
  const std::vector<KernelInfo>& kernels() const noexcept override { return kernels_; }

 private:
  std::vector<KernelInfo> kernels_ = fake().kernels;
};

class FakeRun final : public KernelRun {
 public:
  explicit FakeRun(const KernelLaunch& launch) : launch_(launch) {}
  bool run_group(const std::array<std::uint64_t, 3>&, GroupTrace&) override {
    fake().launches.push_back(launch_);
    return !fake().body || fake().body(launch_);
  }

 private:
  const KernelLaunch& launch_;
};

class FakeEngine final : public KernelEngine {
 public:
  std::shared_ptr<const KernelModule> load(std::span<const std::byte>, const LoadOptions&, std::string&) override {
    return std::make_shared<FakeModule>();
  }
  std::unique_ptr<KernelRun> start(const KernelLaunch& launch, std::uint32_t) override {
    return std::make_unique<FakeRun>(launch);
  }
};

class FakeSimulator final : public Simulator {
 public:
  explicit FakeSimulator(KernelEngine& engine) : engine_(engine) {}

  const Machine& machine() const noexcept override { return fake().machine; }
  void on_completion(std::function<void(const Completion&)> sink) override { sink_ = std::move(sink); }
  std::optional<std::uint64_t> reserve_device(DeviceIndex device, std::uint64_t bytes) override {
    if (bytes > fake().machine.device.global_memory_bytes) return std::nullopt;
    return (device + 1) * (std::uint64_t{1} << 44) + (next_address_ += 4096 + bytes);
  }
  void release_device(DeviceIndex, std::uint64_t) override {}
  std::uint64_t host_address(const void* p, std::uint64_t) override {
    return reinterpret_cast<std::uintptr_t>(p) ^ std::uint64_t{1} << 60;
  }
  TimePs forget_host(const void*, std::uint64_t, TimePs) override { return 0; }
  TimePs unmap_host(const void* p, std::uint64_t bytes, TimePs) override {
    fake().unmapped.emplace_back(p, bytes);
    return 0;
  }
  void host_wrote(std::uint64_t, std::uint64_t) override {}
  void host_read(std::uint64_t, std::uint64_t) override {}
  TimePs hold(Command& command, TimePs host_now) override {
    command.called = command.queued = host_now;
    return host_now;
  }
  EnqueueStamps enqueue(Command&& command, TimePs host_now) override {
    last_end_ = std::max(last_end_, host_now) + ps_per_us;
    pending_.push_back({std::move(command), host_now, last_end_});
    return {host_now, host_now, host_now};
  }
  TimePs host_cost(HostAction) const noexcept override { return 0; }
  TimePs now() const noexcept override { return now_; }
  bool has_started(CommandId id) const noexcept override { return pending_.empty() || id < pending_.front().command.id; }
  void run_until(TimePs t) override {
    while (!pending_.empty() && pending_.front().end <= t) deliver();
    now_ = std::max(now_, t);
  }
  bool run_until_complete(CommandId id) override {
    while (!pending_.empty()) {
      if (deliver() == id) return true;
    }
    return false;
  }
  void run_out() override { pending_.clear(); }
  bool run_until_next_completion() override { return !pending_.empty() && deliver() != 0; }

 private:
  struct Pending {
    Command command;
    TimePs called;
    TimePs end;
  };

  CommandId deliver() {
    const Pending p = std::move(pending_.front());
    pending_.pop_front();
    now_ = std::max(now_, p.end);
    Completion c;
    c.id = p.command.id;
    c.queued = c.submitted = p.called;
    c.started = p.end - ps_per_us;
    c.ended = c.completed = c.visible = p.end;
    if (p.command.op == Operation::kernel) {
      GroupTrace trace;
      const auto run = engine_.start(*p.command.kernel, 32);
      c.status = run->run_group({0, 0, 0}, trace) ? 0 : -1;
    }
    fake().ended.push_back(p.command.op);
    sink_(c);
    return c.id;
  }

  KernelEngine& engine_;
  std::function<void(const Completion&)> sink_;
  std::deque<Pending> pending_;
  TimePs now_ = 0;
  TimePs last_end_ = 0;
  std::uint64_t next_address_ = 0;
};

KernelArgumentInfo argument(ArgumentKind kind, std::uint64_t bytes, std::string type, std::string name,
                            std::uint8_t access = 0) {
  KernelArgumentInfo a;
  a.kind = kind;
  a.size_bytes = bytes;
  a.type_name = std::move(type);
  a.name = std::move(name);
  a.access = access;
  return a;
}

std::vector<KernelInfo> kernels_of_tests() {
  KernelInfo plain;
  plain.name = "plain";
  plain.arguments = {argument(ArgumentKind::global, 8, "int*", "p"), argument(ArgumentKind::constant, 8, "float*", "c"),
                     argument(ArgumentKind::local, 8, "int*", "l"), argument(ArgumentKind::value, 4, "int", "n"),
                     argument(ArgumentKind::value, 16, "struct Pair", "s")};
  plain.arguments[1].is_const = true;
  plain.local_bytes = 100;
  plain.private_bytes = 24;
  plain.uniform_groups = true;
  KernelInfo sized;
  sized.name = "sized";
  sized.required_group = {8, 4, 1};
  sized.uniform_groups = true;
  sized.attributes = "reqd_work_group_size(8,4,1)";
  KernelInfo picture;
  picture.name = "picture";
  picture.arguments = {argument(ArgumentKind::image, 8, "image2d_t", "from", 1),
                       argument(ArgumentKind::image, 8, "image2d_t", "to", 2),
                       argument(ArgumentKind::sampler, 8, "sampler_t", "how")};
  return {plain, sized, picture};
}

// What a compiler makes of it is what kernels_of_tests() tells.
constexpr const char* source =
    "struct Pair { int a; long b; };\n"
    "kernel void plain(global int* p, constant float* c, local int* l, int n, struct Pair s) { p[0] = n; }\n"
    "kernel __attribute__((reqd_work_group_size(8, 4, 1))) void sized() {}\n"
    "kernel void picture(read_only image2d_t from, write_only image2d_t to, sampler_t how) {}\n";

}  // namespace

FakeMachine& fake() {
  static FakeMachine machine{machine_of_tests(), {}, {}, {}, {}, {}};
  return machine;
}

std::unique_ptr<Simulator> open_simulator(const SimulatorOptions& options, std::vector<std::string>&) {
  return std::make_unique<FakeSimulator>(*options.kernels);
}

std::unique_ptr<KernelEngine> make_kernel_engine() { return std::make_unique<FakeEngine>(); }

void LaunchTest::SetUp() {
  fake() = FakeMachine{machine_of_tests(), kernels_of_tests(), {}, {}, {}, {}};
  ASSERT_EQ(clIcdGetPlatformIDsKHR(1, &platform, nullptr), CL_SUCCESS);
  ASSERT_EQ(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, nullptr), CL_SUCCESS);
  cl_int e = CL_SUCCESS;
  context = keep(clCreateContext(nullptr, 1, &device, nullptr, nullptr, &e), clReleaseContext);
  ASSERT_EQ(e, CL_SUCCESS);
  other_context = keep(clCreateContext(nullptr, 1, &device, nullptr, nullptr, &e), clReleaseContext);
  const cl_queue_properties properties[] = {CL_QUEUE_PROPERTIES, CL_QUEUE_PROFILING_ENABLE, 0};
  queue = keep(clCreateCommandQueueWithProperties(context, device, properties, &e), clReleaseCommandQueue);
  ASSERT_EQ(e, CL_SUCCESS);
  program = built_program(context);
}

void LaunchTest::TearDown() {
  if (queue != nullptr) {
    EXPECT_EQ(clFinish(queue), CL_SUCCESS);
  }
  for (auto it = releases_.rbegin(); it != releases_.rend(); ++it) (*it)();
}

cl_program LaunchTest::make_program(cl_context c) {
  cl_int e = CL_SUCCESS;
  const char* text = source;
  cl_program p = clCreateProgramWithSource(c, 1, &text, nullptr, &e);
  EXPECT_EQ(e, CL_SUCCESS);
  return keep(p, clReleaseProgram);
}

cl_program LaunchTest::built_program(cl_context c) {
  cl_program p = make_program(c);
  EXPECT_EQ(clBuildProgram(p, 0, nullptr, "-cl-kernel-arg-info", nullptr, nullptr), CL_SUCCESS);
  return p;
}

cl_kernel LaunchTest::kernel(const char* name) {
  cl_int e = CL_SUCCESS;
  cl_kernel k = clCreateKernel(program, name, &e);
  EXPECT_EQ(e, CL_SUCCESS);
  return keep(k, clReleaseKernel);
}

cl_mem LaunchTest::buffer(std::size_t bytes, cl_context c, cl_mem_flags flags) {
  cl_int e = CL_SUCCESS;
  cl_mem m = clCreateBuffer(c == nullptr ? context : c, flags, bytes, nullptr, &e);
  EXPECT_EQ(e, CL_SUCCESS);
  return keep(m, clReleaseMemObject);
}

cl_mem LaunchTest::image(cl_mem_flags flags, cl_mem_object_type type) {
  const cl_image_format format{CL_RGBA, CL_FLOAT};
  cl_image_desc desc{};
  desc.image_type = type;
  desc.image_width = 20;
  desc.image_height = type == CL_MEM_OBJECT_IMAGE1D || type == CL_MEM_OBJECT_IMAGE1D_ARRAY ? 0 : 10;
  desc.image_depth = type == CL_MEM_OBJECT_IMAGE3D ? 5 : 0;
  desc.image_array_size = type == CL_MEM_OBJECT_IMAGE1D_ARRAY || type == CL_MEM_OBJECT_IMAGE2D_ARRAY ? 3 : 0;
  cl_int e = CL_SUCCESS;
  cl_mem m = clCreateImage(context, flags, &format, &desc, nullptr, &e);
  EXPECT_EQ(e, CL_SUCCESS);
  return keep(m, clReleaseMemObject);
}

cl_sampler LaunchTest::sampler(cl_bool normalized, cl_addressing_mode addressing, cl_filter_mode filter) {
  const cl_sampler_properties p[] = {CL_SAMPLER_NORMALIZED_COORDS, normalized, CL_SAMPLER_ADDRESSING_MODE, addressing,
                                     CL_SAMPLER_FILTER_MODE, filter, 0};
  cl_int e = CL_SUCCESS;
  cl_sampler s = clCreateSamplerWithProperties(context, p, &e);
  EXPECT_EQ(e, CL_SUCCESS);
  return keep(s, clReleaseSampler);
}

cl_kernel LaunchTest::ready_kernel(cl_mem p) {
  cl_kernel k = kernel("plain");
  const int n = 7;
  const std::array<char, pair_bytes> pair{};
  EXPECT_EQ(clSetKernelArg(k, 0, sizeof p, &p), CL_SUCCESS);
  EXPECT_EQ(clSetKernelArg(k, 1, sizeof p, nullptr), CL_SUCCESS);
  EXPECT_EQ(clSetKernelArg(k, 2, 64, nullptr), CL_SUCCESS);
  EXPECT_EQ(clSetKernelArg(k, 3, sizeof n, &n), CL_SUCCESS);
  EXPECT_EQ(clSetKernelArg(k, 4, sizeof pair, pair.data()), CL_SUCCESS);
  return k;
}

cl_int LaunchTest::enqueue(cl_kernel k, std::size_t global, cl_event* event, std::vector<cl_event> waits) {
  return clEnqueueNDRangeKernel(queue, k, 1, nullptr, &global, nullptr, static_cast<cl_uint>(waits.size()),
                                waits.empty() ? nullptr : waits.data(), event);
}

KernelLaunch LaunchTest::run(cl_kernel k) {
  fake().launches.clear();
  EXPECT_EQ(enqueue(k, 64), CL_SUCCESS);
  EXPECT_EQ(clFinish(queue), CL_SUCCESS);
  EXPECT_EQ(fake().launches.size(), 1U);
  return fake().launches.empty() ? KernelLaunch{} : fake().launches.front();
}

cl_int LaunchTest::status(cl_event event) {
  cl_int s = 99;
  EXPECT_EQ(clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof s, &s, nullptr), CL_SUCCESS);
  return s;
}

}  // namespace sluice

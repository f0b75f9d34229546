// The engine's public face: loading, checking of launches.
#include <new>

#include "sim/exec/launch_runner.h"

namespace sluice {
namespace {

using exec::LaunchRunner;
using exec::LoadedProgram;

bool is_valid(const LoadedProgram& program, const KernelLaunch& launch) {
  if (launch.kernel >= program.kernels().size()) return false;
  const auto& expected = program.kernels()[launch.kernel].arguments;
  if (launch.arguments.size() != expected.size()) return false;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (expected[i].kind == ArgumentKind::image && launch.arguments[i].image == nullptr) return false;
  }
  std::uint64_t items = 1;
  for (std::size_t i = 0; i < 3; ++i) {
    const std::uint64_t size = std::min(launch.range.local[i], launch.range.global[i]);
    constexpr std::uint64_t largest_group = std::uint64_t{1} << 20;
    if (size == 0 || size > largest_group / items) return false;
    items *= size;
  }
  return true;
}

class Engine final : public KernelEngine {
 public:
  explicit Engine(FindKernelCompiler find) : find_(find) {}

  std::shared_ptr<const KernelModule> load(std::span<const std::byte> bitcode, const LoadOptions& options,
                                           std::string& log) override {
    return LoadedProgram::load(bitcode, options, find_, log);
  }

  std::unique_ptr<KernelRun> start(const KernelLaunch& launch, std::uint32_t wave_size) override {
    auto program = std::dynamic_pointer_cast<const LoadedProgram>(launch.module);
    if (program == nullptr || !is_valid(*program, launch)) return nullptr;
    std::string log;
    if (!program->prepare(launch.kernel, log)) {
      if (launch.reports != nullptr) launch.reports->bad_access("the kernel cannot be compiled: " + log);
      return nullptr;
    }
    try {
      return std::make_unique<LaunchRunner>(std::move(program), launch, wave_size);
    } catch (const std::bad_alloc&) {
      if (launch.reports != nullptr)
        launch.reports->bad_access("a work-group of the kernel needs more memory than there is");
      return nullptr;
    }
  }

 private:
  FindKernelCompiler find_;
};

}  // namespace

std::unique_ptr<KernelEngine> make_kernel_engine(FindKernelCompiler find) {
  return std::make_unique<Engine>(find);
}

}  // namespace sluice

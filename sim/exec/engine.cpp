// The engine's public face: loading with the cache, checking of launches.
#include <pthread.h>

#include <filesystem>
#include <new>

#include "sim/exec/compile.h"
#include "sim/exec/group_runner.h"
#include "sim/exec/image_file.h"

namespace sluice {
namespace {

using exec::GroupRunner;
using exec::LoadedProgram;

// LLVM recurses over expressions and blocks: a program must not be able to overflow the caller's stack.
template <typename Work>
void on_large_stack(Work work) {
  constexpr std::size_t stack_bytes = std::size_t{256} << 20;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, stack_bytes);
  pthread_t thread{};
  auto run = [](void* argument) -> void* {
    (*static_cast<Work*>(argument))();
    return nullptr;
  };
  const bool started = pthread_create(&thread, &attributes, run, &work) == 0;
  pthread_attr_destroy(&attributes);
  if (started) {
    pthread_join(thread, nullptr);
  } else {
    work();
  }
}

bool is_valid(const LoadedProgram& program, const KernelLaunch& launch) {
  if (launch.kernel >= program.image.kernels.size()) return false;
  const auto& expected = program.image.kernels[launch.kernel].info.arguments;
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
  std::shared_ptr<const KernelModule> load(std::span<const std::byte> bitcode, const LoadOptions& options,
                                           std::string& log) override {
    auto program = std::make_shared<LoadedProgram>();
    program->group_instruction_limit = options.group_instruction_limit;
    bool ready = false;
    on_large_stack([&] { ready = prepare(*program, bitcode, options, log); });
    if (!ready) return nullptr;
    for (const auto& kernel : program->image.kernels) program->infos.push_back(kernel.info);
    program->image.object = {};
    return program;
  }

  std::unique_ptr<KernelRun> start(const KernelLaunch& launch, std::uint32_t wave_size) override {
    auto program = std::dynamic_pointer_cast<const LoadedProgram>(launch.module);
    if (program == nullptr || !is_valid(*program, launch)) return nullptr;
    try {
      return std::make_unique<GroupRunner>(std::move(program), launch, wave_size);
    } catch (const std::bad_alloc&) {
      if (launch.reports != nullptr)
        launch.reports->bad_access("a work-group of the kernel needs more memory than there is");
      return nullptr;
    }
  }

 private:
  static bool prepare(LoadedProgram& program, std::span<const std::byte> bitcode, const LoadOptions& options,
                      std::string& log) {
    std::string path;
    if (!options.cache_folder.empty()) {
      path = std::filesystem::path(options.cache_folder) / (exec::image_key(bitcode, options) + ".kernels");
      std::string ignored;
      if (exec::read_image(path, program.image)) {
        program.code = exec::NativeCode::load(program.image, ignored);
        if (program.code != nullptr) return true;
      }
      program.image = {};
    }
    if (!exec::compile(bitcode, options, program.image, log)) return false;
    program.code = exec::NativeCode::load(program.image, log);
    if (program.code == nullptr) return false;
    if (!path.empty()) exec::store_image(path, program.image);
    return true;
  }
};

}  // namespace

std::unique_ptr<KernelEngine> make_kernel_engine() {
  return std::make_unique<Engine>();
}

}  // namespace sluice

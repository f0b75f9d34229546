#include "api/command/build.h"

#include <cstdlib>

#include "api/command/runtime.h"
#include "api/compiler/features.h"
#include "api/compiler/worker.h"

namespace sluice::api {

namespace {

using compiler::ImageKind;

// $XDG_CACHE_HOME/sluice, by default ~/.cache/sluice; empty: nowhere.
std::string cache_folder() {
  const char* folder = std::getenv("XDG_CACHE_HOME");
  if (folder != nullptr && folder[0] == '/') return std::string(folder) + "/sluice";
  const char* home = std::getenv("HOME");
  return home != nullptr && home[0] == '/' ? std::string(home) + "/.cache/sluice" : std::string();
}

// Gives an executable to the engine, which looks for its built-in functions; kernels are compiled when one is made. All
// devices of a machine are alike, so one module serves them.
void load(Runtime& runtime, Program::Build& build) {
  build.module = nullptr;
  KernelEngine* const engine = runtime.kernels();
  if (build.image == nullptr || build.image->kind != ImageKind::executable || engine == nullptr) return;
  LoadOptions options;
  options.cache_folder = cache_folder();
  options.optimise = build.image->optimise;
  options.lockstep = runtime.lockstep();
  options.group_instruction_limit = runtime.group_instruction_limit();
  options.isolate = [](const std::function<std::string()>& work, std::string& error) {
    std::optional<std::string> result;
    compiler::on_large_stack([&] { result = compiler::isolated(work, error); });
    return result;
  };
  std::string log;
  compiler::on_large_stack([&] { build.module = engine->load(build.image->bitcode, options, log); });
  build.log += log;
  if (build.module == nullptr) build.status = CL_BUILD_ERROR;
}

// What one device's build came to, for all of `devices`.
bool store(Program& program, std::span<Device* const> devices, const Program::Build& result) {
  for (Device* device : devices) *program.build(device) = result;
  return result.status == CL_BUILD_SUCCESS;
}

Program::Build finish(Runtime& runtime, const std::string& options_text, compiler::Result result) {
  Program::Build build;
  build.options = options_text;
  build.log = std::move(result.log);
  build.status = result.image != nullptr ? CL_BUILD_SUCCESS : CL_BUILD_ERROR;
  build.image = std::move(result.image);
  load(runtime, build);
  if (build.status != CL_BUILD_SUCCESS) build.image = nullptr;
  return build;
}

}  // namespace

bool build_program(Runtime& runtime, Program& program, std::span<Device* const> devices,
                   const std::string& options_text, const compiler::CompileOptions& options,
                   std::vector<compiler::Header> headers, ImageKind kind) {
  if (program.origin() == Program::Origin::binary) {
    bool good = true;
    for (Device* device : devices) {
      Program::Build& build = *program.build(device);
      build.options = options_text;
      build.log.clear();
      build.status = CL_BUILD_SUCCESS;
      load(runtime, build);
      good = good && build.status == CL_BUILD_SUCCESS;
    }
    return good;
  }
  compiler::Result result;
  if (program.origin() == Program::Origin::il) {
    result = compiler::compile_il(program.il_module().words, program.constants(), options, kind,
                                  cache_folder());
  } else {
    const DeviceInfo& info = devices.front()->info();
    result = compiler::compile_source({program.source(), std::move(headers), options,
                                       compiler::clang_extensions(info), compiler::clang_prologue(info)},
                                      kind, cache_folder());
  }
  return store(program, devices, finish(runtime, options_text, std::move(result)));
}

bool link_program(Runtime& runtime, Program& program, std::span<Device* const> devices,
                  const std::string& options_text, std::span<Program* const> inputs, ImageKind kind) {
  bool good = true;
  for (Device* const& device : devices) {
    std::vector<std::shared_ptr<const compiler::Image>> images;
    for (Program* input : inputs) images.push_back(input->build(device)->image);
    Program::Build build = finish(runtime, options_text, compiler::link(images, kind));
    good = store(program, std::span(&device, 1), build) && good;
  }
  return good;
}

void refuse_build(Program& program, std::span<Device* const> devices, const std::string& options_text,
                  const std::string& error) {
  for (Device* device : devices) {
    Program::Build& build = *program.build(device);
    build.status = CL_BUILD_ERROR;
    build.options = options_text;
    build.log = error;
  }
}

}  // namespace sluice::api

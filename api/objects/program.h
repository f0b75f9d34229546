// A program: what it was made of, and for each of its devices the last build and what came out of it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/compiler/compiler.h"
#include "api/compiler/spirv.h"
#include "api/objects/context.h"
#include "api/objects/object.h"
#include "sim/iface/kernel_engine.h"

namespace sluice::api {

class Program final : public Object<Program, cl_program, ObjectType::program> {
 public:
  enum class Origin : std::uint8_t { source, il, binary, linked };

  // For one device.
  struct Build {
    cl_build_status status = CL_BUILD_NONE;
    std::string options;
    std::string log;
    std::shared_ptr<const compiler::Image> image;  // compiled, linked, or loaded with clCreateProgramWithBinary
    std::shared_ptr<const KernelModule> module;    // of an executable; nullptr if there is no engine to run it

    // Kernel objects can be made of it.
    [[nodiscard]] bool executable() const noexcept {
      return status == CL_BUILD_SUCCESS && image != nullptr && image->kind == compiler::ImageKind::executable;
    }
  };

  // `devices`: of the context; each once.
  Program(Context& context, std::vector<Device*> devices, Origin origin)
      : context_(&context), devices_(std::move(devices)), origin_(origin), builds_(devices_.size()) {}

  [[nodiscard]] Context& context() const noexcept { return *context_; }
  [[nodiscard]] const std::vector<Device*>& devices() const noexcept { return devices_; }
  [[nodiscard]] Origin origin() const noexcept { return origin_; }
  // nullptr: the program is not for this device.
  [[nodiscard]] Build* build(const Device* device) noexcept;
  [[nodiscard]] const Build* build(const Device* device) const noexcept {
    return const_cast<Program*>(this)->build(device);
  }
  // In the order of devices().
  [[nodiscard]] const std::vector<Build>& builds() const noexcept { return builds_; }
  // The first executable, which says what kernels there are; nullptr: there is none.
  [[nodiscard]] const Build* executable() const noexcept;

  [[nodiscard]] const std::string& source() const noexcept { return source_; }
  void set_source(std::string source) { source_ = std::move(source); }

  // As the program gave it, and as it was read. Empty unless origin() is il.
  [[nodiscard]] const std::vector<std::byte>& il() const noexcept { return il_; }
  [[nodiscard]] const compiler::IlModule& il_module() const noexcept { return il_module_; }
  void set_il(std::vector<std::byte> il, compiler::IlModule module) {
    il_ = std::move(il);
    il_module_ = std::move(module);
  }
  // Values of specialisation constants by SpecId, for the next build.
  [[nodiscard]] std::map<std::uint32_t, std::uint64_t>& constants() noexcept { return constants_; }

  // Kernel objects of this program: while there is one, it cannot be built again. Each calls both once.
  void attach_kernel() noexcept { ++kernels_; }
  void detach_kernel() noexcept { --kernels_; }
  [[nodiscard]] bool has_kernels() const noexcept { return kernels_ != 0; }

 private:
  Ref<Context> context_;
  std::vector<Device*> devices_;
  Origin origin_;
  std::vector<Build> builds_;
  std::string source_;
  std::vector<std::byte> il_;
  compiler::IlModule il_module_;
  std::map<std::uint32_t, std::uint64_t> constants_;
  std::uint32_t kernels_ = 0;
};

}  // namespace sluice::api

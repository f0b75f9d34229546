// A kernel: one function of a built program with the values of its arguments.
#pragma once

#include <CL/cl.h>

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "api/objects/context.h"
#include "api/objects/object.h"
#include "api/objects/program.h"
#include "sim/iface/kernel_engine.h"

namespace sluice::api {

class Kernel final : public Object<Kernel, cl_kernel, ObjectType::kernel> {
 public:
  // What a device executes.
  struct Code {
    std::shared_ptr<const KernelModule> module;  // nullptr: the program was not built for the device
    std::uint32_t index = 0;                     // into module->kernels()
    bool prepared = false;                       // compiled: info() is complete
    [[nodiscard]] const KernelInfo& info() const { return module->kernels()[index]; }
  };

  // An argument's value. "Implementations shall not allow cl_kernel objects to hold reference counts to cl_kernel
  // arguments": handles are looked up again when the kernel is enqueued.
  struct SvmPointer {
    const void* pointer;
  };
  struct LocalBytes {
    std::size_t bytes;
  };
  using Argument = std::variant<std::monostate, std::vector<std::byte>, cl_mem, cl_sampler, SvmPointer, LocalBytes>;

  // nullptr and CL_INVALID_PROGRAM_EXECUTABLE, CL_INVALID_KERNEL_NAME or CL_INVALID_KERNEL_DEFINITION.
  [[nodiscard]] static Kernel* create(Program& program, std::string_view name, cl_int& code);
  [[nodiscard]] Kernel* clone() const { return new Kernel(*this); }
  ~Kernel();

  [[nodiscard]] Program& program() const noexcept { return *program_; }
  [[nodiscard]] Context& context() const noexcept { return program_->context(); }
  // What does not depend on the device.
  [[nodiscard]] const KernelInfo& info() const noexcept { return *info_; }
  [[nodiscard]] const Code& code(const Device& device) const noexcept;  // `device`: one of the context's
  [[nodiscard]] const std::vector<Argument>& arguments() const noexcept { return arguments_; }
  // Compiles the kernel for the device if it is not yet. False: it has no code there; stderr says why if it should have.
  [[nodiscard]] bool prepare(const Device& device);
  [[nodiscard]] bool has_argument_info() const noexcept;  // built with -cl-kernel-arg-info

  // clSetKernelArg and clSetKernelArgSVMPointer, with their codes. An error leaves the argument as it was.
  [[nodiscard]] cl_int set_argument(cl_uint index, std::size_t size, const void* value);
  [[nodiscard]] cl_int set_svm_pointer(cl_uint index, const void* pointer);
  // False: an argument was not set, or what it was set to is gone.
  [[nodiscard]] bool is_ready() const noexcept;
  // Of variables and arguments together; an argument that is not set counts 0.
  [[nodiscard]] std::uint64_t local_bytes(const KernelInfo& info) const noexcept;

 private:
  Kernel(Program& program, std::vector<Code> code);
  Kernel(const Kernel& other);

  [[nodiscard]] cl_int set_memory(Argument& to, const KernelArgumentInfo& info, std::size_t size, const void* value);
  [[nodiscard]] cl_int set_sampler(Argument& to, std::size_t size, const void* value);

  Ref<Program> program_;
  std::vector<Code> code_;  // in the order of the context's devices
  const KernelInfo* info_;  // of the first device with code
  std::vector<Argument> arguments_;
};

}  // namespace sluice::api

// Kernel objects and their arguments (OpenCL 3.0, sections 5.9.1 to 5.9.3).
#include "api/objects/kernel.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "api/command/runtime.h"
#include "api/objects/device.h"
#include "api/objects/registry.h"

using namespace sluice::api;

namespace {

using sluice::KernelInfo;
using sluice::SvmSupport;

// Names of the kernels that some device has, in the order of the first that has them.
std::vector<std::string_view> kernel_names(const Program& program) {
  std::vector<std::string_view> names;
  for (const Device* device : program.context().devices()) {
    const Program::Build* const build = program.build(device);
    if (build == nullptr || build->module == nullptr) continue;
    for (const KernelInfo& kernel : build->module->kernels()) {
      if (std::find(names.begin(), names.end(), kernel.name) == names.end()) names.emplace_back(kernel.name);
    }
  }
  return names;
}

// Kernels that the program does not get unless all could be made.
struct NewKernels {
  NewKernels() = default;
  NewKernels(const NewKernels&) = delete;
  NewKernels& operator=(const NewKernels&) = delete;
  ~NewKernels() {
    for (Kernel* kernel : list) static_cast<void>(kernel->release());
  }
  std::vector<Kernel*> list;
};

}  // namespace

CL_API_ENTRY cl_kernel CL_API_CALL clCreateKernel(cl_program program, const char* kernel_name, cl_int* errcode_ret) {
  return create<cl_kernel>(errcode_ret, [&](Call&, cl_int& code) -> cl_kernel {
    Program* p = find<Program>(program);
    if (p == nullptr) return code = CL_INVALID_PROGRAM, nullptr;
    Kernel* kernel = Kernel::create(*p, kernel_name == nullptr ? "" : kernel_name, code);
    if (kernel_name == nullptr && code == CL_INVALID_KERNEL_NAME) code = CL_INVALID_VALUE;
    if (kernel == nullptr) return nullptr;
    for (const Device* device : p->devices()) {
      if (kernel->code(*device).module == nullptr || kernel->prepare(*device)) continue;
      static_cast<void>(kernel->release());
      return code = CL_OUT_OF_RESOURCES, nullptr;
    }
    return kernel->handle();
  });
}

CL_API_ENTRY cl_int CL_API_CALL clCreateKernelsInProgram(cl_program program, cl_uint num_kernels, cl_kernel* kernels,
                                                         cl_uint* num_kernels_ret) {
  return enter([&](Call&) -> cl_int {
    Program* p = find<Program>(program);
    if (p == nullptr) return CL_INVALID_PROGRAM;
    cl_int code = CL_INVALID_PROGRAM_EXECUTABLE;
    if (Kernel::create(*p, "", code) == nullptr && code == CL_INVALID_PROGRAM_EXECUTABLE) return code;
    // "Kernel objects are not created for any __kernel functions that do not have the same function definition across
    // all devices".
    NewKernels made;
    for (const std::string_view name : kernel_names(*p)) {
      made.list.reserve(made.list.size() + 1);
      if (Kernel* kernel = Kernel::create(*p, name, code)) made.list.push_back(kernel);
    }
    const auto count = static_cast<cl_uint>(made.list.size());
    if (kernels != nullptr && num_kernels < count) return CL_INVALID_VALUE;
    if (num_kernels_ret != nullptr) *num_kernels_ret = count;
    if (kernels == nullptr) return CL_SUCCESS;
    std::transform(made.list.begin(), made.list.end(), kernels, [](Kernel* kernel) { return kernel->handle(); });
    made.list.clear();
    return CL_SUCCESS;
  });
}

CL_API_ENTRY cl_kernel CL_API_CALL clCloneKernel(cl_kernel source_kernel, cl_int* errcode_ret) {
  return create<cl_kernel>(errcode_ret, [&](Call&, cl_int& code) -> cl_kernel {
    const Kernel* kernel = find<Kernel>(source_kernel);
    if (kernel == nullptr) return code = CL_INVALID_KERNEL, nullptr;
    return kernel->clone()->handle();
  });
}

CL_API_ENTRY cl_int CL_API_CALL clRetainKernel(cl_kernel kernel) {
  return enter([&](Call&) -> cl_int {
    Kernel* k = find<Kernel>(kernel);
    if (k == nullptr) return CL_INVALID_KERNEL;
    k->retain();
    return CL_SUCCESS;
  });
}

CL_API_ENTRY cl_int CL_API_CALL clReleaseKernel(cl_kernel kernel) {
  return enter([&](Call&) -> cl_int {
    Kernel* k = find<Kernel>(kernel);
    return k != nullptr && k->release() ? CL_SUCCESS : CL_INVALID_KERNEL;
  });
}

CL_API_ENTRY cl_int CL_API_CALL clSetKernelArg(cl_kernel kernel, cl_uint arg_index, size_t arg_size,
                                               const void* arg_value) {
  return enter([&](Call&) -> cl_int {
    Kernel* k = find<Kernel>(kernel);
    return k == nullptr ? CL_INVALID_KERNEL : k->set_argument(arg_index, arg_size, arg_value);
  });
}

CL_API_ENTRY cl_int CL_API_CALL clSetKernelArgSVMPointer(cl_kernel kernel, cl_uint arg_index, const void* arg_value) {
  return enter([&](Call&) -> cl_int {
    Kernel* k = find<Kernel>(kernel);
    return k == nullptr ? CL_INVALID_KERNEL : k->set_svm_pointer(arg_index, arg_value);
  });
}

// Only checked: a kernel reaches every allocation of its device, named or not.
CL_API_ENTRY cl_int CL_API_CALL clSetKernelExecInfo(cl_kernel kernel, cl_kernel_exec_info param_name,
                                                    size_t param_value_size, const void* param_value) {
  return enter([&](Call&) -> cl_int {
    const Kernel* k = find<Kernel>(kernel);
    if (k == nullptr) return CL_INVALID_KERNEL;
    const SvmSupport svm = k->context().devices().front()->info().svm;
    switch (param_name) {
      case CL_KERNEL_EXEC_INFO_SVM_PTRS:
        if (svm == SvmSupport::none) return CL_INVALID_OPERATION;
        // The empty set is no pointer and no size.
        if (param_value_size % sizeof(void*) != 0) return CL_INVALID_VALUE;
        return (param_value == nullptr) == (param_value_size == 0) ? CL_SUCCESS : CL_INVALID_VALUE;
      case CL_KERNEL_EXEC_INFO_SVM_FINE_GRAIN_SYSTEM:
        if (param_value == nullptr || param_value_size != sizeof(cl_bool)) return CL_INVALID_VALUE;
        return *static_cast<const cl_bool*>(param_value) != CL_FALSE && svm != SvmSupport::fine_system
                   ? CL_INVALID_OPERATION
                   : CL_SUCCESS;
      default: return CL_INVALID_VALUE;
    }
  });
}

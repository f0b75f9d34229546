// clGetProgramInfo and clGetProgramBuildInfo (OpenCL 3.0, section 5.8.7).
#include <CL/cl.h>

#include <cstring>
#include <string>
#include <vector>

#include "api/command/runtime.h"
#include "api/compiler/binary.h"
#include "api/entry/info_writer.h"
#include "api/objects/device.h"
#include "api/objects/program.h"
#include "api/objects/registry.h"

using namespace sluice::api;
namespace compiler = sluice::compiler;

namespace {

// Strings that may hold zeros, such as a program's text.
cl_int text(const InfoWriter& out, const std::string& value) { return out.bytes(value.c_str(), value.size() + 1); }

std::vector<std::byte> binary_of(const Program::Build& build) {
  return build.image == nullptr ? std::vector<std::byte>() : compiler::encode(*build.image);
}

// "An array of n pointers allocated by the caller, where n is the number of devices ... if an entry value in the array
// is NULL, then the implementation skips copying the program binary for the specific device".
cl_int binaries(const Program& program, size_t size, void* value, size_t* size_ret) {
  const size_t needed = program.devices().size() * sizeof(unsigned char*);
  if (value != nullptr) {
    if (size < needed) return CL_INVALID_VALUE;
    auto* const* pointers = static_cast<unsigned char* const*>(value);
    for (const Program::Build& build : program.builds()) {
      unsigned char* const to = *pointers++;
      if (to == nullptr) continue;
      const std::vector<std::byte> binary = binary_of(build);
      if (!binary.empty()) std::memcpy(to, binary.data(), binary.size());
    }
  }
  if (size_ret != nullptr) *size_ret = needed;
  return CL_SUCCESS;
}

cl_program_binary_type binary_type(const Program::Build& build) {
  if (build.image == nullptr) return CL_PROGRAM_BINARY_TYPE_NONE;
  switch (build.image->kind) {
    case compiler::ImageKind::object: return CL_PROGRAM_BINARY_TYPE_COMPILED_OBJECT;
    case compiler::ImageKind::library: return CL_PROGRAM_BINARY_TYPE_LIBRARY;
    case compiler::ImageKind::executable: return CL_PROGRAM_BINARY_TYPE_EXECUTABLE;
  }
  return CL_PROGRAM_BINARY_TYPE_NONE;
}

}  // namespace

CL_API_ENTRY cl_int CL_API_CALL clGetProgramInfo(cl_program program, cl_program_info param_name,
                                                 size_t param_value_size, void* param_value,
                                                 size_t* param_value_size_ret) {
  return enter([&](Call&) -> cl_int {
    const Program* p = find<Program>(program);
    if (p == nullptr) return CL_INVALID_PROGRAM;
    const InfoWriter out(param_value_size, param_value, param_value_size_ret);
    switch (param_name) {
      case CL_PROGRAM_REFERENCE_COUNT: return out.value<cl_uint>(p->reference_count());
      case CL_PROGRAM_CONTEXT: return out.value<cl_context>(p->context().handle());
      case CL_PROGRAM_NUM_DEVICES: return out.value<cl_uint>(static_cast<cl_uint>(p->devices().size()));
      case CL_PROGRAM_DEVICES: {
        std::vector<cl_device_id> ids;
        for (Device* device : p->devices()) ids.push_back(device->handle());
        return out.array(ids);
      }
      case CL_PROGRAM_SOURCE: return text(out, p->source());
      case CL_PROGRAM_IL: return out.array(p->il());
      case CL_PROGRAM_BINARY_SIZES: {
        std::vector<size_t> sizes;
        for (const Program::Build& build : p->builds()) sizes.push_back(binary_of(build).size());
        return out.array(sizes);
      }
      case CL_PROGRAM_BINARIES: return binaries(*p, param_value_size, param_value, param_value_size_ret);
      case CL_PROGRAM_NUM_KERNELS: {
        const Program::Build* build = p->executable();
        if (build == nullptr) return CL_INVALID_PROGRAM_EXECUTABLE;
        return out.value<size_t>(build->image->kernels.size());
      }
      case CL_PROGRAM_KERNEL_NAMES: {
        const Program::Build* build = p->executable();
        if (build == nullptr) return CL_INVALID_PROGRAM_EXECUTABLE;
        std::string names;
        for (const std::string& name : build->image->kernels) names += (names.empty() ? "" : ";") + name;
        return text(out, names);
      }
      case CL_PROGRAM_SCOPE_GLOBAL_CTORS_PRESENT:
      case CL_PROGRAM_SCOPE_GLOBAL_DTORS_PRESENT: return out.boolean(false);  // OpenCL C has neither
      default: return CL_INVALID_VALUE;
    }
  });
}

CL_API_ENTRY cl_int CL_API_CALL clGetProgramBuildInfo(cl_program program, cl_device_id device,
                                                      cl_program_build_info param_name, size_t param_value_size,
                                                      void* param_value, size_t* param_value_size_ret) {
  return enter([&](Call&) -> cl_int {
    const Program* p = find<Program>(program);
    if (p == nullptr) return CL_INVALID_PROGRAM;
    // "CL_INVALID_DEVICE if device is not in the list of devices associated with program".
    const Device* d = find<Device>(device);
    const Program::Build* build = d == nullptr ? nullptr : p->build(d);
    if (build == nullptr) return CL_INVALID_DEVICE;
    const InfoWriter out(param_value_size, param_value, param_value_size_ret);
    switch (param_name) {
      case CL_PROGRAM_BUILD_STATUS: return out.value<cl_build_status>(build->status);
      case CL_PROGRAM_BUILD_OPTIONS: return text(out, build->options);
      case CL_PROGRAM_BUILD_LOG: return text(out, build->log);
      case CL_PROGRAM_BINARY_TYPE: return out.value<cl_program_binary_type>(binary_type(*build));
      case CL_PROGRAM_BUILD_GLOBAL_VARIABLE_TOTAL_SIZE:
        return out.value<size_t>(build->image == nullptr ? 0 : build->image->global_variable_bytes);
      default: return CL_INVALID_VALUE;
    }
  });
}

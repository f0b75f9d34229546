// Program objects (OpenCL 3.0, section 5.8): creating, retaining and releasing them. Builds are in program_build.cpp,
// queries in program_info.cpp.
#include <CL/cl.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <string>

#include "api/command/runtime.h"
#include "api/compiler/binary.h"
#include "api/objects/device.h"
#include "api/objects/platform.h"
#include "api/objects/program.h"
#include "api/objects/registry.h"

using namespace sluice::api;
namespace compiler = sluice::compiler;

namespace {

// A list of devices that must be there: devices of the context, each once in `devices`.
cl_int read_devices(const Context& context, cl_uint num, const cl_device_id* list, std::vector<Device*>& devices) {
  if (num == 0 || list == nullptr) return CL_INVALID_VALUE;
  for (cl_device_id id : std::span(list, num)) {
    Device* device = find<Device>(id);
    if (device == nullptr || !context.has(device)) return CL_INVALID_DEVICE;
    if (std::find(devices.begin(), devices.end(), device) == devices.end()) devices.push_back(device);
  }
  return CL_SUCCESS;
}

}  // namespace

CL_API_ENTRY cl_program CL_API_CALL clCreateProgramWithSource(cl_context context, cl_uint count, const char** strings,
                                                              const size_t* lengths, cl_int* errcode_ret) {
  return create<cl_program>(errcode_ret, [&](Call&, cl_int& code) -> cl_program {
    Context* c = find<Context>(context);
    if (c == nullptr) return code = CL_INVALID_CONTEXT, nullptr;
    if (count == 0 || strings == nullptr) return code = CL_INVALID_VALUE, nullptr;
    std::string source;
    for (cl_uint i = 0; i < count; ++i) {
      if (strings[i] == nullptr) return code = CL_INVALID_VALUE, nullptr;
      const size_t length = lengths == nullptr ? 0 : lengths[i];  // 0: the string ends with a zero
      source.append(strings[i], length == 0 ? std::strlen(strings[i]) : length);
    }
    auto* program = new Program(*c, c->devices(), Program::Origin::source);
    program->set_source(std::move(source));
    return program->handle();
  });
}

CL_API_ENTRY cl_program CL_API_CALL clCreateProgramWithIL(cl_context context, const void* il, size_t length,
                                                          cl_int* errcode_ret) {
  return create<cl_program>(errcode_ret, [&](Call&, cl_int& code) -> cl_program {
    Context* c = find<Context>(context);
    if (c == nullptr) return code = CL_INVALID_CONTEXT, nullptr;
    if (il == nullptr || length == 0) return code = CL_INVALID_VALUE, nullptr;
    const std::span bytes(static_cast<const std::byte*>(il), length);
    std::optional<compiler::IlModule> module = compiler::read_il(bytes);
    // "or if the length-byte memory pointed to by il does not contain well-formed intermediate language input".
    if (!module) return code = CL_INVALID_VALUE, nullptr;
    auto* program = new Program(*c, c->devices(), Program::Origin::il);
    program->set_il({bytes.begin(), bytes.end()}, std::move(*module));
    return program->handle();
  });
}

CL_API_ENTRY cl_program CL_API_CALL clCreateProgramWithBinary(cl_context context, cl_uint num_devices,
                                                              const cl_device_id* device_list, const size_t* lengths,
                                                              const unsigned char** binaries, cl_int* binary_status,
                                                              cl_int* errcode_ret) {
  return create<cl_program>(errcode_ret, [&](Call&, cl_int& code) -> cl_program {
    Context* c = find<Context>(context);
    if (c == nullptr) return code = CL_INVALID_CONTEXT, nullptr;
    std::vector<Device*> devices;
    code = read_devices(*c, num_devices, device_list, devices);
    if (code != CL_SUCCESS) return nullptr;
    if (lengths == nullptr || binaries == nullptr) return code = CL_INVALID_VALUE, nullptr;
    std::vector<std::shared_ptr<const compiler::Image>> images(num_devices);
    for (cl_uint i = 0; i < num_devices; ++i) {
      cl_int status = CL_INVALID_VALUE;
      if (lengths[i] != 0 && binaries[i] != nullptr) {
        auto image = compiler::decode(std::as_bytes(std::span(binaries[i], lengths[i])));
        status = image ? CL_SUCCESS : CL_INVALID_BINARY;
        if (image) images[i] = std::make_shared<const compiler::Image>(std::move(*image));
      }
      if (binary_status != nullptr) binary_status[i] = status;
      if (status != CL_SUCCESS && code != CL_INVALID_VALUE) code = status;
    }
    if (code != CL_SUCCESS) return nullptr;
    auto* program = new Program(*c, std::move(devices), Program::Origin::binary);
    for (cl_uint i = 0; i < num_devices; ++i) program->build(find<Device>(device_list[i]))->image = images[i];
    return program->handle();
  });
}

CL_API_ENTRY cl_program CL_API_CALL clCreateProgramWithBuiltInKernels(cl_context context, cl_uint num_devices,
                                                                      const cl_device_id* device_list,
                                                                      const char*, cl_int* errcode_ret) {
  return create<cl_program>(errcode_ret, [&](Call&, cl_int& code) -> cl_program {
    const Context* c = find<Context>(context);
    if (c == nullptr) return code = CL_INVALID_CONTEXT, nullptr;
    std::vector<Device*> devices;
    code = read_devices(*c, num_devices, device_list, devices);
    if (code == CL_SUCCESS) code = CL_INVALID_VALUE;  // no device has built-in kernels, so no name is one
    return nullptr;
  });
}

CL_API_ENTRY cl_int CL_API_CALL clRetainProgram(cl_program program) {
  return enter([&](Call&) -> cl_int {
    Program* p = find<Program>(program);
    if (p == nullptr) return CL_INVALID_PROGRAM;
    p->retain();
    return CL_SUCCESS;
  });
}

CL_API_ENTRY cl_int CL_API_CALL clReleaseProgram(cl_program program) {
  return enter([&](Call&) -> cl_int {
    Program* p = find<Program>(program);
    return p != nullptr && p->release() ? CL_SUCCESS : CL_INVALID_PROGRAM;
  });
}

CL_API_ENTRY cl_int CL_API_CALL clSetProgramReleaseCallback(cl_program program,
                                                            void(CL_CALLBACK* pfn_notify)(cl_program, void*), void*) {
  return enter([&](Call&) -> cl_int {
    if (find<Program>(program) == nullptr) return CL_INVALID_PROGRAM;
    return pfn_notify == nullptr ? CL_INVALID_VALUE : CL_INVALID_OPERATION;  // no program-scope destructors
  });
}

CL_API_ENTRY cl_int CL_API_CALL clSetProgramSpecializationConstant(cl_program program, cl_uint spec_id,
                                                                   size_t spec_size, const void* spec_value) {
  return enter([&](Call&) -> cl_int {
    Program* p = find<Program>(program);
    // "CL_INVALID_PROGRAM if program is not a valid program object created from an intermediate language".
    if (p == nullptr || p->origin() != Program::Origin::il) return CL_INVALID_PROGRAM;
    const auto& known = p->il_module().constant_bytes;
    const auto constant = known.find(spec_id);
    if (constant == known.end()) return CL_INVALID_SPEC_ID;
    std::uint64_t value = 0;
    if (spec_value == nullptr || spec_size != constant->second || spec_size > sizeof value) return CL_INVALID_VALUE;
    std::memcpy(&value, spec_value, spec_size);
    p->constants()[spec_id] = value;
    return CL_SUCCESS;
  });
}

CL_API_ENTRY cl_int CL_API_CALL clUnloadPlatformCompiler(cl_platform_id platform) {
  return enter([&](Call&) -> cl_int {
    return find<Platform>(platform) == nullptr ? CL_INVALID_PLATFORM : CL_SUCCESS;
  });
}

CL_API_ENTRY cl_int CL_API_CALL clUnloadCompiler(void) { return CL_SUCCESS; }

// Program objects (OpenCL 3.0, section 5.8). Creation from source works; there is no compiler, linker or loader of
// binaries and intermediate language yet, and the calls say so with the codes that the specification gives.
#include <CL/cl.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <string>

#include "api/command/runtime.h"
#include "api/entry/info_writer.h"
#include "api/objects/device.h"
#include "api/objects/platform.h"
#include "api/objects/program.h"
#include "api/objects/registry.h"

using namespace sluice::api;

namespace {

// The device list of build, compile and link: NULL with 0, or devices of the context.
cl_int check_optional_devices(const Context& context, cl_uint num, const cl_device_id* list) {
  if ((num == 0) != (list == nullptr)) return CL_INVALID_VALUE;
  for (cl_device_id id : std::span(list, num)) {
    const Device* device = find<Device>(id);
    if (device == nullptr || !context.has(device)) return CL_INVALID_DEVICE;
  }
  return CL_SUCCESS;
}

cl_int check_devices(const Context& context, cl_uint num, const cl_device_id* list) {
  if (num == 0 || list == nullptr) return CL_INVALID_VALUE;
  return check_optional_devices(context, num, list);
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
    return (new Program(*c, std::move(source)))->handle();
  });
}

CL_API_ENTRY cl_program CL_API_CALL clCreateProgramWithIL(cl_context context, const void*, size_t,
                                                          cl_int* errcode_ret) {
  return create<cl_program>(errcode_ret, [&](Call&, cl_int& code) -> cl_program {
    code = find<Context>(context) == nullptr ? CL_INVALID_CONTEXT : CL_INVALID_OPERATION;
    return nullptr;
  });
}

CL_API_ENTRY cl_program CL_API_CALL clCreateProgramWithBinary(cl_context context, cl_uint num_devices,
                                                              const cl_device_id* device_list, const size_t* lengths,
                                                              const unsigned char** binaries, cl_int* binary_status,
                                                              cl_int* errcode_ret) {
  return create<cl_program>(errcode_ret, [&](Call&, cl_int& code) -> cl_program {
    const Context* c = find<Context>(context);
    if (c == nullptr) return code = CL_INVALID_CONTEXT, nullptr;
    code = check_devices(*c, num_devices, device_list);
    if (code != CL_SUCCESS) return nullptr;
    if (lengths == nullptr || binaries == nullptr) return code = CL_INVALID_VALUE, nullptr;
    code = CL_INVALID_BINARY;
    for (cl_uint i = 0; i < num_devices; ++i) {
      const cl_int status = lengths[i] == 0 || binaries[i] == nullptr ? CL_INVALID_VALUE : CL_INVALID_BINARY;
      if (binary_status != nullptr) binary_status[i] = status;
      if (status == CL_INVALID_VALUE) code = CL_INVALID_VALUE;
    }
    return nullptr;
  });
}

CL_API_ENTRY cl_program CL_API_CALL clCreateProgramWithBuiltInKernels(cl_context context, cl_uint num_devices,
                                                                      const cl_device_id* device_list,
                                                                      const char*, cl_int* errcode_ret) {
  return create<cl_program>(errcode_ret, [&](Call&, cl_int& code) -> cl_program {
    const Context* c = find<Context>(context);
    if (c == nullptr) return code = CL_INVALID_CONTEXT, nullptr;
    code = check_devices(*c, num_devices, device_list);
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

CL_API_ENTRY cl_int CL_API_CALL clSetProgramSpecializationConstant(cl_program program, cl_uint, size_t, const void*) {
  return enter([&](Call&) -> cl_int {
    return find<Program>(program) == nullptr ? CL_INVALID_PROGRAM : CL_INVALID_OPERATION;  // no intermediate language
  });
}

CL_API_ENTRY cl_int CL_API_CALL clBuildProgram(cl_program program, cl_uint num_devices,
                                               const cl_device_id* device_list, const char* options,
                                               void(CL_CALLBACK* pfn_notify)(cl_program, void*), void* user_data) {
  return enter([&](Call&) -> cl_int {
    Program* p = find<Program>(program);
    if (p == nullptr) return CL_INVALID_PROGRAM;
    const cl_int code = check_optional_devices(p->context(), num_devices, device_list);
    if (code != CL_SUCCESS) return code;
    if (pfn_notify == nullptr && user_data != nullptr) return CL_INVALID_VALUE;
    p->build_refused(options);
    return CL_COMPILER_NOT_AVAILABLE;
  });
}

CL_API_ENTRY cl_int CL_API_CALL clCompileProgram(cl_program program, cl_uint num_devices,
                                                 const cl_device_id* device_list, const char* options,
                                                 cl_uint num_input_headers, const cl_program* input_headers,
                                                 const char** header_include_names,
                                                 void(CL_CALLBACK* pfn_notify)(cl_program, void*), void* user_data) {
  return enter([&](Call&) -> cl_int {
    Program* p = find<Program>(program);
    if (p == nullptr) return CL_INVALID_PROGRAM;
    const cl_int code = check_optional_devices(p->context(), num_devices, device_list);
    if (code != CL_SUCCESS) return code;
    const bool none = num_input_headers == 0;
    if (none != (input_headers == nullptr) || none != (header_include_names == nullptr)) return CL_INVALID_VALUE;
    for (cl_program header : std::span(input_headers, num_input_headers)) {
      if (find<Program>(header) == nullptr) return CL_INVALID_PROGRAM;
    }
    if (pfn_notify == nullptr && user_data != nullptr) return CL_INVALID_VALUE;
    p->build_refused(options);
    return CL_COMPILER_NOT_AVAILABLE;
  });
}

CL_API_ENTRY cl_program CL_API_CALL clLinkProgram(cl_context context, cl_uint num_devices,
                                                  const cl_device_id* device_list, const char*,
                                                  cl_uint num_input_programs, const cl_program* input_programs,
                                                  void(CL_CALLBACK* pfn_notify)(cl_program, void*), void* user_data,
                                                  cl_int* errcode_ret) {
  return create<cl_program>(errcode_ret, [&](Call&, cl_int& code) -> cl_program {
    const Context* c = find<Context>(context);
    if (c == nullptr) return code = CL_INVALID_CONTEXT, nullptr;
    code = check_optional_devices(*c, num_devices, device_list);
    if (code != CL_SUCCESS) return nullptr;
    if (num_input_programs == 0 || input_programs == nullptr) return code = CL_INVALID_VALUE, nullptr;
    for (cl_program input : std::span(input_programs, num_input_programs)) {
      if (find<Program>(input) == nullptr) return code = CL_INVALID_PROGRAM, nullptr;
    }
    code = pfn_notify == nullptr && user_data != nullptr ? CL_INVALID_VALUE : CL_LINKER_NOT_AVAILABLE;
    return nullptr;
  });
}

CL_API_ENTRY cl_int CL_API_CALL clUnloadPlatformCompiler(cl_platform_id platform) {
  return enter([&](Call&) -> cl_int {
    return find<Platform>(platform) == nullptr ? CL_INVALID_PLATFORM : CL_SUCCESS;
  });
}

CL_API_ENTRY cl_int CL_API_CALL clUnloadCompiler(void) { return CL_SUCCESS; }

CL_API_ENTRY cl_int CL_API_CALL clGetProgramInfo(cl_program program, cl_program_info param_name,
                                                 size_t param_value_size, void* param_value,
                                                 size_t* param_value_size_ret) {
  return enter([&](Call&) -> cl_int {
    const Program* p = find<Program>(program);
    if (p == nullptr) return CL_INVALID_PROGRAM;
    const InfoWriter out(param_value_size, param_value, param_value_size_ret);
    const std::vector<Device*>& devices = p->context().devices();
    switch (param_name) {
      case CL_PROGRAM_REFERENCE_COUNT: return out.value<cl_uint>(p->reference_count());
      case CL_PROGRAM_CONTEXT: return out.value<cl_context>(p->context().handle());
      case CL_PROGRAM_NUM_DEVICES: return out.value<cl_uint>(static_cast<cl_uint>(devices.size()));
      case CL_PROGRAM_DEVICES: {
        std::vector<cl_device_id> ids;
        for (Device* device : devices) ids.push_back(device->handle());
        return out.array(ids);
      }
      case CL_PROGRAM_SOURCE: return out.string(p->source().c_str());
      case CL_PROGRAM_IL: return out.bytes(nullptr, 0);
      case CL_PROGRAM_BINARY_SIZES: return out.array(std::vector<size_t>(devices.size(), 0));
      case CL_PROGRAM_BINARIES: {
        // One pointer a device; nothing is stored behind any of them, because no device has a binary.
        const size_t needed = devices.size() * sizeof(unsigned char*);
        if (param_value != nullptr && param_value_size < needed) return CL_INVALID_VALUE;
        if (param_value_size_ret != nullptr) *param_value_size_ret = needed;
        return CL_SUCCESS;
      }
      case CL_PROGRAM_NUM_KERNELS:
      case CL_PROGRAM_KERNEL_NAMES: return CL_INVALID_PROGRAM_EXECUTABLE;
      case CL_PROGRAM_SCOPE_GLOBAL_CTORS_PRESENT:
      case CL_PROGRAM_SCOPE_GLOBAL_DTORS_PRESENT: return out.boolean(false);
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
    const Device* d = find<Device>(device);
    if (d == nullptr || !p->context().has(d)) return CL_INVALID_DEVICE;
    const InfoWriter out(param_value_size, param_value, param_value_size_ret);
    switch (param_name) {
      case CL_PROGRAM_BUILD_STATUS: return out.value<cl_build_status>(p->build_status());
      case CL_PROGRAM_BUILD_OPTIONS: return out.string(p->options().c_str());
      case CL_PROGRAM_BUILD_LOG: return out.string(p->build_log());
      case CL_PROGRAM_BINARY_TYPE: return out.value<cl_program_binary_type>(CL_PROGRAM_BINARY_TYPE_NONE);
      case CL_PROGRAM_BUILD_GLOBAL_VARIABLE_TOTAL_SIZE: return out.value<size_t>(0);
      default: return CL_INVALID_VALUE;
    }
  });
}

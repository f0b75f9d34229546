// clBuildProgram, clCompileProgram, clLinkProgram (OpenCL 3.0, sections 5.8.4 to 5.8.6). A call with a callback builds
// like one without, before it returns; the callback then comes from the runtime thread. The build takes no simulated
// time; a trace shows when it was.
#include <CL/cl.h>

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "api/command/build.h"
#include "api/command/runtime.h"
#include "api/objects/device.h"
#include "api/objects/program.h"
#include "api/objects/registry.h"

using namespace sluice::api;
namespace compiler = sluice::compiler;
using compiler::ImageKind;

namespace {

using Notify = void(CL_CALLBACK*)(cl_program, void*);

// The devices to build for: those that are listed, or all of `all`.
cl_int read_devices(const std::vector<Device*>& all, cl_uint num, const cl_device_id* list,
                    std::vector<Device*>& devices) {
  if ((num == 0) != (list == nullptr)) return CL_INVALID_VALUE;
  for (cl_device_id id : std::span(list, num)) {
    Device* device = find<Device>(id);
    if (device == nullptr || std::find(all.begin(), all.end(), device) == all.end()) return CL_INVALID_DEVICE;
    if (std::find(devices.begin(), devices.end(), device) == devices.end()) devices.push_back(device);
  }
  if (num == 0) devices = all;
  return CL_SUCCESS;
}

std::string text_of(const char* options) { return options == nullptr ? std::string() : std::string(options); }

void call_back(Call& call, Program& program, Notify notify, void* user_data) {
  if (notify == nullptr) return;
  program.keep_live();
  call.runtime().post_callback(call.runtime().clock(), [keep = Ref<Program>(&program), notify, user_data] {
    notify(keep->handle(), user_data);
    const Call end;
    keep->end_live();
  });
}

// The build began, so with a callback it is the callback that finds out how it went.
cl_int built(Call& call, Program& program, bool good, cl_int failure, Notify notify, void* user_data) {
  call_back(call, program, notify, user_data);
  return good || notify != nullptr ? CL_SUCCESS : failure;
}

bool is_from(const Program& program, Program::Origin origin) { return program.origin() == origin; }

// The build log then says why.
bool is_compiler_missing(Program& program, const std::vector<Device*>& devices, const char* options) {
  const std::string why = compiler::why_unavailable();
  if (why.empty()) return false;
  refuse_build(program, devices, text_of(options), why);
  return true;
}

// Every device to build for has a loaded binary of the right kind.
bool has_executables(Program& program, const std::vector<Device*>& devices) {
  return std::all_of(devices.begin(), devices.end(), [&](Device* device) {
    const auto& image = program.build(device)->image;
    return image != nullptr && image->kind == ImageKind::executable;
  });
}

// "If a program has a compiled binary or library for the device".
bool can_be_linked(const Program& program, const Device* device) {
  const Program::Build* build = program.build(device);
  return build != nullptr && build->image != nullptr && build->image->kind != ImageKind::executable;
}

}  // namespace

CL_API_ENTRY cl_int CL_API_CALL clBuildProgram(cl_program program, cl_uint num_devices,
                                               const cl_device_id* device_list, const char* options,
                                               void(CL_CALLBACK* pfn_notify)(cl_program, void*), void* user_data) {
  return enter([&](Call& call) -> cl_int {
    Program* p = find<Program>(program);
    if (p == nullptr) return CL_INVALID_PROGRAM;
    std::vector<Device*> devices;
    const cl_int code = read_devices(p->devices(), num_devices, device_list, devices);
    if (code != CL_SUCCESS) return code;
    if (pfn_notify == nullptr && user_data != nullptr) return CL_INVALID_VALUE;
    if (is_from(*p, Program::Origin::linked) || p->has_kernels()) return CL_INVALID_OPERATION;
    if (is_from(*p, Program::Origin::binary) && !has_executables(*p, devices)) return CL_INVALID_BINARY;
    compiler::CompileOptions parsed;
    std::string error;
    if (!compiler::parse_compile_options(text_of(options), parsed, error)) {
      refuse_build(*p, devices, text_of(options), error);
      return CL_INVALID_BUILD_OPTIONS;
    }
    call.show();
    const bool good =
        build_program(call.runtime(), *p, devices, text_of(options), parsed, {}, ImageKind::executable);
    if (!good && is_compiler_missing(*p, devices, options)) return CL_COMPILER_NOT_AVAILABLE;
    return built(call, *p, good, CL_BUILD_PROGRAM_FAILURE, pfn_notify, user_data);
  });
}

CL_API_ENTRY cl_int CL_API_CALL clCompileProgram(cl_program program, cl_uint num_devices,
                                                 const cl_device_id* device_list, const char* options,
                                                 cl_uint num_input_headers, const cl_program* input_headers,
                                                 const char** header_include_names,
                                                 void(CL_CALLBACK* pfn_notify)(cl_program, void*), void* user_data) {
  return enter([&](Call& call) -> cl_int {
    Program* p = find<Program>(program);
    if (p == nullptr) return CL_INVALID_PROGRAM;
    std::vector<Device*> devices;
    const cl_int code = read_devices(p->devices(), num_devices, device_list, devices);
    if (code != CL_SUCCESS) return code;
    const bool none = num_input_headers == 0;
    if (none != (input_headers == nullptr) || none != (header_include_names == nullptr)) return CL_INVALID_VALUE;
    std::vector<compiler::Header> headers;
    for (cl_uint i = 0; i < num_input_headers; ++i) {
      const Program* header = find<Program>(input_headers[i]);
      if (header == nullptr) return CL_INVALID_PROGRAM;
      if (header_include_names[i] == nullptr) return CL_INVALID_VALUE;
      if (!is_from(*header, Program::Origin::source)) return CL_INVALID_OPERATION;
      headers.push_back({header_include_names[i], header->source()});
    }
    if (pfn_notify == nullptr && user_data != nullptr) return CL_INVALID_VALUE;
    const bool has_text = is_from(*p, Program::Origin::source) || is_from(*p, Program::Origin::il);
    if (!has_text || p->has_kernels()) return CL_INVALID_OPERATION;
    compiler::CompileOptions parsed;
    std::string error;
    if (!compiler::parse_compile_options(text_of(options), parsed, error)) {
      refuse_build(*p, devices, text_of(options), error);
      return CL_INVALID_COMPILER_OPTIONS;
    }
    call.show();
    const bool good = build_program(call.runtime(), *p, devices, text_of(options), parsed, std::move(headers),
                                    ImageKind::object);
    if (!good && is_compiler_missing(*p, devices, options)) return CL_COMPILER_NOT_AVAILABLE;
    return built(call, *p, good, CL_COMPILE_PROGRAM_FAILURE, pfn_notify, user_data);
  });
}

CL_API_ENTRY cl_program CL_API_CALL clLinkProgram(cl_context context, cl_uint num_devices,
                                                  const cl_device_id* device_list, const char* options,
                                                  cl_uint num_input_programs, const cl_program* input_programs,
                                                  void(CL_CALLBACK* pfn_notify)(cl_program, void*), void* user_data,
                                                  cl_int* errcode_ret) {
  return create<cl_program>(errcode_ret, [&](Call& call, cl_int& code) -> cl_program {
    Context* c = find<Context>(context);
    if (c == nullptr) return code = CL_INVALID_CONTEXT, nullptr;
    std::vector<Device*> devices;
    code = read_devices(c->devices(), num_devices, device_list, devices);
    if (code != CL_SUCCESS) return nullptr;
    if (num_input_programs == 0 || input_programs == nullptr) return code = CL_INVALID_VALUE, nullptr;
    std::vector<Program*> inputs;
    for (cl_program handle : std::span(input_programs, num_input_programs)) {
      Program* input = find<Program>(handle);
      if (input == nullptr || &input->context() != c) return code = CL_INVALID_PROGRAM, nullptr;
      inputs.push_back(input);
    }
    if (pfn_notify == nullptr && user_data != nullptr) return code = CL_INVALID_VALUE, nullptr;
    compiler::LinkOptions parsed;
    std::string error;
    if (!compiler::parse_link_options(text_of(options), parsed, error)) {
      return code = CL_INVALID_LINKER_OPTIONS, nullptr;
    }
    // "All programs ... contain a compiled binary or library for the device": linked. "None": not linked for it, "all
    // other cases" are errors. A link for no device at all is none.
    std::vector<Device*> linkable;
    for (Device* device : devices) {
      const auto has =
          std::count_if(inputs.begin(), inputs.end(), [&](const Program* p) { return can_be_linked(*p, device); });
      if (has != 0 && static_cast<std::size_t>(has) != inputs.size()) return code = CL_INVALID_OPERATION, nullptr;
      if (has != 0) linkable.push_back(device);
    }
    if (linkable.empty()) return code = CL_INVALID_OPERATION, nullptr;
    if (!compiler::why_unavailable().empty()) return code = CL_LINKER_NOT_AVAILABLE, nullptr;
    call.show();
    auto* program = new Program(*c, devices, Program::Origin::linked);
    const cl_program handle = program->handle();
    bool good = false;
    try {
      good = link_program(call.runtime(), *program, linkable, text_of(options), inputs,
                          parsed.create_library ? ImageKind::library : ImageKind::executable);
    } catch (...) {
      (void)program->release();
      throw;
    }
    code = built(call, *program, good, CL_LINK_PROGRAM_FAILURE, pfn_notify, user_data);
    return handle;
  });
}

// Sampler objects (OpenCL 3.0, section 5.7).
#include <CL/cl.h>

#include <algorithm>

#include "api/command/runtime.h"
#include "api/entry/info_writer.h"
#include "api/objects/registry.h"
#include "api/objects/sampler.h"

using namespace sluice::api;

namespace {

bool is_addressing_mode(cl_sampler_properties mode) {
  switch (mode) {
    case CL_ADDRESS_NONE:
    case CL_ADDRESS_CLAMP_TO_EDGE:
    case CL_ADDRESS_CLAMP:
    case CL_ADDRESS_REPEAT:
    case CL_ADDRESS_MIRRORED_REPEAT: return true;
    default: return false;
  }
}

cl_int check(const Context& context, const Sampler::State& state) {
  if (!is_addressing_mode(state.addressing_mode)) return CL_INVALID_VALUE;
  if (state.filter_mode != CL_FILTER_NEAREST && state.filter_mode != CL_FILTER_LINEAR) return CL_INVALID_VALUE;
  if (state.normalized_coords != CL_TRUE && state.normalized_coords != CL_FALSE) return CL_INVALID_VALUE;
  // The repeating modes have no meaning for pixel coordinates.
  const bool repeats =
      state.addressing_mode == CL_ADDRESS_REPEAT || state.addressing_mode == CL_ADDRESS_MIRRORED_REPEAT;
  if (repeats && state.normalized_coords == CL_FALSE) return CL_INVALID_VALUE;
  const bool images = std::any_of(context.devices().begin(), context.devices().end(),
                                  [](const Device* device) { return device->info().images; });
  return images ? CL_SUCCESS : CL_INVALID_OPERATION;
}

// Each property at most once, none but the three of OpenCL 3.0.
cl_int parse(const cl_sampler_properties* list, Sampler::State& state, std::vector<cl_sampler_properties>& given) {
  if (list == nullptr) return CL_SUCCESS;
  bool seen[3] = {};
  for (; *list != 0; list += 2) {
    int which = 0;
    switch (list[0]) {
      case CL_SAMPLER_NORMALIZED_COORDS: state.normalized_coords = static_cast<cl_bool>(list[1]); break;
      case CL_SAMPLER_ADDRESSING_MODE:
        which = 1;
        state.addressing_mode = static_cast<cl_addressing_mode>(list[1]);
        break;
      case CL_SAMPLER_FILTER_MODE:
        which = 2;
        state.filter_mode = static_cast<cl_filter_mode>(list[1]);
        break;
      default: return CL_INVALID_VALUE;
    }
    if (seen[which]) return CL_INVALID_VALUE;
    seen[which] = true;
    given.insert(given.end(), {list[0], list[1]});
  }
  given.push_back(0);
  return CL_SUCCESS;
}

}  // namespace

CL_API_ENTRY cl_sampler CL_API_CALL clCreateSampler(cl_context context, cl_bool normalized_coords,
                                                    cl_addressing_mode addressing_mode, cl_filter_mode filter_mode,
                                                    cl_int* errcode_ret) {
  return create<cl_sampler>(errcode_ret, [&](Call&, cl_int& code) -> cl_sampler {
    Context* c = find<Context>(context);
    if (c == nullptr) return code = CL_INVALID_CONTEXT, nullptr;
    const Sampler::State state{normalized_coords, addressing_mode, filter_mode};
    code = check(*c, state);
    return code == CL_SUCCESS ? (new Sampler(*c, state, {}))->handle() : nullptr;
  });
}

CL_API_ENTRY cl_sampler CL_API_CALL clCreateSamplerWithProperties(cl_context context,
                                                                  const cl_sampler_properties* sampler_properties,
                                                                  cl_int* errcode_ret) {
  return create<cl_sampler>(errcode_ret, [&](Call&, cl_int& code) -> cl_sampler {
    Context* c = find<Context>(context);
    if (c == nullptr) return code = CL_INVALID_CONTEXT, nullptr;
    Sampler::State state;
    std::vector<cl_sampler_properties> given;
    code = parse(sampler_properties, state, given);
    if (code == CL_SUCCESS) code = check(*c, state);
    return code == CL_SUCCESS ? (new Sampler(*c, state, std::move(given)))->handle() : nullptr;
  });
}

CL_API_ENTRY cl_int CL_API_CALL clRetainSampler(cl_sampler sampler) {
  return enter([&](Call&) -> cl_int {
    Sampler* s = find<Sampler>(sampler);
    if (s == nullptr) return CL_INVALID_SAMPLER;
    s->retain();
    return CL_SUCCESS;
  });
}

CL_API_ENTRY cl_int CL_API_CALL clReleaseSampler(cl_sampler sampler) {
  return enter([&](Call&) -> cl_int {
    Sampler* s = find<Sampler>(sampler);
    return s != nullptr && s->release() ? CL_SUCCESS : CL_INVALID_SAMPLER;
  });
}

CL_API_ENTRY cl_int CL_API_CALL clGetSamplerInfo(cl_sampler sampler, cl_sampler_info param_name,
                                                 size_t param_value_size, void* param_value,
                                                 size_t* param_value_size_ret) {
  return enter([&](Call&) -> cl_int {
    const Sampler* s = find<Sampler>(sampler);
    if (s == nullptr) return CL_INVALID_SAMPLER;
    const InfoWriter out(param_value_size, param_value, param_value_size_ret);
    switch (param_name) {
      case CL_SAMPLER_REFERENCE_COUNT: return out.value<cl_uint>(s->reference_count());
      case CL_SAMPLER_CONTEXT: return out.value<cl_context>(s->context().handle());
      case CL_SAMPLER_NORMALIZED_COORDS: return out.value<cl_bool>(s->state().normalized_coords);
      case CL_SAMPLER_ADDRESSING_MODE: return out.value<cl_addressing_mode>(s->state().addressing_mode);
      case CL_SAMPLER_FILTER_MODE: return out.value<cl_filter_mode>(s->state().filter_mode);
      case CL_SAMPLER_PROPERTIES: return out.array(s->properties());
      default: return CL_INVALID_VALUE;
    }
  });
}

// A sampler: how a kernel reads an image.
#pragma once

#include <utility>
#include <vector>

#include "api/objects/context.h"
#include "api/objects/object.h"

namespace sluice::api {

class Sampler final : public Object<Sampler, cl_sampler, ObjectType::sampler> {
 public:
  struct State {
    cl_bool normalized_coords = CL_TRUE;
    cl_addressing_mode addressing_mode = CL_ADDRESS_CLAMP;
    cl_filter_mode filter_mode = CL_FILTER_NEAREST;
  };

  // `properties`: as given to clCreateSamplerWithProperties, with the terminating 0; empty for NULL.
  Sampler(Context& context, const State& state, std::vector<cl_sampler_properties> properties)
      : context_(&context), state_(state), properties_(std::move(properties)) {}

  [[nodiscard]] Context& context() const noexcept { return *context_; }
  [[nodiscard]] const State& state() const noexcept { return state_; }
  [[nodiscard]] const std::vector<cl_sampler_properties>& properties() const noexcept { return properties_; }

 private:
  Ref<Context> context_;
  State state_;
  std::vector<cl_sampler_properties> properties_;
};

}  // namespace sluice::api

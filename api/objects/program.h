// A program: source text that waits for a compiler. No device has one yet, so a program never holds an executable.
#pragma once

#include <string>
#include <utility>

#include "api/objects/context.h"
#include "api/objects/object.h"

namespace sluice::api {

class Program final : public Object<Program, cl_program, ObjectType::program> {
 public:
  Program(Context& context, std::string source) : context_(&context), source_(std::move(source)) {}

  [[nodiscard]] Context& context() const noexcept { return *context_; }
  [[nodiscard]] const std::string& source() const noexcept { return source_; }

  // A build was asked for and refused.
  void build_refused(const char* options) {
    build_status_ = CL_BUILD_ERROR;
    options_ = options == nullptr ? "" : options;
  }
  [[nodiscard]] cl_build_status build_status() const noexcept { return build_status_; }
  [[nodiscard]] const std::string& options() const noexcept { return options_; }
  [[nodiscard]] const char* build_log() const noexcept {
    return build_status_ == CL_BUILD_NONE ? "" : "the device has no compiler (CL_DEVICE_COMPILER_AVAILABLE is CL_FALSE)";
  }

 private:
  Ref<Context> context_;
  std::string source_;
  std::string options_;
  cl_build_status build_status_ = CL_BUILD_NONE;
};

}  // namespace sluice::api

// What the device offers beyond the core of OpenCL: the one table of extensions and of OpenCL C's optional features.
// Device queries, predefined macros and what clang accepts all come from it: take a line out, and the feature is gone.
#pragma once

#include <CL/cl.h>

#include <string>
#include <vector>

#include "sim/iface/machine.h"

namespace sluice::compiler {

struct Feature {
  const char* name;
  cl_version version;
  bool in_language;  // clang knows it by this name
  bool (*has)(const DeviceInfo&);
};

// CL_DEVICE_EXTENSIONS_WITH_VERSION, CL_DEVICE_OPENCL_C_FEATURES.
[[nodiscard]] std::vector<cl_name_version> extensions(const DeviceInfo& device);
[[nodiscard]] std::vector<cl_name_version> language_features(const DeviceInfo& device);
// CL_DEVICE_EXTENSIONS: the names with blanks between them.
[[nodiscard]] std::string extension_names(const DeviceInfo& device);
[[nodiscard]] bool has_feature(const DeviceInfo& device, const char* name);

// For clang, so that a program finds nothing but what the device has: the value of -cl-ext=, and text to include after
// clang's own header, which takes all of SPIR for granted.
[[nodiscard]] std::string clang_extensions(const DeviceInfo& device);
[[nodiscard]] std::string clang_prologue(const DeviceInfo& device);

}  // namespace sluice::compiler

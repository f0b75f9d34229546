#include "api/compiler/features.h"

#include <cstring>

namespace sluice::compiler {

namespace {

constexpr cl_version k1_0 = CL_MAKE_VERSION(1, 0, 0);
constexpr cl_version k3_0 = CL_MAKE_VERSION(3, 0, 0);

constexpr auto kAlways = [](const DeviceInfo&) { return true; };
constexpr auto kImages = [](const DeviceInfo& d) { return d.images; };
// CL_DEVICE_SVM_ATOMICS are atomics "that provide memory consistency across the host and all OpenCL devices".
constexpr auto kSvmAtomics = [](const DeviceInfo& d) {
  return d.svm_atomics && (d.svm == SvmSupport::fine_buffer || d.svm == SvmSupport::fine_system);
};

constexpr Feature kExtensions[] = {
    {"cl_khr_icd", k1_0, false, kAlways},
    {"cl_khr_extended_versioning", k1_0, false, kAlways},
    {"cl_khr_create_command_queue", k1_0, false, kAlways},
    {"cl_khr_il_program", k1_0, false, kAlways},
    // The core of OpenCL C 1.1: "must be returned by all devices that support OpenCL 1.1 or newer".
    {"cl_khr_byte_addressable_store", k1_0, true, kAlways},
    {"cl_khr_global_int32_base_atomics", k1_0, true, kAlways},
    {"cl_khr_global_int32_extended_atomics", k1_0, true, kAlways},
    {"cl_khr_local_int32_base_atomics", k1_0, true, kAlways},
    {"cl_khr_local_int32_extended_atomics", k1_0, true, kAlways},
    {"cl_khr_fp64", k1_0, true, kAlways},
    {"cl_khr_int64_base_atomics", k1_0, true, kAlways},
    {"cl_khr_int64_extended_atomics", k1_0, true, kAlways},
    {"cl_khr_3d_image_writes", k1_0, true, kImages},
};

constexpr Feature kFeatures[] = {
    {"__opencl_c_int64", k3_0, true, kAlways},
    {"__opencl_c_fp64", k3_0, true, kAlways},
    {"__opencl_c_generic_address_space", k3_0, true, kAlways},
    {"__opencl_c_program_scope_global_variables", k3_0, true, kAlways},
    {"__opencl_c_work_group_collective_functions", k3_0, true, kAlways},
    {"__opencl_c_atomic_order_acq_rel", k3_0, true, kAlways},
    {"__opencl_c_atomic_order_seq_cst", k3_0, true, kAlways},
    {"__opencl_c_atomic_scope_device", k3_0, true, kAlways},
    {"__opencl_c_atomic_scope_all_devices", k3_0, true, kSvmAtomics},
    {"__opencl_c_images", k3_0, true, kImages},
    {"__opencl_c_3d_image_writes", k3_0, true, kImages},
};

template <class List>
std::vector<cl_name_version> those_of(const List& list, const DeviceInfo& device) {
  std::vector<cl_name_version> result;
  for (const Feature& feature : list) {
    if (!feature.has(device)) continue;
    cl_name_version& entry = result.emplace_back();
    entry.version = feature.version;
    std::strncpy(entry.name, feature.name, sizeof entry.name - 1);
  }
  return result;
}

template <class List>
bool contains(const List& list, const DeviceInfo& device, const char* name) {
  for (const Feature& feature : list) {
    if (std::strcmp(feature.name, name) == 0) return feature.has(device);
  }
  return false;
}

template <class List>
void add_for_clang(const List& list, const DeviceInfo& device, std::string& text) {
  for (const Feature& feature : list) {
    if (feature.in_language && feature.has(device)) text.append(",+").append(feature.name);
  }
}

}  // namespace

std::vector<cl_name_version> extensions(const DeviceInfo& device) { return those_of(kExtensions, device); }

std::vector<cl_name_version> language_features(const DeviceInfo& device) { return those_of(kFeatures, device); }

std::string extension_names(const DeviceInfo& device) {
  std::string names;
  for (const cl_name_version& extension : extensions(device)) {
    if (!names.empty()) names += ' ';
    names += extension.name;
  }
  return names;
}

bool has_feature(const DeviceInfo& device, const char* name) {
  return contains(kExtensions, device, name) || contains(kFeatures, device, name);
}

std::string clang_extensions(const DeviceInfo& device) {
  std::string text = "-all";
  add_for_clang(kExtensions, device, text);
  add_for_clang(kFeatures, device, text);
  return text;
}

}  // namespace sluice::compiler

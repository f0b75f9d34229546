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
    {"cl_khr_suggested_local_work_size", k1_0, false, kAlways},
    // The core of OpenCL C 1.1: "must be returned by all devices that support OpenCL 1.1 or newer".
    {"cl_khr_byte_addressable_store", k1_0, true, kAlways},
    {"cl_khr_global_int32_base_atomics", k1_0, true, kAlways},
    {"cl_khr_global_int32_extended_atomics", k1_0, true, kAlways},
    {"cl_khr_local_int32_base_atomics", k1_0, true, kAlways},
    {"cl_khr_local_int32_extended_atomics", k1_0, true, kAlways},
    {"cl_khr_fp64", k1_0, true, kAlways},
    {"cl_khr_fp16", k1_0, true, kAlways},
    {"cl_khr_int64_base_atomics", k1_0, true, kAlways},
    {"cl_khr_int64_extended_atomics", k1_0, true, kAlways},
    {"cl_khr_3d_image_writes", k1_0, true, kImages},
    {"cl_khr_image2d_from_buffer", k1_0, false, kImages},
    {"cl_khr_subgroups", k1_0, true, kAlways},
    {"cl_khr_subgroup_extended_types", k1_0, false, kAlways},
    {"cl_khr_subgroup_non_uniform_vote", k1_0, false, kAlways},
    {"cl_khr_subgroup_ballot", k1_0, false, kAlways},
    {"cl_khr_subgroup_non_uniform_arithmetic", k1_0, false, kAlways},
    {"cl_khr_subgroup_shuffle", k1_0, false, kAlways},
    {"cl_khr_subgroup_shuffle_relative", k1_0, false, kAlways},
    {"cl_khr_subgroup_clustered_reduce", k1_0, false, kAlways},
    {"cl_khr_subgroup_rotate", k1_0, false, kAlways},
};

constexpr Feature kFeatures[] = {
    {"__opencl_c_int64", k3_0, true, kAlways},
    {"__opencl_c_fp64", k3_0, true, kAlways},
    {"__opencl_c_generic_address_space", k3_0, true, kAlways},
    {"__opencl_c_program_scope_global_variables", k3_0, true, kAlways},
    {"__opencl_c_work_group_collective_functions", k3_0, true, kAlways},
    {"__opencl_c_subgroups", k3_0, true, kAlways},
    {"__opencl_c_atomic_order_acq_rel", k3_0, true, kAlways},
    {"__opencl_c_atomic_order_seq_cst", k3_0, true, kAlways},
    {"__opencl_c_atomic_scope_device", k3_0, true, kAlways},
    {"__opencl_c_atomic_scope_all_devices", k3_0, true, kSvmAtomics},
    {"__opencl_c_pipes", k3_0, true, kAlways},
    {"__opencl_c_images", k3_0, true, kImages},
    {"__opencl_c_3d_image_writes", k3_0, true, kImages},
    {"__opencl_c_read_write_images", k3_0, true, kImages},
};

// What opencl-c-base.h of clang 15 defines for SPIR, and clang itself for every target.
constexpr const char* kTakenForGranted[] = {
    "__IMAGE_SUPPORT__",
    "__opencl_c_pipes",
    "__opencl_c_generic_address_space",
    "__opencl_c_work_group_collective_functions",
    "__opencl_c_atomic_order_acq_rel",
    "__opencl_c_atomic_order_seq_cst",
    "__opencl_c_atomic_scope_device",
    "__opencl_c_atomic_scope_all_devices",
    "__opencl_c_device_enqueue",
    "__opencl_c_read_write_images",
    "__opencl_c_program_scope_global_variables",
    "__opencl_c_images",
    "__opencl_c_integer_dot_product_input_4x8bit",
    "__opencl_c_integer_dot_product_input_4x8bit_packed",
    "__opencl_c_ext_fp16_global_atomic_load_store",
    "__opencl_c_ext_fp16_local_atomic_load_store",
    "__opencl_c_ext_fp16_global_atomic_add",
    "__opencl_c_ext_fp16_local_atomic_add",
    "__opencl_c_ext_fp16_global_atomic_min_max",
    "__opencl_c_ext_fp16_local_atomic_min_max",
    "__opencl_c_ext_fp32_global_atomic_add",
    "__opencl_c_ext_fp32_local_atomic_add",
    "__opencl_c_ext_fp32_global_atomic_min_max",
    "__opencl_c_ext_fp32_local_atomic_min_max",
    "__opencl_c_ext_fp64_global_atomic_add",
    "__opencl_c_ext_fp64_local_atomic_add",
    "__opencl_c_ext_fp64_global_atomic_min_max",
    "__opencl_c_ext_fp64_local_atomic_min_max",
    "cl_ext_float_atomics",
    "cl_khr_extended_bit_ops",
    "cl_khr_integer_dot_product",
    "cl_khr_subgroup_ballot",
    "cl_khr_subgroup_clustered_reduce",
    "cl_khr_subgroup_extended_types",
    "cl_khr_subgroup_non_uniform_arithmetic",
    "cl_khr_subgroup_non_uniform_vote",
    "cl_khr_subgroup_rotate",
    "cl_khr_subgroup_shuffle",
    "cl_khr_subgroup_shuffle_relative",
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

std::string clang_prologue(const DeviceInfo& device) {
  std::string text;
  for (const char* name : kTakenForGranted) {
    const bool images = std::strcmp(name, "__IMAGE_SUPPORT__") == 0 && device.images;
    if (!images && !has_feature(device, name)) text.append("#undef ").append(name).append("\n");
  }
  return text;
}

}  // namespace sluice::compiler

// What the specification's table of device queries demands of a full-profile OpenCL 3.0 device, of every profile that
// is delivered: minimum values, values that follow from others, and lists that must say the same.
#include <CL/cl_ext.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

class DeviceTable : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    ASSERT_EQ(setenv("SLUICE_PROFILE", GetParam(), 1), 0);
    ASSERT_EQ(clGetPlatformIDs(1, &platform, nullptr), CL_SUCCESS);
    ASSERT_EQ(clGetDeviceIDs(platform, CL_DEVICE_TYPE_DEFAULT, 1, &device, nullptr), CL_SUCCESS);
  }
  template <class T>
  T get(cl_device_info name) const {
    T value{};
    EXPECT_EQ(clGetDeviceInfo(device, name, sizeof value, &value, nullptr), CL_SUCCESS) << name;
    return value;
  }
  template <class T>
  std::vector<T> list(cl_device_info name) const {
    std::size_t bytes = 0;
    EXPECT_EQ(clGetDeviceInfo(device, name, 0, nullptr, &bytes), CL_SUCCESS) << name;
    std::vector<T> values(bytes / sizeof(T));
    EXPECT_EQ(clGetDeviceInfo(device, name, bytes, values.data(), nullptr), CL_SUCCESS) << name;
    return values;
  }
  std::string text(cl_device_info name) const { return list<char>(name).data(); }
  cl_uint u(cl_device_info name) const { return get<cl_uint>(name); }
  std::size_t s(cl_device_info name) const { return get<std::size_t>(name); }
  cl_ulong l(cl_device_info name) const { return get<cl_ulong>(name); }

  cl_platform_id platform = nullptr;
  cl_device_id device = nullptr;
};

constexpr cl_ulong KiB = 1024;

TEST_P(DeviceTable, MinimumValues) {
  EXPECT_EQ(text(CL_DEVICE_PROFILE), "FULL_PROFILE");
  EXPECT_GE(u(CL_DEVICE_MAX_COMPUTE_UNITS), 1U);
  EXPECT_GE(u(CL_DEVICE_MAX_WORK_ITEM_DIMENSIONS), 3U);
  EXPECT_GE(s(CL_DEVICE_MAX_WORK_GROUP_SIZE), 1U);
  const auto sizes = list<std::size_t>(CL_DEVICE_MAX_WORK_ITEM_SIZES);
  EXPECT_EQ(sizes.size(), u(CL_DEVICE_MAX_WORK_ITEM_DIMENSIONS));
  EXPECT_GE(*std::min_element(sizes.begin(), sizes.end()), 1U);
  const cl_uint bits = u(CL_DEVICE_ADDRESS_BITS);
  EXPECT_TRUE(bits == 32 || bits == 64);
  // "max(min(1024 x 1024 x 1024, 1/4th of CL_DEVICE_GLOBAL_MEM_SIZE), 32 x 1024 x 1024)"
  const cl_ulong memory = l(CL_DEVICE_GLOBAL_MEM_SIZE);
  EXPECT_GE(l(CL_DEVICE_MAX_MEM_ALLOC_SIZE), std::max(std::min(KiB * KiB * KiB, memory / 4), 32 * KiB * KiB));
  EXPECT_GE(s(CL_DEVICE_MAX_PARAMETER_SIZE), 1024U);
  EXPECT_GE(u(CL_DEVICE_MEM_BASE_ADDR_ALIGN), 8 * sizeof(cl_long16));
  EXPECT_GE(u(CL_DEVICE_MIN_DATA_TYPE_ALIGN_SIZE), sizeof(cl_long16));
  EXPECT_GE(l(CL_DEVICE_MAX_CONSTANT_BUFFER_SIZE), 64 * KiB);
  EXPECT_GE(u(CL_DEVICE_MAX_CONSTANT_ARGS), 8U);
  EXPECT_GE(l(CL_DEVICE_LOCAL_MEM_SIZE), 32 * KiB);
  EXPECT_GE(s(CL_DEVICE_PRINTF_BUFFER_SIZE), KiB * KiB);
  EXPECT_GE(s(CL_DEVICE_PROFILING_TIMER_RESOLUTION), 1U);
  EXPECT_LE(u(CL_DEVICE_PARTITION_MAX_SUB_DEVICES), u(CL_DEVICE_MAX_COMPUTE_UNITS));
  const cl_device_fp_config single = CL_FP_ROUND_TO_NEAREST | CL_FP_INF_NAN;
  EXPECT_EQ(l(CL_DEVICE_SINGLE_FP_CONFIG) & single, single);
  EXPECT_NE(l(CL_DEVICE_EXECUTION_CAPABILITIES) & CL_EXEC_KERNEL, 0U);
  EXPECT_NE(l(CL_DEVICE_QUEUE_ON_HOST_PROPERTIES) & CL_QUEUE_PROFILING_ENABLE, 0U);
  EXPECT_EQ(u(CL_DEVICE_REFERENCE_COUNT), 1U);
  EXPECT_EQ(get<cl_device_id>(CL_DEVICE_PARENT_DEVICE), nullptr);
  // One of the types, and not a word for several.
  const cl_ulong type = l(CL_DEVICE_TYPE);
  EXPECT_TRUE(type == CL_DEVICE_TYPE_CPU || type == CL_DEVICE_TYPE_GPU || type == CL_DEVICE_TYPE_ACCELERATOR);
}

TEST_P(DeviceTable, ValuesOfFeatures) {
  const auto at_least_if = [&](bool supported, cl_ulong value, cl_ulong least) {
    EXPECT_TRUE(supported ? value >= least : value == 0) << value << " " << least;
  };
  const bool images = u(CL_DEVICE_IMAGE_SUPPORT) != 0;
  at_least_if(images, u(CL_DEVICE_MAX_READ_IMAGE_ARGS), 128);
  at_least_if(images, u(CL_DEVICE_MAX_WRITE_IMAGE_ARGS), 64);
  at_least_if(images, u(CL_DEVICE_MAX_SAMPLERS), 16);
  at_least_if(images, s(CL_DEVICE_IMAGE2D_MAX_WIDTH), 16384);
  at_least_if(images, s(CL_DEVICE_IMAGE2D_MAX_HEIGHT), 16384);
  at_least_if(images, s(CL_DEVICE_IMAGE3D_MAX_WIDTH), 2048);
  at_least_if(images, s(CL_DEVICE_IMAGE3D_MAX_HEIGHT), 2048);
  at_least_if(images, s(CL_DEVICE_IMAGE3D_MAX_DEPTH), 2048);
  at_least_if(images, s(CL_DEVICE_IMAGE_MAX_BUFFER_SIZE), 65536);
  at_least_if(images, s(CL_DEVICE_IMAGE_MAX_ARRAY_SIZE), 2048);
  const bool pipes = u(CL_DEVICE_PIPE_SUPPORT) != 0;
  at_least_if(pipes, u(CL_DEVICE_MAX_PIPE_ARGS), 16);
  at_least_if(pipes, u(CL_DEVICE_PIPE_MAX_ACTIVE_RESERVATIONS), 1);
  at_least_if(pipes, u(CL_DEVICE_PIPE_MAX_PACKET_SIZE), 1024);
  const bool queues = (l(CL_DEVICE_DEVICE_ENQUEUE_CAPABILITIES) & CL_DEVICE_QUEUE_SUPPORTED) != 0;
  at_least_if(queues, l(CL_DEVICE_QUEUE_ON_DEVICE_PROPERTIES), 1);
  at_least_if(queues, u(CL_DEVICE_QUEUE_ON_DEVICE_PREFERRED_SIZE), 16 * KiB);
  at_least_if(queues, u(CL_DEVICE_QUEUE_ON_DEVICE_MAX_SIZE), 256 * KiB);
  at_least_if(queues, u(CL_DEVICE_MAX_ON_DEVICE_QUEUES), 1);
  at_least_if(queues, u(CL_DEVICE_MAX_ON_DEVICE_EVENTS), 1024);
  if (pipes || queues) {
    EXPECT_EQ(u(CL_DEVICE_GENERIC_ADDRESS_SPACE_SUPPORT), cl_bool(CL_TRUE));
  }
  const std::string extensions = " " + text(CL_DEVICE_EXTENSIONS) + " ";
  const bool doubles = l(CL_DEVICE_DOUBLE_FP_CONFIG) != 0;
  EXPECT_EQ(extensions.find(" cl_khr_fp64 ") != std::string::npos, doubles);
  at_least_if(doubles, u(CL_DEVICE_PREFERRED_VECTOR_WIDTH_DOUBLE), 1);
  at_least_if(doubles, u(CL_DEVICE_NATIVE_VECTOR_WIDTH_DOUBLE), 1);
  const bool halves = extensions.find(" cl_khr_fp16 ") != std::string::npos;
  at_least_if(halves, u(CL_DEVICE_PREFERRED_VECTOR_WIDTH_HALF), 1);
  at_least_if(halves, u(CL_DEVICE_NATIVE_VECTOR_WIDTH_HALF), 1);
}

// "Because atomic memory orders are hierarchical, a device that supports a strong memory order must also support all
// weaker memory orders", and so with scopes; CL_DEVICE_SVM_ATOMICS are consistent "across the host and all OpenCL
// devices", which is the scope of all devices and OpenCL 2.0's every order.
TEST_P(DeviceTable, Atomics) {
  using Bits = cl_device_atomic_capabilities;
  const Bits memory = l(CL_DEVICE_ATOMIC_MEMORY_CAPABILITIES);
  const Bits fence = l(CL_DEVICE_ATOMIC_FENCE_CAPABILITIES);
  const Bits least = CL_DEVICE_ATOMIC_ORDER_RELAXED | CL_DEVICE_ATOMIC_SCOPE_WORK_GROUP;
  EXPECT_EQ(memory & least, least);
  EXPECT_EQ(fence & (least | CL_DEVICE_ATOMIC_ORDER_ACQ_REL), least | CL_DEVICE_ATOMIC_ORDER_ACQ_REL);
  for (const Bits bits : {memory, fence}) {
    if (bits & CL_DEVICE_ATOMIC_ORDER_SEQ_CST) {
      EXPECT_NE(bits & CL_DEVICE_ATOMIC_ORDER_ACQ_REL, 0U);
    }
    if (bits & CL_DEVICE_ATOMIC_SCOPE_ALL_DEVICES) {
      EXPECT_NE(bits & CL_DEVICE_ATOMIC_SCOPE_DEVICE, 0U);
    }
    if (l(CL_DEVICE_SVM_CAPABILITIES) & CL_DEVICE_SVM_ATOMICS) {
      EXPECT_NE(bits & CL_DEVICE_ATOMIC_ORDER_SEQ_CST, 0U);
      EXPECT_NE(bits & CL_DEVICE_ATOMIC_SCOPE_ALL_DEVICES, 0U);
    }
  }
}

std::set<std::string> words(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}
std::set<std::string> names(const std::vector<cl_name_version>& versions) {
  std::set<std::string> all;
  for (const cl_name_version& v : versions) EXPECT_TRUE(all.insert(v.name).second) << v.name << " twice";
  return all;
}

// "The following Khronos extension names must be returned by all devices that support OpenCL 1.1 or newer".
// CL_PLATFORM_EXTENSIONS: "Each extension that is supported by all devices associated with this platform must be
// reported here."
TEST_P(DeviceTable, Extensions) {
  const std::set<std::string> extensions = words(text(CL_DEVICE_EXTENSIONS));
  for (const char* name :
       {"cl_khr_byte_addressable_store", "cl_khr_global_int32_base_atomics", "cl_khr_global_int32_extended_atomics",
        "cl_khr_local_int32_base_atomics", "cl_khr_local_int32_extended_atomics"}) {
    EXPECT_EQ(extensions.count(name), 1U) << name;
  }
  EXPECT_EQ(names(list<cl_name_version>(CL_DEVICE_EXTENSIONS_WITH_VERSION)), extensions);
  char platform_extensions[4096] = {};
  ASSERT_EQ(
      clGetPlatformInfo(platform, CL_PLATFORM_EXTENSIONS, sizeof platform_extensions, platform_extensions, nullptr),
      CL_SUCCESS);
  const std::set<std::string> of_platform = words(platform_extensions);
  EXPECT_TRUE(std::includes(of_platform.begin(), of_platform.end(), extensions.begin(), extensions.end()));
  std::size_t bytes = 0;
  ASSERT_EQ(clGetPlatformInfo(platform, CL_PLATFORM_EXTENSIONS_WITH_VERSION, 0, nullptr, &bytes), CL_SUCCESS);
  std::vector<cl_name_version> versions(bytes / sizeof(cl_name_version));
  ASSERT_EQ(clGetPlatformInfo(platform, CL_PLATFORM_EXTENSIONS_WITH_VERSION, bytes, versions.data(), nullptr),
            CL_SUCCESS);
  EXPECT_EQ(names(versions), of_platform);
}

// "OpenCL<space><major_version.minor_version><space><vendor-specific information>", and numbers that match it.
TEST_P(DeviceTable, Versions) {
  const cl_version version = u(CL_DEVICE_NUMERIC_VERSION);
  const std::string number =
      std::to_string(CL_VERSION_MAJOR(version)) + "." + std::to_string(CL_VERSION_MINOR(version));
  EXPECT_EQ(text(CL_DEVICE_VERSION).rfind("OpenCL " + number + " ", 0), 0U);
  EXPECT_EQ(number, "3.0");
  const std::string language = text(CL_DEVICE_OPENCL_C_VERSION);
  std::smatch match;
  ASSERT_TRUE(std::regex_match(language, match, std::regex("OpenCL C (\\d)\\.(\\d) .*")));
  std::set<std::string> versions;
  for (const cl_name_version& v : list<cl_name_version>(CL_DEVICE_OPENCL_C_ALL_VERSIONS)) {
    EXPECT_STREQ(v.name, "OpenCL C");
    versions.insert(std::to_string(CL_VERSION_MAJOR(v.version)) + "." + std::to_string(CL_VERSION_MINOR(v.version)));
  }
  // "The version returned by CL_DEVICE_OPENCL_C_VERSION is required to be present in the list"; "support for at least
  // OpenCL C 3.0, OpenCL C 1.2, OpenCL C 1.1, and OpenCL C 1.0 is required for an OpenCL 3.0 device".
  for (const std::string& v : {match[1].str() + "." + match[2].str(), std::string("3.0"), std::string("1.2"),
                               std::string("1.1"), std::string("1.0")}) {
    EXPECT_EQ(versions.count(v), 1U) << v;
  }
  // The conformance suite's form, vYYYY-MM-DD-XX.
  EXPECT_TRUE(std::regex_match(text(CL_DEVICE_LATEST_CONFORMANCE_VERSION_PASSED),
                               std::regex("v\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])-\\d{2}")));
}

INSTANTIATE_TEST_SUITE_P(Profiles, DeviceTable,
                         ::testing::Values("generic-pcie4", "h200-pcie5", "legacy-pcie3", "superchip-c2c",
                                           "cxl-accelerator", "igpu-coherent", "soc-noncoherent"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace

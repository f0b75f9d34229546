// Arbitrary SPIR-V given to the driver, from valid modules on (seeds/spirv_fuzz): whatever it is, it is refused, does not
// build with a log that says why, or becomes a program whose kernels can be asked about. The driver has a child process
// for the translator; this process, where the engine works on what came out, lives on.
#include <CL/cl_icd.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

void require(bool kept, const char* promise) {
  if (kept) return;
  std::fprintf(stderr, "spirv_fuzz: broken: %s\n", promise);
  std::abort();
}

struct Driver {
  const cl_icd_dispatch* table = nullptr;
  cl_device_id device = nullptr;
  cl_context context = nullptr;

  Driver() {
    cl_platform_id platform = nullptr;
    require(clIcdGetPlatformIDsKHR(1, &platform, nullptr) == CL_SUCCESS, "the machine opens");
    table = *reinterpret_cast<const cl_icd_dispatch* const*>(platform);
    require(table->clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, nullptr) == CL_SUCCESS, "it has a device");
    context = table->clCreateContext(nullptr, 1, &device, nullptr, nullptr, nullptr);
    require(context != nullptr, "it has a context");
  }
};

const Driver& driver() {
  static const Driver driver;
  return driver;
}

void ask_about_kernels(const cl_icd_dispatch& cl, cl_program program) {
  cl_uint count = 0;
  require(cl.clCreateKernelsInProgram(program, 0, nullptr, &count) == CL_SUCCESS, "an executable has kernels or none");
  std::vector<cl_kernel> kernels(count);
  if (count == 0) return;
  require(cl.clCreateKernelsInProgram(program, count, kernels.data(), nullptr) == CL_SUCCESS, "which can be created");
  for (cl_kernel kernel : kernels) {
    cl_uint arguments = 0;
    require(cl.clGetKernelInfo(kernel, CL_KERNEL_NUM_ARGS, sizeof arguments, &arguments, nullptr) == CL_SUCCESS,
            "have arguments");
    for (cl_uint i = 0; i < arguments; ++i) {
      char text[256];
      (void)cl.clGetKernelArgInfo(kernel, i, CL_KERNEL_ARG_TYPE_NAME, sizeof text, text, nullptr);
    }
    require(cl.clReleaseKernel(kernel) == CL_SUCCESS, "and can be released");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const cl_icd_dispatch& cl = *driver().table;
  cl_int code = CL_SUCCESS;
  cl_program program = cl.clCreateProgramWithIL(driver().context, data, size, &code);
  if (program == nullptr) {
    require(code == CL_INVALID_VALUE, "what is not SPIR-V is an invalid value");
    return 0;
  }
  const std::uint64_t value = size;
  for (cl_uint id = 0; id < 4; ++id) {
    for (const std::size_t bytes : {1, 4, 8}) {
      (void)cl.clSetProgramSpecializationConstant(program, id, bytes, &value);
    }
  }
  code = cl.clBuildProgram(program, 0, nullptr, nullptr, nullptr, nullptr);
  std::size_t log_bytes = 0;
  require(cl.clGetProgramBuildInfo(program, driver().device, CL_PROGRAM_BUILD_LOG, 0, nullptr, &log_bytes) == CL_SUCCESS,
          "a build has a log");
  if (code == CL_SUCCESS) {
    ask_about_kernels(cl, program);
  } else {
    require(code == CL_BUILD_PROGRAM_FAILURE && log_bytes > 1, "a build that fails says why");
  }
  require(cl.clReleaseProgram(program) == CL_SUCCESS, "a program can be released");
  return 0;
}

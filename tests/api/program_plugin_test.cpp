// The part of the driver that needs LLVM is a file of its own. What happens while it is not needed, and without it.
// Each test is a process of its own (the loader reads its folder once); the driver's file is copied to where nothing, or
// the wrong thing, lies beside it.
#include <CL/cl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

namespace {

namespace fs = std::filesystem;

constexpr const char* kSource = "kernel void k(global int* p) { p[get_global_id(0)] = 1; }";

// In the child: the first thing that is not so ends it.
void need(bool good, const char* what) {
  if (good) return;
  std::cerr << "not so: " << what << std::endl;
  ::_exit(1);
}
#define NEED(condition) need(condition, #condition)

[[noreturn]] void done() { ::_exit(0); }

struct Machine {
  cl_device_id device = nullptr;
  cl_context context = nullptr;

  Machine() {
    cl_platform_id platform = nullptr;
    NEED(clGetPlatformIDs(1, &platform, nullptr) == CL_SUCCESS);
    NEED(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, nullptr) == CL_SUCCESS);
    context = clCreateContext(nullptr, 1, &device, nullptr, nullptr, nullptr);
    NEED(context != nullptr);
  }

  [[nodiscard]] bool has_compiler() const {
    cl_bool compiler = 2;
    cl_bool linker = 2;
    NEED(clGetDeviceInfo(device, CL_DEVICE_COMPILER_AVAILABLE, sizeof compiler, &compiler, nullptr) == CL_SUCCESS);
    NEED(clGetDeviceInfo(device, CL_DEVICE_LINKER_AVAILABLE, sizeof linker, &linker, nullptr) == CL_SUCCESS);
    NEED(compiler == linker);
    return compiler == CL_TRUE;
  }

  [[nodiscard]] cl_program program() const {
    const char* text = kSource;
    cl_program made = clCreateProgramWithSource(context, 1, &text, nullptr, nullptr);
    NEED(made != nullptr);
    return made;
  }

  [[nodiscard]] std::string log(cl_program program) const {
    char text[4096] = {};
    NEED(clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, sizeof text, text, nullptr) == CL_SUCCESS);
    return text;
  }
};

bool is_llvm_loaded() {
  std::ifstream maps("/proc/self/maps");
  std::stringstream text;
  text << maps.rdbuf();
  return text.str().find("libLLVM") != std::string::npos;
}

// A copy of the driver in a folder of its own, which the loader will find.
class ProgramPlugin : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/sluice-plugin-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    folder_ = name;
    ::setenv("XDG_CACHE_HOME", (folder_ / "cache").c_str(), 1);
  }
  void TearDown() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  void copy_driver() const {
    fs::create_directories(folder_ / "lib" / "sluice");
    fs::copy_file(DRIVER, folder_ / "lib" / "driver.so");
    std::ofstream(folder_ / "copy.icd") << (folder_ / "lib" / "driver.so").string() << '\n';
    ::setenv("OCL_ICD_VENDORS", folder_.c_str(), 1);
  }
  [[nodiscard]] fs::path plugin() const { return folder_ / "lib" / "sluice" / "libsluice_kernels.so"; }

  static void expect_no_compiler(const Machine& machine) {
    cl_program program = machine.program();
    NEED(clBuildProgram(program, 0, nullptr, nullptr, nullptr, nullptr) == CL_COMPILER_NOT_AVAILABLE);
    NEED(machine.log(program).find("libsluice_kernels.so") != std::string::npos);
    NEED(clCompileProgram(program, 0, nullptr, nullptr, 0, nullptr, nullptr, nullptr, nullptr) ==
         CL_COMPILER_NOT_AVAILABLE);
    cl_int code = CL_SUCCESS;
    NEED(clCreateKernel(program, "k", &code) == nullptr && code == CL_INVALID_PROGRAM_EXECUTABLE);
    NEED(clReleaseProgram(program) == CL_SUCCESS);
  }

  fs::path folder_;
};
using ProgramPluginDeathTest = ProgramPlugin;

TEST_F(ProgramPluginDeathTest, IsNotLoadedBeforeAProgramIsBuilt) {
  EXPECT_EXIT(
      {
        const Machine machine;
        NEED(machine.has_compiler());
        cl_program program = machine.program();
        NEED(!is_llvm_loaded());
        NEED(clBuildProgram(program, 0, nullptr, nullptr, nullptr, nullptr) == CL_SUCCESS);
        NEED(is_llvm_loaded());
        done();
      },
      ::testing::ExitedWithCode(0), "");
}

// "CL_COMPILER_NOT_AVAILABLE if program is created with clCreateProgramWithSource and a compiler is not available".
TEST_F(ProgramPluginDeathTest, Missing) {
  copy_driver();
  EXPECT_EXIT(
      {
        const Machine machine;
        NEED(!machine.has_compiler());
        expect_no_compiler(machine);
        // Installed later, it is found.
        fs::copy_file(PLUGIN, plugin());
        NEED(machine.has_compiler());
        cl_program program = machine.program();
        NEED(clBuildProgram(program, 0, nullptr, nullptr, nullptr, nullptr) == CL_SUCCESS);
        done();
      },
      ::testing::ExitedWithCode(0), "");
}

// Once a program is kept, neither it nor its kernels need LLVM again.
TEST_F(ProgramPluginDeathTest, IsNotNeededForWhatIsKept) {
  copy_driver();
  fs::copy_file(PLUGIN, plugin());
  const auto run = [](bool loads) {
    const Machine machine;
    cl_program program = machine.program();
    NEED(clBuildProgram(program, 0, nullptr, nullptr, nullptr, nullptr) == CL_SUCCESS);
    cl_int code = CL_SUCCESS;
    cl_kernel kernel = clCreateKernel(program, "k", &code);
    NEED(code == CL_SUCCESS);
    cl_mem buffer = clCreateBuffer(machine.context, CL_MEM_READ_WRITE, 64, nullptr, nullptr);
    NEED(clSetKernelArg(kernel, 0, sizeof buffer, &buffer) == CL_SUCCESS);
    cl_command_queue queue = clCreateCommandQueueWithProperties(machine.context, machine.device, nullptr, nullptr);
    const std::size_t items = 16;
    NEED(clEnqueueNDRangeKernel(queue, kernel, 1, nullptr, &items, nullptr, 0, nullptr, nullptr) == CL_SUCCESS);
    cl_int data[16] = {};
    NEED(clEnqueueReadBuffer(queue, buffer, CL_TRUE, 0, sizeof data, data, 0, nullptr, nullptr) == CL_SUCCESS);
    NEED(data[15] == 1);
    NEED(is_llvm_loaded() == loads);
    done();
  };
  EXPECT_EXIT(run(true), ::testing::ExitedWithCode(0), "");
  EXPECT_EXIT(run(false), ::testing::ExitedWithCode(0), "");
  fs::remove(plugin());
  EXPECT_EXIT(run(false), ::testing::ExitedWithCode(0), "");
}

TEST_F(ProgramPluginDeathTest, IsNoLibrary) {
  copy_driver();
  std::ofstream(plugin()) << "not a library\n";
  EXPECT_EXIT(
      {
        expect_no_compiler(Machine());
        done();
      },
      ::testing::ExitedWithCode(0), "");
}

// The driver itself is a library without the symbol.
TEST_F(ProgramPluginDeathTest, IsAnotherLibrary) {
  copy_driver();
  fs::copy_file(DRIVER, plugin());
  EXPECT_EXIT(
      {
        expect_no_compiler(Machine());
        done();
      },
      ::testing::ExitedWithCode(0), "");
}

TEST_F(ProgramPluginDeathTest, IsOfAnotherVersion) {
  copy_driver();
  fs::copy_file(OTHER_PLUGIN, plugin());
  EXPECT_EXIT(
      {
        expect_no_compiler(Machine());
        done();
      },
      ::testing::ExitedWithCode(0), "");
}

}  // namespace

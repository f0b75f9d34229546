// Building programs from source: what OpenCL 3.0, section 5.8 says of clBuildProgram, its options, log and codes.
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "tests/api/program_fixture.h"

namespace {

using Build = ProgramTest;

const std::string kOne = "kernel void one(global int* p) { p[0] = 1; }\n";

TEST_F(Build, StatusBeforeAndAfter) {
  cl_program p = source(kOne + "kernel void two(global int* p) { p[0] = 2; }");
  EXPECT_EQ(status_of(p), CL_BUILD_NONE);
  EXPECT_EQ(type_of(p), cl_program_binary_type(CL_PROGRAM_BINARY_TYPE_NONE));
  EXPECT_EQ(log(p), "");
  EXPECT_TRUE(binary(p).empty());
  std::size_t n = 0;
  EXPECT_EQ(clGetProgramInfo(p, CL_PROGRAM_NUM_KERNELS, sizeof n, &n, nullptr), CL_INVALID_PROGRAM_EXECUTABLE);
  EXPECT_EQ(clGetProgramInfo(p, CL_PROGRAM_KERNEL_NAMES, 0, nullptr, &n), CL_INVALID_PROGRAM_EXECUTABLE);
  EXPECT_EQ(build(p, " -w  -DX "), CL_SUCCESS);
  EXPECT_EQ(status_of(p), CL_BUILD_SUCCESS);
  EXPECT_EQ(type_of(p), cl_program_binary_type(CL_PROGRAM_BINARY_TYPE_EXECUTABLE));
  EXPECT_EQ(build_text(p, CL_PROGRAM_BUILD_OPTIONS), " -w  -DX ");
  EXPECT_EQ(clGetProgramInfo(p, CL_PROGRAM_NUM_KERNELS, sizeof n, &n, nullptr), CL_SUCCESS);
  EXPECT_EQ(n, 2U);
  EXPECT_EQ(kernel_names(p), "one;two");
  EXPECT_FALSE(binary(p).empty());
}

TEST_F(Build, ErrorsNameTheirLine) {
  cl_program p = source("kernel void k(global int* p) {\n\n  p[0] = nonesuch;\n}\n");
  EXPECT_EQ(build(p), CL_BUILD_PROGRAM_FAILURE);
  EXPECT_EQ(status_of(p), CL_BUILD_ERROR);
  EXPECT_NE(log(p).find(":3:10: error: use of undeclared identifier 'nonesuch'"), std::string::npos) << log(p);
  EXPECT_EQ(type_of(p), cl_program_binary_type(CL_PROGRAM_BINARY_TYPE_NONE));
  std::size_t n = 0;
  EXPECT_EQ(clGetProgramInfo(p, CL_PROGRAM_NUM_KERNELS, sizeof n, &n, nullptr), CL_INVALID_PROGRAM_EXECUTABLE);
}

// A build replaces the one before, for better or worse.
TEST_F(Build, Again) {
  cl_program p = source("#ifdef BAD\n#error bad\n#endif\n" + kOne);
  EXPECT_EQ(build(p), CL_SUCCESS);
  EXPECT_EQ(build(p, "-D BAD"), CL_BUILD_PROGRAM_FAILURE);
  EXPECT_EQ(status_of(p), CL_BUILD_ERROR);
  EXPECT_TRUE(binary(p).empty());
  EXPECT_EQ(build(p), CL_SUCCESS);
  EXPECT_EQ(log(p), "");
}

TEST_F(Build, WarningsAreInTheLogOfASuccess) {
  const std::string text = "#warning look here\n" + kOne;
  EXPECT_NE(log_of(text, CL_SUCCESS).find("look here"), std::string::npos);
  EXPECT_EQ(log_of(text, CL_SUCCESS, "-w"), "");  // "Inhibit all warning messages"
  EXPECT_NE(log_of(text, CL_BUILD_PROGRAM_FAILURE, "-Werror").find("error"), std::string::npos);
}

// What an option does, seen from inside: `condition` holds with the option and not without.
TEST_F(Build, OptionsReachTheProgram) {
  const struct {
    const char* option;
    const char* condition;
  } cases[] = {
      {"-D NAME", "NAME == 1"},  // "Predefine name as a macro, with definition 1"
      {"-DNAME=7", "NAME == 7"},
      {"-D \"F(x)=x*2\" -D SIX=F(3)", "SIX == 6"},
      {"-cl-std=CL3.0", "__OPENCL_C_VERSION__ == 300"},
      {"-cl-std=CL1.1", "__OPENCL_C_VERSION__ == 110"},
      {"-cl-std=CL1.0", "__OPENCL_C_VERSION__ == 100"},
      {"-cl-fast-relaxed-math", "defined(__FAST_RELAXED_MATH__)"},
  };
  for (const auto& c : cases) {
    const std::string text = "#if !(" + std::string(c.condition) + ")\n#error no\n#endif\n";
    EXPECT_EQ(log_of(text, CL_SUCCESS, c.option), "") << c.option;
    log_of(text, CL_BUILD_PROGRAM_FAILURE);
  }
  // "If the -cl-std build option is not specified, the highest OpenCL C 1.x language version".
  log_of(
      "#if __OPENCL_C_VERSION__ != 120 || __OPENCL_VERSION__ != 300 || !defined(__ENDIAN_LITTLE__)\n"
      "#error no\n#endif",
      CL_SUCCESS);
}

TEST_F(Build, EveryOptionOfTheSpecification) {
  const std::string text = "kernel void k(global float* p) { p[0] = p[1] * p[2] + 1.5 / p[3]; }";
  for (const char* option :
       {"", " ", "-cl-single-precision-constant", "-cl-denorms-are-zero", "-cl-fp32-correctly-rounded-divide-sqrt",
        "-cl-opt-disable", "-cl-mad-enable", "-cl-no-signed-zeros", "-cl-unsafe-math-optimizations",
        "-cl-finite-math-only", "-cl-fast-relaxed-math", "-cl-uniform-work-group-size", "-cl-no-subgroup-ifp",
        "-cl-std=CL2.0", "-cl-std=CL2.0 -cl-uniform-work-group-size", "-cl-kernel-arg-info", "-g",
        "-cl-strict-aliasing"}) {
    EXPECT_EQ(log_of(text, CL_SUCCESS, option), "") << option;
  }
}

TEST_F(Build, OptionsThatAreNone) {
  for (const char* option :
       {"-nonesuch", "-O2", "-D", "-cl-std=CL9.0", "-create-library", "\"", "-Xclang", "file.cl"}) {
    cl_program p = source(kOne);
    EXPECT_EQ(build(p, option), CL_INVALID_BUILD_OPTIONS) << option;
    EXPECT_NE(log(p), "") << option;
    EXPECT_EQ(compile(p, option), CL_INVALID_COMPILER_OPTIONS) << option;
    EXPECT_EQ(build(p), CL_SUCCESS) << option;  // no harm done
  }
}

// The device's features are the language's macros, and no others are.
TEST_F(Build, FeaturesAndExtensions) {
  std::size_t bytes = 0;
  ASSERT_EQ(clGetDeviceInfo(device, CL_DEVICE_OPENCL_C_FEATURES, 0, nullptr, &bytes), CL_SUCCESS);
  std::vector<cl_name_version> features(bytes / sizeof(cl_name_version));
  ASSERT_EQ(clGetDeviceInfo(device, CL_DEVICE_OPENCL_C_FEATURES, bytes, features.data(), nullptr), CL_SUCCESS);
  std::string text;
  const auto is = [&](const std::string& name) {
    for (const cl_name_version& f : features) {
      if (name == f.name) return true;
    }
    return false;
  };
  for (const char* name :
       {"__opencl_c_3d_image_writes", "__opencl_c_atomic_order_acq_rel", "__opencl_c_atomic_order_seq_cst",
        "__opencl_c_atomic_scope_device", "__opencl_c_atomic_scope_all_devices", "__opencl_c_device_enqueue",
        "__opencl_c_generic_address_space", "__opencl_c_fp64", "__opencl_c_images", "__opencl_c_int64",
        "__opencl_c_pipes", "__opencl_c_program_scope_global_variables", "__opencl_c_read_write_images",
        "__opencl_c_subgroups", "__opencl_c_work_group_collective_functions"}) {
    text += std::string("#if ") + (is(name) ? "!" : "") + "defined(" + name + ")\n#error " + name + "\n#endif\n";
  }
  EXPECT_EQ(log_of(text, CL_SUCCESS, "-cl-std=CL3.0"), "");
  EXPECT_TRUE(is("__opencl_c_int64"));  // of every device with the full profile
  // "If cl_khr_subgroups is supported by the device this must return CL_TRUE."
  EXPECT_TRUE(is("__opencl_c_subgroups"));
  cl_uint sub_groups = 0;
  cl_bool progress = CL_FALSE;
  clGetDeviceInfo(device, CL_DEVICE_MAX_NUM_SUB_GROUPS, sizeof sub_groups, &sub_groups, nullptr);
  clGetDeviceInfo(device, CL_DEVICE_SUB_GROUP_INDEPENDENT_FORWARD_PROGRESS, sizeof progress, &progress, nullptr);
  EXPECT_GT(sub_groups, 0U);
  EXPECT_EQ(progress, CL_TRUE);
  for (const char* name : {"", "_extended_types", "_non_uniform_vote", "_ballot", "_non_uniform_arithmetic", "_shuffle",
                           "_shuffle_relative", "_clustered_reduce", "_rotate"}) {
    const std::string extension = std::string("cl_khr_subgroup") + (*name == 0 ? "s" : name);
    EXPECT_EQ(log_of("#ifndef " + extension + "\n#error\n#endif", CL_SUCCESS, "-cl-std=CL3.0"), "") << extension;
  }
  char extensions[4096] = {};
  ASSERT_EQ(clGetDeviceInfo(device, CL_DEVICE_EXTENSIONS, sizeof extensions, extensions, nullptr), CL_SUCCESS);
  const bool doubles = std::strstr(extensions, "cl_khr_fp64") != nullptr;
  EXPECT_EQ(is("__opencl_c_fp64"), doubles);
  log_of(std::string("#if ") + (doubles ? "!" : "") + "defined(cl_khr_fp64)\n#error\n#endif", CL_SUCCESS);
  log_of("#ifndef cl_khr_fp16\n#error\n#endif", CL_SUCCESS);
  cl_bool images = CL_FALSE;
  clGetDeviceInfo(device, CL_DEVICE_IMAGE_SUPPORT, sizeof images, &images, nullptr);
  log_of(std::string("#if ") + (images != CL_FALSE ? "!" : "") + "defined(__IMAGE_SUPPORT__)\n#error\n#endif",
         CL_SUCCESS);
}

TEST_F(Build, ProgramScopeVariables) {
  cl_program p = source("global int a[10]; constant float c = 1; kernel void k() { a[1] = 2; }");
  EXPECT_EQ(build(p, "-cl-std=CL3.0"), CL_SUCCESS) << log(p);
  // "total amount of storage, in bytes, used by program variables in the global address space".
  EXPECT_EQ(build_info<std::size_t>(p, CL_PROGRAM_BUILD_GLOBAL_VARIABLE_TOTAL_SIZE), 10 * sizeof(cl_int));
}

// A folder of the test's own, with one header in it.
class IncludeFolder {
 public:
  IncludeFolder() {
    EXPECT_NE(::mkdtemp(path_), nullptr);
    std::ofstream(header()) << "#define FROM_DISK 5\n";
  }
  ~IncludeFolder() {
    ::unlink(header().c_str());
    ::rmdir(path_);
  }
  [[nodiscard]] std::string path() const { return path_; }

 private:
  [[nodiscard]] std::string header() const { return std::string(path_) + "/disk.h"; }
  char path_[32] = "/tmp/sluice inc XXXXXX";
};

TEST_F(Build, IncludesFromFolders) {
  const IncludeFolder folder;
  const std::string text = "#include \"disk.h\"\n#if FROM_DISK != 5\n#error\n#endif\n";
  EXPECT_EQ(log_of(text, CL_SUCCESS, ("-I \"" + folder.path() + "\"").c_str()), "");
  EXPECT_NE(log_of(text, CL_BUILD_PROGRAM_FAILURE).find(":1:10: fatal error: 'disk.h' file not found"),
            std::string::npos);
}

TEST_F(Build, Arguments) {
  cl_program p = source(kOne);
  int data = 0;
  EXPECT_EQ(clBuildProgram(p, 1, nullptr, nullptr, nullptr, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(clBuildProgram(p, 0, &device, nullptr, nullptr, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(clBuildProgram(p, 0, nullptr, nullptr, nullptr, &data), CL_INVALID_VALUE);
  EXPECT_EQ(clBuildProgram(p, 1, &device, nullptr, nullptr, nullptr), CL_SUCCESS);
}

// "Kernel argument information is only available if the program object [...] was built with the -cl-kernel-arg-info
// option" (clGetKernelArgInfo).
TEST_F(Build, ArgumentsAreToldIfAskedFor) {
  for (const bool asked : {false, true}) {
    cl_program p = source("kernel void k(global const float* values, int count) {}");
    ASSERT_EQ(build(p, asked ? "-cl-kernel-arg-info" : ""), CL_SUCCESS) << log(p);
    cl_kernel k = clCreateKernel(p, "k", nullptr);
    ASSERT_NE(k, nullptr);
    for (const cl_kernel_arg_info what : {CL_KERNEL_ARG_ADDRESS_QUALIFIER, CL_KERNEL_ARG_ACCESS_QUALIFIER,
                                          CL_KERNEL_ARG_TYPE_NAME, CL_KERNEL_ARG_TYPE_QUALIFIER, CL_KERNEL_ARG_NAME}) {
      char out[16] = "";
      EXPECT_EQ(clGetKernelArgInfo(k, 1, what, sizeof out, out, nullptr),
                asked ? CL_SUCCESS : CL_KERNEL_ARG_INFO_NOT_AVAILABLE);
      if (asked && what == CL_KERNEL_ARG_NAME) {
        EXPECT_STREQ(out, "count");
      }
    }
    clReleaseKernel(k);
  }
}

struct Called {
  std::atomic<int> times{0};
  std::atomic<cl_program> program{nullptr};
  std::atomic<cl_int> status{CL_BUILD_NONE};
};

void CL_CALLBACK note(cl_program program, void* user_data) {
  auto* called = static_cast<Called*>(user_data);
  cl_device_id device = nullptr;
  clGetProgramInfo(program, CL_PROGRAM_DEVICES, sizeof device, &device, nullptr);
  cl_build_status status = CL_BUILD_NONE;
  clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_STATUS, sizeof status, &status, nullptr);
  called->program = program;
  called->status = status;
  ++called->times;
}

TEST_F(Build, CallsBackOnce) {
  const auto wait = [](const Called& called) {
    for (int i = 0; i < 5000 && called.times == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  };
  for (const bool good : {true, false}) {
    Called called;
    const std::string text = good ? kOne : "nonsense";
    const char* string = text.c_str();
    cl_int e = CL_SUCCESS;
    cl_program p = clCreateProgramWithSource(context, 1, &string, nullptr, &e);
    // The build could begin; how it went is the callback's to ask.
    EXPECT_EQ(clBuildProgram(p, 0, nullptr, nullptr, &note, &called), CL_SUCCESS);
    clReleaseProgram(p);
    wait(called);
    EXPECT_EQ(called.times, 1);
    EXPECT_EQ(called.program, p);
    EXPECT_EQ(called.status, good ? CL_BUILD_SUCCESS : CL_BUILD_ERROR);
  }
  Called compiled;
  EXPECT_EQ(clCompileProgram(source(kOne), 0, nullptr, nullptr, 0, nullptr, nullptr, &note, &compiled), CL_SUCCESS);
  wait(compiled);
  EXPECT_EQ(compiled.times, 1);
  // No build, no callback.
  Called none;
  EXPECT_EQ(clBuildProgram(source(kOne), 0, nullptr, "-nonesuch", &note, &none), CL_INVALID_BUILD_OPTIONS);
  clFinish(queue);
  EXPECT_EQ(none.times, 0);
}

TEST_F(Build, TextWithoutKernels) {
  for (const std::string& text : {std::string(), std::string(" \n"), std::string("// nothing"),
                                  std::string("int f(int a) { return a; }")}) {
    cl_program p = source(text.empty() ? " " : text);
    EXPECT_EQ(build(p), CL_SUCCESS) << log(p);
    EXPECT_EQ(kernel_names(p), "");
  }
}

TEST_F(Build, SourceComesBackAsItWas) {
  const std::string text("kernel void k() {}\0 \xff after", 27);
  cl_program p = source(text);
  std::size_t size = 0;
  ASSERT_EQ(clGetProgramInfo(p, CL_PROGRAM_SOURCE, 0, nullptr, &size), CL_SUCCESS);
  ASSERT_EQ(size, text.size() + 1);
  std::string back(size, '?');
  EXPECT_EQ(clGetProgramInfo(p, CL_PROGRAM_SOURCE, size, back.data(), nullptr), CL_SUCCESS);
  EXPECT_EQ(back.substr(0, text.size()), text);
  EXPECT_EQ(build(p), CL_BUILD_PROGRAM_FAILURE);  // 0xff is no UTF-8
}

TEST_F(Build, RecursionIsAnError) {
  const std::string text =
      "int g(int a);\nint f(int a) { return a > 0 ? g(a - 1) : 0; }\n"
      "int g(int a) { return f(a); }\nkernel void k(global int* p) { p[0] = f(p[1]); }\n";
  const std::string said = log_of(text, CL_BUILD_PROGRAM_FAILURE);
  EXPECT_NE(said.find(":2: error: function 'f' calls itself"), std::string::npos) << said;
  EXPECT_NE(said.find(":3: error: function 'g' calls itself"), std::string::npos) << said;
  EXPECT_EQ(said.find("'k'"), std::string::npos) << said;
}

std::string repeated(const std::string& text, std::size_t times) {
  std::string all;
  all.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

// The calling program outlives what it asks for.
TEST_F(Build, HostileText) {
  log_of(std::string(10'000'000, '('), CL_BUILD_PROGRAM_FAILURE);
  log_of(std::string(10'000'000, ' '), CL_SUCCESS);
  log_of(std::string(1'000'000, '\0'), CL_SUCCESS);
  log_of(std::string(100'000, '\xff'), CL_BUILD_PROGRAM_FAILURE);
  log_of("kernel void k(global int* p) { p[0] = " + repeated("-(", 100'000), CL_BUILD_PROGRAM_FAILURE);
  log_of("\"" + std::string(1'000'000, 'x'), CL_BUILD_PROGRAM_FAILURE);
  log_of("/*" + std::string(1'000'000, 'x'), CL_BUILD_PROGRAM_FAILURE);
  log_of("#include __FILE__\n", CL_BUILD_PROGRAM_FAILURE);
  // A long chain is a deep tree: the compiler's stack is large, and beyond that it has a process of its own to lose.
  log_of("kernel void k(global int* p) { p[0] = p[1]" + repeated("+p[2]", 20'000) + "; }", CL_SUCCESS);
  log_of("kernel void k(global int* p) { p[0] = p[1]" + repeated("+1", 90'000) + "; }", CL_SUCCESS);
  log_of("kernel void k(global int* p) { p[0] = p[1]" + repeated("+1", 4'000'000) + "; }", CL_BUILD_PROGRAM_FAILURE);
}

// "#include" nests 200 deep at most in clang; a program whose headers never end gets there at once.
TEST_F(Build, HeadersThatIncludeEachOtherForEver) {
  cl_program a = source("#include \"b.h\"\n");
  cl_program b = source("#include \"a.h\"\n");
  cl_program p = source("#include \"a.h\"\n" + kOne);
  const cl_program headers[] = {a, b};
  const char* names[] = {"a.h", "b.h"};
  EXPECT_EQ(clCompileProgram(p, 0, nullptr, nullptr, 2, headers, names, nullptr, nullptr), CL_COMPILE_PROGRAM_FAILURE);
  EXPECT_NE(log(p).find("#include nested too deeply"), std::string::npos) << log(p).substr(0, 1000);
}

TEST_F(Build, TenMegabytesOfSource) {
  const std::string line = "// a comment of some length, as a program that was generated may have many\n";
  const std::string text = repeated(line, 10'000'000 / line.size()) + kOne + "kernel void last() { nonesuch(); }\n";
  const std::string said = log_of(text, CL_BUILD_PROGRAM_FAILURE);
  const std::string place = ":" + std::to_string(10'000'000 / line.size() + 2) + ":22: ";
  EXPECT_NE(said.find(place), std::string::npos) << said;
}

// Each line doubles: 2^40 tokens.
TEST_F(Build, MacrosThatExplode) {
  std::string text = "#define A0 +1\n";
  for (int i = 1; i <= 40; ++i) {
    const std::string inner = "A" + std::to_string(i - 1);
    text += "#define A" + std::to_string(i) + " " + inner + " " + inner + "\n";
  }
  const std::string said = log_of(text + "kernel void k(global int* p) { p[0] = 0 A40; }", CL_BUILD_PROGRAM_FAILURE);
  EXPECT_NE(said.find("tokens"), std::string::npos) << said;
  log_of(text + "kernel void k(global int* p) { p[0] = 0 A10; }", CL_SUCCESS);
}

// A log is no longer than a program can be expected to read.
TEST_F(Build, LogsEnd) {
  const std::string said = log_of(repeated("#warning w\n", 500'000), CL_SUCCESS);
  EXPECT_GT(said.size(), 100'000U);
  EXPECT_LT(said.size(), 2'000'000U);
}

TEST_F(Build, FromSeveralThreads) {
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 5; ++i) {
        const std::string text =
            "kernel void k" + std::to_string(t) + "(global int* p) { p[0] = " + std::to_string(i) + "; }";
        const char* string = text.c_str();
        cl_program p = clCreateProgramWithSource(context, 1, &string, nullptr, nullptr);
        if (build(p) == CL_SUCCESS && kernel_names(p) == "k" + std::to_string(t)) ++good;
        clReleaseProgram(p);
      }
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(good, 20);
}

TEST_F(Build, PlatformCompiler) {
  cl_platform_id platform = nullptr;
  clGetPlatformIDs(1, &platform, nullptr);
  EXPECT_EQ(clUnloadPlatformCompiler(platform), CL_SUCCESS);
  EXPECT_EQ(build(source(kOne)), CL_SUCCESS);  // "calls to clBuildProgram ... will reload the compiler"
  cl_bool available = CL_FALSE;
  clGetDeviceInfo(device, CL_DEVICE_COMPILER_AVAILABLE, sizeof available, &available, nullptr);
  EXPECT_EQ(available, cl_bool(CL_TRUE));
  cl_int e = CL_SUCCESS;
  EXPECT_EQ(clCreateProgramWithBuiltInKernels(context, 1, &device, "copy", &e), nullptr);
  EXPECT_EQ(e, CL_INVALID_VALUE);
}

}  // namespace

// clCompileProgram, clLinkProgram and program binaries (OpenCL 3.0, sections 5.8.1, 5.8.5 and 5.8.7).
#include <atomic>
#include <thread>

#include "tests/api/program_fixture.h"

namespace {

using Link = ProgramTest;
using Binary = ProgramTest;

constexpr cl_program_binary_type kObject = CL_PROGRAM_BINARY_TYPE_COMPILED_OBJECT;
constexpr cl_program_binary_type kLibrary = CL_PROGRAM_BINARY_TYPE_LIBRARY;
constexpr cl_program_binary_type kExecutable = CL_PROGRAM_BINARY_TYPE_EXECUTABLE;

const char* const kCaller = "int twice(int a);\nkernel void k(global int* p) { p[0] = twice(p[1]); }\n";
const char* const kCallee = "int twice(int a) { return 2 * a; }\n";

TEST_F(Link, TwoObjects) {
  cl_program caller = compiled(kCaller);
  cl_program callee = compiled(kCallee);
  EXPECT_EQ(type_of(caller), kObject);
  std::size_t n = 0;
  // "no kernels ... until an executable has been built".
  EXPECT_EQ(clGetProgramInfo(caller, CL_PROGRAM_NUM_KERNELS, sizeof n, &n, nullptr), CL_INVALID_PROGRAM_EXECUTABLE);
  cl_int e = CL_INVALID_VALUE;
  cl_program p = link({caller, callee}, "-cl-fast-relaxed-math", e);
  ASSERT_EQ(e, CL_SUCCESS) << log(p);
  EXPECT_EQ(type_of(p), kExecutable);
  EXPECT_EQ(status_of(p), CL_BUILD_SUCCESS);
  EXPECT_EQ(kernel_names(p), "k");
  EXPECT_EQ(build_text(p, CL_PROGRAM_BUILD_OPTIONS), "-cl-fast-relaxed-math");
  EXPECT_EQ(build(p), CL_INVALID_OPERATION);  // neither source, IL nor binary
  EXPECT_EQ(compile(p), CL_INVALID_OPERATION);
}

TEST_F(Link, Libraries) {
  cl_int e = CL_INVALID_VALUE;
  cl_program library = link({compiled(kCallee)}, "-create-library -enable-link-options", e);
  ASSERT_EQ(e, CL_SUCCESS);
  EXPECT_EQ(type_of(library), kLibrary);
  cl_program p = link({compiled(kCaller), library}, nullptr, e);
  EXPECT_EQ(e, CL_SUCCESS) << log(p);
  EXPECT_EQ(kernel_names(p), "k");
  // By way of a binary.
  cl_program loaded = from_binary(binary(library));
  EXPECT_EQ(type_of(loaded), kLibrary);
  EXPECT_EQ(build(loaded), CL_INVALID_BINARY);  // "must be an executable binary"
  p = link({compiled(kCaller), loaded}, nullptr, e);
  EXPECT_EQ(e, CL_SUCCESS) << log(p);
}

TEST_F(Link, OneNameTwice) {
  cl_int e = CL_SUCCESS;
  cl_program p = link({compiled(kCallee), compiled(kCallee)}, nullptr, e);
  EXPECT_EQ(e, CL_LINK_PROGRAM_FAILURE);
  ASSERT_NE(p, nullptr);  // "If the linking operation can begin, clLinkProgram returns a valid non-zero program object"
  EXPECT_EQ(status_of(p), CL_BUILD_ERROR);
  EXPECT_NE(log(p).find("twice"), std::string::npos) << log(p);
}

// Functions that call each other across programs.
TEST_F(Link, RecursionAcrossPrograms) {
  cl_int e = CL_SUCCESS;
  cl_program p = link({compiled("int g(int a);\nint f(int a) { return g(a); }"),
                       compiled("int f(int a);\nint g(int a) { return f(a); }")},
                      nullptr, e);
  EXPECT_EQ(e, CL_LINK_PROGRAM_FAILURE);
  EXPECT_NE(log(p).find("calls itself"), std::string::npos) << log(p);
}

// A header's inline functions are in every program that includes it.
TEST_F(Link, InlineFunctionsInSeveralPrograms) {
  const std::string header = "inline int twice(int a) { return 2 * a; }\n";
  cl_int e = CL_SUCCESS;
  cl_program p = link({compiled(header + "kernel void a(global int* p) { p[0] = twice(p[1]); }"),
                       compiled(header + "kernel void b(global int* p) { p[0] = twice(p[2]); }")},
                      nullptr, e);
  EXPECT_EQ(e, CL_SUCCESS) << log(p);
  EXPECT_EQ(kernel_names(p), "a;b");
}

TEST_F(Link, Arguments) {
  cl_program object = compiled(kCallee);
  cl_program text = source(kCaller);
  cl_program built = source(kCallee);
  ASSERT_EQ(build(built), CL_SUCCESS);
  int data = 0;
  const auto code = [&](cl_context c, cl_uint devices, const cl_device_id* list, const char* options, cl_uint n,
                        const cl_program* inputs, void* user_data) {
    cl_int e = 99;
    cl_program p = clLinkProgram(c, devices, list, options, n, inputs, nullptr, user_data, &e);
    EXPECT_EQ(p == nullptr, e != CL_SUCCESS);
    keep(p);
    return e;
  };
  EXPECT_EQ(code(context, 1, nullptr, nullptr, 1, &object, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(code(context, 0, &device, nullptr, 1, &object, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(code(context, 0, nullptr, nullptr, 0, nullptr, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(code(context, 0, nullptr, nullptr, 0, &object, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(code(context, 0, nullptr, nullptr, 1, nullptr, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(code(context, 0, nullptr, nullptr, 1, &object, &data), CL_INVALID_VALUE);
  EXPECT_EQ(code(context, 0, nullptr, "-nonesuch", 1, &object, nullptr), CL_INVALID_LINKER_OPTIONS);
  EXPECT_EQ(code(context, 0, nullptr, "-enable-link-options", 1, &object, nullptr), CL_INVALID_LINKER_OPTIONS);
  EXPECT_EQ(code(other_context, 0, nullptr, nullptr, 1, &object, nullptr), CL_INVALID_PROGRAM);
  // "All programs ... contain a compiled binary or library", or it is an error.
  EXPECT_EQ(code(context, 0, nullptr, nullptr, 1, &text, nullptr), CL_INVALID_OPERATION);
  EXPECT_EQ(code(context, 0, nullptr, nullptr, 1, &built, nullptr), CL_INVALID_OPERATION);
  const cl_program mixed[] = {object, text};
  EXPECT_EQ(code(context, 0, nullptr, nullptr, 2, mixed, nullptr), CL_INVALID_OPERATION);
  EXPECT_EQ(code(context, 1, &device, nullptr, 1, &object, nullptr), CL_SUCCESS);
}

TEST_F(Link, CallsBack) {
  static std::atomic<cl_program> called;
  for (const bool good : {true, false}) {
    called = nullptr;
    const std::vector<cl_program> inputs(good ? 1 : 2, compiled(kCallee));
    cl_int e = 99;
    cl_program p = keep(clLinkProgram(
        context, 0, nullptr, nullptr, static_cast<cl_uint>(inputs.size()), inputs.data(),
        [](cl_program program, void*) { called = program; }, nullptr, &e));
    EXPECT_EQ(e, CL_SUCCESS);  // it could begin
    for (int i = 0; i < 5000 && called == nullptr; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_EQ(called, p);
    EXPECT_EQ(status_of(p), good ? CL_BUILD_SUCCESS : CL_BUILD_ERROR);
  }
}

class Headers : public ProgramTest {
 protected:
  cl_int compile_with(cl_program p, const std::vector<cl_program>& headers, std::vector<const char*> names,
                      const char* options = nullptr) {
    return clCompileProgram(p, 0, nullptr, options, static_cast<cl_uint>(headers.size()), headers.data(), names.data(),
                            nullptr, nullptr);
  }
};

TEST_F(Headers, ByTheirNames) {
  cl_program p = source(
      "#include \"a.h\"\n#include <dir/b.h>\n#if A != 1 || B != 2 || C != 3\n#error wrong\n#endif\n");
  cl_program a = source("#define A 1\n");
  // A header finds those beside it, and those by their full names.
  cl_program b = source("#include \"c.h\"\n#include \"a.h\"\n#define B 2\n");
  cl_program c = source("#define C 3\n");
  EXPECT_EQ(compile_with(p, {a, b, c}, {"a.h", "dir/b.h", "dir/c.h"}), CL_SUCCESS) << log(p);
  EXPECT_EQ(compile_with(p, {a, b}, {"a.h", "dir/b.h"}), CL_COMPILE_PROGRAM_FAILURE);
  EXPECT_NE(log(p).find("dir/b.h:1:10: fatal error: 'c.h' file not found"), std::string::npos) << log(p);
}

// "If multiple entries in header_include_names refer to the same header name, the first one encountered will be used."
TEST_F(Headers, TheFirstOfAName) {
  cl_program p = source("#include \"a.h\"\n#if A != 1\n#error wrong\n#endif\n");
  EXPECT_EQ(compile_with(p, {source("#define A 1"), source("#define A 2")}, {"a.h", "a.h"}), CL_SUCCESS) << log(p);
}

TEST_F(Headers, ThatIncludeEachOtherForEver) {
  cl_program p = source("#include \"a.h\"\n");
  cl_program a = source("#include \"b.h\"\n#include \"b.h\"\n");
  cl_program b = source("#include \"a.h\"\n#include \"a.h\"\n");
  EXPECT_EQ(compile_with(p, {a, b}, {"a.h", "b.h"}), CL_COMPILE_PROGRAM_FAILURE);
  EXPECT_NE(log(p).find("#include nested too deeply"), std::string::npos) << log(p).substr(0, 1000);
  EXPECT_LT(log(p).size(), 2'000'000U);
}

TEST_F(Headers, WithOddNames) {
  cl_program p = source("#include \"a.h\"\n");
  cl_program a = source("int a;");
  for (const char* name : {"", "/", ".", "..", "../a.h", "a.h/a.h", "<program>", "\xff"}) {
    EXPECT_EQ(compile_with(p, {a}, {name}), CL_COMPILE_PROGRAM_FAILURE) << name;
  }
}

TEST_F(Headers, Arguments) {
  cl_program p = source("#include \"a.h\"\n");
  cl_program a = source("#define A 1");
  const char* name = "a.h";
  const char* none = nullptr;
  int data = 0;
  const auto code = [&](cl_uint n, const cl_program* headers, const char** names, void* user_data) {
    return clCompileProgram(p, 0, nullptr, nullptr, n, headers, names, nullptr, user_data);
  };
  EXPECT_EQ(code(1, nullptr, &name, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(code(1, &a, nullptr, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(code(0, &a, nullptr, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(code(0, nullptr, &name, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(code(1, &a, &none, nullptr), CL_INVALID_VALUE);
  EXPECT_EQ(code(1, &a, &name, &data), CL_INVALID_VALUE);
  EXPECT_EQ(code(1, &a, &name, nullptr), CL_SUCCESS);
}

TEST_F(Binary, RoundTrip) {
  cl_program p = source("kernel void a(global int* p) { p[0] = 1; }\nkernel void b() {}\n");
  ASSERT_EQ(build(p, "-cl-opt-disable"), CL_SUCCESS);
  const std::vector<unsigned char> bytes = binary(p);
  cl_program loaded = from_binary(bytes);
  EXPECT_EQ(status_of(loaded), CL_BUILD_NONE);
  EXPECT_EQ(type_of(loaded), kExecutable);
  EXPECT_EQ(binary(loaded), bytes);
  std::size_t n = 0;
  EXPECT_EQ(clGetProgramInfo(loaded, CL_PROGRAM_NUM_KERNELS, sizeof n, &n, nullptr), CL_INVALID_PROGRAM_EXECUTABLE);
  EXPECT_EQ(compile(loaded), CL_INVALID_OPERATION);
  EXPECT_EQ(build(loaded, "-nonesuch"), CL_INVALID_BUILD_OPTIONS);
  EXPECT_EQ(build(loaded), CL_SUCCESS);
  EXPECT_EQ(kernel_names(loaded), "a;b");
  EXPECT_EQ(binary(loaded), bytes);
  std::size_t size = 99;  // of programs that were not made from source: the empty string
  EXPECT_EQ(clGetProgramInfo(loaded, CL_PROGRAM_SOURCE, 0, nullptr, &size), CL_SUCCESS);
  EXPECT_EQ(size, 1U);
}

// The same source gives the same bytes: programs cache them.
TEST_F(Binary, IsDeterministic) {
  cl_program a = source(kCaller);
  cl_program b = source(kCaller);
  ASSERT_EQ(compile(a), CL_SUCCESS);
  ASSERT_EQ(compile(b), CL_SUCCESS);
  EXPECT_EQ(binary(a), binary(b));
}

TEST_F(Binary, ThatIsNone) {
  cl_program p = source("kernel void a() {}");
  ASSERT_EQ(build(p), CL_SUCCESS);
  std::vector<unsigned char> bytes = binary(p);
  bytes[bytes.size() / 2] ^= 1;
  EXPECT_EQ(from_binary(bytes, CL_INVALID_BINARY), nullptr);
  bytes[bytes.size() / 2] ^= 1;
  bytes.pop_back();
  EXPECT_EQ(from_binary(bytes, CL_INVALID_BINARY), nullptr);
  EXPECT_EQ(from_binary({1}, CL_INVALID_BINARY), nullptr);
  EXPECT_EQ(from_binary({'B', 'C', 0xC0, 0xDE}, CL_INVALID_BINARY), nullptr);
  EXPECT_EQ(from_binary({}, CL_INVALID_VALUE), nullptr);
}

TEST_F(Binary, Arguments) {
  const unsigned char byte[] = {1};
  const unsigned char* list[] = {byte};
  const unsigned char* null[] = {nullptr};
  const std::size_t length = 1;
  cl_int e = CL_SUCCESS;
  cl_int status = 99;
  EXPECT_EQ(clCreateProgramWithBinary(context, 0, nullptr, &length, list, &status, &e), nullptr);
  EXPECT_EQ(e, CL_INVALID_VALUE);
  EXPECT_EQ(clCreateProgramWithBinary(context, 1, &device, nullptr, list, &status, &e), nullptr);
  EXPECT_EQ(e, CL_INVALID_VALUE);
  EXPECT_EQ(clCreateProgramWithBinary(context, 1, &device, &length, nullptr, &status, &e), nullptr);
  EXPECT_EQ(e, CL_INVALID_VALUE);
  EXPECT_EQ(clCreateProgramWithBinary(context, 1, &device, &length, null, &status, &e), nullptr);
  EXPECT_EQ(e, CL_INVALID_VALUE);
  EXPECT_EQ(status, CL_INVALID_VALUE);
}

}  // namespace

// A program that uses the device and ends in the way that its argument names.
#include <CL/cl.h>
#include <CL/cl_icd.h>
#include <dlfcn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>
#include <vector>

namespace {

void check(cl_int code, const char* what) {
  if (code == CL_SUCCESS) return;
  std::fprintf(stderr, "%s failed: %d\n", what, code);
  std::_Exit(1);
}

struct Device {
  cl_context context = nullptr;
  cl_command_queue queue = nullptr;
  cl_mem buffer = nullptr;
  std::vector<char> bytes = std::vector<char>(4096, 'x');

  explicit Device(cl_platform_id platform) {
    cl_device_id device = nullptr;
    cl_int code = CL_SUCCESS;
    check(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, nullptr), "clGetDeviceIDs");
    context = clCreateContext(nullptr, 1, &device, nullptr, nullptr, &code);
    check(code, "clCreateContext");
    queue = clCreateCommandQueueWithProperties(context, device, nullptr, &code);
    check(code, "clCreateCommandQueueWithProperties");
    buffer = clCreateBuffer(context, CL_MEM_READ_WRITE, bytes.size(), nullptr, &code);
    check(code, "clCreateBuffer");
  }
  void write(cl_bool blocking) {
    check(clEnqueueWriteBuffer(queue, buffer, blocking, 0, bytes.size(), bytes.data(), 0, nullptr, nullptr),
          "clEnqueueWriteBuffer");
  }
  // Reads that nobody waits for, into memory that is gone when the device gets to the last of them.
  void read_and_leave(int count) {
    const std::size_t size = bytes.size() * static_cast<std::size_t>(count);
    void* const memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < count; ++i) {
      check(clEnqueueReadBuffer(queue, buffer, CL_FALSE, 0, bytes.size(),
                                static_cast<char*>(memory) + bytes.size() * static_cast<std::size_t>(i), 0, nullptr,
                                nullptr),
            "clEnqueueReadBuffer");
    }
    ::munmap(memory, size);
  }
  void write_and_finish(int count) {
    for (int i = 0; i < count; ++i) write(CL_FALSE);
    check(clFinish(queue), "clFinish");
  }
};

cl_platform_id first_platform() {
  cl_platform_id platform = nullptr;
  check(clGetPlatformIDs(1, &platform, nullptr), "clGetPlatformIDs");
  return platform;
}

// The driver as a loader opens it that also closes it.
int close_the_driver(const char* driver) {
  void* const library = ::dlopen(driver, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    std::fprintf(stderr, "%s\n", ::dlerror());
    return 1;
  }
  using GetPlatforms = cl_int (*)(cl_uint, cl_platform_id*, cl_uint*);
  const auto get_platforms = reinterpret_cast<GetPlatforms>(::dlsym(library, "clIcdGetPlatformIDsKHR"));
  cl_platform_id platform = nullptr;
  check(get_platforms(1, &platform, nullptr), "clIcdGetPlatformIDsKHR");
  Device(platform).write_and_finish(100);  // through the platform's dispatch table
  return ::dlclose(library);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view how = argc > 1 ? argv[1] : "";
  ::alarm(30);  // whatever hangs
  if (how == "dlclose" && argc > 2) return close_the_driver(argv[2]);
  static Device& device = *new Device(first_platform());  // threads use it while the process ends
  device.write_and_finish(100);
  if (how == "return") return 0;
  if (how == "pending") {
    device.read_and_leave(100);
    return 0;
  }
  if (how == "exit_beside_calls") {
    // 100 commands and then as many as the thread comes to.
    std::thread([] {
      while (true) device.write(CL_TRUE);
    }).detach();
    ::usleep(5000);
    std::exit(0);
  }
  if (how == "exit_on_other_thread") {
    std::thread([] {
      ::usleep(5000);
      std::exit(0);
    }).detach();
    while (true) device.write_and_finish(10);
  }
  if (how == "fork") {
    const pid_t child = ::fork();
    if (child == 0) std::exit(0);  // with all exit handlers
    int status = -1;
    if (::waitpid(child, &status, 0) != child || status != 0) return 1;
    device.write_and_finish(100);
    return 0;
  }
  if (how == "quick") {
    ::usleep(200'000);
    ::_exit(0);
  }
  std::fprintf(stderr, "unknown way to end\n");
  return 2;
}

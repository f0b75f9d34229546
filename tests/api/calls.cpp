// A program whose threads make calls that enqueue nothing, for the test of how a trace shows them.
#include <CL/cl.h>

#include <cstdlib>
#include <thread>
#include <vector>

namespace {

void check(cl_int code) {
  if (code != CL_SUCCESS) std::_Exit(1);
}

cl_command_queue queue_of_callback = nullptr;

void CL_CALLBACK flush_it(cl_event, cl_int, void*) { check(clFlush(queue_of_callback)); }

}  // namespace

int main() {
  cl_platform_id platform = nullptr;
  cl_device_id device = nullptr;
  cl_int e = CL_SUCCESS;
  check(clGetPlatformIDs(1, &platform, nullptr));
  check(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, nullptr));
  cl_context context = clCreateContext(nullptr, 1, &device, nullptr, nullptr, &e);
  cl_command_queue queue = queue_of_callback = clCreateCommandQueueWithProperties(context, device, nullptr, &e);
  check(e);
  const char* source = "kernel void none() {}";
  cl_program program = clCreateProgramWithSource(context, 1, &source, nullptr, &e);
  check(clBuildProgram(program, 1, &device, "", nullptr, nullptr));
  std::vector<char> data(1 << 16, 1);
  cl_mem m = clCreateBuffer(context, CL_MEM_COPY_HOST_PTR, data.size(), data.data(), &e);
  check(e);
  cl_event user = clCreateUserEvent(context, &e);
  check(e);
  cl_event written = nullptr;
  check(clEnqueueWriteBuffer(queue, m, CL_FALSE, 0, data.size(), data.data(), 1, &user, &written));
  check(clSetEventCallback(written, CL_COMPLETE, flush_it, nullptr));
  cl_int status = 0;
  for (int i = 0; i < 5; ++i) check(clGetEventInfo(written, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status, nullptr));
  check(clSetUserEventStatus(user, CL_COMPLETE));
  check(clWaitForEvents(1, &written));
  check(clEnqueueReadBuffer(queue, m, CL_FALSE, 0, data.size(), data.data(), 0, nullptr, nullptr));
  check(clFinish(queue));
  std::thread([&] {
    check(clEnqueueReadBuffer(queue, m, CL_TRUE, 0, data.size(), data.data(), 0, nullptr, nullptr));
  }).join();
  check(clFinish(queue));
  check(clReleaseEvent(user));
  check(clReleaseEvent(written));
  check(clReleaseMemObject(m));
  check(clReleaseProgram(program));
  check(clReleaseCommandQueue(queue));
  check(clReleaseContext(context));
}

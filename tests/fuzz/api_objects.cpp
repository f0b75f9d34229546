// Machine, contexts, queues, events, samplers, programs and kernels.
#include <array>
#include <cstdint>
#include <vector>

#include "tests/fuzz/api_operations.h"

namespace sluice::fuzz {

namespace {

const cl_icd_dispatch& cl() {
  return World::driver();
}

// Properties: pairs of known and unknown names, and always the end.
template <class T>
std::vector<T> properties(Input& in, std::initializer_list<T> names, std::initializer_list<T> values) {
  std::vector<T> list;
  for (std::size_t n = in.below(4); n > 0; --n) {
    list.push_back(in.one_in(8) ? static_cast<T>(1 + in.word()) : in.pick(names));
    list.push_back(in.one_in(8) ? static_cast<T>(in.word()) : in.pick(values));
  }
  list.push_back(0);
  return list;
}

}  // namespace

void query_machine(World& w) {
  if (w.in.one_in(4)) {
    const cl_platform_id p = w.in.one_in(4) ? nullptr : World::platform();
    w.query(cl().clGetPlatformInfo, p, CL_PLATFORM_PROFILE, CL_PLATFORM_HOST_TIMER_RESOLUTION);
    return;
  }
  w.query(cl().clGetDeviceInfo, w.any_device(), CL_DEVICE_TYPE, CL_DEVICE_LATEST_CONFORMANCE_VERSION_PASSED);
}

void list_devices(World& w) {
  std::array<cl_device_id, 4> devices{};
  cl_uint count = 0;
  const cl_uint room = static_cast<cl_uint>(w.in.below(5));
  const cl_device_type type = w.in.flags({CL_DEVICE_TYPE_ALL, CL_DEVICE_TYPE_GPU, CL_DEVICE_TYPE_CPU});
  (void)cl().clGetDeviceIDs(w.in.one_in(4) ? nullptr : World::platform(), type, room,
                            w.in.one_in(4) ? nullptr : devices.data(), w.in.one_in(4) ? nullptr : &count);
}

void device_calls(World& w) {
  const cl_device_id device = w.any_device();
  cl_ulong a = 0;
  cl_ulong b = 0;
  switch (w.in.below(5)) {
    case 0:
      (void)cl().clRetainDevice(device);
      break;
    case 1:
      (void)cl().clReleaseDevice(device);
      break;
    case 2:
      (void)cl().clGetHostTimer(device, w.in.one_in(4) ? nullptr : &a);
      break;
    case 3:
      (void)cl().clGetDeviceAndHostTimer(device, w.in.one_in(4) ? nullptr : &a, &b);
      break;
    default: {
      const auto list = properties<cl_device_partition_property>(w.in, {CL_DEVICE_PARTITION_EQUALLY}, {1, 2});
      cl_uint count = 0;
      (void)cl().clCreateSubDevices(device, list.data(), 0, nullptr, &count);
    }
  }
}

void create_context(World& w) {
  const auto platform = reinterpret_cast<cl_context_properties>(World::platform());
  const auto list = properties<cl_context_properties>(w.in, {CL_CONTEXT_PLATFORM, CL_CONTEXT_INTEROP_USER_SYNC},
                                                      {platform, CL_TRUE, CL_FALSE, -1});
  const cl_context_properties* given = w.in.one_in(2) ? nullptr : list.data();
  cl_int code = CL_SUCCESS;
  cl_context context = nullptr;
  if (w.in.one_in(3)) {
    const cl_device_type type = w.in.flags({CL_DEVICE_TYPE_ALL, CL_DEVICE_TYPE_GPU, CL_DEVICE_TYPE_DEFAULT});
    context = cl().clCreateContextFromType(given, type, nullptr, w.in.one_in(16) ? &code : nullptr, &code);
  } else {
    std::vector<cl_device_id> devices;
    for (std::size_t n = w.in.below(4); n > 0; --n) devices.push_back(w.any_device());
    context = cl().clCreateContext(given, static_cast<cl_uint>(devices.size()), devices.data(), nullptr,
                                   w.in.one_in(16) ? &code : nullptr, &code);
  }
  w.created_context(context, code);
}

void context_calls(World& w) {
  const cl_context context = w.any(w.contexts);
  switch (w.in.below(3)) {
    case 0:
      w.retain(w.contexts, cl().clRetainContext, context);
      break;
    case 1:
      w.release(w.contexts, cl().clReleaseContext, context);
      break;
    default:
      w.query(cl().clGetContextInfo, context, CL_CONTEXT_REFERENCE_COUNT, CL_CONTEXT_NUM_DEVICES);
  }
}

void create_queue(World& w) {
  const cl_context context = w.any(w.contexts);
  const cl_device_id device = w.any_device();
  const auto bits = [&] {
    return w.in.flags({0, CL_QUEUE_PROFILING_ENABLE, CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE, CL_QUEUE_ON_DEVICE,
                       CL_QUEUE_ON_DEVICE_DEFAULT});
  };
  cl_int code = CL_SUCCESS;
  cl_command_queue queue = nullptr;
  if (w.in.one_in(3)) {
    queue = cl().clCreateCommandQueue(context, device, bits(), &code);
  } else {
    const cl_queue_properties p = bits();
    const auto list = properties<cl_queue_properties>(w.in, {CL_QUEUE_PROPERTIES, CL_QUEUE_SIZE}, {p, 0});
    queue = cl().clCreateCommandQueueWithProperties(context, device, w.in.one_in(4) ? nullptr : list.data(), &code);
  }
  w.created(w.queues, queue, code);
}

void queue_calls(World& w) {
  const cl_command_queue queue = w.any(w.queues);
  switch (w.in.below(6)) {
    case 0:
      w.retain(w.queues, cl().clRetainCommandQueue, queue);
      break;
    case 1:
      w.release_queue(queue);
      break;
    case 2:
      w.query(cl().clGetCommandQueueInfo, queue, CL_QUEUE_CONTEXT, CL_QUEUE_PROPERTIES_ARRAY);
      break;
    case 3: {
      cl_command_queue_properties old = 0;
      (void)cl().clSetCommandQueueProperty(queue, w.in.flags({CL_QUEUE_PROFILING_ENABLE, 0}), w.in.byte() & 1,
                                           w.in.one_in(4) ? nullptr : &old);
      break;
    }
    case 4:
      (void)cl().clSetDefaultDeviceCommandQueue(w.any(w.contexts), w.any_device(), queue);
      break;
    default:
      (void)cl().clFlush(queue);
  }
}

void finish(World& w) {
  w.set_user_events();
  const cl_command_queue queue = w.any(w.queues);
  const cl_int code = cl().clFinish(queue);
  require((code == CL_SUCCESS) == (w.queues.references(queue) != 0), "clFinish takes live queues and no others");
}

void synchronise(World& w) {
  const cl_command_queue queue = w.any(w.queues);
  const World::Waits waits = w.waits();
  World::Out event(w);
  switch (w.in.below(5)) {
    case 0:
      (void)cl().clEnqueueMarkerWithWaitList(queue, waits.count, waits.list, event);
      break;
    case 1:
      (void)cl().clEnqueueBarrierWithWaitList(queue, waits.count, waits.list, event);
      break;
    case 2:
      (void)cl().clEnqueueMarker(queue, event);
      break;
    case 3:
      (void)cl().clEnqueueBarrier(queue);
      break;
    default:
      (void)cl().clEnqueueWaitForEvents(queue, waits.count, waits.list);
  }
}

void create_user_event(World& w) {
  cl_int code = CL_SUCCESS;
  const cl_event event = cl().clCreateUserEvent(w.any(w.contexts), &code);
  w.created(w.events, event, code);
  if (event != nullptr) w.unset.push_back(event);
}

void set_user_event(World& w) {
  const cl_event event = w.unset.empty() || w.in.one_in(4) ? w.any(w.events) : w.unset[w.in.below(w.unset.size())];
  const cl_int status = w.in.pick<cl_int>({CL_COMPLETE, -1, CL_RUNNING, -9999, INT32_MIN, INT32_MAX});
  if (cl().clSetUserEventStatus(event, status) != CL_SUCCESS) return;
  require(status <= CL_COMPLETE, "a user event becomes complete or fails");
  std::erase(w.unset, event);
}

void wait_for_events(World& w) {
  w.set_user_events();
  World::Waits waits = w.waits();
  (void)cl().clWaitForEvents(waits.count, waits.list);
}

namespace {

void CL_CALLBACK event_reached(cl_event event, cl_int status, void* debts) {
  cl_int now = CL_QUEUED;
  const cl_int code = cl().clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof now, &now, nullptr);
  require(code == CL_SUCCESS, "a callback's event is live");
  require(now <= CL_SUBMITTED && status <= CL_SUBMITTED, "a callback's status was reached");
  ++static_cast<Debts*>(debts)->paid;
}

}  // namespace

void event_calls(World& w) {
  const cl_event event = w.any(w.events);
  switch (w.in.below(5)) {
    case 0:
      w.retain(w.events, cl().clRetainEvent, event);
      break;
    case 1:
      w.release_event(event);
      break;
    case 2:
      w.query(cl().clGetEventInfo, event, CL_EVENT_COMMAND_QUEUE, CL_EVENT_CONTEXT);
      break;
    case 3:
      w.query(cl().clGetEventProfilingInfo, event, CL_PROFILING_COMMAND_QUEUED, CL_PROFILING_COMMAND_COMPLETE);
      break;
    default: {
      const cl_int status = w.in.pick<cl_int>({CL_COMPLETE, CL_RUNNING, CL_SUBMITTED, CL_QUEUED, -1, 77});
      const auto function = w.in.one_in(16) ? nullptr : event_reached;
      if (cl().clSetEventCallback(event, status, function, &w.event_callbacks) == CL_SUCCESS) ++w.event_callbacks.owed;
    }
  }
}

void sampler_calls(World& w) {
  const cl_sampler sampler = w.any(w.samplers);
  cl_int code = CL_SUCCESS;
  switch (w.in.below(5)) {
    case 0:
      w.retain(w.samplers, cl().clRetainSampler, sampler);
      break;
    case 1:
      w.release(w.samplers, cl().clReleaseSampler, sampler);
      break;
    case 2:
      w.query(cl().clGetSamplerInfo, sampler, CL_SAMPLER_REFERENCE_COUNT, CL_SAMPLER_PROPERTIES);
      break;
    case 3: {
      const cl_sampler made =
          cl().clCreateSampler(w.any(w.contexts), w.in.byte() % 3, CL_ADDRESS_NONE + w.in.byte() % 6,
                               CL_FILTER_NEAREST + w.in.byte() % 3, &code);
      w.created(w.samplers, made, code);
      break;
    }
    default: {
      const auto list = properties<cl_sampler_properties>(
          w.in, {CL_SAMPLER_NORMALIZED_COORDS, CL_SAMPLER_ADDRESSING_MODE, CL_SAMPLER_FILTER_MODE},
          {CL_TRUE, CL_FALSE, CL_ADDRESS_CLAMP, CL_ADDRESS_REPEAT, CL_FILTER_LINEAR});
      const cl_sampler made = cl().clCreateSamplerWithProperties(w.any(w.contexts), list.data(), &code);
      w.created(w.samplers, made, code);
    }
  }
}

void create_program(World& w) {
  const cl_context context = w.any(w.contexts);
  cl_int code = CL_SUCCESS;
  cl_program program = nullptr;
  if (w.in.one_in(4)) {
    const cl_device_id devices[] = {w.any_device(), w.any_device()};
    const unsigned char binary[] = {1, 2, 3, 4};
    const unsigned char* binaries[] = {binary, w.in.one_in(4) ? nullptr : binary};
    const std::size_t lengths[] = {w.in.below(5), w.in.below(5)};
    cl_int status[2] = {};
    program = cl().clCreateProgramWithBinary(context, static_cast<cl_uint>(w.in.below(3)), devices, lengths, binaries,
                                             w.in.one_in(4) ? nullptr : status, &code);
    w.created(w.programs, program, code);
    program = cl().clCreateProgramWithBuiltInKernels(context, 1, devices, "copy", &code);
    w.created(w.programs, program, code);
    program = cl().clCreateProgramWithIL(context, binary, sizeof binary, &code);
  } else {
    const char* strings[] = {"kernel void f(", w.in.one_in(16) ? nullptr : "global int* p) {}", ""};
    const std::size_t lengths[] = {w.in.below(15), 0, 0};
    program =
        cl().clCreateProgramWithSource(context, static_cast<cl_uint>(w.in.below(4)),
                                       w.in.one_in(16) ? nullptr : strings, w.in.one_in(2) ? nullptr : lengths, &code);
  }
  w.created(w.programs, program, code);
}

void program_calls(World& w) {
  const cl_program program = w.any(w.programs);
  const cl_device_id device = w.any_device();
  const cl_uint count = static_cast<cl_uint>(w.in.below(2));
  const cl_device_id* const list = w.in.one_in(4) ? nullptr : &device;
  cl_int code = CL_SUCCESS;
  switch (w.in.below(8)) {
    case 0:
      w.retain(w.programs, cl().clRetainProgram, program);
      break;
    case 1:
      w.release(w.programs, cl().clReleaseProgram, program);
      break;
    case 2:
      w.query(cl().clGetProgramInfo, program, CL_PROGRAM_REFERENCE_COUNT, CL_PROGRAM_SCOPE_GLOBAL_DTORS_PRESENT);
      break;
    case 3: {
      char text[64];
      const std::size_t room = w.in.below(65);
      std::size_t needed = 0;
      (void)cl().clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_STATUS + w.in.byte() % 6, room,
                                       w.in.one_in(4) ? nullptr : text, &needed);
      break;
    }
    case 4:
      (void)cl().clBuildProgram(program, count, list, w.in.one_in(2) ? nullptr : "-cl-opt-disable", nullptr, nullptr);
      break;
    case 5: {
      const cl_program header = w.any(w.programs);
      const char* name = "a.h";
      (void)cl().clCompileProgram(program, count, list, nullptr, static_cast<cl_uint>(w.in.below(2)), &header,
                                  w.in.one_in(4) ? nullptr : &name, nullptr, nullptr);
      break;
    }
    case 6: {
      const cl_program linked =
          cl().clLinkProgram(w.any(w.contexts), count, list, nullptr, static_cast<cl_uint>(w.in.below(2)), &program,
                             nullptr, nullptr, &code);
      // A link that fails has begun, and its program tells why.
      w.created(w.programs, linked, linked != nullptr && code == CL_LINK_PROGRAM_FAILURE ? CL_SUCCESS : code);
      break;
    }
    default:
      (void)cl().clSetProgramReleaseCallback(program, nullptr, nullptr);
      (void)cl().clSetProgramSpecializationConstant(program, 0, sizeof code, &code);
      (void)cl().clUnloadPlatformCompiler(w.in.one_in(2) ? nullptr : World::platform());
  }
}

namespace {

void CL_CALLBACK native(void*) {}

}  // namespace

// There are no kernel objects yet, so whatever is passed is none.
void kernel_calls(World& w) {
  const auto kernel = reinterpret_cast<cl_kernel>(w.in.one_in(2) ? w.any(w.memories) : nullptr);
  const cl_command_queue queue = w.any(w.queues);
  const std::size_t sizes[] = {w.in.extent(), 1, 1};
  const World::Waits waits = w.waits();
  cl_int code = CL_SUCCESS;
  cl_kernel made = nullptr;
  World::Out event(w);
  switch (w.in.below(8)) {
    case 0:
      made = cl().clCreateKernel(w.any(w.programs), "f", &code);
      require((made != nullptr) == (code == CL_SUCCESS), "a handle or an error");
      break;
    case 1:
      (void)cl().clCreateKernelsInProgram(w.any(w.programs), 1, &made, nullptr);
      break;
    case 2:
      (void)cl().clSetKernelArg(kernel, 0, sizeof code, &code);
      (void)cl().clSetKernelArgSVMPointer(kernel, 0, scratch(w.in));
      (void)cl().clSetKernelExecInfo(kernel, CL_KERNEL_EXEC_INFO_SVM_FINE_GRAIN_SYSTEM, sizeof code, &code);
      break;
    case 3:
      (void)cl().clEnqueueNDRangeKernel(queue, kernel, 1, nullptr, sizes, nullptr, waits.count, waits.list, event);
      break;
    case 4: {
      const cl_mem memory = w.any(w.memories);
      const void* place = &code;
      (void)cl().clEnqueueNativeKernel(queue, w.in.one_in(4) ? nullptr : native, w.in.one_in(4) ? nullptr : &code,
                                       sizeof code, static_cast<cl_uint>(w.in.below(2)), &memory, &place, waits.count,
                                       waits.list, event);
      break;
    }
    case 5:
      w.query(cl().clGetKernelInfo, kernel, CL_KERNEL_FUNCTION_NAME, CL_KERNEL_ATTRIBUTES);
      (void)cl().clGetKernelArgInfo(kernel, 0, CL_KERNEL_ARG_NAME, 0, nullptr, nullptr);
      (void)cl().clGetKernelWorkGroupInfo(kernel, w.any_device(), CL_KERNEL_WORK_GROUP_SIZE, 0, nullptr, nullptr);
      (void)cl().clGetKernelSubGroupInfo(kernel, w.any_device(), 0, 0, nullptr, 0, nullptr, nullptr);
      break;
    case 6:
      made = cl().clCloneKernel(kernel, &code);
      break;
    default:
      (void)cl().clRetainKernel(kernel);
      (void)cl().clReleaseKernel(kernel);
      (void)cl().clEnqueueTask(queue, kernel, waits.count, waits.list, event);
      cl_mem pipe = cl().clCreatePipe(w.any(w.contexts), 0, 4, 4, nullptr, &code);
      require((pipe != nullptr) == (code == CL_SUCCESS), "a pipe or an error");
      if (pipe != nullptr) require(cl().clReleaseMemObject(pipe) == CL_SUCCESS, "a new pipe can be released");
  }
  if (made != nullptr) require(cl().clReleaseKernel(made) == CL_SUCCESS, "what was made can be released");
}

// What belongs to extensions that the driver may not have.
void extension_calls(World& w) {
  const char* const name = w.in.pick<const char*>({"clIcdGetPlatformIDsKHR", "clGetPlatformInfo", "clNoSuchFunction",
                                                   "clCreateCommandQueueWithPropertiesKHR", "", nullptr});
  const cl_platform_id platform = w.in.one_in(4) ? nullptr : World::platform();
  (void)cl().clGetExtensionFunctionAddressForPlatform(platform, name);
  (void)cl().clGetExtensionFunctionAddress(name);
  cl_int code = CL_SUCCESS;
  const cl_mem shared = cl().clCreateFromGLBuffer(w.any(w.contexts), 0, 1, &code);
  require((shared != nullptr) == (code == CL_SUCCESS), "a handle or an error");
  const cl_mem memory = w.any(w.memories);
  (void)cl().clEnqueueAcquireGLObjects(w.any(w.queues), 1, &memory, 0, nullptr, nullptr);
  (void)cl().clUnloadCompiler();
}

}  // namespace sluice::fuzz

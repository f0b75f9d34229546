#include "tests/fuzz/api_world.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace sluice::fuzz {

namespace {

alignas(4096) std::byte scratch_memory[scratch_bytes];

void CL_CALLBACK paid_memory(cl_mem, void* debts) {
  ++static_cast<Debts*>(debts)->paid;
}
void CL_CALLBACK paid_context(cl_context, void* debts) {
  ++static_cast<Debts*>(debts)->paid;
}

}  // namespace

void require(bool kept, const char* promise) {
  if (kept) return;
  std::fprintf(stderr, "api_fuzz: broken: %s\n", promise);
  std::abort();
}

std::size_t Input::bytes() noexcept {
  switch (below(16)) {
    case 1:
      return 0;
    case 2:
      return pick({huge_bytes, SIZE_MAX, SIZE_MAX - 1, std::size_t{1} << 63, SIZE_MAX - 4095});
    case 3:
      return small_bytes;
    case 4:
      return below(16);
    case 5:
      return below(16) * 4096;
    default:
      return word();
  }
}

std::size_t Input::extent() noexcept {
  if (!one_in(24)) return 1 + below(32);
  return pick<std::size_t>({0, 70000, huge_bytes, SIZE_MAX, SIZE_MAX / 2 + 1});
}

std::size_t Input::pitch() noexcept {
  switch (below(8)) {
    case 1:
      return below(4096);
    case 2:
      return below(64) * 64;
    case 3:
      return one_in(4) ? pick({huge_bytes, SIZE_MAX, std::size_t{1} << 63}) : 512;
    default:
      return 0;
  }
}

std::byte* scratch(Input& in) {
  return scratch_memory + in.below(256) * 1024 + (in.one_in(4) ? in.below(64) : 0);
}

const cl_icd_dispatch& World::driver() {
  // A handle begins with the table: that is how the loader calls a driver (cl_khr_icd).
  return **reinterpret_cast<const cl_icd_dispatch* const*>(platform());
}

cl_platform_id World::platform() {
  static const cl_platform_id platform = [] {
    cl_platform_id p = nullptr;
    require(clIcdGetPlatformIDsKHR(1, &p, nullptr) == CL_SUCCESS && p != nullptr, "the machine opens");
    return p;
  }();
  return platform;
}

const std::vector<cl_device_id>& World::machine_devices() {
  static const std::vector<cl_device_id> devices = [] {
    cl_uint count = 0;
    require(driver().clGetDeviceIDs(platform(), CL_DEVICE_TYPE_ALL, 0, nullptr, &count) == CL_SUCCESS, "devices");
    std::vector<cl_device_id> list(count);
    require(driver().clGetDeviceIDs(platform(), CL_DEVICE_TYPE_ALL, count, list.data(), nullptr) == CL_SUCCESS,
            "devices");
    return list;
  }();
  return devices;
}

cl_context World::service_context() {
  static const cl_context context = [] {
    const std::vector<cl_device_id>& devices = machine_devices();
    cl_int code = CL_SUCCESS;
    const cl_context c = driver().clCreateContext(nullptr, static_cast<cl_uint>(devices.size()), devices.data(),
                                                  nullptr, nullptr, &code);
    require(code == CL_SUCCESS, "the machine opens");
    return c;
  }();
  return context;
}

World::World(Input& input) : in(input) {
  // Enough to get anywhere at all: contexts of both devices and of one, queues of both kinds, a buffer, an image,
  // shared memory.
  const std::vector<cl_device_id>& devices = machine_devices();
  cl_int code = CL_SUCCESS;
  for (cl_uint count : {static_cast<cl_uint>(devices.size()), 1U}) {
    const cl_context context = driver().clCreateContext(nullptr, count, devices.data(), nullptr, nullptr, &code);
    created_context(context, code);
    for (cl_command_queue_properties p : {CL_QUEUE_PROFILING_ENABLE, CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE}) {
      const cl_queue_properties list[] = {CL_QUEUE_PROPERTIES, p, 0};
      const cl_command_queue queue =
          driver().clCreateCommandQueueWithProperties(context, devices[p % count], list, &code);
      created(queues, queue, code);
    }
    created_memory(driver().clCreateBuffer(context, CL_MEM_READ_WRITE, small_bytes, nullptr, &code), code);
    const cl_image_format format{CL_RGBA, CL_UNORM_INT8};
    cl_image_desc desc{};
    desc.image_type = CL_MEM_OBJECT_IMAGE3D;
    desc.image_width = desc.image_height = desc.image_depth = 16;
    created_image(driver().clCreateImage(context, CL_MEM_READ_WRITE, &format, &desc, nullptr, &code), code);
    void* const p = driver().clSVMAlloc(context, CL_MEM_READ_WRITE, small_bytes, 0);
    require(p != nullptr, "shared virtual memory of a machine that has it");
    shared.push_back({static_cast<std::byte*>(p), small_bytes});
  }
}

World::~World() {
  if (in.one_in(2)) quiesce();  // else objects go while commands use them
  release_all();
  quiesce();
  free_shared();
  // What the driver still owes is on its way: its callbacks come on a thread of their own.
  const auto settled = [](const Debts& d) { return d.paid == d.owed; };
  for (int i = 0; i < 5000; ++i) {
    if (settled(event_callbacks) && settled(memory_destructors) && settled(context_destructors)) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  require(settled(event_callbacks), "every event callback is called once");
  require(settled(memory_destructors), "every released memory object is destroyed");
  require(settled(context_destructors), "every released context is destroyed");
}

void* World::stranger() {
  switch (in.below(8)) {
    case 0:
      return reinterpret_cast<void*>(std::uintptr_t{1});
    case 1:
      return reinterpret_cast<void*>(~std::uintptr_t{0});
    case 2:
      return scratch_memory;
    case 3:
      return platform();
    case 4:
      return queues.live(in);
    case 5:
      return memories.live(in);
    case 6:
      return events.live(in);
    default: {
      const cl_context context = contexts.live(in);
      return context == nullptr ? nullptr : reinterpret_cast<std::byte*>(context) + 8;
    }
  }
}

cl_device_id World::any_device() {
  if (in.one_in(16)) return reinterpret_cast<cl_device_id>(stranger());
  return machine_devices()[in.below(machine_devices().size())];
}

World::Waits World::waits() {
  Waits w;
  if (in.one_in(24)) {
    w.count = in.byte();  // a count without a list
    return w;
  }
  const std::size_t n = in.one_in(2) ? in.below(4) : 0;
  for (std::size_t i = 0; i < n; ++i) w.events.push_back(any(events));
  w.count = static_cast<cl_uint>(n);
  w.events.reserve(1);
  w.list = n != 0 || in.one_in(24) ? w.events.data() : nullptr;  // or a list without a count
  return w;
}

cl_bool World::blocking() {
  if (!in.one_in(3)) return CL_FALSE;
  set_user_events();
  return in.one_in(4) ? 7 : CL_TRUE;
}

void World::set_user_events() {
  for (cl_event event : unset) {
    const cl_int status = in.one_in(4) ? -1 - static_cast<cl_int>(in.byte()) : CL_COMPLETE;
    require(driver().clSetUserEventStatus(event, status) == CL_SUCCESS, "a user event can be set once");
  }
  unset.clear();
}

void World::quiesce() {
  set_user_events();
  for (cl_command_queue queue : queues.all()) require(driver().clFinish(queue) == CL_SUCCESS, "a queue finishes");
  for (cl_event marker : last_markers_) {
    require(driver().clWaitForEvents(1, &marker) == CL_SUCCESS, "a released queue finishes");
    require(driver().clReleaseEvent(marker) == CL_SUCCESS, "an event can be released");
  }
  last_markers_.clear();
}

void World::created_memory(cl_mem handle, cl_int code) {
  created(memories, handle, code);
  if (handle == nullptr) return;
  const cl_int set = driver().clSetMemObjectDestructorCallback(handle, paid_memory, &memory_destructors);
  require(set == CL_SUCCESS, "a live object takes a destructor callback");
  ++memory_destructors.owed;
}

void World::created_image(cl_mem handle, cl_int code) {
  created_memory(handle, code);
  if (handle != nullptr) images.push_back(handle);
}

cl_mem World::any_image() {
  if (images.empty() || in.one_in(4)) return any(memories);
  const cl_mem image = images[in.below(images.size())];
  return memories.references(image) != 0 ? image : any(memories);
}

void World::created_context(cl_context handle, cl_int code) {
  created(contexts, handle, code);
  if (handle == nullptr) return;
  const cl_int set = driver().clSetContextDestructorCallback(handle, paid_context, &context_destructors);
  require(set == CL_SUCCESS, "a live object takes a destructor callback");
  ++context_destructors.owed;
}

void World::release_event(cl_event event) {
  const auto it = std::find(unset.begin(), unset.end(), event);
  // Nobody could set it after its last release.
  if (it != unset.end() && events.references(event) == 1) {
    require(driver().clSetUserEventStatus(event, in.one_in(2) ? -2 : CL_COMPLETE) == CL_SUCCESS, "a user event is set");
    unset.erase(it);
  }
  release(events, driver().clReleaseEvent, event);
}

void World::release_queue(cl_command_queue queue) {
  if (queues.references(queue) == 1) {
    // What it still has can be waited for later.
    cl_event marker = nullptr;
    require(driver().clEnqueueMarkerWithWaitList(queue, 0, nullptr, &marker) == CL_SUCCESS, "a queue takes a marker");
    last_markers_.push_back(marker);
  }
  release(queues, driver().clReleaseCommandQueue, queue);
}

void World::release_all() {
  const std::size_t first = in.below(6);
  for (std::size_t i = 0; i < 6; ++i) {
    switch ((first + i) % 6) {
      case 0:
        for (cl_context h : contexts.all()) {
          while (contexts.references(h) != 0) release(contexts, driver().clReleaseContext, h);
        }
        break;
      case 1:
        for (cl_command_queue h : queues.all()) {
          while (queues.references(h) != 0) release_queue(h);
        }
        break;
      case 2:
        for (cl_event h : events.all()) {
          while (events.references(h) != 0) release_event(h);
        }
        break;
      case 3:
        for (cl_mem h : memories.all()) {
          while (memories.references(h) != 0) release(memories, driver().clReleaseMemObject, h);
        }
        break;
      case 4:
        for (cl_sampler h : samplers.all()) {
          while (samplers.references(h) != 0) release(samplers, driver().clReleaseSampler, h);
        }
        break;
      default:
        for (cl_program h : programs.all()) {
          while (programs.references(h) != 0) release(programs, driver().clReleaseProgram, h);
        }
        break;
    }
  }
}

void World::free_shared() {
  for (const Shared& s : shared) driver().clSVMFree(service_context(), s.pointer);
  for (void* p : perhaps_freed) driver().clSVMFree(service_context(), p);
  std::set<void*> left;
  {
    const std::lock_guard lock(shared_mutex);
    left.swap(to_be_freed);
  }
  for (void* p : left) driver().clSVMFree(service_context(), p);
}

}  // namespace sluice::fuzz

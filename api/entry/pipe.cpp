// Pipes (OpenCL 3.0, section 5.4).
#include "api/objects/pipe.h"

#include <CL/cl.h>

#include "api/command/runtime.h"
#include "api/command/validate.h"
#include "api/entry/info_writer.h"
#include "api/objects/context.h"
#include "api/objects/device.h"
#include "api/objects/memory.h"
#include "api/objects/registry.h"

using namespace sluice;
using namespace sluice::api;

namespace {

// nullptr: there is no room.
Memory* create_store(Call& call, Context& context, cl_mem_flags flags, const Pipe& pipe) {
  const auto bytes = pipe.bytes();
  if (!bytes || *bytes > context.devices().front()->info().max_allocation_bytes) return nullptr;
  call.runtime().charge(HostAction::create_buffer);
  auto range = DeviceRange::reserve(call.sim(), context, *bytes);
  std::byte* const store = range ? reserve_store(*bytes) : nullptr;
  if (store == nullptr) return nullptr;
  pipe.set_up(store);
  try {
    return new Memory(context, flags, *bytes, nullptr, store, true, std::move(*range),
                      policy_of(call.runtime().machine().policy, flags));
  } catch (...) {
    release_store(store);
    throw;
  }
}

}  // namespace

CL_API_ENTRY cl_mem CL_API_CALL clCreatePipe(cl_context context_handle, cl_mem_flags flags, cl_uint packet_size,
                                             cl_uint max_packets, const cl_pipe_properties* properties,
                                             cl_int* errcode_ret) {
  return create<cl_mem>(errcode_ret, [&](Call& call, cl_int& code) -> cl_mem {
    Context* const context = find<Context>(context_handle);
    if (context == nullptr) return code = CL_INVALID_CONTEXT, nullptr;
    if ((flags & ~cl_mem_flags{CL_MEM_READ_WRITE | CL_MEM_HOST_NO_ACCESS}) != 0) return code = CL_INVALID_VALUE, nullptr;
    if (properties != nullptr) return code = CL_INVALID_VALUE, nullptr;
    if (packet_size == 0 || packet_size > PipeLimits::packet_bytes || max_packets == 0) {
      return code = CL_INVALID_PIPE_SIZE, nullptr;
    }
    const Pipe pipe{packet_size, max_packets};
    Memory* const memory = create_store(call, *context, flags, pipe);
    if (memory == nullptr) return code = CL_MEM_OBJECT_ALLOCATION_FAILURE, nullptr;
    memory->pipe = pipe;
    return memory->handle();
  });
}

CL_API_ENTRY cl_int CL_API_CALL clGetPipeInfo(cl_mem handle, cl_pipe_info name, size_t size, void* value,
                                              size_t* size_ret) {
  return enter([&](Call&) -> cl_int {
    const Memory* const memory = find<Memory>(handle);
    if (memory == nullptr || !memory->pipe) return CL_INVALID_MEM_OBJECT;
    const InfoWriter out(size, value, size_ret);
    switch (name) {
      case CL_PIPE_PACKET_SIZE: return out.value<cl_uint>(memory->pipe->packet_bytes);
      case CL_PIPE_MAX_PACKETS: return out.value<cl_uint>(memory->pipe->packets);
      case CL_PIPE_PROPERTIES: return out.bytes(nullptr, 0);  // none can be given
      default: return CL_INVALID_VALUE;
    }
  });
}

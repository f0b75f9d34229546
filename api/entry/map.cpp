// clEnqueueMapBuffer and clEnqueueUnmapMemObject. tests/api/map_table.md has a row for each sentence kept here.
#include <algorithm>

#include "api/command/transfer.h"
#include "api/objects/registry.h"

namespace sluice::api {
namespace {

constexpr cl_map_flags all_map_flags = CL_MAP_READ | CL_MAP_WRITE | CL_MAP_WRITE_INVALIDATE_REGION;

// CL_INVALID_VALUE: unknown bits, none at all, or CL_MAP_WRITE_INVALIDATE_REGION together with another.
cl_int check_map_flags(cl_map_flags flags) {
  if (flags == 0 || (flags & ~all_map_flags) != 0) return CL_INVALID_VALUE;
  if ((flags & CL_MAP_WRITE_INVALIDATE_REGION) != 0 && flags != CL_MAP_WRITE_INVALIDATE_REGION) return CL_INVALID_VALUE;
  return CL_SUCCESS;
}

cl_int check_host_access(const Memory& m, cl_map_flags flags) {
  if ((flags & CL_MAP_READ) != 0 && (m.flags() & (CL_MEM_HOST_WRITE_ONLY | CL_MEM_HOST_NO_ACCESS)) != 0) {
    return CL_INVALID_OPERATION;
  }
  if ((flags & (CL_MAP_WRITE | CL_MAP_WRITE_INVALIDATE_REGION)) != 0 &&
      (m.flags() & (CL_MEM_HOST_READ_ONLY | CL_MEM_HOST_NO_ACCESS)) != 0) {
    return CL_INVALID_OPERATION;
  }
  return CL_SUCCESS;
}

// What mapping [at, at + size) costs the machine.
void describe_map(Call& call, Memory& m, std::size_t at, std::size_t size, cl_map_flags flags, Command& c) {
  const DriverPolicy& policy = call.runtime().machine().policy;
  c.op = Operation::map_buffer;
  c.moves_data = false;  // the pointer points into the store
  if (m.policy() == BufferPolicy::zero_copy) {
    c.shape.row_bytes = size;
    c.source = m.host_end(call.sim(), at, size);
    return;
  }
  Memory& top = m.root();
  if (!top.mirror_made) {
    top.mirror_made = true;
    // Memory that the program brought was pinned when the buffer was created.
    if ((top.flags() & CL_MEM_USE_HOST_PTR) == 0) c.pins_bytes = top.size();
  }
  if (flags == CL_MAP_WRITE_INVALIDATE_REGION) {
    c.host_only = policy.invalidate_map_is_host_only;
    return;
  }
  if ((flags & CL_MAP_READ) != 0 ? !policy.read_map_copies : !policy.write_map_copies) return;
  c.shape.row_bytes = size;
  c.source = m.device_end(at);
  c.target = m.host_end(call.sim(), at, size);
  set_direction(c);
}

void describe_unmap(Call& call, Memory& m, const Memory::Mapping& mapping, Command& c) {
  const DriverPolicy& policy = call.runtime().machine().policy;
  const std::size_t at = mapping.begin - m.offset();
  const std::size_t size = mapping.end - mapping.begin;
  c.op = Operation::unmap;
  c.moves_data = false;
  const Endpoint mirror = m.host_end(call.sim(), at, size);
  // The program is taken to have written what it mapped for writing, through its core's caches.
  if (mapping.writes()) call.sim().host_wrote(mirror.address, size);
  if (m.policy() == BufferPolicy::zero_copy) {
    c.shape.row_bytes = size;
    c.source = mirror;
    return;
  }
  if (!mapping.writes()) {
    c.host_only = policy.unmap_after_read_is_host_only;
    return;
  }
  c.shape.row_bytes = size;
  c.source = mirror;
  c.target = m.device_end(at);
  set_direction(c);
}

}  // namespace
}  // namespace sluice::api

using namespace sluice;
using namespace sluice::api;

CL_API_ENTRY void* CL_API_CALL clEnqueueMapBuffer(cl_command_queue queue_handle, cl_mem buffer, cl_bool blocking,
                                                  cl_map_flags flags, size_t offset, size_t size, cl_uint num,
                                                  const cl_event* list, cl_event* event, cl_int* errcode_ret) {
  return create<void*>(errcode_ret, [&](Call& call, cl_int& code) -> void* {
    Queue* queue = nullptr;
    Memory* m = nullptr;
    if ((code = check_target(queue_handle, buffer, queue, m)) != CL_SUCCESS) return nullptr;
    if (size == 0 || offset > m->size() || size > m->size() - offset) return code = CL_INVALID_VALUE, nullptr;
    if ((code = check_map_flags(flags)) != CL_SUCCESS) return nullptr;
    if ((code = check_wait_list(queue->context(), num, list)) != CL_SUCCESS) return nullptr;
    if ((code = check_alignment(*queue, *m)) != CL_SUCCESS) return nullptr;
    if ((code = check_host_access(*m, flags)) != CL_SUCCESS) return nullptr;
    const std::size_t begin = m->offset() + offset;
    const bool writes = (flags & (CL_MAP_WRITE | CL_MAP_WRITE_INVALIDATE_REGION)) != 0;
    if (writes && m->write_mapped(begin, begin + size)) return code = CL_INVALID_OPERATION, nullptr;
    if ((code = check_wait_list(queue->context(), num, list, blocking != CL_FALSE)) != CL_SUCCESS) return nullptr;

    void* const pointer = m->store() + offset;
    const std::uint64_t serial = ++m->next_mapping;
    CommandRequest request;
    request.type = CL_COMMAND_MAP_BUFFER;
    request.keep.emplace_back(m);
    describe_map(call, *m, offset, size, flags, request.command);
    // The mapping counts from the call on; a map that fails leaves none.
    m->mappings.push_back({pointer, begin, begin + size, flags, serial});
    request.hook = [m, serial](const CommandOutcome& outcome) {
      if (outcome.result < 0) std::erase_if(m->mappings, [&](const Memory::Mapping& x) { return x.serial == serial; });
    };
    code = enqueue(call, *queue, std::move(request), num, list, event, blocking != CL_FALSE);
    if (code == CL_SUCCESS) return pointer;
    std::erase_if(m->mappings, [&](const Memory::Mapping& x) { return x.serial == serial; });
    return nullptr;
  });
}

CL_API_ENTRY cl_int CL_API_CALL clEnqueueUnmapMemObject(cl_command_queue queue_handle, cl_mem handle, void* pointer,
                                                        cl_uint num, const cl_event* list, cl_event* event) {
  return enter([&](Call& call) -> cl_int {
    Queue* queue = find<Queue>(queue_handle);
    if (queue == nullptr) return CL_INVALID_COMMAND_QUEUE;
    Memory* m = find<Memory>(handle);
    if (m == nullptr) return CL_INVALID_MEM_OBJECT;
    // The same pointer may be mapped several times; the newest map goes first, as brackets close.
    const auto it = std::find_if(m->mappings.rbegin(), m->mappings.rend(),
                                 [&](const Memory::Mapping& x) { return x.pointer == pointer; });
    if (pointer == nullptr || it == m->mappings.rend()) return CL_INVALID_VALUE;
    if (const cl_int e = check_wait_list(queue->context(), num, list);
        e == CL_INVALID_EVENT_WAIT_LIST || (e != CL_SUCCESS && e != CL_INVALID_CONTEXT)) {
      return e;
    }
    if (&queue->context() != &m->context()) return CL_INVALID_CONTEXT;
    if (const cl_int e = check_wait_list(queue->context(), num, list); e != CL_SUCCESS) return e;
    CommandRequest request;
    request.type = CL_COMMAND_UNMAP_MEM_OBJECT;
    request.keep.emplace_back(m);
    describe_unmap(call, *m, *it, request.command);
    const Memory::Mapping mapping = *it;
    m->mappings.erase(std::next(it).base());
    const cl_int code = enqueue(call, *queue, std::move(request), num, list, event, false);
    if (code != CL_SUCCESS) m->mappings.push_back(mapping);
    return code;
  });
}

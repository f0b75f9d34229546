// clEnqueueMapBuffer, clEnqueueMapImage and clEnqueueUnmapMemObject. tests/api/map_table.md has a row for each sentence
// kept here.
#include <algorithm>
#include <memory>

#include "api/command/transfer.h"
#include "api/command/validate.h"
#include "api/objects/registry.h"
#include "api/strict/strict.h"

namespace sluice::api {
namespace {

// The mapped bytes: linear in a buffer, a box in an image.
void set_shape(const Memory& m, const Memory::Mapping& mapping, Command& c) {
  if (m.image == nullptr) {
    c.shape.row_bytes = mapping.end - mapping.begin;
    return;
  }
  c.shape = m.image->shape(mapping.box);
  for (Endpoint* e : {&c.source, &c.target}) {
    m.image->shape_end(*e, m.image->offset(mapping.box));
    if (e->placement != Placement::device) e->tiling = {};  // the mirror has rows
  }
}

// What a map costs the machine.
void describe_map(Call& call, const Queue& queue, Memory& m, const Memory::Mapping& mapping, Command& c) {
  const DriverPolicy& policy = call.runtime().machine().policy;
  const std::size_t at = mapping.begin - m.offset();
  const std::size_t size = mapping.end - mapping.begin;
  c.op = m.image == nullptr ? Operation::map_buffer : Operation::map_image;
  c.moves_data = false;  // the pointer points into the store
  if (m.policy() == BufferPolicy::zero_copy) {
    c.source = m.host_end(call.sim(), at, size);
    set_shape(m, mapping, c);
    return;
  }
  if (m.policy() == BufferPolicy::device_shared) {
    if ((mapping.flags & CL_MAP_READ) != 0) c.host_touches.push_back({m.device_end(queue.device(), at).address, size});
    return;
  }
  Memory& top = m.root();
  if (!top.mirror_made) {
    top.mirror_made = true;
    // Memory that the program brought was pinned when the buffer was created.
    if ((top.flags() & CL_MEM_USE_HOST_PTR) == 0) c.pins_bytes = top.size();
  }
  const bool copies = m.image != nullptr && policy.image_invalidate_map_copies;
  if (mapping.flags == CL_MAP_WRITE_INVALIDATE_REGION && !copies) {
    c.host_only = policy.invalidate_map_is_host_only;
    return;
  }
  const bool invalidates = mapping.flags == CL_MAP_WRITE_INVALIDATE_REGION;
  if (!invalidates && ((mapping.flags & CL_MAP_READ) != 0 ? !policy.read_map_copies : !policy.write_map_copies)) return;
  c.source = m.device_end(queue.device(), at);
  c.target = m.host_end(call.sim(), at, size);
  set_shape(m, mapping, c);
  set_direction(c);
}

void describe_unmap(Call& call, const Queue& queue, Memory& m, const Memory::Mapping& mapping, Command& c) {
  const DriverPolicy& policy = call.runtime().machine().policy;
  const std::size_t at = mapping.begin - m.offset();
  const std::size_t size = mapping.end - mapping.begin;
  c.op = Operation::unmap;
  c.moves_data = false;
  if (m.policy() == BufferPolicy::device_shared) {
    if (!mapping.writes()) return;
    const std::uint64_t address = m.device_end(queue.device(), at).address;
    c.host_writes = true;
    for (const auto& [begin, bytes] : call.runtime().written(&m, mapping.serial, mapping.pointer, size))
      c.host_touches.push_back({address + begin, bytes});
    return;
  }
  const Endpoint mirror = m.host_end(call.sim(), at, size);
  // The program is taken to have written what it mapped for writing, through its core's caches.
  if (mapping.writes()) call.runtime().tell_written(&m, mapping.serial, mapping.pointer, mirror.address, size);
  if (m.policy() == BufferPolicy::zero_copy) {
    c.source = mirror;
    set_shape(m, mapping, c);
    return;
  }
  if (!mapping.writes()) {
    c.host_only = policy.unmap_after_read_is_host_only;
    if (m.image != nullptr) c.host_only = policy.image_unmap_after_read_is_host_only.value_or(c.host_only);
    return;
  }
  c.source = mirror;
  c.target = m.device_end(queue.device(), at);
  m.written_by(queue.device());
  set_shape(m, mapping, c);
  set_direction(c);
}

// True if bytes that the new mapping writes are mapped for writing already: through this object, its parent, its
// parent's other windows, or an image on the same buffer. Boxes of one image meet where their elements do.
bool writes_overlap(Memory& m, const Memory::Mapping& mapping) {
  if (!mapping.writes()) return false;
  if (m.image == nullptr || m.parent() != nullptr || !m.children.empty()) return m.write_mapped(mapping);
  return std::any_of(m.mappings.begin(), m.mappings.end(),
                     [&](const Memory::Mapping& x) { return x.writes() && x.box.meets(mapping.box); });
}

// From the end of the map on: what driver and device write until then is not the program's.
void watch(const Memory& m, std::uint64_t serial) {
  Runtime& runtime = Runtime::instance();
  if (runtime.touches() == nullptr) return;
  for (const Memory::Mapping& x : m.mappings) {
    if (x.serial == serial && x.writes()) runtime.watch(&m, serial, x.pointer, x.end - x.begin, m.policy() != BufferPolicy::device_shared);
  }
}

strict::Area area_of(const Memory& m, const Memory::Mapping& mapping) {
  const std::byte* const first = m.root().store() + mapping.begin;
  if (m.image == nullptr) return {first, mapping.end - mapping.begin, 1, 1, 0, 0};
  const Shape shape = m.image->shape(mapping.box);
  return {first, shape.row_bytes, shape.rows, shape.slices, m.image->row_stride(), m.image->layout().slice_pitch};
}

// The part of a map that buffers and images share, once the object's own rules hold. nullptr: see `code`.
void* map_region(Call& call, Queue& queue, Memory& m, Memory::Mapping mapping, bool blocking, cl_uint num,
                 const cl_event* list, cl_event* event, cl_int& code) {
  if ((code = check_map_access(m.flags(), mapping.flags)) != CL_SUCCESS) return nullptr;
  if (writes_overlap(m, mapping)) return code = CL_INVALID_OPERATION, nullptr;
  if ((code = check_wait_list(queue.context(), num, list, blocking)) != CL_SUCCESS) return nullptr;
  const Ref<Memory> hold(&m);  // another thread may release it while this one waits
  mapping.serial = ++m.next_mapping;
  if (strict::instance != nullptr) {
    mapping.pointer = strict::instance->map(area_of(m, mapping), mapping.flags, blocking, mapping.strict);
  }
  const bool mirror_made = m.root().mirror_made;
  const auto undo = [&memory = m, serial = mapping.serial, strict_id = mapping.strict, mirror_made] {
    if (strict_id != 0) strict::instance->map_ended(strict_id, false);
    std::erase_if(memory.mappings, [&](const Memory::Mapping& x) { return x.serial == serial; });
    memory.root().mirror_made = mirror_made;
    memory.mappings_changed();
  };
  CommandRequest request;
  request.type = m.image == nullptr ? CL_COMMAND_MAP_BUFFER : CL_COMMAND_MAP_IMAGE;
  request.keep.emplace_back(&m);
  describe_map(call, queue, m, mapping, request.command);
  // The mapping counts from the call on; a map that fails leaves none.
  m.mappings.push_back(mapping);
  m.mappings_changed();
  request.hook = [undo, &m, serial = mapping.serial, strict_id = mapping.strict](const CommandOutcome& outcome) {
    if (outcome.result < 0) {
      undo();
      return;
    }
    if (strict_id != 0) strict::instance->map_ended(strict_id, true);
    watch(m, serial);
  };
  code = enqueue_or_undo(undo, call, queue, std::move(request), num, list, event, blocking);
  return code == CL_SUCCESS ? mapping.pointer : nullptr;
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
    const std::size_t begin = m->offset() + offset;
    const Memory::Mapping mapping{m->store() + offset, begin, begin + size, flags, 0, {}};
    return map_region(call, *queue, *m, mapping, blocking != CL_FALSE, num, list, event, code);
  });
}

CL_API_ENTRY void* CL_API_CALL clEnqueueMapImage(cl_command_queue queue_handle, cl_mem image, cl_bool blocking,
                                                 cl_map_flags flags, const size_t* origin, const size_t* region,
                                                 size_t* row_pitch, size_t* slice_pitch, cl_uint num,
                                                 const cl_event* list, cl_event* event, cl_int* errcode_ret) {
  return create<void*>(errcode_ret, [&](Call& call, cl_int& code) -> void* {
    Queue* queue = find<Queue>(queue_handle);
    if (queue == nullptr) return code = CL_INVALID_COMMAND_QUEUE, nullptr;
    // Before the object: without images no handle can be one, and the device's lack says more.
    if (!queue->device().info().images) return code = CL_INVALID_OPERATION, nullptr;
    Memory* m = find<Memory>(image);
    if (m == nullptr || m->image == nullptr) return code = CL_INVALID_MEM_OBJECT, nullptr;
    if (&queue->context() != &m->context()) return code = CL_INVALID_CONTEXT, nullptr;
    const Image& i = *m->image;
    ImageBox box;
    if ((code = i.check_box(origin, region, box)) != CL_SUCCESS) return nullptr;
    if ((code = check_map_flags(flags)) != CL_SUCCESS) return nullptr;
    if (row_pitch == nullptr || (i.has_slices() && slice_pitch == nullptr)) return code = CL_INVALID_VALUE, nullptr;
    if ((code = check_wait_list(queue->context(), num, list)) != CL_SUCCESS) return nullptr;
    const std::size_t begin = m->offset() + i.offset(box);
    Memory::Mapping mapping{m->store() + i.offset(box), begin, begin + i.span(box), flags, 0, box};
    if (!i.has_slices()) {  // others have no views
      mapping.row_bytes = i.shape(box).row_bytes;
      mapping.pitch = i.row_stride();
    }
    const Ref<Memory> hold(m);  // for the pitches: another thread may release it while this one waits
    void* const pointer = map_region(call, *queue, *m, mapping, blocking != CL_FALSE, num, list, event, code);
    if (pointer == nullptr) return nullptr;
    *row_pitch = i.layout().row_pitch;
    if (slice_pitch != nullptr) *slice_pitch = i.layout().slice_pitch;  // 0 for 1D and 2D images
    return pointer;
  });
}

CL_API_ENTRY cl_int CL_API_CALL clEnqueueUnmapMemObject(cl_command_queue queue_handle, cl_mem handle, void* pointer,
                                                        cl_uint num, const cl_event* list, cl_event* event) {
  return enter([&](Call& call) -> cl_int {
    Queue* queue = find<Queue>(queue_handle);
    if (queue == nullptr) return CL_INVALID_COMMAND_QUEUE;
    Memory* m = find<Memory>(handle);
    if (m == nullptr || m->pipe) return CL_INVALID_MEM_OBJECT;
    // The same pointer may be mapped several times; the newest map goes first, as brackets close.
    const auto it = std::find_if(m->mappings.rbegin(), m->mappings.rend(),
                                 [&](const Memory::Mapping& x) { return x.pointer == pointer; });
    if (pointer == nullptr || it == m->mappings.rend()) {
      if (pointer != nullptr && strict::instance != nullptr) strict::instance->unmap_refused(m->store(), pointer);
      return CL_INVALID_VALUE;
    }
    if (&queue->context() != &m->context()) return CL_INVALID_CONTEXT;
    if (const cl_int e = check_wait_list(queue->context(), num, list); e != CL_SUCCESS) return e;
    CommandRequest request;
    request.type = CL_COMMAND_UNMAP_MEM_OBJECT;
    request.keep.emplace_back(m);
    describe_unmap(call, *queue, *m, *it, request.command);
    // The region is unmapped from the call on; an unmap that fails leaves it mapped.
    auto mapping = std::make_shared<const Memory::Mapping>(*it);
    if (mapping->strict != 0) strict::instance->unmap(mapping->strict);
    const auto undo = [m, mapping] {
      m->restore(*mapping);
      if (mapping->strict != 0) strict::instance->unmap_ended(mapping->strict, false);
    };
    request.hook = [undo, strict_id = mapping->strict](const CommandOutcome& outcome) {
      if (outcome.result < 0) {
        undo();
      } else if (strict_id != 0) {
        strict::instance->unmap_ended(strict_id, true);
      }
    };
    m->mappings.erase(std::next(it).base());
    m->mappings_changed();
    return enqueue_or_undo(undo, call, *queue, std::move(request), num, list, event, false);
  });
}

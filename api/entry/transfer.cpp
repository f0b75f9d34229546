// Reads, writes, copies and fills of buffers, their rectangle forms, and migration.
#include "api/command/transfer.h"

#include <cstring>
#include <limits>

#include "api/command/validate.h"
#include "api/objects/registry.h"
#include "api/objects/svm.h"

namespace sluice::api {
namespace {

struct Waits {
  cl_uint num;
  const cl_event* list;
  cl_event* event;
};

bool in_range(std::size_t offset, std::size_t size, std::size_t limit) {
  return offset <= limit && size <= limit - offset;
}

// Read and write differ in who is the source.
cl_int transfer(cl_command_queue queue_handle, cl_mem handle, bool read, bool blocking, std::size_t offset,
                std::size_t size, const void* ptr, const Waits& w,
                const char* name = __builtin_FUNCTION()) {
  return enter([&](Call& call) -> cl_int {
    Queue* queue = nullptr;
    Memory* memory = nullptr;
    if (const cl_int e = check_target(queue_handle, handle, queue, memory); e != CL_SUCCESS) return e;
    if (!in_range(offset, size, memory->size()) || ptr == nullptr) return CL_INVALID_VALUE;
    if (const cl_int e = check_wait_list(queue->context(), w.num, w.list); e != CL_SUCCESS) return e;
    if (const cl_int e = check_alignment(*queue, *memory); e != CL_SUCCESS) return e;
    if (read ? !host_may_read(memory->flags()) : !host_may_write(memory->flags())) return CL_INVALID_OPERATION;
    CommandRequest request;
    request.type = read ? CL_COMMAND_READ_BUFFER : CL_COMMAND_WRITE_BUFFER;
    request.keep.emplace_back(memory);
    Command& c = request.command;
    c.op = read ? Operation::read_buffer : Operation::write_buffer;
    if (size != 0) {
      c.shape.row_bytes = size;
      (read ? c.source : c.target) = memory->device_end(queue->device(), offset);
      if (!read) memory->written_by(queue->device());
      (read ? c.target : c.source) = program_end(call.sim(), ptr, size);
      set_direction(c);
    }
    return enqueue(call, *queue, std::move(request), w.num, w.list, w.event, blocking);
  }, name);
}

struct Rect {
  const std::size_t* buffer_origin;
  const std::size_t* host_origin;
  const std::size_t* region;
  std::size_t buffer_row_pitch;
  std::size_t buffer_slice_pitch;
  std::size_t host_row_pitch;
  std::size_t host_slice_pitch;
};

void place(Endpoint& end, const Box& box) {
  end.row_pitch_bytes = box.row_pitch;
  end.slice_pitch_bytes = box.slice_pitch;
}

// A box whose rows touch is one row; then the engines need not walk it.
void flatten(Command& c) {
  const auto tight = [&](const Endpoint& e) {
    return e.row_pitch_bytes == c.shape.row_bytes &&
           (c.shape.slices == 1 || e.slice_pitch_bytes == c.shape.row_bytes * c.shape.rows);
  };
  if (c.shape.rows * c.shape.slices == 1 || (tight(c.source) && tight(c.target))) {
    c.shape = {c.shape.bytes(), 1, 1};
  }
}

cl_int transfer_rect(cl_command_queue queue_handle, cl_mem handle, bool read, bool blocking, const Rect& r,
                     const void* ptr, const Waits& w,
                     const char* name = __builtin_FUNCTION()) {
  return enter([&](Call& call) -> cl_int {
    Queue* queue = nullptr;
    Memory* memory = nullptr;
    if (const cl_int e = check_target(queue_handle, handle, queue, memory); e != CL_SUCCESS) return e;
    Box buffer;
    Box host;
    if (const cl_int e =
            make_box(r.buffer_origin, r.region, r.buffer_row_pitch, r.buffer_slice_pitch, memory->size(), buffer);
        e != CL_SUCCESS) {
      return e;
    }
    if (const cl_int e = make_box(r.host_origin, r.region, r.host_row_pitch, r.host_slice_pitch,
                                  std::numeric_limits<std::size_t>::max(), host);
        e != CL_SUCCESS) {
      return e;
    }
    if (ptr == nullptr) return CL_INVALID_VALUE;
    if (const cl_int e = check_wait_list(queue->context(), w.num, w.list); e != CL_SUCCESS) return e;
    if (const cl_int e = check_alignment(*queue, *memory); e != CL_SUCCESS) return e;
    if (read ? !host_may_read(memory->flags()) : !host_may_write(memory->flags())) return CL_INVALID_OPERATION;
    CommandRequest request;
    request.type = read ? CL_COMMAND_READ_BUFFER_RECT : CL_COMMAND_WRITE_BUFFER_RECT;
    request.keep.emplace_back(memory);
    Command& c = request.command;
    c.op = read ? Operation::read_buffer_rect : Operation::write_buffer_rect;
    c.shape = {r.region[0], r.region[1], r.region[2]};
    Endpoint device = memory->device_end(queue->device(), buffer.origin);
    if (!read) memory->written_by(queue->device());
    place(device, buffer);
    Endpoint program = program_end(call.sim(), static_cast<const std::byte*>(ptr) + host.origin, host.span);
    place(program, host);
    (read ? c.source : c.target) = device;
    (read ? c.target : c.source) = program;
    set_direction(c);
    flatten(c);
    return enqueue(call, *queue, std::move(request), w.num, w.list, w.event, blocking);
  }, name);
}

cl_int check_pair(cl_command_queue queue_handle, cl_mem source, cl_mem target, Queue*& queue, Memory*& s, Memory*& t) {
  queue = find<Queue>(queue_handle);
  if (queue == nullptr) return CL_INVALID_COMMAND_QUEUE;
  s = find<Memory>(source);
  t = find<Memory>(target);
  if (s == nullptr || !s->is_buffer() || t == nullptr || !t->is_buffer()) return CL_INVALID_MEM_OBJECT;
  if (&queue->context() != &s->context() || &queue->context() != &t->context()) return CL_INVALID_CONTEXT;
  return CL_SUCCESS;
}

}  // namespace
}  // namespace sluice::api

using namespace sluice;
using namespace sluice::api;

CL_API_ENTRY cl_int CL_API_CALL clEnqueueReadBuffer(cl_command_queue queue, cl_mem buffer, cl_bool blocking,
                                                    size_t offset, size_t size, void* ptr, cl_uint num,
                                                    const cl_event* list, cl_event* event) {
  return transfer(queue, buffer, true, blocking != CL_FALSE, offset, size, ptr, {num, list, event});
}

CL_API_ENTRY cl_int CL_API_CALL clEnqueueWriteBuffer(cl_command_queue queue, cl_mem buffer, cl_bool blocking,
                                                     size_t offset, size_t size, const void* ptr, cl_uint num,
                                                     const cl_event* list, cl_event* event) {
  return transfer(queue, buffer, false, blocking != CL_FALSE, offset, size, ptr, {num, list, event});
}

CL_API_ENTRY cl_int CL_API_CALL clEnqueueReadBufferRect(cl_command_queue queue, cl_mem buffer, cl_bool blocking,
                                                        const size_t* buffer_origin, const size_t* host_origin,
                                                        const size_t* region, size_t buffer_row_pitch,
                                                        size_t buffer_slice_pitch, size_t host_row_pitch,
                                                        size_t host_slice_pitch, void* ptr, cl_uint num,
                                                        const cl_event* list, cl_event* event) {
  return transfer_rect(
      queue, buffer, true, blocking != CL_FALSE,
      {buffer_origin, host_origin, region, buffer_row_pitch, buffer_slice_pitch, host_row_pitch, host_slice_pitch}, ptr,
      {num, list, event});
}

CL_API_ENTRY cl_int CL_API_CALL clEnqueueWriteBufferRect(cl_command_queue queue, cl_mem buffer, cl_bool blocking,
                                                         const size_t* buffer_origin, const size_t* host_origin,
                                                         const size_t* region, size_t buffer_row_pitch,
                                                         size_t buffer_slice_pitch, size_t host_row_pitch,
                                                         size_t host_slice_pitch, const void* ptr, cl_uint num,
                                                         const cl_event* list, cl_event* event) {
  return transfer_rect(
      queue, buffer, false, blocking != CL_FALSE,
      {buffer_origin, host_origin, region, buffer_row_pitch, buffer_slice_pitch, host_row_pitch, host_slice_pitch}, ptr,
      {num, list, event});
}

CL_API_ENTRY cl_int CL_API_CALL clEnqueueCopyBuffer(cl_command_queue queue_handle, cl_mem source, cl_mem target,
                                                    size_t source_offset, size_t target_offset, size_t size,
                                                    cl_uint num, const cl_event* list, cl_event* event) {
  return enter([&](Call& call) -> cl_int {
    Queue* queue = nullptr;
    Memory* s = nullptr;
    Memory* t = nullptr;
    if (const cl_int e = check_pair(queue_handle, source, target, queue, s, t); e != CL_SUCCESS) return e;
    if (!in_range(source_offset, size, s->size()) || !in_range(target_offset, size, t->size())) return CL_INVALID_VALUE;
    if (const cl_int e = check_wait_list(queue->context(), num, list); e != CL_SUCCESS) return e;
    if (const cl_int e = check_alignment(*queue, *s); e != CL_SUCCESS) return e;
    if (const cl_int e = check_alignment(*queue, *t); e != CL_SUCCESS) return e;
    if (&s->root() == &t->root()) {
      const std::size_t a = s->offset() + source_offset;
      const std::size_t b = t->offset() + target_offset;
      if (a < b + size && b < a + size) return CL_MEM_COPY_OVERLAP;
    }
    CommandRequest request;
    request.type = CL_COMMAND_COPY_BUFFER;
    request.keep.emplace_back(s);
    request.keep.emplace_back(t);
    Command& c = request.command;
    c.op = Operation::copy_buffer;
    if (size != 0) {  // OpenCL 3.0 names no error for a copy of nothing
      c.shape.row_bytes = size;
      c.source = s->copy_end(queue->device(), source_offset);
      c.target = t->copy_end(queue->device(), target_offset);
      if (t->is_at(queue->device())) t->written_by(queue->device());
      set_direction(c);
    }
    return enqueue(call, *queue, std::move(request), num, list, event, false);
  });
}

CL_API_ENTRY cl_int CL_API_CALL clEnqueueCopyBufferRect(cl_command_queue queue_handle, cl_mem source, cl_mem target,
                                                        const size_t* source_origin, const size_t* target_origin,
                                                        const size_t* region, size_t source_row_pitch,
                                                        size_t source_slice_pitch, size_t target_row_pitch,
                                                        size_t target_slice_pitch, cl_uint num, const cl_event* list,
                                                        cl_event* event) {
  return enter([&](Call& call) -> cl_int {
    Queue* queue = nullptr;
    Memory* s = nullptr;
    Memory* t = nullptr;
    if (const cl_int e = check_pair(queue_handle, source, target, queue, s, t); e != CL_SUCCESS) return e;
    Box from;
    Box to;
    if (const cl_int e = make_box(source_origin, region, source_row_pitch, source_slice_pitch, s->size(), from);
        e != CL_SUCCESS) {
      return e;
    }
    if (const cl_int e = make_box(target_origin, region, target_row_pitch, target_slice_pitch, t->size(), to);
        e != CL_SUCCESS) {
      return e;
    }
    // Within one buffer both sides must have the same pitches.
    if (s == t && (from.row_pitch != to.row_pitch || from.slice_pitch != to.slice_pitch)) return CL_INVALID_VALUE;
    if (const cl_int e = check_wait_list(queue->context(), num, list); e != CL_SUCCESS) return e;
    if (const cl_int e = check_alignment(*queue, *s); e != CL_SUCCESS) return e;
    if (const cl_int e = check_alignment(*queue, *t); e != CL_SUCCESS) return e;
    if (&s->root() == &t->root()) {
      const std::size_t a = s->offset() + from.origin;
      const std::size_t b = t->offset() + to.origin;
      if (from.row_pitch == to.row_pitch && from.slice_pitch == to.slice_pitch) {
        const Triple size{region[0], region[1], region[2]};
        if (boxes_overlap({a, 0, 0}, {b, 0, 0}, size, from.row_pitch, from.slice_pitch)) return CL_MEM_COPY_OVERLAP;
      } else if (a < b + to.span && b < a + from.span) {
        return CL_MEM_COPY_OVERLAP;
      }
    }
    CommandRequest request;
    request.type = CL_COMMAND_COPY_BUFFER_RECT;
    request.keep.emplace_back(s);
    request.keep.emplace_back(t);
    Command& c = request.command;
    c.op = Operation::copy_buffer_rect;
    c.shape = {region[0], region[1], region[2]};
    c.source = s->copy_end(queue->device(), from.origin);
    c.target = t->copy_end(queue->device(), to.origin);
    if (t->is_at(queue->device())) t->written_by(queue->device());
    place(c.source, from);
    place(c.target, to);
    set_direction(c);
    flatten(c);
    return enqueue(call, *queue, std::move(request), num, list, event, false);
  });
}

CL_API_ENTRY cl_int CL_API_CALL clEnqueueFillBuffer(cl_command_queue queue_handle, cl_mem buffer, const void* pattern,
                                                    size_t pattern_size, size_t offset, size_t size, cl_uint num,
                                                    const cl_event* list, cl_event* event) {
  return enter([&](Call& call) -> cl_int {
    Queue* queue = nullptr;
    Memory* memory = nullptr;
    if (const cl_int e = check_target(queue_handle, buffer, queue, memory); e != CL_SUCCESS) return e;
    if (!in_range(offset, size, memory->size()) || pattern == nullptr) return CL_INVALID_VALUE;
    if (pattern_size == 0 || pattern_size > 128 || (pattern_size & (pattern_size - 1)) != 0) return CL_INVALID_VALUE;
    if (offset % pattern_size != 0 || size % pattern_size != 0) return CL_INVALID_VALUE;
    if (const cl_int e = check_wait_list(queue->context(), num, list); e != CL_SUCCESS) return e;
    if (const cl_int e = check_alignment(*queue, *memory); e != CL_SUCCESS) return e;
    CommandRequest request;
    request.type = CL_COMMAND_FILL_BUFFER;
    request.keep.emplace_back(memory);
    Command& c = request.command;
    c.op = Operation::fill_buffer;
    if (size != 0) {
      c.shape.row_bytes = size;
      c.target = memory->device_end(queue->device(), offset);
      memory->written_by(queue->device());
      c.fill.assign(pattern, pattern_size);
      set_direction(c);
    }
    return enqueue(call, *queue, std::move(request), num, list, event, false);
  });
}

CL_API_ENTRY cl_int CL_API_CALL clEnqueueMigrateMemObjects(cl_command_queue queue_handle, cl_uint count,
                                                           const cl_mem* objects, cl_mem_migration_flags flags,
                                                           cl_uint num, const cl_event* list, cl_event* event) {
  return enter([&](Call& call) -> cl_int {
    Queue* queue = find<Queue>(queue_handle);
    if (queue == nullptr) return CL_INVALID_COMMAND_QUEUE;
    if (count == 0 || objects == nullptr) return CL_INVALID_VALUE;
    CommandRequest request;
    request.type = CL_COMMAND_MIGRATE_MEM_OBJECTS;
    std::uint64_t bytes = 0;
    Memory* first = nullptr;  // of those that live on the device
    for (cl_uint i = 0; i < count; ++i) {
      Memory* memory = find<Memory>(objects[i]);
      if (memory == nullptr) return CL_INVALID_MEM_OBJECT;
      if (&memory->context() != &queue->context()) return CL_INVALID_CONTEXT;
      request.keep.emplace_back(memory);
      // A buffer over shared virtual memory (CL_MEM_USE_HOST_PTR).
      add_pages(call, memory->store(), memory->size(), flags, request.command);
      if (memory->policy() != BufferPolicy::device_mirror) continue;
      bytes += memory->size();
      if (first == nullptr) first = memory;
    }
    if ((flags & ~(CL_MIGRATE_MEM_OBJECT_HOST | CL_MIGRATE_MEM_OBJECT_CONTENT_UNDEFINED)) != 0) return CL_INVALID_VALUE;
    if (const cl_int e = check_wait_list(queue->context(), num, list); e != CL_SUCCESS) return e;
    Command& c = request.command;
    c.op = Operation::migrate;
    c.moves_data = false;
    // To the host: the contents leave the device, unless the program does not care for them. To this device: those that
    // another one has come from there. Else they are here, and it is an ordering point only.
    const bool to_host = (flags & CL_MIGRATE_MEM_OBJECT_HOST) != 0;
    const bool undefined = (flags & CL_MIGRATE_MEM_OBJECT_CONTENT_UNDEFINED) != 0;
    if (!to_host) {
      for (cl_uint i = 0; i < count; ++i) {
        Memory& memory = *find<Memory>(objects[i]);
        if (!undefined && !memory.is_at(queue->device())) {
          if (c.shape.row_bytes == 0) {
            c.source = memory.copy_end(queue->device(), 0);
            c.target = memory.device_end(queue->device(), 0);
          }
          c.shape.row_bytes += memory.size();
        }
        memory.written_by(queue->device());
      }
      if (c.shape.row_bytes != 0) set_direction(c);
    } else if (!undefined && first != nullptr) {
      c.source = first->device_end(queue->device(), 0);
      c.target = first->host_end(call.sim(), 0, first->size());
      c.shape.row_bytes = bytes;
      set_direction(c);
    }
    return enqueue(call, *queue, std::move(request), num, list, event, false);
  });
}

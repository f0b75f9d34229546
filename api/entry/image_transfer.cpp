// Reads, writes, copies and fills of images: boxes of bytes in a linear store.
#include <algorithm>

#include "api/command/transfer.h"
#include "api/command/validate.h"
#include "api/objects/image.h"
#include "api/objects/registry.h"

namespace sluice::api {
namespace {

struct Waits {
  cl_uint num;
  const cl_event* list;
  cl_event* event;
};

Memory* find_image(cl_mem handle) {
  Memory* memory = find<Memory>(handle);
  return memory != nullptr && memory->image != nullptr ? memory : nullptr;
}

Memory* find_buffer(cl_mem handle) {
  Memory* memory = find<Memory>(handle);
  return memory != nullptr && memory->is_buffer() ? memory : nullptr;
}

// Queue, objects and contexts in the order in which the specification lists them. Images exist only where the device
// has images, so CL_INVALID_OPERATION has been given at creation.
cl_int check_objects(cl_command_queue handle, std::initializer_list<Memory*> objects, Queue*& queue) {
  queue = find<Queue>(handle);
  if (queue == nullptr) return CL_INVALID_COMMAND_QUEUE;
  if (!queue->device().info().images) return CL_INVALID_OPERATION;
  for (const Memory* m : objects) {
    if (m == nullptr) return CL_INVALID_MEM_OBJECT;
  }
  for (const Memory* m : objects) {
    if (&m->context() != &queue->context()) return CL_INVALID_CONTEXT;
  }
  return CL_SUCCESS;
}

Endpoint image_end(const Queue& queue, const Memory& m, const ImageBox& box) {
  Endpoint e = m.device_end(queue.device(), m.image->offset(box));
  m.image->shape_end(e, m.image->offset(box));
  return e;
}

// Tightly packed rows and slices at one end, as in a buffer.
void pack(Endpoint& e, const Shape& shape) {
  e.row_pitch_bytes = shape.row_bytes;
  e.slice_pitch_bytes = shape.row_bytes * shape.rows;
}

// The program's side of a read or write: zero pitches become tight ones. CL_INVALID_VALUE for pitches below the region,
// and for a slice pitch where the image has no slices.
cl_int program_box(const Image& image, const Shape& shape, std::size_t row_pitch, std::size_t slice_pitch, Box& box) {
  if (slice_pitch != 0 && !image.has_slices()) return CL_INVALID_VALUE;
  if (row_pitch != 0 && row_pitch < shape.row_bytes) return CL_INVALID_VALUE;
  box.row_pitch = row_pitch == 0 ? shape.row_bytes : row_pitch;
  // Each image of a 1D array is one row, and the slice pitch is the distance from image to image.
  if (image.layout().type == CL_MEM_OBJECT_IMAGE1D_ARRAY) {
    if (slice_pitch != 0 && slice_pitch < box.row_pitch) return CL_INVALID_VALUE;
    if (slice_pitch != 0) box.row_pitch = slice_pitch;
    slice_pitch = 0;
  }
  std::size_t slice = 0;
  if (__builtin_mul_overflow(box.row_pitch, shape.rows, &slice)) return CL_INVALID_VALUE;
  if (slice_pitch != 0 && slice_pitch < slice) return CL_INVALID_VALUE;
  box.slice_pitch = slice_pitch == 0 ? slice : slice_pitch;
  std::size_t slices = 0;
  if (__builtin_mul_overflow(box.slice_pitch, shape.slices - 1, &slices) ||
      __builtin_add_overflow(slices, box.row_pitch * (shape.rows - 1) + shape.row_bytes, &box.span)) {
    return CL_INVALID_VALUE;
  }
  return CL_SUCCESS;
}

cl_int transfer(cl_command_queue queue_handle, cl_mem handle, bool read, bool blocking, const size_t* origin,
                const size_t* region, std::size_t row_pitch, std::size_t slice_pitch, const void* ptr,
                const Waits& w,
                const char* name = __builtin_FUNCTION()) {
  return enter([&](Call& call) -> cl_int {
    Memory* m = find_image(handle);
    Queue* queue = nullptr;
    if (const cl_int e = check_objects(queue_handle, {m}, queue); e != CL_SUCCESS) return e;
    ImageBox box;
    if (const cl_int e = m->image->check_box(origin, region, box); e != CL_SUCCESS) return e;
    const Shape shape = m->image->shape(box);
    Box host;
    if (const cl_int e = program_box(*m->image, shape, row_pitch, slice_pitch, host); e != CL_SUCCESS) return e;
    if (ptr == nullptr) return CL_INVALID_VALUE;
    if (const cl_int e = check_wait_list(queue->context(), w.num, w.list); e != CL_SUCCESS) return e;
    if (read ? !host_may_read(m->flags()) : !host_may_write(m->flags())) return CL_INVALID_OPERATION;
    CommandRequest request;
    request.type = read ? CL_COMMAND_READ_IMAGE : CL_COMMAND_WRITE_IMAGE;
    request.keep.emplace_back(m);
    Command& c = request.command;
    c.op = read ? Operation::read_image : Operation::write_image;
    c.shape = shape;
    Endpoint program = program_end(call.sim(), ptr, host.span);
    program.row_pitch_bytes = host.row_pitch;
    program.slice_pitch_bytes = host.slice_pitch;
    (read ? c.source : c.target) = image_end(*queue, *m, box);
    (read ? c.target : c.source) = program;
    set_direction(c);
    return enqueue(call, *queue, std::move(request), w.num, w.list, w.event, blocking);
  }, name);
}

// The image and the buffer of a copy between the two.
cl_int copy_with_buffer(cl_command_queue queue_handle, cl_mem image, cl_mem buffer, bool to_buffer,
                        const size_t* origin, const size_t* region, std::size_t offset, const Waits& w) {
  return enter([&](Call& call) -> cl_int {
    Memory* m = find_image(image);
    Memory* b = find_buffer(buffer);
    Queue* queue = nullptr;
    if (const cl_int e = check_objects(queue_handle, {m, b}, queue); e != CL_SUCCESS) return e;
    const bool is_view = m->image->layout().type == CL_MEM_OBJECT_IMAGE1D_BUFFER && m->image->buffer() == b;
    if (is_view) return CL_INVALID_MEM_OBJECT;
    ImageBox box;
    if (const cl_int e = m->image->check_box(origin, region, box); e != CL_SUCCESS) return e;
    const Shape shape = m->image->shape(box);
    if (offset > b->size() || shape.bytes() > b->size() - offset) return CL_INVALID_VALUE;
    if (const cl_int e = check_wait_list(queue->context(), w.num, w.list); e != CL_SUCCESS) return e;
    if (const cl_int e = check_alignment(*queue, *b); e != CL_SUCCESS) return e;
    CommandRequest request;
    request.type = to_buffer ? CL_COMMAND_COPY_IMAGE_TO_BUFFER : CL_COMMAND_COPY_BUFFER_TO_IMAGE;
    request.keep.emplace_back(m);
    request.keep.emplace_back(b);
    Command& c = request.command;
    c.op = to_buffer ? Operation::copy_image_to_buffer : Operation::copy_buffer_to_image;
    c.shape = shape;
    Endpoint packed = b->device_end(queue->device(), offset);
    pack(packed, shape);
    (to_buffer ? c.source : c.target) = image_end(*queue, *m, box);
    (to_buffer ? c.target : c.source) = packed;
    set_direction(c);
    return enqueue(call, *queue, std::move(request), w.num, w.list, w.event, false);
  });
}

}  // namespace
}  // namespace sluice::api

using namespace sluice;
using namespace sluice::api;

CL_API_ENTRY cl_int CL_API_CALL clEnqueueReadImage(cl_command_queue queue, cl_mem image, cl_bool blocking,
                                                   const size_t* origin, const size_t* region, size_t row_pitch,
                                                   size_t slice_pitch, void* ptr, cl_uint num, const cl_event* list,
                                                   cl_event* event) {
  return transfer(queue, image, true, blocking != CL_FALSE, origin, region, row_pitch, slice_pitch, ptr,
                  {num, list, event});
}

CL_API_ENTRY cl_int CL_API_CALL clEnqueueWriteImage(cl_command_queue queue, cl_mem image, cl_bool blocking,
                                                    const size_t* origin, const size_t* region, size_t row_pitch,
                                                    size_t slice_pitch, const void* ptr, cl_uint num,
                                                    const cl_event* list, cl_event* event) {
  return transfer(queue, image, false, blocking != CL_FALSE, origin, region, row_pitch, slice_pitch, ptr,
                  {num, list, event});
}

CL_API_ENTRY cl_int CL_API_CALL clEnqueueCopyImage(cl_command_queue queue_handle, cl_mem source, cl_mem target,
                                                   const size_t* source_origin, const size_t* target_origin,
                                                   const size_t* region, cl_uint num, const cl_event* list,
                                                   cl_event* event) {
  return enter([&](Call& call) -> cl_int {
    Memory* s = find_image(source);
    Memory* t = find_image(target);
    Queue* queue = nullptr;
    if (const cl_int e = check_objects(queue_handle, {s, t}, queue); e != CL_SUCCESS) return e;
    if (!same_format(s->image->layout().format, t->image->layout().format)) return CL_IMAGE_FORMAT_MISMATCH;
    ImageBox from;
    ImageBox to;
    if (const cl_int e = s->image->check_box(source_origin, region, from); e != CL_SUCCESS) return e;
    if (const cl_int e = t->image->check_box(target_origin, region, to); e != CL_SUCCESS) return e;
    if (const cl_int e = check_wait_list(queue->context(), num, list); e != CL_SUCCESS) return e;
    if (s == t && from.meets(to)) return CL_MEM_COPY_OVERLAP;
    CommandRequest request;
    request.type = CL_COMMAND_COPY_IMAGE;
    request.keep.emplace_back(s);
    request.keep.emplace_back(t);
    Command& c = request.command;
    c.op = Operation::copy_image;
    c.shape = s->image->shape(from);
    c.source = image_end(*queue, *s, from);
    c.target = image_end(*queue, *t, to);
    set_direction(c);
    return enqueue(call, *queue, std::move(request), num, list, event, false);
  });
}

CL_API_ENTRY cl_int CL_API_CALL clEnqueueFillImage(cl_command_queue queue_handle, cl_mem image,
                                                   const void* fill_color, const size_t* origin, const size_t* region,
                                                   cl_uint num, const cl_event* list, cl_event* event) {
  return enter([&](Call& call) -> cl_int {
    Memory* m = find_image(image);
    Queue* queue = nullptr;
    if (const cl_int e = check_objects(queue_handle, {m}, queue); e != CL_SUCCESS) return e;
    if (fill_color == nullptr) return CL_INVALID_VALUE;
    ImageBox box;
    if (const cl_int e = m->image->check_box(origin, region, box); e != CL_SUCCESS) return e;
    if (const cl_int e = check_wait_list(queue->context(), num, list); e != CL_SUCCESS) return e;
    CommandRequest request;
    request.type = CL_COMMAND_FILL_IMAGE;
    request.keep.emplace_back(m);
    Command& c = request.command;
    c.op = Operation::fill_image;
    c.shape = m->image->shape(box);
    c.fill = fill_pattern(m->image->layout().format, fill_color);
    c.target = image_end(*queue, *m, box);
    set_direction(c);
    if (c.direction == Direction::device_to_device && m->image->layout().type == CL_MEM_OBJECT_IMAGE3D &&
        call.sim().machine().policy.image_fill_3d_by_host) {
      c.source.placement = Placement::host_pageable;
      c.source.address = host_fill_address;
      pack(c.source, c.shape);
      c.direction = Direction::host_to_device;
    }
    return enqueue(call, *queue, std::move(request), num, list, event, false);
  });
}

CL_API_ENTRY cl_int CL_API_CALL clEnqueueCopyImageToBuffer(cl_command_queue queue, cl_mem image, cl_mem buffer,
                                                           const size_t* origin, const size_t* region, size_t offset,
                                                           cl_uint num, const cl_event* list, cl_event* event) {
  return copy_with_buffer(queue, image, buffer, true, origin, region, offset, {num, list, event});
}

CL_API_ENTRY cl_int CL_API_CALL clEnqueueCopyBufferToImage(cl_command_queue queue, cl_mem buffer, cl_mem image,
                                                           size_t offset, const size_t* origin, const size_t* region,
                                                           cl_uint num, const cl_event* list, cl_event* event) {
  return copy_with_buffer(queue, image, buffer, false, origin, region, offset, {num, list, event});
}

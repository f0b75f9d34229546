// Buffers, images, maps, shared virtual memory, and what moves their data.
#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "tests/fuzz/api_operations.h"

namespace sluice::fuzz {

namespace {

const cl_icd_dispatch& cl() {
  return World::driver();
}

using Triple = std::array<std::size_t, 3>;

Triple triple(Input& in) {
  return {in.extent(), in.extent(), in.extent()};
}

cl_mem_flags memory_flags(Input& in) {
  return in.flags({0, CL_MEM_READ_WRITE, CL_MEM_READ_ONLY, CL_MEM_WRITE_ONLY, CL_MEM_USE_HOST_PTR,
                   CL_MEM_ALLOC_HOST_PTR, CL_MEM_COPY_HOST_PTR, CL_MEM_HOST_READ_ONLY, CL_MEM_HOST_WRITE_ONLY,
                   CL_MEM_HOST_NO_ACCESS});
}

cl_map_flags map_flags(Input& in) {
  return in.flags({CL_MAP_READ, CL_MAP_WRITE, CL_MAP_WRITE_INVALIDATE_REGION});
}

// Mostly a pointer where the flags want one.
std::byte* host_pointer(Input& in, cl_mem_flags flags) {
  const bool wanted = (flags & (CL_MEM_USE_HOST_PTR | CL_MEM_COPY_HOST_PTR)) != 0;
  return wanted != in.one_in(16) ? scratch(in) : nullptr;
}

// For transfers: null at times.
std::byte* program_pointer(Input& in) {
  return in.one_in(32) ? nullptr : scratch(in);
}

}  // namespace

void create_buffer(World& w) {
  const cl_mem_flags flags = memory_flags(w.in);
  const std::size_t size = w.in.bytes();
  std::byte* const host = host_pointer(w.in, flags);
  const cl_context context = w.any(w.contexts);
  cl_int code = CL_SUCCESS;
  cl_mem memory = nullptr;
  if (w.in.one_in(4)) {
    const cl_mem_properties list[] = {w.in.one_in(4) ? cl_mem_properties{0x1234} : 0, 0, 0};
    memory = cl().clCreateBufferWithProperties(context, w.in.one_in(4) ? nullptr : list, flags, size, host, &code);
  } else {
    memory = cl().clCreateBuffer(context, flags, size, host, &code);
  }
  w.created_memory(memory, code);
}

void create_sub_buffer(World& w) {
  const cl_buffer_region region{w.in.bytes(), w.in.bytes()};
  cl_int code = CL_SUCCESS;
  const cl_mem memory =
      cl().clCreateSubBuffer(w.any(w.memories), memory_flags(w.in), w.in.one_in(16) ? 0 : CL_BUFFER_CREATE_TYPE_REGION,
                             w.in.one_in(16) ? nullptr : &region, &code);
  w.created_memory(memory, code);
}

void memory_calls(World& w) {
  const cl_mem memory = w.any(w.memories);
  switch (w.in.below(6)) {
    case 0:
      w.retain(w.memories, cl().clRetainMemObject, memory);
      break;
    case 1:
      w.release(w.memories, cl().clReleaseMemObject, memory);
      break;
    case 2:
      w.query(cl().clGetMemObjectInfo, memory, CL_MEM_TYPE, CL_MEM_PROPERTIES);
      break;
    case 3:
      w.query(cl().clGetImageInfo, memory, CL_IMAGE_FORMAT, CL_IMAGE_NUM_SAMPLES);
      break;
    case 4:
      (void)cl().clSetMemObjectDestructorCallback(memory, nullptr, nullptr);
      break;
    default:
      w.query(cl().clGetPipeInfo, memory, CL_PIPE_PACKET_SIZE, CL_PIPE_PROPERTIES);
  }
}

namespace {

// A call that was accepted stays inside the object. The stores are mapped memory, whose neighbours AddressSanitizer
// does not guard.
void require_inside(cl_int code, cl_mem memory, std::size_t offset, std::size_t bytes) {
  if (code != CL_SUCCESS) return;
  std::size_t size = 0;
  const cl_int known = cl().clGetMemObjectInfo(memory, CL_MEM_SIZE, sizeof size, &size, nullptr);
  require(known == CL_SUCCESS && offset <= size && bytes <= size - offset, "what is accepted stays inside the object");
}

}  // namespace

void read_or_write(World& w) {
  const cl_command_queue queue = w.any(w.queues);
  const cl_mem memory = w.any(w.memories);
  const cl_bool blocking = w.blocking();
  const std::size_t offset = w.in.bytes();
  const std::size_t size = w.in.bytes();
  std::byte* const host = program_pointer(w.in);
  const World::Waits waits = w.waits();
  World::Out event(w);
  const cl_int code =
      w.in.one_in(2)
          ? cl().clEnqueueReadBuffer(queue, memory, blocking, offset, size, host, waits.count, waits.list, event)
          : cl().clEnqueueWriteBuffer(queue, memory, blocking, offset, size, host, waits.count, waits.list, event);
  require_inside(code, memory, offset, size);
}

namespace {

// Bytes from the start of a rectangle's memory to past its last; 2^64 and more do not fit the driver's arithmetic
// either.
__extension__ using Wide = unsigned __int128;

Wide reach(const Triple& origin, const Triple& region, std::size_t row_pitch, std::size_t slice_pitch) {
  const Wide row = row_pitch == 0 ? region[0] : row_pitch;
  const Wide slice = slice_pitch == 0 ? row * region[1] : slice_pitch;
  if (row >> 64 != 0 || slice >> 64 != 0) return Wide{1} << 64;
  const auto capped = [](Wide a, Wide b) { return a != 0 && b > (~Wide{0} >> 2) / a ? ~Wide{0} >> 2 : a * b; };
  const auto sum = [](Wide a, Wide b) { return a + b > ~Wide{0} >> 2 ? ~Wide{0} >> 2 : a + b; };
  const Wide begin = sum(sum(capped(origin[2], slice), capped(origin[1], row)), origin[0]);
  const Wide last = sum(sum(capped(region[2] - 1, slice), capped(region[1] - 1, row)), region[0]);
  return sum(begin, last);
}

}  // namespace

void read_or_write_rect(World& w) {
  const cl_command_queue queue = w.any(w.queues);
  const cl_mem memory = w.any(w.memories);
  const cl_bool blocking = w.blocking();
  const Triple buffer_origin = w.in.one_in(2) ? Triple{} : triple(w.in);
  const Triple host_origin = w.in.one_in(2) ? Triple{} : triple(w.in);
  const Triple region = triple(w.in);
  const std::size_t pitches[] = {w.in.pitch(), w.in.pitch(), w.in.pitch(), w.in.pitch()};
  std::byte* const host = program_pointer(w.in);
  const World::Waits waits = w.waits();
  const bool empty = region[0] == 0 || region[1] == 0 || region[2] == 0;
  const Wide bytes = empty ? 0 : reach(host_origin, region, pitches[2], pitches[3]);
  const bool possible = bytes >> 64 == 0;
  if (possible && bytes > scratch_reach_bytes) return;  // such a program would have no such memory
  World::Out event(w);
  const std::size_t* const h = w.in.one_in(32) ? nullptr : host_origin.data();
  const cl_int code =
      w.in.one_in(2)
          ? cl().clEnqueueReadBufferRect(queue, memory, blocking, buffer_origin.data(), h, region.data(), pitches[0],
                                         pitches[1], pitches[2], pitches[3], host, waits.count, waits.list, event)
          : cl().clEnqueueWriteBufferRect(queue, memory, blocking, buffer_origin.data(), h, region.data(), pitches[0],
                                          pitches[1], pitches[2], pitches[3], host, waits.count, waits.list, event);
  require(code != CL_SUCCESS || (possible && !empty), "a rectangle beyond the address space is refused");
  if (code == CL_SUCCESS) {
    require_inside(code, memory, 0, static_cast<std::size_t>(reach(buffer_origin, region, pitches[0], pitches[1])));
  }
}

void copy(World& w) {
  const cl_command_queue queue = w.any(w.queues);
  const cl_mem source = w.any(w.memories);
  const cl_mem target = w.in.one_in(3) ? source : w.any(w.memories);
  if (w.in.one_in(2)) {
    const std::size_t from = w.in.bytes();
    const std::size_t to = w.in.bytes();
    const std::size_t size = w.in.bytes();
    const World::Waits waits = w.waits();
    World::Out event(w);
    const cl_int code = cl().clEnqueueCopyBuffer(queue, source, target, from, to, size, waits.count, waits.list, event);
    require_inside(code, source, from, size);
    require_inside(code, target, to, size);
    return;
  }
  const Triple from = w.in.one_in(2) ? Triple{} : triple(w.in);
  const Triple to = triple(w.in);
  const Triple region = triple(w.in);
  const std::size_t pitches[] = {w.in.pitch(), w.in.pitch(), w.in.pitch(), w.in.pitch()};
  const World::Waits waits = w.waits();
  World::Out event(w);
  const cl_int code =
      cl().clEnqueueCopyBufferRect(queue, source, target, from.data(), to.data(), region.data(), pitches[0], pitches[1],
                                   pitches[2], pitches[3], waits.count, waits.list, event);
  if (code != CL_SUCCESS) return;
  require_inside(code, source, 0, static_cast<std::size_t>(reach(from, region, pitches[0], pitches[1])));
  require_inside(code, target, 0, static_cast<std::size_t>(reach(to, region, pitches[2], pitches[3])));
}

void fill(World& w) {
  const cl_command_queue queue = w.any(w.queues);
  const cl_mem memory = w.any(w.memories);
  const std::size_t pattern = w.in.one_in(8) ? w.in.bytes() : std::size_t{1} << w.in.below(9);
  const std::size_t offset = w.in.one_in(2) ? w.in.below(64) * 128 : w.in.bytes();
  const std::size_t size = w.in.one_in(2) ? w.in.below(256) * 128 : w.in.bytes();
  const World::Waits waits = w.waits();
  World::Out event(w);
  const cl_int code = cl().clEnqueueFillBuffer(queue, memory, program_pointer(w.in), pattern, offset, size, waits.count,
                                               waits.list, event);
  require_inside(code, memory, offset, size);
}

void migrate(World& w) {
  std::vector<cl_mem> list;
  for (std::size_t n = w.in.below(5); n > 0; --n) list.push_back(w.any(w.memories));
  const cl_mem_migration_flags flags =
      w.in.flags({0, CL_MIGRATE_MEM_OBJECT_HOST, CL_MIGRATE_MEM_OBJECT_CONTENT_UNDEFINED});
  const cl_command_queue queue = w.any(w.queues);
  const World::Waits waits = w.waits();
  World::Out event(w);
  (void)cl().clEnqueueMigrateMemObjects(queue, static_cast<cl_uint>(list.size()), list.data(), flags, waits.count,
                                        waits.list, event);
}

namespace {

void remember(World& w, cl_mem memory, void* pointer, cl_int code) {
  require((pointer != nullptr) == (code == CL_SUCCESS), "a pointer or an error");
  if (pointer != nullptr) w.mapped.push_back({memory, pointer});
}

}  // namespace

void map_buffer(World& w) {
  const cl_command_queue queue = w.any(w.queues);
  const cl_mem memory = w.any(w.memories);
  const cl_bool blocking = w.blocking();
  const cl_map_flags flags = map_flags(w.in);
  const std::size_t offset = w.in.bytes();
  const std::size_t size = w.in.bytes();
  const World::Waits waits = w.waits();
  World::Out event(w);
  cl_int code = CL_SUCCESS;
  void* const p =
      cl().clEnqueueMapBuffer(queue, memory, blocking, flags, offset, size, waits.count, waits.list, event, &code);
  remember(w, memory, p, code);
  require_inside(code, memory, offset, size);
  // The region is the program's now, from its first byte to its last.
  if (p != nullptr && blocking != CL_FALSE && (flags & (CL_MAP_WRITE | CL_MAP_WRITE_INVALIDATE_REGION)) != 0) {
    static_cast<std::byte*>(p)[0] = std::byte{1};
    static_cast<std::byte*>(p)[size - 1] = std::byte{2};
  }
}

void map_image(World& w) {
  const cl_command_queue queue = w.any(w.queues);
  const cl_mem memory = w.any_image();
  const cl_bool blocking = w.blocking();
  const cl_map_flags flags = map_flags(w.in);
  const Triple origin = w.in.one_in(2) ? Triple{} : triple(w.in);
  const Triple region = triple(w.in);
  const World::Waits waits = w.waits();
  World::Out event(w);
  std::size_t row = 0;
  std::size_t slice = 0;
  cl_int code = CL_SUCCESS;
  void* const p = cl().clEnqueueMapImage(queue, memory, blocking, flags, origin.data(), region.data(),
                                         w.in.one_in(16) ? nullptr : &row, w.in.one_in(16) ? nullptr : &slice,
                                         waits.count, waits.list, event, &code);
  remember(w, memory, p, code);
}

void unmap(World& w) {
  const cl_command_queue queue = w.any(w.queues);
  cl_mem memory = w.any(w.memories);
  void* pointer = scratch(w.in);
  std::size_t which = w.mapped.size();
  if (!w.mapped.empty() && !w.in.one_in(8)) {
    which = w.in.below(w.mapped.size());
    pointer = w.mapped[which].pointer;
    if (!w.in.one_in(8)) memory = w.mapped[which].memory;
  }
  const World::Waits waits = w.waits();
  World::Out event(w);
  const cl_int code = cl().clEnqueueUnmapMemObject(queue, memory, pointer, waits.count, waits.list, event);
  if (code == CL_SUCCESS && which < w.mapped.size() && !w.in.one_in(4)) {
    w.mapped.erase(w.mapped.begin() + static_cast<std::ptrdiff_t>(which));  // else it is unmapped twice some time
  }
}

void allocate_shared(World& w) {
  const cl_svm_mem_flags flags = w.in.flags(
      {CL_MEM_READ_WRITE, CL_MEM_READ_WRITE | CL_MEM_SVM_FINE_GRAIN_BUFFER, CL_MEM_WRITE_ONLY, CL_MEM_SVM_ATOMICS});
  const std::size_t size = w.in.bytes();
  void* const p = cl().clSVMAlloc(w.any(w.contexts), flags, size, w.in.pick<cl_uint>({0, 1, 64, 128, 3, 4096, ~0U}));
  if (p != nullptr) w.shared.push_back({static_cast<std::byte*>(p), size});
}

namespace {

constexpr std::size_t own = SIZE_MAX;

// A pointer to some of the SVM or of the program's own memory. `room`: the bytes from there to the end of the SVM,
// which the driver knows and a call may try to pass; or `own`.
std::byte* shared_or_own(World& w, std::size_t& room) {
  room = own;
  if (w.shared.empty() || w.in.one_in(3)) return scratch(w.in);
  const World::Shared& s = w.shared[w.in.below(w.shared.size())];
  const std::size_t at = w.in.one_in(2) ? 0 : w.in.word() % s.size;
  room = s.size - at;
  return s.pointer + at;
}

void require_room(cl_int code, std::size_t bytes, std::size_t room) {
  require(code != CL_SUCCESS || bytes <= room, "what is accepted stays inside the allocation");
}

}  // namespace

void copy_or_fill_shared(World& w) {
  std::size_t target_room = own;
  std::size_t source_room = own;
  const cl_command_queue queue = w.any(w.queues);
  std::byte* const target = shared_or_own(w, target_room);
  std::byte* const source = shared_or_own(w, source_room);
  std::size_t size = w.in.bytes();
  const World::Waits waits = w.waits();
  if (w.in.one_in(2)) {
    if (target_room == own && source_room == own) size = std::min(size, small_bytes);
    const cl_bool blocking = w.blocking();
    World::Out event(w);
    const cl_int code = cl().clEnqueueSVMMemcpy(queue, blocking, w.in.one_in(32) ? nullptr : target, source, size,
                                                waits.count, waits.list, event);
    require_room(code, size, target_room);
    require_room(code, size, source_room);
    return;
  }
  if (target_room == own) size = std::min(size, small_bytes);
  if (w.in.one_in(2)) size = size / 256 * 256;
  const std::size_t pattern = w.in.one_in(8) ? w.in.bytes() : std::size_t{1} << w.in.below(9);
  World::Out event(w);
  const cl_int code =
      cl().clEnqueueSVMMemFill(queue, target, scratch(w.in), pattern, size, waits.count, waits.list, event);
  require_room(code, size, target_room);
}

void map_shared(World& w) {
  std::size_t room = own;
  const cl_command_queue queue = w.any(w.queues);
  std::byte* const pointer = shared_or_own(w, room);
  const World::Waits waits = w.waits();
  if (w.in.one_in(2)) {
    World::Out event(w);
    (void)cl().clEnqueueSVMUnmap(queue, pointer, waits.count, waits.list, event);
    return;
  }
  const cl_bool blocking = w.blocking();
  const cl_map_flags flags = map_flags(w.in);
  const std::size_t size = w.in.bytes();
  World::Out event(w);
  const cl_int code = cl().clEnqueueSVMMap(queue, blocking, flags, pointer, size, waits.count, waits.list, event);
  require_room(code, size, room);
}

void migrate_shared(World& w) {
  std::vector<const void*> pointers;
  std::vector<std::size_t> sizes;
  for (std::size_t n = w.in.below(4); n > 0; --n) {
    std::size_t room = own;
    pointers.push_back(shared_or_own(w, room));
    sizes.push_back(w.in.bytes());
  }
  const cl_command_queue queue = w.any(w.queues);
  const World::Waits waits = w.waits();
  World::Out event(w);
  (void)cl().clEnqueueSVMMigrateMem(queue, static_cast<cl_uint>(pointers.size()), pointers.data(),
                                    w.in.one_in(3) ? nullptr : sizes.data(),
                                    w.in.flags({0, CL_MIGRATE_MEM_OBJECT_HOST}), waits.count, waits.list, event);
}

namespace {

void CL_CALLBACK free_shared_now(cl_command_queue, cl_uint count, void* pointers[], void* data) {
  auto& w = *static_cast<World*>(data);
  const std::lock_guard lock(w.shared_mutex);
  for (cl_uint i = 0; i < count; ++i) {
    if (w.to_be_freed.erase(pointers[i]) != 0) cl().clSVMFree(World::service_context(), pointers[i]);
  }
}

}  // namespace

void free_shared(World& w) {
  w.quiesce();  // freeing what a command uses is undefined
  if (w.shared.empty() || w.in.one_in(8)) {
    cl().clSVMFree(w.any(w.contexts), scratch(w.in));
    return;
  }
  const std::size_t which = w.in.below(w.shared.size());
  void* const pointer = w.shared[which].pointer;
  if (w.in.one_in(2)) {
    const cl_context context = w.any(w.contexts);
    cl().clSVMFree(context, pointer);
    if (w.contexts.references(context) != 0) w.shared.erase(w.shared.begin() + static_cast<std::ptrdiff_t>(which));
    return;
  }
  const bool notify = w.in.one_in(2);
  void* list[] = {pointer, nullptr, scratch(w.in)};
  const cl_uint count = w.in.one_in(8) ? 0 : static_cast<cl_uint>(1 + w.in.below(3));
  if (notify) {
    const std::lock_guard lock(w.shared_mutex);
    w.to_be_freed.insert(pointer);
  }
  const cl_command_queue queue = w.any(w.queues);
  const World::Waits waits = w.waits();
  World::Out event(w);
  const cl_int code = cl().clEnqueueSVMFree(queue, count, w.in.one_in(16) ? nullptr : list,
                                            notify ? free_shared_now : nullptr, &w, waits.count, waits.list, event);
  if (code == CL_SUCCESS && count != 0) {
    w.shared.erase(w.shared.begin() + static_cast<std::ptrdiff_t>(which));
    if (!notify) w.perhaps_freed.push_back(pointer);
  } else if (notify) {
    const std::lock_guard lock(w.shared_mutex);
    w.to_be_freed.erase(pointer);
  }
}

namespace {

cl_image_format image_format(Input& in) {
  return {in.one_in(16) ? in.word() : in.pick<cl_channel_order>({CL_RGBA, CL_R, CL_RG, CL_BGRA, CL_A, CL_DEPTH}),
          in.one_in(16) ? in.word()
                        : in.pick<cl_channel_type>({CL_UNORM_INT8, CL_FLOAT, CL_HALF_FLOAT, CL_SNORM_INT16,
                                                    CL_UNSIGNED_INT32, CL_SIGNED_INT8, CL_UNORM_SHORT_565})};
}

}  // namespace

void create_image(World& w) {
  const cl_context context = w.any(w.contexts);
  const cl_mem_flags flags = memory_flags(w.in);
  const cl_image_format format = image_format(w.in);
  const cl_image_format* const f = w.in.one_in(32) ? nullptr : &format;
  std::byte* const host = host_pointer(w.in, flags);
  const bool with_pitch = host != nullptr && w.in.one_in(2);
  cl_image_desc d{};
  d.image_type = w.in.one_in(16) ? w.in.word() : CL_MEM_OBJECT_BUFFER + static_cast<cl_uint>(w.in.below(8));
  d.image_width = w.in.extent();
  d.image_height = w.in.extent();
  d.image_depth = w.in.extent();
  d.image_array_size = w.in.extent();
  d.image_row_pitch = with_pitch ? w.in.pitch() : 0;
  // At most 4096 * 63 bytes a slice, 32 of them: what the program's memory has.
  d.image_slice_pitch = with_pitch ? (w.in.one_in(2) ? d.image_row_pitch * w.in.below(64) : w.in.pitch()) : 0;
  if (w.in.one_in(32)) d.num_mip_levels = 1;
  if (d.image_type == CL_MEM_OBJECT_IMAGE1D_BUFFER || w.in.one_in(16)) d.mem_object = w.any(w.memories);
  cl_int code = CL_SUCCESS;
  cl_mem image = nullptr;
  switch (w.in.below(4)) {
    case 0:
      image = cl().clCreateImage2D(context, flags, f, d.image_width, d.image_height, d.image_row_pitch, host, &code);
      break;
    case 1:
      image = cl().clCreateImage3D(context, flags, f, d.image_width, d.image_height, d.image_depth, d.image_row_pitch,
                                   d.image_slice_pitch, host, &code);
      break;
    case 2:
      image = cl().clCreateImageWithProperties(context, nullptr, flags, f, &d, host, &code);
      break;
    default:
      image = cl().clCreateImage(context, flags, f, w.in.one_in(32) ? nullptr : &d, host, &code);
  }
  w.created_image(image, code);
}

void read_or_write_image(World& w) {
  const cl_command_queue queue = w.any(w.queues);
  const cl_mem image = w.any_image();
  const cl_bool blocking = w.blocking();
  const Triple origin = w.in.one_in(2) ? Triple{} : triple(w.in);
  const Triple region = triple(w.in);
  const std::size_t row = w.in.pitch();
  const std::size_t slice = w.in.one_in(2) ? row * w.in.below(64) : w.in.pitch();
  // No image of this program has more than 4096 elements a side, nor elements of more than 16 bytes; the distance from
  // row to row is at most the larger pitch.
  const bool possible = std::all_of(region.begin(), region.end(), [](std::size_t n) { return n >= 1 && n <= 4096; });
  const Wide pitch = std::max<Wide>({row, slice, Wide{region[0]} * 16 * region[1]});
  if (possible && pitch * (region[1] + region[2]) > scratch_reach_bytes) return;
  std::byte* const host = program_pointer(w.in);
  const World::Waits waits = w.waits();
  World::Out event(w);
  const cl_int code = w.in.one_in(2) ? cl().clEnqueueReadImage(queue, image, blocking, origin.data(), region.data(),
                                                               row, slice, host, waits.count, waits.list, event)
                                     : cl().clEnqueueWriteImage(queue, image, blocking, origin.data(), region.data(),
                                                                row, slice, host, waits.count, waits.list, event);
  require(code != CL_SUCCESS || possible, "a box that no image has is refused");
}

void copy_image(World& w) {
  const cl_command_queue queue = w.any(w.queues);
  const cl_mem image = w.any_image();
  const cl_mem other = w.in.one_in(3) ? image : w.any_image();
  const cl_mem buffer = w.any(w.memories);
  const Triple from = w.in.one_in(2) ? Triple{} : triple(w.in);
  const Triple to = w.in.one_in(2) ? Triple{} : triple(w.in);
  const Triple region = triple(w.in);
  const std::size_t offset = w.in.bytes();
  const World::Waits waits = w.waits();
  World::Out event(w);
  const std::size_t* const o = w.in.one_in(32) ? nullptr : from.data();
  switch (w.in.below(4)) {
    case 0:
      (void)cl().clEnqueueCopyImage(queue, image, other, o, to.data(), region.data(), waits.count, waits.list, event);
      break;
    case 1:
      (void)cl().clEnqueueCopyImageToBuffer(queue, image, buffer, o, region.data(), offset, waits.count, waits.list,
                                            event);
      break;
    case 2:
      (void)cl().clEnqueueCopyBufferToImage(queue, buffer, image, offset, o, region.data(), waits.count, waits.list,
                                            event);
      break;
    default: {
      alignas(16) std::byte color[16];
      for (std::byte& c : color) c = std::byte{w.in.byte()};
      (void)cl().clEnqueueFillImage(queue, image, w.in.one_in(16) ? nullptr : color, o, region.data(), waits.count,
                                    waits.list, event);
    }
  }
}

void list_formats(World& w) {
  std::vector<cl_image_format> formats(w.in.below(65));
  cl_uint count = 0;
  const cl_mem_object_type type = CL_MEM_OBJECT_BUFFER + static_cast<cl_uint>(w.in.below(10));
  (void)cl().clGetSupportedImageFormats(w.any(w.contexts), memory_flags(w.in), type,
                                        static_cast<cl_uint>(formats.size()), w.in.one_in(4) ? nullptr : formats.data(),
                                        w.in.one_in(4) ? nullptr : &count);
}

}  // namespace sluice::fuzz

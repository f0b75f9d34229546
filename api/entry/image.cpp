// Image objects (OpenCL 3.0, section 5.3): creation and queries. Images lie linearly in their store; a device may tile
// them, which shows in times alone.
#include <algorithm>
#include <cstring>

#include "api/command/runtime.h"
#include "api/command/validate.h"
#include "api/entry/info_writer.h"
#include "api/objects/image.h"
#include "api/objects/memory.h"
#include "api/objects/registry.h"
#include "api/strict/strict.h"

namespace sluice::api {
namespace {

bool has_images(const Context& context) {
  return std::any_of(context.devices().begin(), context.devices().end(),
                     [](const Device* device) { return device->info().images; });
}

// The descriptor's buffer, or the 2D image of which a 2D image is another view.
cl_int find_buffer(const Context& context, const cl_image_format& format, const cl_image_desc& desc, Memory*& buffer) {
  buffer = find<Memory>(desc.mem_object);
  const bool needed = desc.image_type == CL_MEM_OBJECT_IMAGE1D_BUFFER;
  if (desc.mem_object == nullptr) return needed ? CL_INVALID_IMAGE_DESCRIPTOR : CL_SUCCESS;
  const bool possible = needed || desc.image_type == CL_MEM_OBJECT_IMAGE2D;
  if (!possible || buffer == nullptr || &buffer->context() != &context || buffer->pipe)
    return CL_INVALID_IMAGE_DESCRIPTOR;
  if (buffer->image == nullptr) return CL_SUCCESS;
  const Image::Layout& theirs = buffer->image->layout();
  const bool same = !needed && theirs.type == CL_MEM_OBJECT_IMAGE2D && theirs.dimensions[0] == desc.image_width &&
                    theirs.dimensions[1] == desc.image_height;
  if (!same) return CL_INVALID_IMAGE_DESCRIPTOR;
  return views_as(theirs.format, format) ? CL_SUCCESS : CL_INVALID_IMAGE_FORMAT_DESCRIPTOR;
}

Memory* create_store(Call& call, Context& context, const Image::Layout& layout, cl_mem_flags flags, void* host_ptr) {
  const bool uses = (flags & CL_MEM_USE_HOST_PTR) != 0;
  const std::size_t bytes = layout.device_bytes();
  if (bytes > context.devices().front()->info().max_allocation_bytes) return nullptr;
  auto range = DeviceRange::reserve(call.sim(), context, bytes);
  if (!range) return nullptr;
  std::byte* store = uses ? static_cast<std::byte*>(host_ptr) : reserve_store(bytes);
  if (store == nullptr) return nullptr;
  if ((flags & CL_MEM_COPY_HOST_PTR) != 0) std::memcpy(store, host_ptr, layout.bytes);
  try {
    return new Memory(context, flags, layout.bytes, uses ? host_ptr : nullptr, store, !uses, std::move(*range),
                      policy_of(call.runtime().machine().policy, flags), bytes);
  } catch (...) {
    if (!uses) release_store(store);
    throw;
  }
}

cl_mem create_image(Call& call, cl_context context_handle, const cl_mem_properties* properties, cl_mem_flags flags,
                    const cl_image_format* format, const cl_image_desc* desc, void* host_ptr, cl_int& code) {
  Context* context = find<Context>(context_handle);
  if (context == nullptr) return code = CL_INVALID_CONTEXT, nullptr;
  if (!has_images(*context)) return code = CL_INVALID_OPERATION, nullptr;
  if (properties != nullptr && properties[0] != 0) return code = CL_INVALID_PROPERTY, nullptr;
  if ((code = check_memory_flags(flags)) != CL_SUCCESS) return nullptr;
  if ((code = check_format(format)) != CL_SUCCESS) return nullptr;
  if (desc == nullptr) return code = CL_INVALID_IMAGE_DESCRIPTOR, nullptr;
  Memory* buffer = nullptr;
  if ((code = find_buffer(*context, *format, *desc, buffer)) != CL_SUCCESS) return nullptr;
  if (buffer != nullptr && (code = inherit_memory_flags(buffer->flags(), flags)) != CL_SUCCESS) return nullptr;
  cl_image_desc placed = *desc;
  if (buffer != nullptr && buffer->image != nullptr && placed.image_row_pitch == 0) {
    placed.image_row_pitch = buffer->image->layout().row_pitch;
  }
  Image::Layout layout;
  code = describe(*format, placed, host_ptr != nullptr, buffer == nullptr ? 0 : buffer->size(), layout);
  if (code != CL_SUCCESS) return nullptr;
  // An inherited CL_MEM_USE_HOST_PTR speaks of the buffer's pointer.
  if ((code = check_host_ptr(buffer == nullptr ? flags : 0, host_ptr)) != CL_SUCCESS) return nullptr;
  if (!is_supported(*format, flags)) return code = CL_IMAGE_FORMAT_NOT_SUPPORTED, nullptr;

  const DriverPolicy& policy = call.runtime().machine().policy;
  if (buffer == nullptr) {
    const bool on_device = placement_of(policy_of(policy, flags)) == Placement::device;
    if (on_device && (flags & CL_MEM_USE_HOST_PTR) == 0) layout.tiling = tiling_of(layout, policy.image_tile);
  } else if (buffer->image != nullptr && !buffer->image->layout().tiling.is_linear()) {
    layout.tiling = tiling_of(layout, policy.image_tile);
  }
  call.runtime().charge(HostAction::create_buffer);
  auto image = std::make_unique<const Image>(layout, buffer);
  Memory* memory = buffer != nullptr ? new Memory(buffer->root(), flags, buffer->offset(), layout.bytes)
                                     : create_store(call, *context, layout, flags, host_ptr);
  if (memory == nullptr) return code = CL_MEM_OBJECT_ALLOCATION_FAILURE, nullptr;
  memory->image = std::move(image);
  if (strict::instance != nullptr && buffer == nullptr) strict::instance->object_is_image(memory->store());
  if (properties != nullptr) memory->properties = {0};
  return memory->handle();
}

bool is_image_type(cl_mem_object_type type) {
  switch (type) {
    case CL_MEM_OBJECT_IMAGE1D:
    case CL_MEM_OBJECT_IMAGE1D_BUFFER:
    case CL_MEM_OBJECT_IMAGE1D_ARRAY:
    case CL_MEM_OBJECT_IMAGE2D:
    case CL_MEM_OBJECT_IMAGE2D_ARRAY:
    case CL_MEM_OBJECT_IMAGE3D: return true;
    default: return false;
  }
}

}  // namespace
}  // namespace sluice::api

using namespace sluice;
using namespace sluice::api;

CL_API_ENTRY cl_mem CL_API_CALL clCreateImage(cl_context context, cl_mem_flags flags,
                                              const cl_image_format* image_format, const cl_image_desc* image_desc,
                                              void* host_ptr, cl_int* errcode_ret) {
  return create<cl_mem>(errcode_ret, [&](Call& call, cl_int& code) -> cl_mem {
    return create_image(call, context, nullptr, flags, image_format, image_desc, host_ptr, code);
  });
}

CL_API_ENTRY cl_mem CL_API_CALL clCreateImageWithProperties(cl_context context, const cl_mem_properties* properties,
                                                            cl_mem_flags flags, const cl_image_format* image_format,
                                                            const cl_image_desc* image_desc, void* host_ptr,
                                                            cl_int* errcode_ret) {
  return create<cl_mem>(errcode_ret, [&](Call& call, cl_int& code) -> cl_mem {
    return create_image(call, context, properties, flags, image_format, image_desc, host_ptr, code);
  });
}

// The functions of OpenCL 1.0 and 1.1 call an invalid pitch an invalid size.
CL_API_ENTRY cl_mem CL_API_CALL clCreateImage2D(cl_context context, cl_mem_flags flags,
                                                const cl_image_format* image_format, size_t image_width,
                                                size_t image_height, size_t image_row_pitch, void* host_ptr,
                                                cl_int* errcode_ret) {
  return create<cl_mem>(errcode_ret, [&](Call& call, cl_int& code) -> cl_mem {
    cl_image_desc desc{};
    desc.image_type = CL_MEM_OBJECT_IMAGE2D;
    desc.image_width = image_width;
    desc.image_height = image_height;
    desc.image_row_pitch = image_row_pitch;
    const cl_mem image = create_image(call, context, nullptr, flags, image_format, &desc, host_ptr, code);
    if (code == CL_INVALID_IMAGE_DESCRIPTOR) code = CL_INVALID_IMAGE_SIZE;
    return image;
  });
}

CL_API_ENTRY cl_mem CL_API_CALL clCreateImage3D(cl_context context, cl_mem_flags flags,
                                                const cl_image_format* image_format, size_t image_width,
                                                size_t image_height, size_t image_depth, size_t image_row_pitch,
                                                size_t image_slice_pitch, void* host_ptr, cl_int* errcode_ret) {
  return create<cl_mem>(errcode_ret, [&](Call& call, cl_int& code) -> cl_mem {
    cl_image_desc desc{};
    desc.image_type = CL_MEM_OBJECT_IMAGE3D;
    desc.image_width = image_width;
    desc.image_height = image_height;
    desc.image_depth = image_depth;
    desc.image_row_pitch = image_row_pitch;
    desc.image_slice_pitch = image_slice_pitch;
    const cl_mem image = create_image(call, context, nullptr, flags, image_format, &desc, host_ptr, code);
    if (code == CL_INVALID_IMAGE_DESCRIPTOR) code = CL_INVALID_IMAGE_SIZE;
    return image;
  });
}

CL_API_ENTRY cl_int CL_API_CALL clGetSupportedImageFormats(cl_context context, cl_mem_flags flags,
                                                           cl_mem_object_type image_type, cl_uint num_entries,
                                                           cl_image_format* image_formats,
                                                           cl_uint* num_image_formats) {
  return enter([&](Call&) -> cl_int {
    const Context* c = find<Context>(context);
    if (c == nullptr) return CL_INVALID_CONTEXT;
    // CL_MEM_KERNEL_READ_AND_WRITE asks for one image that a kernel reads and writes; what can be written can.
    const cl_mem_flags other = flags & ~cl_mem_flags{CL_MEM_KERNEL_READ_AND_WRITE};
    if (check_memory_flags(other) != CL_SUCCESS) return CL_INVALID_VALUE;
    if (!is_image_type(image_type)) return CL_INVALID_VALUE;
    if (num_entries == 0 && image_formats != nullptr) return CL_INVALID_VALUE;
    const auto formats = has_images(*c) ? supported_formats(other == flags ? flags : CL_MEM_READ_WRITE)
                                         : std::span<const cl_image_format>();
    if (image_formats != nullptr) {
      std::copy_n(formats.begin(), std::min<std::size_t>(num_entries, formats.size()), image_formats);
    }
    if (num_image_formats != nullptr) *num_image_formats = static_cast<cl_uint>(formats.size());
    return CL_SUCCESS;
  });
}

CL_API_ENTRY cl_int CL_API_CALL clGetImageInfo(cl_mem image, cl_image_info param_name, size_t param_value_size,
                                               void* param_value, size_t* param_value_size_ret) {
  return enter([&](Call&) -> cl_int {
    const Memory* memory = find<Memory>(image);
    if (memory == nullptr || memory->image == nullptr) return CL_INVALID_MEM_OBJECT;
    const Image& i = *memory->image;
    const Image::Layout& l = i.layout();
    const bool deep = l.type == CL_MEM_OBJECT_IMAGE3D;
    const bool tall = deep || l.type == CL_MEM_OBJECT_IMAGE2D || l.type == CL_MEM_OBJECT_IMAGE2D_ARRAY;
    const InfoWriter out(param_value_size, param_value, param_value_size_ret);
    switch (param_name) {
      case CL_IMAGE_FORMAT: return out.value<cl_image_format>(l.format);
      case CL_IMAGE_ELEMENT_SIZE: return out.value<size_t>(l.element_bytes);
      case CL_IMAGE_ROW_PITCH: return out.value<size_t>(l.row_pitch);
      case CL_IMAGE_SLICE_PITCH: return out.value<size_t>(l.slice_pitch);
      case CL_IMAGE_WIDTH: return out.value<size_t>(l.dimensions[0]);
      case CL_IMAGE_HEIGHT: return out.value<size_t>(tall ? l.dimensions[1] : 0);
      case CL_IMAGE_DEPTH: return out.value<size_t>(deep ? l.dimensions[2] : 0);
      case CL_IMAGE_ARRAY_SIZE: return out.value<size_t>(i.is_array() ? l.dimensions[tall ? 2 : 1] : 0);
      case CL_IMAGE_BUFFER: return out.value<cl_mem>(i.buffer() == nullptr ? nullptr : i.buffer()->handle());
      case CL_IMAGE_NUM_MIP_LEVELS:
      case CL_IMAGE_NUM_SAMPLES: return out.value<cl_uint>(0);
      default: return CL_INVALID_VALUE;
    }
  });
}

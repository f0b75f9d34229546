#include "api/objects/image.h"

#include "api/objects/memory.h"

namespace sluice::api {

namespace {

bool multiply(std::size_t a, std::size_t b, std::size_t& out) noexcept {
  return !__builtin_mul_overflow(a, b, &out);
}

}  // namespace

bool ImageBox::meets(const ImageBox& other) const noexcept {
  for (std::size_t i = 0; i < 3; ++i) {
    if (origin[i] >= other.origin[i] + other.region[i] || other.origin[i] >= origin[i] + region[i]) return false;
  }
  return true;
}

Image::Image(const Layout& layout, Memory* buffer) : layout_(layout), buffer_(buffer) {}

Image::~Image() = default;

cl_int Image::check_box(const std::size_t* origin, const std::size_t* region, ImageBox& box) const noexcept {
  if (origin == nullptr || region == nullptr) return CL_INVALID_VALUE;
  for (std::size_t i = 0; i < 3; ++i) {
    if (region[i] == 0 || origin[i] > layout_.dimensions[i] || region[i] > layout_.dimensions[i] - origin[i]) {
      return CL_INVALID_VALUE;
    }
    box.origin[i] = origin[i];
    box.region[i] = region[i];
  }
  return CL_SUCCESS;
}

std::size_t Image::offset(const ImageBox& box) const noexcept {
  return box.origin[2] * layout_.slice_pitch + box.origin[1] * row_stride() + box.origin[0] * layout_.element_bytes;
}

std::size_t Image::span(const ImageBox& box) const noexcept {
  return (box.region[2] - 1) * layout_.slice_pitch + (box.region[1] - 1) * row_stride() +
         box.region[0] * layout_.element_bytes;
}

void Image::shape_end(Endpoint& end, std::size_t at) const {
  end.row_pitch_bytes = row_stride();
  end.slice_pitch_bytes = layout_.slice_pitch;
  if (!layout_.tiling.is_linear()) end.tiling = layout_.tiling;
  end.image_offset = at;
}

ImageTiling tiling_of(const Image::Layout& layout, const ImageTile& tile) noexcept {
  const bool rows = layout.type == CL_MEM_OBJECT_IMAGE2D || layout.type == CL_MEM_OBJECT_IMAGE2D_ARRAY ||
                    layout.type == CL_MEM_OBJECT_IMAGE3D;
  if (!rows || tile.is_linear()) return {};
  const Extent& d = layout.dimensions;
  return ImageTiling::of(tile, d[0] * layout.element_bytes, d[1], d[2], layout.row_pitch, layout.slice_pitch);
}

cl_int describe(const cl_image_format& format, const cl_image_desc& desc, bool has_host_ptr, std::size_t buffer_bytes,
                Image::Layout& layout) noexcept {
  const bool has_pitches = has_host_ptr || (buffer_bytes != 0 && desc.image_type == CL_MEM_OBJECT_IMAGE2D);
  using L = ImageLimits;
  const auto within = [](std::size_t n, std::size_t limit) { return n >= 1 && n <= limit; };
  bool sized = false;
  Extent& d = layout.dimensions;
  const bool three = desc.image_type == CL_MEM_OBJECT_IMAGE3D;
  switch (desc.image_type) {
    case CL_MEM_OBJECT_IMAGE1D:
      d = {desc.image_width, 1, 1};
      sized = within(d[0], L::width_2d);
      break;
    case CL_MEM_OBJECT_IMAGE1D_BUFFER:
      d = {desc.image_width, 1, 1};
      sized = within(d[0], L::buffer_width);
      break;
    case CL_MEM_OBJECT_IMAGE1D_ARRAY:
      d = {desc.image_width, desc.image_array_size, 1};
      sized = within(d[0], L::width_2d) && within(d[1], L::array_size);
      break;
    case CL_MEM_OBJECT_IMAGE2D:
    case CL_MEM_OBJECT_IMAGE2D_ARRAY:
      d = {desc.image_width, desc.image_height, desc.image_type == CL_MEM_OBJECT_IMAGE2D ? 1 : desc.image_array_size};
      sized = within(d[0], L::width_2d) && within(d[1], L::height_2d) && within(d[2], L::array_size);
      break;
    case CL_MEM_OBJECT_IMAGE3D:
      d = {desc.image_width, desc.image_height, desc.image_depth};
      sized = within(d[0], L::extent_3d) && within(d[1], L::extent_3d) && within(d[2], L::extent_3d);
      break;
    default:
      return CL_INVALID_IMAGE_DESCRIPTOR;
  }
  if (desc.num_mip_levels != 0 || desc.num_samples != 0) return CL_INVALID_IMAGE_DESCRIPTOR;
  if (!has_pitches && (desc.image_row_pitch != 0 || desc.image_slice_pitch != 0)) return CL_INVALID_IMAGE_DESCRIPTOR;
  if (!sized) return CL_INVALID_IMAGE_SIZE;

  layout.type = desc.image_type;
  layout.format = format;
  layout.element_bytes = element_bytes(format);
  const std::size_t row = d[0] * layout.element_bytes;
  layout.row_pitch = desc.image_row_pitch == 0 ? row : desc.image_row_pitch;
  if (layout.row_pitch < row) return CL_INVALID_IMAGE_DESCRIPTOR;
  if (layout.row_pitch % layout.element_bytes != 0) {
    // In a buffer the pitch must suit CL_DEVICE_IMAGE_PITCH_ALIGNMENT, which counts elements and has a code of its own.
    return has_host_ptr ? CL_INVALID_IMAGE_DESCRIPTOR : CL_INVALID_IMAGE_FORMAT_DESCRIPTOR;
  }
  const bool lines = desc.image_type == CL_MEM_OBJECT_IMAGE1D_ARRAY;
  const std::size_t rows = lines ? 1 : d[1];
  const std::size_t slices = lines ? d[1] : d[2];
  std::size_t slice = 0;
  if (!multiply(layout.row_pitch, rows, slice)) return CL_INVALID_IMAGE_DESCRIPTOR;
  if (lines || three || desc.image_type == CL_MEM_OBJECT_IMAGE2D_ARRAY) {
    layout.slice_pitch = desc.image_slice_pitch == 0 ? slice : desc.image_slice_pitch;
    if (layout.slice_pitch < slice || layout.slice_pitch % layout.row_pitch != 0) return CL_INVALID_IMAGE_DESCRIPTOR;
    slice = layout.slice_pitch;
  }
  if (!multiply(slice, slices, layout.bytes)) return CL_INVALID_IMAGE_DESCRIPTOR;
  if (buffer_bytes != 0 && layout.bytes > buffer_bytes) return CL_INVALID_IMAGE_SIZE;
  return CL_SUCCESS;
}

}  // namespace sluice::api

#include "api/objects/image.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "api/objects/memory.h"

namespace sluice::api {

namespace {

struct ChannelType {
  cl_channel_type type;
  std::size_t bytes;
};

constexpr std::array<ChannelType, 12> channel_types = {{
    {CL_UNORM_INT8, 1},
    {CL_UNORM_INT16, 2},
    {CL_SNORM_INT8, 1},
    {CL_SNORM_INT16, 2},
    {CL_SIGNED_INT8, 1},
    {CL_SIGNED_INT16, 2},
    {CL_SIGNED_INT32, 4},
    {CL_UNSIGNED_INT8, 1},
    {CL_UNSIGNED_INT16, 2},
    {CL_UNSIGNED_INT32, 4},
    {CL_HALF_FLOAT, 2},
    {CL_FLOAT, 4},
}};

// Every channel type for one, two and four channels, and the one that windows systems use.
constexpr auto formats = [] {
  std::array<cl_image_format, 3 * channel_types.size() + 1> list{};
  std::size_t n = 0;
  for (cl_channel_order order : {CL_RGBA, CL_RG, CL_R}) {
    for (const ChannelType& t : channel_types) list[n++] = {order, t.type};
  }
  list[n] = {CL_BGRA, CL_UNORM_INT8};
  return list;
}();

std::size_t channel_bytes(cl_channel_type type) noexcept {
  for (const ChannelType& t : channel_types) {
    if (t.type == type) return t.bytes;
  }
  return 0;
}

std::size_t channels(cl_channel_order order) noexcept {
  return order == CL_R ? 1 : order == CL_RG ? 2 : 4;
}

bool multiply(std::size_t a, std::size_t b, std::size_t& out) noexcept {
  return !__builtin_mul_overflow(a, b, &out);
}

// IEEE 754 binary16, rounded to nearest even.
std::uint16_t to_half(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000U);
  const float magnitude = std::fabs(value);
  if (std::isnan(value)) return static_cast<std::uint16_t>(sign | 0x7e00U);
  if (magnitude >= 65520.0F) return static_cast<std::uint16_t>(sign | 0x7c00U);
  // A subnormal half counts units of 2^-24; so does a normal one after its exponent was taken out.
  const int exponent = std::max(magnitude == 0.0F ? -14 : std::ilogb(magnitude), -14);
  const auto units = static_cast<std::uint32_t>(std::nearbyint(std::ldexp(magnitude, 10 - exponent)));
  // `units` has its leading one at bit 10 if normal; adding it carries into the exponent where rounding overflows.
  return static_cast<std::uint16_t>(sign | (static_cast<std::uint32_t>(exponent + 14) * 1024U + units));
}

template <class T>
void put(std::byte* to, T value) noexcept {
  std::memcpy(to, &value, sizeof value);
}

template <class T>
void put_normalized(std::byte* to, float value) noexcept {
  const float low = std::numeric_limits<T>::is_signed ? -1.0F : 0.0F;
  const float clamped = std::isnan(value) ? 0.0F : std::clamp(value, low, 1.0F);
  put(to, static_cast<T>(std::nearbyint(clamped * static_cast<float>(std::numeric_limits<T>::max()))));
}

template <class T, class From>
void put_saturated(std::byte* to, From value) noexcept {
  put(to,
      static_cast<T>(std::clamp<std::int64_t>(value, std::numeric_limits<T>::min(), std::numeric_limits<T>::max())));
}

void put_channel(std::byte* to, cl_channel_type type, const void* color, std::size_t component) noexcept {
  cl_float f = 0;
  cl_int i = 0;
  cl_uint u = 0;
  const std::byte* from = static_cast<const std::byte*>(color) + component * sizeof(cl_uint);
  std::memcpy(&f, from, sizeof f);
  std::memcpy(&i, from, sizeof i);
  std::memcpy(&u, from, sizeof u);
  switch (type) {
    case CL_UNORM_INT8:
      return put_normalized<std::uint8_t>(to, f);
    case CL_UNORM_INT16:
      return put_normalized<std::uint16_t>(to, f);
    case CL_SNORM_INT8:
      return put_normalized<std::int8_t>(to, f);
    case CL_SNORM_INT16:
      return put_normalized<std::int16_t>(to, f);
    case CL_SIGNED_INT8:
      return put_saturated<std::int8_t>(to, i);
    case CL_SIGNED_INT16:
      return put_saturated<std::int16_t>(to, i);
    case CL_SIGNED_INT32:
      return put(to, i);
    case CL_UNSIGNED_INT8:
      return put_saturated<std::uint8_t>(to, u);
    case CL_UNSIGNED_INT16:
      return put_saturated<std::uint16_t>(to, u);
    case CL_UNSIGNED_INT32:
      return put(to, u);
    case CL_HALF_FLOAT:
      return put(to, to_half(f));
    default:
      return put(to, f);
  }
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

cl_int check_format(const cl_image_format* format) noexcept {
  if (format == nullptr) return CL_INVALID_IMAGE_FORMAT_DESCRIPTOR;
  const cl_channel_type type = format->image_channel_data_type;
  const std::size_t bytes = channel_bytes(type);
  const bool packed_rgb = type == CL_UNORM_SHORT_565 || type == CL_UNORM_SHORT_555 || type == CL_UNORM_INT_101010;
  bool valid = false;
  switch (format->image_channel_order) {
    case CL_R:
    case CL_A:
    case CL_Rx:
    case CL_RG:
    case CL_RA:
    case CL_RGx:
      valid = bytes != 0;
      break;
    case CL_RGBA:
      valid = bytes != 0 || type == CL_UNORM_INT_101010_2;
      break;
    case CL_RGB:
    case CL_RGBx:
      valid = packed_rgb;
      break;
    case CL_BGRA:
    case CL_ARGB:
    case CL_ABGR:
      valid = bytes == 1;
      break;
    case CL_INTENSITY:
    case CL_LUMINANCE:
      valid = type == CL_UNORM_INT8 || type == CL_UNORM_INT16 || type == CL_SNORM_INT8 || type == CL_SNORM_INT16 ||
              type == CL_HALF_FLOAT || type == CL_FLOAT;
      break;
    case CL_sRGB:
    case CL_sRGBx:
    case CL_sRGBA:
    case CL_sBGRA:
      valid = type == CL_UNORM_INT8;
      break;
    case CL_DEPTH:
      valid = type == CL_UNORM_INT16 || type == CL_FLOAT;
      break;
    default:
      break;
  }
  return valid ? CL_SUCCESS : CL_INVALID_IMAGE_FORMAT_DESCRIPTOR;
}

std::span<const cl_image_format> supported_formats() noexcept {
  return formats;
}

bool is_supported(const cl_image_format& format) noexcept {
  return std::any_of(formats.begin(), formats.end(), [&](const cl_image_format& f) {
    return f.image_channel_order == format.image_channel_order &&
           f.image_channel_data_type == format.image_channel_data_type;
  });
}

cl_int describe(const cl_image_format& format, const cl_image_desc& desc, bool has_host_ptr, std::size_t buffer_bytes,
                Image::Layout& layout) noexcept {
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
  if (!has_host_ptr && (desc.image_row_pitch != 0 || desc.image_slice_pitch != 0)) return CL_INVALID_IMAGE_DESCRIPTOR;
  if (!sized) return CL_INVALID_IMAGE_SIZE;

  layout.type = desc.image_type;
  layout.format = format;
  // Formats that are valid but not supported are refused by the caller; any size will do for them here.
  layout.element_bytes =
      std::max<std::size_t>(channel_bytes(format.image_channel_data_type), 1) * channels(format.image_channel_order);
  const std::size_t row = d[0] * layout.element_bytes;
  layout.row_pitch = desc.image_row_pitch == 0 ? row : desc.image_row_pitch;
  if (layout.row_pitch < row || layout.row_pitch % layout.element_bytes != 0) return CL_INVALID_IMAGE_DESCRIPTOR;
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

Pattern fill_pattern(const cl_image_format& format, const void* color) {
  const std::size_t bytes = channel_bytes(format.image_channel_data_type);
  const std::size_t n = channels(format.image_channel_order);
  std::array<std::byte, 16> texel{};  // four channels of 32 bits at most
  for (std::size_t i = 0; i < n; ++i) {
    const bool swap = format.image_channel_order == CL_BGRA && i < 3;
    put_channel(texel.data() + i * bytes, format.image_channel_data_type, color, swap ? 2 - i : i);
  }
  Pattern pattern;
  pattern.assign(texel.data(), bytes * n);
  return pattern;
}

}  // namespace sluice::api

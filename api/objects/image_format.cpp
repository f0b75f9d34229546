#include "api/objects/image_format.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

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

constexpr std::array<cl_channel_type, 4> byte_types = {CL_UNORM_INT8, CL_SNORM_INT8, CL_SIGNED_INT8, CL_UNSIGNED_INT8};
constexpr std::array<cl_channel_type, 6> real_types = {CL_UNORM_INT8,  CL_UNORM_INT16, CL_SNORM_INT8,
                                                       CL_SNORM_INT16, CL_HALF_FLOAT,  CL_FLOAT};
constexpr std::array<cl_channel_type, 3> packed_types = {CL_UNORM_SHORT_565, CL_UNORM_SHORT_555, CL_UNORM_INT_101010};

bool is_packed(cl_channel_type type) noexcept {
  return std::find(packed_types.begin(), packed_types.end(), type) != packed_types.end();
}

bool is_srgb(cl_channel_order order) noexcept {
  return order == CL_sRGB || order == CL_sRGBx || order == CL_sRGBA || order == CL_sBGRA;
}

std::size_t channel_bytes(cl_channel_type type) noexcept {
  for (const ChannelType& t : channel_types) {
    if (t.type == type) return t.bytes;
  }
  return 0;
}

// Which component of a colour each channel of an element takes.
std::vector<std::size_t> components(cl_channel_order order) {
  switch (order) {
    case CL_A:
      return {3};
    case CL_R:
    case CL_Rx:
    case CL_INTENSITY:
    case CL_LUMINANCE:
    case CL_DEPTH:
      return {0};
    case CL_RG:
    case CL_RGx:
      return {0, 1};
    case CL_RA:
      return {0, 3};
    case CL_RGB:
    case CL_RGBx:
    case CL_sRGB:
      return {0, 1, 2};
    case CL_BGRA:
    case CL_sBGRA:
      return {2, 1, 0, 3};
    case CL_ARGB:
      return {3, 0, 1, 2};
    case CL_ABGR:
      return {3, 2, 1, 0};
    default:
      return {0, 1, 2, 3};
  }
}

std::vector<cl_image_format> list_formats(bool written) {
  std::vector<cl_image_format> list;
  for (cl_channel_order order : {CL_RGBA, CL_RG, CL_R, CL_A, CL_RA}) {
    for (const ChannelType& t : channel_types) list.push_back({order, t.type});
  }
  for (cl_channel_order order : {CL_BGRA, CL_ARGB, CL_ABGR}) {
    for (cl_channel_type type : byte_types) list.push_back({order, type});
  }
  for (cl_channel_order order : {CL_INTENSITY, CL_LUMINANCE}) {
    for (cl_channel_type type : real_types) list.push_back({order, type});
  }
  for (cl_channel_type type : packed_types) list.push_back({CL_RGB, type});
  // Kernels write no sRGB: there is no cl_khr_srgb_image_writes.
  if (!written) list.insert(list.end(), {{CL_sRGBA, CL_UNORM_INT8}, {CL_sBGRA, CL_UNORM_INT8}});
  return list;
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

// A field of a packed element: to the nearest integer, as for the other normalized types.
std::uint32_t field(const void* color, std::size_t component, std::uint32_t largest) noexcept {
  float value = 0;
  std::memcpy(&value, static_cast<const std::byte*>(color) + component * sizeof value, sizeof value);
  const float clamped = std::isnan(value) ? 0.0F : std::clamp(value, 0.0F, 1.0F);
  return static_cast<std::uint32_t>(std::nearbyint(clamped * static_cast<float>(largest)));
}

Pattern packed_pattern(cl_channel_type type, const void* color) {
  const bool wide = type == CL_UNORM_INT_101010;
  const std::uint32_t width = wide ? 10 : 5;
  const std::uint32_t green = type == CL_UNORM_SHORT_565 ? 6 : width;
  const auto largest = [](std::uint32_t bits) { return (1U << bits) - 1; };
  const std::uint32_t element = field(color, 0, largest(width)) << (width + green) |
                                field(color, 1, largest(green)) << width | field(color, 2, largest(width));
  std::array<std::byte, sizeof element> bytes{};
  std::memcpy(bytes.data(), &element, sizeof element);  // little-endian
  Pattern pattern;
  pattern.assign(bytes.data(), wide ? 4 : 2);
  return pattern;
}

// The inverse of what kernels see of sRGB (IEC 61966-2-1).
float to_srgb(float linear) noexcept {
  if (std::isnan(linear)) return 0;
  const float c = std::clamp(linear, 0.0F, 1.0F);
  return c <= 0.0031308F ? 12.92F * c : 1.055F * std::pow(c, 1.0F / 2.4F) - 0.055F;
}

}  // namespace

cl_int check_format(const cl_image_format* format) noexcept {
  if (format == nullptr) return CL_INVALID_IMAGE_FORMAT_DESCRIPTOR;
  const cl_channel_type type = format->image_channel_data_type;
  const std::size_t bytes = channel_bytes(type);
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
      valid = is_packed(type);
      break;
    case CL_BGRA:
    case CL_ARGB:
    case CL_ABGR:
      valid = bytes == 1;
      break;
    case CL_INTENSITY:
    case CL_LUMINANCE:
      valid = std::find(real_types.begin(), real_types.end(), type) != real_types.end();
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

std::span<const cl_image_format> supported_formats(cl_mem_flags flags) noexcept {
  static const std::vector<cl_image_format> readable = list_formats(false);
  static const std::vector<cl_image_format> writable = list_formats(true);
  return (flags & CL_MEM_READ_ONLY) != 0 ? readable : writable;
}

bool is_supported(const cl_image_format& format, cl_mem_flags flags) noexcept {
  const auto formats = supported_formats(flags);
  return std::any_of(formats.begin(), formats.end(), [&](const cl_image_format& f) { return same_format(f, format); });
}

std::size_t element_bytes(const cl_image_format& format) noexcept {
  switch (format.image_channel_data_type) {
    case CL_UNORM_SHORT_565:
    case CL_UNORM_SHORT_555:
      return 2;
    case CL_UNORM_INT_101010:
    case CL_UNORM_INT_101010_2:
      return 4;
    default:
      return channel_bytes(format.image_channel_data_type) * components(format.image_channel_order).size();
  }
}

bool views_as(const cl_image_format& parent, const cl_image_format& view) noexcept {
  if (parent.image_channel_data_type != view.image_channel_data_type) return false;
  const auto linear = [](cl_channel_order order) -> cl_channel_order {
    switch (order) {
      case CL_sRGBA:
        return CL_RGBA;
      case CL_sBGRA:
        return CL_BGRA;
      case CL_sRGB:
        return CL_RGB;
      case CL_sRGBx:
        return CL_RGBx;
      case CL_DEPTH:
        return CL_R;
      default:
        return order;
    }
  };
  return linear(parent.image_channel_order) == linear(view.image_channel_order);
}

Pattern fill_pattern(const cl_image_format& format, const void* color) {
  const cl_channel_type type = format.image_channel_data_type;
  if (is_packed(type)) return packed_pattern(type, color);
  std::array<float, 4> encoded{};
  if (is_srgb(format.image_channel_order)) {
    std::memcpy(encoded.data(), color, sizeof encoded);
    for (std::size_t i = 0; i < 3; ++i) encoded[i] = to_srgb(encoded[i]);
    color = encoded.data();
  }
  const std::size_t bytes = channel_bytes(type);
  std::array<std::byte, 16> texel{};  // four channels of 32 bits at most
  std::size_t end = 0;
  for (std::size_t component : components(format.image_channel_order)) {
    put_channel(texel.data() + end, type, color, component);
    end += bytes;
  }
  Pattern pattern;
  pattern.assign(texel.data(), end);
  return pattern;
}

}  // namespace sluice::api

// Formats of images: which exist, which the devices take, and how a colour becomes an element.
#pragma once

#include <CL/cl.h>

#include <cstddef>
#include <span>
#include <vector>

#include "sim/iface/command.h"

namespace sluice::api {

// CL_INVALID_IMAGE_FORMAT_DESCRIPTOR: NULL, unknown values, or an order and a type that do not go together.
[[nodiscard]] cl_int check_format(const cl_image_format* format) noexcept;

[[nodiscard]] constexpr bool same_format(const cl_image_format& a, const cl_image_format& b) noexcept {
  return a.image_channel_order == b.image_channel_order && a.image_channel_data_type == b.image_channel_data_type;
}

// Of images with the given access by kernels; some formats can only be read.
[[nodiscard]] std::span<const cl_image_format> supported_formats(cl_mem_flags flags) noexcept;
[[nodiscard]] bool is_supported(const cl_image_format& format, cl_mem_flags flags) noexcept;

// Of a valid format.
[[nodiscard]] std::size_t element_bytes(const cl_image_format& format) noexcept;

// Whether an image of format `view` may be made of a 2D image of format `parent`: with the same channels, read as sRGB
// or as they are.
[[nodiscard]] bool views_as(const cl_image_format& parent, const cl_image_format& view) noexcept;

// One element of the colour that clEnqueueFillImage was given, which points to four cl_float, cl_int or cl_uint.
[[nodiscard]] Pattern fill_pattern(const cl_image_format& format, const void* color);

}  // namespace sluice::api

// What makes a memory object an image: its format, its dimensions, and how its elements lie in a linear store.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "api/objects/image_format.h"
#include "api/objects/object.h"
#include "sim/iface/command.h"

namespace sluice::api {

class Memory;

// The least that OpenCL 3.0 allows to a device with images; CL_DEVICE_IMAGE* report the same figures.
struct ImageLimits {
  static constexpr std::size_t width_2d = 16384;
  static constexpr std::size_t height_2d = 16384;
  static constexpr std::size_t extent_3d = 2048;
  static constexpr std::size_t array_size = 2048;
  static constexpr std::size_t buffer_width = 65536;
  // Of 2D images in buffers: these lie linearly, so that every row of whole elements will do.
  static constexpr std::size_t pitch_alignment = 1;
  static constexpr std::size_t base_alignment = 1;
  // Of a kernel.
  static constexpr std::size_t read_arguments = 128;
  static constexpr std::size_t write_arguments = 64;
  static constexpr std::size_t read_write_arguments = 64;
  static constexpr std::size_t samplers = 16;
};

using Extent = std::array<std::size_t, 3>;

// A box of elements that lies inside an image.
struct ImageBox {
  Extent origin{};
  Extent region{};
  [[nodiscard]] bool meets(const ImageBox& other) const noexcept;
};

class Image {
 public:
  // Values of a descriptor that describe() found valid; pitches are never 0.
  struct Layout {
    cl_mem_object_type type = CL_MEM_OBJECT_IMAGE2D;
    cl_image_format format{};
    std::size_t element_bytes = 0;
    Extent dimensions{1, 1, 1};  // elements in x, y, z; the index of an array counts as its last dimension
    std::size_t row_pitch = 0;
    std::size_t slice_pitch = 0;  // 0 for 1D and 2D images
    std::size_t bytes = 0;        // of the store
    ImageTiling tiling;           // how the device has it, if not as the store is
    // Of device memory, and of addresses.
    [[nodiscard]] std::size_t device_bytes() const noexcept { return std::max<std::size_t>(bytes, tiling.bytes()); }
  };

  // `buffer`: the buffer or image in whose store it lies, else nullptr.
  Image(const Layout& layout, Memory* buffer);
  ~Image();

  [[nodiscard]] const Layout& layout() const noexcept { return layout_; }
  [[nodiscard]] Memory* buffer() const noexcept { return buffer_.get(); }
  [[nodiscard]] bool is_array() const noexcept {
    return layout_.type == CL_MEM_OBJECT_IMAGE1D_ARRAY || layout_.type == CL_MEM_OBJECT_IMAGE2D_ARRAY;
  }
  // Images whose maps and transfers have a slice pitch.
  [[nodiscard]] bool has_slices() const noexcept { return is_array() || layout_.type == CL_MEM_OBJECT_IMAGE3D; }

  // CL_INVALID_VALUE: a null pointer, a region with a zero, or not inside the image. The rules for origin and region of
  // each image type follow from the dimensions that a type does not have being 1.
  [[nodiscard]] cl_int check_box(const std::size_t* origin, const std::size_t* region, ImageBox& box) const noexcept;

  // Bytes from the start of the store, and the distance between rows and slices of a box.
  [[nodiscard]] std::size_t offset(const ImageBox& box) const noexcept;
  [[nodiscard]] std::size_t row_stride() const noexcept {
    return layout_.type == CL_MEM_OBJECT_IMAGE1D_ARRAY ? layout_.slice_pitch : layout_.row_pitch;
  }
  [[nodiscard]] Shape shape(const ImageBox& box) const noexcept {
    return {box.region[0] * layout_.element_bytes, box.region[1], box.region[2]};
  }
  // Lets `end`, which begins at byte `at` of the store, know pitches and tiles.
  void shape_end(Endpoint& end, std::size_t at) const;
  // Bytes from the first to past the last of a box in the store.
  [[nodiscard]] std::size_t span(const ImageBox& box) const noexcept;

 private:
  Layout layout_;
  Ref<Memory> buffer_;
};

// How the machine lays out an image that neither a buffer nor a pointer of the program shows; images of one dimension are
// rows on every device.
[[nodiscard]] ImageTiling tiling_of(const Image::Layout& layout, const ImageTile& tile) noexcept;

// Checks type, dimensions and pitches and computes the layout. `buffer_bytes`: size of the descriptor's buffer, 0 for
// none. CL_INVALID_IMAGE_DESCRIPTOR or CL_INVALID_IMAGE_SIZE.
[[nodiscard]] cl_int describe(const cl_image_format& format, const cl_image_desc& desc, bool has_host_ptr,
                              std::size_t buffer_bytes, Image::Layout& layout) noexcept;

}  // namespace sluice::api

// Images that lie in other objects, and which formats may be had: clCreateImage and clGetSupportedImageFormats.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "tests/api/fixture.h"

namespace {

constexpr cl_image_format rgba{CL_RGBA, CL_UNORM_INT8};
constexpr cl_image_format srgba{CL_sRGBA, CL_UNORM_INT8};

class ImageObject : public ClTest {
 protected:
  cl_int code_of(cl_image_desc d, cl_image_format format = rgba, cl_mem_flags flags = 0) {
    cl_int e = CL_SUCCESS;
    cl_mem m = clCreateImage(context, flags, &format, &d, nullptr, &e);
    EXPECT_EQ(m == nullptr, e != CL_SUCCESS);
    if (m != nullptr) clReleaseMemObject(m);
    return e;
  }
  static cl_image_desc on(cl_mem m, std::size_t width, std::size_t height, std::size_t row_pitch = 0) {
    cl_image_desc d{};
    d.image_type = CL_MEM_OBJECT_IMAGE2D;
    d.image_width = width;
    d.image_height = height;
    d.image_row_pitch = row_pitch;
    d.mem_object = m;
    return d;
  }
  std::vector<cl_image_format> formats(cl_mem_flags flags) {
    cl_uint n = 0;
    EXPECT_EQ(clGetSupportedImageFormats(context, flags, CL_MEM_OBJECT_IMAGE2D, 0, nullptr, &n), CL_SUCCESS);
    std::vector<cl_image_format> list(n);
    EXPECT_EQ(clGetSupportedImageFormats(context, flags, CL_MEM_OBJECT_IMAGE2D, n, list.data(), nullptr), CL_SUCCESS);
    return list;
  }
};

bool has(const std::vector<cl_image_format>& list, cl_image_format format) {
  return std::any_of(list.begin(), list.end(), [&](const cl_image_format& f) {
    return f.image_channel_order == format.image_channel_order &&
           f.image_channel_data_type == format.image_channel_data_type;
  });
}

// "The minimum list of supported image formats" of a full profile device that is none of OpenCL 2.x, and for reading
// and writing in one kernel.
TEST_F(ImageObject, RequiredFormats) {
  const cl_channel_type common[] = {CL_UNORM_INT8,     CL_SIGNED_INT8,   CL_SIGNED_INT16,
                                    CL_SIGNED_INT32,   CL_UNSIGNED_INT8, CL_UNSIGNED_INT16,
                                    CL_UNSIGNED_INT32, CL_HALF_FLOAT,    CL_FLOAT};
  for (cl_mem_flags flags : {CL_MEM_READ_ONLY, CL_MEM_WRITE_ONLY, CL_MEM_READ_WRITE}) {
    const auto list = formats(flags);
    for (cl_channel_type type : common) EXPECT_TRUE(has(list, {CL_RGBA, type})) << std::hex << type;
    EXPECT_TRUE(has(list, {CL_RGBA, CL_UNORM_INT16}));
    EXPECT_TRUE(has(list, {CL_BGRA, CL_UNORM_INT8}));
    EXPECT_EQ(has(list, srgba), flags == CL_MEM_READ_ONLY);  // cl_khr_srgb_image_writes is not there
  }
  const auto both = formats(CL_MEM_KERNEL_READ_AND_WRITE);
  for (cl_channel_type type : common) {
    EXPECT_TRUE(has(both, {CL_RGBA, type})) << std::hex << type;
    EXPECT_TRUE(has(both, {CL_R, type})) << std::hex << type;
  }
  EXPECT_FALSE(has(both, srgba));
}

TEST_F(ImageObject, InABuffer) {
  cl_uint alignment = 0;
  EXPECT_EQ(clGetDeviceInfo(device, CL_DEVICE_IMAGE_PITCH_ALIGNMENT, sizeof alignment, &alignment, nullptr),
            CL_SUCCESS);
  ASSERT_EQ(alignment, 1U);  // what the pitches below suppose
  std::string extensions(4096, ' ');
  clGetDeviceInfo(device, CL_DEVICE_EXTENSIONS, extensions.size(), extensions.data(), nullptr);
  EXPECT_NE(extensions.find("cl_khr_image2d_from_buffer"), std::string::npos);

  cl_mem b = buffer(1000);
  EXPECT_EQ(code_of(on(b, 10, 10, 100)), CL_SUCCESS);  // exactly
  EXPECT_EQ(code_of(on(b, 10, 25)), CL_SUCCESS);       // 40 bytes a row
  EXPECT_EQ(code_of(on(b, 10, 26)), CL_INVALID_IMAGE_SIZE);
  EXPECT_EQ(code_of(on(b, 10, 10, 104)), CL_INVALID_IMAGE_SIZE);
  EXPECT_EQ(code_of(on(b, 10, 10, 36)), CL_INVALID_IMAGE_DESCRIPTOR);  // less than a row
  EXPECT_EQ(code_of(on(b, 10, 2, ~std::size_t{3})), CL_INVALID_IMAGE_DESCRIPTOR);
  EXPECT_EQ(code_of(on(b, 10, 10, 42)), CL_INVALID_IMAGE_FORMAT_DESCRIPTOR);
  cl_image_desc d = on(b, 2, 2);
  d.image_type = CL_MEM_OBJECT_IMAGE3D;
  d.image_depth = 2;
  EXPECT_EQ(code_of(d), CL_INVALID_IMAGE_DESCRIPTOR);
  EXPECT_EQ(code_of(on(reinterpret_cast<cl_mem>(context), 2, 2)), CL_INVALID_IMAGE_DESCRIPTOR);
  clReleaseMemObject(b);
  b = buffer(1000, CL_MEM_READ_ONLY);
  EXPECT_EQ(code_of(on(b, 2, 2), rgba, CL_MEM_READ_WRITE), CL_INVALID_VALUE);
  EXPECT_EQ(code_of(on(b, 2, 2), srgba), CL_SUCCESS);  // read-only as the buffer is
  clReleaseMemObject(b);
}

// The same bytes, read as sRGB or as they are.
TEST_F(ImageObject, ViewsOfAnImage) {
  cl_image_desc d = on(nullptr, 4, 2);
  cl_int e = CL_SUCCESS;
  cl_mem m = clCreateImage(context, CL_MEM_READ_ONLY, &rgba, &d, nullptr, &e);
  ASSERT_EQ(e, CL_SUCCESS);
  EXPECT_EQ(code_of(on(m, 4, 2), {CL_RGBA, CL_SNORM_INT8}), CL_INVALID_IMAGE_FORMAT_DESCRIPTOR);
  EXPECT_EQ(code_of(on(m, 4, 2), {CL_sBGRA, CL_UNORM_INT8}), CL_INVALID_IMAGE_FORMAT_DESCRIPTOR);
  EXPECT_EQ(code_of(on(m, 3, 2), srgba), CL_INVALID_IMAGE_DESCRIPTOR);
  d.image_type = CL_MEM_OBJECT_IMAGE1D_BUFFER;
  d.mem_object = m;
  EXPECT_EQ(code_of(d), CL_INVALID_IMAGE_DESCRIPTOR);
  d = on(m, 4, 2);
  cl_mem view = clCreateImage(context, 0, &srgba, &d, nullptr, &e);
  ASSERT_EQ(e, CL_SUCCESS);
  const std::size_t zero[3] = {};
  const std::size_t all[3] = {4, 2, 1};
  std::array<unsigned char, 32> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<unsigned char>(i + 1);
  EXPECT_EQ(clEnqueueWriteImage(queue, view, CL_TRUE, zero, all, 0, 0, bytes.data(), 0, nullptr, nullptr), CL_SUCCESS);
  clReleaseMemObject(m);  // the view holds it
  std::array<unsigned char, 32> seen{};
  EXPECT_EQ(clEnqueueReadImage(queue, view, CL_TRUE, zero, all, 0, 0, seen.data(), 0, nullptr, nullptr), CL_SUCCESS);
  EXPECT_EQ(seen, bytes);
  cl_mem of = nullptr;
  EXPECT_EQ(clGetMemObjectInfo(view, CL_MEM_ASSOCIATED_MEMOBJECT, sizeof of, &of, nullptr), CL_SUCCESS);
  EXPECT_EQ(of, m);
  clReleaseMemObject(view);
}

// A colour becomes an element as kernels would write it; sRGB is encoded: 0.5 is 188 (0.7354 of 255), alpha stays 128.
TEST_F(ImageObject, FillsOfEveryKind) {
  struct Row {
    cl_image_format format;
    std::array<float, 4> color;
    std::vector<unsigned char> bytes;
  };
  const Row rows[] = {{srgba, {0.5F, 1, 0, 0.5F}, {188, 255, 0, 128}},
                      {{CL_sBGRA, CL_UNORM_INT8}, {0.5F, 1, 0, 1}, {0, 255, 188, 255}},
                      {{CL_ARGB, CL_UNORM_INT8}, {0, 0.2F, 1, 0.6F}, {153, 0, 51, 255}},
                      {{CL_ABGR, CL_UNORM_INT8}, {0, 0.2F, 1, 0.6F}, {153, 255, 51, 0}},
                      {{CL_A, CL_UNORM_INT8}, {0, 0, 0, 0.2F}, {51}},
                      {{CL_RA, CL_UNORM_INT8}, {1, 0, 0, 0.2F}, {255, 51}},
                      {{CL_LUMINANCE, CL_FLOAT}, {1, 9, 9, 9}, {0, 0, 0x80, 0x3f}},
                      {{CL_RGB, CL_UNORM_SHORT_565}, {1, 0.5F, 0, 9}, {0, 0xfc}},
                      {{CL_RGB, CL_UNORM_SHORT_555}, {0, -1, 2, 9}, {31, 0}},
                      {{CL_RGB, CL_UNORM_INT_101010}, {1, 0.5F, 0, 9}, {0, 0, 0xf8, 0x3f}}};
  const std::size_t zero[3] = {};
  const std::size_t one[3] = {1, 1, 1};
  for (const Row& row : rows) {
    const cl_image_desc d = on(nullptr, 1, 1);
    cl_int e = CL_SUCCESS;
    cl_mem m = clCreateImage(context, CL_MEM_READ_ONLY, &row.format, &d, nullptr, &e);
    ASSERT_EQ(e, CL_SUCCESS);
    EXPECT_EQ(clEnqueueFillImage(queue, m, row.color.data(), zero, one, 0, nullptr, nullptr), CL_SUCCESS);
    std::vector<unsigned char> seen(row.bytes.size());
    EXPECT_EQ(clEnqueueReadImage(queue, m, CL_TRUE, zero, one, 0, 0, seen.data(), 0, nullptr, nullptr), CL_SUCCESS);
    EXPECT_EQ(seen, row.bytes) << std::hex << row.format.image_channel_order;
    clReleaseMemObject(m);
  }
}

}  // namespace

// What kernels see of images: the functions of OpenCL C 3.0, 6.15.15, and the chapter "Image Addressing and Filtering",
// held to values worked out by hand and to the chapter's formulas in double precision.
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "tests/api/program_fixture.h"

namespace {

using Size = std::array<std::size_t, 3>;

class ImageKernel : public ProgramTest {
 protected:
  void TearDown() override {
    for (cl_mem m : memories) clReleaseMemObject(m);
    for (cl_kernel k : kernels) clReleaseKernel(k);
    ProgramTest::TearDown();
  }
  cl_mem keep_memory(cl_mem m) {
    memories.push_back(m);
    return m;
  }
  // `size`: elements in x, y and z, an array's index being the last.
  cl_mem image(cl_mem_object_type type, cl_image_format format, Size size, cl_mem_flags flags = CL_MEM_READ_WRITE,
               cl_mem of = nullptr, std::size_t row_pitch = 0) {
    cl_image_desc d{};
    d.image_type = type;
    d.image_width = size[0];
    if (type == CL_MEM_OBJECT_IMAGE1D_ARRAY) d.image_array_size = size[1];
    if (type == CL_MEM_OBJECT_IMAGE2D || type == CL_MEM_OBJECT_IMAGE2D_ARRAY || type == CL_MEM_OBJECT_IMAGE3D) {
      d.image_height = size[1];
    }
    if (type == CL_MEM_OBJECT_IMAGE2D_ARRAY) d.image_array_size = size[2];
    if (type == CL_MEM_OBJECT_IMAGE3D) d.image_depth = size[2];
    d.image_row_pitch = row_pitch;
    d.mem_object = of;
    cl_int e = CL_SUCCESS;
    cl_mem m = clCreateImage(context, flags, &format, &d, nullptr, &e);
    EXPECT_EQ(e, CL_SUCCESS);
    return keep_memory(m);
  }
  cl_kernel kernel(const std::string& text, const char* name = "k") {
    cl_program p = source(text);
    EXPECT_EQ(build(p, "-cl-std=CL3.0"), CL_SUCCESS) << log(p);
    cl_int e = CL_SUCCESS;
    kernels.push_back(clCreateKernel(p, name, &e));
    EXPECT_EQ(e, CL_SUCCESS);
    return kernels.back();
  }
  void set(cl_kernel k, cl_uint index, cl_mem m) { EXPECT_EQ(clSetKernelArg(k, index, sizeof m, &m), CL_SUCCESS); }
  void run(cl_kernel k, std::size_t items) {
    EXPECT_EQ(clEnqueueNDRangeKernel(queue, k, 1, nullptr, &items, nullptr, 0, nullptr, nullptr), CL_SUCCESS);
    EXPECT_EQ(clFinish(queue), CL_SUCCESS);
  }
  void write(cl_mem m, Size size, const void* data) {
    const Size zero{};
    EXPECT_EQ(clEnqueueWriteImage(queue, m, CL_TRUE, zero.data(), size.data(), 0, 0, data, 0, nullptr, nullptr),
              CL_SUCCESS);
  }
  template <class T>
  std::vector<T> contents(cl_mem m, std::size_t count) {
    std::vector<T> values(count);
    EXPECT_EQ(clEnqueueReadBuffer(queue, m, CL_TRUE, 0, count * sizeof(T), values.data(), 0, nullptr, nullptr),
              CL_SUCCESS);
    return values;
  }
  std::vector<cl_mem> memories;
  std::vector<cl_kernel> kernels;
};

// ---- formats -----------------------------------------------------------------------------------------------------

struct Texel {
  cl_image_format format;
  std::array<float, 4> color;        // written; integers for integer formats
  std::vector<unsigned char> bytes;  // of the element, by the rules of the conversions
  std::array<float, 4> seen;         // read again
};

// 0.5 * 255 is 127.5 and 0.5 * 63 is 31.5: ties go to the even neighbour. What a format lacks reads as 0, alpha as 1.
const Texel kTexels[] = {
    {{CL_RGBA, CL_UNORM_INT8}, {0, 0.5F, 1, 2}, {0, 128, 255, 255}, {0, 128 / 255.0F, 1, 1}},
    {{CL_BGRA, CL_UNORM_INT8}, {1, 0.5F, 0, 0.25F}, {0, 128, 255, 64}, {1, 128 / 255.0F, 0, 64 / 255.0F}},
    {{CL_ARGB, CL_UNORM_INT8}, {1, 0.2F, 0, 0.6F}, {153, 255, 51, 0}, {1, 51 / 255.0F, 0, 153 / 255.0F}},
    {{CL_ABGR, CL_UNORM_INT8}, {1, 0.2F, 0, 0.6F}, {153, 0, 51, 255}, {1, 51 / 255.0F, 0, 153 / 255.0F}},
    {{CL_R, CL_SNORM_INT8}, {-1, 9, 9, 9}, {0x81}, {-1, 0, 0, 1}},
    {{CL_RG, CL_UNORM_INT16}, {1, 0.5F, 9, 9}, {0xff, 0xff, 0, 0x80}, {1, 32768 / 65535.0F, 0, 1}},
    {{CL_A, CL_UNORM_INT16}, {9, 9, 9, 1}, {0xff, 0xff}, {0, 0, 0, 1}},
    {{CL_RA, CL_HALF_FLOAT}, {1.5F, 9, 9, -2}, {0, 0x3e, 0, 0xc0}, {1.5F, 0, 0, -2}},
    {{CL_INTENSITY, CL_HALF_FLOAT}, {1.5F, 9, 9, 9}, {0, 0x3e}, {1.5F, 1.5F, 1.5F, 1.5F}},
    {{CL_LUMINANCE, CL_FLOAT}, {-0.75F, 9, 9, 9}, {0, 0, 0x40, 0xbf}, {-0.75F, -0.75F, -0.75F, 1}},
    {{CL_RGB, CL_UNORM_SHORT_565}, {1, 0.5F, 0, 9}, {0, 0xfc}, {1, 32 / 63.0F, 0, 1}},
    {{CL_RGB, CL_UNORM_SHORT_555}, {1, 0.5F, 0, 9}, {0, 0x7e}, {1, 16 / 31.0F, 0, 1}},
    {{CL_RGB, CL_UNORM_INT_101010}, {1, 0.5F, 0, 9}, {0, 0, 0xf8, 0x3f}, {1, 512 / 1023.0F, 0, 1}},
    {{CL_RGBA, CL_SIGNED_INT8}, {-200, 200, -5, 5}, {0x80, 0x7f, 0xfb, 5}, {-128, 127, -5, 5}},
    {{CL_R, CL_SIGNED_INT16}, {-40000, 9, 9, 9}, {0, 0x80}, {-32768, 0, 0, 1}},
    {{CL_RG, CL_UNSIGNED_INT8}, {300, 7, 9, 9}, {255, 7}, {255, 7, 0, 1}},
    {{CL_R, CL_UNSIGNED_INT32}, {70000, 9, 9, 9}, {0x70, 0x11, 1, 0}, {70000, 0, 0, 1}},
};

bool is_signed(cl_channel_type t) {
  return t >= CL_SIGNED_INT8 && t <= CL_SIGNED_INT32;
}
bool is_unsigned(cl_channel_type t) {
  return t >= CL_UNSIGNED_INT8 && t <= CL_UNSIGNED_INT32;
}

TEST_F(ImageKernel, FormatsConvertAsTheSpecificationSays) {
  std::string text;
  for (const auto& [suffix, type] : {std::pair("f", "float4"), std::pair("i", "int4"), std::pair("ui", "uint4")}) {
    const std::string s = suffix;
    const std::string t = type;
    text += "kernel void put_" + s + "(write_only image2d_t to, float4 c) { write_image" + s +
            "(to, (int2)(1, 2), convert_" + t + "(c)); }\n";
    text += "kernel void get_" + s + "(read_only image2d_t from, global float4* c) { *c = convert_float4(read_image" +
            s + "(from, (int2)(1, 2))); }\n";
  }
  cl_program p = source(text);
  ASSERT_EQ(build(p), CL_SUCCESS) << log(p);
  cl_mem out = keep_memory(buffer(16));
  for (const Texel& texel : kTexels) {
    const cl_channel_type type = texel.format.image_channel_data_type;
    SCOPED_TRACE(testing::Message() << std::hex << texel.format.image_channel_order << ' ' << type);
    const std::string suffix = is_signed(type) ? "i" : is_unsigned(type) ? "ui" : "f";
    cl_mem m = image(CL_MEM_OBJECT_IMAGE2D, texel.format, {3, 3, 1});
    cl_int e = CL_SUCCESS;
    cl_kernel put = clCreateKernel(p, ("put_" + suffix).c_str(), &e);
    cl_kernel get = clCreateKernel(p, ("get_" + suffix).c_str(), &e);
    set(put, 0, m);
    EXPECT_EQ(clSetKernelArg(put, 1, 16, texel.color.data()), CL_SUCCESS);
    run(put, 1);
    const Size at{1, 2, 0};
    const Size one{1, 1, 1};
    std::vector<unsigned char> bytes(texel.bytes.size());
    EXPECT_EQ(clEnqueueReadImage(queue, m, CL_TRUE, at.data(), one.data(), 0, 0, bytes.data(), 0, nullptr, nullptr),
              CL_SUCCESS);
    EXPECT_EQ(bytes, texel.bytes);
    set(get, 0, m);
    set(get, 1, out);
    run(get, 1);
    const auto seen = contents<float>(out, 4);
    for (std::size_t i = 0; i < 4; ++i) EXPECT_FLOAT_EQ(seen[i], texel.seen[i]) << i;
    clReleaseKernel(put);
    clReleaseKernel(get);
  }
}

// Of -128 and -127 both are -1. Of sRGB, 0.04045 * 255 is 10.3: 10 is on the straight part, 188 about half of the
// light.
TEST_F(ImageKernel, ReadsThatWritesDoNotReach) {
  cl_kernel k = kernel("kernel void k(read_only image1d_t from, global float4* to) { *to = read_imagef(from, 0); }");
  cl_mem out = keep_memory(buffer(16));
  set(k, 1, out);
  cl_mem m = image(CL_MEM_OBJECT_IMAGE1D, {CL_R, CL_SNORM_INT8}, {1, 1, 1});
  const signed char lowest = -128;
  write(m, {1, 1, 1}, &lowest);
  set(k, 0, m);
  run(k, 1);
  EXPECT_EQ(contents<float>(out, 1)[0], -1.0F);
  m = image(CL_MEM_OBJECT_IMAGE1D, {CL_sBGRA, CL_UNORM_INT8}, {1, 1, 1}, CL_MEM_READ_ONLY);
  const unsigned char srgb[] = {255, 10, 188, 51};
  write(m, {1, 1, 1}, srgb);
  set(k, 0, m);
  run(k, 1);
  const auto seen = contents<float>(out, 4);
  EXPECT_NEAR(seen[0], std::pow((188 / 255.0 + 0.055) / 1.055, 2.4), 1e-6);
  EXPECT_NEAR(seen[1], 10 / 255.0 / 12.92, 1e-7);
  EXPECT_EQ(seen[2], 1.0F);
  EXPECT_FLOAT_EQ(seen[3], 0.2F);  // alpha is linear
}

// ---- addressing and filtering ------------------------------------------------------------------------------------

// One dimension of the chapter's formulas: the texels that are mixed, and the share of the second.
struct Axis {
  long first, second;
  double share;
};
Axis axis_of(double s, long w, bool normalized, const std::string& mode, bool linear) {
  const auto clamp = [&](long i) { return std::clamp(i, 0L, w - 1); };
  const double shift = linear ? 0.5 : 0;
  if (mode == "REPEAT") {
    const double u = (s - std::floor(s)) * static_cast<double>(w) - shift;
    const long i = static_cast<long>(std::floor(u));
    return {((i % w) + w) % w, (i + 1) % w, u - std::floor(u)};
  }
  if (mode == "MIRRORED_REPEAT") {
    const double u = std::fabs(s - 2 * std::rint(0.5 * s)) * static_cast<double>(w) - shift;
    const long i = static_cast<long>(std::floor(u));
    return {clamp(i), clamp(i + 1), u - std::floor(u)};
  }
  const double u = (normalized ? s * static_cast<double>(w) : s) - shift;
  const long i = static_cast<long>(std::floor(u));
  if (mode == "CLAMP_TO_EDGE") return {clamp(i), clamp(i + 1), u - std::floor(u)};
  return {i, i + 1, u - std::floor(u)};
}

// A kernel reads a 2D array of two layers at many coordinates with a sampler of the source, and once more with one that
// is an argument.
TEST_F(ImageKernel, SamplersFollowTheFormulas) {
  constexpr long w = 5;
  constexpr long h = 3;
  std::vector<float> texels(2 * w * h);
  for (std::size_t i = 0; i < texels.size(); ++i) texels[i] = static_cast<float>(i * i % 23) - 7.0F;
  cl_mem m = image(CL_MEM_OBJECT_IMAGE2D_ARRAY, {CL_R, CL_FLOAT}, {w, h, 2});
  write(m, {w, h, 2}, texels.data());
  constexpr std::size_t steps = 29;
  cl_mem out = keep_memory(buffer(2 * steps * steps * 4));
  const std::pair<const char*, cl_addressing_mode> modes[] = {{"CLAMP", CL_ADDRESS_CLAMP},
                                                              {"CLAMP_TO_EDGE", CL_ADDRESS_CLAMP_TO_EDGE},
                                                              {"REPEAT", CL_ADDRESS_REPEAT},
                                                              {"MIRRORED_REPEAT", CL_ADDRESS_MIRRORED_REPEAT}};
  std::string text;
  const auto name = [](const char* mode, bool linear, bool normalized) {
    return std::string(mode) + (linear ? "_linear" : "_nearest") + (normalized ? "_n" : "_u");
  };
  const auto each = [&](const auto& body) {
    for (const auto& [mode, value] : modes) {
      for (const bool linear : {false, true}) {
        for (const bool normalized : {true, false}) {
          if (normalized || value == CL_ADDRESS_CLAMP || value == CL_ADDRESS_CLAMP_TO_EDGE) {
            body(mode, value, linear, normalized);
          }
        }
      }
    }
  };
  each([&](const char* mode, cl_addressing_mode, bool linear, bool normalized) {
    text += "kernel void " + name(mode, linear, normalized) +
            "(read_only image2d_array_t m, sampler_t given, global float* out, float step) {\n"
            "const sampler_t own = CLK_ADDRESS_" +
            mode + (linear ? "|CLK_FILTER_LINEAR" : "|CLK_FILTER_NEAREST") +
            (normalized ? "|CLK_NORMALIZED_COORDS_TRUE" : "|CLK_NORMALIZED_COORDS_FALSE") +
            ";\nint i = get_global_id(0);\n"
            "float4 at = (float4)((i % 29 - 9) * step, (i / 29 - 9) * step, 0.75f, 0);\n"  // the index rounds to 1
            "out[2 * i] = read_imagef(m, own, at).x; out[2 * i + 1] = read_imagef(m, given, at).x; }\n";
  });
  cl_program p = source(text);
  ASSERT_EQ(build(p), CL_SUCCESS) << log(p);
  each([&](const char* mode, cl_addressing_mode value, bool linear, bool normalized) {
    SCOPED_TRACE(name(mode, linear, normalized));
    cl_int e = CL_SUCCESS;
    kernels.push_back(clCreateKernel(p, name(mode, linear, normalized).c_str(), &e));
    cl_kernel k = kernels.back();
    const cl_sampler_properties list[] = {CL_SAMPLER_NORMALIZED_COORDS,
                                          cl_bool(normalized),
                                          CL_SAMPLER_ADDRESSING_MODE,
                                          value,
                                          CL_SAMPLER_FILTER_MODE,
                                          cl_filter_mode(linear ? CL_FILTER_LINEAR : CL_FILTER_NEAREST),
                                          0};
    cl_sampler s = clCreateSamplerWithProperties(context, list, &e);
    const float step = normalized ? 0.1173F : 0.4173F;  // never on the border of two texels
    set(k, 0, m);
    EXPECT_EQ(clSetKernelArg(k, 1, sizeof s, &s), CL_SUCCESS);
    set(k, 2, out);
    EXPECT_EQ(clSetKernelArg(k, 3, sizeof step, &step), CL_SUCCESS);
    run(k, steps * steps);
    clReleaseSampler(s);
    const auto seen = contents<float>(out, 2 * steps * steps);
    const auto texel = [&](long x, long y) {
      const bool inside = x >= 0 && x < w && y >= 0 && y < h;
      return inside ? double{texels[static_cast<std::size_t>((h + y) * w + x)]} : 0.0;
    };
    for (std::size_t i = 0; i < steps * steps; ++i) {
      const auto at = [&](std::size_t n) { return static_cast<double>((static_cast<float>(n) - 9.0F) * step); };
      const Axis x = axis_of(at(i % steps), w, normalized, mode, linear);
      const Axis y = axis_of(at(i / steps), h, normalized, mode, linear);
      const double a = linear ? x.share : 0;
      const double b = linear ? y.share : 0;
      const double wanted = (1 - a) * (1 - b) * texel(x.first, y.first) + a * (1 - b) * texel(x.second, y.first) +
                            (1 - a) * b * texel(x.first, y.second) + a * b * texel(x.second, y.second);
      ASSERT_NEAR(seen[2 * i], wanted, linear ? 1e-3 : 0) << i;
      ASSERT_EQ(seen[2 * i], seen[2 * i + 1]) << i;
    }
  });
}

// In the middle of eight texels the mean of all; beyond, the border, which is opaque in formats without alpha.
TEST_F(ImageKernel, ThreeDimensionsAndBorder) {
  cl_kernel k = kernel(
      "kernel void k(read_only image3d_t m, global float4* out) {\n"
      "const sampler_t s = CLK_ADDRESS_CLAMP | CLK_FILTER_LINEAR | CLK_NORMALIZED_COORDS_FALSE;\n"
      "const sampler_t n = CLK_ADDRESS_CLAMP | CLK_FILTER_NEAREST | CLK_NORMALIZED_COORDS_FALSE;\n"
      "out[0] = read_imagef(m, s, (float4)(1, 1, 1, 0)); out[1] = read_imagef(m, n, (int4)(0, 1, 2, 0));\n"
      "out[2] = read_imagef(m, n, (int4)(1, 0, 1, 0)); out[3] = read_imagef(m, s, (float4)(NAN, INFINITY, -INFINITY, "
      "0));"
      "out[4] = convert_float4(as_int4(read_imagef(m, n, (float4)(-0.01f, 0, 0, 0))) == as_int4((float4)(0, 0, 0, "
      "1))); }");
  const unsigned char texels[] = {10, 20, 30, 40, 50, 60, 70, 80};
  cl_mem m = image(CL_MEM_OBJECT_IMAGE3D, {CL_R, CL_UNORM_INT8}, {2, 2, 2});
  write(m, {2, 2, 2}, texels);
  cl_mem out = keep_memory(buffer(5 * 16));
  set(k, 0, m);
  set(k, 1, out);
  run(k, 1);
  const auto seen = contents<std::array<float, 4>>(out, 5);
  EXPECT_NEAR(seen[0][0], 45 / 255.0, 1e-6);
  EXPECT_EQ(seen[1], (std::array<float, 4>{0, 0, 0, 1}));
  EXPECT_FLOAT_EQ(seen[2][0], 60 / 255.0F);
  EXPECT_EQ(seen[3], (std::array<float, 4>{0, 0, 0, 1}));
  EXPECT_EQ(seen[4], (std::array<float, 4>{-1, -1, -1, -1}));
}

// ---- types of images ---------------------------------------------------------------------------------------------

// Each type: a kernel adds 1 to every element of a read_write image, and tells its extents.
TEST_F(ImageKernel, EveryTypeIsReadAndWritten) {
  struct Row {
    cl_mem_object_type type;
    const char* name;
    const char* at;
    const char* extents;
    Size size;
    std::array<int, 4> seen;
  };
  const char* all = "(int4)(get_image_width(m), get_image_height(m), ";
  const Row rows[] = {
      {CL_MEM_OBJECT_IMAGE1D, "image1d_t", "x", "(int4)(get_image_width(m), 0, 0, 0)", {6, 1, 1}, {6, 0, 0, 0}},
      {CL_MEM_OBJECT_IMAGE1D_BUFFER,
       "image1d_buffer_t",
       "x",
       "(int4)(get_image_width(m), 0, 0, 0)",
       {6, 1, 1},
       {6, 0, 0, 0}},
      {CL_MEM_OBJECT_IMAGE1D_ARRAY,
       "image1d_array_t",
       "(int2)(x, y)",
       "(int4)(get_image_width(m), (int)get_image_array_size(m), 0, 0)",
       {3, 4, 1},
       {3, 4, 0, 0}},
      {CL_MEM_OBJECT_IMAGE2D, "image2d_t", "(int2)(x, y)", "(int4)(get_image_dim(m), 0, 0)", {3, 4, 1}, {3, 4, 0, 0}},
      {CL_MEM_OBJECT_IMAGE2D_ARRAY,
       "image2d_array_t",
       "(int4)(x, y, z, 0)",
       "get_image_array_size(m), 0)",
       {3, 2, 4},
       {3, 2, 4, 0}},
      {CL_MEM_OBJECT_IMAGE3D,
       "image3d_t",
       "(int4)(x, y, z, 0)",
       "get_image_depth(m), get_image_dim(m).w)",
       {3, 2, 4},
       {3, 2, 4, 0}},
  };
  cl_mem out = keep_memory(buffer(32));
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const std::string extents = row.extents[0] == '(' ? row.extents : all + std::string(row.extents);
    const auto [w, h, d] = row.size;
    cl_kernel k =
        kernel("kernel void k(read_write " + std::string(row.name) +
               " m, global int4* out) {\nint i = get_global_id(0);\n" + "int x = i % " + std::to_string(w) +
               ", y = i / " + std::to_string(w) + " % " + std::to_string(h) + ", z = i / " + std::to_string(w * h) +
               ";\nwrite_imageui(m, " + row.at + ", read_imageui(m, " + row.at + ") + 1);\nout[0] = " + extents +
               ";\nout[1] = (int4)(get_image_channel_order(m) == CLK_RG, get_image_channel_data_type(m) == "
               "CLK_UNSIGNED_INT16, 0, 0); }");
    const std::size_t count = w * h * d;
    std::vector<cl_ushort> texels(2 * count);
    for (std::size_t i = 0; i < texels.size(); ++i) texels[i] = static_cast<cl_ushort>(1000 * i);
    cl_mem of = row.type == CL_MEM_OBJECT_IMAGE1D_BUFFER ? keep_memory(buffer(4 * count)) : nullptr;
    cl_mem m = image(row.type, {CL_RG, CL_UNSIGNED_INT16}, row.size, CL_MEM_READ_WRITE, of);
    write(m, row.size, texels.data());
    set(k, 0, m);
    set(k, 1, out);
    run(k, count);
    std::vector<cl_ushort> after(2 * count);
    const Size zero{};
    EXPECT_EQ(
        clEnqueueReadImage(queue, m, CL_TRUE, zero.data(), row.size.data(), 0, 0, after.data(), 0, nullptr, nullptr),
        CL_SUCCESS);
    for (std::size_t i = 0; i < after.size(); ++i) EXPECT_EQ(after[i], static_cast<cl_ushort>(texels[i] + 1)) << i;
    const auto told = contents<int>(out, 8);
    EXPECT_EQ((std::array<int, 4>{told[0], told[1], told[2], told[3]}), row.seen);
    EXPECT_EQ(told[4], 1);
    EXPECT_EQ(told[5], 1);
  }
}

// Rows of an image in a buffer lie the given pitch apart; another image on it with the same pitch sees the same texels.
TEST_F(ImageKernel, TwoDimensionsInABuffer) {
  cl_mem b = keep_memory(buffer(4 * 32));
  std::vector<unsigned char> bytes(4 * 32);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<unsigned char>(i);
  EXPECT_EQ(clEnqueueWriteBuffer(queue, b, CL_TRUE, 0, bytes.size(), bytes.data(), 0, nullptr, nullptr), CL_SUCCESS);
  cl_mem m = image(CL_MEM_OBJECT_IMAGE2D, {CL_R, CL_UNSIGNED_INT8}, {5, 4, 1}, CL_MEM_READ_WRITE, b, 32);
  cl_kernel k = kernel(
      "kernel void k(read_only image2d_t m, global uint* out) {\n"
      "int i = get_global_id(0); out[i] = read_imageui(m, (int2)(i % 5, i / 5)).x; }");
  cl_mem out = keep_memory(buffer(20 * 4));
  set(k, 0, m);
  set(k, 1, out);
  run(k, 20);
  const auto seen = contents<cl_uint>(out, 20);
  for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(seen[i], i / 5 * 32 + i % 5);
  cl_mem whole = nullptr;
  EXPECT_EQ(clGetImageInfo(m, CL_IMAGE_BUFFER, sizeof whole, &whole, nullptr), CL_SUCCESS);
  EXPECT_EQ(whole, b);
}

// Writes outside leave the image, and reads outside read nothing of its neighbours.
TEST_F(ImageKernel, OutsideIsHarmless) {
  cl_kernel k = kernel(
      "kernel void k(read_write image2d_t m, global int4* out) {\n"
      "write_imagei(m, (int2)(-1, 0), (int4)(5)); write_imagei(m, (int2)(0, 2), (int4)(5));\n"
      "*out = read_imagei(m, (int2)(1 << 30, -5)); }");
  cl_mem m = image(CL_MEM_OBJECT_IMAGE2D, {CL_RGBA, CL_SIGNED_INT32}, {2, 2, 1});
  const std::vector<int> texels(16, 3);
  write(m, {2, 2, 1}, texels.data());
  cl_mem out = keep_memory(buffer(16));
  set(k, 0, m);
  set(k, 1, out);
  run(k, 1);
  EXPECT_EQ(contents<int>(out, 4), std::vector<int>(4, 0));
  std::vector<int> after(16);
  const Size zero{};
  const Size size{2, 2, 1};
  EXPECT_EQ(clEnqueueReadImage(queue, m, CL_TRUE, zero.data(), size.data(), 0, 0, after.data(), 0, nullptr, nullptr),
            CL_SUCCESS);
  EXPECT_EQ(after, texels);
}

}  // namespace

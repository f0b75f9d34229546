// Images that the device tiles (profiles/tiled-images.json): which are, and what the driver's policy makes of maps.
#include <array>

#include "tests/api/fixture.h"

namespace {

using Triple = std::array<std::size_t, 3>;

class TiledImages : public ClTest {
 protected:
  static constexpr std::size_t side = 256;

  cl_mem image(cl_mem_object_type type, cl_mem_flags flags = CL_MEM_READ_WRITE, void* p = nullptr, cl_mem of = nullptr) {
    const cl_image_format format{CL_RGBA, CL_UNSIGNED_INT8};
    cl_image_desc d{};
    d.image_type = type;
    d.image_width = type == CL_MEM_OBJECT_IMAGE1D_ARRAY || type == CL_MEM_OBJECT_IMAGE2D ? side : side / 2;
    if (type == CL_MEM_OBJECT_IMAGE1D_ARRAY) d.image_array_size = side;
    if (type != CL_MEM_OBJECT_IMAGE1D_ARRAY) d.image_height = type == CL_MEM_OBJECT_IMAGE2D ? side : side / 2;
    if (type == CL_MEM_OBJECT_IMAGE2D_ARRAY) d.image_array_size = 4;
    if (type == CL_MEM_OBJECT_IMAGE3D) d.image_depth = 4;
    d.mem_object = of;
    cl_int e = CL_SUCCESS;
    cl_mem m = clCreateImage(context, flags, &format, &d, p, &e);
    EXPECT_EQ(e, CL_SUCCESS);
    return m;
  }
  // START to END, in ns, of a map of all and of its unmap; the second time, when the mirror is there and the caches warm.
  std::array<cl_ulong, 2> map(cl_mem m, cl_map_flags flags, Triple region = {side, side, 1}) {
    std::array<cl_ulong, 2> times{};
    for (int i = 0; i < 2; ++i) {
      std::size_t row = 0, slice = 0;
      const Triple zero{};
      cl_event events[2];
      cl_int e = CL_SUCCESS;
      void* p = clEnqueueMapImage(queue, m, CL_TRUE, flags, zero.data(), region.data(), &row, &slice, 0, nullptr,
                                  &events[0], &e);
      EXPECT_EQ(e, CL_SUCCESS);
      EXPECT_EQ(clEnqueueUnmapMemObject(queue, m, p, 0, nullptr, &events[1]), CL_SUCCESS);
      EXPECT_EQ(clFinish(queue), CL_SUCCESS);
      for (std::size_t k = 0; k < 2; ++k) {
        cl_ulong start = 0, end = 0;
        clGetEventProfilingInfo(events[k], CL_PROFILING_COMMAND_START, sizeof start, &start, nullptr);
        clGetEventProfilingInfo(events[k], CL_PROFILING_COMMAND_END, sizeof end, &end, nullptr);
        times[k] = end - start;
        clReleaseEvent(events[k]);
      }
    }
    return times;
  }
};

// 256 KiB each. The pass that turns tiles into rows takes 4494 ns (kernel_commands_test); images that a buffer or a pointer
// of the program shows, and those of one dimension, take none.
TEST_F(TiledImages, OnlyThoseThatNothingElseShows) {
  std::vector<unsigned char> pixels(4 * side * side);
  cl_int e = CL_SUCCESS;
  cl_mem buffer = clCreateBuffer(context, CL_MEM_READ_WRITE, pixels.size(), nullptr, &e);
  cl_mem in_buffer = image(CL_MEM_OBJECT_IMAGE2D, 0, nullptr, buffer);
  const cl_ulong linear = map(in_buffer, CL_MAP_READ)[0];
  const auto takes = [&](cl_mem m, cl_ulong time, Triple region = {side, side, 1}) {
    EXPECT_NEAR(static_cast<double>(map(m, CL_MAP_READ, region)[0]), static_cast<double>(time), 3.0);
    clReleaseMemObject(m);
  };
  cl_mem tiled = image(CL_MEM_OBJECT_IMAGE2D);
  takes(image(CL_MEM_OBJECT_IMAGE2D, 0, nullptr, tiled), linear + 4494);  // a view of it
  takes(tiled, linear + 4494);
  takes(image(CL_MEM_OBJECT_IMAGE2D, CL_MEM_COPY_HOST_PTR, pixels.data()), linear + 4494);
  takes(image(CL_MEM_OBJECT_IMAGE2D, CL_MEM_USE_HOST_PTR, pixels.data()), linear);
  takes(image(CL_MEM_OBJECT_IMAGE1D_ARRAY), linear);
  // Rows of 512 bytes take the engine no longer.
  takes(image(CL_MEM_OBJECT_IMAGE3D), linear + 4494, {side / 2, side / 2, 4});
  takes(image(CL_MEM_OBJECT_IMAGE2D_ARRAY), linear + 4494, {side / 2, side / 2, 4});
  clReleaseMemObject(in_buffer);
  clReleaseMemObject(buffer);
}

// As an H200's driver does.
TEST_F(TiledImages, AnInvalidatingMapReadsBackAndAnUnmapAfterReadingIsNothing) {
  cl_mem m = image(CL_MEM_OBJECT_IMAGE2D);
  const auto read = map(m, CL_MAP_READ);
  const auto invalidate = map(m, CL_MAP_WRITE_INVALIDATE_REGION);
  EXPECT_NEAR(static_cast<double>(invalidate[0]), static_cast<double>(read[0]), 3.0);
  EXPECT_EQ(read[1], 0U);
  EXPECT_GT(invalidate[1], 4494U);
  clReleaseMemObject(m);
}

}  // namespace

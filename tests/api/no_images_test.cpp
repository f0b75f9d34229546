// A device without images: every call of the family says so.
#include "tests/api/fixture.h"

namespace {

using WithoutImages = ClTest;

TEST_F(WithoutImages, Map) {
  cl_mem m = buffer();
  const std::size_t zero[3] = {};
  const std::size_t one[3] = {1, 1, 1};
  std::size_t row = 0;
  cl_int e = CL_SUCCESS;
  EXPECT_EQ(clEnqueueMapImage(queue, m, CL_TRUE, CL_MAP_READ, zero, one, &row, nullptr, 0, nullptr, nullptr, &e),
            nullptr);
  EXPECT_EQ(e, CL_INVALID_OPERATION);
  clReleaseMemObject(m);
}

TEST_F(WithoutImages, Creation) {
  const cl_image_format format{CL_RGBA, CL_UNSIGNED_INT8};
  cl_image_desc d{};
  d.image_type = CL_MEM_OBJECT_IMAGE2D;
  d.image_width = d.image_height = 4;
  cl_int e = CL_SUCCESS;
  EXPECT_EQ(clCreateImage(context, CL_MEM_READ_WRITE, &format, &d, nullptr, &e), nullptr);
  EXPECT_EQ(e, CL_INVALID_OPERATION);
  EXPECT_EQ(clCreateSamplerWithProperties(context, nullptr, &e), nullptr);
  EXPECT_EQ(e, CL_INVALID_OPERATION);
}

}  // namespace

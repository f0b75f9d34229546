// clEnqueueMapImage, on a device with images: rows MI of map_table.md.
#include <array>
#include <chrono>
#include <thread>

#include "tests/api/failing_new.h"
#include "tests/api/fixture.h"

namespace {

using Triple = std::array<std::size_t, 3>;

// A box of a map, and what the call returned.
struct Mapped {
  unsigned char* p = nullptr;
  std::size_t row = 0;
  std::size_t slice = 99;
  cl_int code = 99;
};

class MapImage : public ClTest {
 protected:
  static constexpr cl_image_format format{CL_RGBA, CL_UNSIGNED_INT8};  // four bytes an element
  static constexpr std::size_t element = 4;

  void SetUp() override {
    ClTest::SetUp();
    cl_bool images = CL_FALSE;
    clGetDeviceInfo(device, CL_DEVICE_IMAGE_SUPPORT, sizeof images, &images, nullptr);
    ASSERT_EQ(images, cl_bool(CL_TRUE));
  }
  static cl_image_desc describe(cl_mem_object_type type, Triple size) {
    cl_image_desc d{};
    d.image_type = type;
    d.image_width = size[0];
    switch (type) {
      case CL_MEM_OBJECT_IMAGE1D_ARRAY:
        d.image_array_size = size[1];
        break;
      case CL_MEM_OBJECT_IMAGE2D:
        d.image_height = size[1];
        break;
      case CL_MEM_OBJECT_IMAGE2D_ARRAY:
        d.image_height = size[1];
        d.image_array_size = size[2];
        break;
      case CL_MEM_OBJECT_IMAGE3D:
        d.image_height = size[1];
        d.image_depth = size[2];
        break;
      default:
        break;
    }
    return d;
  }
  cl_mem create(const cl_image_desc& d, cl_mem_flags flags = CL_MEM_READ_WRITE, void* p = nullptr) {
    cl_int e = CL_SUCCESS;
    cl_mem m = clCreateImage(context, flags, &format, &d, p, &e);
    EXPECT_EQ(e, CL_SUCCESS);
    return m;
  }
  cl_mem image(cl_mem_object_type type, Triple size, cl_mem_flags flags = CL_MEM_READ_WRITE) {
    return create(describe(type, size), flags);
  }
  cl_mem image_2d(cl_mem_flags flags = CL_MEM_READ_WRITE) { return image(CL_MEM_OBJECT_IMAGE2D, {64, 32, 1}, flags); }
  cl_mem image_on(cl_mem buffer, std::size_t width) {
    cl_image_desc d = describe(CL_MEM_OBJECT_IMAGE1D_BUFFER, {width, 1, 1});
    d.mem_object = buffer;
    return create(d, 0);
  }
  Mapped map_box(cl_mem m, cl_map_flags flags, Triple origin, Triple region, cl_bool blocking = CL_TRUE,
                 cl_uint num = 0, const cl_event* list = nullptr, cl_event* event = nullptr) {
    Mapped r;
    r.p = static_cast<unsigned char*>(clEnqueueMapImage(queue, m, blocking, flags, origin.data(), region.data(), &r.row,
                                                        &r.slice, num, list, event, &r.code));
    EXPECT_EQ(r.p == nullptr, r.code != CL_SUCCESS);
    return r;
  }
  cl_int box_error(cl_mem m, Triple origin, Triple region, cl_map_flags flags = CL_MAP_READ) {
    return map_box(m, flags, origin, region).code;
  }
  void fill_image(cl_mem m, cl_uint value, Triple region) {
    const cl_uint color[4] = {value, value, value, value};
    const Triple zero{};
    ASSERT_EQ(clEnqueueFillImage(queue, m, color, zero.data(), region.data(), 0, nullptr, nullptr), CL_SUCCESS);
  }
};

TEST_F(MapImage, SuccessGivesPointerAndCode) {
  cl_mem m = image_2d();
  const Mapped r = map_box(m, CL_MAP_READ, {0, 0, 0}, {64, 32, 1});
  EXPECT_NE(r.p, nullptr);
  EXPECT_EQ(r.code, CL_SUCCESS);
  const Triple zero{};
  const Triple one{1, 1, 1};
  std::size_t row = 0;
  EXPECT_NE(clEnqueueMapImage(queue, m, CL_TRUE, CL_MAP_READ, zero.data(), one.data(), &row, nullptr, 0, nullptr,
                              nullptr, nullptr),
            nullptr);
  clReleaseMemObject(m);
}

TEST_F(MapImage, InvalidQueue) {
  cl_mem m = image_2d();
  const auto keep = std::exchange(queue, reinterpret_cast<cl_command_queue>(m));
  EXPECT_EQ(box_error(m, {0, 0, 0}, {1, 1, 1}), CL_INVALID_COMMAND_QUEUE);
  queue = keep;
  clReleaseMemObject(m);
}

TEST_F(MapImage, ContextsMustAgree) {
  cl_mem m = image_2d();
  std::swap(queue, other_queue);
  EXPECT_EQ(box_error(m, {0, 0, 0}, {1, 1, 1}), CL_INVALID_CONTEXT);
  std::swap(queue, other_queue);
  cl_event foreign = user_event(other_context);
  EXPECT_EQ(map_box(m, CL_MAP_READ, {0, 0, 0}, {1, 1, 1}, CL_FALSE, 1, &foreign).code, CL_INVALID_CONTEXT);
  EXPECT_EQ(map_count(m), 0U);
  clReleaseEvent(foreign);
  clReleaseMemObject(m);
}

// A buffer is no image, and clEnqueueMapBuffer takes no image.
TEST_F(MapImage, InvalidImages) {
  cl_mem b = buffer();
  cl_mem released = image_2d();
  clReleaseMemObject(released);
  for (cl_mem m : {cl_mem(nullptr), b, reinterpret_cast<cl_mem>(queue), reinterpret_cast<cl_mem>(0x10), released}) {
    EXPECT_EQ(box_error(m, {0, 0, 0}, {1, 1, 1}), CL_INVALID_MEM_OBJECT);
  }
  cl_mem m = image_2d();
  EXPECT_EQ(map_error(m, CL_MAP_READ, 0, 16), CL_INVALID_MEM_OBJECT);
  clReleaseMemObject(m);
  clReleaseMemObject(b);
}

TEST_F(MapImage, Flags) {
  cl_mem m = image_2d();
  for (const cl_map_flags flags :
       {cl_map_flags(0), cl_map_flags(8), cl_map_flags(CL_MAP_READ | CL_MAP_WRITE_INVALIDATE_REGION),
        cl_map_flags(CL_MAP_WRITE | CL_MAP_WRITE_INVALIDATE_REGION)}) {
    EXPECT_EQ(box_error(m, {0, 0, 0}, {1, 1, 1}, flags), CL_INVALID_VALUE) << flags;
  }
  EXPECT_EQ(box_error(m, {0, 0, 0}, {1, 1, 1}, CL_MAP_READ | CL_MAP_WRITE), CL_SUCCESS);
  EXPECT_EQ(box_error(m, {1, 0, 0}, {1, 1, 1}, CL_MAP_WRITE_INVALIDATE_REGION), CL_SUCCESS);
  clReleaseMemObject(m);
}

TEST_F(MapImage, HostAccess) {
  struct Row {
    cl_mem_flags host;
    cl_map_flags map;
    cl_int expected;
  };
  const Row rows[] = {{CL_MEM_HOST_WRITE_ONLY, CL_MAP_READ, CL_INVALID_OPERATION},
                      {CL_MEM_HOST_WRITE_ONLY, CL_MAP_WRITE, CL_SUCCESS},
                      {CL_MEM_HOST_WRITE_ONLY, CL_MAP_WRITE_INVALIDATE_REGION, CL_SUCCESS},
                      {CL_MEM_HOST_READ_ONLY, CL_MAP_READ, CL_SUCCESS},
                      {CL_MEM_HOST_READ_ONLY, CL_MAP_WRITE, CL_INVALID_OPERATION},
                      {CL_MEM_HOST_READ_ONLY, CL_MAP_WRITE_INVALIDATE_REGION, CL_INVALID_OPERATION},
                      {CL_MEM_HOST_NO_ACCESS, CL_MAP_READ, CL_INVALID_OPERATION},
                      {CL_MEM_HOST_NO_ACCESS, CL_MAP_WRITE, CL_INVALID_OPERATION},
                      {CL_MEM_HOST_NO_ACCESS, CL_MAP_WRITE_INVALIDATE_REGION, CL_INVALID_OPERATION}};
  for (const Row& r : rows) {
    cl_mem m = image_2d(CL_MEM_READ_WRITE | r.host);
    EXPECT_EQ(box_error(m, {0, 0, 0}, {1, 1, 1}, r.map), r.expected) << r.host << " " << r.map;
    clReleaseMemObject(m);
  }
}

// The dimensions that a type does not have: origin 0 and region 1. Bounds in those that it has, and no zero in region.
TEST_F(MapImage, OriginAndRegionOfEachType) {
  cl_mem store = buffer(4096);
  struct Row {
    cl_mem image;
    Triple size;  // of what can be mapped
  };
  const Row rows[] = {{image(CL_MEM_OBJECT_IMAGE1D, {16, 1, 1}), {16, 1, 1}},
                      {image_on(store, 16), {16, 1, 1}},
                      {image(CL_MEM_OBJECT_IMAGE1D_ARRAY, {16, 4, 1}), {16, 4, 1}},
                      {image(CL_MEM_OBJECT_IMAGE2D, {16, 8, 1}), {16, 8, 1}},
                      {image(CL_MEM_OBJECT_IMAGE2D_ARRAY, {16, 8, 4}), {16, 8, 4}},
                      {image(CL_MEM_OBJECT_IMAGE3D, {16, 8, 4}), {16, 8, 4}}};
  for (const Row& r : rows) {
    EXPECT_EQ(box_error(r.image, {0, 0, 0}, r.size), CL_SUCCESS);
    for (std::size_t d = 0; d < 3; ++d) {
      Triple origin{};
      Triple region{1, 1, 1};
      region[d] = 0;
      EXPECT_EQ(box_error(r.image, origin, region), CL_INVALID_VALUE) << d;
      region[d] = r.size[d] + 1;  // 2 where the type does not have the dimension
      EXPECT_EQ(box_error(r.image, origin, region), CL_INVALID_VALUE) << d;
      region[d] = 1;
      origin[d] = r.size[d];  // 1 where the type does not have the dimension
      EXPECT_EQ(box_error(r.image, origin, region), CL_INVALID_VALUE) << d;
      origin[d] = SIZE_MAX;
      EXPECT_EQ(box_error(r.image, origin, region), CL_INVALID_VALUE) << d;
      region[d] = SIZE_MAX;
      origin[d] = 1;
      EXPECT_EQ(box_error(r.image, origin, region), CL_INVALID_VALUE) << d;
      origin[d] = r.size[d] - 1;
      region[d] = 1;
      EXPECT_EQ(box_error(r.image, origin, region), CL_SUCCESS) << d;
    }
    clReleaseMemObject(r.image);
  }
  clReleaseMemObject(store);
}

TEST_F(MapImage, NullOriginOrRegion) {
  cl_mem m = image_2d();
  const Triple one{1, 1, 1};
  std::size_t row = 0;
  cl_int e = CL_SUCCESS;
  EXPECT_EQ(
      clEnqueueMapImage(queue, m, CL_TRUE, CL_MAP_READ, nullptr, one.data(), &row, nullptr, 0, nullptr, nullptr, &e),
      nullptr);
  EXPECT_EQ(e, CL_INVALID_VALUE);
  EXPECT_EQ(
      clEnqueueMapImage(queue, m, CL_TRUE, CL_MAP_READ, one.data(), nullptr, &row, nullptr, 0, nullptr, nullptr, &e),
      nullptr);
  EXPECT_EQ(e, CL_INVALID_VALUE);
  clReleaseMemObject(m);
}

// The row pitch must have a place to go, the slice pitch too where the type has slices.
TEST_F(MapImage, PitchArguments) {
  struct Row {
    cl_mem_object_type type;
    Triple size;
    bool slices;
  };
  const Row rows[] = {{CL_MEM_OBJECT_IMAGE1D, {16, 1, 1}, false},
                      {CL_MEM_OBJECT_IMAGE2D, {16, 8, 1}, false},
                      {CL_MEM_OBJECT_IMAGE1D_ARRAY, {16, 4, 1}, true},
                      {CL_MEM_OBJECT_IMAGE2D_ARRAY, {16, 8, 4}, true},
                      {CL_MEM_OBJECT_IMAGE3D, {16, 8, 4}, true}};
  const Triple zero{};
  const Triple one{1, 1, 1};
  for (const Row& r : rows) {
    cl_mem m = image(r.type, r.size);
    std::size_t row = 0;
    std::size_t slice = 0;
    cl_int e = CL_SUCCESS;
    EXPECT_EQ(clEnqueueMapImage(queue, m, CL_TRUE, CL_MAP_READ, zero.data(), one.data(), nullptr, &slice, 0, nullptr,
                                nullptr, &e),
              nullptr);
    EXPECT_EQ(e, CL_INVALID_VALUE);
    const void* p = clEnqueueMapImage(queue, m, CL_TRUE, CL_MAP_READ, zero.data(), one.data(), &row, nullptr, 0,
                                      nullptr, nullptr, &e);
    EXPECT_EQ(e, r.slices ? CL_INVALID_VALUE : CL_SUCCESS) << r.type;
    EXPECT_EQ(p == nullptr, r.slices);
    const Mapped mapped = map_box(m, CL_MAP_READ, zero, one);
    EXPECT_GE(mapped.row, 16 * element);
    if (r.slices) {
      EXPECT_GE(mapped.slice, mapped.row * (r.type == CL_MEM_OBJECT_IMAGE1D_ARRAY ? 1 : 8));
    } else {
      EXPECT_EQ(mapped.slice, 0U);
    }
    clReleaseMemObject(m);
  }
}

// Element (x, y, z) of the region is at p + z * slice + y * row + x * size, for each type and away from the origin.
TEST_F(MapImage, PointerMapsTheRegion) {
  struct Row {
    cl_mem_object_type type;
    Triple size, origin, region;
  };
  const Row rows[] = {{CL_MEM_OBJECT_IMAGE1D, {16, 1, 1}, {3, 0, 0}, {5, 1, 1}},
                      {CL_MEM_OBJECT_IMAGE1D_ARRAY, {16, 4, 1}, {3, 1, 0}, {5, 2, 1}},
                      {CL_MEM_OBJECT_IMAGE2D, {16, 8, 1}, {3, 2, 0}, {5, 4, 1}},
                      {CL_MEM_OBJECT_IMAGE2D_ARRAY, {16, 8, 4}, {3, 2, 1}, {5, 4, 2}},
                      {CL_MEM_OBJECT_IMAGE3D, {16, 8, 4}, {3, 2, 1}, {5, 4, 2}}};
  for (const Row& r : rows) {
    cl_mem m = image(r.type, r.size);
    fill_image(m, 1, r.size);
    const Mapped box = map_box(m, CL_MAP_READ | CL_MAP_WRITE, r.origin, r.region);
    ASSERT_EQ(box.code, CL_SUCCESS);
    // Images of a 1D array are apart by the slice pitch and are the second index.
    const bool lines = r.type == CL_MEM_OBJECT_IMAGE1D_ARRAY;
    for (std::size_t z = 0; z < r.region[2]; ++z) {
      for (std::size_t y = 0; y < r.region[1]; ++y) {
        unsigned char* line = box.p + z * box.slice + y * (lines ? box.slice : box.row);
        EXPECT_EQ(line[0], 1);
        std::memset(line, 2, r.region[0] * element);
      }
    }
    EXPECT_EQ(unmap(m, box.p), CL_SUCCESS);
    const Triple zero{};
    std::vector<unsigned char> out(r.size[0] * r.size[1] * r.size[2] * element);
    ASSERT_EQ(clEnqueueReadImage(queue, m, CL_TRUE, zero.data(), r.size.data(), 0, 0, out.data(), 0, nullptr, nullptr),
              CL_SUCCESS);
    const auto inside = [&](std::size_t v, std::size_t d) { return v >= r.origin[d] && v < r.origin[d] + r.region[d]; };
    for (std::size_t z = 0; z < r.size[2]; ++z) {
      for (std::size_t y = 0; y < r.size[1]; ++y) {
        for (std::size_t x = 0; x < r.size[0]; ++x) {
          const int expected = inside(x, 0) && inside(y, 1) && inside(z, 2) ? 2 : 1;
          const std::size_t at = ((z * r.size[1] + y) * r.size[0] + x) * element;
          ASSERT_EQ(out[at], expected) << r.type << " " << x << " " << y << " " << z;
          ASSERT_EQ(out[at + 3], expected);
        }
      }
    }
    clReleaseMemObject(m);
  }
}

TEST_F(MapImage, PointerOfUseHostPtr) {
  constexpr std::size_t pitch = 80 * element;  // wider than the image
  std::vector<unsigned char> mine(32 * pitch, 3);
  cl_image_desc d = describe(CL_MEM_OBJECT_IMAGE2D, {64, 32, 1});
  d.image_row_pitch = pitch;
  cl_mem m = create(d, CL_MEM_USE_HOST_PTR, mine.data());
  fill_image(m, 4, {64, 32, 1});
  const Mapped box = map_box(m, CL_MAP_READ, {5, 7, 0}, {10, 10, 1});
  EXPECT_EQ(box.p, mine.data() + 7 * pitch + 5 * element);
  EXPECT_EQ(box.row, pitch);
  EXPECT_EQ(mine[7 * pitch + 5 * element], 4);  // the latest bits are where the program's memory is
  EXPECT_EQ(mine[64 * element], 3);             // and nothing between the rows
  EXPECT_EQ(unmap(m, box.p), CL_SUCCESS);
  clReleaseMemObject(m);
}

TEST_F(MapImage, HostPointersAlwaysMap) {
  std::vector<unsigned char> mine(64 * 32 * element);
  cl_mem used = create(describe(CL_MEM_OBJECT_IMAGE2D, {64, 32, 1}), CL_MEM_USE_HOST_PTR, mine.data());
  cl_mem allocated = image_2d(CL_MEM_ALLOC_HOST_PTR);
  for (cl_mem m : {used, allocated}) {
    for (int i = 0; i < 50; ++i) EXPECT_EQ(box_error(m, {0, 0, 0}, {64, 32, 1}), CL_SUCCESS);
    EXPECT_EQ(map_count(m), 50U);
    clReleaseMemObject(m);
  }
}

TEST_F(MapImage, WaitLists) {
  cl_mem m = image_2d();
  cl_event released = user_event();
  clReleaseEvent(released);
  const auto code = [&](cl_uint num, const cl_event* list) {
    return map_box(m, CL_MAP_READ, {0, 0, 0}, {1, 1, 1}, CL_TRUE, num, list).code;
  };
  EXPECT_EQ(code(1, nullptr), CL_INVALID_EVENT_WAIT_LIST);
  for (cl_event bad : {cl_event(nullptr), reinterpret_cast<cl_event>(m), reinterpret_cast<cl_event>(0x18), released}) {
    EXPECT_EQ(code(0, &bad), CL_INVALID_EVENT_WAIT_LIST);
    EXPECT_EQ(code(1, &bad), CL_INVALID_EVENT_WAIT_LIST);
  }
  EXPECT_EQ(map_count(m), 0U);
  clReleaseMemObject(m);
}

TEST_F(MapImage, BehindAFailedEvent) {
  cl_mem m = image_2d();
  cl_event failed = failed_event();
  EXPECT_EQ(map_box(m, CL_MAP_WRITE, {0, 0, 0}, {1, 1, 1}, CL_TRUE, 1, &failed).code,
            CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
  EXPECT_EQ(map_count(m), 0U);
  cl_event event = nullptr;
  EXPECT_EQ(map_box(m, CL_MAP_WRITE, {0, 0, 0}, {1, 1, 1}, CL_FALSE, 1, &failed, &event).code, CL_SUCCESS);
  EXPECT_EQ(clWaitForEvents(1, &event), CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
  EXPECT_EQ(map_count(m), 0U);
  clReleaseEvent(event);
  clReleaseEvent(failed);
  clReleaseMemObject(m);
}

TEST_F(MapImage, BlockingWhileItsEventFails) {
  cl_mem m = image_2d();
  cl_event gate = user_event();
  std::thread setter([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_EQ(clSetUserEventStatus(gate, -3), CL_SUCCESS);
  });
  EXPECT_EQ(map_box(m, CL_MAP_WRITE, {0, 0, 0}, {1, 1, 1}, CL_TRUE, 1, &gate).code,
            CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST);
  setter.join();
  EXPECT_EQ(map_count(m), 0U);
  clReleaseEvent(gate);
  clReleaseMemObject(m);
}

TEST_F(MapImage, BlockingReturnsCompleted) {
  cl_mem m = image_2d();
  fill_image(m, 7, {64, 32, 1});
  cl_event event = nullptr;
  const Mapped box = map_box(m, CL_MAP_READ, {0, 0, 0}, {64, 32, 1}, CL_TRUE, 0, nullptr, &event);
  ASSERT_EQ(box.code, CL_SUCCESS);
  EXPECT_EQ(box.p[31 * box.row + 63 * element], 7);
  EXPECT_EQ(status(event), CL_COMPLETE);
  EXPECT_EQ(command_type(event), cl_command_type(CL_COMMAND_MAP_IMAGE));
  clReleaseEvent(event);
  clReleaseMemObject(m);
}

TEST_F(MapImage, NonBlockingEventTellsWhen) {
  cl_mem m = image_2d();
  fill_image(m, 8, {64, 32, 1});
  cl_event gate = user_event();
  cl_event list[1] = {gate};
  cl_event event = nullptr;
  const Mapped box = map_box(m, CL_MAP_READ, {0, 0, 0}, {64, 32, 1}, CL_FALSE, 1, list, &event);
  list[0] = nullptr;  // may be reused
  ASSERT_EQ(box.code, CL_SUCCESS);
  EXPECT_GT(status(event), CL_COMPLETE);
  EXPECT_EQ(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  EXPECT_EQ(clWaitForEvents(1, &event), CL_SUCCESS);
  EXPECT_EQ(box.p[0], 8);
  clReleaseEvent(event);
  clReleaseEvent(gate);
  clReleaseMemObject(m);
}

TEST_F(MapImage, InvalidateTakesWhatTheHostWrites) {
  cl_mem m = image_2d();
  fill_image(m, 1, {64, 32, 1});
  const Mapped box = map_box(m, CL_MAP_WRITE_INVALIDATE_REGION, {0, 0, 0}, {64, 1, 1});
  std::memset(box.p, 2, 64 * element);
  EXPECT_EQ(unmap(m, box.p), CL_SUCCESS);
  std::vector<unsigned char> out(64 * 2 * element);
  const Triple zero{};
  const Triple two_rows{64, 2, 1};
  ASSERT_EQ(clEnqueueReadImage(queue, m, CL_TRUE, zero.data(), two_rows.data(), 0, 0, out.data(), 0, nullptr, nullptr),
            CL_SUCCESS);
  EXPECT_EQ(out[64 * element - 1], 2);
  EXPECT_EQ(out[64 * element], 1);
  clReleaseMemObject(m);
}

TEST_F(MapImage, NoEventIfRefused) {
  cl_mem m = image_2d();
  const auto untouched = reinterpret_cast<cl_event>(&m);
  cl_event event = untouched;
  EXPECT_EQ(map_box(m, CL_MAP_READ, {0, 0, 0}, {65, 1, 1}, CL_TRUE, 0, nullptr, &event).code, CL_INVALID_VALUE);
  EXPECT_EQ(event, untouched);
  clReleaseMemObject(m);
}

// The program must not do this; the driver has read the list before it writes the event.
TEST_F(MapImage, EventInTheListDoesNoHarm) {
  cl_mem m = image_2d();
  cl_event gate = user_event();
  cl_event list[1] = {gate};
  EXPECT_EQ(map_box(m, CL_MAP_READ, {0, 0, 0}, {1, 1, 1}, CL_FALSE, 1, list, list).code, CL_SUCCESS);
  EXPECT_NE(list[0], gate);
  EXPECT_EQ(clSetUserEventStatus(gate, CL_COMPLETE), CL_SUCCESS);
  EXPECT_EQ(clWaitForEvents(1, list), CL_SUCCESS);
  clReleaseEvent(list[0]);
  clReleaseEvent(gate);
  clReleaseMemObject(m);
}

// Sizes and formats that the device does not have are refused when the image is made: every image can be mapped.
TEST_F(MapImage, UnsupportedImagesDoNotExist) {
  std::size_t widest = 0;
  clGetDeviceInfo(device, CL_DEVICE_IMAGE2D_MAX_WIDTH, sizeof widest, &widest, nullptr);
  cl_image_desc d = describe(CL_MEM_OBJECT_IMAGE2D, {widest + 1, 1, 1});
  cl_int e = CL_SUCCESS;
  EXPECT_EQ(clCreateImage(context, CL_MEM_READ_WRITE, &format, &d, nullptr, &e), nullptr);
  EXPECT_EQ(e, CL_INVALID_IMAGE_SIZE);
  d.image_width = 16;
  const cl_image_format srgb{CL_sRGBA, CL_UNORM_INT8};  // kernels write none
  EXPECT_EQ(clCreateImage(context, CL_MEM_READ_WRITE, &srgb, &d, nullptr, &e), nullptr);
  EXPECT_EQ(e, CL_IMAGE_FORMAT_NOT_SUPPORTED);
  d.image_width = widest;
  cl_mem m = create(d);
  EXPECT_EQ(box_error(m, {widest - 1, 0, 0}, {1, 1, 1}), CL_SUCCESS);
  clReleaseMemObject(m);
}

// Every supported format can be mapped, and the row pitch holds a row of it.
TEST_F(MapImage, EverySupportedFormat) {
  cl_uint n = 0;
  ASSERT_EQ(clGetSupportedImageFormats(context, CL_MEM_READ_WRITE, CL_MEM_OBJECT_IMAGE2D, 0, nullptr, &n), CL_SUCCESS);
  std::vector<cl_image_format> formats(n);
  clGetSupportedImageFormats(context, CL_MEM_READ_WRITE, CL_MEM_OBJECT_IMAGE2D, n, formats.data(), nullptr);
  ASSERT_GT(n, 0U);
  const cl_image_desc d = describe(CL_MEM_OBJECT_IMAGE2D, {7, 3, 1});
  for (const cl_image_format& f : formats) {
    cl_int e = CL_SUCCESS;
    cl_mem m = clCreateImage(context, CL_MEM_READ_WRITE, &f, &d, nullptr, &e);
    ASSERT_EQ(e, CL_SUCCESS);
    std::size_t size = 0;
    EXPECT_EQ(clGetImageInfo(m, CL_IMAGE_ELEMENT_SIZE, sizeof size, &size, nullptr), CL_SUCCESS);
    const Mapped box = map_box(m, CL_MAP_READ, {0, 0, 0}, {7, 3, 1});
    EXPECT_EQ(box.code, CL_SUCCESS);
    EXPECT_GE(box.row, 7 * size);
    clReleaseMemObject(m);
  }
}

TEST_F(MapImage, NoMipmaps) {
  cl_image_desc d = describe(CL_MEM_OBJECT_IMAGE2D, {16, 16, 1});
  d.num_mip_levels = 2;
  cl_int e = CL_SUCCESS;
  EXPECT_EQ(clCreateImage(context, CL_MEM_READ_WRITE, &format, &d, nullptr, &e), nullptr);
  EXPECT_EQ(e, CL_INVALID_IMAGE_DESCRIPTOR);
  std::vector<char> extensions(4096);
  EXPECT_EQ(clGetDeviceInfo(device, CL_DEVICE_EXTENSIONS, extensions.size(), extensions.data(), nullptr), CL_SUCCESS);
  EXPECT_EQ(std::string(extensions.data()).find("cl_khr_mipmap"), std::string::npos);
}

// Boxes exclude each other where they share an element, not where their ranges of bytes cross.
TEST_F(MapImage, OverlappingWrites) {
  cl_mem m = image_2d();
  const Mapped left = map_box(m, CL_MAP_WRITE, {0, 0, 0}, {32, 32, 1});
  EXPECT_EQ(box_error(m, {31, 31, 0}, {1, 1, 1}, CL_MAP_WRITE), CL_INVALID_OPERATION);
  EXPECT_EQ(box_error(m, {31, 0, 0}, {2, 1, 1}, CL_MAP_WRITE_INVALIDATE_REGION), CL_INVALID_OPERATION);
  EXPECT_EQ(box_error(m, {0, 0, 0}, {64, 32, 1}, CL_MAP_READ), CL_SUCCESS);
  EXPECT_EQ(box_error(m, {32, 0, 0}, {32, 32, 1}, CL_MAP_WRITE), CL_SUCCESS);  // the right half
  EXPECT_EQ(unmap(m, left.p), CL_SUCCESS);
  clReleaseMemObject(m);
}

// A 1D image buffer and the buffer under it are the same bytes.
TEST_F(MapImage, OverlappingWritesOfAnImageOnABuffer) {
  cl_mem b = buffer(8192);
  cl_mem sub = sub_buffer(b, 4096, 4096);
  cl_mem m = image_on(sub, 1024);
  const Mapped box = map_box(m, CL_MAP_WRITE, {256, 0, 0}, {256, 1, 1});  // bytes 5120 to 6143 of the buffer
  ASSERT_EQ(box.code, CL_SUCCESS);
  EXPECT_EQ(map_error(b, CL_MAP_WRITE, 6143, 1), CL_INVALID_OPERATION);
  EXPECT_EQ(map_error(sub, CL_MAP_WRITE, 1024, 1), CL_INVALID_OPERATION);
  EXPECT_EQ(map_error(b, CL_MAP_READ, 0, 8192), CL_SUCCESS);
  EXPECT_EQ(map_error(b, CL_MAP_WRITE, 6144, 1), CL_SUCCESS);
  EXPECT_EQ(map_error(sub, CL_MAP_WRITE, 1023, 1), CL_SUCCESS);
  EXPECT_EQ(box_error(m, {512, 0, 0}, {1, 1, 1}, CL_MAP_WRITE), CL_INVALID_OPERATION);  // byte 6144, mapped above
  std::memset(box.p, 5, 1024);
  EXPECT_EQ(unmap(m, box.p), CL_SUCCESS);
  EXPECT_EQ(read(b, 8192)[5120], 5);
  EXPECT_EQ(read(b, 8192)[6143], 5);
  EXPECT_EQ(map_error(b, CL_MAP_WRITE, 5120, 16), CL_SUCCESS);
  for (cl_mem x : {m, sub, b}) clReleaseMemObject(x);
}

// Two images side by side in the rows of one buffer, and what lies between rows.
TEST_F(MapImage, OverlappingWritesOfTwoImagesInABuffer) {
  cl_mem b = buffer(4096);
  cl_image_desc d = describe(CL_MEM_OBJECT_IMAGE2D, {16, 8, 1});
  d.image_row_pitch = 128;
  d.mem_object = b;
  cl_mem m = create(d);
  cl_mem n = create(d);
  const Mapped left = map_box(m, CL_MAP_WRITE, {0, 2, 0}, {8, 3, 1});  // bytes 0 to 31 of rows 2 to 4
  ASSERT_EQ(left.code, CL_SUCCESS);
  EXPECT_EQ(left.row, 128U);
  EXPECT_EQ(box_error(n, {7, 4, 0}, {1, 1, 1}, CL_MAP_WRITE), CL_INVALID_OPERATION);
  EXPECT_EQ(box_error(n, {8, 2, 0}, {8, 3, 1}, CL_MAP_WRITE), CL_SUCCESS);
  EXPECT_EQ(box_error(n, {0, 5, 0}, {8, 1, 1}, CL_MAP_WRITE), CL_SUCCESS);
  EXPECT_EQ(map_error(b, CL_MAP_WRITE, 128 * 3 + 64, 64), CL_SUCCESS);  // behind row 3
  EXPECT_EQ(map_error(b, CL_MAP_WRITE, 128 * 3 + 127, 2), CL_INVALID_OPERATION);
  EXPECT_EQ(map_error(b, CL_MAP_WRITE, 128 * 4 + 31, 1), CL_INVALID_OPERATION);
  left.p[128 + 1] = 77;
  EXPECT_EQ(unmap(m, left.p), CL_SUCCESS);
  EXPECT_EQ(read(b, 4096)[128 * 3 + 1], 77);
  for (cl_mem x : {m, n, b}) clReleaseMemObject(x);
}

TEST_F(MapImage, CountsAndUnmap) {
  cl_mem m = image_2d();
  const Mapped a = map_box(m, CL_MAP_READ, {0, 0, 0}, {4, 4, 1});
  const Mapped b = map_box(m, CL_MAP_READ, {8, 8, 0}, {4, 4, 1});
  EXPECT_EQ(map_count(m), 2U);
  EXPECT_EQ(unmap(m, a.p), CL_SUCCESS);
  EXPECT_EQ(unmap(m, a.p), CL_INVALID_VALUE);
  EXPECT_EQ(map_count(m), 1U);
  EXPECT_EQ(unmap(m, b.p), CL_SUCCESS);
  EXPECT_EQ(map_count(m), 0U);
  clReleaseMemObject(m);
}

TEST_F(MapImage, PointerServesReadsAndWrites) {
  cl_mem m = image_2d();
  cl_mem n = image_2d();
  fill_image(m, 1, {64, 32, 1});
  fill_image(n, 2, {64, 32, 1});
  const Mapped box = map_box(m, CL_MAP_READ | CL_MAP_WRITE, {0, 0, 0}, {64, 32, 1});
  const Triple zero{};
  const Triple first_row{64, 1, 1};
  const Triple second{0, 1, 0};
  EXPECT_EQ(
      clEnqueueWriteImage(queue, n, CL_TRUE, second.data(), first_row.data(), box.row, 0, box.p, 0, nullptr, nullptr),
      CL_SUCCESS);
  EXPECT_EQ(
      clEnqueueReadImage(queue, n, CL_TRUE, zero.data(), first_row.data(), box.row, 0, box.p, 0, nullptr, nullptr),
      CL_SUCCESS);
  EXPECT_EQ(box.p[0], 2);        // n's first row
  EXPECT_EQ(box.p[box.row], 1);  // m's second
  EXPECT_EQ(unmap(m, box.p), CL_SUCCESS);
  unsigned char out[4] = {};
  const Triple one{1, 1, 1};
  EXPECT_EQ(clEnqueueReadImage(queue, n, CL_TRUE, second.data(), one.data(), 0, 0, out, 0, nullptr, nullptr),
            CL_SUCCESS);
  EXPECT_EQ(out[0], 1);  // m's first row, through the mapped pointer
  clReleaseMemObject(m);
  clReleaseMemObject(n);
}

TEST_F(MapImage, HostMemoryRunsOut) {
  cl_mem m = image_2d();
  EXPECT_EQ(unmap(m, map_box(m, CL_MAP_READ, {0, 0, 0}, {1, 1, 1}).p), CL_SUCCESS);
  EXPECT_EQ(clFinish(queue), CL_SUCCESS);
  cl_int e = CL_OUT_OF_HOST_MEMORY;
  for (long n = 0; e != CL_SUCCESS && n < 1000; ++n) {
    fail_allocation(n);
    e = map_box(m, CL_MAP_WRITE, {0, 0, 0}, {64, 32, 1}, CL_FALSE).code;
    const bool failed = allocation_failed();
    fail_allocation(-1);
    ASSERT_EQ(e, failed ? CL_OUT_OF_HOST_MEMORY : CL_SUCCESS) << n;
    EXPECT_EQ(map_count(m), failed ? 0U : 1U);
  }
  EXPECT_EQ(e, CL_SUCCESS);
  EXPECT_EQ(clFinish(queue), CL_SUCCESS);
  clReleaseMemObject(m);
}

}  // namespace

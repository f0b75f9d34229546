// Transfers that clprobe leaves out: fills by pattern size, sub-buffers, offsets off the usual boundaries, images by type,
// format and region, and kernels that read and write images.
// Usage: memprobe [REPEATS] [between]
// `between` takes sizes between those that it takes otherwise, so that one run can fit and one validate.
// `wall` is the blocking call, or the call and clFinish; `start_end` the event's.
#include "tests/silicon/probe.h"

using namespace probe;

static const char* const source = R"(
__constant sampler_t nearest = CLK_NORMALIZED_COORDS_FALSE | CLK_ADDRESS_CLAMP_TO_EDGE | CLK_FILTER_NEAREST;
__constant sampler_t linear = CLK_NORMALIZED_COORDS_FALSE | CLK_ADDRESS_CLAMP_TO_EDGE | CLK_FILTER_LINEAR;
__kernel void by_row(read_only image2d_t a, __global float* o) {
  float4 v = read_imagef(a, nearest, (int2)(get_global_id(0), get_global_id(1)));
  if (v.x == 0.123f) o[0] = v.x;
}
__kernel void by_column(read_only image2d_t a, __global float* o) {
  float4 v = read_imagef(a, nearest, (int2)(get_global_id(1), get_global_id(0)));
  if (v.x == 0.123f) o[0] = v.x;
}
__kernel void filtered(read_only image2d_t a, __global float* o) {
  float4 v = read_imagef(a, linear, (float2)(get_global_id(0) + 0.25f, get_global_id(1) + 0.25f));
  if (v.x == 0.123f) o[0] = v.x;
}
__kernel void paint(write_only image2d_t a) { write_imagef(a, (int2)(get_global_id(0), get_global_id(1)), (float4)(0.5f)); }
)";

struct Setting {
  Device device{1};
  cl_command_queue q = device.queues[0];
  size_t top = size_t{64} << 20;
  cl_mem memory = device.buffer(top), other = device.buffer(top);
  char* host = device.pinned(top);

  // A command that is enqueued and finished: wall and START to END.
  Times timed(const std::function<void(cl_event*)>& enqueue) const {
    Events events(1);
    const double begin = now_ns();
    enqueue(events[0]);
    CK(clFinish(q));
    return {{"wall", now_ns() - begin}, {"start_end", events.span(0)}};
  }
};

static void fills(const Setting& s, const std::vector<size_t>& sizes) {
  const char pattern[128] = {1, 2, 3};
  for (const size_t bytes : sizes) {
    for (size_t width = 1; width <= 128; width *= 2) {
      s.device.row("fill_pattern", number("pattern", width) + "," + number("bytes", bytes), [&] {
        return s.timed([&](cl_event* e) { CK(clEnqueueFillBuffer(s.q, s.memory, pattern, width, 0, bytes, 0, nullptr, e)); });
      });
    }
  }
}

static void offsets(const Setting& s, const std::vector<size_t>& sizes) {
  for (const size_t bytes : sizes) {
    for (const size_t offset : {size_t{1}, size_t{60}, size_t{64}, size_t{4092}}) {
      const std::string shape = number("bytes", bytes) + "," + number("offset", offset);
      s.device.row("write_at", shape, [&] {
        return s.timed([&](cl_event* e) { CK(clEnqueueWriteBuffer(s.q, s.memory, CL_TRUE, offset, bytes, s.host, 0, nullptr, e)); });
      });
      s.device.row("read_at", shape, [&] {
        return s.timed([&](cl_event* e) { CK(clEnqueueReadBuffer(s.q, s.memory, CL_TRUE, offset, bytes, s.host, 0, nullptr, e)); });
      });
      s.device.row("copy_at", shape, [&] {
        return s.timed([&](cl_event* e) { CK(clEnqueueCopyBuffer(s.q, s.memory, s.other, 0, offset, bytes, 0, nullptr, e)); });
      });
    }
  }
}

static void sub_buffers(const Setting& s, const std::vector<size_t>& sizes) {
  for (const size_t bytes : sizes) {
    const cl_buffer_region region{size_t{16} << 20, bytes};
    cl_int error = CL_SUCCESS;
    cl_mem part = clCreateSubBuffer(s.memory, CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION, &region, &error);
    CK(error);
    s.device.row("sub_write", number("bytes", bytes), [&] {
      return s.timed([&](cl_event* e) { CK(clEnqueueWriteBuffer(s.q, part, CL_TRUE, 0, bytes, s.host, 0, nullptr, e)); });
    });
    s.device.row("sub_read", number("bytes", bytes), [&] {
      return s.timed([&](cl_event* e) { CK(clEnqueueReadBuffer(s.q, part, CL_TRUE, 0, bytes, s.host, 0, nullptr, e)); });
    });
    for (const cl_map_flags flags : {cl_map_flags{CL_MAP_READ}, cl_map_flags{CL_MAP_WRITE}}) {
      s.device.row(flags == CL_MAP_READ ? "sub_map_read" : "sub_map_write", number("bytes", bytes), [&] {
        Events events(2);
        cl_int e = CL_SUCCESS;
        const double begin = now_ns();
        char* p = static_cast<char*>(clEnqueueMapBuffer(s.q, part, CL_TRUE, flags, 0, bytes, 0, nullptr, events[0], &e));
        CK(e);
        const double mapped = now_ns();
        if (flags == CL_MAP_WRITE) std::memset(p, 5, bytes);
        const double used = now_ns();
        CK(clEnqueueUnmapMemObject(s.q, part, p, 0, nullptr, events[1]));
        CK(clFinish(s.q));
        return Times{{"wall", mapped - begin}, {"start_end", events.span(0)}, {"unmap_wall", now_ns() - used}};
      });
    }
    CK(clReleaseMemObject(part));
  }
}

struct Format {
  const char* name;
  cl_image_format format;
  size_t bytes;
};

static void images(const Setting& s, const std::vector<size_t>& widths) {
  const Format formats[] = {{"r8", {CL_R, CL_UNORM_INT8}, 1}, {"rgba8", {CL_RGBA, CL_UNORM_INT8}, 4}, {"rgba32f", {CL_RGBA, CL_FLOAT}, 16}};
  cl_program program = s.device.build(source);
  for (const size_t width : widths) {
    for (const Format& f : formats) {
      for (const cl_mem_object_type type : {CL_MEM_OBJECT_IMAGE2D, CL_MEM_OBJECT_IMAGE3D, CL_MEM_OBJECT_IMAGE2D_ARRAY}) {
        const bool flat = type == CL_MEM_OBJECT_IMAGE2D;
        const size_t depth = flat ? 1 : 8, height = flat ? width : width / 4;
        cl_image_desc desc{};
        desc.image_type = type;
        desc.image_width = width;
        desc.image_height = height;
        desc.image_depth = type == CL_MEM_OBJECT_IMAGE3D ? depth : 0;
        desc.image_array_size = type == CL_MEM_OBJECT_IMAGE2D_ARRAY ? depth : 0;
        const size_t bytes = width * height * depth * f.bytes;
        if (bytes > s.top) continue;
        cl_int error = CL_SUCCESS;
        cl_mem image = clCreateImage(s.device.context, CL_MEM_READ_WRITE, &f.format, &desc, nullptr, &error);
        CK(error);
        const size_t origin[3] = {0, 0, 0}, whole[3] = {width, height, depth}, column[3] = {std::max<size_t>(1, width / 16), height, depth};
        const float color[4] = {0.5f, 0.5f, 0.5f, 0.5f};
        const std::string shape = word("type", flat ? "2d" : type == CL_MEM_OBJECT_IMAGE3D ? "3d" : "2d_array") + "," + word("format", f.name) + "," + number("width", width);
        for (const bool part : {false, true}) {
          const size_t* region = part ? column : whole;
          const std::string what = shape + "," + word("region", part ? "column" : "whole");
          s.device.row("image_write", what, [&] {
            return s.timed([&](cl_event* e) { CK(clEnqueueWriteImage(s.q, image, CL_TRUE, origin, region, 0, 0, s.host, 0, nullptr, e)); });
          });
          s.device.row("image_read", what, [&] {
            return s.timed([&](cl_event* e) { CK(clEnqueueReadImage(s.q, image, CL_TRUE, origin, region, 0, 0, s.host, 0, nullptr, e)); });
          });
          s.device.row("image_to_buffer", what, [&] {
            return s.timed([&](cl_event* e) { CK(clEnqueueCopyImageToBuffer(s.q, image, s.memory, origin, region, 0, 0, nullptr, e)); });
          });
          s.device.row("buffer_to_image", what, [&] {
            return s.timed([&](cl_event* e) { CK(clEnqueueCopyBufferToImage(s.q, s.memory, image, 0, origin, region, 0, nullptr, e)); });
          });
          s.device.row("image_fill", what, [&] {
            return s.timed([&](cl_event* e) { CK(clEnqueueFillImage(s.q, image, color, origin, region, 0, nullptr, e)); });
          });
          for (const cl_map_flags flags : {cl_map_flags{CL_MAP_READ}, cl_map_flags{CL_MAP_WRITE}}) {
            s.device.row(flags == CL_MAP_READ ? "image_map_read" : "image_map_write", what, [&] {
              Events events(2);
              cl_int e = CL_SUCCESS;
              size_t row_pitch = 0, slice_pitch = 0;
              const double begin = now_ns();
              char* p = static_cast<char*>(clEnqueueMapImage(s.q, image, CL_TRUE, flags, origin, region, &row_pitch, &slice_pitch, 0, nullptr, events[0], &e));
              CK(e);
              const double mapped = now_ns();
              CK(clEnqueueUnmapMemObject(s.q, image, p, 0, nullptr, events[1]));
              CK(clFinish(s.q));
              return Times{{"wall", mapped - begin}, {"start_end", events.span(0)}, {"unmap_wall", now_ns() - mapped}, {"unmap_start_end", events.span(1)}};
            });
          }
        }
        if (flat) {
          const size_t local[2] = {32, 8};
          for (const char* const name : {"by_row", "by_column", "filtered", "paint"}) {
            cl_kernel k = Device::kernel(program, name);
            if (std::strcmp(name, "paint") == 0) {
              set_args(k, 0, image);
            } else {
              set_args(k, 0, image, s.memory);
            }
            s.device.row("image_kernel", word("kernel", name) + "," + shape, [&] {
              return s.timed([&](cl_event* e) { CK(clEnqueueNDRangeKernel(s.q, k, 2, nullptr, whole, local, 0, nullptr, e)); });
            });
            CK(clReleaseKernel(k));
          }
        }
        CK(clReleaseMemObject(image));
      }
    }
  }
}

int main(int argc, char** argv) {
  Setting s;
  if (argc > 1) s.device.repeats = std::max(1, std::atoi(argv[1]));
  const bool between = argc > 2 && std::strcmp(argv[2], "between") == 0;
  s.device.header("memprobe", {std::to_string(s.device.repeats), between ? "between" : "fit"}, {"3", between ? "between" : "fit"});
  fills(s, between ? std::vector<size_t>{12288, 786432, size_t{24} << 20} : std::vector<size_t>{4096, 262144, size_t{1} << 20, size_t{32} << 20});
  offsets(s, between ? std::vector<size_t>{3000, 200000, size_t{3} << 20} : std::vector<size_t>{1024, 65536, size_t{1} << 20, size_t{16} << 20});
  sub_buffers(s, between ? std::vector<size_t>{3072, 98304, size_t{6} << 20} : std::vector<size_t>{1024, 65536, size_t{1} << 20, size_t{16} << 20});
  images(s, between ? std::vector<size_t>{96, 672, 1536} : std::vector<size_t>{64, 512, 2048});
}

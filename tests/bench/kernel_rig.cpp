#include "tests/bench/kernel_rig.h"

#include <array>
#include <fstream>
#include <iterator>

namespace sluice::bench {

cl_mem Rig::add_buffer(std::vector<std::byte> bytes) {
  cl_int code = CL_SUCCESS;
  cl_mem made = clCreateBuffer(q_.context, CL_MEM_READ_WRITE, bytes.size(), nullptr, &code);
  check(code, "clCreateBuffer");
  contents_.push_back({made, std::move(bytes)});
  return made;
}

cl_mem Rig::image(std::size_t width, std::size_t height, const std::vector<std::uint8_t>& content) {
  const cl_image_format format{CL_RGBA, CL_UNORM_INT8};
  cl_image_desc shape{};
  shape.image_type = CL_MEM_OBJECT_IMAGE2D;
  shape.image_width = width;
  shape.image_height = height;
  cl_int code = CL_SUCCESS;
  cl_mem made = clCreateImage(q_.context, CL_MEM_READ_WRITE, &format, &shape, nullptr, &code);
  check(code, "clCreateImage");
  const auto* bytes = reinterpret_cast<const std::byte*>(content.data());
  contents_.push_back({made, {bytes, bytes + content.size()}, width, height});
  return made;
}

cl_kernel Rig::make_kernel(const std::string& program, const char* name) {
  cl_program& made = programs_[program];
  cl_int code = CL_SUCCESS;
  if (made == nullptr) {
    std::ifstream file(folder_ + "/" + program + ".cl");
    const std::string source{std::istreambuf_iterator<char>(file), {}};
    const char* text = source.c_str();
    made = clCreateProgramWithSource(q_.context, 1, &text, nullptr, &code);
    check(code, "clCreateProgramWithSource");
    check(clBuildProgram(made, 1, &q_.device, "-cl-std=CL1.2", nullptr, nullptr), "clBuildProgram");
  }
  cl_kernel kernel = clCreateKernel(made, name, &code);
  check(code, "clCreateKernel");
  return kernel;
}

void Rig::launch(cl_kernel kernel, std::size_t items, std::size_t group) {
  check(clEnqueueNDRangeKernel(q_.queue, kernel, 1, nullptr, &items, &group, 0, nullptr, nullptr),
        "clEnqueueNDRangeKernel");
}

void Rig::launch(cl_kernel kernel, std::size_t width, std::size_t height, std::size_t group_side) {
  const std::array<std::size_t, 2> range{width, height}, group{group_side, group_side};
  check(clEnqueueNDRangeKernel(q_.queue, kernel, 2, nullptr, range.data(), group.data(), 0, nullptr, nullptr),
        "clEnqueueNDRangeKernel");
}

std::vector<std::uint8_t> Rig::read_image(cl_mem image, std::size_t width, std::size_t height) {
  std::vector<std::uint8_t> content(4 * width * height);
  const std::array<std::size_t, 3> origin{}, region{width, height, 1};
  check(clEnqueueReadImage(q_.queue, image, CL_TRUE, origin.data(), region.data(), 0, 0, content.data(), 0, nullptr,
                           nullptr),
        "clEnqueueReadImage");
  return content;
}

void Rig::fill() {
  for (const Content& c : contents_) {
    if (c.width == 0) {
      write(c.memory, c.bytes);
      continue;
    }
    const std::array<std::size_t, 3> origin{}, region{c.width, c.height, 1};
    check(clEnqueueWriteImage(q_.queue, c.memory, CL_TRUE, origin.data(), region.data(), 0, 0, c.bytes.data(), 0,
                              nullptr, nullptr),
          "clEnqueueWriteImage");
  }
}

void Rig::measure(const std::function<void()>& work) {
  fill();
  check(clFinish(q_.queue), "clFinish");
  const double cpu_begin = cpu_s();
  const double begin = now_s();
  work();
  check(clFinish(q_.queue), "clFinish");
  wall_s_ = now_s() - begin;
  processor_s_ = cpu_s() - cpu_begin;
}

std::uint32_t mixed(std::size_t i) {
  auto x = static_cast<std::uint32_t>(i + 1) * 0x9e3779b1U;
  x = (x ^ (x >> 15)) * 0x85ebca77U;
  return x ^ (x >> 13);
}

std::vector<float> random_floats(std::size_t n, float least, float most) {
  std::vector<float> values(n);
  for (std::size_t i = 0; i < n; ++i)
    values[i] = least + (most - least) * static_cast<float>(mixed(i) >> 8) / 16777216.0F;
  return values;
}

std::vector<std::uint32_t> random_words(std::size_t n) {
  std::vector<std::uint32_t> values(n);
  for (std::size_t i = 0; i < n; ++i) values[i] = mixed(i);
  return values;
}

std::vector<std::uint8_t> random_bytes(std::size_t n) {
  std::vector<std::uint8_t> values(n);
  for (std::size_t i = 0; i < n; ++i) values[i] = static_cast<std::uint8_t>(mixed(i) >> 11);
  return values;
}

Rows random_rows(std::size_t rows, std::size_t most_in_row) {
  Rows made;
  made.begins.push_back(0);
  for (std::size_t i = 0; i < rows; ++i)
    made.begins.push_back(made.begins.back() + 1 + static_cast<int>(mixed(i) % most_in_row));
  const auto all = static_cast<std::size_t>(made.begins.back());
  for (std::size_t i = 0; i < all; ++i) made.columns.push_back(static_cast<int>(mixed(3 * i) % rows));
  made.values = random_floats(all, 0, 1);
  return made;
}

std::vector<float> product(const Rows& rows, const std::vector<float>& x) {
  std::vector<float> y;
  for (std::size_t row = 0; row + 1 < rows.begins.size(); ++row) {
    float sum = 0;
    for (int i = rows.begins[row]; i < rows.begins[row + 1]; ++i) {
      const auto at = static_cast<std::size_t>(i);
      sum += rows.values[at] * x[static_cast<std::size_t>(rows.columns[at])];
    }
    y.push_back(sum);
  }
  return y;
}

}  // namespace sluice::bench

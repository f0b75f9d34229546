// What the kernels of bench_kernels run on: one device, its buffers and images, and the clock around their launches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <vector>

#include "tests/bench/bench_support.h"

namespace sluice::bench {

// Bytes of __local memory, as a kernel's argument.
struct LocalBytes {
  std::size_t count = 0;
};

// By name: built once in a process.
using Programs = std::map<std::string, cl_program>;

// For one run, on memory of its own: what a driver has learned of launches elsewhere is of no use to it.
class Rig {
 public:
  // Programs are `folder`/NAME.cl. Sizes are divided by `part`.
  Rig(const Queue& q, std::string folder, Programs& programs, std::size_t part)
      : q_(q), folder_(std::move(folder)), programs_(programs), part_(part) {}

  // `n` work-items at full size.
  [[nodiscard]] std::size_t items(std::size_t n) const { return n / part_; }
  // The side of a square that has `side` * `side` items at full size.
  [[nodiscard]] std::size_t side(std::size_t n) const {
    for (std::size_t p = part_; p >= 4; p /= 4) n /= 2;
    return n;
  }

  // Memory that has this content when the clock starts.
  template <class T>
  cl_mem buffer(const std::vector<T>& content) {
    const auto* bytes = reinterpret_cast<const std::byte*>(content.data());
    return add_buffer({bytes, bytes + content.size() * sizeof(T)});
  }
  // RGBA, 8 bits each, normalized.
  cl_mem image(std::size_t width, std::size_t height, const std::vector<std::uint8_t>& content);

  template <class... Arguments>
  cl_kernel kernel(const std::string& program, const char* name, Arguments... arguments) {
    cl_kernel made = make_kernel(program, name);
    cl_uint index = 0;
    (set(made, index++, arguments), ...);
    return made;
  }
  template <class T>
  static void set(cl_kernel kernel, cl_uint index, const T& value) {
    check(clSetKernelArg(kernel, index, sizeof value, &value), "clSetKernelArg");
  }
  static void set(cl_kernel kernel, cl_uint index, LocalBytes bytes) {
    check(clSetKernelArg(kernel, index, bytes.count, nullptr), "clSetKernelArg");
  }

  void launch(cl_kernel kernel, std::size_t items, std::size_t group);
  void launch(cl_kernel kernel, std::size_t width, std::size_t height, std::size_t group_side);
  template <class T>
  std::vector<T> read(cl_mem buffer, std::size_t count) {
    std::vector<T> content(count);
    check(clEnqueueReadBuffer(q_.queue, buffer, CL_TRUE, 0, count * sizeof(T), content.data(), 0, nullptr, nullptr),
          "clEnqueueReadBuffer");
    return content;
  }
  template <class T>
  void write(cl_mem buffer, const std::vector<T>& content) {
    check(clEnqueueWriteBuffer(q_.queue, buffer, CL_TRUE, 0, content.size() * sizeof(T), content.data(), 0, nullptr,
                               nullptr),
          "clEnqueueWriteBuffer");
  }
  std::vector<std::uint8_t> read_image(cl_mem image, std::size_t width, std::size_t height);

  // From the first enqueue to the end of clFinish.
  void measure(const std::function<void()>& work);
  [[nodiscard]] double wall_s() const noexcept { return wall_s_; }
  [[nodiscard]] double processor_s() const noexcept { return processor_s_; }

  // Ends the process if more than `allowed` of the results are farther from what was worked out on the host than
  // `relative` of it (of 1 at least).
  template <class T>
  void expect(const char* what, const std::vector<T>& results, const std::vector<T>& expected, double relative,
              double allowed = 0) const {
    std::size_t wrong = results.size() == expected.size() ? 0 : results.size() + 1;
    for (std::size_t i = 0; i < results.size() && i < expected.size(); ++i) {
      const double off = static_cast<double>(results[i]) - static_cast<double>(expected[i]);
      const double size = std::max(1.0, std::abs(static_cast<double>(expected[i])));
      if (!(std::abs(off) <= relative * size)) ++wrong;
    }
    if (static_cast<double>(wrong) <= allowed * static_cast<double>(results.size())) return;
    std::printf("%s: %zu of %zu results are wrong\n", what, wrong, results.size());
    std::exit(1);
  }

 private:
  struct Content {
    cl_mem memory = nullptr;
    std::vector<std::byte> bytes;
    std::size_t width = 0, height = 0;  // of an image
  };
  cl_mem add_buffer(std::vector<std::byte> bytes);
  cl_kernel make_kernel(const std::string& program, const char* name);
  void fill();

  Queue q_;
  std::string folder_;
  Programs& programs_;
  std::size_t part_;
  std::vector<Content> contents_;
  double wall_s_ = 0, processor_s_ = 0;
};

struct Workload {
  const char* name;
  void (*run)(Rig& rig);  // measures, and checks the results
};
[[nodiscard]] const std::vector<Workload>& single_kernels();
[[nodiscard]] const std::vector<Workload>& kernel_programs();

// Test data, the same on every run.
[[nodiscard]] std::uint32_t mixed(std::size_t i);
[[nodiscard]] std::vector<float> random_floats(std::size_t n, float least, float most);
[[nodiscard]] std::vector<std::uint32_t> random_words(std::size_t n);
[[nodiscard]] std::vector<std::uint8_t> random_bytes(std::size_t n);

// A sparse matrix or a graph, row by row.
struct Rows {
  std::vector<int> begins, columns;
  std::vector<float> values;
};
[[nodiscard]] Rows random_rows(std::size_t rows, std::size_t most_in_row);
[[nodiscard]] std::vector<float> product(const Rows& rows, const std::vector<float>& x);

}  // namespace sluice::bench

// The fifteen kernels of kernels/single.cl, and what each must compute.
#include <algorithm>
#include <cmath>

#include "tests/bench/kernel_rig.h"

namespace sluice::bench {
namespace {

constexpr const char* program = "single";
constexpr std::size_t mega = std::size_t{1} << 20;

void vector_add(Rig& rig) {
  const std::size_t n = rig.items(mega);
  const auto a = random_floats(n, 0, 1), b = random_floats(n, -4, 4);
  cl_mem sum = rig.buffer(std::vector<float>(n));
  cl_kernel k = rig.kernel(program, "vector_add", rig.buffer(a), rig.buffer(b), sum);
  rig.measure([&] { rig.launch(k, n, 256); });
  std::vector<float> expected(n);
  for (std::size_t i = 0; i < n; ++i) expected[i] = a[i] + b[i];
  rig.expect("vector_add", rig.read<float>(sum, n), expected, 0);
}

void axpy(Rig& rig) {
  const std::size_t n = rig.items(mega);
  const auto x = random_floats(n, 0, 1), y = random_floats(n, -4, 4);
  cl_mem out = rig.buffer(y);
  cl_kernel k = rig.kernel(program, "axpy", rig.buffer(x), out, 2.5F, static_cast<cl_uint>(n));
  rig.measure([&] { rig.launch(k, n / 4, 256); });
  std::vector<float> expected(n);
  for (std::size_t i = 0; i < n; ++i) expected[i] = 2.5F * x[i] + y[i];
  rig.expect("axpy", rig.read<float>(out, n), expected, 1e-6);
}

void tiled_multiply(Rig& rig) {
  constexpr std::size_t n = 256;
  const std::size_t rows = std::max<std::size_t>(16, rig.items(n));
  const auto a = random_floats(n * n, 0, 1), b = random_floats(n * n, -1, 1);
  cl_mem c = rig.buffer(std::vector<float>(n * n));
  cl_kernel k = rig.kernel(program, "tiled_multiply", rig.buffer(a), rig.buffer(b), c, static_cast<cl_int>(n));
  rig.measure([&] { rig.launch(k, n, rows, 16); });
  std::vector<float> expected(n * n);
  for (std::size_t y = 0; y < rows; ++y) {
    for (std::size_t x = 0; x < n; ++x) {
      double sum = 0;
      for (std::size_t i = 0; i < n; ++i) sum += static_cast<double>(a[y * n + i]) * static_cast<double>(b[i * n + x]);
      expected[y * n + x] = static_cast<float>(sum);
    }
  }
  rig.expect("tiled_multiply", rig.read<float>(c, n * n), expected, 1e-4);
}

void tree_sum(Rig& rig) {
  const std::size_t n = rig.items(mega);
  constexpr std::size_t group = 256;
  const auto in = random_floats(n, 0, 1);
  cl_mem sums = rig.buffer(std::vector<float>(n / group));
  cl_kernel k = rig.kernel(program, "tree_sum", rig.buffer(in), sums, LocalBytes{group * sizeof(float)});
  rig.measure([&] { rig.launch(k, n, group); });
  std::vector<float> expected;
  for (std::size_t i = 0; i < n; i += group) {
    double sum = 0;
    for (std::size_t j = 0; j < group; ++j) sum += static_cast<double>(in[i + j]);
    expected.push_back(static_cast<float>(sum));
  }
  rig.expect("tree_sum", rig.read<float>(sums, n / group), expected, 1e-5);
}

void five_point(Rig& rig) {
  const std::size_t side = rig.side(1024);
  const auto in = random_floats(side * side, 0, 1);
  cl_mem out = rig.buffer(std::vector<float>(side * side));
  const auto length = static_cast<cl_int>(side);
  cl_kernel k = rig.kernel(program, "five_point", rig.buffer(in), out, length, length);
  rig.measure([&] { rig.launch(k, side, side, 16); });
  std::vector<float> expected = in;
  for (std::size_t y = 1; y + 1 < side; ++y) {
    for (std::size_t x = 1; x + 1 < side; ++x) {
      const std::size_t at = y * side + x;
      expected[at] = 0.2F * (in[at] + in[at - 1] + in[at + 1] + in[at - side] + in[at + side]);
    }
  }
  rig.expect("five_point", rig.read<float>(out, side * side), expected, 1e-6);
}

void histogram(Rig& rig, const char* kernel) {
  const std::size_t n = rig.items(mega);
  const auto in = random_bytes(n);
  cl_mem bins = rig.buffer(std::vector<cl_uint>(256));
  cl_kernel k = rig.kernel(program, kernel, rig.buffer(in), bins, static_cast<cl_uint>(n));
  rig.measure([&] { rig.launch(k, n / 16, 256); });
  std::vector<cl_uint> expected(256);
  for (const std::uint8_t value : in) ++expected[value];
  rig.expect(kernel, rig.read<cl_uint>(bins, 256), expected, 0);
}
void local_histogram(Rig& rig) {
  histogram(rig, "local_histogram");
}
void global_histogram(Rig& rig) {
  histogram(rig, "global_histogram");
}

void transpose(Rig& rig) {
  const std::size_t side = rig.side(1024);
  const auto in = random_floats(side * side, 0, 1);
  cl_mem out = rig.buffer(std::vector<float>(side * side));
  const auto length = static_cast<cl_int>(side);
  cl_kernel k = rig.kernel(program, "transpose", rig.buffer(in), out, length, length);
  rig.measure([&] { rig.launch(k, side, side, 16); });
  std::vector<float> expected(side * side);
  for (std::size_t y = 0; y < side; ++y) {
    for (std::size_t x = 0; x < side; ++x) expected[x * side + y] = in[y * side + x];
  }
  rig.expect("transpose", rig.read<float>(out, side * side), expected, 0);
}

void gravity(Rig& rig) {
  constexpr std::size_t bodies = 2048, group = 64;
  const std::size_t n = std::max(group, rig.items(4096));
  const auto in = random_floats(4 * 4096, 0, 1);
  cl_mem out = rig.buffer(std::vector<float>(4 * n));
  cl_kernel k = rig.kernel(program, "gravity", rig.buffer(in), out, static_cast<cl_int>(bodies),
                           LocalBytes{group * sizeof(cl_float4)});
  rig.measure([&] { rig.launch(k, n, group); });
  std::vector<float> expected(4 * n);
  for (std::size_t i = 0; i < n; ++i) {
    double pull[3] = {};
    for (std::size_t j = 0; j < bodies; ++j) {
      double way[3], square = 0.01;
      for (std::size_t d = 0; d < 3; ++d) {
        way[d] = static_cast<double>(in[4 * j + d]) - static_cast<double>(in[4 * i + d]);
        square += way[d] * way[d];
      }
      for (std::size_t d = 0; d < 3; ++d)
        pull[d] += way[d] * static_cast<double>(in[4 * j + 3]) / (square * std::sqrt(square));
    }
    for (std::size_t d = 0; d < 3; ++d) expected[4 * i + d] = static_cast<float>(pull[d]);
  }
  // Pulls from all sides leave a small part of what was added.
  rig.expect("gravity", rig.read<float>(out, 4 * n), expected, 2e-2);
}

std::uint32_t turn(std::uint32_t x, unsigned n) {
  return x << n | x >> (32 - n);
}

void digest(Rig& rig) {
  const std::size_t n = std::max<std::size_t>(256, rig.items(65536));
  constexpr std::uint32_t rounds = 64;
  const auto in = random_words(16 * n);
  cl_mem out = rig.buffer(std::vector<cl_uint>(4 * n));
  cl_kernel k = rig.kernel(program, "digest", rig.buffer(in), out, rounds);
  rig.measure([&] { rig.launch(k, n, 256); });
  std::vector<cl_uint> expected;
  for (std::size_t i = 0; i < n; ++i) {
    std::vector<std::uint32_t> m(in.begin() + static_cast<std::ptrdiff_t>(16 * i),
                                 in.begin() + static_cast<std::ptrdiff_t>(16 * i + 16));
    std::uint32_t a = 0x243f6a88U, b = 0x85a308d3U, c = 0x13198a2eU, d = 0x03707344U;
    for (std::uint32_t r = 0; r < rounds; ++r) {
      const std::uint32_t word = m[r & 15];
      const std::uint32_t next = d + (turn(a, 7) ^ turn(a, 19)) + ((b & a) | (c & ~a)) + word + 0x9e3779b9U * (r + 1);
      d = c, c = b, b = a, a = next;
      m[r & 15] = word + (turn(m[(r + 1) & 15], 25) ^ (m[(r + 9) & 15] >> 3));
    }
    expected.insert(expected.end(), {a, b, c, d});
  }
  rig.expect("digest", rig.read<cl_uint>(out, 4 * n), expected, 0);
}

void box_blur(Rig& rig) {
  const std::size_t side = rig.side(512);
  constexpr int radius = 2;
  const auto in = random_bytes(4 * side * side);
  cl_mem out = rig.image(side, side, std::vector<std::uint8_t>(4 * side * side));
  cl_kernel k = rig.kernel(program, "box_blur", rig.image(side, side, in), out, cl_int{radius});
  rig.measure([&] { rig.launch(k, side, side, 16); });
  std::vector<int> expected;
  const int last = static_cast<int>(side) - 1;
  for (int at = 0; at < static_cast<int>(4 * side * side); ++at) {
    const int x = at / 4 % (last + 1), y = at / 4 / (last + 1);
    int sum = 0;
    for (int dy = -radius; dy <= radius; ++dy) {
      for (int dx = -radius; dx <= radius; ++dx) {
        const int from = std::clamp(y + dy, 0, last) * (last + 1) + std::clamp(x + dx, 0, last);
        sum += in[static_cast<std::size_t>(4 * from + at % 4)];
      }
    }
    expected.push_back(sum / 25);
  }
  const auto results = rig.read_image(out, side, side);
  std::vector<int> wide(results.begin(), results.end());
  // Rounded to nearest there, towards zero here.
  for (std::size_t i = 0; i < wide.size(); ++i) wide[i] -= expected[i];
  rig.expect("box_blur", wide, std::vector<int>(wide.size()), 1.0);
}

void csr_product(Rig& rig) {
  const std::size_t n = rig.items(65536);
  const Rows rows = random_rows(n, 31);
  const auto x = random_floats(n, 0, 1);
  cl_mem y = rig.buffer(std::vector<float>(n));
  cl_kernel k = rig.kernel(program, "csr_product", rig.buffer(rows.begins), rig.buffer(rows.columns),
                           rig.buffer(rows.values), rig.buffer(x), y, static_cast<cl_int>(n));
  rig.measure([&] { rig.launch(k, std::max<std::size_t>(256, n / 4), 256); });
  rig.expect("csr_product", rig.read<float>(y, n), product(rows, x), 1e-5);
}

void mandelbrot(Rig& rig) {
  const std::size_t side = rig.side(256);
  constexpr int most = 256;
  cl_mem steps = rig.buffer(std::vector<cl_int>(side * side));
  cl_kernel k = rig.kernel(program, "mandelbrot", steps, static_cast<cl_int>(side), cl_int{most});
  rig.measure([&] { rig.launch(k, side, side, 16); });
  std::vector<cl_int> expected;
  for (std::size_t i = 0; i < side * side; ++i) {
    const float cx = 3.0F * static_cast<float>(i % side) / static_cast<float>(side) - 2.0F;
    const float cy = 3.0F * static_cast<float>(i / side) / static_cast<float>(side) - 1.5F;
    float x = 0, y = 0;
    int n = 0;
    for (; n < most && x * x + y * y < 4.0F; ++n) {
      const float next = x * x - y * y + cx;
      y = 2 * x * y + cy;
      x = next;
    }
    expected.push_back(n);
  }
  // Whether a product is rounded before it is added decides for few points when they leave.
  rig.expect("mandelbrot", rig.read<cl_int>(steps, side * side), expected, 0, 0.03);
}

void mathematics(Rig& rig) {
  const std::size_t n = std::max<std::size_t>(256, rig.items(131072));
  const auto in = random_floats(n, 0.01F, 4);
  cl_mem out = rig.buffer(std::vector<float>(n));
  cl_kernel k = rig.kernel(program, "mathematics", rig.buffer(in), out);
  rig.measure([&] { rig.launch(k, n, 256); });
  std::vector<float> expected;
  for (const float value : in) {
    const double x = static_cast<double>(value);
    expected.push_back(static_cast<float>(std::sin(x) + std::cos(2 * x) + std::exp(-x) + std::log(1 + x) +
                                          std::pow(x, 1.7) + std::sqrt(x) + std::tanh(x) + std::atan2(x, 2.0)));
  }
  rig.expect("mathematics", rig.read<float>(out, n), expected, 1e-5);
}

void mathematics_double(Rig& rig) {
  const std::size_t n = std::max<std::size_t>(256, rig.items(131072));
  std::vector<double> in, expected;
  for (std::size_t i = 0; i < n; ++i) {
    const double x = 0.01 + static_cast<double>(mixed(i)) / 1.1e9;
    in.push_back(x);
    expected.push_back(std::sin(x) + std::exp(-x) + std::log(1 + x) + std::pow(x, 1.7) + x * x + 1.0 + std::cbrt(x));
  }
  cl_mem out = rig.buffer(std::vector<double>(n));
  cl_kernel k = rig.kernel(program, "mathematics_double", rig.buffer(in), out);
  rig.measure([&] { rig.launch(k, n, 256); });
  rig.expect("mathematics_double", rig.read<double>(out, n), expected, 1e-12);
}

}  // namespace

const std::vector<Workload>& single_kernels() {
  static const std::vector<Workload> all = {
      {"vector_add", vector_add},
      {"axpy", axpy},
      {"tiled_multiply", tiled_multiply},
      {"tree_sum", tree_sum},
      {"five_point", five_point},
      {"local_histogram", local_histogram},
      {"global_histogram", global_histogram},
      {"transpose", transpose},
      {"gravity", gravity},
      {"digest", digest},
      {"box_blur", box_blur},
      {"csr_product", csr_product},
      {"mandelbrot", mandelbrot},
      {"mathematics", mathematics},
      {"mathematics_double", mathematics_double},
  };
  return all;
}

}  // namespace sluice::bench

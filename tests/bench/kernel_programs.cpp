// Ten programs of several launches each, with the host's decisions between them, and what each must compute.
#include <algorithm>
#include <cmath>
#include <complex>
#include <deque>

#include "tests/bench/kernel_rig.h"

namespace sluice::bench {
namespace {

void sort(Rig& rig) {
  constexpr cl_uint group = 256;
  const std::size_t n = std::max<std::size_t>(4 * group, rig.items(65536));
  const auto keys = random_words(n);
  cl_mem all = rig.buffer(keys);
  const LocalBytes local{2 * group * sizeof(cl_uint)};
  cl_kernel near = rig.kernel("sort", "sort_near", all, local, cl_uint{2}, cl_uint{2 * group});
  cl_kernel far = rig.kernel("sort", "sort_far", all, cl_uint{0}, cl_uint{0});
  rig.measure([&] {
    Rig::set(near, 2, cl_uint{2});
    Rig::set(near, 3, cl_uint{2 * group});
    rig.launch(near, n / 2, group);
    for (cl_uint run = 4 * group; run <= n; run *= 2) {
      Rig::set(far, 1, run);
      for (cl_uint distance = run / 2; distance > group; distance /= 2) {
        Rig::set(far, 2, distance);
        rig.launch(far, n / 2, group);
      }
      Rig::set(near, 2, run);
      Rig::set(near, 3, run);
      rig.launch(near, n / 2, group);
    }
  });
  std::vector<cl_uint> expected = keys;
  std::sort(expected.begin(), expected.end());
  rig.expect("sort", rig.read<cl_uint>(all, n), expected, 0);
}

void scan(Rig& rig) {
  constexpr std::size_t group = 256;
  const std::size_t n = std::max(group * group, rig.items(std::size_t{1} << 20));
  std::vector<cl_uint> in = random_words(n);
  for (cl_uint& value : in) value &= 0xff;
  const std::size_t blocks = n / group, upper = (blocks + group - 1) / group;
  cl_mem out = rig.buffer(std::vector<cl_uint>(n));
  cl_mem sums = rig.buffer(std::vector<cl_uint>(upper * group));
  cl_mem sums_before = rig.buffer(std::vector<cl_uint>(upper * group));
  cl_mem tops = rig.buffer(std::vector<cl_uint>(group));
  cl_mem tops_before = rig.buffer(std::vector<cl_uint>(group));
  cl_mem total = rig.buffer(std::vector<cl_uint>(1));
  const LocalBytes local{group * sizeof(cl_uint)};
  cl_kernel lower = rig.kernel("scan", "scan_blocks", rig.buffer(in), out, sums, local);
  cl_kernel middle = rig.kernel("scan", "scan_blocks", sums, sums_before, tops, local);
  cl_kernel top = rig.kernel("scan", "scan_blocks", tops, tops_before, total, local);
  cl_kernel add_tops = rig.kernel("scan", "add_sums", sums_before, tops_before);
  cl_kernel add = rig.kernel("scan", "add_sums", out, sums_before);
  rig.measure([&] {
    rig.launch(lower, n, group);
    rig.launch(middle, upper * group, group);
    rig.launch(top, group, group);
    rig.launch(add_tops, upper * group, group);
    rig.launch(add, n, group);
  });
  std::vector<cl_uint> expected;
  cl_uint sum = 0;
  for (const cl_uint value : in) {
    expected.push_back(sum);
    sum += value;
  }
  rig.expect("scan", rig.read<cl_uint>(out, n), expected, 0);
}

void graph(Rig& rig) {
  const std::size_t n = rig.items(65536);
  const Rows edges = random_rows(n, 9);
  std::vector<cl_int> levels(n, -1);
  levels[0] = 0;
  cl_mem found = rig.buffer(levels);
  cl_mem more = rig.buffer(std::vector<cl_int>(1));
  cl_kernel k =
      rig.kernel("graph", "visit", rig.buffer(edges.begins), rig.buffer(edges.columns), found, cl_int{0}, more);
  rig.measure([&] {
    cl_int again = 1;
    for (cl_int level = 0; again != 0; ++level) {
      rig.write(more, std::vector<cl_int>{0});
      Rig::set(k, 3, level);
      rig.launch(k, n, 256);
      again = rig.read<cl_int>(more, 1).front();
    }
  });
  std::deque<std::size_t> queue{0};
  for (; !queue.empty(); queue.pop_front()) {
    const std::size_t at = queue.front();
    for (int i = edges.begins[at]; i < edges.begins[at + 1]; ++i) {
      const auto to = static_cast<std::size_t>(edges.columns[static_cast<std::size_t>(i)]);
      if (levels[to] >= 0) continue;
      levels[to] = levels[at] + 1;
      queue.push_back(to);
    }
  }
  rig.expect("graph", rig.read<cl_int>(found, n), levels, 0);
}

void clusters(Rig& rig) {
  const std::size_t n = rig.items(65536);
  constexpr std::size_t count = 16;
  constexpr int rounds = 4;
  const auto points = random_floats(2 * n, 0, 1);
  std::vector<float> centres(points.begin(), points.begin() + 2 * count);
  cl_mem places = rig.buffer(centres);
  cl_mem sums = rig.buffer(std::vector<cl_int>(3 * count));
  cl_kernel assign = rig.kernel("clusters", "assign", rig.buffer(points), places, static_cast<cl_int>(count),
                                rig.buffer(std::vector<cl_int>(n)), sums);
  cl_kernel move = rig.kernel("clusters", "move", places, sums);
  rig.measure([&] {
    for (int i = 0; i < rounds; ++i) {
      rig.launch(assign, n, 256);
      rig.launch(move, count, count);
    }
  });
  for (int round = 0; round < rounds; ++round) {
    std::vector<double> total(3 * count);
    for (std::size_t i = 0; i < n; ++i) {
      std::size_t best = 0;
      float least = INFINITY;
      for (std::size_t c = 0; c < count; ++c) {
        const float x = points[2 * i] - centres[2 * c], y = points[2 * i + 1] - centres[2 * c + 1];
        if (x * x + y * y < least) least = x * x + y * y, best = c;
      }
      total[3 * best] += std::nearbyint(static_cast<double>(points[2 * i]) * 1024);
      total[3 * best + 1] += std::nearbyint(static_cast<double>(points[2 * i + 1]) * 1024);
      ++total[3 * best + 2];
    }
    for (std::size_t c = 0; c < count; ++c) {
      for (std::size_t d = 0; d < 2 && total[3 * c + 2] > 0; ++d)
        centres[2 * c + d] = static_cast<float>(total[3 * c + d] / (1024 * total[3 * c + 2]));
    }
  }
  // A point between two centres may fall to either.
  rig.expect("clusters", rig.read<float>(places, 2 * count), centres, 1e-3);
}

void fourier(Rig& rig) {
  const std::size_t n = rig.items(65536);
  constexpr std::size_t tone = 5;
  std::vector<float> in;
  for (std::size_t i = 0; i < n; ++i) {
    const double phase = 2 * M_PI * static_cast<double>(tone * i % n) / static_cast<double>(n);
    in.insert(in.end(), {static_cast<float>(std::cos(phase)) + 0.5F, static_cast<float>(std::sin(phase))});
  }
  cl_mem here = rig.buffer(in);
  cl_mem there = rig.buffer(std::vector<float>(2 * n));
  cl_kernel k = rig.kernel("fourier", "transform", here, there, cl_uint{1});
  cl_mem result = here;
  rig.measure([&] {
    cl_mem from = here, to = there;
    for (cl_uint run = 1; run < n; run *= 2) {
      Rig::set(k, 0, from);
      Rig::set(k, 1, to);
      Rig::set(k, 2, run);
      rig.launch(k, n / 2, 128);
      std::swap(from, to);
    }
    result = from;
  });
  // A constant and one turning pointer: two lines, and nothing between them.
  std::vector<float> expected(2 * n);
  expected[0] = 0.5F;
  expected[2 * tone] = 1;
  std::vector<float> spectrum = rig.read<float>(result, 2 * n);
  for (float& value : spectrum) value /= static_cast<float>(n);
  rig.expect("fourier", spectrum, expected, 1e-4);
}

void heat(Rig& rig) {
  const std::size_t side = rig.side(512);
  constexpr int steps = 8;
  std::vector<float> plate = random_floats(side * side, 0, 100);
  cl_mem here = rig.buffer(plate);
  cl_mem there = rig.buffer(std::vector<float>(side * side));
  const auto length = static_cast<cl_int>(side);
  cl_kernel odd = rig.kernel("heat", "spread", here, there, length, length, 0.2F);
  cl_kernel even = rig.kernel("heat", "spread", there, here, length, length, 0.2F);
  rig.measure([&] {
    for (int i = 0; i < steps; ++i) rig.launch(i % 2 == 0 ? odd : even, side, side, 16);
  });
  for (int i = 0; i < steps; ++i) {
    const std::vector<float> old = plate;
    for (std::size_t y = 1; y + 1 < side; ++y) {
      for (std::size_t x = 1; x + 1 < side; ++x) {
        const std::size_t at = y * side + x;
        plate[at] = old[at] + 0.2F * (old[at - 1] + old[at + 1] + old[at - side] + old[at + side] - 4 * old[at]);
      }
    }
  }
  rig.expect("heat", rig.read<float>(here, side * side), plate, 1e-4);
}

// A symmetric matrix of positive eigenvalues: a grid's neighbours.
Rows grid_matrix(std::size_t side) {
  Rows rows;
  rows.begins.push_back(0);
  const auto add = [&](std::size_t column, float value) {
    rows.columns.push_back(static_cast<int>(column));
    rows.values.push_back(value);
  };
  for (std::size_t y = 0; y < side; ++y) {
    for (std::size_t x = 0; x < side; ++x) {
      const std::size_t at = y * side + x;
      if (y > 0) add(at - side, -1);
      if (x > 0) add(at - 1, -1);
      add(at, 4.5F);
      if (x + 1 < side) add(at + 1, -1);
      if (y + 1 < side) add(at + side, -1);
      rows.begins.push_back(static_cast<int>(rows.columns.size()));
    }
  }
  return rows;
}

void solver(Rig& rig) {
  const std::size_t side = rig.side(256), n = side * side;
  constexpr std::size_t group = 256;
  constexpr int steps = 12;
  const Rows matrix = grid_matrix(side);
  const auto right = random_floats(n, -1, 1);
  const std::vector<float> zeros(n);
  cl_mem x = rig.buffer(zeros), rest = rig.buffer(right), way = rig.buffer(right), image = rig.buffer(zeros);
  cl_mem sums = rig.buffer(std::vector<float>(n / group));
  const LocalBytes local{group * sizeof(float)};
  cl_kernel multiply = rig.kernel("solver", "product", rig.buffer(matrix.begins), rig.buffer(matrix.columns),
                                  rig.buffer(matrix.values), way, image);
  cl_kernel along = rig.kernel("solver", "inner", way, image, sums, local);
  cl_kernel length = rig.kernel("solver", "inner", rest, rest, sums, local);
  cl_kernel move = rig.kernel("solver", "add_scaled", x, way, 0.0F);
  cl_kernel lower = rig.kernel("solver", "add_scaled", rest, image, 0.0F);
  cl_kernel turn = rig.kernel("solver", "scale_add", way, rest, 0.0F);
  const auto inner = [&](cl_kernel kernel) {
    rig.launch(kernel, n, group);
    double sum = 0;
    for (const float part : rig.read<float>(sums, n / group)) sum += static_cast<double>(part);
    return sum;
  };
  rig.measure([&] {
    double square = inner(length);
    for (int i = 0; i < steps; ++i) {
      rig.launch(multiply, n, group);
      const auto step = static_cast<float>(square / inner(along));
      Rig::set(move, 2, step);
      rig.launch(move, n, group);
      Rig::set(lower, 2, -step);
      rig.launch(lower, n, group);
      const double next = inner(length);
      Rig::set(turn, 2, static_cast<float>(next / square));
      rig.launch(turn, n, group);
      square = next;
    }
  });
  // The condition of the matrix is at most 17, so a step shrinks the error by (sqrt(17) - 1) / (sqrt(17) + 1) = 0.61.
  rig.expect("solver", product(matrix, rig.read<float>(x, n)), right, 0.05);
}

void equalise(Rig& rig) {
  const std::size_t n = rig.items(std::size_t{1} << 20);
  std::vector<std::uint8_t> in = random_bytes(n);
  for (std::uint8_t& value : in) value = static_cast<std::uint8_t>(value / 4 + 80);
  cl_mem picture = rig.buffer(in), bins = rig.buffer(std::vector<cl_uint>(256));
  cl_mem table = rig.buffer(std::vector<std::uint8_t>(256)), out = rig.buffer(std::vector<std::uint8_t>(n));
  const auto count = static_cast<cl_uint>(n);
  cl_kernel levels = rig.kernel("equalise", "count_levels", picture, bins, count);
  cl_kernel sums = rig.kernel("equalise", "make_table", bins, table, count);
  cl_kernel apply = rig.kernel("equalise", "apply_table", picture, out, table);
  rig.measure([&] {
    rig.launch(levels, n / 16, 256);
    rig.launch(sums, 256, 256);
    rig.launch(apply, n / 4, 256);
  });
  std::vector<std::uint64_t> running(256);
  for (const std::uint8_t value : in) ++running[value];
  for (std::size_t i = 1; i < 256; ++i) running[i] += running[i - 1];
  std::vector<std::uint8_t> expected;
  for (const std::uint8_t value : in) expected.push_back(static_cast<std::uint8_t>(running[value] * 255 / n));
  rig.expect("equalise", rig.read<std::uint8_t>(out, n), expected, 0);
}

void planets(Rig& rig) {
  constexpr std::size_t group = 64;
  const std::size_t n = std::max<std::size_t>(2 * group, rig.side(1024));
  constexpr int steps = 4;
  constexpr float time = 1e-4F;
  const auto bodies = random_floats(4 * n, 0, 1);
  std::vector<double> at(bodies.begin(), bodies.end()), speed(4 * n);
  cl_mem places = rig.buffer(bodies), speeds = rig.buffer(std::vector<float>(4 * n));
  cl_kernel pull = rig.kernel("planets", "pull", places, speeds, time, LocalBytes{group * sizeof(cl_float4)});
  cl_kernel travel = rig.kernel("planets", "travel", places, speeds, time);
  rig.measure([&] {
    for (int i = 0; i < steps; ++i) {
      rig.launch(pull, n, group);
      rig.launch(travel, n, group);
    }
  });
  for (int step = 0; step < steps; ++step) {
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        double square = 0.05;
        for (std::size_t d = 0; d < 3; ++d) square += (at[4 * j + d] - at[4 * i + d]) * (at[4 * j + d] - at[4 * i + d]);
        const double weight = static_cast<double>(time) * at[4 * j + 3] / (square * std::sqrt(square));
        for (std::size_t d = 0; d < 3; ++d) speed[4 * i + d] += weight * (at[4 * j + d] - at[4 * i + d]);
      }
    }
    for (std::size_t i = 0; i < 4 * n; ++i) at[i] += static_cast<double>(time) * speed[i];
  }
  const std::vector<float> expected(speed.begin(), speed.end());
  rig.expect("planets", rig.read<float>(speeds, 4 * n), expected, 1e-3);
}

// One channel of a picture, kept at its rim.
double sample(const std::vector<std::uint8_t>& p, int side, int x, int y, int channel) {
  const int at = std::clamp(y, 0, side - 1) * side + std::clamp(x, 0, side - 1);
  return p[static_cast<std::size_t>(4 * at + channel)] / 255.0;
}

void picture(Rig& rig) {
  const std::size_t side = rig.side(512);
  constexpr int radius = 3;
  std::vector<std::uint8_t> in = random_bytes(4 * side * side);
  const std::vector<float> weights{0.05F, 0.1F, 0.2F, 0.3F, 0.2F, 0.1F, 0.05F};
  const std::vector<std::uint8_t> black(in.size());
  cl_mem first = rig.image(side, side, in), second = rig.image(side, side, black);
  cl_mem out = rig.buffer(std::vector<float>(side * side)), factors = rig.buffer(weights);
  cl_kernel across = rig.kernel("picture", "smooth", first, second, factors, cl_int{radius}, cl_int2{{1, 0}});
  cl_kernel down = rig.kernel("picture", "smooth", second, first, factors, cl_int{radius}, cl_int2{{0, 1}});
  cl_kernel edges = rig.kernel("picture", "edges", first, out);
  rig.measure([&] {
    rig.launch(across, side, side, 16);
    rig.launch(down, side, side, 16);
    rig.launch(edges, side, side, 16);
  });
  const int length = static_cast<int>(side);
  for (int pass = 0; pass < 2; ++pass) {
    std::vector<std::uint8_t> smoothed;
    for (int i = 0; i < 4 * length * length; ++i) {
      double sum = 0;
      for (int d = -radius; d <= radius; ++d) {
        const int x = i / 4 % length + (pass == 0 ? d : 0), y = i / 4 / length + (pass == 1 ? d : 0);
        sum += static_cast<double>(weights[static_cast<std::size_t>(d + radius)]) * sample(in, length, x, y, i % 4);
      }
      smoothed.push_back(static_cast<std::uint8_t>(std::lround(255 * sum)));
    }
    in = smoothed;
  }
  std::vector<float> expected;
  for (int i = 0; i < length * length; ++i) {
    const auto bright = [&](int dx, int dy) {
      const int x = i % length + dx, y = i / length + dy;
      return 0.25 * sample(in, length, x, y, 0) + 0.5 * sample(in, length, x, y, 1) +
             0.25 * sample(in, length, x, y, 2);
    };
    expected.push_back(static_cast<float>(std::hypot(bright(1, 0) - bright(-1, 0), bright(0, 1) - bright(0, -1))));
  }
  // Each pass may round by one level of 255 differently.
  rig.expect("picture", rig.read<float>(out, side * side), expected, 4.0 / 255);
}

}  // namespace

const std::vector<Workload>& kernel_programs() {
  static const std::vector<Workload> all = {
      {"sort", sort}, {"scan", scan},     {"graph", graph},       {"clusters", clusters}, {"fourier", fourier},
      {"heat", heat}, {"solver", solver}, {"equalise", equalise}, {"planets", planets},   {"picture", picture},
  };
  return all;
}

}  // namespace sluice::bench

// Fifteen kernels, each a launch of its own: streams, local memory, atomics, gathers, an image, and arithmetic.
#ifdef cl_khr_fp64
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#endif

kernel void vector_add(global const float* a, global const float* b, global float* sum) {
  const size_t i = get_global_id(0);
  sum[i] = a[i] + b[i];
}

kernel void axpy(global const float* x, global float* y, float factor, uint n) {
  for (uint i = get_global_id(0); i < n; i += get_global_size(0)) y[i] = mad(factor, x[i], y[i]);
}

#define TILE 16
kernel void tiled_multiply(global const float* a, global const float* b, global float* c, int n) {
  local float left[TILE][TILE];
  local float right[TILE][TILE];
  const int x = get_local_id(0);
  const int y = get_local_id(1);
  const int column = get_global_id(0);
  const int row = get_global_id(1);
  float sum = 0;
  for (int k = 0; k < n; k += TILE) {
    left[y][x] = a[row * n + k + x];
    right[y][x] = b[(k + y) * n + column];
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int i = 0; i < TILE; ++i) sum += left[y][i] * right[i][x];
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  c[row * n + column] = sum;
}

kernel void tree_sum(global const float* in, global float* sums, local float* part) {
  const uint i = get_local_id(0);
  part[i] = in[get_global_id(0)];
  barrier(CLK_LOCAL_MEM_FENCE);
  for (uint half_size = get_local_size(0) / 2; half_size != 0; half_size /= 2) {
    if (i < half_size) part[i] += part[i + half_size];
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  if (i == 0) sums[get_group_id(0)] = part[0];
}

kernel void five_point(global const float* in, global float* out, int width, int height) {
  const int x = get_global_id(0);
  const int y = get_global_id(1);
  const int at = y * width + x;
  float value = in[at];
  if (x > 0 && y > 0 && x < width - 1 && y < height - 1)
    value = 0.2f * (value + in[at - 1] + in[at + 1] + in[at - width] + in[at + width]);
  out[at] = value;
}

kernel void local_histogram(global const uchar* in, global uint* bins, uint n) {
  local uint mine[256];
  for (uint b = get_local_id(0); b < 256; b += get_local_size(0)) mine[b] = 0;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (uint i = get_global_id(0); i < n; i += get_global_size(0)) atomic_inc(&mine[in[i]]);
  barrier(CLK_LOCAL_MEM_FENCE);
  for (uint b = get_local_id(0); b < 256; b += get_local_size(0)) atomic_add(&bins[b], mine[b]);
}

kernel void global_histogram(global const uchar* in, global uint* bins, uint n) {
  for (uint i = get_global_id(0); i < n; i += get_global_size(0)) atomic_inc(&bins[in[i]]);
}

kernel void transpose(global const float* in, global float* out, int width, int height) {
  local float tile[TILE][TILE + 1];
  const int x = get_local_id(0);
  const int y = get_local_id(1);
  const int left = get_group_id(0) * TILE;
  const int top = get_group_id(1) * TILE;
  tile[y][x] = in[(top + y) * width + left + x];
  barrier(CLK_LOCAL_MEM_FENCE);
  out[(left + y) * height + top + x] = tile[x][y];
}

kernel void gravity(global const float4* bodies, global float4* pulls, int n, local float4* near) {
  const int l = get_local_id(0);
  const float3 me = bodies[get_global_id(0)].xyz;
  float3 pull = 0;
  for (int first = 0; first < n; first += get_local_size(0)) {
    near[l] = bodies[first + l];
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int i = 0; i < (int)get_local_size(0); ++i) {
      const float3 way = near[i].xyz - me;
      const float inverse = rsqrt(dot(way, way) + 0.01f);
      pull += way * (near[i].w * inverse * inverse * inverse);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  pulls[get_global_id(0)] = (float4)(pull, 0);
}

// A round function of the kind that hashes have: rotations, choices and a message schedule in private memory.
kernel void digest(global const uint* in, global uint* out, uint rounds) {
  const size_t item = get_global_id(0);
  uint message[16];
  uint state[4] = {0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u};
  for (int i = 0; i < 16; ++i) message[i] = in[item * 16 + i];
  for (uint r = 0; r < rounds; ++r) {
    const uint word = message[r & 15];
    const uint mixed = state[3] + (rotate(state[0], 7u) ^ rotate(state[0], 19u)) + bitselect(state[2], state[1], state[0]);
    state[3] = state[2];
    state[2] = state[1];
    state[1] = state[0];
    state[0] = mixed + word + 0x9e3779b9u * (r + 1);
    message[r & 15] = word + (rotate(message[(r + 1) & 15], 25u) ^ (message[(r + 9) & 15] >> 3));
  }
  vstore4((uint4)(state[0], state[1], state[2], state[3]), item, out);
}

constant sampler_t clamped = CLK_NORMALIZED_COORDS_FALSE | CLK_ADDRESS_CLAMP_TO_EDGE | CLK_FILTER_NEAREST;
kernel void box_blur(read_only image2d_t in, write_only image2d_t out, int radius) {
  const int2 at = (int2)(get_global_id(0), get_global_id(1));
  float4 sum = 0;
  for (int y = -radius; y <= radius; ++y) {
    for (int x = -radius; x <= radius; ++x) sum += read_imagef(in, clamped, at + (int2)(x, y));
  }
  const float side = 2 * radius + 1;
  write_imagef(out, at, sum / (side * side));
}

kernel void csr_product(global const int* begins, global const int* columns, global const float* values,
                        global const float* x, global float* y, int rows) {
  for (int row = get_global_id(0); row < rows; row += get_global_size(0)) {
    float sum = 0;
    for (int i = begins[row]; i < begins[row + 1]; ++i) sum += values[i] * x[columns[i]];
    y[row] = sum;
  }
}

kernel void mandelbrot(global int* steps, int width, int most) {
  const int x = get_global_id(0);
  const int y = get_global_id(1);
  const float2 c = (float2)(3.0f * x / width - 2.0f, 3.0f * y / width - 1.5f);
  float2 z = 0;
  int n = 0;
  for (; n < most && z.x * z.x + z.y * z.y < 4.0f; ++n) z = (float2)(z.x * z.x - z.y * z.y, 2 * z.x * z.y) + c;
  steps[y * width + x] = n;
}

kernel void mathematics(global const float* in, global float* out) {
  const size_t i = get_global_id(0);
  const float x = in[i];
  out[i] = sin(x) + cos(2 * x) + exp(-x) + log(1 + x) + pow(x, 1.7f) + sqrt(x) + tanh(x) + atan2(x, 2.0f);
}

kernel void mathematics_double(global const double* in, global double* out) {
  const size_t i = get_global_id(0);
  const double x = in[i];
  out[i] = sin(x) + exp(-x) + log(1 + x) + pow(x, 1.7) + fma(x, x, 1.0) + cbrt(x);
}

// Edges of a picture: smoothed along both axes, then the steepness of its brightness.
constant sampler_t clamped = CLK_NORMALIZED_COORDS_FALSE | CLK_ADDRESS_CLAMP_TO_EDGE | CLK_FILTER_NEAREST;

kernel void smooth(read_only image2d_t in, write_only image2d_t out, constant float* weights, int radius, int2 axis) {
  const int2 at = (int2)(get_global_id(0), get_global_id(1));
  float4 sum = 0;
  for (int i = -radius; i <= radius; ++i) sum += weights[i + radius] * read_imagef(in, clamped, at + i * axis);
  write_imagef(out, at, sum);
}

float brightness(read_only image2d_t in, int2 at) {
  const float4 p = read_imagef(in, clamped, at);
  return 0.25f * p.x + 0.5f * p.y + 0.25f * p.z;
}

kernel void edges(read_only image2d_t in, global float* out) {
  const int2 at = (int2)(get_global_id(0), get_global_id(1));
  const float right = brightness(in, at + (int2)(1, 0)) - brightness(in, at - (int2)(1, 0));
  const float down = brightness(in, at + (int2)(0, 1)) - brightness(in, at - (int2)(0, 1));
  out[at.y * get_global_size(0) + at.x] = sqrt(right * right + down * down);
}

// Every lane filters and writes one texel of its row.
constant sampler_t between = CLK_ADDRESS_CLAMP_TO_EDGE | CLK_FILTER_LINEAR | CLK_NORMALIZED_COORDS_FALSE;
kernel void filter(read_only image2d_t in, write_only image2d_t out) {
  int x = get_global_id(0);
  write_imagef(out, (int2)(x, 0), read_imagef(in, between, (float2)(x + 1, 1)));
}

constant sampler_t between = CLK_ADDRESS_CLAMP_TO_EDGE | CLK_FILTER_LINEAR | CLK_NORMALIZED_COORDS_FALSE;
// Every lane reads one texel and writes another: of a row, or of a column.
kernel void row(read_only image2d_t in, write_only image2d_t out) {
  const int2 at = (int2)(get_global_id(0), 0);
  write_imagef(out, at, read_imagef(in, at));
}
kernel void column(read_only image2d_t in, write_only image2d_t out) {
  const int2 at = (int2)(0, get_global_id(0));
  write_imagef(out, at, read_imagef(in, at));
}
// Every lane filters and writes one texel of its row.
kernel void filter(read_only image2d_t in, write_only image2d_t out) {
  int x = get_global_id(0);
  write_imagef(out, (int2)(x, 0), read_imagef(in, between, (float2)(x + 1, 1)));
}

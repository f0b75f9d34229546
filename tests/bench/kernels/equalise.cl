// Spreads the grey levels of a picture: histogram, its running sums, and every pixel's new level.
kernel void count_levels(global const uchar* picture, global uint* bins, uint n) {
  local uint mine[256];
  mine[get_local_id(0)] = 0;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (uint i = get_global_id(0); i < n; i += get_global_size(0)) atomic_inc(&mine[picture[i]]);
  barrier(CLK_LOCAL_MEM_FENCE);
  atomic_add(&bins[get_local_id(0)], mine[get_local_id(0)]);
}

kernel void make_table(global const uint* bins, global uchar* table, uint n) {
  local uint sums[256];
  const uint l = get_local_id(0);
  sums[l] = bins[l];
  for (uint distance = 1; distance < 256; distance *= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    const uint add = l >= distance ? sums[l - distance] : 0;
    barrier(CLK_LOCAL_MEM_FENCE);
    sums[l] += add;
  }
  table[l] = (uchar)((ulong)sums[l] * 255 / n);
}

kernel void apply_table(global const uchar4* in, global uchar4* out, global const uchar* table) {
  const size_t i = get_global_id(0);
  const uchar4 p = in[i];
  out[i] = (uchar4)(table[p.x], table[p.y], table[p.z], table[p.w]);
}

// Exclusive prefix sums: of blocks, of the blocks' sums, and both added.
kernel void scan_blocks(global const uint* in, global uint* out, global uint* sums, local uint* part) {
  const uint l = get_local_id(0);
  const uint n = get_local_size(0);
  const uint mine = in[get_global_id(0)];
  part[l] = mine;
  for (uint distance = 1; distance < n; distance *= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    const uint add = l >= distance ? part[l - distance] : 0;
    barrier(CLK_LOCAL_MEM_FENCE);
    part[l] += add;
  }
  out[get_global_id(0)] = part[l] - mine;
  if (l == n - 1) sums[get_group_id(0)] = part[l];
}

kernel void add_sums(global uint* out, global const uint* sums) { out[get_global_id(0)] += sums[get_group_id(0)]; }

// Bitonic sort: what fits a group's local memory there, the rest one exchange a launch.
void exchange(local uint* keys, uint i, uint distance, bool rising) {
  const uint a = keys[i];
  const uint b = keys[i + distance];
  if ((a > b) == rising) {
    keys[i] = b;
    keys[i + distance] = a;
  }
}

// Sorts blocks of twice the group's size from runs of `run` on, up to runs of `last`.
kernel void sort_near(global uint* all, local uint* keys, uint run, uint last) {
  const uint l = get_local_id(0);
  const uint n = get_local_size(0);
  const size_t block = get_group_id(0) * 2 * n;
  keys[l] = all[block + l];
  keys[l + n] = all[block + l + n];
  for (; run <= last; run *= 2) {
    for (uint distance = min(run / 2, n); distance != 0; distance /= 2) {
      barrier(CLK_LOCAL_MEM_FENCE);
      const uint i = 2 * l - (l & (distance - 1));
      exchange(keys, i, distance, ((block + i) & run) == 0);
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  all[block + l] = keys[l];
  all[block + l + n] = keys[l + n];
}

kernel void sort_far(global uint* all, uint run, uint distance) {
  const uint id = get_global_id(0);
  const uint i = 2 * id - (id & (distance - 1));
  const uint a = all[i];
  const uint b = all[i + distance];
  if ((a > b) == ((i & run) == 0)) {
    all[i] = b;
    all[i + distance] = a;
  }
}

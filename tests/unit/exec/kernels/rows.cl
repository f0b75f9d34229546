// Kernels whose work-items come to each place at most once between two barriers, and some that do not.

// What is exchanged depends on what was loaded; the outer loop may go on without a barrier.
kernel void exchanges(global uint* all, local uint* keys, uint run, uint last) {
  const uint l = get_local_id(0), n = get_local_size(0);
  const size_t block = get_group_id(0) * 2 * n;
  keys[l] = all[block + l];
  keys[l + n] = all[block + l + n];
  for (; run <= last; run *= 2) {
    for (uint distance = min(run / 2, n); distance != 0; distance /= 2) {
      barrier(CLK_LOCAL_MEM_FENCE);
      const uint i = 2 * l - (l & (distance - 1));
      const uint a = keys[i], b = keys[i + distance];
      if ((a > b) == (((block + i) & run) == 0)) {
        keys[i] = b;
        keys[i + distance] = a;
      }
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  all[block + l] = keys[l];
  all[block + l + n] = keys[l + n];
}

// Ways that part and meet again, some of them twice, with reads at places that were loaded.
kernel void parts(global uint* out, global const uint* in, uint n) {
  const uint i = get_global_id(0);
  if (i >= n) return;
  const uint a = in[i];
  uint sum = in[a % n];
  if (a & 1) {
    sum += in[(a >> 3) % n];
    if (a & 2) {
      out[n + i] = a;
    } else {
      sum ^= in[(a >> 5) % n];
    }
  } else if (a & 4) {
    switch (a >> 4 & 3) {
      case 0: sum += 1; break;
      case 1: sum *= in[(a >> 7) % n]; break;
      default: out[n + i] = sum; break;
    }
  }
  out[i] = sum;
}

kernel void bytes(global uchar4* out, global const uchar4* in, global const uchar* table) {
  const size_t i = get_global_id(0);
  const uchar4 p = in[i];
  out[i] = (uchar4)(table[p.x], table[p.y], table[p.z], table[p.w]);
}

// The order of atomics shows in what they return.
kernel void tickets(global uint* out, global const uint* in, global uint* next) {
  const uint i = get_global_id(0);
  if (in[i] % 3 != 0) out[i] = atomic_add(&next[in[i] % 5], in[i]);
}

// A race: each work-item sees what those before it in the group left.
kernel void passes_on(global uint* out, global const uint* in) {
  const uint i = get_global_id(0);
  if (i != 0 && in[i] % 7 != 0) out[i] = out[i - 1] + 1;
}

// Work-items part in what is theirs, and a value lives across barriers.
kernel void in_turns(global uint* out, global const uint* in, local uint* part) {
  const uint l = get_local_id(0), n = get_local_size(0);
  const uint mine = in[in[get_global_id(0)] % get_global_size(0)];
  part[l] = mine;
  for (uint half_size = n / 2; half_size != 0; half_size /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (l < half_size && part[l + half_size] > part[l]) part[l] = part[l + half_size];
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  out[get_global_id(0)] = part[0] - mine;
}

// Counts rounds that log nothing.
kernel void computes(global uint* out, global const uint* in, uint rounds) {
  uint a = in[get_global_id(0)];
  if (a & 1) out[get_global_id(0)] = a;
  for (uint i = 0; i < rounds; ++i) a = (a ^ a >> 3) * 0x9e3779b1u;
  if (a & 2) out[a % get_global_size(0)] = 1;
}

// Rounds that differ from work-item to work-item, and those that log.
kernel void own_rounds(global uint* out, global const uint* in) {
  uint a = in[get_global_id(0)];
  for (uint i = in[get_global_id(0)] % 100; i != 0; --i) a = (a ^ a >> 3) * 0x9e3779b1u;
  if (a & 1) out[get_global_id(0)] = a;
}
kernel void walks(global uint* out, global const uint* in, uint rounds) {
  uint a = get_global_id(0);
  for (uint i = 0; i < rounds; ++i) a = in[a] % get_global_size(0);
  if (a & 1) out[get_global_id(0)] = a;
}
// Some end before others come to a barrier.
kernel void leaves(global uint* out, global const uint* in) {
  if (in[get_global_id(0)] & 1) return;
  barrier(CLK_GLOBAL_MEM_FENCE);
  out[get_global_id(0)] = 1;
}
// Comes back to what it has done, without a barrier.
kernel void turns_back(global uint* out, global const uint* in, uint rounds) {
  const uint i = get_global_id(0);
  for (uint r = 0; r < rounds; ++r) {
    if (in[i] & 1) out[i] += r;
    if (r & 1) barrier(CLK_GLOBAL_MEM_FENCE);
    if (in[i] & 2) out[i] += 2 * r;
  }
}

kernel void late_end(global uint* out, global const uint* in) {
  const uint rounds = get_group_id(0) == 2 ? 0xffffffffu : 2;
  for (uint i = 0; i < rounds; ++i) {
    barrier(CLK_GLOBAL_MEM_FENCE);
    if (in[get_global_id(0)] & 1) out[get_global_id(0)] = i;
  }
}

kernel void goes_out(global uint* out, global const uint* in) {
  const uint i = get_global_id(0);
  if (in[i] == 77) out[in[i] * 1000000] = 1;
  if (in[i] & 1) out[i] = 1;
}

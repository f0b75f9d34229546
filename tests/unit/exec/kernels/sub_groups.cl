// Sub-groups: who is where, what they do together, and control flow that takes them apart.
#pragma OPENCL EXTENSION cl_khr_fp16 : enable

kernel void ids(global uint* out) {
  const size_t i = (get_group_id(0) * get_enqueued_local_size(0) + get_local_linear_id()) * 6;
  out[i] = get_sub_group_size();
  out[i + 1] = get_max_sub_group_size();
  out[i + 2] = get_num_sub_groups();
  out[i + 3] = get_enqueued_num_sub_groups();
  out[i + 4] = get_sub_group_id();
  out[i + 5] = get_sub_group_local_id();
}

kernel void collectives(global const int* in, global int* out) {
  const size_t i = get_global_id(0);
  global int* o = out + i * 8;
  o[0] = sub_group_reduce_add(in[i]);
  o[1] = sub_group_scan_inclusive_max(in[i]);
  o[2] = sub_group_scan_exclusive_min(in[i]);
  o[3] = sub_group_broadcast(in[i], 2);
  o[4] = sub_group_all(in[i] > -50);
  o[5] = sub_group_any(in[i] > 40);
  o[6] = (int)sub_group_scan_exclusive_add((ulong)in[i] << 33 >> 33);
  o[7] = (int)sub_group_reduce_max((half)in[i]);
}

// Only the second sub-group comes to it, behind a barrier of the group and before another one.
kernel void one_of_them(global int* out, local int* shared) {
  const uint l = get_local_id(0);
  shared[l] = l;
  barrier(CLK_LOCAL_MEM_FENCE);
  int sum = -1;
  if (get_sub_group_id() == 1) {
    shared[l] *= 2;
    sub_group_barrier(CLK_LOCAL_MEM_FENCE);
    const uint first = get_sub_group_id() * get_max_sub_group_size();
    sum = sub_group_reduce_add(shared[first + get_sub_group_size() - 1 - get_sub_group_local_id()]);
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  out[get_global_id(0)] = sum + shared[get_local_size(0) - 1 - l] * 1000;
}

// As many times as the sub-group's number says.
kernel void in_loops(global int* out) {
  int v = (int)get_sub_group_local_id();
  for (uint i = 0; i < get_sub_group_id(); ++i) v = sub_group_scan_inclusive_add(v);
  out[get_global_id(0)] = v;
}

// One sub-group waits for another.
kernel void waits_for_other(global int* out, local volatile int* shared) {
  local atomic_int flag;
  if (get_local_id(0) == 0) atomic_init(&flag, 0);
  barrier(CLK_LOCAL_MEM_FENCE);
  if (get_sub_group_id() == 0) {
    if (get_sub_group_local_id() == 0) {
      while (atomic_load(&flag) != 7) {
      }
    }
    sub_group_barrier(CLK_LOCAL_MEM_FENCE);
    out[get_global_id(0)] = atomic_load(&flag);
  } else {
    const int sum = sub_group_reduce_add(1);
    if (get_sub_group_local_id() == 0) atomic_store(&flag, sum - 1);
    out[get_global_id(0)] = sum;
  }
}

kernel void divergent(global int* out, int who) {
  const int l = get_local_id(0);
  int v = l;
  if (l < who)
    v = sub_group_reduce_add(v);
  else
    v = sub_group_reduce_max(v);
  out[get_global_id(0)] = v;
}

kernel void divergent_from_barrier(global int* out, int who) {
  const int l = get_local_id(0);
  if (l < who) sub_group_barrier(CLK_LOCAL_MEM_FENCE);
  barrier(CLK_LOCAL_MEM_FENCE);
  out[get_global_id(0)] = l;
}

kernel void early_end(global int* out, int last) {
  if ((int)get_global_id(0) >= last) return;
  out[get_global_id(0)] = sub_group_reduce_add(1);
}

kernel void endless(global int* out) {
  for (int i = 0; i >= 0;) i = sub_group_reduce_max(i) & 1;
  out[get_global_id(0)] = 1;
}

// The same function on both sides of a branch is not one place.
kernel void both_sides(global uint4* out) {
  const uint l = get_sub_group_local_id();
  uint4 v;
  if (l < 3)
    v = sub_group_ballot(1);
  else
    v = sub_group_ballot(1);
  v.w = sub_group_broadcast_first(l + 100);
  out[get_global_id(0)] = v;
}

// Work-items come to it in different iterations: it is those of one iteration that meet.
kernel void in_some_iterations(global uint* out) {
  const uint l = get_sub_group_local_id();
  uint v = 0;
  for (uint i = 0; i < 4; ++i) {
    if ((l & 3) == i) v = sub_group_ballot(1).x;
  }
  out[get_global_id(0)] = v;
}

// Those that leave a loop early meet the others behind it.
kernel void leave_early(global uint* out) {
  const uint l = get_sub_group_local_id();
  uint sum = 0;
  for (uint i = 0; i <= l; ++i) sum += sub_group_non_uniform_reduce_add(1u);
  out[get_global_id(0)] = sum * 1000 + sub_group_non_uniform_reduce_add(1u);
}

kernel void moves(global const double* in, global double* out, global long16* wide) {
  const size_t i = get_global_id(0);
  const uint l = get_sub_group_local_id();
  global double* o = out + i * 8;
  o[0] = sub_group_shuffle(in[i], (l * 3) % 8);
  o[1] = sub_group_shuffle_xor(in[i], 5);
  o[2] = l >= 2 ? sub_group_shuffle_up(in[i], 2) : 0;
  o[3] = sub_group_shuffle_down(in[i], 3);
  o[4] = sub_group_rotate(in[i], -3);
  o[5] = sub_group_clustered_rotate(in[i], 1, 4);
  o[6] = sub_group_clustered_reduce_add(in[i], 4);
  o[7] = sub_group_non_uniform_scan_exclusive_mul(in[i]);
  const long16 v = (long16)(l, l + 1, l + 2, l + 3, l + 4, l + 5, l + 6, l + 7, 0, 0, 0, 0, 0, 0, 0, (long)l << 40);
  wide[i] = sub_group_broadcast(v, 6);
}

kernel void votes(global const int* in, global uint* out) {
  const size_t i = get_global_id(0);
  global uint* o = out + i * 12;
  const uint4 ballot = sub_group_ballot(in[i]);
  o[0] = ballot.x;
  o[1] = sub_group_elect();
  o[2] = sub_group_non_uniform_all_equal(in[i] & 1);
  o[3] = sub_group_inverse_ballot(ballot);
  o[4] = sub_group_ballot_bit_extract(ballot, 3);
  o[5] = sub_group_ballot_bit_count((uint4)(0xffffffff, 1, 1, 1));
  o[6] = sub_group_ballot_inclusive_scan(ballot);
  o[7] = sub_group_ballot_exclusive_scan(ballot);
  o[8] = sub_group_ballot_find_lsb(ballot);
  o[9] = sub_group_ballot_find_msb(ballot);
  o[10] = get_sub_group_ge_mask().x;
  o[11] = get_sub_group_lt_mask().x;
}

// What it costs: the same with a barrier of the group, of the sub-group, and without.
kernel void none(global const int* in, global int* out) {
  const size_t i = get_global_id(0);
  out[i] = in[i] * 3;
}
kernel void with_sub_group(global const int* in, global int* out) {
  const size_t i = get_global_id(0);
  const int v = in[i];
  sub_group_barrier(CLK_GLOBAL_MEM_FENCE);
  out[i] = v * 3;
}
kernel void with_sum(global const int* in, global int* out) {
  const size_t i = get_global_id(0);
  out[i] = sub_group_reduce_add(in[i] * 3);
}
kernel void with_shuffle(global const long* in, global long* out) {
  const size_t i = get_global_id(0);
  out[i] = sub_group_shuffle_xor(in[i] + 1, 1);
}

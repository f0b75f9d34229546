// Kernels that wait for what others write.
void meet(global atomic_int* arrived, int target) {
  work_group_barrier(CLK_GLOBAL_MEM_FENCE);
  if (get_local_id(0) == 0) {
    atomic_fetch_add(arrived, 1);
    while (atomic_load(arrived) < target)
      ;
  }
  work_group_barrier(CLK_GLOBAL_MEM_FENCE);
}
kernel void global_barrier(global atomic_int* arrived, global int* values, int rounds) {
  const int n = get_num_groups(0), g = get_group_id(0);
  for (int r = 0; r < rounds; ++r) {
    if (get_local_id(0) == 0) values[g] += values[n + (g + 1) % n];
    meet(arrived, n * (2 * r + 1));
    if (get_local_id(0) == 0) values[n + g] = values[g];
    meet(arrived, n * (2 * r + 2));
  }
}
kernel void from_barrier_to_barrier(global volatile int* turn, global int* order) {
  local int seen;
  for (;;) {
    if (get_local_id(0) == 0) seen = *turn;
    work_group_barrier(CLK_LOCAL_MEM_FENCE);
    if (seen == get_group_id(0)) break;
    work_group_barrier(CLK_LOCAL_MEM_FENCE);
  }
  if (get_local_id(0) == 0) {
    order[seen] = get_group_id(0) + 1;
    *turn = seen - 1;
  }
}
kernel void flag(global atomic_int* request, global atomic_int* answer) {
  while (atomic_load(request) == 0)
    ;
  atomic_store(answer, atomic_load(request) + 1);
}
kernel void never(global atomic_int* flag) {
  while (atomic_load(flag) == 0)
    ;
}
kernel void dimensions(global int* out) {
  typedef struct { ulong a[3], b[3], c[3], d[3], e[3]; } All;
  local All all;
  if (get_local_id(0) == 0) {
    for (ushort i = 0; i < 3; i++) {
      all.a[i] = get_global_size(i), all.b[i] = get_global_offset(i), all.c[i] = get_enqueued_local_size(i);
      all.d[i] = get_group_id(i), all.e[i] = get_num_groups(i);
    }
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  if (get_local_id(0) != 0) {
    for (ushort i = 0; i < 3; i++) {
      if (all.a[i] != get_global_size(i)) atomic_inc(&out[0]);
      if (all.b[i] != get_global_offset(i)) atomic_inc(&out[1]);
      if (all.c[i] != get_enqueued_local_size(i)) atomic_inc(&out[2]);
      if (all.d[i] != get_group_id(i)) atomic_inc(&out[3]);
      if (all.e[i] != get_num_groups(i)) atomic_inc(&out[4]);
    }
  }
}
// Work-items of one group, the last first.
kernel void items(global int* out) {
  local atomic_int turn;
  const int n = get_local_size(0), me = get_local_id(0);
  if (me == 0) atomic_store(&turn, n - 1);
  work_group_barrier(CLK_LOCAL_MEM_FENCE);
  while (atomic_load(&turn) != me)
    ;
  out[me] = n - me;
  atomic_store(&turn, me - 1);
}
// One waits inside a branch, another for it behind a loop; the rest are at a barrier meanwhile.
kernel void items_and_barrier(global volatile int* flags, global int* out) {
  const int me = get_local_id(0);
  if (me == 0) {
    while (flags[0] == 0)
      ;
    flags[1] = 1;
  } else if (me == 40) {
    flags[0] = 1;
    int seen = 0;
    while (!seen) {
      if (flags[1] != 0) seen = 1;
    }
  }
  work_group_barrier(CLK_GLOBAL_MEM_FENCE);
  out[me] = flags[1] + me;
}
kernel void item_waits_without_end(global volatile int* flag) {
  while (flag[get_local_id(0)] == 0)
    ;
}
// Right where the work-items of a wavefront go on in step, and nowhere else.
kernel void in_step(global const int* in, global int* out) {
  local int values[64];
  const int me = get_local_id(0);
  values[me] = in[me];
  const int other = values[me ^ 31];
  values[me] = other;
  if (me % 32 < 5) {
    for (int i = 0; i < me % 32; ++i) values[me] += 100;
  }
  out[me] = values[me ^ 1];
}

// Groups that do the same but for where they write.
kernel void pattern(global float* out, float a) {
  float x = a, y = (float)get_local_id(0);
  for (int i = 0; i < 50; ++i) x = x * y + a, y = y * x + 0.5f;
  out[get_global_id(0)] = y;
}
kernel void narrow_id(global int* out) {
  const int id = get_global_id(0);
  out[id] = (int)get_local_id(0) * 7;
}
kernel void plane(global int* out, ulong width) {
  out[get_global_id(1) * width + get_global_id(0)] = (int)(get_local_id(1) * 100 + get_local_id(0));
}
kernel void reversed(global int* out, local int* table) {
  const size_t l = get_local_id(0), n = get_local_size(0);
  table[l] = (int)l * 3;
  barrier(CLK_LOCAL_MEM_FENCE);
  out[get_group_id(0) * n + l] = table[n - 1 - l];
}
kernel void backwards(global int* out, ulong n) { out[n - 1 - get_global_id(0)] = (int)get_local_id(0); }
kernel void two(global float* a, global double* b) {
  const size_t i = get_global_id(0);
  a[i] = (float)get_local_id(0);
  b[i] = 0.25 * (double)get_local_id(0);
}
kernel void same_place(global int* out) { out[get_local_id(0)] = (int)get_local_id(0) + 1; }
kernel void branches(global int* out, int limit) {
  if ((int)get_local_id(0) < limit) out[get_global_id(0)] = limit;
}

// Groups that do not.
constant int table[4] = {3, 1, 4, 1};
global int counter = 5;
kernel void own_number(global int* out) { out[get_global_id(0)] = (int)get_group_id(0); }
kernel void copies(global const int* in, global int* out) { out[get_global_id(0)] = in[get_global_id(0)]; }
kernel void reads_own(global int* out) { out[get_global_id(0)] += 1; }
kernel void one_differs(global int* out) {
  if (get_group_id(0) == 3) out[get_global_id(0)] = 1;
}
kernel void counts(global int* out) { atomic_add(out + get_local_id(0), 1); }
kernel void square(global int* out) { out[get_group_id(0) * get_group_id(0) * get_local_size(0) + get_local_id(0)] = 1; }
kernel void wraps(global int* out) { out[get_global_id(0) % 64] = 1; }
kernel void wraps_narrow(global int* out) { out[(uchar)get_global_id(0)] = 1; }
kernel void prints(global int* out) {
  if (get_local_id(0) == 0) printf("group\n");
  out[get_global_id(0)] = 1;
}
kernel void passes_by_private(global int* out) {
  int own[4];
  own[get_local_id(0) & 3] = (int)get_global_id(0);
  out[get_global_id(0)] = own[get_local_id(0) & 3];
}
kernel void passes_by_local(global int* out, local int* shared) {
  shared[get_local_id(0)] = (int)get_group_id(0);
  barrier(CLK_LOCAL_MEM_FENCE);
  out[get_global_id(0)] = shared[get_local_size(0) - 1 - get_local_id(0)];
}
kernel void reads_variable(global int* out) { out[get_global_id(0)] = counter; }
kernel void selects(global int* a, global int* b) {
  global int* out = get_group_id(0) & 1 ? a : b;
  out[get_global_id(0)] = 1;
}
kernel void constant_table(global int* out) { out[get_global_id(0)] = table[get_local_id(0) & 3]; }
kernel void table_by_group(global int* out) { out[get_global_id(0)] = table[get_group_id(0) & 3]; }

// Other bytes, the same way.
kernel void transposes(global int* out, global const int* in, local int* tile) {
  const size_t x = get_local_id(0), y = get_local_id(1), w = get_local_size(0), h = get_local_size(1);
  tile[y * w + x] = in[get_global_id(1) * 64 + get_global_id(0)];
  barrier(CLK_LOCAL_MEM_FENCE);
  const size_t i = y * w + x;
  out[(get_group_id(0) * w + i / h) * 32 + get_group_id(1) * h + i % h] = tile[i % h * w + i / h];
}
// Indices that may wrap, but do not; the second on the way only.
kernel void int_indices(global int* out, int more, uint wrapping) {
  const int l = get_local_id(0), first = get_group_id(0) * get_local_size(0);
  const uint i = wrapping + first + l;
  out[(int)(first + l)] = out[i - wrapping] + more;
}
// One word a group.
kernel void sums(global int* out, local int* part) {
  const int l = get_local_id(0);
  part[l] = l * (int)get_group_id(0);
  for (int n = get_local_size(0) / 2; n > 0; n /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (l < n) part[l] += part[l + n];
  }
  if (l == 0) out[get_group_id(0)] = part[0];
}
// Linear modulo 2^32, but the groups behind the first four begin anew.
kernel void wraps_around(global int* out) {
  const uint i = (uint)get_group_id(0) << 30;
  out[(i >> 30 << 6) + get_local_id(0)] = 1;
}
// Another way or another place for what was loaded.
kernel void loaded_way(global int* out) {
  if (out[get_global_id(0)] < 0) out[get_global_id(0)] = 1;
}
kernel void loaded_place(global int* out) { out[(out[get_global_id(0)] & 63) + get_local_id(0)] = 1; }
kernel void group_by_lane(global int* out) { out[get_group_id(0) * (1 + 8 * (get_local_id(0) & 1))] = 1; }

// The same way where guards decide the same.
kernel void border(global int* out, global const int* in, int width, int height) {
  const int x = get_global_id(0), y = get_global_id(1), at = y * width + x;
  int value = in[at];
  if (x > 0 && y > 0 && x < width - 1 && y < height - 1) value += in[at - 1] + in[at + 1] + in[at - width] + in[at + width];
  out[at] = value;
}
kernel void bounded(global int* out, uint n) {
  const uint i = get_global_id(0);
  if (i < n) out[i] = i;
}
kernel void strides(global int* out, global const int* in, uint n) {
  for (uint i = get_global_id(0); i < n; i += get_global_size(0)) out[i] = 3 * in[i] + 1;
}
kernel void clamped(global int* out, global const int* in, int n) {
  const int i = get_global_id(0);
  out[i] = in[max(i - 1, 0)] + in[min(i + 1, n - 1)];
}
kernel void bounded_sums(global int* out, global const int* in, local int* part, uint n) {
  const int l = get_local_id(0);
  const uint i = get_global_id(0);
  part[l] = i < n ? in[i] : 0;
  for (int half_size = get_local_size(0) / 2; half_size > 0; half_size /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (l < half_size) part[l] += part[l + half_size];
  }
  if (i < n) out[i] = part[0];
}
// Guards that decide otherwise nearly everywhere.
kernel void bits(global int* out) {
  const uint i = get_global_id(0);
  int sum = 0;
  for (uint left = i * 2654435761u >> 20; left != 0; left >>= 1) {
    if (left & 1) sum += out[i];
  }
  out[i] = sum;
}
// Never ends for some.
kernel void endless(global int* out, uint stop) {
  uint i = get_global_id(0);
  while (i != stop && (i & 63) != 63) i = i < stop ? i : i + 1;
  out[get_global_id(0)] = 1;
}
// Guarded, but by what was loaded.
kernel void guarded_by_data(global int* out, uint n) {
  const uint i = get_global_id(0);
  if (i < n && out[i] < 0) out[i] = 1;
}
// Out of bounds where the guard lets it.
kernel void bounded_badly(global int* out, uint n) {
  const uint i = get_global_id(0);
  if (i < n) out[i + 64] = 1;
}

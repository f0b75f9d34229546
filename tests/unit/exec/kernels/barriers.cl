kernel void reverse(global int* data) {
  local int shared[64];
  int l = get_local_id(0);
  shared[l] = data[get_global_id(0)];
  barrier(CLK_LOCAL_MEM_FENCE);
  data[get_global_id(0)] = shared[get_local_size(0) - 1 - l];
}

kernel void reduce(global const float* in, global float* out, local float* s) {
  int l = get_local_id(0);
  s[l] = in[get_global_id(0)];
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int o = get_local_size(0) / 2; o > 0; o >>= 1) {
    if (l < o) s[l] += s[l + o];
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  if (l == 0) out[get_group_id(0)] = s[0];
}

// A private array must survive barriers.
kernel void keeps(global const int* in, global int* out) {
  local int s[64];
  int a[20];
  int l = get_local_id(0), i = get_global_id(0), r = 0;
  for (int k = 0; k < 20; k++) a[k] = in[(i + k) & 127];
  s[l] = a[in[i] & 7];
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int k = 0; k < 20; k++) {
    a[(uint)(k * 3 + in[i]) % 20] += s[(l + k) & 63];
    barrier(CLK_LOCAL_MEM_FENCE);
    s[l] = a[k];
    barrier(CLK_LOCAL_MEM_FENCE);
    r = r * 31 + a[(uint)(k + in[i ^ 1]) % 20 & 15];
  }
  out[i] = r;
}

void step(local int* s, int l, int v) {
  s[l] += v;
  barrier(CLK_LOCAL_MEM_FENCE);
}
kernel void helper(global const int* rounds, global int* out) {
  local int s[64];
  int l = get_local_id(0), i = get_global_id(0);
  s[l] = l;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int k = 0; k < rounds[get_group_id(0)]; k++) {
    int t = s[(l + 1) & 63];
    barrier(CLK_LOCAL_MEM_FENCE);
    step(s, l, t);
  }
  out[i] = s[63 - l];
}

kernel void vectors(global const float* in, global float* out) {
  local float16 s[64];
  int l = get_local_id(0);
  float16 v = vload16(l & 7, in);
  s[l] = v * 2;
  barrier(CLK_LOCAL_MEM_FENCE);
  v += s[(l + 3) & 63];
  barrier(CLK_LOCAL_MEM_FENCE);
  out[get_global_id(0)] = v.s0 + v.sf;
}

kernel void copies(global const int* in, global int* out) {
  local int s[64];
  event_t e = async_work_group_copy(s, in + get_group_id(0) * 64, 64, 0);
  wait_group_events(1, &e);
  s[get_local_id(0)] *= 2;
  barrier(CLK_LOCAL_MEM_FENCE);
  e = async_work_group_copy(out + get_group_id(0) * 64, s, 64, 0);
  wait_group_events(1, &e);
}

kernel void past_end(global int* out) {
  int i = get_global_id(0);
  out[i * 100] = i;
}
kernel void before_start(global const int* a, global int* out) { out[get_global_id(0)] = a[(int)get_global_id(0) - 4]; }
kernel void wild(global ulong* address) { *(global int*)address[0] = 1; }
kernel void null_pointer(global int* p) { p[get_global_id(0)] = 1; }
kernel void private_array(global const int* at, global int* out) {
  int a[8];
  for (int i = 0; i < 8; i++) a[i] = i;
  a[at[0]] = 7;
  out[0] = a[at[1]];
}
kernel void local_array(global const int* at, global int* out) {
  local int before[16], table[16];
  table[get_local_id(0)] = 3;
  before[get_local_id(0)] = 5;
  table[at[0]] = 7;
  out[get_global_id(0)] = table[get_local_id(0)] + before[get_local_id(0)];
}
kernel void local_argument(local int* l, global const int* at) { l[at[0]] = 1; }
constant int table[4] = {1, 2, 3, 4};
kernel void constant_array(global const int* at, global int* out) { out[0] = table[at[0]]; }
typedef struct { int v[24]; } Large;
kernel void structure(global Large* in, global Large* out, int i) { out[i] = in[i]; }
kernel void endless(global int* p) {
  while (p[0] == 0) {
    p[1]++;
  }
}
kernel void endless_silent(global volatile int* p, int n) {
  for (uint i = 0; n; i++) if (i == 7) i = 0;
  p[0] = 1;
}
kernel void endless_group(global int* p) {
  for (;;) barrier(CLK_LOCAL_MEM_FENCE);
}
kernel void divergent(global int* out) {
  if (get_local_id(0) & 1) {
    for (int i = 0; i < out[0]; i++) barrier(CLK_LOCAL_MEM_FENCE);
  } else {
    barrier(CLK_GLOBAL_MEM_FENCE);
  }
}
kernel void early_end(global int* out, int n) {
  if (get_global_id(0) >= n) return;
  barrier(CLK_LOCAL_MEM_FENCE);
  out[get_global_id(0)] = 4;
}
kernel void trap(global int* out) {
  if (out[0] == 0) __builtin_trap();
  if (out[0] == 1) __builtin_unreachable();
  out[1] = 5;
}
kernel void either(global int* a, global int* b) {
  const int i = get_global_id(0);
  global int* p = (i & 1) != 0 ? a : b;
  p[i] = i;
}

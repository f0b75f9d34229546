kernel void strided(global const float* in, global float* out, int stride) {
  int i = get_global_id(0);
  out[i] = in[i * stride];
}
kernel void branch(global const int* a, global const int* b, global int* out) {
  int i = get_global_id(0);
  if (i % 4 == 0) {
    out[i] = a[i];
  } else {
    ((global short*)out)[i + 128] = b[i] * 3;  // another type, so that the two stores stay two
  }
}
// Lane i loads i + 1 times.
kernel void ragged(global const int* in, global int* out) {
  int i = get_local_id(0), s = 0;
  for (int k = 0; k <= i; k++) s += in[k * 64 + i];
  out[i] = s;
}
kernel void banks(local int* l, int stride, global int* out) {
  int i = get_local_id(0);
  l[i * stride] = i;
  barrier(CLK_LOCAL_MEM_FENCE);
  out[i] = l[(31 - i) * stride];
}
kernel void counter(global int* c) { atomic_add(c, 2); }
kernel void all_atomics(global int* c) {
  atomic_add(c, 2);
  atomic_sub(c + 1, 2);
  atomic_xchg(c + 2, 2);
  atomic_cmpxchg(c + 3, 2, 3);
  atomic_max(c + 4, 2);
  atomic_or(c + 5, 2);
}
kernel void table_lookup(constant int* t, global int* out) { out[get_global_id(0)] = t[3]; }
kernel void many(global const int* in, global int* out, int n) {
  int s = 0;
  for (int k = 0; k < n; k++) s += in[(k * 7 + s) & 1023];
  out[0] = s;
}
kernel void classes(global const float* in, global double* out, int n) {
  float f = in[get_global_id(0)];
  for (int k = 0; k < n; k++) f = f * 1.5f + 2.0f;
  out[get_global_id(0)] = f;
}

// A multiplication that is only added, and two operations.
kernel void products(global uint* out, uint y, uint z, int n) {
  uint x = get_local_id(0);
  for (int i = 0; i < n; ++i) x = x * y + z;
  out[get_local_id(0)] = x;
}
kernel void two_steps(global uint* out, uint y, uint z, int n) {
  uint x = get_local_id(0);
  for (int i = 0; i < n; ++i) x = (x ^ y) + z;
  out[get_local_id(0)] = x;
}

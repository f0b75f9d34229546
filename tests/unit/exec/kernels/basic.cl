#pragma OPENCL EXTENSION cl_khr_fp64 : enable
kernel void add(global const float* a, global const float* b, global float* c) {
  size_t i = get_global_id(0);
  c[i] = a[i] + b[i];
}

kernel void saxpy(global const float* x, global float* y, float a, uint n) {
  for (uint i = get_global_id(0); i < n; i += get_global_size(0)) y[i] = a * x[i] + y[i];
}

kernel void ids(global ulong* out) {
  size_t at = (get_global_id(1) - get_global_offset(1)) * get_global_size(0) + get_global_id(0) - get_global_offset(0);
  global ulong* o = out + at * 16;
  o[0] = get_global_id(0);
  o[1] = get_global_id(1);
  o[2] = get_local_id(0);
  o[3] = get_local_id(1);
  o[4] = get_group_id(0);
  o[5] = get_group_id(1);
  o[6] = get_local_size(0);
  o[7] = get_local_size(1);
  o[8] = get_global_size(0);
  o[9] = get_global_offset(1);
  o[10] = get_num_groups(0);
  o[11] = get_num_groups(1);
  o[12] = get_work_dim();
  o[13] = get_global_size(2);
  o[14] = get_global_id(3);
  o[15] = get_local_size(7);
}

typedef struct {
  int first;
  float4 vector;
  int table[3];
} Settings;

kernel void arguments(Settings s, char c, ushort h, ulong l, double d, float3 v, constant int* k, local int* scratch,
                      global int* out) {
  int i = get_global_id(0);
  s.table[i % 3] += i;
  scratch[get_local_id(0)] = k[i];
  out[i] = s.first + (int)s.vector.w + s.table[0] + s.table[1] + s.table[2] + c + h + (int)l + (int)d + (int)v.z +
           scratch[get_local_id(0)];
}

constant int primes[] = {2, 3, 5, 7};
constant char* constant names[] = {"two", "three", "five", "seven"};
kernel void constants(global int* out) {
  int i = get_global_id(0);
  out[i] = primes[i % 4] + names[i % 4][0];
}

kernel void divide(global const int* a, global const int* b, global int* out) {
  int i = get_global_id(0);
  out[2 * i] = a[i] / b[i];
  out[2 * i + 1] = a[i] % b[i];
}

kernel void divide_vector(global uint4* a) { a[0] = (uint4)(100) / a[0]; }

kernel void mathematics(global const float* x, global float* out) {
  int i = get_global_id(0);
  float whole;
  float part = fract(x[i], &whole);
  out[i] = sin(x[i]) + exp(x[i]) + pow(x[i], 1.5f) + part + whole;
}

kernel __attribute__((reqd_work_group_size(8, 4, 1))) void required(global float4* restrict p, const global volatile int* q) {
  p[0].x = *q;
}

kernel void unaligned(global char* bytes) {
  global float4* v = (global float4*)(bytes + 4);
  v[get_global_id(0)] += 1.0f;
}

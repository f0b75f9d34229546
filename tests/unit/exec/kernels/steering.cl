// Which arguments decide where work-items go and what they access; the test names them.
kernel void data(global const float* in, global float* out, float factor) {
  const size_t i = get_global_id(0);
  out[i] = factor * in[i];
}
kernel void bound(global float* out, int n, float factor) {
  if ((int)get_global_id(0) < n) out[get_global_id(0)] = factor;
}
kernel void gather(global const int* places, global const float* in, global float* out) {
  out[get_global_id(0)] = in[places[get_global_id(0)]];
}
kernel void choose(global const int* a, global const int* b, global int* out, int limit) {
  const size_t i = get_global_id(0);
  const int first = a[i], second = b[i];
  out[i] = first < limit ? first : second;  // a select: no turn is taken
}
kernel void turn(global const int* a, global int* out) {
  const size_t i = get_global_id(0);
  if (a[i] > 0) {
    for (int k = 0; k < a[i]; ++k) out[i] += k;
  }
}
// What decides passes through local memory, and through an array of the work-item.
kernel void by_local(global const int* places, global int* out, local int* room) {
  room[get_local_id(0)] = places[get_global_id(0)];
  barrier(CLK_LOCAL_MEM_FENCE);
  out[room[get_local_size(0) - 1 - get_local_id(0)]] = 1;
}
kernel void by_array(global const int* places, global int* out, int which) {
  int room[64];
  for (int i = 0; i < 64; ++i) room[i] = places[i] + i;
  out[room[which & 63]] = 1;
}
struct Shape {
  int width;
  float factor;
};
kernel void by_structure(global float* out, struct Shape shape) {
  out[get_global_id(1) * shape.width + get_global_id(0)] = shape.factor;
}
kernel void counted(global const int* keys, global int* bins, global int* last) {
  const int old = atomic_add(bins + keys[get_global_id(0)], 1);
  last[get_global_id(0)] = old;
}
kernel void queue(global int* next, global int* out) { out[atomic_inc(next)] = 1; }
kernel void picture(read_only image2d_t in, sampler_t s, global float4* out, int shift) {
  const int2 at = (int2)(get_global_id(0) + shift, get_global_id(1));
  out[get_global_id(1) * get_global_size(0) + get_global_id(0)] = read_imagef(in, s, at);
}
global int variable = 3;
kernel void by_variable(global int* out) { out[variable] = 1; }
kernel void printing(global int* out) {
  out[get_global_id(0)] = 1;
  printf("%d\n", out[0]);
}
kernel void by_pointer(global int* global* lists) { lists[0][get_global_id(0)] = 1; }
kernel void waiting(global volatile int* flag, global int* out) {
  while (*flag == 0) {
  }
  out[get_global_id(0)] = 1;
}
kernel void sums(global const int* in, global int* out, local int* part, int n) {
  const int l = get_local_id(0);
  part[l] = (int)get_global_id(0) < n ? in[get_global_id(0)] : 0;
  for (int d = get_local_size(0) / 2; d > 0; d /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (l < d) part[l] += part[l + d];
  }
  if (l == 0) out[get_group_id(0)] = part[0];
}

#pragma OPENCL EXTENSION cl_khr_int64_base_atomics : enable
#pragma OPENCL EXTENSION cl_khr_int64_extended_atomics : enable
kernel void counters(global int* i, global uint* u, global long* l) {
  local int group_count;
  if (get_local_id(0) == 0) group_count = 0;
  barrier(CLK_LOCAL_MEM_FENCE);
  int g = get_global_id(0);
  atomic_inc(&group_count);
  atomic_add(&i[0], g);
  atomic_max(&i[1], g);
  atomic_min(&i[2], -g);
  atomic_or(&u[0], 1u << (g & 31));
  atomic_xor(&u[1], (uint)g);
  atomic_cmpxchg(&u[2], (uint)g, (uint)g + 1);
  atom_add(&l[0], (long)g << 32);
  barrier(CLK_LOCAL_MEM_FENCE);
  if (get_local_id(0) == 0) atomic_add(&i[3], group_count);
}
kernel void say(int n) {
  printf("%d/%d %5.2f|%-4x|%s%%", (int)get_global_id(0), n, 1.5f, 255, "text");
  printf(" %v4hld %c\n", (int4)(1, -2, 3, 4), 'z');
}
constant sampler_t nearest = CLK_NORMALIZED_COORDS_FALSE | CLK_ADDRESS_CLAMP_TO_EDGE | CLK_FILTER_NEAREST;
kernel void shift_right(read_only image2d_t in, write_only image2d_t out, sampler_t given) {
  int2 at = (int2)(get_global_id(0), get_global_id(1));
  write_imagef(out, at, (read_imagef(in, nearest, at - (int2)(1, 0)) + read_imagef(in, given, at - (int2)(1, 0))) * 0.5f);
}

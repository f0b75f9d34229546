// Bodies that pull each other, step by step.
kernel void pull(global const float4* places, global float4* speeds, float time, local float4* near) {
  const int l = get_local_id(0);
  const int n = get_global_size(0);
  const float4 me = places[get_global_id(0)];
  float4 sum = 0;
  for (int first = 0; first < n; first += get_local_size(0)) {
    near[l] = places[first + l];
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int i = 0; i < (int)get_local_size(0); ++i) {
      const float4 way = near[i] - me;
      const float square = way.x * way.x + way.y * way.y + way.z * way.z + 0.05f;
      sum += way * (near[i].w / (square * sqrt(square)));
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  sum.w = 0;
  speeds[get_global_id(0)] += time * sum;
}

kernel void travel(global float4* places, global const float4* speeds, float time) {
  const size_t i = get_global_id(0);
  places[i] += time * speeds[i];
}

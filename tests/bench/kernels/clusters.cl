// k-means in the plane: the nearest centre of each point, then the centres from sums of fixed point coordinates.
kernel void assign(global const float2* points, global const float2* centres, int count, global int* owners,
                   global int* sums) {
  const size_t i = get_global_id(0);
  const float2 point = points[i];
  int best = 0;
  float least = INFINITY;
  for (int c = 0; c < count; ++c) {
    const float2 way = point - centres[c];
    const float square = way.x * way.x + way.y * way.y;
    if (square < least) {
      least = square;
      best = c;
    }
  }
  owners[i] = best;
  atomic_add(&sums[3 * best], convert_int_rte(point.x * 1024));
  atomic_add(&sums[3 * best + 1], convert_int_rte(point.y * 1024));
  atomic_inc(&sums[3 * best + 2]);
}

kernel void move(global float2* centres, global int* sums) {
  const int c = get_global_id(0);
  const int n = sums[3 * c + 2];
  if (n != 0) centres[c] = (float2)(sums[3 * c], sums[3 * c + 1]) / (1024.0f * n);
  for (int i = 0; i < 3; ++i) sums[3 * c + i] = 0;
}

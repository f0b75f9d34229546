// Parts of the method of conjugate gradients.
kernel void product(global const int* begins, global const int* columns, global const float* values,
                    global const float* x, global float* y) {
  const int row = get_global_id(0);
  float sum = 0;
  for (int i = begins[row]; i < begins[row + 1]; ++i) sum += values[i] * x[columns[i]];
  y[row] = sum;
}

kernel void inner(global const float* a, global const float* b, global float* sums, local float* part) {
  const uint l = get_local_id(0);
  part[l] = a[get_global_id(0)] * b[get_global_id(0)];
  barrier(CLK_LOCAL_MEM_FENCE);
  for (uint n = get_local_size(0) / 2; n != 0; n /= 2) {
    if (l < n) part[l] += part[l + n];
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  if (l == 0) sums[get_group_id(0)] = part[0];
}

kernel void add_scaled(global float* y, global const float* x, float factor) {
  const size_t i = get_global_id(0);
  y[i] += factor * x[i];
}

kernel void scale_add(global float* y, global const float* x, float factor) {
  const size_t i = get_global_id(0);
  y[i] = factor * y[i] + x[i];
}

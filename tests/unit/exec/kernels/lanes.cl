// Groups that go the same way and stop at barriers: what work-items keep from one to the next.

// A value of each work-item and one that is the same for all change from round to round.
kernel void keeps(global int* out, global const int* in, local int* part, int rounds) {
  const int l = get_local_id(0), n = get_local_size(0);
  int sum = in[get_global_id(0)];
  int weight = 1;
  for (int r = 0; r < rounds; ++r) {
    part[l] = sum;
    barrier(CLK_LOCAL_MEM_FENCE);
    sum += weight * part[(l + r + 1) % n];
    weight = weight * 3 + r;
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  out[get_global_id(0)] = sum + weight;
}

// The same in each round of a loop, but not behind it, as work-items leave it at other times.
kernel void leaves_late(global int* out, global const int* in, local int* part) {
  const int l = get_local_id(0);
  int rounds = 0, sum = 0;
  for (int reach = 0; reach < l + 5; reach += 2 * rounds + 1) {
    sum += in[l * 8 + rounds % 8];
    ++rounds;
  }
  part[l] = sum;
  barrier(CLK_LOCAL_MEM_FENCE);
  out[get_global_id(0)] = rounds * 1000 + part[get_local_size(0) - 1 - l];
}

// Other barriers for another argument.
kernel void two_ways(global int* out, global const int* in, local int* part, int way) {
  const int l = get_local_id(0), n = get_local_size(0);
  const int own = in[get_global_id(0)];
  part[l] = own;
  if (way != 0) {
    barrier(CLK_LOCAL_MEM_FENCE);
    part[l] = part[l] + way;
    barrier(CLK_LOCAL_MEM_FENCE);
    out[get_global_id(0)] = part[n - 1 - l] - own;
  } else {
    barrier(CLK_LOCAL_MEM_FENCE);
    out[get_global_id(0)] = part[l ^ 1] + own;
  }
}

// Bits, halves of words and vectors.
kernel void kinds(global int* out, global const int* in, local int* part) {
  const int l = get_local_id(0);
  const int own = in[get_global_id(0)];
  const bool odd = own & 1;
  const short low = own;
  const float4 four = convert_float4((int4)(own, own + 1, own + 2, own + 3)) * 0.5f;
  part[l] = own;
  barrier(CLK_LOCAL_MEM_FENCE);
  const int other = part[get_local_size(0) - 1 - l];
  out[get_global_id(0)] = (odd ? other : -other) + low * 3 + (int)(four.x + four.y * four.z - four.w);
}

// Rows of a group that is not a line, with a guard at the plate's rim, and each work-item's own memory.
kernel void rows(global int* out, global const int* in, local int* part, int width, int height) {
  const int x = get_global_id(0), y = get_global_id(1), at = y * width + x;
  const int lx = get_local_id(0), ly = get_local_id(1), w = get_local_size(0);
  int own[4];
  for (int i = 0; i < 4; ++i) own[i] = in[at] * (i + lx);
  part[ly * w + lx] = in[at];
  barrier(CLK_LOCAL_MEM_FENCE);
  int sum = own[ly & 3];
  if (x > 0 && x < width - 1 && y > 0 && y < height - 1) sum += in[at - width] + in[at + width];
  out[at] = sum + part[ly * w + (w - 1 - lx)];
}

// Which of its sub-group a work-item is.
kernel void numbers(global int* out, global const int* in, local int* part) {
  const int l = get_local_id(0);
  part[l] = in[get_global_id(0)];
  barrier(CLK_LOCAL_MEM_FENCE);
  out[get_global_id(0)] = part[l ^ 1] + get_sub_group_id() * 1000 + get_sub_group_local_id() + get_sub_group_size() * 7;
}

// No barrier: all in one loop. A quotient for some.
kernel void straight(global float* out, global const int* in, int n) {
  const int i = get_global_id(0);
  float x = in[i];
  if (i > 0 && i < n - 1) x = (x + in[i - 1] * 0.25f + in[i + 1]) / 3.0f;
  out[i] = fabs(x) * 0.5f + (float)(in[i] * 7);
}

// The last work-item of all leaves its buffer.
kernel void last_out(global int* out, global const int* in, local int* part) {
  const int l = get_local_id(0);
  part[l] = in[get_global_id(0)];
  barrier(CLK_LOCAL_MEM_FENCE);
  out[get_global_id(0) + 1] = part[l] + 1;
}

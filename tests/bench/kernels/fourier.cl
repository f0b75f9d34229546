// A step of Stockham's transform: runs of `run` become runs twice as long, in order.
kernel void transform(global const float2* in, global float2* out, uint run) {
  const uint i = get_global_id(0);
  const uint k = i & (run - 1);
  float cosine;
  const float sine = sincos(-M_PI_F * k / run, &cosine);
  const float2 a = in[i];
  const float2 b = in[i + get_global_size(0)];
  const float2 turned = (float2)(b.x * cosine - b.y * sine, b.x * sine + b.y * cosine);
  const uint to = 2 * i - k;
  out[to] = a + turned;
  out[to + run] = a - turned;
}

// Heat spreads over a plate whose rim is kept at its temperature.
kernel void spread(global const float* from, global float* to, int width, int height, float rate) {
  const int x = get_global_id(0);
  const int y = get_global_id(1);
  const int at = y * width + x;
  const float here = from[at];
  if (x == 0 || y == 0 || x == width - 1 || y == height - 1) {
    to[at] = here;
    return;
  }
  to[at] = here + rate * (from[at - 1] + from[at + 1] + from[at - width] + from[at + width] - 4 * here);
}

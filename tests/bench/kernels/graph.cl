// Breadth-first search, a launch for each level.
kernel void visit(global const int* begins, global const int* targets, global int* levels, int level, global int* more) {
  const int node = get_global_id(0);
  if (levels[node] != level) return;
  for (int i = begins[node]; i < begins[node + 1]; ++i) {
    const int next = targets[i];
    if (levels[next] < 0) {
      levels[next] = level + 1;
      *more = 1;
    }
  }
}

kernel void atomics(global atomic_int* a, global atomic_uint* u, global int* out) {
  int g = get_global_id(0);
  out[g] = atomic_fetch_add(a, 1);
  atomic_fetch_max_explicit(u, (uint)g, memory_order_relaxed, memory_scope_device);
  int expected = 1000;
  if (!atomic_compare_exchange_strong(a, &expected, 5)) out[g] += expected * 1000;
}
int sum(const int* p, int n) {
  int s = 0;
  for (int i = 0; i < n; i++) s += p[i];
  return s;
}
kernel void generic_pointers(global int* g, global int* out, int which) {
  local int l[4];
  int p[4];
  for (int i = 0; i < 4; i++) {
    l[i] = 10 + i;
    p[i] = 100 + i;
  }
  const int* chosen = which == 0 ? (const int*)g : which == 1 ? (const int*)l : (const int*)p;
  out[0] = sum(chosen, 4);
  out[1] = to_global(chosen) != 0;
  out[2] = to_local(chosen) != 0;
  out[3] = to_private(chosen) != 0;
}
global int visits = 40;
kernel void program_scope(global int* out) { out[get_global_id(0)] = ++visits; }
constant int steps[4] = {7, 8, 9, 10};
constant int* global next_step = &steps[1];
kernel void other_kernel(global int* out) {
  out[get_global_id(0)] = visits + (get_global_id(0) == 3 ? *next_step : 0);
  next_step = &steps[3];
}
kernel void collectives(global int* out) {
  int l = get_local_id(0), n = get_local_size(0);
  global int* o = out + get_global_id(0) * 6;
  o[0] = work_group_reduce_add(l);
  o[1] = work_group_scan_inclusive_add(l);
  o[2] = work_group_scan_exclusive_max(l);
  o[3] = work_group_broadcast(l * 10, 3);
  o[4] = work_group_any(l == 5);
  o[5] = work_group_all(l < n - 1);
}
typedef struct Node { global struct Node* next; int value; } Node;
kernel void list(global const Node* first, global int* out) {
  int s = 0;
  for (global const Node* n = first; n; n = n->next) s += n->value;
  out[0] = s;
}

// OpenCL C 3.0, 6.15.1 work-item functions and 6.15.8 synchronisation. Words: enum QueryWord of sim/exec/runtime.h.
#define WORD(first, dimension, otherwise)           \
  ((dimension) == 0   ? __sluice_query(first)       \
   : (dimension) == 1 ? __sluice_query((first) + 1) \
   : (dimension) == 2 ? __sluice_query((first) + 2) \
                      : (otherwise))

FUNCTION size_t get_local_id(uint d) {
  return WORD(0, d, 0);
}
FUNCTION size_t get_global_id(uint d) {
  return WORD(3, d, 0);
}
FUNCTION size_t get_group_id(uint d) {
  return WORD(16, d, 0);
}
FUNCTION size_t get_local_size(uint d) {
  return WORD(19, d, 1);
}
FUNCTION size_t get_enqueued_local_size(uint d) {
  return WORD(22, d, 1);
}
FUNCTION size_t get_global_size(uint d) {
  return WORD(25, d, 1);
}
FUNCTION size_t get_global_offset(uint d) {
  return WORD(28, d, 0);
}
FUNCTION size_t get_num_groups(uint d) {
  return WORD(31, d, 1);
}
FUNCTION uint get_work_dim(void) {
  return (uint)__sluice_query(34);
}
FUNCTION size_t get_local_linear_id(void) {
  return (get_local_id(2) * get_local_size(1) + get_local_id(1)) * get_local_size(0) + get_local_id(0);
}
FUNCTION size_t get_global_linear_id(void) {
  return ((get_global_id(2) - get_global_offset(2)) * get_global_size(1) + get_global_id(1) - get_global_offset(1)) *
             get_global_size(0) +
         get_global_id(0) - get_global_offset(0);
}

FUNCTION void barrier(cl_mem_fence_flags flags) {
  __sluice_barrier(flags);
}
FUNCTION void work_group_barrier(cl_mem_fence_flags flags) {
  __sluice_barrier(flags);
}
FUNCTION void work_group_barrier(cl_mem_fence_flags flags, memory_scope scope) {
  __sluice_barrier(flags);
}
// One thread runs a work-group in program order.
FUNCTION void mem_fence(cl_mem_fence_flags flags) {}
FUNCTION void read_mem_fence(cl_mem_fence_flags flags) {}
FUNCTION void write_mem_fence(cl_mem_fence_flags flags) {}
FUNCTION void atomic_work_item_fence(cl_mem_fence_flags flags, memory_order order, memory_scope scope) {}

FUNCTION cl_mem_fence_flags get_fence(const void* p) {
  return __sluice_space(p) == 3 ? CLK_LOCAL_MEM_FENCE : __sluice_space(p) == 1 ? CLK_GLOBAL_MEM_FENCE : 0;
}
FUNCTION cl_mem_fence_flags get_fence(void* p) {
  return get_fence((const void*)p);
}

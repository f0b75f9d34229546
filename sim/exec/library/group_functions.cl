// OpenCL C 3.0, 6.15.11 copies between global and local memory and 6.15.16 collectives. Each work-item copies its
// share; collectives rest on the order in which the engine runs work-items between barriers: by local linear id.
#define COPY_SHARE(T, TO, FROM, TO_STRIDE, FROM_STRIDE, NAME, ...)                                             \
  FUNCTION event_t NAME(TO T* to, const FROM T* from, size_t count, __VA_ARGS__ event_t event) {               \
    const size_t all = get_local_size(0) * get_local_size(1) * get_local_size(2);                              \
    for (size_t i = get_local_linear_id(); i < count; i += all) to[i * (TO_STRIDE)] = from[i * (FROM_STRIDE)]; \
    return event;                                                                                              \
  }
#define STRIDE size_t stride,
#define COPIES(T)                                                                \
  COPY_SHARE(T, local, global, 1, 1, async_work_group_copy, )                    \
  COPY_SHARE(T, global, local, 1, 1, async_work_group_copy, )                    \
  COPY_SHARE(T, local, global, 1, stride, async_work_group_strided_copy, STRIDE) \
  COPY_SHARE(T, global, local, stride, 1, async_work_group_strided_copy, STRIDE) \
  FUNCTION void prefetch(const global T* p, size_t count) {}
#define EACH_WIDTH(M, T) M(T) M(T##2) M(T##3) M(T##4) M(T##8) M(T##16)
EACH_WIDTH(COPIES, char)
EACH_WIDTH(COPIES, uchar) EACH_WIDTH(COPIES, short) EACH_WIDTH(COPIES, ushort) EACH_WIDTH(COPIES, int)
    EACH_WIDTH(COPIES, uint) EACH_WIDTH(COPIES, long) EACH_WIDTH(COPIES, ulong) EACH_WIDTH(COPIES, float)
        EACH_WIDTH(COPIES, double) EACH_WIDTH(COPIES, half) FUNCTION
    void wait_group_events(int count, private event_t* events) {
  __sluice_barrier(CLK_LOCAL_MEM_FENCE);
}
FUNCTION void wait_group_events(int count, event_t* events) {
  __sluice_barrier(CLK_LOCAL_MEM_FENCE);
}

#define SCRATCH(T) ((private T*)__sluice_scratch())
// `both` combines `a` (of the work-items before) with `v` (of this one).
#define COLLECTIVES(name, T, identity, both)                              \
  FUNCTION T work_group_reduce_##name(T v) {                              \
    __sluice_barrier(CLK_LOCAL_MEM_FENCE);                                \
    const T a = get_local_linear_id() == 0 ? (T)(identity) : *SCRATCH(T); \
    *SCRATCH(T) = both;                                                   \
    __sluice_barrier(CLK_LOCAL_MEM_FENCE);                                \
    return *SCRATCH(T);                                                   \
  }                                                                       \
  FUNCTION T work_group_scan_exclusive_##name(T v) {                      \
    __sluice_barrier(CLK_LOCAL_MEM_FENCE);                                \
    const T a = get_local_linear_id() == 0 ? (T)(identity) : *SCRATCH(T); \
    *SCRATCH(T) = both;                                                   \
    __sluice_barrier(CLK_LOCAL_MEM_FENCE);                                \
    return a;                                                             \
  }                                                                       \
  FUNCTION T work_group_scan_inclusive_##name(T v) {                      \
    const T a = work_group_scan_exclusive_##name(v);                      \
    return both;                                                          \
  }
#define COLLECTIVES_OF(T, least, most)                                                         \
  COLLECTIVES(add, T, 0, a + v)                                                                \
  COLLECTIVES(min, T, most, a < v ? a : v)                                                     \
  COLLECTIVES(max, T, least, a > v ? a : v)                                                    \
  FUNCTION T work_group_broadcast(T v, size_t x, size_t y, size_t z) {                         \
    __sluice_barrier(CLK_LOCAL_MEM_FENCE);                                                     \
    if (get_local_id(0) == x && get_local_id(1) == y && get_local_id(2) == z) *SCRATCH(T) = v; \
    __sluice_barrier(CLK_LOCAL_MEM_FENCE);                                                     \
    return *SCRATCH(T);                                                                        \
  }                                                                                            \
  FUNCTION T work_group_broadcast(T v, size_t x, size_t y) {                                   \
    return work_group_broadcast(v, x, y, get_local_id(2));                                     \
  }                                                                                            \
  FUNCTION T work_group_broadcast(T v, size_t x) {                                             \
    return work_group_broadcast(v, x, get_local_id(1), get_local_id(2));                       \
  }
COLLECTIVES_OF(int, INT_MIN, INT_MAX)
COLLECTIVES_OF(uint, 0, UINT_MAX) COLLECTIVES_OF(long, LONG_MIN, LONG_MAX) COLLECTIVES_OF(ulong, 0, ULONG_MAX)
    COLLECTIVES_OF(float, -INFINITY, INFINITY) COLLECTIVES_OF(double, -INFINITY, INFINITY) FUNCTION
    int work_group_any(int predicate) {
  return work_group_reduce_max(predicate != 0 ? 1 : 0);
}
FUNCTION int work_group_all(int predicate) {
  return work_group_reduce_min(predicate != 0 ? 1 : 0);
}

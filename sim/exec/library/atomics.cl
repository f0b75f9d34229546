// OpenCL C 3.0, 6.15.12 atomic functions, and those of OpenCL 1.x. Orders and scopes are those of one thread that runs
// groups in turn; against the host every operation is sequentially consistent.
#define ORDER memory_order_seq_cst, memory_scope_all_svm_devices

// ---- OpenCL 1.x: atomic_ for 32 bits, atom_ for 64 (and, as an extension once, 32) ----
#define OLD_FETCH(prefix, name, T, AS)                                         \
  FUNCTION T prefix##_##name(volatile AS T* p, T v) {                          \
    return __opencl_atomic_fetch_##name((volatile AS atomic_##T*)p, v, ORDER); \
  }
#define OLD_ATOMICS(prefix, T, AS)                                                                                  \
  OLD_FETCH(prefix, add, T, AS)                                                                                     \
  OLD_FETCH(prefix, sub, T, AS) OLD_FETCH(prefix, and, T, AS) OLD_FETCH(prefix, or, T, AS)                          \
      OLD_FETCH(prefix, xor, T, AS) OLD_FETCH(prefix, min, T, AS) OLD_FETCH(prefix, max, T, AS)                     \
          FUNCTION T prefix##_inc(volatile AS T* p) {                                                               \
    return prefix##_add(p, (T)1);                                                                                   \
  }                                                                                                                 \
  FUNCTION T prefix##_dec(volatile AS T* p) {                                                                       \
    return prefix##_sub(p, (T)1);                                                                                   \
  }                                                                                                                 \
  FUNCTION T prefix##_xchg(volatile AS T* p, T v) {                                                                 \
    return __opencl_atomic_exchange((volatile AS atomic_##T*)p, v, ORDER);                                          \
  }                                                                                                                 \
  FUNCTION T prefix##_cmpxchg(volatile AS T* p, T expected, T v) {                                                  \
    __opencl_atomic_compare_exchange_strong((volatile AS atomic_##T*)p, &expected, v, memory_order_seq_cst, ORDER); \
    return expected;                                                                                                \
  }
OLD_ATOMICS(atomic, int, global)
OLD_ATOMICS(atomic, uint, global) OLD_ATOMICS(atomic, int, local) OLD_ATOMICS(atomic, uint, local)
    OLD_ATOMICS(atomic, int, ) OLD_ATOMICS(atomic, uint, ) OLD_ATOMICS(atom, int, global)
        OLD_ATOMICS(atom, uint, global) OLD_ATOMICS(atom, int, local) OLD_ATOMICS(atom, uint, local)
            OLD_ATOMICS(atom, long, global) OLD_ATOMICS(atom, ulong, global) OLD_ATOMICS(atom, long, local)
                OLD_ATOMICS(atom, ulong, local)
#define OLD_FLOAT_EXCHANGE(AS)                                    \
  FUNCTION float atomic_xchg(volatile AS float* p, float v) {     \
    return as_float(atomic_xchg((volatile AS int*)p, as_int(v))); \
  }
                    OLD_FLOAT_EXCHANGE(global) OLD_FLOAT_EXCHANGE(local) OLD_FLOAT_EXCHANGE()

// ---- OpenCL C 2.0 and later: plain, with an order, with an order and a scope; in every address space ----
#define FETCH(name, T, V, AS)                                                                                         \
  FUNCTION T atomic_fetch_##name(volatile AS atomic_##T* p, V v) {                                                    \
    return __opencl_atomic_fetch_##name(p, v, ORDER);                                                                 \
  }                                                                                                                   \
  FUNCTION T atomic_fetch_##name##_explicit(volatile AS atomic_##T* p, V v, memory_order order) {                     \
    return __opencl_atomic_fetch_##name(p, v, ORDER);                                                                 \
  }                                                                                                                   \
  FUNCTION T atomic_fetch_##name##_explicit(volatile AS atomic_##T* p, V v, memory_order order, memory_scope scope) { \
    return __opencl_atomic_fetch_##name(p, v, ORDER);                                                                 \
  }
#define FETCHES(T, AS)                                                                                    \
  FETCH(add, T, T, AS)                                                                                    \
  FETCH(sub, T, T, AS) FETCH(and, T, T, AS) FETCH(or, T, T, AS) FETCH(xor, T, T, AS) FETCH(min, T, T, AS) \
      FETCH(max, T, T, AS)
#define ACCESSES(T, AS)                                                                                         \
  FUNCTION void atomic_init(volatile AS atomic_##T* p, T v) {                                                   \
    *(volatile AS T*)p = v;                                                                                     \
  }                                                                                                             \
  FUNCTION T atomic_load(volatile AS atomic_##T* p) {                                                           \
    return __opencl_atomic_load(p, ORDER);                                                                      \
  }                                                                                                             \
  FUNCTION T atomic_load_explicit(volatile AS atomic_##T* p, memory_order order) {                              \
    return atomic_load(p);                                                                                      \
  }                                                                                                             \
  FUNCTION T atomic_load_explicit(volatile AS atomic_##T* p, memory_order order, memory_scope scope) {          \
    return atomic_load(p);                                                                                      \
  }                                                                                                             \
  FUNCTION void atomic_store(volatile AS atomic_##T* p, T v) {                                                  \
    __opencl_atomic_store(p, v, ORDER);                                                                         \
  }                                                                                                             \
  FUNCTION void atomic_store_explicit(volatile AS atomic_##T* p, T v, memory_order order) {                     \
    atomic_store(p, v);                                                                                         \
  }                                                                                                             \
  FUNCTION void atomic_store_explicit(volatile AS atomic_##T* p, T v, memory_order order, memory_scope scope) { \
    atomic_store(p, v);                                                                                         \
  }                                                                                                             \
  FUNCTION T atomic_exchange(volatile AS atomic_##T* p, T v) {                                                  \
    return __opencl_atomic_exchange(p, v, ORDER);                                                               \
  }                                                                                                             \
  FUNCTION T atomic_exchange_explicit(volatile AS atomic_##T* p, T v, memory_order order) {                     \
    return atomic_exchange(p, v);                                                                               \
  }                                                                                                             \
  FUNCTION T atomic_exchange_explicit(volatile AS atomic_##T* p, T v, memory_order order, memory_scope scope) { \
    return atomic_exchange(p, v);                                                                               \
  }
#define COMPARE(kind, T, AS, EXPECTED)                                                                          \
  FUNCTION bool atomic_compare_exchange_##kind(volatile AS atomic_##T* p, EXPECTED T* expected, T v) {          \
    T seen = *expected;                                                                                         \
    const bool same = __opencl_atomic_compare_exchange_strong(p, &seen, v, memory_order_seq_cst, ORDER);        \
    if (!same) *expected = seen;                                                                                \
    return same;                                                                                                \
  }                                                                                                             \
  FUNCTION bool atomic_compare_exchange_##kind##_explicit(volatile AS atomic_##T* p, EXPECTED T* expected, T v, \
                                                          memory_order success, memory_order failure) {         \
    return atomic_compare_exchange_##kind(p, expected, v);                                                      \
  }                                                                                                             \
  FUNCTION bool atomic_compare_exchange_##kind##_explicit(volatile AS atomic_##T* p, EXPECTED T* expected, T v, \
                                                          memory_order success, memory_order failure,           \
                                                          memory_scope scope) {                                 \
    return atomic_compare_exchange_##kind(p, expected, v);                                                      \
  }
#define COMPARES(T, AS)                                                                      \
  COMPARE(strong, T, AS, global)                                                             \
  COMPARE(strong, T, AS, local) COMPARE(strong, T, AS, private) COMPARE(weak, T, AS, global) \
      COMPARE(weak, T, AS, local) COMPARE(weak, T, AS, private)
#define EVERYWHERE(M, T) M(T, ) M(T, global) M(T, local)
                        EVERYWHERE(FETCHES, int) EVERYWHERE(FETCHES, uint) EVERYWHERE(FETCHES, long)
                            EVERYWHERE(FETCHES, ulong) EVERYWHERE(ACCESSES, int) EVERYWHERE(ACCESSES, uint)
                                EVERYWHERE(ACCESSES, long) EVERYWHERE(ACCESSES, ulong) EVERYWHERE(ACCESSES, float)
                                    EVERYWHERE(ACCESSES, double) COMPARES(int, global) COMPARES(uint, global)
                                        COMPARES(long, global) COMPARES(ulong, global) COMPARES(int, local)
                                            COMPARES(uint, local) COMPARES(long, local) COMPARES(ulong, local)
#define COMPARES_GENERIC(T) COMPARE(strong, T, , ) COMPARE(weak, T, , )
                                                COMPARES_GENERIC(int) COMPARES_GENERIC(uint) COMPARES_GENERIC(long)
                                                    COMPARES_GENERIC(ulong)

#define FLAGS(AS)                                                                                                \
  FUNCTION bool atomic_flag_test_and_set(volatile AS atomic_flag* p) {                                           \
    return __opencl_atomic_exchange((volatile AS atomic_int*)p, 1, ORDER) != 0;                                  \
  }                                                                                                              \
  FUNCTION bool atomic_flag_test_and_set_explicit(volatile AS atomic_flag* p, memory_order order) {              \
    return atomic_flag_test_and_set(p);                                                                          \
  }                                                                                                              \
  FUNCTION bool atomic_flag_test_and_set_explicit(volatile AS atomic_flag* p, memory_order order,                \
                                                  memory_scope scope) {                                          \
    return atomic_flag_test_and_set(p);                                                                          \
  }                                                                                                              \
  FUNCTION void atomic_flag_clear(volatile AS atomic_flag* p) {                                                  \
    __opencl_atomic_store((volatile AS atomic_int*)p, 0, ORDER);                                                 \
  }                                                                                                              \
  FUNCTION void atomic_flag_clear_explicit(volatile AS atomic_flag* p, memory_order order) {                     \
    atomic_flag_clear(p);                                                                                        \
  }                                                                                                              \
  FUNCTION void atomic_flag_clear_explicit(volatile AS atomic_flag* p, memory_order order, memory_scope scope) { \
    atomic_flag_clear(p);                                                                                        \
  }
                                                        FLAGS() FLAGS(global) FLAGS(local)

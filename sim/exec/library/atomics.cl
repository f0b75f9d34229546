// OpenCL C 3.0, 6.15.12 atomic functions, and those of OpenCL 1.x. Orders and scopes are those of one thread that runs
// groups in turn; against the host every operation is sequentially consistent.
#define ORDER memory_order_seq_cst, memory_scope_all_svm_devices

// clang's built-in operations know no minimum of floating-point numbers; the engine does (sim/exec/prepare.cpp).
float __opencl_atomic_fetch_fadd_4(volatile void* p, float v);
float __opencl_atomic_fetch_fsub_4(volatile void* p, float v);
float __opencl_atomic_fetch_fmin_4(volatile void* p, float v);
float __opencl_atomic_fetch_fmax_4(volatile void* p, float v);
double __opencl_atomic_fetch_fadd_8(volatile void* p, double v);
double __opencl_atomic_fetch_fsub_8(volatile void* p, double v);
double __opencl_atomic_fetch_fmin_8(volatile void* p, double v);
double __opencl_atomic_fetch_fmax_8(volatile void* p, double v);

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
// clang-format off
OLD_ATOMICS(atomic, int, global) OLD_ATOMICS(atomic, uint, global)
OLD_ATOMICS(atomic, int, local) OLD_ATOMICS(atomic, uint, local)
OLD_ATOMICS(atomic, int, ) OLD_ATOMICS(atomic, uint, )
OLD_ATOMICS(atom, int, global) OLD_ATOMICS(atom, uint, global)
OLD_ATOMICS(atom, int, local) OLD_ATOMICS(atom, uint, local)
OLD_ATOMICS(atom, long, global) OLD_ATOMICS(atom, ulong, global)
OLD_ATOMICS(atom, long, local) OLD_ATOMICS(atom, ulong, local)
// clang-format on
#define OLD_FLOAT_EXCHANGE(AS)                                    \
  FUNCTION float atomic_xchg(volatile AS float* p, float v) {     \
    return as_float(atomic_xchg((volatile AS int*)p, as_int(v))); \
  }
OLD_FLOAT_EXCHANGE(global)
OLD_FLOAT_EXCHANGE(local)
OLD_FLOAT_EXCHANGE()

// ---- OpenCL C 2.0 and later: plain, with an order, with an order and a scope; in every address space ----
#define EXPLICIT(T, name, V, AS)                                                                                      \
  FUNCTION T name##_explicit(volatile AS atomic_##T* p, V v, memory_order order) {                                    \
    return name(p, v);                                                                                                \
  }                                                                                                                   \
  FUNCTION T name##_explicit(volatile AS atomic_##T* p, V v, memory_order order, memory_scope scope) {                \
    return name(p, v);                                                                                                \
  }
#define FETCH(name, T, V, AS)                                      \
  FUNCTION T atomic_fetch_##name(volatile AS atomic_##T* p, V v) { \
    return __opencl_atomic_fetch_##name(p, (T)v, ORDER);           \
  }                                                                \
  EXPLICIT(T, atomic_fetch_##name, V, AS)
#define FLOAT_FETCH(name, T, AS, bytes)                            \
  FUNCTION T atomic_fetch_##name(volatile AS atomic_##T* p, T v) { \
    return __opencl_atomic_fetch_f##name##_##bytes(p, v);          \
  }                                                                \
  EXPLICIT(T, atomic_fetch_##name, T, AS)
// Of the other signedness too: what atomic_intptr_t takes is a ptrdiff_t, and uintptr_t is a mask.
// clang-format off
#define FETCHES_WITH(T, V, AS)                                                                             \
  FETCH(add, T, V, AS) FETCH(sub, T, V, AS) FETCH(and, T, V, AS) FETCH(or, T, V, AS) FETCH(xor, T, V, AS)  \
  FETCH(min, T, V, AS) FETCH(max, T, V, AS)
#define FETCHES(T, AS) FETCHES_WITH(T, T, AS)
#define LONG_FETCHES(AS) FETCHES_WITH(ulong, long, AS) FETCHES_WITH(long, ulong, AS)
#define FLOAT_FETCHES(AS)                                                                                  \
  FLOAT_FETCH(add, float, AS, 4) FLOAT_FETCH(sub, float, AS, 4)                                            \
  FLOAT_FETCH(min, float, AS, 4) FLOAT_FETCH(max, float, AS, 4)                                            \
  FLOAT_FETCH(add, double, AS, 8) FLOAT_FETCH(sub, double, AS, 8)                                          \
  FLOAT_FETCH(min, double, AS, 8) FLOAT_FETCH(max, double, AS, 8)
// clang-format on
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
// Compared are bits: the operation is that of an integer of the same size.
#define COMPARE(kind, T, AS, EXPECTED, I)                                                                       \
  FUNCTION bool atomic_compare_exchange_##kind(volatile AS atomic_##T* p, EXPECTED T* expected, T v) {          \
    I seen = as_##I(*expected);                                                                                 \
    const bool same = __opencl_atomic_compare_exchange_strong((volatile AS atomic_##I*)p, &seen, as_##I(v),     \
                                                              memory_order_seq_cst, ORDER);                     \
    if (!same) *expected = as_##T(seen);                                                                        \
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
// clang-format off
#define COMPARES(T, AS, I)                                                                                 \
  COMPARE(strong, T, AS, global, I) COMPARE(strong, T, AS, local, I) COMPARE(strong, T, AS, private, I)    \
  COMPARE(weak, T, AS, global, I) COMPARE(weak, T, AS, local, I) COMPARE(weak, T, AS, private, I)
#define ALL_COMPARES(T, I)                                                                                 \
  COMPARES(T, global, I) COMPARES(T, local, I) COMPARE(strong, T, , , I) COMPARE(weak, T, , , I)
#define EVERYWHERE(M, T) M(T, ) M(T, global) M(T, local)
EVERYWHERE(FETCHES, int) EVERYWHERE(FETCHES, uint) EVERYWHERE(FETCHES, long) EVERYWHERE(FETCHES, ulong)
LONG_FETCHES() LONG_FETCHES(global) LONG_FETCHES(local)
FLOAT_FETCHES() FLOAT_FETCHES(global) FLOAT_FETCHES(local)
EVERYWHERE(ACCESSES, int) EVERYWHERE(ACCESSES, uint) EVERYWHERE(ACCESSES, long) EVERYWHERE(ACCESSES, ulong)
EVERYWHERE(ACCESSES, float) EVERYWHERE(ACCESSES, double)
ALL_COMPARES(int, int) ALL_COMPARES(uint, uint) ALL_COMPARES(long, long) ALL_COMPARES(ulong, ulong)
ALL_COMPARES(float, int) ALL_COMPARES(double, long)
// clang-format on

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
FLAGS()
FLAGS(global)
FLAGS(local)

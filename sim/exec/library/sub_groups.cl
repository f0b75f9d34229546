// OpenCL C 3.0, 6.15.19 sub-groups, and the extensions cl_khr_subgroup_*. A sub-group is a wavefront. Each work-item puts
// its value into its place and stops; the engine exchanges what is in the places (sim/exec/sub_groups.cpp).
#define PLACE(T) (*(private T*)__sluice_place())
#define PLACE_WORD(at) (*(private uint*)(__sluice_place() + (at)))

// Words: enum QueryWord of sim/exec/runtime.h.
FUNCTION uint get_sub_group_id(void) {
  return (uint)__sluice_query(6);
}
FUNCTION uint get_sub_group_local_id(void) {
  return (uint)__sluice_query(7);
}
FUNCTION uint get_max_sub_group_size(void) {
  return (uint)__sluice_query(35);
}
FUNCTION uint get_num_sub_groups(void) {
  return (uint)__sluice_query(36);
}
FUNCTION uint get_enqueued_num_sub_groups(void) {
  return (uint)__sluice_query(37);
}
FUNCTION uint get_sub_group_size(void) {
  return get_sub_group_id() + 1 == get_num_sub_groups() ? (uint)__sluice_query(38) : get_max_sub_group_size();
}

FUNCTION void sub_group_barrier(cl_mem_fence_flags flags) {
  __sluice_sub_group(SUB_GROUP_CODE(sub_group_meet, 0, sub_group_int, 0));
}
FUNCTION void sub_group_barrier(cl_mem_fence_flags flags, memory_scope scope) {
  __sluice_sub_group(SUB_GROUP_CODE(sub_group_meet, 0, sub_group_int, 0));
}

// ---- values of others ----

#define TYPE_OF_SIZE(T)                         \
  (sizeof(T) == 1    ? sub_group_uchar          \
   : sizeof(T) == 2  ? sub_group_ushort         \
   : sizeof(T) == 4  ? sub_group_uint           \
   : sizeof(T) == 8  ? sub_group_ulong          \
   : sizeof(T) == 16 ? sub_group_16_bytes       \
   : sizeof(T) == 32 ? sub_group_32_bytes       \
   : sizeof(T) == 64 ? sub_group_64_bytes       \
                     : sub_group_128_bytes)
#define MOVE_IN(T, form, from, apart)                                 \
  PLACE(T) = v;                                                       \
  PLACE_WORD(SUB_GROUP_ARGUMENT) = from;                              \
  __sluice_sub_group(SUB_GROUP_CODE(form, 0, TYPE_OF_SIZE(T), apart)); \
  return PLACE(T);
#define BROADCASTS(T)                                                   \
  FUNCTION T sub_group_broadcast(T v, uint index) {                     \
    MOVE_IN(T, sub_group_move, index, 0)                                \
  }                                                                     \
  FUNCTION T sub_group_non_uniform_broadcast(T v, uint index) {         \
    MOVE_IN(T, sub_group_move, index, 1)                                \
  }
#define MOVES(T)                                                        \
  FUNCTION T sub_group_broadcast_first(T v) {                           \
    MOVE_IN(T, sub_group_move, SUB_GROUP_FIRST, 1)                      \
  }                                                                     \
  FUNCTION T sub_group_shuffle(T v, uint index) {                       \
    MOVE_IN(T, sub_group_move, index, 1)                                \
  }                                                                     \
  FUNCTION T sub_group_shuffle_xor(T v, uint mask) {                    \
    MOVE_IN(T, sub_group_move, get_sub_group_local_id() ^ mask, 1)      \
  }                                                                     \
  FUNCTION T sub_group_shuffle_up(T v, uint delta) {                    \
    MOVE_IN(T, sub_group_move, get_sub_group_local_id() - delta, 1)     \
  }                                                                     \
  FUNCTION T sub_group_shuffle_down(T v, uint delta) {                  \
    MOVE_IN(T, sub_group_move, get_sub_group_local_id() + delta, 1)     \
  }                                                                     \
  FUNCTION T sub_group_rotate(T v, int delta) {                         \
    PLACE_WORD(SUB_GROUP_SIZE) = get_max_sub_group_size();              \
    MOVE_IN(T, sub_group_turn, (uint)delta, 1)                          \
  }                                                                     \
  FUNCTION T sub_group_clustered_rotate(T v, int delta, uint size) {    \
    PLACE_WORD(SUB_GROUP_SIZE) = size;                                  \
    MOVE_IN(T, sub_group_turn, (uint)delta, 1)                          \
  }
#define MOVES_OF(T) \
  MOVES(T)          \
  BROADCASTS(T)     \
  BROADCASTS(T##2)  \
  BROADCASTS(T##3)  \
  BROADCASTS(T##4)  \
  BROADCASTS(T##8)  \
  BROADCASTS(T##16)
// clang-format off
MOVES_OF(char)
MOVES_OF(uchar)
MOVES_OF(short)
MOVES_OF(ushort)
MOVES_OF(int)
MOVES_OF(uint)
MOVES_OF(long)
MOVES_OF(ulong)
MOVES_OF(half)
MOVES_OF(float)
MOVES_OF(double)
// clang-format on

// ---- arithmetic ----

#define COMBINE(name, T, form, combine, apart)                                    \
  FUNCTION T name(T v) {                                                          \
    PLACE(T) = v;                                                                 \
    PLACE_WORD(SUB_GROUP_SIZE) = 0;                                               \
    __sluice_sub_group(SUB_GROUP_CODE(form, combine, sub_group_##T, apart));      \
    return PLACE(T);                                                              \
  }
#define CLUSTERED(name, T, combine)                                               \
  FUNCTION T sub_group_clustered_reduce_##name(T v, uint size) {                  \
    PLACE(T) = v;                                                                 \
    PLACE_WORD(SUB_GROUP_SIZE) = size;                                            \
    __sluice_sub_group(SUB_GROUP_CODE(sub_group_fold, combine, sub_group_##T, 1)); \
    return PLACE(T);                                                              \
  }
#define NON_UNIFORM(name, T)                                                                                      \
  COMBINE(sub_group_non_uniform_reduce_##name, T, sub_group_fold, sub_group_##name, 1)                            \
  COMBINE(sub_group_non_uniform_scan_inclusive_##name, T, sub_group_scan_inclusive, sub_group_##name, 1)          \
  COMBINE(sub_group_non_uniform_scan_exclusive_##name, T, sub_group_scan_exclusive, sub_group_##name, 1)          \
  CLUSTERED(name, T, sub_group_##name)
#define UNIFORM(name, T)                                                                      \
  COMBINE(sub_group_reduce_##name, T, sub_group_fold, sub_group_##name, 0)                    \
  COMBINE(sub_group_scan_inclusive_##name, T, sub_group_scan_inclusive, sub_group_##name, 0)  \
  COMBINE(sub_group_scan_exclusive_##name, T, sub_group_scan_exclusive, sub_group_##name, 0)  \
  NON_UNIFORM(name, T)
#define ARITHMETIC(T)  \
  UNIFORM(add, T)      \
  UNIFORM(min, T)      \
  UNIFORM(max, T)      \
  NON_UNIFORM(mul, T)  \
  FUNCTION int sub_group_non_uniform_all_equal(T v) {                            \
    PLACE(T) = v;                                                                \
    __sluice_sub_group(SUB_GROUP_CODE(sub_group_equal, 0, sub_group_##T, 1));     \
    return PLACE(int);                                                           \
  }
#define BITWISE(T)     \
  ARITHMETIC(T)        \
  NON_UNIFORM(and, T)  \
  NON_UNIFORM(or, T)   \
  NON_UNIFORM(xor, T)
// clang-format off
BITWISE(char)
BITWISE(uchar)
BITWISE(short)
BITWISE(ushort)
BITWISE(int)
BITWISE(uint)
BITWISE(long)
BITWISE(ulong)
ARITHMETIC(half)
ARITHMETIC(float)
ARITHMETIC(double)
NON_UNIFORM(logical_and, int)
NON_UNIFORM(logical_or, int)
NON_UNIFORM(logical_xor, int)

// ---- votes ----

COMBINE(sub_group_all, int, sub_group_fold, sub_group_logical_and, 0)
COMBINE(sub_group_any, int, sub_group_fold, sub_group_logical_or, 0)
COMBINE(sub_group_non_uniform_all, int, sub_group_fold, sub_group_logical_and, 1)
COMBINE(sub_group_non_uniform_any, int, sub_group_fold, sub_group_logical_or, 1)
// clang-format on
FUNCTION int sub_group_elect(void) {
  return sub_group_broadcast_first(get_sub_group_local_id()) == get_sub_group_local_id();
}
FUNCTION uint4 sub_group_ballot(int predicate) {
  PLACE(int) = predicate;
  __sluice_sub_group(SUB_GROUP_CODE(sub_group_vote, 0, sub_group_int, 1));
  return PLACE(uint4);
}

// The lowest n bits, of 128.
FUNCTION uint __sluice_low_bits_of_word(uint n, uint first) {
  return n >= first + 32 ? 0xffffffffu : n > first ? (1u << (n - first)) - 1 : 0;
}
FUNCTION uint4 __sluice_low_bits(uint n) {
  return (uint4)(__sluice_low_bits_of_word(n, 0), __sluice_low_bits_of_word(n, 32), __sluice_low_bits_of_word(n, 64),
                 __sluice_low_bits_of_word(n, 96));
}
FUNCTION uint4 get_sub_group_eq_mask(void) {
  const uint own = get_sub_group_local_id();
  return __sluice_low_bits(own + 1) ^ __sluice_low_bits(own);
}
FUNCTION uint4 get_sub_group_ge_mask(void) {
  return __sluice_low_bits(get_max_sub_group_size()) ^ __sluice_low_bits(get_sub_group_local_id());
}
FUNCTION uint4 get_sub_group_gt_mask(void) {
  return __sluice_low_bits(get_max_sub_group_size()) ^ __sluice_low_bits(get_sub_group_local_id() + 1);
}
FUNCTION uint4 get_sub_group_le_mask(void) {
  return __sluice_low_bits(get_sub_group_local_id() + 1);
}
FUNCTION uint4 get_sub_group_lt_mask(void) {
  return __sluice_low_bits(get_sub_group_local_id());
}

FUNCTION int sub_group_ballot_bit_extract(uint4 value, uint index) {
  const uint word = index < 32 ? value.x : index < 64 ? value.y : index < 96 ? value.z : value.w;
  return (int)(word >> (index % 32) & 1);
}
FUNCTION int sub_group_inverse_ballot(uint4 value) {
  return sub_group_ballot_bit_extract(value, get_sub_group_local_id());
}
FUNCTION uint __sluice_bits_of(uint4 v) {
  return (uint)(__builtin_popcount(v.x) + __builtin_popcount(v.y) + __builtin_popcount(v.z) + __builtin_popcount(v.w));
}
// Only bits below the maximum size of a sub-group count.
FUNCTION uint sub_group_ballot_bit_count(uint4 value) {
  return __sluice_bits_of(value & __sluice_low_bits(get_max_sub_group_size()));
}
FUNCTION uint sub_group_ballot_inclusive_scan(uint4 value) {
  return __sluice_bits_of(value & get_sub_group_le_mask());
}
FUNCTION uint sub_group_ballot_exclusive_scan(uint4 value) {
  return __sluice_bits_of(value & get_sub_group_lt_mask());
}
FUNCTION uint sub_group_ballot_find_lsb(uint4 value) {
  const uint4 v = value & __sluice_low_bits(get_max_sub_group_size());
  return v.x != 0   ? (uint)__builtin_ctz(v.x)
         : v.y != 0 ? 32 + (uint)__builtin_ctz(v.y)
         : v.z != 0 ? 64 + (uint)__builtin_ctz(v.z)
         : v.w != 0 ? 96 + (uint)__builtin_ctz(v.w)
                    : 0;
}
FUNCTION uint sub_group_ballot_find_msb(uint4 value) {
  const uint4 v = value & __sluice_low_bits(get_max_sub_group_size());
  return v.w != 0   ? 127 - (uint)__builtin_clz(v.w)
         : v.z != 0 ? 95 - (uint)__builtin_clz(v.z)
         : v.y != 0 ? 63 - (uint)__builtin_clz(v.y)
         : v.x != 0 ? 31 - (uint)__builtin_clz(v.x)
                    : 0;
}

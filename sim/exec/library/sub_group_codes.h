// The word that __sluice_sub_group takes, for the device library (OpenCL C) and the engine.
#pragma once

#ifdef __cplusplus
namespace sluice::exec {
#endif

// SUB_GROUP_CODE(form, combine, type, apart): `apart` is 1 if the work-items take part that come to it together, 0 if all
// of the sub-group must.
#define SUB_GROUP_CODE(form, combine, type, apart) ((form) | (combine) << 4 | (type) << 8 | (apart) << 12)

enum SubGroupForm {
  sub_group_meet = 0,  // and nothing else
  sub_group_move,      // the value of the work-item whose local id the argument is
  sub_group_turn,   // of the one that is `argument` further on, among as many neighbours as `size` says
  sub_group_vote,      // uint4s: for whom the predicate is not 0, and who takes part
  sub_group_equal,     // whether all values are
  sub_group_fold,   // of as many neighbours as `size` says; 0: of all
  sub_group_scan_inclusive,
  sub_group_scan_exclusive,
  sub_group_forms
};

enum SubGroupCombine {
  sub_group_add = 0,
  sub_group_mul,
  sub_group_min,
  sub_group_max,
  sub_group_and,
  sub_group_or,
  sub_group_xor,
  sub_group_logical_and,
  sub_group_logical_or,
  sub_group_logical_xor,
  sub_group_combines
};

// Of what is combined or compared; of what is moved, only the size counts, and more than a scalar has a type of its own.
enum SubGroupType {
  sub_group_char = 0,
  sub_group_uchar,
  sub_group_short,
  sub_group_ushort,
  sub_group_int,
  sub_group_uint,
  sub_group_long,
  sub_group_ulong,
  sub_group_half,
  sub_group_float,
  sub_group_double,
  sub_group_16_bytes,
  sub_group_32_bytes,
  sub_group_64_bytes,
  sub_group_128_bytes,
  sub_group_types
};

// Argument of sub_group_move: who takes part and has the lowest local id.
#define SUB_GROUP_FIRST 0xffffffffu
// Where a work-item's place has them, behind the value.
#define SUB_GROUP_ARGUMENT 128
#define SUB_GROUP_SIZE 132

#ifdef __cplusplus
}  // namespace sluice::exec
#endif

// Built-in functions that libclc does not have or that are the engine's own; compiled for spir64 when Sluice is built.
// Everything is inlined into kernels. To open bitcode takes a time for each function in it, thousands for all, so they are
// in parts (SLUICE_PART): what nearly every kernel needs is in the first. A part may call functions of any.
#pragma OPENCL EXTENSION cl_khr_fp16 : enable
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#pragma OPENCL EXTENSION cl_khr_int64_base_atomics : enable
#pragma OPENCL EXTENSION cl_khr_int64_extended_atomics : enable

#define FUNCTION __attribute__((overloadable, always_inline))

// Lowered by the engine (sim/exec/lower_kernel.cpp).
ulong __sluice_query(uint word) __attribute__((const));
void __sluice_barrier(uint flags) __attribute__((convergent));
private char* __sluice_scratch(void) __attribute__((const));
uint __sluice_space(const void* pointer) __attribute__((const));
void __sluice_sub_group(uint code) __attribute__((convergent));
private char* __sluice_place(void) __attribute__((const));

#if SLUICE_PART == 1
#include "work_items.cl"
#elif SLUICE_PART == 2
#include "math.cl"
#elif SLUICE_PART == 3
#include "atomics.cl"
#include "pipes.cl"
#elif SLUICE_PART == 5
#include "sub_group_codes.h"
#include "sub_groups.cl"
#else
#include "group_functions.cl"
#include "integers.cl"
#include "conversions.cl"
#include "images.cl"
#include "math.cl"  // which the next one calls by names that the header does not have
#include "half_math.cl"
#endif

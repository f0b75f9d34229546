// Built-in functions that libclc does not have or that are the engine's own; compiled for spir64 when Sluice is built.
// Everything is inlined into kernels.
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

#include "work_items.cl"
#include "atomics.cl"
#include "group_functions.cl"
#include "integers.cl"
#include "conversions.cl"
#include "images.cl"
#include "math.cl"
#include "half_math.cl"

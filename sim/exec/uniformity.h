// Whether all work-groups of a kernel go the same way, and whether they even do the same but for where they write. Then
// the accesses of one, or its bytes, too, tell what every other does.
#pragma once

#include <llvm/IR/Instructions.h>

#include <vector>

#include "sim/exec/lowering.h"

namespace sluice::exec {

// Where what is computed from ids and arguments decides: the condition of a branch, a switch or a select; nullptr: which
// of its operands a minimum or maximum is.
struct Guard {
  llvm::Instruction* at = nullptr;
  llvm::Value* condition = nullptr;
};

// Of a load of what groups may have written, on which neither control flow nor an address depends.
inline constexpr llvm::StringLiteral steerless_load = "sluice.steerless";

struct Alikeness {
  // Control flow and addresses depend on arguments, sizes and local ids only, but that those of accesses to global
  // memory may move: linear in the group's number, each with coefficients of its own; modulo 2^32 only, so that it does
  // not matter whether indices of 32 bits wrap.
  bool same_way = false;
  // And so do the stored values; only stores move, and their addresses are linear modulo 2^64. No memory is read that
  // another group or a former launch may have written.
  bool same_bytes = false;
  // The proof holds where global ids fit into 31 bits.
  bool narrow_ids = false;
  // Only groups go the same way for which these decide the same.
  std::vector<Guard> guards = {};
  // All such loads are marked as steerless_load.
  bool marked = false;
};

// Marks loads.
[[nodiscard]] Alikeness find_alikeness(const KernelUnit& unit);

}  // namespace sluice::exec

// Whether all work-groups of a kernel do the same but for where they write. Then one of them tells what every other
// does.
#pragma once

#include "sim/exec/lowering.h"

namespace sluice::exec {

struct Alikeness {
  // Control flow, stored values and the addresses of everything but stores to global memory depend on arguments, sizes
  // and local ids only; the addresses of those stores are, modulo 2^64, linear in the group's number, each with
  // coefficients of its own. No memory is read that another group or a former launch may have written.
  bool proven = false;
  // The proof holds where global ids fit into 31 bits.
  bool narrow_ids = false;
};

[[nodiscard]] Alikeness find_alikeness(const KernelUnit& unit);

}  // namespace sluice::exec

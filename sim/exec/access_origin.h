// Where the pointer of an access comes from, and so within which bounds it must stay.
#pragma once

#include <llvm/ADT/SmallVector.h>
#include <llvm/IR/Instructions.h>

#include <string>

#include "sim/exec/lowering.h"

namespace sluice::exec {

struct Origin {
  // An object that the pointer may point into. `size` is nullptr where the argument's size is only known at launch.
  struct Object {
    llvm::Value* base = nullptr;
    llvm::ConstantInt* size = nullptr;
    std::int32_t argument = -1;
  };
  SiteSpace space = SiteSpace::generic;
  bool trusted = false;    // of the engine's own making
  bool in_bounds = false;  // proven
  bool complete = false;   // `objects` are all that it may point into
  llvm::SmallVector<Object, 2> objects;
  std::string name;
};

[[nodiscard]] Origin find_origin(llvm::Value* pointer, std::uint64_t bytes, const KernelUnit& unit);

}  // namespace sluice::exec

// How many instructions of a GPU an IR instruction stands for, by class.
#pragma once

#include <llvm/IR/Function.h>
#include <llvm/IR/InstrTypes.h>

#include <array>
#include <cstdint>
#include <map>

#include "sim/iface/kernel_engine.h"

namespace sluice::exec {

using ClassCounts = std::array<std::uint32_t, instruction_classes>;

class InstructionCost {
 public:
  [[nodiscard]] ClassCounts of(const llvm::BasicBlock& block);

 private:
  void add(const llvm::Instruction& instruction, ClassCounts& counts);
  void add_call(const llvm::CallBase& call, ClassCounts& counts);
  static void add_sub_group(const llvm::CallBase& call, ClassCounts& counts);
  const ClassCounts& of(const llvm::Function& function);
  std::map<const llvm::Function*, ClassCounts> functions_;
};

}  // namespace sluice::exec

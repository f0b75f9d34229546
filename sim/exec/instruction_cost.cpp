#include "sim/exec/instruction_cost.h"

#include <llvm/Analysis/ValueTracking.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>

#include <algorithm>

#include "sim/exec/lowering.h"
#include "sim/exec/sub_groups.h"

namespace sluice::exec {

using namespace llvm;

namespace {

// Elements that a vector unit of scalar lanes treats one after the other.
std::uint32_t elements(const Type& type) {
  const auto* vector = dyn_cast<FixedVectorType>(&type);
  return vector != nullptr ? vector->getNumElements() : 1;
}

// Integers wider than a 32-bit register take several instructions.
std::uint32_t words(const Type& type) {
  return type.isIntOrIntVectorTy() ? std::max(1U, (type.getScalarSizeInBits() + 31) / 32) : 1;
}

// A product of up to 32 bits that is only added to something: one multiply-add.
bool is_part_of_a_sum(const Instruction& product) {
  if (product.getOpcode() != Instruction::Mul || !product.hasOneUse()) return false;
  if (product.getType()->getScalarSizeInBits() > 32) return false;
  const auto* user = dyn_cast<Instruction>(*product.user_begin());
  if (user == nullptr || user->getOpcode() != Instruction::Add || user->getParent() != product.getParent()) return false;
  // Of two products the first is left.
  const auto* other = dyn_cast<Instruction>(user->getOperand(0));
  return other == &product || other == nullptr || other->getOpcode() != Instruction::Mul || !other->hasOneUse();
}

InstructionClass float_class(const Type& type) {
  return type.getScalarType()->isDoubleTy() ? InstructionClass::float64 : InstructionClass::float32;
}

// A work-item's place for what its sub-group does together, which on a device are registers.
bool is_place(const Value* pointer) {
  const auto* call = pointer == nullptr ? nullptr : dyn_cast<CallInst>(getUnderlyingObject(pointer));
  return call != nullptr && call->getCalledFunction() != nullptr &&
         call->getCalledFunction()->getName() == "__sluice_place";
}

bool is_half(const Type& type) { return type.getScalarType()->isHalfTy(); }

std::uint32_t& at(ClassCounts& counts, InstructionClass which) {
  return counts[static_cast<std::size_t>(which)];
}

}  // namespace

ClassCounts InstructionCost::of(const BasicBlock& block) {
  ClassCounts counts{};
  for (const Instruction& instruction : block) add(instruction, counts);
  return counts;
}

// The path through a library function is not known here: its whole body, each instruction once.
const ClassCounts& InstructionCost::of(const Function& function) {
  const auto [entry, fresh] = functions_.try_emplace(&function);
  if (fresh) {
    ClassCounts counts{};
    for (const BasicBlock& block : function) {
      for (const Instruction& instruction : block) add(instruction, counts);
    }
    entry->second = counts;
  }
  return entry->second;
}

// What a wavefront issues. Values pass between lanes a word at a time at half the rate of integers (CUDA C++ Programming
// Guide, "Arithmetic Instructions": warp shuffle, 32 results a clock of 64 lanes); votes are one instruction. What is
// combined passes in as many steps as 32 lanes take, and is combined in each.
void InstructionCost::add_sub_group(const CallBase& call, ClassCounts& counts) {
  constexpr std::uint32_t steps = 5, move = 2;
  const auto* code = dyn_cast<ConstantInt>(call.getArgOperand(0));
  const SubGroupOperation operation(code == nullptr ? 0 : static_cast<std::uint32_t>(code->getZExtValue()));
  const std::uint32_t words = std::max<std::uint32_t>(1, operation.bytes() / 4);
  const bool is_vote = operation.form() == sub_group_vote || operation.form() == sub_group_equal ||
                       (operation.form() == sub_group_fold && operation.combine() >= sub_group_logical_and);
  if (operation.form() == sub_group_meet) {
    ++at(counts, InstructionClass::control);
  } else if (is_vote) {
    at(counts, InstructionClass::integer) += words;
  } else if (operation.form() == sub_group_move || operation.form() == sub_group_turn) {
    at(counts, InstructionClass::integer) += move * words;
  } else {
    at(counts, InstructionClass::integer) += steps * move * words;
    const std::uint32_t type = operation.type();
    const InstructionClass combines = type == sub_group_double                             ? InstructionClass::float64
                                      : type == sub_group_half || type == sub_group_float ? InstructionClass::float32
                                                                                           : InstructionClass::integer;
    at(counts, combines) += steps * (combines == InstructionClass::integer ? words : 1);
  }
}

void InstructionCost::add_call(const CallBase& call, ClassCounts& counts) {
  const Function* callee = call.getCalledFunction();
  if (callee == nullptr) return;
  if (is_texture_function(*callee)) {
    if (callee->arg_begin()->getType()->isPointerTy()) ++at(counts, InstructionClass::memory);
    return;
  }
  if (!callee->isDeclaration()) {
    const ClassCounts inner = of(*callee);  // a copy: the map may grow below
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += inner[i];
    return;
  }
  if (!callee->isIntrinsic()) {
    if (callee->getName() == "__sluice_barrier") ++at(counts, InstructionClass::control);
    if (callee->getName() == "__sluice_sub_group") add_sub_group(call, counts);
    if (callee->getName() == "sluice_exec_print") at(counts, InstructionClass::integer) += 16;
    if (callee->getName().startswith("__sluice_libm_")) {
      // What a GPU's library takes for sin or exp: reduction, a table or special instruction, a polynomial.
      at(counts, float_class(*call.getType())) += call.getType()->isDoubleTy() ? 40 : 16;
      ++at(counts, InstructionClass::special);
    }
    return;
  }
  const Type& type = *call.getType();
  switch (callee->getIntrinsicID()) {
    case Intrinsic::fabs:
    case Intrinsic::lifetime_start:
    case Intrinsic::lifetime_end:
    case Intrinsic::assume:
    case Intrinsic::experimental_noalias_scope_decl:
      return;
    case Intrinsic::sqrt:
    case Intrinsic::sin:
    case Intrinsic::cos:
    case Intrinsic::exp2:
    case Intrinsic::log2:
      at(counts, InstructionClass::special) += elements(type);
      return;
    case Intrinsic::memcpy:
    case Intrinsic::memset:
    case Intrinsic::memmove:
      at(counts, InstructionClass::memory) += 2;
      return;
    default:
      break;
  }
  if (type.isFPOrFPVectorTy()) {
    at(counts, float_class(type)) += elements(type);
  } else if (type.isIntOrIntVectorTy()) {
    at(counts, InstructionClass::integer) += elements(type) * words(type);
  }
}

void InstructionCost::add(const Instruction& instruction, ClassCounts& counts) {
  const Type& type = *instruction.getType();
  switch (instruction.getOpcode()) {
    case Instruction::PHI:
    case Instruction::Alloca:
    case Instruction::BitCast:
    case Instruction::AddrSpaceCast:
    case Instruction::PtrToInt:
    case Instruction::IntToPtr:
    case Instruction::Trunc:
    case Instruction::ZExt:
    case Instruction::Freeze:
    case Instruction::FNeg:
    case Instruction::ExtractElement:
    case Instruction::InsertElement:
    case Instruction::ShuffleVector:
    case Instruction::ExtractValue:
    case Instruction::InsertValue:
    case Instruction::Unreachable:
    case Instruction::Fence:
      return;
    case Instruction::Load:
    case Instruction::Store:
      if (is_place(getLoadStorePointerOperand(&instruction))) return;
      ++at(counts, InstructionClass::memory);
      return;
    case Instruction::AtomicRMW:
    case Instruction::AtomicCmpXchg:
      ++at(counts, InstructionClass::memory);
      return;
    case Instruction::Br:
      at(counts, InstructionClass::control) += cast<BranchInst>(instruction).isConditional() ? 1 : 0;
      return;
    case Instruction::Switch:
      at(counts, InstructionClass::control) += 2;
      return;
    case Instruction::Ret:
      ++at(counts, InstructionClass::control);
      return;
    case Instruction::Call:
      add_call(cast<CallBase>(instruction), counts);
      return;
    case Instruction::GetElementPtr: {
      // One addition for each index that is not constant; constants are part of the access.
      const auto& address = cast<GetElementPtrInst>(instruction);
      at(counts, InstructionClass::integer) += static_cast<std::uint32_t>(
          count_if(address.indices(), [](const Use& use) { return !isa<Constant>(use.get()); }));
      return;
    }
    case Instruction::UDiv:
    case Instruction::SDiv:
    case Instruction::URem:
    case Instruction::SRem:
      // No hardware divider: a reciprocal and corrections.
      at(counts, InstructionClass::integer) += 18 * elements(type) * words(type);
      at(counts, InstructionClass::special) += elements(type);
      return;
    case Instruction::FDiv:
    case Instruction::FRem:
      at(counts, float_class(type)) += 7 * elements(type);
      at(counts, InstructionClass::special) += elements(type);
      return;
    case Instruction::FAdd:
    case Instruction::FSub:
    case Instruction::FMul:
      at(counts, float_class(type)) += elements(type);
      return;
    case Instruction::FCmp:
      at(counts, float_class(*instruction.getOperand(0)->getType())) += elements(type);
      return;
    case Instruction::FPToUI:
    case Instruction::FPToSI:
    case Instruction::UIToFP:
    case Instruction::SIToFP:
      at(counts, InstructionClass::special) += elements(type);
      return;
    case Instruction::FPTrunc:
    case Instruction::FPExt:
      // Half precision is computed in float here; a device does so in one instruction, without conversions.
      if (is_half(type) || is_half(*instruction.getOperand(0)->getType())) return;
      at(counts, InstructionClass::special) += elements(type);
      return;
    default:
      if (is_part_of_a_sum(instruction)) return;
      at(counts, InstructionClass::integer) += elements(type) * words(type);
  }
}

}  // namespace sluice::exec

#include <llvm/IR/Dominators.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/Transforms/Utils/Cloning.h>
#include <llvm/Transforms/Utils/PromoteMemToReg.h>

#include "sim/exec/lowering.h"
#include "sim/exec/runtime.h"
#include "sim/exec/uniformity.h"

namespace sluice::exec {

using namespace llvm;

namespace {

Value* decision_of(IRBuilder<>& b, Instruction& at, Value* condition) {
  if (condition == nullptr) {
    auto& extreme = cast<MinMaxIntrinsic>(at);
    condition = b.CreateICmp(extreme.getPredicate(), extreme.getLHS(), extreme.getRHS());
  }
  return b.CreateZExtOrTrunc(condition, b.getInt64Ty());
}

}  // namespace

KernelUnit make_path(const KernelUnit& unit, const Guards& guards, KernelImage& image) {
  image.symbol = KernelImage::path_symbol;
  ValueToValueMapTy map;
  KernelUnit path{.body = CloneFunction(unit.body, map), .image = &image, .by_value = unit.by_value};
  const auto here = [&](Value* value) {
    const auto it = map.find(value);
    return it == map.end() ? value : static_cast<Value*>(it->second);
  };
  // What is set up once stays in a block of its own.
  BasicBlock& entry = path.body->getEntryBlock();
  auto first = entry.getFirstInsertionPt();
  while (isa<AllocaInst>(&*first)) ++first;
  entry.splitBasicBlock(first);
  IRBuilder<> b(entry.getTerminator());
  AllocaInst* const way = b.CreateAlloca(b.getInt64Ty());
  b.CreateStore(b.getInt64(0), way);
  for (const Guard& guard : guards.all) {
    auto* const at = cast<Instruction>(here(guard.at));
    b.SetInsertPoint(at);
    Value* decision = decision_of(b, *at, guard.condition == nullptr ? nullptr : here(guard.condition));
    Value* mixed = b.CreateXor(b.CreateLoad(b.getInt64Ty(), way), b.CreateAdd(decision, b.getInt64(0x632be59bd9b4e019)));
    mixed = b.CreateMul(mixed, b.getInt64(0x9e3779b97f4a7c15));
    b.CreateStore(b.CreateXor(mixed, b.CreateLShr(mixed, 29)), way);
  }
  // No guard depends on what follows.
  for (LoadInst* read : guards.reads) {
    auto* const load = cast<LoadInst>(here(read));
    load->replaceAllUsesWith(Constant::getNullValue(load->getType()));
    load->eraseFromParent();
  }
  std::vector<Instruction*> effects;
  for (Instruction& instruction : instructions(*path.body)) {
    const auto* store = dyn_cast<StoreInst>(&instruction);
    if ((store != nullptr && store->getPointerOperand() != way) || isa<FenceInst>(instruction) ||
        as_call_of(instruction, "__sluice_barrier") != nullptr) {
      effects.push_back(&instruction);
    } else if (isa<ReturnInst>(instruction)) {
      b.SetInsertPoint(&instruction);
      Value* member = b.CreateConstInBoundsGEP1_64(b.getInt8Ty(), path.group(), offsetof(Group, path));
      b.CreateStore(b.CreateLoad(b.getInt64Ty(), way), member);
    }
  }
  // The stores to the group were not there to be found.
  for (Instruction* effect : effects) effect->eraseFromParent();
  DominatorTree dominators(*path.body);
  PromoteMemToReg({way}, dominators);
  return path;
}

}  // namespace sluice::exec

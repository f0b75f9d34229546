#include <llvm/ADT/SetVector.h>
#include <llvm/Analysis/CFG.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/Transforms/Utils/BasicBlockUtils.h>
#include <llvm/Transforms/Utils/Cloning.h>
#include <llvm/Transforms/Utils/PromoteMemToReg.h>

#include "sim/exec/lowering.h"
#include "sim/exec/uniformity.h"

namespace sluice::exec {

using namespace llvm;

namespace {

// What is set up once stays in a block of its own.
BasicBlock& set_up_block(Function& body) {
  BasicBlock& entry = body.getEntryBlock();
  auto first = entry.getFirstInsertionPt();
  while (isa<AllocaInst>(&*first)) ++first;
  entry.splitBasicBlock(first);
  return entry;
}

Value* decision_of(IRBuilder<>& b, Instruction& at, Value* condition) {
  if (condition == nullptr) {
    auto& extreme = cast<MinMaxIntrinsic>(at);
    condition = b.CreateICmp(extreme.getPredicate(), extreme.getLHS(), extreme.getRHS());
  }
  return b.CreateZExtOrTrunc(condition, b.getInt64Ty());
}

// Right before the work-item ends.
void say_path(IRBuilder<>& b, Value* way) {
  Module& module = *b.GetInsertBlock()->getModule();
  b.CreateCall(module.getOrInsertFunction(path_of_item, b.getVoidTy(), b.getInt64Ty()), {way});
}

}  // namespace

KernelUnit make_path(const KernelUnit& unit, const std::vector<Guard>& guards, KernelImage& image) {
  image.symbol = KernelImage::path_symbol;
  ValueToValueMapTy map;
  KernelUnit path{.body = CloneFunction(unit.body, map), .image = &image, .by_value = unit.by_value};
  const auto here = [&](Value* value) {
    const auto it = map.find(value);
    return it == map.end() ? value : static_cast<Value*>(it->second);
  };
  IRBuilder<> b(set_up_block(*path.body).getTerminator());
  AllocaInst* const way = b.CreateAlloca(b.getInt64Ty());
  b.CreateStore(b.getInt64(1), way);
  for (const Guard& guard : guards) {
    auto* const at = cast<Instruction>(here(guard.at));
    b.SetInsertPoint(at);
    Value* decision = decision_of(b, *at, guard.condition == nullptr ? nullptr : here(guard.condition));
    Value* mixed = b.CreateXor(b.CreateLoad(b.getInt64Ty(), way), b.CreateAdd(decision, b.getInt64(0x632be59bd9b4e019)));
    mixed = b.CreateMul(mixed, b.getInt64(0x9e3779b97f4a7c15));
    b.CreateStore(b.CreateXor(mixed, b.CreateLShr(mixed, 29)), way);
  }
  // No guard depends on what is dropped.
  std::vector<Instruction*> effects;
  for (Instruction& instruction : instructions(*path.body)) {
    if (instruction.hasMetadata(steerless_load)) {
      instruction.replaceAllUsesWith(Constant::getNullValue(instruction.getType()));
      effects.push_back(&instruction);
      continue;
    }
    const auto* store = dyn_cast<StoreInst>(&instruction);
    if ((store != nullptr && store->getPointerOperand() != way) || isa<FenceInst>(instruction) ||
        as_call_of(instruction, "__sluice_barrier") != nullptr) {
      effects.push_back(&instruction);
    } else if (isa<ReturnInst>(instruction)) {
      b.SetInsertPoint(&instruction);
      say_path(b, b.CreateLoad(b.getInt64Ty(), way));
    }
  }
  for (Instruction* effect : effects) effect->eraseFromParent();
  DominatorTree dominators(*path.body);
  PromoteMemToReg({way}, dominators);
  return path;
}

// Nobody has watched these loops before.
void limit_path(const KernelUnit& path) {
  constexpr std::uint64_t most_rounds = std::uint64_t{1} << 16;  // of a work-item, all loops together
  IRBuilder<> b(set_up_block(*path.body).getTerminator());
  AllocaInst* const rounds = b.CreateAlloca(b.getInt64Ty());
  b.CreateStore(b.getInt64(0), rounds);
  SmallVector<std::pair<const BasicBlock*, const BasicBlock*>> back_edges;
  FindFunctionBackedges(*path.body, back_edges);
  SmallSetVector<BasicBlock*, 8> ends;
  for (const auto& edge : back_edges) ends.insert(const_cast<BasicBlock*>(edge.first));
  for (BasicBlock* const end : ends) {
    b.SetInsertPoint(end->getTerminator());
    Value* more = b.CreateAdd(b.CreateLoad(b.getInt64Ty(), rounds), b.getInt64(1));
    b.CreateStore(more, rounds);
    Value* const too_many = b.CreateICmpUGT(more, b.getInt64(most_rounds));
    Instruction* const stop = SplitBlockAndInsertIfThen(too_many, end->getTerminator(), true);
    b.SetInsertPoint(stop);
    say_path(b, b.getInt64(0));
    b.CreateRetVoid();
    stop->eraseFromParent();
  }
  DominatorTree dominators(*path.body);
  PromoteMemToReg({rounds}, dominators);
}

}  // namespace sluice::exec

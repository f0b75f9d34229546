#include "sim/exec/lane_regions.h"

#include <llvm/ADT/PostOrderIterator.h>
#include <llvm/Analysis/CFG.h>
#include <llvm/Analysis/DivergenceAnalysis.h>
#include <llvm/Analysis/LoopInfo.h>
#include <llvm/Analysis/PostDominators.h>
#include <llvm/Analysis/SyncDependenceAnalysis.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/Transforms/Utils/BasicBlockUtils.h>
#include <llvm/Transforms/Utils/Cloning.h>
#include <llvm/Transforms/Utils/Local.h>
#include <llvm/Transforms/Utils/PromoteMemToReg.h>

#include "sim/exec/runtime.h"
#include "sim/exec/uniformity.h"

namespace sluice::exec {

using namespace llvm;

namespace {

constexpr std::uint64_t slot_alignment = 64;  // of the first work-item's

std::uint64_t slot_size(const DataLayout& layout, Type* type) { return layout.getTypeAllocSize(type).getFixedSize(); }

// Cheap, without effect, and without a trap whatever its operands are.
bool is_plain(const Instruction& instruction) {
  if (isa<CastInst>(instruction) || isa<GetElementPtrInst>(instruction) || isa<ICmpInst>(instruction) ||
      isa<SelectInst>(instruction)) {
    return true;
  }
  switch (instruction.getOpcode()) {
    case Instruction::Add:
    case Instruction::Sub:
    case Instruction::Mul:
    case Instruction::Shl:
    case Instruction::LShr:
    case Instruction::AShr:
    case Instruction::And:
    case Instruction::Or:
    case Instruction::Xor:
      return true;
    default:
      return false;
  }
}

// The branch to what happens where an access is out of bounds.
BranchInst* branch_to(const CallInst& check) {
  const BasicBlock* const bad = check.getParent();
  return cast<BranchInst>(const_cast<BasicBlock*>(bad->getSinglePredecessor())->getTerminator());
}
void never_take(BranchInst* branch) {
  branch->setCondition(ConstantInt::getFalse(branch->getContext()));
  ConstantFoldTerminator(branch->getParent());
}

// Takes out the ways that end in an UnreachableInst; the optimiser would keep what it knows of them as assumptions.
void prune(Function& region) {
  for (bool more = true; more;) {
    more = false;
    for (BasicBlock& block : region) {
      if (!isa<UnreachableInst>(block.getTerminator())) continue;
      const SmallVector<BasicBlock*> before(pred_begin(&block), pred_end(&block));
      for (BasicBlock* each : before) {
        auto* const branch = dyn_cast<BranchInst>(each->getTerminator());
        if (branch == nullptr) continue;  // a switch drops such cases itself
        BasicBlock* other = nullptr;
        if (branch->isConditional()) other = branch->getSuccessor(branch->getSuccessor(0) == &block ? 1 : 0);
        block.removePredecessor(each);
        const bool goes_on = other != nullptr && other != &block;
        ReplaceInstWithInst(branch, goes_on ? static_cast<Instruction*>(BranchInst::Create(other))
                                            : new UnreachableInst(region.getContext()));
        more = true;
      }
    }
  }
}

std::vector<CallInst*> checks_of(Function& region) {
  std::vector<CallInst*> checks;
  for (Instruction& instruction : instructions(region)) {
    if (CallInst* call = as_call_of(instruction, "sluice_exec_check")) checks.push_back(call);
  }
  return checks;
}

}  // namespace

LaneRegions::LaneRegions(const KernelUnit& unit)
    : unit_(unit), module_(*unit.body->getParent()), context_(module_.getContext()) {
  copy_body();
  place_rows();
  replace_ids();
  cut();
  hoist();
  find_slots();
}

Argument* LaneRegions::parameter(Function& function, unsigned number) const {
  return function.getArg(static_cast<unsigned>(unit_.body->arg_size()) + number);
}

void LaneRegions::copy_body() {
  Type* word = Type::getInt64Ty(context_);
  Type* pointer = PointerType::get(context_, private_space);
  const ArrayRef<Type*> own = unit_.body->getFunctionType()->params();
  SmallVector<Type*> types(own.begin(), own.end());
  types.append(slots_parameter, word);
  types.append(lane_parameters - slots_parameter, pointer);
  auto* const whole_type = FunctionType::get(word, types, false);
  whole_ = Function::Create(whole_type, GlobalValue::InternalLinkage, "sluice.lanes", module_);
  ValueToValueMapTy map;
  for (Argument& argument : unit_.body->args()) map[&argument] = whole_->getArg(argument.getArgNo());
  SmallVector<ReturnInst*> returns;
  CloneFunctionInto(whole_, unit_.body, map, CloneFunctionChangeType::LocalChangesOnly, returns);
  for (ReturnInst* end : returns) {
    Instruction* const last = end->getPrevNode();
    CallInst* const path = last != nullptr ? as_call_of(*last, path_of_item) : nullptr;
    ReturnInst::Create(context_, path != nullptr ? path->getArgOperand(0) : ConstantInt::get(word, 0), end);
    end->eraseFromParent();
    if (path != nullptr) path->eraseFromParent();
  }
}

// Work-items' ids count the loops' rounds.
void LaneRegions::replace_ids() {
  Argument* const item = whole_->getArg(static_cast<unsigned>(unit_.body->arg_size()) - 1);
  std::vector<LoadInst*> loads;
  for (User* user : item->users()) {
    auto* const member = dyn_cast<GetElementPtrInst>(user);
    if (member == nullptr) continue;
    for (User* reader : member->users()) {
      if (auto* load = dyn_cast<LoadInst>(reader)) loads.push_back(load);
    }
  }
  const DataLayout& layout = module_.getDataLayout();
  for (LoadInst* load : loads) {
    APInt offset(64, 0);
    const Value* const base = load->getPointerOperand()->stripAndAccumulateConstantOffsets(layout, offset, true);
    if (base != item || offset.getZExtValue() >= sizeof(Item::ids)) continue;
    const auto word = static_cast<unsigned>((offset.getZExtValue() - offsetof(Item, ids)) / sizeof(std::uint64_t));
    IRBuilder<> b(load);
    load->replaceAllUsesWith(id(b, word));
    load->eraseFromParent();
  }
}

Value* LaneRegions::id(IRBuilder<>& b, unsigned word) const {
  if (word < sub_group_id_word) return parameter(*whole_, local_id_parameter + word - local_id_word);
  Argument* const group = whole_->getArg(static_cast<unsigned>(unit_.body->arg_size()) - 2);
  const std::size_t at = offsetof(Group, words) + sizeof(std::uint64_t) * (max_sub_group_size_word - group_words);
  LoadInst* const size = b.CreateLoad(b.getInt64Ty(), b.CreateConstInBoundsGEP1_64(b.getInt8Ty(), group, at));
  size->setMetadata(LLVMContext::MD_invariant_load, MDNode::get(context_, {}));
  Value* const lane = parameter(*whole_, lane_parameter);
  return word == sub_group_id_word ? b.CreateUDiv(lane, size) : b.CreateURem(lane, size);
}

void LaneRegions::cut() {
  std::vector<CallInst*> calls;
  for (Instruction& instruction : instructions(*whole_)) {
    if (CallInst* call = as_call_of(instruction, "__sluice_barrier")) calls.push_back(call);
  }
  for (CallInst* call : calls) {
    BasicBlock* const before = call->getParent();
    BasicBlock* const behind = before->splitBasicBlock(call);
    call->eraseFromParent();
    barriers_.push_back({before, behind});
  }
}

// What follows from arguments and ids alone is worked out anew in each region that needs it, so that loops see how
// addresses go on from work-item to work-item.
void LaneRegions::hoist() {
  if (barriers_.empty()) return;
  BasicBlock& entry = whole_->getEntryBlock();
  const auto is_there = [&](const Value* value) {
    const auto* instruction = dyn_cast<Instruction>(value);
    return instruction == nullptr || instruction->getParent() == &entry;
  };
  ReversePostOrderTraversal<Function*> order(whole_);
  for (BasicBlock* block : order) {
    if (block == &entry) continue;
    for (Instruction& instruction : make_early_inc_range(*block)) {
      if (!is_plain(instruction) || !all_of(instruction.operand_values(), is_there)) continue;
      instruction.dropPoisonGeneratingFlags();
      instruction.moveBefore(entry.getTerminator());
    }
  }
}

// By barrier.
SmallVector<bool> LaneRegions::needed_behind(const Instruction& value) const {
  SmallPtrSet<const BasicBlock*, 16> live;
  SmallVector<const BasicBlock*> reached;
  const auto reach = [&](const BasicBlock* block) {
    if (block != value.getParent() && live.insert(block).second) reached.push_back(block);
  };
  for (const Use& use : value.uses()) {
    const auto* user = cast<Instruction>(use.getUser());
    const auto* phi = dyn_cast<PHINode>(user);
    reach(phi != nullptr ? phi->getIncomingBlock(use) : user->getParent());
  }
  for (std::size_t i = 0; i < reached.size(); ++i) {
    for (const BasicBlock* before : predecessors(reached[i])) reach(before);
  }
  SmallVector<bool> needed{false};
  for (const Barrier& barrier : barriers_) needed.push_back(live.contains(barrier.begin));
  return needed;
}

void LaneRegions::find_slots() {
  uniform_type_ = StructType::get(context_);
  if (barriers_.empty()) return;
  DominatorTree dominators(*whole_);
  PostDominatorTree post_dominators(*whole_);
  LoopInfo loops(dominators);
  SyncDependenceAnalysis joins(dominators, post_dominators, loops);
  DivergenceAnalysisImpl divergence(*whole_, nullptr, dominators, loops, joins, false);
  divergence.markDivergent(*whole_->getArg(static_cast<unsigned>(unit_.body->arg_size()) - 1));
  for (unsigned i = 0; i <= lane_parameter; ++i) divergence.markDivergent(*parameter(*whole_, i));
  for (Instruction& instruction : instructions(*whole_)) {
    if (instruction.mayReadFromMemory() && !instruction.hasMetadata(LLVMContext::MD_invariant_load))
      divergence.markDivergent(instruction);
  }
  divergence.compute();

  const DataLayout& layout = module_.getDataLayout();
  std::vector<std::pair<Instruction*, Slot>> found;
  SmallVector<Type*> uniform;
  for (Instruction& instruction : instructions(*whole_)) {
    if (instruction.getParent() == &whole_->getEntryBlock() || instruction.getType()->isVoidTy()) continue;
    Slot slot;
    slot.needed = needed_behind(instruction);
    if (none_of(slot.needed, [](bool needed) { return needed; })) continue;
    slot.uniform = !divergence.isDivergent(instruction) &&
                   none_of(instruction.uses(), [&](const Use& use) { return divergence.isDivergentUse(use); });
    found.emplace_back(&instruction, std::move(slot));
  }
  for (auto& [value, slot] : found) {
    IRBuilder<> b(&whole_->getEntryBlock().front());
    slot.value = b.CreateAlloca(value->getType());
    keep(*value, *slot.value);
    if (slot.uniform) {
      slot.place = uniform.size();
      uniform.push_back(value->getType());
    } else {
      slot.place = slot_bytes_;
      slot_bytes_ += slot_size(layout, kept_type(slot)) + slot_alignment;
    }
    slots_.push_back(std::move(slot));
  }
  uniform_type_ = StructType::get(context_, uniform);
}

// Every use reads it from `slot`; within a region that becomes the value again.
void LaneRegions::keep(Instruction& value, AllocaInst& slot) {
  SmallVector<Use*> uses;
  for (Use& use : value.uses()) uses.push_back(&use);
  DenseMap<std::pair<const PHINode*, const BasicBlock*>, Value*> incoming;  // one for all edges between two blocks
  for (Use* use : uses) {
    auto* const user = cast<Instruction>(use->getUser());
    auto* const phi = dyn_cast<PHINode>(user);
    IRBuilder<> b(phi != nullptr ? phi->getIncomingBlock(*use)->getTerminator() : user);
    if (phi == nullptr) {
      use->set(b.CreateLoad(value.getType(), &slot));
      continue;
    }
    Value*& known = incoming[{phi, phi->getIncomingBlock(*use)}];
    if (known == nullptr) known = b.CreateLoad(value.getType(), &slot);
    use->set(known);
  }
  Instruction* const behind =
      isa<PHINode>(value) ? &*value.getParent()->getFirstInsertionPt() : value.getNextNode();
  IRBuilder<>(behind).CreateStore(&value, &slot);
}

SmallVector<unsigned> LaneRegions::ends(unsigned start) const {
  SmallPtrSet<const BasicBlock*, 32> seen;
  SmallVector<const BasicBlock*> reached;
  const auto reach = [&](const BasicBlock* block) {
    if (seen.insert(block).second) reached.push_back(block);
  };
  SmallVector<unsigned> found;
  bool ends = false;
  reach(start == 0 ? &whole_->getEntryBlock() : barriers_[start - 1].begin);
  for (std::size_t i = 0; i < reached.size(); ++i) {
    const BasicBlock* const block = reached[i];
    const auto barrier = find_if(barriers_, [&](const Barrier& b) { return b.end == block; });
    if (barrier != barriers_.end()) {
      found.push_back(static_cast<unsigned>(barrier - barriers_.begin()) + 1);
      continue;
    }
    ends = ends || isa<ReturnInst>(block->getTerminator());
    for (const BasicBlock* next : successors(block)) reach(next);
  }
  if (ends) found.push_back(0);
  return found;
}

// One bit is kept as a byte, which loops over work-items can work on.
Type* LaneRegions::kept_type(const Slot& slot) const {
  Type* const type = slot.value->getAllocatedType();
  return type->isIntegerTy(1) ? Type::getInt8Ty(context_) : type;
}

Value* LaneRegions::place_of(IRBuilder<>& b, Function& region, const Slot& slot) const {
  if (slot.uniform) return nullptr;
  Value* const count = parameter(region, lane_count_parameter);
  Value* first = b.CreateMul(count, b.getInt64(slot.place));
  first = b.CreateAnd(first, b.getInt64(~(slot_alignment - 1)));
  Value* const array = b.CreateGEP(b.getInt8Ty(), parameter(region, slots_parameter), first);
  return b.CreateGEP(kept_type(slot), array, parameter(region, lane_parameter));
}

// The whole, entered at `start`, with what is needed there.
Function* LaneRegions::begin_region(unsigned start, ValueToValueMapTy& map) {
  auto* const region = Function::Create(type(), GlobalValue::InternalLinkage, "sluice.region", module_);
  for (Argument& argument : whole_->args()) map[&argument] = region->getArg(argument.getArgNo());
  SmallVector<ReturnInst*> returns;
  CloneFunctionInto(region, whole_, map, CloneFunctionChangeType::LocalChangesOnly, returns);
  region->addFnAttr(Attribute::AlwaysInline);
  if (start == 0) return region;
  Instruction* const end = region->getEntryBlock().getTerminator();
  auto* const begin = cast<BasicBlock>(map[barriers_[start - 1].begin]);
  ReplaceInstWithInst(end, BranchInst::Create(begin));
  IRBuilder<> b(region->getEntryBlock().getTerminator());
  for (const Slot& slot : slots_) {
    if (!slot.needed[start]) continue;
    auto* const value = cast<AllocaInst>(map[slot.value]);
    if (slot.uniform) {
      Value* const at = b.CreateStructGEP(uniform_type_, parameter(*region, uniform_in_parameter),
                                          static_cast<unsigned>(slot.place));
      b.CreateStore(b.CreateLoad(value->getAllocatedType(), at), value);
    } else {
      Value* const kept = b.CreateLoad(kept_type(slot), place_of(b, *region, slot));
      b.CreateStore(b.CreateTruncOrBitCast(kept, value->getAllocatedType()), value);
    }
  }
  return region;
}

// Leaves what decides where a work-item goes, and what it accesses; neither follows from what is loaded.
void LaneRegions::drop_effects(Function& region) const {
  std::vector<Instruction*> dropped;
  for (Instruction& instruction : instructions(region)) {
    if (const auto* store = dyn_cast<StoreInst>(&instruction)) {
      if (!isa<AllocaInst>(store->getPointerOperand())) dropped.push_back(&instruction);
    } else if (isa<LoadInst>(instruction) && instruction.hasMetadata(steerless_load)) {
      instruction.replaceAllUsesWith(Constant::getNullValue(instruction.getType()));
      dropped.push_back(&instruction);
    } else if (isa<AtomicRMWInst>(instruction) || isa<AtomicCmpXchgInst>(instruction)) {
      // Only where entries are logged in rows; what it reads decides no more than what is loaded.
      if (!instruction.use_empty())
        instruction.replaceAllUsesWith(Constant::getNullValue(instruction.getType()));
      dropped.push_back(&instruction);
    }
  }
  for (Instruction* instruction : dropped) instruction->eraseFromParent();
}

void LaneRegions::finish(Function& region, ValueToValueMapTy& map, ArrayRef<AllocaInst*> more) const {
  prune(region);
  removeUnreachableBlocks(region);
  std::vector<AllocaInst*> variables(more.begin(), more.end());
  for (AllocaInst* counter : counters_) {
    if (counter != nullptr) variables.push_back(cast<AllocaInst>(map[counter]));
  }
  for (const Slot& slot : slots_) variables.push_back(cast<AllocaInst>(map[slot.value]));
  DominatorTree dominators(region);
  PromoteMemToReg(variables, dominators);
  // What was only carried along is where it was.
  for (Instruction& instruction : make_early_inc_range(instructions(region))) {
    auto* const store = dyn_cast<StoreInst>(&instruction);
    if (store == nullptr) continue;
    const auto* const load = dyn_cast<LoadInst>(store->getValueOperand());
    if (load != nullptr && load->getPointerOperand() == store->getPointerOperand()) store->eraseFromParent();
  }
}

Function* LaneRegions::make_state(unsigned start) {
  ValueToValueMapTy map;
  Function* const region = begin_region(start, map);
  drop_effects(*region);
  region->addFnAttr(Attribute::MustProgress);  // so that loops end here that decide nothing
  for (CallInst* check : checks_of(*region)) never_take(branch_to(*check));
  for (std::size_t i = 0; i < barriers_.size(); ++i) {
    Instruction* const end = cast<BasicBlock>(map[barriers_[i].end])->getTerminator();
    IRBuilder<> b(end);
    for (const Slot& slot : slots_) {
      if (!slot.uniform || !slot.needed[i + 1]) continue;
      auto* const value = cast<AllocaInst>(map[slot.value]);
      Value* const at = b.CreateStructGEP(uniform_type_, parameter(*region, uniform_out_parameter),
                                          static_cast<unsigned>(slot.place));
      b.CreateStore(b.CreateLoad(value->getAllocatedType(), value), at);
    }
    ReplaceInstWithInst(end, ReturnInst::Create(context_, b.getInt64(i + 1)));
  }
  finish(*region, map, {});
  return region;
}

Function* LaneRegions::make_region(unsigned start, unsigned end, Form form) {
  ValueToValueMapTy map;
  Function* const region = begin_region(start, map);
  SmallVector<AllocaInst*> more;
  IRBuilder<> b(context_);
  if (form == Form::check) {
    drop_effects(*region);
    b.SetInsertPoint(&region->getEntryBlock().front());
    more.push_back(b.CreateAlloca(b.getInt64Ty()));
    b.SetInsertPoint(region->getEntryBlock().getTerminator());
    b.CreateStore(b.getInt64(0), more.front());
  }
  for (CallInst* check : form == Form::checked ? std::vector<CallInst*>{} : checks_of(*region)) {
    BranchInst* const branch = branch_to(*check);
    if (form == Form::check) {
      b.SetInsertPoint(branch);
      Value* const bad = b.CreateZExt(branch->getCondition(), b.getInt64Ty());
      b.CreateStore(b.CreateOr(b.CreateLoad(b.getInt64Ty(), more.front()), bad), more.front());
    }
    never_take(branch);
  }
  const auto leave = [&](Instruction* at, bool taken) {
    b.SetInsertPoint(at);
    if (!taken) {
      ReplaceInstWithInst(at, new UnreachableInst(context_));
      return;
    }
    for (const Slot& slot : slots_) {
      if (slot.uniform || end == 0 || !slot.needed[end] || form == Form::check) continue;
      auto* const value = cast<AllocaInst>(map[slot.value]);
      Value* const kept = b.CreateZExtOrBitCast(b.CreateLoad(value->getAllocatedType(), value), kept_type(slot));
      b.CreateStore(kept, place_of(b, *region, slot));
    }
    for (unsigned i = 1; i < counters_.size() && form == Form::checked; ++i) {
      if (counters_[i] == nullptr) continue;
      Value* const counted = b.CreateLoad(b.getInt32Ty(), cast<AllocaInst>(map[counters_[i]]));
      b.CreateStore(counted, in_row(b, *region, i - 1, b.getInt32Ty(), offsetof(Group, row_classes)));
    }
    Value* result = b.getInt64(0);
    if (const auto* over = dyn_cast<ReturnInst>(at)) result = over->getReturnValue();
    if (form == Form::check) result = b.CreateLoad(b.getInt64Ty(), more.front());
    ReplaceInstWithInst(at, ReturnInst::Create(context_, result));
  };
  SmallVector<Instruction*> over;
  for (Instruction& instruction : instructions(*region)) {
    if (isa<ReturnInst>(instruction)) over.push_back(&instruction);
  }
  for (Instruction* at : over) leave(at, end == 0);
  for (std::size_t i = 0; i < barriers_.size(); ++i)
    leave(cast<BasicBlock>(map[barriers_[i].end])->getTerminator(), end == i + 1);
  finish(*region, map, more);
  if (counters_[0] != nullptr) clear_rows(*region);
  return region;
}

bool LaneRegions::is_straight(const Function& region) {
  SmallVector<std::pair<const BasicBlock*, const BasicBlock*>> back_edges;
  FindFunctionBackedges(region, back_edges);
  return back_edges.empty() && none_of(instructions(region), [](const Instruction& instruction) {
    const auto* call = dyn_cast<CallInst>(&instruction);
    return call != nullptr && !isa<IntrinsicInst>(call) && call->getCalledFunction()->getName() != "sluice_exec_check";
  });
}

bool LaneRegions::has_checks(const Function& region) {
  return any_of(instructions(region), [](const Instruction& instruction) {
    const auto* call = dyn_cast<CallInst>(&instruction);
    return call != nullptr && call->getCalledFunction()->getName() == "sluice_exec_check";
  });
}

}  // namespace sluice::exec

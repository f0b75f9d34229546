// Regions whose work-items log in rows (row_logs.h).
#include <llvm/ADT/PostOrderIterator.h>
#include <llvm/Analysis/InstructionSimplify.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/InstIterator.h>

#include <algorithm>

#include "sim/exec/lane_regions.h"
#include "sim/exec/row_logs.h"
#include "sim/exec/runtime.h"

namespace sluice::exec {

using namespace llvm;

namespace {

constexpr StringLiteral row_site = "sluice.row";  // of the store that says that a work-item has come to it

bool is_always_reached(const BasicBlock& block, const DominatorTree& dominators) {
  return all_of(*block.getParent(), [&](const BasicBlock& end) {
    return !isa<ReturnInst>(end.getTerminator()) || dominators.dominates(&block, &end);
  });
}

// The site whose row the instruction writes; 0: it does not.
std::uint32_t row_of(const Instruction& instruction) {
  const MDNode* const site = instruction.getMetadata(row_site);
  if (site == nullptr) return 0;
  return static_cast<std::uint32_t>(mdconst::extract<ConstantInt>(site->getOperand(0))->getZExtValue());
}

}  // namespace

// A work-item's place in a row that `member` of the group points to.
Value* LaneRegions::in_row(IRBuilder<>& b, Function& function, unsigned row, Type* type, std::size_t member) const {
  Argument* const group = function.getArg(static_cast<unsigned>(unit_.body->arg_size()) - 2);
  LoadInst* const rows = b.CreateLoad(PointerType::get(context_, private_space),
                                      b.CreateConstInBoundsGEP1_64(b.getInt8Ty(), group, member));
  rows->setMetadata(LLVMContext::MD_invariant_load, MDNode::get(context_, {}));
  Value* const own = b.CreateGEP(type, rows, parameter(function, lane_parameter));
  return b.CreateGEP(type, own, b.getInt64(row * row_stride));
}

// Log entries become stores into rows.
void LaneRegions::place_rows() {
  std::vector<CallInst*> counts, entries;
  for (Instruction& instruction : instructions(*whole_)) {
    if (CallInst* call = as_call_of(instruction, row_count)) counts.push_back(call);
    if (CallInst* call = as_call_of(instruction, row_entry)) entries.push_back(call);
  }
  if (entries.empty()) return;
  IRBuilder<> b(&whole_->getEntryBlock().front());
  for (unsigned i = 0; i < counters_.size(); ++i) {
    const auto counts_none = [i](const CallInst* call) { return cast<ConstantInt>(call->getArgOperand(i))->isZero(); };
    if (i != 0 && all_of(counts, counts_none)) continue;
    counters_[i] = b.CreateAlloca(b.getInt32Ty());
    b.CreateStore(b.getInt32(0), counters_[i]);
  }
  for (CallInst* call : counts) {
    b.SetInsertPoint(call);
    for (unsigned i = 0; i < counters_.size(); ++i) {
      if (counters_[i] == nullptr) continue;
      b.CreateStore(b.CreateAdd(b.CreateLoad(b.getInt32Ty(), counters_[i]), call->getArgOperand(i)), counters_[i]);
    }
    call->eraseFromParent();
  }
  for (CallInst* call : entries) {
    b.SetInsertPoint(call);
    const auto site = static_cast<unsigned>(cast<ConstantInt>(call->getArgOperand(0))->getZExtValue());
    if (!isa<ConstantInt>(call->getArgOperand(1)))
      b.CreateStore(call->getArgOperand(1), in_row(b, *whole_, site, b.getInt64Ty(), offsetof(Group, row_addresses)));
    Value* const issued = b.CreateAdd(b.CreateLoad(b.getInt32Ty(), counters_[0]), b.getInt32(1));
    StoreInst* const said =
        b.CreateStore(issued, in_row(b, *whole_, site, b.getInt32Ty(), offsetof(Group, row_issued)));
    said->setMetadata(row_site, MDNode::get(context_, ConstantAsMetadata::get(b.getInt32(site))));
    call->eraseFromParent();
  }
}

// A work-item is not where it may not come to unless it says so.
void LaneRegions::clear_rows(Function& region) const {
  const DominatorTree dominators(region);
  IRBuilder<> b(&*region.getEntryBlock().getFirstInsertionPt());
  std::vector<unsigned> rows;
  for (Instruction& instruction : instructions(region)) {
    const std::uint32_t site = row_of(instruction);
    if (site != 0 && !is_always_reached(*instruction.getParent(), dominators)) rows.push_back(site);
  }
  for (const unsigned site : rows)
    b.CreateStore(b.getInt32(0), in_row(b, region, site, b.getInt32Ty(), offsetof(Group, row_issued)));
}

std::uint32_t LaneRegions::classes() const {
  std::uint32_t all = 0;
  for (unsigned i = 1; i < counters_.size(); ++i) all |= counters_[i] != nullptr ? 1U << (i - 1) : 0U;
  return all;
}

// By number (program_image.h), which on every way must only rise.
bool LaneRegions::find_rows(Function& region, std::vector<RowSite>& sites) {
  const DominatorTree dominators(region);
  DenseMap<const BasicBlock*, std::uint32_t> highest;
  ReversePostOrderTraversal<Function*> order(&region);
  for (BasicBlock* block : order) {  // sums that are known
    for (Instruction& instruction : make_early_inc_range(*block)) {
      if (Value* const known = simplifyInstruction(&instruction, region.getParent()->getDataLayout()))
        instruction.replaceAllUsesWith(known);
    }
  }
  for (BasicBlock* block : order) {
    std::uint32_t last = 0;
    for (const BasicBlock* before : predecessors(block)) {
      const auto known = highest.find(before);  // or the end of a loop: of its sites the last time counts
      if (known != highest.end()) last = std::max(last, known->second);
    }
    for (Instruction& instruction : make_early_inc_range(*block)) {
      const std::uint32_t site = row_of(instruction);
      if (site == 0) continue;
      if (site <= last) return false;
      last = site;
      const auto* const issued = dyn_cast<ConstantInt>(instruction.getOperand(0));
      const bool same = issued != nullptr && is_always_reached(*block, dominators);
      sites.push_back({site, same ? static_cast<std::uint32_t>(issued->getZExtValue()) : 0});
      if (same) instruction.eraseFromParent();
    }
    highest[block] = last;
  }
  llvm::sort(sites, [](const RowSite& a, const RowSite& b) { return a.site < b.site; });
  const auto twice = [](const RowSite& a, const RowSite& b) { return a.site == b.site; };
  return std::adjacent_find(sites.begin(), sites.end(), twice) == sites.end();
}

}  // namespace sluice::exec

#include "sim/exec/row_logs.h"

#include <llvm/ADT/SmallPtrSet.h>
#include <llvm/ADT/SmallVector.h>
#include <llvm/Analysis/DivergenceAnalysis.h>
#include <llvm/Analysis/LoopInfo.h>
#include <llvm/Analysis/PostDominators.h>
#include <llvm/Analysis/SyncDependenceAnalysis.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IntrinsicInst.h>

#include "sim/exec/runtime.h"
#include "sim/exec/uniformity.h"

namespace sluice::exec {

using namespace llvm;

namespace {

constexpr std::size_t most_accesses = 64;  // rows, nearly; each is as long as the group is large
constexpr std::size_t most_blocks = 256;

bool is_local_atomic(const Instruction& instruction) {
  const Value* place = nullptr;
  if (const auto* rmw = dyn_cast<AtomicRMWInst>(&instruction)) place = rmw->getPointerOperand();
  if (const auto* exchange = dyn_cast<AtomicCmpXchgInst>(&instruction)) place = exchange->getPointerOperand();
  return place != nullptr && place->getType()->getPointerAddressSpace() == local_space;
}

class RowCheck {
 public:
  explicit RowCheck(Function& body) : body_(body) {}

  bool run() { return instructions_are_simple() && loops_are_quiet() && ways_meet(); }

 private:
  // Nothing that a work-item does but by loads, stores and atomics, no memory of its own.
  bool instructions_are_simple() {
    std::size_t accesses = 0;
    for (Instruction& instruction : instructions(body_)) {
      if (isa<AllocaInst>(instruction) || isa<MemIntrinsic>(instruction)) return false;
      if (instruction.mayReadOrWriteMemory() && !isa<CallInst>(instruction)) ++accesses;
      if (is_local_atomic(instruction)) return false;  // becomes a load of which nobody would know that it steers nothing
      auto* const call = dyn_cast<CallInst>(&instruction);
      if (call == nullptr || isa<DbgInfoIntrinsic>(call) || as_call_of(*call, "__sluice_query") != nullptr) continue;
      if (as_call_of(*call, "__sluice_barrier") != nullptr) {
        barriers_.insert(call->getParent());
      } else if (call->getCalledFunction() == nullptr || !call->getCalledFunction()->isIntrinsic() ||
                 call->mayReadOrWriteMemory()) {
        return false;
      }
    }
    return accesses != 0 && accesses <= most_accesses && body_.size() <= most_blocks;
  }

  // Work-items of a group, or of all groups of a launch that are as large.
  enum class Compared : std::uint8_t { group, launch };

  static bool differs(const CallInst& query, Compared compared) {
    const auto* word = dyn_cast<ConstantInt>(query.getArgOperand(0));
    if (word == nullptr || word->getZExtValue() < group_words) return true;
    return compared == Compared::launch && word->getZExtValue() - group_id_word < 3;
  }

  // The blocks at whose ends not all go the same way.
  SmallPtrSet<const BasicBlock*, 16> partings(Compared compared) const {
    DominatorTree dominators(body_);
    PostDominatorTree post_dominators(body_);
    LoopInfo loops(dominators);
    SyncDependenceAnalysis joins(dominators, post_dominators, loops);
    DivergenceAnalysisImpl divergence(body_, nullptr, dominators, loops, joins, false);
    for (Instruction& instruction : instructions(body_)) {
      CallInst* const query = as_call_of(instruction, "__sluice_query");
      if (query != nullptr ? differs(*query, compared) : instruction.mayReadFromMemory())
        divergence.markDivergent(instruction);
    }
    divergence.compute();
    SmallPtrSet<const BasicBlock*, 16> found;
    for (const BasicBlock& block : body_) {
      const Instruction& end = *block.getTerminator();
      if (end.getNumSuccessors() < 2) continue;
      const auto* branch = dyn_cast<BranchInst>(&end);
      const auto* choice = dyn_cast<SwitchInst>(&end);
      const Value* const condition = branch != nullptr ? branch->getCondition()
                                     : choice != nullptr ? choice->getCondition()
                                                         : nullptr;
      if (condition == nullptr || divergence.isDivergent(*condition)) found.insert(&block);
    }
    return found;
  }

  // Calls visit(block) for all that can be come to from `from` without a barrier before their ends.
  template <class Visit>
  void reach(const BasicBlock& from, const BasicBlock* end, Visit visit) const {
    SmallPtrSet<const BasicBlock*, 16> seen;
    SmallVector<const BasicBlock*> reached{&from};
    for (std::size_t i = 0; i < reached.size(); ++i) {
      for (const BasicBlock* next : successors(reached[i])) {
        if (next == end || !seen.insert(next).second) continue;
        visit(*next);
        if (!barriers_.contains(next)) reached.push_back(next);
      }
    }
  }

  // What may be come to twice between two barriers: nothing that is logged but loops' ends, and by all work-items as
  // often. These are logged as at the last time, which comes to the same.
  bool loops_are_quiet() const {
    const auto parts = partings(Compared::launch);
    return all_of(body_, [&](const BasicBlock& block) {
      if (barriers_.contains(&block)) return true;
      bool again = false;
      reach(block, nullptr, [&](const BasicBlock& next) { again |= &next == &block; });
      return !again || (!parts.contains(&block) && none_of(block, [](const Instruction& instruction) {
               return instruction.mayReadOrWriteMemory() && !isa<CallInst>(instruction);
             }));
    });
  }

  // Where work-items of a group may part, they come together again before anything that all must come to.
  bool ways_meet() const {
    if (barriers_.empty()) return true;
    const PostDominatorTree post_dominators(body_);
    return all_of(partings(Compared::group), [&](const BasicBlock* block) {
      const auto* const node = post_dominators.getNode(block);
      const auto* const next = node == nullptr ? nullptr : node->getIDom();
      bool meet = true;
      reach(*block, next == nullptr ? nullptr : next->getBlock(),
            [&](const BasicBlock& on_the_way) { meet &= !barriers_.contains(&on_the_way); });
      return meet;
    });
  }

  Function& body_;
  SmallPtrSet<const BasicBlock*, 8> barriers_;  // blocks that have any
};

}  // namespace

bool can_log_in_rows(const KernelUnit& unit) {
  if (unit.image->lockstep || unit.image->sub_groups || !RowCheck(*unit.body).run()) return false;
  for (Instruction& instruction : instructions(*unit.body)) {
    if (isa<LoadInst>(instruction)) instruction.setMetadata(steerless_load, MDNode::get(instruction.getContext(), {}));
  }
  return true;
}

}  // namespace sluice::exec

#include <llvm/ADT/MapVector.h>
#include <llvm/ADT/PostOrderIterator.h>
#include <llvm/Analysis/LoopInfo.h>
#include <llvm/IR/DebugInfoMetadata.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/MDBuilder.h>
#include <llvm/Transforms/Utils/BasicBlockUtils.h>
#include <llvm/Transforms/Utils/PromoteMemToReg.h>

#include <map>

#include "sim/exec/access_origin.h"
#include "sim/exec/instruction_cost.h"
#include "sim/exec/row_logs.h"
#include "sim/exec/runtime.h"
#include "sim/exec/sub_groups.h"

namespace sluice::exec {

using namespace llvm;

std::uint32_t source_line(const Instruction& instruction) {
  const DILocation* location = instruction.getDebugLoc().get();  // the library has none, so it is the program's
  return location != nullptr ? location->getLine() : 0;
}

namespace {

struct Access {
  Instruction* instruction = nullptr;
  unsigned operand = 0;  // the pointer
  std::uint32_t site = 0;
  std::uint64_t bytes = 0;
  bool logged = false;
  Origin origin;
  bool is_texel = false;  // one of texel_sizes sites, by the call's second operand
};

constexpr std::uint32_t texel_sizes = 5;  // 1 to 16 bytes

struct Pointer {
  unsigned operand = 0;
  std::uint64_t bytes = 0;
  SiteKind kind = SiteKind::load;
  bool is_texel = false;
  AtomicKind atomic = AtomicKind::add;
};

AtomicKind atomic_of(const AtomicRMWInst& rmw) {
  switch (rmw.getOperation()) {
    case AtomicRMWInst::Add:
    case AtomicRMWInst::Sub: return AtomicKind::add;
    case AtomicRMWInst::Xchg: return AtomicKind::swap;
    default: return AtomicKind::other;
  }
}

SmallVector<Pointer, 2> pointers_of(const Instruction& instruction, const DataLayout& layout) {
  auto size = [&](const Value* value) { return layout.getTypeStoreSize(value->getType()).getFixedSize(); };
  if (isa<LoadInst>(instruction)) {
    return {{0, size(&instruction), instruction.isAtomic() ? SiteKind::atomic : SiteKind::load, false, AtomicKind::load}};
  }
  if (isa<StoreInst>(instruction)) {
    const SiteKind kind = instruction.isAtomic() ? SiteKind::atomic : SiteKind::store;
    return {{1, size(instruction.getOperand(0)), kind, false, AtomicKind::store}};
  }
  if (const auto* rmw = dyn_cast<AtomicRMWInst>(&instruction))
    return {{0, size(rmw->getValOperand()), SiteKind::atomic, false, atomic_of(*rmw)}};
  if (const auto* exchange = dyn_cast<AtomicCmpXchgInst>(&instruction)) {
    return {{0, size(exchange->getNewValOperand()), SiteKind::atomic, false, AtomicKind::compare_swap}};
  }
  if (const auto* call = dyn_cast<CallInst>(&instruction)) {
    const Function* callee = call->getCalledFunction();
    if (callee != nullptr && is_texture_function(*callee) && call->getArgOperand(0)->getType()->isPointerTy()) {
      return {{0, 1, callee->getName() == "__sluice_texture_load" ? SiteKind::load : SiteKind::store, true}};
    }
  }
  if (const auto* memory = dyn_cast<MemIntrinsic>(&instruction)) {
    const auto* length = dyn_cast<ConstantInt>(memory->getLength());
    if (length == nullptr || length->isZero()) return {};  // lengths that vary have become loops
    SmallVector<Pointer, 2> both;
    if (isa<MemTransferInst>(memory)) both.push_back({1, length->getZExtValue(), SiteKind::load});
    both.push_back({0, length->getZExtValue(), SiteKind::store});
    return both;
  }
  return {};
}

class Instrumenter {
 public:
  explicit Instrumenter(const KernelUnit& unit)
      : unit_(unit),
        body_(*unit.body),
        module_(*body_.getParent()),
        context_(module_.getContext()),
        image_(*unit.image) {
    word_ = Type::getInt64Ty(context_);
    pointer_ = PointerType::get(context_, private_space);
    classes_type_ = FixedVectorType::get(Type::getInt32Ty(context_), counted_classes);
    unlikely_ = MDBuilder(context_).createBranchWeights(1, 100000);
  }

  void run() {
    // What is set up once stays in a block of its own.
    BasicBlock& entry = body_.getEntryBlock();
    auto first = entry.getFirstInsertionPt();
    while (isa<AllocaInst>(&*first)) ++first;
    entry.splitBasicBlock(first);
    number_sites();
    set_up();
    if (image_.quiet && image_.in_rows) return log_in_rows();
    if (image_.quiet) return check_only();
    for (BasicBlock* block : order_) {
      if (block != &entry) count_block(*block);
    }
    for (const auto& [end, loop] : back_edges_) watch(*end, loop);
    for (const auto& [end, site] : loop_ends_) {
      write_log(end, site, nullptr);
      if (image_.lockstep || image_.sites[site].kind == SiteKind::sub_group_loop) suspend(end, site);
    }
    for (Access& access : accesses_) {
      image_.largest_access_bytes = std::max(image_.largest_access_bytes, access.bytes);
      instrument_access(access);
    }
    for (const auto& [barrier, site] : barriers_) at_barrier(*barrier, site);
    for (const auto& [operation, site] : operations_) {
      at_barrier(*operation, site);
      operation->setCalledFunction(stop_function());
    }
    for (ReturnInst* end : returns_) at_return(*end);
    DominatorTree dominators(body_);
    PromoteMemToReg({log_, issued_, classes_}, dominators);
  }

 private:
  // What is left where the groups' way is known: bounds in global memory, and where work-items stop. In its own memory
  // each group goes where the one did that was watched (uniformity.h).
  void check_only() {
    for (Access& access : accesses_) {
      const SiteSpace space = access.origin.space;
      if (!access.origin.in_bounds && space != SiteSpace::local && space != SiteSpace::private_)
        access.instruction->setOperand(access.operand, checked(access, access.instruction->getOperand(access.operand)));
    }
    if (image_.lane_loops) return;
    for (const auto& [barrier, site] : barriers_) {
      IRBuilder<> b(barrier);
      stop_at(b, site);
    }
    for (const auto& [operation, site] : operations_) {
      IRBuilder<> b(operation);
      stop_at(b, site);
      operation->setCalledFunction(stop_function());
    }
    for (const auto& [end, site] : loop_ends_) {
      if (image_.sites[site].kind != SiteKind::sub_group_loop) continue;
      IRBuilder<> b(end);
      stop_at(b, site);
      b.CreateCall(stop_function(), {b.getInt32(0)});
    }
    for (ReturnInst* end : returns_) {
      IRBuilder<> b(end);
      stop_at(b, 0);
    }
  }

  // What is counted and logged else, as calls.
  void log_in_rows() {
    for (BasicBlock* block : order_) {
      if (block == &body_.getEntryBlock()) continue;
      const ClassCounts counts = counts_of(*block);
      std::uint32_t total = 0;
      for (const std::uint32_t count : counts) total += count;
      if (total == 0) continue;
      IRBuilder<> b(&*block->getFirstInsertionPt());
      SmallVector<Value*> all{b.getInt32(total)};
      for (const std::uint32_t count : counts) all.push_back(b.getInt32(count));
      const SmallVector<Type*> types(all.size(), b.getInt32Ty());
      auto* const type = FunctionType::get(b.getVoidTy(), types, false);
      b.CreateCall(module_.getOrInsertFunction(row_count, type), all);
    }
    for (const auto& [end, site] : loop_ends_) write_row(end, site, word(0));
    for (Access& access : accesses_) {
      Value* pointer = access.instruction->getOperand(access.operand);
      if (!access.origin.in_bounds) {
        pointer = checked(access, pointer);
        access.instruction->setOperand(access.operand, pointer);
      }
      IRBuilder<> b(access.instruction);
      if (access.logged) write_row(access.instruction, access.site, b.CreatePtrToInt(pointer, word_));
    }
    for (const auto& [barrier, site] : barriers_) write_row(barrier, site, word(0));
    for (ReturnInst* end : returns_) write_row(end, finish_site_, word(0));
  }
  void write_row(Instruction* at, std::uint32_t site, Value* address) {
    IRBuilder<> b(at);
    b.CreateCall(module_.getOrInsertFunction(row_entry, b.getVoidTy(), word_, word_), {word(site), address});
  }

  struct BackEdge {
    std::uint32_t line = 0;    // of the loop
    std::uint32_t waits = 0;   // for whom it may: SluiceWaits
    std::uint32_t site = 0;    // where a work-item stops that waits for others of its group
  };

  // ---- numbering ----

  void number_sites() {
    image_.sites.assign(1, Site{});
    DominatorTree dominators(body_);
    LoopInfo loops(dominators);
    ReversePostOrderTraversal<Function*> traversal(&body_);
    const std::vector<BasicBlock*> blocks(traversal.begin(), traversal.end());
    visit(blocks, loops, dominators, nullptr);
    for (auto& [barrier, site] : barriers_) site = add_site({.kind = SiteKind::barrier, .line = line_near(*barrier)});
    if (image_.lockstep) step_site_ = add_site({});
    finish_site_ = add_site({.kind = SiteKind::finish});

    std::map<const BasicBlock*, std::size_t> position;
    for (std::size_t i = 0; i < blocks.size(); ++i) position[blocks[i]] = i;
    for (BasicBlock* block : blocks) {
      bool back = false;
      for (const BasicBlock* successor : successors(block)) back = back || position[successor] <= position[block];
      if (!back) continue;
      const Loop* const loop = loops.getLoopFor(block);
      BackEdge& edge = back_edges_[block->getTerminator()];
      edge.line = loop_line(*block);
      if (may_wait(loop)) edge.waits |= sluice_waits_for_groups;
      if (loop == nullptr || image_.lockstep || !ends_by_others(*loop)) continue;
      edge.waits |= sluice_waits_for_items;
      edge.site = add_site({.kind = SiteKind::wait, .line = edge.line});
      image_.suspends = true;
    }
  }

  // Whether it depends on what somebody else writes when the loop ends. One that tries an atomic exchange until nobody
  // came between does not wait: nobody comes between while its work-item runs.
  bool ends_by_others(const Loop& loop) const {
    SmallVector<BasicBlock*> exiting;
    loop.getExitingBlocks(exiting);
    return any_of(exiting, [&](const BasicBlock* block) { return polls(loop, *block->getTerminator()); });
  }
  bool polls(const Loop& loop, const Instruction& exit) const {
    bool found = false, retries = false;
    for (const Instruction* instruction : what_decides(loop, exit)) {
      const auto* exchange = dyn_cast<AtomicCmpXchgInst>(instruction);
      retries |= exchange != nullptr && !loop.isLoopInvariant(exchange->getCompareOperand());
      const bool is_poll = instruction->isAtomic() || (isa<LoadInst>(instruction) && instruction->isVolatile());
      found = found || (is_poll && is_shared(*instruction));
    }
    return found && !retries;
  }
  // The instructions of the loop on which it depends whether it ends at `exit`.
  static SmallVector<const Instruction*> what_decides(const Loop& loop, const Instruction& exit) {
    SmallVector<const Instruction*> reached;
    SmallPtrSet<const Value*, 32> seen;
    const auto reach = [&](const Value* value) {
      const auto* instruction = dyn_cast<Instruction>(value);
      if (instruction != nullptr && loop.contains(instruction) && seen.insert(value).second)
        reached.push_back(instruction);
    };
    reach(&exit);
    for (std::size_t i = 0; i < reached.size(); ++i) {
      const Instruction* const instruction = reached[i];
      for (const Value* operand : instruction->operand_values()) reach(operand);
      const auto* phi = dyn_cast<PHINode>(instruction);
      if (phi == nullptr) continue;
      for (const BasicBlock* block : phi->blocks()) reach(block->getTerminator());
    }
    return reached;
  }
  bool is_shared(const Instruction& instruction) const {
    const auto pointers = pointers_of(instruction, module_.getDataLayout());
    return any_of(pointers, [&](const Pointer& pointer) {
      return instruction.getOperand(pointer.operand)->getType()->getPointerAddressSpace() != private_space;
    });
  }

  // Whether the loop may run until somebody else has written something. Without a loop, which irreducible code has not,
  // nothing is known.
  bool may_wait(const Loop* loop) {
    if (loop == nullptr) return image_.may_wait = true;
    // Where nothing that was read from memory decides, nobody is waited for.
    SmallVector<BasicBlock*> exiting;
    loop->getExitingBlocks(exiting);
    const bool reads = exiting.empty() || any_of(exiting, [&](const BasicBlock* block) {
      return any_of(what_decides(*loop, *block->getTerminator()),
                    [](const Instruction* i) { return i->mayReadFromMemory(); });
    });
    if (!reads) return false;
    for (const BasicBlock* block : loop->blocks()) {
      for (const Instruction& instruction : *block) {
        const bool polls = instruction.isAtomic() || (isa<LoadInst>(instruction) && instruction.isVolatile());
        if (polls && !is_private(instruction)) return image_.may_wait = true;
      }
    }
    return false;
  }
  bool is_private(const Instruction& instruction) const {
    for (const Pointer& pointer : pointers_of(instruction, module_.getDataLayout())) {
      const unsigned space = instruction.getOperand(pointer.operand)->getType()->getPointerAddressSpace();
      if (space != private_space && space != local_space) return false;
    }
    return true;
  }

  // A call that the optimiser made of two has no line.
  std::uint32_t line_near(const Instruction& instruction) const {
    std::uint32_t line = source_line(instruction);
    for (const Instruction* i = &instruction; i != nullptr && line == 0; i = i->getPrevNode()) line = source_line(*i);
    for (const Instruction* i = &instruction; i != nullptr && line == 0; i = i->getNextNode()) line = source_line(*i);
    return line != 0 ? line : loop_line(*instruction.getParent());
  }

  // Jumps often have no line of their own.
  std::uint32_t loop_line(const BasicBlock& block) const {
    std::uint32_t line = source_line(*block.getTerminator());
    for (const Instruction& instruction : block) line = line != 0 ? line : source_line(instruction);
    for (const BasicBlock* successor : successors(&block)) {
      for (const Instruction& instruction : *successor) line = line != 0 ? line : source_line(instruction);
    }
    return line != 0 || body_.getSubprogram() == nullptr ? line : body_.getSubprogram()->getLine();
  }

  std::uint32_t add_site(const Site& site) {
    image_.sites.push_back(site);
    return static_cast<std::uint32_t>(image_.sites.size() - 1);
  }

  // The blocks of `loop` (nullptr: of the function) in reverse post order, each inner loop contiguous.
  void visit(const std::vector<BasicBlock*>& blocks, const LoopInfo& loops, const DominatorTree& dominators,
             const Loop* loop) {
    for (BasicBlock* block : blocks) {
      const Loop* own = loops.getLoopFor(block);
      if (own == loop) {
        order_.push_back(block);
        number_block(*block);
        continue;
      }
      while (own != nullptr && own->getParentLoop() != loop) own = own->getParentLoop();
      if (own == nullptr || own->getHeader() != block) continue;
      visit(blocks, loops, dominators, own);
      end_loop(*own, loops, dominators);
    }
  }

  // A lane that skips the last access of an iteration must not run ahead into the next one: a marker at the latch,
  // unless every iteration ends with an access anyway.
  void end_loop(const Loop& loop, const LoopInfo& loops, const DominatorTree& dominators) {
    BasicBlock* latch = loop.getLoopLatch();
    if (latch == nullptr) return;
    if (any_of(operations_, [&](const auto& o) {
          return loop.contains(o.first->getParent()) && SubGroupOperation(image_.sites[o.second].operation).apart();
        })) {
      const std::uint32_t site = add_site({.kind = SiteKind::sub_group_loop, .line = loop_line(*latch)});
      loop_ends_.emplace_back(latch->getTerminator(), site);
      return;
    }
    if (accesses_.empty()) return;
    const BasicBlock* last = nullptr;
    for (auto access = accesses_.rbegin(); access != accesses_.rend() && last == nullptr; ++access) {
      if (access->logged && loop.contains(access->instruction->getParent())) last = access->instruction->getParent();
    }
    if (last == nullptr || (loops.getLoopFor(last) == &loop && dominators.dominates(last, latch))) return;
    loop_ends_.emplace_back(latch->getTerminator(), add_site({.kind = SiteKind::marker, .line = loop_line(*latch)}));
  }

  void number_block(BasicBlock& block) {
    std::uint32_t entries = 3;  // a marker, a wait, and a barrier or the end
    for (Instruction& instruction : block) {
      if (CallInst* barrier = as_call_of(instruction, "__sluice_barrier")) {
        barriers_.emplace_back(barrier, 0);
        ++entries;
      }
      if (CallInst* call = as_call_of(instruction, "__sluice_sub_group")) {
        const auto* code = dyn_cast<ConstantInt>(call->getArgOperand(0));
        Site site{.kind = SiteKind::sub_group, .line = line_near(*call)};
        site.operation = code == nullptr ? 0 : static_cast<std::uint32_t>(code->getZExtValue());
        operations_.emplace_back(call, add_site(site));
        ++entries;
      }
      for (const Pointer& pointer : pointers_of(instruction, module_.getDataLayout())) {
        Origin origin = find_origin(instruction.getOperand(pointer.operand), pointer.bytes, unit_);
        if (origin.trusted) continue;
        const bool logged = origin.space != SiteSpace::private_;
        if (!logged && origin.in_bounds) continue;
        Site site{.kind = pointer.kind, .space = origin.space, .atomic = pointer.atomic, .exact = origin.complete};
        site.bytes = static_cast<std::uint32_t>(pointer.bytes);
        site.line = source_line(instruction);
        site.object = origin.name;
        for (const Origin::Object& object : origin.objects) site.argument = object.argument;
        if (origin.objects.size() > 1) site.argument = -1;
        accesses_.push_back({&instruction, pointer.operand, add_site(site), pointer.bytes, logged, std::move(origin),
                             pointer.is_texel});
        for (std::uint32_t i = 1; pointer.is_texel && i < texel_sizes; ++i) {
          site.bytes = 1U << i;
          add_site(site);
        }
        entries += 2;  // a step's, too
      }
    }
    if (auto* end = dyn_cast<ReturnInst>(block.getTerminator())) returns_.push_back(end);
    image_.largest_block_entries = std::max(image_.largest_block_entries, entries);
  }

  // ---- code ----

  Value* member(IRBuilder<>& b, Value* base, std::size_t offset) {
    return b.CreateConstInBoundsGEP1_64(b.getInt8Ty(), base, offset);
  }
  LoadInst* once(LoadInst* load) {  // a value that stays the same for the work-item's life
    load->setMetadata(LLVMContext::MD_invariant_load, MDNode::get(context_, {}));
    return load;
  }
  Value* word(std::uint64_t value) { return ConstantInt::get(word_, value); }

  void set_up() {
    Instruction* at = body_.getEntryBlock().getTerminator();
    IRBuilder<> b(at);
    group_ = unit_.group();
    if (!image_.quiet) {
      log_ = b.CreateAlloca(pointer_);
      issued_ = b.CreateAlloca(word_);
      classes_ = b.CreateAlloca(classes_type_);
      begin_phase(b);
    }
    argument_bytes_ = once(b.CreateLoad(pointer_, member(b, group_, offsetof(Group, argument_bytes))));
  }

  void begin_phase(IRBuilder<>& b) {
    b.CreateStore(b.CreateLoad(pointer_, member(b, group_, offsetof(Group, log))), log_);
    b.CreateStore(word(0), issued_);
    b.CreateStore(Constant::getNullValue(classes_type_), classes_);
  }

  void end_phase(IRBuilder<>& b, std::uint32_t barrier_site) {
    b.CreateStore(b.CreateLoad(pointer_, log_), member(b, group_, offsetof(Group, log)));
    b.CreateStore(b.CreateLoad(word_, issued_), member(b, unit_.item(), offsetof(Item, issued)));
    stop_at(b, barrier_site);
    Value* sums = member(b, group_, offsetof(Group, classes));
    auto* wide = FixedVectorType::get(word_, counted_classes);
    Value* counted = b.CreateZExt(b.CreateLoad(classes_type_, classes_), wide);
    b.CreateAlignedStore(b.CreateAdd(b.CreateAlignedLoad(wide, sums, Align(64)), counted), sums, Align(64));
  }

  void stop_at(IRBuilder<>& b, std::uint32_t site) {
    b.CreateStore(word(site), image_.quiet ? member(b, group_, offsetof(Group, stopped))
                                           : member(b, unit_.item(), offsetof(Item, stopped)));
  }

  ClassCounts counts_of(const BasicBlock& block) {
    ClassCounts counts = cost_.of(block);
    // A jump back is an instruction, while code is laid out so that jumps forward are none. It also makes every loop
    // count.
    const auto* jump = dyn_cast<BranchInst>(block.getTerminator());
    if (jump != nullptr && jump->isUnconditional() &&
        back_edges_.count(const_cast<Instruction*>(block.getTerminator())) != 0) {
      ++counts[static_cast<std::size_t>(InstructionClass::control)];
    }
    return counts;
  }

  void count_block(BasicBlock& block) {
    Instruction* at = &*block.getFirstInsertionPt();
    IRBuilder<> b(at);
    const ClassCounts counts = counts_of(block);
    std::uint64_t total = 0;
    std::array<std::uint32_t, counted_classes> wide{};
    for (std::size_t i = 0; i < counts.size(); ++i) total += wide[i] = counts[i];
    if (total != 0) {
      b.CreateStore(b.CreateAdd(b.CreateLoad(word_, issued_), word(total)), issued_);
      b.CreateStore(b.CreateAdd(b.CreateLoad(classes_type_, classes_), ConstantDataVector::get(context_, wide)),
                    classes_);
    }
    Value* log = b.CreateLoad(pointer_, log_);
    Value* limit = b.CreateLoad(pointer_, member(b, group_, offsetof(Group, log_limit)));
    IRBuilder<> full(SplitBlockAndInsertIfThen(b.CreateICmpUGT(log, limit), at, false, unlikely_));
    auto callee = module_.getOrInsertFunction("sluice_exec_full", pointer_, pointer_, pointer_);
    full.CreateStore(full.CreateCall(callee, {unit_.item(), log}), log_);
  }

  void write_log(Instruction* at, std::uint32_t site, Value* address) { write_log(at, word(site), address); }
  void write_log(Instruction* at, Value* site, Value* address) {
    IRBuilder<> b(at);
    Value* log = b.CreateLoad(pointer_, log_);
    b.CreateAlignedStore(address != nullptr ? address : word(0), log, Align(8));
    Value* issued = b.CreateShl(b.CreateLoad(word_, issued_), 32);
    b.CreateAlignedStore(b.CreateOr(issued, site), member(b, log, offsetof(LogEntry, site)), Align(8));
    b.CreateStore(member(b, log, sizeof(LogEntry)), log_);
  }

  void watch(Instruction& end, const BackEdge& loop) {
    IRBuilder<> b(&end);
    Value* limit = b.CreateLoad(word_, member(b, unit_.item(), offsetof(Item, limit)));
    Value* issued = b.CreateLoad(word_, issued_);
    Instruction* late = SplitBlockAndInsertIfThen(b.CreateICmpUGT(issued, limit), &end, false, unlikely_);
    IRBuilder<> l(late);
    auto callee =
        module_.getOrInsertFunction("sluice_exec_late", l.getInt32Ty(), pointer_, word_, word_, l.getInt32Ty());
    Value* ends = l.CreateCall(callee, {unit_.item(), word(loop.line), issued, l.getInt32(loop.waits)});
    if (loop.site != 0) {
      Instruction* rest = SplitBlockAndInsertIfThen(l.CreateICmpEQ(ends, l.getInt32(2)), late, false);
      write_log(rest, loop.site, nullptr);
      suspend(rest, loop.site);
    }
    IRBuilder<> last(late);
    Instruction* stop = SplitBlockAndInsertIfThen(last.CreateICmpEQ(ends, last.getInt32(1)), late, true, unlikely_);
    IRBuilder<> s(stop);
    end_phase(s, 0);
    s.CreateRetVoid();
    stop->eraseFromParent();
  }

  void at_barrier(CallInst& barrier, std::uint32_t site) {
    write_log(&barrier, site, nullptr);
    IRBuilder<> b(&barrier);
    end_phase(b, site);
    b.SetInsertPoint(barrier.getNextNode());
    begin_phase(b);
  }

  // The work-item stops before `at`.
  void suspend(Instruction* at, std::uint32_t site) {
    IRBuilder<> b(at);
    end_phase(b, site);
    b.CreateCall(stop_function(), {b.getInt32(0)});
    begin_phase(b);
  }
  FunctionCallee stop_function() {
    return module_.getOrInsertFunction("__sluice_barrier", Type::getVoidTy(context_), Type::getInt32Ty(context_));
  }
  void step(Instruction* at, std::uint32_t site) {
    write_log(at, step_site_, nullptr);
    suspend(at, site);
  }

  void at_return(ReturnInst& end) {
    write_log(&end, finish_site_, nullptr);
    IRBuilder<> b(&end);
    end_phase(b, 0);
  }

  // How many addresses from an object's base on an access of `bytes` may start at.
  Value* room(const Origin::Object& object, std::uint64_t bytes) {
    if (object.size != nullptr) {
      const std::uint64_t size = object.size->getZExtValue();
      return word(size >= bytes ? size - bytes + 1 : 0);
    }
    Value*& known = rooms_[{object.argument, bytes}];
    if (known == nullptr) {
      IRBuilder<> setup(body_.getEntryBlock().getTerminator());
      Value* at = member(setup, argument_bytes_, sizeof(std::uint64_t) * static_cast<std::size_t>(object.argument));
      Value* size = once(setup.CreateLoad(word_, at));
      Value* enough = setup.CreateICmpUGE(size, word(bytes));
      known = setup.CreateSelect(enough, setup.CreateSub(size, word(bytes - 1)), word(0));
    }
    return known;
  }

  Value* in_recent_range(IRBuilder<>& b, Value* address, std::uint64_t bytes) {
    Value* base = b.CreateLoad(word_, member(b, group_, offsetof(Group, recent_base)));
    Value* size = b.CreateLoad(word_, member(b, group_, offsetof(Group, recent_bytes)));
    Value* offset = b.CreateSub(address, base);
    return b.CreateAnd(b.CreateICmpULT(offset, size), b.CreateICmpUGE(b.CreateSub(size, offset), word(bytes)));
  }

  Value* checked(Access& access, Value* pointer) {
    IRBuilder<> b(access.instruction);
    Value* address = b.CreatePtrToInt(pointer, word_);
    Value* good = b.getFalse();
    for (const Origin::Object& object : access.origin.objects) {
      Value* offset = b.CreateSub(address, b.CreatePtrToInt(object.base, word_));
      good = b.CreateOr(good, b.CreateICmpULT(offset, room(object, access.bytes)));
    }
    if (!access.origin.complete) good = b.CreateOr(good, in_recent_range(b, address, access.bytes));
    BasicBlock* before = access.instruction->getParent();
    Instruction* then = SplitBlockAndInsertIfThen(b.CreateNot(good), access.instruction, false, unlikely_);
    IRBuilder<> bad(then);
    Value* base = word(0);
    Value* size = word(0);
    if (access.origin.complete && access.origin.objects.size() == 1) {
      const Origin::Object& object = access.origin.objects.front();
      base = bad.CreatePtrToInt(object.base, word_);
      size = object.size != nullptr
                 ? static_cast<Value*>(object.size)
                 : bad.CreateLoad(word_, member(bad, argument_bytes_,
                                                sizeof(std::uint64_t) * static_cast<std::size_t>(object.argument)));
    }
    auto callee = module_.getOrInsertFunction("sluice_exec_check", pointer_, pointer_, word_, word_, word_, word_);
    Value* other = bad.CreateCall(callee, {unit_.item(), word(access.site), address, base, size});
    other = bad.CreatePointerBitCastOrAddrSpaceCast(other, pointer->getType());
    PHINode* chosen = PHINode::Create(pointer->getType(), 2, "", access.instruction);
    chosen->addIncoming(pointer, before);
    chosen->addIncoming(other, then->getParent());
    return chosen;
  }

  void instrument_access(Access& access) {
    if (image_.lockstep && access.logged && access.instruction != stepped_) {
      stepped_ = access.instruction;
      step(access.instruction, access.site);
    }
    Value* pointer = access.instruction->getOperand(access.operand);
    if (!access.origin.in_bounds) {
      pointer = checked(access, pointer);
      access.instruction->setOperand(access.operand, pointer);
    }
    if (!access.logged) return;
    IRBuilder<> b(access.instruction);
    Value* site = word(access.site);
    if (access.is_texel) {
      Value* bytes = b.CreateZExt(access.instruction->getOperand(1), word_);
      site = b.CreateAdd(site, b.CreateBinaryIntrinsic(Intrinsic::cttz, bytes, b.getTrue()));
    }
    write_log(access.instruction, site, b.CreatePtrToInt(pointer, word_));
  }

  const KernelUnit& unit_;
  Function& body_;
  Module& module_;
  LLVMContext& context_;
  KernelImage& image_;
  IntegerType* word_ = nullptr;
  PointerType* pointer_ = nullptr;
  FixedVectorType* classes_type_ = nullptr;
  MDNode* unlikely_ = nullptr;

  InstructionCost cost_;
  std::vector<BasicBlock*> order_;
  std::vector<Access> accesses_;
  std::vector<std::pair<Instruction*, std::uint32_t>> loop_ends_;
  std::vector<std::pair<CallInst*, std::uint32_t>> barriers_;
  std::vector<std::pair<CallInst*, std::uint32_t>> operations_;  // of sub-groups
  std::vector<ReturnInst*> returns_;
  MapVector<Instruction*, BackEdge> back_edges_;
  std::uint32_t finish_site_ = 0;
  std::uint32_t step_site_ = 0;
  const Instruction* stepped_ = nullptr;  // the access that was last made a step

  AllocaInst* log_ = nullptr;
  AllocaInst* issued_ = nullptr;
  AllocaInst* classes_ = nullptr;
  Value* group_ = nullptr;
  Value* argument_bytes_ = nullptr;
  std::map<std::pair<std::int32_t, std::uint64_t>, Value*> rooms_;
};

}  // namespace

void instrument(const KernelUnit& unit) {
  Instrumenter(unit).run();
}

}  // namespace sluice::exec

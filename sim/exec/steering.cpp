#include "sim/exec/steering.h"

#include <llvm/ADT/DenseMap.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>

#include "sim/exec/access_origin.h"

namespace sluice::exec {

using namespace llvm;

namespace {

constexpr std::uint64_t anything = std::uint64_t{1} << steered_by_other;

// Masks of values rise until nothing changes. What merges at a phi depends on branches, too, but their conditions are
// part of the answer already: where all of it is as it was, so is the way that leads there.
class Analysis {
 public:
  explicit Analysis(const KernelUnit& unit) : unit_(unit), layout_(unit.body->getParent()->getDataLayout()) {
    const auto& arguments = unit.image->info.arguments;
    for (std::size_t i = 0; i < arguments.size() && i < steered_by_other; ++i) {
      if (arguments[i].kind == ArgumentKind::image) images_ |= bit(i);
    }
  }

  std::uint64_t run() {
    if (unit_.image->info.arguments.size() > steered_by_other) return anything;
    for (changed_ = true; changed_ && (steering_ & anything) == 0;) {
      changed_ = false;
      for (Instruction& instruction : instructions(*unit_.body)) raise(masks_[&instruction], evaluate(instruction));
    }
    return steering_;
  }

 private:
  static std::uint64_t bit(std::size_t argument) { return std::uint64_t{1} << argument; }
  void raise(std::uint64_t& mask, std::uint64_t by) {
    if ((mask | by) == mask) return;
    mask |= by;
    changed_ = true;
  }
  void steer(const Value& value) { raise(steering_, mask(value)); }

  // Pointers that are arguments are taken to be the same.
  std::uint64_t mask(const Value& value) const {
    if (const auto* argument = dyn_cast<Argument>(&value)) {
      const bool given = argument->getArgNo() < unit_.image->info.arguments.size();
      return given && !argument->getType()->isPointerTy() ? bit(argument->getArgNo()) : 0;
    }
    const auto it = masks_.find(&value);
    return it == masks_.end() ? 0 : it->second;
  }
  std::uint64_t mask_of_operands(const User& user) const {
    std::uint64_t all = 0;
    for (const Use& use : user.operands()) all |= mask(*use.get());
    return all;
  }

  std::uint64_t evaluate(Instruction& instruction) {
    if (auto* load = dyn_cast<LoadInst>(&instruction)) return evaluate_access(*load, *load->getPointerOperand(), nullptr);
    if (auto* store = dyn_cast<StoreInst>(&instruction))
      return evaluate_access(*store, *store->getPointerOperand(), store->getValueOperand());
    if (auto* atomic = dyn_cast<AtomicRMWInst>(&instruction))
      return evaluate_access(*atomic, *atomic->getPointerOperand(), atomic->getValOperand());
    if (auto* exchange = dyn_cast<AtomicCmpXchgInst>(&instruction))
      return mask(*exchange->getCompareOperand()) |
             evaluate_access(*exchange, *exchange->getPointerOperand(), exchange->getNewValOperand());
    if (auto* call = dyn_cast<CallInst>(&instruction)) return evaluate_call(*call);
    if (const auto* branch = dyn_cast<BranchInst>(&instruction)) {
      if (branch->isConditional()) steer(*branch->getCondition());
      return 0;
    }
    if (const auto* choice = dyn_cast<SwitchInst>(&instruction)) {
      steer(*choice->getCondition());
      return 0;
    }
    if (instruction.mayWriteToMemory() && !isa<FenceInst>(instruction)) steering_ |= anything;
    return mask_of_operands(instruction);
  }

  // Of a load's value, or of what an atomic returns; `stored`: nullptr where nothing is.
  std::uint64_t evaluate_access(Instruction& access, Value& pointer, const Value* stored) {
    steer(pointer);
    Type* const type = stored != nullptr ? stored->getType() : access.getType();
    const Origin origin = find_origin(&pointer, layout_.getTypeStoreSize(type).getFixedSize(), unit_);
    const std::uint64_t put = stored == nullptr ? 0 : mask(*stored) | mask(pointer);
    if (origin.trusted) return put;  // ids, sizes, images' descriptors
    if (origin.space == SiteSpace::image) return put | images_;
    std::uint64_t content = put | mask(pointer);
    if (!origin.complete) content |= anything;
    for (const Origin::Object& object : origin.objects) content |= flow(*object.base, put);
    // Through a pointer that was itself loaded, private and local memory may be written, too.
    if (!origin.complete && origin.space != SiteSpace::global && origin.space != SiteSpace::constant) raise(own_, put);
    return content;
  }

  // What is in `object`, to which `put` is added.
  std::uint64_t flow(const Value& object, std::uint64_t put) {
    if (const auto* argument = dyn_cast<Argument>(&object)) {
      if (unit_.image->info.arguments[argument->getArgNo()].kind != ArgumentKind::local)
        return bit(argument->getArgNo());
    } else if (const auto* variable = dyn_cast<GlobalVariable>(&object)) {
      if (variable->isConstant()) return 0;
      if (variable->getAddressSpace() != local_space) return anything;
    } else if (!isa<AllocaInst>(object)) {
      return anything;
    }
    raise(own_, put);
    return own_;
  }

  std::uint64_t evaluate_call(CallInst& call) {
    const Function* callee = call.getCalledFunction();
    if (callee == nullptr) return steering_ |= anything;
    const StringRef name = callee->getName();
    if (isa<DbgInfoIntrinsic>(call) || call.isLifetimeStartOrEnd()) return 0;
    if (name == "__sluice_query" || name == "__sluice_barrier") {
      for (const Use& use : call.args()) steer(*use.get());
      return 0;
    }
    if (is_texture_function(*callee)) {
      for (const Use& use : call.args()) steer(*use.get());
      return mask_of_operands(call) | images_;
    }
    // Library functions that were left as calls see nothing but their arguments (prepare.cpp).
    const bool pure = callee->isIntrinsic() ? call.doesNotAccessMemory() : !callee->isDeclaration();
    if (!pure) steering_ |= anything;
    return mask_of_operands(call);
  }

  const KernelUnit& unit_;
  const DataLayout& layout_;
  DenseMap<const Value*, std::uint64_t> masks_;
  std::uint64_t images_ = 0;    // arguments
  std::uint64_t own_ = 0;       // what private and local memory hold, all of it together
  std::uint64_t steering_ = 0;
  bool changed_ = false;
};

}  // namespace

std::uint64_t find_steering(const KernelUnit& unit) {
  return Analysis(unit).run();
}

}  // namespace sluice::exec

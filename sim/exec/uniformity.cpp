#include "sim/exec/uniformity.h"

#include <llvm/ADT/DenseMap.h>
#include <llvm/ADT/SetVector.h>
#include <llvm/Analysis/ValueTracking.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/Operator.h>
#include <llvm/Support/KnownBits.h>

#include <algorithm>

#include "sim/exec/access_origin.h"
#include "sim/exec/runtime.h"

namespace sluice::exec {

using namespace llvm;

namespace {

// How a value differs from group to group, for the same local id at the same point of the same path. What is linear is
// so in the lowest 32 bits where only the way matters, which extending and cutting off leave as they are. What is
// computed follows from ids and arguments in some other way; what varies depends on memory.
enum class Kind : std::uint8_t { uniform, linear, computed, varying };

enum class Question : std::uint8_t {
  same_bytes,
  same_way,
  same_way_if_guarded,  // of groups that take the same turn wherever what is computed decides
};

// Values begin as uniform and rise until nothing changes. With all branches uniform, the groups go the same way, so a
// phi is no worse than what comes into it.
class Analysis {
 public:
  Analysis(const KernelUnit& unit, Question question)
      : unit_(unit),
        layout_(unit.body->getParent()->getDataLayout()),
        way_only_(question != Question::same_bytes),
        guarded_(question == Question::same_way_if_guarded) {}

  bool run() {
    for (bool more = true; more && !refuted_;) {
      more = false;
      for (Instruction& instruction : instructions(*unit_.body)) {
        const Kind now = std::max(kind(instruction), evaluate(instruction));
        if (now == kind(instruction)) continue;
        kinds_[&instruction] = now;
        more = true;
      }
    }
    for (Instruction& instruction : instructions(*unit_.body)) check(instruction);
    return !refuted_ && stores_;
  }
  [[nodiscard]] bool narrow_ids() const noexcept { return narrow_ids_; }
  [[nodiscard]] const std::vector<Guard>& guards() const noexcept { return guards_; }
  void mark_reads() const {
    for (LoadInst* load : reads_) load->setMetadata(steerless_load, MDNode::get(load->getContext(), {}));
  }

 private:
  Kind kind(const Value& value) const {
    const auto it = kinds_.find(&value);
    return it == kinds_.end() ? Kind::uniform : it->second;
  }
  Kind worst(const User& user) const {
    Kind kind_of_all = Kind::uniform;
    for (const Use& use : user.operands()) kind_of_all = std::max(kind_of_all, kind(*use.get()));
    return kind_of_all;
  }
  Kind only_uniform(const User& user) const {
    const Kind all = worst(user);
    return all == Kind::uniform || all == Kind::varying ? all : Kind::computed;
  }
  // Whether a value decides alike in all groups that are compared.
  bool decides(const Value& value) const {
    return kind(value) == Kind::uniform || (guarded_ && kind(value) != Kind::varying);
  }
  Kind refute() {
    refuted_ = true;
    return Kind::varying;
  }

  // ---- values ----

  static bool is_query(const Value& value, unsigned first, unsigned words) {
    const auto* call = dyn_cast<CallInst>(&value);
    if (call == nullptr || call->getCalledFunction() == nullptr ||
        call->getCalledFunction()->getName() != "__sluice_query") {
      return false;
    }
    const auto* word = dyn_cast<ConstantInt>(call->getArgOperand(0));
    return word != nullptr && word->getZExtValue() - first < words;
  }
  // Of 0 or more, and as wide as the launch lets it become.
  static bool is_group_query(const Value& value) {
    return is_query(value, global_id_word, 3) || is_query(value, group_id_word, 3);
  }
  Kind narrowed(const Value& value) {
    if (kind(value) == Kind::uniform || way_only_) return kind(value);
    if (!is_group_query(value)) return std::max(kind(value), Kind::computed);
    narrow_ids_ = true;
    return Kind::linear;
  }

  Kind evaluate(Instruction& instruction) {
    if (auto* load = dyn_cast<LoadInst>(&instruction)) return evaluate_load(*load);
    if (auto* call = dyn_cast<CallInst>(&instruction)) return evaluate_call(*call);
    if (const auto* operation = dyn_cast<BinaryOperator>(&instruction)) return evaluate_binary(*operation);
    if (const auto* select = dyn_cast<SelectInst>(&instruction)) {
      if (!decides(*select->getCondition()) || select->getCondition()->getType()->isVectorTy())
        return std::max(only_uniform(instruction), Kind::computed);
      return std::max(kind(*select->getTrueValue()), kind(*select->getFalseValue()));
    }
    switch (instruction.getOpcode()) {
      case Instruction::PHI:
      case Instruction::Freeze:
        return worst(instruction);
      case Instruction::GetElementPtr:
      case Instruction::BitCast:
      case Instruction::AddrSpaceCast:
      case Instruction::PtrToInt:
      case Instruction::IntToPtr:
        return is_word(instruction) ? worst(instruction) : only_uniform(instruction);
      case Instruction::Trunc:
        return instruction.getType()->isIntegerTy(32) ? narrowed(*instruction.getOperand(0))
                                                      : only_uniform(instruction);
      // What is linear in 32 bits never wrapped as a signed number.
      case Instruction::SExt:
        if (way_only_) return is_index(*instruction.getOperand(0)) ? worst(instruction) : only_uniform(instruction);
        return is_word(instruction) ? worst(instruction) : only_uniform(instruction);
      case Instruction::ZExt:
        if (way_only_) return is_index(*instruction.getOperand(0)) ? worst(instruction) : only_uniform(instruction);
        return is_word(instruction) && is_never_negative(*instruction.getOperand(0)) ? worst(instruction)
                                                                                     : only_uniform(instruction);
      default:
        return only_uniform(instruction);
    }
  }

  static bool is_word(const Value& value) { return value.getType()->isPointerTy() || value.getType()->isIntegerTy(64); }
  static bool is_index(const Value& value) { return is_word(value) || value.getType()->isIntegerTy(32); }
  bool is_never_negative(const Value& value) const {
    const auto* narrow = dyn_cast<TruncInst>(&value);
    return (narrow != nullptr && is_group_query(*narrow->getOperand(0))) || isKnownNonNegative(&value, layout_);
  }

  Kind evaluate_binary(const BinaryOperator& operation) {
    const Value& a = *operation.getOperand(0);
    const Value& b = *operation.getOperand(1);
    if (worst(operation) != Kind::linear) return worst(operation);
    const auto* amount = dyn_cast<ConstantInt>(&b);
    switch (operation.getOpcode()) {
      case Instruction::Or:
        return haveNoCommonBitsSet(&a, &b, layout_) ? sum(operation, true) : Kind::computed;
      case Instruction::Add:
      case Instruction::Sub:
        return sum(operation, operation.hasNoSignedWrap());
      case Instruction::Mul:
        if (kind(a) != Kind::uniform && kind(b) != Kind::uniform) return Kind::computed;
        return sum(operation, operation.hasNoSignedWrap());
      case Instruction::Shl:
        return kind(b) == Kind::uniform ? sum(operation, operation.hasNoSignedWrap()) : Kind::computed;
      case Instruction::Xor:  // -1 - x
        return amount != nullptr && amount->isMinusOne() && (is_word(operation) || (way_only_ && is_index(operation)))
                   ? Kind::linear
                   : Kind::computed;
      case Instruction::And:  // a conversion to 32 bits and back without sign
        return amount != nullptr && amount->getZExtValue() == 0xffffffffU && is_word(operation) ? narrowed(a)
                                                                                                : Kind::computed;
      case Instruction::AShr:  // the same with sign, and perhaps scaled
        return amount != nullptr && is_word(operation) ? evaluate_extension(a, amount->getZExtValue()) : Kind::computed;
      default:
        return Kind::computed;
    }
  }
  // What is linear in 64 bits is so modulo 2^64, in 32 bits only if it does not wrap.
  Kind sum(const BinaryOperator& operation, bool wraps_never) const {
    if (way_only_) return is_index(operation) ? Kind::linear : Kind::computed;
    return is_word(operation) || (operation.getType()->isIntegerTy(32) && wraps_never) ? Kind::linear : Kind::computed;
  }
  // (x << 32) >> amount; where only the way matters x may have had something added since it was shifted: the upper half
  // of sums and products that have nothing in the lower one is as linear as the lower half of what they were made of.
  Kind evaluate_extension(const Value& shifted, std::uint64_t amount) {
    if (way_only_ && amount <= 32 && kind(shifted) == Kind::linear &&
        computeKnownBits(&shifted, layout_).countMinTrailingZeros() >= 32) {
      return Kind::linear;
    }
    const auto* shift = dyn_cast<BinaryOperator>(&shifted);
    if (shift == nullptr || shift->getOpcode() != Instruction::Shl || amount > 32) return Kind::computed;
    const auto* left = dyn_cast<ConstantInt>(shift->getOperand(1));
    if (left == nullptr || left->getZExtValue() != 32) return Kind::computed;
    return narrowed(*shift->getOperand(0));
  }

  Kind evaluate_call(CallInst& call) {
    const Function* callee = call.getCalledFunction();
    if (callee == nullptr) return refute();
    if (is_group_query(call)) return Kind::linear;
    const StringRef name = callee->getName();
    if (name == "__sluice_query") return isa<ConstantInt>(call.getArgOperand(0)) ? Kind::uniform : Kind::computed;
    if (name == "__sluice_barrier" || isa<DbgInfoIntrinsic>(call) || call.isLifetimeStartOrEnd()) return Kind::uniform;
    if (is_texture_function(*callee)) return refute();
    if (const auto* extreme = dyn_cast<MinMaxIntrinsic>(&call); extreme != nullptr && guarded_)
      return extreme->getType()->isVectorTy() ? only_uniform(call) : worst(call);
    // Library functions that were left as calls see nothing but their arguments (prepare.cpp).
    const bool pure = callee->isIntrinsic() ? call.doesNotAccessMemory() : !callee->isDeclaration();
    return pure ? only_uniform(call) : refute();
  }

  // Private and local memory hold what the group itself has put there, which check() sees to be uniform.
  Kind evaluate_load(LoadInst& load) {
    const Origin origin = origin_of(load, 0, load.getType());
    if (!load.isSimple() || !origin.complete) return refute();
    if (origin.trusted) return only_uniform(load);
    if (is_own(origin) && !way_only_)
      return kind(*load.getPointerOperand()) == Kind::uniform ? Kind::uniform : refute();
    const bool constant = std::all_of(origin.objects.begin(), origin.objects.end(), [](const Origin::Object& object) {
      const auto* variable = dyn_cast<GlobalVariable>(object.base);
      return variable != nullptr && variable->isConstant();
    });
    if (constant && !origin.objects.empty()) return only_uniform(load);
    if (!way_only_) return refute();
    reads_.insert(&load);
    return Kind::varying;
  }

  Origin origin_of(Instruction& access, unsigned operand, Type* type) const {
    return find_origin(access.getOperand(operand), layout_.getTypeStoreSize(type).getFixedSize(), unit_);
  }
  static bool is_own(const Origin& origin) {
    return origin.space == SiteSpace::private_ || origin.space == SiteSpace::local;
  }

  // ---- effects ----

  void check(Instruction& instruction) {
    if (auto* branch = dyn_cast<BranchInst>(&instruction)) {
      if (branch->isConditional()) check_guard(instruction, *branch->getCondition());
    } else if (auto* choice = dyn_cast<SwitchInst>(&instruction)) {
      check_guard(instruction, *choice->getCondition());
    } else if (auto* select = dyn_cast<SelectInst>(&instruction)) {
      if (kind(*select) <= Kind::linear) check_guard(instruction, *select->getCondition());
    } else if (isa<MinMaxIntrinsic>(instruction)) {
      if (kind(instruction) == Kind::linear) guards_.push_back({&instruction, nullptr});
    } else if (auto* store = dyn_cast<StoreInst>(&instruction)) {
      check_store(*store);
    } else if (auto* load = dyn_cast<LoadInst>(&instruction)) {
      check_load(*load);
    } else if (instruction.isTerminator()) {
      if (!isa<ReturnInst>(instruction)) refute();
    } else if (instruction.mayWriteToMemory() && !isa<CallInst>(instruction) && !isa<FenceInst>(instruction)) {
      refute();
    }
  }

  void check_guard(Instruction& instruction, Value& value) {
    if (kind(value) == Kind::uniform) return;
    if (!decides(value)) refute();
    guards_.push_back({&instruction, &value});
  }

  void check_load(LoadInst& load) {
    const Origin origin = origin_of(load, 0, load.getType());
    const Kind where = kind(*load.getPointerOperand());
    if (where > Kind::linear || (is_own(origin) && where != Kind::uniform)) refute();
  }

  void check_store(StoreInst& store) {
    const Origin origin = origin_of(store, 1, store.getValueOperand()->getType());
    const Kind where = kind(*store.getPointerOperand());
    if (!store.isSimple() || origin.trusted || !origin.complete || where > Kind::linear ||
        (!way_only_ && kind(*store.getValueOperand()) != Kind::uniform)) {
      refute();
      return;
    }
    if (is_own(origin)) {
      if (where != Kind::uniform) refute();
      return;
    }
    if (origin.space != SiteSpace::global || origin.objects.size() != 1 || origin.objects.front().argument < 0)
      refute();
    stores_ = true;
  }

  const KernelUnit& unit_;
  const DataLayout& layout_;
  DenseMap<const Value*, Kind> kinds_;
  const bool way_only_;  // what is loaded and stored may differ
  const bool guarded_;
  std::vector<Guard> guards_;
  SetVector<LoadInst*, std::vector<LoadInst*>> reads_;
  bool refuted_ = false;
  bool narrow_ids_ = false;
  bool stores_ = false;
};

}  // namespace

Alikeness find_alikeness(const KernelUnit& unit) {
  Analysis bytes(unit, Question::same_bytes), way(unit, Question::same_way);
  Alikeness found;
  found.same_bytes = bytes.run();
  found.marked = way.run();
  found.same_way = found.same_bytes || found.marked;
  if (found.marked) way.mark_reads();
  found.narrow_ids = found.same_bytes ? bytes.narrow_ids() : way.narrow_ids();
  if (found.same_way) return found;
  Analysis guarded(unit, Question::same_way_if_guarded);
  if (!guarded.run()) return {};
  guarded.mark_reads();
  return {.same_way = true,
          .same_bytes = false,
          .narrow_ids = guarded.narrow_ids(),
          .guards = guarded.guards(),
          .marked = true};
}

}  // namespace sluice::exec

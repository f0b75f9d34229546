#include <llvm/Analysis/TargetTransformInfo.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/Operator.h>
#include <llvm/Transforms/Utils/Local.h>
#include <llvm/Transforms/Utils/LowerAtomic.h>
#include <llvm/Transforms/Utils/LowerMemIntrinsics.h>

#include <map>

#include "sim/exec/lowering.h"
#include "sim/exec/runtime.h"

namespace sluice::exec {

using namespace llvm;

namespace {

Value* member(IRBuilderBase& b, Value* base, std::size_t offset) {
  return b.CreateConstInBoundsGEP1_64(b.getInt8Ty(), base, offset);
}

// A load of what does not change while the work-item lives.
LoadInst* once(LoadInst* load) {
  load->setMetadata(LLVMContext::MD_invariant_load, MDNode::get(load->getContext(), {}));
  return load;
}

Instruction* set_up_point(Function& body) {
  auto at = body.getEntryBlock().getFirstInsertionPt();
  while (isa<AllocaInst>(&*at)) ++at;
  return &*at;
}

std::uint64_t align_up(std::uint64_t value, std::uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

}  // namespace

void lower_prints(const KernelUnit& unit) {
  Module& module = *unit.body->getParent();
  std::vector<CallInst*> calls;
  for (Instruction& instruction : instructions(*unit.body)) {
    if (CallInst* call = as_call_of(instruction, "printf")) calls.push_back(call);
  }
  for (CallInst* call : calls) {
    IRBuilder<> b(call);
    std::string types;
    std::uint64_t bytes = 0;
    std::vector<std::pair<std::uint64_t, Value*>> values;
    for (unsigned i = 1; i < call->arg_size(); ++i) {
      Value* value = call->getArgOperand(i);
      Type* type = value->getType();
      const std::uint64_t size = module.getDataLayout().getTypeStoreSize(type);
      types += type->isPointerTy() ? 'p' : type->isFPOrFPVectorTy() ? 'f' : 'i';
      types += std::to_string(size) + ';';
      values.emplace_back(bytes, value);
      bytes += align_up(size, 16);
    }
    IRBuilder<> setup(set_up_point(*unit.body));
    auto* packed = setup.CreateAlloca(ArrayType::get(b.getInt8Ty(), std::max<std::uint64_t>(bytes, 16)));
    packed->setAlignment(Align(16));
    for (const auto& [at, value] : values) b.CreateAlignedStore(value, member(b, packed, at), Align(1));
    Type* pointer = PointerType::get(b.getContext(), private_space);
    auto callee = module.getOrInsertFunction("sluice_exec_print", b.getVoidTy(), pointer, pointer, pointer, pointer);
    Value* format = b.CreatePointerBitCastOrAddrSpaceCast(call->getArgOperand(0), pointer);
    b.CreateCall(callee, {unit.item(), format, b.CreateGlobalStringPtr(types), packed});
    call->replaceAllUsesWith(ConstantInt::get(call->getType(), 0));
    call->eraseFromParent();
  }
}

void expand_memory_intrinsics(Function& body) {
  constexpr std::uint64_t largest = 256;  // what one access of a lane may be
  std::vector<MemIntrinsic*> found;
  for (Instruction& instruction : instructions(body)) {
    auto* memory = dyn_cast<MemIntrinsic>(&instruction);
    if (memory == nullptr) continue;
    const auto* length = dyn_cast<ConstantInt>(memory->getLength());
    if (length == nullptr || length->getZExtValue() > largest) found.push_back(memory);
  }
  const TargetTransformInfo info(body.getParent()->getDataLayout());
  for (MemIntrinsic* memory : found) {
    if (auto* copy = dyn_cast<MemCpyInst>(memory)) {
      expandMemCpyAsLoop(copy, info);
    } else if (auto* move = dyn_cast<MemMoveInst>(memory)) {
      expandMemMoveAsLoop(move);
    } else {
      expandMemSetAsLoop(cast<MemSetInst>(memory));
    }
    memory->eraseFromParent();
  }
}

void relax_assumptions(Function& body) {
  std::vector<Instruction*> dead;
  std::vector<UnreachableInst*> unreachable;
  for (Instruction& instruction : instructions(body)) {
    if (auto* address = dyn_cast<GetElementPtrInst>(&instruction)) address->setIsInBounds(false);
    if (auto* load = dyn_cast<LoadInst>(&instruction); load != nullptr && !load->isAtomic())
      load->setAlignment(Align(1));
    if (auto* store = dyn_cast<StoreInst>(&instruction); store != nullptr && !store->isAtomic())
      store->setAlignment(Align(1));
    if (auto* memory = dyn_cast<MemIntrinsic>(&instruction)) {
      memory->setDestAlignment(Align(1));
      if (auto* transfer = dyn_cast<MemTransferInst>(memory)) transfer->setSourceAlignment(Align(1));
    }
    if (auto* intrinsic = dyn_cast<IntrinsicInst>(&instruction)) {
      const Intrinsic::ID id = intrinsic->getIntrinsicID();
      if (id == Intrinsic::assume || id == Intrinsic::trap || id == Intrinsic::debugtrap ||
          id == Intrinsic::lifetime_start || id == Intrinsic::lifetime_end ||
          id == Intrinsic::experimental_noalias_scope_decl) {
        dead.push_back(intrinsic);
      }
    }
    if (auto* end = dyn_cast<UnreachableInst>(&instruction)) unreachable.push_back(end);
  }
  for (Instruction* instruction : dead) instruction->eraseFromParent();
  for (UnreachableInst* end : unreachable) {
    ReturnInst::Create(body.getContext(), nullptr, end);
    end->eraseFromParent();
  }
}

namespace {

// Replaces a variable by a value of one function, also inside constant expressions.
class VariablePlacer {
 public:
  VariablePlacer(Function& body, GlobalVariable& variable, Value& place)
      : body_(body), variable_(variable), place_(place) {}

  void run() {
    std::vector<Instruction*> users;
    for (Instruction& instruction : instructions(body_)) {
      for (const Use& use : instruction.operands()) {
        const auto* constant = dyn_cast<Constant>(use.get());
        if (constant != nullptr && depends(*constant)) {
          users.push_back(&instruction);
          break;
        }
      }
    }
    for (Instruction* user : users) {
      for (Use& use : user->operands()) {
        auto* constant = dyn_cast<Constant>(use.get());
        if (constant == nullptr || !depends(*constant)) continue;
        auto* phi = dyn_cast<PHINode>(user);
        Instruction* before = phi != nullptr ? phi->getIncomingBlock(use)->getTerminator() : user;
        use.set(materialise(*constant, before));
      }
    }
  }

 private:
  bool depends(const Constant& constant) const {
    if (&constant == &variable_) return true;
    if (isa<GlobalValue>(constant)) return false;
    return any_of(constant.operands(), [&](const Use& use) {
      const auto* operand = dyn_cast<Constant>(use.get());
      return operand != nullptr && depends(*operand);
    });
  }

  Value* materialise(Constant& constant, Instruction* before) {
    if (&constant == &variable_) return &place_;
    if (!depends(constant)) return &constant;
    auto* expression = dyn_cast<ConstantExpr>(&constant);
    if (expression == nullptr) return materialise_vector(constant, before);
    Instruction* instruction = expression->getAsInstruction(before);
    for (Use& use : instruction->operands()) {
      auto* operand = dyn_cast<Constant>(use.get());
      if (operand != nullptr && depends(*operand)) use.set(materialise(*operand, instruction));
    }
    return instruction;
  }

  Value* materialise_vector(Constant& constant, Instruction* before) {
    IRBuilder<> b(before);
    Value* whole = PoisonValue::get(constant.getType());
    for (unsigned i = 0; i < constant.getNumOperands(); ++i) {
      Value* element = materialise(*cast<Constant>(constant.getOperand(i)), before);
      b.SetInsertPoint(before);
      whole = constant.getType()->isVectorTy() ? b.CreateInsertElement(whole, element, b.getInt32(i))
                                               : b.CreateInsertValue(whole, element, i);
    }
    return whole;
  }

  Function& body_;
  GlobalVariable& variable_;
  Value& place_;
};

bool used_in(const Value& value, const Function& body) {
  return any_of(value.users(), [&](const User* user) {
    const auto* instruction = dyn_cast<Instruction>(user);
    return instruction != nullptr ? instruction->getFunction() == &body : used_in(*user, body);
  });
}

}  // namespace

void place_local_variables(const KernelUnit& unit, ArrayRef<GlobalVariable*> variables) {
  const DataLayout& layout = unit.body->getParent()->getDataLayout();
  std::uint64_t bytes = 0;
  Value* local = nullptr;
  IRBuilder<> b(set_up_point(*unit.body));
  for (GlobalVariable* variable : variables) {
    if (!used_in(*variable, *unit.body)) continue;
    if (local == nullptr) {
      local = once(b.CreateLoad(PointerType::get(b.getContext(), local_space),
                                member(b, unit.group(), offsetof(Group, local))));
    }
    bytes = align_up(bytes, std::max<std::uint64_t>(16, variable->getAlign().valueOrOne().value()));
    Value* place = member(b, local, bytes);
    VariablePlacer(*unit.body, *variable, *place).run();
    bytes += layout.getTypeAllocSize(variable->getValueType());
  }
  unit.image->info.local_bytes = bytes;
}

void place_private_variables(const KernelUnit& unit) {
  const DataLayout& layout = unit.body->getParent()->getDataLayout();
  std::vector<AllocaInst*> variables;
  for (Instruction& instruction : instructions(*unit.body)) {
    if (auto* variable = dyn_cast<AllocaInst>(&instruction)) variables.push_back(variable);
  }
  std::uint64_t bytes = 0;
  if (!variables.empty()) {
    IRBuilder<> b(set_up_point(*unit.body));
    Value* memory = once(b.CreateLoad(PointerType::get(b.getContext(), private_space),
                                      member(b, unit.item(), offsetof(Item, private_memory))));
    for (AllocaInst* variable : variables) {
      bytes = align_up(bytes, std::max<std::uint64_t>(16, variable->getAlign().value()));
      variable->replaceAllUsesWith(member(b, memory, bytes));
      bytes += layout.getTypeAllocSize(variable->getAllocatedType());
    }
    for (AllocaInst* variable : variables) variable->eraseFromParent();
  }
  unit.image->info.private_bytes = bytes;
}

namespace {

class QueryLowering {
 public:
  explicit QueryLowering(const KernelUnit& unit) : unit_(unit), b_(set_up_point(*unit.body)) {
    group_ = unit.group();
  }

  void run() {
    std::vector<CallInst*> calls;
    for (Instruction& instruction : instructions(*unit_.body)) {
      if (auto* call = dyn_cast<CallInst>(&instruction)) calls.push_back(call);
    }
    for (CallInst* call : calls) {
      Value* value = lowered(*call);
      if (value == nullptr) continue;
      call->replaceAllUsesWith(value);
      call->eraseFromParent();
    }
  }

 private:
  Value* lowered(CallInst& call) {
    const Function* callee = call.getCalledFunction();
    if (callee == nullptr) return nullptr;
    const StringRef name = callee->getName();
    if (name == "__sluice_query") return query(call);
    if (name == "__sluice_scratch") {
      return once(b_.CreateLoad(call.getType(), member(b_, group_, offsetof(Group, scratch))));
    }
    if (name == "__sluice_place") {
      return once(b_.CreateLoad(call.getType(), member(b_, unit_.item(), offsetof(Item, place))));
    }
    IRBuilder<> b(&call);
    if (name == "__sluice_pipe") return pipe_event(b, call);
    if (name == "__sluice_space") return space(b, call.getArgOperand(0));
    if (name == "__to_global") return when(b, call, 1);
    if (name == "__to_local") return when(b, call, local_space);
    if (name == "__to_private") return when(b, call, private_space);
    return nullptr;
  }

  Value* query(CallInst& call) {
    const auto* which = dyn_cast<ConstantInt>(call.getArgOperand(0));
    if (which == nullptr) return merged_query(call);
    return known_query(which->getZExtValue());
  }

  Value* known_query(std::uint64_t word) {
    Value*& value = queries_[word];
    if (value == nullptr) {
      Value* at = word < group_words ? member(b_, unit_.item(), offsetof(Item, ids) + 8 * word)
                                     : member(b_, group_, offsetof(Group, words) + 8 * (word - group_words));
      value = once(b_.CreateLoad(b_.getInt64Ty(), at));
    }
    return value;
  }

  // The optimiser merges calls of several branches into one whose word is a phi.
  Value* merged_query(CallInst& call) {
    IRBuilder<> b(&call);
    Value* word = b.CreateZExt(call.getArgOperand(0), b.getInt64Ty());
    Value* first = b.CreateSub(word, b.getInt64(group_words));
    Value* at = b.CreateGEP(b.getInt64Ty(), member(b, group_, offsetof(Group, words)), first);
    // The group's words are read in any case.
    at = b.CreateSelect(b.CreateICmpULT(word, b.getInt64(group_words)), member(b, group_, offsetof(Group, words)), at);
    Value* value = b.CreateLoad(b.getInt64Ty(), at);
    for (std::uint64_t own = 0; own < std::size(Item{}.ids); ++own)
      value = b.CreateSelect(b.CreateICmpEQ(word, b.getInt64(own)), known_query(own), value);
    return value;
  }

  Value* space(IRBuilder<>& b, Value* pointer) {
    Type* item = PointerType::get(b.getContext(), private_space);
    auto callee =
        unit_.body->getParent()->getOrInsertFunction("sluice_exec_space", b.getInt32Ty(), item, b.getInt64Ty());
    return b.CreateCall(callee, {unit_.item(), b.CreatePtrToInt(pointer, b.getInt64Ty())});
  }

  Value* pipe_event(IRBuilder<>& b, CallInst& call) {
    Type* const item = PointerType::get(b.getContext(), private_space);
    auto callee = unit_.body->getParent()->getOrInsertFunction("sluice_exec_pipe", b.getVoidTy(), item, b.getInt32Ty(),
                                                               b.getInt64Ty(), b.getInt64Ty());
    Value* const pipe = b.CreatePtrToInt(call.getArgOperand(1), b.getInt64Ty());
    return b.CreateCall(callee, {unit_.item(), call.getArgOperand(0), pipe, b.getInt64(source_line(call))});
  }

  Value* when(IRBuilder<>& b, CallInst& call, unsigned wanted) {
    Value* pointer = call.getArgOperand(0);
    Value* cast = b.CreatePointerBitCastOrAddrSpaceCast(pointer, call.getType());
    Value* is = b.CreateICmpEQ(space(b, pointer), b.getInt32(wanted));
    return b.CreateSelect(is, cast, Constant::getNullValue(call.getType()));
  }

  const KernelUnit& unit_;
  IRBuilder<> b_;
  Value* group_ = nullptr;
  std::map<std::uint64_t, Value*> queries_;
};

// One thread runs a group, so what only the group sees needs no locked instruction.
void relax_local_atomics(Function& body) {
  std::vector<Instruction*> atomics;
  for (Instruction& instruction : instructions(body)) {
    if (isa<FenceInst>(instruction)) atomics.push_back(&instruction);
    const Value* pointer = nullptr;
    if (auto* rmw = dyn_cast<AtomicRMWInst>(&instruction)) pointer = rmw->getPointerOperand();
    if (auto* exchange = dyn_cast<AtomicCmpXchgInst>(&instruction)) pointer = exchange->getPointerOperand();
    if (pointer != nullptr && pointer->getType()->getPointerAddressSpace() == local_space)
      atomics.push_back(&instruction);
  }
  for (Instruction* instruction : atomics) {
    if (auto* rmw = dyn_cast<AtomicRMWInst>(instruction)) {
      lowerAtomicRMWInst(rmw);
    } else if (auto* exchange = dyn_cast<AtomicCmpXchgInst>(instruction)) {
      lowerAtomicCmpXchgInst(exchange);
    } else {
      instruction->eraseFromParent();
    }
  }
}

}  // namespace

void lower_queries(const KernelUnit& unit) {
  QueryLowering(unit).run();
  relax_local_atomics(*unit.body);
}

std::vector<Value*> load_arguments(IRBuilderBase& b, const KernelUnit& unit, Value* group) {
  Type* pointer = PointerType::get(b.getContext(), private_space);
  Value* arguments = once(b.CreateLoad(pointer, member(b, group, offsetof(Group, arguments))));
  std::vector<Value*> values;
  for (unsigned i = 0; i < unit.by_value.size(); ++i) {
    Value* at = once(b.CreateLoad(pointer, member(b, arguments, sizeof(void*) * i)));
    Type* type = unit.body->getArg(i)->getType();
    if (unit.by_value[i] != nullptr) {
      values.push_back(at);
    } else {
      values.push_back(once(b.CreateAlignedLoad(type, at, Align(1))));
    }
  }
  return values;
}

Function* make_entry(const KernelUnit& unit, Entry form) {
  Module& module = *unit.body->getParent();
  LLVMContext& context = module.getContext();
  Type* pointer = PointerType::get(context, private_space);
  Type* word = Type::getInt64Ty(context);
  SmallVector<Type*, 3> types{pointer};
  if (form != Entry::item) types.push_back(word);
  auto* entry = Function::Create(FunctionType::get(Type::getVoidTy(context), types, false), GlobalValue::ExternalLinkage,
                                 unit.image->symbol, module);
  entry->addFnAttr(Attribute::NoUnwind);
  entry->addFnAttr(Attribute::NullPointerIsValid);
  entry->addParamAttr(0, Attribute::NoAlias);
  BasicBlock* const set_up = BasicBlock::Create(context, "", entry);
  IRBuilder<> b(set_up);
  Value* item = entry->getArg(0);
  Value* group = once(b.CreateLoad(pointer, member(b, item, offsetof(Item, group))));
  std::vector<Value*> values = load_arguments(b, unit, group);
  values.push_back(group);
  if (form == Entry::item) {
    values.push_back(item);
    b.CreateCall(unit.body, values);
    b.CreateRetVoid();
  } else {
    BasicBlock* const loop = BasicBlock::Create(context, "", entry);
    BasicBlock* const over = BasicBlock::Create(context, "", entry);
    b.CreateBr(loop);
    b.SetInsertPoint(loop);
    PHINode* const i = b.CreatePHI(word, 2);
    values.push_back(b.CreateGEP(b.getInt8Ty(), item, b.CreateMul(i, b.getInt64(sizeof(Item)))));
    b.CreateCall(unit.body, values);
    Value* const next = b.CreateAdd(i, b.getInt64(1));
    b.CreateCondBr(b.CreateICmpEQ(next, entry->getArg(1)), over, loop);
    i->addIncoming(b.getInt64(0), set_up);
    i->addIncoming(next, loop);
    ReturnInst::Create(context, over);
  }
  unit.body->setLinkage(GlobalValue::InternalLinkage);
  unit.body->addFnAttr(Attribute::AlwaysInline);
  return entry;
}

}  // namespace sluice::exec

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Intrinsics.h>
#include <llvm/Transforms/Utils/BasicBlockUtils.h>
#include <llvm/Transforms/Utils/Cloning.h>

#include "sim/exec/lowering.h"
#include "sim/exec/runtime.h"

namespace sluice::exec {

using namespace llvm;

namespace {

class CoroutineMaker {
 public:
  explicit CoroutineMaker(Function& entry) : module_(*entry.getParent()), context_(module_.getContext()) {
    Type* pointer = PointerType::get(context_, private_space);
    coroutine_ = Function::Create(FunctionType::get(pointer, {pointer}, false), GlobalValue::ExternalLinkage,
                                  entry.getName() + ".coroutine", module_);
    coroutine_->addFnAttr(Attribute::NoUnwind);
    coroutine_->addFnAttr(Attribute::PresplitCoroutine);
    coroutine_->getBasicBlockList().splice(coroutine_->begin(), entry.getBasicBlockList());
    entry.getArg(0)->replaceAllUsesWith(coroutine_->getArg(0));
    coroutine_->setSubprogram(entry.getSubprogram());
    entry.setSubprogram(nullptr);
    entry.eraseFromParent();
  }

  Function* run() {
    begin();
    std::vector<CallInst*> barriers;
    std::vector<ReturnInst*> returns;
    for (Instruction& instruction : instructions(*coroutine_)) {
      if (CallInst* call = as_call_of(instruction, "__sluice_barrier")) barriers.push_back(call);
      if (auto* end = dyn_cast<ReturnInst>(&instruction)) returns.push_back(end);
    }
    make_ends();
    for (CallInst* barrier : barriers) {
      BasicBlock* before = barrier->getParent();
      BasicBlock* after = before->splitBasicBlock(barrier);
      before->getTerminator()->eraseFromParent();
      suspend(before, after, false);
      barrier->eraseFromParent();
    }
    BasicBlock* final = BasicBlock::Create(context_, "final", coroutine_);
    for (ReturnInst* end : returns) {
      if (end->getParent() == suspended_) continue;
      BranchInst::Create(final, end);
      end->eraseFromParent();
    }
    BasicBlock* never = BasicBlock::Create(context_, "never", coroutine_);
    new UnreachableInst(context_, never);
    suspend(final, never, true);
    return coroutine_;
  }

 private:
  CallInst* call(IRBuilder<>& b, Intrinsic::ID id, ArrayRef<Value*> arguments, ArrayRef<Type*> types = {}) {
    return b.CreateCall(Intrinsic::getDeclaration(&module_, id, types), arguments);
  }

  void begin() {
    auto at = coroutine_->getEntryBlock().getFirstInsertionPt();
    while (isa<AllocaInst>(&*at)) ++at;
    IRBuilder<> b(&*at);
    Type* pointer = b.getInt8PtrTy();
    Value* none = ConstantPointerNull::get(PointerType::get(context_, private_space));
    id_ = call(b, Intrinsic::coro_id, {b.getInt32(64), none, none, none});
    Value* bytes = call(b, Intrinsic::coro_size, {}, {b.getInt64Ty()});
    // The frames of the work-items are there, unless they are too small.
    Value* const item = coroutine_->getArg(0);
    const auto member = [&](IRBuilder<>& at_member, Value* base, std::size_t offset) {
      return at_member.CreateConstInBoundsGEP1_64(at_member.getInt8Ty(), base, offset);
    };
    Value* group = b.CreateLoad(pointer, member(b, item, offsetof(Item, group)));
    Value* there = b.CreateLoad(b.getInt64Ty(), member(b, group, offsetof(Group, frame_bytes)));
    Instruction *wanted = nullptr, *had = nullptr;
    SplitBlockAndInsertIfThenElse(b.CreateICmpUGT(bytes, there), &*at, &wanted, &had);
    IRBuilder<> w(wanted), h(had), after(&*at);
    auto frame = module_.getOrInsertFunction("sluice_exec_frame", pointer, pointer, b.getInt64Ty());
    PHINode* const memory = after.CreatePHI(pointer, 2);
    memory->addIncoming(w.CreateCall(frame, {item, bytes}), wanted->getParent());
    memory->addIncoming(h.CreateLoad(pointer, member(h, item, offsetof(Item, room))), had->getParent());
    handle_ = call(after, Intrinsic::coro_begin, {id_, memory});
  }

  void make_ends() {
    suspended_ = BasicBlock::Create(context_, "suspended", coroutine_);
    cleanup_ = BasicBlock::Create(context_, "cleanup", coroutine_);
    IRBuilder<> b(suspended_);
    call(b, Intrinsic::coro_end, {handle_, b.getFalse()});
    b.CreateRet(handle_);
    b.SetInsertPoint(cleanup_);
    call(b, Intrinsic::coro_free, {id_, handle_});  // the engine owns frames
    b.CreateBr(suspended_);
  }

  void suspend(BasicBlock* at, BasicBlock* resumed, bool final) {
    IRBuilder<> b(at);
    Value* how = call(b, Intrinsic::coro_suspend, {ConstantTokenNone::get(context_), b.getInt1(final)});
    SwitchInst* choice = b.CreateSwitch(how, suspended_, 2);
    choice->addCase(b.getInt8(0), resumed);
    choice->addCase(b.getInt8(1), cleanup_);
  }

  Module& module_;
  LLVMContext& context_;
  Function* coroutine_ = nullptr;
  Value* id_ = nullptr;
  Value* handle_ = nullptr;
  BasicBlock* suspended_ = nullptr;
  BasicBlock* cleanup_ = nullptr;
};

}  // namespace

Function* make_coroutine(Function* entry) {
  return CoroutineMaker(*entry).run();
}

}  // namespace sluice::exec

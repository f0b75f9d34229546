#include <llvm/ADT/StringSwitch.h>
#include <llvm/Analysis/ValueTracking.h>
#include <llvm/Demangle/Demangle.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>

#include <map>
#include <set>

#include "sim/exec/lowering.h"

namespace sluice::exec {

using namespace llvm;

CallInst* as_call_of(Instruction& instruction, StringRef name) {
  auto* call = dyn_cast<CallInst>(&instruction);
  const Function* callee = call != nullptr ? call->getCalledFunction() : nullptr;
  return callee != nullptr && callee->getName() == name ? call : nullptr;
}

bool is_texture_function(const Function& function) {
  return function.getName().contains("__sluice_texture_");
}

void normalise(Module& module) {
  if (NamedMDNode* flags = module.getModuleFlagsMetadata()) flags->eraseFromParent();
  module.addModuleFlag(Module::Warning, "Debug Info Version", 3U);
  for (const char* name : {"opencl.ocl.version", "opencl.spir.version", "opencl.used.extensions", "llvm.ident"}) {
    if (NamedMDNode* node = module.getNamedMetadata(name)) node->eraseFromParent();
  }
  for (Function& function : module) {
    for (const char* name : {"target-cpu", "target-features", "tune-cpu", "frame-pointer", "min-legal-vector-width",
                             "no-builtins", "stack-protector-buffer-size"}) {
      function.removeFnAttr(name);
    }
    function.removeFnAttr(Attribute::NoInline);
    function.removeFnAttr(Attribute::OptimizeNone);
    function.setCallingConv(CallingConv::C);
    function.setDSOLocal(true);
    function.setComdat(nullptr);
    if (!function.isIntrinsic()) {
      function.addFnAttr(Attribute::NoUnwind);
      function.addFnAttr(Attribute::NullPointerIsValid);  // an access to null is reported, not assumed away
    }
    if (!function.isDeclaration()) function.setLinkage(GlobalValue::InternalLinkage);
    for (Instruction& instruction : instructions(function)) {
      if (auto* call = dyn_cast<CallBase>(&instruction)) {
        call->setCallingConv(CallingConv::C);
        call->removeFnAttr(Attribute::NoInline);  // the translator of SPIR-V says it of calls, too
        // Who comes to it together is its place's business: calls in two branches stay two.
        if (as_call_of(instruction, "__sluice_sub_group") != nullptr) call->addFnAttr(Attribute::NoMerge);
      }
    }
  }
  for (GlobalVariable& variable : module.globals()) {
    if (variable.getName().startswith(shared_prefix)) continue;
    variable.setComdat(nullptr);
    // Other work-items write what is not constant, which an internal variable would let the optimiser rule out.
    variable.setLinkage(variable.isConstant() ? GlobalValue::InternalLinkage : GlobalValue::ExternalLinkage);
    if (!variable.hasInitializer()) variable.setInitializer(UndefValue::get(variable.getValueType()));
  }
}

namespace {

class CycleSearch {
 public:
  // A function that calls itself, directly or not; nullptr: none.
  const Function* visit(const Function& function) {
    State& state = states_[&function];
    if (state == State::open) return &function;
    if (state == State::done) return nullptr;
    state = State::open;
    for (const Instruction& instruction : instructions(function)) {
      const auto* call = dyn_cast<CallBase>(&instruction);
      const Function* callee = call != nullptr ? call->getCalledFunction() : nullptr;
      if (callee == nullptr || callee->isDeclaration()) continue;
      if (const Function* found = visit(*callee)) return found;
    }
    states_[&function] = State::done;
    return nullptr;
  }

 private:
  enum class State : std::uint8_t { fresh, open, done };
  std::map<const Function*, State> states_;
};

}  // namespace

bool check_calls(Module& module, std::string& log) {
  CycleSearch search;
  for (Function& function : module) {
    if (function.isDeclaration()) continue;
    if (const Function* found = search.visit(function)) {
      log += "recursion: " + demangle(found->getName().str()) + " calls itself, which OpenCL C does not allow\n";
      return false;
    }
    for (Instruction& instruction : instructions(function)) {
      const auto* call = dyn_cast<CallBase>(&instruction);
      if (call == nullptr || call->getCalledFunction() != nullptr) continue;
      log += demangle(function.getName().str());
      log +=
          call->isInlineAsm() ? " has inline assembly\n" : " calls through a pointer, which OpenCL C does not allow\n";
      return false;
    }
  }
  return true;
}

void guard_divisions(Module& module) {
  std::vector<BinaryOperator*> divisions;
  for (Function& function : module) {
    for (Instruction& instruction : instructions(function)) {
      auto* operation = dyn_cast<BinaryOperator>(&instruction);
      if (operation != nullptr && operation->isIntDivRem()) divisions.push_back(operation);
    }
  }
  for (BinaryOperator* division : divisions) {
    IRBuilder<> b(division);
    Type* type = division->getType();
    Value* divisor = division->getOperand(1);
    Value* bad = b.CreateICmpEQ(divisor, Constant::getNullValue(type));
    if (division->getOpcode() == Instruction::SDiv || division->getOpcode() == Instruction::SRem) {
      const unsigned bits = type->getScalarSizeInBits();
      Value* smallest = b.CreateICmpEQ(division->getOperand(0), ConstantInt::get(type, APInt::getSignedMinValue(bits)));
      Value* minus_one = b.CreateICmpEQ(divisor, Constant::getAllOnesValue(type));
      bad = b.CreateOr(bad, b.CreateAnd(smallest, minus_one));
    }
    division->setOperand(1, b.CreateSelect(bad, ConstantInt::get(type, 1), divisor));
    division->setIsExact(false);
  }
}

namespace {

// A call such as __opencl_atomic_fetch_add_4(pointer, value, order, scope).
void lower_atomic_call(CallInst& call) {
  StringRef name = call.getCalledFunction()->getName().drop_front(StringRef("__opencl_atomic_").size());
  unsigned bytes = 0;
  if (name.rsplit('_').second.getAsInteger(10, bytes) || bytes == 0 || bytes > 8) return;
  name = name.rsplit('_').first;
  IRBuilder<> b(&call);
  Type* type = b.getIntNTy(bytes * 8);
  const Align align(bytes);
  const auto order = AtomicOrdering::SequentiallyConsistent;
  Value* pointer = call.getArgOperand(0);
  Value* result = nullptr;
  if (name == "load") {
    auto* load = b.CreateAlignedLoad(type, pointer, align);
    load->setAtomic(order);
    result = load;
  } else if (name == "store") {
    b.CreateAlignedStore(call.getArgOperand(1), pointer, align)->setAtomic(order);
  } else if (name == "compare_exchange") {
    Value* expected_at = call.getArgOperand(1);
    Value* expected = b.CreateAlignedLoad(type, expected_at, align);
    Value* pair = b.CreateAtomicCmpXchg(pointer, expected, call.getArgOperand(2), align, order, order);
    b.CreateAlignedStore(b.CreateExtractValue(pair, 0), expected_at, align);
    result = b.CreateZExtOrTrunc(b.CreateExtractValue(pair, 1), call.getType());
  } else {
    const auto operation = StringSwitch<AtomicRMWInst::BinOp>(name)
                               .Case("exchange", AtomicRMWInst::Xchg)
                               .Case("fetch_add", AtomicRMWInst::Add)
                               .Case("fetch_sub", AtomicRMWInst::Sub)
                               .Case("fetch_and", AtomicRMWInst::And)
                               .Case("fetch_or", AtomicRMWInst::Or)
                               .Case("fetch_xor", AtomicRMWInst::Xor)
                               .Case("fetch_min", AtomicRMWInst::Min)
                               .Case("fetch_max", AtomicRMWInst::Max)
                               .Case("fetch_umin", AtomicRMWInst::UMin)
                               .Case("fetch_umax", AtomicRMWInst::UMax)
                               .Case("fetch_fadd", AtomicRMWInst::FAdd)
                               .Case("fetch_fsub", AtomicRMWInst::FSub)
                               .Case("fetch_fmin", AtomicRMWInst::FMin)
                               .Case("fetch_fmax", AtomicRMWInst::FMax)
                               .Default(AtomicRMWInst::BAD_BINOP);
    if (operation == AtomicRMWInst::BAD_BINOP) return;
    result = b.CreateAtomicRMW(operation, pointer, call.getArgOperand(1), align, order);
  }
  if (result != nullptr && !call.getType()->isVoidTy()) {
    call.replaceAllUsesWith(b.CreateBitCast(result, call.getType()));
  }
  call.eraseFromParent();
}

}  // namespace

void lower_atomic_calls(Module& module) {
  std::vector<CallInst*> calls;
  for (Function& function : module) {
    for (Instruction& instruction : instructions(function)) {
      auto* call = dyn_cast<CallInst>(&instruction);
      const Function* callee = call != nullptr ? call->getCalledFunction() : nullptr;
      if (callee != nullptr && callee->getName().startswith("__opencl_atomic_")) calls.push_back(call);
    }
  }
  for (CallInst* call : calls) lower_atomic_call(*call);
}

void lower_samplers(Module& module) {
  Function* translate = module.getFunction("__translate_sampler_initializer");
  if (translate == nullptr) return;
  for (User* user : make_early_inc_range(translate->users())) {
    auto* call = dyn_cast<CallInst>(user);
    if (call == nullptr || call->getCalledOperand() != translate) continue;
    IRBuilder<> b(call);
    call->replaceAllUsesWith(b.CreateIntToPtr(b.CreateZExt(call->getArgOperand(0), b.getInt64Ty()), call->getType()));
    call->eraseFromParent();
  }
}

namespace {

// Whether a library function needs the work-item, or memory that somebody else may see.
bool touches(const Function& function, const std::set<const Function*>& touching) {
  for (const Argument& argument : function.args()) {
    if (argument.getType()->isPointerTy()) return true;
  }
  for (const Instruction& instruction : instructions(function)) {
    if (const auto* call = dyn_cast<CallBase>(&instruction)) {
      const Function* callee = call->getCalledFunction();
      if (callee == nullptr || (callee->isDeclaration() && !callee->isIntrinsic()) || touching.count(callee) != 0)
        return true;
    }
    if (instruction.isAtomic()) return true;
    if (const Value* pointer = getLoadStorePointerOperand(&instruction)) {
      if (pointer->getType()->getPointerAddressSpace() != private_space &&
          !isa<GlobalVariable>(getUnderlyingObject(pointer))) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace

void choose_inlining(Module& module) {
  for (Function& function : module) {
    if (is_texture_function(function)) function.addFnAttr(Attribute::NoInline);
  }
  std::set<const Function*> touching;
  for (bool more = true; more;) {
    more = false;
    for (Function& function : module) {
      if (function.isDeclaration() || touching.count(&function) != 0 || is_texture_function(function)) continue;
      if (!function.hasFnAttribute("sluice-program") && !touches(function, touching)) continue;
      touching.insert(&function);
      function.addFnAttr(Attribute::AlwaysInline);
      more = true;
    }
  }
}

KernelUnit make_body(Function& kernel, KernelImage& image) {
  Module& module = *kernel.getParent();
  LLVMContext& context = module.getContext();
  KernelUnit unit;
  unit.image = &image;
  std::vector<Type*> types;
  for (const Argument& argument : kernel.args()) {
    types.push_back(argument.getType());
    unit.by_value.push_back(argument.hasByValAttr() ? argument.getParamByValType() : nullptr);
  }
  types.insert(types.end(), 2, PointerType::get(context, private_space));
  unit.body = Function::Create(FunctionType::get(Type::getVoidTy(context), types, false), GlobalValue::ExternalLinkage,
                               "sluice.body." + kernel.getName(), module);
  unit.body->addFnAttr(Attribute::NoUnwind);
  unit.body->addFnAttr(Attribute::NullPointerIsValid);
  unit.body->addParamAttr(static_cast<unsigned>(types.size() - 1), Attribute::NoAlias);
  if (DISubprogram* program = kernel.getSubprogram()) {
    // Calls in a function with debug information need a location, inlined code keeps its own.
    auto* copy = program->isDistinct() ? MDNode::replaceWithDistinct(program->clone()) : program;
    unit.body->setSubprogram(cast<DISubprogram>(copy));
  }

  IRBuilder<> b(BasicBlock::Create(context, "", unit.body));
  if (DISubprogram* program = unit.body->getSubprogram())
    b.SetCurrentDebugLocation(DILocation::get(context, program->getLine(), 0, program));
  std::vector<Value*> values;
  for (std::size_t i = 0; i < kernel.arg_size(); ++i) values.push_back(unit.body->getArg(i));
  CallInst* call = b.CreateCall(&kernel, values);
  for (unsigned i = 0; i < unit.by_value.size(); ++i) {
    if (unit.by_value[i] != nullptr) call->addParamAttr(i, Attribute::getWithByValType(context, unit.by_value[i]));
  }
  b.CreateRetVoid();
  kernel.addFnAttr(Attribute::AlwaysInline);
  return unit;
}

}  // namespace sluice::exec

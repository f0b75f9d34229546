#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/Demangle/Demangle.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/Linker/Linker.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/raw_ostream.h>

#include <mutex>
#include <unordered_set>

#include "sim/exec/embedded.h"
#include "sim/exec/lowering.h"

namespace sluice::exec {
namespace {

using llvm::Function;
using llvm::Module;

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

// Functions that later steps lower.
bool is_ours(llvm::StringRef name) {
  return name.startswith("__sluice_") || name.startswith("__opencl_atomic_") || name == "printf" ||
         name == "__translate_sampler_initializer" || name == "__to_global" || name == "__to_local" ||
         name == "__to_private";
}

std::vector<Function*> missing(Module& module) {
  std::vector<Function*> functions;
  for (Function& function : module) {
    if (function.isDeclaration() && !function.isIntrinsic() && !function.use_empty() && !is_ours(function.getName())) {
      functions.push_back(&function);
    }
  }
  return functions;
}

std::unique_ptr<Module> open(std::span<const char> bitcode, Module& program, std::string& log) {
  auto buffer = llvm::MemoryBuffer::getMemBuffer({bitcode.data(), bitcode.size()}, "", false);
  auto module = llvm::getOwningLazyBitcodeModule(std::move(buffer), program.getContext(), true);
  if (!module) {
    log += "device library: " + llvm::toString(module.takeError()) + '\n';
    return nullptr;
  }
  (*module)->setTargetTriple(program.getTargetTriple());
  (*module)->setDataLayout(program.getDataLayout());
  if (auto* annotations = (*module)->getNamedMetadata("nvvm.annotations")) annotations->eraseFromParent();
  return std::move(*module);
}

// libclc for nvptx64 calls constant memory address space 4 where spir64 says 2, and has no generic overloads: those of
// private memory do, since every address space is flat on the host.
Function* counterpart(Module& library, const std::string& name) {
  const std::string constant = replaced(name, "U3AS2", "U3AS4");
  for (const std::string& candidate : {constant, name, replaced(name, "U3AS4", ""), replaced(constant, "U3AS4", "")}) {
    Function* function = library.getFunction(candidate);
    if (function != nullptr && !function->isDeclaration()) return function;
  }
  return nullptr;
}

void call_counterpart(Function& function, const Function& target) {
  const std::string name = target.getName().str();
  if (name == function.getName()) function.setName(name + ".shim");
  Module& module = *function.getParent();
  auto callee = module.getOrInsertFunction(name, target.getFunctionType());
  llvm::IRBuilder<> b(llvm::BasicBlock::Create(module.getContext(), "", &function));
  std::vector<llvm::Value*> arguments;
  for (llvm::Argument& argument : function.args()) {
    llvm::Type* wanted = target.getFunctionType()->getParamType(argument.getArgNo());
    arguments.push_back(argument.getType() == wanted ? static_cast<llvm::Value*>(&argument)
                                                     : b.CreateAddrSpaceCast(&argument, wanted));
  }
  llvm::CallInst* call = b.CreateCall(callee, arguments);
  call->setCallingConv(target.getCallingConv());
  if (function.getReturnType()->isVoidTy()) {
    b.CreateRetVoid();
  } else {
    b.CreateRet(call);
  }
  function.setLinkage(llvm::GlobalValue::InternalLinkage);
  function.removeFnAttr(llvm::Attribute::ReadNone);
  function.removeFnAttr(llvm::Attribute::NoInline);
  function.addFnAttr(llvm::Attribute::AlwaysInline);
}

bool fits(const Function& function, const Function& target) {
  if (function.arg_size() != target.arg_size() || function.getReturnType() != target.getReturnType()) return false;
  for (std::size_t i = 0; i < function.arg_size(); ++i) {
    llvm::Type* a = function.getFunctionType()->getParamType(i);
    llvm::Type* b = target.getFunctionType()->getParamType(i);
    if (a != b && !(a->isPointerTy() && b->isPointerTy())) return false;
  }
  return true;
}

}  // namespace

namespace {

// What the libraries were found to have. To open them takes longer than all else that is done to a small program.
class Resolved {
 public:
  static Resolved& of_process() {
    static Resolved resolved;
    return resolved;
  }
  bool has(const Function& function) {
    const std::lock_guard lock(mutex_);
    return known_.count(declaration(function)) != 0;
  }
  void add(const Function& function) {
    const std::lock_guard lock(mutex_);
    if (known_.size() < kMost) known_.insert(declaration(function));
  }

 private:
  static constexpr std::size_t kMost = 20'000;  // about what both define; a program can declare types without end
  static std::string declaration(const Function& function) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    stream << *function.getFunctionType() << ' ' << function.getName();
    return stream.str();
  }

  std::mutex mutex_;
  std::unordered_set<std::string> known_;
};

void drop_unused(Module& module) {
  for (Function& function : llvm::make_early_inc_range(module)) {
    if (function.isDeclaration() && function.use_empty()) function.eraseFromParent();
  }
}

}  // namespace

bool check_libraries(Module& module, std::string& log) {
  drop_unused(module);
  auto functions = missing(module);
  llvm::erase_if(functions, [](const Function* function) { return Resolved::of_process().has(*function); });
  std::unique_ptr<Module> device_library, builtins;
  bool good = true;
  for (const Function* function : functions) {
    if (!device_library) device_library = open(device_library_bitcode(), module, log);
    if (!device_library) return false;
    const Function* own = device_library->getFunction(function->getName());
    bool found = own != nullptr && !own->isDeclaration();
    if (!found) {
      if (!builtins) builtins = open(builtin_library_bitcode(), module, log);
      if (!builtins) return false;
      const Function* target = counterpart(*builtins, function->getName().str());
      found = target != nullptr && fits(*function, *target);
    }
    if (found) {
      Resolved::of_process().add(*function);
      continue;
    }
    log += "unresolved function: " + llvm::demangle(function->getName().str()) + '\n';
    good = false;
  }
  return good;
}

bool link_libraries(Module& module, std::string& log) {
  drop_unused(module);
  if (missing(module).empty()) return true;

  auto device_library = open(device_library_bitcode(), module, log);
  if (!device_library) return false;
  if (llvm::Linker::linkModules(module, std::move(device_library), llvm::Linker::LinkOnlyNeeded)) {
    log += "device library: does not link\n";
    return false;
  }
  const auto functions = missing(module);
  if (functions.empty()) return true;

  auto builtins = open(builtin_library_bitcode(), module, log);
  if (!builtins) return false;
  for (Function* function : functions) {
    const Function* target = counterpart(*builtins, function->getName().str());
    if (target == nullptr || !fits(*function, *target)) continue;
    if (target->getName() != function->getName() || target->getFunctionType() != function->getFunctionType()) {
      call_counterpart(*function, *target);
    }
  }
  if (llvm::Linker::linkModules(module, std::move(builtins), llvm::Linker::LinkOnlyNeeded)) {
    log += "built-in functions: do not link\n";
    return false;
  }
  for (const Function* function : missing(module)) {
    log += "unresolved function: " + llvm::demangle(function->getName().str()) + '\n';
  }
  return missing(module).empty();
}

}  // namespace sluice::exec

#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/Demangle/Demangle.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/Linker/Linker.h>
#include <llvm/Support/MemoryBuffer.h>

#include <optional>
#include <string_view>

#include "sim/exec/embedded.h"
#include "sim/exec/library_signature.h"
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

// What the libraries define, without opening them.
struct Defined {
  std::size_t library = 0;
  std::string_view signature;
};

// What `name` is in one of the libraries from `first` on.
std::optional<Defined> find_defined(std::string_view name, std::size_t first) {
  const std::string_view index = library_index();
  // The first line that is not below the name and a space.
  const std::string key = std::string(name) + ' ';
  std::size_t low = 0, high = index.size();
  while (low < high) {
    std::size_t line = low + (high - low) / 2;
    while (line > low && index[line - 1] != '\n') --line;
    const std::size_t end = index.find('\n', line) + 1;
    if (index.substr(line, key.size()) < key) {
      low = end;
    } else {
      high = line;
    }
  }
  for (; index.substr(low, key.size()) == key; low = index.find('\n', low) + 1) {
    const std::size_t number = low + key.size();
    const std::size_t end = index.find('\n', low);
    const std::size_t library = static_cast<std::size_t>(index[number] - '0');
    if (library >= first) return Defined{library, index.substr(number + 2, end - number - 2)};
  }
  return std::nullopt;
}

// libclc for nvptx64 calls constant memory address space 4 where spir64 says 2, and has no generic overloads: those of
// private memory do, since every address space is flat on the host.
std::string counterpart(const Function& function) {
  const std::string name = function.getName().str();
  const std::string constant = replaced(name, "U3AS2", "U3AS4");
  for (const std::string& candidate : {constant, name, replaced(name, "U3AS4", ""), replaced(constant, "U3AS4", "")}) {
    const auto found = find_defined(candidate, device_library_parts);
    if (found) return found->signature == signature_of(*function.getFunctionType()) ? candidate : std::string();
  }
  return {};
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

}  // namespace

namespace {

void drop_unused(Module& module) {
  for (Function& function : llvm::make_early_inc_range(module)) {
    if (function.isDeclaration() && function.use_empty()) function.eraseFromParent();
  }
}

}  // namespace

bool check_libraries(Module& module, std::string& log) {
  drop_unused(module);
  bool good = true;
  for (const Function* function : missing(module)) {
    const auto own = find_defined(function->getName().str(), 0);
    if (own && own->library < device_library_parts) continue;
    if (!counterpart(*function).empty()) continue;
    log += "unresolved function: " + llvm::demangle(function->getName().str()) + '\n';
    good = false;
  }
  return good;
}

bool link_libraries(Module& module, std::string& log) {
  drop_unused(module);
  const auto bitcode = library_bitcode();
  // What one part brings may call what another one defines.
  for (;;) {
    std::optional<std::size_t> part;
    std::string wanted;
    for (const Function* function : missing(module)) {
      const auto found = find_defined(function->getName().str(), 0);
      if (!found || found->library >= part.value_or(device_library_parts)) continue;
      part = found->library;
      wanted = function->getName().str();
    }
    if (!part) break;
    auto library = open(bitcode[*part], module, log);
    if (!library) return false;
    const bool failed = llvm::Linker::linkModules(module, std::move(library), llvm::Linker::LinkOnlyNeeded);
    const Function* const linked = module.getFunction(wanted);
    if (failed || linked == nullptr || linked->isDeclaration()) {
      log += "device library: does not link\n";
      return false;
    }
  }
  const auto functions = missing(module);
  if (functions.empty()) return true;

  auto builtins = open(bitcode.back(), module, log);
  if (!builtins) return false;
  bool good = true;
  for (Function* function : functions) {
    const std::string name = counterpart(*function);
    const Function* target = name.empty() ? nullptr : builtins->getFunction(name);
    if (target == nullptr) {
      log += "unresolved function: " + llvm::demangle(function->getName().str()) + '\n';
      good = false;
      continue;
    }
    if (target->getName() != function->getName() || target->getFunctionType() != function->getFunctionType()) {
      call_counterpart(*function, *target);
    }
  }
  if (!good) return false;
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

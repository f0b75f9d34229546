#include "api/compiler/module.h"

#include <llvm/ADT/SCCIterator.h>
#include <llvm/Analysis/CallGraph.h>
#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/Bitcode/BitcodeWriter.h>
#include <llvm/IR/DebugInfoMetadata.h>
#include <llvm/IR/DiagnosticInfo.h>
#include <llvm/IR/DiagnosticPrinter.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Linker/Linker.h>
#include <llvm/Support/ErrorHandling.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/raw_ostream.h>

#include <cstring>
#include <stdexcept>

#include "api/compiler/backend.h"
#include "api/compiler/binary.h"
#include "api/compiler/worker.h"

namespace sluice::compiler {

namespace {

constexpr unsigned kGlobalSpace = 1;  // of spir64

thread_local bool guarding = false;

// LLVM ends the process when this returns, so it must not, on a thread of ours.
void fatal(void*, const char* reason, bool) {
  if (guarding) throw std::runtime_error(reason);
}

struct Guard {
  Guard() {
    guarding = true;
    llvm::install_fatal_error_handler(&fatal);
  }
  ~Guard() {
    llvm::remove_fatal_error_handler();
    guarding = false;
  }
};

// "Recursion is not supported" (OpenCL C, restrictions).
bool has_recursion(llvm::Module& module, std::string& log) {
  bool found = false;
  llvm::CallGraph graph(module);
  for (auto group = llvm::scc_begin(&graph); !group.isAtEnd(); ++group) {
    if (!group.hasCycle()) continue;
    for (const llvm::CallGraphNode* node : *group) {
      const llvm::Function* function = node->getFunction();
      if (function == nullptr || function->isDeclaration()) continue;
      found = true;
      const llvm::DISubprogram* place = function->getSubprogram();
      if (place != nullptr) {
        log += place->getFilename().str() + ":" + std::to_string(place->getLine()) + ": error: function '" +
               place->getName().str();
      } else {
        log += "error: function '" + function->getName().str();
      }
      log += "' calls itself; OpenCL C has no recursion\n";
    }
  }
  return found;
}

// Collects what LLVM says about a module. (A plain function and pointer: no class of LLVM's is derived from.)
void collect(const llvm::DiagnosticInfo& info, void* log) {
  if (info.getSeverity() != llvm::DS_Error && info.getSeverity() != llvm::DS_Warning) return;
  llvm::raw_string_ostream out(*static_cast<std::string*>(log));
  out << (info.getSeverity() == llvm::DS_Error ? "error: " : "warning: ");
  llvm::DiagnosticPrinterRawOStream printer(out);
  info.print(printer);
  out << '\n';
}

Result link_now(std::span<const std::shared_ptr<const Image>> inputs, ImageKind kind) {
  std::string log;
  const Held<llvm::LLVMContext> context(new llvm::LLVMContext);
  context->setDiagnosticHandlerCallBack(&collect, &log);
  Held<llvm::Module> all;
  bool optimise = true;
  for (const std::shared_ptr<const Image>& input : inputs) {
    optimise = optimise && input->optimise;
    const llvm::StringRef bytes(reinterpret_cast<const char*>(input->bitcode.data()), input->bitcode.size());
    auto module = llvm::parseBitcodeFile(llvm::MemoryBufferRef(bytes, "program"), *context);
    if (!module) return {.log = log + "error: " + llvm::toString(module.takeError()) + "\n"};
    if (all == nullptr) {
      all.reset(module->release());
    } else if (llvm::Linker::linkModules(*all, std::move(*module))) {
      return {.log = log + "error: the programs cannot be linked\n"};
    }
  }
  if (all == nullptr) return {.log = "error: nothing to link\n"};
  return finish(*all, kind, optimise, std::move(log));
}

}  // namespace

Result finish(llvm::Module& module, ImageKind kind, bool optimise, std::string log) {
  {
    std::string reasons;
    llvm::raw_string_ostream out(reasons);
    if (llvm::verifyModule(module, &out)) return {.log = log + "error: invalid module: " + out.str() + "\n"};
  }
  if (has_recursion(module, log)) return {.log = std::move(log)};
  auto image = std::make_shared<Image>();
  image->kind = kind;
  image->optimise = optimise;
  for (const llvm::Function& function : module) {
    if (function.getCallingConv() == llvm::CallingConv::SPIR_KERNEL && !function.isDeclaration()) {
      image->kernels.push_back(function.getName().str());
    }
  }
  for (const llvm::GlobalVariable& variable : module.globals()) {
    if (variable.getAddressSpace() == kGlobalSpace) {
      image->global_variable_bytes += module.getDataLayout().getTypeAllocSize(variable.getValueType());
    }
  }
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream out(bytes);
  llvm::WriteBitcodeToFile(module, out);
  image->bitcode.resize(bytes.size());
  std::memcpy(image->bitcode.data(), bytes.data(), bytes.size());
  return {.image = std::move(image), .log = std::move(log)};
}

Result guarded(const std::function<Result()>& work) {
  try {
    const Guard guard;
    return work();
  } catch (const std::runtime_error& error) {
    return {.log = std::string("error: the compiler gave up on this program: ") + error.what() + "\n"};
  }
}

Result guarded_and_isolated(const std::function<Result()>& work) {
  std::string error;
  const auto text = isolated([&] { return encode(guarded(work)); }, error);
  if (!text) return {.log = "error: " + error + "\n"};
  std::optional<Result> result = decode_result(*text);
  return result ? std::move(*result) : Result{.log = "error: the compiler gave up on this program\n"};
}

Result backend::link(std::span<const std::shared_ptr<const Image>> inputs, ImageKind kind) {
  return guarded([&] { return link_now(inputs, kind); });
}

}  // namespace sluice::compiler

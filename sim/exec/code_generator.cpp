// The order of the steps, and code for this processor.
#include <llvm/Analysis/TargetLibraryInfo.h>
#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/IR/DebugInfo.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Verifier.h>
#include <llvm/MC/SubtargetFeature.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/Host.h>
#include <llvm/Support/SHA256.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/Transforms/Coroutines/CoroCleanup.h>
#include <llvm/Transforms/Coroutines/CoroEarly.h>
#include <llvm/Transforms/Coroutines/CoroSplit.h>
#include <llvm/Transforms/IPO/AlwaysInliner.h>
#include <llvm/Transforms/IPO/GlobalDCE.h>
#include <llvm/Transforms/InstCombine/InstCombine.h>
#include <llvm/Transforms/Scalar/EarlyCSE.h>
#include <llvm/Transforms/Scalar/GVN.h>
#include <llvm/Transforms/Scalar/InferAddressSpaces.h>
#include <llvm/Transforms/Scalar/LICM.h>
#include <llvm/Transforms/Scalar/LoopPassManager.h>
#include <llvm/Transforms/Scalar/LoopUnrollPass.h>
#include <llvm/Transforms/Scalar/SROA.h>
#include <llvm/Transforms/Scalar/SimplifyCFG.h>
#include <llvm/Transforms/Utils/LoopSimplify.h>

#include <mutex>

#include "sim/exec/compile.h"
#include "sim/exec/lowering.h"
#include "sim/exec/uniformity.h"
#include "sim/exec/version.h"

namespace sluice::exec {

using namespace llvm;

namespace {

void initialise_target() {
  static std::once_flag once;
  std::call_once(once, [] {
    InitializeNativeTarget();
    InitializeNativeTargetAsmPrinter();
  });
}

std::string processor_features() {
  SubtargetFeatures features;
  StringMap<bool> known;
  if (sys::getHostCPUFeatures(known)) {
    std::vector<std::pair<std::string, bool>> sorted;
    for (const auto& feature : known) sorted.emplace_back(feature.first().str(), feature.second);
    llvm::sort(sorted);
    for (const auto& [name, on] : sorted) features.AddFeature(name, on);
  }
  return features.getString();
}

std::unique_ptr<TargetMachine> make_target(std::string& log) {
  initialise_target();
  const std::string triple = sys::getDefaultTargetTriple();
  const Target* target = TargetRegistry::lookupTarget(triple, log);
  if (target == nullptr) return nullptr;
  return std::unique_ptr<TargetMachine>(target->createTargetMachine(triple, sys::getHostCPUName(), processor_features(),
                                                                    TargetOptions(), Reloc::PIC_, CodeModel::Small,
                                                                    CodeGenOpt::Default));
}

// Pass managers with analyses that know no C library: nothing may become a call of memset.
class Passes {
 public:
  explicit Passes(TargetMachine& target) : builder_(&target, tuning()), library_(target.getTargetTriple()) {
    library_.disableAllFunctions();
    functions_.registerPass([&] { return TargetLibraryAnalysis(library_); });
    builder_.registerModuleAnalyses(modules_);
    builder_.registerCGSCCAnalyses(components_);
    builder_.registerFunctionAnalyses(functions_);
    builder_.registerLoopAnalyses(loops_);
    builder_.crossRegisterProxies(loops_, functions_, components_, modules_);
  }

  void flatten(Module& module) {
    ModulePassManager passes;
    passes.addPass(AlwaysInlinerPass(false));
    passes.addPass(GlobalDCEPass());
    FunctionPassManager each;
    each.addPass(SROAPass());
    each.addPass(InferAddressSpacesPass(generic_space));
    passes.addPass(createModuleToFunctionPassAdaptor(std::move(each)));
    passes.run(module, modules_);
  }

  void simplify(Module& module, bool optimise) {
    ModulePassManager passes = builder_.buildModuleSimplificationPipeline(
        optimise ? OptimizationLevel::O2 : OptimizationLevel::O1, ThinOrFullLTOPhase::None);
    FunctionPassManager each;
    if (optimise) {
      each.addPass(LoopSimplifyPass());
      each.addPass(LoopUnrollPass(LoopUnrollOptions(2, false, false).setRuntime(false).setPartial(false)));
      each.addPass(SROAPass());
      each.addPass(InstCombinePass());
      each.addPass(createFunctionToLoopPassAdaptor(LICMPass(LICMOptions()), true));
      each.addPass(GVNPass());
      each.addPass(SimplifyCFGPass());
    }
    each.addPass(InferAddressSpacesPass(generic_space));
    passes.addPass(createModuleToFunctionPassAdaptor(std::move(each)));
    passes.run(module, modules_);
  }

  // After intrinsics have become loops: loops need one latch for their markers.
  void shape_loops(Module& module) {
    ModulePassManager passes;
    passes.addPass(createModuleToFunctionPassAdaptor(LoopSimplifyPass()));
    passes.run(module, modules_);
  }

  void finish(Module& module) {
    ModulePassManager passes;
    passes.addPass(AlwaysInlinerPass(false));
    passes.addPass(GlobalDCEPass());
    passes.run(module, modules_);
  }

  void split_coroutines(Module& module) {
    ModulePassManager passes;
    passes.addPass(CoroEarlyPass());
    CGSCCPassManager components;
    components.addPass(CoroSplitPass(true));
    passes.addPass(createModuleToPostOrderCGSCCPassAdaptor(std::move(components)));
    passes.addPass(CoroCleanupPass());
    passes.run(module, modules_);
  }

  void clean(Module& module) {
    ModulePassManager passes;
    FunctionPassManager each;
    each.addPass(SROAPass());
    each.addPass(EarlyCSEPass(true));
    each.addPass(InstCombinePass());
    each.addPass(SimplifyCFGPass());
    passes.addPass(createModuleToFunctionPassAdaptor(std::move(each)));
    passes.addPass(GlobalDCEPass());
    passes.run(module, modules_);
  }

 private:
  static PipelineTuningOptions tuning() {
    PipelineTuningOptions options;
    options.LoopVectorization = false;
    options.SLPVectorization = false;
    options.LoopInterleaving = false;
    return options;
  }
  LoopAnalysisManager loops_;
  FunctionAnalysisManager functions_;
  CGSCCAnalysisManager components_;
  ModuleAnalysisManager modules_;
  PassBuilder builder_;
  TargetLibraryInfoImpl library_;
};

bool sound(const Module& module, const char* when, std::string& log) {
  std::string message;
  raw_string_ostream stream(message);
  if (!verifyModule(module, &stream)) return true;
  log += std::string("invalid code ") + when + ": " + stream.str() + '\n';
  return false;
}

std::vector<GlobalVariable*> local_variables(Module& module) {
  std::vector<GlobalVariable*> variables;
  for (GlobalVariable& variable : module.globals()) {
    if (variable.getAddressSpace() == local_space) variables.push_back(&variable);
  }
  return variables;
}

// Addresses and sizes of program-scope variables, for pointers whose origin cannot be seen.
void add_variable_table(Module& module) {
  LLVMContext& context = module.getContext();
  Type* word = Type::getInt64Ty(context);
  std::vector<Constant*> table;
  for (GlobalVariable& variable : module.globals()) {
    variable.setLinkage(GlobalValue::InternalLinkage);
    if (!variable.hasInitializer() || variable.getName().startswith("llvm.")) continue;
    table.push_back(ConstantExpr::getPtrToInt(&variable, word));
    table.push_back(ConstantInt::get(word, module.getDataLayout().getTypeAllocSize(variable.getValueType())));
  }
  table.push_back(Constant::getNullValue(word));
  auto* type = ArrayType::get(word, table.size());
  new GlobalVariable(module, type, true, GlobalValue::ExternalLinkage, ConstantArray::get(type, table),
                     "sluice.variables");
}

bool emit(Module& module, TargetMachine& target, std::vector<std::byte>& object, std::string& log) {
  SmallVector<char, 0> bytes;
  raw_svector_ostream stream(bytes);
  legacy::PassManager passes;
  if (target.addPassesToEmitFile(passes, stream, nullptr, CGFT_ObjectFile)) {
    log += "this processor's code generator cannot write objects\n";
    return false;
  }
  passes.run(module);
  const auto* first = reinterpret_cast<const std::byte*>(bytes.data());
  object.assign(first, first + bytes.size());
  return true;
}

bool build(Module& module, TargetMachine& target, const LoadOptions& options, ProgramImage& image, std::string& log) {
  std::vector<Function*> kernels;
  for (Function& function : module) {
    if (function.isDeclaration()) continue;
    function.addFnAttr("sluice-program");
    if (function.getCallingConv() == CallingConv::SPIR_KERNEL) kernels.push_back(&function);
  }
  image.kernels.resize(kernels.size());
  for (std::size_t i = 0; i < kernels.size(); ++i) {
    image.kernels[i].info = describe_kernel(*kernels[i]);
    image.kernels[i].symbol = "sluice.kernel." + std::to_string(i);
  }
  if (!link_libraries(module, log)) return false;
  module.setTargetTriple(target.getTargetTriple().str());
  module.setDataLayout(target.createDataLayout());
  normalise(module);
  if (!check_calls(module, log)) return false;
  lower_atomic_calls(module);
  guard_divisions(module);
  choose_inlining(module);
  std::vector<KernelUnit> units;
  for (std::size_t i = 0; i < kernels.size(); ++i) units.push_back(make_body(*kernels[i], image.kernels[i]));
  if (!sound(module, "after linking", log)) return false;

  {
    Passes passes(target);
    passes.flatten(module);
    for (const KernelUnit& unit : units) lower_prints(unit);
    passes.simplify(module, options.optimise);
  }
  for (const KernelUnit& unit : units) {
    relax_assumptions(*unit.body);
    expand_memory_intrinsics(*unit.body);
  }
  Passes(target).shape_loops(module);
  const auto variables = local_variables(module);
  for (const KernelUnit& unit : units) {
    estimate_resources(unit);
    const Alikeness alikeness = find_alikeness(unit);
    unit.image->alike = alikeness.proven && !alikeness.narrow_ids;
    unit.image->alike_if_narrow = alikeness.proven && alikeness.narrow_ids;
    instrument(unit, image.largest_access_bytes);
    place_local_variables(unit, variables);
    place_private_variables(unit);
    lower_queries(unit);
  }
  StripDebugInfo(module);
  for (GlobalVariable* variable : variables) {
    variable->replaceAllUsesWith(PoisonValue::get(variable->getType()));
    variable->eraseFromParent();
  }
  if (!sound(module, "after instrumentation", log)) return false;
  std::vector<Function*> entries;
  for (const KernelUnit& unit : units) entries.push_back(make_entry(unit));
  Passes(target).finish(module);
  for (std::size_t i = 0; i < units.size(); ++i) {
    if (!image.kernels[i].suspends) continue;
    image.kernels[i].symbol = make_coroutine(entries[i])->getName().str();
  }
  add_variable_table(module);
  {
    Passes passes(target);
    passes.split_coroutines(module);
    passes.clean(module);
  }
  return sound(module, "before code generation", log) && emit(module, target, image.object, log);
}

}  // namespace

bool compile(std::span<const std::byte> bitcode, const LoadOptions& options, ProgramImage& image, std::string& log) {
  const auto target = make_target(log);
  if (target == nullptr) return false;
  LLVMContext context;
  context.setOpaquePointers(true);
  context.setDiagnosticHandlerCallBack([](const DiagnosticInfo&, void*) {}, nullptr);
  const StringRef bytes(reinterpret_cast<const char*>(bitcode.data()), bitcode.size());
  auto module = parseBitcodeFile(MemoryBufferRef(bytes, "program"), context);
  if (!module) {
    log += "not valid bitcode: " + toString(module.takeError()) + '\n';
    return false;
  }
  return sound(**module, "in the program", log) && build(**module, *target, options, image, log);
}

std::string image_key(std::span<const std::byte> bitcode, const LoadOptions& options) {
  SHA256 hash;
  hash.update(ArrayRef<std::uint8_t>(reinterpret_cast<const std::uint8_t*>(bitcode.data()), bitcode.size()));
  hash.update(std::string(options.optimise ? "optimised|" : "plain|") + std::string(engine_version()) + '|' +
              sys::getHostCPUName().str() + '|' + processor_features());
  return toHex(hash.final(), true);
}

}  // namespace sluice::exec

// The order of the steps, and code for this processor.
#include <llvm/ADT/PostOrderIterator.h>
#include <llvm/Analysis/CFG.h>
#include <llvm/Analysis/LoopInfo.h>
#include <llvm/Analysis/TargetLibraryInfo.h>
#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/IR/DebugInfo.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Verifier.h>
#include <llvm/MC/SubtargetFeature.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/Host.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/Transforms/Coroutines/CoroCleanup.h>
#include <llvm/Transforms/Coroutines/CoroEarly.h>
#include <llvm/Transforms/Coroutines/CoroSplit.h>
#include <llvm/Transforms/IPO/AlwaysInliner.h>
#include <llvm/Transforms/IPO/GlobalDCE.h>
#include <llvm/Transforms/InstCombine/InstCombine.h>
#include <llvm/Transforms/Scalar/ADCE.h>
#include <llvm/Transforms/Scalar/EarlyCSE.h>
#include <llvm/Transforms/Scalar/GVN.h>
#include <llvm/Transforms/Scalar/InferAddressSpaces.h>
#include <llvm/Transforms/Scalar/LICM.h>
#include <llvm/Transforms/Scalar/LoopDeletion.h>
#include <llvm/Transforms/Scalar/LoopPassManager.h>
#include <llvm/Transforms/Scalar/LoopUnrollPass.h>
#include <llvm/Transforms/Scalar/SROA.h>
#include <llvm/Transforms/Scalar/SimplifyCFG.h>
#include <llvm/Transforms/Utils/LoopSimplify.h>
#include <llvm/Transforms/Vectorize/LoopVectorize.h>

#include <map>
#include <mutex>
#include <set>

#include "sim/exec/lowering.h"
#include "sim/exec/program_image.h"
#include "sim/exec/row_logs.h"
#include "sim/exec/steering.h"
#include "sim/exec/uniformity.h"
#include "sim/iface/kernel_compiler.h"

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

  // Those that end for sure and have no effect.
  void drop_dead_loops(Function& function) {
    FunctionPassManager passes;
    passes.addPass(ADCEPass());
    passes.addPass(LoopSimplifyPass());
    passes.addPass(createFunctionToLoopPassAdaptor(LoopDeletionPass()));
    passes.addPass(SimplifyCFGPass());
    passes.run(function, functions_);
  }

  void tune_loops(Module& module) {
    ModulePassManager passes;
    FunctionPassManager each;
    each.addPass(createFunctionToLoopPassAdaptor(LICMPass(LICMOptions()), true));
    each.addPass(EarlyCSEPass(true));
    each.addPass(ADCEPass());
    each.addPass(createFunctionToLoopPassAdaptor(LoopDeletionPass()));
    each.addPass(SimplifyCFGPass());
    passes.addPass(createModuleToFunctionPassAdaptor(std::move(each)));
    passes.run(module, modules_);
  }

  // Loops over work-items that say that these are independent of each other.
  void fill_vectors(Module& module) {
    ModulePassManager passes;
    FunctionPassManager each;
    each.addPass(InstCombinePass());
    each.addPass(SimplifyCFGPass(SimplifyCFGOptions().convertSwitchRangeToICmp(true).hoistCommonInsts(true)));
    each.addPass(createFunctionToLoopPassAdaptor(LICMPass(LICMOptions()), true));
    each.addPass(LoopSimplifyPass());
    each.addPass(LoopVectorizePass(LoopVectorizeOptions(true, false)));
    each.addPass(InstCombinePass());
    each.addPass(SimplifyCFGPass());
    each.addPass(createFunctionToLoopPassAdaptor(LICMPass(LICMOptions()), true));
    each.addPass(EarlyCSEPass(true));
    each.addPass(ADCEPass());
    passes.addPass(createModuleToFunctionPassAdaptor(std::move(each)));
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

// Variables that a kernel may change, which all kernels of the program see, and what their initial values point to.
// By their place in the module, which is the same each time it is read.
std::map<GlobalVariable*, std::string> shared_variables(Module& module) {
  std::map<GlobalVariable*, std::string> shared;
  std::vector<const Value*> reached;
  for (GlobalVariable& variable : module.globals()) {
    if (!variable.isConstant() && variable.getAddressSpace() != local_space && !variable.getName().startswith("llvm."))
      reached.push_back(&variable);
  }
  std::set<const Value*> seen(reached.begin(), reached.end());
  while (!reached.empty()) {
    const auto* user = cast<User>(reached.back());
    reached.pop_back();
    for (const Value* operand : user->operand_values()) {
      if (isa<Constant>(operand) && !isa<Function>(operand) && seen.insert(operand).second) reached.push_back(operand);
    }
  }
  std::size_t index = 0;
  for (GlobalVariable& variable : module.globals()) {
    if (seen.count(&variable) != 0)
      shared[&variable] = shared_prefix.str() + std::to_string(index) + '.' + variable.getName().str();
    ++index;
  }
  return shared;
}

// Where they are is the business of the object that holds them.
void import_variables(const std::map<GlobalVariable*, std::string>& shared) {
  for (const auto& [variable, name] : shared) {
    variable->setName(name);
    variable->setComdat(nullptr);
    variable->setDSOLocal(false);
    variable->setLinkage(variable->isConstant() ? GlobalValue::AvailableExternallyLinkage
                                                : GlobalValue::ExternalLinkage);
    if (!variable->isConstant()) variable->setInitializer(nullptr);
  }
}

// Addresses and sizes of program-scope variables, for pointers whose origin cannot be seen.
void add_variable_table(Module& module) {
  LLVMContext& context = module.getContext();
  Type* word = Type::getInt64Ty(context);
  std::vector<Constant*> table;
  for (GlobalVariable& variable : module.globals()) {
    if (!variable.hasInitializer() || variable.hasAvailableExternallyLinkage()) continue;
    if (!variable.getName().startswith(shared_prefix)) variable.setLinkage(GlobalValue::InternalLinkage);
    if (variable.getName().startswith("llvm.")) continue;
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

std::vector<Function*> kernels_of(Module& module) {
  std::vector<Function*> kernels;
  for (Function& function : module) {
    if (!function.isDeclaration() && function.getCallingConv() == CallingConv::SPIR_KERNEL)
      kernels.push_back(&function);
  }
  return kernels;
}

// Whether a body can be cut at its barriers, and is worth it: each way from one to the next is a copy of it at first.
bool can_be_cut(Function& body) {
  constexpr std::size_t most_copied = std::size_t{1} << 16;  // instructions; half a second of compiling
  std::size_t count = 0, ways = 1;
  for (Instruction& instruction : instructions(body)) {
    ++count;
    if (as_call_of(instruction, "__sluice_barrier") != nullptr) ++ways;
  }
  if (count * ways > most_copied) return false;
  DominatorTree dominators(body);
  LoopInfo loops(dominators);
  ReversePostOrderTraversal<const Function*> order(&body);
  return !containsIrreducibleCFG<const BasicBlock*>(order, loops);
}

// Leaves what `kernel` needs.
void cut_to(Module& module, const Function& kernel) {
  for (const char* name : {"llvm.used", "llvm.compiler.used"}) {
    if (GlobalVariable* list = module.getNamedGlobal(name)) list->eraseFromParent();
  }
  for (Function& function : module) {
    if (function.isDeclaration()) continue;
    function.setComdat(nullptr);
    function.setLinkage(&function == &kernel ? GlobalValue::ExternalLinkage : GlobalValue::InternalLinkage);
    function.addFnAttr("sluice-program");
  }
  ModuleAnalysisManager analyses;
  GlobalDCEPass().run(module, analyses);
}

bool build(Module& module, TargetMachine& target, const LoadOptions& options, std::uint32_t index, KernelImage& image,
           std::string& log) {
  const auto kernels = kernels_of(module);
  if (index >= kernels.size()) {
    log += "the program has no such kernel\n";
    return false;
  }
  Function* const kernel = kernels[index];
  image.info = describe_kernel(*kernel);
  image.symbol = "sluice.kernel";
  image.lockstep = options.lockstep;
  import_variables(shared_variables(module));
  cut_to(module, *kernel);
  if (!link_libraries(module, log)) return false;
  module.setTargetTriple(target.getTargetTriple().str());
  module.setDataLayout(target.createDataLayout());
  normalise(module);
  if (!check_calls(module, log)) return false;
  lower_atomic_calls(module);
  lower_samplers(module);
  guard_divisions(module);
  choose_inlining(module);
  const KernelUnit unit = make_body(*kernel, image);
  if (!sound(module, "after linking", log)) return false;

  {
    Passes passes(target);
    passes.flatten(module);
    lower_prints(unit);
    passes.simplify(module, options.optimise);
  }
  relax_assumptions(*unit.body);
  expand_memory_intrinsics(*unit.body);
  Passes(target).shape_loops(module);
  const auto variables = local_variables(module);
  estimate_resources(unit);
  const Alikeness alikeness = find_alikeness(unit);
  unit.image->same_way = alikeness.same_way;
  unit.image->same_bytes = alikeness.same_bytes;
  unit.image->if_narrow = alikeness.narrow_ids;
  unit.image->guarded = !alikeness.guards.empty();
  unit.image->lane_loops = image.quiet && alikeness.marked && can_be_cut(*unit.body);
  image.info.steered_by = find_steering(unit);
  image.in_rows = !image.same_way && can_be_cut(*unit.body) && can_log_in_rows(unit);
  image.lane_loops = image.lane_loops || (image.quiet && image.in_rows);
  KernelImage path_image;
  std::vector<KernelUnit> units{unit};
  if (image.quiet && image.guarded) {
    units.push_back(make_path(unit, alikeness.guards, path_image));
    Passes(target).drop_dead_loops(*units.back().body);
    limit_path(units.back());
  }
  instrument(unit);
  for (const KernelUnit& each : units) {
    place_local_variables(each, variables);
    place_private_variables(each);
    lower_queries(each);
  }
  StripDebugInfo(module);
  for (GlobalVariable* variable : variables) {
    variable->replaceAllUsesWith(PoisonValue::get(variable->getType()));
    variable->eraseFromParent();
  }
  if (!sound(module, "after instrumentation", log)) return false;
  Function* const entry = image.lane_loops ? make_group_function(unit)
                                           : make_entry(unit, image.quiet && !image.suspends ? Entry::items : Entry::item);
  if (entry == nullptr) {
    log += "what its work-items log cannot be put in rows\n";
    return false;
  }
  if (units.size() > 1) (void)make_path_function(units.back());
  Passes(target).finish(module);
  if (image.suspends && !image.lane_loops) image.symbol = make_coroutine(entry)->getName().str();
  add_variable_table(module);
  {
    Passes passes(target);
    passes.split_coroutines(module);
    passes.clean(module);
    if (image.quiet) passes.tune_loops(module);
    if (image.lane_loops || units.size() > 1) passes.fill_vectors(module);
  }
  return sound(module, "before code generation", log) && emit(module, target, image.object, log);
}

// An object of the variables that kernels share, if there are any.
bool build_variables(Module& module, TargetMachine& target, ProgramImage& image, std::string& log) {
  const auto shared = shared_variables(module);
  if (shared.empty()) return true;
  module.setTargetTriple(target.getTargetTriple().str());
  module.setDataLayout(target.createDataLayout());
  for (Function& function : module) function.deleteBody();
  normalise(module);
  for (const auto& [variable, name] : shared) {
    variable->setName(name);
    variable->setLinkage(GlobalValue::ExternalLinkage);
    image.shared.push_back(name);
  }
  for (GlobalVariable& variable : make_early_inc_range(module.globals())) {
    if (shared.count(&variable) == 0 && variable.use_empty()) variable.eraseFromParent();
  }
  StripDebugInfo(module);
  Passes(target).finish(module);
  add_variable_table(module);
  return sound(module, "of variables", log) && emit(module, target, image.variables, log);
}

std::unique_ptr<Module> read(std::span<const std::byte> bitcode, LLVMContext& context, std::string& log) {
  context.setOpaquePointers(true);
  context.setDiagnosticHandlerCallBack([](const DiagnosticInfo&, void*) {}, nullptr);
  const StringRef bytes(reinterpret_cast<const char*>(bitcode.data()), bitcode.size());
  auto module = parseBitcodeFile(MemoryBufferRef(bytes, "program"), context);
  if (!module) {
    log += "not valid bitcode: " + toString(module.takeError()) + '\n';
    return nullptr;
  }
  return std::move(*module);
}

bool examine(std::span<const std::byte> bitcode, ProgramImage& image, std::string& log) {
  const auto target = make_target(log);
  if (target == nullptr) return false;
  LLVMContext context;
  const auto module = read(bitcode, context, log);
  if (module == nullptr || !sound(*module, "in the program", log)) return false;
  for (const Function* kernel : kernels_of(*module)) image.kernels.push_back(describe_kernel(*kernel));
  return check_libraries(*module, log) && check_calls(*module, log) && measure(*module, image.sizes, log) &&
         build_variables(*module, *target, image, log);
}

bool compile(std::span<const std::byte> bitcode, const LoadOptions& options, std::uint32_t kernel, KernelImage& image,
             std::string& log) {
  const auto target = make_target(log);
  if (target == nullptr) return false;
  LLVMContext context;
  const auto module = read(bitcode, context, log);
  return module != nullptr && build(*module, *target, options, kernel, image, log);
}

}  // namespace

}  // namespace sluice::exec

const sluice::KernelCompiler sluice::kernel_compiler = {&exec::examine, &exec::compile};

// What a program will become before it is made: calls are inlined, so a few lines may stand for any number of
// instructions.
#include <llvm/IR/Constants.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/Module.h>

#include <algorithm>
#include <map>

#include "sim/exec/lowering.h"

namespace sluice::exec {

using namespace llvm;

namespace {

constexpr std::uint64_t most_instructions = 4'000'000;
constexpr std::uint64_t most_constant_bytes = std::uint64_t{256} << 20;

class FlatSizes {
 public:
  // Of the function with all that it calls; never more than a bit above `most_instructions`.
  std::uint64_t of(const Function& function) {
    const auto [known, fresh] = sizes_.try_emplace(&function, 0);  // 0 for one that calls itself: refused elsewhere
    if (!fresh) return known->second;
    std::uint64_t size = 0;
    for (const Instruction& instruction : instructions(function)) {
      ++size;
      const auto* call = dyn_cast<CallBase>(&instruction);
      if (call != nullptr && call->getCalledFunction() != nullptr) size += of(*call->getCalledFunction());
      size = std::min(size, most_instructions + 1);
    }
    return sizes_[&function] = size;
  }

 private:
  std::map<const Function*, std::uint64_t> sizes_;
};

}  // namespace

bool measure(const Module& module, std::vector<std::uint64_t>& kernels, std::string& log) {
  FlatSizes sizes;
  for (const Function& function : module) {
    if (function.isDeclaration() || function.getCallingConv() != CallingConv::SPIR_KERNEL) continue;
    kernels.push_back(sizes.of(function));
    if (kernels.back() <= most_instructions) continue;
    log += "kernel '" + function.getName().str() + "' has more than " + std::to_string(most_instructions) +
           " instructions once its calls are inlined\n";
    return false;
  }
  std::uint64_t bytes = 0;
  for (const GlobalVariable& variable : module.globals()) {
    if (!variable.hasInitializer() || variable.getInitializer()->isNullValue() ||
        isa<UndefValue>(variable.getInitializer())) {
      continue;
    }
    bytes += std::min<std::uint64_t>(module.getDataLayout().getTypeAllocSize(variable.getValueType()),
                                     most_constant_bytes + 1);
    if (bytes <= most_constant_bytes) continue;
    log += "the initial values of variables take more than " + std::to_string(most_constant_bytes) + " bytes\n";
    return false;
  }
  return true;
}

}  // namespace sluice::exec

// What the front end, the SPIR-V reader and the linker have in common: what they do with the LLVM module they made.
#pragma once

#include <llvm/IR/Module.h>

#include <exception>
#include <functional>
#include <memory>
#include <string>

#include "api/compiler/compiler.h"

namespace sluice::compiler {

// Checks the module - valid IR, no recursion -, reads what Image says about it, and writes its bitcode. The log gets
// what is wrong, and the result what the log then is.
[[nodiscard]] Result finish(llvm::Module& module, ImageKind kind, bool optimise, std::string log);

// What LLVM was working on when an exception of guarded() went through it is in no state to be destroyed, and is left.
template <class T>
struct DeleteUnlessUnwinding {
  void operator()(T* object) const {
    if (std::uncaught_exceptions() == 0) delete object;
  }
};
template <class T>
using Held = std::unique_ptr<T, DeleteUnlessUnwinding<T>>;

// Runs `work` with LLVM's fatal errors turned into a Result whose log names them.
[[nodiscard]] Result guarded(const std::function<Result()>& work);

// The same in a child process (worker.h).
[[nodiscard]] Result guarded_and_isolated(const std::function<Result()>& work);

}  // namespace sluice::compiler

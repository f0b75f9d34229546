// What must agree for one function to stand for another: types of the result and the arguments, where all pointers are
// alike.
#pragma once

#include <llvm/IR/DerivedTypes.h>
#include <llvm/Support/raw_ostream.h>

#include <string>

namespace sluice::exec {

inline std::string signature_of(const llvm::FunctionType& type) {
  std::string text;
  llvm::raw_string_ostream out(text);
  const auto add = [&out](const llvm::Type& t) {
    if (t.isPointerTy()) {
      out << "ptr";
    } else {
      t.print(out, false, true);
    }
    out << ';';
  };
  add(*type.getReturnType());
  for (const llvm::Type* t : type.params()) add(*t);
  return out.str();
}

}  // namespace sluice::exec

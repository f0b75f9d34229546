// Run when Sluice is built: lists the functions that the bitcode files on the command line define, a line each: name,
// the file's number, signature; by name. To look into such a list takes microseconds, to open a library milliseconds.
#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/MemoryBuffer.h>

#include <cstdio>
#include <set>

#include "sim/exec/library_signature.h"

int main(int argc, char** argv) {
  std::set<std::string> lines;
  for (int i = 1; i < argc; ++i) {
    llvm::LLVMContext context;
    context.setOpaquePointers(true);
    auto file = llvm::MemoryBuffer::getFile(argv[i]);
    if (!file) return 1;
    auto module = llvm::getLazyBitcodeModule((*file)->getMemBufferRef(), context, true);
    if (!module) return 1;
    for (const llvm::Function& function : **module) {
      if (function.isDeclaration()) continue;
      lines.insert(function.getName().str() + ' ' + std::to_string(i - 1) + ' ' +
                   sluice::exec::signature_of(*function.getFunctionType()) + '\n');
    }
  }
  for (const std::string& line : lines) std::fputs(line.c_str(), stdout);
  return std::ferror(stdout) != 0 ? 1 : 0;
}

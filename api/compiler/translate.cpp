// SPIR-V -> LLVM module, by the translator of the Khronos group.
#include <LLVMSPIRVLib/LLVMSPIRVLib.h>
#include <LLVMSPIRVLib/LLVMSPIRVOpts.h>
#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/Bitcode/BitcodeWriter.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/raw_ostream.h>

#include <sstream>

#include "api/compiler/backend.h"
#include "api/compiler/module.h"

namespace sluice::compiler {

namespace {

// An execution mode that asks for sub-groups of a size, or for a number of them, which the translator would ignore.
// SPIR-V, sections 2.3 and 3.6; the module is well-formed as far as read_il() goes.
const char* refused_mode(std::span<const std::uint32_t> words) {
  constexpr std::uint32_t header = 5, execution_mode = 16, execution_mode_id = 331, function = 54;
  for (std::size_t at = header; at < words.size();) {
    const std::uint32_t count = words[at] >> 16, op = words[at] & 0xffff;
    if (op == function || count == 0 || count > words.size() - at) break;
    if ((op == execution_mode || op == execution_mode_id) && count > 2) {
      switch (words[at + 2]) {
        case 35: return "SubgroupSize";
        case 36: return "SubgroupsPerWorkgroup";
        case 37: return "SubgroupsPerWorkgroupId";
        default: break;
      }
    }
    at += count;
  }
  return nullptr;
}

Result translate(std::span<const std::uint32_t> words, const std::map<std::uint32_t, std::uint64_t>& constants,
                 const CompileOptions& options, ImageKind kind) {
  if (const char* mode = refused_mode(words)) {
    return {.log = std::string("error: SPIR-V: execution mode ") + mode + " is not supported\n"};
  }
  SPIRV::TranslatorOpts how(SPIRV::VersionNumber::MaximumVersion);
  how.enableAllExtensions();
  how.enableGenArgNameMD();
  // Names of built-ins as clang gives them to OpenCL C 2.0 and later.
  how.setDesiredBIsRepresentation(SPIRV::BIsRepresentation::OpenCL20);
  for (const auto& [id, value] : constants) how.setSpecConst(id, value);
  const std::span<const std::byte> bytes = std::as_bytes(words);
  std::istringstream in(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  const Held<llvm::LLVMContext> context(new llvm::LLVMContext);
  context->setOpaquePointers(false);  // this translator needs to see what pointers point to
  llvm::Module* read = nullptr;
  std::string error;
  const bool done = llvm::readSpirv(*context, how, in, read, error);
  const Held<llvm::Module> module(read);
  if (!done || module == nullptr) return {.log = "error: SPIR-V: " + error + "\n"};
  // Everything else has opaque pointers.
  llvm::SmallVector<char, 0> typed;
  llvm::raw_svector_ostream out(typed);
  llvm::WriteBitcodeToFile(*module, out);
  const Held<llvm::LLVMContext> opaque_context(new llvm::LLVMContext);
  opaque_context->setOpaquePointers(true);
  auto opaque = llvm::parseBitcodeFile(llvm::MemoryBufferRef({typed.data(), typed.size()}, "program"), *opaque_context);
  if (!opaque) return {.log = "error: SPIR-V: " + llvm::toString(opaque.takeError()) + "\n"};
  const Held<llvm::Module> result(opaque->release());
  return finish(*result, kind, options.optimise, {});
}

}  // namespace

Result backend::compile_il(std::span<const std::uint32_t> words,
                           const std::map<std::uint32_t, std::uint64_t>& constants, const CompileOptions& options,
                           ImageKind kind) {
  return guarded_and_isolated([&] { return translate(words, constants, options, kind); });
}

}  // namespace sluice::compiler

#include "sim/exec/native_code.h"

#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/ExecutionEngine/Orc/RTDyldObjectLinkingLayer.h>
#include <llvm/ExecutionEngine/SectionMemoryManager.h>
#include <llvm/Support/TargetSelect.h>
#include <sys/mman.h>

#include <atomic>
#include <cmath>
#include <cstring>
#include <mutex>

#include "sim/exec/runtime.h"

namespace sluice::exec {

using namespace llvm;

namespace {

// Program-scope variables lie in this memory and their addresses in traces, so they must not differ from run to run.
class FixedAddresses : public SectionMemoryManager::MemoryMapper {
 public:
  sys::MemoryBlock allocateMappedMemory(SectionMemoryManager::AllocationPurpose, std::size_t bytes,
                                        const sys::MemoryBlock* const, unsigned flags,
                                        std::error_code& error) override {
    constexpr std::uint64_t first = 0x3000'0000'0000;
    constexpr std::uint64_t page = 4096;
    static std::atomic<std::uint64_t> next{first};
    bytes = (bytes + page - 1) / page * page;
    // Unmapped ranges are not used again; 64 TiB lie between here and the end of the address space.
    void* const wish = reinterpret_cast<void*>(next.fetch_add(bytes + page));
    const int protection = PROT_READ | PROT_WRITE;
    void* memory = mmap(wish, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (memory == MAP_FAILED) memory = mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
      error = std::error_code(errno, std::generic_category());
      return {};
    }
    error = {};
    (void)flags;
    return {memory, bytes};
  }
  std::error_code protectMappedMemory(const sys::MemoryBlock& block, unsigned flags) override {
    return sys::Memory::protectMappedMemory(block, flags);
  }
  std::error_code releaseMappedMemory(sys::MemoryBlock& block) override {
    munmap(block.base(), block.allocatedSize());
    return {};
  }
};

class Sections : public SectionMemoryManager {
 public:
  using SectionMemoryManager::SectionMemoryManager;
  // Nothing unwinds through kernels.
  void registerEHFrames(std::uint8_t*, std::uint64_t, std::size_t) override {}
  void deregisterEHFrames() override {}
};

FixedAddresses& fixed_addresses() {
  static FixedAddresses mapper;
  return mapper;
}

template <typename Function>
JITEvaluatedSymbol symbol_of(Function* function) {
  return {pointerToJITTargetAddress(function), JITSymbolFlags::Exported | JITSymbolFlags::Callable};
}

// All that generated code may call; nothing else of the process can be reached by name.
orc::SymbolMap callable(orc::LLJIT& jit) {
  orc::SymbolMap symbols;
  auto add = [&](const char* name, auto* function) { symbols[jit.mangleAndIntern(name)] = symbol_of(function); };
  add("sluice_exec_check", &sluice_exec_check);
  add("sluice_exec_full", &sluice_exec_full);
  add("sluice_exec_late", &sluice_exec_late);
  add("sluice_exec_print", &sluice_exec_print);
  add("sluice_exec_frame", &sluice_exec_frame);
  add("sluice_exec_space", &sluice_exec_space);
  add("memcpy", &std::memcpy);
  add("memmove", &std::memmove);
  add("memset", &std::memset);
  // What the code generator calls for LLVM's intrinsics: on processors without the instruction, or on any (sin).
#define SLUICE_UNARY(name)                                       \
  add(#name, static_cast<double (*)(double)>(&::name));          \
  add(#name "f", static_cast<float (*)(float)>(&::name##f));
#define SLUICE_BINARY(name)                                      \
  add(#name, static_cast<double (*)(double, double)>(&::name));  \
  add(#name "f", static_cast<float (*)(float, float)>(&::name##f));
  SLUICE_UNARY(floor)
  SLUICE_UNARY(ceil)
  SLUICE_UNARY(trunc)
  SLUICE_UNARY(rint)
  SLUICE_UNARY(nearbyint)
  SLUICE_UNARY(round)
  SLUICE_UNARY(sqrt)
  SLUICE_UNARY(sin)
  SLUICE_UNARY(cos)
  SLUICE_UNARY(exp)
  SLUICE_UNARY(exp2)
  SLUICE_UNARY(log)
  SLUICE_UNARY(log2)
  SLUICE_UNARY(log10)
  SLUICE_BINARY(fmod)
  SLUICE_BINARY(pow)
  SLUICE_BINARY(fmin)
  SLUICE_BINARY(fmax)
#undef SLUICE_UNARY
#undef SLUICE_BINARY
  add("fma", static_cast<double (*)(double, double, double)>(&::fma));
  add("fmaf", static_cast<float (*)(float, float, float)>(&::fmaf));
  return symbols;
}

}  // namespace

struct NativeCode::Linked {
  std::unique_ptr<orc::LLJIT> jit;
};

NativeCode::~NativeCode() = default;

std::unique_ptr<NativeCode> NativeCode::load(const ProgramImage& image, std::string& log) {
  return load(image.variables, image.shared, nullptr, log);
}

std::unique_ptr<NativeCode> NativeCode::load(const KernelImage& image, const NativeCode* shared, std::string& log) {
  auto code = load(image.object, std::span(&image.symbol, 1), shared, log);
  if (code != nullptr) code->entry_ = code->symbols_.front().second;
  return code;
}

std::unique_ptr<NativeCode> NativeCode::load(std::span<const std::byte> object, std::span<const std::string> symbols,
                                             const NativeCode* shared, std::string& log) {
  static std::once_flag once;
  std::call_once(once, [] {
    InitializeNativeTarget();
    InitializeNativeTargetAsmPrinter();
  });
  auto fail = [&](Error error) {
    log += "native code: " + toString(std::move(error)) + '\n';
    return nullptr;
  };
  auto jit = orc::LLJITBuilder()
                 .setObjectLinkingLayerCreator([](orc::ExecutionSession& session, const Triple&) {
                   return std::make_unique<orc::RTDyldObjectLinkingLayer>(
                       session, [] { return std::make_unique<Sections>(&fixed_addresses()); });
                 })
                 .create();
  if (!jit) return fail(jit.takeError());
  (*jit)->getExecutionSession().setErrorReporter([&log](Error error) { log += toString(std::move(error)) + '\n'; });
  orc::SymbolMap known = callable(**jit);
  if (shared != nullptr) {
    for (const auto& [name, at] : shared->symbols_)
      known[(*jit)->mangleAndIntern(name)] = {pointerToJITTargetAddress(at), JITSymbolFlags::Exported};
  }
  if (Error error = (*jit)->getMainJITDylib().define(orc::absoluteSymbols(std::move(known))))
    return fail(std::move(error));
  const StringRef bytes(reinterpret_cast<const char*>(object.data()), object.size());
  if (Error error = (*jit)->addObjectFile(MemoryBuffer::getMemBufferCopy(bytes))) return fail(std::move(error));

  std::unique_ptr<NativeCode> code(new NativeCode);
  for (const std::string& symbol : symbols) {
    auto found = (*jit)->lookup(symbol);
    if (!found) return fail(found.takeError());
    code->symbols_.emplace_back(symbol, found->toPtr<void*>());
  }
  auto table = (*jit)->lookup("sluice.variables");
  if (!table) return fail(table.takeError());
  for (const auto* entry = table->toPtr<const std::uint64_t*>(); *entry != 0; entry += 2) {
    code->variables_.push_back({entry[0], entry[1]});
  }
  (*jit)->getExecutionSession().setErrorReporter([](Error error) { consumeError(std::move(error)); });
  code->linked_ = std::make_unique<Linked>();
  code->linked_->jit = std::move(*jit);
  return code;
}

}  // namespace sluice::exec

#include "sim/exec/native_code.h"

#include <cmath>
#include <cstring>
#include <unordered_map>

#include "sim/exec/math_functions.h"
#include "sim/exec/object_loader.h"
#include "sim/exec/runtime.h"

namespace sluice::exec {

namespace {

using Functions = std::unordered_map<std::string_view, std::uint64_t>;

// All that generated code may call; nothing else of the process can be reached by name.
Functions callable() {
  Functions functions;
  auto add = [&](const char* name, auto* function) { functions[name] = reinterpret_cast<std::uint64_t>(function); };
  add("sluice_exec_check", &sluice_exec_check);
  add("sluice_exec_full", &sluice_exec_full);
  add("sluice_exec_late", &sluice_exec_late);
  add("sluice_exec_print", &sluice_exec_print);
  add("sluice_exec_pipe", &sluice_exec_pipe);
  add("sluice_exec_frame", &sluice_exec_frame);
  add("sluice_exec_space", &sluice_exec_space);
  add("sluice_exec_rows", &sluice_exec_rows);
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
  add("sincos", &::sincos);  // of the sine and the cosine of one number
  add("sincosf", &::sincosf);
  add("fma", static_cast<double (*)(double, double, double)>(&::fma));
  add("fmaf", static_cast<float (*)(float, float, float)>(&::fmaf));
  for (const NamedFunction& function : math_functions()) {
    functions[function.name] = reinterpret_cast<std::uint64_t>(function.address);
  }
  return functions;
}

}  // namespace

NativeCode::~NativeCode() = default;

std::unique_ptr<NativeCode> NativeCode::load(const ProgramImage& image, std::string& log) {
  return load(image.variables, image.shared, nullptr, log);
}

std::unique_ptr<NativeCode> NativeCode::load(const KernelImage& image, const NativeCode* shared, std::string& log) {
  std::vector<std::string> symbols{image.symbol};
  if (image.quiet && image.guarded) symbols.emplace_back(KernelImage::path_symbol);
  auto code = load(image.object, symbols, shared, log);
  if (code == nullptr) return nullptr;
  code->entry_ = code->symbols_.front().second;
  if (symbols.size() > 1) code->path_ = code->symbols_.back().second;
  return code;
}

std::unique_ptr<NativeCode> NativeCode::load(std::span<const std::byte> object, std::span<const std::string> symbols,
                                             const NativeCode* shared, std::string& log) {
  static const Functions functions = callable();
  const auto resolve = [&](std::string_view name) -> std::uint64_t {
    if (const auto function = functions.find(name); function != functions.end()) return function->second;
    if (shared == nullptr) return 0;
    for (const auto& [variable, at] : shared->symbols_) {
      if (variable == name) return reinterpret_cast<std::uint64_t>(at);
    }
    return 0;
  };
  std::string error;
  const auto fail = [&](const std::string& why) {
    log += "native code: " + why + '\n';
    return nullptr;
  };
  std::unique_ptr<NativeCode> code(new NativeCode);
  code->object_ = LoadedObject::load(object, resolve, error);
  if (code->object_ == nullptr) return fail(error);
  for (const std::string& symbol : symbols) {
    void* const found = code->object_->find(symbol);
    if (found == nullptr) return fail("no symbol '" + symbol + "'");
    code->symbols_.emplace_back(symbol, found);
  }
  const auto* entry = static_cast<const std::uint64_t*>(code->object_->find("sluice.variables"));
  if (entry == nullptr) return fail("no table of variables");
  for (; *entry != 0; entry += 2) code->variables_.push_back({entry[0], entry[1]});
  return code;
}

}  // namespace sluice::exec

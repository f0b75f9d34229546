#include "api/strict/stacks.h"

#include <backtrace.h>
#include <cxxabi.h>
#include <dlfcn.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <unwind.h>

#include <array>
#include <boost/stacktrace/safe_dump_to.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "api/strict/compile_folder.h"

namespace sluice::api::strict {

namespace {

backtrace_state* state() {
  static backtrace_state* const one = backtrace_create_state(
      nullptr, 1, [](void*, const char*, int) {}, nullptr);
  return one;
}

std::string demangle(const char* name) {
  if (name == nullptr) return "";
  int status = 0;
  char* const plain = abi::__cxa_demangle(name, nullptr, nullptr, &status);
  std::string text = status == 0 && plain != nullptr ? plain : name;
  std::free(plain);
  return text;
}

void ignore(void*, const char*, int) {}

// The file of the program or library that holds the code.
std::string module_of(std::uintptr_t at) {
  Dl_info where{};
  if (::dladdr(reinterpret_cast<void*>(at), &where) == 0 || where.dli_fname == nullptr) return "";
  // The program's own is named as it was called, by a folder that may not be the current one any more.
  static const Dl_info own = [] {
    Dl_info info{};
    static_cast<void>(::dladdr(reinterpret_cast<void*>(::getauxval(AT_ENTRY)), &info));
    return info;
  }();
  std::error_code code;
  const bool is_program = where.dli_fbase == own.dli_fbase;
  const auto path = std::filesystem::canonical(is_program ? "/proc/self/exe" : where.dli_fname, code);
  return code ? where.dli_fname : path.string();
}

// Inlined functions are frames of their own.
void add_frames(std::uintptr_t at, std::vector<Frame>& out) {
  const std::size_t before = out.size();
  backtrace_pcinfo(
      state(), at,
      [](void* data, std::uintptr_t, const char* file, int line, const char* function) {
        if (file == nullptr && function == nullptr) return 0;
        static_cast<std::vector<Frame>*>(data)->push_back(
            {demangle(function), file == nullptr ? "" : file, static_cast<std::uint32_t>(line)});
        return 0;
      },
      &ignore, &out);
  if (out.size() == before) out.emplace_back();
  Frame& last = out.back();
  if (last.function.empty()) {
    backtrace_syminfo(
        state(), at,
        [](void* data, std::uintptr_t, const char* name, std::uintptr_t, std::uintptr_t) {
          if (name != nullptr) *static_cast<std::string*>(data) = demangle(name);
        },
        &ignore, &last.function);
  }
  const std::string module = module_of(at);
  if (last.file.empty()) last.file = module;
  for (std::size_t i = before; i < out.size(); ++i) {
    if (out[i].line != 0) out[i].file = absolute_source(module, out[i].file);
  }
}

// The loader's, this driver's and its preloaded library's code between the program and us.
bool is_own(const void* address) {
  Dl_info where{};
  Dl_info own{};
  if (::dladdr(address, &where) == 0 || where.dli_fname == nullptr) return false;
  static_cast<void>(::dladdr(reinterpret_cast<void*>(&is_own), &own));
  if (own.dli_fbase == where.dli_fbase) return true;
  const std::string_view name = where.dli_fname;
  return name.find("libOpenCL.so") != std::string_view::npos ||
         name.find("libsluice_strict.so") != std::string_view::npos;
}

// How many of the innermost are our own.
std::size_t own_frames(std::span<const void* const> stack) {
  std::size_t count = 0;
  while (count < stack.size() && is_own(stack[count])) ++count;
  return count;
}

// What a walk up the stack leaves: each address, and where on the stack it lies.
struct Walk {
  static constexpr std::size_t most = 48;
  std::array<const void*, most> addresses;
  std::array<const void* const*, most> places;
  std::size_t count = 0;
};

_Unwind_Reason_Code take_frame(_Unwind_Context* context, void* data) {
  auto& walk = *static_cast<Walk*>(data);
  const auto address = reinterpret_cast<const void*>(_Unwind_GetIP(context));
  if (address == nullptr || walk.count == Walk::most) return _URC_END_OF_STACK;
  walk.addresses[walk.count] = address;
  // A call leaves its return address below what its frame begins at.
  walk.places[walk.count] = reinterpret_cast<const void* const*>(_Unwind_GetCFA(context)) - 1;
  ++walk.count;
  return _URC_NO_REASON;
}

}  // namespace

std::vector<Frame> frames_of(std::span<const void* const> addresses, std::uintptr_t instruction) {
  std::size_t first = 0;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    if (instruction != 0 && reinterpret_cast<std::uintptr_t>(addresses[i]) == instruction) first = i;
  }
  // What the driver touched for the program.
  first += own_frames(addresses.subspan(first));
  std::vector<Frame> frames;
  for (std::size_t i = first; i < addresses.size() && addresses[i] != nullptr; ++i) {
    const auto at = reinterpret_cast<std::uintptr_t>(addresses[i]);
    // A return address belongs to the call before it.
    add_frames(at == instruction ? at : at - 1, frames);
    if (frames.back().function == "main") break;
    // What calls a main() whose name is not known.
    if (frames.back().function.starts_with("__libc_start")) {
      frames.pop_back();
      break;
    }
  }
  return frames;
}

std::vector<const void*> stack_here() {
  std::array<const void*, 48> stack{};
  const std::size_t n = std::min(boost::stacktrace::safe_dump_to(stack.data(), sizeof stack), stack.size());
  return std::vector<const void*>(stack.begin(), stack.begin() + static_cast<std::ptrdiff_t>(n));
}

__attribute__((noinline, no_sanitize("address"))) CallStacks::Stack CallStacks::here() {
  const auto frame = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  const auto thread = reinterpret_cast<std::uintptr_t>(::pthread_self());
  const std::size_t set = (frame >> 4) % sets;
  for (const Known& k : known_[set]) {
    if (k.frame != frame || k.thread != thread) continue;
    // From the innermost on: what is above the first that differs may be no stack any more.
    bool same = true;
    for (std::size_t i = 0; same && i < k.returns.size(); ++i) same = *k.returns[i].place == k.returns[i].address;
    if (same) return k.stack;
  }
  Walk walk;
  _Unwind_Backtrace(&take_frame, &walk);
  auto stack = std::make_shared<const std::vector<const void*>>(
      walk.addresses.begin(), walk.addresses.begin() + static_cast<std::ptrdiff_t>(walk.count));
  Known k;
  k.frame = frame;
  k.thread = thread;
  k.stack = stack;
  // The first is this function's own place.
  for (std::size_t i = 1; i < walk.count; ++i) {
    // Not a frame of calls alone (a signal's): not to be known again.
    if (*walk.places[i] != walk.addresses[i]) return stack;
    k.returns.push_back({walk.places[i], walk.addresses[i]});
  }
  known_[set][oldest_[set]] = std::move(k);
  oldest_[set] = static_cast<std::uint8_t>((oldest_[set] + 1) % ways);
  return stack;
}

}  // namespace sluice::api::strict

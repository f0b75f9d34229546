#include "api/strict/stacks.h"

#include <backtrace.h>
#include <cxxabi.h>
#include <dlfcn.h>

#include <array>
#include <boost/stacktrace/safe_dump_to.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>

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
  Dl_info where{};
  if (last.file.empty() && ::dladdr(reinterpret_cast<void*>(at), &where) != 0 && where.dli_fname != nullptr) {
    last.file = std::filesystem::path(where.dli_fname).filename().string();
  }
}

// The loader's and this driver's code between the program and us.
bool is_own(const void* address) {
  Dl_info where{};
  Dl_info own{};
  if (::dladdr(address, &where) == 0 || where.dli_fname == nullptr) return false;
  static_cast<void>(::dladdr(reinterpret_cast<void*>(&is_own), &own));
  if (own.dli_fbase == where.dli_fbase) return true;
  return std::string_view(where.dli_fname).find("libOpenCL.so") != std::string_view::npos;
}

}  // namespace

std::vector<Frame> frames_of(std::span<const void* const> addresses, std::uintptr_t instruction) {
  std::size_t first = 0;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    if (instruction != 0 && reinterpret_cast<std::uintptr_t>(addresses[i]) == instruction) first = i;
  }
  std::vector<Frame> frames;
  for (std::size_t i = first; i < addresses.size() && addresses[i] != nullptr; ++i) {
    const auto at = reinterpret_cast<std::uintptr_t>(addresses[i]);
    // A return address belongs to the call before it.
    add_frames(at == instruction ? at : at - 1, frames);
    if (frames.back().function == "main") break;
  }
  return frames;
}

std::vector<const void*> stack_here() {
  std::array<const void*, 48> stack{};
  const std::size_t n = std::min(boost::stacktrace::safe_dump_to(stack.data(), sizeof stack), stack.size());
  return std::vector<const void*>(stack.begin(), stack.begin() + static_cast<std::ptrdiff_t>(n));
}

std::vector<Frame> frames_of_call(std::span<const void* const> stack) {
  std::size_t first = 0;
  while (first < stack.size() && is_own(stack[first])) ++first;
  return frames_of(stack.subspan(first), 0);
}

}  // namespace sluice::api::strict

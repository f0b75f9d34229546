// The steps from linked LLVM IR to instrumented IR; see code_generator.cpp for their order. Internal to sim/exec.
#pragma once

#include <llvm/IR/Function.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include <string>
#include <vector>

#include "sim/exec/program_image.h"

namespace sluice::exec {

// A kernel under way: `body` takes the kernel's arguments, then the Group and the Item.
struct KernelUnit {
  llvm::Function* body = nullptr;
  KernelImage* image = nullptr;
  std::vector<llvm::Type*> by_value;  // per argument: the struct's type, else nullptr
  [[nodiscard]] llvm::Argument* item() const { return body->getArg(body->arg_size() - 1); }
  [[nodiscard]] llvm::Argument* group() const { return body->getArg(body->arg_size() - 2); }
};

// Address spaces of OpenCL on the spir64 target.
enum AddressSpace : unsigned {
  private_space = 0,
  global_space = 1,
  constant_space = 2,
  local_space = 3,
  generic_space = 4
};

// Names of variables that all kernels of a program see; a number and the variable's own name follow.
inline constexpr llvm::StringLiteral shared_prefix = "sluice.variable.";

// library_link.cpp: our device library and libclc's functions that the program needs.
[[nodiscard]] bool link_libraries(llvm::Module& module, std::string& log);
// Whether that can be; changes nothing but drops what is declared and not used.
[[nodiscard]] bool check_libraries(llvm::Module& module, std::string& log);

// kernel_info.cpp
[[nodiscard]] KernelInfo describe_kernel(const llvm::Function& kernel);
void estimate_resources(const KernelUnit& unit);

// kernel_size.cpp
// The instructions of each kernel with those that it calls. False: more than can be compiled.
[[nodiscard]] bool measure(const llvm::Module& module, std::vector<std::uint64_t>& kernels, std::string& log);

// prepare.cpp
void normalise(llvm::Module& module);                                    // attributes, linkage, conventions of the host
[[nodiscard]] bool check_calls(llvm::Module& module, std::string& log);  // no recursion, no call through a pointer
void guard_divisions(llvm::Module& module);     // x86 traps where OpenCL says "undefined value"
void lower_atomic_calls(llvm::Module& module);  // clang calls functions on this target
void lower_samplers(llvm::Module& module);      // in-source samplers: their bits are the pointer
void choose_inlining(llvm::Module& module);     // everything that touches memory or the work-item
[[nodiscard]] KernelUnit make_body(llvm::Function& kernel, KernelImage& image);

// lower_kernel.cpp
void lower_prints(const KernelUnit& unit);
void expand_memory_intrinsics(llvm::Function& body);
void relax_assumptions(llvm::Function& body);  // what the program promised but nobody checks
void place_local_variables(const KernelUnit& unit, llvm::ArrayRef<llvm::GlobalVariable*> variables);
void place_private_variables(const KernelUnit& unit);
void lower_queries(const KernelUnit& unit);
// The kernel's arguments as the body takes them.
[[nodiscard]] std::vector<llvm::Value*> load_arguments(llvm::IRBuilderBase& b, const KernelUnit& unit, llvm::Value* group);
// void(Item*), or for `items` of a group, none of which waits, one after the other: void(Item*, count).
enum class Entry : std::uint8_t { item, items };
[[nodiscard]] llvm::Function* make_entry(const KernelUnit& unit, Entry entry);

// lane_loops.cpp, of whole groups. Of the items but the first nothing is read.
// For kernels of KernelImage::lane_loops: void(Item*, count). nullptr: they were to log in rows, and these are not in the
// order in which work-items come to the sites.
[[nodiscard]] llvm::Function* make_group_function(const KernelUnit& unit);
// Of what make_path() made; what each work-item's guards decide: void(Item*, count, std::uint64_t*).
[[nodiscard]] llvm::Function* make_path_function(const KernelUnit& path);

// instrument.cpp: log of accesses, bounds, instruction counts, watchdog.
void instrument(const KernelUnit& unit);
// Of the program's text; 0: it has none.
[[nodiscard]] std::uint32_t source_line(const llvm::Instruction& instruction);

// path_function.cpp: what a work-item's guards decide, by itself: a function like the body that calls path_of_item with a
// hash of it as it ends. `image` is that of the function and of nothing else.
struct Guard;
inline constexpr llvm::StringLiteral path_of_item = "__sluice_path";
[[nodiscard]] KernelUnit make_path(const KernelUnit& unit, const std::vector<Guard>& guards, KernelImage& image);
// Its loops end after a while; what they would have decided is then 0, which else nothing is.
void limit_path(const KernelUnit& path);

// lower_barriers.cpp: the entry as a coroutine that suspends at barriers.
[[nodiscard]] llvm::Function* make_coroutine(llvm::Function* entry);

// A function of the device library that stands for what texture units do.
[[nodiscard]] bool is_texture_function(const llvm::Function& function);

// A call of `module`'s function of that name, or nullptr.
[[nodiscard]] llvm::CallInst* as_call_of(llvm::Instruction& instruction, llvm::StringRef name);

}  // namespace sluice::exec

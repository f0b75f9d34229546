// A program image brought into this process.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sim/exec/program_image.h"

namespace sluice::exec {

class LoadedObject;

// A program-scope variable.
struct Variable {
  std::uint64_t address = 0;
  std::uint64_t bytes = 0;
};

class NativeCode {
 public:
  // The program-scope variables of a program; nullptr: `log` says why.
  [[nodiscard]] static std::unique_ptr<NativeCode> load(const ProgramImage& image, std::string& log);
  // A kernel, which uses those variables (nullptr: there are none).
  [[nodiscard]] static std::unique_ptr<NativeCode> load(const KernelImage& image, const NativeCode* shared,
                                                        std::string& log);
  ~NativeCode();
  NativeCode(const NativeCode&) = delete;
  NativeCode& operator=(const NativeCode&) = delete;

  [[nodiscard]] void* entry() const noexcept { return entry_; }  // of the kernel
  [[nodiscard]] void* path() const noexcept { return path_; }    // of quiet code with guards
  [[nodiscard]] const std::vector<Variable>& variables() const noexcept { return variables_; }

 private:
  NativeCode() = default;
  [[nodiscard]] static std::unique_ptr<NativeCode> load(std::span<const std::byte> object,
                                                        std::span<const std::string> symbols, const NativeCode* shared,
                                                        std::string& log);
  std::unique_ptr<LoadedObject> object_;
  std::vector<std::pair<std::string, void*>> symbols_;
  void* entry_ = nullptr;
  void* path_ = nullptr;
  std::vector<Variable> variables_;
};

}  // namespace sluice::exec

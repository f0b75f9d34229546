// A program whose kernels are compiled, or fetched from the folder of kept code, when they are first needed.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sim/exec/native_code.h"
#include "sim/exec/program_image.h"
#include "sim/iface/kernel_compiler.h"

namespace sluice::exec {

class LoadedProgram final : public KernelModule {
 public:
  struct Kernel {
    KernelImage image;
    std::unique_ptr<NativeCode> code;
  };

  // nullptr: `log` says why.
  [[nodiscard]] static std::shared_ptr<const LoadedProgram> load(std::span<const std::byte> bitcode,
                                                                 const LoadOptions& options, FindKernelCompiler find,
                                                                 std::string& log);

  [[nodiscard]] const std::vector<KernelInfo>& kernels() const noexcept override { return infos_; }
  [[nodiscard]] bool prepare(std::uint32_t kernel, std::string& log) const override;

  // nullptr unless it is prepared.
  [[nodiscard]] const Kernel* ready(std::uint32_t kernel) const noexcept { return ready_[kernel].get(); }
  // The same kernel without logs and counts, or with logs in rows, once it is worth compiling: when work-items have executed
  // as much, or would, that such code does sooner. nullptr: it is not yet, or cannot be had.
  [[nodiscard]] const Kernel* quiet(std::uint32_t kernel) const;
  void spend(std::uint32_t kernel, std::uint64_t instructions) const;
  // It was of no use to a launch: the next ones do without.
  void postpone_quiet(std::uint32_t kernel) const { quiet_[kernel].postponed = 15; }
  // Those that kernels share; nullptr: none.
  [[nodiscard]] const NativeCode* variables() const noexcept { return variables_.get(); }
  [[nodiscard]] const LoadOptions& options() const noexcept { return options_; }

 private:
  LoadedProgram() = default;
  [[nodiscard]] bool examine_program(std::string& log);
  [[nodiscard]] std::unique_ptr<Kernel> make(std::uint32_t kernel, std::string& log) const;
  [[nodiscard]] std::unique_ptr<Kernel> fetch(std::uint32_t kernel, const std::string& at) const;
  [[nodiscard]] bool compile(std::uint32_t kernel, const std::string& at, Kernel& result, std::string& log) const;
  [[nodiscard]] std::string path_of(std::uint32_t kernel, bool quiet) const;
  [[nodiscard]] std::string path(const std::string& ending) const;

  std::vector<std::byte> bitcode_;
  LoadOptions options_;
  FindKernelCompiler find_ = nullptr;
  std::string key_;
  std::unique_ptr<NativeCode> variables_;
  std::vector<std::uint64_t> sizes_;  // of kernels, in instructions
  // Filled in as kernels are prepared, under the driver's lock.
  mutable std::vector<KernelInfo> infos_;
  mutable std::vector<std::unique_ptr<const Kernel>> ready_;
  struct Quiet {
    std::uint64_t spent = 0;  // instructions
    std::unique_ptr<const Kernel> kernel;
    unsigned postponed = 0;  // launches
    bool looked = false;     // on disk
    bool tried = false;      // to compile it
  };
  mutable std::vector<Quiet> quiet_;
};

}  // namespace sluice::exec

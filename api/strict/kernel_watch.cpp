// Tells the guard which launch's work-groups run, for the faults that they leave.
#include "api/strict/strict.h"
#include "sim/iface/alike_groups.h"

namespace sluice::api::strict {

namespace {

class Running {
 public:
  explicit Running(CommandId command) {
    instance->kernel_begins();
    guard::set_kernel(command);
  }
  ~Running() { guard::set_kernel(0); }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
};

class WatchedRun : public KernelRun {
 public:
  WatchedRun(std::unique_ptr<KernelRun> run, CommandId command) : run_(std::move(run)), command_(command) {}
  bool run_group(const std::array<std::uint64_t, 3>& group, GroupTrace& trace) override {
    const Running running(command_);
    return run_->run_group(group, trace);
  }
  bool told_all() const noexcept override { return run_->told_all(); }
  void set_resident_groups(std::uint64_t groups) override { run_->set_resident_groups(groups); }
  void on_wait(std::function<bool()> wait) override {
    // Whoever waits lets other commands run.
    run_->on_wait([this, wait = std::move(wait)] {
      guard::set_kernel(0);
      const bool go_on = wait();
      guard::set_kernel(command_);
      return go_on;
    });
  }

 protected:
  std::unique_ptr<KernelRun> run_;
  CommandId command_;
};

class WatchedAlikeRun final : public WatchedRun, public AlikeRun {
 public:
  WatchedAlikeRun(std::unique_ptr<KernelRun> run, AlikeRun& alike, CommandId command)
      : WatchedRun(std::move(run), command), alike_(alike) {}
  const AlikeGroups* run_alike() override {
    const Running running(command_);
    return alike_.run_alike();
  }

 private:
  AlikeRun& alike_;
};

class WatchedEngine final : public KernelEngine {
 public:
  explicit WatchedEngine(std::unique_ptr<KernelEngine> engine) : engine_(std::move(engine)) {}
  std::shared_ptr<const KernelModule> load(std::span<const std::byte> bitcode, const LoadOptions& options,
                                           std::string& log) override {
    return engine_->load(bitcode, options, log);
  }
  std::unique_ptr<KernelRun> start(const KernelLaunch& launch, std::uint32_t wave_size) override {
    std::unique_ptr<KernelRun> run = engine_->start(launch, wave_size);
    const CommandId command = instance->command_of(launch);
    if (run == nullptr || command == 0) return run;
    if (auto* const alike = dynamic_cast<AlikeRun*>(run.get())) {
      return std::make_unique<WatchedAlikeRun>(std::move(run), *alike, command);
    }
    return std::make_unique<WatchedRun>(std::move(run), command);
  }

 private:
  std::unique_ptr<KernelEngine> engine_;
};

}  // namespace

std::unique_ptr<KernelEngine> watch_kernels(std::unique_ptr<KernelEngine> engine) {
  return engine == nullptr ? nullptr : std::make_unique<WatchedEngine>(std::move(engine));
}

}  // namespace sluice::api::strict

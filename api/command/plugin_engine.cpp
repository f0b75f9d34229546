// The driver's make_kernel_engine(): the engine is in the plug-in, which the first program brings into the process.
#include "api/compiler/plugin.h"
#include "sim/iface/kernel_engine.h"

namespace sluice {

namespace {

class PluginEngine final : public KernelEngine {
 public:
  std::shared_ptr<const KernelModule> load(std::span<const std::byte> bitcode, const LoadOptions& options,
                                           std::string& log) override {
    if (engine_ == nullptr) {
      const compiler::KernelsPlugin* const plugin = compiler::load_plugin(log);
      if (plugin == nullptr) return nullptr;
      engine_ = plugin->make_kernel_engine();
    }
    return engine_->load(bitcode, options, log);
  }

  std::unique_ptr<KernelRun> start(const KernelLaunch& launch, std::uint32_t wave_size) override {
    return engine_ == nullptr ? nullptr : engine_->start(launch, wave_size);
  }

 private:
  std::unique_ptr<KernelEngine> engine_;
};

}  // namespace

std::unique_ptr<KernelEngine> make_kernel_engine() { return std::make_unique<PluginEngine>(); }

}  // namespace sluice

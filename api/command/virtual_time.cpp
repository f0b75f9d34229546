#include "api/command/virtual_time.h"

#include <dlfcn.h>

#include <atomic>

#include "api/command/runtime.h"
#include "api/command/virtual_time_hooks.h"

namespace sluice::api {

namespace {

std::atomic<SluiceVirtualTimeBypass> bypass{nullptr};
SluiceVirtualTimeRegister register_hooks = nullptr;

std::uint64_t now_ns() {
  Call call;
  call.runtime().charge_stores();
  call.runtime().charge(HostAction::read_clock);
  return to_ns(call.runtime().clock());
}

void advance_ns(std::uint64_t duration_ns) {
  Call call;
  Runtime& runtime = call.runtime();
  runtime.set_clock(runtime.clock() + duration_ns * ps_per_ns);
  call.sim().run_until(runtime.clock());
}

}  // namespace

void register_virtual_time() {
  register_hooks = reinterpret_cast<SluiceVirtualTimeRegister>(::dlsym(RTLD_DEFAULT, SLUICE_VIRTUAL_TIME_REGISTER));
  if (register_hooks == nullptr) return;
  bypass = reinterpret_cast<SluiceVirtualTimeBypass>(::dlsym(RTLD_DEFAULT, SLUICE_VIRTUAL_TIME_BYPASS));
  const SluiceVirtualTimeHooks hooks{SLUICE_VIRTUAL_TIME_VERSION, &now_ns, &advance_ns};
  if (register_hooks(&hooks) != 0) register_hooks = nullptr;
}

void unregister_virtual_time() noexcept {
  if (register_hooks != nullptr) register_hooks(nullptr);
}

bool bypass_virtual_time(bool on) noexcept {
  const SluiceVirtualTimeBypass function = bypass.load(std::memory_order_relaxed);
  if (function == nullptr) return false;
  function(on ? 1 : 0);
  return true;
}

}  // namespace sluice::api

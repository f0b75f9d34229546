// The driver's side of `sluice run --virtual-time` (api/command/virtual_time_hooks.h). Without the preloaded library nothing
// here does anything.
#pragma once

namespace sluice::api {

// Once, when the machine is open: from here on the program's clocks show its threads' virtual time.
void register_virtual_time();
// Before the machine goes.
void unregister_virtual_time() noexcept;

// The calling thread sees real time until the matching call with false. Returns whether there is anything to bypass.
bool bypass_virtual_time(bool on) noexcept;

}  // namespace sluice::api

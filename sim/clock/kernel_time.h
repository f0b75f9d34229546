// SystemC's clock in this project's unit. The kernel's resolution is 1 ps, so values carry over unchanged.
#pragma once

#include <systemc>

#include <algorithm>

#include "sim/iface/time.h"

namespace sluice::sim {

[[nodiscard]] inline TimePs kernel_now() {
  static const sc_core::sc_time& clock = sc_core::sc_time_stamp();  // the kernel's own: one a process
  return clock.value();
}

// How far the host lets the device run: models that look ahead never look past it.
inline TimePs kernel_run_limit = time_never;

// The kernel has nothing to do before this; perhaps not then either. All notifications go through notify_at().
inline TimePs kernel_idle_until = 0;

inline void notify_at(sc_core::sc_event& event, TimePs at) {
  event.cancel();
  if (at == time_never) return;
  kernel_idle_until = std::min(kernel_idle_until, at);
  const TimePs now = kernel_now();
  event.notify(sc_core::sc_time::from_value(at > now ? at - now : 0));
}

}  // namespace sluice::sim

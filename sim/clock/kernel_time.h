// SystemC's clock in this project's unit. The kernel's resolution is 1 ps, so values carry over unchanged.
#pragma once

#include <systemc>

#include "sim/iface/time.h"

namespace sluice::sim {

[[nodiscard]] inline TimePs kernel_now() { return sc_core::sc_time_stamp().value(); }

// How far the host lets the device run: models that look ahead never look past it.
inline TimePs kernel_run_limit = time_never;

inline void notify_at(sc_core::sc_event& event, TimePs at) {
  event.cancel();
  if (at == time_never) return;
  const TimePs now = kernel_now();
  event.notify(sc_core::sc_time::from_value(at > now ? at - now : 0));
}

}  // namespace sluice::sim

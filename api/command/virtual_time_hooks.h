// The contract between the driver and libsluice_virtual_time.so, which `sluice run --virtual-time` preloads so that the
// program's clocks show simulated time. The driver finds the two functions with dlsym(RTLD_DEFAULT, ...); absent, the
// program runs on real time and the driver needs to do nothing. Plain C: both sides may be built differently.
#ifndef SLUICE_API_COMMAND_VIRTUAL_TIME_HOOKS_H_
#define SLUICE_API_COMMAND_VIRTUAL_TIME_HOOKS_H_

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_VIRTUAL_TIME_VERSION 1u
#define SLUICE_VIRTUAL_TIME_REGISTER "sluice_virtual_time_register"
#define SLUICE_VIRTUAL_TIME_BYPASS "sluice_virtual_time_bypass"

/* Called on the program's threads, never inside a bypass and never nested. They may take the driver's lock; so the
   driver is in a bypass whenever it holds that lock. Must not throw. */
typedef struct SluiceVirtualTimeHooks {
  uint32_t version; /* SLUICE_VIRTUAL_TIME_VERSION */
  /* The calling thread's virtual clock in ns since the simulator was opened, after charging the price of reading a
     clock. Never goes back on one thread. */
  uint64_t (*now_ns)(void);
  /* The calling thread slept: its virtual clock moves on by this much, and the device with it. */
  void (*advance_ns)(uint64_t duration_ns);
} SluiceVirtualTimeHooks;

/* From here on the program's clocks go on from where they were, by hooks->now_ns(). Copies *hooks. NULL ends it: clocks
   stay where they are and count by themselves again (at exit, before the simulator goes). Returns 0, or -1 for a
   version that this library does not know. A call of a hook that has begun on another thread may still be running. */
int sluice_virtual_time_register(const SluiceVirtualTimeHooks* hooks);
typedef int (*SluiceVirtualTimeRegister)(const SluiceVirtualTimeHooks*);

/* on != 0: the calling thread sees real time and real sleeps from here on, until the matching call with 0. Nests.
   For the driver's own threads (once, at their start) and around its API entries. Returns the new depth. */
int sluice_virtual_time_bypass(int on);
typedef int (*SluiceVirtualTimeBypass)(int);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* SLUICE_API_COMMAND_VIRTUAL_TIME_HOOKS_H_ */

// The contract between the driver and libsluice_strict.so, which `sluice run --strict` preloads: system calls that fill
// or read the program's memory fail on a closed page where the program's own instruction would fault, so the library
// touches the pages first; and the program's handlers of SIGSEGV stay behind the driver's. The driver finds the
// functions with dlsym(RTLD_DEFAULT, ...). Plain C: both sides may be built differently.
#ifndef SLUICE_API_STRICT_PRELOAD_HOOKS_H_
#define SLUICE_API_STRICT_PRELOAD_HOOKS_H_

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_STRICT_VERSION 3u
#define SLUICE_STRICT_REGISTER "sluice_strict_register"
#define SLUICE_STRICT_SIGACTION "sluice_strict_sigaction"

typedef struct SluiceStrictHooks {
  uint32_t version; /* SLUICE_STRICT_VERSION */
  /* The system is about to write (or read) these bytes of the program. */
  void (*touch)(const void* p, size_t bytes, int write);
  /* The system is about to make these pages present, which says nothing about who will use them. */
  void (*pin)(const void* p, size_t bytes);
  /* sigaction() of the program for SIGSEGV or SIGBUS; both pointers may be NULL. */
  void (*handler)(int signal, const struct sigaction* action, struct sigaction* old);
} SluiceStrictHooks;

/* Copies *hooks. Returns 0, or -1 for a version that this library does not know. Once a process. */
int sluice_strict_register(const SluiceStrictHooks* hooks);
typedef int (*SluiceStrictRegister)(const SluiceStrictHooks*);

/* The C library's own sigaction. */
int sluice_strict_sigaction(int signal, const struct sigaction* action, struct sigaction* old);
typedef int (*SluiceStrictSigaction)(int, const struct sigaction*, struct sigaction*);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* SLUICE_API_STRICT_PRELOAD_HOOKS_H_ */

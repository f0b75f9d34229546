// libsluice_strict.so: preloaded, it touches the memory that a system call is to fill or read before the call, so that
// a closed page shows as a fault of the program and not as EFAULT; and it keeps the program's handlers of SIGSEGV and
// SIGBUS behind the driver's (preload_hooks.h). Until the driver registers, and for all other signals, it only passes
// on.
//
// No allocation, no C++ runtime, no static constructors.
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>

#include "api/strict/preload_hooks.h"

#define SLUICE_EXPORT extern "C" __attribute__((visibility("default")))

namespace {

SluiceStrictHooks hooks;
std::atomic<bool> registered{false};

void* next(std::atomic<void*>& known, const char* name) {
  void* function = known.load(std::memory_order_relaxed);
  if (function == nullptr) {
    function = dlsym(RTLD_NEXT, name);
    known.store(function, std::memory_order_relaxed);
  }
  return function;
}

// The function behind ours.
#define SLUICE_REAL(type, name)             \
  static std::atomic<void*> known{nullptr}; \
  const auto real = reinterpret_cast<type>(next(known, #name))

void touch(const void* p, size_t bytes, bool write) {
  if (bytes != 0 && registered.load(std::memory_order_acquire)) hooks.touch(p, bytes, write ? 1 : 0);
}

void touch(const iovec* parts, int count, bool write) {
  for (int i = 0; i < count; ++i) touch(parts[i].iov_base, parts[i].iov_len, write);
}

// Whose handler is the driver's, with the program's behind it.
bool is_shared(int number) {
  return (number == SIGSEGV || number == SIGBUS) && registered.load(std::memory_order_acquire);
}

}  // namespace

SLUICE_EXPORT int sluice_strict_register(const SluiceStrictHooks* given) {
  if (given->version != SLUICE_STRICT_VERSION) return -1;
  hooks = *given;
  registered.store(true, std::memory_order_release);
  return 0;
}

SLUICE_EXPORT int sluice_strict_sigaction(int number, const struct sigaction* action, struct sigaction* old) {
  using Function = int (*)(int, const struct sigaction*, struct sigaction*);
  SLUICE_REAL(Function, sigaction);
  return real(number, action, old);
}

SLUICE_EXPORT int sigaction(int number, const struct sigaction* action, struct sigaction* old) noexcept {
  if (!is_shared(number)) {
    return sluice_strict_sigaction(number, action, old);
  }
  hooks.handler(number, action, old);
  return 0;
}

SLUICE_EXPORT sighandler_t signal(int number, sighandler_t handler) noexcept {
  if (!is_shared(number)) {
    SLUICE_REAL(decltype(&::signal), signal);
    return real(number, handler);
  }
  struct sigaction action = {};
  struct sigaction old = {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  hooks.handler(number, &action, &old);
  return old.sa_handler;
}

SLUICE_EXPORT ssize_t read(int descriptor, void* p, size_t n) {
  SLUICE_REAL(decltype(&::read), read);
  touch(p, n, true);
  return real(descriptor, p, n);
}

SLUICE_EXPORT ssize_t pread(int descriptor, void* p, size_t n, off_t at) {
  SLUICE_REAL(decltype(&::pread), pread);
  touch(p, n, true);
  return real(descriptor, p, n, at);
}

SLUICE_EXPORT ssize_t pread64(int descriptor, void* p, size_t n, off64_t at) {
  SLUICE_REAL(decltype(&::pread64), pread64);
  touch(p, n, true);
  return real(descriptor, p, n, at);
}

SLUICE_EXPORT ssize_t readv(int descriptor, const iovec* parts, int count) {
  SLUICE_REAL(decltype(&::readv), readv);
  touch(parts, count, true);
  return real(descriptor, parts, count);
}

SLUICE_EXPORT ssize_t recv(int descriptor, void* p, size_t n, int flags) {
  SLUICE_REAL(decltype(&::recv), recv);
  touch(p, n, true);
  return real(descriptor, p, n, flags);
}

SLUICE_EXPORT ssize_t recvfrom(int descriptor, void* p, size_t n, int flags, sockaddr* from, socklen_t* size) {
  SLUICE_REAL(decltype(&::recvfrom), recvfrom);
  touch(p, n, true);
  return real(descriptor, p, n, flags, from, size);
}

SLUICE_EXPORT size_t fread(void* p, size_t size, size_t n, FILE* file) {
  SLUICE_REAL(decltype(&::fread), fread);
  touch(p, size * n, true);
  return real(p, size, n, file);
}

// What <unistd.h> and <stdio.h> call where _FORTIFY_SOURCE is on; the room was checked by the compiler.
SLUICE_EXPORT ssize_t __read_chk(int descriptor, void* p, size_t n, size_t room) {
  using Function = ssize_t (*)(int, void*, size_t, size_t);
  SLUICE_REAL(Function, __read_chk);
  if (n <= room) touch(p, n, true);
  return real(descriptor, p, n, room);
}

SLUICE_EXPORT size_t __fread_chk(void* p, size_t room, size_t size, size_t n, FILE* file) {
  using Function = size_t (*)(void*, size_t, size_t, size_t, FILE*);
  SLUICE_REAL(Function, __fread_chk);
  if (size * n <= room) touch(p, size * n, true);
  return real(p, room, size, n, file);
}

SLUICE_EXPORT ssize_t write(int descriptor, const void* p, size_t n) {
  SLUICE_REAL(decltype(&::write), write);
  touch(p, n, false);
  return real(descriptor, p, n);
}

SLUICE_EXPORT ssize_t pwrite(int descriptor, const void* p, size_t n, off_t at) {
  SLUICE_REAL(decltype(&::pwrite), pwrite);
  touch(p, n, false);
  return real(descriptor, p, n, at);
}

SLUICE_EXPORT ssize_t pwrite64(int descriptor, const void* p, size_t n, off64_t at) {
  SLUICE_REAL(decltype(&::pwrite64), pwrite64);
  touch(p, n, false);
  return real(descriptor, p, n, at);
}

SLUICE_EXPORT ssize_t writev(int descriptor, const iovec* parts, int count) {
  SLUICE_REAL(decltype(&::writev), writev);
  touch(parts, count, false);
  return real(descriptor, parts, count);
}

SLUICE_EXPORT ssize_t send(int descriptor, const void* p, size_t n, int flags) {
  SLUICE_REAL(decltype(&::send), send);
  touch(p, n, false);
  return real(descriptor, p, n, flags);
}

SLUICE_EXPORT size_t fwrite(const void* p, size_t size, size_t n, FILE* file) {
  SLUICE_REAL(decltype(&::fwrite), fwrite);
  touch(p, size * n, false);
  return real(p, size, n, file);
}

// libsluice_strict.so: preloaded, it touches the memory that a system call is to fill or read before the call, so that
// a closed page shows as a fault of the program and not as EFAULT; and it keeps the program's handlers of SIGSEGV and
// SIGBUS behind the driver's (preload_hooks.h). Until the driver registers, and for all other signals, it only passes
// on.
//
// No allocation, no C++ runtime, no static constructors.
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/random.h>
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

template <class Count>
void touch(const iovec* parts, Count count, bool write) {
  for (Count i = 0; i < count; ++i) touch(parts[i].iov_base, parts[i].iov_len, write);
}

void touch(const msghdr& message, bool write) {
  touch(message.msg_iov, message.msg_iovlen, write);
}

void touch(const mmsghdr* messages, unsigned count, bool write) {
  for (unsigned i = 0; i < count; ++i) touch(messages[i].msg_hdr, write);
}

void pin(const void* p, size_t bytes) {
  if (bytes != 0 && registered.load(std::memory_order_acquire)) hooks.pin(p, bytes);
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

// A function of the C library whose system call fills or reads memory of the program: `touches` it before.
#define SLUICE_HOOK(result, name, parameters, arguments, touches) \
  SLUICE_EXPORT result name parameters {                          \
    SLUICE_REAL(result(*) parameters, name);                      \
    touches;                                                      \
    return real arguments;                                        \
  }

// ---- files ----

SLUICE_HOOK(ssize_t, read, (int file, void* p, size_t n), (file, p, n), touch(p, n, true))
SLUICE_HOOK(ssize_t, pread, (int file, void* p, size_t n, off_t at), (file, p, n, at), touch(p, n, true))
SLUICE_HOOK(ssize_t, pread64, (int file, void* p, size_t n, off64_t at), (file, p, n, at), touch(p, n, true))
SLUICE_HOOK(ssize_t, readv, (int file, const iovec* parts, int n), (file, parts, n), touch(parts, n, true))
SLUICE_HOOK(ssize_t, preadv, (int file, const iovec* parts, int n, off_t at), (file, parts, n, at),
            touch(parts, n, true))
SLUICE_HOOK(ssize_t, preadv64, (int file, const iovec* parts, int n, off64_t at), (file, parts, n, at),
            touch(parts, n, true))
SLUICE_HOOK(ssize_t, preadv2, (int file, const iovec* parts, int n, off_t at, int flags), (file, parts, n, at, flags),
            touch(parts, n, true))
SLUICE_HOOK(ssize_t, preadv64v2, (int file, const iovec* parts, int n, off64_t at, int flags),
            (file, parts, n, at, flags), touch(parts, n, true))
SLUICE_HOOK(ssize_t, write, (int file, const void* p, size_t n), (file, p, n), touch(p, n, false))
SLUICE_HOOK(ssize_t, pwrite, (int file, const void* p, size_t n, off_t at), (file, p, n, at), touch(p, n, false))
SLUICE_HOOK(ssize_t, pwrite64, (int file, const void* p, size_t n, off64_t at), (file, p, n, at), touch(p, n, false))
SLUICE_HOOK(ssize_t, writev, (int file, const iovec* parts, int n), (file, parts, n), touch(parts, n, false))
SLUICE_HOOK(ssize_t, pwritev, (int file, const iovec* parts, int n, off_t at), (file, parts, n, at),
            touch(parts, n, false))
SLUICE_HOOK(ssize_t, pwritev64, (int file, const iovec* parts, int n, off64_t at), (file, parts, n, at),
            touch(parts, n, false))
SLUICE_HOOK(ssize_t, pwritev2, (int file, const iovec* parts, int n, off_t at, int flags), (file, parts, n, at, flags),
            touch(parts, n, false))
SLUICE_HOOK(ssize_t, pwritev64v2, (int file, const iovec* parts, int n, off64_t at, int flags),
            (file, parts, n, at, flags), touch(parts, n, false))
SLUICE_HOOK(ssize_t, vmsplice, (int pipe, const iovec* parts, size_t n, unsigned flags), (pipe, parts, n, flags),
            touch(parts, n, false))

// Streams pass what is large to the system as it is.
SLUICE_HOOK(size_t, fread, (void* p, size_t size, size_t n, FILE* file), (p, size, n, file), touch(p, size* n, true))
SLUICE_HOOK(size_t, fread_unlocked, (void* p, size_t size, size_t n, FILE* file), (p, size, n, file),
            touch(p, size* n, true))
SLUICE_HOOK(size_t, fwrite, (const void* p, size_t size, size_t n, FILE* file), (p, size, n, file),
            touch(p, size* n, false))
SLUICE_HOOK(size_t, fwrite_unlocked, (const void* p, size_t size, size_t n, FILE* file), (p, size, n, file),
            touch(p, size* n, false))

// ---- sockets ----

SLUICE_HOOK(ssize_t, recv, (int socket, void* p, size_t n, int flags), (socket, p, n, flags), touch(p, n, true))
SLUICE_HOOK(ssize_t, recvfrom, (int socket, void* p, size_t n, int flags, sockaddr* from, socklen_t* size),
            (socket, p, n, flags, from, size), touch(p, n, true))
SLUICE_HOOK(ssize_t, recvmsg, (int socket, msghdr* message, int flags), (socket, message, flags), touch(*message, true))
SLUICE_HOOK(int, recvmmsg, (int socket, mmsghdr* messages, unsigned n, int flags, timespec* limit),
            (socket, messages, n, flags, limit), touch(messages, n, true))
SLUICE_HOOK(ssize_t, send, (int socket, const void* p, size_t n, int flags), (socket, p, n, flags), touch(p, n, false))
SLUICE_HOOK(ssize_t, sendto, (int socket, const void* p, size_t n, int flags, const sockaddr* to, socklen_t size),
            (socket, p, n, flags, to, size), touch(p, n, false))
SLUICE_HOOK(ssize_t, sendmsg, (int socket, const msghdr* message, int flags), (socket, message, flags),
            touch(*message, false))
SLUICE_HOOK(int, sendmmsg, (int socket, mmsghdr* messages, unsigned n, int flags), (socket, messages, n, flags),
            touch(messages, n, false))

// ---- the rest ----

SLUICE_HOOK(ssize_t, getrandom, (void* p, size_t n, unsigned flags), (p, n, flags), touch(p, n, true))
SLUICE_HOOK(int, getentropy, (void* p, size_t n), (p, n), touch(p, n, true))
SLUICE_HOOK(ssize_t, readlink, (const char* path, char* p, size_t n) noexcept, (path, p, n), touch(p, n, true))
SLUICE_HOOK(ssize_t, readlinkat, (int folder, const char* path, char* p, size_t n) noexcept, (folder, path, p, n),
            touch(p, n, true))
SLUICE_HOOK(char*, getcwd, (char* p, size_t n) noexcept, (p, n), touch(p, p == nullptr ? 0 : n, true))
SLUICE_HOOK(ssize_t, process_vm_readv,
            (pid_t process, const iovec* local, unsigned long locals, const iovec* remote, unsigned long remotes,
             unsigned long flags) noexcept,
            (process, local, locals, remote, remotes, flags),
            (touch(local, locals, true), touch(remote, process == getpid() ? remotes : 0, false)))
SLUICE_HOOK(ssize_t, process_vm_writev,
            (pid_t process, const iovec* local, unsigned long locals, const iovec* remote, unsigned long remotes,
             unsigned long flags) noexcept,
            (process, local, locals, remote, remotes, flags),
            (touch(local, locals, false), touch(remote, process == getpid() ? remotes : 0, true)))
SLUICE_HOOK(int, mlock, (const void* p, size_t n) noexcept, (p, n), pin(p, n))
SLUICE_HOOK(int, mlock2, (const void* p, size_t n, unsigned flags) noexcept, (p, n, flags), pin(p, n))

// ---- what the headers call where _FORTIFY_SOURCE is on; what has no room ends in the function itself ----

SLUICE_HOOK(ssize_t, __read_chk, (int file, void* p, size_t n, size_t room), (file, p, n, room),
            touch(p, n <= room ? n : 0, true))
SLUICE_HOOK(ssize_t, __pread_chk, (int file, void* p, size_t n, off_t at, size_t room), (file, p, n, at, room),
            touch(p, n <= room ? n : 0, true))
SLUICE_HOOK(ssize_t, __pread64_chk, (int file, void* p, size_t n, off64_t at, size_t room), (file, p, n, at, room),
            touch(p, n <= room ? n : 0, true))
SLUICE_HOOK(size_t, __fread_chk, (void* p, size_t room, size_t size, size_t n, FILE* file), (p, room, size, n, file),
            touch(p, size* n <= room ? size * n : 0, true))
SLUICE_HOOK(size_t, __fread_unlocked_chk, (void* p, size_t room, size_t size, size_t n, FILE* file),
            (p, room, size, n, file), touch(p, size* n <= room ? size * n : 0, true))
SLUICE_HOOK(ssize_t, __recv_chk, (int socket, void* p, size_t n, size_t room, int flags), (socket, p, n, room, flags),
            touch(p, n <= room ? n : 0, true))
SLUICE_HOOK(ssize_t, __recvfrom_chk,
            (int socket, void* p, size_t n, size_t room, int flags, sockaddr* from, socklen_t* size),
            (socket, p, n, room, flags, from, size), touch(p, n <= room ? n : 0, true))
SLUICE_HOOK(ssize_t, __readlink_chk, (const char* path, char* p, size_t n, size_t room), (path, p, n, room),
            touch(p, n <= room ? n : 0, true))
SLUICE_HOOK(ssize_t, __readlinkat_chk, (int folder, const char* path, char* p, size_t n, size_t room),
            (folder, path, p, n, room), touch(p, n <= room ? n : 0, true))
SLUICE_HOOK(char*, __getcwd_chk, (char* p, size_t n, size_t room), (p, n, room), touch(p, n <= room ? n : 0, true))

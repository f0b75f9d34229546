#include "api/strict/guard.h"

#include <dlfcn.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <boost/stacktrace/safe_dump_to.hpp>
#include <cerrno>
#include <cstring>

#include "api/strict/preload_hooks.h"

namespace sluice::api::strict::guard {

namespace {

constexpr std::size_t most_slots = 8192;
constexpr std::size_t most_faults = 512;
// Faults of one region by which the rest of it is opened: a program that goes on wrongly is not to crawl.
constexpr std::uint32_t patience = 64;
constexpr std::uint32_t kernel_patience = 16;
// Pages of a run that are filled with the pattern before they are opened.
constexpr std::size_t most_filled = 4;

struct Record {
  enum : std::uint8_t { empty, filling, full };
  std::atomic<std::uint8_t> state{empty};
  Fault fault;
};

struct Shared {
  std::uintptr_t zone_begin = 0;
  std::uintptr_t zone_end = 0;
  int file = -1;
  std::byte* stores = nullptr;  // the file, open at any time; nullptr: no addresses for it
  bool stop = false;
  void (*wake)() = nullptr;
  Region* regions = nullptr;
  std::atomic<std::size_t> used{0};
  std::size_t first_free = 0;  // at most; not for the handler
  Record records[most_faults];
  std::atomic_flag recording = ATOMIC_FLAG_INIT;
  std::uint64_t next_record = 0;  // under `recording`
  std::atomic<std::uint64_t> taken{0};
  std::atomic<std::uint64_t> lost{0};
  std::atomic<std::uint64_t> kernel{0};
  std::atomic<bool> opened{false};
  // The program's own of each signal, which come after ours. Two, so that one is never changed while a handler reads
  // it.
  struct Next {
    struct sigaction actions[2] = {};
    std::atomic<int> which{0};
  };
  Next next[2];
  SluiceStrictSigaction sigaction = [](int signal, const struct sigaction* action, struct sigaction* old) {
    return ::sigaction(signal, action, old);
  };
  bool preloaded = false;
};
Shared shared;

Shared::Next& next_of(int signal) noexcept {
  return shared.next[signal == SIGBUS ? 1 : 0];
}

// What a page undefined by a write-invalidate map holds: no small number, no finite float.
constexpr std::size_t pattern_bytes = 64 * 1024;
alignas(64) std::array<unsigned char, pattern_bytes> pattern;

thread_local int in_driver __attribute__((tls_model("initial-exec"))) = 0;
// The same instruction at the same address, again and again: opening the page did not help.
thread_local std::uintptr_t last_address __attribute__((tls_model("initial-exec"))) = 0;
thread_local int repeats __attribute__((tls_model("initial-exec"))) = 0;

Region* find(std::uintptr_t at) noexcept {
  Region* best = nullptr;
  for (std::size_t i = 0, n = shared.used.load(std::memory_order_acquire); i < n; ++i) {
    Region& r = shared.regions[i];
    const Kind kind = r.kind.load(std::memory_order_acquire);
    if (kind == Kind::none || at < r.begin.load(std::memory_order_relaxed) ||
        at >= r.end.load(std::memory_order_relaxed)) {
      continue;
    }
    // A map says more than the allocation that it is of; the one that holds the very byte more than one beside it.
    const bool exact = at >= r.first.load(std::memory_order_relaxed) && at < r.last.load(std::memory_order_relaxed);
    if (kind != Kind::svm && exact) return &r;
    if (best == nullptr || best->kind.load(std::memory_order_relaxed) == Kind::svm) best = &r;
  }
  return best;
}

void record(const Region* region, std::uintptr_t address, bool write, bool by_kernel, const ucontext_t& context,
            State host_state = State::gone) {
  // Only handlers take this lock, and nothing interrupts them.
  while (shared.recording.test_and_set(std::memory_order_acquire)) {
  }
  Record& r = shared.records[shared.next_record % most_faults];
  const bool room = r.state.load(std::memory_order_acquire) == Record::empty;
  if (room) {
    r.state.store(Record::filling, std::memory_order_relaxed);
    ++shared.next_record;
  }
  shared.recording.clear(std::memory_order_release);
  if (!room) {
    shared.lost.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  Fault& f = r.fault;
  f.address = address;
  f.write = write;
  f.kind = region == nullptr ? Kind::shadow : region->kind.load(std::memory_order_relaxed);
  f.state = region == nullptr ? State::gone : region->state.load(std::memory_order_relaxed);
  if (f.kind == Kind::host) f.state = host_state;
  f.id = region == nullptr ? 0 : region->id.load(std::memory_order_relaxed);
  f.kernel = by_kernel ? shared.kernel.load(std::memory_order_relaxed) : 0;
  f.frames = 0;
#if defined(__x86_64__)
  f.instruction = static_cast<std::uintptr_t>(context.uc_mcontext.gregs[REG_RIP]);
#else
  f.instruction = 0;
  static_cast<void>(context);
#endif
  // Generated code has no tables to unwind by; its place is told by the launch.
  if (!by_kernel) {
    const std::size_t bytes = boost::stacktrace::safe_dump_to(f.stack.data(), sizeof f.stack);
    f.frames = static_cast<std::uint32_t>(std::min(bytes, f.stack.size()));
  }
  r.state.store(Record::full, std::memory_order_release);
  // A lost write is one only if nothing brings it to the device: that shows later.
  const bool settled = f.kind != Kind::host || f.state != State::clean;
  if (shared.stop && settled && shared.wake != nullptr) shared.wake();
}

// Fresh pages from the one at `at` on: filled if they are few, then opened. Pages that are written in a row come in
// runs of half of what was, so that a program which fills a region faults some thirty times at most.
bool open_fresh(Region& r, std::uintptr_t at) {
  r.touchable.store(true, std::memory_order_relaxed);
  while (r.filling.test_and_set(std::memory_order_acquire)) {
  }
  const std::uintptr_t begin = r.begin.load(std::memory_order_relaxed);
  const std::size_t count = (r.end.load(std::memory_order_relaxed) - begin) / page_bytes;
  std::atomic<std::uint8_t>* const pages = r.pages.load(std::memory_order_acquire);
  const std::size_t page = (page_floor(at) - begin) / page_bytes;
  bool good = true;
  if (pages[page].load(std::memory_order_relaxed) == 0) {
    if (page_floor(at) != r.next_page) r.run_pages = 0;
    const std::size_t wanted = std::max<std::size_t>(1, r.run_pages);
    std::size_t end = page;
    while (end < count && end - page < wanted && pages[end].load(std::memory_order_relaxed) == 0) ++end;
    const std::uintptr_t from = begin + page * page_bytes;
    const std::uintptr_t to = begin + end * page_bytes;
    // Only what is mapped: its neighbours in the edge pages are other data. Long runs are not filled: they are being
    // written, and a pass over memory is what the write costs.
    std::uintptr_t fill = std::max(from, r.first.load(std::memory_order_relaxed));
    const std::uintptr_t fill_end =
        end - page > most_filled ? fill : std::min(to, r.last.load(std::memory_order_relaxed));
    const std::uint64_t place = r.file_offset.load(std::memory_order_relaxed) - begin;
    if (shared.stores != nullptr && fill < fill_end) {
      std::memcpy(shared.stores + place + fill, pattern.data() + (place + fill) % 8, fill_end - fill);
      fill = fill_end;
    }
    while (fill < fill_end) {
      const std::uint64_t offset = place + fill;
      // Not pwrite(): the preloaded one looks its own successor up, which a handler may not.
      const long n = ::syscall(SYS_pwrite64, shared.file, pattern.data() + offset % 8,
                               std::min<std::size_t>(pattern_bytes - 8, fill_end - fill), static_cast<off_t>(offset));
      if (n <= 0) break;
      fill += static_cast<std::uintptr_t>(n);
    }
    good = protect(from, to, PROT_READ | PROT_WRITE);
    for (std::size_t i = page; good && i < end; ++i) pages[i].store(1, std::memory_order_relaxed);
    r.run_pages += end - page;
    r.next_page = to;
  }
  r.filling.clear(std::memory_order_release);
  return good;
}

bool open_page(Region& r, std::uintptr_t at, int protection, std::uint32_t limit) {
  const std::uintptr_t page = page_floor(at);
  r.touchable.store(true, std::memory_order_relaxed);
  if (r.faults.fetch_add(1, std::memory_order_relaxed) < limit && protect(page, page + page_bytes, protection)) {
    return true;
  }
  return protect(r.begin.load(std::memory_order_relaxed), r.end.load(std::memory_order_relaxed), protection);
}

bool put_page(std::uintptr_t at) {
  return ::mmap(reinterpret_cast<void*>(at), page_bytes, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED;
}

std::atomic<std::uint8_t>& page_of(Region& r, std::uintptr_t at) {
  return r.pages.load(
      std::memory_order_acquire)[(page_floor(at) - r.begin.load(std::memory_order_relaxed)) / page_bytes];
}

// The program's access to memory that a buffer uses.
bool handle_host(Region& r, std::uintptr_t at, bool write, const ucontext_t& context) {
  std::atomic<std::uint8_t>& page = page_of(r, at);
  const std::uint8_t was = page.load(std::memory_order_relaxed);
  int protection = PROT_READ | PROT_WRITE;
  if (!write) {
    protection = PROT_READ;
    if (was == host_changed) {
      record(&r, at, write, false, context, State::changed);
      page.store(host_clean, std::memory_order_relaxed);
    }
  } else if (was == host_clean || was == host_changed) {
    record(&r, at, write, false, context, State::clean);
    page.store(host_open, std::memory_order_relaxed);
  } else if (was == host_readable) {
    record(&r, at, write, false, context, State::readable);
    page.store(host_writable, std::memory_order_relaxed);
  }
  return protect(page_floor(at), page_floor(at) + page_bytes, protection);
}

// The driver's own access, in a kernel or a copy. A copy's regions are checked where its command ends.
bool handle_driver(Region& r, std::uintptr_t at, bool write, const ucontext_t& context) {
  // A map of shared virtual memory that has not completed, or is no more, keeps nobody away.
  const bool in_kernel = shared.kernel.load(std::memory_order_relaxed) != 0 &&
                         (r.kind.load(std::memory_order_relaxed) != Kind::svm_map || r.active.load());
  const Kind kind = r.kind.load(std::memory_order_relaxed);
  r.opened.store(true, std::memory_order_relaxed);
  shared.opened.store(true, std::memory_order_relaxed);
  if (kind == Kind::host && in_kernel) {
    std::atomic<std::uint8_t>& page = page_of(r, at);
    if (page.load(std::memory_order_relaxed) >= host_readable) {
      record(&r, at, write, true, context);
    } else if (write) {
      page.store(host_changed, std::memory_order_relaxed);
    }
    if (protect(page_floor(at), page_floor(at) + page_bytes, PROT_READ | PROT_WRITE)) return true;
  }
  if (!in_kernel || kind == Kind::svm || kind == Kind::host) {
    std::uintptr_t begin = r.begin.load(std::memory_order_relaxed);
    std::uintptr_t end = r.end.load(std::memory_order_relaxed);
    // Maps of the allocation stay closed: a kernel has no business there.
    for (std::size_t i = 0, n = shared.used.load(std::memory_order_acquire); in_kernel && kind == Kind::svm && i < n;
         ++i) {
      const Region& map = shared.regions[i];
      if (map.kind.load(std::memory_order_acquire) != Kind::svm_map) continue;
      if (const std::uintptr_t above = map.end.load(std::memory_order_relaxed); above <= at) {
        begin = std::max(begin, above);
      }
      if (const std::uintptr_t below = map.begin.load(std::memory_order_relaxed); below > at)
        end = std::min(end, below);
    }
    // Who copied into the region wrote it, wherever that was.
    State fresh = State::fresh;
    if (!in_kernel && kind == Kind::svm_map) r.state.compare_exchange_strong(fresh, State::writable);
    return protect(begin, end, PROT_READ | PROT_WRITE);
  }
  record(&r, at, write, true, context);
  return open_page(r, at, PROT_READ | PROT_WRITE, kernel_patience);
}

// True: the instruction may be tried again.
bool handle_ours(int signal, std::uintptr_t at, bool write, const ucontext_t& context) {
  Region* const r = find(at);
  if (r == nullptr) {
    if (at < shared.zone_begin || at >= shared.zone_end) return false;
    record(nullptr, at, write, false, context);
    // Between the views of a ring lie pages of a file that has none.
    if (signal == SIGBUS) return put_page(page_floor(at));
    return protect(page_floor(at), page_floor(at) + page_bytes, PROT_READ | PROT_WRITE);
  }
  if (signal == SIGBUS) return false;  // memory that the system has not
  const Kind kind = r->kind.load(std::memory_order_relaxed);
  const State state = r->state.load(std::memory_order_relaxed);
  if (in_driver > 0 && kind != Kind::shadow) return handle_driver(*r, at, write, context);
  if (kind == Kind::store) return false;  // no pointer that the program has
  if (kind == Kind::host) return handle_host(*r, at, write, context);
  if (state == State::fresh) {
    const std::uintptr_t begin = r->begin.load(std::memory_order_relaxed);
    const bool known = r->pages.load()[(page_floor(at) - begin) / page_bytes].load(std::memory_order_relaxed) != 0;
    if (!write && !known) {
      r->misread.store(true, std::memory_order_relaxed);
      record(r, at, write, false, context);
    }
    return open_fresh(*r, at);
  }
  if (state == State::writable || (state == State::readable && !write)) {
    // Opened by another thread meanwhile, or closed for a kernel only.
    r->touchable.store(true, std::memory_order_relaxed);
    return protect(page_floor(at), page_floor(at) + page_bytes, r->protection.load(std::memory_order_relaxed));
  }
  record(r, at, write, false, context);
  int protection = write ? PROT_READ | PROT_WRITE : PROT_READ;
  if (state == State::pending) protection |= r->protection.load(std::memory_order_relaxed);
  return open_page(*r, at, protection, patience);
}

struct sigaction newest(const Shared::Next& next) noexcept {
  return next.actions[next.which.load(std::memory_order_acquire)];
}

void call_next(int signal, siginfo_t* info, void* context) {
  const struct sigaction next = newest(next_of(signal));
  const bool is_function =
      (next.sa_flags & SA_SIGINFO) != 0 || (next.sa_handler != SIG_DFL && next.sa_handler != SIG_IGN);
  if (!is_function) {
    if (shared.wake != nullptr) shared.wake();
    struct sigaction standard = {};
    standard.sa_handler = SIG_DFL;
    shared.sigaction(signal, &standard, nullptr);
    if (info->si_code <= 0) ::raise(signal);  // sent, and will not come again by itself
    return;
  }
  // As if it had been called in our place.
  sigset_t mask = static_cast<ucontext_t*>(context)->uc_sigmask;
  for (int s = 1; s < NSIG; ++s) {
    if (sigismember(&next.sa_mask, s) == 1) sigaddset(&mask, s);
  }
  if ((next.sa_flags & SA_NODEFER) == 0) sigaddset(&mask, signal);
  ::pthread_sigmask(SIG_SETMASK, &mask, nullptr);
  if ((next.sa_flags & SA_SIGINFO) != 0) {
    next.sa_sigaction(signal, info, context);
  } else {
    next.sa_handler(signal);
  }
}

void on_fault(int signal, siginfo_t* info, void* raw) {
  const int saved = errno;
  auto& context = *static_cast<ucontext_t*>(raw);
#if defined(__x86_64__)
  const bool write = (context.uc_mcontext.gregs[REG_ERR] & 2) != 0;
#else
  const bool write = false;
#endif
  const auto at = reinterpret_cast<std::uintptr_t>(info->si_addr);
  if (info->si_code > 0) {
    repeats = at == last_address ? repeats + 1 : 0;
    last_address = at;
    if (repeats < 100 && handle_ours(signal, at, write, context)) {
      errno = saved;
      return;
    }
  }
  call_next(signal, info, raw);
  errno = saved;
}

void take_next(int signal, const struct sigaction& action) noexcept {
  Shared::Next& next = next_of(signal);
  const int other = 1 - next.which.load(std::memory_order_relaxed);
  next.actions[other] = action;
  next.which.store(other, std::memory_order_release);
}

void install_for(int signal) noexcept {
  struct sigaction now = {};
  if (shared.sigaction(signal, nullptr, &now) != 0) return;
  if ((now.sa_flags & SA_SIGINFO) != 0 && now.sa_sigaction == &on_fault) return;
  take_next(signal, now);
  struct sigaction ours = {};
  ours.sa_sigaction = &on_fault;
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigfillset(&ours.sa_mask);
  shared.sigaction(signal, &ours, nullptr);
}

// An access by the program to each page, as the system call will make it.
void touch(const void* p, std::size_t bytes, int write) {
  const auto first = reinterpret_cast<std::uintptr_t>(p);
  if (in_driver > 0 || ((first < shared.zone_begin || first >= shared.zone_end) && find(first) == nullptr)) return;
  for (std::uintptr_t at = first; at - first < bytes; at = page_floor(at) + page_bytes) {
    auto* const byte = reinterpret_cast<volatile unsigned char*>(at);
    if (write != 0) {
#if defined(__x86_64__)
      asm volatile("lock orb $0, %0" : "+m"(*byte));  // a write from the start; what is made of a builtin may read first
#else
      __atomic_fetch_or(byte, 0, __ATOMIC_RELAXED);
#endif
    } else {
      static_cast<void>(*byte);
    }
  }
}

// Closed pages cannot be pinned. What is undefined there is watched no longer.
void pin(const void* p, std::size_t bytes) {
  if (in_driver > 0) return;
  const auto first = reinterpret_cast<std::uintptr_t>(p);
  for (std::uintptr_t at = first; at - first < bytes;) {
    Region* const r = find(at);
    if (r == nullptr) return;
    State state = State::fresh;
    if (r->state.compare_exchange_strong(state, State::writable)) open(*r, PROT_READ | PROT_WRITE);
    at = r->end.load(std::memory_order_relaxed);
  }
}

void exchange_handler(int signal, const struct sigaction* action, struct sigaction* old) {
  const struct sigaction before = newest(next_of(signal));
  if (action != nullptr) take_next(signal, *action);
  if (old != nullptr) *old = before;
}

}  // namespace

void install(std::uintptr_t zone_begin, std::uintptr_t zone_end, int file, std::size_t file_bytes, bool stop_at_first,
             void (*wake)()) {
  shared.zone_begin = zone_begin;
  shared.zone_end = zone_end;
  shared.file = file;
  if (file_bytes != 0) {
    void* const p = ::mmap(nullptr, file_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file, 0);
    if (p != MAP_FAILED) shared.stores = static_cast<std::byte*>(p);
  }
  shared.stop = stop_at_first;
  shared.wake = wake;
  shared.regions = new Region[most_slots];
  constexpr std::array<unsigned char, 8> word = {0x5a, 0xa5, 0xf8, 0xff, 0x5a, 0xa5, 0xf8, 0xff};
  for (std::size_t i = 0; i < pattern.size(); ++i) pattern[i] = word[i % word.size()];
  // The unwinder loads and allocates at its first use, which must not be in a handler.
  std::array<const void*, 8> warm;
  static_cast<void>(boost::stacktrace::safe_dump_to(warm.data(), sizeof warm));
  keep_installed();
}

void keep_installed() noexcept {
  if (!shared.preloaded) install_for(SIGSEGV);
}

bool register_preload() noexcept {
  const auto add = reinterpret_cast<SluiceStrictRegister>(::dlsym(RTLD_DEFAULT, SLUICE_STRICT_REGISTER));
  const auto real = reinterpret_cast<SluiceStrictSigaction>(::dlsym(RTLD_DEFAULT, SLUICE_STRICT_SIGACTION));
  if (add == nullptr || real == nullptr) return false;
  const SluiceStrictHooks hooks{SLUICE_STRICT_VERSION, &touch, &pin, &exchange_handler};
  shared.sigaction = real;
  shared.preloaded = add(&hooks) == 0;
  if (shared.preloaded) install_for(SIGBUS);
  return shared.preloaded;
}

Region* take_slot() noexcept {
  const std::size_t used = shared.used.load(std::memory_order_relaxed);
  std::size_t i = shared.first_free;
  while (i < used && shared.regions[i].kind.load(std::memory_order_relaxed) != Kind::none) ++i;
  shared.first_free = i;
  if (i == most_slots) return nullptr;
  shared.first_free = i + 1;
  if (i == used) shared.used.store(used + 1, std::memory_order_release);
  return &shared.regions[i];
}

void free_slot(Region& region) noexcept {
  region.kind.store(Kind::none, std::memory_order_release);
  region.opened.store(false, std::memory_order_relaxed);
  shared.first_free = std::min(shared.first_free, static_cast<std::size_t>(&region - shared.regions));
}

void make_fresh(Region& region) {
  const std::size_t count = (region.end.load() - region.begin.load()) / page_bytes;
  if (region.page_room < count) {
    region.page_room = std::max(count, 2 * region.page_room);
    region.pages.store(new std::atomic<std::uint8_t>[region.page_room], std::memory_order_release);
  }
  std::atomic<std::uint8_t>* const pages = region.pages.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < count; ++i) pages[i].store(0, std::memory_order_relaxed);
  region.next_page = region.begin.load();
  region.run_pages = 0;
  region.misread = false;
}

bool was_filled(const Region& region) noexcept {
  if (region.misread.load(std::memory_order_relaxed)) return false;
  const std::size_t count = (region.end.load() - region.begin.load()) / page_bytes;
  const std::atomic<std::uint8_t>* const pages = region.pages.load(std::memory_order_acquire);
  return std::all_of(pages, pages + count, [](const auto& page) { return page.load(std::memory_order_relaxed) != 0; });
}

Region* find_region(std::uint64_t id, Kind kind) noexcept {
  Region* found = nullptr;
  for_each([&](Region& r) {
    if (r.id.load(std::memory_order_relaxed) == id && r.kind.load(std::memory_order_relaxed) == kind) found = &r;
  });
  return found;
}

bool take_fault(Fault& fault) noexcept {
  const std::uint64_t number = shared.taken.load(std::memory_order_relaxed);
  Record& r = shared.records[number % most_faults];
  if (r.state.load(std::memory_order_acquire) != Record::full) return false;
  fault = r.fault;
  shared.taken.store(number + 1, std::memory_order_relaxed);
  r.state.store(Record::empty, std::memory_order_release);
  return true;
}

bool has_fault() noexcept {
  return shared.records[shared.taken.load(std::memory_order_relaxed) % most_faults].state.load(
             std::memory_order_acquire) == Record::full;
}

std::uint64_t lost_faults() noexcept {
  return shared.lost.load(std::memory_order_relaxed);
}

void enter() noexcept {
  repeats = 0;  // who calls goes on
  ++in_driver;
}
void leave() noexcept {
  --in_driver;
}
void set_kernel(std::uint64_t number) noexcept {
  shared.kernel.store(number, std::memory_order_relaxed);
}
void set_opened(Region& region) noexcept {
  region.opened.store(true, std::memory_order_relaxed);
  shared.opened.store(true, std::memory_order_relaxed);
}
bool take_opened() noexcept {
  return shared.opened.load(std::memory_order_relaxed) && shared.opened.exchange(false, std::memory_order_relaxed);
}

bool protect(std::uintptr_t begin, std::uintptr_t end, int protection) noexcept {
  return begin >= end || ::mprotect(reinterpret_cast<void*>(begin), end - begin, protection) == 0;
}

void open(Region& region, int protection) noexcept {
  region.touchable.store(true, std::memory_order_relaxed);
  protect(region.begin.load(std::memory_order_relaxed), region.end.load(std::memory_order_relaxed), protection);
}

void close(Region& region) noexcept {
  region.ready = false;
  if (!region.touchable.exchange(false, std::memory_order_relaxed)) return;
  protect(region.begin.load(std::memory_order_relaxed), region.end.load(std::memory_order_relaxed), PROT_NONE);
}

Region* slots() noexcept {
  return shared.regions;
}
std::size_t all_slots() noexcept {
  return most_slots;
}
std::size_t used_slots() noexcept {
  return shared.used.load(std::memory_order_acquire);
}

}  // namespace sluice::api::strict::guard

#include "sim/iface/fiber.h"

#include <sys/mman.h>

#include <cstdint>
#include <new>
#include <utility>

#if defined(__SANITIZE_THREAD__)
#define SLUICE_TSAN 1
#elif defined(__SANITIZE_ADDRESS__)
#define SLUICE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SLUICE_TSAN 1
#elif __has_feature(address_sanitizer)
#define SLUICE_ASAN 1
#endif
#endif
#ifdef SLUICE_TSAN
#include <sanitizer/tsan_interface.h>
#endif
#ifdef SLUICE_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

namespace sluice {

namespace {

constexpr std::size_t work_stack_bytes = std::size_t{1} << 20;

#ifdef SLUICE_ASAN
// The place that the thread's last switch left: who arrives learns its stack. Asked for by functions that the compiler
// may not merge with what switches, since the thread may be another one behind a switch.
thread_local FiberPlace* left = nullptr;

[[gnu::noinline, gnu::no_sanitize_address]] void leave(FiberPlace& from, const FiberPlace& to, bool for_good) {
  left = &from;
  __sanitizer_start_switch_fiber(for_good ? nullptr : &from.frames, to.stack, to.stack_bytes);
}
[[gnu::noinline, gnu::no_sanitize_address]] void arrive(void* frames) {
  __sanitizer_finish_switch_fiber(frames, &left->stack, &left->stack_bytes);
}
#define SLUICE_ON_ITS_OWN_STACK [[gnu::no_sanitize_address]]
#else
#define SLUICE_ON_ITS_OWN_STACK
#endif

// makecontext passes ints.
SLUICE_ON_ITS_OWN_STACK void enter(unsigned entry_high, unsigned entry_low, unsigned argument_high,
                                   unsigned argument_low) {
#ifdef SLUICE_ASAN
  arrive(nullptr);
#endif
  const auto entry = reinterpret_cast<void (*)(void*)>(std::uint64_t{entry_high} << 32 | entry_low);
  entry(reinterpret_cast<void*>(std::uint64_t{argument_high} << 32 | argument_low));
}

}  // namespace

FiberStack::FiberStack(std::size_t bytes) : bytes_(bytes) {
  memory_ = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory_ == MAP_FAILED) throw std::bad_alloc();
}

FiberStack::~FiberStack() {
#ifdef SLUICE_TSAN
  if (fiber_ != nullptr) __tsan_destroy_fiber(fiber_);
#endif
  munmap(memory_, bytes_);
}

void FiberStack::begin(FiberPlace& place, void (*entry)(void*), void* argument) {
#ifdef SLUICE_TSAN
  if (fiber_ != nullptr) __tsan_destroy_fiber(fiber_);
  fiber_ = __tsan_create_fiber(0);
#endif
  place.fiber = fiber_;
  place.stack = memory_;
  place.stack_bytes = bytes_;
  getcontext(&place.context);
  place.context.uc_stack.ss_sp = memory_;
  place.context.uc_stack.ss_size = bytes_;
  place.context.uc_link = nullptr;
  const auto function = reinterpret_cast<std::uint64_t>(entry);
  const auto value = reinterpret_cast<std::uint64_t>(argument);
  makecontext(&place.context, reinterpret_cast<void (*)()>(&enter), 4, static_cast<unsigned>(function >> 32),
              static_cast<unsigned>(function), static_cast<unsigned>(value >> 32), static_cast<unsigned>(value));
}

SLUICE_ON_ITS_OWN_STACK void switch_fiber(FiberPlace& from, const FiberPlace& to, [[maybe_unused]] bool for_good) {
#ifdef SLUICE_TSAN
  from.fiber = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(to.fiber, 0);
#endif
#ifdef SLUICE_ASAN
  leave(from, to, for_good);
#endif
  swapcontext(&from.context, &to.context);
#ifdef SLUICE_ASAN
  arrive(from.frames);
#endif
}

PausingWork::PausingWork(std::function<void()> work) : work_(std::move(work)), stack_(work_stack_bytes) {
  stack_.begin(inside_, &PausingWork::enter, this);
}

bool PausingWork::resume() {
  switch_fiber(outside_, inside_);
  return over_;
}

void PausingWork::pause() { switch_fiber(inside_, outside_); }

void PausingWork::enter(void* self) {
  auto& work = *static_cast<PausingWork*>(self);
  work.work_();
  work.over_ = true;
  switch_fiber(work.inside_, work.outside_, /*for_good=*/true);
}

}  // namespace sluice

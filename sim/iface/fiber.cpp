#include "sim/iface/fiber.h"

#include <sys/mman.h>

#include <cstdint>
#include <new>
#include <utility>

#if defined(__SANITIZE_THREAD__)
#define SLUICE_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SLUICE_TSAN 1
#endif
#endif
#ifdef SLUICE_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace sluice {

namespace {

constexpr std::size_t work_stack_bytes = std::size_t{1} << 20;

// makecontext passes ints.
void enter(unsigned entry_high, unsigned entry_low, unsigned argument_high, unsigned argument_low) {
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
  if (sanitizer_ != nullptr) __tsan_destroy_fiber(sanitizer_);
#endif
  munmap(memory_, bytes_);
}

void FiberStack::begin(FiberPlace& place, void (*entry)(void*), void* argument) {
#ifdef SLUICE_TSAN
  if (sanitizer_ != nullptr) __tsan_destroy_fiber(sanitizer_);
  sanitizer_ = __tsan_create_fiber(0);
#endif
  place.sanitizer = sanitizer_;
  getcontext(&place.context);
  place.context.uc_stack.ss_sp = memory_;
  place.context.uc_stack.ss_size = bytes_;
  place.context.uc_link = nullptr;
  const auto function = reinterpret_cast<std::uint64_t>(entry);
  const auto value = reinterpret_cast<std::uint64_t>(argument);
  makecontext(&place.context, reinterpret_cast<void (*)()>(&enter), 4, static_cast<unsigned>(function >> 32),
              static_cast<unsigned>(function), static_cast<unsigned>(value >> 32), static_cast<unsigned>(value));
}

void switch_fiber(FiberPlace& from, const FiberPlace& to) {
#ifdef SLUICE_TSAN
  from.sanitizer = __tsan_get_current_fiber();
  __tsan_switch_to_fiber(to.sanitizer, 0);
#endif
  swapcontext(&from.context, &to.context);
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
  work.pause();
}

}  // namespace sluice

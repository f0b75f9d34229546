// What is to happen when a command completes or fails: a callable kept inside the command's record, so that a command
// costs no allocation.
#pragma once

#include <CL/cl.h>

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

#include "sim/iface/command.h"

namespace sluice::api {

// How a command ended. `result`: CL_COMPLETE; CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST if it was abandoned because
// an event of its wait list had failed; CL_OUT_OF_RESOURCES if it failed on the device, as a kernel may. `times.visible` is
// valid in all cases.
struct CommandOutcome {
  cl_int result = CL_COMPLETE;
  Completion times;
};

// Holds a callable `void(CommandOutcome&)` of up to 56 bytes: capture pointers and Refs, not strings. It may turn the
// outcome into a failure.
class CompletionHook {
 public:
  CompletionHook() noexcept = default;
  template <class F>
    requires(!std::is_same_v<std::remove_cvref_t<F>, CompletionHook>)
  CompletionHook(F&& f) {  // NOLINT(google-explicit-constructor): a lambda is given where a hook is wanted
    using Callable = std::remove_cvref_t<F>;
    static_assert(sizeof(Callable) <= kBytes && alignof(Callable) <= alignof(void*), "capture less");
    static_assert(std::is_nothrow_move_constructible_v<Callable>);
    ::new (storage_) Callable(std::forward<F>(f));
    operations_ = &operations<Callable>;
  }
  CompletionHook(CompletionHook&& other) noexcept { take(other); }
  CompletionHook& operator=(CompletionHook&& other) noexcept {
    if (this != &other) {
      reset();
      take(other);
    }
    return *this;
  }
  ~CompletionHook() { reset(); }

  void operator()(CommandOutcome& outcome) {
    if (operations_ != nullptr) operations_->call(storage_, outcome);
  }
  void reset() noexcept {
    if (operations_ != nullptr) std::exchange(operations_, nullptr)->destroy(storage_);
  }

 private:
  static constexpr std::size_t kBytes = 56;
  struct Operations {
    void (*call)(void*, CommandOutcome&);
    void (*move)(void* from, void* to) noexcept;  // leaves nothing at `from`
    void (*destroy)(void*) noexcept;
  };
  template <class C>
  static constexpr Operations operations = {
      [](void* p, CommandOutcome& o) { (*static_cast<C*>(p))(o); },
      [](void* from, void* to) noexcept {
        ::new (to) C(std::move(*static_cast<C*>(from)));
        static_cast<C*>(from)->~C();
      },
      [](void* p) noexcept { static_cast<C*>(p)->~C(); }};

  void take(CompletionHook& other) noexcept {
    operations_ = std::exchange(other.operations_, nullptr);
    if (operations_ != nullptr) operations_->move(other.storage_, storage_);
  }

  const Operations* operations_ = nullptr;
  alignas(void*) std::byte storage_[kBytes];
};

}  // namespace sluice::api

// Stacks to which a thread may switch, and work that stops in the middle and goes on later, on whichever thread. The
// sanitizers are told.
#pragma once

#include <ucontext.h>

#include <cstddef>
#include <functional>

namespace sluice {

// Where something goes on.
struct FiberPlace {
  ucontext_t context{};
  // For the sanitizers.
  void* fiber = nullptr;
  void* frames = nullptr;       // that are kept off the stack
  const void* stack = nullptr;  // its lowest byte
  std::size_t stack_bytes = 0;
};

class FiberStack {
 public:
  // Pages are committed as they are touched. Throws std::bad_alloc.
  explicit FiberStack(std::size_t bytes);
  ~FiberStack();
  FiberStack(const FiberStack&) = delete;
  FiberStack& operator=(const FiberStack&) = delete;

  // A switch to `place` will call `entry`, which must not return. What the stack held is dropped.
  void begin(FiberPlace& place, void (*entry)(void*), void* argument);

 private:
  void* memory_ = nullptr;
  std::size_t bytes_;
  void* fiber_ = nullptr;
};

// Leaves `from` as where the caller goes on once somebody switches to it; `for_good`: nobody will.
void switch_fiber(FiberPlace& from, const FiberPlace& to, bool for_good = false);

// Work on a stack of its own. It throws nothing.
class PausingWork {
 public:
  explicit PausingWork(std::function<void()> work);
  // Begins it or goes on with it. True: it is over.
  [[nodiscard]] bool resume();
  // From inside, on whichever stack the work has made for itself: back to the caller of resume().
  void pause();

 private:
  static void enter(void* self);

  std::function<void()> work_;
  FiberStack stack_;
  FiberPlace outside_, inside_;
  bool over_ = false;
};

}  // namespace sluice

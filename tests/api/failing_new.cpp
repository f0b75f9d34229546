#include "tests/api/failing_new.h"

#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

thread_local long countdown = -1;
thread_local bool failed = false;

void* allocate(std::size_t bytes, std::size_t alignment) {
  if (countdown >= 0 && countdown-- == 0) {
    failed = true;
    throw std::bad_alloc();
  }
  void* p = alignment == 0 ? std::malloc(bytes == 0 ? 1 : bytes)
                           : std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}

}  // namespace

void fail_allocation(long n) noexcept {
  countdown = n;
  failed = false;
}

bool allocation_failed() noexcept {
  return failed;
}

#define EXPORTED __attribute__((visibility("default")))

EXPORTED void* operator new(std::size_t bytes) {
  return allocate(bytes, 0);
}
EXPORTED void* operator new[](std::size_t bytes) {
  return allocate(bytes, 0);
}
EXPORTED void* operator new(std::size_t bytes, std::align_val_t a) {
  return allocate(bytes, std::size_t(a));
}
EXPORTED void* operator new[](std::size_t bytes, std::align_val_t a) {
  return allocate(bytes, std::size_t(a));
}
EXPORTED void operator delete(void* p) noexcept {
  std::free(p);
}
EXPORTED void operator delete[](void* p) noexcept {
  std::free(p);
}
EXPORTED void operator delete(void* p, std::size_t) noexcept {
  std::free(p);
}
EXPORTED void operator delete[](void* p, std::size_t) noexcept {
  std::free(p);
}
EXPORTED void operator delete(void* p, std::align_val_t) noexcept {
  std::free(p);
}
EXPORTED void operator delete[](void* p, std::align_val_t) noexcept {
  std::free(p);
}
EXPORTED void operator delete(void* p, std::size_t, std::align_val_t) noexcept {
  std::free(p);
}
EXPORTED void operator delete[](void* p, std::size_t, std::align_val_t) noexcept {
  std::free(p);
}

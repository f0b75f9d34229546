// Zeroed memory for the tags of all caches of a device. Look-ups are all over it, so it asks for large pages, of which the
// processor keeps the addresses.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <new>

namespace sluice::compute {

class TagMemory {
 public:
  explicit TagMemory(std::size_t bytes) : bytes_(bytes + large_page) {
    memory_ = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory_ == MAP_FAILED) throw std::bad_alloc();
    const auto at = reinterpret_cast<std::uintptr_t>(memory_);
    next_ = static_cast<std::byte*>(memory_) + (large_page - at % large_page) % large_page;
    madvise(next_, bytes, MADV_HUGEPAGE);  // it works without, too
  }
  ~TagMemory() { munmap(memory_, bytes_); }
  TagMemory(const TagMemory&) = delete;
  TagMemory& operator=(const TagMemory&) = delete;
  // The next `bytes` of what the constructor was told.
  [[nodiscard]] void* take(std::size_t bytes) noexcept {
    void* const taken = next_;
    next_ += bytes;
    return taken;
  }

 private:
  static constexpr std::size_t large_page = std::size_t{2} << 20;
  std::size_t bytes_;
  void* memory_ = nullptr;
  std::byte* next_ = nullptr;
};

}  // namespace sluice::compute

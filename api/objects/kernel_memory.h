// The memory that the kernels of a device may touch: the stores of its contexts' buffers and images, and shared virtual
// memory. Kept in the form that the engine and the compute model read, sim/iface's MemoryMap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/iface/kernel_engine.h"

namespace sluice::api {

class DeviceRange;

// Ranges may overlap: the program may give the same memory to several buffers with CL_MEM_USE_HOST_PTR, SVM too. The
// map cannot; the oldest range then keeps its whole, a newer one has the bytes that are left.
class KernelMemory {
 public:
  [[nodiscard]] const MemoryMap& map() const noexcept { return map_; }
  void add(const MemoryRange& range);
  // As added.
  void remove(const std::byte* data, std::uint64_t bytes) noexcept;
  // Whether the program has no way to write the range but by commands. What overlaps others never counts as such.
  void set_stable(const std::byte* data, std::uint64_t bytes, bool stable) noexcept;

 private:
  [[nodiscard]] bool meets_any(const MemoryRange& range) const;
  void add_uncovered(const MemoryRange& range);

  MemoryMap map_;
  std::vector<MemoryRange> shared_;  // those that overlap, or did, by age; all others are in the map alone
};

// What an object shows of itself to the kernels of its context's devices, for as long as it lives.
class KernelView {
 public:
  KernelView() = default;
  // Kernels see `data` in device memory at each device's address of `range`, or in host memory.
  KernelView(const DeviceRange& range, Placement placement, std::byte* data, std::uint64_t bytes);
  KernelView(KernelView&& other) noexcept;
  KernelView& operator=(KernelView&& other) noexcept;
  ~KernelView();
  // As KernelMemory::set_stable.
  void set_stable(bool stable) noexcept;

 private:
  std::vector<DeviceIndex> devices_;
  std::byte* data_ = nullptr;
  std::uint64_t bytes_ = 0;
};

}  // namespace sluice::api

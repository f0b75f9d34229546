// Shared virtual memory: the live allocations, and the regions of them that are mapped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "api/objects/context.h"
#include "api/objects/memory.h"
#include "api/objects/object.h"

namespace sluice::api {

// Serial numbers are never used again, over all allocations and mappings.
struct SvmAllocation {
  Ref<Context> context;
  std::byte* store = nullptr;
  std::size_t size = 0;
  DeviceRange range;
  KernelView view;
  cl_svm_mem_flags flags = 0;
  std::uint64_t serial = 0;
  bool pages_move = false;  // to the side that touches them (Simulator::manage)
  bool watched = false;     // fine-grained memory, with touch tracking: what the program writes without a map
  // Regions that were enqueued to be mapped and not unmapped, in the order of the calls. The same pointer may be mapped
  // several times.
  struct Mapping {
    void* pointer;
    std::size_t size;
    cl_map_flags flags;
    std::uint64_t serial;
    std::uint64_t strict = 0;  // strict::MapId
  };
  std::vector<Mapping> mappings;

  [[nodiscard]] bool fine_grained() const noexcept { return (flags & CL_MEM_SVM_FINE_GRAIN_BUFFER) != 0; }
};

class Call;
class Runtime;

// What a migration of [pointer, pointer + bytes) asks of memory whose pages move; 0 bytes: of its whole allocation.
void add_pages(Call& call, const void* pointer, std::size_t bytes, cl_mem_migration_flags flags, Command& command);
// With touch tracking, of fine-grained allocations of a context: while one of these lives, devices may write them and nobody
// is watched; before the first and behind the last the program is, and what it has written is told when one begins.
class FineTouches {
 public:
  FineTouches(Runtime& runtime, const Context& context);
  ~FineTouches();
  FineTouches(const FineTouches&) = delete;
  FineTouches& operator=(const FineTouches&) = delete;

 private:
  Runtime& runtime_;
};

// The allocation that contains `p`, or nullptr.
[[nodiscard]] SvmAllocation* find_svm(const void* p) noexcept;
// The allocation that contains `p` or ends at it: a kernel may be given a pointer past the last element.
[[nodiscard]] inline SvmAllocation* find_svm_argument(const void* p) noexcept {
  SvmAllocation* const a = find_svm(p);
  return a != nullptr ? a : find_svm(static_cast<const std::byte*>(p) - 1);
}
[[nodiscard]] inline bool is_svm_pointer(const void* p) noexcept { return p != nullptr && find_svm(p) != nullptr; }

}  // namespace sluice::api

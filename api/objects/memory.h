// A buffer, a window (sub-buffer) of one, an image, or a pipe. The data store is ordinary host memory that is reserved, not
// committed; a mapped pointer points into it, so a map never copies. See docs/model.md for where the machine keeps it
// in its time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "api/objects/context.h"
#include "api/objects/image.h"
#include "api/objects/kernel_memory.h"
#include "api/objects/object.h"
#include "api/objects/pipe.h"
#include "sim/iface/command.h"
#include "sim/iface/machine.h"
#include "sim/iface/simulator.h"

namespace sluice::api {

// Memory that is reserved on every device of a context, because a command of any of them may use the object.
class DeviceRange {
 public:
  DeviceRange() = default;
  // nullopt: a device has no room.
  [[nodiscard]] static std::optional<DeviceRange> reserve(Simulator& sim, const Context& context, std::size_t bytes);
  DeviceRange(DeviceRange&& other) noexcept : parts_(std::exchange(other.parts_, {})) {}
  DeviceRange& operator=(DeviceRange&& other) noexcept {
    std::swap(parts_, other.parts_);
    return *this;
  }
  ~DeviceRange();

  struct Part {
    DeviceIndex device;
    std::uint64_t address;
  };
  // The simulated address of the first byte. `device`: one of the context's.
  [[nodiscard]] std::uint64_t address(DeviceIndex device) const noexcept;
  [[nodiscard]] const std::vector<Part>& parts() const noexcept { return parts_; }

 private:
  std::vector<Part> parts_;
};

// A device reaches memory that is not copied across the link.
[[nodiscard]] constexpr Placement placement_of(BufferPolicy policy) noexcept {
  return policy == BufferPolicy::zero_copy ? Placement::host_pinned : Placement::device;
}

using MemoryDestructor = void(CL_CALLBACK*)(cl_mem memobj, void* user_data);

class Memory final : public Object<Memory, cl_mem, ObjectType::memory> {
 public:
  // A buffer; the caller has checked everything. `device_bytes`: what the store and `range` have, if more than `size`.
  Memory(Context& context, cl_mem_flags flags, std::size_t size, void* host_ptr, std::byte* store, bool owns_store,
         DeviceRange range, BufferPolicy policy, std::size_t device_bytes = 0);
  // A sub-buffer.
  Memory(Memory& parent, cl_mem_flags flags, std::size_t origin, std::size_t size);
  ~Memory();

  [[nodiscard]] Context& context() const noexcept { return *context_; }
  [[nodiscard]] Memory* parent() const noexcept { return parent_.get(); }
  // The buffer that owns the store: this one, or the parent.
  [[nodiscard]] Memory& root() noexcept { return parent_ ? *parent_ : *this; }
  [[nodiscard]] const Memory& root() const noexcept { return parent_ ? *parent_ : *this; }
  [[nodiscard]] cl_mem_flags flags() const noexcept { return flags_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t offset() const noexcept { return offset_; }  // in the parent
  [[nodiscard]] void* host_ptr() const noexcept { return host_ptr_; }
  [[nodiscard]] std::byte* store() const noexcept { return store_; }  // of this window's first byte
  [[nodiscard]] BufferPolicy policy() const noexcept { return policy_; }
  // Where a device finds the store.
  [[nodiscard]] Placement placement() const noexcept { return placement_of(policy_); }
  // A device's view of bytes [at, ...).
  [[nodiscard]] Endpoint device_end(const Device& device, std::size_t at) const noexcept;
  // The same of a copy's end: the bytes may be in the memory of another device, the one whose command wrote them last.
  [[nodiscard]] Endpoint copy_end(const Device& device, std::size_t at) const noexcept;
  // A command of `device` writes the store.
  void written_by(const Device& device) noexcept { root().home_ = device.index(); }
  // The bytes are in no other device's memory.
  [[nodiscard]] bool is_at(const Device& device) const noexcept {
    return placement() != Placement::device || root().home_.value_or(device.index()) == device.index();
  }
  // The pinned host mirror's view of the same bytes.
  [[nodiscard]] Endpoint host_end(Simulator& sim, std::size_t at, std::size_t bytes) const;

  // Mappings that were enqueued and not unmapped. Ranges are in bytes of root().
  struct Mapping {
    void* pointer;
    std::size_t begin;
    std::size_t end;
    cl_map_flags flags;
    std::uint64_t serial;
    ImageBox box{};  // of an image; [begin, end) then runs from its first to past its last byte
    // Of an image in another object's store: rows of `row_bytes`, a pitch apart. Otherwise [begin, end) is one row.
    std::size_t row_bytes = 0;
    std::size_t pitch = 0;
    std::uint64_t strict = 0;  // strict::MapId
    [[nodiscard]] bool meets(const Mapping& other) const noexcept;
    [[nodiscard]] bool meets(std::size_t first, std::size_t last) const noexcept;  // bytes [first, last)
    [[nodiscard]] bool writes() const noexcept {
      return (flags & (CL_MAP_WRITE | CL_MAP_WRITE_INVALIDATE_REGION)) != 0;
    }
  };
  std::vector<Mapping> mappings;  // of this object, in the order of the calls
  // Undoes an unmap that never ran: the mapping goes back to its place.
  void restore(const Mapping& mapping);
  // To be called after each change of mappings that write: kernels then know whether the program may write the store.
  void mappings_changed() noexcept;
  cl_uint map_count() const noexcept { return static_cast<cl_uint>(mappings.size()); }
  std::vector<Memory*> children;  // live sub-buffers, for overlap checks
  std::uint64_t next_mapping = 0;
  bool mirror_made = false;                   // root: the mirror was created and pinned by a first map
  std::unique_ptr<const Image> image;
  std::optional<Pipe> pipe;
  [[nodiscard]] bool is_buffer() const noexcept { return image == nullptr && !pipe; }
  std::vector<cl_mem_properties> properties;  // with the terminating 0; empty if none were given

  // True if a mapping of this object, its parent or its siblings writes bytes of `mapping`.
  [[nodiscard]] bool write_mapped(const Mapping& mapping);

  void on_destruction(MemoryDestructor function, void* data) { destructors_.push_back({function, data}); }

 private:
  struct Destructor {
    MemoryDestructor function;
    void* data;
  };
  Ref<Context> context_;
  Ref<Memory> parent_;
  cl_mem_flags flags_;
  std::size_t size_;
  std::size_t offset_ = 0;
  void* host_ptr_;
  std::byte* store_;
  bool owns_store_;
  DeviceRange range_;  // of a root; a window lies in its parent's
  std::optional<DeviceIndex> home_;  // of a root: whose command wrote last, in the order of the calls
  BufferPolicy policy_;
  KernelView view_;  // of a root
  std::vector<Destructor> destructors_;
};

// Host ranges that a device reaches by itself: stores of buffers and shared virtual memory. Ranges may overlap: a
// buffer made with CL_MEM_USE_HOST_PTR may lie in memory that is pinned already.
class PinnedRanges {
 public:
  [[nodiscard]] static PinnedRanges& instance();
  void add(const void* p, std::size_t bytes);
  void remove(const void* p, std::size_t bytes);  // as added
  [[nodiscard]] bool covers(const void* p, std::size_t bytes) const noexcept;

 private:
  // Makes `at` a boundary.
  std::map<std::uintptr_t, std::uint32_t>::iterator split(std::uintptr_t at);

  // How many ranges cover the addresses from each boundary to the next.
  std::map<std::uintptr_t, std::uint32_t> depth_;
};

// Zeroed memory from the arena, aligned as CL_DEVICE_MEM_BASE_ADDR_ALIGN says, committed page by page as it is touched.
// nullptr: none to be had.
[[nodiscard]] std::byte* reserve_store(std::size_t bytes);
void release_store(std::byte* store) noexcept;

// The program's memory at `p` as one end of a transfer of `bytes` bytes spread over the given pitches.
[[nodiscard]] Endpoint program_end(Simulator& sim, const void* p, std::size_t bytes);

}  // namespace sluice::api

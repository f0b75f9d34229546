#include "api/objects/memory.h"

#include <algorithm>

#include "api/command/runtime.h"
#include "api/objects/arena.h"
#include "api/objects/touch_tracker.h"
#include "api/strict/strict.h"

namespace sluice::api {

std::byte* reserve_store(std::size_t bytes) {
  return Arena::instance().allocate(bytes, Runtime::instance().machine().device.base_address_align_bits / 8);
}

void release_store(std::byte* store) noexcept {
  Arena::instance().release(store);
}

std::optional<DeviceRange> DeviceRange::reserve(Simulator& sim, const Context& context, std::size_t bytes) {
  DeviceRange range;
  range.parts_.reserve(context.devices().size());
  for (const Device* device : context.devices()) {
    const auto address = sim.reserve_device(device->index(), bytes);
    if (!address) return std::nullopt;
    range.parts_.push_back({device->index(), *address});
  }
  return range;
}

DeviceRange::~DeviceRange() {
  for (const Part& part : parts_) Runtime::instance().sim().release_device(part.device, part.address);
}

std::uint64_t DeviceRange::address(DeviceIndex device) const noexcept {
  const auto part = std::find_if(parts_.begin(), parts_.end(), [&](const Part& p) { return p.device == device; });
  return part == parts_.end() ? 0 : part->address;
}

Memory::Memory(Context& context, cl_mem_flags flags, std::size_t size, void* host_ptr, std::byte* store,
               bool owns_store, DeviceRange range, BufferPolicy policy, std::size_t device_bytes)
    : context_(&context),
      flags_(flags),
      size_(size),
      host_ptr_(host_ptr),
      store_(store),
      owns_store_(owns_store),
      range_(std::move(range)),
      policy_(policy),
      view_(range_, placement(), store, std::max(size, device_bytes)) {
  PinnedRanges::instance().add(store_, size_);
  mappings_changed();
  using Kind = strict::Strict::ObjectKind;
  if (strict::instance != nullptr) {
    strict::instance->object_made(store_, size_, owns_store ? Kind::buffer : Kind::host_buffer);
  }
}

Memory::Memory(Memory& parent, cl_mem_flags flags, std::size_t origin, std::size_t size)
    : context_(&parent.context()),
      parent_(&parent),
      flags_(flags),
      size_(size),
      offset_(origin),
      host_ptr_(parent.host_ptr() == nullptr ? nullptr : static_cast<std::byte*>(parent.host_ptr()) + origin),
      store_(parent.store() + origin),
      owns_store_(false),
      policy_(parent.policy()) {
  parent.children.push_back(this);
}

Memory::~Memory() {
  Runtime& runtime = Runtime::instance();
  if (runtime.touches() != nullptr) runtime.touches()->forget(this);
  if (strict::instance != nullptr) {
    if (!mappings.empty()) strict::instance->never_unmapped(store_, !parent_);
    if (!parent_) strict::instance->object_gone(store_);
  }
  if (parent_) {
    std::erase(parent_->children, this);
  } else {
    PinnedRanges::instance().remove(store_, size_);
    if (owns_store_) {
      runtime.charge(runtime.sim().forget_host(store_, size_, runtime.clock()));
    } else if (!PinnedRanges::instance().covers(store_, size_)) {  // nobody else keeps the program's memory pinned
      runtime.charge(runtime.sim().unmap_host(store_, size_, runtime.clock()));
    }
  }
  // The newest callback first (clSetMemObjectDestructorCallback). The store goes after them: with CL_MEM_USE_HOST_PTR
  // they are how the program learns that its memory is its own again.
  const cl_mem self = handle();
  const TimePs now = runtime.clock();
  for (auto it = destructors_.rbegin(); it != destructors_.rend(); ++it) {
    runtime.post_callback(now, [self, d = *it] { d.function(self, d.data); });
  }
  if (owns_store_) release_store(store_);
}

Endpoint Memory::device_end(const Device& device, std::size_t at) const noexcept {
  Endpoint e;
  e.placement = placement();
  e.data = store_ + at;
  e.address = root().range_.address(device.index()) + offset_ + at;
  return e;
}

Endpoint Memory::copy_end(const Device& device, std::size_t at) const noexcept {
  Endpoint e = device_end(device, at);
  if (is_at(device)) return e;
  e.device = *root().home_;
  e.address = root().range_.address(e.device) + offset_ + at;
  return e;
}

Endpoint Memory::host_end(Simulator& sim, std::size_t at, std::size_t bytes) const {
  Endpoint e;
  e.placement = Placement::host_pinned;
  e.data = store_ + at;
  e.address = sim.host_address(store_ + at, bytes);
  return e;
}

void Memory::restore(const Mapping& mapping) {
  const auto at =
      std::find_if(mappings.begin(), mappings.end(), [&](const Mapping& x) { return x.serial > mapping.serial; });
  mappings.insert(at, mapping);
  mappings_changed();
}

void Memory::mappings_changed() noexcept {
  Memory& top = root();
  top.view_.set_stable((top.flags_ & CL_MEM_USE_HOST_PTR) == 0 && !top.write_mapped({.pointer = nullptr, .begin = 0, .end = top.size_, .flags = 0, .serial = 0}));
}

bool Memory::Mapping::meets(std::size_t first, std::size_t last) const noexcept {
  if (begin >= last || first >= end) return false;
  if (pitch == 0) return true;
  // The first row that ends behind `first`; it may lie in the gap before `last`.
  const std::size_t row = first < begin + row_bytes ? 0 : (first - begin - row_bytes) / pitch + 1;
  return begin + row * pitch < last;
}

bool Memory::Mapping::meets(const Mapping& other) const noexcept {
  if (other.pitch == 0) return meets(other.begin, other.end);
  for (std::size_t row = other.begin; row < other.end; row += other.pitch) {
    if (meets(row, row + other.row_bytes)) return true;
  }
  return false;
}

bool Memory::write_mapped(const Mapping& mapping) {
  const auto hits = [&](const Memory& m) {
    return std::any_of(m.mappings.begin(), m.mappings.end(),
                       [&](const Mapping& x) { return x.writes() && x.meets(mapping); });
  };
  Memory& top = root();
  return hits(top) || std::any_of(top.children.begin(), top.children.end(), [&](const Memory* c) { return hits(*c); });
}

PinnedRanges& PinnedRanges::instance() {
  static auto* ranges = new PinnedRanges;  // never destroyed: objects may outlive static destruction
  return *ranges;
}

std::map<std::uintptr_t, std::uint32_t>::iterator PinnedRanges::split(std::uintptr_t at) {
  const auto next = depth_.upper_bound(at);
  const std::uint32_t depth = next == depth_.begin() ? 0 : std::prev(next)->second;
  return depth_.try_emplace(at, depth).first;
}

void PinnedRanges::add(const void* p, std::size_t bytes) {
  const auto begin = reinterpret_cast<std::uintptr_t>(p);
  const auto last = split(begin + bytes);
  for (auto it = split(begin); it != last; ++it) ++it->second;
}

void PinnedRanges::remove(const void* p, std::size_t bytes) {
  const auto begin = reinterpret_cast<std::uintptr_t>(p);
  const auto last = split(begin + bytes);
  for (auto it = split(begin); it != last; ++it) --it->second;
  // Drop the boundaries that no longer are one.
  for (auto it = depth_.find(begin); it != depth_.end() && it->first <= begin + bytes;) {
    const std::uint32_t before = it == depth_.begin() ? 0 : std::prev(it)->second;
    it = it->second == before ? depth_.erase(it) : std::next(it);
  }
}

bool PinnedRanges::covers(const void* p, std::size_t bytes) const noexcept {
  const auto begin = reinterpret_cast<std::uintptr_t>(p);
  auto it = depth_.upper_bound(begin);
  if (it == depth_.begin()) return false;
  // The last boundary has depth 0, so the walk ends there at the latest.
  for (--it; it->second != 0; ++it) {
    if (bytes <= std::next(it)->first - begin) return true;
  }
  return false;
}

Endpoint program_end(Simulator& sim, const void* p, std::size_t bytes) {
  if (strict::instance != nullptr) p = strict::instance->behind(p, bytes);
  Endpoint e;
  e.placement = PinnedRanges::instance().covers(p, bytes) ? Placement::host_pinned : Placement::host_pageable;
  e.data = static_cast<std::byte*>(const_cast<void*>(p));
  e.address = sim.host_address(p, bytes);
  return e;
}

}  // namespace sluice::api

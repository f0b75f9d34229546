#include "api/objects/registry.h"

#include <array>
#include <new>

namespace sluice::api {

namespace {

// Memory of destroyed objects, by size.
struct Spare {
  const cl_icd_dispatch* dispatch;
  Spare* next;
};

class ObjectMemory {
 public:
  [[nodiscard]] static ObjectMemory& instance() {
    static ObjectMemory* const memory = new ObjectMemory;
    return *memory;
  }

  void* take(std::size_t bytes) {
    const std::size_t index = (bytes + kStep - 1) / kStep;
    if (index < kClasses) {
      const std::lock_guard lock(mutex_);
      Class& c = classes_[index];
      // Oldest first, and not before there are many: a stale handle should not meet a new object at its address.
      if (c.count > kQuarantine) {
        Spare* spare = c.oldest;
        c.oldest = spare->next;
        --c.count;
        return spare;
      }
    }
    return ::operator new(index * kStep);
  }

  void give(void* memory, std::size_t bytes) noexcept {
    const std::size_t index = (bytes + kStep - 1) / kStep;
    Spare* spare = ::new (memory) Spare{&dispatch_table, nullptr};
    const std::lock_guard lock(mutex_);
    Class& c = classes_[index < kClasses ? index : 0];  // 0: too large to be used again
    if (c.count++ == 0) {
      c.oldest = spare;
    } else {
      c.newest->next = spare;
    }
    c.newest = spare;
  }

 private:
  static constexpr std::size_t kStep = 64;
  static constexpr std::size_t kClasses = 17;  // up to 1 KiB
  static constexpr std::size_t kQuarantine = 256;
  struct Class {
    Spare* oldest = nullptr;
    Spare* newest = nullptr;
    std::size_t count = 0;
  };
  std::mutex mutex_;
  std::array<Class, kClasses> classes_;
};

}  // namespace

void* ObjectBase::operator new(std::size_t bytes) { return ObjectMemory::instance().take(bytes); }

void ObjectBase::operator delete(void* memory, std::size_t bytes) noexcept {
  ObjectMemory::instance().give(memory, bytes);
}

ObjectBase::ObjectBase(ObjectType type, Destroy destroy) : destroy_(destroy), type_(type) {
  Registry::instance().insert(this, type);
}

// The registry forgot the handle when the last reason to be live went. What is left is an object whose construction
// failed half-way.
ObjectBase::~ObjectBase() {
  if (live_.load(std::memory_order_relaxed) != 0) Registry::instance().erase(this);
}

bool ObjectBase::release() {
  std::uint32_t count = external_.load(std::memory_order_relaxed);
  do {
    if (count == 0) return false;
  } while (!external_.compare_exchange_weak(count, count - 1, std::memory_order_acq_rel));
  if (count == 1) end_live();
  return true;
}

void ObjectBase::end_live() {
  if (live_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  Registry::instance().erase(this);
  drop_use();
}

Registry& Registry::instance() {
  static Registry* const registry = new Registry;  // never destroyed: the program may call while it ends
  return *registry;
}

std::size_t Registry::home(const void* handle) const noexcept {
  // Fibonacci hashing: the low bits of addresses of like objects are alike.
  return (reinterpret_cast<std::uintptr_t>(handle) * 0x9E3779B97F4A7C15ULL >> 20) & (slots_.size() - 1);
}

void Registry::insert(ObjectBase* object, ObjectType type) {
  const std::lock_guard lock(mutex_);
  if (2 * (used_ + 1) > slots_.size()) grow();
  std::size_t i = home(object);
  while (slots_[i].handle != nullptr) i = (i + 1) & (slots_.size() - 1);
  slots_[i] = {object, type};
  ++used_;
}

void Registry::grow() {
  std::vector<Slot> old(2 * slots_.size());
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.handle == nullptr) continue;
    std::size_t i = home(slot.handle);
    while (slots_[i].handle != nullptr) i = (i + 1) & (slots_.size() - 1);
    slots_[i] = slot;
  }
}

void Registry::erase(ObjectBase* object) noexcept {
  const std::lock_guard lock(mutex_);
  const std::size_t mask = slots_.size() - 1;
  std::size_t hole = home(object);
  while (slots_[hole].handle != object) {
    if (slots_[hole].handle == nullptr) return;
    hole = (hole + 1) & mask;
  }
  --used_;
  // Close the gap instead of leaving a tombstone: a later entry of the run moves here unless its home lies behind.
  for (std::size_t i = (hole + 1) & mask; slots_[i].handle != nullptr; i = (i + 1) & mask) {
    if (((i - home(slots_[i].handle)) & mask) < ((i - hole) & mask)) continue;
    slots_[hole] = slots_[i];
    hole = i;
  }
  slots_[hole] = {};
}

bool Registry::contains(const void* handle, ObjectType type) const noexcept {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = home(handle);; i = (i + 1) & (slots_.size() - 1)) {
    if (slots_[i].handle == nullptr) return false;
    if (slots_[i].handle == handle) return slots_[i].type == type;
  }
}

}  // namespace sluice::api

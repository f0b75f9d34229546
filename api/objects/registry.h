// The set of live handles. A handle from the program is looked up before anything behind it is read, so that null,
// released, foreign-type and garbage handles give the object's error code and never crash.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "api/objects/object.h"

namespace sluice::api {

// Open addressing with linear probing: no allocation per object, about one cache line per look-up.
class Registry {
 public:
  [[nodiscard]] static Registry& instance();

  void insert(ObjectBase* object, ObjectType type);
  void erase(ObjectBase* object) noexcept;
  // Reads nothing behind `handle`.
  [[nodiscard]] bool contains(const void* handle, ObjectType type) const noexcept;

 private:
  struct Slot {
    const void* handle = nullptr;
    ObjectType type = ObjectType::none;
  };

  [[nodiscard]] std::size_t home(const void* handle) const noexcept;
  void grow();

  mutable std::mutex mutex_;
  std::vector<Slot> slots_ = std::vector<Slot>(256);  // a power of two
  std::size_t used_ = 0;
};

// The object behind a handle, or nullptr if the handle is not a live object of type T.
template <class T>
[[nodiscard]] T* find(typename T::Handle handle) noexcept {
  if (handle == nullptr || !Registry::instance().contains(handle, T::type)) return nullptr;
  return static_cast<T*>(reinterpret_cast<ObjectBase*>(handle));
}

}  // namespace sluice::api

// What every OpenCL object begins with: the loader's dispatch pointer, the two reference counts, and how to destroy it.
//
// `external` counts what the program holds (clCreate*, clRetain*, clRelease*). While it is positive the handle is live
// in the registry; when it reaches zero the handle is invalid for every later call. `uses` counts who needs the object:
// one use for all external references together, one for each Ref. An object that the program released lives on while a
// pending command or another object uses it. A handle that the program will get back in a callback stays live until
// then (keep_live). Objects are guarded by the one lock of the runtime; the counts are atomic all the same, a Ref may
// be copied or dropped by a thread that does not hold it.
#pragma once

#include <CL/cl_icd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace sluice::api {

extern const cl_icd_dispatch dispatch_table;  // api/icd/dispatch.cpp

enum class ObjectType : std::uint8_t {
  none, platform, device, context, queue, event, memory, program, kernel, sampler,
};

class ObjectBase {
 public:
  ObjectBase(const ObjectBase&) = delete;
  ObjectBase& operator=(const ObjectBase&) = delete;

  // The loader reads the first word of a handle before it calls the driver. Memory of destroyed objects therefore keeps
  // the dispatch pointer and is used for objects only: a call with a released handle arrives here and is refused.
  static void* operator new(std::size_t bytes);
  static void operator delete(void* memory, std::size_t bytes) noexcept;

  [[nodiscard]] ObjectType object_type() const noexcept { return type_; }
  // CL_*_REFERENCE_COUNT.
  [[nodiscard]] cl_uint reference_count() const noexcept { return external_.load(std::memory_order_relaxed); }

  // clRetain*. A callback may retain what the program had released: the handle is live for the callback, and from then
  // on for the program again.
  void retain() noexcept {
    if (external_.fetch_add(1, std::memory_order_relaxed) == 0) keep_live();
  }
  // clRelease*. When the last external reference goes, the handle leaves the registry and the object is destroyed
  // unless it is still used. Defined in registry.cpp.
  // False: the program holds no reference (a handle that is live for a callback only).
  [[nodiscard]] bool release();

  // The handle stays valid although the program may have released it: an event whose callback is to come.
  void keep_live() noexcept { live_.fetch_add(1, std::memory_order_relaxed); }
  void end_live();

  void add_use() noexcept { uses_.fetch_add(1, std::memory_order_relaxed); }
  void drop_use() {
    if (uses_.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy_(this);
  }

 protected:
  using Destroy = void (*)(ObjectBase*);
  // Registers the handle. `destroy` deletes the most derived object.
  ObjectBase(ObjectType type, Destroy destroy);
  ~ObjectBase();

 private:
  [[maybe_unused]] const cl_icd_dispatch* dispatch_ = &dispatch_table;  // the ICD loader reads it: must stay first
  Destroy destroy_;
  std::atomic<std::uint32_t> external_{1};
  std::atomic<std::uint32_t> live_{1};  // all external references together, and each keep_live()
  std::atomic<std::uint32_t> uses_{1};  // all that keeps it live together, and each Ref
  ObjectType type_;
};

// Base of the object types: `class Event : public Object<Event, cl_event, ObjectType::event>`. A type with subclasses
// gives itself a virtual destructor. Create with new, hand out with handle(), never delete: release() or drop_use() do.
template <class Derived, class HandleT, ObjectType kTypeOf>
class Object : public ObjectBase {
 public:
  using Handle = HandleT;
  static constexpr ObjectType type = kTypeOf;

  // The conversion goes through ObjectBase, because a polymorphic Derived does not begin with it.
  [[nodiscard]] HandleT handle() noexcept { return reinterpret_cast<HandleT>(static_cast<ObjectBase*>(this)); }

 protected:
  Object() : ObjectBase(kTypeOf, [](ObjectBase* object) { delete static_cast<Derived*>(object); }) {}
  ~Object() = default;
};

// An internal reference.
template <class T>
class Ref {
 public:
  Ref() noexcept = default;
  Ref(T* object) noexcept : object_(object) {  // NOLINT(google-explicit-constructor): reads like a pointer
    if (object_ != nullptr) object_->add_use();
  }
  Ref(const Ref& other) noexcept : Ref(other.object_) {}
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  template <class U>
  Ref(const Ref<U>& other) noexcept : Ref(static_cast<T*>(other.get())) {}  // NOLINT(google-explicit-constructor)
  ~Ref() { reset(); }
  Ref& operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  void reset() noexcept {
    if (T* object = std::exchange(object_, nullptr)) object->drop_use();
  }
  [[nodiscard]] T* get() const noexcept { return object_; }
  T* operator->() const noexcept { return object_; }
  T& operator*() const noexcept { return *object_; }
  explicit operator bool() const noexcept { return object_ != nullptr; }

 private:
  T* object_ = nullptr;
};

}  // namespace sluice::api

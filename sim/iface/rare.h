// A value that few objects of a kind have: one pointer in those that have none. Copies are copies of the value.
#pragma once

#include <memory>
#include <utility>

namespace sluice {

template <class T>
class Rare {
 public:
  Rare() noexcept = default;
  Rare(const T& value) : value_(std::make_unique<T>(value)) {}  // NOLINT(google-explicit-constructor): stands for a T
  Rare(const Rare& other) : value_(other.value_ != nullptr ? std::make_unique<T>(*other.value_) : nullptr) {}
  Rare(Rare&&) noexcept = default;
  Rare& operator=(Rare other) noexcept {
    value_ = std::move(other.value_);
    return *this;
  }
  ~Rare() = default;

  // What T{} is where there is none.
  [[nodiscard]] const T& operator*() const noexcept {
    static constexpr T none{};
    return value_ != nullptr ? *value_ : none;
  }
  [[nodiscard]] const T* operator->() const noexcept { return &**this; }
  // To be changed: makes one.
  [[nodiscard]] T& edit() {
    if (value_ == nullptr) value_ = std::make_unique<T>();
    return *value_;
  }

 private:
  std::unique_ptr<T> value_;
};

}  // namespace sluice

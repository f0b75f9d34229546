// The tail of every clGet*Info: copies the answer out, or refuses a buffer that is too small.
#pragma once

#include <CL/cl.h>

#include <cstring>
#include <type_traits>
#include <vector>

namespace sluice::api {

// Each function returns CL_SUCCESS, or CL_INVALID_VALUE if `value` is not null and `size` is less than the answer's
// size. The answer's size is stored whenever the call succeeds.
class InfoWriter {
 public:
  InfoWriter(std::size_t size, void* value, std::size_t* size_ret) : size_(size), value_(value), size_ret_(size_ret) {}

  cl_int bytes(const void* data, std::size_t count) const noexcept {
    if (value_ != nullptr) {
      if (size_ < count) return CL_INVALID_VALUE;
      if (count != 0) std::memcpy(value_, data, count);
    }
    if (size_ret_ != nullptr) *size_ret_ = count;
    return CL_SUCCESS;
  }
  // Give the type that the specification names: value<cl_uint>(n).
  template <class T>
    requires std::is_trivially_copyable_v<T>
  cl_int value(const std::type_identity_t<T>& v) const noexcept {
    return bytes(&v, sizeof(T));
  }
  cl_int boolean(bool b) const noexcept { return value<cl_bool>(b ? CL_TRUE : CL_FALSE); }
  // With its terminating zero.
  cl_int string(const char* text) const noexcept { return bytes(text, std::strlen(text) + 1); }
  template <class T>
  cl_int array(const std::vector<T>& v) const noexcept {
    return bytes(v.data(), v.size() * sizeof(T));
  }

 private:
  std::size_t size_;
  void* value_;
  std::size_t* size_ret_;
};

}  // namespace sluice::api

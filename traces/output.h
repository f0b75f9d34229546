// A trace file: a buffer that writers append to, written with write(2) in whole records.
#pragma once

#include <sys/types.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "sim/iface/time.h"
#include "traces/digits.h"

namespace sluice::trace {

class Digest;  // traces/digest.h

class Output {
 public:
  // A system call's worth: with less, the file system's work for each call shows; with more, the processor's cache is
  // too small.
  static constexpr std::size_t buffer_bytes = 256 * 1024;

  // Creates or truncates `path`. nullptr and the reason ("PATH: REASON") on failure.
  [[nodiscard]] static std::unique_ptr<Output> open(const std::string& path, std::string& error);
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  Output& text(std::string_view s) {
    reserve(s.size());
    std::memcpy(data_.get() + used_, s.data(), s.size());
    used_ += s.size();
    return *this;
  }
  Output& number(std::unsigned_integral auto value) {
    reserve(decimal_room);
    used_ = static_cast<std::size_t>(put_decimal(data_.get() + used_, value) - data_.get());
    return *this;
  }
  // `ps` picoseconds as microseconds with six decimals, exactly.
  Output& microseconds(TimePs ps);
  // In double quotes, escaped as JSON wants it; bytes that are not UTF-8 are passed on as they are.
  Output& string(std::string_view s);

  // For records that are written piece by piece at full speed: where the next `bytes` may be put, and how far they
  // were.
  [[nodiscard]] char* room(std::size_t bytes) {
    reserve(bytes);
    return data_.get() + used_;
  }
  void put_until(const char* end) { used_ = static_cast<std::size_t>(end - data_.get()); }

  // The record is whole: it may go to the file now.
  void end_record() {
    if (used_ >= buffer_bytes) flush();
  }
  void flush();
  void close();

  // Whatever goes to the file from here on is added to it; nullptr: nothing is.
  void digest_to(Digest* digest) noexcept { digest_ = digest; }

  // Gives the file up for a reason of the writer's own, an errno.
  void fail(int code);
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  [[nodiscard]] bool ok() const noexcept { return error_.empty(); }
  [[nodiscard]] const std::string& error() const noexcept { return error_; }

 private:
  Output(int descriptor, std::string path, bool may_signal);
  void reserve(std::size_t bytes) {
    if (capacity_ - used_ < bytes) grow(bytes);
  }
  void grow(std::size_t bytes);

  int descriptor_;
  std::string path_;
  std::string error_;
  Digest* digest_ = nullptr;
  bool may_signal_;  // a pipe or socket, whose other end may be gone
  pid_t process_;
  std::size_t used_ = 0;
  std::size_t capacity_;
  std::unique_ptr<char[]> data_;
};

}  // namespace sluice::trace

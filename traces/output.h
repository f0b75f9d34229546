// A trace file: a buffer that writers append to, written with write(2) in whole records. Integers are formatted by hand
// (std::to_chars), because a busy program yields a million records a second.
#pragma once

#include <sys/types.h>

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "sim/iface/time.h"

namespace sluice::trace {

class Output {
 public:
  // A killed process loses what is buffered, a record costs its share of a system call: 32 records are a loss of some
  // 30 us of the program's time, and 0.1 us a record.
  static constexpr unsigned records_per_write = 32;
  static constexpr std::size_t buffer_bytes = 64 * 1024;

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
    reserve(20);
    used_ =
        static_cast<std::size_t>(std::to_chars(data_.get() + used_, data_.get() + capacity_, value).ptr - data_.get());
    return *this;
  }
  Output& number(std::int32_t value) {
    reserve(11);
    used_ =
        static_cast<std::size_t>(std::to_chars(data_.get() + used_, data_.get() + capacity_, value).ptr - data_.get());
    return *this;
  }
  // `ps` picoseconds as microseconds with six decimals, exactly.
  Output& microseconds(TimePs ps);
  // In double quotes, escaped as JSON wants it; bytes that are not UTF-8 are passed on as they are.
  Output& string(std::string_view s);

  // The record is whole: it may go to the file now.
  void end_record() {
    if (++records_ >= records_per_write || used_ >= buffer_bytes) flush();
  }
  void flush();
  void close();

  [[nodiscard]] bool ok() const noexcept { return error_.empty(); }
  [[nodiscard]] const std::string& error() const noexcept { return error_; }

 private:
  Output(int descriptor, std::string path, bool may_signal);
  void reserve(std::size_t bytes) {
    if (capacity_ - used_ < bytes) grow(bytes);
  }
  void grow(std::size_t bytes);
  void fail(int code);

  int descriptor_;
  std::string path_;
  std::string error_;
  bool may_signal_;  // a pipe or socket, whose other end may be gone
  pid_t process_;
  unsigned records_ = 0;
  std::size_t used_ = 0;
  std::size_t capacity_;
  std::unique_ptr<char[]> data_;
};

}  // namespace sluice::trace

// Who asks later whether memory still holds what it held: the last writes that the machine's commands made, in order.
// Free of SystemC.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace sluice::sim {

class WriteLog {
 public:
  // A point in the order of all writes.
  [[nodiscard]] std::uint64_t now() const noexcept { return last_; }

  void wrote(const std::byte* data, std::uint64_t bytes) noexcept {
    writes_[++last_ % writes_.size()] = {data, data + bytes};
  }
  // It is not known what.
  void wrote_something() noexcept { unknown_ = ++last_; }

  // Nothing of [data, data + bytes) was written after `since`. False also where that is too long ago.
  [[nodiscard]] bool unwritten(std::uint64_t since, const std::byte* data, std::uint64_t bytes) const noexcept {
    if (unknown_ > since || last_ - since > writes_.size()) return false;
    for (std::uint64_t i = since + 1; i <= last_; ++i) {
      const Write& w = writes_[i % writes_.size()];
      if (w.begin < data + bytes && data < w.end) return false;
    }
    return true;
  }

 private:
  struct Write {
    const std::byte* begin = nullptr;
    const std::byte* end = nullptr;
  };
  std::array<Write, 256> writes_{};
  std::uint64_t last_ = 0;
  std::uint64_t unknown_ = 0;
};

}  // namespace sluice::sim

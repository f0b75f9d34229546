// Records on their way from the one thread that simulates to the thread that writes them: bytes, each record whole and
// without a gap, preceded by what it is. One producer at a time (whoever holds the driver's lock) and one consumer.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>

namespace sluice::trace {

class Ring {
 public:
  // Some 3700 commands: what a SIGKILL can lose, and more than a program yields while the writer thread naps.
  static constexpr std::size_t bytes = std::size_t{1} << 20;
  static constexpr std::uint64_t skip = 0;  // the tag of the unused rest before the ring begins anew

  // Producer. Calls fill(T&) on a new record with that tag. False: no room until the consumer has moved on.
  template <typename T, typename F>
  [[nodiscard]] bool put(std::uint64_t tag, F&& fill) {
    static_assert(std::is_trivially_copyable_v<T> && alignof(T) <= sizeof(Word) && sizeof(T) % sizeof(Word) == 0);
    constexpr std::size_t size = sizeof(Word) + sizeof(T);
    const std::size_t to_end = bytes - written_ % bytes;
    const std::size_t begin = to_end < size ? written_ + to_end : written_;
    if (begin + size - read_seen_ > bytes) {
      read_seen_ = read_.load(std::memory_order_acquire);
      if (begin + size - read_seen_ > bytes) return false;
    }
    if (begin != written_) *word(written_) = skip;
    *word(begin) = tag;
    fill(*new (word(begin) + 1) T);
    written_ = begin + size;
    for (std::size_t next = 0; next < size + line; next += line) own_soon(word(written_ + next));
    // Sequentially consistent, as the consumer's look before it goes to sleep is: one of the two sees the other.
    published_.store(written_, std::memory_order_seq_cst);
    return true;
  }
  // Producer: whether the consumer had better begin now.
  [[nodiscard]] bool is_half_full() noexcept {
    if (written_ - read_seen_ <= bytes / 2) return false;
    read_seen_ = read_.load(std::memory_order_acquire);
    return written_ - read_seen_ > bytes / 2;
  }

  // Consumer. What is in the ring now; then take() as long as has(end).
  [[nodiscard]] std::size_t end() const noexcept { return published_.load(std::memory_order_seq_cst); }
  [[nodiscard]] bool has(std::size_t end) noexcept {
    if (taken_ != end && *word(taken_) == skip) taken_ += bytes - taken_ % bytes;
    return taken_ != end;
  }
  [[nodiscard]] std::uint64_t tag() const noexcept { return *word(taken_); }
  template <typename T>
  [[nodiscard]] const T& take() noexcept {  // valid until release()
    const T* const record = std::launder(reinterpret_cast<const T*>(word(taken_) + 1));
    taken_ += sizeof(Word) + sizeof(T);
    return *record;
  }
  [[nodiscard]] std::size_t taken() const noexcept { return taken_; }
  void release() noexcept { read_.store(taken_, std::memory_order_seq_cst); }

 private:
  using Word = std::uint64_t;
  static constexpr std::size_t line = 64;  // what two threads write lies on lines of its own

  // The lines of the next record are still in the cache of the consumer's core. Fetched now, they are here by then;
  // else the record's stores would be waited for, at the next locked instruction at the latest.
  static void own_soon(const Word* word) noexcept { __builtin_prefetch(word, 1); }

  [[nodiscard]] Word* word(std::size_t at) const noexcept { return words_.get() + at % bytes / sizeof(Word); }

  std::unique_ptr<Word[]> words_ = std::make_unique_for_overwrite<Word[]>(bytes / sizeof(Word));
  alignas(line) std::size_t written_ = 0;  // counts on for ever; 2^64 bytes are never reached
  std::size_t read_seen_ = 0;
  alignas(line) std::atomic<std::size_t> published_{0};
  alignas(line) std::atomic<std::size_t> read_{0};
  alignas(line) std::size_t taken_ = 0;
};

}  // namespace sluice::trace

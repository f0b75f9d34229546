// Where the data stores of buffers, images and shared virtual memory lie: one range of addresses, the same in every
// run, so that what a kernel makes of a pointer's value is the same in every run too. Reserved, not committed: pages
// cost memory once they are touched, and go back to the system when their store is released.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

namespace sluice::api {

class Arena {
 public:
  static constexpr std::size_t page_bytes = 4096;
  // Between two stores: an access just past the end of one is in none, not in its neighbour.
  static constexpr std::size_t gap_bytes = page_bytes;

  struct Options {
    std::uintptr_t address = 0x200000000000;
    std::size_t bytes = std::size_t{1} << 44;  // of addresses
    bool fixed = true;                         // false: do not try
    bool shared = false;                       // pages of a file in memory, that can be mapped a second time
  };

  // Where the range is taken, the address space is limited (ulimit -v) or a sanitizer uses it, each store gets what
  // addresses the system has; everything else holds, but addresses then differ from run to run.
  explicit Arena(const Options& options);
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // The driver's. Never destroyed: the program may use its memory while it ends.
  [[nodiscard]] static Arena& instance();
  // The driver's is to be a shared one. Before the first use of instance(). False: the system has no such files.
  [[nodiscard]] static bool share_instance() noexcept;

  // Zeroed memory. `alignment`: a power of two; at least a page is given. nullptr: none to be had. The same calls in the
  // same order give the same addresses: the first fit.
  [[nodiscard]] std::byte* allocate(std::size_t bytes, std::size_t alignment = page_bytes);
  // `store`: one that allocate() gave, or nullptr.
  void release(std::byte* store) noexcept;

  [[nodiscard]] bool is_fixed() const noexcept { return base_ != 0; }
  // How long the fixed range is, 0 without one.
  [[nodiscard]] std::size_t fixed_bytes() const noexcept { return bytes_; }
  // Of a shared arena: its file, and where in it the byte at `p`, of a live store, lies.
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }
  [[nodiscard]] std::uint64_t file_offset(const void* p) const noexcept;

 private:
  using Blocks = std::map<std::uintptr_t, std::uintptr_t>;  // begin, end

  [[nodiscard]] void* map(std::uintptr_t at, std::size_t bytes, int protection, int flags, std::uint64_t offset) const;
  [[nodiscard]] bool commit(std::uintptr_t end) noexcept;
  [[nodiscard]] std::byte* allocate_anywhere(std::size_t bytes, std::size_t alignment);

  std::uintptr_t base_ = 0;       // 0: no fixed range
  std::size_t bytes_ = 0;
  std::uintptr_t committed_ = 0;  // [base_, committed_) may be touched
  Blocks free_;                   // neighbours are merged
  Blocks used_;                   // with their gaps
  int descriptor_ = -1;           // of a shared arena
  std::uint64_t file_bytes_ = 0;  // used up by stores without a fixed range
  std::map<std::uintptr_t, std::uint64_t> offsets_;  // of these
};

}  // namespace sluice::api

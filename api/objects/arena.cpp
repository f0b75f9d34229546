#include "api/objects/arena.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "sim/iface/fixed_addresses.h"

namespace sluice::api {

namespace {

// Addresses become usable in steps: one region of the process whatever the number of stores, since a process may have
// some 65,000 regions only.
constexpr std::size_t commit_step = std::size_t{64} << 20;

constexpr std::size_t too_large = std::numeric_limits<std::size_t>::max() / 4;

constexpr std::uintptr_t round_up(std::uintptr_t n, std::uintptr_t step) { return (n + step - 1) / step * step; }

bool instance_is_shared = false;

int memory_file() noexcept { return ::memfd_create("sluice-stores", MFD_CLOEXEC); }

}  // namespace

Arena::Arena(const Options& options) {
  if (options.shared) descriptor_ = memory_file();
  if (!options.fixed || !may_choose_addresses) return;
  if (descriptor_ >= 0 && ::ftruncate(descriptor_, static_cast<off_t>(options.bytes)) != 0) return;
  void* const p = map(options.address, options.bytes, PROT_NONE, MAP_FIXED_NOREPLACE, 0);
  if (p == MAP_FAILED) return;
  const auto at = reinterpret_cast<std::uintptr_t>(p);
  if (at != options.address) {  // a kernel before 4.17 takes the address as a hint
    ::munmap(p, options.bytes);
    return;
  }
  // Fewer faults where large buffers are first touched; it works without, too.
  if (descriptor_ < 0) ::madvise(p, options.bytes, MADV_HUGEPAGE);
  base_ = committed_ = at;
  bytes_ = options.bytes;
  free_[at] = at + options.bytes;
}

void* Arena::map(std::uintptr_t at, std::size_t bytes, int protection, int flags, std::uint64_t offset) const {
  flags |= MAP_NORESERVE | (descriptor_ >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS);
  return ::mmap(reinterpret_cast<void*>(at), bytes, protection, flags, descriptor_,
                descriptor_ >= 0 ? static_cast<off_t>(offset) : 0);
}

std::uint64_t Arena::file_offset(const void* p) const noexcept {
  const auto at = reinterpret_cast<std::uintptr_t>(p);
  if (is_fixed()) return at - base_;
  const auto after = offsets_.upper_bound(at);
  if (after == offsets_.begin()) return 0;
  const auto& [begin, offset] = *std::prev(after);
  return offset + (at - begin);
}

Arena::~Arena() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (is_fixed()) {
    ::munmap(reinterpret_cast<void*>(base_), bytes_);
    return;
  }
  for (const auto& [begin, end] : used_) ::munmap(reinterpret_cast<void*>(begin), end - begin);
}

Arena& Arena::instance() {
  static Arena* const arena = [] {
    Options options;
    options.shared = instance_is_shared;
    return new Arena(options);
  }();
  return *arena;
}

bool Arena::share_instance() noexcept {
  const int probe = memory_file();
  if (probe < 0) return false;
  ::close(probe);
  instance_is_shared = true;
  return true;
}

bool Arena::commit(std::uintptr_t end) noexcept {
  if (end <= committed_) return true;
  const std::uintptr_t to = std::min(round_up(end, commit_step), base_ + bytes_);
  if (::mprotect(reinterpret_cast<void*>(committed_), to - committed_, PROT_READ | PROT_WRITE) != 0) return false;
  committed_ = to;
  return true;
}

std::byte* Arena::allocate(std::size_t bytes, std::size_t alignment) {
  alignment = std::max(alignment, page_bytes);
  if (bytes > too_large || alignment > too_large) return nullptr;
  const std::size_t length = round_up(std::max<std::size_t>(bytes, 1), page_bytes) + gap_bytes;
  if (!is_fixed()) return allocate_anywhere(length, alignment);
  for (auto it = free_.begin(); it != free_.end(); ++it) {
    const auto [begin, end] = *it;
    const std::uintptr_t at = round_up(begin, alignment);
    if (at > end || length > end - at) continue;
    if (!commit(at + length)) return nullptr;
    // What takes memory comes first: it may throw.
    used_[at] = at + length;
    if (at + length != end) {
      try {
        free_[at + length] = end;
      } catch (...) {
        used_.erase(at);
        throw;
      }
    }
    if (at == begin) {
      free_.erase(it);
    } else {
      it->second = at;
    }
    return reinterpret_cast<std::byte*>(at);
  }
  return nullptr;
}

std::byte* Arena::allocate_anywhere(std::size_t bytes, std::size_t alignment) {
  const std::size_t room = bytes + alignment - page_bytes;
  const std::uint64_t offset = file_bytes_;
  if (descriptor_ >= 0) {
    if (::ftruncate(descriptor_, static_cast<off_t>(offset + room)) != 0) return nullptr;
    file_bytes_ = offset + room;  // never used again: files in memory have room enough
  }
  void* const p = map(0, room, PROT_READ | PROT_WRITE, 0, offset);
  if (p == MAP_FAILED) return nullptr;
  const auto begin = reinterpret_cast<std::uintptr_t>(p);
  const std::uintptr_t at = round_up(begin, alignment);
  if (at != begin) ::munmap(p, at - begin);
  if (at + bytes != begin + room) ::munmap(reinterpret_cast<void*>(at + bytes), begin + room - at - bytes);
  try {
    if (descriptor_ >= 0) offsets_[at] = offset + (at - begin);
    used_[at] = at + bytes;
  } catch (...) {
    offsets_.erase(at);
    ::munmap(reinterpret_cast<void*>(at), bytes);
    throw;
  }
  return reinterpret_cast<std::byte*>(at);
}

void Arena::release(std::byte* store) noexcept {
  const auto it = used_.find(reinterpret_cast<std::uintptr_t>(store));
  if (it == used_.end()) return;
  auto block = used_.extract(it);  // moves on to free_, so that nothing is allocated here
  const std::uintptr_t end = block.mapped();
  const std::size_t bytes = end - block.key();
  if (!is_fixed()) {
    if (descriptor_ >= 0) {
      (void)::madvise(store, bytes, MADV_REMOVE);
      offsets_.erase(reinterpret_cast<std::uintptr_t>(store));
    }
    ::munmap(store, bytes);
    return;
  }
  // The pages read as zero when they are used again. What the system will not take back is cleared by hand.
  if (::madvise(store, bytes, descriptor_ >= 0 ? MADV_REMOVE : MADV_DONTNEED) != 0) {
    std::fill_n(store, bytes, std::byte{0});
  }
  const auto next = free_.lower_bound(end);
  if (next != free_.end() && next->first == end) {
    block.mapped() = next->second;
    free_.erase(next);
  }
  const auto at = free_.insert(std::move(block)).position;
  if (at == free_.begin()) return;
  const auto before = std::prev(at);
  if (before->second != at->first) return;
  before->second = at->second;
  free_.erase(at);
}

}  // namespace sluice::api

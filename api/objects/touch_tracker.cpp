#include "api/objects/touch_tracker.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace sluice::api {

namespace {

constexpr std::uintptr_t page_bytes = 4096;

// Linux 6.7; the headers may be older.
struct ScanArguments {
  std::uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
  std::uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};
struct ScannedRegion {
  std::uint64_t start, end, categories;
};
constexpr std::uint64_t page_is_written = 1U << 1;
constexpr std::uint64_t protects_matching = 1U << 0;
constexpr std::uint64_t feature_unpopulated = 1ULL << 13;
constexpr std::uint64_t feature_async = 1ULL << 15;
constexpr unsigned long scan_request = _IOWR('f', 16, ScanArguments);

std::uintptr_t address(const std::byte* p) { return reinterpret_cast<std::uintptr_t>(p); }

bool meet(const std::pair<std::uintptr_t, std::uintptr_t>& a, const std::pair<std::uintptr_t, std::uintptr_t>& b) {
  return a.first < b.second && b.first < a.second;
}

std::pair<std::uintptr_t, std::uintptr_t> pages_of(std::uintptr_t from, std::uintptr_t to) {
  return {from / page_bytes * page_bytes, (to + page_bytes - 1) / page_bytes * page_bytes};
}

TouchTracker::Run run_of(std::uintptr_t from, std::uintptr_t to) {
  return {reinterpret_cast<const std::byte*>(from), to - from};
}

}  // namespace

std::unique_ptr<TouchTracker> TouchTracker::open(std::string& missing) {
  const auto faults = static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY));
  if (faults < 0) {
    missing = std::string("userfaultfd: ") + std::strerror(errno);
    return nullptr;
  }
  const int page_map = ::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  std::unique_ptr<TouchTracker> tracker(new TouchTracker(faults, page_map));
  uffdio_api api{};
  api.api = UFFD_API;
  api.features = feature_async | feature_unpopulated;
  if (::ioctl(faults, UFFDIO_API, &api) != 0) {
    missing = "userfaultfd cannot resolve write faults itself; Linux 6.7 or later can";
    return nullptr;
  }
  // What is promised is tried: two pages, of which one is written.
  void* const p = ::mmap(nullptr, 2 * page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) {
    missing = std::string("mmap: ") + std::strerror(errno);
    return nullptr;
  }
  auto* const bytes = static_cast<std::byte*>(p);
  bool works = tracker->begin(nullptr, 0, bytes, 2 * page_bytes);
  if (works) {
    *static_cast<volatile std::byte*>(bytes + page_bytes) = std::byte{1};
    const auto runs = tracker->end(nullptr, 0);
    works = runs.has_value() && *runs == std::vector<Run>{{bytes + page_bytes, page_bytes}};
  }
  ::munmap(p, 2 * page_bytes);
  if (works) return tracker;
  missing = "userfaultfd and /proc/self/pagemap do not tell which pages were written";
  return nullptr;
}

TouchTracker::~TouchTracker() {
  ::close(faults_);
  if (page_map_ >= 0) ::close(page_map_);
}

bool TouchTracker::begin(const void* owner, std::uint64_t serial, const std::byte* p, std::size_t bytes, bool stores) {
  Watch watch;
  watch.stores = stores;
  watch.bytes = {address(p), address(p) + bytes};
  watch.pages = pages_of(watch.bytes.first, watch.bytes.second);
  if (const auto old = watches_.find({owner, serial}); old != watches_.end()) leave(old);
  // Protecting the pages anew forgets what others have to know.
  for (auto& [key, other] : watches_) {
    if (meet(other.pages, watch.pages)) scan(other.pages, other.written);
  }
  uffdio_register reg{};
  reg.range = {watch.pages.first, watch.pages.second - watch.pages.first};
  reg.mode = UFFDIO_REGISTER_MODE_WP;
  if (::ioctl(faults_, UFFDIO_REGISTER, &reg) != 0) return false;
  uffdio_writeprotect protect{};
  protect.range = reg.range;
  protect.mode = UFFDIO_WRITEPROTECT_MODE_WP;
  const bool protects = ::ioctl(faults_, UFFDIO_WRITEPROTECT, &protect) == 0;
  const auto entered = watches_.emplace(Key{owner, serial}, std::move(watch)).first;
  if (!protects) leave(entered);
  return protects;
}

std::optional<std::vector<TouchTracker::Run>> TouchTracker::end(const void* owner, std::uint64_t serial) {
  const auto it = watches_.find({owner, serial});
  if (it == watches_.end()) return std::nullopt;
  PageSet written = std::move(it->second.written);
  scan(it->second.pages, written);
  written &= PageSet::interval_type(it->second.bytes.first, it->second.bytes.second);
  leave(it);
  std::vector<Run> runs;
  for (const auto& run : written) runs.push_back(run_of(run.lower(), run.upper()));
  return runs;
}

std::vector<TouchTracker::Fresh> TouchTracker::fresh() {
  std::vector<Fresh> all;
  for (const auto& [key, watch] : watches_) {
    if (!watch.stores) continue;
    PageSet seen;
    scan(watch.pages, seen, true);
    if (seen.empty()) continue;
    for (auto& [other_key, other] : watches_) {
      for (const auto& run : seen) {
        if (meet(other.pages, {run.lower(), run.upper()})) other.written += run;
      }
    }
    seen &= PageSet::interval_type(watch.bytes.first, watch.bytes.second);
    seen -= command_wrote_;
    for (const auto& [command, pages] : command_writes_) seen -= PageSet::interval_type(pages.first, pages.second);
    for (const auto& run : seen) {
      all.push_back({run_of(watch.bytes.first, watch.bytes.second), run_of(run.lower(), run.upper())});
    }
  }
  command_wrote_.clear();
  return all;
}

void TouchTracker::command_writes(std::uint64_t command, const std::byte* p, std::size_t bytes) {
  const Pages pages = pages_of(address(p), address(p) + bytes);
  for (const auto& [key, watch] : watches_) {
    if (watch.stores && meet(watch.pages, pages)) {
      command_writes_.emplace(command, pages);
      return;
    }
  }
}

void TouchTracker::command_over(std::uint64_t command) {
  const auto it = command_writes_.find(command);
  if (it == command_writes_.end()) return;
  command_wrote_ += PageSet::interval_type(it->second.first, it->second.second);
  command_writes_.erase(it);
}

void TouchTracker::forget(const void* owner) {
  auto it = watches_.lower_bound({owner, 0});
  while (it != watches_.end() && it->first.first == owner) leave(it++);
}

void TouchTracker::scan(const Pages& pages, PageSet& written, bool again) const {
  std::array<ScannedRegion, 256> found;
  ScanArguments arguments{};
  arguments.size = sizeof arguments;
  arguments.flags = again ? protects_matching : 0;
  arguments.start = pages.first;
  arguments.end = pages.second;
  arguments.vec = reinterpret_cast<std::uintptr_t>(found.data());
  arguments.vec_len = found.size();
  arguments.category_mask = arguments.return_mask = page_is_written;
  while (arguments.start < arguments.end) {
    const int n = ::ioctl(page_map_, scan_request, &arguments);
    if (n < 0) {
      // Rather too many lines than too few; but time is not charged for what is not known.
      if (!again) written += PageSet::interval_type(pages.first, pages.second);
      return;
    }
    for (int i = 0; i < n; ++i) {
      const ScannedRegion& r = found[static_cast<std::size_t>(i)];
      written += PageSet::interval_type(r.start, r.end);
    }
    if (arguments.walk_end <= arguments.start) return;
    arguments.start = arguments.walk_end;
  }
}

// Pages that no other region lies in are the kernel's as before.
void TouchTracker::leave(std::map<Key, Watch>::iterator watch) {
  const Pages pages = watch->second.pages;
  watches_.erase(watch);
  for (const auto& [key, other] : watches_) {
    if (meet(other.pages, pages)) return;
  }
  uffdio_range range{pages.first, pages.second - pages.first};
  (void)::ioctl(faults_, UFFDIO_UNREGISTER, &range);
}

}  // namespace sluice::api

// What it costs to find out which pages of a region a program has written: page protection and SIGSEGV, the kernel's
// soft-dirty bits, userfaultfd's write protection with a thread that answers, and the same resolved by the kernel.
// One line a facility, region and share of pages written: arming, the writes, and collecting, less the writes alone.
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <initializer_list>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t page = 4096;
constexpr std::uint64_t soft_dirty = 1ULL << 55;

// Linux 6.7; Debian 12's headers are older.
struct ScanArguments {
  std::uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
  std::uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};
struct ScannedRegion {
  std::uint64_t start, end, categories;
};
constexpr std::uint64_t page_is_written = 1U << 1;
constexpr std::uint64_t feature_unpopulated = 1ULL << 13;
constexpr std::uint64_t feature_async = 1ULL << 15;
constexpr unsigned long scan_request = _IOWR('f', 16, ScanArguments);

struct Region {
  unsigned char* begin;
  std::size_t pages;
  [[nodiscard]] std::size_t bytes() const { return pages * page; }
};

class Facility {
 public:
  virtual ~Facility() = default;
  [[nodiscard]] virtual const char* name() const = 0;
  // Empty: it works here.
  [[nodiscard]] virtual std::string missing() { return ""; }
  virtual void arm(const Region& r) = 0;
  // How many pages were written since.
  [[nodiscard]] virtual std::size_t collect(const Region& r) = 0;
};

// ---- page protection

Region guarded{};
std::vector<unsigned char> marks;

void on_fault(int, siginfo_t* info, void*) {
  auto* const at = static_cast<unsigned char*>(info->si_addr);
  if (at < guarded.begin || at >= guarded.begin + guarded.bytes()) std::_Exit(1);
  const std::size_t n = static_cast<std::size_t>(at - guarded.begin) / page;
  marks[n] = 1;
  ::mprotect(guarded.begin + n * page, page, PROT_READ | PROT_WRITE);
}

class Protection final : public Facility {
 public:
  const char* name() const override { return "mprotect, SIGSEGV"; }
  void arm(const Region& r) override {
    struct sigaction action {};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO;
    ::sigaction(SIGSEGV, &action, nullptr);
    guarded = r;
    marks.assign(r.pages, 0);
    ::mprotect(r.begin, r.bytes(), PROT_READ);
  }
  std::size_t collect(const Region& r) override {
    ::mprotect(r.begin, r.bytes(), PROT_READ | PROT_WRITE);
    return static_cast<std::size_t>(std::count(marks.begin(), marks.end(), 1));
  }
};

// ---- soft-dirty

class SoftDirty final : public Facility {
 public:
  const char* name() const override { return "soft-dirty"; }
  std::string missing() override {
    if (clear_ < 0 || map_ < 0) return "no /proc/self/clear_refs";
    std::vector<unsigned char> memory(2 * page);
    Region r{memory.data() + (page - reinterpret_cast<std::uintptr_t>(memory.data()) % page) % page, 1};
    *r.begin = 1;
    arm(r);
    if (collect(r) != 0) return "the kernel is built without CONFIG_MEM_SOFT_DIRTY";
    *static_cast<volatile unsigned char*>(r.begin) = 2;
    return collect(r) == 1 ? "" : "the kernel is built without CONFIG_MEM_SOFT_DIRTY";
  }
  void arm(const Region&) override { (void)!::write(clear_, "4", 1); }  // of the whole process
  std::size_t collect(const Region& r) override {
    entries_.resize(r.pages);
    const auto first = static_cast<off_t>(reinterpret_cast<std::uintptr_t>(r.begin) / page * 8);
    (void)!::pread(map_, entries_.data(), r.pages * 8, first);
    return static_cast<std::size_t>(
        std::count_if(entries_.begin(), entries_.end(), [](std::uint64_t e) { return (e & soft_dirty) != 0; }));
  }

 private:
  int clear_ = ::open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
  int map_ = ::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  std::vector<std::uint64_t> entries_;
};

// ---- userfaultfd

int open_userfaultfd(std::uint64_t features) {
  const auto fd = static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY));
  uffdio_api api{};
  api.api = UFFD_API;
  api.features = features;
  if (fd >= 0 && ::ioctl(fd, UFFDIO_API, &api) == 0) return fd;
  if (fd >= 0) ::close(fd);
  return -1;
}

void protect(int fd, unsigned char* begin, std::size_t bytes, bool on) {
  uffdio_writeprotect wp{};
  wp.range = {reinterpret_cast<std::uintptr_t>(begin), bytes};
  wp.mode = on ? UFFDIO_WRITEPROTECT_MODE_WP : 0;
  ::ioctl(fd, UFFDIO_WRITEPROTECT, &wp);
}
void watch(int fd, const Region& r) {
  uffdio_register reg{};
  reg.range = {reinterpret_cast<std::uintptr_t>(r.begin), r.bytes()};
  reg.mode = UFFDIO_REGISTER_MODE_WP;
  ::ioctl(fd, UFFDIO_REGISTER, &reg);
  protect(fd, r.begin, r.bytes(), true);
}
void leave(int fd, const Region& r) {
  uffdio_range range{reinterpret_cast<std::uintptr_t>(r.begin), r.bytes()};
  ::ioctl(fd, UFFDIO_UNREGISTER, &range);
}

class Answered final : public Facility {
 public:
  const char* name() const override { return "userfaultfd, a thread answers"; }
  std::string missing() override {
    fd_ = open_userfaultfd(UFFD_FEATURE_PAGEFAULT_FLAG_WP);
    if (fd_ < 0) return "no userfaultfd with write protection";
    thread_ = std::thread([this] { answer(); });
    return "";
  }
  ~Answered() override {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  void arm(const Region& r) override {
    written_ = 0;
    watch(fd_, r);
  }
  std::size_t collect(const Region& r) override {
    leave(fd_, r);
    return written_;
  }

 private:
  void answer() {
    pollfd wait{fd_, POLLIN, 0};
    while (!stop_) {
      if (::poll(&wait, 1, 50) <= 0) continue;
      uffd_msg message;
      if (::read(fd_, &message, sizeof message) != sizeof message) continue;
      ++written_;
      protect(fd_, reinterpret_cast<unsigned char*>(message.arg.pagefault.address / page * page), page, false);
    }
  }
  int fd_ = -1;
  std::thread thread_;
  std::atomic<bool> stop_{false};
  std::atomic<std::size_t> written_{0};
};

class Asynchronous final : public Facility {
 public:
  const char* name() const override { return "userfaultfd, the kernel resolves"; }
  std::string missing() override {
    fd_ = open_userfaultfd(feature_async | feature_unpopulated);
    return fd_ >= 0 ? "" : "userfaultfd resolves no write faults itself (Linux 6.7)";
  }
  void arm(const Region& r) override { watch(fd_, r); }
  std::size_t collect(const Region& r) override {
    std::array<ScannedRegion, 512> found;
    ScanArguments scan{};
    scan.size = sizeof scan;
    scan.start = reinterpret_cast<std::uintptr_t>(r.begin);
    scan.end = scan.start + r.bytes();
    scan.vec = reinterpret_cast<std::uintptr_t>(found.data());
    scan.vec_len = found.size();
    scan.category_mask = scan.return_mask = page_is_written;
    std::size_t pages = 0;
    while (scan.start < scan.end) {
      const int n = ::ioctl(map_, scan_request, &scan);
      if (n < 0) break;
      for (auto it = found.begin(); it != found.begin() + n; ++it) pages += (it->end - it->start) / page;
      scan.start = scan.walk_end;
    }
    leave(fd_, r);
    return pages;
  }

 private:
  int fd_ = -1;
  int map_ = ::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
};

// Processor time of all threads, kernel included: other work on the machine disturbs it less. The least of all runs.
double cpu_us() {
  timespec t{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) / 1e3;
}

double least_us(const std::function<void()>& work, int runs) {
  double least = 1e12;
  for (int i = 0; i < runs; ++i) {
    const double begin = cpu_us();
    work();
    least = std::min(least, cpu_us() - begin);
  }
  return least;
}

void write_pages(const Region& r, std::size_t every) {
  volatile unsigned char* const bytes = r.begin;
  for (std::size_t n = 0; n < r.pages; n += every) bytes[n * page] = static_cast<unsigned char>(bytes[n * page] + 1);
}

}  // namespace

int main() {
  const bool smoke = std::getenv("SLUICE_BENCH_SMOKE") != nullptr;
  Protection protection;
  SoftDirty dirty;
  Answered answered;
  Asynchronous asynchronous;
  std::printf("%-34s %10s %10s %12s %14s\n", "facility", "pages", "written", "us", "ns a write");
  for (Facility* f : std::initializer_list<Facility*>{&protection, &dirty, &answered, &asynchronous}) {
    if (const std::string why = f->missing(); !why.empty()) {
      std::printf("%-34s %s\n", f->name(), why.c_str());
      continue;
    }
    for (const std::size_t pages : {std::size_t{16}, std::size_t{256}, std::size_t{4096}, std::size_t{65536}}) {
      if (smoke && pages > 256) continue;
      Region r{static_cast<unsigned char*>(::mmap(nullptr, pages * page, PROT_READ | PROT_WRITE,
                                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)),
               pages};
      write_pages(r, 1);
      for (const std::size_t every : {pages, std::size_t{16}, std::size_t{1}}) {
        if (every == 16 && pages == 16) continue;
        const std::size_t written = pages / every;
        const int runs = smoke ? 1 : 9;
        const double alone = least_us([&] { write_pages(r, every); }, runs);
        const double with = least_us(
            [&] {
              f->arm(r);
              write_pages(r, every);
              if (f->collect(r) != written) std::printf("%s: another count\n", f->name());
            },
            runs);
        std::printf("%-34s %10zu %10zu %12.1f %14.0f\n", f->name(), pages, written, with - alone,
                    (with - alone) * 1e3 / static_cast<double>(written));
      }
      ::munmap(r.begin, r.bytes());
    }
  }
}

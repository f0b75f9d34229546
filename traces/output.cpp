#include "traces/output.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

#include "traces/digest.h"
#include "traces/pen.h"

namespace sluice::trace {

namespace {

// Writes all, with SIGPIPE held back: the traced program has not asked for it. Returns 0 or an errno.
int write_all(int descriptor, const char* data, std::size_t bytes, bool may_signal) {
  sigset_t pipe_only;
  sigset_t before;
  bool was_pending = false;
  if (may_signal) {
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
  }
  int code = 0;
  while (bytes > 0 && code == 0) {
    const ssize_t n = ::write(descriptor, data, bytes);
    if (n >= 0) {
      data += n;
      bytes -= static_cast<std::size_t>(n);
    } else if (errno != EINTR) {
      code = errno;
    }
  }
  if (may_signal) {
    if (code == EPIPE && !was_pending) {
      const timespec at_once{};
      while (sigtimedwait(&pipe_only, nullptr, &at_once) < 0 && errno == EINTR) {
      }
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  return code;
}

}  // namespace

std::unique_ptr<Output> Output::open(const std::string& path, std::string& error) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0) {
    error = path + ": " + std::strerror(errno);
    return nullptr;
  }
  struct stat info {};
  const bool regular = ::fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode);
  if (regular) {
    // Two processes that write one file would tear each other's records; the lock goes with the descriptor.
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
      error = path + ": another process is writing its trace there";
      ::close(descriptor);
      return nullptr;
    }
    if (::ftruncate(descriptor, 0) != 0) {
      error = path + ": " + std::strerror(errno);
      ::close(descriptor);
      return nullptr;
    }
  }
  return std::unique_ptr<Output>(new Output(descriptor, path, !regular));
}

Output::Output(int descriptor, std::string path, bool may_signal)
    : descriptor_(descriptor),
      path_(std::move(path)),
      may_signal_(may_signal),
      process_(::getpid()),
      capacity_(buffer_bytes + 8 * 1024),
      data_(std::make_unique<char[]>(capacity_)) {}

Output::~Output() {
  close();
}

Output& Output::microseconds(TimePs ps) {
  number(ps / ps_per_us);
  char* const point = room(decimal_room);
  put_until(put_decimal(point, ps_per_us + ps % ps_per_us));  // a 1 and six digits
  *point = '.';
  return *this;
}

Output& Output::string(std::string_view s) {
  put_until(Pen(room(Pen::most_string_bytes(s))).string(s).end());
  return *this;
}

void Output::grow(std::size_t bytes) {
  const std::size_t wanted = used_ + bytes + capacity_;
  auto larger = std::make_unique<char[]>(wanted);
  std::memcpy(larger.get(), data_.get(), used_);
  data_ = std::move(larger);
  capacity_ = wanted;
}

void Output::flush() {
  const std::size_t bytes = std::exchange(used_, 0);
  // A forked child has a copy of the buffer, which its parent will write.
  if (bytes == 0 || descriptor_ < 0 || !ok() || ::getpid() != process_) return;
  if (digest_ != nullptr) digest_->add({data_.get(), bytes});
  const int code = write_all(descriptor_, data_.get(), bytes, may_signal_);
  if (code != 0) fail(code);
}

void Output::close() {
  flush();
  const int descriptor = std::exchange(descriptor_, -1);
  // Some file systems tell that they are full only here.
  if (descriptor >= 0 && ::close(descriptor) != 0 && errno != EINTR && ok()) fail(errno);
}

void Output::fail(int code) {
  if (ok()) error_ = path_ + ": " + std::strerror(code);
}

}  // namespace sluice::trace

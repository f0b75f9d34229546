#include "tools/command/shared_input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "tools/command/temporary.h"

namespace sluice::tools {

namespace {

// What is read ahead of the program is lost to whoever reads our input afterwards: as little as pipes go.
constexpr std::size_t chunk_bytes = 4096;

void shut(int& descriptor) {
  if (descriptor >= 0) ::close(descriptor);
  descriptor = -1;
}

}  // namespace

SharedInput::SharedInput() {
  struct stat status {};
  if (::fstat(STDIN_FILENO, &status) != 0 || ::isatty(STDIN_FILENO) == 1) return;
  begin_ = ::lseek(STDIN_FILENO, 0, SEEK_CUR);
  const bool has_place = S_ISREG(status.st_mode) || S_ISBLK(status.st_mode);
  const bool flows = S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode);
  kind_ = has_place && begin_ >= 0 ? Kind::file : has_place || flows ? Kind::stream : Kind::as_it_is;
}

SharedInput::~SharedInput() {
  close();
  shut(kept_);
}

bool SharedInput::open(std::string& error) {
  close();
  error_.clear();
  given_ = 0;
  const auto fail = [&](const char* what) {
    error = std::string("standard input: ") + what + ": " + std::strerror(errno);
    return false;
  };
  if (kind_ == Kind::nothing) {
    run_end_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    return run_end_ >= 0 || fail("/dev/null");
  }
  if (kind_ == Kind::file) return ::lseek(STDIN_FILENO, begin_, SEEK_SET) == begin_ || fail("cannot be read again");
  if (kind_ == Kind::as_it_is) return true;
  if (kept_ < 0) {
    const TemporaryFile file("");
    kept_ = file.path().empty() ? -1 : ::open(file.path().c_str(), O_RDWR | O_CLOEXEC);
    if (kept_ < 0) return fail("no temporary file can be written");
  }
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail("pipe");
  run_end_ = ends[0];
  sink_ = ends[1];
  ::fcntl(sink_, F_SETFL, O_NONBLOCK);
  ::fcntl(sink_, F_SETPIPE_SZ, static_cast<int>(chunk_bytes));
  return true;
}

void SharedInput::take() const {
  if (run_end_ == STDIN_FILENO) ::fcntl(run_end_, F_SETFD, 0);
  if (run_end_ > STDIN_FILENO) ::dup2(run_end_, STDIN_FILENO);
}

void SharedInput::started() { shut(run_end_); }

void SharedInput::close() {
  shut(run_end_);
  shut(sink_);
}

SharedInput::Wants SharedInput::wants() const {
  if (sink_ < 0) return {{-1, 0, 0}, {-1, 0, 0}};
  const bool has_some = given_ < kept_bytes_;
  // Without POLLOUT it is still told that nobody reads any more.
  return {{has_some || has_ended_ ? -1 : STDIN_FILENO, POLLIN, 0}, {sink_, static_cast<short>(has_some || has_ended_ ? POLLOUT : 0), 0}};
}

void SharedInput::serve(const Wants& polled) {
  if (sink_ < 0) return;
  if ((polled.sink.revents & POLLERR) != 0) return shut(sink_);
  std::array<char, chunk_bytes> chunk;
  if (polled.source.revents != 0) {
    const ssize_t n = ::read(STDIN_FILENO, chunk.data(), chunk.size());
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (n <= 0) {
      has_ended_ = true;
    } else if (::pwrite(kept_, chunk.data(), static_cast<std::size_t>(n), kept_bytes_) != n) {
      error_ = "standard input cannot be kept for the next run";
      return shut(sink_);
    } else {
      kept_bytes_ += n;
    }
  }
  while (given_ < kept_bytes_) {
    const auto wanted = static_cast<std::size_t>(std::min<off_t>(kept_bytes_ - given_, chunk.size()));
    const ssize_t n = ::pread(kept_, chunk.data(), wanted, given_);
    const ssize_t written = n > 0 ? ::write(sink_, chunk.data(), static_cast<std::size_t>(n)) : n;
    if (written < 0 && errno == EAGAIN) return;  // it has not read what it got
    if (written <= 0) return shut(sink_);
    given_ += written;
  }
  if (has_ended_) shut(sink_);
}

}  // namespace sluice::tools

#include "tools/sweep/guardian.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace sluice::sweep {

namespace {

// More than run side by side.
constexpr std::size_t most_groups = 4096;

// In the guardian: it shares nothing with the process that it watches but the socket (and the lock on the sweep's folder,
// which is so held until nothing of the sweep runs any more). Only calls that are safe after a fork.
[[noreturn]] void guard(int socket) {
  static std::array<int, most_groups> groups;
  std::size_t count = 0;
  while (true) {
    int word = 0;
    const ssize_t n = ::recv(socket, &word, sizeof word, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n != sizeof word) break;
    if (word > 0 && count < most_groups) {
      groups[count++] = word;
    } else if (word < 0) {
      count = static_cast<std::size_t>(std::remove(groups.begin(), groups.begin() + count, -word) - groups.begin());
    }
  }
  for (std::size_t i = 0; i < count; ++i) ::kill(-groups[i], SIGKILL);
  ::_exit(0);
}

}  // namespace

Guardian::Guardian() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return;
  // What a terminal sends to our group is not for the guardian.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::sigprocmask(SIG_BLOCK, &all, &before);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::setpgid(0, 0);
    ::close(ends[1]);
    for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::close(descriptor);  // whoever reads them sees us end
    guard(ends[0]);
  }
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  ::close(ends[0]);
  if (pid_ < 0) {
    ::close(ends[1]);
    return;
  }
  socket_ = ends[1];
}

Guardian::~Guardian() {
  if (socket_ < 0) return;
  ::close(socket_);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void Guardian::tell(int word) const {
  if (socket_ < 0) return;
  while (::send(socket_, &word, sizeof word, MSG_NOSIGNAL) < 0 && errno == EINTR) {
  }
}

}  // namespace sluice::sweep

// System calls on mapped memory, as they should be and not. For strict_misuse.cpp.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include "tests/api/strict_misuse.h"

namespace misuse {

namespace {

// The system fills a map whose pages were not written yet, and reads what was mapped for reading.
void fills(const World& w, std::size_t count, const std::function<long(unsigned char*)>& call) {
  volatile unsigned char* p = map(w, CL_MAP_WRITE_INVALIDATE_REGION);
  const long result = call(const_cast<unsigned char*>(p));
  if (result != static_cast<long>(count)) {
    std::fprintf(stderr, "%ld bytes instead of %zu: errno %d\n", result, count, errno);
    std::exit(3);
  }
  unmap(w, p);
}

}  // namespace

void system_calls_correct(World& w) {
  const int zero = ::open("/dev/zero", O_RDONLY);
  const int null = ::open("/dev/null", O_WRONLY);
  int ends[2] = {};
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) std::exit(2);
  const auto send_one = [&] {
    if (::send(ends[0], "x", 1, 0) != 1) std::exit(2);
  };
  fills(w, bytes, [&](unsigned char* p) { return ::read(zero, p, bytes); });
  fills(w, bytes, [&](unsigned char* p) { return ::pread(zero, p, bytes, 0); });
  const auto parts = [](unsigned char* p) { return iovec{p, bytes}; };
  fills(w, bytes, [&](unsigned char* p) {
    const iovec part = parts(p);
    return ::readv(zero, &part, 1);
  });
  fills(w, bytes, [&](unsigned char* p) {
    const iovec part = parts(p);
    return ::preadv(zero, &part, 1, 0);
  });
  fills(w, bytes, [&](unsigned char* p) {
    const iovec part = parts(p);
    return ::preadv2(zero, &part, 1, 0, 0);
  });
  fills(w, 1, [&](unsigned char* p) { return send_one(), ::recv(ends[1], p + 20000, 1, 0); });
  fills(w, 1, [&](unsigned char* p) { return send_one(), ::recvfrom(ends[1], p + 20000, 1, 0, nullptr, nullptr); });
  fills(w, 1, [&](unsigned char* p) {
    send_one();
    iovec part = parts(p);
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    return ::recvmsg(ends[1], &message, 0);
  });
  fills(w, 1, [&](unsigned char* p) {
    send_one();
    iovec part = parts(p);
    mmsghdr message = {};
    message.msg_hdr.msg_iov = &part;
    message.msg_hdr.msg_iovlen = 1;
    return ::recvmmsg(ends[1], &message, 1, 0, nullptr) == 1 ? static_cast<long>(message.msg_len) : -1;
  });
  fills(w, bytes, [&](unsigned char* p) {
    std::FILE* const file = std::fopen("/dev/zero", "r");
    const std::size_t n = std::fread(p, 1, bytes, file);
    std::fclose(file);
    return static_cast<long>(n);
  });
  fills(w, 200, [](unsigned char* p) { return ::getrandom(p + 5000, 200, 0); });
  fills(w, 0, [](unsigned char* p) { return ::getentropy(p + 5000, 200); });
  fills(w, 4, [](unsigned char* p) {
    const ssize_t n = ::readlink("/proc/self/exe", reinterpret_cast<char*>(p), 4);
    return n == 4 && p[0] == '/' ? n : -1;
  });
  fills(w, 4, [](unsigned char* p) {
    const ssize_t n = ::readlinkat(AT_FDCWD, "/proc/self/exe", reinterpret_cast<char*>(p), 4);
    return n == 4 && p[0] == '/' ? n : -1;
  });
  fills(w, 1, [](unsigned char* p) { return ::getcwd(reinterpret_cast<char*>(p), bytes) != nullptr ? 1 : 0; });
  fills(w, bytes, [](unsigned char* p) {
    static unsigned char mine[bytes];
    const iovec part{p, bytes};
    const iovec from{mine, bytes};
    return ::process_vm_readv(::getpid(), &part, 1, &from, 1, 0);
  });
  fills(w, 0, [](unsigned char* p) { return ::mlock(p, 4096); });

  // Bytes of which each page is closed until it is read.
  const auto reads = [&](std::size_t count, const std::function<long(unsigned char*)>& call) {
    volatile unsigned char* p = map(w, CL_MAP_READ);
    if (call(const_cast<unsigned char*>(p)) != static_cast<long>(count)) std::exit(3);
    unmap(w, p);
  };
  reads(bytes, [&](unsigned char* p) { return ::write(null, p, bytes); });
  reads(bytes, [&](unsigned char* p) { return ::pwrite(null, p, bytes, 0); });
  reads(bytes, [&](unsigned char* p) {
    const iovec part = parts(p);
    return ::pwritev(null, &part, 1, 0);
  });
  reads(1, [&](unsigned char* p) { return ::sendto(ends[0], p, 1, 0, nullptr, 0); });
  reads(0, [&](unsigned char* p) { return ::mlock(p, bytes); });
  for (const int file : {zero, null, ends[0], ends[1]}) ::close(file);
}

// The system writes through a map for reading, in each call that takes its bytes in a way of its own.
void read_into_read_map(World& w) {
  const int zero = ::open("/dev/zero", O_RDONLY);
  volatile unsigned char* p = map(w, CL_MAP_READ);
  if (::read(zero, const_cast<unsigned char*>(p) + 4100, 10) != 10) std::exit(3);
  unmap(w, p);
  ::close(zero);
}

void readlink_into_read_map(World& w) {
  volatile unsigned char* p = map(w, CL_MAP_READ);
  if (::readlink("/proc/self/exe", const_cast<char*>(reinterpret_cast<volatile char*>(p)) + 4100, 10) <= 0)
    std::exit(3);
  unmap(w, p);
}

void written_by_the_system_after_unmap(World& w) {
  const int null = ::open("/dev/null", O_WRONLY);
  volatile unsigned char* p = map(w, CL_MAP_READ);
  unmap(w, p);
  const iovec part{const_cast<unsigned char*>(p) + 20, 10};
  if (::writev(null, &part, 1) != 10) std::exit(3);
  ::close(null);
}

void sent_before_complete(World& w) {
  int ends[2] = {};
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) std::exit(2);
  volatile unsigned char* p = map(w, CL_MAP_READ, CL_FALSE);
  iovec part{const_cast<unsigned char*>(p) + 12, 10};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (::sendmsg(ends[0], &message, 0) != 10) std::exit(3);
  unmap(w, p);
  for (const int end : ends) ::close(end);
}

}  // namespace misuse

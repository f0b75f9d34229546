#include "api/objects/pipe.h"

#include <cstring>

namespace sluice::api {

namespace {

// pipe_memory of sim/exec/library/pipes.cl.
struct Side {
  std::int64_t left;
  std::uint64_t next, done, unused;
};
struct Header {
  std::uint32_t packet_bytes, packets;
  std::uint64_t unused[3];
  Side write, read;
  std::uint64_t unused_too[4];
};
static_assert(sizeof(Header) == 128);
constexpr std::size_t kStatesBytes = 16;  // of a packet: when it was reserved for writing, and for reading

}  // namespace

std::optional<std::size_t> Pipe::bytes() const noexcept {
  std::size_t all = 0;
  if (__builtin_mul_overflow(std::size_t{packets}, kStatesBytes + packet_bytes, &all) ||
      __builtin_add_overflow(all, sizeof(Header), &all)) {
    return std::nullopt;
  }
  return all;
}

void Pipe::set_up(std::byte* store) const noexcept {
  Header header{};
  header.packet_bytes = packet_bytes;
  header.packets = packets;
  header.write.left = packets;
  std::memcpy(store, &header, sizeof header);
}

}  // namespace sluice::api

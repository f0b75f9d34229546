#include "traces/digest.h"

#include <fmt/format.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace sluice::trace {

struct Digest::State {
  XXH3_state_t xxh;
};

Digest::Digest() : state_(std::make_unique<State>()) { XXH3_64bits_reset(&state_->xxh); }
Digest::~Digest() = default;

void Digest::add(std::string_view bytes) { XXH3_64bits_update(&state_->xxh, bytes.data(), bytes.size()); }

void Digest::add_line(std::string_view line) {
  add(line);
  add("\n");
}

std::string Digest::text() const { return fmt::format("{:016x}", XXH3_64bits_digest(&state_->xxh)); }

std::string end_line(std::uint64_t records, const Digest& digest) {
  return fmt::format("{},\"records\":{},\"digest\":\"{}\"}}", end_line_start, records, digest.text());
}

}  // namespace sluice::trace

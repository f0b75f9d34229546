#include "sim/exec/image_key.h"

#include <cpuid.h>

#include <cstdint>
#include <string_view>

#include "sim/exec/version.h"

namespace sluice::exec {

namespace {

// FNV-1a of 128 bits: against accidents; whoever can write to the folder could as well write other code.
class Hash {
 public:
  void add(std::span<const std::byte> bytes) {
    for (const std::byte b : bytes) value_ = (value_ ^ static_cast<unsigned char>(b)) * prime();
  }
  void add(std::string_view text) { add(std::as_bytes(std::span(text))); }
  void add(std::uint32_t word) { add(std::as_bytes(std::span(&word, 1))); }
  [[nodiscard]] std::string text() const {
    std::string hex;
    for (int shift = 124; shift >= 0; shift -= 4) hex += "0123456789abcdef"[static_cast<unsigned>(value_ >> shift) & 15U];
    return hex;
  }

 private:
  __extension__ using Word = unsigned __int128;
  static constexpr Word prime() { return (Word{1} << 88) + 0x13b; }
  Word value_ = (Word{0x6c62272e07bb0142U} << 64) + 0x62b821756295c58dU;
};

// What the code generator chooses instructions by: the model, its features, and which registers the system keeps.
void add_processor(Hash& hash) {
  constexpr std::uint32_t leaves[][2] = {{0, 0}, {1, 0}, {7, 0}, {7, 1}, {0xd, 1}, {0x14, 0}, {0x19, 0},
                                         {0x80000001, 0}, {0x80000008, 0}};
  bool keeps_registers = false;
  for (const auto& [leaf, index] : leaves) {
    std::uint32_t a = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid_count(leaf, index, &a, &b, &c, &d) == 0) continue;
    if (leaf == 1) {
      keeps_registers = (c & bit_OSXSAVE) != 0;
      b = 0;  // says on which of the processors this runs
    }
    if (leaf == 0xd || leaf == 0x80000008) b = leaf == 0xd ? 0 : b, c = 0;  // sizes of what is in use at the moment
    for (const std::uint32_t word : {a, b, c, d}) hash.add(word);
  }
  if (!keeps_registers) return;
  std::uint32_t low = 0, high = 0;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  hash.add(low);
}

}  // namespace

std::string image_key(std::span<const std::byte> bitcode, const LoadOptions& options) {
  Hash hash;
  hash.add(bitcode);
  hash.add(options.optimise ? "optimised|" : "plain|");
  hash.add(options.lockstep ? "lockstep|" : "free|");
  hash.add(engine_version());
  add_processor(hash);
  return hash.text();
}

}  // namespace sluice::exec

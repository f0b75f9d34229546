#include "api/compiler/spirv.h"

#include <cstring>

namespace sluice::compiler {

namespace {

// SPIR-V, section 2.3 (layout of a module) and 3 (numbers).
constexpr std::uint32_t kMagic = 0x07230203;
constexpr std::uint32_t kHeaderWords = 5;
constexpr std::uint32_t kNewestVersion = 0x00010400;
constexpr std::uint32_t kLargestBound = 0x3fffff;  // "universal limits": the bound of ids
enum Op : std::uint32_t {
  type_bool = 20,
  type_int = 21,
  type_float = 22,
  spec_constant_true = 48,
  spec_constant_false = 49,
  spec_constant = 50,
  decorate = 71,
};
constexpr std::uint32_t kSpecId = 1;

}  // namespace

std::optional<IlModule> read_il(std::span<const std::byte> il) {
  IlModule module;
  if (il.size() < kHeaderWords * 4 || il.size() % 4 != 0) return std::nullopt;
  std::vector<std::uint32_t>& words = module.words;
  words.resize(il.size() / 4);
  std::memcpy(words.data(), il.data(), il.size());
  if (words[0] == __builtin_bswap32(kMagic)) {
    for (std::uint32_t& word : words) word = __builtin_bswap32(word);
  }
  if (words[0] != kMagic || words[1] < 0x00010000 || words[1] > kNewestVersion || words[3] == 0 ||
      words[3] > kLargestBound || words[4] != 0) {
    return std::nullopt;
  }
  std::map<std::uint32_t, std::uint32_t> spec_ids;    // by the id of the constant
  std::map<std::uint32_t, std::uint32_t> type_bytes;  // of scalars, by the id of the type
  std::map<std::uint32_t, std::uint32_t> types;       // of specialisation constants, by their ids
  for (std::size_t at = kHeaderWords; at < words.size();) {
    const std::uint32_t count = words[at] >> 16;
    if (count == 0 || count > words.size() - at) return std::nullopt;
    const std::span<const std::uint32_t> operands(&words[at] + 1, count - 1);
    switch (words[at] & 0xffff) {
      case decorate:
        if (operands.size() >= 3 && operands[1] == kSpecId) spec_ids[operands[0]] = operands[2];
        break;
      case type_bool:
        if (!operands.empty()) type_bytes[operands[0]] = 1;
        break;
      case type_int:
      case type_float:
        if (operands.size() >= 2) type_bytes[operands[0]] = operands[1] / 8;
        break;
      case spec_constant_true:
      case spec_constant_false:
      case spec_constant:
        if (operands.size() >= 2) types[operands[1]] = operands[0];
        break;
      default: break;
    }
    at += count;
  }
  for (const auto& [id, spec_id] : spec_ids) {
    const auto type = types.find(id);
    if (type == types.end()) continue;
    const auto bytes = type_bytes.find(type->second);
    if (bytes != type_bytes.end()) module.constant_bytes[spec_id] = bytes->second;
  }
  return module;
}

}  // namespace sluice::compiler

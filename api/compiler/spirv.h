// What the driver itself has to know of a SPIR-V module: whether it is one, and its specialisation constants.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

namespace sluice::compiler {

struct IlModule {
  std::vector<std::uint32_t> words;                        // in the byte order of this machine
  std::map<std::uint32_t, std::uint32_t> constant_bytes;   // of each specialisation constant by its SpecId; bool: 1
};

// nullopt: not SPIR-V, of a version above 1.4, or instructions that do not fill the module exactly.
[[nodiscard]] std::optional<IlModule> read_il(std::span<const std::byte> il);

}  // namespace sluice::compiler

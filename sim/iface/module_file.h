// Where code of this process lies on disk: parts of Sluice are found beside it.
#pragma once

#include <filesystem>

namespace sluice {

// The file of the library or program that `address` belongs to, links followed; empty if that cannot be told.
[[nodiscard]] std::filesystem::path module_file(const void* address);

}  // namespace sluice

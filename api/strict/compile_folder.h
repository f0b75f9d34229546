// Where a program was compiled: its debug information names sources as the compiler was given them, often relative to
// that folder, which libbacktrace does not tell.
#pragma once

#include <string>

namespace sluice::api::strict {

// `source`, which `module` (a program's or library's file) names, as an absolute path without . and ..; as it is if
// the folder is not known: no DWARF 2 to 5 of 32 bits in the file itself, or compressed. One thread at a time.
[[nodiscard]] std::string absolute_source(const std::string& module, const std::string& source);

}  // namespace sluice::api::strict

// Lines that look exactly as our own writer writes them, without the detour over a JSON document. What is written in any
// other way, or is wrong, is not taken here: the reader then parses the line as JSON, and says what is wrong with it.
#pragma once

#include <string_view>

#include "traces/reader.h"

namespace sluice::trace {

// False: not taken, and `out` is in no particular state. What is taken is what the JSON parser would make of it.
[[nodiscard]] bool scan_command(std::string_view line, CommandLine& out);
[[nodiscard]] bool scan_part(std::string_view line, PartLine& out);

// What schema 1 promises of a kernel's figures; empty if it is kept.
[[nodiscard]] std::string_view broken_promise(const KernelRecord& figures) noexcept;

inline constexpr std::string_view occupancy_limits[] = {"",          "waves",        "groups",
                                                        "registers", "local_memory", "launch"};
inline constexpr std::string_view limiters[] = {"",   "latency", "issue",         "l1",  "local_memory",
                                                "l2", "atomics", "device_memory", "link"};

}  // namespace sluice::trace

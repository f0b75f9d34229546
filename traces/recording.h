// A recorded trace: a JSON Lines trace whose header also tells the program, so that it is compared with no other's.
#pragma once

#include <string>

namespace sluice::trace {

// Writes the trace in `from`, recorded or not, to `to` as a recorded one, whole or not at all. If `to` is a link, what it
// leads to is replaced. `program`: empty keeps what `from` says. Returns what is wrong, "FILE: REASON"; empty on success.
[[nodiscard]] std::string record_trace(const std::string& from, const std::string& to, const std::string& program);

}  // namespace sluice::trace

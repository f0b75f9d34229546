// A recorded trace: a JSON Lines trace whose header also tells the program, the number of records and a digest of all
// bytes that follow, so that a reference that was cut off or damaged is told from a change.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace sluice::trace {

// XXH3 of lines, as 16 hex digits.
class Digest {
 public:
  Digest();
  ~Digest();
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;
  void add_line(std::string_view line);  // and its line feed
  [[nodiscard]] std::string text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Writes the trace in `from`, recorded or not, to `to` as a recorded one, whole or not at all. `program`: empty keeps
// what `from` says. Returns what is wrong, "FILE: REASON"; empty on success.
[[nodiscard]] std::string record_trace(const std::string& from, const std::string& to, const std::string& program);

}  // namespace sluice::trace

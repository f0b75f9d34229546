// XXH3 of the bytes of a trace, as 16 hex digits.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace sluice::trace {

class Digest {
 public:
  Digest();
  ~Digest();
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;
  void add(std::string_view bytes);
  void add_line(std::string_view line);  // and its line feed
  [[nodiscard]] std::string text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The last line of a trace of schema 2, without its line feed: how many records are before it, and the digest of all bytes
// before it, the header's included.
[[nodiscard]] std::string end_line(std::uint64_t records, const Digest& digest);
inline constexpr std::string_view end_line_start = "{\"record\":\"end\"";

}  // namespace sluice::trace

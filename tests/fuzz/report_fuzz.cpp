// Arbitrary bytes given to `sluice report`, as they are, and as the records of a trace of schema 2 whose last line is right:
// where those are read as sound, they are not once a byte of the whole is another one.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>

#include "traces/digest.h"
#include "traces/report.h"

namespace {

std::string complaint(const std::string& text, bool colour) {
  std::istringstream in(text);
  return sluice::trace::report(in, colour).error;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  (void)complaint(bytes, size % 2 == 0);

  std::string trace = R"({"schema":2,"sluice":"0","profile":"p","profile_hash":"0","level":"packet"})" "\n" + bytes;
  if (!trace.ends_with('\n')) trace += '\n';
  std::uint64_t lines = 0;
  for (const char c : trace) lines += c == '\n' ? 1 : 0;
  sluice::trace::Digest digest;
  digest.add(trace);
  trace += sluice::trace::end_line(lines - 1, digest) + "\n";
  if (!complaint(trace, false).empty()) return 0;
  // Which byte, and what becomes of it, follows from the input.
  std::size_t at = 0;
  for (const char c : bytes) at = at * 31 + static_cast<unsigned char>(c);
  const auto flip = static_cast<char>(1 + at / 7 % 255);
  at %= trace.size();
  trace[at] = static_cast<char>(trace[at] ^ flip);
  if (complaint(trace, false).empty()) std::abort();
  return 0;
}

// Arbitrary bytes given to `sluice report`: as they are; and their first records in a trace of schema 2 whose last line is
// right, which is sound no more once a byte of it is another one.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>

#include "traces/digest.h"
#include "traces/report.h"

namespace {

constexpr std::size_t most_bytes = 4096;  // of the trace that is made up

std::string complaint(const std::string& text, bool colour) {
  std::istringstream in(text);
  return sluice::trace::report(in, colour).error;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  (void)complaint(bytes, size % 2 == 0);

  std::string trace = R"({"schema":2,"sluice":"0","profile":"p","profile_hash":"0","level":"packet"})" "\n";
  std::uint64_t records = 0;
  std::istringstream lines(bytes);
  for (std::string line; trace.size() < most_bytes && std::getline(lines, line);) {
    if (!line.starts_with("{\"record\":") || line.starts_with(sluice::trace::end_line_start)) continue;
    trace += line + "\n";
    ++records;
  }
  sluice::trace::Digest digest;
  digest.add(trace);
  trace += sluice::trace::end_line(records, digest) + "\n";
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

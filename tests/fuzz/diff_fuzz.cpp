// Arbitrary bytes given to `sluice diff`: two traces with a zero byte between them, or one that is compared with itself. A
// trace never differs from itself, and every format can be written of whatever comes out.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <string>

#include "tools/diff/report.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::diff;
  const std::string all(reinterpret_cast<const char*>(data), size);
  const std::size_t zero = all.find('\0');
  const std::string before = all.substr(0, zero);
  const std::string after = zero == std::string::npos ? before : all.substr(zero + 1);
  Result result;
  {
    Source old_trace("old", std::make_unique<std::istringstream>(before));
    Source new_trace("new", std::make_unique<std::istringstream>(after));
    result = compare(old_trace, new_trace, {});
  }
  std::ostringstream out;
  write_junit(out, result, false);
  write_junit(out, result, true);
  if (!result.error.empty()) return 0;
  if (before == after && result.is_changed()) std::abort();
  write_text(out, result, size % 2 == 0);
  write_markdown(out, result);
  write_json(out, result);
  return 0;
}

// Arbitrary bytes given to `sluice report`.
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>

#include "traces/report.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::istringstream in(std::string(reinterpret_cast<const char*>(data), size));
  (void)sluice::trace::report(in, size % 2 == 0);
  return 0;
}

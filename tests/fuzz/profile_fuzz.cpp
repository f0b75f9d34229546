// libFuzzer over profiles: any bytes give a profile or problems, never a crash.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "sim/profile/load.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A folder that does not exist: includes are followed as far as finding that out.
  const auto loaded = sluice::profile::parse_profile({reinterpret_cast<const char*>(data), size}, "/nonexistent/fuzz.json");
  if (loaded.profile.has_value() != loaded.problems.empty()) std::abort();
  for (const auto& p : loaded.problems) (void)sluice::profile::to_string(p);
  return 0;
}

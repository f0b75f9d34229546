#include "sim/exec/version.h"

namespace sluice::exec {

// A hash of the engine's sources, from CMake.
std::string_view engine_version() noexcept {
  return SLUICE_EXEC_VERSION;
}

}  // namespace sluice::exec

// The way to the writer of Perfetto's protobuf format. The protobuf library is loaded with it, and only if a trace of that
// format is asked for: a program that is not traced so does not meet a second copy of a library that it may use itself.
#pragma once

#include "traces/writer.h"

namespace sluice::trace {

inline constexpr const char* perfetto_plugin_symbol = "sluice_perfetto_plugin";

// What the plug-in exports. C++ objects pass, so both sides must be of one build.
struct PerfettoPlugin {
  char key[128];
  std::unique_ptr<Writer> (*make)(std::unique_ptr<Output> output);
};

}  // namespace sluice::trace

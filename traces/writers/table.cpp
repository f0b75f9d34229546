#include <array>

#include "traces/writer.h"

namespace sluice::trace {

namespace {

struct Entry {
  std::string_view ending;
  MakeWriter make;
};

constexpr std::array writers = {
    Entry{".jsonl", make_jsonl_writer}, Entry{".json", make_perfetto_writer},  // .perfetto.json, too
};

}  // namespace

MakeWriter writer_for(std::string_view file_name) noexcept {
  for (const Entry& entry : writers) {
    if (file_name.ends_with(entry.ending)) return entry.make;
  }
  return nullptr;
}

std::string_view writer_endings() noexcept {
  return "*.jsonl (JSON Lines), *.json (Perfetto)";
}

}  // namespace sluice::trace

#include <array>

#include "traces/writer.h"

namespace sluice::trace {

namespace {

struct Entry {
  std::string_view ending;
  MakeWriter make;
};

constexpr std::array writers = {
    Entry{".jsonl", make_jsonl_writer},
    Entry{".json", make_perfetto_writer},  // .perfetto.json, too
    Entry{".pftrace", make_protobuf_writer},
    Entry{".perfetto-trace", make_protobuf_writer},
    Entry{".vcd", make_vcd_writer},
    Entry{".csv", make_csv_writer},
};

}  // namespace

MakeWriter writer_for(std::string_view file_name) noexcept {
  for (const Entry& entry : writers) {
    if (file_name.ends_with(entry.ending)) return entry.make;
  }
  return nullptr;
}

std::string_view writer_endings() noexcept {
  return "*.jsonl (JSON Lines), *.json (Chrome trace), *.pftrace (Perfetto), *.vcd, *.csv";
}

}  // namespace sluice::trace

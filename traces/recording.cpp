#include "traces/recording.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "traces/reader.h"
#include "traces/writer.h"

namespace sluice::trace {

namespace fs = std::filesystem;

struct Digest::State {
  XXH3_state_t xxh;
};

Digest::Digest() : state_(std::make_unique<State>()) { XXH3_64bits_reset(&state_->xxh); }
Digest::~Digest() = default;

void Digest::add_line(std::string_view line) {
  XXH3_64bits_update(&state_->xxh, line.data(), line.size());
  XXH3_64bits_update(&state_->xxh, "\n", 1);
}

std::string Digest::text() const { return fmt::format("{:016x}", XXH3_64bits_digest(&state_->xxh)); }

namespace {

// One pass checks and counts; what it saw is copied by a second one.
struct Checked {
  std::string error;
  TraceHeader header;
  std::uint64_t records = 0;
};

Checked check(const std::string& path) {
  Checked result;
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    result.error = path + ": cannot be read";
    return result;
  }
  Reader reader(in);
  bool sound = reader.read_header();
  while (sound) {
    const Reader::Next next = reader.next();
    if (next == Reader::Next::end) break;
    sound = next != Reader::Next::error;
    result.records += sound ? 1 : 0;
  }
  if (!sound) {
    result.error = path + ": " + reader.error();
  } else if (reader.is_cut_off()) {
    result.error = path + ": the trace is cut off within a line: the program was killed";
  }
  result.header = reader.header();
  return result;
}

std::string header_line(const TraceHeader& header, std::uint64_t records, const std::string& digest) {
  const nlohmann::ordered_json line = {{"schema", schema_version},
                                       {"sluice", header.sluice_version},
                                       {"profile", header.profile},
                                       {"profile_hash", header.profile_hash},
                                       {"level", std::string(to_string(header.level))},
                                       {"program", header.program},
                                       {"records", records},
                                       {"digest", digest}};
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string record_trace(const std::string& from, const std::string& to, const std::string& program) {
  Checked checked = check(from);
  if (!checked.error.empty()) return checked.error;
  if (!program.empty()) checked.header.program = program;

  Digest digest;
  std::ifstream in(from, std::ios::binary);
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) digest.add_line(line);

  // Beside the target, so that the rename stays on one file system.
  const std::string written = fmt::format("{}.{}.tmp", to, ::getpid());
  std::ofstream out(written, std::ios::binary);
  in.clear();
  in.seekg(0);
  std::getline(in, line);
  out << header_line(checked.header, checked.records, digest.text()) << '\n';
  if (checked.records > 0) out << in.rdbuf();
  out.close();
  std::error_code code;
  const int reason = errno;
  if (!out) {
    fs::remove(written, code);
    return fmt::format("{}: cannot be written: {}", to, std::strerror(reason));
  }
  fs::rename(written, to, code);
  if (!code) return {};
  const std::string why = code.message();
  fs::remove(written, code);
  return fmt::format("{}: cannot be written: {}", to, why);
}

}  // namespace sluice::trace

#include "traces/recording.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "traces/digest.h"
#include "traces/reader.h"
#include "traces/writer.h"

namespace sluice::trace {

namespace fs = std::filesystem;

namespace {

// One pass checks; what it saw is copied by a second one.
struct Checked {
  std::string error;
  TraceHeader header;
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
  }
  if (!sound) {
    result.error = path + ": " + reader.error();
  } else if (reader.is_cut_off()) {
    result.error = path + ": " + std::string(cut_off_words);
  }
  result.header = reader.header();
  return result;
}

std::string header_line(const TraceHeader& header) {
  const nlohmann::ordered_json line = {{"schema", schema_version},
                                       {"sluice", header.sluice_version},
                                       {"profile", header.profile},
                                       {"profile_hash", header.profile_hash},
                                       {"level", std::string(to_string(header.level))},
                                       {"program", header.program}};
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// A link stays: what it leads to is replaced, which need not be there yet.
fs::path behind_links(fs::path path) {
  std::error_code code;
  for (int i = 0; i < 40; ++i) {
    const fs::path next = fs::read_symlink(path, code);
    if (code) break;
    path = path.parent_path() / next;  // `next` alone if that is absolute
  }
  return path;
}

}  // namespace

std::string record_trace(const std::string& from, const std::string& to, const std::string& program) {
  Checked checked = check(from);
  if (!checked.error.empty()) return checked.error;
  if (!program.empty()) checked.header.program = program;

  // Beside the target, so that the rename stays on one file system.
  const fs::path target = behind_links(to);
  std::error_code code;
  const fs::file_status before = fs::status(target, code);
  // A pipe or a device is written; it cannot be replaced by a file.
  const bool is_replaced = !fs::exists(before) || fs::is_regular_file(before);
  const std::string written = is_replaced ? fmt::format("{}.{}.tmp", target.string(), ::getpid()) : target.string();
  std::ofstream out(written, std::ios::binary);
  std::ifstream in(from, std::ios::binary);
  std::string line;
  std::getline(in, line);
  line = header_line(checked.header);
  Digest digest;
  std::uint64_t lines = 0;
  do {
    digest.add_line(line);
    out << line << '\n';
    ++lines;
  } while (std::getline(in, line) && !line.starts_with(end_line_start));
  out << end_line(lines - 1, digest) << '\n';
  out.close();
  const int reason = errno;
  if (!out) {
    if (is_replaced) fs::remove(written, code);
    return fmt::format("{}: cannot be written: {}", to, std::strerror(reason));
  }
  if (!is_replaced) return {};
  if (fs::exists(before)) fs::permissions(written, before.permissions(), code);
  fs::rename(written, target, code);
  if (!code) return {};
  const std::string why = code.message();
  fs::remove(written, code);
  return fmt::format("{}: cannot be written: {}", to, why);
}

}  // namespace sluice::trace

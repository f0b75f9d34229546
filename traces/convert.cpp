#include "traces/convert.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <system_error>

#include "traces/reader.h"
#include "traces/writer.h"

namespace sluice::trace {

namespace fs = std::filesystem;

namespace {

// A file that takes its name when it is whole. What is there and is no regular file, a pipe say, is written as it goes.
class Target {
 public:
  explicit Target(std::string path) : path_(std::move(path)) {
    std::error_code ignored;
    const fs::file_status status = fs::status(path_, ignored);
    if (!fs::exists(status) || fs::is_regular_file(status)) written_ = fmt::format("{}.{}.tmp", path_, ::getpid());
  }
  ~Target() {
    std::error_code ignored;
    writer_.reset();
    if (!written_.empty() && !kept_) fs::remove(written_, ignored);
  }
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  [[nodiscard]] bool open(std::string& error, bool& failed) {
    const MakeWriter make = writer_for(path_);
    if (make == nullptr) {
      error = fmt::format("{}: unknown trace format; known names: {}", path_, writer_endings());
      return false;
    }
    auto output = Output::open(written_.empty() ? path_ : written_, error);
    if (output != nullptr) writer_ = make(std::move(output), error);
    failed = writer_ == nullptr;
    if (failed) error = told(error);
    return !failed;
  }

  [[nodiscard]] Writer& writer() noexcept { return *writer_; }
  // What went wrong with the output, in words that name the file.
  [[nodiscard]] std::string error() { return told(writer_->output().error()); }

  [[nodiscard]] bool keep(bool is_whole, std::string& error) {
    writer_->end(is_whole);
    writer_->output().close();
    if (!writer_->output().ok()) {
      error = this->error();
      return false;
    }
    std::error_code code;
    if (!written_.empty()) fs::rename(written_, path_, code);
    kept_ = !code;
    if (code) error = fmt::format("{}: {}", path_, code.message());
    return kept_;
  }

 private:
  [[nodiscard]] std::string told(const std::string& error) const {
    return !written_.empty() && error.starts_with(written_) ? path_ + error.substr(written_.size()) : error;
  }

  std::string path_;
  std::string written_;  // empty: path_ itself
  std::unique_ptr<Writer> writer_;
  bool kept_ = false;
};

void unpack(const CommandLine& line, Command& command, CommandRecord& record, KernelRecord& kernel) {
  command.id = line.times.id;
  command.op = line.op;
  command.queue = line.queue;
  command.device = line.device;
  command.direction = line.direction;
  command.blocking = line.blocking;
  command.source.placement = line.source;
  command.target.placement = line.target;
  // Rows are equal; what a damaged line may say of them is not.
  command.shape.slices = 1;
  command.shape.rows = line.rows != 0 && line.bytes % line.rows == 0 ? line.rows : 1;
  command.shape.row_bytes = line.bytes / command.shape.rows;
  // Only what never reaches the device has all its stamps at once.
  command.host_only = line.times.queued == line.times.visible;
  record.command = &command;
  record.called = line.called;
  record.times = line.times;
  record.stages = line.stages;
  record.wire_bytes_up = line.wire_bytes_up;
  record.wire_bytes_down = line.wire_bytes_down;
  record.tlps = line.tlps;
  record.kernel = nullptr;
  if (!line.kernel) return;
  kernel = line.kernel->figures;
  kernel.name = line.kernel->name;
  record.kernel = &kernel;
}

void write_part(const PartLine& line, Writer& writer) {
  switch (line.kind) {
    case PartLine::Kind::stage:
      return writer.stage({line.id, line.device, line.part, line.what, line.begin, line.end, line.cycles, line.bytes});
    case PartLine::Kind::packet:
      return writer.packet({line.id, line.device, line.part, line.what, line.begin, line.end, line.address,
                            static_cast<std::uint32_t>(line.bytes)});
    case PartLine::Kind::counter:
      return writer.counter({line.device, line.part, line.what, line.begin, line.value});
    case PartLine::Kind::call:
      return writer.call({line.thread, line.what, line.id, line.begin, line.end, line.value});
  }
}

}  // namespace

Conversion convert(const std::string& from, const std::vector<std::string>& to, const std::string& device_name) {
  std::error_code ignored;
  std::ifstream in(from, std::ios::binary);
  if (!in || fs::is_directory(from, ignored)) return {from + ": cannot be read"};
  Reader reader(in);
  if (!reader.read_header()) return {from + ": " + reader.error()};

  Conversion result;
  std::vector<std::unique_ptr<Target>> targets;
  for (const std::string& path : to) {
    if (fs::equivalent(from, path, ignored)) return {path + ": is the trace that is read"};
    targets.push_back(std::make_unique<Target>(path));
    if (!targets.back()->open(result.error, result.output_failed)) return result;
  }
  Machine machine;
  machine.profile_name = reader.header().profile;
  machine.profile_hash = reader.header().profile_hash;
  machine.device.name = device_name;
  for (const auto& target : targets) target->writer().header(machine, reader.header().level);

  Command command;
  CommandRecord record;
  KernelRecord kernel;
  while (true) {
    const Reader::Next next = reader.next();
    if (next == Reader::Next::end) break;
    if (next == Reader::Next::error) return {from + ": " + reader.error()};
    if (next == Reader::Next::command) unpack(reader.command(), command, record, kernel);
    if (next == Reader::Next::part && reader.part().kind == PartLine::Kind::packet &&
        reader.part().bytes > std::numeric_limits<std::uint32_t>::max()) {
      return {fmt::format("{}: a packet: \"bytes\": found {}; allowed: 0 to {}", from, reader.part().bytes,
                          std::numeric_limits<std::uint32_t>::max())};
    }
    for (const auto& target : targets) {
      Writer& writer = target->writer();
      if (next == Reader::Next::command) {
        writer.command(record);
      } else {
        write_part(reader.part(), writer);
      }
      if (!writer.output().ok()) return {target->error(), true};
    }
  }
  for (const auto& target : targets) {
    if (target->keep(!reader.is_cut_off(), result.error)) continue;
    result.output_failed = true;
    return result;
  }
  if (reader.is_cut_off()) {
    result.cut_off = fmt::format("{}: {}; what is there was converted", from, cut_off_words);
  }
  return result;
}

}  // namespace sluice::trace

#include "traces/recorder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "traces/writer.h"

namespace sluice::trace {

std::string_view to_string(TraceLevel level) noexcept {
  switch (level) {
    case TraceLevel::off:
      return "off";
    case TraceLevel::command:
      return "command";
    case TraceLevel::stage:
      return "stage";
    case TraceLevel::packet:
      return "packet";
  }
  return "?";
}

std::uint64_t bandwidth_bytes_per_s(const CommandRecord& record) noexcept {
  const Completion& times = record.times;
  if (times.ended <= times.started) return 0;
  __extension__ using Wide = unsigned __int128;  // 2^38 bytes * 10^12 does not fit 64 bits
  return static_cast<std::uint64_t>(Wide{record.command->shape.bytes()} * 1'000'000'000'000 /
                                    (times.ended - times.started));
}

RecorderOptions options_from_environment(std::string& error) {
  error.clear();
  RecorderOptions options;
  if (const char* files = std::getenv("SLUICE_TRACE")) {
    std::string_view rest = files;
    while (!rest.empty()) {
      const std::string_view file = rest.substr(0, rest.find(':'));
      if (!file.empty()) options.files.emplace_back(file);
      rest.remove_prefix(file.size() == rest.size() ? file.size() : file.size() + 1);
    }
  }
  if (const char* text = std::getenv("SLUICE_TRACE_LEVEL"); text != nullptr && *text != '\0') {
    bool known = false;
    for (const TraceLevel level : {TraceLevel::command, TraceLevel::stage, TraceLevel::packet}) {
      if (text != to_string(level)) continue;
      options.level = level;
      known = true;
    }
    if (!known) error = "SLUICE_TRACE_LEVEL: found \"" + std::string(text) + "\"; allowed: command, stage, packet";
  }
  return options;
}

void report_trace_error(const std::string& error) {
  const std::string line = "trace-error: " + error + "\n";
  if (const char* text = std::getenv("SLUICE_STATUS_FD")) {
    const std::string_view digits = text;
    int descriptor = -1;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), descriptor);
    struct stat info {};
    // A program that closes descriptors it does not know may have a file of its own there by now.
    if (parsed.ec == std::errc{} && parsed.ptr == digits.data() + digits.size() && ::fstat(descriptor, &info) == 0 &&
        S_ISFIFO(info.st_mode) && ::write(descriptor, line.data(), line.size()) == static_cast<ssize_t>(line.size())) {
      return;
    }
  }
  std::fprintf(stderr, "sluice: %s", line.c_str());
}

Recorder::Recorder(TraceLevel level) : level_(level) {}

Recorder::~Recorder() {
  close();
}

void Recorder::add(std::unique_ptr<Writer> writer) {
  writers_.push_back(std::move(writer));
}

template <typename F>
void Recorder::each(F&& write) {
  bool failed = false;
  for (const auto& writer : writers_) {
    write(*writer);
    failed |= !writer->output().ok();
  }
  if (failed) drop_failed();
}

void Recorder::drop_failed() {
  std::erase_if(writers_, [this](const std::unique_ptr<Writer>& writer) {
    if (writer->output().ok()) return false;
    if (error_.empty()) {
      error_ = writer->output().error();
      report_trace_error(error_);
    }
    return true;
  });
}

void Recorder::begin(const Machine& machine) {
  each([&](Writer& writer) { writer.header(machine, level_); });
}

void Recorder::flush() {
  each([](Writer& writer) { writer.output().flush(); });
}

void Recorder::close() {
  each([](Writer& writer) {
    writer.end();
    writer.output().close();
  });
  writers_.clear();
}

void Recorder::command(const CommandRecord& record) {
  each([&](Writer& writer) { writer.command(record); });
}

void Recorder::stage(const StageRecord& record) {
  each([&](Writer& writer) { writer.stage(record); });
}

void Recorder::packet(const PacketRecord& record) {
  each([&](Writer& writer) { writer.packet(record); });
}

void Recorder::counter(const CounterRecord& record) {
  each([&](Writer& writer) { writer.counter(record); });
}

std::unique_ptr<Recorder> open_recorder(const RecorderOptions& options, std::string& error) {
  auto recorder = std::make_unique<Recorder>(options.level);
  for (const std::string& file : options.files) {
    const MakeWriter make = writer_for(file);
    if (make == nullptr) {
      error = file + ": unknown trace format; known names: " + std::string(writer_endings());
      return nullptr;
    }
    auto output = Output::open(file, error);
    if (output == nullptr) return nullptr;
    recorder->add(make(std::move(output)));
  }
  return recorder;
}

}  // namespace sluice::trace

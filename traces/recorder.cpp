#include "traces/recorder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <limits>
#include <string_view>

#include "traces/writer.h"
#include "traces/writer_thread.h"

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
  constexpr std::uint64_t ps_per_s = 1'000'000'000'000;
  const std::uint64_t bytes = record.command->shape.bytes();
  const TimePs time = times.ended - times.started;
  if (bytes <= std::numeric_limits<std::uint64_t>::max() / ps_per_s) return bytes * ps_per_s / time;
  __extension__ using Wide = unsigned __int128;  // several times as slow
  return static_cast<std::uint64_t>(Wide{bytes} * ps_per_s / time);
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

int status_descriptor() {
  const char* text = std::getenv("SLUICE_STATUS_FD");
  if (text == nullptr) return -1;
  const std::string_view digits = text;
  int descriptor = -1;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), descriptor);
  return parsed.ec == std::errc{} && parsed.ptr == digits.data() + digits.size() ? descriptor : -1;
}

void report_error(std::string_view what, const std::string& error, int status_descriptor) {
  const std::string line = std::string(what) + "-error: " + error + "\n";
  struct stat info {};
  // A program that closes descriptors it does not know may have a file of its own there by now.
  if (status_descriptor >= 0 && ::fstat(status_descriptor, &info) == 0 && S_ISFIFO(info.st_mode) &&
      ::write(status_descriptor, line.data(), line.size()) == static_cast<ssize_t>(line.size())) {
    return;
  }
  // Not by stdio: the program may hold the stream's lock, or have closed it.
  const std::string complaint = "sluice: " + line;
  (void)!::write(STDERR_FILENO, complaint.data(), complaint.size());
}

void report_trace_error(const std::string& error, int status_descriptor) {
  report_error("trace", error, status_descriptor);
}

void report_trace_error(const std::string& error) {
  report_trace_error(error, status_descriptor());
}

Recorder::Recorder(TraceLevel level, void (*at_thread_start)())
    : level_(level), thread_(std::make_unique<WriterThread>(at_thread_start, status_descriptor())) {}

Recorder::~Recorder() = default;

void Recorder::add(std::unique_ptr<Writer> writer) {
  thread_->add(std::move(writer));
}

void Recorder::begin(const Machine& machine) {
  thread_->start(machine, level_);
}

void Recorder::close() {
  thread_->close();
}

bool Recorder::ok() const noexcept {
  return thread_->ok();
}

const std::string& Recorder::error() const noexcept {
  return thread_->error();
}

void Recorder::command(const CommandRecord& record) {
  thread_->put(record);
}

void Recorder::stage(const StageRecord& record) {
  thread_->put(record);
}

void Recorder::packet(const PacketRecord& record) {
  thread_->put(record);
}

void Recorder::counter(const CounterRecord& record) {
  thread_->put(record);
}

void Recorder::call(const CallRecord& record) {
  thread_->put(record);
}

std::unique_ptr<Recorder> open_recorder(const RecorderOptions& options, std::string& error) {
  auto recorder = std::make_unique<Recorder>(options.level, options.at_thread_start);
  for (const std::string& file : options.files) {
    const MakeWriter make = writer_for(file);
    if (make == nullptr) {
      error = file + ": unknown trace format; known names: " + std::string(writer_endings());
      return nullptr;
    }
    auto output = Output::open(file, error);
    if (output == nullptr) return nullptr;
    auto writer = make(std::move(output), error);
    if (writer == nullptr) return nullptr;
    recorder->add(std::move(writer));
  }
  return recorder;
}

}  // namespace sluice::trace

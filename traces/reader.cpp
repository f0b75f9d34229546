#include "traces/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <concepts>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>
#include <utility>

#include "traces/digest.h"
#include "traces/scan.h"
#include "traces/writer.h"

namespace sluice::trace {

namespace {

using nlohmann::json;

// No record comes near it; a file that is no trace may be one line of gigabytes.
constexpr std::size_t longest_line_bytes = 64 * 1024;
constexpr std::size_t buffer_bytes = 4 * longest_line_bytes;
constexpr std::size_t deepest_nesting = 4;

// What was found, short enough for a message.
std::string excerpt(const json& value) {
  std::string text = value.dump(-1, ' ', true, json::error_handler_t::replace);
  if (text.size() > 40) text = text.substr(0, 40) + "...";
  return text;
}

// Takes the members of one line; the first complaint stays.
class Fields {
 public:
  explicit Fields(const json& object) : object_(object) {}

  [[nodiscard]] bool ok() const noexcept { return error_.empty(); }
  [[nodiscard]] const std::string& error() const noexcept { return error_; }

  void complain(std::string error) {
    if (ok()) error_ = std::move(error);
  }

  template <std::integral T>
  void take(const char* key, T& out) {
    const json* value = find(key);
    if (value == nullptr) return;
    if (value->is_number_unsigned()) {
      const auto number = value->get<std::uint64_t>();
      if (number <= static_cast<std::uint64_t>(std::numeric_limits<T>::max())) {
        out = static_cast<T>(number);
        return;
      }
    } else if (value->is_number_integer()) {
      const auto number = value->get<std::int64_t>();
      if (number >= static_cast<std::int64_t>(std::numeric_limits<T>::min())) {
        out = static_cast<T>(number);
        return;
      }
    }
    complain(fmt::format("\"{}\": found {}; allowed: an integer of {} to {}", key, excerpt(*value),
                         std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
  }

  void take(const char* key, bool& out) {
    const json* value = find(key);
    if (value == nullptr) return;
    if (!value->is_boolean())
      return complain(fmt::format("\"{}\": found {}; allowed: true, false", key, excerpt(*value)));
    out = value->get<bool>();
  }

  void take(const char* key, std::string& out) {
    const json* value = find(key);
    if (value == nullptr) return;
    if (!value->is_string()) return complain(fmt::format("\"{}\": found {}; allowed: a string", key, excerpt(*value)));
    out = value->get<std::string>();
  }

  // One of the names that to_string gives to the values 0 ... last.
  template <typename Enum>
  void take(const char* key, Enum& out, Enum last, std::string_view (*name_of)(Enum) noexcept) {
    std::string name;
    take(key, name);
    if (!ok()) return;
    for (unsigned i = 0; i <= static_cast<unsigned>(last); ++i) {
      if (name != name_of(static_cast<Enum>(i))) continue;
      out = static_cast<Enum>(i);
      return;
    }
    complain(fmt::format("\"{}\": found {}, which is no name of this schema", key, excerpt(json(name))));
  }

  void take_stages(std::array<TimePs, stage_count>& out) {
    out = {};
    const json* stages = find("stages");
    if (stages == nullptr) return;
    if (!stages->is_object())
      return complain(fmt::format("\"stages\": found {}; allowed: an object", excerpt(*stages)));
    std::size_t known = 0;
    Fields inner(*stages);
    for (std::size_t i = 0; i < stage_count; ++i) {
      const std::string key(sluice::to_string(static_cast<Stage>(i)));
      if (!stages->contains(key)) continue;
      inner.take(key.c_str(), out[i]);
      ++known;
    }
    if (!inner.ok()) return complain("\"stages\": " + inner.error());
    if (known != stages->size()) complain("\"stages\": found a stage that is no name of this schema");
  }

  // One of `names`, whose storage is static.
  void take(const char* key, std::string_view& out, std::span<const std::string_view> names) {
    std::string name;
    take(key, name);
    if (!ok()) return;
    const auto known = std::find(names.begin(), names.end(), name);
    if (known == names.end()) {
      return complain(fmt::format("\"{}\": found {}, which is no name of this schema", key, excerpt(json(name))));
    }
    out = *known;
  }

  void take_part(PartLine& out) {
    if (out.kind == PartLine::Kind::call) {
      take("thread", out.thread);
      take("name", out.what);
      take("id", out.id);
      take("begin", out.begin);
      take("end", out.end);
      take("calls", out.value);
      out.part = call_part;
      if (ok() && out.end < out.begin) complain("\"end\" is before \"begin\"");
      return;
    }
    take("device", out.device);
    take("part", out.part);
    if (out.kind == PartLine::Kind::counter) {
      take("name", out.what);
      take("at", out.begin);
      take("value", out.value);
      out.end = out.begin;
      return;
    }
    take("id", out.id);
    take(out.kind == PartLine::Kind::stage ? "action" : "kind", out.what);
    take("begin", out.begin);
    take("end", out.end);
    if (out.kind == PartLine::Kind::stage) {
      take("cycles", out.cycles);
    } else {
      take("address", out.address);
    }
    take("bytes", out.bytes);
    if (ok() && out.end < out.begin) complain("\"end\" is before \"begin\"");
  }

  void take_kernel(std::optional<KernelLine>& out) {
    out.reset();
    if (!ok() || !object_.contains("kernel")) return;
    const json* kernel = find("kernel");
    if (!kernel->is_object())
      return complain(fmt::format("\"kernel\": found {}; allowed: an object", excerpt(*kernel)));
    Fields inner(*kernel);
    inner.read_kernel(out.emplace());
    if (!inner.ok()) complain("\"kernel\": " + inner.error());
  }

 private:
  void read_kernel(KernelLine& out) {
    take("name", out.name);
    KernelRecord& figures = out.figures;
    for (const KernelField& field : kernel_fields) take(field.name, figures.*field.value);
    take("groups_per_unit", figures.groups_per_unit);
    take("occupancy_permille", figures.occupancy_permille);
    take("occupancy_limit", figures.occupancy_limit, occupancy_limits);
    take("limiter", figures.limiter, limiters);
    const json* instructions = find("instructions");
    if (instructions == nullptr) return;
    if (!instructions->is_object())
      return complain(fmt::format("\"instructions\": found {}; allowed: an object", excerpt(*instructions)));
    std::size_t known = 0;
    Fields inner(*instructions);
    for (std::size_t i = 0; i < instruction_classes; ++i) {
      const std::string key(sluice::to_string(static_cast<InstructionClass>(i)));
      if (!instructions->contains(key)) continue;
      inner.take(key.c_str(), figures.instructions[i]);
      ++known;
    }
    if (!inner.ok()) return complain("\"instructions\": " + inner.error());
    if (known != instructions->size()) complain("\"instructions\": found a class that is no name of this schema");
    if (const auto broken = trace::broken_promise(figures); !broken.empty()) complain(std::string(broken));
  }

  const json* find(const char* key) {
    if (!ok()) return nullptr;
    const auto found = object_.find(key);
    if (found != object_.end()) return &*found;
    complain(fmt::format("\"{}\" is missing", key));
    return nullptr;
  }

  const json& object_;
  std::string error_;
};

// What schema 1 promises of each command.
std::string broken_promise(const CommandLine& command) {
  const Completion& times = command.times;
  const std::array stamps = {command.called, times.queued,    times.submitted, times.started,
                             times.ended,    times.completed, times.visible};
  for (std::size_t i = 1; i < stamps.size(); ++i) {
    if (stamps[i] < stamps[i - 1]) {
      return "the stamps of the command are not in the order called, queued, submitted, started, ended, completed, "
             "visible";
    }
  }
  std::uint64_t left = times.visible - command.called;
  for (const TimePs stage : command.stages) {
    if (stage > left) return "the stages add up to more than the command's time (visible - called)";
    left -= stage;
  }
  return left == 0 ? "" : "the stages add up to less than the command's time (visible - called)";
}

// The same without words, for lines that were scanned.
bool keeps_promises(const CommandLine& command) {
  const Completion& times = command.times;
  if (command.called > times.queued || times.queued > times.submitted || times.submitted > times.started ||
      times.started > times.ended || times.ended > times.completed || times.completed > times.visible) {
    return false;
  }
  const TimePs whole = times.visible - command.called;
  TimePs sum = 0;
  for (const TimePs stage : command.stages) {
    if (stage > whole - sum) return false;
    sum += stage;
  }
  return sum == whole;
}

std::optional<PartLine::Kind> part_kind(std::string_view name) {
  for (const auto kind : {PartLine::Kind::stage, PartLine::Kind::packet, PartLine::Kind::counter, PartLine::Kind::call}) {
    if (name == to_string(kind)) return kind;
  }
  return std::nullopt;
}

json parse(std::string_view line) {
  bool too_deep = false;
  const json::parser_callback_t limit_depth = [&](int depth, json::parse_event_t, json&) {
    too_deep |= depth > static_cast<int>(deepest_nesting);
    return !too_deep;
  };
  json value = json::parse(line.begin(), line.end(), limit_depth, /*allow_exceptions=*/false);
  return too_deep ? json(json::value_t::discarded) : value;
}

}  // namespace

bool Reader::fail(const std::string& what) {
  error_ = fmt::format("line {}: {}", line_number_, what);
  return false;
}

std::string_view to_string(PartLine::Kind kind) noexcept {
  switch (kind) {
    case PartLine::Kind::stage:
      return "stage";
    case PartLine::Kind::packet:
      return "packet";
    case PartLine::Kind::counter:
      return "counter";
    case PartLine::Kind::call:
      return "call";
  }
  return "";
}

Reader::Reader(std::istream& in) : in_(in), buffer_(buffer_bytes) {}
Reader::~Reader() = default;

bool Reader::read_line() {
  ++line_number_;
  std::size_t searched = begin_;
  while (true) {
    const auto* const found = static_cast<const char*>(std::memchr(buffer_.data() + searched, '\n', end_ - searched));
    const std::size_t size = (found != nullptr ? static_cast<std::size_t>(found - buffer_.data()) : end_) - begin_;
    if (size > longest_line_bytes) {
      return fail(fmt::format("longer than {} bytes; this is no Sluice trace", longest_line_bytes));
    }
    if (found != nullptr) {
      line_ = {buffer_.data() + begin_, size};
      begin_ += size + 1;
      return true;
    }
    digest_until(begin_);
    std::memmove(buffer_.data(), buffer_.data() + begin_, size);
    begin_ = digested_ = 0;
    end_ = searched = size;
    end_ += static_cast<std::size_t>(
        in_.rdbuf()->sgetn(buffer_.data() + end_, static_cast<std::streamsize>(buffer_.size() - end_)));
    if (end_ == searched) {
      cut_off_ = size != 0;
      begin_ = end_;
      return false;
    }
  }
}

// In large pieces: by line the digest would cost several times as much.
void Reader::digest_until(std::size_t end) {
  if (digest_) digest_->add({buffer_.data() + digested_, end - digested_});
  digested_ = end;
}

bool Reader::read_header() {
  if (!read_line()) {
    if (error_.empty()) fail(cut_off_ ? "the header is cut off" : "the file is empty");
    return false;
  }
  const json value = parse(line_);
  if (!value.is_object() || !value.contains("schema")) {
    return fail("no header of a Sluice trace (JSON Lines, \"schema\" first)");
  }
  Fields fields(value);
  unsigned& schema = header_.schema;
  fields.take("schema", schema);
  if (fields.ok() && schema != schema_version && schema != 1) {
    return fail(fmt::format("\"schema\": found {}; this version of sluice reads 1 and {}", schema, schema_version));
  }
  fields.take("sluice", header_.sluice_version);
  fields.take("profile", header_.profile);
  fields.take("profile_hash", header_.profile_hash);
  fields.take("level", header_.level, TraceLevel::packet, &to_string);
  if (value.contains("program")) fields.take("program", header_.program);
  if (schema == 1 && value.contains("digest")) {
    fields.take("records", header_.records.emplace());
    fields.take("digest", header_.digest);
  }
  if (header_.has_digest()) digest_ = std::make_unique<Digest>();
  if (schema == 1) digested_ = begin_;
  return fields.ok() || fail(fields.error());
}

Reader::Next Reader::next() {
  if (!read_line()) return error_.empty() ? finish() : Next::error;
  if (header_.schema != 1 && line_.starts_with(end_line_start)) return read_end();
  if (line_.starts_with("{\"record\":\"command\"")) {
    if (scan_command(line_, command_) && keeps_promises(command_)) return Next::command;
  } else if (scan_part(line_, part_) && is_of_schema(part_.kind)) {
    return Next::part;
  }
  return parse_line();
}

Reader::Next Reader::finish() {
  if (header_.schema != 1) {
    cut_off_ = true;
    if (header_.program.empty()) return Next::end;  // what a killed program leaves behind is of use
    error_ = cut_off_words;
    return Next::error;
  }
  if (!digest_) return Next::end;
  const std::uint64_t found = line_number_ - 2;  // without the header and the line that is not there
  if (cut_off_ || found < *header_.records) {
    fail(fmt::format("the trace is cut off: {} of the {} records that were recorded are there", found, *header_.records));
    return Next::error;
  }
  if (found > *header_.records) {
    fail(fmt::format("{} records were recorded, {} are there", *header_.records, found));
    return Next::error;
  }
  const std::string digest = digest_->text();
  if (digest == header_.digest) return Next::end;
  error_ = fmt::format("the bytes are not those that were recorded (digest {}, recorded {})", digest, header_.digest);
  return Next::error;
}

Reader::Next Reader::read_end() {
  const std::uint64_t found = line_number_ - 2;  // without the header and this line
  digest_until(static_cast<std::size_t>(line_.data() - buffer_.data()));
  const std::string expected = end_line(found, *digest_);
  if (line_ != expected) {
    const json value = parse(line_);
    Fields fields(value);
    std::uint64_t records = 0;
    std::string digest;
    if (!value.is_object()) fields.complain("not a JSON object");
    fields.take("records", records);
    fields.take("digest", digest);
    if (fields.ok() && records != found) {
      fields.complain(fmt::format("{} records were written, {} are there", records, found));
    }
    const std::string is = digest_->text();
    if (fields.ok() && digest != is) {
      fields.complain(fmt::format("the bytes are not those that were written (digest {}, written {}): the trace is damaged", is,
                                  excerpt(json(digest))));
    }
    if (fields.ok()) fields.complain(fmt::format("the last line is not the one that was written, {}", expected));
    fail(fields.error());
    return Next::error;
  }
  if (!read_line()) {
    if (!error_.empty()) return Next::error;
    if (!cut_off_) return Next::end;
  }
  fail("there is something behind the trace's last line");
  return Next::error;
}

Reader::Next Reader::parse_line() {
  const json value = parse(line_);
  if (!value.is_object()) {
    fail("not a JSON object");
    return Next::error;
  }
  Fields fields(value);
  std::string record;
  fields.take("record", record);
  if (const std::optional<PartLine::Kind> kind = fields.ok() ? part_kind(record) : std::nullopt; kind && is_of_schema(*kind)) {
    part_ = {};
    part_.kind = *kind;
    fields.take_part(part_);
    if (fields.ok()) return Next::part;
    fail(fields.error());
    return Next::error;
  }
  if (fields.ok() && record != "command") {
    fields.complain(fmt::format("\"record\": found {}; allowed: command, stage, packet, counter{}", excerpt(json(record)),
                                header_.schema == 1 ? "" : ", call, end"));
  }
  CommandLine& command = command_;
  fields.take("id", command.times.id);
  fields.take("op", command.op, static_cast<Operation>(static_cast<int>(Operation::count_) - 1), &sluice::to_string);
  fields.take("queue", command.queue);
  fields.take("device", command.device);
  fields.take("direction", command.direction, Direction::host_to_host, &sluice::to_string);
  fields.take("bytes", command.bytes);
  fields.take("rows", command.rows);
  fields.take("source", command.source, Placement::host_pageable, &sluice::to_string);
  fields.take("target", command.target, Placement::host_pageable, &sluice::to_string);
  fields.take("blocking", command.blocking);
  fields.take("status", command.times.status);
  fields.take("called", command.called);
  fields.take("queued", command.times.queued);
  fields.take("submitted", command.times.submitted);
  fields.take("started", command.times.started);
  fields.take("ended", command.times.ended);
  fields.take("completed", command.times.completed);
  fields.take("visible", command.times.visible);
  fields.take("bandwidth", command.bandwidth_bytes_per_s);
  fields.take_stages(command.stages);
  fields.take("wire_bytes_up", command.wire_bytes_up);
  fields.take("wire_bytes_down", command.wire_bytes_down);
  fields.take("tlps", command.tlps);
  fields.take_kernel(command.kernel);
  if (fields.ok()) fields.complain(broken_promise(command));
  if (fields.ok()) return Next::command;
  fail(fields.error());
  return Next::error;
}

}  // namespace sluice::trace
